"""What a running command tells a person. The command line draws it; a library call is silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "file"), plural(2, "file")
    ('1 file', '2 files')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


@dataclass(frozen=True, slots=True)
class StepShown:
    """The state of a training after one update; rates in images/s, times in seconds, shares 0 to 1."""

    epoch: int
    step: int
    total_steps: int
    loss: float
    learning_rate: float
    images_per_second: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class EpochShown:
    """The state after one epoch; of validation nothing where no image is left for it."""

    epoch: int
    step: int
    total_steps: int
    train_loss: float
    train_accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    learning_rate: float
    images_per_second: float
    seconds_left: float
    best: bool


class Show(Protocol):
    """Takes what happens and shows it somehow."""

    def say(self, text: str) -> None:
        """One sentence of the program's own."""
        ...

    def downloading(self, name: str, done: int, total: int) -> None:
        """How many bytes of a file have come."""
        ...

    def decoding(self, done: int, total: int) -> None:
        """How many images have been decoded."""
        ...

    def step(self, shown: StepShown) -> None:
        """After each update; must cost nothing to speak of."""
        ...

    def epoch(self, shown: EpochShown) -> None:
        """After each epoch."""
        ...


class Silent:
    """Shows nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def downloading(self, name: str, done: int, total: int) -> None:
        """Nothing."""

    def decoding(self, done: int, total: int) -> None:
        """Nothing."""

    def step(self, shown: StepShown) -> None:
        """Nothing."""

    def epoch(self, shown: EpochShown) -> None:
        """Nothing."""
