"""Traits: what the rules for training ask of a network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from babysit.layers.local import LocallyConnected2d
from babysit.models import MODELS, model_of, shape_of
from babysit.recipe import Recipe

NORMALISING = (_BatchNorm, nn.GroupNorm, nn.LayerNorm, nn.modules.instancenorm._InstanceNorm)


@dataclass(frozen=True, slots=True)
class Traits:
    """`normalised` has layers that normalise activations; `convolutions` layers with filters; `layers` those and full ones; `inputs` values an image has."""

    normalised: bool
    convolutions: int
    layers: int
    inputs: int


def traits_of(recipe: Recipe, classes: int) -> Traits:
    """The traits of the recipe's network; one of the table is built without memory for it.

    Raises:
        UserError: when it cannot be built.
    """
    shape = shape_of(recipe, classes)
    inputs = shape.channels * shape.size**2
    if recipe.model.name in MODELS:
        with torch.device("meta"):
            network = MODELS[recipe.model.name](shape)
    else:
        network = model_of(recipe, classes)
    layers = list(network.modules())
    convolutions = sum(isinstance(layer, (nn.Conv2d, LocallyConnected2d)) for layer in layers)
    full = sum(isinstance(layer, nn.Linear) for layer in layers)
    return Traits(any(isinstance(layer, NORMALISING) for layer in layers), convolutions, convolutions + full, inputs)
