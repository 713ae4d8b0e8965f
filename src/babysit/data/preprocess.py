"""Preprocessing: `fit(training images) -> Statistics`; applying them is the same two numbers per channel everywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from babysit.data.statistics import Statistics, channel_moments
from babysit.tables import Table

Fit = Callable[[NDArray[np.uint8], NDArray[np.int64]], Statistics]

TYPICAL_DEVIATION = 64.0
"""Divides what is only centred, so that inputs are of order one and learning rates keep their meaning."""


def fit_none(pixels: NDArray[np.uint8], rows: NDArray[np.int64]) -> Statistics:  # noqa: ARG001 - one signature for all
    """Pixels from 0 to 1; nothing is fitted."""
    return Statistics()


def fit_channel_mean(pixels: NDArray[np.uint8], rows: NDArray[np.int64]) -> Statistics:
    """Subtracts the mean of each channel; divides by the constant TYPICAL_DEVIATION."""
    means, _ = channel_moments(pixels, rows)
    return Statistics(_triple(means), _triple([TYPICAL_DEVIATION] * 3))


def fit_standardize(pixels: NDArray[np.uint8], rows: NDArray[np.int64]) -> Statistics:
    """Subtracts the mean of each channel and divides by its standard deviation (1 where that is zero)."""
    means, deviations = channel_moments(pixels, rows)
    return Statistics(_triple(means), _triple([deviation or 1.0 for deviation in deviations]))


def _triple(values: list[float]) -> tuple[float, float, float]:
    red, green, blue = values
    return red, green, blue


PREPROCESSORS: Table[Fit] = Table(
    "preprocessing", {"none": fit_none, "channel-mean": fit_channel_mean, "standardize": fit_standardize}
)
