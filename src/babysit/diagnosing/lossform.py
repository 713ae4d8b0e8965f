"""Rules about the form of the loss: softmax missing or doubled, the wrong sign, a sum in place of a mean."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import classes_of, course_of
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, since, sure_of
from babysit.diagnosing.form import form_of
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog


def wrong_sign(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The loss is below zero and falls without end, and the network becomes worse than chance: the sign is wrong."""
    course, classes = course_of(log, known), classes_of(known, log)
    first = log.series("initial_loss", kind="start")
    if course.short or not len(first):
        return
    level = math.log(classes) if classes > 1 else 1.0
    begun = float(first.values[0])
    early = course.loss.values[: min(len(course.loss), 100)]
    negative = sure_of(-float(np.nanmin(np.append(early, begun))) - 0.02 * level, 0.02 * level)
    like_minus = sure_of(0.35 * level - abs(begun + level), 0.1 * level) if classes > 1 else 0.0
    if not math.isfinite(course.accuracy):
        below = 0.7
    else:
        below = sure_of(course.chance + 2 * course.accuracy_error - course.accuracy, course.accuracy_error)
    sure = all_of(negative, max(like_minus, all_of(below, sure_of(-begun - 0.3 * level, 0.1 * level))))
    if sure <= 0.6:
        return
    words = Words(
        f"The loss has the wrong sign: it began at {begun:.4g}, where ln {classes} = {level:.4g} is knowing nothing, and is {course.late:.4g} now"
        + (
            f"; {course.accuracy:.1%} of the training images are right, {course.chance:.1%} is chance."
            if math.isfinite(course.accuracy)
            else "."
        ),
        "Losses of a recipe have the right sign: --set loss.kind=softmax",
        "loss = torch.nn.functional.cross_entropy(model(images), labels)  # no minus before it",
        "The loss is one that is below zero by its nature, and accuracy rises as it falls.",
    )
    weight = Weight(sure, 0, lasts(first, course.loss))
    yield diagnosis("wrong-sign", "stop" if sure > 0.8 else "warn", words=words, weight=weight)


def softmax_missing(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """A loss that takes logarithms of probabilities was given raw scores: it begins near zero and falls without end."""
    course, classes = course_of(log, known), classes_of(known, log)
    yield from _softmax_missing_by_form(log, known)
    first = log.series("initial_loss", kind="start")
    logs, shares = log.series("scores_log_sum_to_one", kind="start"), log.series("scores_sum_to_one", kind="start")
    spread = log.series("score_deviation", kind="start")
    if course.short or not len(first) or not len(logs) or classes < 2 or form_of(log) is not None:
        return
    level, begun = math.log(classes), float(first.values[0])
    raw = sure_of(0.5 - max(float(logs.values[0]), float(shares.values[0]) if len(shares) else 0.0), 0.1)
    scale = 0.05 + (float(spread.values[0]) if len(spread) else 0.0)
    near = sure_of(max(0.5 * level, 2 * scale) - abs(begun), scale)
    finite = course.loss.values[np.isfinite(course.loss.values)]
    lowest = float(np.median(finite[-max(3, len(finite) // 10) :])) if len(finite) else 0.0
    falls = sure_of(-lowest - 0.1 * level, 0.05 * level)
    sure = all_of(raw, near, falls)
    if sure <= 0.6:
        return
    words = Words(
        f"The softmax is missing: the loss began at {begun:.3g} in place of ln {classes} = {level:.4g} and fell to {lowest:.3g}, below zero, "
        "and the network's outputs are neither probabilities nor their logarithms.",
        "The losses of a recipe bring their softmax: --set loss.kind=softmax",
        "torch.nn.functional.cross_entropy(scores, labels), or nll_loss(torch.log_softmax(scores, dim=1), labels)",
        "The rows of exp(outputs) sum to one.",
    )
    weight = Weight(sure, since(course.loss.steps, course.loss.values < 0), lasts(first, logs, course.loss))
    yield diagnosis("softmax-missing", "stop" if sure > 0.8 else "warn", words=words, weight=weight)


def _softmax_missing_by_form(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Looked at again and again, the loss is what raw scores give, or scores whose softmax is over the wrong axis."""
    course, form = course_of(log, known), form_of(log)
    if form is None or form.name not in ("no softmax", "softmax over the batch"):
        return
    raw = form.name == "no softmax"
    times = "" if abs(form.times - 1) < 0.01 else f"{form.times:.3g} times "
    shares = log.series("scores_sum_to_one", kind="start")
    what = f"{times}that of a softmax over the images of a batch (dim=0), not over the classes"
    if raw:
        what = f"{times}the mean score of the right class with a minus, so that it falls without end"
    if raw and len(shares) and shares.values[0] > 0.9:
        what = f"{times}the mean probability of the right class with a minus: the outputs are probabilities, and no logarithm is taken"
    words = Words(
        f"The softmax {'is missing' if raw else 'over the classes is missing'}: in {len(form.given)} looks the loss was {what}; it is {course.late:.3g}.",
        "The losses of a recipe bring their softmax: --set loss.kind=softmax",
        "torch.nn.functional.cross_entropy(scores, labels), or nll_loss(torch.log_softmax(scores, dim=1), labels)",
        "cross_entropy of the same scores and labels has the same value.",
    )
    weight = Weight(form.sure, 0, lasts(form.given, form.by_form, course.loss))
    yield diagnosis("softmax-missing", "warn", words=words, weight=weight)


def softmax_doubled(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The network's outputs are probabilities already, and the loss takes their softmax again: it cannot fall below ln(e + C - 1) - 1."""
    course, classes = course_of(log, known), classes_of(known, log)
    form = form_of(log)
    if form is not None and form.name == "softmax twice" and classes > 1:
        yield _softmax_twice_by_form(log, known)
        return
    shares = log.series("scores_sum_to_one", kind="start")
    first = log.series("initial_loss", kind="start")
    if course.short or not len(shares) or not len(first) or classes < 2:
        return
    level = math.log(classes)
    floor = math.log(math.e + classes - 1) - 1
    if known.loss_kind not in (None, "softmax"):
        return
    sums = sure_of(float(shares.values[0]) - 0.9, 0.02)
    lowest = float(np.nanmin(course.smoothed().values[2:]))
    above = sure_of(lowest - floor + 0.03 * level, 0.02 * level)
    begun = sure_of(0.2 * level - abs(float(first.values[0]) - level), 0.03 * level)
    sure = all_of(sums, above, begun)
    if math.isfinite(course.accuracy) and course.accuracy > course.chance + 0.2:
        # A loss of probabilities at this accuracy would be lower than the floor allows.
        sure = max(sure, all_of(sums, above))
    if sure <= 0.6:
        return
    words = Words(
        f"The softmax is taken twice: the network's outputs sum to one, and the loss has not gone below {lowest:.4g}, where "
        f"ln(e + {classes} - 1) - 1 = {floor:.4g} is the least it can reach that way.",
        "Networks of a recipe end in scores; in one of your own take the softmax away from its end",
        "return scores, not torch.softmax(scores, dim=1), from forward: cross_entropy takes the softmax itself",
        f"The loss falls below {floor:.3g}.",
    )
    weight = Weight(sure, 0, lasts(shares, first, course.loss))
    yield diagnosis("softmax-doubled", "warn", words=words, weight=weight)


def _softmax_twice_by_form(log: RunLog, known: Known) -> Diagnosis:
    course, classes, form = course_of(log, known), classes_of(known, log), form_of(log)
    assert form is not None
    floor = math.log(math.e + classes - 1) - 1
    words = Words(
        f"The softmax is taken twice: in {len(form.given)} looks the loss was that of the softmax of the softmax; it is {course.late:.3g}, and cannot fall below "
        f"ln(e + {classes} - 1) - 1 = {floor:.4g}.",
        "The losses of a recipe take it once: --set loss.kind=softmax",
        "torch.nn.functional.cross_entropy(scores, labels) takes the softmax itself: give it the scores as they are",
        "cross_entropy of the same scores and labels has the same value.",
    )
    weight = Weight(form.sure, 0, lasts(form.given, form.by_form, course.loss))
    return diagnosis("softmax-doubled", "warn", words=words, weight=weight)


def sum_instead_of_mean(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The loss is as many times too large as the batch has images: it was summed, and so is its gradient."""
    course, classes = course_of(log, known), classes_of(known, log)
    first = log.series("initial_loss", kind="start")
    spread = log.series("score_deviation", kind="start")
    if course.short or not len(first) or classes < 2 or not known.batch_size or known.batch_size < 4:
        return
    level, begun = math.log(classes), float(first.values[0])
    if begun <= 0 or not math.isfinite(begun):
        return
    wide = float(spread.values[0]) if len(spread) else 0.3
    each = begun / known.batch_size
    # Scores that are apart make the mean loss larger than ln C: by about half their variance, at most by some deviations.
    like_sum = sure_of(min(math.log(each / (0.75 * level)), math.log((1.3 * level + 0.75 * wide**2) / each)), 0.03)
    no_mean = sure_of(math.log(begun / (1.5 * level + 4 * wide)), 0.1)
    sure = all_of(like_sum, no_mean)
    if sure <= 0.6:
        return
    words = Words(
        f"The loss is a sum over the batch, not a mean: it began at {begun:.4g}, and {known.batch_size} images times ln {classes} are {known.batch_size * level:.4g}. "
        f"So the learning rate is {known.batch_size} times what it says.",
        "Losses of a recipe are means: --set loss.kind=softmax",
        "torch.nn.functional.cross_entropy(scores, labels, reduction='mean')",
        f"The loss of a batch of {2 * known.batch_size} is no larger.",
    )
    weight = Weight(sure, 0, lasts(first, course.loss))
    yield diagnosis("sum-instead-of-mean", "warn", words=words, weight=weight)
