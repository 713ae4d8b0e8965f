"""Names -> things, and "by rule" -> a value with its reason.

Every rule is a plain function here, and every decision goes into the resolved recipe with the sentence that explains
it, so that a person can read why, and a rerun decides nothing again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from babysit.data.augment import LARGEST_GATHERED, canvas_for
from babysit.data.preprocess import (
    DECORRELATING,
    DIVIDED,
    EPSILON,
    PER_CHANNEL,
    TYPICAL_DEVIATION,
    WHITENING,
)
from babysit.data.sizes import SIZES, training_size
from babysit.errors import UserError
from babysit.models import MODELS
from babysit.models.own import OwnNetwork, is_own
from babysit.models.quick import pools_for
from babysit.models.traits import Traits
from babysit.optim.optimizers import ADAPTIVE, USUAL_RATES
from babysit.optim.schedules import warmup_of
from babysit.recipe import Parsed, Recipe
from babysit.show import plural
from babysit.training.earlier import earlier_faults
from babysit.training.event_files import log_faults
from babysit.training.first_weights import fingerprint, place_of
from babysit.training.image_faults import image_faults
from babysit.training.rates import rate_share
from babysit.training.setting_faults import setting_faults

BATCHES = (16, 32, 64, 128, 256)
STEPS_AN_EPOCH = 25
IMAGES_IN_A_RUN = 540_000

RATE_AT_256 = 0.3
"""The learning rate at 256 images a step, with momentum and batch normalisation."""

LEAST_WHITENED, MOST_POOLS = 32, 3
"""The size from which `quick`'s first layer is whitened, and its halvings up to which that layer has enough filters."""

LEAST_PROGRESSIVE, FIRST_SIDE = 32, 0.5
"""The size from which progressive resizing begins on smaller images, and their side over the size."""

FLAT = ("linear", "two-layer")
"""Networks without convolutions, whose images are not shifted."""

HEAD_ALONE, BODY_RATE = 50, 0.1
"""Images a class below which, with first weights from a file, the classifier alone is trained; else the rate of all other layers.
The usual advice for small and for larger data, with a number that is not measured (docs/log.md)."""

STEEPNESS = {"hinge": 0.2, "squared-hinge": 0.05}
"""The share of gradient descent's usual rate for losses whose gradient sums over the wrong classes instead of averaging them.
To optimisers that divide by the gradient's own scale its size does not matter."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at: training images, whether a mirrored image keeps its class, the network, and the classes."""

    training_images: int
    flips: bool
    network: Traits
    classes: int = 10


def check(parsed: Parsed) -> Recipe:
    """The recipe, when neither its structure nor its names and combinations have faults.

    Raises:
        UserError: with all faults of both kinds together.
    """
    faults = [
        *parsed.faults,
        *setting_faults(parsed.recipe, parsed.places),
        *image_faults(parsed.recipe, parsed.places),
        *log_faults(parsed.recipe, parsed.places.get("train.log", "train.log")),
        *earlier_faults(parsed.recipe, parsed.places.get("train.earlier", "train.earlier")),
    ]
    if faults:
        raise UserError.of(faults)
    return parsed.recipe


def choose_size(recipe: Recipe, shorter_sides: Sequence[int]) -> tuple[Recipe, dict[str, str]]:
    """The training size: the largest of SIZES that half of the images reach with their shorter side.

    Where the network takes none so small, images are enlarged on their way into it. A larger size that was asked for
    puts them on a canvas; then the crop's jitter is decided here too.

    Arguments:
        shorter_sides: of a sample of the images, in pixels.

    Raises:
        UserError: when that size does not fit another setting.
    """
    if recipe.data.size is not None and not shorter_sides:
        return recipe, {}
    size, middle = training_size(shorter_sides)
    if recipe.data.size is not None:
        sized, reasons = _jitter_on_canvas(recipe, middle)
        return sized, {**_instead("data.size", recipe.data.size, size), **reasons}
    reasons = {"data.size": f"by rule: the median shorter side is {middle} pixels; {max(SIZES)} at most"}
    sized = recipe.replace({"data.size": size})
    least = MODELS[recipe.model.name].smallest if recipe.model.name in MODELS else 0
    if recipe.model.enlarge is None and size < least:
        sized = sized.replace({"model.enlarge": -(-least // size)})
        reasons["model.enlarge"] = f"by rule: {recipe.model.name} takes images of {least} pixels and more"
    if faults := image_faults(sized, {}):
        raise UserError.of(faults)
    return sized, reasons


def fill(recipe: Recipe, facts: Facts) -> tuple[Recipe, dict[str, str]]:
    """Decides everything that is still by rule, except the precision, which a measurement decides.

    Returns:
        The recipe and, for each decision, its reason.
    """
    size, count = recipe.data.size, facts.training_images
    assert size is not None
    values: dict[str, object] = {}
    reasons: dict[str, str] = {}

    def decide(name: str, value: object, why: str) -> None:
        if recipe.get(name) is None:
            values[name], reasons[name] = value, f"by rule: {why}"

    flat = "a network without convolutions learns every pixel by its place"
    decide("augment.crop", *(_crop(recipe, size) if facts.network.convolutions else (0, flat)))
    flip = "random" if facts.flips else "none"
    decide(
        "augment.flip", flip, "mirrored images keep their class" if facts.flips else "a mirrored sign is another sign"
    )
    reasons.update(_instead("augment.flip", recipe.augment.flip, flip) if recipe.augment.flip else {})
    if recipe.preprocess.kind in DIVIDED:
        decide("preprocess.divisor", TYPICAL_DEVIATION, "a typical deviation, so that inputs are of order one")
    if recipe.preprocess.kind in WHITENING:
        decide("preprocess.epsilon", EPSILON, "what varies by less than 20 pixel values is mostly noise")
    if is_own(recipe.model.name):
        own = OwnNetwork.read(recipe.model.name)
        values["model.name"], reasons["model.name"] = own.absolute, "the file, run as Python; found from anywhere"
        decide("model.file_hash", own.fingerprint(), "the SHA-256 of the file, which must stay as it is")
    if recipe.model.weights:
        _decide_weights(recipe, facts, values, decide)
    if recipe.model.name == "quick":
        pools = pools_for(size)
        decide(
            "model.width",
            32,
            f"what measured best for its time on small images; {size} pixels are halved {plural(pools, 'time')}",
        )
    fitting = [batch for batch in BATCHES if batch * STEPS_AN_EPOCH <= count]
    batch = recipe.optim.batch_size or min(count, max(fitting, default=BATCHES[0]))
    decide("optim.batch_size", batch, f"at least {STEPS_AN_EPOCH} steps an epoch of {count} images")
    if recipe.optim.batch_size and recipe.optim.batch_size > count:
        values["optim.batch_size"], batch = count, count
        reasons["optim.batch_size"] = f"there are only {count} training images"
    decide("optim.lr", *_rate(recipe, facts.network, batch))
    decoupled = recipe.optim.kind in ("adamw", "muon")
    why = (
        f"{recipe.optim.kind}'s way is decoupled decay" if decoupled else "what is usual with the gradient's own scale"
    )
    decide("regularize.l2", 0.0 if decoupled else 5e-4, why)
    decide("regularize.decay", 0.05 if decoupled else 0.0, why)
    decide("schedule.warmup", warmup_of(recipe.schedule), "one-cycle rises for a quarter of the run, others do not")
    if recipe.train.budget is None and recipe.train.steps is None:
        epochs = min(40, max(12, round(IMAGES_IN_A_RUN / count)))
        decide("train.epochs", epochs, f"{IMAGES_IN_A_RUN:,} images in a run, between 12 and 40 epochs")
    decide("train.progressive", *_progressive(recipe, size))
    for name, (value, why) in _beginning(recipe, size).items():
        decide(name, value, why)
    if recipe.train.patience and recipe.schedule.kind == "one-cycle":
        reasons["train.patience"] = (
            "one-cycle's rate falls over the whole length, and much is gained at its end; stopping before gives that away. "
            "schedule.kind=constant loses nothing"
        )
    return recipe.replace(values), reasons


def _decide_weights(
    recipe: Recipe, facts: Facts, values: dict[str, object], decide: Callable[[str, object, str], None]
) -> None:
    """What goes with first weights from a file."""
    assert recipe.model.weights is not None
    if recipe.model.weights_hash is None:
        path = place_of(recipe.model.weights)
        values["model.weights"] = str(path)
        decide("model.weights_hash", fingerprint(path), "the SHA-256 of the file, which must stay as it is")
    a_class = facts.training_images / facts.classes
    if a_class < HEAD_ALONE:
        decide("optim.body_rate", 0.0, f"{a_class:.0f} images a class are few: the classifier alone is trained")
    else:
        decide(
            "optim.body_rate",
            BODY_RATE,
            f"{a_class:.0f} images a class: the trained layers move, at a tenth of the rate",
        )


def _rate(recipe: Recipe, network: Traits, batch: int) -> tuple[float, str]:
    """The peak learning rate at a batch size, and why."""
    kind = recipe.optim.kind
    at_256 = USUAL_RATES.get(kind, RATE_AT_256)
    if kind in ADAPTIVE:
        # A gradient over fewer images is noisier by the root, and what is divided by its scale is smaller by that.
        rate = at_256 * (batch / 256) ** 0.5
        return float(f"{rate:.4g}"), f"in proportion to the root of the batch size, {at_256:.3g} at 256"
    share, why = rate_share(network)
    at_256 *= STEEPNESS.get(recipe.loss.kind, 1.0) * share
    return float(f"{at_256 * batch / 256:.4g}"), f"in proportion to the batch size, {at_256:.3g} at 256{why}"


def rate_by_rule(recipe: Recipe, facts: Facts) -> float:
    """The peak learning rate that the recipe would have without its own."""
    assert recipe.optim.batch_size is not None
    return _rate(recipe, facts.network, recipe.optim.batch_size)[0]


def _crop(recipe: Recipe, size: int) -> tuple[int, str]:
    """The jitter of crops in pixels, and why."""
    preprocess = recipe.preprocess
    if recipe.augment.resized_crop:
        return 0, "a crop of random size has its own place"
    if preprocess.kind in DECORRELATING and preprocess.patch is None:
        return 0, f"{preprocess.kind} is fitted to every pixel's place, which a crop shifts"
    room = (canvas_for(size) - size) // 2
    return (room, "the canvas's margin") if size > LARGEST_GATHERED else (room or size // 8, "an eighth of the size")


def _jitter_on_canvas(recipe: Recipe, side: int) -> tuple[Recipe, dict[str, str]]:
    """The crop's jitter where images, which are never enlarged, lie on a larger canvas: in proportion to the images, not to the canvas.

    An eighth of 64 pixels would carry a digit of 8 over twice its own size.
    """
    size = recipe.data.size
    assert size is not None
    if not side < size <= LARGEST_GATHERED or recipe.augment.crop is not None or recipe.model.name in FLAT:
        return recipe, {}
    crop, why = _crop(recipe, side)
    why = f"{why} of the images, {side} pixels on a canvas of {size}" if crop else why
    return recipe.replace({"augment.crop": crop}), {"augment.crop": f"by rule: {why}"}


def _progressive(recipe: Recipe, size: int) -> tuple[float, str]:
    """The first images' side over the size, and why."""
    if recipe.model.name != "quick":
        return 1.0, "progressive resizing is measured on quick alone"
    if size < LEAST_PROGRESSIVE or recipe.preprocess.kind not in PER_CHANNEL:
        return (
            1.0,
            f"whole images throughout, below {LEAST_PROGRESSIVE} pixels and where every pixel is preprocessed by its place",
        )
    return (
        FIRST_SIDE,
        "coarse images first cost less and lose nothing: they grow to their whole size in the first six tenths",
    )


def _beginning(recipe: Recipe, size: int) -> dict[str, tuple[object, str]]:
    """The first weights, and what goes with them: setting to its value, and why."""
    kind, why = _first_weights(recipe, size)
    found: dict[str, tuple[object, str]] = {
        "init.kind": (kind, why),
        "optim.bias_rate": (1.0, "the rate of all else"),
    }
    if recipe.init.kind == "whitening":
        found |= {"init.fixed": (False, "every layer is trained"), "init.rest": ("network", "as it brings them")}
    elif kind == "whitening" and recipe.init.kind is None:
        found["init.fixed"] = (True, "whitened patches need no training, and no gradient")
        found["init.rest"] = ("network", "as it brings them")
    return found


def _first_weights(recipe: Recipe, size: int) -> tuple[str, str]:
    """How the weights begin, and why."""
    if recipe.model.weights:
        return "network", "the file gives them"
    if recipe.model.name != "quick":
        return "network", "as the architecture brings them"
    if size < LEAST_WHITENED or pools_for(size) > MOST_POOLS or recipe.preprocess.kind not in PER_CHANNEL:
        return "network", "a whitened first layer is measured at 32 pixels alone, where channels are preprocessed"
    return "whitening", "a first layer that whitens the images' patches, and stays so, is ahead from the first steps"


def _instead(name: str, asked: object, ruled: object) -> dict[str, str]:
    """Says that a setting which belongs to the data was brought along, perhaps from a recipe made for other data."""
    return {} if asked == ruled else {name: f"as asked; by rule it would be {ruled} for these data"}
