"""`convnet`: the lecture's small network, CONV CONV POOL three times and a linear classifier.

Ten 3x3 filters, stride 1, padding 1, ReLU after each; 2x2 max pooling with stride 2.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from babysit.layers.pooling import MaxPool2d
from babysit.models.heads import halved
from babysit.models.initial import he
from babysit.models.shape import Shape

FILTERS, GROUPS = 10, 3


def convnet(shape: Shape) -> nn.Module:
    """The network for a shape; images of 8 pixels and more.

    >>> sum(parameter.numel() for parameter in convnet(Shape(size=32, classes=10, width=0)).parameters())
    6440
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    incoming = shape.channels
    for group in range(1, GROUPS + 1):
        for place in (1, 2):
            layers[f"conv{group}_{place}"] = nn.Conv2d(incoming, FILTERS, kernel_size=3, padding=1)
            layers[f"relu{group}_{place}"] = nn.ReLU()
            incoming = FILTERS
        layers[f"pool{group}"] = MaxPool2d(kernel_size=2)
    layers["flatten"] = nn.Flatten()
    classifier = nn.Linear(FILTERS * halved(shape.size, GROUPS) ** 2, shape.classes)
    layers["classifier"] = classifier
    return he(nn.Sequential(layers), classifier)
