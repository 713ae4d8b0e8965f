"""What a setting says where the log does not: a training that comes to little, under a setting far outside the usual.

Rules look for what a fault does. What a fault does can be as good as invisible: a network that was shown nothing but
crops of a hundredth of each image goes on learning, and merely comes to less. Its recipe says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from babysit.diagnosing.course import course_of
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, joined, lasts, share_error, sure_of
from babysit.diagnosing.ranking import EXPLAINS, WARN
from babysit.diagnosing.usual import Odd, handed_back, odd_settings
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog

ROOM = 0.93
"""Validation accuracy at the end below which a training is asked whether it could have come to more."""

SPREAD = 0.15
"""Of a bound, in decades: twice as far as it is 0.85 sure, ten times 0.95."""

LONG = 1 / 3
"""Share of the plan before which a good recipe may still stand on its first plateau."""

SAID: Mapping[str, str] = {
    "learning-rate-too-high": "The steps are too long by the settings",
    "learning-rate-too-low": "The steps are too short by the settings",
    "updates-too-small": "Updates are too small by the settings",
    "stopped-too-early": "Too few updates count by the settings",
    "regularisation-too-strong": "Regularisation is too strong by the settings",
    "dropout-too-strong": "Dropout is too strong by the settings",
    "initial-loss-wrong": "The loss is an unusual one by the settings",
    "augmentation-too-strong": "Augmentation is too strong by the settings",
    "initialisation-too-small": "The initial weights are too small by the settings",
    "initialisation-too-large": "The initial weights are too large by the settings",
    "inputs-not-normalised": "Inputs are too large by the settings",
    "normalised-twice": "Inputs are too small by the settings",
    "schedule-too-fast": "The schedule lowers the learning rate too fast by its settings",
}


def with_settings(found: Sequence[Diagnosis], log: RunLog, known: Known) -> tuple[list[Diagnosis], set[str]]:
    """What the rules found, and what the settings say besides.

    A warning of a rule stays as it is; a note of the same cause makes room for the setting that is behind it. What was
    set so is nobody's symptom, so causes that would explain it away are left out, unless they end the training.

    Returns:
        The diagnoses, and the rules whose cause stands in the settings.
    """
    over = any(one.severity == "stop" for one in found)
    said = [one for one in by_setting(log, known, 1.0 if over else comes_to_little(log, known)) if one.sure >= WARN]
    warned = {one.rule for one in found if one.severity != "note"}
    added = [one for one in said if one.rule not in warned]
    names = {one.rule for one in said}
    kept = [
        one
        for one in found
        if one.severity == "stop"
        or one.rule in warned & names
        or (one.rule not in names and not names & set(EXPLAINS.get(one.rule, ())))
    ]
    return [*kept, *added], names


def by_setting(log: RunLog, known: Known, little: float) -> list[Diagnosis]:
    """A warning for each cause for which a setting far outside the usual stands.

    Arguments:
        little: how sure that the training comes to little.
    """
    odd = odd_settings(known)
    causes = dict.fromkeys(one.cause for one in odd)
    found = [_said(cause, [one for one in odd if one.cause == cause], little, log, known) for cause in causes]
    return [one for one in found if one.sure > 0.6]


def comes_to_little(log: RunLog, known: Known) -> float:
    """How sure that a training comes to less than it could.

    At its end there is room above its best validation accuracy; before, it has learned poorly after a third of the plan,
    and stands.
    """
    course = course_of(log, known)
    if not course.count or not known.planned_steps:
        return 0.0
    if course.last_step < known.planned_steps:
        stands = all_of(course.poor, 1 - course.learning)
        return 0.0 if course.short or course.last_step < LONG * known.planned_steps else stands
    accuracy = log.series("validation_accuracy", kind="epoch").values
    if not len(accuracy):
        return sure_of(0.8 - course.way, course.spread / course.level)
    best = float(accuracy.max())
    return sure_of(ROOM - best, share_error(best, known.validation_images or 200))


def _said(cause: str, odd: Sequence[Odd], little: float, log: RunLog, known: Known) -> Diagnosis:
    course, accuracy = course_of(log, known), log.series("validation_accuracy", kind="epoch")
    ended = log.series("loss", kind="step").values[-1:]
    come = f"the loss is {course.late:.3g}, where {course.level:.3g} is knowing nothing"
    if len(ended) and not math.isfinite(ended[0]):
        come = "the loss is no number"
    if len(accuracy) and math.isfinite(accuracy.values[-1]):
        come += f", and {accuracy.values[-1]:.1%} of the validation images are right"
    words = Words(
        f"{SAID[cause]}: {'; '.join(one.text() for one in odd)}. After {course.count} updates {come}.",
        f"Leave {joined([one.setting for one in odd])} out, to have the usual",
        "",
        "With the usual values the training comes to no more.",
    )
    weight = Weight(
        all_of(sure_of(max(one.decades for one in odd), SPREAD), little), 0, lasts(course.loss, course.rate, accuracy)
    )
    return diagnosis(cause, "warn", words=words, weight=weight, remedy=handed_back(known))
