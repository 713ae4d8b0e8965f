"""Gradients: of the whole network, layer by layer, and of the regularisation."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from babysit.probes.context import ProbeContext, observed
from babysit.probes.network import Network
from babysit.record.observation import Observation, key_of


@torch.no_grad()
def total_norm(network: Network, scale: float = 1.0) -> Tensor | None:
    """The norm of the whole gradient, None without one: sqrt(sum of all its squares) / scale."""
    found = [one.grad for one in network.trained if one.grad is not None and not one.grad.is_sparse]
    if not found:
        return None
    if any(one.device != found[0].device for one in found):
        return torch.nn.utils.get_total_norm(found) / scale
    # `get_total_norm` groups and moves tensors first, which takes as long again when they are small.
    norms = torch._foreach_norm(found)  # pyright: ignore[reportPrivateImportUsage] - what `get_total_norm` itself calls
    return torch.linalg.vector_norm(torch.stack(norms)) / scale


def surely_finite(network: Network) -> bool:
    """A glance: whether the first layer's gradient is finite, through which every fault of a loss comes."""
    for one in network.trained:
        if one.grad is not None:
            return one.grad.is_sparse or math.isfinite(one.grad.detach().sum().item())
    return True


def whole(context: ProbeContext) -> Iterator[Observation]:
    """The norm of the data's gradient, before it is clipped and before the regularisation is added."""
    norm = total_norm(context.network, context.scale)
    if norm is not None:
        yield from observed(context, {"gradient_norm": norm})


@torch.no_grad()
def by_layer(context: ProbeContext) -> Iterator[Observation]:
    """The norm of each layer's weight gradient, and of one that is not finite the share of such values."""
    norms = {
        one.name: one.weight.grad.float().norm() / context.scale
        for one in context.network.weighted
        if one.weight.grad is not None and not one.weight.grad.is_sparse
    }
    found = list(observed(context, {key_of("weight_gradient_norm", name): norm for name, norm in norms.items()}))
    yield from found
    harmed = {seen.where for seen in found if not abs(seen.value) < float("inf")}
    shares = {
        key_of("gradient_not_finite", one.name): (~torch.isfinite(one.weight.grad)).float().mean()
        for one in context.network.weighted
        if one.name in harmed and one.weight.grad is not None
    }
    yield from observed(context, shares)


def regularisation(context: ProbeContext) -> Iterator[Observation]:
    """The norm of the regularisation's gradient; decay beside the update counts as one."""
    if context.penalty is not None:
        yield from observed(context, {"penalty_gradient_norm": context.penalty()})
