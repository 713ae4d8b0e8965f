"""Initialisers against their formulas, layer kind by layer kind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from babysit.errors import UserError
from babysit.initializers import INITIALIZERS, fans, filters, initialize, whitening_filters
from babysit.layers.local import LocallyConnected2d
from babysit.recipe.schema import InitPart

LAYERS = {
    "full": (lambda: nn.Linear(300, 200), 300, 200),
    "convolution": (lambda: nn.Conv2d(32, 64, 3), 288, 576),
    "grouped": (lambda: nn.Conv2d(32, 64, 3, groups=4), 72, 144),
    "local": (lambda: LocallyConnected2d(8, 12, 3, input_size=10, groups=2), 36, 54),
}


def small() -> nn.Module:
    torch.manual_seed(5)
    layers = [nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 12, 3, groups=2), nn.BatchNorm2d(12), nn.ReLU()]
    return nn.Sequential(*layers, LocallyConnected2d(12, 4, 3, input_size=6), nn.Flatten(), nn.Linear(64, 5))


def pictures(count: int = 64) -> torch.Tensor:
    """Noise that is smooth, so that patches have a structure."""
    noise = torch.randn(count, 3, 9, 9, generator=torch.Generator().manual_seed(2))
    return nn.functional.avg_pool2d(noise, 2, 1) * 2 + 0.3


@pytest.mark.parametrize("layer", LAYERS)
def test_fans_are_counted_weight_by_weight(layer: str) -> None:
    make, fan_in, fan_out = LAYERS[layer]
    made = make()
    assert fans(filters(made)) == (fan_in, fan_out)
    if not isinstance(made, nn.Linear):  # the weights that one output number depends on, seen by its gradient
        images = torch.ones(1, made.in_channels, 10, 10)
        made(images)[0, 0, 4, 4].backward()
        assert int((made.weight.grad != 0).sum()) == fan_in


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("distribution", ["normal", "uniform"])
@pytest.mark.parametrize("kind", ["gaussian", "xavier", "he-in", "he-out"])
def test_the_deviation_is_the_formula_s(kind: str, distribution: str, layer: str) -> None:
    make, fan_in, fan_out = LAYERS[layer]
    name, _, fan = kind.partition("-")
    part = InitPart(kind=name, scale=0.5, fan=fan or "in", distribution=distribution, bias=0.25)
    made = initialize(make(), part, seed=1)
    spread = {"gaussian": 1.0, "xavier": (2 / (fan_in + fan_out)) ** 0.5}
    deviation = 0.5 * spread.get(kind, (2 / (fan_in if fan == "in" else fan_out)) ** 0.5)
    weight = made.weight.detach().double()
    standard_error = deviation / weight.numel() ** 0.5
    assert abs(float(weight.mean())) < 4 * standard_error
    assert abs(float(weight.std()) - deviation) < 4 * standard_error
    if distribution == "uniform" and name != "gaussian":
        assert float(weight.abs().max()) <= deviation * 3**0.5
    assert bool((made.bias == 0.25).all())


@pytest.mark.parametrize("layer", LAYERS)
def test_orthogonal_sets_of_filters_are_orthonormal(layer: str) -> None:
    made = initialize(LAYERS[layer][0](), InitPart(kind="orthogonal"), seed=1)
    matrices = filters(made).detach().flatten(-3).double().flatten(0, -3)
    gram = matrices @ matrices.mT if matrices.shape[1] <= matrices.shape[2] else matrices.mT @ matrices
    assert torch.allclose(gram, torch.eye(gram.shape[-1]).double().expand_as(gram), atol=1e-5)


def test_identity_lets_an_image_through() -> None:
    x = torch.randn(2, 4, 7, 7)
    for layer in (nn.Conv2d(4, 4, 3, padding=1), LocallyConnected2d(4, 4, 3, input_size=7, padding=1)):
        assert torch.allclose(initialize(layer, InitPart(kind="identity"), seed=0)(x), x, atol=1e-6)
    grouped = nn.Conv2d(4, 8, 3, padding=1, groups=2)
    out = initialize(grouped, InitPart(kind="identity"), seed=0)(x)
    assert torch.allclose(out[:, [0, 1, 4, 5]], x) and not torch.allclose(out[:, [2, 3]], torch.zeros(()))


def test_lsuv_gives_every_layer_outputs_of_variance_one_and_leaves_no_other_trace() -> None:
    network, images = small(), pictures()
    buffers = [one.clone() for one in network.buffers()]
    initialize(network, InitPart(kind="lsuv"), seed=0, images=images)
    assert all(torch.equal(a, b) for a, b in zip(buffers, network.buffers(), strict=True)) and network.training
    seen = []
    for layer in network:
        if filters(layer) is not None:
            layer.register_forward_hook(lambda _layer, _inputs, out: seen.append(float(out.detach().double().var())))
    network(images)
    assert len(seen) == 4 and all(abs(variance - 1) < 0.0101 for variance in seen)


@pytest.mark.parametrize("fixed", [False, True])
def test_whitened_patches_are_uncorrelated_with_variance_one(fixed: bool) -> None:
    network, images = nn.Sequential(nn.Conv2d(3, 54, 3), nn.ReLU(), nn.Conv2d(54, 4, 3)), pictures(300)
    initialize(network, InitPart(kind="whitening", fixed=fixed, rest="he"), seed=0, images=images)
    first = network[0]
    assert first.weight.requires_grad is not fixed and network[2].weight.requires_grad
    # By hand: every patch, one after the other.
    patches = [
        image[:, y : y + 3, x : x + 3].reshape(-1)
        for image in images.double().numpy()
        for y in range(6)
        for x in range(6)
    ]
    moments = sum(np.outer(patch, patch) for patch in patches) / len(patches)
    values, vectors = np.linalg.eigh(moments)
    rows = first.weight.detach().double().flatten(1).numpy()
    for number, place in enumerate(reversed(range(27))):
        expected = vectors[:, place] / np.sqrt(values[place] + 5e-4)
        sign = np.sign(rows[number] @ expected)
        assert np.allclose(rows[number], sign * expected, atol=2e-4), number
        assert np.array_equal(rows[27 + number], -rows[number])


def test_whitening_keeps_to_the_largest_eigenvalues_and_to_directions_that_vary() -> None:
    grey = pictures()[:, :1].expand(-1, 3, -1, -1)
    conv = nn.Conv2d(3, 8, 3)
    found = whitening_filters(grey, conv)
    assert len(found) == 9, "three equal channels vary in nine of 27 directions"
    initialize(conv, InitPart(kind="whitening"), seed=0, images=grey)
    assert torch.allclose(conv.weight[:4].double(), found[:4]) and torch.equal(conv.weight[:4], -conv.weight[4:])


@pytest.mark.parametrize("kind", INITIALIZERS)
def test_the_same_seed_gives_the_same_weights_and_normalisations_are_left_alone(kind: str) -> None:
    made = [initialize(small(), InitPart(kind=kind), seed=seed, images=pictures()) for seed in (0, 0, 1)]
    states = [torch.cat([one.detach().flatten() for one in network.parameters()]) for network in made]
    assert torch.equal(states[0], states[1]) and bool(torch.isfinite(states[0]).all())
    assert torch.equal(states[0], states[2]) == (kind in ("network", "identity", "whitening"))
    norm = list(made[0].children())[3]
    assert bool((norm.weight == 1).all() and (norm.bias == 0).all())


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(UserError, match="needs a batch of training images"):
        initialize(small(), InitPart(kind="lsuv"), seed=0)
    with pytest.raises(UserError, match="begins with Linear"):
        initialize(nn.Linear(3, 3), InitPart(kind="whitening"), seed=0, images=pictures())
