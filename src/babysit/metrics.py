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
    `interval` the 95 % Wilson interval of the accuracy; `confusion[t][p]` counts images of class t predicted as p;
    `among_five` counts images whose true class is among the five most probable.
    """

    count: int
    correct: int
    loss: float
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[str, ...]
    among_five: int

    @property
    def accuracy(self) -> float:
        """correct / count."""
        return self.correct / self.count if self.count else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the accuracy."""
        return wilson_interval(self.correct, self.count)

    @property
    def top5(self) -> float:
        """Share of the images whose true class is among the five most probable; 1 where there are five classes or fewer."""
        return self.among_five / self.count if self.count else math.nan

    @property
    def macro_f1(self) -> float:
        """The mean of the F1 of the classes that have images here, each counting the same."""
        scored = [row.f1 for row in self.per_class() if row.count]
        return sum(scored) / len(scored) if scored else math.nan

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
            "top5": self.top5,
            "macro_f1": self.macro_f1,
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
    rows = tuple(tuple(row) for row in confusion.tolist())
    return Scores(count, int(np.trace(confusion)), loss, rows, classes, among_most_probable(probabilities, labels, 5))


def among_most_probable(probabilities: NDArray[np.float32], labels: NDArray[np.int64], most: int) -> int:
    """How many images have their true class among the `most` most probable; of equals, the first class comes first.

    >>> among_most_probable(np.array([[.2, .5, .3], [.2, .5, .3]], np.float32), np.array([2, 0]), 2)
    1
    """
    if not len(labels):
        return 0
    true = probabilities[np.arange(len(labels)), labels][:, None]
    earlier = np.arange(probabilities.shape[1]) < labels[:, None]
    before = (probabilities > true) | ((probabilities == true) & earlier)
    return int((before.sum(axis=1) < most).sum())


def mcnemar(only_first: int, only_second: int) -> float:
    """McNemar's exact test: how likely so uneven a split of the disagreements is between equally good classifiers.

    p = min(1, 2 · P(B <= min(b, c))), B binomial(b + c, 1/2)

    Arguments:
        only_first: b, images that the first got right and the second wrong.
        only_second: c, the other way round.

    >>> round(mcnemar(0, 6), 9), mcnemar(3, 3)
    (0.03125, 1.0)

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12
    (1947); the exact form: Cochran (1950).
    """
    trials, least = only_first + only_second, min(only_first, only_second)
    # Terms relative to the largest one, so that thousands of disagreements neither overflow nor vanish.
    log_terms = [
        math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1) - trials * math.log(2)
        for k in range(least + 1)
    ]
    return min(1.0, 2 * math.fsum(math.exp(term) for term in log_terms))


def expected_best(looks: int) -> float:
    """The expected largest of `looks` independent standard normal numbers.

    E = integral of x · k · phi(x) · Phi(x)^(k-1), by the trapezoidal rule from -12 to 12.

    >>> [round(expected_best(looks), 4) for looks in (2, 3, 10)]
    [0.5642, 0.8463, 1.5388]
    """
    assert looks >= 1
    points, step = 4801, 24 / 4800
    total = 0.0
    for place in range(points):
        x = -12 + place * step
        density = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        below = 0.5 * math.erfc(-x / math.sqrt(2))
        total += x * looks * density * below ** (looks - 1)
    return total * step


def optimism(accuracy: float, count: int, looks: int) -> float:
    """By how much the best of `looks` equally good, independent classifiers reads too high on `count` images.

    sqrt(p(1 - p)/n) · E[largest of k standard normals]. Networks that err on the same images gain less.

    Arguments:
        accuracy: p, 0 to 1.
        count: n, at least 1.
        looks: k, at least 1.
    """
    return math.sqrt(accuracy * (1 - accuracy) / count) * expected_best(looks)
