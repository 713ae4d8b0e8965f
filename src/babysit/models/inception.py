"""What `googlenet` and `googlenet-bn` share: the inception module, its nine widths, and the auxiliary heads.

Source: Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, table 1 and section 5.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn


class MakeConvolution(Protocol):
    """Makes a convolution with all that follows it up to its ReLU."""

    def __call__(self, incoming: int, outgoing: int, kernel: int, *, stride: int = 1) -> nn.Module:
        """Padding keeps the size at stride 1."""
        ...


@dataclass(frozen=True, slots=True)
class Widths:
    """Channels of one module: 1x1; 3x3 and its reduction; 5x5 and its reduction; the projection after pooling."""

    one: int
    three_reduced: int
    three: int
    five_reduced: int
    five: int
    pooled: int

    @property
    def total(self) -> int:
        """Channels that leave the module."""
        return self.one + self.three + self.five + self.pooled


MODULES = {
    "3a": Widths(64, 96, 128, 16, 32, 32),
    "3b": Widths(128, 128, 192, 32, 96, 64),
    "4a": Widths(192, 96, 208, 16, 48, 64),
    "4b": Widths(160, 112, 224, 24, 64, 64),
    "4c": Widths(128, 128, 256, 24, 64, 64),
    "4d": Widths(112, 144, 288, 32, 64, 64),
    "4e": Widths(256, 160, 320, 32, 128, 128),
    "5a": Widths(256, 160, 320, 32, 128, 128),
    "5b": Widths(384, 192, 384, 48, 128, 128),
}

AUXILIARY = {"4a": "aux1", "4d": "aux2"}
"""Behind which modules an auxiliary head stands in training."""

AUXILIARY_UNITS, AUXILIARY_SIDE = 1024, 4


class Inception(nn.Module):
    """Four branches over the same input, side by side in the channels.

    Shape:
        (n, incoming, h, w) to (n, widths.total, h, w).
    """

    def __init__(self, incoming: int, widths: Widths, make: MakeConvolution, *, large: int) -> None:
        super().__init__()
        self.branch1 = make(incoming, widths.one, 1)
        self.branch2 = nn.Sequential(
            make(incoming, widths.three_reduced, 1), make(widths.three_reduced, widths.three, 3)
        )
        self.branch3 = nn.Sequential(
            make(incoming, widths.five_reduced, 1), make(widths.five_reduced, widths.five, large)
        )
        self.branch4 = nn.Sequential(nn.MaxPool2d(kernel_size=3, stride=1, padding=1), make(incoming, widths.pooled, 1))

    def forward(self, images: Tensor) -> Tensor:
        """The branches' channels one after another."""
        return torch.cat([branch(images) for branch in self.children()], dim=1)


class WithAuxiliaryHeads(nn.Sequential):
    """A sequence with auxiliary heads between its layers, named `aux1`, `aux2`.

    In training it returns the scores and then each auxiliary head's, as a tuple; in evaluation the scores alone.
    """

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """(n, channels, size, size) to (n, classes), several times in training."""
        auxiliary = []
        for name, layer in self.named_children():
            if not name.startswith("aux"):
                images = layer(images)
            elif self.training:
                auxiliary.append(layer(images))
        return (images, *auxiliary) if self.training else images


def auxiliary_pool(side: int) -> tuple[nn.Module, int]:
    """The averaging of an auxiliary head: 5x5 with stride 3 as published, 4x4 at most; the whole of a smaller map.

    >>> auxiliary_pool(14), auxiliary_pool(2)
    ((AvgPool2d(kernel_size=5, stride=3, padding=0), 4), (AdaptiveAvgPool2d(output_size=1), 1))
    """
    if side < 5:
        return nn.AdaptiveAvgPool2d(1), 1
    strided = (side - 5) // 3 + 1
    if strided > AUXILIARY_SIDE:
        return nn.AdaptiveAvgPool2d(AUXILIARY_SIDE), AUXILIARY_SIDE
    return nn.AvgPool2d(kernel_size=5, stride=3), strided


def auxiliary_head(incoming: int, classes: int, pool: nn.Module, side: int, make: MakeConvolution) -> nn.Module:
    """Averaging, a 1x1 convolution to 128 channels, 1024 units with dropout of 70 %, a linear classifier."""
    return nn.Sequential(
        OrderedDict(
            pool=pool,
            conv=make(incoming, 128, 1),
            flatten=nn.Flatten(),
            fc1=nn.Linear(128 * side**2, AUXILIARY_UNITS),
            relu=nn.ReLU(),
            dropout=nn.Dropout(0.7),
            fc2=nn.Linear(AUXILIARY_UNITS, classes),
        )
    )
