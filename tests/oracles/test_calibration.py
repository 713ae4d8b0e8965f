"""Second authors of calibration: loops over images, a grid of temperatures, PyTorch's cross-entropy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from babysit.calibration import (
    HIGHEST,
    at_temperature,
    calibrate,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability,
    scores_of,
)

CASES = st.tuples(st.integers(0, 10**6), st.integers(1, 80), st.integers(2, 9), st.floats(0.2, 6))


def case(seed: int, count: int, classes: int, spread: float):
    """Scores in which the true class is a little ahead, and labels."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, count)
    scores = generator.normal(size=(count, classes)) * spread
    scores[np.arange(count), labels] += generator.random(count) * spread
    return scores, labels


def slow_error(probabilities, labels, bins: int) -> float:
    total = 0.0
    for number in range(bins):
        inside = [row for row in range(len(labels)) if number / bins < probabilities[row].max() <= (number + 1) / bins]
        if inside:
            confidence = sum(float(probabilities[row].max()) for row in inside) / len(inside)
            accuracy = sum(int(probabilities[row].argmax() == labels[row]) for row in inside) / len(inside)
            total += len(inside) / len(labels) * abs(accuracy - confidence)
    return total


@given(CASES, st.integers(1, 20))
def test_ece_is_the_sum_over_its_bins(numbers, bins: int) -> None:
    scores, labels = case(*numbers)
    probabilities = at_temperature(scores, 1.0)
    assert expected_calibration_error(probabilities, labels, bins) == pytest.approx(
        slow_error(probabilities, labels, bins), abs=1e-12
    )
    assert sum(one.count for one in reliability(probabilities, labels, bins)) == len(labels)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below() -> None:
    (one,) = reliability(np.array([[0.8, 0.2]]), np.array([0]), 5)
    assert (one.low, one.high) == (0.6, 0.8)
    (whole,) = reliability(np.array([[1.0, 0.0]]), np.array([0]), 5)
    assert whole.high == 1.0


@given(CASES, st.floats(0.1, 10))
def test_loss_and_probabilities_are_pytorchs(numbers, temperature: float) -> None:
    scores, labels = case(*numbers)
    tensor = torch.from_numpy(scores) / temperature
    loss = torch.nn.functional.cross_entropy(tensor, torch.from_numpy(labels))
    assert negative_log_likelihood(scores, labels, temperature) == pytest.approx(float(loss), rel=1e-9, abs=1e-12)
    assert np.allclose(at_temperature(scores, temperature), torch.softmax(tensor, 1).numpy(), atol=1e-12)


@given(CASES)
def test_no_temperature_of_a_grid_is_better_than_the_fitted(numbers) -> None:
    scores, labels = case(*numbers)
    fitted = fit_temperature(scores, labels)
    least = negative_log_likelihood(scores, labels, fitted)
    grid = np.exp(np.linspace(math.log(0.05), math.log(20), 400))
    assert least <= min(negative_log_likelihood(scores, labels, float(one)) for one in grid) + 1e-12


@given(CASES)
def test_a_temperature_changes_no_order_and_never_worsens_the_loss(numbers) -> None:
    scores, labels = case(*numbers)
    done = calibrate(scores, labels)
    assert done.loss_after <= done.loss_before + 1e-12
    hot = at_temperature(scores, done.temperature)
    assert np.array_equal(hot.argmax(axis=1), scores.argmax(axis=1))


def test_the_temperature_that_was_put_in_is_found_and_lowers_the_error() -> None:
    generator = np.random.default_rng(3)
    scores = generator.normal(size=(40_000, 6)) * 2
    true = at_temperature(scores, 1.0)
    labels = (true.cumsum(axis=1) > generator.random((len(true), 1))).argmax(axis=1)
    done = calibrate(2.5 * scores, labels)
    assert done.temperature == pytest.approx(2.5, rel=0.02)
    assert done.error_after < 0.02 < 0.1 < done.error_before


def test_what_cannot_be_fitted_is_left_alone() -> None:
    right = np.array([[5.0, 0.0], [0.0, 5.0]])
    done = calibrate(right, np.array([0, 1]))
    assert done.temperature == 1.0 and "none of the 2" in done.note
    assert fit_temperature(right, np.array([1, 0])) == HIGHEST
    unknowing = calibrate(np.full((3, 2), np.nan), np.array([0, 1, 1]))
    assert unknowing.loss_after == pytest.approx(math.log(2))


def test_logarithms_of_probabilities_are_scores_of_them() -> None:
    probabilities = np.array([[1.0, 0.0], [0.25, 0.75]], np.float32)
    assert np.allclose(at_temperature(scores_of(probabilities), 1.0), probabilities, atol=1e-7)
