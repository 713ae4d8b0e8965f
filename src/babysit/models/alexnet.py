"""`alexnet`: the network of 2012. Two halves of the filters that talk to each other only at certain layers.

Source: Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012,
sections 3 to 5. The halves are groups of two in conv2, conv4 and conv5. 60,965,224 parameters with 1000 classes: the
sum over the paper's filters, and Caffe's bvlc_alexnet.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from babysit.layers.response_norm import LocalResponseNorm
from babysit.models.alexnet_one import last_side
from babysit.models.architecture import PublishedNeurons
from babysit.models.heads import fitted_pool
from babysit.models.initial import centred, he
from babysit.models.shape import Shape

PUBLISHED_SIDE, UNITS = 6, 4096

EXACT = 227
"""The size that the first layer's filters meet exactly without padding; others get 2 pixels, as 224 needs."""

PAPER_DEVIATION = 0.01

BEGIN_AT_ONE = ("conv2", "conv4", "conv5", "fc6", "fc7")
"""Layers whose biases begin at 1 in the paper, to give their ReLUs positive inputs (section 5)."""

PAPER_NEURONS = (
    PublishedNeurons(
        "input",
        150_528,
        "the paper prints 224 x 224 x 3; at 224 its first layer needs 2 pixels of padding, at 227 none (a conjecture: "
        "the paper does not mention padding)",
    ),
    PublishedNeurons(
        "conv1",
        253_440,
        "253,440 = 55 x 48 x 96, so perhaps a slip for 55 x 55 x 96 = 290,400 (a conjecture; with 290,400 the layers sum "
        "to 659,272, nearer to the 650,000 of the paper's abstract than 622,312)",
    ),
    PublishedNeurons("conv2", 186_624),
    PublishedNeurons("conv3", 64_896),
    PublishedNeurons("conv4", 64_896),
    PublishedNeurons("conv5", 43_264),
    PublishedNeurons("fc6", 4096),
    PublishedNeurons("fc7", 4096),
    PublishedNeurons("fc8", 1000),
)
"""Neurons per layer as the paper's figure 2 prints them."""


def alexnet(shape: Shape) -> nn.Module:
    """The network for a shape; images of 63 pixels and more. He's initialisation, which came three years later, with filters without a mean.

    The paper's own, N(0, 0.01²) with biases of 1 in five layers, is made for 224 pixels and 90 epochs of a million
    images. At 64 pixels its scores hardly see the image: over 16 digits they differ by 5e-6, and with He's by 700 times
    that (docs/log.md). `paper_initialisation` gives it.

    >>> import torch
    >>> with torch.device("meta"):
    ...     net = alexnet(Shape(size=227, classes=1000, width=0))
    >>> sum(parameter.numel() for parameter in net.parameters())
    60965224
    """
    padding = 0 if shape.size == EXACT else 2
    pool, side = fitted_pool(last_side(shape.size, padding=padding), PUBLISHED_SIDE)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=nn.Conv2d(shape.channels, 96, kernel_size=11, stride=4, padding=padding),
        relu1=nn.ReLU(),
        norm1=_norm(),
        pool1=_pool(),
        conv2=nn.Conv2d(96, 256, kernel_size=5, padding=2, groups=2),
        relu2=nn.ReLU(),
        norm2=_norm(),
        pool2=_pool(),
        conv3=nn.Conv2d(256, 384, kernel_size=3, padding=1),
        relu3=nn.ReLU(),
        conv4=nn.Conv2d(384, 384, kernel_size=3, padding=1, groups=2),
        relu4=nn.ReLU(),
        conv5=nn.Conv2d(384, 256, kernel_size=3, padding=1, groups=2),
        relu5=nn.ReLU(),
        pool5=_pool(),
        avgpool=pool,
        flatten=nn.Flatten(),
        fc6=nn.Linear(256 * side**2, UNITS),
        relu6=nn.ReLU(),
        dropout6=nn.Dropout(0.5),
        fc7=nn.Linear(UNITS, UNITS),
        relu7=nn.ReLU(),
        dropout7=nn.Dropout(0.5),
        fc8=nn.Linear(UNITS, shape.classes),
    )
    last = layers["fc8"]
    return centred(he(nn.Sequential(layers), last), last)


def paper_initialisation(network: nn.Module) -> nn.Module:
    """Sets the weights of section 5: N(0, 0.01²), biases 0, and 1 where the paper says so.

    Arguments:
        network: an `alexnet`, changed in place and returned.
    """
    for name, layer in network.named_children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, std=PAPER_DEVIATION)
            assert layer.bias is not None
            nn.init.constant_(layer.bias, 1.0 if name in BEGIN_AT_ONE else 0.0)
    return network


def _norm() -> nn.Module:
    return LocalResponseNorm.from_paper(n=5, alpha=1e-4, beta=0.75, k=2.0)


def _pool() -> nn.Module:
    return nn.MaxPool2d(kernel_size=3, stride=2)
