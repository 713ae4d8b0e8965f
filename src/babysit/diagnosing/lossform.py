"""Rules about the form of the loss: softmax missing or doubled, the wrong sign, a sum in place of a mean."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import classes_of, course_of
from babysit.diagnosing.evidence import Weight, Words, aligned, all_of, diagnosis, lasts, share_error, since, sure_of
from babysit.diagnosing.form import AGREE, Flattened, flattened, form_of
from babysit.diagnosing.inputs import SORTED
from babysit.diagnosing.motion import motion_of, travelled
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog

FALLING = {
    "no softmax": "mean score of the right class",
    "no logarithm": "mean probability of the right class",
}
"""Forms that have a minus of their own -> what falls where it is left out."""


def wrong_sign(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The loss is below zero and falls without end, and the network becomes worse than chance: the sign is wrong."""
    course, classes = course_of(log, known), classes_of(known, log)
    first = log.series("initial_loss", kind="start")
    ways = (_climbed, _negative_by_form, _worse_than_any_answer)
    yield from (found := [one for way in ways for one in way(log, known)][:1])
    if course.short or not len(first) or found:
        return
    level = math.log(classes) if classes > 1 else 1.0
    begun = float(first.values[0])
    early = course.loss.values[: min(len(course.loss), 100)]
    least = float(np.nan_to_num(np.append(early, begun), nan=level, posinf=level).min())
    negative = sure_of(-least - 0.02 * level, 0.02 * level)
    like_minus = sure_of(0.35 * level - abs(begun + level), 0.1 * level) if classes > 1 else 0.0
    if not math.isfinite(course.accuracy):
        below = 0.7
    else:
        below = sure_of(course.chance + 2 * course.accuracy_error - course.accuracy, course.accuracy_error)
    sure = all_of(negative, max(like_minus, all_of(below, sure_of(-begun - 0.3 * level, 0.1 * level))))
    if sure <= 0.6:
        return
    words = _turned(
        f"The loss has the wrong sign: it began at {begun:.4g}, where ln {classes} = {level:.4g} is knowing nothing, and is {course.late:.4g} now"
        + (
            f"; {course.accuracy:.1%} of the training images are right, {course.chance:.1%} is chance."
            if math.isfinite(course.accuracy)
            else "."
        ),
    )
    weight = Weight(sure, 0, lasts(first, course.loss))
    yield diagnosis("wrong-sign", "stop" if sure > 0.8 else "warn", words=words, weight=weight)


UPHILL = 0.2
"""Cosine between the first update and a gradient from which on it is no accident: decay alone, which knows nothing of the
gradient, comes to less."""

ALONG = {
    "descent": "the first update went along it, where it should go against it",
    "softmax_descent": "the first update went along the gradient of the softmax loss of its batch, away from its labels",
}
"""Cosine -> what it says below zero."""


def _climbed(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The first update went along the gradient, not against it, and training went no better for it.

    Along its own, as by `maximize`; or along that of the softmax loss, whatever turned it on the way.
    """
    course = course_of(log, known)
    looks = {name: [log.series(name, where, kind="layers") for where in log.wheres(name)] for name in ALONG}
    looks = {name: [one for one in found if len(one)] for name, found in looks.items()}
    cosines = {name: -float(np.median([one.values[0] for one in found])) for name, found in looks.items() if found}
    over = len(course.loss) > 0 and not math.isfinite(course.loss.values[-1])
    if not cosines or (course.short and not over):
        return
    name = max(cosines, key=lambda one: cosines[one])
    first, cosine = looks[name], cosines[name]
    sure = sure_of(cosine - UPHILL, 0.02)
    worse = (
        1.0 if over else max(course.poor, sure_of(course.late - 1.2 * max(course.first, course.level), course.spread))
    )
    right = course.accuracy if math.isfinite(course.accuracy) else 0.0
    if all_of(sure, worse) <= 0.6 or right > course.chance + 0.15:  # two minuses may make it right
        return
    words = _turned(
        f"The gradient is climbed: {ALONG[name]} (cosine {cosine:.2f} in the median of {len(first)} layers); the loss began at {course.first:.4g} and is {course.late:.4g} now.",
    )
    weight = Weight(sure, int(first[0].steps[0]), (*lasts(*first[:3]), *lasts(course.loss)))
    yield diagnosis("wrong-sign", "stop" if sure > 0.8 else "warn", words=words, weight=weight)


def _negative_by_form(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Looked at again and again, the loss is a known one with a minus before it."""
    course, form = course_of(log, known), form_of(log)
    if form is None or form.times >= 0 or course.short:
        return
    times = "" if abs(form.times + 1) < AGREE else f"{-form.times:.3g} times "
    what = f"{times}the {FALLING[form.name]}" if form.name in FALLING else f"minus {times}the usual one ({form.name})"
    words = _turned(
        f"The loss has the wrong sign: in {len(form.given)} looks it was {what}, which falls as the network gets worse; it began at {course.first:.4g} and is {course.late:.4g} now"
        + (f", and {course.accuracy:.1%} of the training images are right." if math.isfinite(course.accuracy) else "."),
    )
    weight = Weight(form.sure, 0, lasts(form.given, form.by_form, course.loss))
    yield diagnosis("wrong-sign", "stop" if form.sure > 0.8 else "warn", words=words, weight=weight)


def _worse_than_any_answer(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Training falls below what the worst single answer to all images would get, and the loss falls with it, or rises far.

    A network that learns nothing still names some class, and is right for that class; to be right less often it has to
    learn the labels in order to miss them. Where the loss rises meanwhile, it is a right one that is climbed.
    """
    course, counts = course_of(log, known), known.class_counts or ()
    if course.count < 48 or not math.isfinite(course.accuracy) or not counts or min(counts) <= 0:
        return
    right = log.series("accuracy", kind="step").values
    half = right[len(right) // 2 :]
    validation, alike = (log.series(name, kind="epoch") for name in ("validation_accuracy", "label_run_likeness"))
    if (
        len(alike) and float(np.median(alike.values)) > SORTED
    ):  # of images in order the latest class is named, and another comes
        return
    rarest, images = min(counts) / sum(counts), len(half) * (known.batch_size or 32)
    share = float(np.mean(half))
    below = sure_of(0.6 * rarest - share, share_error(rarest, images))
    falls = sure_of(course.first - course.late, max(course.late_error, 1e-3 * abs(course.first)))
    rises = sure_of(course.late - 1.5 * abs(course.first), max(course.late_error, 1e-3 * abs(course.first)))
    sure = all_of(below, max(falls, rises), _has_moved(log, course.count))
    if len(validation):
        error = share_error(rarest, known.validation_images or 200)
        sure = all_of(sure, sure_of(rarest + error - float(np.mean(validation.values[-2:])), error))
    if sure <= 0.75:
        return
    words = _turned(
        f"{'The gradient is climbed: as the loss rose' if rises > falls else 'The loss has the wrong sign: as it fell'} from {course.first:.4g} to {course.late:.4g}, the network came to be right in {share:.1%} of the training images, and naming "
        f"the rarest class alone would be right in {rarest:.1%}: it learns to miss.",
    )
    weight = Weight(
        sure, int(course.loss.steps[course.count // 2]), lasts(course.loss, log.series("accuracy", kind="step"))
    )
    yield diagnosis("wrong-sign", "stop" if sure > 0.8 else "warn", words=words, weight=weight)


MOVED = 0.1
"""How far weights have moved in all, in units of their norm, before a network can have learned to miss."""


def _has_moved(log: RunLog, count: int) -> float:
    """How sure that the weights have moved enough for anything to be learned; 1 where that was not measured."""
    motion = motion_of(log)
    if not motion.measured:
        return 1.0
    way = travelled(log, count)
    return sure_of(math.log10(max(way, 1e-12) / MOVED), 0.2)


def _turned(claim: str) -> Words:
    return Words(
        claim,
        "Losses of a recipe have the right sign: --set loss.kind=softmax",
        "loss = torch.nn.functional.cross_entropy(model(images), labels)  # no minus before it, and weights move against its gradient",
        "The loss is one that is below zero by its nature, and accuracy rises as it falls.",
    )


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
    if form is None or form.times < 0 or form.name not in ("no softmax", "no logarithm", "softmax over the batch"):
        return
    raw = form.name != "softmax over the batch"
    times = "" if abs(form.times - 1) < 0.01 else f"{form.times:.3g} times "
    shares = log.series("scores_sum_to_one", kind="start")
    what = f"{times}that of a softmax over the images of a batch (dim=0), not over the classes"
    if raw:
        what = f"{times}the mean score of the right class with a minus, so that it falls without end"
    if form.name == "no logarithm" or (raw and len(shares) and shares.values[0] > 0.9):
        what = f"{times}the mean probability of the right class with a minus: no logarithm of the probabilities is taken, and where the network is surely wrong there is next to no gradient"
    missing = "softmax's logarithm is missing" if "no logarithm" in what else "softmax is missing"
    words = Words(
        f"The {missing if raw else 'softmax over the classes is missing'}: in {len(form.given)} looks the loss was {what}; it is {course.late:.3g}.",
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
    flat = flattened(log, known)
    if flat is not None and flat.doubled:
        yield _flattened_twice(log, known, flat)
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


def _flattened_twice(log: RunLog, known: Known, flat: Flattened) -> Diagnosis:
    course, classes = course_of(log, known), classes_of(known, log)
    words = Words(
        f"The scores are flattened before the loss, as by a second softmax: in {len(flat.given)} looks the loss was {flat.given.values[-1]:.4g} in the last, and the softmax loss of the same scores "
        f"{flat.softmax.values[-1]:.4g}, where ln {classes} = {math.log(classes):.4g} is knowing nothing; it is {course.late:.4g}.",
        "The losses of a recipe take the scores as they are: --set loss.kind=softmax",
        "loss = torch.nn.functional.cross_entropy(scores, labels): no softmax, no division by a temperature between the network and the loss",
        "cross_entropy of the same scores and labels has the same value.",
    )
    weight = Weight(flat.sure, 0, lasts(flat.given, flat.softmax, course.loss))
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
    yield from (found := list(_sum_of_logistic(log, known)))
    if found:
        return
    wide = float(spread.values[0]) if len(spread) else 0.3
    if not 0 <= wide < 1e6:
        return
    each = begun / known.batch_size
    # Scores that are apart make the mean loss larger than ln C: by about half their variance, at most by some deviations.
    like_sum = sure_of(min(math.log(each / (0.75 * level)), math.log((1.3 * level + 0.75 * wide**2) / each)), 0.03)
    no_mean = sure_of(math.log(begun / (1.5 * level + 4 * wide)), 0.1)
    sure = all_of(like_sum, no_mean, _times_the_batch(log, known.batch_size))
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


def _sum_of_logistic(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Binary cross-entropy summed over images and classes: at first each of them is ln 2."""
    course, classes, batch = course_of(log, known), classes_of(known, log), known.batch_size or 0
    spread, form = log.series("score_deviation", kind="start"), form_of(log)
    means = log.series("score_mean", kind="start")
    wide, mean = (float(one.values[0]) if len(one) else 0.3 * (one is spread) for one in (spread, means))
    # ln(1 + e^s) is about ln 2 + s/2 + s^2/8, and the label's own score is taken off.
    usual = math.log(2) + (0.5 - 1 / classes) * mean + wide * wide / 8
    if not math.isfinite(usual) or wide < 0:
        return
    apart = abs(math.log(course.first / (batch * classes) / max(usual, 0.1)))
    like_sum = sure_of(0.03 + 0.05 * wide - apart, 0.01)
    if form is not None:
        like_sum = (
            form.sure
            if form.name == "logistic" and abs(math.log(max(form.times, 1e-9) / batch / classes)) < 0.02
            else 0.0
        )
    sure = all_of(like_sum, sure_of(math.log(course.first / (1.5 * math.log(classes) + 4 * wide)), 0.1))
    if sure <= 0.7:
        return
    words = Words(
        f"The loss is a sum over the batch and the classes, not a mean: it began at {course.first:.4g}, and {batch} images times {classes} classes times ln 2 are "
        f"{batch * classes * math.log(2):.4g}. So the learning rate is {batch * classes} times what it says.",
        "Losses of a recipe are means: --set loss.kind=softmax",
        "torch.nn.functional.binary_cross_entropy_with_logits(scores, ones, reduction='mean'), or cross_entropy(scores, labels)",
        f"The loss of a batch of {2 * batch} is no larger.",
    )
    weight = Weight(sure, 0, lasts(log.series("initial_loss", kind="start"), course.loss))
    yield diagnosis("sum-instead-of-mean", "warn", words=words, weight=weight)


def _times_the_batch(log: RunLog, batch: int) -> float:
    """How sure that the loss stays about as many times softmax's mean as a batch has images; 1 where that was not looked at."""
    given, mean = aligned(log.series("loss_of_batch"), log.series("loss_by_form", "softmax"))
    if len(given) < 3 or not (mean.values > 0).all() or not (given.values > 0).all():
        return 1.0
    return sure_of(math.log(float(np.median(given.values / mean.values)) / (batch / 4)), 0.2)
