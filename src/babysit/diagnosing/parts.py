"""The rule about training and validation images or labels that are not prepared alike by mistake."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from babysit.diagnosing.course import course_of
from babysit.diagnosing.evidence import (
    Weight,
    Words,
    aligned,
    all_of,
    diagnosis,
    lasts,
    log_ratio,
    share_error,
    sure_of,
)
from babysit.diagnosing.generalising import Gap, gap_of
from babysit.diagnosing.looks import Looks, looks_of, statistics_differ
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog

UNEVEN = 3.0
"""Images of the commonest class over those of the rarest from which on accuracies of two parts are not of one kind."""

NEARLY = 0.8
"""Share of training's accuracy from which on the images of a class are found as they should be."""

LAG = 0.15
"""Accuracy that validation must be behind where its images look otherwise: augmentation makes training's look so too."""

FOREIGN = 3.0
"""The validation loss above knowing nothing, over what was gained in training, that is more than learning by heart does."""

UNTOLD = 0.74
"""How sure at most under normalisation where training images were not lately looked at in evaluation mode; and where
training learned late, so that it may know its images by heart."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """Accuracy on training images that were new to the network, when the first epoch ended; and that of validation then.

    Nothing can be known by heart in a first pass, so the two are alike where the parts are. Under batch normalisation
    the network is other in evaluation; there the training images of the slice, in evaluation, bound the first.
    """

    training: float
    validation: float
    error: float


def fresh_of(log: RunLog, known: Known) -> Fresh | None:
    """The end of the first pass; None where one side was not measured, or classes are too uneven to compare."""
    right, validation = log.series("accuracy", kind="step"), log.series("validation_accuracy", kind="epoch")
    if not len(validation) or not len(right) or uneven(known):
        return None
    first = right.values[right.epochs == right.epochs[0]]
    last = first[-max(4, len(first) // 3) :]
    if len(first) < 8 or len(validation) < 2:
        return None
    training, images = float(np.mean(last)), len(last) * (known.batch_size or 32)
    if known.normalised:
        seen = log.series("slice_accuracy", kind="epoch")
        if not len(seen) or seen.epochs[0] != validation.epochs[0]:
            return None
        training, images = min(training, float(seen.values[0])), min(images, known.batch_size or 32)
    then = float(validation.values[0])
    error = math.hypot(share_error(training, images), share_error(then, known.validation_images or 200))
    return Fresh(training, then, error)


def uneven(known: Known) -> bool:
    """Whether some classes have so many more training images than others that accuracies of two parts are not of one kind."""
    counts = [one for one in known.class_counts or () if one]
    return bool(counts) and max(counts) > UNEVEN * min(counts)


def _others_found(log: RunLog, known: Known, training: float) -> bool:
    """Whether validation has images of classes that training has none of, and those of the others are found as in training."""
    counts = known.class_counts or ()
    names = known.class_names or tuple(str(place) for place in range(len(counts)))
    recalls = {name: log.series("recall", name, kind="epoch") for name in names}
    found = {count > 0: [] for count in (0, 1)}
    for name, count in zip(names, counts, strict=False):
        found[count > 0] += [float(recalls[name].values[-1])] if len(recalls[name]) else []
    return bool(found[False] and found[True]) and float(np.mean(found[True])) > NEARLY * training


def parts_differ(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Training learned quickly, and validation lags from its first epochs on: another preprocessing, or other labels."""
    course, gap = course_of(log, known), gap_of(log, known)
    validation = log.series("validation_accuracy", kind="epoch")
    training = log.series("train_accuracy", kind="epoch")
    if course.short or gap is None or len(validation) < 2 or len(training) != len(validation):
        return
    if _others_found(log, known, float(training.values[-1])):
        return
    latest = float(
        gap.training.values[-1] - gap.validation.values[-1]
    )  # of a short training the first looks say little
    behind = all_of(statistics_differ(log), sure_of(max(gap.difference, latest) - 0.05, gap.error))
    if behind > 0.6:
        yield _seen_in_statistics(log, behind, known)
        return
    looks = looks_of(log)
    behind = all_of(looks.sure, sure_of(min(gap.difference, latest) - LAG, gap.error), 1 - course.poor)
    if behind > 0.6:
        yield _seen_in_looks(looks, behind, gap)
        return
    found = max(
        _from_the_first_pass(log, known), _at_chance_throughout(log, known), _surely_wrong_from_the_first(log, known)
    )
    sure, first = found
    if sure <= 0.6:
        return
    losses = log.series("validation_loss", kind="epoch")
    best = _usual_best(validation.values)
    words = Words(
        f"Training and validation are not the same task: after epoch {first + 1} {training.values[first]:.0%} of the training images were right and {validation.values[first]:.0%} of the validation images, "
        f"and {best:.0%} is about the best since ({course.chance:.0%} is chance). So early, little can be known by heart.",
        "In a recipe both parts are prepared alike; look at the parts' labels with `babysit look DATA`",
        "give both data sets the same transforms (normalisation, order of channels, orientation) and the same class_to_idx, and look at a batch of each with its labels",
        "The training images themselves, in evaluation mode and prepared as the validation images, are classified as badly.",
    )
    weight = Weight(
        sure, int(validation.steps[first]), (training.observation(first), *lasts(training, validation, losses))
    )
    yield diagnosis("parts-differ", "warn", words=words, weight=weight)


def _seen_in_statistics(log: RunLog, behind: float, known: Known) -> Diagnosis:
    gap = gap_of(log, known)
    assert gap is not None
    means, deviations = (log.series(name, kind="epoch") for name in ("input_mean", "input_deviation"))
    starts = [log.series(name, kind="start") for name in ("input_mean", "input_deviation")]
    words = Words(
        f"Training and validation images are not prepared alike: a training batch has mean {starts[0].values[0]:.3g} and deviation "
        f"{starts[1].values[0]:.3g}, a validation batch {means.values[-1]:.3g} and {deviations.values[-1]:.3g}; {gap.training.values[-1]:.0%} "
        f"of the training images are right and {gap.validation.values[-1]:.0%} of the validation images.",
        "In a recipe both parts are prepared alike: report it",
        "one function for both parts: transforms.Normalize(mean, std) in the validation data set too",
        "With the same preparation of both parts validation is no better.",
    )
    weight = Weight(behind, int(gap.validation.steps[0]), (*lasts(*starts, means, deviations), *lasts(gap.validation)))
    return diagnosis("parts-differ", "warn", words=words, weight=weight)


def _seen_in_looks(looks: Looks, behind: float, gap: Gap) -> Diagnosis:
    words = Words(
        f"Training and validation images are not prepared alike: {looks.claim}; {gap.training.values[-1]:.0%} of the training images are right "
        f"and {gap.validation.values[-1]:.0%} of the validation images.",
        "In a recipe both parts are prepared alike: report it",
        "one function prepares both parts: the same size, order of channels, orientation and normalisation; look at a batch of each",
        "With the same preparation of both parts validation is no better.",
    )
    weight = Weight(behind, int(gap.validation.steps[0]), (*looks.evidence, *lasts(gap.training, gap.validation)))
    return diagnosis("parts-differ", "warn", words=words, weight=weight)


def _from_the_first_pass(log: RunLog, known: Known) -> tuple[float, int]:
    """How sure by images that were new, and that it stayed so: validation goes less than half of the way of training."""
    course = course_of(log, known)
    fresh = fresh_of(log, known)
    if fresh is None:
        return 0.0, 0
    validation = log.series("validation_accuracy", kind="epoch").values
    training = log.series("train_accuracy", kind="epoch").values
    ahead = sure_of(fresh.training - fresh.validation - 0.12, fresh.error)
    ahead = all_of(ahead, sure_of(fresh.training - course.chance - 0.12, fresh.error))
    half = sure_of(0.5 * (fresh.training - course.chance) - (fresh.validation - course.chance), fresh.error)
    best = _usual_best(validation)
    stays = sure_of(0.75 * (float(training.max()) - course.chance) - (best - course.chance), fresh.error)
    return all_of(ahead, half, stays), 0


def _at_chance_throughout(log: RunLog, known: Known) -> tuple[float, int]:
    """How sure by validation that stays near chance, while training learned within its first epochs; and in which."""
    course = course_of(log, known)
    validation, losses = log.series("validation_accuracy", kind="epoch"), log.series("validation_loss", kind="epoch")
    training = log.series("train_accuracy", kind="epoch")
    known_by_heart = known.training_images is not None and known.training_images < 400
    learned = np.flatnonzero(training.values > course.chance + 0.35 * (1 - course.chance))
    if not len(learned) or known_by_heart:
        return 0.0, 0
    error = share_error(course.chance, known.validation_images or 200)
    best = _usual_best(validation.values)
    low = sure_of(0.35 * (float(training.values.max()) - course.chance) - (best - course.chance), error + 0.02)
    first = int(learned[0])
    early = sure_of(4.5 - first if len(validation) > 5 else 2.5 - first, 1.0)
    bad = 0.5
    if len(losses) == len(validation):
        bad = sure_of(float(losses.values[first]) / course.level - 1.1, 0.1)
    below = sure_of(
        course.chance - error - float(np.median(validation.values)), error
    )  # worse than by chance is nothing that is known by heart
    quick = max(below, _sudden(training.values, course.chance))
    return all_of(low, max(early, min(bad, UNTOLD)), quick, _not_the_mode(log, known, best)), first


def _not_the_mode(log: RunLog, known: Known, best: float) -> float:
    """How sure that it is not the running statistics: under them training images do far better than validation's."""
    seen = log.series("slice_accuracy", kind="epoch")
    if not known.normalised:
        return 1.0
    if not len(seen) or seen.steps[-1] < 0.5 * course_of(log, known).last_step:
        return UNTOLD
    error = share_error(float(seen.values[-1]), 256 if known.has_recipe else known.batch_size or 32)
    return sure_of(float(seen.values[-1]) - best - 0.1, error)


def _surely_wrong_from_the_first(log: RunLog, known: Known) -> tuple[float, int]:
    """How sure by validation images that are surely misjudged while training images are still mostly doubted; and since when.

    A network is sure of what it knows by heart, and then of what is like it. One that is as yet unsure of its training
    images has no reason to be sure of others, unless these lie outside of what it was shown.
    """
    course, names = course_of(log, known), ("train_loss", "validation_loss", "validation_accuracy", "slice_accuracy")
    training, losses, accuracy = aligned(*(log.series(name, kind="epoch") for name in names[:3]))
    doubted = training.values > 0.4 * course.level
    slices = log.series(names[3], kind="epoch")
    if uneven(known) or len(losses) < 4 or doubted[1:].sum() < 3 or not len(slices):
        return 0.0, 0
    wrong = losses.values[1:][doubted[1:]]
    sure = sure_of(math.log(max(float(np.quantile(wrong, 0.25)), 1e-9) / (1.5 * course.level)), 0.1)
    error = share_error(course.chance, known.validation_images or 200)
    low = sure_of(course.chance + 0.1 - _usual_best(accuracy.values), error)
    # In evaluation mode, of training images: where these are misjudged too it is the mode, not the part.
    seen = float(np.median(slices.values[-max(2, len(slices) // 2) :])) - course.chance
    fair = sure_of(seen - 0.2, share_error(0.5, known.batch_size or 32))
    return all_of(sure, low, fair), int(np.flatnonzero(doubted[1:])[0]) + 1


def _sudden(training: np.ndarray, chance: float) -> float:
    """How sure that most of training's accuracy came within two epochs: what is learned by heart comes bit by bit."""
    ahead = np.concatenate([[chance, chance], training])
    return sure_of(float((ahead[2:] - ahead[:-2]).max() / max(training.max() - chance, 1e-9)) - 0.5, 0.05)


def _usual_best(values: np.ndarray) -> float:
    """The median of the better half."""
    return float(np.median(np.sort(values)[-max(1, len(values) // 2) :]))


def foreign(log: RunLog, known: Known) -> float:
    """How sure that validation's images are foreign to the network: wrong of them, and far surer than of training's.

    The validation loss is above knowing nothing by several times what was gained in training, and training images in
    evaluation mode do as they should, so that it is not the mode.
    """
    course = course_of(log, known)
    validation, seen = log.series("validation_loss", kind="epoch"), log.series("slice_loss", kind="epoch")
    if course.count < 48 or min(len(validation), len(seen)) < 2 or seen.steps[-1] < 0.5 * course.last_step:
        return 0.0
    level = course.level
    loss, ours = (float(np.mean(one.values[-2:])) for one in (validation, seen))
    if not math.isfinite(loss + ours) or loss <= level:
        return 0.0
    beyond = sure_of(log_ratio(loss - level, 0.5 * level + FOREIGN * max(level - ours, 0.0)), 0.2)
    return all_of(beyond, sure_of(1.1 * level - ours, 0.03 * level))
