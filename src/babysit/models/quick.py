"""`quick`: a plain 3x3 ConvNet made for speed on small machines.

Few wide operations: channels are multiples of 16, maps are halved early, and pooling stands before normalisation, so
that normalisation and ReLU see a quarter of the values. The last layer is a linear classifier over the maximum of
each map.
"""

from __future__ import annotations

import math
from collections import OrderedDict

from torch import nn

from babysit.layers.pooling import MaxPool2d
from babysit.models.shape import Shape

SMALLEST = 4


def pools_for(size: int) -> int:
    """How many times maps are halved: until about 4x4 is left.

    >>> [pools_for(size) for size in (8, 16, 32, 64, 128)]
    [1, 2, 3, 4, 5]
    """
    return max(1, round(math.log2(size / 4))) if size > SMALLEST else 0


def stages(size: int, width: int) -> list[tuple[int, bool]]:
    """(output channels, pooled) of each convolution, from the input on."""
    pools = pools_for(size)
    if pools == 0:
        return [(width, False), (3 * width, False)]
    if pools <= 2:
        return [(width, pools == 2), (3 * width, True), (3 * width, False)]
    front = [(max(16, width // 2), True)] * (pools - 3)
    return [*front, (width, True), (3 * width, True), (3 * width, False), (6 * width, True), (6 * width, False)]


def quick(shape: Shape) -> nn.Module:
    """The network for a shape.

    Shape:
        (n, channels, size, size) to (n, classes); 4 pixels and more.

    >>> net = quick(Shape(size=32, classes=10, width=32))
    >>> sum(parameter.numel() for parameter in net.parameters())
    612266
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    incoming = shape.channels
    for number, (channels, pooled) in enumerate(stages(shape.size, shape.width), start=1):
        # No bias: the normalisation that follows would take it away again.
        layers[f"conv{number}"] = nn.Conv2d(incoming, channels, kernel_size=3, padding=1, bias=False)
        if pooled:
            layers[f"pool{number}"] = MaxPool2d(kernel_size=2)
        layers[f"norm{number}"] = nn.BatchNorm2d(channels)
        layers[f"relu{number}"] = nn.ReLU()
        incoming = channels
    layers["pool"] = nn.AdaptiveMaxPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["classifier"] = nn.Linear(incoming, shape.classes)
    return nn.Sequential(layers)
