"""Dropout set in any network: where it stands, what it keeps, and that training with it goes on exactly."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from babysit.errors import UserError
from babysit.models import MODELS, Shape
from babysit.models.surgery import is_dropout, set_dropout


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("quick", "full", ["classifier"]),
        ("quick", "conv", ["conv2", "conv3", "conv4", "conv5"]),
        ("alexnet", "full", ["dropout6", "dropout7"]),
        ("alexnet", "conv", ["conv2", "conv3", "conv4", "conv5"]),
        ("alexnet", "fc8, conv1", ["fc8", "conv1"]),
    ],
)
def test_where_dropout_stands(name: str, at: str, expected: list[str]) -> None:
    with torch.device("meta"):
        network = MODELS[name](Shape(size=64 if name == "alexnet" else 32, classes=4, width=32))
    names = set(network.state_dict())
    assert set_dropout(network, 0.3, at=at) == expected
    assert set(network.state_dict()) == names
    probabilities = [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)]
    assert sorted(probabilities) == [0.0] * (len(probabilities) - len(expected)) + [0.3] * len(expected)


@pytest.mark.parametrize("form", ["inverted", "paper"])
def test_a_layer_s_inputs_are_dropped_and_scaled_by_hand(form: str) -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).double()
    set_dropout(network, 0.9, at="2", form=form)
    assert set_dropout(network, 0.2, at="2", form=form) == ["2"], "again: the new one takes the old one's place"
    x = torch.randn(5, 3, dtype=torch.float64)
    hidden = network[1](network[0](x))
    torch.manual_seed(3)
    mask = torch.empty_like(hidden).bernoulli_(0.8)
    torch.manual_seed(3)
    scale = 1 / 0.8 if form == "inverted" else 1.0
    assert torch.allclose(network.train()(x), (hidden * mask * scale) @ network[2].weight.T + network[2].bias)
    kept = 1.0 if form == "inverted" else 0.8
    assert torch.allclose(network.eval()(x), (hidden * kept) @ network[2].weight.T + network[2].bias)
    twin = copy.deepcopy(network)
    set_dropout(twin, 0.0, at="2", form="paper")
    assert torch.allclose(network(x), (hidden * kept) @ network[2].weight.T + network[2].bias), "a copy is its own"


def test_no_layer_for_it_is_said() -> None:
    linear = MODELS["linear"](Shape(size=8, classes=3, width=0))
    with pytest.raises(UserError, match="no layer for dropout at 'full'"):
        set_dropout(linear, 0.5)
    with pytest.raises(UserError, match="Did you mean 'conv2'"):
        set_dropout(MODELS["quick"](Shape(size=8, classes=3, width=32)), 0.5, at="conv22")
    assert set_dropout(linear, 0.0) == [] and not any(map(is_dropout, linear.modules()))
