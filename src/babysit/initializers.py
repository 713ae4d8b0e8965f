"""Initialisers: functions that give a network its first weights.

Each meets every convolution, full layer and locally connected layer, the classifier too, and sets its bias to
`init.bias`; normalisations are left alone. One filter has `fan in` inputs (channels of its group times pixels of the
kernel); one input of a position is seen by `fan out` weights (outputs of its group times pixels of the kernel).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from babysit.errors import UserError
from babysit.recipe.schema import InitPart
from babysit.seeds import stream_key
from babysit.tables import Table

LECTURES_SCALE = 0.001
"""The lecture's deviation of a small Gaussian; its other one is 0.0001."""

NEAR_ONE, MOST_ROUNDS = 0.01, 10
"""LSUV: how far from 1 a layer's variance may stay, and how often it is rescaled at most."""

WHITENING_EPSILON = 5e-4
"""Added to the eigenvalues of whitened patches, whose values have a variance about 1."""

MOST_PATCHES = 500_000


@dataclass(frozen=True)
class Means:
    """What an initialiser may use: its settings, a random stream of its own, and a batch of training images as the
    network sees them (None when there is none)."""

    part: InitPart
    generator: torch.Generator
    images: Tensor | None = None


Initializer = Callable[[nn.Module, Means], None]
Draw = Callable[[Tensor, Means], Tensor]


def initialize(network: nn.Module, part: InitPart, *, seed: int, images: Tensor | None = None) -> nn.Module:
    """Gives a network the first weights that a recipe asks for; a function of its arguments.

    Arguments:
        network: changed in place and returned.
        seed: of the stream the weights are drawn from.
        images: a batch of training images, preprocessed; `lsuv` and `whitening` need it.

    Raises:
        UserError: when the network, or the lack of images, does not allow it.

    >>> layer = initialize(nn.Linear(3, 3), InitPart(kind="identity"), seed=0)
    >>> layer(torch.tensor([1.0, 2.0, 3.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    generator = torch.Generator().manual_seed(stream_key(seed, "weights") % 2**63)
    with torch.no_grad():
        INITIALIZERS[part.kind or "network"](network, Means(part, generator, images))
        if part.bias is not None:
            _set_biases(network, part.bias)
    return network


def weighted_layers(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The layers that have filters, with their names, in the network's order."""
    return ((name, layer) for name, layer in network.named_modules() if filters(layer) is not None)


def filters(layer: nn.Module) -> Tensor | None:
    """A layer's weights as filters, a view: (groups, outputs of a group, channels of a group, height, width).

    None of a layer without filters. A layer may say so itself with a method `filters`; it may have more axes in front.
    """
    if isinstance(layer, nn.Linear):
        return layer.weight[None, :, :, None, None]
    if isinstance(layer, nn.Conv2d):
        return layer.weight.unflatten(0, (layer.groups, -1))
    own = getattr(layer, "filters", None)
    return cast(Callable[[], Tensor], own)() if callable(own) else None


def fans(weights: Tensor) -> tuple[int, int]:
    """Fan in and fan out of `filters`' weights.

    >>> fans(torch.empty(2, 8, 4, 3, 3))
    (36, 72)
    """
    outputs, channels, height, width = weights.shape[-4:]
    return channels * height * width, outputs * height * width


def network_s_own(network: nn.Module, means: Means) -> None:
    """What the architecture brings; nothing is changed."""


def _drawn(draw: Draw, network: nn.Module, means: Means) -> None:
    for _, layer in weighted_layers(network):
        weights = filters(layer)
        assert weights is not None
        if not weights.is_meta:
            weights.copy_(draw(weights, means))
    _set_biases(network, 0.0)


def gaussian(network: nn.Module, means: Means) -> None:
    """W ~ N(0, scale²), scale 0.001 unless given: the lecture's small numbers."""
    _drawn(lambda weights, _: _normal(weights, means, _scale(means, LECTURES_SCALE)), network, means)


def xavier(network: nn.Module, means: Means) -> None:
    """Var W = scale² 2 / (fan in + fan out), normal or uniform; scale 1 unless given.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010,
    equation 16 (uniform).
    """
    _drawn(lambda weights, _: _spread(weights, means, math.sqrt(2 / sum(fans(weights)))), network, means)


def he(network: nn.Module, means: Means) -> None:
    """Var W = scale² 2 / fan, fan in or fan out, normal or uniform; scale 1 unless given.

    Source: He et al., "Delving Deep into Rectifiers", ICCV 2015, equations 10 and 14.
    """
    place = ("in", "out").index(means.part.fan)
    _drawn(lambda weights, _: _spread(weights, means, math.sqrt(2 / fans(weights)[place])), network, means)


def orthogonal(network: nn.Module, means: Means) -> None:
    """Q with orthonormal rows, or columns when there are more outputs than inputs of a filter, times scale (1).

    Each group, and each position of a locally connected layer, has a Q of its own.

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning", ICLR 2014.
    """
    _drawn(_orthonormal, network, means)


def identity(network: nn.Module, means: Means) -> None:
    """Output i begins as input i (Dirac: 1 in the kernel's middle, elsewhere 0), times scale (1).

    Outputs beyond the inputs keep what the network brings, as all would be zero; a network's last layer keeps it whole.

    Source: Zagoruyko and Komodakis, "DiracNets", 2017; Jordan, "94% on CIFAR-10 in 3.29 seconds", 2024, section 3.2.
    """
    layers = [layer for _, layer in weighted_layers(network)]
    for layer in layers if len(layers) == 1 else layers[:-1]:
        weights = filters(layer)
        assert weights is not None
        outputs, channels, height, width = weights.shape[-4:]
        shared = min(outputs, channels)
        weights[..., :shared, :, :, :] = 0
        for channel in range(shared):
            weights[..., channel, channel, height // 2, width // 2] = _scale(means, 1.0)
    _set_biases(network, 0.0)


def lsuv(network: nn.Module, means: Means) -> None:
    """Orthonormal weights, then layer by layer W <- W / sqrt(Var(outputs)) until the variance is 1.

    The outputs are those of a batch of training images, before the activation function.

    Source: Mishkin and Matas, "All you need is a good init", ICLR 2016, algorithm 1.
    """
    images = _images(means, "lsuv")
    orthogonal(network, means)
    modes = {layer: layer.training for layer in network.modules()}
    buffers = {name: value.clone() for name, value in network.named_buffers()}
    network.eval()
    for layer in network.modules():
        if isinstance(layer, _BatchNorm):
            layer.train()  # what follows sees what it will see in training
    try:
        for _, layer in weighted_layers(network):
            _to_unit_variance(network, layer, images, _scale(means, 1.0))
    finally:
        for layer, mode in modes.items():
            layer.training = mode
        for name, value in network.named_buffers():
            value.copy_(buffers[name])


def whitening(network: nn.Module, means: Means) -> None:
    """The first convolution begins with filters that whiten its patches; the others with `init.rest`.

    With C the second moments of the training images' patches, C = V diag(l) V^T, its filters are the rows of
    (l + 5e-4)^-1/2 V^T from the largest eigenvalue l down, then their negatives, so that after a ReLU nothing is lost;
    times scale (1). With fewer filters than that the smallest eigenvalues are left out; filters beyond it, and those
    of directions in which the patches do not vary, keep what the network brings. `init.fixed` trains them not.

    Source: Page, "How to train your ResNet", part 8, 2019; Jordan, "94% on CIFAR-10 in 3.29 seconds", 2024, section 3.1.
    """
    images = _images(means, "whitening")
    first = first_convolution(network)
    rest = means.part.model_copy(update={"kind": means.part.rest or "network", "scale": None})
    own = first.weight.clone()
    INITIALIZERS[rest.kind or "network"](network, Means(rest, means.generator, means.images))
    first.weight.copy_(own)
    found = whitening_filters(images, first).to(first.weight)[: max(1, first.out_channels // 2)]
    for sign, start in ((1.0, 0), (-1.0, len(found))):
        room = first.weight[start : start + len(found)]
        room.copy_(sign * _scale(means, 1.0) * found[: len(room)])
    if first.bias is not None:
        first.bias.zero_()
    first.weight.requires_grad_(not means.part.fixed)


def first_convolution(network: nn.Module) -> nn.Conv2d:
    """The layer that sees the image.

    Raises:
        UserError: when it is no convolution over all channels.
    """
    name, layer = next(weighted_layers(network), ("", network))
    if not isinstance(layer, nn.Conv2d) or layer.groups > 1:
        raise UserError(
            f"whitening needs a network that begins with a convolution; this one begins with {type(layer).__name__} {name!r}",
            where="init.kind",
        )
    return layer


def whitening_filters(images: Tensor, layer: nn.Conv2d) -> Tensor:
    """The filters that whiten the patches a convolution sees, largest eigenvalue first, in float64.

    Shape:
        images (n, channels, height, width) to (filters, channels, kernel height, kernel width).
    """
    height, width = layer.kernel_size
    a_image = max(1, (images.shape[2] - height + 1) * (images.shape[3] - width + 1))
    some = images[: max(1, MOST_PATCHES // a_image)].float()
    patches = some.unfold(2, height, 1).unfold(3, width, 1).permute(0, 2, 3, 1, 4, 5)
    rows = patches.reshape(-1, some.shape[1] * height * width).double()
    values, vectors = torch.linalg.eigh(rows.T @ rows / len(rows))
    values, vectors = values.flip(0), vectors.flip(1).T
    varied = values > 1e-6 * values[0]
    scaled = vectors[varied] / (values[varied] + WHITENING_EPSILON).sqrt()[:, None]
    # An eigenvector has no sign of its own: the largest entry is positive, on every machine.
    largest = scaled.gather(1, scaled.abs().argmax(1, keepdim=True))
    return (scaled * largest.sign()).view(-1, some.shape[1], height, width)


INITIALIZERS: Table[Initializer] = Table(
    "initialisation",
    {
        "network": network_s_own,
        "gaussian": gaussian,
        "xavier": xavier,
        "he": he,
        "orthogonal": orthogonal,
        "identity": identity,
        "lsuv": lsuv,
        "whitening": whitening,
    },
)

NEED_IMAGES = frozenset({"lsuv", "whitening"})
"""Those that look at a batch of training images."""


def _scale(means: Means, usual: float) -> float:
    return usual if means.part.scale is None else means.part.scale


def _spread(weights: Tensor, means: Means, deviation: float) -> Tensor:
    deviation *= _scale(means, 1.0)
    if means.part.distribution == "normal":
        return _normal(weights, means, deviation)
    drawn = torch.rand(weights.shape, generator=means.generator, dtype=torch.float64)
    return (2 * drawn - 1) * math.sqrt(3) * deviation


def _normal(weights: Tensor, means: Means, deviation: float) -> Tensor:
    return deviation * torch.randn(weights.shape, generator=means.generator, dtype=torch.float32)


def _orthonormal(weights: Tensor, means: Means) -> Tensor:
    sets, outputs, inputs = weights.shape[:-4], weights.shape[-4], fans(weights)[0]
    tall = torch.randn(*sets, max(outputs, inputs), min(outputs, inputs), generator=means.generator)
    q, r = torch.linalg.qr(tall)
    q = q * r.diagonal(dim1=-2, dim2=-1).sign()[..., None, :]  # so that every rotation is equally likely
    return _scale(means, 1.0) * (q if outputs >= inputs else q.mT).reshape(weights.shape)


def _set_biases(network: nn.Module, value: float) -> None:
    for _, layer in weighted_layers(network):
        if isinstance(bias := getattr(layer, "bias", None), Tensor):
            bias.fill_(value)


def _images(means: Means, kind: str) -> Tensor:
    if means.images is None or not len(means.images):
        raise UserError(f"{kind} needs a batch of training images", where="init.kind")
    return means.images


def _to_unit_variance(network: nn.Module, layer: nn.Module, images: Tensor, scale: float) -> None:
    seen: list[Tensor] = []
    hook = layer.register_forward_hook(lambda _layer, _inputs, output: seen.append(output.double()))
    weights = filters(layer)
    assert weights is not None
    try:
        for _ in range(MOST_ROUNDS):
            seen.clear()
            network(images)
            variance = float(seen[0].var()) / scale**2 if seen else 1.0
            if not math.isfinite(variance) or variance <= 0 or abs(variance - 1) <= NEAR_ONE:
                return
            weights.div_(math.sqrt(variance))
    finally:
        hook.remove()
