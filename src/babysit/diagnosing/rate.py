"""Rules about the learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import Course, course_of, rising
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, joined, lasts, named, since, slope, sure_of
from babysit.diagnosing.form import end_of
from babysit.diagnosing.generalising import gap_of
from babysit.diagnosing.motion import Motion, motion_of, travelled
from babysit.diagnosing.remedies import (
    USUAL_MOMENTUM,
    lower_rate,
    lowered,
    raised,
    raised_rate,
)
from babysit.record.diagnosis import Diagnosis, Experiment
from babysit.record.known import Known
from babysit.record.log import RunLog

LARGE = 0.03
"""Update ratio above which weights do not keep what they learned; the rule of thumb is 0.001."""

FIRST = 10.0
"""How many times as large the first updates are before they say as much."""

SMALL, BRISK = 2e-4, 4e-3
EXPECTED = 300
"""Updates that a training makes at the least, where its plan is not known."""

NEEDED = 0.15
"""How far weights must move in all, in units of their norm, before anything can be expected of them."""

WARM_UP, WARM_EPOCHS = 80, 3
"""Updates and epochs after which a rate that has only risen is no warm-up's any more."""

JUMP = 1.5
"""The loss over the first one from which on the first updates have done harm."""

ADAPTIVE = (
    "adam",
    "adamw",
    "Adam",
    "AdamW",
    "rmsprop",
    "RMSprop",
    "adagrad",
    "Adagrad",
    "muon",
    "lion",
    "NAdam",
    "RAdam",
)
"""Optimisers whose momentum does not lengthen the steps."""

BY_WEIGHT = ("adam", "adamw", "Adam", "AdamW", "rmsprop", "RMSprop", "NAdam", "RAdam")
"""Optimisers that move every single weight by about the rate."""

WHOLE = 0.1
"""Their rate from which on an update is as large as usual weights are."""

LONG_SINCE = 100
"""Updates after a jump by which a loss that came down is below knowing nothing, if anything is left to learn with."""

LEAST_USUAL = {
    **{"sgd": 0.01, "momentum": 0.004, "nesterov": 0.004, "adagrad": 1e-3},
    **dict.fromkeys(("adam", "adamw", "nadam", "radam", "rmsprop"), 1e-4),
}
"""Optimiser -> rate from which on it is not the rate that keeps weights from moving."""

PENALTY = 0.5
"""The penalty's gradient over the data's from which on regularisation is the other explanation of a slow loss."""


def learning_rate_too_high(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The first updates threw the loss up, or updates are a large part of the weights; and little or nothing was learned."""
    course, motion = course_of(log, known), motion_of(log)
    if course.hardly_begun or course.level <= 0 or course.late < 0 or end_of(log, known) is not None:
        return
    jump, place = jump_of(course)
    by_jump = sure_of(math.log(max(jump, 1e-9) / JUMP), 0.05 + course.noise / max(course.level, 1e-9))
    by_ratio, ratio = _by_ratio(log, motion)
    died, where = died_since(log)
    by_death = sure_of(died - 0.7, 0.05)
    friction = 1 / max(1 - (known.momentum or 0.0), 1e-6) if known.optimizer_kind not in ADAPTIVE else 1.0
    by_momentum = sure_of(math.log10(friction / 40), 0.1)
    by_rate = _by_rate(course, known)
    caused = max(by_jump, by_ratio, by_death, by_momentum, by_rate)
    # Where most of a layer has died, what it has learned so far is what it will learn.
    lost = all_of(by_death, sure_of(0.6 - course.way, course.spread / course.level))
    sure = all_of(max(all_of(caused, course.poor), lost), _stands(log, known, by_jump, place))
    severity = "warn"
    if sure <= 0.6:  # little harm was done, but the settings or the updates say enough
        large_still = all_of(max(by_ratio, by_rate), sure_of(0.9 - course.way, course.spread / course.level))
        sure, severity = all_of(max(by_momentum, large_still), sure_of(0.98 - course.way, 0.01)), "note"
        sure = sure if sure > 0.75 else 0.0
    if caused <= 0.5 or sure <= 0.6:
        return
    rate = peak_of(course, known)
    seen = []
    if by_jump > 0.5:
        seen.append(f"the loss rose to {jump:.3g} times the first one ({course.first:.3g}) by step {place}")
    if by_ratio > 0.5:
        seen.append(f"an update changes the weights by {ratio:.2g} of their norm, and 0.001 is usual")
    if by_death > 0.5:
        seen.append(f"{died:.0%} of the units of {named(where)} have died since the start")
    if by_momentum > 0.5:
        seen.append(f"a momentum of {known.momentum:g} multiplies it by {friction:.0f}")
    if by_rate > 0.5:
        seen.append(f"{known.optimizer_kind} moves every weight by up to the rate")
    claim = f"The learning rate{_of(rate)} is too high: {joined(seen)}, and the loss is at {course.late:.3g} now, where {course.level:.3g} is knowing nothing."
    # A momentum near one is mended as such: a lower rate would have to make up for it.
    momentum = by_momentum > 0.5 and by_momentum == caused
    remedy = {"optim.momentum": USUAL_MOMENTUM} if momentum else lower_rate(log, known)
    lower = f"{lowered(log, known):.3g}"
    words = Words(
        claim,
        f"Take the usual momentum: --set optim.momentum={USUAL_MOMENTUM}"
        if momentum
        else f"Lower it: --set optim.lr={lower}, or warm up longer: --set schedule.warmup=0.3",
        f"for group in optimizer.param_groups: group['{'momentum' if momentum else 'lr'}'] = {USUAL_MOMENTUM if momentum else lower}",
        "With that the first hundred updates do no better than these.",
    )
    yield diagnosis(
        "learning-rate-too-high",
        severity,
        words=words,
        weight=Weight(
            sure,
            place if by_jump > 0.5 else poor_since(course),
            (*lasts(course.loss, course.rate), *motion.observations()),
        ),
        remedy=remedy,
        experiment=Experiment(remedy, 60, "loss", "below", 0.9, "start") if rate and remedy else None,
    )


def _by_ratio(log: RunLog, motion: Motion) -> tuple[float, float]:
    """How sure by updates that are a large part of the weights, and how large a part.

    First updates of small weights are large, and soon are not: these count from ten times the bound on. What is taken
    away from weights is a large part of them too.
    """
    if not motion.measured:
        return 0.0, 0.0
    large = LARGE if len(motion.layers) > 1 else 3 * LARGE  # a new head by itself has small weights to learn from
    found = ((motion.ratio, large, motion.spread), (motion.early, FIRST * large, motion.early_spread))
    late, early = ((sure_of(math.log10(max(ratio, 1e-12) / bound), spread), ratio) for ratio, bound, spread in found)
    return max(late, (all_of(early[0], _kept(log)), early[1]))


def _kept(log: RunLog) -> float:
    """How sure that what layers give has not sunk to nothing since the first look: then weights were taken away."""
    given = [log.series("activation_deviation", where, kind="layers") for where in log.wheres("activation_deviation")]
    left = [float(one.values[-1] / one.values[0]) for one in given if len(one) > 1 and 0 < one.values[0] < math.inf]
    left = [one for one in left if math.isfinite(one)]
    return sure_of(1 + math.log10(max(float(np.median(left)), 1e-12)), 0.2) if left else 1.0


def _by_rate(course: Course, known: Known) -> float:
    """How sure by the setting alone: an optimiser of Adam's family whose every update is as large as usual weights."""
    rate = peak_of(course, known)
    return sure_of(math.log10(rate / WHOLE), 0.15) if rate and known.optimizer_kind in BY_WEIGHT else 0.0


def _stands(log: RunLog, known: Known, by_jump: float, place: int) -> float:
    """How sure that it gets no further: the loss does not fall, or came down from a jump at `place` to knowing nothing."""
    course, all_the_same = course_of(log, known), _learns_all_the_same(log, known)
    long_since = sure_of(math.log(max(course.last_step - place, 1) / LONG_SINCE), 0.1)
    stands = max(1 - course.falling, all_of(by_jump, course.at_chance, long_since))
    return all_of(stands, 1 - all_the_same if all_the_same > 0.6 else 1.0)


def _learns_all_the_same(log: RunLog, known: Known) -> float:
    """How sure that it learns where the training loss does not show it, so that it is not the rate that holds it back.

    The accuracy of its batches rises; or validation is well ahead of training, whose images or labels are the harder.
    """
    gap = gap_of(log, known)
    ahead = sure_of(-gap.difference - 0.05, gap.error) if gap is not None and len(gap.validation) >= 3 else 0.0
    return max(rising(log), ahead)


def learning_rate_too_low(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The loss has hardly moved and goes down in a line; the weights have hardly moved either.

    Why accuracy can rise while the loss does not: the scores are all but equal, so the loss is ln C whatever happens,
    but the order of the scores, which is what accuracy sees, changes with the smallest push in the right direction.
    """
    course, motion, sure = course_of(log, known), motion_of(log), slow(log, known)
    if sure <= 0.6 or usual_rate(course, known):
        return
    rate = peak_of(course, known)
    falling = _falls(course)
    claim = (
        f"The learning rate{_of(rate)} is too low: the loss went from {course.first:.4g} to {course.late:.4g} in "
        f"{course.count} updates{falling}, an update changes the weights by {motion.ratio:.1g} of their norm (0.001 is usual)."
    )
    if math.isfinite(course.accuracy) and course.accuracy > course.chance + 0.05:
        claim += f" The accuracy rose to {course.accuracy:.0%} all the same: it sees the order of the scores, the loss their size."
    remedy = raised_rate(log, known)
    higher = f"{raised(log, known):.3g}"
    words = Words(
        claim,
        f"Raise it: --set optim.lr={higher}, or leave optim.lr out to have it chosen by rule",
        f"for group in optimizer.param_groups: group['lr'] = {higher}",
        "At that rate the loss falls no faster; then look at initial weights and gradients instead.",
    )
    evidence = (*lasts(course.loss, course.rate), *motion.observations())
    yield diagnosis(
        "learning-rate-too-low",
        "warn",
        words=words,
        weight=Weight(sure, poor_since(course), evidence),
        remedy=remedy,
        experiment=Experiment(remedy, 60, "loss", "below", 0.98) if remedy else None,
    )


def slow(log: RunLog, known: Known) -> float:
    """How sure that the weights hardly move, from one update to the next or in all, and that nothing is learned for it."""
    course, motion = course_of(log, known), motion_of(log)
    if course.short or not motion.measured or motion.ratio == 0:
        return 0.0
    way, needed = travelled(log, max(course.count, known.planned_steps or EXPECTED)), NEEDED
    if usual_rate(course, known):  # slow at first is many a network that is on its way
        needed /= 3
    by_way = sure_of(math.log10(needed) - math.log10(max(way, 1e-12)), motion.spread)
    by_ratio = sure_of(
        math.log10(SMALL) - math.log10(max(motion.early, motion.late, 1e-12)), motion.spread
    )  # after a warm-up: late
    not_high = sure_of(0.2 - max(0.0, jump_of(course)[0] - 1), 0.01 + 0.3 * course.noise / course.level)
    # A loss that jumps of itself, in small batches, say, was not thrown up by updates of a hundred-thousandth.
    largest = max(motion.early, motion.late, 1e-12)
    not_high = max(not_high, sure_of(math.log10(SMALL / 10) - math.log10(largest), motion.spread))
    fastest = max(float(np.median(one.values[-max(2, len(one) // 2) :])) for one in motion.layers.values())
    none_moves = sure_of(math.log10(BRISK / min(max(fastest, 1e-12), 1e12)), 0.3)  # a body may be given less on purpose
    sure = all_of(max(by_way, by_ratio), course.poor, not_high, none_moves, 0.0 if _warming_up(course, known) else 1.0)
    penalty = penalty_share(log)
    if penalty > PENALTY:
        sure = all_of(sure, sure_of(-math.log10(penalty), 0.3))
    return sure


def usual_rate(course: Course, known: Known) -> bool:
    """Whether the rate of a loop of one's own is one at which networks of any kind are known to learn.

    Where weights hardly move under it, it is their gradient that is small, or shortened. In a recipe what is usual is
    known better, by its own rule.
    """
    rates = course.rate.values[np.isfinite(course.rate.values)]
    rate = float(np.median(rates)) if len(rates) else known.learning_rate or 0.0
    return not known.has_recipe and rate >= LEAST_USUAL.get(known.optimizer_kind or "", math.inf)


def penalty_share(log: RunLog) -> float:
    """The late median of the penalty's gradient norm over the data's; 0 when not measured."""
    penalty = log.series("penalty_gradient_norm", kind="step")
    gradient = log.series("gradient_norm", kind="step")
    if not len(penalty) or not len(gradient):
        return 0.0
    data = np.interp(penalty.steps, gradient.steps, gradient.values)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = penalty.values / data
    share = share[np.isfinite(share)]
    return float(np.median(share[-max(4, len(share) // 3) :])) if len(share) else 0.0


def jump_of(course: Course) -> tuple[float, int]:
    """The highest smoothed loss over the larger of first loss and level, and the step where it was."""
    smoothed = course.smoothed()
    values = np.where(np.isfinite(smoothed.values), smoothed.values, np.inf)
    if not len(values):
        return 1.0, 0
    place = int(np.argmax(values))
    return float(values[place] / max(course.first, course.level, 1e-9)), int(smoothed.steps[place])


def _warming_up(course: Course, known: Known) -> bool:
    """Whether the rate has risen over the last fifth of the updates, and is at its highest; a warm-up has an end."""
    rates = course.rate.values
    if known.planned_steps and course.count > max(WARM_UP, 0.95 * known.planned_steps):
        return False
    if course.count > WARM_UP and len(course.rate) and course.rate.epochs[-1] >= WARM_EPOCHS:
        return False
    back = rates[-max(8, len(rates) // 5) :]
    return len(rates) > 0 and rates[-1] >= 0.999 * rates.max() and back[0] < 0.98 * rates[-1]


def died_since(log: RunLog) -> tuple[float, str]:
    """The largest share of a layer's units that died since the first look, and the layer."""
    worst, place = 0.0, ""
    for where in log.wheres("dead_share"):
        one = log.series("dead_share", where, kind="layers")
        if len(one) >= 4:
            died = float(np.median(one.values[-max(3, len(one) // 4) :]) - one.values[0])
            if died > worst:
                worst, place = died, where
    return worst, place


def _falls(course: Course) -> str:
    value, error = slope(course.loss.values)
    return ", in a line and slowly" if value < -2 * error else ""


def peak_of(course: Course, known: Known) -> float:
    """The peak learning rate, as seen or as told; 0 when neither."""
    return float(course.rate.values.max()) if len(course.rate) else (known.learning_rate or 0.0)


def _of(rate: float) -> str:
    return f" of {rate:.3g}" if rate else ""


def poor_since(course: Course) -> int:
    """The step from which on the loss is on the poor side to the end."""
    smoothed = course.smoothed()
    return since(smoothed.steps, smoothed.values > 0.75 * course.level)
