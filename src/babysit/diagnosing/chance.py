"""The rule of last resort: nothing was learned, and nothing else says why."""

from __future__ import annotations

import math
from collections.abc import Iterator

from babysit.diagnosing.course import course_of
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, share_error, sure_of
from babysit.diagnosing.remedies import back_to_rules
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog

PATIENCE, LEAST = 150, 60
"""Updates (or a third of the plan, but so many at the least) before a training that stands at chance is called stuck."""


def stuck_at_chance(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Loss and accuracy are those of a network that knows nothing, after many updates."""
    course = course_of(log, known)
    if course.short or course.late < 0:
        return
    patience = max(PATIENCE if not known.planned_steps else min(PATIENCE, known.planned_steps // 3), LEAST)
    long = sure_of(math.log(course.count / patience), 0.1)
    validation = log.series("validation_accuracy", kind="epoch")
    also = 1.0
    if len(validation):
        error = share_error(course.chance, known.validation_images or 200)
        also = sure_of(course.chance + 0.08 - float(validation.values[-1]), error)
    sure = all_of(course.at_chance, long, also)
    if sure <= 0.6:
        return
    words = Words(
        f"The training is stuck at chance: after {course.count} updates the loss is {course.late:.4g}, and {course.level:.4g} is knowing nothing"
        + (
            f"; {course.accuracy:.1%} are right, {course.chance:.1%} by chance."
            if math.isfinite(course.accuracy)
            else "."
        ),
        "Climb the ladder: `babysit check DATA`; then another rate: --set optim.lr=0.01",
        "overfit twenty images first: for _ in range(300): step on the same batch; then look at inputs, labels and initial weights",
        "The loss falls in the epochs to come.",
    )
    yield diagnosis(
        "stuck-at-chance",
        "warn",
        words=words,
        weight=Weight(sure, int(course.loss.steps[0]), lasts(course.loss, course.rate, validation)),
        remedy=back_to_rules(log, known),
    )
