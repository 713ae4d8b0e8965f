"""Rules about what goes in: normalisation, its statistics, order."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import course_of
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, share_error, spread_of, sure_of
from babysit.diagnosing.generalising import gap_of
from babysit.diagnosing.remedies import LARGE_INPUT, plain_inputs, usual_batch
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog

PATIENCE = 60
"""Updates before which a network with normalisation is not said to suffer from raw inputs, unless its loss rises."""

SORTED = 0.3
"""Likeness of neighbouring labels (0 by chance, 1 sorted) from which on an order is no accident."""

SMALL_INPUT = 0.06
"""Root mean square of inputs below which first weights of the usual size meet the wrong scale."""


RECENT = 0.5
"""Share of the training so far by which the latest look at the statistics must have been made: early ones lag behind."""

SEVERAL = 8
"""Batches of an epoch from which on it is no chance that each class has as many images in all of them."""

SINGLE = 4
"""Images of a batch from which on it is no chance that all their pixels are the same."""

RANGE = 6.0
"""Least and most of ordinary pixels are so many deviations apart at most."""


def inputs_not_normalised(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Inputs are tens or hundreds large, as raw pixels are, and the training suffers; or all of them are the same."""
    course = course_of(log, known)
    if blank(log) and not course.short and (known.batch_size or SINGLE) >= SINGLE:
        yield _blank(log, known)
        return
    mean, deviation = (log.series(name, kind="start") for name in ("input_mean", "input_deviation"))
    least, most = (log.series(name, kind="start") for name in ("input_least", "input_most"))
    if course.short or not len(mean) or not len(deviation):
        return
    size = math.hypot(float(mean.values[0]), float(deviation.values[0]))
    large = sure_of(math.log(max(size, 1e-9) / LARGE_INPUT), 0.2)
    enough = 0.6  # of the way; normalisation takes the scale away, so that there is little harm, and it is seen later
    if known.normalised:
        enough = 0.25 if course.count >= PATIENCE else 0.0
    harm = max(
        sure_of(enough - course.way, course.spread / course.level),
        sure_of(course.loss.values.max() - 2 * max(course.level, 1e-9), course.spread),
    )
    sure = large
    if sure <= 0.6:
        return
    ends = f", from {least.values[0]:.3g} to {most.values[0]:.3g}" if len(least) and len(most) else ""
    words = Words(
        f"The inputs are not normalised: their mean is {mean.values[0]:.3g} and their deviation {deviation.values[0]:.3g}{ends}.",
        "--set preprocess.kind=standardize",
        "images = (images / 255 - 0.5) / 0.25, or transforms.Normalize with the training part's mean and deviation",
        "With inputs of mean 0 and deviation 1 the loss goes the same way.",
    )
    weight = Weight(all_of(sure, harm) if harm > 0.6 else sure, 0, lasts(mean, deviation, least, most))
    severity = "warn" if harm > 0.6 else "note"
    yield diagnosis("inputs-not-normalised", severity, words=words, weight=weight, remedy=plain_inputs())


def blank(log: RunLog) -> bool:
    """Whether all pixels of the first batch are the same, or all its images: there is nothing to tell images by."""
    found = [log.series(name, kind="start") for name in ("input_deviation", "input_spread")]
    return any(len(one) > 0 and one.values[0] == 0 for one in found)


def _blank(log: RunLog, known: Known) -> Diagnosis:
    course, mean = course_of(log, known), log.series("input_mean", kind="start")
    what = "The inputs are one and the same: the images of the first batch do not differ in a single pixel"
    spread = log.series("input_deviation", kind="start").values
    if len(mean) and len(spread) and spread[0] == 0:
        what = f"The inputs are blank: all pixels of the first batch are {mean.values[0]:.3g}"
    words = Words(
        f"{what}, so that every image must get the same answer; the loss is {course.late:.3g}.",
        "Look at the images with `babysit look DATA`",
        "print(images.min(), images.max()): look for a division of integers, a cast to uint8 after scaling, a mask that takes all away, or an index that never moves",
        "Two images of a batch differ.",
    )
    weight = Weight(course.poor, 0, lasts(mean, log.series("input_deviation", kind="start"), course.loss))
    severity = "warn" if course.poor > 0.6 else "note"
    return diagnosis("inputs-not-normalised", severity, words=words, weight=weight)


def normalised_twice(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Inputs lie close together in a narrow range, as pixels do that were divided or standardised twice."""
    course = course_of(log, known)
    mean, deviation = (log.series(name, kind="start") for name in ("input_mean", "input_deviation"))
    if course.short or not len(mean) or not len(deviation) or deviation.values[0] <= 0:
        return
    middle, spread = float(mean.values[0]), float(deviation.values[0])
    least, most = (log.series(name, kind="start") for name in ("input_least", "input_most"))
    beyond = 1.0
    if len(least) and len(most):  # small things on a plain ground deviate little, but go far
        low, high = float(least.values[0]), float(most.values[0])
        spread = max(spread, (high - low) / RANGE)
        beyond = sure_of((min(abs(low), abs(high)) if low * high > 0 else 0.0) / max(high - low, 1e-12) - 1.0, 0.15)
    tiny = sure_of(math.log(SMALL_INPUT) - math.log(spread), 0.2)
    aside = all_of(sure_of(abs(middle) / spread - 3.0, 0.3), beyond)
    large = sure_of(math.log(max(math.hypot(middle, spread), 1e-9) / LARGE_INPUT), 0.2)
    sure = max(tiny, aside if large < 0.5 else 0.0)
    harm = sure_of(0.5 - course.way, course.spread / course.level)
    if sure <= 0.6:
        return
    words = Words(
        f"The inputs carry next to nothing: they lie at {middle:.3g} give or take {spread:.3g}, as pixels do that were normalised twice, or scaled and then shifted by another range's mean.",
        "--set preprocess.kind=standardize, over images that are plain pixels",
        "scale once: ToTensor() divides by 255 already, and Normalize's mean and deviation belong to what it gets",
        "Inputs of deviation 1 are learned no faster.",
    )
    weight = Weight(all_of(sure, harm) if harm > 0.6 else sure, 0, lasts(mean, deviation))
    severity = "warn" if harm > 0.6 else "note"
    yield diagnosis("normalised-twice", severity, words=words, weight=weight, remedy=plain_inputs())


def normalisation_statistics(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The same images are classified far worse with the running statistics than with a batch's own; or these hardly moved."""
    course = course_of(log, known)
    yield from (found := [*_trained_in_evaluation(log, known), *_statistics_behind(log, known)][:1])
    if found:
        return
    names = ("slice_accuracy", "slice_train_mode_accuracy")
    evaluated, trained = (log.series(name, kind="epoch") for name in names)
    losses = [log.series(name, kind="epoch") for name in ("slice_loss", "slice_train_mode_loss")]
    count = min(len(evaluated), len(trained))
    if course.count < 48 or count < 2 or evaluated.steps[-1] < RECENT * course.last_step:
        return
    differences = trained.values[-count:] - evaluated.values[-count:]
    least = float(np.min(differences[-2:]))
    images = 256 if known.has_recipe else known.batch_size or 32  # in a loop of one's own the slice is a batch
    images = min(known.training_images or images, images)
    error = math.hypot(*(share_error(float(one.values[-1]), images) for one in (trained, evaluated)))
    sure = sure_of(least - 0.15, error + spread_of(differences[-3:]) / 2)
    validation = log.series("validation_accuracy", kind="epoch")
    if len(validation):  # it uses the running statistics too: where it is as good, they are right
        latest = float(np.mean(validation.values[-2:]))
        apart = math.hypot(error, share_error(latest, known.validation_images or 200))
        rise = float(validation.values[-1] - validation.values[-2]) if len(validation) > 1 else 0.0
        catching_up = sure_of(rise - 0.15, math.sqrt(2) * apart)  # young statistics lag behind, and come after
        settled = 1 - catching_up if catching_up > 0.5 else 1.0
        sure = all_of(sure, sure_of(float(trained.values[-1]) - latest - 0.1, apart), settled)
    if sure <= (0.6 if known.has_recipe else 0.7):
        return
    words = Words(
        f"The running statistics of the normalisation layers are wrong: the same training images are right in {evaluated.values[-1]:.0%} with them and in "
        f"{trained.values[-1]:.0%} with the batch's own.",
        "Take larger batches: --set optim.batch_size=64, or a lower rate at the end: --set schedule.kind=one-cycle",
        "nn.BatchNorm2d(channels, momentum=0.1); do not freeze the statistics; call model.eval() before and model.train() after evaluation",
        "After a pass over the training images in training mode without updates the two agree.",
    )
    weight = Weight(sure, int(evaluated.steps[-2]), lasts(evaluated, trained, *losses))
    yield diagnosis("normalisation-statistics", "warn", words=words, weight=weight, remedy=usual_batch())


def _trained_in_evaluation(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Updates are made in evaluation mode: normalisation takes its running statistics, and these never move."""
    course, share = course_of(log, known), known.evaluating or 0.0
    sure = sure_of(share - 0.5, 0.5 / max(1.0, math.sqrt(course.count)))
    if course.short or not known.normalised or sure <= 0.6:
        return
    words = Words(
        f"The network is trained in evaluation mode ({share:.0%} of {course.count} updates): batch normalisation takes its running statistics, which never move, in place of the batch's; the loss is {course.late:.3g}.",
        "In a recipe this cannot be: report it",
        "model.train() at the beginning of every epoch, after the validation has called model.eval(); where only statistics are to stay: eval() of these layers alone",
        "In training mode the loss falls no faster.",
    )
    stands = all_of(course.poor, 1 - course.learning)
    severity = "warn" if stands > 0.6 and course.count >= PATIENCE else "note"  # some do so on purpose
    yield diagnosis("normalisation-statistics", severity, words=words, weight=Weight(sure, 0, lasts(course.loss)))


def _statistics_behind(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Running statistics take in so little of a batch's that they still are what they began as."""
    course, gap, momentum = course_of(log, known), gap_of(log, known), known.norm_momentum
    if course.count < 48 or gap is None or momentum is None:
        return
    taken = 1 - (1 - min(1.0, momentum)) ** course.count
    learned = float(log.series("train_accuracy", kind="epoch").values[-1]) if log.wheres("train_accuracy") else 0.0
    behind = learned - float(gap.validation.values[-1])
    sure = all_of(sure_of(0.4 - taken, 0.1), sure_of(behind - 0.05, gap.error))
    if sure <= 0.6:
        return
    words = Words(
        f"The running statistics of the normalisation layers have hardly moved: with a momentum of {momentum:g} they have taken in {taken:.0%} of what {course.count} batches showed; "
        f"{learned:.0%} of the training images are right with a batch's own, and {gap.validation.values[-1]:.0%} of the validation images with the running ones.",
        "In a recipe they follow fast enough: report it",
        "nn.BatchNorm2d(channels, momentum=0.1): in PyTorch it is the share of the new batch, not of the old statistics",
        "After a pass over the training images in training mode without updates validation is no better.",
    )
    weight = Weight(sure, int(gap.validation.steps[0]), lasts(gap.training, gap.validation))
    yield diagnosis("normalisation-statistics", "warn", words=words, weight=weight)


def not_shuffled(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Images of a class follow each other: each batch teaches one class and unlearns the others."""
    course, alike = course_of(log, known), log.series("label_run_likeness", kind="epoch")
    yield from (found := [] if labels_kept(log, known) > 0.6 else list(_over_and_over(log, known)))
    if course.short or not len(alike) or found:
        return
    yield from (found := list(_same_again(log, known)))
    if found:
        return
    pairs = max(24.0, float(course.count * (known.batch_size or 8)) / max(1, len(alike)))
    likeness = float(np.median(alike.values[-3:]))
    sure = sure_of(likeness - SORTED, 1 / math.sqrt(pairs) + 0.01)
    if sure <= 0.6:
        return
    words = Words(
        f"The training images are not shuffled: the likeness of neighbouring labels is {likeness:.2f}, where 0 is by chance and 1 is sorted by class.",
        "In a recipe the order is drawn anew for every epoch; report it",
        "DataLoader(data, batch_size=64, shuffle=True)",
        "Neighbours are of the same class no more often than by chance.",
    )
    weight = Weight(sure, int(alike.steps[0]), (*lasts(alike), *lasts(course.loss)))
    gap = gap_of(log, known)  # a sampler may put a few of each class side by side in every batch, which does no harm
    harm = 1.0 if gap is None else max(course.poor, sure_of(gap.difference - 0.1, gap.error))
    yield diagnosis("not-shuffled", "warn" if harm > 0.5 else "note", words=words, weight=weight)


def labels_kept(log: RunLog, known: Known) -> float:
    """How sure that all batches of an epoch have the labels of the first, and other images: one batch would be known by heart."""
    course, periods = course_of(log, known), log.series("label_period", kind="epoch")
    alike = log.series("label_run_likeness", kind="epoch")
    if course.count < 100 or len(periods) < 2 or not (periods.values == (known.batch_size or 0)).all():
        return 0.0
    often = sure_of(len(periods) / max(len(alike), 1) - 0.5, 0.5 / math.sqrt(len(periods)))
    return all_of(often, sure_of(0.6 - course.accuracy, course.accuracy_error))


def _same_again(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """It is one batch over and over: labels come in the very same order in every epoch, as many of each class in every batch.

    A sampler that balances every batch takes as many of every class; an order that is only the same again does little harm.
    """
    course, gap, alike = course_of(log, known), gap_of(log, known), log.series("label_run_likeness", kind="epoch")
    if gap is None or len(alike) < 3:
        return
    same = int((np.abs(alike.values - np.median(alike.values)) < 1e-5).sum())
    every = all_of(sure_of(same - 3.0, 1.0), sure_of(same / len(alike) - 0.7, 0.05))
    sure = all_of(every, sure_of(gap.difference - 0.1, gap.error))
    counts, steps = [one for one in known.class_counts or () if one], known.steps_per_epoch or 0
    whole = len(log.series("accuracy", kind="step")) == course.count  # of passed batches the labels are not known
    if sure <= 0.6 or not whole or steps < SEVERAL or not counts or any(one % steps for one in counts):
        return
    if min(counts) == max(counts):
        return
    words = Words(
        f"The training images are not shuffled: all {steps} batches of an epoch have the same labels, and so in {same} of {len(alike)} epochs, so that it is one batch over and over; {gap.training.values[-1]:.0%} of the training images are right and {gap.validation.values[-1]:.0%} of the validation images.",
        "In a recipe the order is drawn anew for every epoch; report it",
        "for images, labels in loader: one iterator for an epoch, not next(iter(loader)) in every step; DataLoader(data, batch_size=64, shuffle=True)",
        "Images of two batches, or the orders of two epochs, differ.",
    )
    weight = Weight(sure, int(alike.steps[0]), lasts(alike, gap.training, gap.validation))
    yield diagnosis("not-shuffled", "warn", words=words, weight=weight)


def _over_and_over(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Within an epoch the same labels come in the same order again and again: they are the same batches."""
    course, batch, length = course_of(log, known), known.batch_size, known.steps_per_epoch
    periods, alike = (log.series(name, kind="epoch") for name in ("label_period", "label_run_likeness"))
    if course.short or not batch or not length or len(periods) < 2 or not len(alike):
        return
    period = float(periods.values[-1])
    whole = batch >= 8 and period % batch == 0  # classes that take turns repeat too, after as many images as classes
    share = len(periods) / len(alike)
    sure = sure_of(share - 0.5, 0.5 / math.sqrt(len(periods) * length * batch / period)) if whole else 0.0
    if sure <= 0.6:
        return
    count = round(period / batch)
    words = Words(
        f"The same {f'{count} batches come' if count > 1 else 'batch comes'} over and over: an epoch has {length} updates, and the labels of its {int(period)} first images come again in the same order to its end.",
        "In a recipe the order is drawn anew for every epoch; report it",
        "for images, labels in loader: not next(iter(loader)), which begins again each time; DataLoader(data, batch_size=64, shuffle=True)",
        f"Two of an epoch's updates that are {count} apart see different images.",
    )
    weight = Weight(sure, int(periods.steps[0]), (*lasts(periods), *lasts(course.loss)))
    yield diagnosis("not-shuffled", "warn", words=words, weight=weight)
