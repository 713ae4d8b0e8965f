"""Confirmation on pixels: one image is laid over the other as well as it can be, and then their details are compared.

That two pictures look alike from afar says little: skies do. Copies agree in detail once a small crop, a resize and
a change of brightness are undone. The laying over is Gauss-Newton with the template's gradient, which does not
change from step to step: the inverse compositional method of Baker and Matthews, "Lucas-Kanade 20 Years On" (2004),
section 3.2. The warp has four parameters, a scale and a shift on each axis, so it separates into a matrix on each side.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

SIDE = 32
"""Pairs are compared at this many pixels a side."""

COARSE_STEPS, FINE_STEPS = 5, 3
LARGEST_SCALE, LARGEST_SHIFT = 0.2, 0.15
"""How far two copies may differ in scale, and in place as a share of the side."""

ALIKE_FROM_AFAR = 0.9
EPSILON = 1e-6


@dataclass(frozen=True)
class Agreement:
    """How well pairs agree once laid over each other, each of shape (pairs,).

    `whole` correlation of all colours; `detail` correlation of what a blur takes away; `overlap` share of the
    first image that the second covers; `places` how many pixels carry the detail; `strength` root mean square of
    the detail in pixel values; `error` root mean square difference in pixel values, `plain_error` before brightness and
    contrast are evened out; `moved` how far a corner was
    moved, as a share of the side. All zero for a pair that does not agree from afar.
    """

    whole: NDArray[np.float32]
    detail: NDArray[np.float32]
    overlap: NDArray[np.float32]
    places: NDArray[np.float32]
    strength: NDArray[np.float32]
    error: NDArray[np.float32]
    plain_error: NDArray[np.float32]
    moved: NDArray[np.float32]


def compare(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Agreement:
    """Lays each second image over its first one and says how well they agree.

    Shape:
        (pairs, SIDE, SIDE, 3) each.
    """
    found = [np.zeros(len(first), np.float32) for _ in range(len(fields(Agreement)))]
    left, right = (_halved(images.mean(axis=3, dtype=np.float32)) for images in (first, second))
    warp = _register(left, right, np.tile(np.array([1, 0, 1, 0], np.float32), (len(first), 1)), COARSE_STEPS)
    rows, columns, inside = _matrices(warp, SIDE // 2)
    afar = _correlation(left, _warped(right, rows, columns), inside)
    kept = np.flatnonzero(afar >= ALIKE_FROM_AFAR)
    if len(kept):
        agreed = _compare_closely(first[kept].astype(np.float32), second[kept].astype(np.float32), warp[kept])
        for values, measured in zip(found, agreed, strict=True):
            values[kept] = measured
    return Agreement(*found)


def _compare_closely(
    first: NDArray[np.float32], second: NDArray[np.float32], warp: NDArray[np.float32]
) -> tuple[NDArray[np.float32], ...]:
    """The figures of an Agreement, from a warp that is about right."""
    grey, other = first.mean(axis=3), second.mean(axis=3)
    warp = _register(grey, other, warp, FINE_STEPS)
    rows, columns, inside = _matrices(warp, SIDE)
    moved = np.stack([_warped(second[..., colour], rows, columns) for colour in range(3)], axis=3)
    plain_error = _difference(first, moved, inside)
    moved = _level(first, moved, inside)
    fine, fine_moved = (image - _blurred(image) for image in (grey, moved.mean(axis=3)))
    inner = inside.copy()
    inner[:, [0, -1]] = inner[:, :, [0, -1]] = 0
    energy = inner * np.square(fine)
    strength = np.sqrt(energy.sum(axis=(1, 2)) / np.maximum(inner.sum(axis=(1, 2)), 1))
    places = np.square(energy.sum(axis=(1, 2))) / np.maximum(np.square(energy).sum(axis=(1, 2)), EPSILON)
    whole = _correlation(first, moved, inside[..., None])
    detail = _correlation(fine, fine_moved, inner)
    error = _difference(first, moved, inside)
    corner = (np.abs(warp[:, [0, 2]] - 1) + np.abs(warp[:, [1, 3]])).max(axis=1) / 2
    return whole, detail, inside.mean(axis=(1, 2)), places, strength, error, plain_error, corner


def _difference(
    first: NDArray[np.float32], second: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Root mean square difference."""
    squares = (weights[..., None] * np.square(first - second)).sum(axis=(1, 2, 3))
    return np.sqrt(squares / np.maximum(3 * weights.sum(axis=(1, 2)), 1))


def _places(side: int) -> NDArray[np.float32]:
    """Where the pixels' middles are, the image reaching from -1 to 1."""
    return ((2 * np.arange(side) + 1) / side - 1).astype(np.float32)


def _register(
    template: NDArray[np.float32], image: NDArray[np.float32], warp: NDArray[np.float32], steps: int
) -> NDArray[np.float32]:
    """The warp of each pair improved: scale and shift down, scale and shift across.

    Shape:
        (pairs, side, side) twice, (pairs, 4) to (pairs, 4).
    """
    pairs, side, _ = template.shape
    place = _places(side)
    down, across = np.gradient(template, np.float32(2 / side), axis=(1, 2))
    descent = np.stack([down * place[:, None], down, across * place, across], axis=1).reshape(pairs, 4, -1)
    for _ in range(steps):
        rows, columns, inside = _matrices(warp, side)
        moved = _level(template[..., None], _warped(image, rows, columns)[..., None], inside)[..., 0]
        weighted = descent * inside.reshape(pairs, 1, -1)
        normal = weighted @ descent.transpose(0, 2, 1)
        ridge = 1e-3 / 4 * np.trace(normal, axis1=1, axis2=2) + EPSILON
        normal += ridge[:, None, None] * np.eye(4, dtype=np.float32)
        slope = weighted @ (moved - template).reshape(pairs, -1, 1)
        warp = _composed(warp, np.linalg.solve(normal, slope)[..., 0])
    return warp


def _composed(warp: NDArray[np.float32], step: NDArray[np.float32]) -> NDArray[np.float32]:
    """The warp followed by the inverse of the step, within what copies may differ."""
    scale = warp[:, [0, 2]] / np.maximum(1 + step[:, [0, 2]], 0.5)
    shift = warp[:, [1, 3]] - scale * step[:, [1, 3]]
    scale = np.clip(scale, 1 - LARGEST_SCALE, 1 + LARGEST_SCALE)
    shift = np.clip(shift, -2 * LARGEST_SHIFT, 2 * LARGEST_SHIFT)
    return np.stack([scale[:, 0], shift[:, 0], scale[:, 1], shift[:, 1]], axis=1).astype(np.float32, copy=False)


def _matrices(
    warp: NDArray[np.float32], side: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """The warp as linear interpolation: a matrix for the rows, one for the columns, and what lies inside."""
    place = warp[:, [0, 2], None] * _places(side) + warp[:, [1, 3], None]
    sampled = (place + 1) * np.float32(side / 2) - np.float32(0.5)
    within = np.abs(place) <= 1
    away = np.abs(np.clip(sampled, 0, side - 1)[..., None] - np.arange(side, dtype=np.float32))
    weights = np.maximum(np.float32(0), np.float32(1) - away).astype(np.float32)
    inside = (within[:, 0, :, None] & within[:, 1, None, :]).astype(np.float32)
    return weights[:, 0], np.ascontiguousarray(weights[:, 1].transpose(0, 2, 1)), inside


def _warped(image: NDArray[np.float32], rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    return (rows @ image @ columns).astype(np.float32, copy=False)


def _level(
    template: NDArray[np.float32], image: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The image with the brightness of the template in each colour and its contrast, by least squares."""
    share = (weights / np.maximum(weights.sum(axis=(1, 2), keepdims=True), EPSILON))[..., None]
    middle, other = ((share * one).sum(axis=(1, 2), keepdims=True) for one in (template, image))
    apart, moved = template - middle, image - other
    slope = (share * apart * moved).sum(axis=(1, 2, 3), keepdims=True) / np.maximum(
        (share * moved * moved).sum(axis=(1, 2, 3), keepdims=True), EPSILON
    )
    return moved * np.clip(slope, 0.5, 2) + middle


def _correlation(
    left: NDArray[np.float32], right: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    axes = tuple(range(1, left.ndim))
    total = np.maximum(np.broadcast_to(weights, left.shape).sum(axis=axes, keepdims=True), EPSILON)
    left = left - (weights * left).sum(axis=axes, keepdims=True) / total
    right = right - (weights * right).sum(axis=axes, keepdims=True) / total
    product = (weights * left * right).sum(axis=axes)
    lengths = (weights * left * left).sum(axis=axes) * (weights * right * right).sum(axis=axes)
    return product / np.sqrt(np.maximum(lengths, EPSILON))


def _halved(image: NDArray[np.float32]) -> NDArray[np.float32]:
    count, side, _ = image.shape
    return image.reshape(count, side // 2, 2, side // 2, 2).mean(axis=(2, 4))


def _blurred(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Four times the mean of 1, 2, 1 in both directions, as one matrix on each side; the border repeats."""
    side = image.shape[1]
    once = np.eye(side, dtype=np.float32) / 2
    once += (np.eye(side, k=1, dtype=np.float32) + np.eye(side, k=-1, dtype=np.float32)) / 4
    once[0, 0] = once[-1, -1] = 0.75
    blur = np.linalg.matrix_power(once, 4)
    return blur @ image @ blur.T
