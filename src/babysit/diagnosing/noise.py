"""The rule about the noise of small batches."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import course_of
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, noise_of, sure_of
from babysit.diagnosing.remedies import usual_batch
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog

FEWEST = 4
"""Images of a batch up to which its noise is worth a note where the training learns."""


SINGLE, LONG = 2, 200
"""Images of a batch that tell next to nothing of the others, and updates after which a network that stands has had its chance."""


def too_noisy(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Batches so small that the gradient is mostly noise at this rate: the loss goes up and down and not on."""
    course = course_of(log, known)
    if course.count < 60 or not known.batch_size or course.late < 0:
        return
    noise = log.series("gradient_noise", kind="epoch")
    small = sure_of(math.log2(12 / known.batch_size), 0.3)
    if len(noise):
        small = max(
            small, sure_of(math.log10(max(float(np.median(noise.values[-3:])), 1e-9) / known.batch_size / 300), 0.3)
        )
    restless = sure_of(noise_of(course.loss.values) - 0.2 * course.level, 0.03 * course.level)
    slow = sure_of(0.4 - course.way, course.spread / course.level)
    sure, severity = all_of(small, restless, slow), "warn"
    if sure <= 0.6 and known.batch_size <= FEWEST:  # it learns all the same, but would better from larger batches
        late = course.loss.values[course.count // 2 :]
        spread = float(np.std(late[np.isfinite(late)])) if np.isfinite(late).any() else 0.0
        sure, severity = all_of(small, max(restless, sure_of(spread - 0.2 * course.level, 0.03 * course.level))), "note"
    if sure <= 0.6 and known.batch_size <= SINGLE and course.count >= LONG:  # it does not learn, however calm it is
        sure, severity = all_of(small, course.poor, 1 - course.falling), "note"
    if sure <= 0.6:
        return
    words = Words(
        f"The gradient of {known.batch_size} images is mostly noise at this rate: the loss varies by {course.noise:.3g} from step to step and is at {course.late:.3g}.",
        "Take larger batches: --set optim.batch_size=64, or let the rate fall: --set schedule.kind=one-cycle",
        "DataLoader(..., batch_size=64), or a tenth of the rate",
        "With batches of 64 the loss gets no further in as many images.",
    )
    weight = Weight(sure, int(course.loss.steps[0]), lasts(course.loss, noise))
    yield diagnosis("too-noisy", severity, words=words, weight=weight, remedy=usual_batch())
