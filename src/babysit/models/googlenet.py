"""`googlenet`: the network of 2014, with response normalisation and two auxiliary heads in training.

Source: Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, table 1. The paper's text leaves out the numbers of
its response normalisation; those of the authors of Caffe's bvlc_googlenet are taken (n 5, alpha 1e-4 divided by n,
beta 0.75, k 1). 6,998,552 parameters without the heads and 13,378,280 with them, as that model has with 1000 classes.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from babysit.layers.response_norm import LocalResponseNorm
from babysit.models.inception import (
    AUXILIARY,
    MODULES,
    Inception,
    WithAuxiliaryHeads,
    auxiliary_head,
    auxiliary_pool,
)
from babysit.models.initial import centred, he
from babysit.models.shape import Shape


def googlenet(shape: Shape) -> nn.Module:
    """The network for a shape; images of 31 pixels and more. He's initialisation, filters without a mean.

    Shape:
        (n, channels, size, size) to (n, classes); in training a tuple of that and the two auxiliary heads' scores.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=convolution(shape.channels, 64, 7, stride=2),
        maxpool1=_pool(),
        norm1=_norm(),
        conv2=convolution(64, 64, 1),
        conv3=convolution(64, 192, 3),
        norm2=_norm(),
        maxpool2=_pool(),
    )
    incoming, lasts = 192, []
    pool, side = auxiliary_pool((shape.size + 1) // 16)
    for name, widths in MODULES.items():
        layers[f"inception{name}"] = Inception(incoming, widths, convolution, large=5)
        incoming = widths.total
        if name in AUXILIARY:
            head = auxiliary_head(incoming, shape.classes, pool, side, convolution)
            layers[AUXILIARY[name]] = head
            lasts.append(head.get_submodule("fc2"))
        if name in ("3b", "4e"):
            layers[f"maxpool{name[0]}"] = _pool()
    classifier = nn.Linear(incoming, shape.classes)
    layers.update(avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), dropout=nn.Dropout(0.4), fc=classifier)
    lasts.append(classifier)
    return centred(he(WithAuxiliaryHeads(layers), *lasts), *lasts)


def convolution(incoming: int, outgoing: int, kernel: int, *, stride: int = 1) -> nn.Module:
    """A convolution with bias, and ReLU."""
    conv = nn.Conv2d(incoming, outgoing, kernel, stride=stride, padding=kernel // 2)
    return nn.Sequential(OrderedDict(conv=conv, relu=nn.ReLU()))


def _pool() -> nn.Module:
    return nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)


def _norm() -> nn.Module:
    return LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)
