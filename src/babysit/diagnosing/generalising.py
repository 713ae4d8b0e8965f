"""Rules about training against validation: overfitting, underfitting, an end too early, a validation that is too good."""

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
    named,
    noise_of,
    share_error,
    slope,
    smooth,
    sure_of,
)
from babysit.diagnosing.remedies import more_regularisation
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog
from babysit.record.series import Series

WIDE = 0.2
"""Training accuracy minus validation accuracy from which on a network has learned its images by heart."""

FEW = 10
"""Images of a class, on average, below which uneven classes are as drawn, and any network knows its images by heart."""

RISEN = 1.3
"""Validation loss over its least from which on the training goes the wrong way."""


SLICE = 128
"""Images of the slice, about."""

BETTER = 0.06
"""Validation accuracy minus training accuracy from which on it asks for an explanation."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Training against validation at present: accuracies, their difference and its standard error.

    `fair` whether the training part was measured as the validation part is: evaluation mode, no augmentation.
    """

    training: Series
    validation: Series
    difference: float
    error: float
    fair: bool


def gap_of(log: RunLog, known: Known) -> Gap | None:
    """The gap of the latest epochs, None when either side was not measured."""
    validation = log.series("validation_accuracy", kind="epoch")
    slices = log.series("slice_accuracy", kind="epoch")
    fair = known.has_recipe and len(slices) >= 2  # in a loop of one's own the slice is as augmented as training is
    training = slices if fair else log.series("train_accuracy", kind="epoch")
    training, validation = aligned(training, validation)
    if not len(validation):
        return None
    ours, theirs = float(np.mean(training.values[-2:])), float(np.mean(validation.values[-2:]))
    error = math.hypot(
        share_error(theirs, known.validation_images or 200),
        share_error(ours, SLICE if fair else known.training_images or 200),
    )
    return Gap(training, validation, ours - theirs, error, fair)


def overfitting(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Training images are known by heart, and the validation loss has risen from its least: a warning; else a note."""
    course, gap = course_of(log, known), gap_of(log, known)
    losses = log.series("validation_loss", kind="epoch")
    if course.short or gap is None or len(losses) < 3:
        return
    wide = sure_of(gap.difference - WIDE, gap.error)
    chance, each = course.chance, (known.training_images or math.inf) / max(2, known.classes or 2)
    if each < FEW:  # of so few images the commonest class has its share by chance
        chance = 1 / max(2, known.classes or 2)
    learned = sure_of(gap.validation.values.max() - chance - min(0.1, 2 * chance), gap.error)
    least = int(np.argmin(losses.values))
    risen = float(losses.values[-1] / max(losses.values[least], 1e-9))
    rise = sure_of(risen - RISEN, 0.05 + noise_of(losses.values) / max(losses.values[least], 1e-9))
    sure = all_of(wide, learned)
    if sure <= 0.6:
        yield from _few_images(log, known, gap)
        return
    # For three epochs at least, and not on its way back: a high rate throws validation about in the first epochs.
    worse = rise > 0.6 and len(losses) - least > 3 and losses.values[-1] > 0.9 * losses.values[least:].max()
    claim = (
        f"The network overfits: {gap.training.values[-1]:.1%} of the training images are right and "
        f"{gap.validation.values[-1]:.1%} of the validation images"
    )
    claim += f"; the validation loss has risen to {risen:.2g} times its least, of epoch {least + 1}." if worse else "."
    words = Words(
        claim,
        "Augment and regularise: --set augment.crop=4, --set regularize.dropout=0.5, --set regularize.l2=0.005; or stop at the best epoch: --set train.patience=5",
        "torch.optim.AdamW(model.parameters(), weight_decay=0.05), nn.Dropout(0.5) before the last layer, or more images",
        "With stronger regularisation both accuracies fall together.",
    )
    weight = Weight(
        all_of(sure, rise) if worse else sure,
        int(losses.steps[least]),
        (*lasts(gap.training, gap.validation), losses.observation(least), *lasts(losses)),
    )
    remedy = more_regularisation(known)
    yield diagnosis("overfitting", "warn" if worse else "note", words=words, weight=weight, remedy=remedy)


SCARCE, OFTEN = 40, 10
"""Images of a class below which, seen in so many epochs and more, there is little to learn from."""


def _few_images(log: RunLog, known: Known, gap: Gap) -> Iterator[Diagnosis]:
    """A few images are seen over and over, and are known better than those of validation, which get no better."""
    course, epochs = course_of(log, known), len(gap.validation)
    images, classes = sum(known.class_counts or ()) or known.training_images or 0, max(2, known.classes or 2)
    if not images or epochs < OFTEN or not known.planned_steps or course.last_step < known.planned_steps:
        return
    slices = log.series("slice_accuracy", kind="epoch")
    seen = float(slices.values[-1]) if len(slices) and slices.steps[-1] > course.last_step / 2 else 0.0
    late, before = (float(np.mean(part)) for part in (gap.validation.values[-3:], gap.validation.values[-9:-3]))
    error = math.hypot(
        share_error(late, known.validation_images or 200),
        share_error(
            max(seen, course.accuracy), min(images, known.batch_size or 32) if seen > course.accuracy else images
        ),
    )
    sure = all_of(
        sure_of(math.log(SCARCE * classes / images), 0.2),
        sure_of(max(seen, course.accuracy) - late - LEAD, error),
        sure_of(0.05 - (late - before), math.sqrt(2) * share_error(late, known.validation_images or 200)),
        sure_of(0.9 - late, 0.05),
    )
    if sure <= 0.6:
        return
    words = Words(
        f"The network overfits: there are only {images:.0f} training images of {classes} classes, each seen in {epochs} epochs; {max(seen, course.accuracy):.0%} of them are right, and "
        f"{late:.0%} of the validation images, which get no better.",
        "More images; meanwhile augment and regularise: --set augment.crop=4 --set regularize.l2=0.005, or begin with trained weights: --set model.weights=FILE",
        "more images; random crops and reflections; weights trained before on other images, of which only the last layer is trained anew",
        "With twice the images validation is no better.",
    )
    weight = Weight(sure, int(gap.validation.steps[-3]), lasts(gap.training, gap.validation, slices))
    yield diagnosis("overfitting", "note", words=words, weight=weight, remedy=more_regularisation(known))


LEAD = 0.12
"""Accuracy by which training is ahead, at the least, where its images are few."""


def regularisation_missing(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The network overfits, and nothing holds it back: no L2, no decay, no dropout, no augmentation."""
    strengths = [known.l2, known.decay, known.l1, known.dropout]
    told = [one for one in strengths if one is not None]
    if not told or any(one > 1e-6 for one in told) or known.augmented:
        return
    for found in overfitting(log, known):
        words = Words(
            "Nothing holds the network back: no L2, decay or dropout"
            + (" that is known of" if known.augmented is None else " and no augmentation")
            + f". {found.claim}",
            "Leave regularize.l2 and augment.crop out to have them by rule, or --set regularize.l2=0.0005 --set augment.crop=4",
            "weight_decay=5e-4 in the optimiser, random crops and reflections in the data set",
            "With L2 of 0.0005 and random crops the gap is as wide.",
        )
        weight = Weight(found.sure, found.since, found.evidence)
        yield diagnosis("regularisation-missing", found.severity, words=words, weight=weight, remedy=found.remedy)


def underfitting(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The training loss has stopped falling at a level far from zero, and validation is no worse than training; or a layer
    has next to no units."""
    course, gap = course_of(log, known), gap_of(log, known)
    yield from (found := list(_too_narrow(log, known)))
    if found:
        return
    if course.count < 100 or gap is None or len(gap.validation) < 3 or not math.isfinite(course.accuracy):
        return
    half = smooth(course.loss.values, max(3, course.count // 20))[course.count // 2 :]
    if not np.isfinite(half).all():
        return
    value, error = slope(half)
    fall = -value * len(half)
    flat = sure_of(0.08 * course.level - fall, max(error * len(half), 0.01 * course.level))
    low = sure_of(0.75 - float(gap.training.values[-1]), gap.error)
    no_gap = sure_of(0.1 - gap.difference, gap.error)
    learned = sure_of(course.accuracy - course.chance - 0.03, course.accuracy_error)
    sure = all_of(flat, low, no_gap, learned)
    if sure <= 0.6:
        return
    words = Words(
        f"The network underfits: {gap.training.values[-1]:.1%} of the training images are right, {gap.validation.values[-1]:.1%} of the "
        f"validation images, no gap; and the loss fell by only {fall:.2g} over the last {len(half)} updates.",
        "Take a larger network: --model quick --set model.width=64, or regularise less: --set regularize.dropout=0 --set regularize.l2=0.0001",
        "more filters and layers, less dropout, less weight decay",
        "A network of twice the width learns the training images no better.",
    )
    weight = Weight(
        sure, int(course.loss.steps[course.count // 2]), (*lasts(gap.training, gap.validation, course.loss),)
    )
    yield diagnosis("underfitting", "note", words=words, weight=weight)


NARROW = 2.5
"""Units of a layer below which next to nothing gets through."""


def _too_narrow(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """A layer before the last that has one or two units, in a network that has not learned its images."""
    course, gap = course_of(log, known), gap_of(log, known)
    places = log.wheres("units")[:-1]
    if course.count < 48 or gap is None or not places:
        return
    units = {where: float(log.series("units", where).values[0]) for where in places}
    least = min(units, key=lambda where: units[where])
    sure = all_of(sure_of(NARROW - units[least], 0.5), sure_of(0.9 - float(gap.training.values[-1]), gap.error))
    if sure <= 0.6:
        return
    words = Words(
        f"The network underfits: {named(least)} has {units[least]:.0f} unit{'s' if units[least] > 1 else ''}, so that next to nothing gets through; {gap.training.values[-1]:.1%} of the training images are "
        f"right and {gap.validation.values[-1]:.1%} of the validation images.",
        "Take a larger network: --model quick --set model.width=64",
        "nn.Conv2d(channels, 32, 3): eight filters and more in the first layer, and more in those behind it",
        "A network of eight times the width learns the training images no better.",
    )
    weight = Weight(
        sure,
        int(course.loss.steps[0]),
        (log.series("units", least).observation(0), *lasts(gap.training, gap.validation)),
    )
    yield diagnosis("underfitting", "note", words=words, weight=weight)


def validation_better(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Validation is better than training: explained by dropout or augmentation, or else by a leak or an easier part."""
    course, gap = course_of(log, known), gap_of(log, known)
    if course.short or gap is None or len(gap.validation) < 2:
        return
    latest = float(gap.training.values[-1] - gap.validation.values[-1])
    sure = sure_of(-max(gap.difference, latest) - BETTER, gap.error)
    if sure <= 0.7 or course.poor > 0.5 or not math.isfinite(latest):
        return
    causes = []
    if not gap.fair:
        causes += ["dropout acts in training only"] if known.dropout else []
        causes += ["training images are augmented, validation images are not"] if known.augmented else []
        if not causes:  # a mean over an epoch in which the network became better says nothing
            return
    explained = bool(causes)
    why = (
        f" That is expected: {', and '.join(causes)}."
        if explained
        else " Both were measured alike, so the validation images are easier, or some of them are among the training images."
    )
    words = Words(
        f"Validation is better than training: {gap.validation.values[-1]:.1%} against {gap.training.values[-1]:.1%}.{why}",
        "Nothing to change"
        if explained
        else "Look for copies across parts with `babysit look DATA`, and cut again: --set seed=1",
        "# compare file hashes of both parts, and evaluate the training images in model.eval() without augmentation",
        "Another cut of the parts gives the same difference.",
    )
    weight = Weight(sure, int(gap.validation.steps[-1]), lasts(gap.training, gap.validation))
    yield diagnosis("validation-better", "note", words=words, weight=weight)
