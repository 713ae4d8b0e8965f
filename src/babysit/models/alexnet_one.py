"""`alexnet-one`: AlexNet for a single device, in torchvision's layout and parameter names.

Source: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv 1404.5997, 2014. No
groups and no response normalisation; 61,100,840 parameters with 1000 classes (torchvision's documentation of alexnet).
"""

from __future__ import annotations

import math
from collections import OrderedDict

import torch
from torch import nn

from babysit.models.heads import fitted_pool
from babysit.models.initial import centred, he
from babysit.models.shape import Shape

PUBLISHED_SIDE, UNITS = 6, 4096

SHARES = (1 / 8, 1 / 2)
"""Of He's variance in the two full layers. Dropout doubles the square of what each of them sees, and the largest of 3x3 values is
about four times an average one in square; without response normalisation nothing takes that back, and with the features' length
the last layer's stable rate falls, by its square (docs/log.md)."""


def alexnet_one(shape: Shape) -> nn.Module:
    """The network for a shape; images of 63 pixels and more. He's initialisation, in the full layers allowing for what they see."""
    features = nn.Sequential(
        nn.Conv2d(shape.channels, 64, kernel_size=11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(64, 192, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(192, 384, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(256, 256, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
    )
    pool, side = fitted_pool(last_side(shape.size, padding=2), PUBLISHED_SIDE)
    full = nn.Linear(256 * side**2, UNITS), nn.Linear(UNITS, UNITS)
    last = nn.Linear(UNITS, shape.classes)
    classifier = nn.Sequential(nn.Dropout(0.5), full[0], nn.ReLU(), nn.Dropout(0.5), full[1], nn.ReLU(), last)
    network = nn.Sequential(OrderedDict(features=features, avgpool=pool, flatten=nn.Flatten(), classifier=classifier))
    centred(he(network, last), last)
    with torch.no_grad():
        for layer, share in zip(full, SHARES, strict=True):
            layer.weight.mul_(math.sqrt(share))
    return network


def last_side(size: int, *, padding: int) -> int:
    """The side of AlexNet's last map: an 11x11 filter with stride 4, then three 3x3 poolings with stride 2.

    >>> last_side(224, padding=2), last_side(227, padding=0), last_side(63, padding=2)
    (6, 6, 1)
    """
    side = (size + 2 * padding - 11) // 4 + 1
    for _ in range(3):
        side = (side - 3) // 2 + 1
    return side
