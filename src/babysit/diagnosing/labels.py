"""Rules about labels: unrelated to the images, or noisy."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import Course, classes_of, course_of
from babysit.diagnosing.evidence import (
    Weight,
    Words,
    all_of,
    diagnosis,
    lasts,
    log_ratio,
    share_error,
    slope,
    spread_of,
    sure_of,
)
from babysit.diagnosing.form import form_of, unsureness
from babysit.diagnosing.generalising import Gap, gap_of
from babysit.diagnosing.inputs import blank, labels_kept
from babysit.diagnosing.motion import ACTIVE, motion_of, travelled
from babysit.diagnosing.parts import foreign
from babysit.diagnosing.remedies import smoothed_labels
from babysit.diagnosing.units import by_layer
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog


def labels_unrelated(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The network moves as it should, and validation stays at chance throughout: labels know nothing of the images."""
    course, motion = course_of(log, known), motion_of(log)
    validation = log.series("validation_accuracy", kind="epoch")
    yield from (found := [*_labels_unused(log, known), *_labels_kept(log, known)][:1])
    if found:
        return
    if (
        course.chance > ONE_CLASS
        or course.count < 48
        or len(validation) < 3
        or not motion.measured
        or motion.ratio == 0
        or blank(log)
    ):
        return
    images = known.validation_images or 200
    error = share_error(course.chance, images)
    top = max(float(np.median(validation.values)), float(np.mean(validation.values[-2:])))  # it may just have begun
    at_chance = sure_of(course.chance + 0.06 + error - top, error)
    moves = sure_of(math.log10(max(motion.early, 1e-12) / ACTIVE), motion.spread)
    calm = sure_of(0.25 - (course.smoothed().values.max() / max(course.first, course.level) - 1), 0.02)
    usual = sure_of(0.3 * course.level - abs(course.first - course.level), 0.02 * course.level)
    alive = sure_of(
        0.6 - max([float(np.median(one.values[-3:])) for one in by_layer(log, "dead_share")], default=0.0), 0.05
    )
    slow = sure_of(0.3 - _early_way(course.loss.values, course.level), 0.02)
    sure = all_of(at_chance, moves, calm, usual, alive, slow, _hurts(log, course), 1 - foreign(log, known))
    if sure <= 0.6:
        return
    if not course.accuracy > course.chance + LEARNED:
        sure = min(sure, EITHER)
    heart = math.isfinite(course.accuracy) and course.accuracy > course.chance + 0.15
    words = Words(
        f"The labels know nothing of the images: validation was never better than {validation.values.max():.1%} ({course.chance:.1%} is chance) over {len(validation)} epochs, though updates are of the usual size ({motion.ratio:.1g} of the weights)"
        + (f" and {course.accuracy:.0%} of the training images were learned by heart." if heart else "."),
        "Look at images and labels side by side with `babysit look DATA`; `babysit check DATA` climbs the ladder",
        "shuffle images and labels with one permutation; sort both lists of files the same way",
        "A linear classifier on the pixels does better than chance on validation.",
    )
    weight = Weight(sure, int(validation.steps[0]), lasts(validation, course.loss))
    yield diagnosis("labels-unrelated", "warn", words=words, weight=weight)


def _labels_kept(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Every batch of an epoch has the labels of the first one."""
    course, sure, periods = course_of(log, known), labels_kept(log, known), log.series("label_period", kind="epoch")
    if sure <= 0.6:
        return
    words = Words(
        f"The labels know nothing of the images: those of the first {known.batch_size} images of an epoch come again with every batch, in the same order, and {course.accuracy:.0%} are right after {course.count} updates.",
        "In a recipe labels come with their images: report it",
        "for images, labels in loader: both from the same step of the loop, and no labels kept from an earlier one",
        "Two batches of an epoch have other labels.",
    )
    weight = Weight(sure, int(periods.steps[0]), lasts(periods, course.loss))
    yield diagnosis("labels-unrelated", "warn", words=words, weight=weight)


UNUSED = 0.15
"""Share of its first value below which a loss that begins near ln C cannot fall while the labels are guessed by chance."""


def _labels_unused(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The loss falls to next to nothing, and no more of the training images are right than by chance: it is made without the labels."""
    course, classes, form = course_of(log, known), classes_of(known, log), form_of(log)
    if course.count < 48 or classes < 2 or not math.isfinite(course.accuracy) or not 0 <= course.late < course.first:
        return
    right = log.series("accuracy", kind="step").values
    half = right[len(right) // 2 :]
    share, error = float(np.mean(half)), share_error(course.chance, len(half) * (known.batch_size or 32))
    usual = sure_of(0.5 - abs(course.first / math.log(classes) - 1), 0.05)
    falls = sure_of(log_ratio(UNUSED * course.first, max(course.late, 1e-9 * course.first)), 0.1)
    sure = all_of(usual, falls, sure_of(course.chance + 0.03 - share, error))
    if form is not None:
        sure = all_of(form.sure, sure_of(course.chance + 0.1 - share, error)) if form.name == "own guess" else 0.0
    if sure <= 0.6:
        return
    made = ": it is cross-entropy with the class that the network names itself" if form is not None else ""
    words = Words(
        f"The loss knows nothing of the labels{made}: it fell from {course.first:.4g} to {course.late:.3g}, and {share:.1%} of the training images are right, where {course.chance:.1%} is chance.",
        "The losses of a recipe take the labels: report it",
        "loss = torch.nn.functional.cross_entropy(scores, labels): the labels of this batch, not scores.argmax(1), nor a tensor left over from another",
        "With the labels shuffled the loss of a batch is another.",
    )
    weight = Weight(
        sure, int(course.loss.steps[course.count // 2]), lasts(course.loss, log.series("accuracy", kind="step"))
    )
    yield diagnosis("labels-unrelated", "warn", words=words, weight=weight)


ONE_CLASS = 0.95
"""Share of the commonest class in training from which on its name says all there is to learn."""

LEARNED, EITHER = 0.05, 0.78
"""Accuracy of training above chance up to which nothing was learned by heart, and how sure at most then: images that have
lost their class leave the same log, but that they cannot be learned by heart, since they come anew in every epoch."""

UNTOLD = 0.74
"""How sure at most where the validation loss is not known: images that have lost their class look alike then."""


def _hurts(log: RunLog, course: Course) -> float:
    """How sure that what is learned does harm to validation, whose loss is above that of knowing nothing.

    What is learned of labels that mean nothing is wrong of other images. Where it is training's images that have lost
    their class, or the loss that hardly moves the scores, validation is left about as it was.
    """
    losses = log.series("validation_loss", kind="epoch").values
    if len(losses) < 2:
        return UNTOLD
    last = losses[1:]  # the first epoch's is that of a network that has just begun
    error = max(spread_of(last) / math.sqrt(len(last)), 0.004 * course.level)
    return sure_of(float(np.median(last)) - course.level, error)


LOOKS = 3
"""Looks at the examples' losses that must agree, the first of them past a quarter of the training so far: what the network
thinks of single images early on, while the rate is high, is no evidence."""


def labels_noisy(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """A part of the labels is wrong: most images are learned well, a share never is; or validation is far better than training."""
    course, gap = course_of(log, known), gap_of(log, known)
    if course.count < 100 or gap is None or len(gap.validation) < 3 or gap.validation.values[-1] < course.chance + 0.15:
        return
    hard, half, top = (log.series(name, kind="epoch") for name in ("hard_share", "loss_p50", "loss_p95"))
    two = 0.0
    if min(len(hard), len(half), len(top)) >= LOOKS and hard.steps[-LOOKS] >= course.count / 4:
        share = min(float(np.median(hard.values[-3:])), float(hard.values[-1]))  # of late too: wrong labels stay wrong
        looked = 1024 if known.has_recipe else known.batch_size or 32  # in a loop of one's own they are its first batch
        error = share_error(share, min(known.training_images or 256, looked))
        two = all_of(
            sure_of(share - 0.15, error),
            sure_of(0.2 * course.level - float(np.median(half.values[-3:])), 0.03 * course.level),
            sure_of(min(float(np.median(top.values[-3:])), top.values[-1]) - 1.2 * course.level, 0.1 * course.level),
        )
    count = max(2, len(gap.validation) // 2)
    better = float(np.median(gap.validation.values[-count:] - _training_by_then(log, gap)[-count:]))
    dropped = bool(known.dropout) or bool(known.augmented)
    aside = 0.0 if dropped and not gap.fair else sure_of(better - 0.08, gap.error)
    if not gap.fair:  # it may be augmentation that makes training harder; wrong labels make all images alike unsure
        aside = all_of(aside, sure_of(unsureness(course, classes_of(known, log)) - 0.88, 0.02))
        aside = aside if known.loss_kind == "softmax" or known.has_recipe else 0.0  # another loss has another level
    seen_well, cap = max(two, aside), _capped(log, known, gap)
    sure = seen_well if seen_well > 0.65 else cap
    if sure <= 0.65:
        return
    seen = []
    if two > 0.65:
        seen.append(
            f"half of the training images have a loss below {half.values[-1]:.2g}, but {hard.values[-1]:.0%} one above that of knowing nothing"
        )
    if aside > 0.65:
        seen.append(
            f"validation is right in {gap.validation.values[-1]:.1%} and training in {gap.training.values[-1]:.1%}, so it is training's labels that are off"
        )
    if cap > 0.65:
        top = log.series("confidence_p95", kind="epoch")
        seen.append(
            f"of hardly an image the network is surer than {top.values[-1]:.0%}, though {gap.validation.values[-1]:.1%} of validation are right"
        )
    words = Words(
        f"A part of the labels is probably wrong: {'; '.join(seen)}.",
        "List the suspicious images with `babysit suspects RUN -o corrections.csv`, look at them, and train with --relabel; meanwhile --set loss.smoothing=0.1",
        "torch.nn.functional.cross_entropy(scores, labels, label_smoothing=0.1), and look at the images with the largest loss",
        "The images with the largest loss have the right labels and are merely hard.",
    )
    weight = Weight(sure, int(gap.validation.steps[-count]), lasts(gap.training, gap.validation, hard, half, top))
    severity = "warn" if seen_well > 0.65 else "note"  # a network that learned little is unsure as well
    yield diagnosis("labels-noisy", severity, words=words, weight=weight, remedy=smoothed_labels(log, known))


LEAD, WIDER, FURTHER = 0.06, 0.15, 0.6
"""Accuracy of validation above training's from which on training's labels are the worse, and the two bounds below then."""

MOVED = 0.2
"""How far weights must have moved in all, in units of their norm, before a network's unsureness says anything of labels."""

LIFTED = 0.5
"""How far the confidence in the surest images is above chance at least, beside the accuracy: wrong labels of up to a half leave
it there, where weights that hardly learn leave it at chance."""

CAP, HALF_WAY = 0.08, 0.45
"""How far the confidence in the surest images lies above the accuracy, at most, where labels are wrong at random; and the share
of the way to a loss of zero that is gone then, at most."""


def _capped(log: RunLog, known: Known, gap: Gap) -> float:
    """How sure that no image is surer than the images are right on average: wrong labels make all alike unsure.

    Of images that are merely hard some are easy, and a network is nearly certain of these. Dropout, and a loss that is not
    plain cross-entropy, keep it unsure too.
    """
    course, top = course_of(log, known), log.series("confidence_p95", kind="epoch")
    if len(top) < 3 or known.loss_kind != "softmax" or (known.dropout or 0.0) > 0.5:
        return 0.0
    right = float(np.mean(gap.validation.values[-2:]))
    error = share_error(right, known.validation_images or 200)
    moved = travelled(log, course.count)  # weights that have hardly moved leave a network unsure as well
    ahead = sure_of(right - course.accuracy - LEAD, math.hypot(error, course.accuracy_error))
    cap, way = (WIDER, FURTHER) if ahead > 0.6 else (CAP, HALF_WAY)
    surest = float(np.mean(top.values[-2:]))
    return all_of(
        sure_of(right + cap - surest, error),
        sure_of(surest - course.chance - LIFTED * (right - course.chance), error / 2),
        sure_of(right - course.chance - 0.15, error),
        sure_of(way - course.way, course.spread / course.level),
        sure_of(math.log10(max(moved, 1e-12)) - math.log10(MOVED), 0.2) if motion_of(log).measured else 1.0,
    )


def _training_by_then(log: RunLog, gap: Gap) -> np.ndarray:
    """Training accuracy at the ends of the epochs: while the network gets better, an epoch's mean is behind."""
    right = log.series("accuracy", kind="step")
    values = gap.training.values.copy()
    if gap.fair or not len(right):
        return values
    for place, epoch in enumerate(gap.training.epochs):
        there = right.values[right.epochs == epoch]
        if len(there):
            values[place] = float(np.mean(there[-max(4, len(there) // 3) :]))
    return values


def _early_way(losses: np.ndarray, level: float) -> float:
    """How far the loss came in the first half, as a share of the level: memorising is slow."""
    half = losses[: max(24, len(losses) // 2)]
    value, _ = slope(half)
    return float(-value * len(half) / level)
