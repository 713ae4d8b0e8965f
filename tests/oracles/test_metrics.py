"""Second authors of the scores: a quadratic solved by bisection, and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    confusion_matrix,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
    top_k_accuracy_score,
)

from babysit.metrics import expected_best, mcnemar, optimism, score, wilson_interval

Z = 1.959963984540054


def bisected(successes: int, trials: int, low: float, high: float) -> float:
    """The root of (share - p)² = z² p (1 - p) / n between two points, by halving."""

    def excess(p: float) -> float:
        return (successes / trials - p) ** 2 - Z * Z * p * (1 - p) / trials

    sign = excess(low) > 0
    for _ in range(200):
        middle = (low + high) / 2
        if (excess(middle) > 0) == sign:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_solves_its_quadratic(pair) -> None:
    successes, trials = pair
    low, high = wilson_interval(successes, trials)
    share = successes / trials
    assert 0 <= low <= share <= high <= 1
    # An end of the range is a root itself when the share is there, so the other root is looked for beside it.
    slow_low = 0.0 if successes == 0 else bisected(successes, trials, 0.0, share)
    slow_high = 1.0 if successes == trials else bisected(successes, trials, share, 1.0)
    assert low == pytest.approx(slow_low, abs=1e-9)
    assert high == pytest.approx(slow_high, abs=1e-9)


def test_wilson_interval_of_nothing_is_everything() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_wilson_interval_covers_as_often_as_it_says() -> None:
    """At p = 0.9 and 100 trials, exactly, over the binomial distribution."""
    covered = sum(
        math.comb(100, k) * 0.9**k * 0.1 ** (100 - k)
        for k in range(101)
        if wilson_interval(k, 100)[0] <= 0.9 <= wilson_interval(k, 100)[1]
    )
    assert 0.92 < covered < 0.97


@pytest.mark.filterwarnings("ignore:'k' \\(5\\) greater")
@pytest.mark.parametrize("seed", range(12))
def test_per_class_figures_are_scikit_learns(seed: int) -> None:
    generator = np.random.default_rng(seed)
    classes = tuple(f"class {index}" for index in range(2 + seed))
    labels = generator.integers(0, len(classes), 83)
    raw = generator.random((83, len(classes))) ** 3 + 1e-3
    if seed > 3:
        raw[:, 0] = 1e-4  # a class that is never predicted
        labels[labels == 1] = 2  # and one that never occurs
    probabilities = (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)
    scores = score(probabilities, labels, classes)
    guesses = probabilities.argmax(axis=1)
    numbers = list(range(len(classes)))
    precision, recall, f1, count = precision_recall_fscore_support(labels, guesses, labels=numbers, zero_division=0)
    rows = scores.per_class()
    assert [row.precision for row in rows] == pytest.approx(precision)
    assert [row.recall for row in rows] == pytest.approx(recall)
    assert [row.f1 for row in rows] == pytest.approx(f1)
    assert [row.count for row in rows] == list(count)
    assert np.array_equal(scores.confusion, confusion_matrix(labels, guesses, labels=numbers))
    assert scores.accuracy == pytest.approx((labels == guesses).mean())
    there = np.unique(labels)  # a class without images is not scored
    assert scores.macro_f1 == pytest.approx(f1_score(labels, guesses, labels=there, average="macro", zero_division=0))
    if len(classes) > 2:
        assert scores.top5 == pytest.approx(top_k_accuracy_score(labels, probabilities, k=5, labels=numbers))
    exact = probabilities.astype(np.float64)
    assert scores.loss == pytest.approx(
        log_loss(labels, exact / exact.sum(axis=1, keepdims=True), labels=numbers), rel=1e-6
    )


def test_most_confused_is_sorted_and_leaves_out_the_right_ones() -> None:
    labels = np.array([0] * 5 + [1] * 5 + [2] * 5)
    guesses = np.array([0, 1, 1, 1, 2, 1, 1, 1, 1, 0, 2, 2, 2, 0, 0])
    scores = score(np.eye(3, dtype=np.float32)[guesses], labels, ("a", "b", "c"))
    assert scores.most_confused() == [("a", "b", 3), ("c", "a", 2), ("a", "c", 1), ("b", "a", 1)]
    assert scores.most_confused(1) == [("a", "b", 3)]


def test_no_predictions_are_no_score() -> None:
    scores = score(np.zeros((0, 2), np.float32), np.zeros(0, np.int64), ("a", "b"))
    assert math.isnan(scores.accuracy) and math.isnan(scores.loss) and scores.interval == (0.0, 1.0)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_sum_in_whole_numbers(first: int, second: int) -> None:
    trials = first + second
    tail = sum(math.comb(trials, k) for k in range(min(first, second) + 1))
    assert mcnemar(first, second) == pytest.approx(min(1.0, 2 * tail / 2**trials), rel=1e-9)


def test_mcnemar_of_many_disagreements_neither_overflows_nor_vanishes() -> None:
    tail = sum(math.comb(4000, k) for k in range(1901))
    assert mcnemar(1900, 2100) == pytest.approx(2 * (tail / 2**4000), rel=1e-9)


def test_the_expected_best_is_what_is_known_and_what_is_drawn() -> None:
    assert expected_best(1) == pytest.approx(0, abs=1e-12)
    assert expected_best(2) == pytest.approx(1 / math.sqrt(math.pi), rel=1e-9)
    assert expected_best(3) == pytest.approx(1.5 / math.sqrt(math.pi), rel=1e-9)
    drawn = np.random.default_rng(0).normal(size=(200_000, 7)).max(axis=1).mean()
    assert expected_best(7) == pytest.approx(drawn, abs=0.01)


def test_optimism_is_what_choosing_the_best_of_equals_gains() -> None:
    generator = np.random.default_rng(1)
    best = generator.binomial(2000, 0.9, size=(20_000, 5)).max(axis=1) / 2000
    assert optimism(0.9, 2000, 5) == pytest.approx(best.mean() - 0.9, rel=0.05)
