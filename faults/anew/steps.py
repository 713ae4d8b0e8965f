"""The parts of a loop in which its mistakes are made, so that every style of the part that is anew can have each of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler

from anew.setups import Ready
from loops import Watcher

SCALE = 65536.0
"""What a gradient scaler begins with."""


def training_mode(ready: Ready, epoch: int) -> None:
    """`model.train()` before an epoch, unless it is forgotten after the first validation, or evaluation is asked for."""
    fault = ready.setup.fault
    ready.model.train(mode=not (fault == "always-evaluating" or (fault == "left-evaluating" and epoch > 0)))


def zero(ready: Ready) -> None:
    """The gradients away; or, where that is what is wrong, never, seldom, or with the step following at once."""
    fault, _, amount = ready.setup.fault.partition(":")
    if fault == "never-cleared" or (fault == "cleared-each" and ready.updates % int(amount)):
        return
    for one in ready.optimizers:
        one.zero_grad()
        if fault == "step-before":  # zero_grad, step, backward
            one.step()
            ready.updates += 1


def penalised(ready: Ready, loss: Tensor) -> Tensor:
    """With the sum of the weights' sizes, where there is such a penalty."""
    if ready.setup.l1:
        loss = loss + ready.setup.l1 * sum(one.abs().sum() for one in ready.model.parameters())
    return loss


def backward(ready: Ready, loss: Tensor) -> None:
    """Gradients of a batch's share of the update."""
    fault = ready.setup.fault
    if fault == "number-again":  # a tensor made of the loss's number
        loss = torch.tensor(loss.item(), requires_grad=True)
    elif fault == "scale-left":  # scaled for half precision, and never unscaled
        loss = loss * SCALE
    elif fault != "undivided":
        loss = loss / ready.setup.accumulate
    if fault == "graph-kept":  # the loss itself is summed up for a mean, with all that it was made of
        ready.kept.append(loss)
    loss.backward(retain_graph=fault == "graph-kept")


def step(ready: Ready, *, last: bool = False) -> None:
    """The optimiser's step, after clipping."""
    setup = ready.setup
    fault, _, amount = setup.fault.partition(":")
    if fault == "step-before" or (fault == "step-each-epoch" and not last):
        return
    parameters = [one for one in ready.model.parameters() if one.grad is not None]
    if fault == "unscaled-again":  # by unscale_, and once more by hand, of a loss that was never so large
        for one in parameters:
            one.grad.div_(SCALE)  # type: ignore[union-attr]
    if fault == "values-clipped":
        nn.utils.clip_grad_value_(parameters, float(amount))
    elif setup.clip:
        nn.utils.clip_grad_norm_(parameters, setup.clip)
    for one in ready.optimizers:
        if fault == "cleared-before-step":
            one.zero_grad(set_to_none=False)
        one.step()
    ready.updates += 1
    if fault == "half-weights":  # the weights are kept in 16 bits, of which 8 are of the number
        with torch.no_grad():
            for one in ready.model.parameters():
                one.copy_(one.bfloat16().float())


def next_rate(ready: Ready, after: str, accuracy: float = 0.0) -> None:
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
def judge(ready: Ready) -> tuple[float, float, Tensor, Tensor]:
    """Loss and accuracy over the validation loader, with all scores and labels; `eval` is forgotten where that is the mistake."""
    if ready.setup.fault != "judged-training":
        ready.model.eval()
    scores, labels, total = [], [], 0.0
    for x, y in ready.valid:
        out = ready.model(x)
        total += ready.criterion(out, y).item() * len(y)
        scores.append(out)
        labels.append(y)
    found, wanted = torch.cat(scores), torch.cat(labels)
    ready.accuracy = float((found.argmax(1) == wanted).float().mean())
    return total / len(wanted), ready.accuracy, found, wanted
