"""Second authors of the data path, a pixel at a time in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from babysit.data.augment import Augmentation, Views, cut, draw_views, plain_views
from babysit.data.batches import normalise
from babysit.data.preprocess import PREPROCESSORS
from babysit.data.statistics import Statistics, TrainingImages, channel_moments
from babysit.recipe.schema import PreprocessPart


def random_pixels(seed: int, count: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)


@given(st.integers(0, 1000), st.integers(1, 9), st.integers(1, 6), st.data())
@settings(max_examples=40)
def test_channel_moments(seed: int, count: int, size: int, data) -> None:
    pixels = random_pixels(seed, count, size)
    rows = sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=1)))
    means, deviations = channel_moments(pixels, np.array(rows))
    for channel in range(3):
        values = [float(pixels[r, y, x, channel]) for r in rows for y in range(size) for x in range(size)]
        mean = math.fsum(values) / len(values)
        variance = math.fsum((value - mean) ** 2 for value in values) / len(values)
        assert means[channel] == pytest.approx(mean, rel=1e-12, abs=1e-12)
        assert deviations[channel] == pytest.approx(math.sqrt(variance), rel=1e-9, abs=1e-9)


def test_channel_moments_over_more_than_a_block() -> None:
    pixels = random_pixels(1, 2500, 2)
    rows = np.arange(0, 2500)
    means, deviations = channel_moments(pixels, rows)
    assert means == pytest.approx(pixels.astype(np.float64).mean(axis=(0, 1, 2)).tolist(), rel=1e-12)
    assert deviations == pytest.approx(pixels.astype(np.float64).std(axis=(0, 1, 2)).tolist(), rel=1e-12)


@pytest.mark.parametrize(("side", "inner"), [(8, 3), (9, 4), (8, 8), (7, 1)])
def test_grey_around_small_images_does_not_count(side: int, inner: int) -> None:
    """A picture placed as decoding places it, in pixels that would spoil both numbers."""
    small = random_pixels(5, 40, inner)
    pixels, first = np.full((40, side, side, 3), 128, np.uint8), (side - inner) // 2
    pixels[:, first : first + inner, first : first + inner] = small
    rows = np.arange(30)
    for kind in ("standardize", "channel-mean"):
        part = PreprocessPart(kind=kind, divisor=50.0)
        on_canvas = PREPROCESSORS[kind](TrainingImages(pixels, rows, side, inner), part)
        assert on_canvas == PREPROCESSORS[kind](TrainingImages(small, rows, inner), part)


def test_preprocessings_are_fitted_on_the_given_rows_alone() -> None:
    pixels = np.concatenate([np.full((2, 4, 4, 3), 10, np.uint8), np.full((1, 4, 4, 3), 250, np.uint8)])
    images = TrainingImages(pixels, np.array([0, 1]), 4)
    standard = PREPROCESSORS["standardize"](images, PreprocessPart())
    assert standard == Statistics((10.0, 10.0, 10.0), (1.0, 1.0, 1.0)), "a deviation of zero must not divide"
    assert PREPROCESSORS["channel-mean"](images, PreprocessPart()).shift == (10.0, 10.0, 10.0)
    assert PREPROCESSORS["none"](images, PreprocessPart()) == Statistics((0.0,) * 3, (255.0,) * 3)


def test_normalise() -> None:
    pixels = random_pixels(3, 2, 5)
    fitted = Statistics((120.5, 99.0, 3.25), (60.0, 70.5, 1.5))
    seen = normalise(torch.from_numpy(pixels), fitted, torch.float32)
    assert seen.shape == (2, 3, 5, 5) and seen.is_contiguous(memory_format=torch.channels_last)
    for image in range(2):
        for y in range(5):
            for x in range(5):
                for channel in range(3):
                    expected = (float(pixels[image, y, x, channel]) - fitted.shift[channel]) / fitted.scale[channel]
                    assert float(seen[image, channel, y, x]) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def mirrored_at_the_border(position: int, size: int) -> int:
    """Walks back and forth, a step at a time, turning at the border pixels without doubling them."""
    if size == 1:
        return 0
    place, direction = 0, 1  # a reflection at 0: before it is the same as after it
    for _ in range(abs(position)):
        if not 0 <= place + direction < size:
            direction = -direction
        place += direction
    return place


def slow_cut(pixels, rows, views, size):
    canvas = pixels.shape[1]
    result = np.zeros((len(rows), size, size, 3), np.uint8)
    for image, row in enumerate(rows):
        for y in range(size):
            for x in range(size):
                from_y = mirrored_at_the_border(int(views.top[image]) + y, canvas)
                from_x = mirrored_at_the_border(int(views.left[image]) + x, canvas)
                to_x = size - 1 - x if views.mirrored[image] else x
                result[image, y, to_x] = pixels[row, from_y, from_x]
    return result


@given(st.data(), st.integers(1, 9), st.integers(0, 1000))
@settings(max_examples=60)
def test_cut_with_reflection_and_flip(data, canvas: int, seed: int) -> None:
    size = data.draw(st.integers(1, canvas))
    batch = data.draw(st.integers(1, 4))
    pixels = random_pixels(seed, 5, canvas)
    places = st.lists(st.integers(-canvas, canvas), min_size=batch, max_size=batch)
    flips = st.lists(st.booleans(), min_size=batch, max_size=batch)
    rows = np.array(data.draw(st.lists(st.integers(0, 4), min_size=batch, max_size=batch)))
    views = Views(np.array(data.draw(places)), np.array(data.draw(places)), np.array(data.draw(flips)))
    assert np.array_equal(cut(pixels, rows, views, size), slow_cut(pixels, rows, views, size))


def test_large_images_take_the_other_way_to_the_same_pixels() -> None:
    pixels = random_pixels(5, 3, 80)
    rows = np.array([2, 0])
    views = Views(np.array([0, 8]), np.array([7, 3]), np.array([True, False]))
    assert np.array_equal(cut(pixels, rows, views, 72), slow_cut(pixels, rows, views, 72))
    outside = Views(np.array([-2, 11]), np.array([0, 8]), np.array([True, False]))
    assert np.array_equal(cut(pixels, rows, outside, 72), slow_cut(pixels, rows, outside, 72))


def test_views_depend_on_seed_epoch_and_sample_only() -> None:
    asked = Augmentation(crop=3, flip="random")
    index = np.arange(5000)
    whole = draw_views(asked, index, seed=1, epoch=2, centre=4)
    some = draw_views(asked, index[[4000, 17]], seed=1, epoch=2, centre=4)
    for name in ("top", "left", "mirrored"):
        assert getattr(whole, name)[[4000, 17]].tolist() == getattr(some, name).tolist()
    later = draw_views(asked, index, seed=1, epoch=3, centre=4)
    other = draw_views(asked, index, seed=2, epoch=2, centre=4)
    assert (whole.top != later.top).mean() > 0.7 and (whole.top != other.top).mean() > 0.7
    # Each of the 7 places and both sides about equally often; 5 standard deviations are allowed.
    for offsets in (whole.top, whole.left):
        counts = np.bincount(offsets - 1, minlength=7)
        assert len(counts) == 7 and np.abs(counts - 5000 / 7).max() < 5 * math.sqrt(5000 / 7)
    assert abs(whole.mirrored.sum() - 2500) < 5 * math.sqrt(1250)
    assert abs(np.corrcoef(whole.top, whole.left)[0, 1]) < 0.08, "the two jitters must be independent"


def test_no_augmentation_is_the_plain_view() -> None:
    drawn = draw_views(Augmentation(), np.arange(20), seed=0, epoch=0, centre=2)
    plain = plain_views(20, 2)
    assert (drawn.top == plain.top).all() and (drawn.left == plain.left).all() and not drawn.mirrored.any()
