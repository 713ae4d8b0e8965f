"""Statistics: the numbers preprocessing needs, fitted on the training part alone, carried with the weights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from babysit.data.mapped import in_turn

BLOCK_BYTES = 2**24
"""Pixels counted at a time; counting takes nine bytes for each on the way."""

SQUARES_EXACT = 256
"""So many squares of numbers up to 255 are added in float32 without rounding: 256 · 255² < 2^24."""

EXACT = 1024
"""Vectors of whole numbers from -128 to 127 whose products float32 can sum without rounding: 2^24 = 1024 * 128²."""

SHORT = 48
"""Values in a vector up to which a call costs more than its arithmetic."""

MIDDLE = 128
"""Subtracted from pixels before they are multiplied with one another."""

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """What preprocessing does to an image of pixel values 0 to 255.

    y = (matrix (x - mean) - shift) / scale

    `shift` and `scale` per channel (red, green, blue); `mean` an image, shape (side, side, 3), or None; `matrix` square over
    the values of `mean` row by row, or None. Where `mean` is smaller than the image, each of the image's tiles is an image
    of its own to the two. `colours` is not preprocessing: the columns are the principal directions of the training
    pixels' colours times their variances over 255, for the colour shift of augmentation; shape (3, 3), or None.
    """

    shift: Triple = (0.0, 0.0, 0.0)
    scale: Triple = (255.0, 255.0, 255.0)
    mean: NDArray[np.floating] | None = None
    matrix: NDArray[np.floating] | None = None
    colours: NDArray[np.floating] | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Statistics):
            return NotImplemented
        mine, others = self.arrays(), other.arrays()
        return (
            (self.shift, self.scale) == (other.shift, other.scale)
            and mine.keys() == others.keys()
            and all(np.array_equal(array, others[name]) for name, array in mine.items())
        )

    def applied(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """What a network sees of images, in float64 and NumPy alone; training has a faster way (`Normalisation`).

        Shape:
            (n, height, width, 3), and so is what is returned.

        >>> Statistics((10.0, 0.0, 0.0), (5.0, 1.0, 1.0)).applied(np.full((1, 1, 1, 3), 20, np.uint8)).tolist()
        [[[[2.0, 20.0, 20.0]]]]
        """
        seen = images.astype(np.float64)
        if self.mean is not None:
            count, size, side = len(images), images.shape[1], len(self.mean)
            across = size // side
            tiles = seen.reshape(count, across, side, across, side, 3).swapaxes(2, 3).reshape(-1, 3 * side * side)
            tiles = tiles - self.mean.reshape(-1)
            turned = tiles if self.matrix is None else tiles @ self.matrix.T.astype(np.float64)
            seen = turned.reshape(count, across, across, side, side, 3).swapaxes(2, 3).reshape(images.shape)
        return (seen - self.shift) / self.scale

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """What is too long for text, in the precision it is applied in."""
        found = {"mean": self.mean, "matrix": self.matrix, "colours": self.colours}
        return {name: np.ascontiguousarray(array, np.float32) for name, array in found.items() if array is not None}

    def as_json(self) -> dict[str, list[float]]:
        """The rest."""
        return {"shift": list(self.shift), "scale": list(self.scale)}

    @classmethod
    def read(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[np.float32]]) -> Statistics:
        """What `as_json` and `arrays` gave."""
        return cls(
            triple(values["shift"]),
            triple(values["scale"]),
            arrays.get("mean"),
            arrays.get("matrix"),
            arrays.get("colours"),
        )


@dataclass(frozen=True, slots=True)
class TrainingImages:
    """What statistics are fitted on: canvases, shape (n, canvas, canvas, 3); which `rows`; the side of an image.

    `inner` is the side of a middle that files cover, where they are smaller than their canvas; None for the whole canvas.
    A channel's mean and deviation are those of that middle: with much grey around it the deviation would be a fraction of
    the pictures', and the network's inputs as many times too large (docs/log.md).
    """

    pixels: NDArray[np.uint8]
    rows: NDArray[np.int64]
    size: int
    inner: int | None = None

    def blocks(self, tile: int | None = None) -> Iterator[NDArray[np.uint8]]:
        """The centred images, or their tiles, in blocks of bounded memory.

        Arguments:
            tile: side of a tile in pixels, a divisor of the size; None for whole images.

        Shape:
            each (k, tile, tile, 3).
        """
        size, first = self.size, (self.pixels.shape[1] - self.size) // 2
        side = tile or size
        step = max(1, BLOCK_BYTES // (size * size * 3))
        for rows in in_turn(self.pixels, self.rows, step):
            windows = self.pixels[rows, first : first + size, first : first + size]
            tiles = windows.reshape(len(windows), size // side, side, size // side, side, 3).swapaxes(2, 3)
            yield tiles.reshape(-1, side, side, 3)


def triple(values: list[float]) -> Triple:
    """Three numbers, one for each channel."""
    red, green, blue = values
    return red, green, blue


def channel_moments(
    pixels: NDArray[np.uint8], rows: NDArray[np.int64], inner: int | None = None
) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel over the given rows, in one pass with bounded memory.

    Exact: float32 adds whole numbers up to 2^24 without rounding, which is 256 squares; their sums are added in float64.

    Arguments:
        pixels: shape (n, height, width, 3).
        rows: which images.
        inner: the side of a square in their middle that alone counts; None for all.

    >>> means, deviations = channel_moments(np.array([[[[0, 10, 255]]], [[[2, 10, 255]]]], np.uint8), np.arange(2))
    >>> means, deviations
    ([1.0, 10.0, 255.0], [1.0, 0.0, 0.0])
    """
    first, second, count = [0, 0, 0], [0, 0, 0], 0
    top, left = (0, 0) if inner is None else ((side - inner) // 2 for side in pixels.shape[1:3])
    step = max(1, BLOCK_BYTES // 16 // max(1, pixels[0].size))  # so that the squares stay in the processor's cache
    for some in in_turn(pixels, rows, step):
        seen = pixels[some] if inner is None else pixels[some, top : top + inner, left : left + inner]
        lines = seen.reshape(-1, seen.shape[2] * 3)
        count += lines.shape[0] * seen.shape[2]
        whole = len(lines) // SQUARES_EXACT * SQUARES_EXACT
        for piece in (lines[:whole].reshape(-1, SQUARES_EXACT, lines.shape[1]), lines[None, whole:]):
            values = piece.astype(np.float32)
            for sums, powers in ((first, values), (second, values * values)):
                columns = (np.ones((1, piece.shape[1]), np.float32) @ powers).sum(axis=(0, 1), dtype=np.float64)
                for channel in range(3):
                    sums[channel] += int(columns[channel::3].sum())
    means = [total / count for total in first]
    # n·Σx² − (Σx)² is an exact integer: no cancellation is possible.
    deviations = [
        math.sqrt(count * squares - total * total) / count for total, squares in zip(first, second, strict=True)
    ]
    return means, deviations


def mean_image(images: TrainingImages) -> NDArray[np.float64]:
    """The mean of every pixel over the training images, in one pass; sums of whole numbers, so it is exact.

    Shape:
        (size, size, 3).
    """
    total = np.zeros((images.size, images.size, 3), np.int64)
    for block in images.blocks():
        total += block.sum(axis=0, dtype=np.int64)
    return total / len(images.rows)


def covariance(images: TrainingImages, tile: int | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and covariance of images, or of tiles, as vectors of pixel values; in one pass with bounded memory.

    Sums of products of whole numbers are taken in float32 over so few vectors that nothing is rounded, and added up
    in float64, which holds them exactly up to 5e11 vectors; short vectors are multiplied in float64 at once.

    Arguments:
        tile: side of a tile in pixels, a divisor of the size; 1 for the colours of pixels; None for whole images.

    Shape:
        (d,) and (d, d), d = 3 tile².
    """
    side = tile or images.size
    length = 3 * side * side
    count, first, second = 0, np.zeros(length), np.zeros((length, length))
    step, precision = (EXACT, np.float32) if length > SHORT else (BLOCK_BYTES // 8 // length, np.float64)
    for block in images.blocks(tile):
        vectors = block.reshape(-1, length)
        for start in range(0, len(vectors), step):
            part = vectors[start : start + step].astype(precision) - precision(MIDDLE)
            second += part.T @ part
            first += part.sum(axis=0, dtype=np.float64)
        count += len(vectors)
    mean = first / count
    return mean + MIDDLE, second / count - np.outer(mean, mean)


def principal(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variances and directions of a covariance, the largest first; each direction's largest entry is positive.

    Returns:
        Variances, shape (d,), and directions as columns, shape (d, d). A variance that is zero within the rounding of the
        computation is exactly 0.
    """
    values, vectors = np.linalg.eigh(matrix)
    values, vectors = values[::-1], vectors[:, ::-1]
    least = len(values) * np.finfo(np.float64).eps * max(float(values[0]), 1.0)
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(len(values))]
    return np.where(values > least, values, 0.0), vectors * np.where(largest < 0, -1.0, 1.0)
