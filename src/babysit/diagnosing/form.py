"""What the log says of the loss's formula and of what stands at the network's end."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from babysit.diagnosing.course import Course, classes_of, course_of
from babysit.diagnosing.evidence import aligned, all_of, sure_of
from babysit.record.known import Known, Layer
from babysit.record.log import RunLog
from babysit.record.series import Series

AGREE = 2e-3
"""How far a loss may be from a formula's, as a share of it, and still be that formula's."""

VARY = 5e-3
"""How much a formula's values must vary to tell anything."""

RECTIFYING = ("ReLU", "ReLU6")
PASSED = ("Identity", "Dropout", "Flatten")
SQUASHING = {"Sigmoid": 1.0, "Hardsigmoid": 1.0, "Tanh": 2.0, "Hardtanh": 2.0, "Softsign": 2.0}
"""Functions with two limits -> how far apart these are."""


VAGUE = 0.05
"""Error of a share of label smoothing from which on nothing was read: of scores that are all alike any share fits."""

FLAT = 0.35
"""How far a loss is from ln C, over how far softmax's is of the same scores, below which something has flattened these."""

UNDERRATED = 1.15
"""The loss over the largest that its accuracy allows a calibrated network, from which on it cannot be made of such scores."""


@dataclass(frozen=True, slots=True)
class Form:
    """The formula by which a loss was made: `times` its value, `sure` how sure, and the two series that agree."""

    name: str
    times: float
    sure: float
    given: Series
    by_form: Series


def form_of(log: RunLog) -> Form | None:
    """The formula that a loop's loss follows in every look, up to a constant factor; None where that is not known.

    Softmax's own is preferred: scores that are logarithms of probabilities have the same loss with it and without.
    """
    found = []
    for name in log.wheres("loss_by_form"):
        given, values = aligned(log.series("loss_of_batch"), log.series("loss_by_form", name))
        if len(given) < 3 or not np.isfinite([given.values, values.values]).all() or (values.values == 0).any():
            continue
        shares = given.values / values.values
        times = float(np.median(shares))
        if times == 0 or np.std(values.values) < VARY * abs(np.mean(values.values)):
            continue
        apart = float(np.abs(shares / times - 1).max())
        sure = sure_of(AGREE - apart, AGREE / 10)
        if sure > 0.6:
            found.append(Form(name, times, sure, given, values))
    return max(found, key=lambda one: (one.name == "softmax", abs(one.times - 1) < AGREE, one.sure), default=None)


UNSUITABLE = {
    "absolute": "the mean absolute difference of scores and ones and zeros",
    "squares": "the mean squared difference of scores and ones and zeros",
    "squares of shares": "the mean squared difference of the softmax and ones and zeros",
}
"""Formula -> in words, of those that suit numbers, not classes."""


def unsuitable(log: RunLog) -> Form | None:
    """The loss's formula, where it is one that suits numbers, not classes."""
    form = form_of(log)
    return form if form is not None and form.name in UNSUITABLE else None


@dataclass(frozen=True, slots=True)
class Flattened:
    """Scores that do not reach the loss as they are: something with narrow limits stands between.

    `doubled` whether the loss is nearer to ln C than with a second softmax, whose floor it then keeps all the more.
    """

    sure: float
    doubled: bool
    given: Series
    softmax: Series


@dataclass(frozen=True, slots=True)
class Smoothing:
    """A loss that is (1 - share) softmax + share all classes alike in every look, and the standard error of the share."""

    share: float
    error: float
    given: Series
    softmax: Series
    alike: Series


def smoothing_of(log: RunLog, known: Known) -> Smoothing | None:
    """The label smoothing that the looks at the loss agree on; None where there is none that they do."""
    level, names = course_of(log, known).level, ("softmax", "all classes alike")
    given, softmax, alike = aligned(log.series("loss_of_batch"), *(log.series("loss_by_form", one) for one in names))
    apart, above = alike.values - softmax.values, given.values - softmax.values
    if len(given) < 3 or not np.isfinite([above, apart]).all():
        return None
    exact = AGREE * level  # how exactly losses are known
    share = float((apart * above).sum() / max(float((apart**2).sum()), 1e-12))
    if np.abs(above - share * apart).max() > exact or np.abs(apart).max() < 3 * exact:
        return None
    error = exact / math.sqrt(float((apart**2).sum()))
    return Smoothing(share, error, given, softmax, alike) if error < VAGUE else None


def flattened(log: RunLog, known: Known) -> Flattened | None:
    """A loss that begins at ln C and stays nearer to it than the softmax of the scores does; None where it is not so.

    Or one whose accuracy says that the scores are far apart, and which has not gone below what scores within [0, 1] allow.
    """
    course, classes, form = course_of(log, known), classes_of(known, log), form_of(log)
    names = ("softmax", "softmax twice")
    given, softmax, twice = aligned(log.series("loss_of_batch"), *(log.series("loss_by_form", one) for one in names))
    if course.short or classes < 2 or len(given) < 3 or form is not None:
        return None
    if smoothing_of(log, known) is not None:  # it has a floor of its own
        return None
    if not np.isfinite([given.values, softmax.values, twice.values]).all():
        return None
    level = math.log(classes)
    begun = sure_of(0.1 * level - abs(course.first - level), 0.02 * level)
    away = [np.abs(one.values - level) for one in (given, softmax, twice)]
    ours, plain, second = (float(np.median(one)) for one in away)
    near = sure_of(math.log(FLAT / max(ours / max(plain, 1e-9), 1e-9)), 0.3)
    worst = float((away[0] / np.maximum(away[1], 0.02 * level)).max())  # where images are mixed it is so in some looks
    near = all_of(near, sure_of(math.log(2 * FLAT / max(worst, 1e-9)), 0.3))
    near = all_of(near, sure_of(plain / level - 0.02, 0.005))  # of scores that are all alike every loss is ln C
    floor = math.log(math.e + classes - 1) - 1
    above = sure_of(float(np.nanmin(course.smoothed().values[2:])) - floor, 0.01 * level)
    underrated = all_of(sure_of(unsureness(course, classes) - UNDERRATED, 0.05), above, 1 - course.falling)
    sure = all_of(begun, max(near, underrated))
    return Flattened(sure, ours < 0.6 * second, given, softmax) if sure > 0.6 else None


def unsureness(course: Course, classes: int) -> float:
    """The training loss over the largest that its accuracy allows a calibrated network, that of doubt spread evenly.

    -a ln a - (1 - a) ln((1 - a)/(C - 1)); where some images are easy and some hard, the loss is well below it. 0 where
    nearly none or nearly all are right.
    """
    right = course.accuracy
    if classes < 2 or not 0.02 < right < 0.98:
        return 0.0
    return course.late / (-right * math.log(right) - (1 - right) * math.log((1 - right) / (classes - 1)))


def end_of(log: RunLog, known: Known) -> Layer | None:
    """The function with a limit that stands between the scores and the softmax of the loss, None where there is none.

    Layers are known in the order in which they were made. The last one made is the last that runs only where its first
    output has the mean and deviation of the first scores.
    """
    layers = [one for one in known.layers or () if not one.kind.startswith(PASSED)]
    if not layers or layers[-1].kind not in (*RECTIFYING, *SQUASHING) or known.loss_kind != "softmax":
        return None
    for quantity, score in (("activation_mean", "score_mean"), ("activation_deviation", "score_deviation")):
        seen, scores = log.series(quantity, layers[-1].name, kind="layers"), log.series(score, kind="start")
        if (
            not len(seen)
            or not len(scores)
            or abs(seen.values[0] - scores.values[0]) > AGREE * max(1.0, abs(scores.values[0]))
        ):
            return None
    return layers[-1]
