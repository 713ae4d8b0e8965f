"""Loops of the unseen part, as eight people write them. Each trains, tells the watcher what it has at hand, and returns nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from fresh.setups import Ready
from fresh.steps import backward, clear, cost, judge, marked, next_rate, tell, training_mode
from loops import Watcher
from unseen.steps import update

Batch = tuple[Tensor, Tensor]


@dataclass
class Averages:
    """Sums that become means."""

    loss: float = 0.0
    right: int = 0
    seen: int = 0

    def add(self, loss: Tensor, scores: Tensor, targets: Tensor) -> None:
        """One more batch."""
        self.loss += float(loss.detach()) * len(targets)
        self.right += int((scores.detach().argmax(1) == targets).sum())
        self.seen += len(targets)


@dataclass
class Trainer:
    """A class of one's own, which does everything itself."""

    ready: Ready
    watcher: Watcher
    epoch: int = 0
    history: list[Averages] = field(default_factory=list)

    def run(self) -> None:
        """All epochs."""
        while self.epoch < self.ready.setup.epochs:
            self.run_epoch()
            self.validate()
            self.epoch += 1

    def run_epoch(self) -> None:
        """One."""
        training_mode(self.ready, self.epoch)
        self.history.append(Averages())
        for batch, last in marked(self.ready):
            self.run_batch(batch, last=last)
        next_rate(self.ready, "epoch")

    def run_batch(self, batch: Batch, *, last: bool) -> None:
        """One: the watcher is told before the gradients are cleared, which is last."""
        scores = self.ready.model(batch[0])
        loss = cost(self.ready, scores, batch[1])
        backward(self.ready, loss)
        update(self.ready, last=last)
        tell(self.ready, self.watcher, loss, scores, batch)
        clear(self.ready)
        next_rate(self.ready, "batch")
        self.history[-1].add(loss, scores, batch[1])

    def validate(self) -> None:
        """Numbers alone are told."""
        loss, accuracy, _, _ = judge(self.ready)
        self.watcher.validation(loss=loss, accuracy=accuracy)


def trainer(ready: Ready, watcher: Watcher) -> None:
    """A class."""
    Trainer(ready, watcher).run()


def _epochs(ready: Ready) -> Iterator[tuple[int, Iterator[tuple[Tensor, Tensor, Batch]]]]:
    """Epochs, each of which trains as its batches are asked for."""

    def batches() -> Iterator[tuple[Tensor, Tensor, Batch]]:
        for (x, y), last in marked(ready):
            clear(ready)
            scores = ready.model(x)
            loss = cost(ready, scores, y)
            backward(ready, loss)
            update(ready, last=last)
            yield loss.detach(), scores.detach(), (x, y)
            next_rate(ready, "batch")

    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        yield epoch, batches()
        next_rate(ready, "epoch")


def generator(ready: Ready, watcher: Watcher) -> None:
    """The training is a generator; who takes from it tells the watcher."""
    for _epoch, batches in _epochs(ready):
        for loss, scores, batch in batches:
            tell(ready, watcher, loss, scores, batch)
        loss, accuracy, scores, targets = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=scores, targets=targets, inputs=ready.valid[0][0])


def gradients(ready: Ready, watcher: Watcher) -> None:
    """Gradients are asked for by name and put where the optimiser looks for them; with what was there before, if it is kept."""
    model = ready.model
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for batch, last in marked(ready):
            parameters = [one for one in model.parameters() if one.requires_grad]
            scores = model(batch[0])
            loss = cost(ready, scores, batch[1])
            tell(ready, watcher, loss, scores, batch)
            if loss.grad_fn is None or ready.setup.fault == "loss-rebuilt":
                backward(ready, loss)
            else:
                found = torch.autograd.grad(loss, parameters, allow_unused=True)
                for one, gradient in zip(parameters, found, strict=True):
                    kept = one.grad if ready.setup.fault == "never-cleared" else None
                    one.grad = gradient if kept is None or gradient is None else kept + gradient
            update(ready, last=last)
            next_rate(ready, "batch")
        next_rate(ready, "epoch")
        loss, accuracy, scores, targets = judge(ready)
        watcher.validation(accuracy=accuracy, loss=loss, targets=targets, outputs=scores)


class Stream(IterableDataset[Batch]):
    """An epoch's batches as a data set."""

    def __init__(self, ready: Ready) -> None:
        self.ready = ready

    def __iter__(self) -> Iterator[Batch]:
        """An epoch."""
        return self.ready.train()


def loader(ready: Ready, watcher: Watcher) -> None:
    """A real DataLoader; the watcher between the backward pass and the update, a validation with scores."""
    train_loader = DataLoader(Stream(ready), batch_size=None)
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for count, (images, labels) in enumerate(train_loader, 1):
            for one in ready.optimizers:
                if ready.setup.fault != "never-cleared":
                    one.zero_grad(set_to_none=False)
            outputs = ready.model(images)
            loss = cost(ready, outputs, labels)
            backward(ready, loss)
            tell(ready, watcher, loss, outputs, (images, labels))
            update(ready, last=count == ready.batches)
            next_rate(ready, "batch")
        next_rate(ready, "epoch")
        loss, accuracy, outputs, labels = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=outputs, targets=labels)


def patience(ready: Ready, watcher: Watcher) -> None:
    """Until nothing has been better for a long time, with the best weights in memory; numbers alone at validation."""
    best, since, epoch = 0.0, 0, 0
    kept = {name: one.clone() for name, one in ready.model.state_dict().items()}
    while epoch < ready.setup.epochs and since < 25:
        training_mode(ready, epoch)
        for batch, last in marked(ready):
            clear(ready)
            logits = ready.model(batch[0])
            objective = cost(ready, logits, batch[1])
            backward(ready, objective)
            update(ready, last=last)
            next_rate(ready, "batch")
            tell(ready, watcher, objective.detach(), logits.detach(), batch)
        next_rate(ready, "epoch")
        loss, accuracy, _, _ = judge(ready)
        watcher.validation(accuracy=accuracy, loss=loss)
        since, epoch = since + 1, epoch + 1
        if accuracy > best:
            best, since = accuracy, 0
            for name, one in ready.model.state_dict().items():
                kept[name].copy_(one)


def tidy(ready: Ready, watcher: Watcher) -> None:
    """Functions without side effects, as far as it goes: the watcher after everything, with a number for the loss."""

    def forward(batch: Batch) -> tuple[Tensor, Tensor]:
        scores = ready.model(batch[0])
        return scores, cost(ready, scores, batch[1])

    def learn(loss: Tensor, last: bool) -> None:
        backward(ready, loss)
        update(ready, last=last)
        clear(ready)

    def report(loss: Tensor, scores: Tensor, batch: Batch) -> None:
        told = ready.setup.told
        watcher.step(
            loss=loss.item() if "l" in told else None,
            outputs=scores.detach() if "o" in told else None,
            targets=batch[1] if "t" in told else None,
            inputs=batch[0] if "i" in told else None,
        )

    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for batch, last in marked(ready):
            scores, loss = forward(batch)
            learn(loss, last)
            next_rate(ready, "batch")
            report(loss, scores, batch)
        next_rate(ready, "epoch")
        loss, accuracy, scores, targets = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=scores, targets=targets, inputs=ready.valid[-1][0])


def micro(ready: Ready, watcher: Watcher) -> None:
    """Small batches add up to an update; every one of them is told."""
    every = ready.setup.accumulate
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        clear(ready)
        for place, (batch, last) in enumerate(marked(ready), 1):
            scores = ready.model(batch[0])
            loss = cost(ready, scores, batch[1])
            backward(ready, loss)
            tell(ready, watcher, loss, scores, batch)
            if place % every == 0 or last:
                update(ready, last=last)
                clear(ready)
                next_rate(ready, "batch")
        next_rate(ready, "epoch")
        loss, accuracy, scores, targets = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=scores, targets=targets)


def halves(ready: Ready, watcher: Watcher) -> None:
    """A validation in the middle of every epoch and at its end; the watcher before the backward pass."""
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for place, (batch, last) in enumerate(marked(ready), 1):
            clear(ready)
            prediction = ready.model(batch[0])
            loss = cost(ready, prediction, batch[1])
            tell(ready, watcher, loss, prediction, batch)
            backward(ready, loss)
            update(ready, last=last)
            next_rate(ready, "batch")
            if last or place == ready.batches // 2:
                value, accuracy, scores, targets = judge(ready)
                watcher.validation(loss=value, accuracy=accuracy, outputs=scores, targets=targets)
                training_mode(ready, epoch)
        next_rate(ready, "epoch")


STYLES: dict[str, Callable[[Ready, Watcher], None]] = {
    "trainer": trainer,
    "generator": generator,
    "gradients": gradients,
    "loader": loader,
    "patience": patience,
    "tidy": tidy,
    "micro": micro,
    "halves": halves,
}


def train(ready: Ready, watcher: Watcher) -> float:
    """Trains in the style that was chosen; gives the last validation accuracy back."""
    STYLES[ready.setup.style](ready, watcher)
    return ready.accuracy
