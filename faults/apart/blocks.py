"""Blocks of the networks of the part that is apart."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import fresh.networks
from fresh.networks import Form

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    **fresh.networks.ACTIVATIONS,
    "selu": nn.SELU,
    "sloped": nn.PReLU,
    "mish": nn.Mish,
    "hard-swish": nn.Hardswish,
}


def normal(form: Form, channels: int) -> nn.Module:
    """A normalisation layer of the asked kind."""
    if form.norm == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    if form.norm == "response":
        return nn.LocalResponseNorm(5)
    return fresh.networks.normal(form, channels)


def unit(form: Form, incoming: int, outgoing: int, size: int = 3, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Activation after normalisation after convolution, or normalisation last where it is of responses."""
    bias = form.norm in ("none", "response")
    layers = [
        nn.Conv2d(incoming, outgoing, size, stride, padding=size // 2, groups=groups, bias=bias),
        normal(form, outgoing),
        ACTIVATIONS[form.activation](),
    ]
    return nn.Sequential(layers[0], layers[2], layers[1]) if form.norm == "response" else nn.Sequential(*layers)


class Scaled(nn.Module):
    """Expansion, a depthwise convolution, squeeze and excitation, projection, and a way around (Tan and Le 2019)."""

    def __init__(self, form: Form, incoming: int, outgoing: int, stride: int) -> None:
        super().__init__()
        inner = 4 * incoming
        self.around = stride == 1 and incoming == outgoing
        self.before = nn.Sequential(
            unit(form, incoming, inner, 1), unit(form, inner, inner, stride=stride, groups=inner)
        )
        self.squeeze = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(inner, max(1, incoming // 2), 1),
            ACTIVATIONS[form.activation](),
            nn.Conv2d(max(1, incoming // 2), inner, 1),
            nn.Sigmoid(),
        )
        self.project = nn.Sequential(nn.Conv2d(inner, outgoing, 1, bias=form.norm == "none"), normal(form, outgoing))

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        inner = self.before(x)
        made = self.project(inner * self.squeeze(inner))
        return x + made if self.around else made


class Branched(nn.Module):
    """3 by 3, 1 by 1 and nothing at all, each normalised, added (Ding et al. 2021)."""

    def __init__(self, form: Form, incoming: int, outgoing: int, stride: int) -> None:
        super().__init__()
        bias = form.norm == "none"
        self.three = nn.Sequential(
            nn.Conv2d(incoming, outgoing, 3, stride, padding=1, bias=bias), normal(form, outgoing)
        )
        self.one = nn.Sequential(nn.Conv2d(incoming, outgoing, 1, stride, bias=bias), normal(form, outgoing))
        self.same = normal(form, outgoing) if incoming == outgoing and stride == 1 else None
        self.act = ACTIVATIONS[form.activation]()

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        made = self.three(x) + self.one(x)
        return self.act(made if self.same is None else made + self.same(x))


class Highway(nn.Module):
    """A convolution, and a gate that says how much of it is taken instead of what came in (Srivastava et al. 2015)."""

    def __init__(self, form: Form, channels: int) -> None:
        super().__init__()
        self.made = nn.Conv2d(channels, channels, 3, padding=1)
        self.gate = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.constant_(self.gate.bias, -1)  # type: ignore[arg-type]
        self.act = ACTIVATIONS[form.activation]()

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        share = torch.sigmoid(self.gate(x))
        return share * self.act(self.made(x)) + (1 - share) * x


class Broad(nn.Module):
    """Normalisation and activation before each of two convolutions, dropout between them (Zagoruyko and Komodakis 2016)."""

    def __init__(self, form: Form, incoming: int, outgoing: int, stride: int) -> None:
        super().__init__()
        act, bias = ACTIVATIONS[form.activation], form.norm == "none"
        self.ready = nn.Sequential(normal(form, incoming), act())
        self.first = nn.Conv2d(incoming, outgoing, 3, stride, padding=1, bias=bias)
        self.then = nn.Sequential(normal(form, outgoing), act(), nn.Dropout(form.dropout))
        self.second = nn.Conv2d(outgoing, outgoing, 3, padding=1, bias=bias)
        self.around = None if incoming == outgoing else nn.Conv2d(incoming, outgoing, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        inner = self.ready(x)
        kept = x if self.around is None else self.around(inner)
        return kept + self.second(self.then(self.first(inner)))


class Weighed(nn.Conv2d):
    """A convolution whose filters are centred and scaled before they are used (Qiao et al. 2019)."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Features."""
        weight = self.weight - self.weight.mean(dim=(1, 2, 3), keepdim=True)
        weight = weight / (weight.std(dim=(1, 2, 3), keepdim=True) * weight[0].numel() ** 0.5 + 1e-5)
        return F.conv2d(input, weight, self.bias, self.stride, self.padding)


class Residue(nn.Module):
    """Two convolutions of weighed filters, normalised, and a way around."""

    def __init__(self, form: Form, incoming: int, outgoing: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Weighed(incoming, outgoing, 3, stride, padding=1),
            normal(form, outgoing),
            ACTIVATIONS[form.activation](),
            Weighed(outgoing, outgoing, 3, padding=1),
            normal(form, outgoing),
        )
        self.around = nn.Identity() if incoming == outgoing else Weighed(incoming, outgoing, 1, stride)
        self.act = ACTIVATIONS[form.activation]()

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return self.act(self.layers(x) + self.around(x))


class Around(nn.Module):
    """What comes in, added to what is made of it."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x + self.inner(x)
