"""Layers that are frozen: `layer-not-trained` where what they give holds the network back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from babysit.diagnosing.course import course_of
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, sure_of
from babysit.diagnosing.motion import ACTIVE, motion_of
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog

LONG = 100
"""Updates before which layers that were left out are no reason for a loss that stands."""

FROZEN = 0.5
"""Share of the layers with weights from which on a network is mostly frozen."""

LIMITED, ASKED = 0.85, 0.75
"""Accuracy from which on nobody asks what holds it back; how sure at most that frozen layers do, since they may be meant."""

FAINT = 0.1
"""Deviation of what the last frozen layer gives, below which the trained one has next to nothing to go by."""


def mostly_frozen(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Most layers are not trained, and what they give does not help: the loss stands, though the others move, or get nothing."""
    course, motion = course_of(log, known), motion_of(log)
    weighted = [one.name for one in known.layers or () if one.kind.startswith(("Conv", "Linear"))]
    trained = [name for name in weighted if name in log.wheres("update_ratio")]
    frozen = [name for name in weighted if name not in trained]
    if course.count < LONG or not trained or not frozen or not motion.measured or motion.ratio == 0:
        return
    given = [log.series("activation_deviation", name, kind="layers") for name in log.wheres("activation_deviation")]
    given = [one for one in given if len(one) and one.where not in trained]
    last = float(np.median(given[-1].values)) if given else math.nan
    faint = sure_of(math.log10(FAINT / max(last, 1e-12)), 0.2) if math.isfinite(last) else 0.0
    moving = sure_of(math.log10(motion.ratio / ACTIVE), motion.spread)
    share = sure_of(len(frozen) / len(weighted) - FROZEN, 0.5 / math.sqrt(len(weighted)))
    sure = all_of(share, course.poor, 1 - course.falling, max(faint, moving))
    if sure <= 0.6:
        yield from _held_back(log, known, frozen, all_of(share, moving))
        return
    words = Words(
        f"{len(frozen)} of {len(weighted)} layers with weights are not trained, and what they give does not tell the images apart"
        + (f" (deviation {last:.2g})" if faint > 0.5 else "")
        + f": the loss is {course.late:.3g} after {course.count} updates, where {course.level:.3g} is knowing nothing.",
        "Train all layers; freeze only those whose weights come from a training on other images: --set model.weights=FILE",
        "for weight in model.parameters(): weight.requires_grad_(True), or load the trained weights before freezing",
        "With all layers trained the loss stands as well.",
    )
    weight = Weight(sure, int(course.loss.steps[0]), (*lasts(course.loss, *given[-1:]), *motion.observations()))
    yield diagnosis("layer-not-trained", "warn", words=words, weight=weight, where=frozen[-1])


def _held_back(log: RunLog, known: Known, frozen: Sequence[str], sure: float) -> Iterator[Diagnosis]:
    """Most layers are frozen, the others move, and the training is over and has not come far: what they give may be what limits it."""
    course, right = course_of(log, known), log.series("validation_accuracy", kind="epoch")
    over = known.planned_steps and course.last_step >= known.planned_steps
    if (
        not over
        or sure <= 0.6
        or not math.isfinite(course.late)
        or course.accuracy > LIMITED
        or (len(right) and right.values[-1] > LIMITED)
    ):
        return
    words = Words(
        f"{len(frozen)} layers with weights are frozen, and with what they give the network comes to {course.accuracy:.0%} of the training images.",
        "Train all layers, unless these were trained on images like yours: --set optim.body_rate=1",
        "for weight in model.parameters(): weight.requires_grad_(True)",
        "With all layers trained it is no better.",
    )
    weight = Weight(min(sure, ASKED), int(course.loss.steps[0]), lasts(right, course.loss))
    yield diagnosis("layer-not-trained", "note", words=words, weight=weight, where=frozen[-1])
