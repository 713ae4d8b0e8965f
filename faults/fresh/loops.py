"""Loops of the fresh part, in nine styles; after packages that people use, none of which is needed. Each trains and returns nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fresh.setups import Ready
from fresh.steps import backward, clear, cost, judge, marked, next_rate, tell, training_mode, update
from loops import Watcher


class Model:
    """Keras's way: compile, fit, callbacks, a history of numbers."""

    def __init__(self, ready: Ready) -> None:
        self.ready, self.history = ready, {"loss": [], "val_loss": [], "val_accuracy": []}

    def compile(self, on_batch: Callable[..., None], on_epoch: Callable[[float, float], None]) -> None:
        """What is called after a batch, and after an epoch."""
        self.on_batch, self.on_epoch = on_batch, on_epoch

    def train_on_batch(self, batch: tuple[Tensor, Tensor], *, last: bool) -> float:
        """One update."""
        clear(self.ready)
        scores = self.ready.model(batch[0])
        loss = cost(self.ready, scores, batch[1])
        backward(self.ready, loss)
        update(self.ready, last=last)
        self.on_batch(loss, scores, batch)
        return float(loss)

    def fit(self, epochs: int) -> dict[str, list[float]]:
        """All epochs."""
        for epoch in range(epochs):
            training_mode(self.ready, epoch)
            losses = []
            for batch, last in marked(self.ready):
                losses.append(self.train_on_batch(batch, last=last))
                next_rate(self.ready, "batch")
            next_rate(self.ready, "epoch")
            loss, accuracy, _, _ = judge(self.ready)
            for name, value in (("loss", sum(losses) / len(losses)), ("val_loss", loss), ("val_accuracy", accuracy)):
                self.history[name].append(value)
            self.on_epoch(loss, accuracy)
        return self.history


def keras(ready: Ready, watcher: Watcher) -> None:
    """The watcher after the update, numbers alone at validation."""
    model = Model(ready)
    model.compile(
        on_batch=lambda loss, scores, batch: tell(ready, watcher, loss, scores, batch),
        on_epoch=lambda loss, accuracy: watcher.validation(loss=loss, accuracy=accuracy),
    )
    model.fit(ready.setup.epochs)


@dataclass
class State:
    """What an engine's handlers see."""

    epoch: int = 0
    batch: tuple[Tensor, Tensor] | None = None
    output: tuple[Tensor, Tensor] | None = None
    metrics: dict[str, float] = field(default_factory=dict)


class Engine:
    """Ignite's way: a function for a batch, and handlers of events."""

    def __init__(self, process: Callable[[tuple[Tensor, Tensor], bool], tuple[Tensor, Tensor]]) -> None:
        self.process, self.state = process, State()
        self.handlers: dict[str, list[Callable[[State], None]]] = {}

    def on(self, event: str) -> Callable[[Callable[[State], None]], Callable[[State], None]]:
        """Adds a handler."""

        def added(handler: Callable[[State], None]) -> Callable[[State], None]:
            self.handlers.setdefault(event, []).append(handler)
            return handler

        return added

    def fire(self, event: str) -> None:
        """Calls its handlers."""
        for one in self.handlers.get(event, ()):
            one(self.state)

    def run(self, ready: Ready, epochs: int) -> None:
        """All epochs."""
        for self.state.epoch in range(epochs):
            self.fire("epoch started")
            for self.state.batch, last in marked(ready):
                self.state.output = self.process(self.state.batch, last)
                self.fire("iteration completed")
            self.fire("epoch completed")


def ignite(ready: Ready, watcher: Watcher) -> None:
    """Everything but the update in handlers; scores and class numbers at validation."""

    def process(batch: tuple[Tensor, Tensor], last: bool) -> tuple[Tensor, Tensor]:
        scores = ready.model(batch[0])
        loss = cost(ready, scores, batch[1])
        clear(ready)
        backward(ready, loss)
        update(ready, last=last)
        return loss.detach(), scores.detach()

    trainer = Engine(process)

    @trainer.on("epoch started")
    def _(state: State) -> None:
        training_mode(ready, state.epoch)

    @trainer.on("iteration completed")
    def _(state: State) -> None:
        assert state.output is not None and state.batch is not None
        tell(ready, watcher, *state.output, state.batch)
        next_rate(ready, "batch")

    @trainer.on("epoch completed")
    def _(_state: State) -> None:
        next_rate(ready, "epoch")
        loss, accuracy, scores, targets = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=scores, targets=targets)

    trainer.run(ready, ready.setup.epochs)


class Accelerator:
    """Accelerate's way: it knows when gradients are whole, and does the backward pass."""

    def __init__(self, ready: Ready) -> None:
        self.ready, self.count, self.whole = ready, 0, False

    @contextmanager
    def accumulate(self) -> Iterator[None]:
        """A batch of an update."""
        self.count += 1
        self.whole = self.count % self.ready.setup.accumulate == 0
        yield

    def backward(self, loss: Tensor) -> None:
        """Gradients, added to those that are there."""
        backward(self.ready, loss)


def accelerate(ready: Ready, watcher: Watcher) -> None:
    """Accumulated gradients, the watcher before the backward pass, everything told at validation."""
    accelerator = Accelerator(ready)
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for (x, y), last in marked(ready):
            with accelerator.accumulate():
                scores = ready.model(x)
                loss = cost(ready, scores, y)
                tell(ready, watcher, loss, scores, (x, y))
                accelerator.backward(loss)
                if accelerator.whole:
                    update(ready, last=last)
                    next_rate(ready, "batch")
                    clear(ready)
        next_rate(ready, "epoch")
        loss, accuracy, scores, targets = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=scores, targets=targets, inputs=ready.valid[0][0])


def notebook(ready: Ready, watcher: Watcher) -> None:
    """Functions of a notebook, and what a progress bar would say."""
    said: list[str] = []

    def train_one_epoch(epoch: int) -> float:
        training_mode(ready, epoch)
        running = 0.0
        for place, ((images, labels), last) in enumerate(marked(ready)):
            clear(ready)
            preds = ready.model(images)
            loss = cost(ready, preds, labels)
            backward(ready, loss)
            tell(ready, watcher, loss, preds, (images, labels))
            update(ready, last=last)
            next_rate(ready, "batch")
            running = 0.95 * running + 0.05 * loss.item()
            if place % 10 == 0:
                said.append(f"epoch {epoch} [{place}/{ready.batches}] loss={running:.3f}")
        next_rate(ready, "epoch")
        return running

    def evaluate() -> tuple[float, float]:
        loss, accuracy, _, _ = judge(ready)
        return loss, accuracy

    best = 0.0
    for epoch in range(ready.setup.epochs):
        train_loss = train_one_epoch(epoch)
        valid_loss, valid_accuracy = evaluate()
        watcher.validation(loss=valid_loss, accuracy=valid_accuracy)
        best = max(best, valid_accuracy)
        said.append(f"{epoch}: train {train_loss:.3f} valid {valid_loss:.3f} acc {valid_accuracy:.1%} best {best:.1%}")


def amp(ready: Ready, watcher: Watcher) -> None:
    """The forward pass in bfloat16; scores are told as they come."""
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for batch, last in marked(ready):
            for optimizer in ready.optimizers:
                if ready.setup.fault != "never-cleared":
                    optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                scores = ready.model(batch[0])
                loss = cost(ready, scores, batch[1])
            backward(ready, loss)
            update(ready, last=last)
            tell(ready, watcher, loss, scores, batch)
            next_rate(ready, "batch")
        next_rate(ready, "epoch")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss, accuracy, scores, targets = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=scores.float(), targets=targets)


def messy(ready: Ready, watcher: Watcher) -> None:
    """A script that grew: two optimisers, lists of everything, the watcher wherever there was room."""
    net = ready.model
    all_losses, all_accs, iters = [], [], 0
    num_epochs = ready.setup.epochs
    print_every = 20
    for epoch in range(num_epochs):
        training_mode(ready, epoch)
        correct = seen = 0
        for i, (data, last) in enumerate(marked(ready), 0):
            real, label = data
            b_size = real.size(0)
            clear(ready)
            output = net(real)
            err = cost(ready, output, label)
            backward(ready, err)
            correct += int((output.detach().argmax(1) == label).sum())
            seen += b_size
            update(ready, last=last)
            all_losses.append(err.item())
            if i % print_every == 0:
                all_accs.append(correct / seen)
            iters += 1
            next_rate(ready, "batch")
            tell(ready, watcher, err, output, data)
        next_rate(ready, "epoch")
        test_err, test_acc, preds, truth = judge(ready)
        watcher.validation(loss=test_err, accuracy=test_acc, outputs=preds, targets=truth)


def closure(ready: Ready, watcher: Watcher) -> None:
    """The optimiser calls a function that works out loss and gradients; the watcher after its step."""
    (optimizer,) = ready.optimizers
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for x, y in ready.train():
            seen: list[Tensor] = []

            def evaluated(x: Tensor = x, y: Tensor = y, seen: list[Tensor] = seen) -> float:
                clear(ready)
                scores = ready.model(x)
                loss = cost(ready, scores, y)
                backward(ready, loss)
                if ready.setup.clip:
                    torch.nn.utils.clip_grad_norm_(ready.model.parameters(), ready.setup.clip)
                seen[:] = [loss.detach(), scores.detach()]
                return float(loss)

            optimizer.step(evaluated)
            next_rate(ready, "batch")
            tell(ready, watcher, seen[0], seen[1], (x, y))
        next_rate(ready, "epoch")
        loss, accuracy, scores, targets = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=scores, targets=targets, inputs=ready.valid[-1][0])


def bare(ready: Ready, watcher: Watcher) -> None:
    """No validation while it trains; how it ended is worked out afterwards, and nobody is told."""
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for (x, y), last in marked(ready):
            out = ready.model(x)
            loss = cost(ready, out, y)
            clear(ready)
            backward(ready, loss)
            update(ready, last=last)
            tell(ready, watcher, loss, out, (x, y))
            next_rate(ready, "batch")
        next_rate(ready, "epoch")
    judge(ready)


def _forever(ready: Ready) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        yield from ready.train()


def stepwise(ready: Ready, watcher: Watcher) -> None:
    """Counted in steps; an endless loader, and a validation now and then that is no epoch's end."""
    total = ready.setup.epochs * ready.batches
    every = max(1, round(total / (ready.setup.epochs + 0.5)))
    source = _forever(ready)
    training_mode(ready, 0)
    for step in range(1, total + 1):
        batch = next(source)
        logits = ready.model(batch[0])
        loss = cost(ready, logits, batch[1])
        backward(ready, loss)
        update(ready, last=step % ready.batches == 0)
        clear(ready)
        next_rate(ready, "batch")
        if step % ready.batches == 0:
            next_rate(ready, "epoch")
        tell(ready, watcher, loss, logits, batch)
        if step % every == 0 or step == total:
            value, accuracy, logits, targets = judge(ready)
            watcher.validation(loss=value, accuracy=accuracy, outputs=logits, targets=targets)
            training_mode(ready, step // ready.batches)


STYLES: dict[str, Callable[[Ready, Watcher], None]] = {
    "keras": keras,
    "ignite": ignite,
    "accelerate": accelerate,
    "notebook": notebook,
    "amp": amp,
    "messy": messy,
    "closure": closure,
    "bare": bare,
    "stepwise": stepwise,
}


def train(ready: Ready, watcher: Watcher) -> float:
    """Trains in the style that was chosen; gives the last validation accuracy back, which not every loop tells."""
    STYLES[ready.setup.style](ready, watcher)
    return ready.accuracy
