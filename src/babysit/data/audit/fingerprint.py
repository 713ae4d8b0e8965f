"""Fingerprints: 64 bits of the coarse pattern of an image, for finding what looks alike.

The image is reduced to its lowest frequencies (a discrete cosine transform of its brightness), and a bit says
whether a coefficient is positive. Compression, resizing, brightness and contrast leave nearly all signs as they are;
mirroring turns the signs of the odd horizontal frequencies and no others.

The idea of frequency signs is the perceptual hash of Zauner, "Implementation and Benchmarking of Perceptual Image Hash
Functions" (2010), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from babysit.data.audit.canvases import alike

FREQUENCIES = 11
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
GRID = 16
CROPPED = 1 / 16
"""What the cropped fingerprint leaves out on each side: 2 pixels of 32."""

_VERTICAL, _HORIZONTAL = (
    grid.ravel()[
        np.argsort((np.add(*np.indices((FREQUENCIES,) * 2)) + 0.01 * np.indices((FREQUENCIES,) * 2)[0]).ravel())
    ][1:65]
    for grid in np.indices((FREQUENCIES, FREQUENCIES))
)
"""The 64 lowest frequencies but for the mean, the lowest first."""


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Of n images: `bits` shape (n, 64), of the whole image; `cropped` of its inner part, shape (n, 64).

    `pattern` and `cropped_pattern` the coefficients behind them, weighted so that each frequency counts alike in a
    photograph, and of length 127; int8, shape (n, 64).
    """

    bits: NDArray[np.bool_]
    cropped: NDArray[np.bool_]
    pattern: NDArray[np.int8]
    cropped_pattern: NDArray[np.int8]

    def only(self, chosen: NDArray[np.bool_]) -> Fingerprints:
        """Those of the chosen images."""
        return Fingerprints(self.bits[chosen], self.cropped[chosen], self.pattern[chosen], self.cropped_pattern[chosen])


MIRROR_SIGNS = np.where(_HORIZONTAL % 2, -1, 1).astype(np.int8)
"""What mirroring does to each coefficient."""


def averaging(source: int, target: int, margin: float = 0.0) -> NDArray[np.float32]:
    """Weights that average `source` pixels into `target` cells, leaving out a share `margin` at each end.

    Shape:
        (target, source); each row sums to 1.

    >>> averaging(4, 2).tolist()
    [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    edges = np.linspace(margin * source, (1 - margin) * source, target + 1)
    pixel = np.arange(source)
    inside = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    weights = np.clip(inside, 0, None)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _cosines(count: int) -> NDArray[np.float32]:
    places = (2 * np.arange(GRID) + 1) * np.pi / (2 * GRID)
    return np.cos(np.arange(count)[:, None] * places).astype(np.float32)


def coefficients(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The 64 lowest frequencies of images of one size, whole and cropped.

    Shape:
        (n, height, width, 3) to (2, n, 64).
    """
    count, height, width, _ = images.shape
    cosines = _cosines(FREQUENCIES)
    down, across = (
        np.stack([cosines @ averaging(side, GRID, margin) for margin in (0.0, CROPPED)]) for side in (height, width)
    )
    colours = (across[..., None] * LUMA).reshape(2 * FREQUENCIES, width * 3)
    rows = images.reshape(count * height, width * 3).astype(np.float32) @ colours.T
    rows = rows.reshape(count, height, 2, FREQUENCIES)
    return np.stack([(down[view] @ rows[:, :, view])[:, _VERTICAL, _HORIZONTAL] for view in (0, 1)])


def pattern_of(values: NDArray[np.float32]) -> NDArray[np.int8]:
    """Coefficients weighted by their frequency, since a photograph's fall with it, at length 127."""
    weighted = values * np.hypot(_VERTICAL, _HORIZONTAL).astype(np.float32)
    length = np.sqrt(np.square(weighted).sum(axis=1, keepdims=True))
    return np.rint(127 * weighted / np.maximum(length, 1e-6)).astype(np.int8)


def fingerprint_into(
    prints: Fingerprints, places: NDArray[np.int64], images: NDArray[np.uint8], boxes: NDArray[np.int64]
) -> None:
    """Takes the fingerprints of a block of canvases.

    Arguments:
        prints: where they are written.
        places: which rows of `prints`, shape (n,).
        images: canvases, shape (n, size, size, 3).
        boxes: where on its canvas each image lies.
    """
    for members, box in alike(boxes):
        content = images[(members, *box)] if len(members) < len(images) else images[(slice(None), *box)]
        whole, cropped = coefficients(content)
        prints.bits[places[members]], prints.cropped[places[members]] = whole > 0, cropped > 0
        prints.pattern[places[members]] = pattern_of(whole)
        prints.cropped_pattern[places[members]] = pattern_of(cropped)


def empty(count: int) -> Fingerprints:
    """Room for the fingerprints of `count` images."""
    return Fingerprints(
        np.zeros((count, 64), bool),
        np.zeros((count, 64), bool),
        np.zeros((count, 64), np.int8),
        np.zeros((count, 64), np.int8),
    )
