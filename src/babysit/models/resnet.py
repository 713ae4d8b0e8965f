"""`resnet18`, `resnet34`, `resnet50`, in torchvision's layout and parameter names, which are timm's too.

Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1, shortcuts of option B. In
ResNet-50 the stride is in the 3x3 convolution and not in the first 1x1, as in torchvision ("v1.5"): the same count of
parameters.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from babysit.models.initial import he
from babysit.models.shape import Shape

WIDTHS = (64, 128, 256, 512)

RESIDUAL = 0.2
"""The scale of a block's last normalisation at the start, so that a block begins near its shortcut. With 1 the features grow from
block to block: on small images the loss of ResNet-50 rose to 15 in the first epoch. 0 does as well (Goyal et al.), but
gives no gradient to the convolutions of the block in the first step (docs/log.md).
"""


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: y = relu(F(x) + shortcut(x)).

    Shape:
        (n, incoming, h, w) to (n, width, h / stride, w / stride).
    """

    expansion = 1

    def __init__(self, incoming: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(incoming, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=False)
        self.bn2 = _near_the_shortcut(nn.BatchNorm2d(width))
        self.downsample = shortcut(incoming, width, stride)
        self.relu2 = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        """y = relu(F(x) + shortcut(x))."""
        inner = self.relu1(self.bn1(self.conv1(images)))
        return self.relu2(self.bn2(self.conv2(inner)) + self.downsample(images))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut; the last widens four times.

    Shape:
        (n, incoming, h, w) to (n, 4 width, h / stride, w / stride).
    """

    expansion = 4

    def __init__(self, incoming: int, width: int, stride: int) -> None:
        super().__init__()
        outgoing = width * self.expansion
        self.conv1 = nn.Conv2d(incoming, width, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(width, outgoing, kernel_size=1, bias=False)
        self.bn3 = _near_the_shortcut(nn.BatchNorm2d(outgoing))
        self.downsample = shortcut(incoming, outgoing, stride)
        self.relu3 = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        """y = relu(F(x) + shortcut(x))."""
        inner = self.relu1(self.bn1(self.conv1(images)))
        inner = self.relu2(self.bn2(self.conv2(inner)))
        return self.relu3(self.bn3(self.conv3(inner)) + self.downsample(images))


Block = type[BasicBlock] | type[Bottleneck]


def _near_the_shortcut(normalisation: nn.BatchNorm2d) -> nn.BatchNorm2d:
    """Scales what a block adds to its shortcut.

    Source: Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017, section 5.1, there with 0.
    """
    nn.init.constant_(normalisation.weight, RESIDUAL)
    return normalisation


def shortcut(incoming: int, outgoing: int, stride: int) -> nn.Module:
    """The input itself where the shape stays, else a 1x1 convolution with normalisation."""
    if stride == 1 and incoming == outgoing:
        return nn.Identity()
    return nn.Sequential(
        nn.Conv2d(incoming, outgoing, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(outgoing)
    )


def resnet(shape: Shape, *, block: Block, blocks: Sequence[int]) -> nn.Module:
    """The network for a shape; images of 8 pixels and more, though 32 leave a map to speak of.

    Arguments:
        blocks: how many blocks each of the four stages has.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=nn.Conv2d(shape.channels, WIDTHS[0], kernel_size=7, stride=2, padding=3, bias=False),
        bn1=nn.BatchNorm2d(WIDTHS[0]),
        relu=nn.ReLU(),
        maxpool=nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
    )
    incoming = WIDTHS[0]
    for stage, (width, count) in enumerate(zip(WIDTHS, blocks, strict=True), start=1):
        inner = []
        for number in range(count):
            inner.append(block(incoming, width, 2 if stage > 1 and number == 0 else 1))
            incoming = width * block.expansion
        layers[f"layer{stage}"] = nn.Sequential(*inner)
    last = nn.Linear(incoming, shape.classes)
    layers.update(avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=last)
    return he(nn.Sequential(layers), last, fan="fan_out")
