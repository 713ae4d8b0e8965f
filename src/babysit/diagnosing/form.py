"""What the log says of the loss's formula and of what stands at the network's end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from babysit.diagnosing.evidence import aligned, sure_of
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
