"""How often a loop of somebody's is looked at, from what that costs."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from babysit.probes.meter import Meter
from babysit.watching import thinning
from babysit.watching.thinning import EARLY, HIDDEN, LEAST, SHARE, Thinning


def run(steps: int, *, step: float, seen: float, passed: float, look: float, loss=lambda number: 1.0):
    """A loop whose costs in seconds are given instead of measured: the updates looked at, and what was spent in all."""
    one = Thinning(Meter(nn.Linear(1, 1), 10))
    chosen, spent = [], 0.0
    for number in range(1, steps + 1):
        if one.sees(number) or one.alarmed(float(loss(number))):
            chosen.append(number)
            looks = thinning.thinned(number, one.meter.every)
            one._spent = (look if looks else seen) / HIDDEN
            spent += look if looks else seen
            one.meter.step = number
            one.seen(step, float(loss(number)))
        else:
            spent += passed
            one.meter.step = number
            one.passed(passed / HIDDEN)
    return chosen, spent, one


@pytest.mark.parametrize(
    ("step", "allowed"), [(0.001, LEAST), (0.009, LEAST), (0.02, SHARE * 0.02), (0.2, SHARE * 0.2)]
)
def test_it_costs_what_it_may_after_the_first_updates(step: float, allowed: float) -> None:
    costs = {"seen": 0.7e-3, "passed": 35e-6, "look": 12e-3}
    before, spent_before, _ = run(1000, step=step, **costs)
    after, spent, one = run(20_000, step=step, **costs)
    assert before[:EARLY] == list(range(1, EARLY + 1))
    assert (spent - spent_before) / 19_000 <= allowed
    assert max(b - a for a, b in itertools.pairwise(after)) <= 1.05 * one.gap + 1
    assert (one.gap == 1) is (step == 0.2)


def test_a_loss_never_seen_so_large_is_looked_at_and_those_after_it() -> None:
    costs = {"step": 0.005, "seen": 0.7e-3, "passed": 35e-6, "look": 12e-3}
    calm, _, _ = run(1000, **costs)
    chosen, _, _ = run(1000, **costs, loss=lambda number: 5.0 if number == 733 else 1.0)
    assert not set(range(733, 740)) <= set(calm)
    assert set(range(733, 733 + thinning.WARY)) <= set(chosen) and len(chosen) < len(calm) + 1.5 * thinning.WARY


def test_a_loss_that_is_no_number_any_more_is_looked_at_for_a_while_only() -> None:
    costs = {"step": 0.005, "seen": 0.7e-3, "passed": 35e-6, "look": 12e-3}
    chosen, _, _ = run(2000, **costs, loss=lambda number: float("nan") if number >= 733 else 1.0)
    assert set(range(733, 733 + thinning.WARY)) <= set(chosen)
    assert len([one for one in chosen if one > 800]) < 300


def test_not_at_a_fixed_period() -> None:
    chosen, _, one = run(2000, step=0.005, seen=0.7e-3, passed=35e-6, look=12e-3)
    gaps = [b - a for a, b in itertools.pairwise(chosen) if a > 1000]
    assert one.gap > 5 and len(set(gaps)) >= 3 and torch.tensor(gaps).double().mean() == pytest.approx(one.gap, rel=0.1)
