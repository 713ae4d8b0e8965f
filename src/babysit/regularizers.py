"""Which parameters a penalty meets."""

from __future__ import annotations

from torch import nn


def parameter_groups(model: nn.Module, decay: float, *, biases: bool) -> list[dict[str, object]]:
    """Parameter groups for an optimiser: weights decay, biases and normalisation parameters do not.

    The update with decay is W <- W - lr (decay W + dL/dW), that of the penalty decay/2 ||W||².

    Arguments:
        decay: lambda, at least 0.
        biases: whether biases and normalisation parameters (those with fewer than two axes) decay too.
    """
    kept = [parameter for parameter in model.parameters() if parameter.requires_grad]
    weights = [parameter for parameter in kept if parameter.ndim > 1 or biases]
    others = [parameter for parameter in kept if not (parameter.ndim > 1 or biases)]
    groups: list[dict[str, object]] = [{"params": weights, "weight_decay": decay}]
    if others:
        groups.append({"params": others, "weight_decay": 0.0})
    return groups
