"""The parts of a loop in which its mistakes are made, so that every style of the part from outside can have each of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler

from loops import Watcher
from outside.setups import Ready

SCALE = 65536.0
"""What a gradient scaler begins with."""


def to_train(ready: Ready, epoch: int) -> None:
    """`model.train()`; or that is called once, before all epochs; or never, after a validation of what was loaded."""
    fault = ready.setup.fault
    if fault == "never-train" or (fault == "train-once" and epoch > 0):
        ready.model.eval()
    else:
        ready.model.train()


def clear(ready: Ready, place: int) -> None:
    """The gradients away before batch `place` of an epoch; or, where that is what is wrong, never or seldom."""
    fault, _, amount = ready.setup.fault.partition(":")
    seldom = fault == "cleared-per-epoch" and place >= ready.setup.accumulate
    if fault == "clear-forgotten" or seldom or (fault == "cleared-every" and ready.updates % int(amount)):
        return
    for one in ready.optimizers:
        one.zero_grad()
        if fault == "step-too-early":  # zero_grad, step, backward
            one.step()
            ready.updates += 1


def with_penalties(ready: Ready, loss: Tensor) -> Tensor:
    """With the weights' sizes or their squares, where there is such a penalty."""
    fault, _, amount = ready.setup.fault.partition(":")
    if ready.setup.l1:
        loss = loss + ready.setup.l1 * sum(one.abs().sum() for one in ready.model.parameters())
    if fault == "squares":
        loss = loss + float(amount) * sum(one.pow(2).sum() for one in ready.model.parameters())
    return loss


def differentiate(ready: Ready, loss: Tensor) -> None:
    """Gradients of a batch's share of the update."""
    fault, _, amount = ready.setup.fault.partition(":")
    if fault == "through-numpy":  # a mean of numbers, made a tensor again
        loss = torch.tensor(float(np.mean([loss.item()])), requires_grad=True)
    elif fault == "scale-forgotten":  # scaled for half precision, and never unscaled
        loss = loss * float(amount or SCALE)
    elif fault != "not-divided":
        loss = loss / ready.setup.accumulate
    if fault == "losses-kept":  # summed up for a mean, with all that they were made of
        ready.kept.append(loss)
    loss.backward(retain_graph=fault == "losses-kept")


def advance(ready: Ready, *, last: bool = False) -> None:
    """The optimiser's step, after clipping."""
    setup = ready.setup
    fault, _, amount = setup.fault.partition(":")
    if fault in ("step-too-early", "step-forgotten") or (fault == "step-per-epoch" and not last):
        return
    parameters = [one for one in ready.model.parameters() if one.grad is not None]
    for one in parameters if fault == "unscaled-twice" else ():
        one.grad.div_(float(amount or SCALE))  # type: ignore[union-attr]
    if fault == "clipped-by-value":
        nn.utils.clip_grad_value_(parameters, float(amount))
    elif setup.clip:
        nn.utils.clip_grad_norm_(parameters, setup.clip)
    for one in ready.optimizers:
        if fault == "cleared-too-late":  # backward, zero_grad, step
            one.zero_grad(set_to_none=False)
        one.step()
    ready.updates += 1


def reschedule(ready: Ready, after: str, accuracy: float = 0.0) -> None:
    """The schedule's step after a `batch` or an `epoch`."""
    if ready.scheduler is None or ready.setup.per != after:
        return
    if isinstance(ready.scheduler, lr_scheduler.ReduceLROnPlateau):
        ready.scheduler.step(accuracy)
    else:
        ready.scheduler.step()


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
def assess(ready: Ready) -> tuple[float, float, Tensor, Tensor]:
    """Loss and accuracy over the validation loader, with all scores and labels; of the shadow where there is one."""
    model = ready.model if ready.shadow is None else ready.shadow
    model.train(mode=ready.setup.fault == "eval-forgotten")
    total, scores, labels = 0.0, [], []
    for x, y in ready.valid:
        out = model(x)
        total += ready.loss_fn(out, y).item() * len(y)
        scores.append(out)
        labels.append(y)
    found, wanted = torch.cat(scores), torch.cat(labels)
    ready.accuracy = float((found.argmax(1) == wanted).float().mean())
    return total / len(wanted), ready.accuracy, found, wanted
