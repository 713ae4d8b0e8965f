"""`two-layer`: the lecture's network of one hidden layer of 50 units."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from babysit.models.initial import he
from babysit.models.shape import Shape

HIDDEN = 50


def two_layer(shape: Shape) -> nn.Module:
    """scores = W2 max(0, W1 x + b1) + b2. He's initialisation.

    >>> sum(parameter.numel() for parameter in two_layer(Shape(size=32, classes=10, width=0)).parameters())
    154160
    """
    hidden = nn.Linear(shape.channels * shape.size**2, HIDDEN)
    classifier = nn.Linear(HIDDEN, shape.classes)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        flatten=nn.Flatten(), hidden=hidden, relu=nn.ReLU(), classifier=classifier
    )
    return he(nn.Sequential(layers), classifier)
