"""Optimisers: functions (parameter groups, settings) -> torch.optim.Optimizer."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable

import torch

from babysit.tables import Table

Groups = list[dict[str, object]]
Make = Callable[[Groups, float, float], torch.optim.Optimizer]


def import_ahead() -> None:
    """Imports PyTorch's compiler in the background, beside the reading of the data.

    An optimiser's first use imports `torch._dynamo`, only to exclude itself from compilation: 1.5 seconds, measured,
    that would otherwise stand before the first step.
    """
    threading.Thread(target=importlib.import_module, args=("torch._dynamo",), daemon=True).start()


def sgd(groups: Groups, lr: float, momentum: float) -> torch.optim.Optimizer:  # noqa: ARG001
    """Gradient descent: W <- W - lr g. Momentum is not used."""
    return torch.optim.SGD(groups, lr=lr, fused=True)


def with_momentum(groups: Groups, lr: float, momentum: float) -> torch.optim.Optimizer:
    """v <- momentum v + g; W <- W - lr v (Polyak, 1964)."""
    return torch.optim.SGD(groups, lr=lr, momentum=momentum, fused=True)


def nesterov(groups: Groups, lr: float, momentum: float) -> torch.optim.Optimizer:
    """v <- momentum v + g; W <- W - lr (g + momentum v) (Sutskever et al., ICML 2013, in PyTorch's form)."""
    return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=True, fused=True)


OPTIMIZERS: Table[Make] = Table("optimiser", {"sgd": sgd, "momentum": with_momentum, "nesterov": nesterov})
