"""Loops of the part that is anew, in seven styles that people write. Each trains, tells the watcher what it has at hand, and returns nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import torch
from torch import Tensor, nn

from anew.setups import Ready
from anew.steps import backward, judge, next_rate, penalised, step, tell, training_mode, zero
from loops import Watcher


def walkthrough(ready: Ready, watcher: Watcher) -> None:
    """All in one place: a running loss, and the accuracy after every epoch."""
    net = ready.model
    for epoch in range(ready.setup.epochs):
        running_loss = 0.0
        training_mode(ready, epoch)
        for i, (inputs, labels) in enumerate(ready.train()):
            zero(ready)
            outputs = net(inputs)
            loss = penalised(ready, ready.criterion(outputs, labels))
            backward(ready, loss)
            step(ready, last=i == len(ready.loader) - 1)
            watcher_loss = loss.detach()
            running_loss += watcher_loss.item()
            tell(ready, watcher, watcher_loss, outputs, (inputs, labels))
            next_rate(ready, "batch")
        _, accuracy, _, _ = judge(ready)
        watcher.validation(accuracy=accuracy)
        next_rate(ready, "epoch", accuracy)


class Runner:
    """A class with a method for an epoch and one for validation."""

    def __init__(self, ready: Ready, watcher: Watcher) -> None:
        self.ready, self.watcher, self.best = ready, watcher, 0.0

    def run(self) -> None:
        """All epochs."""
        for epoch in range(self.ready.setup.epochs):
            self.train_epoch(epoch)
            self.validate()

    def train_epoch(self, epoch: int) -> float:
        """The mean loss of an epoch."""
        training_mode(self.ready, epoch)
        total = 0.0
        for place, (x, y) in enumerate(self.ready.train()):
            logits = self.ready.model(x)
            loss = penalised(self.ready, self.ready.criterion(logits, y))
            zero(self.ready)
            backward(self.ready, loss)
            step(self.ready, last=place == len(self.ready.loader) - 1)
            tell(self.ready, self.watcher, loss, logits, (x, y))
            next_rate(self.ready, "batch")
            total += loss.item()
        return total / len(self.ready.loader)

    def validate(self) -> None:
        """Accuracy, and the best of them."""
        loss, accuracy, logits, y = judge(self.ready)
        self.watcher.validation(loss=loss, accuracy=accuracy, outputs=logits, targets=y)
        self.best = max(self.best, accuracy)
        next_rate(self.ready, "epoch", accuracy)


def runner(ready: Ready, watcher: Watcher) -> None:
    """That class, run."""
    Runner(ready, watcher).run()


class Scaler:
    """What a gradient scaler does: the loss is scaled, gradients are unscaled, and a step that is no number is left out."""

    def __init__(self, scale: float = 1024.0) -> None:
        self.scale = scale

    def unscale(self, model: nn.Module) -> bool:
        """Whether all gradients are numbers."""
        fine = True
        for one in model.parameters():
            if one.grad is not None:
                one.grad.div_(self.scale)
                fine = fine and bool(torch.isfinite(one.grad).all())
        return fine


def autocast(ready: Ready, watcher: Watcher) -> None:
    """Mixed precision: autocast to bfloat16, a scaled loss, gradients that are unscaled before the step."""
    scaler = Scaler()
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for place, (images, targets) in enumerate(ready.train()):
            zero(ready)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                output = ready.model(images)
                loss = penalised(ready, ready.criterion(output.float(), targets))
            backward(ready, loss * scaler.scale)
            if scaler.unscale(ready.model):
                step(ready, last=place == len(ready.loader) - 1)
            tell(ready, watcher, loss, output.float(), (images, targets))
            next_rate(ready, "batch")
        loss, accuracy, output, targets = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=output, targets=targets)
        next_rate(ready, "epoch", accuracy)


def microbatch(ready: Ready, watcher: Watcher) -> None:
    """Gradients of some small batches are added up before a step."""
    every = ready.setup.accumulate
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        zero(ready)
        for idx, (inp, tgt) in enumerate(ready.train()):
            out = ready.model(inp)
            loss = penalised(ready, ready.criterion(out, tgt))
            backward(ready, loss)
            tell(ready, watcher, loss, out, (inp, tgt))
            if (idx + 1) % every == 0 or idx + 1 == len(ready.loader):
                step(ready, last=idx + 1 == len(ready.loader))
                zero(ready)
                next_rate(ready, "batch")
        loss, accuracy, out, tgt = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=out, targets=tgt)
        next_rate(ready, "epoch", accuracy)


def history(ready: Ready, watcher: Watcher) -> None:
    """A dictionary of lists, as for curves that are drawn at the end; the schedule is stepped after every epoch."""
    curves: dict[str, list[float]] = defaultdict(list)
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        losses, hits, seen = [], 0, 0
        for place, (X, Y) in enumerate(ready.train()):  # noqa: N806 - as people write it
            pred = ready.model(X)
            loss = penalised(ready, ready.criterion(pred, Y))
            backward(ready, loss)
            step(ready, last=place == len(ready.loader) - 1)
            zero(ready)
            losses.append(loss.item())
            hits, seen = hits + int((pred.argmax(1) == Y).sum()), seen + len(Y)
            tell(ready, watcher, loss.detach(), pred.detach(), (X, Y))
            next_rate(ready, "batch")
        val_loss, val_acc, pred, truth = judge(ready)
        for name, value in (("loss", sum(losses) / len(losses)), ("acc", hits / seen), ("val_acc", val_acc)):
            curves[name].append(value)
        watcher.validation(loss=val_loss, accuracy=val_acc, outputs=pred, targets=truth)
        next_rate(ready, "epoch", val_acc)


def train_one_epoch(ready: Ready, watcher: Watcher, epoch: int) -> None:
    """One epoch of `engine`."""
    training_mode(ready, epoch)
    for place, (image, target) in enumerate(ready.train()):
        output = ready.model(image)
        loss = penalised(ready, ready.criterion(output, target))
        zero(ready)
        backward(ready, loss)
        step(ready, last=place == len(ready.loader) - 1)
        tell(ready, watcher, loss, output, (image, target))
        next_rate(ready, "batch")


def evaluate(ready: Ready) -> tuple[float, float, Tensor, Tensor]:
    """Judges, and leaves the model in the mode in which it found it."""
    before = ready.model.training
    found = judge(ready)
    ready.model.train(before)
    return found


def engine(ready: Ready, watcher: Watcher) -> None:
    """Two functions, one for an epoch and one for validation."""
    for epoch in range(ready.setup.epochs):
        train_one_epoch(ready, watcher, epoch)
        loss, acc1, output, target = evaluate(ready)
        watcher.validation(loss=loss, accuracy=acc1, outputs=output, targets=target)
        next_rate(ready, "epoch", acc1)


def progress(ready: Ready, watcher: Watcher) -> None:
    """Steps are counted, and validation comes after so many of them, in the middle of an epoch too."""
    total = ready.setup.epochs * len(ready.loader)
    interval, count = max(1, len(ready.loader) * 2 // 3), 0
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for place, (xb, yb) in enumerate(ready.train()):
            zero(ready)
            preds = ready.model(xb)
            loss = penalised(ready, ready.criterion(preds, yb))
            backward(ready, loss)
            step(ready, last=place == len(ready.loader) - 1)
            count += 1
            tell(ready, watcher, loss.detach(), preds.detach(), (xb, yb))
            next_rate(ready, "batch")
            if count % interval == 0 or count == total:
                val_loss, accuracy, scores, labels = judge(ready)
                watcher.validation(loss=val_loss, accuracy=accuracy, outputs=scores, targets=labels)
                training_mode(ready, epoch)
        next_rate(ready, "epoch", ready.accuracy)


STYLES: dict[str, Callable[[Ready, Watcher], None]] = {
    "walkthrough": walkthrough,
    "runner": runner,
    "autocast": autocast,
    "microbatch": microbatch,
    "history": history,
    "engine": engine,
    "progress": progress,
}


def train(ready: Ready, watcher: Watcher) -> float:
    """Trains in the style that was chosen; gives the last validation accuracy back."""
    STYLES[ready.setup.style](ready, watcher)
    return ready.accuracy
