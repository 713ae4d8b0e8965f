"""Loops of the last part, in eight styles as in tutorials. Each trains, tells the watcher what it has at hand, and returns nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from loops import Watcher
from outside.setups import Ready
from outside.steps import advance, assess, clear, differentiate, reschedule, tell, to_train, with_penalties


def simple(ready: Ready, watcher: Watcher) -> None:
    """One script from top to bottom."""
    model, criterion = ready.model, ready.loss_fn
    for epoch in range(ready.setup.epochs):
        to_train(ready, epoch)
        running_loss = 0.0
        for i, (inputs, labels) in enumerate(ready.batches()):
            clear(ready, i)
            outputs = model(inputs)
            loss = with_penalties(ready, criterion(outputs, labels))
            differentiate(ready, loss)
            advance(ready, last=i == len(ready.loader) - 1)
            running_loss += loss.item()
            tell(ready, watcher, loss, outputs, (inputs, labels))
            reschedule(ready, "batch")
        val_loss, val_acc, outputs, labels = assess(ready)
        watcher.validation(loss=val_loss, accuracy=val_acc, outputs=outputs, targets=labels)
        reschedule(ready, "epoch", val_acc)


class Trainer:
    """A class with an epoch of training, one of evaluation, and `run`."""

    def __init__(self, ready: Ready, watcher: Watcher) -> None:
        self.ready, self.watcher, self.best_acc = ready, watcher, 0.0

    def train_epoch(self, epoch: int) -> float:
        """An epoch's mean loss."""
        to_train(self.ready, epoch)
        total, seen = 0.0, 0
        for batch_idx, (x, y) in enumerate(self.ready.batches()):
            logits = self.ready.model(x)
            loss = with_penalties(self.ready, self.ready.loss_fn(logits, y))
            clear(self.ready, batch_idx)
            differentiate(self.ready, loss)
            advance(self.ready, last=batch_idx == len(self.ready.loader) - 1)
            reschedule(self.ready, "batch")
            self.watcher_step(loss.detach(), logits.detach(), (x, y))
            total, seen = total + loss.item() * len(y), seen + len(y)
        return total / max(1, seen)

    def watcher_step(self, loss: Tensor, logits: Tensor, batch: tuple[Tensor, Tensor]) -> None:
        """What is told after each batch."""
        tell(self.ready, self.watcher, loss, logits, batch)

    def evaluate(self) -> float:
        """The validation accuracy."""
        loss, accuracy, logits, y = assess(self.ready)
        self.watcher.validation(loss=loss, accuracy=accuracy, outputs=logits, targets=y)
        return accuracy

    def run(self) -> None:
        """All epochs."""
        for epoch in range(self.ready.setup.epochs):
            self.train_epoch(epoch)
            accuracy = self.evaluate()
            self.best_acc = max(self.best_acc, accuracy)
            reschedule(self.ready, "epoch", accuracy)


def trainerclass(ready: Ready, watcher: Watcher) -> None:
    """That class, run."""
    Trainer(ready, watcher).run()


def train_step(ready: Ready, batch: tuple[Tensor, Tensor], place: int) -> dict[str, Tensor]:
    """One update: loss, logits and the share that is right."""
    x, y = batch
    clear(ready, place)
    logits = ready.model(x)
    loss = with_penalties(ready, ready.loss_fn(logits, y))
    differentiate(ready, loss)
    advance(ready, last=place == len(ready.loader) - 1)
    return {"loss": loss.detach(), "logits": logits.detach(), "acc": (logits.argmax(1) == y).float().mean()}


def functionalstep(ready: Ready, watcher: Watcher) -> None:
    """A function for a step, which gives its figures back."""
    for epoch in range(ready.setup.epochs):
        to_train(ready, epoch)
        for place, batch in enumerate(ready.batches()):
            metrics = train_step(ready, batch, place)
            tell(ready, watcher, metrics["loss"], metrics["logits"], batch)
            reschedule(ready, "batch")
        loss, accuracy, logits, y = assess(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=logits, targets=y)
        reschedule(ready, "epoch", accuracy)


def train_one_epoch(ready: Ready, watcher: Watcher, epoch: int) -> tuple[float, float]:
    """Mean loss and accuracy of an epoch of training."""
    to_train(ready, epoch)
    losses, right, seen = 0.0, 0, 0
    for step, (images, targets) in enumerate(ready.batches()):
        preds = ready.model(images)
        loss = with_penalties(ready, ready.loss_fn(preds, targets))
        clear(ready, step)
        differentiate(ready, loss)
        advance(ready, last=step == len(ready.loader) - 1)
        reschedule(ready, "batch")
        losses += loss.item()
        right, seen = right + int((preds.argmax(1) == targets).sum()), seen + len(targets)
        tell(ready, watcher, loss, preds, (images, targets))
    return losses / max(1, len(ready.loader)), right / max(1, seen)


def perepoch(ready: Ready, watcher: Watcher) -> None:
    """Two functions, one to train an epoch and one to validate; a table of what they give."""
    table: list[tuple[float, ...]] = []
    for epoch in range(ready.setup.epochs):
        train_loss, train_acc = train_one_epoch(ready, watcher, epoch)
        valid_loss, valid_acc, *_ = assess(ready)
        watcher.validation(loss=valid_loss, accuracy=valid_acc)
        table.append((train_loss, train_acc, valid_loss, valid_acc))
        reschedule(ready, "epoch", valid_acc)


def withlogging(ready: Ready, watcher: Watcher) -> None:
    """Figures are written down every ten batches, under a step that is counted over all epochs."""
    scalars: dict[str, list[tuple[int, float]]] = {"train/loss": [], "train/acc": [], "val/acc": []}
    global_step = 0
    for epoch in range(ready.setup.epochs):
        to_train(ready, epoch)
        for place, (img, target) in enumerate(ready.batches()):
            clear(ready, place)
            out = ready.model(img)
            loss = with_penalties(ready, ready.loss_fn(out, target))
            differentiate(ready, loss)
            advance(ready, last=place == len(ready.loader) - 1)
            reschedule(ready, "batch")
            tell(ready, watcher, loss.detach(), out.detach(), (img, target))
            if global_step % 10 == 0:
                scalars["train/loss"].append((global_step, loss.item()))
                scalars["train/acc"].append((global_step, float((out.argmax(1) == target).float().mean())))
            global_step += 1
        loss, accuracy, out, target = assess(ready)
        scalars["val/acc"].append((global_step, accuracy))
        watcher.validation(loss=loss, accuracy=accuracy, outputs=out, targets=target)
        reschedule(ready, "epoch", accuracy)


def brainfloat(ready: Ready, watcher: Watcher) -> None:
    """Network and loss under autocast to bfloat16."""
    for epoch in range(ready.setup.epochs):
        to_train(ready, epoch)
        for place, (x, y) in enumerate(ready.batches()):
            clear(ready, place)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                scores = ready.model(x)
                loss = ready.loss_fn(scores, y)
            loss = with_penalties(ready, loss.float())
            differentiate(ready, loss)
            advance(ready, last=place == len(ready.loader) - 1)
            tell(ready, watcher, loss.detach(), scores.detach().float(), (x, y))
            reschedule(ready, "batch")
        loss, accuracy, scores, y = assess(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=scores, targets=y)
        reschedule(ready, "epoch", accuracy)


def everyfew(ready: Ready, watcher: Watcher) -> None:
    """A step after every `accumulate` batches, cleared after it; what is over at the end of an epoch has a step too."""
    few, count = ready.setup.accumulate, len(ready.loader)
    for one in ready.optimizers:
        one.zero_grad()
    for epoch in range(ready.setup.epochs):
        to_train(ready, epoch)
        for i, (inputs, targets) in enumerate(ready.batches()):
            outputs = ready.model(inputs)
            loss = with_penalties(ready, ready.loss_fn(outputs, targets))
            differentiate(ready, loss)
            tell(ready, watcher, loss.detach(), outputs.detach(), (inputs, targets))
            if (i + 1) % few == 0 or i + 1 == count:
                advance(ready, last=i + 1 == count)
                clear(ready, i)
                reschedule(ready, "batch")
        loss, accuracy, outputs, targets = assess(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=outputs, targets=targets)
        reschedule(ready, "epoch", accuracy)


def keepbest(ready: Ready, watcher: Watcher) -> None:
    """The best weights so far are kept in memory; the training goes on with its own."""
    best, best_state = 0.0, copy.deepcopy(ready.model.state_dict())
    for epoch in range(ready.setup.epochs):
        for phase in ("train", "val"):
            if phase == "val":
                loss, accuracy, outputs, labels = assess(ready)
                watcher.validation(loss=loss, accuracy=accuracy, outputs=outputs, targets=labels)
                if accuracy > best:
                    best, best_state = accuracy, copy.deepcopy(ready.model.state_dict())
                reschedule(ready, "epoch", accuracy)
                continue
            to_train(ready, epoch)
            for index, (inputs, labels) in enumerate(ready.batches()):
                clear(ready, index)
                outputs = ready.model(inputs)
                loss = with_penalties(ready, ready.loss_fn(outputs, labels))
                differentiate(ready, loss)
                advance(ready, last=index == len(ready.loader) - 1)
                tell(ready, watcher, loss, outputs, (inputs, labels))
                reschedule(ready, "batch")
    del best_state  # it would be saved


STYLES: dict[str, Callable[[Ready, Watcher], None]] = {
    "simple": simple,
    "trainerclass": trainerclass,
    "functionalstep": functionalstep,
    "perepoch": perepoch,
    "withlogging": withlogging,
    "brainfloat": brainfloat,
    "everyfew": everyfew,
    "keepbest": keepbest,
}


def train(ready: Ready, watcher: Watcher) -> float:
    """Trains in the style that was chosen; gives the last validation accuracy back."""
    STYLES[ready.setup.style](ready, watcher)
    return ready.accuracy
