"""Dropout set in any network: where it stands, what it keeps, and that training with it goes on exactly."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from babysit.errors import UserError
from babysit.models import MODELS, Shape, build_model
from babysit.models.surgery import fix_body, heads_in, is_dropout, set_dropout


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


HEADS = {"alexnet": ("fc8",), "alexnet-one": ("classifier.6",), "quick": ("classifier",), "linear": ("classifier",)}
HEADS |= {"two-layer": ("classifier",), "convnet": ("classifier",), "local": ("classifier",)}


@pytest.mark.parametrize("name", MODELS)
def test_the_heads_are_what_gives_scores(name: str) -> None:
    with torch.device("meta"):
        network = MODELS[name](Shape(MODELS[name].size, 7, 32))
    usual = ("classifier.6",) if name.startswith("vgg") else ("fc",)
    expected = {"aux1.fc2", "aux2.fc2", "fc"} if name.startswith("googlenet") else {*HEADS.get(name, usual)}
    assert {*heads_in(network)} == expected
    assert all(network.get_submodule(head).get_parameter("weight").shape[0] == 7 for head in expected)


def test_a_fixed_body_computes_in_training_what_it_computes_in_evaluation() -> None:
    torch.manual_seed(0)
    network = build_model("resnet18", Shape(16, 5, 0), seed=0)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.uniform_(-0.2, 0.2)
            layer.running_var.uniform_(0.5, 1.5)
    names, images = [name for name, _ in network.named_parameters()], torch.randn(4, 3, 16, 16)
    with torch.no_grad():
        expected = network.eval()(images)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert fix_body(network) is network and [name for name, _ in network.named_parameters()] == names
    seen = copy.deepcopy(network).train()(images)
    assert torch.allclose(seen, expected, atol=1e-6)
    seen.sum().backward()
    network.train()(images).sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert [name for name, one in network.named_parameters() if one.grad is not None] == ["fc.weight", "fc.bias"]
    again = build_model("resnet18", Shape(16, 5, 0), seed=1)
    again.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert torch.equal(again.eval()(images), network.eval()(images))
