"""The share of the usual learning rate that a network bears, by rule."""

from __future__ import annotations

from babysit.models.traits import Traits

SHALLOW_SHARE, DEEP_SHARE, FLAT_SHARE = 1 / 3, 1 / 15, 2 / 3
"""The share of the usual rate for networks without batch normalisation, shallow (or deep with it) and deep, and without convolutions."""

SHALLOW, MODERATE, FLAT_INPUTS = 7, 16, 100
"""Layers with weights of a shallow network, at most, and of one that is normalised and keeps its rate; input values up to which a flat network keeps its rate."""


def rate_share(network: Traits) -> tuple[float, str]:
    """What share of gradient descent's usual rate a network bears, and why.

    Batch normalisation makes a layer's output independent of its weights' size, so large steps are survived; without
    it they are not, the less the deeper the network: 0.01 at 256 is the rate of VGG's paper, for 74 epochs of a million
    images; shorter runs need twice that to leave the first plateau (docs/log.md). Many normalised layers bear a third, which is
    the 0.1 at 256 of ResNet's paper. A flat network's stable rate falls with the number of its inputs, as the
    largest eigenvalue of their second moments grows with it.
    """
    if network.normalised:
        if network.layers <= MODERATE:
            return 1.0, ""
        return SHALLOW_SHARE, f" for {network.layers} layers with weights, normalised"
    if not network.convolutions:
        share = FLAT_SHARE * min(1.0, FLAT_INPUTS / network.inputs)
        return share, f" for a network without convolutions and {network.inputs:,} inputs"
    share = SHALLOW_SHARE if network.layers <= SHALLOW else DEEP_SHARE
    return share, f" for {network.layers} layers with weights, not all of them normalised"
