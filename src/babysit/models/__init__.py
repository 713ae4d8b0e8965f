"""Architectures: a table of functions `Shape -> nn.Module`. A model is a plain module that knows nothing of us."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from babysit.errors import Fault
from babysit.layers.full_precision import keep_in_float32
from babysit.models.alexnet import PAPER_NEURONS, alexnet
from babysit.models.alexnet_one import alexnet_one
from babysit.models.architecture import Architecture
from babysit.models.convnet import convnet
from babysit.models.from_timm import PREFIX, from_timm
from babysit.models.googlenet import googlenet
from babysit.models.googlenet_bn import googlenet_bn
from babysit.models.linear import linear
from babysit.models.local import local
from babysit.models.own import OwnNetwork, is_own
from babysit.models.quick import SMALLEST, quick
from babysit.models.resnet import BasicBlock, Bottleneck, resnet
from babysit.models.shape import Shape
from babysit.models.surgery import enlarging, with_dropout
from babysit.models.two_layer import two_layer
from babysit.models.vgg import vgg, vgg_normalised
from babysit.recipe import Recipe
from babysit.seeds import stream_key
from babysit.tables import Table

LECTURE = "CS231n, lecture 7, 2015"
VGG = "Simonyan and Zisserman, ICLR 2015"
RESNET = "He et al., CVPR 2016"

ARCHITECTURES = (
    Architecture("quick", quick, "a plain 3x3 ConvNet made for speed on small machines", "ours", 32, 10, SMALLEST),
    Architecture("linear", linear, "a linear classifier on the pixels", LECTURE, 32, 10, 1),
    Architecture("two-layer", two_layer, "one hidden layer of 50 units", LECTURE, 32, 10, 1),
    Architecture("convnet", convnet, "CONV CONV POOL three times, ten 3x3 filters", LECTURE, 32, 10, 8),
    Architecture("local", local, "the same without weight sharing", LECTURE, 32, 10, 8),
    Architecture(
        "alexnet",
        alexnet,
        "the network of 2012, in two halves, with response normalisation",
        "Krizhevsky et al., NIPS 2012",
        224,
        1000,
        63,
        PAPER_NEURONS,
    ),
    Architecture(
        "alexnet-one",
        alexnet_one,
        "AlexNet for one device, torchvision's layout",
        "Krizhevsky, arXiv 1404.5997",
        224,
        1000,
        63,
    ),
    Architecture("vgg11", partial(vgg, depth=11), "11 layers of 3x3 filters", VGG, 224, 1000, 32),
    Architecture("vgg13", partial(vgg, depth=13), "13 layers of 3x3 filters", VGG, 224, 1000, 32),
    Architecture("vgg16", partial(vgg, depth=16), "16 layers of 3x3 filters", VGG, 224, 1000, 32),
    Architecture("vgg19", partial(vgg, depth=19), "19 layers of 3x3 filters", VGG, 224, 1000, 32),
    Architecture("vgg11-bn", partial(vgg_normalised, depth=11), "with batch normalisation", VGG, 224, 1000, 32),
    Architecture("vgg13-bn", partial(vgg_normalised, depth=13), "with batch normalisation", VGG, 224, 1000, 32),
    Architecture("vgg16-bn", partial(vgg_normalised, depth=16), "with batch normalisation", VGG, 224, 1000, 32),
    Architecture("vgg19-bn", partial(vgg_normalised, depth=19), "with batch normalisation", VGG, 224, 1000, 32),
    Architecture(
        "googlenet",
        googlenet,
        "the network of 2014, with response normalisation and two auxiliary heads",
        "Szegedy et al., CVPR 2015",
        224,
        1000,
        31,
    ),
    Architecture(
        "googlenet-bn",
        googlenet_bn,
        "GoogLeNet with batch normalisation, torchvision's layout",
        "torchvision",
        224,
        1000,
        15,
    ),
    Architecture(
        "resnet18",
        partial(resnet, block=BasicBlock, blocks=(2, 2, 2, 2)),
        "18 layers with shortcuts",
        RESNET,
        224,
        1000,
        8,
    ),
    Architecture(
        "resnet34",
        partial(resnet, block=BasicBlock, blocks=(3, 4, 6, 3)),
        "34 layers with shortcuts",
        RESNET,
        224,
        1000,
        8,
    ),
    Architecture(
        "resnet50",
        partial(resnet, block=Bottleneck, blocks=(3, 4, 6, 3)),
        "50 layers with shortcuts",
        RESNET,
        224,
        1000,
        8,
    ),
)

MODELS: Table[Architecture] = Table("model", {one.name: one for one in ARCHITECTURES})

DEFAULT_WIDTH = 32


def name_fault(name: str, where: str = "") -> Fault | None:
    """What can be said against a model's name before anything is built: a table's, `timm/NAME`, or a file's."""
    if is_own(name):
        return OwnNetwork.read(name).fault(where)
    if name in MODELS or name.startswith(PREFIX):
        return None
    known = MODELS.fault(name, where)
    return Fault(known.what, where, f"{known.legal}, timm/NAME, path/to/file.py:name", known.hint)


def shape_of(recipe: Recipe, classes: int) -> Shape:
    """What the recipe's network must fit; the recipe's size is decided by then."""
    assert recipe.data.size is not None
    return Shape(recipe.data.size * (recipe.model.enlarge or 1), classes, recipe.model.width or DEFAULT_WIDTH)


def build_model(name: str, shape: Shape, *, seed: int, file_hash: str | None = None) -> nn.Module:
    """The network with its initial weights, a function of its arguments; channels last in memory.

    Arguments:
        name: of the table, `timm/NAME`, or `path/to/file.py:name`, which is run.
        file_hash: what the SHA-256 of that file must be.

    Raises:
        UserError: when there is no model of that name, or it cannot take the shape.
    """
    torch.manual_seed(stream_key(seed, "init") % 2**63)
    if is_own(name):
        network = OwnNetwork.read(name).build(shape, file_hash or "")
    elif name.startswith(PREFIX):
        network = from_timm(name.removeprefix(PREFIX), shape)
    else:
        network = MODELS[name](shape)
    # Channels last is where PyTorch's processor kernels for convolution and pooling are several times faster.
    return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def model_of(recipe: Recipe, classes: int) -> nn.Module:
    """The recipe's network with its initial weights, its dropout, its layers in float32, and images enlarged for it.

    Raises:
        UserError: as `build_model`.
    """
    model = recipe.model
    network = build_model(model.name, shape_of(recipe, classes), seed=recipe.seed, file_hash=model.file_hash)
    keep_in_float32(network, recipe.train.float32_layers)
    return enlarging(with_dropout(network, recipe.regularize), model.enlarge or 1)


__all__ = ["MODELS", "Architecture", "Shape", "build_model", "model_of", "name_fault", "shape_of"]
