"""An epoch of a watched loop: means over its batches, and what a validation brings."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from babysit.metrics import score
from babysit.probes.context import Validated
from babysit.probes.start import of_scores
from babysit.record.known import Known
from babysit.watching.given import Given, Once, read

MOST_LABELS = 20_000
"""Labels of an epoch that are kept to see whether they come in order."""

ENOUGH = 512
"""Images that a training accuracy is the mean of at least, where some batches were passed over."""

PROBABLE = 0.99
"""Share of the rows that must be probabilities for all to be taken so."""


@dataclass
class Epoch:
    """Sums over the batches since the last validation; `number` counted from 0; `counts` images of each class in the last one.

    `cut` whether labels of some batches are missing in a way that the others cannot stand for them.
    """

    number: int = 0
    first_step: int = 0
    steps: int | None = None
    images: int = 0
    largest: int = 0
    counts: tuple[int, ...] | None = None
    cut: bool = False
    _sums: dict[str, float | Tensor] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _labels: list[NDArray[np.int64]] = field(default_factory=list)
    _labelled: int = 0
    _thinned: bool = False
    _recent: deque[tuple[float | Tensor, int]] = field(default_factory=deque)

    def add(self, given: Given, *, order: bool) -> None:
        """Takes a batch in; `order` whether its labels are kept."""
        count = given.count or 1
        self.images += count
        self.largest = max(self.largest, count)
        for name, value in given.numbers.items():
            self._sums[name] = self._sums.get(name, 0.0) + value * count
            self._counts[name] = self._counts.get(name, 0) + count
        if "accuracy" in given.numbers:
            self._recent.append((given.numbers["accuracy"] * count, count))
            while sum(count for _, count in self._recent) - self._recent[0][1] >= ENOUGH:
                self._recent.popleft()
        full = self._labelled >= MOST_LABELS
        if order and given.targets is not None and not full:
            self._labels.append(given.targets.cpu().numpy().astype(np.int64))
            self._labelled += len(self._labels[-1])
        self.cut = self.cut or full or not order or given.targets is None

    def passed(self, loss: float | Tensor | None, count: int) -> None:
        """Counts a batch that was passed over, and its loss if it is known."""
        self.images, self._thinned = self.images + count, True
        if loss is not None:
            self._sums["loss"] = self._sums.get("loss", 0.0) + loss * count
            self._counts["loss"] = self._counts.get("loss", 0) + count

    def means(self) -> dict[str, float | Tensor]:
        """Loss and accuracy, each image counting the same.

        Where some batches were passed over, so few of an epoch's may be left that its accuracy would say little; then it
        is that of the latest `ENOUGH` images.
        """
        found = {f"train_{name}": total / self._counts[name] for name, total in self._sums.items()}
        if self._thinned and self._recent and self._counts.get("accuracy", 0) < ENOUGH:
            found["train_accuracy"] = sum(right for right, _ in self._recent) / sum(count for _, count in self._recent)
        return found

    def order(self) -> NDArray[np.int64] | None:
        """The labels in the order in which they came."""
        return np.concatenate(self._labels) if self._labels else None

    def next(self, step: int) -> Epoch:
        """The epoch that begins after `step` updates, knowing how long this one was."""
        steps = step - self.first_step
        new = Epoch(self.number + 1, step, steps or None, 0, self.largest, self.by_class())
        new._recent = self._recent
        return new

    def by_class(self) -> tuple[int, ...] | None:
        """Images of each class in this epoch, up to the largest label seen; of the epoch before when labels were not kept.

        Where some batches were passed over, the epoch before is asked too: it was seen whole, or more of it was. If there
        was none, the batches that were not passed over stand for the others.
        """
        labels = self.order()
        if labels is None or self.cut or labels.min() < 0 or (self._thinned and self.counts):
            return self.counts
        return tuple(round(float(one)) for one in np.bincount(labels) * (self.images / len(labels)))

    def into(self, known: Known) -> Known:
        """What the course of the epochs says of the settings."""
        batch = self.largest or None
        images = self.steps * batch if self.steps and batch else None
        counts = self.by_class() if self.steps is None else self.counts
        if counts is not None and known.classes is not None:
            counts = (*counts, *(0,) * (known.classes - len(counts)))  # a class that never came has no label either
        return replace(known, batch_size=batch, steps_per_epoch=self.steps, training_images=images, class_counts=counts)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a validation brought: values for its row, the predictions if they were given, and how many images."""

    values: Mapping[str, float | Tensor]
    validated: Validated | None
    count: int


def validated(
    loss: object, accuracy: object, outputs: object, targets: object, *, names: tuple[str, ...] | None, once: Once
) -> Seen:
    """Checks and completes what a validation brought: loss and accuracy follow from outputs and targets."""
    values: dict[str, float | Tensor] = {}
    with torch.no_grad():
        given = read(None, outputs, targets, None, classes=None, once=once)
    found = predictions_of(given, names, once)
    if found is not None:
        scores = score(found.probabilities, found.labels, found.classes)
        values |= {"validation_loss": scores.loss, "validation_accuracy": scores.accuracy}
        values["validation_macro_f1"] = scores.macro_f1
    if (own := plain_number(loss, "loss", once)) is not None:
        values["validation_loss"] = own
    if (own := plain_number(accuracy, "accuracy", once)) is not None:
        if own > 1:
            once("percent", f"a validation accuracy of {own:g} is taken for percent")
            own /= 100
        values["validation_accuracy"] = own
    if not values:
        once("empty validation", "validation() was given neither loss nor accuracy, nor outputs with targets")
    return Seen(values, found, len(found.labels) if found else 0)


def predictions_of(given: Given, names: tuple[str, ...] | None, once: Once) -> Validated | None:
    """Outputs as probabilities with their labels; None when either is missing or does not fit."""
    if given.outputs is None or given.targets is None:
        return None
    scores, labels = given.outputs.double().cpu(), given.targets.long().cpu().numpy()
    columns = scores.shape[1]
    if labels.min() < 0 or labels.max() >= columns:
        once("range", f"validation targets run from {labels.min()} to {labels.max()}, and there are {columns} outputs")
        return None
    shares = of_scores(scores)
    if float(shares["scores_sum_to_one"]) > PROBABLE:
        probabilities = scores
    elif float(shares["scores_log_sum_to_one"]) > PROBABLE:
        probabilities = scores.exp()
    else:
        probabilities = torch.softmax(scores, dim=1)
    classes = names if names and len(names) == columns else tuple(str(place) for place in range(columns))
    return Validated(probabilities.float().numpy(), labels, classes)


def plain_number(value: object, what: str, once: Once) -> float | None:
    """A number that was given, however it is wrapped."""
    if value is None:
        return None
    try:
        return float(value.detach() if isinstance(value, Tensor) else value)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):
        once(f"validation {what}", f"the validation {what} is a {type(value).__name__}, not a number; it is left out")
        return None
