"""Validation by class: recall, how often each is predicted, which are confused, calibration; and the order of labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from babysit.calibration import expected_calibration_error
from babysit.metrics import Scores, score
from babysit.probes.context import ProbeContext, observed
from babysit.record.observation import Observation, key_of

MOST_CLASSES, MOST_PAIRS = 100, 5
"""Classes of a row: of more, those of least recall; and pairs of classes that are confused."""


def probe(context: ProbeContext) -> Iterator[Observation]:
    """Recall and share of the predictions by class, the share of a class taken for another, calibration's error, confidences."""
    found = context.validated
    if found is None or not len(found.labels):
        return
    scores = score(found.probabilities, found.labels, found.classes)
    values: dict[str, float] = dict(_by_class(scores))
    sound = np.isfinite(found.probabilities).all()
    if sound:
        values["calibration_error"] = expected_calibration_error(found.probabilities, found.labels)
        half, top = np.quantile(found.probabilities.max(axis=1), (0.5, 0.95))
        values |= {"confidence_p50": float(half), "confidence_p95": float(top)}
    yield from observed(context, values)


def order(context: ProbeContext) -> Iterator[Observation]:
    """How alike neighbouring labels are in the order of training, and after how many images the order begins again."""
    if context.order is not None:
        alike, period = run_likeness(context.order), period_of(context.order)
        values = {"label_run_likeness": alike, "label_period": period}
        yield from observed(context, {name: value for name, value in values.items() if value is not None})


def period_of(labels: NDArray[np.int64] | Sequence[int]) -> int | None:
    """After how many labels their order begins again, over and over to the end; None where it does not.

    At least two whole rounds are asked for.

    >>> period_of([3, 1, 2, 3, 1, 2, 3]), period_of([3, 1, 2, 1, 3, 2])
    (3, None)
    """
    values = np.asarray(labels, np.int64)
    head = values[: min(16, len(values) // 2)]
    starts = np.flatnonzero(values[1 : len(values) // 2 + 1] == values[0]) + 1 if len(head) else []
    for period in map(int, starts):
        if (values[period : period + len(head)] == head).all() and (values[period:] == values[:-period]).all():
            return period
    return None


def run_likeness(labels: NDArray[np.int64] | Sequence[int]) -> float | None:
    """How much more often neighbours have the same label than by chance: 0 when shuffled, about 1 when sorted.

    (share of equal neighbours - p) / (1 - p), p = sum of n_c (n_c - 1) / (n (n - 1)); None when all labels are the same

    >>> round(run_likeness([0] * 50 + [1] * 50), 2), run_likeness([3, 3, 3])
    (0.98, None)
    """
    values = np.asarray(labels, np.int64)
    count = len(values)
    if count < 2:
        return None
    _, counts = np.unique(values, return_counts=True)
    chance = float((counts * (counts - 1)).sum() / (count * (count - 1)))
    if chance >= 1:
        return None
    return (float((values[1:] == values[:-1]).mean()) - chance) / (1 - chance)


def _by_class(scores: Scores) -> Iterator[tuple[str, float]]:
    matrix = np.asarray(scores.confusion, np.int64)
    true, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    recall = np.diag(matrix) / np.maximum(true, 1)
    shown = np.arange(len(scores.classes))
    if len(shown) > MOST_CLASSES:
        shown = np.sort(np.argsort(np.where(true > 0, recall, 2.0), kind="stable")[:MOST_CLASSES])
    for row in shown.tolist():
        if true[row]:
            yield key_of("recall", scores.classes[row]), float(recall[row])
        yield key_of("predicted_share", scores.classes[row]), float(predicted[row] / scores.count)
    index = {name: row for row, name in enumerate(scores.classes)}
    for name, guess, count in scores.most_confused(MOST_PAIRS):
        yield key_of("confused", f"{name}>{guess}"), count / int(true[index[name]])
