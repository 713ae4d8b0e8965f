"""Signs of causes: what speaks for one in this log, where no rule had enough. Pure functions of what was seen."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from babysit.diagnosing.course import Course, classes_of, course_of
from babysit.diagnosing.evidence import lasts
from babysit.diagnosing.form import Form, form_of, unsureness
from babysit.diagnosing.gradients import relative_gradients
from babysit.diagnosing.labels import CAP
from babysit.diagnosing.looks import looks_of
from babysit.diagnosing.motion import Motion, motion_of
from babysit.diagnosing.rate import LARGE, jump_of, penalty_share
from babysit.diagnosing.regularising import norms_of, shrinking_of
from babysit.diagnosing.start import first_scale
from babysit.record.known import Known
from babysit.record.log import RunLog
from babysit.record.observation import Observation


@dataclass(frozen=True, slots=True)
class Hint:
    """What speaks for a cause, and what was seen of it."""

    why: str
    evidence: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What signs look at. `right` and `valid` the accuracies of training and validation of late, NaN where not measured;
    `stands` whether less than a quarter of the way was gone; `blown` whether the loss is no number or above where it began;
    `scale` the first weights over He's, 0 where not known."""

    log: RunLog
    known: Known
    course: Course
    motion: Motion
    form: Form | None
    right: float
    valid: float
    stands: bool
    blown: bool
    scale: float


Sign = Callable[[Seen], Hint | None]
"""What speaks for a cause; None where nothing does, or something speaks against it."""


def seen_in(log: RunLog, known: Known) -> Seen:
    """What there is to look at in a log."""
    course, validation = course_of(log, known), log.series("validation_accuracy", kind="epoch").values
    blown = not math.isfinite(course.late) or course.late > 1.2 * max(course.first, course.level)
    right = course.accuracy if math.isfinite(course.accuracy) else max(0.0, course.way)
    valid = float(np.mean(validation[-2:])) if len(validation) else math.nan
    return Seen(
        log,
        known,
        course,
        motion_of(log),
        form_of(log),
        right,
        valid,
        not blown and course.way < 0.25,
        blown,
        first_scale(log),
    )


def flat(seen: Seen) -> Hint | None:
    """The loss began at ln C and is no formula of the scores that is known, where a usual one would be."""
    classes = classes_of(seen.known, seen.log)
    if seen.known.loss_kind is not None or seen.form is not None or classes < 2 or seen.blown:
        return None
    if abs(seen.course.first - math.log(classes)) > 0.1 * math.log(classes) or not seen.log.wheres("loss_by_form"):
        return None
    return Hint(f"the loss began at ln {classes} and is not the softmax loss of the scores", lasts(seen.course.loss))


def climbs(seen: Seen) -> Hint | None:
    """The loss blew up, though the first updates were small and so was the gradient."""
    norms = seen.log.series("gradient_norm", kind="step")
    first = _first_ratio(seen)
    if not seen.blown or not len(norms) or not 0 < first < 0.05 or not norms.values[0] < 5:
        return None
    why = f"the loss rose from the first updates on, each of {first:.2g} of the weights, where a step down the gradient lowers it"
    return Hint(why, (norms.observation(0), *lasts(seen.course.loss)))


def inputs(seen: Seen) -> Hint | None:
    """Inputs of the first batch are not of deviation 1."""
    mean, spread = (seen.log.series(name, kind="start") for name in ("input_mean", "input_deviation"))
    if not len(mean) or not len(spread):
        return None
    size = math.hypot(float(mean.values[0]), float(spread.values[0]))
    if 0.3 < size < 2.5:
        return None
    why = f"the first batch has mean {mean.values[0]:.3g} and deviation {spread.values[0]:.3g}"
    return Hint(why, (mean.observation(0), spread.observation(0)))


def oversized(seen: Seen) -> Hint | None:
    """First weights well above He's; or a first loss well above knowing nothing, in a training that went wrong."""
    if seen.scale > 1.5:
        return Hint(f"in the median of the layers the first weights are {seen.scale:.2g} times He's")
    if not (seen.blown and seen.course.first > 1.5 * seen.course.level):
        return None
    return Hint(f"the first loss was {seen.course.first:.3g}, where {seen.course.level:.3g} is knowing nothing")


def undersized(seen: Seen) -> Hint | None:
    """First weights well below PyTorch's and He's, without normalisation."""
    if not 0 < seen.scale < 0.25 or seen.known.normalised:
        return None
    return Hint(f"in the median of the layers the first weights are {seen.scale:.2g} of the size of He's")


def straight(seen: Seen) -> Hint | None:
    """No layer is an activation function, and whether functions are called in forward was not seen."""
    layers = [one for one in seen.known.layers or () if one.kind.startswith(("Conv", "Linear"))]
    if seen.known.activations or len(layers) < 3 or seen.log.wheres("bending") or seen.log.wheres("dead_share"):
        return None
    return Hint(f"none of the layers between {len(layers)} with weights is an activation function")


def vanish(seen: Seen) -> Hint | None:
    """The first layer gets a small share of the gradient, and little was learned."""
    layers = relative_gradients(seen.log)
    if len(layers) < 3 or not seen.stands:
        return None
    first, last = (float(np.median(one.values)) for one in (layers[0], layers[-1]))
    if not 0 < first < 0.1 * last:
        return None
    why = f"relative to its weights the first layer gets {first / last:.1g} of the gradient that the last one gets"
    return Hint(why, (layers[0].observation(-1), layers[-1].observation(-1)))


def high(seen: Seen) -> Hint | None:
    """Updates are a large part of the weights, or the loss jumped; or it blew up."""
    if not seen.motion.measured or not seen.motion.ratio:
        return None
    ratio, (jump, step) = max(seen.motion.early, seen.motion.ratio), jump_of(seen.course)
    if seen.blown:
        rose = f"rose to {jump:.3g} times its first value" if math.isfinite(jump) else "was no number"
        return Hint(f"the loss {rose} by step {step}", lasts(seen.course.loss))
    if ratio < LARGE / 3 or seen.right > 0.8:
        return None
    why = f"an update changes the weights by {ratio:.2g} of their norm, and 0.001 is usual"
    return Hint(why, seen.motion.observations())


def low(seen: Seen) -> Hint | None:
    """Updates are a tiny part of the weights."""
    ratio = seen.motion.ratio if seen.motion.measured else 0.0
    if not 0 < ratio < 5e-4 or seen.blown:
        return None
    return Hint(
        f"an update changes the weights by {ratio:.2g} of their norm, and 0.001 is usual",
        seen.motion.observations(),
    )


def noisy(seen: Seen) -> Hint | None:
    """Few images in a batch; or the loss varies from step to step by far more than a batch's mean does."""
    batch, noise = seen.known.batch_size or 32, seen.course.noise
    if not math.isfinite(noise) or noise < 0.08 * seen.course.level or seen.right > 0.8 or seen.blown:
        return None
    if batch > 8 and noise * math.sqrt(batch) < seen.course.level / 2:
        return None
    why = f"of {batch} images a batch the loss varies by {noise:.2g} from step to step"
    return Hint(why, lasts(seen.course.loss))


def shrinks(seen: Seen) -> Hint | None:
    """The penalty's gradient is not far below the data's, or weights shrink."""
    share = penalty_share(seen.log)
    left = 10 ** shrinking_of(norms_of(seen.log))
    if seen.blown or seen.right > 0.9 or not (share > 0.2 or left < 0.7):
        return None
    why = f"the penalty's gradient is {share:.2g} of the data's"
    if share <= 0.2:
        why = f"the weights have shrunk to {left:.2g} of their first norm"
    return Hint(why)


def statistics(seen: Seen) -> Hint | None:
    """The same training images are right far less often with the running statistics, or validation swings."""
    names = ("slice_accuracy", "slice_train_mode_accuracy")
    evaluated, trained = (seen.log.series(name, kind="epoch") for name in names)
    if not seen.known.normalised or not len(evaluated) or not len(trained):
        return None
    apart = float(trained.values[-1] - evaluated.values[-1])
    if apart < 0.1:
        return None
    why = f"the same training images are right in {evaluated.values[-1]:.0%} with the running statistics and in {trained.values[-1]:.0%} with the batch's own"
    return Hint(why, lasts(evaluated, trained))


def apart(seen: Seen) -> Hint | None:
    """Training is learned, and validation lags."""
    if not seen.right - seen.valid > 0.15 or not seen.right > 0.5:
        return None
    return Hint(
        f"training images are right in {seen.right:.0%} and validation's in {seen.valid:.0%}", _accuracies(seen)
    )


def mislabelled(seen: Seen) -> Hint | None:
    """Training is right less often than a network of its validation should be, or unsure of all images alike."""
    chance = seen.course.chance
    if seen.blown or not (seen.valid >= chance + 0.05 and seen.right >= chance + 0.05):
        return None
    if seen.right > 0.9:
        why = f"all training images are known by heart, and {seen.valid:.0%} of validation's are right"
        return Hint(why, _accuracies(seen)) if seen.right - seen.valid > 0.25 else None
    top = seen.log.series("confidence_p95", kind="epoch")
    if len(top) and top.values[-1] < seen.valid + CAP:
        why = f"of hardly an image it is surer than {top.values[-1]:.0%}, and {seen.valid:.0%} of validation are right"
        return Hint(why, (*_accuracies(seen), *lasts(top)))
    doubt = unsureness(seen.course, classes_of(seen.known, seen.log))
    if not 0.75 < doubt < 1.15:
        return Hint(f"training stays at {seen.right:.0%}", _accuracies(seen)) if seen.right < 0.75 else None
    why = f"training stays at {seen.right:.0%}, as unsure of the one image as of the other, and validation is right in {seen.valid:.0%}"
    return Hint(why, _accuracies(seen))


def blurred(seen: Seen) -> Hint | None:
    """Training images are recognised hardly, and no more than plain ones."""
    if seen.known.augmented is False or seen.blown or not seen.right <= 0.75 or seen.valid < seen.right - 0.15:
        return None
    looks = looks_of(seen.log, scale=False)
    if looks.sure > 0.6:
        return Hint(looks.claim, (*looks.evidence, *_accuracies(seen)))
    why = f"training images are right in {seen.right:.0%}" + (
        f", validation's in {seen.valid:.0%}" if math.isfinite(seen.valid) else ""
    )
    return Hint(why, _accuracies(seen))


def unrelated(seen: Seen) -> Hint | None:
    """Validation is at chance, though the network moves as it should."""
    ratio = seen.motion.early if seen.motion.measured else 0.0
    beyond = seen.valid - seen.course.chance if math.isfinite(seen.valid) else seen.right - seen.course.chance
    if seen.blown or beyond > 0.06 or ratio < 3e-4:
        return None
    return Hint("the weights move as they should, and it is no better than chance", _accuracies(seen))


def cramped(seen: Seen) -> Hint | None:
    """Training is not learned, and validation does not lag."""
    if seen.blown or not seen.right <= 0.8 or seen.right - seen.valid > 0.2:
        return None
    gap = ", without a gap to validation" if math.isfinite(seen.valid) else ""
    return Hint(f"training images are right in {seen.right:.0%}{gap}", _accuracies(seen))


def by_heart(seen: Seen) -> Hint | None:
    """Training is learned by heart."""
    if not (seen.right > 0.8 and seen.right - seen.valid > 0.15):
        return None
    return Hint(
        f"training images are right in {seen.right:.0%} and validation's in {seen.valid:.0%}",
        _accuracies(seen),
    )


def brief(seen: Seen) -> Hint | None:
    """Few updates, or a loss that falls still."""
    if seen.blown or seen.right > 0.8 or not (seen.course.count < 150 or seen.course.falling > 0.75):
        return None
    return Hint(f"after {seen.course.count} updates the loss is {seen.course.late:.3g}", lasts(seen.course.loss))


def _first_ratio(seen: Seen) -> float:
    ratios = [float(one.values[0]) for one in seen.motion.layers.values()]
    return float(np.median(ratios)) if ratios else 0.0


def _accuracies(seen: Seen) -> tuple[Observation, ...]:
    names = ("train_accuracy", "validation_accuracy")
    found = lasts(*(seen.log.series(name, kind="epoch") for name in names))
    return found or lasts(seen.course.loss)
