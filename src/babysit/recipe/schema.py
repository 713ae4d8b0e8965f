"""Recipe: everything asked for and nothing learned.

A value of None means "by rule": the run decides it from the data and the machine, says so, and writes the
decision into the resolved recipe, in which no None is left that matters. Names (of models, losses, ...) are
strings here; whether they exist is for `training/resolve.py` to say, which sees the tables.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """What every part of a recipe is: frozen, and closed to names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Share = Annotated[float, Field(gt=0, lt=0.9)]
Size = Annotated[int, Field(ge=4, le=1024)]


class DataPart(Part):
    """Where the images come from and how they are cut.

    `source` a folder, a file or a name; `size` side of the square training image in pixels;
    `resize` how an image that is not square becomes so: `pad` keeps all of it on a grey square, `crop` keeps
    its centre, `squash` changes its proportions; `validation` and `test` the shares cut when the data bring no
    such part; `split` a split.csv whose parts are taken instead; `exclude` and `relabel` lists of corrections (all three
    CSV files; in a recipe file: relative to it); `folds` how many parts take turns as validation, and `fold` the one of
    this run, counted from 1; `sampling` whether an epoch draws each training image once, or `balanced` each class equally often.
    """

    source: str = ""
    size: Size | None = None
    resize: Literal["pad", "crop", "squash"] = "pad"
    validation: Share | None = None
    test: Share | None = None
    split: str | None = None
    folds: Annotated[int, Field(ge=2, le=100)] | None = None
    fold: Annotated[int, Field(ge=1, le=100)] | None = None
    exclude: str | None = None
    relabel: str | None = None
    sampling: Literal["plain", "balanced"] = "plain"


class PreprocessPart(Part):
    """`kind` names an entry of PREPROCESSORS; its numbers are fitted on the training part alone.

    `divisor` of what is only centred, in pixel values; `epsilon` added to variances before whitening, in squared pixel
    values; `patch` side in pixels of the tiles that are decorrelated each by itself, a divisor of the size; None for whole images.
    """

    kind: str = "standardize"
    divisor: Annotated[float, Field(gt=0)] | None = None
    epsilon: Annotated[float, Field(ge=0)] | None = None
    patch: Annotated[int, Field(ge=1, le=32)] | None = None


class AugmentPart(Part):
    """What is done to training images, each setting 0 or `none` when off.

    `crop` jitter in pixels in each direction; `flip` horizontal reflection, of random images or of each in alternating
    epochs; `resized_crop` least share of the area a crop keeps; `rotate` degrees each way; `scale` zoom in or out by up
    to 1 + scale; `brightness`, `contrast`, `saturation` changed by up to this share; `colour` deviation of the shift along
    the principal colours; `erase` probability; `mixup`, `cutmix` alpha of Beta(alpha, alpha).
    """

    crop: Annotated[int, Field(ge=0, le=512)] | None = None
    flip: Literal["random", "alternating", "none"] | None = None
    resized_crop: Annotated[float, Field(ge=0, le=1)] = 0.0
    rotate: Annotated[float, Field(ge=0, le=180)] = 0.0
    scale: Annotated[float, Field(ge=0, le=1)] = 0.0
    brightness: Annotated[float, Field(ge=0, le=1)] = 0.0
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.0
    saturation: Annotated[float, Field(ge=0, le=1)] = 0.0
    colour: Annotated[float, Field(ge=0, le=1)] = 0.0
    erase: Annotated[float, Field(ge=0, le=1)] = 0.0
    mixup: Annotated[float, Field(ge=0, le=10)] = 0.0
    cutmix: Annotated[float, Field(ge=0, le=10)] = 0.0


class ModelPart(Part):
    """`name` an entry of MODELS, `timm/NAME`, or `path/to/file.py:name`; `width` the channels of `quick`'s first stage,
    a multiple of 16; `file_hash` the SHA-256 of that file when the run began, written by the run; `weights` a file of first
    weights, or a run whose kept network has them (in a recipe file: relative to it), and `weights_hash` its SHA-256; `enlarge`
    the whole number of times that images are enlarged on their way into the network, None by rule.
    """

    name: str = "quick"
    width: Annotated[int, Field(ge=16, le=1024, multiple_of=16)] | None = None
    file_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    enlarge: Annotated[int, Field(ge=1, le=32)] | None = None
    weights: Annotated[str, Field(min_length=1)] | None = None
    weights_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


class InitPart(Part):
    """`kind` an entry of INITIALIZERS, None by rule; `scale` its factor (of `gaussian` the deviation), None for the kind's own; `bias`
    of all layers, None for zero, or of `network` what it brings; `distribution` of `xavier` and `he`; `fan` of `he`;
    `rest` the kind of the layers after a whitened first one, and `fixed` whether that one is not trained, both None by rule."""

    kind: str | None = None
    scale: Annotated[float, Field(gt=0)] | None = None
    bias: float | None = None
    distribution: Literal["normal", "uniform"] = "normal"
    fan: Literal["in", "out"] = "in"
    rest: Literal["network", "gaussian", "xavier", "he", "orthogonal", "identity"] | None = None
    fixed: bool | None = None


class LossPart(Part):
    """`kind` an entry of LOSSES, averaged over the batch; `smoothing` of softmax's labels; `margin` of the hinges;
    `gamma` of focal; `class_weights` `balanced` gives rare classes the same say as common ones."""

    kind: str = "softmax"
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    margin: Annotated[float, Field(gt=0)] = 1.0
    gamma: Annotated[float, Field(ge=0, le=10)] = 2.0
    class_weights: Literal["none", "balanced"] = "none"


class RegularizePart(Part):
    """Penalties on the weights (formulas in `regularizers.py`).

    `l2` and `decay` None by rule; `l1_form` `gradient` or `proximal` (exact zeros); `biases` whether biases and
    normalisation parameters are met too; `max_norm` bounds the squared norm of every filter after each update; `dropout`
    the probability of dropping a unit, None for what the network brings; `dropout_at` `full` (unless given), `conv`,
    `all` or layer names joined by commas; `dropout_form` whether training (`inverted`) or prediction (`paper`) is scaled.
    """

    l2: Annotated[float, Field(ge=0)] | None = None
    l1: Annotated[float, Field(ge=0)] = 0.0
    l1_form: Literal["gradient", "proximal"] = "gradient"
    elastic_l1: Annotated[float, Field(ge=0)] = 0.0
    elastic_l2: Annotated[float, Field(ge=0)] = 0.0
    decay: Annotated[float, Field(ge=0)] | None = None
    biases: bool = False
    max_norm: Annotated[float, Field(gt=0)] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    dropout_at: Annotated[str, Field(min_length=1)] | None = None
    dropout_form: Literal["inverted", "paper"] = "inverted"


class OptimPart(Part):
    """`kind` an entry of OPTIMIZERS; `lr` the peak learning rate; `batch_size` images a step; `momentum` (first
    moment in the Adam family), `beta2` (decay of squared gradients in rmsprop and the Adam family) and `epsilon`
    (beside the root in adagrad, rmsprop and the Adam family) as the kind uses them; `clip` the longest gradient:
    a longer one is shortened to this norm; `bias_rate` factor of the rate for the shifts of normalisations, `body_rate` that of
    all but the classifier where `model.weights` gave the first weights (0: the classifier alone is trained), both None by rule."""

    kind: str = "nesterov"
    lr: Annotated[float, Field(ge=0)] | None = None
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1)] | None = None
    epsilon: Annotated[float, Field(gt=0)] | None = None
    batch_size: Annotated[int, Field(ge=1, le=65536)] | None = None
    clip: Annotated[float, Field(gt=0)] | None = None
    bias_rate: Annotated[float, Field(gt=0, le=1000)] | None = None
    body_rate: Annotated[float, Field(ge=0, le=1)] | None = None


class SchedulePart(Part):
    """`kind` an entry of SCHEDULES; `warmup` the share of the run in which the rate rises, for any kind; `every`
    (steps) and `factor` of `step`, `factor` a epoch of `exponential`, `power` of `polynomial`, `tau` (epochs) of
    `inverse` and `exp`; `front` the share of the run before `trapezoid` falls."""

    kind: str = "one-cycle"
    warmup: Annotated[float, Field(ge=0, lt=1)] | None = None
    every: Annotated[int, Field(ge=1)] | None = None
    factor: Annotated[float, Field(gt=0, le=1)] | None = None
    power: Annotated[float, Field(gt=0, le=10)] = 2.0
    tau: Annotated[float, Field(gt=0)] | None = None
    front: Annotated[float, Field(ge=0, lt=1)] | None = None


class TrainPart(Part):
    """How long, and in which arithmetic.

    The length is `epochs`, or `budget` (seconds of wall clock, everything included), or `steps`.
    `corrections` are a budget run's knots, (step, total steps as believed then): a run that follows them
    takes the same learning rates. `precision` and `threads` (of the processor) are measured at the start when they
    are not given; both decide the last bits of every sum. `float32_layers` are the names of convolutions that stay in
    float32 where the rest is bfloat16. `checkpoint_seconds` is the longest time between two checkpoints.
    `metric` is the validation figure by which the kept (best) network is chosen; `patience` the epochs without a better
    one after which the training ends, None for never. `progressive` the first images' side over the size, from which they
    grow in the first six tenths of the training (1: whole images throughout). `average` of the weights over the steps, with which is evaluated,
    kept and predicted; `average_decay` and `average_every` (steps) None for the kind's own. `stop_after` so many epochs the
    training ends, wherever the schedule is. With `refit` the validation part is trained on too, and as nothing is left to
    choose by, the last network is kept. `log` what the figures are written to besides the run's log. `earlier` settings
    that were others before a step, (step, setting, value there), written by a run that was remedied on its way.
    """

    epochs: Annotated[int, Field(ge=1)] | None = None
    budget: Annotated[float, Field(gt=0)] | None = None
    steps: Annotated[int, Field(ge=1)] | None = None
    corrections: tuple[tuple[int, int], ...] = ()
    progressive: Annotated[float, Field(ge=0.25, le=1)] | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    float32_layers: tuple[str, ...] = ()
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    average: Literal["none", "ema", "lookahead"] = "none"
    average_decay: Annotated[float, Field(ge=0, lt=1)] | None = None
    average_every: Annotated[int, Field(ge=1)] | None = None
    metric: Literal["accuracy", "macro-f1", "loss"] = "accuracy"
    patience: Annotated[int, Field(ge=1)] | None = None
    checkpoint_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0
    stop_after: Annotated[int, Field(ge=1)] | None = None
    refit: bool = False
    log: Literal["none", "tensorboard"] = "none"
    earlier: tuple[tuple[int, str, bool | int | float | str] | tuple[int, str], ...] = ()


class WatchPart(Part):
    """What is measured while the network trains; nothing of it changes a weight or a random number.

    `probes` whether anything beside loss and accuracy is; `every` steps between two looks at the layers; `slice`
    training images that are looked at apart after an epoch, 0 for none; `slice_every` epochs between two such looks.
    `remedy` what is done about a diagnosis that a changed setting mends: nothing, `suggest` a recipe, or `apply` it;
    `remedies` how many are applied in a run, at most.
    """

    probes: bool = True
    every: Annotated[int, Field(ge=1)] | None = None
    slice: Annotated[int, Field(ge=0)] | None = None
    slice_every: Annotated[int, Field(ge=1)] | None = None
    remedy: Literal["off", "suggest", "apply"] = "off"
    remedies: Annotated[int, Field(ge=1, le=10)] = 3


class Recipe(Part):
    """The whole of what was asked.

    >>> Recipe().optim.momentum
    0.9
    """

    data: DataPart = DataPart()
    preprocess: PreprocessPart = PreprocessPart()
    augment: AugmentPart = AugmentPart()
    model: ModelPart = ModelPart()
    init: InitPart = InitPart()
    loss: LossPart = LossPart()
    regularize: RegularizePart = RegularizePart()
    optim: OptimPart = OptimPart()
    schedule: SchedulePart = SchedulePart()
    train: TrainPart = TrainPart()
    watch: WatchPart = WatchPart()
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    def get(self, name: str) -> object:
        """A setting by its dotted name.

        >>> Recipe().get("optim.momentum")
        0.9
        """
        value: object = self
        for part in name.split("."):
            value = getattr(value, part)
        return value

    def replace(self, changes: dict[str, object]) -> Recipe:
        """A recipe with some settings changed, checked again.

        Arguments:
            changes: dotted name to value.

        >>> Recipe().replace({"optim.lr": 0.1}).optim.lr
        0.1
        """
        values = self.model_dump()
        for name, value in changes.items():
            *parts, last = name.split(".")
            target = values
            for part in parts:
                target = target[part]
            assert last in target, f"no setting {name}"
            target[last] = value
        return Recipe.model_validate(values)


def setting_names() -> list[str]:
    """Every setting's dotted name, in the recipe's order."""
    names: list[str] = []
    for name, field in Recipe.model_fields.items():
        part = field.annotation
        if isinstance(part, type) and issubclass(part, BaseModel):
            names += [f"{name}.{inner}" for inner in part.model_fields]
        else:
            names.append(name)
    return names
