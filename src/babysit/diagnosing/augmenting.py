"""The rule about augmentation that takes the class away from training's images."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import course_of
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, log_ratio, share_error, sure_of
from babysit.diagnosing.generalising import gap_of
from babysit.diagnosing.inputs import blank
from babysit.diagnosing.looks import looks_of, statistics_differ
from babysit.diagnosing.parts import foreign
from babysit.diagnosing.remedies import less_augmentation
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog

NOISE = 0.88
"""Roughness from which on neighbouring pixels know as good as nothing of each other."""

HALF_NOISE = 0.6
"""The same where validation images are known to be far smoother."""


def augmentation_too_strong(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Augmented images of the training part are hardly recognised, plain ones are: augmentation takes the class away."""
    if known.has_recipe:
        yield from _slice_apart(log, known)
    elif not blank(log):
        found = [*_like_noise(log, known), *_statistics_apart(log, known), *_foreign_to_it(log, known)]
        found += _looks_apart(log, known)
        yield from sorted(found, key=lambda one: -one.sure)[:1]


def _slice_apart(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    course = course_of(log, known)
    augmented, plain = log.series("augmented_accuracy", kind="epoch"), log.series("slice_accuracy", kind="epoch")
    count = min(len(augmented), len(plain))
    if course.count < 48 or count < 2:
        return
    gap = float(np.mean(plain.values[-2:]) - np.mean(augmented.values[-2:]))
    error = math.sqrt(2) * share_error(0.5, min(known.training_images or 256, 256))
    sure = all_of(sure_of(gap - 0.25, error), sure_of(0.6 - float(augmented.values[-1]), error))
    if sure <= 0.6:
        return
    claim = f"Augmentation takes the class away: of the same training images {plain.values[-1]:.0%} are right as they are and {augmented.values[-1]:.0%} augmented."
    weight = Weight(sure, int(plain.steps[-2]), lasts(plain, augmented))
    remedy = less_augmentation(known)
    yield diagnosis("augmentation-too-strong", "warn", words=_less(claim), weight=weight, remedy=remedy)


def _like_noise(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """In a loop of one's own: pixels of training images know nothing of their neighbours, and little is learned."""
    course = course_of(log, known)
    start, later = (log.series("input_roughness", kind=kind) for kind in ("start", "epoch"))
    if course.short or not len(start):
        return
    rough = float(start.values[0])
    noise = sure_of(rough - NOISE, 0.03)
    if len(later) and later.values[-1] > 0 and rough > 0:
        more = log_ratio(rough, later.values[-1])
        noise = max(
            all_of(noise, sure_of(more - 0.15, 0.05)),
            all_of(sure_of(more - math.log(1.6), 0.1), sure_of(rough - HALF_NOISE, 0.03)),
        )
    sure = all_of(noise, sure_of(0.5 - course.way, course.spread / course.level))
    if sure <= 0.6:
        return
    stands = all_of(course.poor, 1 - course.falling) > 0.6  # some images are rough, and some learn of them
    claim = f"Augmentation probably takes the class away: pixels of training images know next to nothing of their neighbours (roughness {rough:.2f}; 1 is noise"
    claim += f", and validation images have {later.values[-1]:.2f})" if len(later) else ")"
    claim += f"; the loss is {course.late:.3g}, where {course.level:.3g} is knowing nothing."
    weight = Weight(sure, 0, lasts(start, later, course.loss))
    yield diagnosis("augmentation-too-strong", "warn" if stands else "note", words=_less(claim), weight=weight)


def _statistics_apart(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The same: training images have other statistics than validation's, and do worse."""
    gap, course = gap_of(log, known), course_of(log, known)
    if gap is None or course.short or len(gap.validation) < 2:
        return
    sure = all_of(
        statistics_differ(log),
        sure_of(-gap.difference - 0.05, gap.error),
        sure_of(0.7 - course.way, course.spread / course.level),
    )
    if sure <= 0.6:
        return
    start, later = (log.series("input_deviation", kind=kind) for kind in ("start", "epoch"))
    claim = (
        f"Augmentation probably takes the class away: training images have a deviation of {start.values[0]:.3g}, validation images of "
        f"{later.values[-1]:.3g}; {gap.training.values[-1]:.0%} of the former are right and {gap.validation.values[-1]:.0%} of the latter."
    )
    weight = Weight(sure, int(gap.validation.steps[0]), lasts(start, later, gap.training, gap.validation))
    yield diagnosis("augmentation-too-strong", "warn", words=_less(claim), weight=weight)


def _looks_apart(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Training images look otherwise than validation's, and hardly anything is learned of them."""
    course, looks = course_of(log, known), looks_of(log, scale=False)
    sure = all_of(looks.sure, sure_of(0.5 - course.way, course.spread / course.level))
    if course.count < PATIENCE or sure <= 0.6:
        return
    stands = all_of(course.poor, 1 - course.falling) > 0.6
    claim = f"Augmentation probably takes the class away: {looks.claim}; the loss is {course.late:.3g}, where {course.level:.3g} is knowing nothing."
    weight = Weight(sure, 0, (*looks.evidence, *lasts(course.loss)))
    yield diagnosis("augmentation-too-strong", "warn" if stands else "note", words=_less(claim), weight=weight)


PATIENCE = 60
"""Updates before which it is too early to say that images which look otherwise teach nothing."""


def _foreign_to_it(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Training images are hardly learned, and plain ones are foreign to the network: they have little in common."""
    course, gap = course_of(log, known), gap_of(log, known)
    if gap is None:
        return
    low = sure_of(course.chance + 0.06 + gap.error - float(np.median(gap.validation.values)), gap.error)
    hardly = sure_of(0.5 - course.way, course.spread / course.level)
    sure = all_of(foreign(log, known), low, hardly, 1 - statistics_differ(log))  # other statistics are another matter
    if sure <= 0.6:
        return
    losses = log.series("validation_loss", kind="epoch")
    claim = (
        f"Augmentation probably takes the class away: the network is surer of validation's images than of those it was trained on, and wrong; their loss is {losses.values[-1]:.3g}, "
        f"training's {course.late:.3g}, where {course.level:.3g} is knowing nothing, so that the two have little in common."
    )
    weight = Weight(
        sure, int(gap.validation.steps[0]), lasts(losses, log.series("slice_loss", kind="epoch"), course.loss)
    )
    yield diagnosis("augmentation-too-strong", "warn", words=_less(claim), weight=weight)


def _less(claim: str) -> Words:
    return Words(
        claim,
        "Augment less: --set augment.rotate=0 --set augment.erase=0 --set augment.crop=1 --set augment.flip=none",
        "look at a batch as the network gets it, and take away what makes you doubt its labels",
        "A person names the classes of augmented images as surely as those of plain ones.",
    )
