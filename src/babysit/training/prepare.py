"""From a recipe to a session: look, decode, split, decide, measure. Each decision is told and written down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit.clock import Clock
from babysit.data import corrections, resident
from babysit.data.audit.findings import audit
from babysit.data.audit.verdict import Examined, examine
from babysit.data.augment import canvas_for
from babysit.data.batches import Batches
from babysit.data.cache import Cache, open_cache
from babysit.data.catalog import Catalog
from babysit.data.corrections import Lists
from babysit.data.downloads import DATA_SETS
from babysit.data.preprocess import fit_statistics
from babysit.data.sizes import sampled_sides
from babysit.data.sources import bring
from babysit.data.split import Split
from babysit.data.split_file import split_table
from babysit.data.statistics import TrainingImages
from babysit.device import DTYPES, choose_device, self_test
from babysit.errors import UserError, writing
from babysit.layers.full_precision import keep_in_float32
from babysit.losses import make_loss
from babysit.models import model_of
from babysit.models.traits import traits_of
from babysit.recipe import Recipe
from babysit.record import atomic
from babysit.record.run import Run
from babysit.show import Show
from babysit.training import parts, resolve
from babysit.training.pace import Pace
from babysit.training.plan import Plan
from babysit.training.precision import IMAGES, measured_step, slow_in_bfloat16
from babysit.training.session import Session, build
from babysit.training.setting_faults import length_faults
from babysit.training.watched import decide_watch


@dataclass(frozen=True)
class Data:
    """A source's images, decoded and cut.

    `to_remember` is the split whose parts later ones shall keep; none when a file gave it. `examined` what the audit
    found.
    """

    catalog: Catalog
    cache: Cache
    split: Split
    to_remember: Split | None = None
    examined: Examined | None = None

    def inner(self) -> int | None:
        """The side of the middle that half of the training files cover, when it is less than the canvas; else None."""
        facts = self.cache.facts[self.split.train]
        middle = int(np.median(np.minimum(facts["width"], facts["height"])))
        return middle if middle < self.cache.pixels.shape[1] else None

    def summary(self) -> dict[str, object]:
        """What the run's manifest says of the data."""
        names = self.catalog.names
        return {
            "source": self.catalog.source,
            "classes": list(self.catalog.classes),
            "counts": {
                part: np.bincount(self.catalog.labels[rows], minlength=len(self.catalog.classes)).tolist()
                for part, rows in self.split.rows.items()
            },
            "unreadable": [
                {"path": names[row], "reason": reason} for row, reason in sorted(self.cache.unreadable.items())
            ],
            "moved": [{"path": names[row], "from": part} for row, part in self.split.moved.items()],
            **({"corrected": dict(self.catalog.corrected)} if self.catalog.corrected else {}),
            "notes": [*self.catalog.notes, *self.split.notes],
            "audit": self.examined.as_json() if self.examined else {},
            "cache": str(self.cache.path),
        }


def look(recipe: Recipe, clock: Clock, *, lists: Lists, show: Show) -> tuple[Catalog, Recipe, dict[str, str]]:
    """Lists the source and decides the training size from a sample of the images' headers.

    Arguments:
        lists: the corrections, laid over the source.
        show: told of a download, where the source is a name.
    """
    if recipe.data.source in DATA_SETS:
        with clock.outside("download"):  # once on a machine, and no matter of this training's
            bring(recipe.data.source, show)
    with clock.section("look"):
        catalog = corrections.open_corrected(recipe.data.source, lists, show)
        sides = sampled_sides(catalog)
        if not sides and recipe.data.size is None:
            raise UserError(
                "none of the images looked at can be read", where=catalog.source, hint="Are they images at all?"
            )
        sized, reasons = resolve.choose_size(recipe, sides)
    return catalog, sized, reasons


def decode(
    catalog: Catalog, recipe: Recipe, *, lists: Lists, clock: Clock, show: Show, own: Path | None = None
) -> Data:
    """Decodes all images, looks for duplicates, and cuts the parts that the data do not bring.

    The training copies of pictures that are in a held-out part too are left out.

    Arguments:
        lists: the corrections of those images that are named by their content.
        own: the split.csv of a run that is resumed, which keeps its parts.
    """
    assert recipe.data.size is not None
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        show.decoding(done, len(catalog))

    with clock.section("decode"):
        canvas = canvas_for(recipe.data.size)
        cache = open_cache(catalog, canvas, recipe.data.resize, progress=progress)
    catalog, kept = corrections.by_content(catalog, lists, cache.hashes)
    cache = replace(cache, excluded=tuple(np.flatnonzero(~kept).tolist()))
    usable = cache.usable
    if not usable.any():
        reason = next(iter(cache.unreadable.values()))
        raise UserError(f"none of the {len(usable)} images can be read; the first: {reason}", where=catalog.source)
    with clock.section("audit"):
        examined = examine(catalog, cache, audit(catalog, cache, recipe.data.resize))
    usable[examined.related.dropped] = False
    _check_left(catalog, usable, len(examined.related.dropped))
    with clock.section("split"):
        cut, to_remember = parts.cut_parts(
            catalog,
            cache.hashes,
            usable,
            recipe=recipe,
            clusters=examined.found.clusters,
            own=own,
        )
    return Data(catalog, cache, cut, to_remember, examined)


def _check_left(catalog: Catalog, usable: NDArray[np.bool_], dropped: int) -> None:
    """Refuses data whose training images of a class are all in a held-out part too: no figure would mean anything."""
    training = np.fromiter((part in ("", "train") for part in catalog.parts), bool, len(catalog))
    left = np.bincount(catalog.labels[training & usable], minlength=len(catalog.classes))
    if dropped and (empty := [name for name, count in zip(catalog.classes, left, strict=True) if not count]):
        raise UserError(
            f"all training images of {', '.join(repr(name) for name in empty[:5])} are in val or test too",
            where=catalog.source,
            hint="The parts are copies of one another: remove val and test, and babysit cuts them from the rest",
        )


def write_split(run: Run, data: Data, recipe: Recipe) -> str:
    """Keeps the split in the run, and its parts for later splits; returns a note when the latter was not possible."""
    with writing(run.split, "the split"):
        atomic.write_text(run.split, split_table(data.catalog, data.split))
    return parts.remember(data.catalog, data.to_remember, recipe) if data.to_remember else ""


def start(recipe: Recipe, data: Data, clock: Clock, *, resumed: bool = False) -> tuple[Session, Recipe, dict[str, str]]:
    """Fits the statistics, decides the rest, measures the precision, and builds the session at step 0.

    Arguments:
        resumed: a checkpoint will be restored into it.
    """
    device = choose_device()
    classes = data.catalog.classes
    facts = resolve.Facts(len(data.split.train), data.catalog.flips, traits_of(recipe, len(classes)), len(classes))
    recipe, reasons = resolve.fill(recipe, facts)
    size = recipe.data.size
    assert size is not None
    with clock.section("statistics"):
        data.cache.check(data.split.train)
        images = TrainingImages(data.cache.pixels, data.split.train, size, data.inner())
        statistics = fit_statistics(images, recipe.preprocess, colours=recipe.augment.colour > 0)
        there = resident.on(device, data.cache.pixels, data.cache.check)

    def part(rows: NDArray[np.int64], precision: str) -> Batches:
        return Batches(
            pixels=data.cache.pixels,
            rows=rows,
            labels=data.catalog.labels,
            size=size,
            statistics=statistics,
            dtype=DTYPES[precision],
            device=device,
            check=data.cache.check,
            classes=len(data.catalog.classes),
            resident=there,
        )

    with clock.section("self-test"):
        recipe, step_seconds, more = _self_tested(recipe, part(data.split.train, "float32"))
    reasons.update(more)
    chosen = recipe.train.precision
    training, validation = part(data.split.train, chosen), part(data.split.validation, chosen)
    with clock.section("build"):
        plan = Plan(((0, 1),))
        session = build(recipe, training, validation, classes, plan=plan, clock=clock, resumed=resumed)
    if session.first_weights:
        reasons["model.weights"] = session.first_weights
    session.rate_by_rule = resolve.rate_by_rule(recipe, facts)
    session.step_seconds = step_seconds
    session.plan = first_plan(session)
    # Only now is the number of steps known; a budget's may still change.
    if recipe.train.budget is None and (faults := length_faults(recipe, session.plan.total, {})):
        raise UserError.of(faults)
    with clock.section("build"):
        recipe, more = decide_watch(recipe, session)
    session.recipe = recipe
    return session, recipe, {**reasons, **more}


def _self_tested(recipe: Recipe, training: Batches) -> tuple[Recipe, float, dict[str, str]]:
    """The recipe with the precision and the threads that measured best, the seconds of a training step, and why."""
    model = model_of(recipe, training.classes).to(training.device)
    if recipe.train.precision == "auto" and not recipe.train.float32_layers:
        slow = slow_in_bfloat16(model, training)
        keep_in_float32(model, slow)
        recipe = recipe.replace({"train.float32_layers": slow})
    counts = np.bincount(training.labels[training.rows], minlength=training.classes).tolist()
    assert recipe.optim.batch_size is not None
    # A few images tell a processor's speed; an accelerator is idle with them.
    few = min(IMAGES if training.device.type == "cpu" else recipe.optim.batch_size, len(training))
    step = measured_step(model, make_loss(recipe.loss, counts), training, count=few)
    length, share = recipe.train, few / recipe.optim.batch_size
    measured = self_test(length.precision, length.threads, step, share=share, device=training.device)
    reasons = dict(measured.reasons)
    if measured.precision == "float32":
        recipe = recipe.replace({"train.float32_layers": ()})
    elif length.float32_layers and "train.precision" in reasons:
        reasons["train.float32_layers"] = "the self-test measured these slower in bfloat16"
    recipe = recipe.replace({"train.precision": measured.precision, "train.threads": measured.threads})
    return recipe, measured.step_seconds / share, reasons


def pace_of(session: Session) -> Pace | None:
    """The pace of a budget run, with first guesses from the self-test."""
    budget = session.recipe.train.budget
    if budget is None:
        return None
    # Evaluation has no backward pass: about a third of a training step's work.
    evaluation = 0.4 * session.step_seconds / session.batch_size * len(session.validation)
    return Pace(budget, session.steps_per_epoch, session.step_seconds, evaluation, session.growth.cost)


def first_plan(session: Session) -> Plan:
    """The length as known before the first step."""
    train = session.recipe.train
    if train.corrections:
        return Plan(train.corrections)
    if train.steps is not None:
        return Plan(((0, train.steps),))
    pace = pace_of(session)
    if pace:
        return Plan(((0, pace.total_steps(0, session.clock.running(), 0.0)),))
    assert train.epochs is not None
    return Plan(((0, train.epochs * session.steps_per_epoch),))
