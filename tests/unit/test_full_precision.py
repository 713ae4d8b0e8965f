"""Convolutions that stay in float32: what they compute, how they are found, and that a recipe keeps them."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from babysit import api
from babysit.data.batches import Batches
from babysit.data.statistics import Statistics
from babysit.errors import UserError
from babysit.layers.full_precision import Float32Conv2d, keep_in_float32
from babysit.models import Shape, build_model
from babysit.recipe.text import Override, parse
from babysit.training import precision
from babysit.training.precision import slow_in_bfloat16
from babysit.training.resolve import check


def part_of(size: int = 16) -> Batches:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (40, size, size, 3), np.uint8)
    statistics = Statistics((127.0,) * 3, (64.0,) * 3)
    return Batches(
        pixels, np.arange(40), generator.integers(0, 4, 40), size, statistics, torch.float32, torch.device("cpu")
    )


def grouped() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=4),
        nn.Conv2d(8, 8, 3, padding=2, dilation=2),
        nn.BatchNorm2d(8),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    )


def test_it_computes_in_float32_between_layers_in_bfloat16() -> None:
    layer, x = nn.Conv2d(8, 8, 3, groups=2), torch.randn(2, 8, 6, 6)
    exact = layer(x)
    network = nn.Sequential(copy.deepcopy(layer))
    keep_in_float32(network, ["0"])
    assert torch.equal(network(x), exact), "without autocast nothing is different"
    with torch.autocast("cpu", torch.bfloat16):
        rough, kept = layer(x), network(x)
        kept.float().sum().backward()
    assert torch.equal(kept, exact.bfloat16()) and not torch.equal(rough, exact.bfloat16())
    assert network[0].weight.grad is not None and network[0].weight.grad.dtype == torch.float32
    assert list(network.state_dict()) == ["0.weight", "0.bias"]


def test_only_convolutions_can_be_kept() -> None:
    with pytest.raises(UserError, match=r"train.float32_layers: '1' is no convolution.*Legal: 0, 2, 3"):
        keep_in_float32(grouped(), ["0", "1"])
    with pytest.raises(UserError, match="'conv9' is no convolution"):
        keep_in_float32(grouped(), ["conv9"])


def test_grouped_and_dilated_ones_are_measured_with_their_own_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def in_turn(arms):
        for arm in arms.values():
            arm()
        seen.append(arms)
        return {"bfloat16": 0.01 * len(seen), "float32": 0.015}  # the first is faster in bfloat16, the second not

    monkeypatch.setattr(precision, "in_turn", in_turn)
    net = grouped()
    before = copy.deepcopy(net.state_dict())
    assert slow_in_bfloat16(net, part_of()) == ("3",)
    assert len(seen) == 2
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(one.grad is None for one in net.parameters()) and type(net[3]) is nn.Conv2d


def test_a_network_without_them_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "in_turn", lambda _: pytest.fail("measured"))
    assert slow_in_bfloat16(build_model("quick", Shape(16, 4, 16), seed=0), part_of()) == ()


def test_a_recipe_keeps_its_layers(tmp_path: Path) -> None:
    settings = {"train.precision": "bfloat16", "train.float32_layers": ("conv1",), "train.steps": 2, "train.threads": 1}
    api.train("digits", out=tmp_path / "run", settings=settings)
    assert 'float32_layers = ["conv1"]' in (tmp_path / "run" / "recipe.toml").read_text(encoding="utf-8")
    network = api.load(tmp_path / "run").model
    assert isinstance(network.get_submodule("conv1"), Float32Conv2d)
    assert type(network.get_submodule("conv2")) is nn.Conv2d


def test_they_are_refused_without_bfloat16() -> None:
    overrides = [Override.from_text("train.precision=float32"), Override.from_text('train.float32_layers=["conv1"]')]
    with pytest.raises(UserError, match="float32_layers is for bfloat16"):
        check(parse(overrides=overrides))
