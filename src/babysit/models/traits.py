"""Traits: what the rules for training ask of a network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from babysit.layers.local import LocallyConnected2d
from babysit.models import MODELS, model_of, shape_of
from babysit.recipe import Recipe
from babysit.regularizers import NORMALISING


@dataclass(frozen=True, slots=True)
class Traits:
    """`normalised` has layers that normalise activations, and behind the last of them the classifier alone; `convolutions` layers with filters; `layers` those and full ones; `inputs` values an image has."""

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
    return Traits(is_normalised(network), convolutions, convolutions + full, inputs)


def is_normalised(network: nn.Module) -> bool:
    """Whether no more than one layer with weights stands behind the last normalisation; auxiliary heads do not count.

    VGG with batch normalisation has three full layers there, which bear only the rates of a network without.
    """
    behind, seen = 0, False
    for name, layer in network.named_modules():
        if name.startswith("aux"):
            continue
        if isinstance(layer, NORMALISING):
            behind, seen = 0, True
        elif isinstance(layer, (nn.Conv2d, nn.Linear, LocallyConnected2d)):
            behind += 1
    return seen and behind <= 1
