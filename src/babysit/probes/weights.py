"""Weights: how large they are, how far an update moves them, how alike the units of a layer are."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from babysit.probes.activations import UNITS
from babysit.probes.context import ProbeContext, observed
from babysit.probes.network import Network, Weighted
from babysit.record.observation import Observation, key_of

KEPT = 2**20
"""Weights of a layer that are kept to see how far an update moves them; of larger layers every second, third, ..."""


def some_of(weight: Tensor) -> Tensor:
    """Up to KEPT of a layer's weights, evenly over it, as a view."""
    flat = weight.detach().flatten()
    return flat[:: -(-flat.numel() // KEPT)]


@torch.no_grad()
def copies(network: Network) -> dict[str, Tensor]:
    """The weights of each layer before an update, for `probe`."""
    return {one.name: some_of(one.weight).clone() for one in network.weighted}


@torch.no_grad()
def pushes(network: Network) -> dict[str, Tensor]:
    """The gradients of the same weights, of the layers that have one."""
    grads = {one.name: one.weight.grad for one in network.weighted}
    return {name: some_of(grad).clone() for name, grad in grads.items() if grad is not None and not grad.is_sparse}


@torch.no_grad()
def unit_likeness(one: Weighted) -> Tensor | float:
    """The mean absolute cosine between the weights of a layer's output units; 1 when they are all the same or opposite.

    1/(u (u - 1)) sum over i != j of |cos(w_i, w_j)|, over up to 64 units evenly taken; NaN with fewer than two, and where a
    unit has one weight alone (1x1 filters of grey images), as any two numbers point the same way or the opposite
    """
    rows = one.weight.detach().float().flatten(1)
    if not one.units_first or len(rows) < 2 or rows.shape[1] < 2:
        return float("nan")
    rows = rows[:: -(-len(rows) // UNITS)]
    units = rows / rows.norm(dim=1, keepdim=True)
    count = len(units)
    return ((units @ units.T).abs().sum() - count) / (count * (count - 1))


@torch.no_grad()
def probe(context: ProbeContext) -> Iterator[Observation]:
    """Norm and deviation of each layer's weights, ||W after - W before|| / ||W before||, and how alike its units are.

    And of the first update, the cosine between what was taken away and the gradient: below 0 the gradient is climbed.
    """
    values: dict[str, Tensor | float] = {}
    for one in context.network.weighted:
        before = context.before.get(one.name)
        after = some_of(one.weight)
        if before is None or before.shape != after.shape:
            continue
        moved, was = (after.float() - before.float()).norm(), before.float().norm()
        values[key_of("weight_norm", one.name)] = one.weight.detach().float().norm()
        values[key_of("weight_deviation", one.name)] = after.float().std(correction=0)
        values[key_of("update_ratio", one.name)] = moved / was
        values[key_of("unit_likeness", one.name)] = unit_likeness(one)
        if (pushed := context.pushed.get(one.name)) is not None and pushed.shape == before.shape:
            taken, pushed = before.float() - after.float(), pushed.float()
            values[key_of("descent", one.name)] = (taken * pushed).sum() / (taken.norm() * pushed.norm())
    yield from observed(context, values)
