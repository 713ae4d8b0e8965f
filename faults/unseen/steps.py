"""What the loops of the unseen part do besides the steps of the fresh part's."""

from __future__ import annotations

import torch

import fresh.steps
from fresh.setups import Ready


def update(ready: Ready, *, last: bool = False) -> None:
    """The optimisers' step; gradients with noise before it, weights held between bounds after it, where that is what is wrong."""
    fault, _, amount = ready.setup.fault.partition(":")
    gradients = [one.grad for one in ready.model.parameters() if one.grad is not None]
    if fault == "gradient-noise":  # of so many times the gradient's own size
        for one in gradients:
            one.add_(float(amount) * one.norm() / one.numel() ** 0.5 * torch.randn_like(one))
    if fault == "sign-flipped":
        for one in gradients:
            one.neg_()
    fresh.steps.update(ready, last=last)
    if fault == "clamped":  # left from a critic
        with torch.no_grad():
            for one in ready.model.parameters():
                one.clamp_(-float(amount), float(amount))
    if fault == "shrunk":  # a decay written by hand, and with the wrong number
        with torch.no_grad():
            for one in ready.model.parameters():
                one.mul_(1 - float(amount))
