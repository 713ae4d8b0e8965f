"""The rule about an end that came too early."""

from __future__ import annotations

import math
from collections.abc import Iterator

from babysit.diagnosing.course import course_of
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, share_error, slope, sure_of
from babysit.diagnosing.form import unsuitable
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog

FEW = 80
"""Updates below which a network from random weights has hardly begun."""


def stopped_too_early(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """At the end, validation is still getting better at a pace that would be worth more epochs; or there were few updates."""
    course = course_of(log, known)
    if not known.planned_steps or course.last_step < known.planned_steps:
        return
    if unsuitable(log) is not None:  # it would end too early for other reasons
        return
    found = [*_still_better(log, known), *_few_updates(log, known)]
    yield from sorted(found, key=lambda one: -one.sure)[:1]


def _still_better(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    course = course_of(log, known)
    accuracy = log.series("validation_accuracy", kind="epoch")
    losses = log.series("validation_loss", kind="epoch")
    if course.short or len(accuracy) < 3 or len(losses) != len(accuracy):
        return
    count = max(2, len(accuracy) // 3)
    gain = float(accuracy.values[-1] - accuracy.values[-1 - count])
    pace = gain / count
    error = math.sqrt(2) * share_error(float(accuracy.values[-1]), known.validation_images or 200)
    better = sure_of(gain - 0.04, error)
    best = losses.values[-1] <= losses.values.min() * 1.02
    falling, slope_error = slope(course.loss.values[-max(24, course.count // 3) :])
    sure = all_of(better, sure_of(-falling / max(slope_error, 1e-12) - 2, 1.0), 0.9 if best else 0.0)
    sure = all_of(sure, sure_of(0.9 - float(accuracy.values[-1]), error))
    if sure <= 0.6:
        return
    words = Words(
        f"The training stopped too early: validation accuracy rose by {gain:.1%} over the last {count} epochs, to {accuracy.values[-1]:.1%}, "
        "and both losses were still falling.",
        f"Train longer: --epochs {3 * len(accuracy)}",
        f"for epoch in range({3 * len(accuracy)}):",
        f"Three times the epochs bring less than {max(pace, 0.01):.1%} more.",
    )
    weight = Weight(sure, int(accuracy.steps[-1 - count]), (accuracy.observation(-1 - count), *lasts(accuracy, losses)))
    yield diagnosis("stopped-too-early", "note", words=words, weight=weight, remedy={"train.epochs": 3 * len(accuracy)})


def _few_updates(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    course, batches = course_of(log, known), log.series("batches", kind="step")
    if not course.count or not math.isfinite(course.late) or course.level <= 0:
        return
    few = sure_of(math.log(FEW / course.count), 0.3)
    each = round(float(batches.values.mean())) if len(batches) else 1
    once = each > 4 and known.steps_per_epoch == 1  # an update an epoch is hardly meant
    unlearned = sure_of((0.95 if once else 0.6) - course.way, course.spread / course.level)
    calm = sure_of(1.2 - course.late / max(course.first, course.level), 0.05)
    sure = all_of(few, unlearned, calm)
    if sure <= 0.6:
        return
    epochs = int(course.loss.epochs[-1]) + 1
    claim = f"The training stopped too early: it made only {course.count} updates in {epochs} epoch{'s' if epochs > 1 else ''}"
    claim += f", since each is over {each} batches" if each > 1 else ""
    claim += f", and the loss went from {course.first:.3g} to {course.late:.3g}, where {course.level:.3g} is knowing nothing."
    more = max(2, math.ceil(4 * FEW / course.count)) * epochs
    words = Words(
        claim,
        f"Train longer: --epochs {more}; or smaller batches: --set optim.batch_size=32",
        "optimizer.step() and optimizer.zero_grad() after every batch, inside the inner loop"
        if each > 4
        else f"for epoch in range({more}):",
        "Over ten times the updates the loss gets no further.",
    )
    weight = Weight(sure, int(course.loss.steps[0]), (course.loss.observation(0), *lasts(course.loss, batches)))
    yield diagnosis("stopped-too-early", "note", words=words, weight=weight, remedy={"train.epochs": more})
