"""Blocks of the networks of the part from outside, written as people write theirs."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fresh.networks import Form

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky": lambda: nn.LeakyReLU(0.1),
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softmax": lambda: nn.Softmax(dim=1),
    "none": nn.Identity,
}


def bn(form: Form, channels: int, *, flat: bool = False) -> nn.Module:
    """What normalises so many channels, or units where `flat`."""
    made: dict[str, Callable[[], nn.Module]] = {
        "batch": lambda: (nn.BatchNorm1d if flat else nn.BatchNorm2d)(channels, momentum=form.norm_momentum),
        "group": lambda: nn.GroupNorm(2, channels),
        "layer": lambda: nn.LayerNorm(channels) if flat else nn.GroupNorm(1, channels),
        "instance": lambda: nn.Identity() if flat else nn.InstanceNorm2d(channels, affine=True),
        "none": nn.Identity,
    }
    return made[form.norm]()


def conv_bn(
    form: Form, inp: int, oup: int, kernel: int | tuple[int, int] = 3, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """Convolution that keeps the size, normalisation, activation; in a list, to be put into a Sequential."""
    padding = kernel // 2 if isinstance(kernel, int) else (kernel[0] // 2, kernel[1] // 2)
    bias = form.norm == "none"
    return [
        nn.Conv2d(inp, oup, kernel, stride, padding, groups=groups, bias=bias),
        bn(form, oup),
        ACTIVATIONS[form.activation](),
    ]


def conv_dw(form: Form, inp: int, oup: int, stride: int) -> nn.Sequential:
    """Depthwise and then pointwise, each normalised (Howard et al. 2017)."""
    return nn.Sequential(*conv_bn(form, inp, inp, 3, stride, inp), *conv_bn(form, inp, oup, 1))


class PaddedBlock(nn.Module):
    """Two convolutions; the shortcut skips places and pads channels with nought (He et al. 2016, for CIFAR)."""

    def __init__(self, form: Form, in_planes: int, planes: int, stride: int) -> None:
        super().__init__()
        bias = form.norm == "none"
        self.conv1 = nn.Conv2d(in_planes, planes, 3, stride, 1, bias=bias)
        self.bn1 = bn(form, planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=bias)
        self.bn2 = bn(form, planes)
        self.act = ACTIVATIONS[form.activation]()
        self.stride, self.missing = stride, planes - in_planes

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        out = self.bn2(self.conv2(self.act(self.bn1(self.conv1(x)))))
        x = x[:, :, :: self.stride, :: self.stride]
        return self.act(out + F.pad(x, (0, 0, 0, 0, self.missing // 2, self.missing - self.missing // 2)))


class NextBlock(nn.Module):
    """1 by 1 to a half and a quarter, 3 by 1, 1 by 3, 1 by 1, and a way around (Gholami et al. 2018)."""

    def __init__(self, form: Form, inp: int, oup: int, stride: int) -> None:
        super().__init__()
        half, quarter = max(2, inp // 2), max(2, inp // 4)
        self.body = nn.Sequential(
            *conv_bn(form, inp, half, 1, stride),
            *conv_bn(form, half, quarter, 1),
            *conv_bn(form, quarter, half, (3, 1)),
            *conv_bn(form, half, half, (1, 3)),
            *conv_bn(form, half, oup, 1),
        )
        self.skip = nn.Sequential()
        if stride != 1 or inp != oup:
            self.skip = nn.Sequential(*conv_bn(form, inp, oup, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return self.body(x) + self.skip(x)


class FusedMBConv(nn.Module):
    """3 by 3 that expands, 1 by 1 that projects (Tan and Le 2021)."""

    def __init__(self, form: Form, inp: int, oup: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *conv_bn(form, inp, 2 * inp, 3, stride), nn.Conv2d(2 * inp, oup, 1, bias=False), bn(form, oup)
        )
        self.same = stride == 1 and inp == oup

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return x + self.layers(x) if self.same else self.layers(x)


class MBConv(nn.Module):
    """Expanded, depthwise, squeezed and excited, projected (Tan and Le 2021)."""

    def __init__(self, form: Form, inp: int, oup: int, stride: int) -> None:
        super().__init__()
        hidden = 3 * inp
        self.expand = nn.Sequential(*conv_bn(form, inp, hidden, 1), *conv_bn(form, hidden, hidden, 3, stride, hidden))
        self.fc1 = nn.Conv2d(hidden, max(2, inp // 2), 1)
        self.fc2 = nn.Conv2d(max(2, inp // 2), hidden, 1)
        self.project = nn.Sequential(nn.Conv2d(hidden, oup, 1, bias=False), bn(form, oup))
        self.same = stride == 1 and inp == oup

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        out = self.expand(x)
        scale = torch.sigmoid(self.fc2(F.silu(self.fc1(F.adaptive_avg_pool2d(out, 1)))))
        out = self.project(out * scale)
        return x + out if self.same else out


class Hidden(nn.Module):
    """A layer in a plain Python list: no parameter of it is the model's."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layers = [layer]

    def forward(self, x: Tensor) -> Tensor:
        """What the layer gives."""
        for layer in self.layers:
            x = layer(x)
        return x


class Always(nn.Module):
    """`F.dropout(x, p)`, which drops in evaluation too."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return F.dropout(x, self.p)
