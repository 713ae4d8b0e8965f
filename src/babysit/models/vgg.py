"""`vgg11` to `vgg19`, plain and with batch normalisation, in torchvision's layout and parameter names.

3x3 filters with stride 1 and padding 1 throughout, 2x2 max pooling, three full layers.
Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015,
table 1, columns A, B, D, E. The forms with batch normalisation are torchvision's.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from babysit.layers.pooling import MaxPool2d
from babysit.models.heads import fitted_pool, halved
from babysit.models.initial import centred, he
from babysit.models.shape import Shape

STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Depth in layers with weights -> convolutions before each pooling."""

WIDTHS = (64, 128, 256, 512, 512)
PUBLISHED_SIDE, UNITS = 7, 4096


def vgg(shape: Shape, *, depth: int) -> nn.Module:
    """The network for a shape; images of 32 pixels and more.

    Arguments:
        depth: 11, 13, 16 or 19 layers with weights.
    """
    return _assembled(shape, _features(shape.channels, depth, normalised=()))


def vgg_normalised(shape: Shape, *, depth: int) -> nn.Module:
    """The same with batch normalisation after every convolution, whose bias stays, as in torchvision."""
    return _assembled(shape, _features(shape.channels, depth, normalised=(nn.BatchNorm2d,)))


def _features(channels: int, depth: int, normalised: tuple[type[nn.BatchNorm2d], ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    incoming = channels
    for width, convolutions in zip(WIDTHS, STAGES[depth], strict=True):
        for _ in range(convolutions):
            layers += [nn.Conv2d(incoming, width, kernel_size=3, padding=1), *(kind(width) for kind in normalised)]
            layers.append(nn.ReLU())
            incoming = width
        layers.append(MaxPool2d(kernel_size=2))
    return nn.Sequential(*layers)


def _assembled(shape: Shape, features: nn.Sequential) -> nn.Module:
    pool, side = fitted_pool(halved(shape.size, len(WIDTHS)), PUBLISHED_SIDE)
    last = nn.Linear(UNITS, shape.classes)
    classifier = nn.Sequential(
        nn.Linear(WIDTHS[-1] * side**2, UNITS),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(UNITS, UNITS),
        nn.ReLU(),
        nn.Dropout(0.5),
        last,
    )
    network = nn.Sequential(OrderedDict(features=features, avgpool=pool, flatten=nn.Flatten(), classifier=classifier))
    return centred(he(network, last), last)
