"""Rules about what goes in: normalisation, its statistics, parts that differ, augmentation, order."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import course_of
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, share_error, spread_of, sure_of
from babysit.diagnosing.generalising import gap_of
from babysit.diagnosing.remedies import LARGE_INPUT, less_augmentation, plain_inputs, usual_batch
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog

PATIENCE = 60
"""Updates before which a network with normalisation is not said to suffer from raw inputs, unless its loss rises."""

SORTED = 0.3
"""Likeness of neighbouring labels (0 by chance, 1 sorted) from which on an order is no accident."""

SMALL_INPUT = 0.06
"""Root mean square of inputs below which first weights of the usual size meet the wrong scale."""


def inputs_not_normalised(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Inputs are tens or hundreds large, as raw pixels are, and the training suffers."""
    course = course_of(log, known)
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


def normalised_twice(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Inputs lie close together in a narrow range, as pixels do that were divided or standardised twice."""
    course = course_of(log, known)
    mean, deviation = (log.series(name, kind="start") for name in ("input_mean", "input_deviation"))
    if course.short or not len(mean) or not len(deviation) or deviation.values[0] <= 0:
        return
    middle, spread = float(mean.values[0]), float(deviation.values[0])
    tiny = sure_of(math.log(SMALL_INPUT / spread), 0.2)
    aside = sure_of(abs(middle) / spread - 3.0, 0.3)
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


def parts_differ(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Training learned quickly, and validation is at chance from its first epochs on: another preprocessing, or other labels."""
    course, gap = course_of(log, known), gap_of(log, known)
    validation, losses = log.series("validation_accuracy", kind="epoch"), log.series("validation_loss", kind="epoch")
    training = log.series("train_accuracy", kind="epoch")
    if course.short or gap is None or len(validation) < 2 or len(training) != len(validation):
        return
    seen = _statistics_differ(log)
    behind = all_of(seen, sure_of(gap.difference - 0.08, gap.error))
    if behind > 0.6:
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
        weight = Weight(behind, int(validation.steps[0]), (*lasts(*starts, means, deviations), *lasts(gap.validation)))
        yield diagnosis("parts-differ", "warn", words=words, weight=weight)
        return
    images = known.validation_images or 200
    error = share_error(course.chance, images)
    known_by_heart = known.training_images is not None and known.training_images < 400
    learned = np.flatnonzero(training.values > course.chance + 0.35 * (1 - course.chance))
    if not len(learned) or known_by_heart:
        return
    best = float(np.median(np.sort(validation.values)[-max(1, len(validation) // 2) :]))
    low = sure_of(0.35 * (float(training.values.max()) - course.chance) - (best - course.chance), error + 0.02)
    first = int(learned[0])
    early = sure_of(4.5 - first if len(validation) > 5 else 2.5 - first, 1.0)
    bad = 0.5
    if len(losses) == len(validation):
        bad = sure_of(float(losses.values[first]) / course.level - 1.1, 0.1)
    sure = all_of(low, max(early, min(bad, 0.75)))
    if sure <= 0.6:
        return
    words = Words(
        f"Training and validation are not the same task: after epoch {first + 1} {training.values[first]:.0%} of the training images were right and {validation.values[first]:.0%} of the validation images, "
        f"and {best:.0%} is about the best since ({course.chance:.0%} is chance).",
        "In a recipe both parts are prepared alike; look at the parts' labels with `babysit look DATA`",
        "give both data sets the same normalisation and the same class_to_idx, and print a batch's mean, deviation and labels of each",
        "The training images themselves, in evaluation mode and prepared as the validation images, are classified as badly.",
    )
    weight = Weight(
        sure, int(validation.steps[first]), (training.observation(first), *lasts(training, validation, losses))
    )
    yield diagnosis("parts-differ", "warn", words=words, weight=weight)


def _statistics_differ(log: RunLog) -> float:
    """How sure that validation inputs have another mean or deviation than the first training batch; 0 when not measured."""
    start = [log.series(name, kind="start") for name in ("input_mean", "input_deviation")]
    later = [log.series(name, kind="epoch") for name in ("input_mean", "input_deviation")]
    if not all(len(one) for one in (*start, *later)) or start[1].values[0] <= 0 or later[1].values[-1] <= 0:
        return 0.0
    deviation = abs(math.log(later[1].values[-1] / start[1].values[0]))
    shift = abs(later[0].values[-1] - start[0].values[0]) / start[1].values[0]
    return max(sure_of(deviation - math.log(1.5), 0.1), sure_of(shift - 0.7, 0.15))


def normalisation_statistics(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The same images are classified far worse with the running statistics than with a batch's own."""
    course = course_of(log, known)
    names = ("slice_accuracy", "slice_train_mode_accuracy")
    evaluated, trained = (log.series(name, kind="epoch") for name in names)
    losses = [log.series(name, kind="epoch") for name in ("slice_loss", "slice_train_mode_loss")]
    count = min(len(evaluated), len(trained))
    if course.count < 48 or count < 2:
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
        sure = all_of(sure, sure_of(float(trained.values[-1]) - latest - 0.1, apart))
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


def augmentation_too_strong(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Augmented images of the training part are hardly recognised, plain ones are: augmentation takes the class away."""
    course = course_of(log, known)
    yield from _augmented_apart(log, known)
    augmented, plain = log.series("augmented_accuracy", kind="epoch"), log.series("slice_accuracy", kind="epoch")
    count = min(len(augmented), len(plain))
    if course.count < 48 or count < 2:
        return
    gap = float(np.mean(plain.values[-2:]) - np.mean(augmented.values[-2:]))
    error = math.sqrt(2) * share_error(0.5, min(known.training_images or 256, 256))
    wide = sure_of(gap - 0.25, error)
    low = sure_of(0.6 - float(augmented.values[-1]), error)
    sure = all_of(wide, low)
    if sure <= 0.6:
        return
    words = Words(
        f"Augmentation takes the class away: of the same training images {plain.values[-1]:.0%} are right as they are and {augmented.values[-1]:.0%} augmented.",
        "Augment less: --set augment.rotate=0 --set augment.erase=0 --set augment.crop=1 --set augment.flip=none",
        "look at a batch as the network gets it, and take away what makes you doubt its labels",
        "A person names the classes of augmented images as surely as those of plain ones.",
    )
    weight = Weight(sure, int(plain.steps[-2]), lasts(plain, augmented))
    remedy = less_augmentation(known)
    yield diagnosis("augmentation-too-strong", "warn", words=words, weight=weight, remedy=remedy)


def _augmented_apart(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The same in a loop of one's own: training images have other statistics than validation's, and do worse."""
    gap, course = gap_of(log, known), course_of(log, known)
    if known.has_recipe or gap is None or course.short or len(gap.validation) < 2:
        return
    sure = all_of(
        _statistics_differ(log),
        sure_of(-gap.difference - 0.05, gap.error),
        sure_of(0.7 - course.way, course.spread / course.level),
    )
    if sure <= 0.6:
        return
    start, later = (log.series("input_deviation", kind=kind) for kind in ("start", "epoch"))
    words = Words(
        f"Augmentation probably takes the class away: training images have a deviation of {start.values[0]:.3g}, validation images of "
        f"{later.values[-1]:.3g}; {gap.training.values[-1]:.0%} of the former are right and {gap.validation.values[-1]:.0%} of the latter.",
        "Augment less: --set augment.erase=0 --set augment.rotate=0",
        "look at a batch as the network gets it, and take away what makes you doubt its labels",
        "A person names the classes of augmented images as surely as those of plain ones.",
    )
    weight = Weight(sure, int(gap.validation.steps[0]), lasts(start, later, gap.training, gap.validation))
    yield diagnosis("augmentation-too-strong", "warn", words=words, weight=weight)


def not_shuffled(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Images of a class follow each other: each batch teaches one class and unlearns the others."""
    course, alike = course_of(log, known), log.series("label_run_likeness", kind="epoch")
    if course.short or not len(alike):
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
    yield diagnosis("not-shuffled", "warn", words=words, weight=weight)
