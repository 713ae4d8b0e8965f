"""Initial weights that several architectures share."""

from __future__ import annotations

import math
from typing import Literal

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
