"""How often to measure: counted from the network, never timed, so that the same recipe gives the same log.

A step's time and a measurement's are estimated from multiply-adds, numbers looked at and layers; what the estimates are
worth is measured by `bench/probes.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from babysit.probes.activations import SAMPLED
from babysit.probes.hooks import untouched
from babysit.probes.network import UNITS_FIRST, Network
from babysit.probes.slices import PIECES
from babysit.probes.weights import KEPT

SHARE, LEAST = 0.01, 30e-6
"""Of a step's time, or the seconds if those are more, that looking at the layers may take on average; as much again is
for looking at the slice, and the rest of 3 % or 0.1 ms for what is done at every step."""

LADDER = (10, 20, 50, 100, 200, 500, 1000)
EPOCHS = (1, 2, 5, 10, 20, 50, 100)
SLICE, FEWEST, MOST = 0.02, 64, 512
"""Of the training images in the slice; least and most images."""

LOOKS = 4.0
"""Times that each sampled number is gone through."""


@dataclass(frozen=True, slots=True)
class Speeds:
    """Of a kind of device: multiply-adds and looked-at numbers a second; seconds of a layer's step and of a look at it."""

    multiply_adds: float
    numbers: float
    layer_step: float
    layer_look: float


PROCESSOR = Speeds(30e9, 0.5e9, 60e-6, 350e-6)
ACCELERATOR = Speeds(10e12, 100e9, 100e-6, 600e-6)


@dataclass(frozen=True, slots=True)
class Work:
    """What one image asks of a network: multiply-adds forward, numbers its layers give; and its weights and layers."""

    multiply_adds: float
    outputs: float
    weights: int
    layers: int


@dataclass(frozen=True, slots=True)
class Cadence:
    """Steps between two looks at the layers; images of the slice, and epochs between two looks at it."""

    every: int
    slice: int
    slice_every: int


def work_of(network: Network, images: Tensor) -> Work:
    """Counts by one pass over some images, which leaves no trace.

    >>> from babysit.probes.network import network_of
    >>> work_of(network_of(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 5))), torch.zeros(3, 1, 4, 4))
    Work(multiply_adds=112.0, outputs=13.0, weights=58, layers=2)
    """
    multiply_adds, outputs, number = 0.0, 0.0, len(images)

    def count(layer: nn.Module, _inputs: object, output: object) -> None:
        nonlocal multiply_adds, outputs
        if isinstance(output, Tensor):
            outputs += output.numel()
            own = sum(one.numel() for one in layer.parameters(recurse=False) if one.ndim > 1)
            shared = isinstance(layer, UNITS_FIRST)  # each weight is used at every place of the output
            multiply_adds += own * (output.numel() / layer.weight.shape[0] if shared else number)

    layers = {one.layer for one in network.weighted} | {layer for _, layer in network.activations}
    handles = [layer.register_forward_hook(count) for layer in layers] if network.hookable else []
    try:
        with untouched(network.model), torch.no_grad():
            network.model.eval()
            network.model(images)
    finally:
        for handle in handles:
            handle.remove()
    weights = sum(min(one.weight.numel(), KEPT) for one in network.weighted)
    return Work(multiply_adds / number, outputs / number, weights, len(layers))


def cadence(work: Work, *, batch: int, images: int, accelerator: bool = False) -> Cadence:
    """How often to look so that it costs a step little: the first spacing of LADDER that is rare enough.

    Arguments:
        batch: images a step.
        images: training images.

    >>> cadence(Work(20e6, 1e5, 600_000, 10), batch=256, images=50_000)
    Cadence(every=20, slice=512, slice_every=5)
    """
    speeds = ACCELERATOR if accelerator else PROCESSOR

    def step(count: float) -> float:
        return work.layers * speeds.layer_step + 3 * work.multiply_adds * count / speeds.multiply_adds

    allowed = max(SHARE * step(batch), LEAST)
    sampled = LOOKS * min(work.outputs * batch, SAMPLED * work.layers) + work.outputs * batch
    look = work.layers * speeds.layer_look + (sampled + 6 * work.weights) / speeds.numbers
    part = min(images, max(FEWEST, min(MOST, round(SLICE * images))))
    slice_look = PIECES * 2 * step(part / PIECES) + step(part)
    an_epoch = allowed * max(1, images // batch)
    return Cadence(_rare_enough(look / allowed, LADDER), part, _rare_enough(slice_look / an_epoch, EPOCHS))


def _rare_enough(wanted: float, ladder: tuple[int, ...]) -> int:
    return next((one for one in ladder if one >= wanted), ladder[-1])
