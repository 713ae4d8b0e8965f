"""`linear`: a linear classifier on the pixels, the lecture's starting point."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from babysit.models.shape import Shape

DEVIATION = 0.001
"""The lecture's small Gaussian numbers; the first loss is then ln(classes) to three digits."""


def linear(shape: Shape) -> nn.Module:
    """scores = W x + b.

    >>> sum(parameter.numel() for parameter in linear(Shape(size=32, classes=10, width=0)).parameters())
    30730
    """
    classifier = nn.Linear(shape.channels * shape.size**2, shape.classes)
    nn.init.normal_(classifier.weight, std=DEVIATION)
    nn.init.zeros_(classifier.bias)
    return nn.Sequential(OrderedDict(flatten=nn.Flatten(), classifier=classifier))
