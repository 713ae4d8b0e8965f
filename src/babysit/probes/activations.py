"""Activations: what layers give, reduced to a few numbers while the network runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn

from babysit.probes.context import ProbeContext, observed
from babysit.probes.network import RECTIFIED, SIGMOID, TANH, units_last
from babysit.record.observation import Observation, key_of

Family = Literal["rectified", "tanh", "sigmoid", ""]

SAMPLED = 2**18
"""Values of an output that are looked at for mean, deviation and saturation; for dead units all are."""

UNITS, PLACES = 64, 1024
"""Units and places that are compared for their likeness."""

SATURATED_TANH, SATURATED_SIGMOID = 0.99, 0.01
ZEROS = 0.01
"""Least share of exact zeros by which a rectification is known that is no layer of its own."""


def family_of(layer: nn.Module) -> Family:
    """Which kind of limits an activation function has."""
    if isinstance(layer, RECTIFIED):
        return "rectified"
    return "tanh" if isinstance(layer, TANH) else "sigmoid" if isinstance(layer, SIGMOID) else ""


def family_seen(values: Tensor) -> Family:
    """The same by the values, for functions that are no layers: `F.relu(self.conv1(x))`.

    >>> family_seen(torch.relu(torch.linspace(-1, 1, 100)[:, None]))
    'rectified'
    """
    some = sampled(values).float()
    least, most = (float(one) for one in some.aminmax())
    if least >= 0 and float((some == 0).float().mean()) >= ZEROS:
        return "rectified"
    if least < 0 and max(-least, most) <= 1:
        return "tanh"
    return "sigmoid" if least > 0 and most < 1 else ""


@torch.no_grad()
def figures(output: Tensor, family: Family, *, function: bool) -> dict[str, Tensor]:
    """What is kept of one output: quantity to number.

    Mean and deviation (over n) of the values; of an activation function the share of dead units (zero in the whole
    batch; a unit is a channel of maps, a feature of vectors) or of saturated values (|tanh| > 0.99, sigmoid outside
    0.01 to 0.99); of a layer with weights how alike its units are (`likeness`).

    Arguments:
        function: whether it is an activation function's.

    >>> found = figures(torch.tensor([[0.0, 1.0], [0.0, 3.0]]), "rectified", function=True)
    >>> {name: float(value) for name, value in found.items()}
    {'activation_mean': 1.0, 'activation_deviation': 1.2247449159622192, 'dead_share': 0.5}
    """
    some = sampled(output).float()
    variance, mean = torch.var_mean(some, correction=0)
    found = {"activation_mean": mean, "activation_deviation": variance.sqrt()}
    if function:
        found |= limits(output, some, family)
    elif output.ndim >= 2:
        found["channel_likeness"] = likeness(_by_unit(some))
    return found


def limits(output: Tensor, some: Tensor, family: Family) -> dict[str, Tensor]:
    """Dead units or saturated values of an activation function's output.

    Arguments:
        some: a sample of it.
    """
    if family == "rectified" and output.ndim >= 2:
        axis = units_last(output)
        others = [one for one in range(output.ndim) if one != axis]
        return {"dead_share": (output.amax(dim=others) <= 0).float().mean()}
    if family == "tanh":
        return {"saturated_share": (some.abs() > SATURATED_TANH).float().mean()}
    if family == "sigmoid":
        return {"saturated_share": ((some - 0.5).abs() > 0.5 - SATURATED_SIGMOID).float().mean()}
    return {}


def sampled(output: Tensor) -> Tensor:
    """Whole examples, evenly over the batch, so many that SAMPLED values are not exceeded; at least one."""
    if output.numel() <= SAMPLED or output.ndim < 2:
        return output
    wanted = max(1, SAMPLED * len(output) // output.numel())
    return output[:: -(-len(output) // wanted)]


def likeness(rows: Tensor) -> Tensor:
    """The mean absolute correlation between rows; NaN where fewer than two vary.

    1/(u (u - 1)) sum over i != j of |corr(row i, row j)|

    Shape:
        (units, values).

    >>> float(likeness(torch.tensor([[1.0, 2, 3], [-2, -4, -6], [5, 5, 5]])).round(decimals=5))
    1.0
    """
    centred = rows - rows.mean(dim=1, keepdim=True)
    norms = centred.norm(dim=1, keepdim=True)
    varies = (norms > 1e-6 * rows.norm(dim=1, keepdim=True)).float()
    units = centred / norms.clamp_min(1e-30) * varies
    count = varies.sum()
    alike = (units @ units.T).abs().sum() - count
    return alike / (count * (count - 1)).clamp_min(0)


def probe(context: ProbeContext) -> Iterator[Observation]:
    """What was seen of each layer's output and of each activation function's."""
    values = {
        key_of(quantity, name): value for name, found in context.seen.items() for quantity, value in found.items()
    }
    yield from observed(context, values)


def _by_unit(some: Tensor) -> Tensor:
    """Up to UNITS units as rows of up to PLACES values, evenly taken."""
    axis = units_last(some)
    units = some.movedim(axis, 0)
    units = units[:: -(-len(units) // UNITS)].reshape(-(-len(units) // -(-len(units) // UNITS)), -1)
    return units[:, :: -(-units.shape[1] // PLACES)]
