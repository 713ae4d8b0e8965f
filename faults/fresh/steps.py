"""The parts of a loop in which its mistakes are made, so that every style can have each of them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from fresh.setups import Ready
from loops import Watcher


def training_mode(ready: Ready, epoch: int) -> None:
    """Before an epoch. A frozen body stays in evaluation mode."""
    fault = ready.setup.fault
    ready.model.train(mode=not (fault == "always-evaluating" or (fault == "left-evaluating" and epoch > 0)))
    if ready.setup.freeze:
        ready.model.get_submodule("body").eval()


def cost(ready: Ready, scores: Tensor, targets: Tensor) -> Tensor:
    """The loss, with the penalty on weights where there is one."""
    loss = ready.loss(scores, targets)
    if ready.setup.l1:
        loss = loss + ready.setup.l1 * sum(one.abs().sum() for one in ready.model.parameters())
    return loss


def backward(ready: Ready, loss: Tensor) -> None:
    """Gradients of a batch's share of the update."""
    fault, _, amount = ready.setup.fault.partition(":")
    if fault == "scale-kept":  # multiplied for half precision, and never divided again
        loss = loss * float(amount)
    elif fault == "loss-rebuilt":  # a tensor made of the number
        loss = torch.tensor(loss.item(), requires_grad=True)
    elif fault != "sum-accumulated":
        loss = loss / ready.setup.accumulate
    loss.backward()


def update(ready: Ready, *, last: bool = False) -> None:
    """The optimisers' step, after clipping."""
    setup = ready.setup
    if setup.clip:
        nn.utils.clip_grad_norm_(ready.model.parameters(), setup.clip)
    if setup.fault == "cleared-early":
        for one in ready.optimizers:
            one.zero_grad(set_to_none=False)
    if setup.fault == "step-per-epoch" and not last:
        return
    stepped = ready.optimizers[-1:] if setup.fault == "body-never-stepped" else ready.optimizers
    for one in stepped:
        one.step()
    ready.updates += 1


def clear(ready: Ready) -> None:
    """The gradients away."""
    if ready.setup.fault != "never-cleared":
        for one in ready.optimizers:
            one.zero_grad()


def next_rate(ready: Ready, after: str) -> None:
    """The schedule's step after a `batch` or an `epoch`."""
    if ready.setup.per == after:
        for one in ready.schedules:
            one.step()


def tell(ready: Ready, watcher: Watcher, loss: Tensor, scores: Tensor, batch: tuple[Tensor, Tensor]) -> None:
    """What the watcher is told of a batch: that much of it as this loop has at hand."""
    told = ready.setup.told
    watcher.step(
        loss=loss if "l" in told else None,
        outputs=scores if "o" in told else None,
        targets=batch[1] if "t" in told else None,
        inputs=batch[0] if "i" in told else None,
    )


@torch.no_grad()
def judge(ready: Ready) -> tuple[float, float, Tensor, Tensor]:
    """Loss and accuracy of the validation part, its scores and class numbers."""
    if ready.setup.fault != "judged-training":
        ready.model.eval()
    scores = torch.cat([ready.model(x) for x, _ in ready.valid])
    targets = torch.cat([y for _, y in ready.valid])
    ready.accuracy = float((scores.argmax(1) == targets).float().mean())
    return float(ready.loss(scores, targets)), ready.accuracy, scores, targets


def marked(ready: Ready) -> Iterator[tuple[tuple[Tensor, Tensor], bool]]:
    """An epoch's batches, and whether one is the last."""
    for place, batch in enumerate(ready.train()):
        yield batch, place == ready.batches - 1
