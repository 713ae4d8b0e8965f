"""Accuracy with its interval, per-class figures, confusion: from sums and counts, never from means of means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def wilson_interval(successes: int, trials: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """The Wilson score interval of a proportion.

    centre = (p + z²/2n) / (1 + z²/n), half = z / (1 + z²/n) · sqrt(p(1 - p)/n + z²/4n²)

    Arguments:
        successes: 0 to `trials`.
        trials: how many were tried; 0 gives (0, 1), which is all that is known then.
        z: standard normal quantile; the default is the one of 95 %.

    >>> [round(bound, 4) for bound in wilson_interval(50, 100)]
    [0.4038, 0.5962]

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    assert 0 <= successes <= trials
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    scale = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


@dataclass(frozen=True, slots=True)
class Spread:
    """Several values of one quantity: their mean, standard deviation (of a sample: over n - 1), least and most."""

    mean: float
    deviation: float
    low: float
    high: float
    values: tuple[float, ...]

    def as_json(self) -> dict[str, object]:
        """Everything above as plain JSON values."""
        return {
            "mean": self.mean,
            "deviation": self.deviation,
            "range": [self.low, self.high],
            "values": list(self.values),
        }


def spread(values: Sequence[float]) -> Spread:
    """Mean and spread of a few values, such as the accuracies of the folds of a cross-validation.

    deviation = sqrt(sum (x - mean)^2 / (n - 1)), and 0 for a single value

    >>> found = spread([0.5, 0.75, 1.0])
    >>> found.mean, found.deviation, found.low, found.high
    (0.75, 0.25, 0.5, 1.0)
    """
    assert values
    mean = math.fsum(values) / len(values)
    squares = math.fsum((value - mean) ** 2 for value in values)
    deviation = math.sqrt(squares / max(len(values) - 1, 1))
    return Spread(mean, deviation, min(values), max(values), tuple(values))


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class's precision, recall, F1 (each 0 to 1, 0 where undefined) and its count of true examples."""

    name: str
    precision: float
    recall: float
    f1: float
    count: int


@dataclass(frozen=True, slots=True)
class Scores:
    """What a set of predictions is worth.

    `accuracy` is correct / count; `loss` the mean of -ln(probability of the true class) in nats;
    `interval` the 95 % Wilson interval of the accuracy; `confusion[t][p]` counts images of class t predicted as p.
    """

    count: int
    correct: int
    loss: float
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[str, ...]

    @property
    def accuracy(self) -> float:
        """correct / count."""
        return self.correct / self.count if self.count else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the accuracy."""
        return wilson_interval(self.correct, self.count)

    def per_class(self) -> list[ClassScore]:
        """Precision, recall and F1 of every class, in class order."""
        matrix = np.asarray(self.confusion, dtype=np.int64)
        rows = []
        for index, name in enumerate(self.classes):
            hit = int(matrix[index, index])
            true, predicted = int(matrix[index].sum()), int(matrix[:, index].sum())
            precision = hit / predicted if predicted else 0.0
            recall = hit / true if true else 0.0
            f1 = 2 * hit / (true + predicted) if true + predicted else 0.0
            rows.append(ClassScore(name, precision, recall, f1, true))
        return rows

    def most_confused(self, most: int = 5) -> list[tuple[str, str, int]]:
        """The pairs (true class, predicted class, count) with most mistakes, worst first."""
        matrix = np.asarray(self.confusion, dtype=np.int64)
        pairs = [
            (int(matrix[true, guess]), true, guess)
            for true in range(len(self.classes))
            for guess in range(len(self.classes))
            if true != guess and matrix[true, guess]
        ]
        pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
        return [(self.classes[true], self.classes[guess], count) for count, true, guess in pairs[:most]]

    def as_json(self) -> dict[str, object]:
        """Everything above as plain JSON values."""
        low, high = self.interval
        return {
            "accuracy": self.accuracy,
            "loss": self.loss,
            "interval": [low, high],
            "count": self.count,
            "correct": self.correct,
            "per_class": [
                {"class": row.name, "precision": row.precision, "recall": row.recall, "f1": row.f1, "count": row.count}
                for row in self.per_class()
            ],
            "most_confused": [
                {"true": true, "predicted": guess, "count": count} for true, guess, count in self.most_confused()
            ],
        }


def score(probabilities: NDArray[np.float32], labels: NDArray[np.int64], classes: tuple[str, ...]) -> Scores:
    """Scores of predicted probabilities against labels.

    Arguments:
        probabilities: shape (n, classes), each row sums to 1.
        labels: shape (n,), class indices.
        classes: the class names, in index order.

    >>> s = score(np.array([[.9, .1], [.6, .4]], np.float32), np.array([0, 1]), ("cat", "dog"))
    >>> s.accuracy, s.most_confused()
    (0.5, [('dog', 'cat', 1)])
    """
    count = len(labels)
    guesses = probabilities.argmax(axis=1) if count else np.zeros(0, np.int64)
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, (labels, guesses), 1)
    # A probability that is not a number is worth nothing, so that the loss stays a number.
    true = np.nan_to_num(probabilities[np.arange(count), labels].astype(np.float64), nan=0.0)
    loss = float(-np.log(np.maximum(true, 1e-12)).sum() / count) if count else math.nan
    rows = tuple(tuple(int(cell) for cell in row) for row in confusion)
    return Scores(count, int(np.trace(confusion)), loss, rows, classes)
