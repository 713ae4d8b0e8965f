"""Rules about values that are not numbers any more, or on their way there."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import course_of
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, named, since, spelled, sure_of
from babysit.diagnosing.remedies import begin_of, calmed, first_weights, lowered, peak_rate
from babysit.record.diagnosis import Diagnosis, Experiment
from babysit.record.known import Known
from babysit.record.log import RunLog
from babysit.record.observation import Observation

EXPLODED = 3.0
"""The loss over the first one from which on a training is lost (the lecture quits a try there)."""

LONG = 12
"""Updates for which it must stay so high."""


def not_a_number(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The training loss became NaN or infinite, and stays so. There is no way back from it: stop.

    The evidence is the first such step, up to three before it, and the layer where it was seen first, if it was.
    """
    loss = log.series("loss", kind="step")
    broken = ~np.isfinite(loss.values)
    if not broken.any():
        return
    place = int(np.argmax(broken))
    share = float(broken[place:].mean())
    sure = sure_of(math.inf if share == 1 else share - 0.5, 1 / math.sqrt(len(loss) - place))
    before = [loss.observation(one) for one in range(max(0, place - 3), place)]
    layer = _first_place(log)
    remedy = calmed(log, known) if before else first_weights(known)
    lower = f"{lowered(log, known):.3g}"
    claim = f"The loss is {loss.values[place]} since step {loss.steps[place]}"
    claim += f", after {spelled([one.value for one in before])}" if before else ", from the very first step"
    claim += f"; it was seen first in {named(layer.where)}." if layer else "."
    advice, code = (
        f"Lower the learning rate until the loss falls, first with --set optim.lr={lower}, or leave optim.lr out to have "
        "it chosen by rule",
        f"for group in optimizer.param_groups: group['lr'] = {lower}",
    )
    if not before:
        advice = "Look at the inputs and the initial weights: one of them holds values that are not numbers"
        code = "assert torch.isfinite(images).all() and all(torch.isfinite(one).all() for one in model.parameters())"
    words = Words(claim, advice, code, "The next losses are numbers again.")
    weight = Weight(sure, int(loss.steps[place]), (*before, loss.observation(place), *([layer] if layer else [])))
    yield diagnosis(
        "not-a-number",
        "stop" if broken[-1] else "warn",
        words=words,
        weight=weight,
        remedy=remedy,
        where=layer.where if layer else "",
        begin=begin_of(log, known, int(loss.steps[place])),
    )


def diverging(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The loss has risen to more than three times its first value and stays there: stop."""
    course = course_of(log, known)
    if course.count < 2 * LONG or not math.isfinite(course.late) or course.level <= 0:
        return
    first = course.first if math.isfinite(course.first) else course.level  # it may begin with no number, and come down
    bound = EXPLODED * max(first, course.level)
    last = course.loss.values[-max(LONG, course.count // 10) :]
    sure = all_of(
        sure_of(math.log(max(course.late, 1e-12)) - math.log(bound), 0.05 + course.spread / max(course.late, 1e-12)),
        sure_of(float(np.mean(last > bound)) - 0.75, 0.05),
    )
    if sure <= 0.6:
        return
    lower = lowered(log, known)
    words = Words(
        f"The loss diverges: it was {course.first:.4g} at first and is {course.late:.4g} now, for {len(last)} updates.",
        f"Lower the learning rate: --set optim.lr={lower:.3g}",
        f"for group in optimizer.param_groups: group['lr'] = {lower:.3g}",
        "The loss comes down below its first value by itself.",
    )
    weight = Weight(
        sure,
        since(course.loss.steps, course.loss.values > bound),
        (course.loss.observation(0), *lasts(course.loss, course.rate)),
    )
    rate = peak_rate(log, known)
    experiment = Experiment({"optim.lr": lower}, 60, "loss", "below", 0.5, "start") if rate else None
    yield diagnosis(
        "diverging",
        "stop" if sure > 0.75 else "warn",
        words=words,
        weight=weight,
        remedy=calmed(log, known),
        experiment=experiment,
        begin=begin_of(log, known, weight.since),
    )


def _first_place(log: RunLog) -> Observation | None:
    """The layer, nearest the input, in which a value that is no number was seen first."""
    found = []
    for order, quantity in enumerate(("activation_not_finite", "gradient_not_finite")):
        for depth, where in enumerate(log.wheres(quantity)):
            seen = log.series(quantity, where, kind="layers")
            places = np.flatnonzero(seen.values > 0)
            if len(places):
                found.append((int(seen.steps[places[0]]), order, depth, seen.observation(int(places[0]))))
    return min(found, key=lambda one: one[:3])[3] if found else None
