"""Loops of the held-out part, in three styles that the tuning part has none of; re-created, none of the packages is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from held.setups import Ready
from loops import Watcher


def begun(ready: Ready) -> nn.Module:
    """The network as it is given to the optimiser's owner and to the watcher."""
    return {"lightning": Module, "face": Classifier, "learner": lambda ready: ready.model}[ready.setup.style](ready)


def _mode(ready: Ready, model: nn.Module, epoch: int) -> None:
    """Training mode; the body's frozen state where it is one for a while; statistics that stay in evaluation mode."""
    setup = ready.setup
    model.train(setup.fault != "evaluation-mode" or not epoch)
    if setup.freeze == "first" and epoch >= setup.epochs // 3:
        ready.model.requires_grad_(requires_grad=True)
    if setup.freeze == "statistics":
        for layer in ready.model.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()


class Module(nn.Module):
    """A module that says what a training step is and which optimiser it has; a small trainer does the rest."""

    def __init__(self, ready: Ready) -> None:
        super().__init__()
        self.network, self.loss, self.made = ready.model, ready.loss, ready.optimizer
        self.factor, self.steps = ready.factor, ready.steps

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        return self.network(x)

    def training_step(self, batch: tuple[Tensor, Tensor], watcher: Watcher) -> Tensor:
        """The loss of a batch."""
        x, y = batch
        scores = self(x)
        loss = self.loss(scores, y)
        watcher.step(loss=loss, outputs=scores, targets=y, inputs=x)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> tuple[float, float, int]:
        """Sums of loss and right ones."""
        x, y = batch
        scores = self(x)
        return float(self.loss(scores, y)) * len(y), float((scores.argmax(1) == y).sum()), len(y)

    def configure_optimizers(self) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
        """The optimiser and its schedule."""
        schedule = torch.optim.lr_scheduler.LambdaLR(self.made, lambda step: self.factor(min(1.0, step / self.steps)))
        return self.made, schedule


def lightning(ready: Ready, model: nn.Module, watcher: Watcher) -> None:
    """A small trainer in Lightning's style: the optimiser gets a closure; loss and accuracy are told at validation."""
    assert isinstance(model, Module)
    optimizer, schedule = model.configure_optimizers()
    fault = ready.setup.fault
    count = 0
    for epoch in range(ready.setup.epochs):
        _mode(ready, model, epoch)
        for x, y, last in _marked(ready.train()):

            def closure(batch: tuple[Tensor, Tensor] = (x, y)) -> Tensor:
                loss = model.training_step(batch, watcher)
                if fault != "never-cleared":
                    optimizer.zero_grad()
                loss.backward()
                if ready.setup.clip:
                    nn.utils.clip_grad_norm_(model.parameters(), ready.setup.clip)
                if fault == "cleared-early":
                    optimizer.zero_grad(set_to_none=False)
                return loss

            if fault == "step-per-epoch" and not last:
                closure()
                continue
            optimizer.step(closure)  # type: ignore[arg-type]
            count += 1
            if count <= ready.steps:
                schedule.step()
        model.eval()
        with torch.no_grad():
            sums = [model.validation_step(batch) for batch in ready.valid]
        images = sum(one[2] for one in sums)
        loss, right = (sum(one[place] for one in sums) / images for place in (0, 1))
        watcher.validation(loss=loss, accuracy=right)


@dataclass
class Output:
    """What a classifier gives back."""

    loss: Tensor | None
    logits: Tensor


class Classifier(nn.Module):
    """A network that works its loss out itself when it is given labels."""

    def __init__(self, ready: Ready) -> None:
        super().__init__()
        self.network, self.loss = ready.model, ready.loss

    def forward(self, pixel_values: Tensor, labels: Tensor | None = None) -> Output:
        """Scores, and the loss where there are labels."""
        logits = self.network(pixel_values)
        return Output(None if labels is None else self.loss(logits, labels), logits)


def face(ready: Ready, model: nn.Module, watcher: Watcher) -> None:
    """The Hugging Face Trainer's order: dictionaries, accumulated gradients, clipping, a schedule stepped every update."""
    setup, optimizer = ready.setup, ready.optimizer
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: ready.factor(min(1.0, step / ready.steps)))
    share = 1 if setup.fault == "accumulation-sum" else setup.accumulate
    updates = 0
    for epoch in range(setup.epochs):
        _mode(ready, model, epoch)
        for place, (x, y, last) in enumerate(_marked(ready.train())):
            batch = {"pixel_values": x, "labels": y}
            output = model(**batch)
            (output.loss / share).backward()
            watcher.step(loss=output.loss, outputs=output.logits, targets=batch["labels"], inputs=batch["pixel_values"])
            if not last if setup.fault == "step-per-epoch" else (place + 1) % setup.accumulate:
                continue
            if setup.clip:
                nn.utils.clip_grad_norm_(model.parameters(), setup.clip)
            if setup.fault == "cleared-early":
                model.zero_grad()
                for parameter in model.parameters():
                    parameter.grad = torch.zeros_like(parameter)
            optimizer.step()
            updates += 1
            if updates <= ready.steps:
                schedule.step()
            if setup.fault != "never-cleared":
                model.zero_grad()
        model.eval()
        with torch.no_grad():
            outputs = [model(x, y) for x, y in ready.valid]
        logits, labels = torch.cat([one.logits for one in outputs]), torch.cat([y for _, y in ready.valid])
        loss = float(ready.loss(logits, labels))
        accuracy = float((logits.argmax(1) == labels).float().mean())
        watcher.validation(loss=loss, accuracy=accuracy, outputs=logits, targets=labels)


class Callback:
    """Something that is told of every moment of a learner."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner

    def before_batch(self) -> None:
        """A batch is there."""

    def after_backward(self) -> None:
        """The gradients are there."""

    def after_batch(self) -> None:
        """The update was done."""

    def after_epoch(self) -> None:
        """The validation was done."""


class Scheduled(Callback):
    """Rates are written into the optimiser before every batch."""

    def __init__(self, learner: Learner) -> None:
        super().__init__(learner)
        self.peaks = [group["lr"] for group in learner.ready.optimizer.param_groups]

    def before_batch(self) -> None:
        """The rate of this batch."""
        learner = self.learner
        factor = learner.ready.factor(min(1.0, learner.count / learner.ready.steps))
        for group, peak in zip(learner.ready.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * factor


class Clipped(Callback):
    """Gradients are clipped."""

    def after_backward(self) -> None:
        """By their norm."""
        setup = self.learner.ready.setup
        if setup.clip:
            nn.utils.clip_grad_norm_(self.learner.ready.model.parameters(), setup.clip)
        if setup.fault == "cleared-early":
            self.learner.ready.optimizer.zero_grad(set_to_none=False)


class Watched(Callback):
    """The watcher is told."""

    def after_batch(self) -> None:
        """Of a batch."""
        one = self.learner
        one.watcher.step(loss=one.loss.detach(), outputs=one.scores.detach(), targets=one.y, inputs=one.x)

    def after_epoch(self) -> None:
        """Of a validation."""
        learner = self.learner
        scores, labels = torch.cat(learner.all_scores), torch.cat([y for _, y in learner.ready.valid])
        learner.watcher.validation(
            loss=float(learner.ready.loss(scores, labels)),
            accuracy=float((scores.argmax(1) == labels).float().mean()),
            outputs=scores,
            targets=labels,
            inputs=learner.ready.valid[0][0],
        )


class Learner:
    """A learner in fastai's style: it holds everything, and callbacks do the rest."""

    x: Tensor
    y: Tensor
    scores: Tensor
    loss: Tensor
    all_scores: list[Tensor]

    def __init__(self, ready: Ready, watcher: Watcher) -> None:
        self.ready, self.watcher, self.count = ready, watcher, 0
        self.callbacks = [kind(self) for kind in (Scheduled, Clipped, Watched)]

    def __call__(self, moment: str) -> None:
        """Tells all callbacks."""
        for one in self.callbacks:
            getattr(one, moment)()

    def fit(self) -> None:
        """All epochs."""
        for epoch in range(self.ready.setup.epochs):
            _mode(self.ready, self.ready.model, epoch)
            for x, y, last in _marked(self.ready.train()):
                self.x, self.y = x, y
                self.one_batch(last=last)
            self.ready.model.eval()
            with torch.no_grad():
                self.all_scores = [self.ready.model(x) for x, _ in self.ready.valid]
            self("after_epoch")

    def one_batch(self, *, last: bool) -> None:
        """One update."""
        self("before_batch")
        self.scores = self.ready.model(self.x)
        self.loss = self.ready.loss(self.scores, self.y)
        self.loss.backward()
        self("after_backward")
        if last or self.ready.setup.fault != "step-per-epoch":
            self.ready.optimizer.step()
            if self.ready.setup.fault != "never-cleared":
                self.ready.optimizer.zero_grad()
        self.count += 1
        self("after_batch")


def _marked(batches: Iterator[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor, bool]]:
    """Batches, and whether one is the last."""
    before = next(batches)
    for batch in batches:
        yield *before, False
        before = batch
    yield *before, True


def learner(ready: Ready, _model: nn.Module, watcher: Watcher) -> None:
    """The learner."""
    Learner(ready, watcher).fit()


STYLES: dict[str, Callable[[Ready, nn.Module, Watcher], None]] = {
    "lightning": lightning,
    "face": face,
    "learner": learner,
}
