"""Architectures: a table of functions `Shape -> nn.Module`. A model is a plain module that knows nothing of us."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from babysit.models.quick import quick
from babysit.models.shape import Shape
from babysit.recipe import Recipe
from babysit.seeds import stream_key
from babysit.tables import Table

MODELS: Table[Callable[[Shape], nn.Module]] = Table("model", {"quick": quick})

DEFAULT_WIDTH = 32


def shape_of(recipe: Recipe, classes: int) -> Shape:
    """What the recipe's network must fit; the recipe's size is decided by then."""
    assert recipe.data.size is not None
    return Shape(recipe.data.size, classes, recipe.model.width or DEFAULT_WIDTH)


def build_model(name: str, shape: Shape, *, seed: int) -> nn.Module:
    """The network with its initial weights, a function of its arguments; channels last in memory.

    Raises:
        UserError: when there is no model of that name, or it cannot take the shape.
    """
    torch.manual_seed(stream_key(seed, "init") % 2**63)
    # Channels last is where PyTorch's processor kernels for convolution and pooling are several times faster.
    return MODELS[name](shape).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


__all__ = ["MODELS", "Shape", "build_model", "shape_of"]
