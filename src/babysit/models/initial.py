"""Initial weights that several architectures share."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import nn

LAST = 0.15
"""Deviation of the scores at the start, for inputs of unit size: the loss begins near ln(classes).

Smaller weights would bring it nearer, and the gradient of every layer before the last is in proportion to them: with
0.001, behind 4096 units, deep networks without normalisation stood still for epochs (docs/log.md).
"""


def he(network: nn.Module, *lasts: nn.Module, fan: Literal["fan_in", "fan_out"] = "fan_in") -> nn.Module:
    """W ~ N(0, 2 / fan) in convolutions and full layers, biases 0; normalisations stay at scale 1 and shift 0.

    Arguments:
        network: changed in place and returned.
        lasts: linear classifiers, which no ReLU follows: N(0, 0.15² / fan_in) instead.
        fan: inputs of an output neuron, or outputs of an input neuron.

    Source: He et al., "Delving Deep into Rectifiers", ICCV 2015, section 2.2.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            if layer in lasts:
                nn.init.normal_(layer.weight, std=LAST / math.sqrt(layer.weight[0].numel()))
            else:
                nn.init.kaiming_normal_(layer.weight, mode=fan, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def centred(network: nn.Module, *lasts: nn.Module) -> nn.Module:
    """W <- W - the mean of its filter, in convolutions divided by sqrt(1 - 1 / pi), but for the first layer.

    Values behind a ReLU have a mean above zero, the same for all images. He's weights pass it on, so that with each layer
    images become more alike: behind VGG-19's features the differences were a seventh of the values, and a sixth of the noise of
    dropout. Filters without a mean leave it behind; 1 - 1 / pi is the share of a rectified Gaussian's square that is no mean.
    Full layers are not divided: those behind dropout see twice the square anyway.

    Arguments:
        network: with its weights drawn already; changed in place and returned.
        lasts: linear classifiers, which stay as they are.

    Sources: Brock, De and Smith, "Characterizing signal propagation to close the performance gap in unnormalized ResNets",
    ICLR 2021, section 3 (there throughout the training); measured in docs/log.md.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        for layer in layers[1:]:
            if layer not in lasts:
                layer.weight.sub_(layer.weight.mean(tuple(range(1, layer.weight.ndim)), keepdim=True))
                if isinstance(layer, nn.Conv2d):
                    layer.weight.div_(math.sqrt(1 - 1 / math.pi))
    return network
