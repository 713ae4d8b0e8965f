"""Program: a network, a loss and a loader as they stand before training, broken or healthy, and the rungs that may rightly say so.

Truth comes first: these lists were written and committed before the ladder was run on any of them. Held out, and run
once at the end: whatever has the residual network, generated textures, or a module in Lightning's style.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from before_data import INPUTS, images
from before_faulty import FAULTY
from before_held import HELD, Lit
from before_loaders import LOADERS, labelled
from before_losses import LOSSES, initialise
from before_networks import NETWORKS

REFUSED = "refused"
"""In place of a rung: `babysit.check` takes no such batches and says so."""

RUNGS = (
    "data",
    "network",
    "gradients",
    "initial loss",
    "inputs matter",
    "overfit a little",
    "better than chance",
    REFUSED,
)
HELD_OUT = ("residual", "lightning")


@dataclass(frozen=True)
class Parts:
    """What is chosen. `classes` told to the check, 0 for as many as the data have; `loss` own: that of the module."""

    network: str = "lenet"
    data: str = "digits"
    inputs: str = "standard"
    labels: str = "right"
    init: str = "default"
    loss: str = "cross-entropy"
    loader: str = "tensors"
    batch: int = 32
    classes: int = 0


@dataclass(frozen=True)
class Program:
    """One program. `kind` of fault, empty for a healthy one; `rungs` that are right to fail; `faults` right to name."""

    name: str
    parts: Parts
    kind: str = ""
    rungs: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.kind

    @property
    def held_out(self) -> bool:
        """Whether it is never run while the ladder is tuned."""
        return self.parts.network.startswith(HELD_OUT) or self.parts.data == "textures"


@dataclass
class Case:
    """What `babysit.check` gets."""

    model: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]
    batches: Iterable[tuple[Tensor, Tensor]]
    classes: int


def build(parts: Parts, seed: int = 0) -> Case:
    """A program from its description."""
    torch.manual_seed(seed)
    found = images(parts.data)
    order = torch.randperm(len(found.labels)).numpy()
    x = INPUTS[parts.inputs](found.pixels[order])
    y = labelled(parts.labels, found.labels[order], found.classes)
    classes = parts.classes or found.classes
    channels, height, width = found.pixels.shape[1:]
    make = {**NETWORKS, **FAULTY, **HELD}[parts.network]
    model = make((channels, height, width), classes)
    initialise(model, parts.init)
    if parts.loss == "own":
        assert isinstance(model, Lit)
        loss = model.loss
    else:
        loss = LOSSES[parts.loss](classes)
    return Case(model, loss, LOADERS[parts.loader](x, y, parts.batch), classes)
