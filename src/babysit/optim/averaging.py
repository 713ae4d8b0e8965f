"""Averages of a network's weights over the steps, which predict better than the last weights do.

    ema         A <- d A + (1 - d) W every `every` steps, d = min(decay, (1 + n) / (10 + n)) at the n-th
    lookahead   the same, and the network goes on from there: W <- A

Batch normalisation's running statistics are averaged like weights: statistics of the last weights alone would not fit
the averaged ones. Whole numbers among the buffers are taken as they are.

Sources: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992; Zhang et al., "Lookahead
optimizer: k steps forward, 1 step back", NeurIPS 2019; the rising d is TensorFlow's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from babysit.tables import Table

PREFIX = "average."
"""What the average's tensors are called beside the optimiser's."""


class Average:
    """The average of one network.

    Arguments:
        network: the average begins with its weights.
        decay: d, from 0 to below 1; the share of the old average that stays.
        every: steps from one update of the average to the next, at least 1.

    >>> layer = nn.Linear(1, 1, bias=False)
    >>> _ = layer.weight.data.fill_(0.0)
    >>> average = Average(layer, decay=0.05)
    >>> _ = layer.weight.data.fill_(1.0)
    >>> average.update()
    >>> with average.applied():
    ...     round(float(layer.weight.detach()), 2)
    0.95
    """

    returns = False
    """Whether the network goes on from the average."""

    def __init__(self, network: nn.Module, *, decay: float, every: int = 1) -> None:
        self.decay, self.every = decay, every
        self.steps = 0
        self._live = network.state_dict()
        self.values = {name: value.detach().clone() for name, value in self._live.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Counts a step of the network, and takes it into the average when it is time."""
        self.steps += 1
        if self.steps % self.every:
            return
        count = self.steps // self.every - 1
        new = 1 - min(self.decay, (1 + count) / (10 + count))
        for name, value in self._live.items():
            if value.is_floating_point():
                self.values[name].lerp_(value, new)
            else:
                self.values[name].copy_(value)
        if self.returns:
            self._set(self.values)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The network has the averaged weights inside, and its own again afterwards."""
        own = {name: value.clone() for name, value in self._live.items()}
        self._set(self.values)
        try:
            yield
        finally:
            self._set(own)

    def state(self) -> dict[str, Tensor]:
        """The network's own weights, and where the average stands: for beside the averaged ones in a checkpoint."""
        live = {f"{PREFIX}{name}": value.detach().clone() for name, value in self._live.items()}
        return {**live, f"{PREFIX}steps": torch.tensor(self.steps)}

    def restore(self, averaged: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
        """Goes to where `state` was made, with the averaged weights as they were then."""
        self.steps = int(state[f"{PREFIX}steps"])
        for name, value in self.values.items():
            value.copy_(averaged[name])
        self._set({name: state[f"{PREFIX}{name}"] for name in self._live})

    @torch.no_grad()
    def _set(self, values: Mapping[str, Tensor]) -> None:
        for name, value in self._live.items():
            value.copy_(values[name])


class ExponentialAverage(Average):
    """The network trains on as if there were no average."""


class Lookahead(Average):
    """The network goes on from the average each time."""

    returns = True


AVERAGES: Table[type[Average]] = Table("average", {"ema": ExponentialAverage, "lookahead": Lookahead})

USUAL = {"ema": (0.999, 1), "lookahead": (0.5, 5)}
"""(decay, every) of each kind unless given; lookahead's are its paper's."""


def make_average(
    network: nn.Module, kind: str, *, decay: float | None = None, every: int | None = None
) -> Average | None:
    """The average of a kind, with the kind's own numbers where none are given; None of kind `none`.

    Raises:
        UserError: when there is no such kind.
    """
    if kind == "none":
        return None
    usual_decay, usual_every = USUAL.get(kind, (0.0, 1))
    return AVERAGES[kind](
        network, decay=usual_decay if decay is None else decay, every=usual_every if every is None else every
    )
