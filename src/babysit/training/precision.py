"""The start-up self-test's step: one forward and backward of the real network, leaving no trace."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from babysit.data.batches import Batches
from babysit.losses import Loss, heads_of, objective

IMAGES = 32


def measured_step(model: torch.nn.Module, loss: Loss, part: Batches) -> Callable[[torch.dtype], tuple[float, Tensor]]:
    """A function that runs one step on a copy of the network in a given dtype.

    Returns:
        dtype -> (loss, the whole gradient as one flat vector). Neither weights, buffers nor random streams of
        the training change.
    """
    images, labels = next(part.plain(min(IMAGES, len(part))))
    copied = copy.deepcopy(model).train()

    def step(dtype: torch.dtype) -> tuple[float, Tensor]:
        with torch.random.fork_rng(devices=[]):
            copied.zero_grad(set_to_none=True)
            enabled = dtype != torch.float32
            with torch.autocast(part.device.type, torch.bfloat16, enabled=enabled):
                heads = heads_of(copied(images.to(dtype)))
            value, minimised = objective(loss, heads, labels)
            minimised.backward()
        gradients = [parameter.grad.reshape(-1) for parameter in copied.parameters() if parameter.grad is not None]
        return float(value.detach()), torch.cat(gradients)

    return step
