"""Second authors of loss, update, schedule and plan."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from babysit.errors import UserError
from babysit.losses import LOSSES
from babysit.optim.optimizers import OPTIMIZERS
from babysit.optim.schedules import Moment, rate_factor
from babysit.recipe import Recipe
from babysit.recipe.schema import LossPart, OptimPart, SchedulePart
from babysit.regularizers import parameter_groups
from babysit.training.plan import Plan
from babysit.training.session import assemble


def slow_loss(scores: np.ndarray, labels: np.ndarray) -> float:
    total = 0.0
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        largest = max(row)
        total += math.log(math.fsum(math.exp(value - largest) for value in row)) + largest - row[label]
    return total / len(labels)


@given(st.integers(0, 10_000), st.integers(1, 7), st.integers(2, 12), st.sampled_from([0.1, 1.0, 30.0, 1000.0]))
@settings(max_examples=40)
def test_softmax_loss(seed: int, count: int, classes: int, scale: float) -> None:
    generator = np.random.default_rng(seed)
    scores = (generator.standard_normal((count, classes)) * scale).astype(np.float32)
    labels = generator.integers(0, classes, count)
    seen = float(LOSSES["softmax"](LossPart(), None)(torch.from_numpy(scores), torch.from_numpy(labels)))
    assert seen == pytest.approx(slow_loss(scores.astype(np.float64), labels), rel=1e-4, abs=1e-5)


def test_softmax_loss_gradient_is_probability_minus_truth_over_the_batch() -> None:
    generator = np.random.default_rng(0)
    scores = torch.from_numpy(generator.standard_normal((5, 4)).astype(np.float32)).requires_grad_()
    labels = torch.tensor([0, 3, 1, 1, 2])
    LOSSES["softmax"](LossPart(), None)(scores, labels).backward()
    expected = (torch.softmax(scores.detach().double(), 1) - torch.eye(4).double()[labels]) / 5
    assert torch.allclose(scores.grad.double(), expected, atol=1e-7)


def test_softmax_loss_is_computed_in_float32() -> None:
    scores = torch.tensor([[100.0, 100.5]], dtype=torch.bfloat16)
    assert LOSSES["softmax"](LossPart(), None)(scores, torch.tensor([0])).dtype == torch.float32


@pytest.mark.parametrize("kind", ["sgd", "momentum", "nesterov"])
@pytest.mark.parametrize("biases", [False, True])
def test_three_updates(kind: str, biases: bool) -> None:
    """W <- W - lr (g + decay W) with momentum, in float64 and plain NumPy; the rate changes between steps."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 2)).double()
    decay, momentum, rates = 0.05, 0.8, [0.1, 0.3, 0.02]
    optimizer = OPTIMIZERS[kind](parameter_groups(model, decay, biases=biases), OptimPart(momentum=momentum))
    weights = {name: one.detach().numpy().copy() for name, one in model.named_parameters()}
    speed = {name: np.zeros_like(one) for name, one in weights.items()}
    generator = np.random.default_rng(1)
    for number, rate in enumerate(rates):
        for group in optimizer.param_groups:
            group["lr"] = rate
        for name, parameter in model.named_parameters():
            gradient = generator.standard_normal(parameter.shape)
            parameter.grad = torch.from_numpy(gradient.copy())
            decays = biases or weights[name].ndim > 1
            slope = gradient + (decay * weights[name] if decays else 0.0)
            if kind == "sgd":
                direction = slope
            else:
                speed[name] = slope if number == 0 else momentum * speed[name] + slope
                direction = slope + momentum * speed[name] if kind == "nesterov" else speed[name]
            weights[name] = weights[name] - rate * direction
        optimizer.step()
    for name, parameter in model.named_parameters():
        assert np.allclose(parameter.detach().numpy(), weights[name], rtol=1e-12, atol=1e-12), name


def test_every_parameter_is_in_one_group_and_frozen_ones_in_none() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(2, 2))
    model[0].weight.requires_grad_(False)
    for biases in (False, True):
        groups = parameter_groups(model, 0.1, biases=biases)
        inside = [id(one) for group in groups for one in group["params"]]
        assert sorted(inside) == sorted(id(one) for one in model.parameters() if one.requires_grad)
        decaying = sum(one.numel() for group in groups if group["weight_decay"] for one in group["params"])
        assert decaying == (4 + 2 + 2 + 2 + 2 if biases else 4)


@pytest.mark.parametrize("bias_rate", [1.0, 64.0])
@pytest.mark.parametrize("biases", [False, True])
def test_the_shifts_of_normalisations_have_a_rate_of_their_own(bias_rate: float, biases: bool) -> None:
    """Two steps of a session with momentum, in float64 and plain NumPy: shifts at bias_rate times the rate, all else at it."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3), nn.GroupNorm(1, 3), nn.Flatten(), nn.Linear(3, 2))
    model.double()
    l2, momentum, rates = 0.05, 0.8, [0.1, 0.3]
    changes = {"optim.kind": "momentum", "optim.momentum": momentum, "optim.bias_rate": bias_rate, "optim.lr": 0.1}
    recipe = Recipe().replace({**changes, "regularize.l2": l2, "regularize.biases": biases})
    session = assemble(recipe, model, None, None, None, classes=("a", "b"), plan=Plan(((0, 2),)), clock=None)
    weights = {name: one.detach().numpy().copy() for name, one in model.named_parameters()}
    speed = {name: np.zeros_like(one) for name, one in weights.items()}
    generator = np.random.default_rng(1)
    for number, rate in enumerate(rates):
        for name, parameter in model.named_parameters():
            gradient = generator.standard_normal(parameter.shape)
            parameter.grad = torch.from_numpy(gradient.copy())
            slope = gradient + (l2 * weights[name] if biases or weights[name].ndim > 1 else 0.0)
            speed[name] = slope if number == 0 else momentum * speed[name] + slope
            factor = bias_rate if name in ("1.bias", "2.bias") else 1.0
            weights[name] = weights[name] - factor * rate * speed[name]
        session.update(rate)
    for name, parameter in model.named_parameters():
        assert np.allclose(parameter.detach().numpy(), weights[name], rtol=1e-12, atol=1e-12), name


def test_the_body_has_a_rate_of_its_own_which_meets_that_of_shifts() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 2))
    groups = parameter_groups(model, 0.5, biases=False, bias_rate=64.0, body_rate=0.25, heads=("3",))
    named = {id(one): name for name, one in model.named_parameters()}
    seen = {
        named[id(one)]: (group.get("rate_factor", 1.0), group["weight_decay"])
        for group in groups
        for one in group["params"]
    }
    assert seen == {
        "0.weight": (0.25, 0.5),
        "0.bias": (0.25, 0.0),
        "1.weight": (0.25, 0.0),
        "1.bias": (16.0, 0.0),
        "3.weight": (1.0, 0.5),
        "3.bias": (1.0, 0.0),
    }


def test_a_rate_for_shifts_that_are_not_there_is_refused() -> None:
    with pytest.raises(UserError, match="no normalisation with a trained shift") as caught:
        parameter_groups(nn.Linear(2, 2), 0.1, biases=False, bias_rate=64.0)
    assert "optim.bias_rate" in str(caught.value)


@pytest.mark.parametrize(
    ("progress", "factor"),
    [
        (0.0, 0.001),
        (0.05, 0.2008),
        (0.125, 0.5005),
        (0.25, 1.0),
        (0.4, 0.8002),
        (0.625, 0.5005),
        (0.85, 0.2008),
        (1.0, 0.001),
    ],
)
def test_one_cycle_by_its_table(progress: float, factor: float) -> None:
    assert factor_of("one-cycle", progress, warmup=0.25) == pytest.approx(factor, abs=1e-12)


def factor_of(kind: str, progress: float, **settings: float) -> float:
    return rate_factor(Moment(0, 0.0, progress), SchedulePart(kind=kind, **settings))


@given(st.floats(0, 1), st.floats(0, 0.99))
def test_one_cycle_stays_between_floor_and_peak(progress: float, warmup: float) -> None:
    assert 0.001 - 1e-12 <= factor_of("one-cycle", progress, warmup=warmup) <= 1 + 1e-12
    assert factor_of("constant", progress) == 1.0


def test_one_cycle_without_warmup_begins_at_its_peak() -> None:
    assert factor_of("one-cycle", 0.0, warmup=0.0) == 1.0


@pytest.mark.parametrize(
    ("kind", "settings", "step", "factor"),
    [
        # 10 steps an epoch, 100 steps in all; the numbers worked out by hand
        ("step", {"every": 30}, 29, 1.0),
        ("step", {"every": 30}, 30, 0.1),
        ("step", {"every": 30, "factor": 0.5}, 95, 0.125),
        ("step", {}, 33, 1.0),
        ("step", {}, 34, 0.1),
        ("step", {}, 100, 0.01),
        ("exponential", {}, 9, 1.0),
        ("exponential", {}, 10, 0.97),
        ("exponential", {"factor": 0.9}, 35, 0.729),
        ("sqrt", {}, 19, 0.9),
        ("sqrt", {}, 100, 0.0),
        ("polynomial", {}, 50, 0.25),
        ("polynomial", {"power": 1}, 75, 0.25),
        ("inverse", {"tau": 2}, 60, 0.25),
        ("inverse", {}, 60, 0.25),
        ("exp", {"tau": 5}, 100, math.exp(-2)),
        ("exp", {}, 20, math.exp(-1)),
        ("cosine", {}, 50, 0.5),
        ("cosine", {}, 100, 0.0),
        ("cosine", {"warmup": 0.5}, 25, (1 + math.cos(math.pi / 4)) / 2 * 0.5005),
        ("trapezoid", {}, 40, 1.0),
        ("trapezoid", {}, 70, 0.001 + 0.999 * 0.5),
        ("trapezoid", {"front": 0.5}, 75, 0.001 + 0.999 * 0.5),
        ("trapezoid", {"front": 0.5}, 100, 0.001),
        ("trapezoid", {"front": 0.0}, 50, 0.001 + 0.999 * 0.5),
        ("trapezoid", {"warmup": 0.2}, 10, 0.5005),
        ("constant", {"warmup": 0.2}, 10, 0.5005),
        ("constant", {"warmup": 0.2}, 20, 1.0),
    ],
)
def test_schedules_by_hand(kind: str, settings: dict, step: int, factor: float) -> None:
    moment = Moment.of(step, steps_per_epoch=10, total=100)
    assert rate_factor(moment, SchedulePart(kind=kind, **settings)) == pytest.approx(factor, abs=1e-12)


@pytest.mark.parametrize("kind", ["inverse", "exp"])
def test_the_literal_forms_are_the_limits(kind: str) -> None:
    """The lecture's 1/t and exp(-t), t in epochs: ours with a small tau, and tau = 1."""
    for epoch in (1.0, 2.0, 7.0):
        moment = Moment(0, epoch, 0.5)
        if kind == "inverse":
            assert rate_factor(moment, SchedulePart(kind=kind, tau=1e-6)) / 1e-6 == pytest.approx(1 / epoch, rel=1e-5)
        else:
            assert rate_factor(moment, SchedulePart(kind=kind, tau=1)) == pytest.approx(math.exp(-epoch))


@st.composite
def plans(draw):
    """A plan and the corrections of a budget run: each at a later step, before the end as believed then and after."""
    plan = Plan(((0, draw(st.integers(1, 400))),))
    step = 0
    for _ in range(draw(st.integers(0, 5))):
        if step + 1 >= plan.total:
            break
        step = draw(st.integers(step + 1, plan.total - 1))
        plan = plan.corrected(step, draw(st.integers(step + 1, 900)))
    return plan


@given(plans())
@settings(max_examples=200)
def test_progress_is_monotone_without_jumps_and_ends_at_one(plan: Plan) -> None:
    seen = [plan.progress(step) for step in range(plan.total + 1)]
    assert seen[0] == 0.0
    assert seen[-1] == pytest.approx(1.0, abs=1e-12)
    assert all(0 <= one <= 1 for one in seen)
    assert all(after >= before for before, after in itertools.pairwise(seen))


@given(plans(), st.data())
@settings(max_examples=200)
def test_a_correction_does_not_move_the_step_it_is_made_at_nor_the_past(plan: Plan, data) -> None:
    last = plan.knots[-1][0]
    if last + 1 >= plan.total:
        return
    step = data.draw(st.integers(last + 1, plan.total - 1))
    corrected = plan.corrected(step, data.draw(st.integers(step + 1, 900)))
    for before in range(step + 1):
        assert corrected.progress(before) == pytest.approx(plan.progress(before), abs=1e-12)
    # From the knot on, what is left of the way is spread evenly over the steps that are left.
    left = corrected.total - step
    for after in range(step, corrected.total + 1):
        even = plan.progress(step) + (1 - plan.progress(step)) * (after - step) / left
        assert corrected.progress(after) == pytest.approx(even, abs=1e-9)


def test_a_plan_cannot_end_before_now() -> None:
    assert Plan(((0, 100),)).corrected(60, 10).total == 60
