"""Second authors of the audit's numbers: fingerprints by plain loops, the laying over by exhaustive search."""

from __future__ import annotations

import math

import numpy as np
import pytest

from babysit.data.audit.fingerprint import CROPPED, GRID, MIRROR_SIGNS, coefficients, empty, fingerprint_into
from babysit.data.audit.registration import SIDE, compare


def slow_coefficient(image: np.ndarray, down: int, across: int, margin: float) -> float:
    """One frequency of the image's brightness, averaged over GRID x GRID cells, in float64."""
    height, width, _ = image.shape
    total = 0.0
    for row in range(GRID):
        for column in range(GRID):
            top, bottom = (margin + (1 - 2 * margin) * edge / GRID for edge in (row, row + 1))
            left, right = (margin + (1 - 2 * margin) * edge / GRID for edge in (column, column + 1))
            value = area = 0.0
            for y in range(height):
                tall = max(0.0, min(bottom * height, y + 1) - max(top * height, y))
                for x in range(width):
                    share = tall * max(0.0, min(right * width, x + 1) - max(left * width, x))
                    red, green, blue = image[y, x].tolist()
                    value += share * (0.299 * red + 0.587 * green + 0.114 * blue)
                    area += share
            wave = math.cos(math.pi * down * (2 * row + 1) / (2 * GRID))
            wave *= math.cos(math.pi * across * (2 * column + 1) / (2 * GRID))
            total += wave * value / area
    return total


@pytest.mark.parametrize("shape", [(20, 17), (16, 18)])
def test_coefficients(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, *shape, 3), np.uint8)
    fast = coefficients(image)[:, 0]
    # The lowest first, the vertical before the horizontal's own: the order of 1 row of frequencies, then the next.
    places = sorted(
        ((down, across) for down in range(11) for across in range(11) if down or across),
        key=lambda pair: (pair[0] + pair[1], pair[0]),
    )[:64]
    for which in (0, 1, 30, 63):
        for view, margin in enumerate((0.0, CROPPED)):
            slow = slow_coefficient(image[0], *places[which], margin)
            assert fast[view, which] == pytest.approx(slow, rel=1e-3, abs=0.3)


def test_mirroring_an_image_turns_the_signs_that_are_said_to_turn() -> None:
    images = np.random.default_rng(1).integers(0, 256, (5, 24, 31, 3), np.uint8)
    plain, mirrored = (coefficients(np.ascontiguousarray(one)) for one in (images, images[:, :, ::-1]))
    np.testing.assert_allclose(mirrored, plain * MIRROR_SIGNS, atol=0.05)


def test_fingerprints_do_not_depend_on_the_block_they_came_in() -> None:
    images = np.random.default_rng(2).integers(0, 256, (40, 20, 20, 3), np.uint8)
    boxes = np.array([[0, 0, 20, 20], [2, 0, 16, 20]] * 20)
    whole, pieces = empty(40), empty(40)
    fingerprint_into(whole, np.arange(40), images, boxes)
    for start in range(0, 40, 7):
        part = np.arange(start, min(40, start + 7))
        fingerprint_into(pieces, part, images[part], boxes[part])
    assert (whole.bits == pieces.bits).all() and (whole.pattern == pieces.pattern).all()


def smooth(number: int) -> np.ndarray:
    """A band-limited picture that can be looked up between its pixels: a sum of waves."""
    generator = np.random.default_rng([9, number])
    return generator.normal(0, 1, (24, 5))


def drawn(waves: np.ndarray, scale: tuple[float, float], shift: tuple[float, float]) -> np.ndarray:
    place = (2 * np.arange(SIDE) + 1) / SIDE - 1
    y, x = np.meshgrid(scale[0] * place + shift[0], scale[1] * place + shift[1], indexing="ij")
    value = np.zeros((SIDE, SIDE))
    for height, down, across, begin, _ in waves.tolist():
        value += height * np.cos(7 * down * y + 7 * across * x + 9 * begin)
    return np.clip(np.repeat((128 + 14 * value)[..., None], 3, axis=2), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("warp", [((1.0, 1.0), (0.0, 0.0)), ((0.9, 0.95), (0.04, -0.05)), ((1.1, 1.0), (0.0, 0.1))])
def test_a_moved_picture_is_laid_over_itself(warp: tuple[tuple[float, float], tuple[float, float]]) -> None:
    first = np.stack([drawn(smooth(number), (1.0, 1.0), (0.0, 0.0)) for number in range(12)])
    second = np.stack([drawn(smooth(number), *warp) for number in range(12)])
    agreed = compare(first, second)
    assert (agreed.detail > 0.95).all() and (agreed.whole > 0.97).all()
    # How far the corner that moves most was moved, as a share of the side, is known here exactly.
    (high, wide), (down, right) = warp
    moved = max(abs(1 / high - 1) + abs(down / high), abs(1 / wide - 1) + abs(right / wide)) / 2
    assert np.median(agreed.moved) == pytest.approx(moved, abs=0.01)


def test_other_pictures_do_not_agree() -> None:
    first = np.stack([drawn(smooth(number), (1.0, 1.0), (0.0, 0.0)) for number in range(12)])
    assert (compare(first, np.roll(first, 1, axis=0)).detail < 0.5).all()
