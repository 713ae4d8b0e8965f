"""What the loops of the part that is beyond do besides the steps of the other parts'."""

from __future__ import annotations

import torch
from torch import Tensor

import apart.steps
import fresh.steps
from fresh.setups import Ready


def clear(ready: Ready) -> None:
    """The gradients away; after so many batches alone, where that is what is wrong."""
    fault, _, amount = ready.setup.fault.partition(":")
    if fault != "cleared-each" or ready.updates % int(amount) == 0:
        apart.steps.clear(ready)


def update(ready: Ready, loss: Tensor, *, last: bool = False) -> None:
    """The optimisers' step, and what is done before and after it."""
    fault, _, amount = ready.setup.fault.partition(":")
    if fault == "guarded" and float(loss) > float(amount):  # against a loss that explodes; it begins above that
        ready.updates += 1
        return
    if fault == "rebuilt":  # the optimiser is made anew for every batch
        for one in ready.optimizers:
            one.state.clear()
    parameters = [one for one in ready.model.parameters() if one.grad is not None]
    if fault == "private":  # clipped, and noise of so many times the bound, divided by nothing
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for one in parameters:
            one.grad.add_(float(amount) * torch.randn_like(one))  # type: ignore[union-attr]
    apart.steps.update(ready, last=last)
    with torch.no_grad():
        if fault == "grown":  # a decay with the wrong sign
            for one in parameters:
                one.mul_(1 + float(amount))
        if fault == "row-norm":  # every filter is held to a length that is far too small
            for one in parameters:
                if one.ndim > 1:
                    one.copy_(one.renorm(2, 0, float(amount)))


def judge(ready: Ready) -> tuple[float, float, Tensor, Tensor]:
    """Loss and accuracy of the validation part, its scores and class numbers; the accuracy worked out wrongly where that is the mistake."""
    loss, accuracy, scores, targets = fresh.steps.judge(ready)
    if ready.setup.fault == "metric-axis":  # the most likely picture of a class, not the class of a picture
        right = scores.argmax(0) == targets[: scores.shape[1]]
        accuracy = float(right.float().mean())
    elif ready.setup.fault == "metric-count":  # right ones of validation over pictures of training
        accuracy = accuracy * len(targets) / (ready.batches * ready.setup.batch)
    ready.accuracy = accuracy
    return loss, accuracy, scores, targets
