"""Layers in plain lists: the network runs them and does not know them, so that no optimiser made of its parameters has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from torch import nn
from torch.optim import Optimizer

MOST = 1000
"""Entries of a list that are looked at: it may hold data."""


def listed_layers(model: nn.Module, optimizers: Sequence[Optimizer]) -> tuple[str, ...]:
    """Attributes such as `blocks` of `self.blocks = [conv1, conv2]` whose weights get a gradient and are no optimiser's.

    Lists, tuples and dictionaries are looked into. A network that is kept there on purpose, as a teacher, gets no gradient.
    """
    known = {id(one) for one in model.parameters()}
    known |= {id(one) for each in optimizers for group in each.param_groups for one in group["params"]}
    return tuple(
        f"{owner}.{name}" if owner else name
        for owner, module in model.named_modules()
        for name, value in vars(module).items()
        if any(
            id(one) not in known and one.requires_grad and one.grad is not None
            for layer in _layers_in(value)
            for one in layer.parameters()
        )
    )


def _layers_in(value: object) -> Iterator[nn.Module]:
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    yield from (one for one in islice(values, MOST) if isinstance(one, nn.Module))
