"""What the loops of the part that is apart do besides the steps of the other parts'."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import fresh.steps
import unseen.steps
from fresh.setups import Ready


def cost(ready: Ready, scores: Tensor, targets: Tensor) -> Tensor:
    """The loss, with a penalty written by hand whose slope is no number where weights are nought."""
    loss = fresh.steps.cost(ready, scores, targets)
    fault, _, amount = ready.setup.fault.partition(":")
    if fault == "root-penalty":
        loss = loss + float(amount) * sum((one**2).sum().sqrt() for one in ready.model.parameters())
    return loss


def clear(ready: Ready) -> None:
    """The gradients away; in an epoch's beginning alone, where that is what is wrong."""
    if ready.setup.fault != "cleared-per-epoch" or ready.updates % ready.batches == 0:
        fresh.steps.clear(ready)


def update(ready: Ready, *, last: bool = False) -> None:
    """The optimisers' step, and what is done before and after it."""
    fault, _, amount = ready.setup.fault.partition(":")
    if fault == "value-clipped":
        nn.utils.clip_grad_value_(ready.model.parameters(), float(amount))
    if fault == "steps-rarely":  # meant as an accumulation; the gradients between are thrown away
        ready.updates += 1
        if ready.updates % int(amount):
            return
        ready.updates -= 1
    unseen.steps.update(ready, last=last)
    if fault == "rounded":  # to steps of a small whole number, as after training
        with torch.no_grad():
            for one in ready.model.parameters():
                one.copy_((one / float(amount)).round() * float(amount))
    if fault == "copied-back":  # a running mean of the weights, written into the weights
        now = [one.detach().clone() for one in ready.model.parameters()]
        mean = ready.kept or now
        ready.kept = [float(amount) * old + (1 - float(amount)) * new for old, new in zip(mean, now, strict=True)]  # type: ignore[operator]
        with torch.no_grad():
            for one, kept in zip(ready.model.parameters(), ready.kept, strict=True):
                one.copy_(kept)  # type: ignore[arg-type]


@torch.no_grad()
def judged(ready: Ready, model: nn.Module) -> tuple[float, float, Tensor, Tensor]:
    """Loss and accuracy of the validation part by another network than the one that is trained, its scores and class numbers."""
    model.eval()
    scores = torch.cat([model(x) for x, _ in ready.valid])
    targets = torch.cat([y for _, y in ready.valid])
    ready.accuracy = float((scores.argmax(1) == targets).float().mean())
    return float(ready.loss(scores, targets)), ready.accuracy, scores, targets
