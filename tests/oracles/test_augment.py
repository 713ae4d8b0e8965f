"""Second authors of augmentation: an image, a pixel, a number at a time in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from babysit.data.augment import Augmentation, Moment, Views, draw_views, plain_views
from babysit.data.batches import Batches, normalise
from babysit.data.mixing import (
    Boxes,
    Mixing,
    draw_erased,
    draw_mixing,
    erase,
    lesser_share,
    mix,
    mixed_targets,
)
from babysit.data.recolour import GREY, Recolouring, draw_recolouring, recolour
from babysit.data.statistics import Statistics
from babysit.data.warp import draw_maps, warp
from babysit.losses import focal_loss, softmax_loss
from babysit.seeds import counted, normal, uniform

INDEX = np.arange(4000)
MOMENT = Moment(seed=3, epoch=2)


def random_pixels(count: int, size: int) -> np.ndarray:
    return np.random.default_rng(size).integers(0, 256, (count, size, size, 3), np.uint8)


def test_uniform_and_normal_numbers() -> None:
    words = counted(7, np.arange(20000), 2)
    drawn = uniform(words)
    assert drawn.min() >= 0 and drawn.max() < 1 and abs(drawn.mean() - 0.5) < 5 * math.sqrt(1 / 12 / 40000)
    gauss = normal(words)[:, 0]
    assert abs(gauss.mean()) < 5 / math.sqrt(20000) and abs(gauss.var() - 1) < 5 * math.sqrt(2 / 20000)
    assert abs((np.abs(gauss) > 1.959964).mean() - 0.05) < 5 * math.sqrt(0.05 * 0.95 / 20000)


def test_alternating_shows_each_image_from_both_sides_in_turn() -> None:
    asked = Augmentation(flip="alternating")
    sides = [draw_views(asked, INDEX, seed=1, epoch=epoch, centre=0).mirrored for epoch in range(4)]
    assert (sides[0] != sides[1]).all() and (sides[0] == sides[2]).all() and (sides[1] == sides[3]).all()
    assert abs(sides[0].mean() - 0.5) < 5 * math.sqrt(0.25 / 4000)
    other = draw_views(asked, INDEX, seed=2, epoch=0, centre=0).mirrored
    assert 0.4 < (other != sides[0]).mean() < 0.6


def slow_colour(
    image: np.ndarray, brightness: float, contrast: float, saturation: float, shift: np.ndarray
) -> np.ndarray:
    """As the steps are named: brighter, then away from the mean, then away from grey, then moved."""
    bright = image.astype(np.float64) * brightness
    weights = np.array(GREY)
    mean = np.mean([float(pixel @ weights) for row in bright for pixel in row])
    contrasted = mean + contrast * (bright - mean)
    return np.array(
        [[pixel @ weights + saturation * (pixel - pixel @ weights) + shift for pixel in row] for row in contrasted]
    )


@pytest.mark.parametrize("size", [4, 7])
def test_recolouring_is_its_steps_one_after_the_other(size: int) -> None:
    colours = np.array([[10.0, 3.0, 1.0], [11.0, -2.0, 2.0], [9.0, -1.0, -3.0]])
    asked = Augmentation(brightness=0.4, contrast=0.5, saturation=0.9, colour=0.3)
    index = np.array([5, 17, 4])
    pixels = random_pixels(3, size)
    made = recolour(torch.from_numpy(pixels), draw_recolouring(asked, colours, index, MOMENT)).numpy()
    words = MOMENT.words("colour", index, 9)
    for place in range(3):
        factors = [1 + most * (2 * float(uniform(words[place, i])) - 1) for i, most in enumerate((0.4, 0.5, 0.9))]
        shift = colours @ (0.3 * normal(words[place : place + 1, 3:])[0])
        assert np.abs(made[place] - slow_colour(pixels[place], *factors, shift)).max() < 1e-3


def test_the_colour_shift_has_the_asked_deviation_along_each_direction() -> None:
    colours = np.diag([40.0, 8.0, 2.0])
    drawn = draw_recolouring(Augmentation(colour=0.1), colours, INDEX, MOMENT)
    deviations = drawn.shift.std(axis=0)
    assert np.abs(deviations / [4.0, 0.8, 0.2] - 1).max() < 0.06
    assert np.allclose(drawn.matrix, np.eye(3)) and not drawn.fade.any()


def test_a_warp_that_asks_for_nothing_is_the_plain_crop() -> None:
    pixels = random_pixels(4, 12)
    views = Views(np.array([0, 2, 4, 1]), np.array([3, 0, 1, 4]), np.array([False, True, True, False]))
    maps = draw_maps(Augmentation(), views, np.arange(4), canvas=12, size=8, moment=MOMENT)
    made = warp(torch.from_numpy(pixels), maps, 8).numpy()
    for place in range(4):
        window = pixels[place, views.top[place] :][:8, views.left[place] :][:, :8]
        expected = window[:, ::-1] if views.mirrored[place] else window
        assert np.abs(made[place] - expected).max() < 1e-2


def test_a_quarter_turn_and_a_zoom() -> None:
    pixels = random_pixels(1, 8)
    index = np.array([0])
    turn = next(
        epoch for epoch in range(2000) if abs(uniform(Moment(0, epoch).words("warp", index, 6))[0, 4] - 1.0) < 2e-3
    )
    asked, plain = Augmentation(rotate=90.0), plain_views(1, 0)
    turned = warp(torch.from_numpy(pixels), draw_maps(asked, plain, index, canvas=8, size=8, moment=Moment(0, turn)), 8)
    off = np.abs(turned[0].numpy() - np.rot90(pixels[0], 1)).mean()
    assert off < 5 < np.abs(turned[0].numpy() - np.rot90(pixels[0], 3)).mean()
    maps = draw_maps(Augmentation(scale=0.5), plain_views(4000, 0), INDEX, canvas=8, size=8, moment=MOMENT)
    assert (maps[:, 0, 0] == maps[:, 1, 1]).all() and not maps[:, 0, 1].any()
    assert 1 / 1.5 <= maps[:, 0, 0].min() < 0.68 and 1.48 < maps[:, 0, 0].max() <= 1.5
    assert abs(np.log(maps[:, 0, 0]).mean()) < 0.02, "in and out alike"


def test_crops_of_random_size_stay_inside_and_keep_their_share() -> None:
    maps = draw_maps(Augmentation(resized_crop=0.3), plain_views(4000, 2), INDEX, canvas=20, size=16, moment=MOMENT)
    width, height, centre = maps[:, 0, 0], maps[:, 1, 1], maps[:, :, 2]
    assert (np.abs(centre) <= 1 - np.stack([width, height], axis=1) + 1e-12).all()
    area, ratio = width * height, width / height
    assert 0.3 * 0.86 < area.min() < 0.32 and area.max() <= 1 and abs(area.mean() - 0.65) < 0.03
    assert 0.749 < ratio.min() < 0.76 and 1.3 < ratio.max() < 1.334


@given(st.integers(0, 500), st.sampled_from([1, 5, 8]))
@settings(max_examples=25)
def test_erasing_a_rectangle(seed: int, size: int) -> None:
    boxes = draw_erased(Augmentation(erase=0.7), np.arange(6), size=size, moment=Moment(seed, 0))
    images = torch.ones(6, 3, size, size)
    erase(images, boxes)
    for place in range(6):
        for y in range(size):
            for x in range(size):
                inside = boxes.top[place] <= y < boxes.bottom[place] and boxes.left[place] <= x < boxes.right[place]
                assert (images[place, :, y, x] == (0.0 if inside else 1.0)).all()
        assert 0 <= boxes.top[place] <= boxes.bottom[place] <= size


def test_as_many_are_erased_as_asked_and_as_much() -> None:
    shares = draw_erased(Augmentation(erase=0.25), INDEX, size=64, moment=MOMENT).shares(64)
    assert abs((shares > 0).mean() - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 4000)
    assert shares[shares > 0].min() > 0.01 and shares.max() < 0.36 and abs(shares[shares > 0].mean() - 0.177) < 0.02


@pytest.mark.parametrize("alpha", [0.1, 0.2, 1.0, 4.0])
def test_shares_follow_the_folded_beta_distribution(alpha: float) -> None:
    draws = np.linspace(0.001, 0.999, 300)
    assert np.abs(lesser_share(draws, alpha) - beta.ppf(draws / 2, alpha, alpha)).max() < 1e-5


def test_mixing_and_its_targets() -> None:
    generator = np.random.default_rng(0)
    images, others = (torch.from_numpy(generator.normal(size=(3, 3, 4, 4)).astype(np.float32)) for _ in range(2))
    boxes = Boxes(np.array([0, 1, 0]), np.array([0, 2, 0]), np.array([0, 3, 0]), np.array([0, 4, 0]))
    weight = np.array([0.3, 0.0, 0.0])
    mixing = Mixing(np.array([1, 2, 0]), weight, boxes, weight + boxes.shares(4))
    mixed = mix(images, others, mixing)
    assert torch.allclose(mixed[0], 0.7 * images[0] + 0.3 * others[0], atol=1e-6)
    expected = images[1].clone()
    expected[:, 1:3, 2:4] = others[1, :, 1:3, 2:4]
    assert torch.equal(mixed[1], expected) and torch.equal(mixed[2], images[2])
    targets = mixed_targets(torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0]), mixing, 3)
    assert torch.allclose(targets, torch.tensor([[0.7, 0.3, 0.0], [0.0, 0.75, 0.25], [0.0, 0.0, 1.0]]))


def test_partners_shares_and_the_choice_between_mixup_and_cutmix() -> None:
    assert draw_mixing(Augmentation(), INDEX, count=50, size=32, moment=MOMENT) is None
    both = draw_mixing(Augmentation(mixup=0.4, cutmix=1.0), INDEX, count=50, size=32, moment=MOMENT)
    assert both is not None
    assert both.partner.min() == 0 and both.partner.max() == 49 and both.share.min() >= 0 and both.share.max() <= 0.5
    pasted = both.boxes.shares(32) > 0
    assert not (pasted & (both.weight > 0)).any() and abs(pasted.mean() - 0.5) < 0.05
    only = draw_mixing(Augmentation(cutmix=1.0), INDEX, count=50, size=32, moment=MOMENT)
    assert only is not None and not only.weight.any() and abs(only.share.mean() - 0.25) < 0.01


@pytest.mark.parametrize("loss", [softmax_loss, focal_loss])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_loss_of_shares_is_the_share_of_the_losses(loss, weighted: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(1, 4, generator=generator, dtype=torch.float64)
    weights = torch.tensor([0.5, 2.0, 1.0, 3.0], dtype=torch.float64) if weighted else None
    targets = torch.tensor([[0.0, 0.6, 0.0, 0.4]], dtype=torch.float64)
    one, other = (float(loss(scores, torch.tensor([label]))) for label in (1, 3))
    expected = 0.6 * one + 0.4 * other
    if weighted:
        expected = (0.6 * 2.0 * one + 0.4 * 3.0 * other) / (0.6 * 2.0 + 0.4 * 3.0)
    assert float(loss(scores, targets, class_weights=weights)) == pytest.approx(expected, rel=1e-12)
    sure = torch.nn.functional.one_hot(torch.tensor([1]), 4).double()
    same = loss(scores, torch.tensor([1]), class_weights=weights)
    assert float(loss(scores, sure, class_weights=weights)) == pytest.approx(float(same), rel=1e-12)


def test_smoothing_of_shares_is_smoothing_of_labels() -> None:
    scores = torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    labels, weights = torch.tensor([0, 2, 1, 1, 0]), torch.tensor([0.5, 2.0, 1.0], dtype=torch.float64)
    shares = torch.nn.functional.one_hot(labels, 3)
    for given_weights in (None, weights):
        one = softmax_loss(scores, labels, smoothing=0.1, class_weights=given_weights)
        other = softmax_loss(scores, shares, smoothing=0.1, class_weights=given_weights)
        assert float(one) == pytest.approx(float(other), rel=1e-12)


def test_unused_recolouring_changes_nothing() -> None:
    pixels = torch.from_numpy(random_pixels(2, 6))
    nothing = Recolouring(
        np.tile(np.eye(3, dtype=np.float32), (2, 1, 1)), np.zeros((2, 3), np.float32), np.zeros((2, 3), np.float32)
    )
    assert torch.equal(recolour(pixels, nothing), pixels.float())


def test_recolouring_and_normalising_in_one_is_one_after_the_other() -> None:
    pixels = torch.from_numpy(random_pixels(5, 6))
    change = draw_recolouring(
        Augmentation(brightness=0.4, contrast=0.5, colour=0.3), np.eye(3) * 9, np.arange(5), MOMENT
    )
    fitted = Statistics((120.0, 110.0, 100.0), (50.0, 60.0, 70.0))
    apart = normalise(recolour(pixels, change), fitted, torch.float32)
    together = recolour(pixels, change.then(fitted.shift, fitted.scale)).permute(0, 3, 1, 2)
    assert torch.allclose(apart, together, atol=1e-4)


@pytest.mark.parametrize("jitter", [4, 20])
def test_large_windows_are_mirrored_as_small_ones_are(jitter: int) -> None:
    canvases = np.random.default_rng(0).integers(0, 256, (40, 80, 80, 3), np.uint8)
    rows, device = np.arange(40), torch.device("cpu")
    made = Batches(canvases, rows, np.zeros(40, np.int64), 72, Statistics((0, 0, 0), (1, 1, 1)), torch.float32, device)
    augmentation = Augmentation(crop=jitter, flip="random")
    views = draw_views(augmentation, rows, seed=1, epoch=2, centre=4)
    assert views.mirrored.any() and not views.mirrored.all()
    images = made.training(rows, augmentation, seed=1, epoch=2).images.permute(0, 2, 3, 1).numpy()
    for image, canvas, top, left, mirrored in zip(images, canvases, views.top, views.left, views.mirrored, strict=True):
        wide = np.pad(canvas, ((20, 20), (20, 20), (0, 0)), mode="reflect")
        window = wide[top + 20 : top + 92, left + 20 : left + 92]
        assert np.array_equal(image, window[:, ::-1] if mirrored else window)
