"""`googlenet-bn`: GoogLeNet with batch normalisation, in torchvision's layout and parameter names.

As there, the branch of 5x5 filters has 3x3 ones, the last pooling is 2x2, and no convolution has a bias: 6,624,904
parameters with 1000 classes without the auxiliary heads (torchvision's documentation of googlenet), 13,004,888 with
them. torchvision's trained weights expect images normalised to mean 0.5 and deviation 0.5.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from babysit.models.inception import (
    AUXILIARY,
    MODULES,
    Inception,
    WithAuxiliaryHeads,
    auxiliary_head,
)
from babysit.models.initial import he
from babysit.models.shape import Shape

AUXILIARY_SIDE = 4
"""torchvision averages the auxiliary heads' map to this side whatever it was."""


def googlenet_bn(shape: Shape) -> nn.Module:
    """The network for a shape; images of 15 pixels and more. He's initialisation.

    Shape:
        (n, channels, size, size) to (n, classes); in training a tuple of that and the two auxiliary heads' scores.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=convolution(shape.channels, 64, 7, stride=2),
        maxpool1=nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True),
        conv2=convolution(64, 64, 1),
        conv3=convolution(64, 192, 3),
        maxpool2=nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True),
    )
    incoming, lasts = 192, []
    for name, widths in MODULES.items():
        layers[f"inception{name}"] = Inception(incoming, widths, convolution, large=3)
        incoming = widths.total
        if name in AUXILIARY:
            pool = nn.AdaptiveAvgPool2d(AUXILIARY_SIDE)
            head = auxiliary_head(incoming, shape.classes, pool, AUXILIARY_SIDE, convolution)
            layers[AUXILIARY[name]] = head
            lasts.append(head.get_submodule("fc2"))
        if name == "3b":
            layers["maxpool3"] = nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)
        if name == "4e":
            layers["maxpool4"] = nn.MaxPool2d(kernel_size=2, stride=2, ceil_mode=True)
    classifier = nn.Linear(incoming, shape.classes)
    layers.update(avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), dropout=nn.Dropout(0.2), fc=classifier)
    return he(WithAuxiliaryHeads(layers), classifier, *lasts)


def convolution(incoming: int, outgoing: int, kernel: int, *, stride: int = 1) -> nn.Module:
    """A convolution without bias, batch normalisation, and ReLU."""
    conv = nn.Conv2d(incoming, outgoing, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, bn=nn.BatchNorm2d(outgoing, eps=0.001), relu=nn.ReLU()))
