"""Calibration: whether a probability of 80 % is right in 80 of 100 cases, and the one number that mends it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 15
LOWEST, HIGHEST = 0.05, 20.0
"""Bounds of the temperature; what is fitted outside is a sign of too few images, not of a network."""

SMALLEST_PROBABILITY = 1e-38
"""About the smallest number of float32; a probability of 0 is one that was rounded."""


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a reliability figure: images with a confidence in (low, high], their mean confidence and accuracy."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A temperature, and what it did on the images it was fitted on.

    `loss` (nats) and `error` (ECE, 0 to 1), each before and after; `note` says why nothing was fitted, if so.
    """

    temperature: float
    images: int
    loss_before: float
    loss_after: float
    error_before: float
    error_after: float
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Calibration:
        """The other way round."""
        return cls(**{name: value[name] for name in cls.__dataclass_fields__ if name in value})


def reliability(probabilities: NDArray[np.floating], labels: NDArray[np.int64], bins: int = BINS) -> list[Bin]:
    """Confidence against accuracy in bins of equal width.

    Bin m of M holds the images whose largest probability is in ((m - 1)/M, m/M]; empty bins are left out.

    Arguments:
        probabilities: shape (n, classes), each row sums to 1.
        labels: shape (n,), class indices.
    """
    if not len(labels):
        return []
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    confidences = np.bincount(place, weights=confidence, minlength=bins)
    rights = np.bincount(place, weights=right, minlength=bins)
    return [
        Bin(m / bins, (m + 1) / bins, int(count), float(confidences[m] / count), float(rights[m] / count))
        for m, count in enumerate(counts)
        if count
    ]


def expected_calibration_error(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], bins: int = BINS
) -> float:
    """ECE = sum over bins of n_m / n · |accuracy_m - confidence_m|, with the bins of `reliability`; 0 to 1.

    >>> expected_calibration_error(np.array([[.9, .1], [.9, .1]]), np.array([0, 1]))
    0.4

    Source: Naeini, Cooper, Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning" (AAAI 2015);
    Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks" (ICML 2017), section 2.
    """
    count = len(labels)
    total = math.fsum(
        one.count * abs(one.accuracy - one.confidence) for one in reliability(probabilities, labels, bins)
    )
    return total / count if count else math.nan


def at_temperature(scores: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """softmax(scores / temperature), in float64. The order of the classes stays as it is.

    Arguments:
        scores: shape (n, classes); logarithms of probabilities do as well.
        temperature: above 0; above 1 makes less sure.

    >>> at_temperature(np.array([[0.0, np.log(3.0)]]), 1.0).round(6).tolist()
    [[0.25, 0.75]]
    """
    scaled = np.asarray(scores, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=1, keepdims=True)


def scores_of(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scores that give these probabilities at temperature 1: their logarithms."""
    return np.log(np.maximum(probabilities.astype(np.float64), SMALLEST_PROBABILITY))


def negative_log_likelihood(scores: NDArray[np.floating], labels: NDArray[np.int64], temperature: float) -> float:
    """Mean of -ln softmax(scores / temperature)[label], in nats."""
    scaled = np.asarray(scores, np.float64) / temperature
    most = scaled.max(axis=1)
    logs = most + np.log(np.exp(scaled - most[:, None]).sum(axis=1)) - scaled[np.arange(len(labels)), labels]
    return float(logs.sum() / len(labels))


def fit_temperature(scores: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """The temperature with the least loss on these images, between LOWEST and HIGHEST.

    In b = 1 / T the loss is convex, with the slope mean(E_softmax(bz)[z] - z_y) and the curvature
    mean(Var_softmax(bz)[z]); Newton's steps, halved into a bracket of the root whenever one would leave it.

    Arguments:
        scores: z, shape (n, classes), n at least 1.
        labels: y, shape (n,).

    Source: Guo et al. 2017, section 4.2.
    """
    # Differences to the true class's score: the loss is mean ln sum exp(b · gap), and no large numbers cancel.
    gaps = np.asarray(scores, np.float64) - np.asarray(scores, np.float64)[np.arange(len(labels)), labels][:, None]
    low, high = 1 / HIGHEST, 1 / LOWEST

    def slope(b: float) -> tuple[float, float]:
        weights = at_temperature(gaps, 1 / b)
        mean = (weights * gaps).sum(axis=1)
        return float(mean.mean()), float(((weights * gaps * gaps).sum(axis=1) - mean * mean).mean())

    if slope(low)[0] >= 0:
        return HIGHEST
    if slope(high)[0] <= 0:
        return LOWEST
    b = 1.0
    for _ in range(200):
        first, second = slope(b)
        low, high = (b, high) if first < 0 else (low, b)
        following = b - first / second if second > 0 else math.inf
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - b) <= 1e-12 * b:
            break
        b = following
    return 1 / b


def calibrate(scores: NDArray[np.floating], labels: NDArray[np.int64]) -> Calibration:
    """Fits the temperature and measures loss and ECE before and after it, on the same images.

    Without a single mistake the loss has no least value (ever colder is ever better), so nothing is changed then.

    Arguments:
        scores: shape (n, classes), n at least 1.
        labels: shape (n,).
    """
    scores = np.nan_to_num(np.asarray(scores, np.float64))  # a network that is not a number any more knows nothing
    wrong = int((scores.argmax(axis=1) != labels).sum())
    temperature, note = 1.0, ""
    if not wrong:
        note = f"none of the {len(labels)} validation images is wrong, so there is nothing to fit a temperature by"
    else:
        temperature = fit_temperature(scores, labels)
    before, after = at_temperature(scores, 1.0), at_temperature(scores, temperature)
    return Calibration(
        temperature,
        len(labels),
        negative_log_likelihood(scores, labels, 1.0),
        negative_log_likelihood(scores, labels, temperature),
        expected_calibration_error(before, labels),
        expected_calibration_error(after, labels),
        note,
    )
