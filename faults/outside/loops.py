"""Loops of the part from outside, in nine styles that people write. Each trains, tells the watcher what it has at hand, and returns nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from loops import Watcher
from outside.setups import Ready
from outside.steps import advance, assess, clear, differentiate, reschedule, tell, to_train, with_penalties


@dataclass
class Experiment:
    """A class with a state, and methods that are called at the ends of things."""

    ready: Ready
    watcher: Watcher
    state: dict[str, float] = field(default_factory=lambda: {"epoch": 0, "best": 0.0})

    def fit(self) -> None:
        """All epochs."""
        for epoch in range(self.ready.setup.epochs):
            self.state["epoch"] = epoch
            to_train(self.ready, epoch)
            for index, batch in enumerate(self.ready.batches()):
                self.on_batch(index, *batch)
            self.on_epoch_end()

    def on_batch(self, index: int, x: Tensor, y: Tensor) -> None:
        """One step."""
        clear(self.ready, index)
        y_hat = self.ready.model(x)
        loss = with_penalties(self.ready, self.ready.loss_fn(y_hat, y))
        differentiate(self.ready, loss)
        advance(self.ready, last=index == len(self.ready.loader) - 1)
        tell(self.ready, self.watcher, loss.detach(), y_hat.detach(), (x, y))
        reschedule(self.ready, "batch")

    def on_epoch_end(self) -> None:
        """Validation, and the best of it."""
        loss, accuracy, y_hat, y = assess(self.ready)
        self.watcher.validation(loss=loss, accuracy=accuracy, outputs=y_hat, targets=y)
        self.state["best"] = max(self.state["best"], accuracy)
        reschedule(self.ready, "epoch", accuracy)


def experiment(ready: Ready, watcher: Watcher) -> None:
    """That class, run."""
    Experiment(ready, watcher).fit()


class Compiled:
    """`compile` and `fit`, for people who come from elsewhere; returns a history."""

    def __init__(self, ready: Ready) -> None:
        self.ready = ready

    def compile(self, loss: Callable[[Tensor, Tensor], Tensor], metrics: list[str]) -> None:
        """What is used."""
        self.loss, self.history = loss, {name: list[float]() for name in ("loss", *metrics)}

    def train_on_batch(self, x: Tensor, y: Tensor, place: int) -> tuple[Tensor, Tensor]:
        """Loss and scores of a step."""
        y_pred = self.ready.model(x)
        loss = with_penalties(self.ready, self.loss(y_pred, y))
        clear(self.ready, place)
        differentiate(self.ready, loss)
        advance(self.ready, last=place == len(self.ready.loader) - 1)
        return loss, y_pred

    def fit(self, epochs: int, watcher: Watcher) -> dict[str, list[float]]:
        """All epochs."""
        for epoch in range(epochs):
            to_train(self.ready, epoch)
            logs = {"loss": 0.0, "accuracy": 0.0}
            for place, (x, y) in enumerate(self.ready.batches()):
                loss, y_pred = self.train_on_batch(x, y, place)
                logs["loss"] += loss.item() / len(self.ready.loader)
                logs["accuracy"] += float((y_pred.argmax(1) == y).float().mean()) / len(self.ready.loader)
                tell(self.ready, watcher, loss, y_pred, (x, y))
                reschedule(self.ready, "batch")
            _, logs["val_accuracy"], *_ = assess(self.ready)
            for name, value in logs.items():
                self.history[name].append(value)
            watcher.validation(accuracy=logs["val_accuracy"])
            reschedule(self.ready, "epoch", logs["val_accuracy"])
        return self.history


def compiled(ready: Ready, watcher: Watcher) -> None:
    """That, compiled and fitted."""
    model = Compiled(ready)
    model.compile(ready.loss_fn, ["accuracy", "val_accuracy"])
    model.fit(ready.setup.epochs, watcher)


class Bar:
    """What shows how far an epoch is, with figures behind it; here it only keeps them."""

    def __init__(self, batches: Iterator[tuple[Tensor, Tensor]], total: int) -> None:
        self.batches, self.total, self.n, self.text = batches, total, 0, ""
        self.begun = time.monotonic()

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in self.batches:
            yield batch
            self.n += 1

    def set_postfix(self, **figures: float) -> None:  # the name that bars of progress have
        """The figures."""
        speed = self.n / max(1e-6, time.monotonic() - self.begun)
        self.text = ", ".join(f"{name}={value:.3f}" for name, value in figures.items()) + f" {speed:.1f} it/s"


def train_fn(ready: Ready, watcher: Watcher, epoch: int) -> float:
    """An epoch of `counters`: its accuracy."""
    to_train(ready, epoch)
    correct, total = 0, 0
    bar = Bar(ready.batches(), len(ready.loader))
    for images, labels in bar:
        clear(ready, bar.n)
        logits = ready.model(images)
        loss = with_penalties(ready, ready.loss_fn(logits, labels))
        differentiate(ready, loss)
        advance(ready, last=bar.n == bar.total - 1)
        reschedule(ready, "batch")
        correct, total = correct + int((logits.argmax(1) == labels).sum()), total + len(labels)
        tell(ready, watcher, loss.detach(), logits.detach(), (images, labels))
        bar.set_postfix(loss=loss.item(), acc=correct / total)
    return correct / total


def counters(ready: Ready, watcher: Watcher) -> None:
    """A function for an epoch, with a bar of progress, and one for validation."""
    for epoch in range(ready.setup.epochs):
        train_fn(ready, watcher, epoch)
        loss, accuracy, logits, labels = assess(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=logits, targets=labels)
        reschedule(ready, "epoch", accuracy)


def gathered(ready: Ready, watcher: Watcher) -> None:
    """Gradients of `accumulate` batches are gathered before a step; what is over at the end of an epoch waits for the next."""
    step = 0
    for one in ready.optimizers:
        one.zero_grad()
    for epoch in range(ready.setup.epochs):
        to_train(ready, epoch)
        for place, (data, target) in enumerate(ready.batches()):
            output = ready.model(data)
            loss = with_penalties(ready, ready.loss_fn(output, target))
            differentiate(ready, loss)
            step += 1
            tell(ready, watcher, loss, output, (data, target))
            if step % ready.setup.accumulate == 0:
                advance(ready, last=place + ready.setup.accumulate >= len(ready.loader))
                reschedule(ready, "batch")
                clear(ready, place)
        loss, accuracy, output, target = assess(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=output, targets=target)
        reschedule(ready, "epoch", accuracy)


def bfloat(ready: Ready, watcher: Watcher) -> None:
    """Under autocast to bfloat16, without a scaler."""
    for epoch in range(ready.setup.epochs):
        to_train(ready, epoch)
        for i, (img, lbl) in enumerate(ready.batches()):
            with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
                pred = ready.model(img)
            loss = with_penalties(ready, ready.loss_fn(pred.float(), lbl))
            clear(ready, i)
            differentiate(ready, loss)
            advance(ready, last=i == len(ready.loader) - 1)
            reschedule(ready, "batch")
            tell(ready, watcher, loss.detach(), pred.detach().float(), (img, lbl))
        loss, accuracy, pred, lbl = assess(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=pred, targets=lbl)
        reschedule(ready, "epoch", accuracy)


def shadow(ready: Ready, watcher: Watcher) -> None:
    """A moving mean of the weights is kept, and it is what is validated."""
    assert isinstance(ready.shadow, torch.optim.swa_utils.AveragedModel)
    for epoch in range(ready.setup.epochs):
        to_train(ready, epoch)
        for i, (x, y) in enumerate(ready.batches()):
            out = ready.model(x)
            loss = with_penalties(ready, ready.loss_fn(out, y))
            clear(ready, i)
            differentiate(ready, loss)
            advance(ready, last=i == len(ready.loader) - 1)
            ready.shadow.update_parameters(ready.model)
            tell(ready, watcher, loss.detach(), out.detach(), (x, y))
            reschedule(ready, "batch")
        loss, accuracy, out, y = assess(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=out, targets=y)
        reschedule(ready, "epoch", accuracy)


def forever(ready: Ready) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Batches without an end, with their places in an epoch."""
    while True:
        for place, (x, y) in enumerate(ready.batches()):
            yield place, x, y


def everyk(ready: Ready, watcher: Watcher) -> None:
    """So many steps, with a validation after every so many of them; epochs are not known here."""
    total = ready.setup.epochs * len(ready.loader)
    interval, stream = max(1, len(ready.loader) // 2), forever(ready)
    to_train(ready, 0)
    for iteration in range(1, total + 1):
        place, xb, yb = next(stream)
        clear(ready, place)
        logits = ready.model(xb)
        loss = with_penalties(ready, ready.loss_fn(logits, yb))
        differentiate(ready, loss)
        advance(ready, last=place == len(ready.loader) - 1)
        reschedule(ready, "batch")
        tell(ready, watcher, loss.detach(), logits.detach(), (xb, yb))
        if iteration % interval == 0 or iteration == total:
            val_loss, accuracy, scores, labels = assess(ready)
            watcher.validation(loss=val_loss, accuracy=accuracy, outputs=scores, targets=labels)
            to_train(ready, iteration)
        if iteration % len(ready.loader) == 0:
            reschedule(ready, "epoch", ready.accuracy)


class Strategy:
    """What a launcher hands out: it sets up, differentiates and steps on behalf of a script."""

    def __init__(self, ready: Ready) -> None:
        self.ready = ready

    def setup(self) -> tuple[nn.Module, torch.optim.Optimizer]:
        """The model and its optimiser."""
        return self.ready.model, self.ready.optimizers[0]

    def backward(self, loss: Tensor) -> None:
        """The loss's gradients."""
        differentiate(self.ready, loss)


def fabric(ready: Ready, watcher: Watcher) -> None:
    """A script whose backward is another's."""
    strategy = Strategy(ready)
    model, _ = strategy.setup()
    for epoch in range(ready.setup.epochs):
        to_train(ready, epoch)
        for batch_idx, (data, target) in enumerate(ready.batches()):
            clear(ready, batch_idx)
            output = model(data)
            loss = with_penalties(ready, ready.loss_fn(output, target))
            strategy.backward(loss)
            advance(ready, last=batch_idx == len(ready.loader) - 1)
            tell(ready, watcher, loss, output, (data, target))
            reschedule(ready, "batch")
        loss, accuracy, output, target = assess(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=output, targets=target)
        reschedule(ready, "epoch", accuracy)


def records(ready: Ready, watcher: Watcher) -> None:
    """Batches are dictionaries, and so is what a step gives; a line is kept for each epoch."""
    lines: list[dict[str, float]] = []
    for epoch in range(ready.setup.epochs):
        to_train(ready, epoch)
        running: list[float] = []
        for place, pair in enumerate(ready.batches()):
            batch = dict(zip(("image", "label"), pair, strict=True))
            result = {"scores": ready.model(batch["image"])}
            result["loss"] = with_penalties(ready, ready.loss_fn(result["scores"], batch["label"]))
            differentiate(ready, result["loss"])
            advance(ready, last=place == len(ready.loader) - 1)
            clear(ready, place)
            running.append(float(result["loss"]))
            tell(ready, watcher, result["loss"].detach(), result["scores"].detach(), (batch["image"], batch["label"]))
            reschedule(ready, "batch")
        loss, accuracy, *_ = assess(ready)
        watcher.validation(loss=loss, accuracy=accuracy)
        lines.append({"epoch": epoch, "loss": sum(running) / len(running), "val_loss": loss, "val_acc": accuracy})
        reschedule(ready, "epoch", accuracy)


STYLES: dict[str, Callable[[Ready, Watcher], None]] = {
    "experiment": experiment,
    "compiled": compiled,
    "counters": counters,
    "gathered": gathered,
    "bfloat": bfloat,
    "shadow": shadow,
    "everyk": everyk,
    "fabric": fabric,
    "records": records,
}


def train(ready: Ready, watcher: Watcher) -> float:
    """Trains in the style that was chosen; gives the last validation accuracy back."""
    STYLES[ready.setup.style](ready, watcher)
    return ready.accuracy
