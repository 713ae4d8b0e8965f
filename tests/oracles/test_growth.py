"""Second authors of progressive resizing: sides, their cost, the reduced pixels, and a budget kept with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from babysit.data.batches import reduced
from babysit.errors import UserError
from babysit.training.growth import GROWING, Growth, check_takes
from babysit.training.pace import MARKS, Pace
from babysit.training.plan import Plan

sizes, shares = st.integers(4, 300), st.floats(0.25, 1.0)


@given(sizes, shares)
def test_images_grow_and_end_whole(size: int, first: float) -> None:
    growth = Growth(size, first)
    seen = [growth.side(progress) for progress in np.linspace(0, 1, 401)]
    assert seen == sorted(seen)
    assert seen[0] == growth.sides[0] and set(seen) == set(growth.sides)
    assert all(growth.side(progress) == size for progress in (GROWING, 0.8, 1.0))
    assert all(side % 4 == 0 and side >= 4 for side in growth.sides[:-1])
    assert abs(growth.sides[0] - max(4, first * size)) <= 2 or growth.sides[0] == size


@given(sizes, shares, st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=60)
def test_cost_is_the_mean_of_squared_sides(size: int, first: float, one: float, other: float) -> None:
    growth, (start, end) = Growth(size, first), sorted((one, other))
    places = start + (np.arange(4000) + 0.5) / 4000 * (end - start)
    slow = np.mean([(growth.side(place) / size) ** 2 for place in places])
    assert growth.cost(start, end) == pytest.approx(slow, abs=2e-3)


def triangle(length: int, side: int) -> np.ndarray:
    """Weights of a row of `length` values for each of `side` outputs: a triangle as wide as two outputs."""
    scale = length / side
    weights = np.zeros((side, length))
    for place in range(side):
        centre = (place + 0.5) * scale
        weights[place] = np.maximum(0, 1 - np.abs(np.arange(length) + 0.5 - centre) / scale)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("size", "side"), [(32, 16), (32, 24), (12, 8), (9, 4)])
def test_reducing_weighs_every_pixel(size: int, side: int) -> None:
    pixels = np.random.default_rng(size).integers(0, 256, (3, size, size, 3), np.uint8)
    weights = triangle(size, side)
    slow = np.einsum("ah,nhwc,bw->nabc", weights, pixels.astype(np.float64), weights)
    exact = reduced(torch.from_numpy(pixels).float(), side).numpy()
    assert np.abs(exact - slow).max() < 1e-3
    rounded = reduced(torch.from_numpy(pixels), side)
    assert rounded.dtype == torch.uint8
    assert np.abs(rounded.numpy() - slow).max() <= 1.5, "rounded once in each direction"
    assert reduced(rounded, side) is rounded


@given(st.floats(30, 600), st.floats(0.01, 0.5), st.floats(0.5, 2.0), st.floats(0.25, 1.0))
@settings(max_examples=60)
def test_a_budget_is_kept_while_images_grow(budget: float, step: float, guess: float, first: float) -> None:
    """A simulated training: a step costs its side squared, the first guess is off by up to two."""
    growth = Growth(32, first)
    pace = Pace(budget, 100, step * guess, 0.0, growth.cost)
    plan, now = Plan(((0, pace.total_steps(0, 0.0, 0.0)),)), 0.0
    pace.begin(0, 0.0, 0.0)
    done = 0
    while done < plan.total:
        now += step * (growth.side(plan.progress(done)) / 32) ** 2
        done += 1
        total = pace.correction(done, now, plan.progress(done))
        if total is not None:
            plan = plan.corrected(done, total)
    finishing = 3.5 + 0.005 * budget
    last = step + 0.02 * budget * (1 - MARKS[-1])
    assert abs(budget - finishing - now) <= last + 0.01 * budget


def test_a_network_of_one_size_is_refused() -> None:
    fixed = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2))
    with pytest.raises(UserError, match=r"images of 32 pixels and not of 16.*progressive"):
        check_takes(fixed, Growth(32, 0.5), torch.device("cpu"))
    assert fixed.training
    check_takes(fixed, Growth(32, 1.0), torch.device("cpu"))
