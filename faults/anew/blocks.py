"""Blocks of the networks of the part that is anew, written as people write theirs."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fresh.networks import Form

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softmax": lambda: nn.Softmax(dim=1),
    "none": nn.Identity,
}
FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "leaky": F.leaky_relu,
    "elu": F.elu,
    "gelu": F.gelu,
    "silu": F.silu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softmax": lambda x: F.softmax(x, dim=1),
    "none": lambda x: x,
}
"""The same as functions, for networks that call them in `forward`."""


def normal(form: Form, channels: int) -> nn.Module:
    """The normalisation of a convolution's channels."""
    return {
        "batch": lambda: nn.BatchNorm2d(channels, momentum=form.norm_momentum),
        "layer": lambda: nn.GroupNorm(1, channels),
        "group": lambda: nn.GroupNorm(4, channels),
        "none": nn.Identity,
    }[form.norm]()


def conv(form: Form, incoming: int, outgoing: int, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution that keeps the size, with a bias where no normalisation follows."""
    return nn.Conv2d(
        incoming, outgoing, size, stride, padding=size // 2, groups=groups, bias=form.norm not in ("batch", "layer")
    )


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut (He et al. 2016)."""

    def __init__(self, form: Form, incoming: int, outgoing: int, stride: int) -> None:
        super().__init__()
        self.conv1 = conv(form, incoming, outgoing, 3, stride)
        self.bn1 = normal(form, outgoing)
        self.act = ACTIVATIONS[form.activation]()
        self.conv2 = conv(form, outgoing, outgoing)
        self.bn2 = normal(form, outgoing)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or incoming != outgoing:
            self.shortcut = nn.Sequential(conv(form, incoming, outgoing, 1, stride), normal(form, outgoing))

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        out = self.act(self.bn1(self.conv1(x)))
        return self.act(self.bn2(self.conv2(out)) + self.shortcut(x))


class InvertedResidual(nn.Module):
    """Expanded, depthwise, projected without an activation (Sandler et al. 2018)."""

    def __init__(self, form: Form, incoming: int, outgoing: int, stride: int) -> None:
        super().__init__()
        hidden, act = 4 * incoming, ACTIVATIONS[form.activation]
        self.use_shortcut = stride == 1 and incoming == outgoing
        self.block = nn.Sequential(
            *(conv(form, incoming, hidden, 1), normal(form, hidden), act()),
            *(conv(form, hidden, hidden, 3, stride, hidden), normal(form, hidden), act()),
            *(conv(form, hidden, outgoing, 1), normal(form, outgoing)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return x + self.block(x) if self.use_shortcut else self.block(x)


class Inception(nn.Module):
    """1 by 1, 3 by 3, 5 by 5 and a pool side by side (Szegedy et al. 2015)."""

    def __init__(self, form: Form, incoming: int, each: int) -> None:
        super().__init__()
        act = ACTIVATIONS[form.activation]

        def unit(begin: int, end: int, size: int) -> nn.Sequential:
            return nn.Sequential(conv(form, begin, end, size), normal(form, end), act())

        self.branch1 = unit(incoming, each, 1)
        self.branch2 = nn.Sequential(unit(incoming, each, 1), unit(each, 2 * each, 3))
        self.branch3 = nn.Sequential(unit(incoming, each // 2, 1), unit(each // 2, each, 5))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), unit(incoming, each, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Features, five times `each`."""
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)
