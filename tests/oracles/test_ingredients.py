"""Losses, regularisers and optimisers against slow second authors: plain loops in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from babysit.losses import LOSSES, balanced_weights
from babysit.optim.optimizers import OPTIMIZERS
from babysit.recipe.schema import LossPart, OptimPart, RegularizePart
from babysit.regularizers import Regularizer, clip_gradients, met, parameter_groups


def loss_by_hand(kind: str, scores: np.ndarray, labels: np.ndarray, part: LossPart, weights: np.ndarray) -> float:
    """One example after the other, one class after the other."""
    total, weight_sum = 0.0, 0.0
    for row, label in zip(scores, labels, strict=True):
        if kind in ("softmax", "focal"):
            highest = max(row)
            log_sum = highest + math.log(sum(math.exp(score - highest) for score in row))
            log_p = [score - log_sum for score in row]
        if kind == "softmax":
            wish = [part.smoothing / len(row)] * len(row)
            wish[label] += 1 - part.smoothing
            # PyTorch weighs each class's term by that class's weight, and divides by the labels' weights.
            value = -sum(w * q * p for w, q, p in zip(weights, wish, log_p, strict=True))
        elif kind == "focal":
            value = weights[label] * -((1 - math.exp(log_p[label])) ** part.gamma) * log_p[label]
        else:
            power = 2 if kind == "squared-hinge" else 1
            value = weights[label] * sum(
                max(0.0, score - row[label] + part.margin) ** power for j, score in enumerate(row) if j != label
            )
        total += value
        weight_sum += weights[label]
    return float(total / weight_sum)


@given(
    st.sampled_from(list(LOSSES)),
    st.integers(0, 2**31),
    st.booleans(),
    st.floats(0, 0.5),
    st.floats(0.1, 3),
    st.floats(0, 5),
)
def test_losses_by_hand(kind: str, seed: int, weighted: bool, smoothing: float, margin: float, gamma: float) -> None:
    generator = np.random.default_rng(seed)
    scores, labels = generator.normal(0, 3, (5, 4)), generator.integers(0, 4, 5)
    weights = generator.uniform(0.2, 3, 4) if weighted else np.ones(4)
    part = LossPart(kind=kind, smoothing=smoothing, margin=margin, gamma=gamma)
    loss = LOSSES[kind](part, torch.from_numpy(weights) if weighted else None)
    seen = float(loss(torch.from_numpy(scores), torch.from_numpy(labels)))
    assert seen == pytest.approx(loss_by_hand(kind, scores, labels, part, weights), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("kind", LOSSES)
def test_gradients_by_finite_differences(kind: str) -> None:
    generator = torch.Generator().manual_seed(1)
    scores = torch.randn(4, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 4, 2, 2])
    weights = balanced_weights([5, 1, 3, 2, 8]).double()
    loss = LOSSES[kind](LossPart(smoothing=0.1), weights)
    assert torch.autograd.gradcheck(lambda one: loss(one, labels), [scores])


def test_the_starting_losses_of_the_lecture() -> None:
    scores, labels = torch.zeros(7, 10), torch.arange(7)
    assert float(LOSSES["softmax"](LossPart(), None)(scores, labels)) == pytest.approx(math.log(10), abs=1e-6)
    assert float(LOSSES["hinge"](LossPart(), None)(scores, labels)) == 9.0
    assert float(LOSSES["squared-hinge"](LossPart(margin=2), None)(scores, labels)) == 36.0
    no_focus = LOSSES["focal"](LossPart(gamma=0), None)(scores, labels)
    assert float(no_focus) == pytest.approx(math.log(10), abs=1e-6)


def small_model(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 2)).double()


@pytest.mark.parametrize("kind", ["adagrad", "rmsprop", "adam", "adamw"])
@pytest.mark.parametrize("given_", [OptimPart(momentum=0.8), OptimPart(momentum=0.0, beta2=0.7, epsilon=1e-3)])
def test_adaptive_optimisers_by_hand(kind: str, given_: OptimPart) -> None:
    l2, rates = 0.03, [0.1, 0.3, 0.02, 0.2]
    weight = nn.Parameter(torch.tensor([0.5, -2.0, 3.0], dtype=torch.float64))
    optimizer = OPTIMIZERS[kind]([{"params": [weight], "weight_decay": l2}], given_)
    w = weight.detach().numpy().copy()
    m, s, v = np.zeros(3), np.zeros(3), np.zeros(3)
    beta, generator = given_.momentum, np.random.default_rng(3)
    for t, rate in enumerate(rates, start=1):
        gradient = generator.standard_normal(3)
        weight.grad = torch.from_numpy(gradient.copy())
        g = gradient + l2 * w
        if kind == "adagrad":
            s = s + g * g
            w = w - rate * g / (np.sqrt(s) + (given_.epsilon or 1e-10))
        elif kind == "rmsprop":
            beta2 = 0.99 if given_.beta2 is None else given_.beta2
            s = beta2 * s + (1 - beta2) * g * g
            v = beta * v + g / (np.sqrt(s) + (given_.epsilon or 1e-8))
            w = w - rate * v
        else:
            beta2 = 0.999 if given_.beta2 is None else given_.beta2
            m, s = beta * m + (1 - beta) * g, beta2 * s + (1 - beta2) * g * g
            w = w - rate * (m / (1 - beta**t)) / (np.sqrt(s / (1 - beta2**t)) + (given_.epsilon or 1e-8))
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        assert np.allclose(weight.detach().numpy(), w, rtol=1e-10, atol=1e-12), t


def penalty_by_hand(model: nn.Module, part: RegularizePart) -> torch.Tensor:
    """The formulas of the module's page, differentiable."""
    total = torch.zeros((), dtype=torch.float64)
    for one in model.parameters():
        if one.ndim > 1 or part.biases:
            total = total + (part.l2 or 0) / 2 * (one * one).sum() + part.elastic_l2 * (one * one).sum()
            total = total + (part.l1 + part.elastic_l1) * one.abs().sum()
    return total


@pytest.mark.parametrize("biases", [False, True])
def test_penalties_and_their_gradients(biases: bool) -> None:
    part = RegularizePart(l2=0.3, l1=0.02, elastic_l1=0.05, elastic_l2=0.07, biases=biases)
    model = small_model()
    regularizer = Regularizer(list(met(model, biases=biases)), part)
    wanted = penalty_by_hand(model, part)
    assert regularizer.penalty() == pytest.approx(float(wanted.detach()), rel=1e-12)
    gradients = torch.autograd.grad(wanted, list(model.parameters()), allow_unused=True)
    before = [one.detach().clone() for one in model.parameters()]
    for one in model.parameters():
        one.grad = torch.zeros_like(one)
    optimizer = OPTIMIZERS["sgd"](parameter_groups(model, part.l2, biases=biases), OptimPart())
    regularizer.before_update(0.1)
    for group in optimizer.param_groups:
        group["lr"] = 0.1
    optimizer.step()
    for one, old, slope in zip(model.parameters(), before, gradients, strict=True):
        moved = old - 0.1 * (slope if slope is not None else 0.0)
        assert torch.allclose(one.detach(), moved, rtol=1e-12, atol=1e-14)


def test_half_an_elastic_l2_is_an_l2() -> None:
    model = small_model()
    weights = list(met(model, biases=False))
    one = Regularizer(weights, RegularizePart(l2=0.4)).penalty()
    assert one == pytest.approx(Regularizer(weights, RegularizePart(elastic_l2=0.2)).penalty(), rel=1e-12)


def trained(kind: str, part: RegularizePart, steps: int = 5) -> torch.Tensor:
    weight = nn.Parameter(torch.tensor([[1.0, -2.0], [0.5, 3.0]], dtype=torch.float64))
    regularizer = Regularizer([weight], part)
    optimizer = OPTIMIZERS[kind]([{"params": [weight], "weight_decay": part.l2 or 0.0}], OptimPart())
    generator = torch.Generator().manual_seed(2)
    for _ in range(steps):
        weight.grad = torch.randn(2, 2, generator=generator, dtype=torch.float64)
        regularizer.before_update(0.05)
        for group in optimizer.param_groups:
            group["lr"] = 0.05
        optimizer.step()
        regularizer.after_update(0.05)
    return weight.detach()


def test_l2_and_decay_are_one_for_plain_gradient_descent_only() -> None:
    assert torch.allclose(trained("sgd", RegularizePart(l2=0.3)), trained("sgd", RegularizePart(decay=0.3)), rtol=1e-12)
    for kind in ("momentum", "nesterov", "adam", "rmsprop", "adagrad"):
        l2, decay = trained(kind, RegularizePart(l2=0.3)), trained(kind, RegularizePart(decay=0.3))
        assert float((l2 - decay).abs().max()) > 1e-3, kind


def test_the_proximal_form_gives_exact_zeros_and_the_gradient_form_none() -> None:
    def after(form: str) -> float:
        weight = nn.Parameter(torch.linspace(-1, 1, 50, dtype=torch.float64).reshape(5, 10))
        regularizer = Regularizer([weight], RegularizePart(l1=0.5, l1_form=form))
        for _ in range(20):
            weight.grad = torch.zeros_like(weight)
            regularizer.before_update(0.05)
            weight.data.sub_(weight.grad, alpha=0.05)
            regularizer.after_update(0.05)
        return regularizer.zero_share()

    # 20 steps of 0.05 * 0.5 take 0.5 off every |W|: half of them are below.
    assert after("proximal") == pytest.approx(0.5, abs=0.05) and after("gradient") == 0.0


@given(st.floats(0.01, 10))
def test_clipping_keeps_the_direction_and_bounds_the_norm(longest: float) -> None:
    model = small_model()
    generator = torch.Generator().manual_seed(0)
    for one in model.parameters():
        one.grad = torch.randn(one.shape, generator=generator, dtype=torch.float64)
    before = torch.cat([one.grad.reshape(-1) for one in model.parameters()])
    norm = clip_gradients(model.parameters(), longest)
    after = torch.cat([one.grad.reshape(-1) for one in model.parameters()])
    assert norm == pytest.approx(float(before.norm()), rel=1e-12)
    assert float(after.norm()) == pytest.approx(min(longest, norm), rel=1e-4)
    assert float(torch.nn.functional.cosine_similarity(before, after, dim=0)) == pytest.approx(1, abs=1e-12)


def test_balanced_weights_leave_the_mean_alone() -> None:
    counts = [7, 1, 12]
    weights = balanced_weights(counts)
    assert float((weights * torch.tensor(counts)).sum() / sum(counts)) == pytest.approx(1)
    assert [float(one * count) for one, count in zip(weights, counts, strict=True)] == pytest.approx([20 / 3] * 3)
