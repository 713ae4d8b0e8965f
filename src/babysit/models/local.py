"""`local`: the lecture's small network without weight sharing, every position with filters of its own."""

from __future__ import annotations

import math
from collections import OrderedDict

from torch import nn

from babysit.layers.local import LocallyConnected2d
from babysit.layers.pooling import MaxPool2d
from babysit.models.convnet import FILTERS, GROUPS
from babysit.models.heads import halved
from babysit.models.initial import he
from babysit.models.shape import Shape


def local(shape: Shape) -> nn.Module:
    """The network for a shape; images of 8 pixels and more. He's initialisation.

    >>> sum(parameter.numel() for parameter in local(Shape(size=32, classes=10, width=0)).parameters())
    1802570
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    incoming = shape.channels
    for group in range(1, GROUPS + 1):
        side = halved(shape.size, group - 1)
        for place in (1, 2):
            layers[f"local{group}_{place}"] = LocallyConnected2d(
                incoming, FILTERS, kernel_size=3, padding=1, input_size=(side, side)
            )
            layers[f"relu{group}_{place}"] = nn.ReLU()
            incoming = FILTERS
        layers[f"pool{group}"] = MaxPool2d(kernel_size=2)
    layers["flatten"] = nn.Flatten()
    classifier = nn.Linear(FILTERS * halved(shape.size, GROUPS) ** 2, shape.classes)
    layers["classifier"] = classifier
    network = he(nn.Sequential(layers), classifier)
    for layer in network.children():
        if isinstance(layer, LocallyConnected2d):
            assert layer.bias is not None
            fan_in = layer.weight[0, 0, 0, ..., 0].numel()  # rows, columns and channels that one output sums over
            nn.init.normal_(layer.weight, std=math.sqrt(2 / fan_in))
            nn.init.zeros_(layer.bias)
    return network
