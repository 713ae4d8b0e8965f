"""The loops of the corpus, written as people write theirs, with the watcher attached. Each trains and returns nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import nn

from setups import Parts


class Watcher(Protocol):
    """What a loop asks of the watcher."""

    def step(
        self, *, loss: object = None, outputs: object = None, targets: object = None, inputs: object = None
    ) -> None:
        """One batch."""

    def validation(
        self,
        *,
        loss: object = None,
        accuracy: object = None,
        inputs: object = None,
        outputs: object = None,
        targets: object = None,
    ) -> None:
        """One validation."""


def plain(parts: Parts, watcher: Watcher) -> None:
    """The loop of a tutorial: everything in one place."""
    model, optimizer = parts.model, parts.optimizer
    for _ in range(parts.setup.epochs):
        model.train()
        for inputs, labels in parts.train():
            if parts.setup.fault != "never-cleared":
                optimizer.zero_grad()
            outputs = model(inputs)
            loss = parts.loss(outputs, labels)
            loss.backward()
            if parts.setup.clip:
                nn.utils.clip_grad_norm_(model.parameters(), parts.setup.clip)
            optimizer.step()
            watcher.step(loss=loss, outputs=outputs, targets=labels, inputs=inputs)
            if parts.schedule and parts.every_step:
                parts.schedule.step()
        if parts.schedule and not parts.every_step and parts.setup.schedule != "never":
            parts.schedule.step()
        _validate(parts, watcher)


def functions(parts: Parts, watcher: Watcher) -> None:
    """Functions for an epoch, the watcher before backward, zero_grad last, and averages handed over at validation."""

    def step(inputs: torch.Tensor, labels: torch.Tensor) -> float:
        outputs = parts.model(inputs)
        loss = parts.loss(outputs, labels)
        watcher.step(loss=loss, outputs=outputs, targets=labels, inputs=inputs)
        loss.backward()
        if parts.setup.clip:
            nn.utils.clip_grad_norm_(parts.model.parameters(), parts.setup.clip)
        parts.optimizer.step()
        if parts.setup.fault != "never-cleared":
            parts.optimizer.zero_grad(set_to_none=True)
        return loss.item()

    for _ in range(parts.setup.epochs):
        parts.model.train()
        for batch in parts.train():
            step(*batch)
            if parts.schedule and parts.every_step:
                parts.schedule.step()
        if parts.schedule and not parts.every_step and parts.setup.schedule != "never":
            parts.schedule.step()
        _validate(parts, watcher)


class Trainer:
    """A small trainer class; validation by hand, its loss and accuracy alone are told to the watcher."""

    def __init__(self, parts: Parts, watcher: Watcher) -> None:
        self.parts, self.watcher = parts, watcher

    def fit(self) -> None:
        """All epochs."""
        for _ in range(self.parts.setup.epochs):
            self.parts.model.train()
            for inputs, labels in self.parts.train():
                self.training_step(inputs, labels)
                if self.parts.schedule and self.parts.every_step:
                    self.parts.schedule.step()
            if self.parts.schedule and not self.parts.every_step and self.parts.setup.schedule != "never":
                self.parts.schedule.step()
            self.validate()

    def training_step(self, inputs: torch.Tensor, labels: torch.Tensor) -> None:
        """One update."""
        parts = self.parts
        if parts.setup.fault != "never-cleared":
            parts.model.zero_grad()
        scores = parts.model(inputs)
        loss = parts.loss(scores, labels)
        loss.backward()
        if parts.setup.clip:
            nn.utils.clip_grad_norm_(parts.model.parameters(), parts.setup.clip)
        parts.optimizer.step()
        self.watcher.step(loss=loss.detach(), outputs=scores.detach(), targets=labels, inputs=inputs)

    @torch.no_grad()
    def validate(self) -> None:
        """Loss and accuracy of the validation part."""
        parts = self.parts
        parts.model.eval()
        losses, right, count = 0.0, 0, 0
        for inputs, labels in parts.valid:
            scores = parts.model(inputs)
            losses += float(parts.loss(scores, labels)) * (1 if parts.setup.loss == "sum" else len(labels))
            right += int((scores.argmax(1) == labels).sum())
            count += len(labels)
        self.watcher.validation(loss=losses / count, accuracy=right / count)


def trainer(parts: Parts, watcher: Watcher) -> None:
    """The trainer class."""
    Trainer(parts, watcher).fit()


@torch.no_grad()
def _validate(parts: Parts, watcher: Watcher) -> None:
    parts.model.eval()
    outputs, labels = [], []
    for inputs, targets in parts.valid:
        outputs.append(parts.model(inputs))
        labels.append(targets)
    scores, targets = torch.cat(outputs), torch.cat(labels)
    loss = parts.loss(scores, targets)
    accuracy = float((scores.argmax(1) == targets).float().mean())
    watcher.validation(loss=float(loss), accuracy=accuracy, outputs=scores, targets=targets, inputs=parts.valid[0][0])


STYLES: dict[str, Callable[[Parts, Watcher], None]] = {"plain": plain, "functions": functions, "trainer": trainer}
