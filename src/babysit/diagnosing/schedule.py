"""Rules about the schedule of the learning rate: one that never moves, falls too fast, or should fall."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import course_of
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, slope, sure_of
from babysit.diagnosing.rate import peak_of
from babysit.diagnosing.remedies import falling_rate
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog


def schedule_never_moved(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """There is a schedule, and the rate is the same at every step."""
    rate = log.series("learning_rate", kind="step")
    if len(rate) < 24 or known.schedule_kind in (None, "", "none", "constant") or not rate.values.any():
        return  # a rate of zero has nothing to move
    done = len(rate) / max(known.planned_steps or len(rate), len(rate))
    epochs = int(rate.epochs[-1]) + 1
    span = float(rate.values.max() - rate.values.min()) / max(float(rate.values.max()), 1e-30)
    still = sure_of(1e-3 - span, 1e-4)
    sure = all_of(still, sure_of(done - 0.25, 0.1) if known.planned_steps else sure_of(epochs - 2.5, 0.3))
    if sure <= 0.6:
        return
    words = Words(
        f"The schedule ({known.schedule_kind}) never moved: the learning rate is {rate.values[-1]:.3g} at every one of {len(rate)} updates.",
        "Choose one that moves: --set schedule.kind=one-cycle",
        "call scheduler.step() after optimizer.step(), once per update or per epoch as the schedule counts",
        "The rate is seen to change in the steps to come.",
    )
    yield diagnosis(
        "schedule-never-moved",
        "warn",
        words=words,
        weight=Weight(sure, int(rate.steps[0]), (rate.observation(0), *lasts(rate))),
        remedy=falling_rate(),
    )


def schedule_too_fast(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The rate fell to nothing long before the end, and the loss stood still from then on, not learned out."""
    course = course_of(log, known)
    rates = course.rate.values
    if course.short or len(rates) < 40 or not rates.max() > 0:
        return
    total = max(known.planned_steps or 0, len(rates))
    peak = int(np.argmax(rates))
    begun = int(np.flatnonzero(rates >= 3e-3 * rates.max())[-1]) + 1  # one that comes back was not gone
    if begun >= len(rates):
        return
    left = (total - begun) / total
    wasted = sure_of(left - 0.3, 0.05)
    unlearned = sure_of(0.8 - course.way, course.spread / course.level)
    sure = all_of(wasted, unlearned, sure_of((len(rates) - begun) / total - 0.1, 0.02))
    if sure <= 0.6:
        return
    words = Words(
        f"The schedule lowers the learning rate too fast: it is {rates[-1]:.2g}, {rates[-1] / rates.max():.1g} of its peak, since step "
        f"{course.rate.steps[begun]}, with {left:.0%} of the training to go; the loss stands at {course.late:.3g}.",
        "Let it last for the whole run: --set schedule.kind=one-cycle, or a longer tau or every: --set schedule.every=10000",
        "call scheduler.step() once per epoch when its numbers count epochs, not after every batch",
        "With the rate held at a tenth of its peak the loss does not fall further.",
    )
    yield diagnosis(
        "schedule-too-fast",
        "warn" if course.way < 0.5 else "note",
        words=words,
        weight=Weight(
            sure, int(course.rate.steps[begun]), (course.rate.observation(peak), *lasts(course.rate, course.loss))
        ),
        remedy=falling_rate(),
    )


def plateau(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The loss has stopped falling at a rate that is still high: a lower one would let it settle."""
    course = course_of(log, known)
    half = course.loss.values[course.count // 2 :]
    rates = course.rate.values[course.count // 2 :]
    if (
        course.count < 100
        or not np.isfinite(half).all()
        or not len(rates)
        or rates.min() < 0.5 * course.rate.values.max()
    ):
        return
    value, error = slope(half)
    fall = -value * len(half)
    flat = sure_of(0.03 * course.level - fall, error * len(half))
    learned = sure_of(course.way - 0.1, course.spread / course.level)
    room = sure_of(0.9 - course.way, course.spread / course.level)
    noisy = sure_of(course.noise - 0.03 * course.level, 0.01 * course.level)
    sure = all_of(flat, learned, room, noisy)
    if sure <= 0.6:
        return
    rate = peak_of(course, known)
    words = Words(
        f"The loss has stopped falling: {course.late:.3g}, {fall:+.2g} less over the last {len(half)} updates, at a learning rate of {rates[-1]:.3g} throughout; from step to step it varies by {course.noise:.2g}.",
        "Let the rate fall: --set schedule.kind=one-cycle",
        f"for group in optimizer.param_groups: group['lr'] = {rate / 10 if rate else 0.001:.2g}, when the loss has stopped falling",
        "At a tenth of the rate the loss does not drop within an epoch.",
    )
    yield diagnosis(
        "plateau",
        "note",
        words=words,
        weight=Weight(sure, int(course.loss.steps[course.count // 2]), lasts(course.loss, course.rate)),
        remedy=falling_rate(),
    )
