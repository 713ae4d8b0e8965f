"""Statistics: the numbers preprocessing needs, fitted on the training part alone, carried with the weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 2**24
"""Pixels counted at a time; counting takes nine bytes for each on the way."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is subtracted and divided by, per channel (red, green, blue), in pixel values 0 to 255.

    y = (x - shift) / scale
    """

    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (255.0, 255.0, 255.0)


def channel_moments(pixels: NDArray[np.uint8], rows: NDArray[np.int64]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel over the given rows, in one pass with bounded memory.

    Exact: the 256 possible values are counted, and the sums taken over the counts as integers.

    Arguments:
        pixels: shape (n, height, width, 3).
        rows: which images.

    >>> means, deviations = channel_moments(np.array([[[[0, 10, 255]]], [[[2, 10, 255]]]], np.uint8), np.arange(2))
    >>> means, deviations
    ([1.0, 10.0, 255.0], [1.0, 0.0, 0.0])
    """
    counts = np.zeros((3, 256), np.int64)
    step = max(1, BLOCK_BYTES // max(1, pixels[0].size))
    for start in range(0, len(rows), step):
        block = pixels[rows[start : start + step]].reshape(-1, 3)
        for channel in range(3):
            counts[channel] += np.bincount(block[:, channel], minlength=256)
    means, deviations = [], []
    for channel in counts.tolist():
        total = sum(channel)
        first = sum(value * count for value, count in enumerate(channel))
        second = sum(value * value * count for value, count in enumerate(channel))
        means.append(first / total)
        # n·Σx² − (Σx)² is an exact integer: no cancellation is possible.
        deviations.append(math.sqrt(total * second - first * first) / total)
    return means, deviations
