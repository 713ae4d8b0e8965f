"""How a training looks in a terminal: a live bar where there is one, plain lines where there is not."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from babysit.names import for_terminal
from babysit.show import EpochShown, Show, Silent, StepShown


class FinishingShow(Show, Protocol):
    """A show with a last word."""

    def finished(self, summary: str, profile: str) -> None:
        """The end of the training."""
        ...


class Quiet(Silent):
    """Says nothing at all."""

    def finished(self, summary: str, profile: str) -> None:
        """Nothing."""


class Plain:
    """Lines on standard error, for logs and pipes."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def say(self, text: str) -> None:
        """One line."""
        print(for_terminal(text), file=sys.stderr, flush=True)  # noqa: T201

    def downloading(self, name: str, done: int, total: int) -> None:
        """A line every ten seconds."""
        if time.monotonic() - self._told > 10 and done < total:
            self._told = time.monotonic()
            self.say(f"{name}: {done / 1e6:,.1f} of {total / 1e6:,.1f} MB")

    def decoding(self, done: int, total: int) -> None:
        """A line every ten seconds."""
        if time.monotonic() - self._told > 10 and done < total:
            self._told = time.monotonic()
            self.say(f"decoding {done:,} of {total:,} images")

    def step(self, shown: StepShown) -> None:
        """A line every thirty seconds."""
        if time.monotonic() - self._told > 30:
            self._told = time.monotonic()
            self.say(
                f"step {shown.step}/{shown.total_steps}  loss {shown.loss:.3f}  {shown.images_per_second:,.0f} images/s  "
                f"{_clock(shown.seconds_left)} left"
            )

    def epoch(self, shown: EpochShown) -> None:
        """A line for every epoch."""
        self._told = time.monotonic()
        self.say(_epoch_line(shown))

    def finished(self, summary: str, profile: str) -> None:
        """The summary."""
        for line in ["", *summary.split("\n"), *(["", *profile.split("\n")] if profile else [])]:
            self.say(line)


class Live(Plain):
    """A bar that moves, with the epochs as lines above it."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self.console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=None), TextColumn("{task.fields[text]}"))
        self.progress = Progress(*columns, console=self.console, transient=True, refresh_per_second=4)
        self._task = self.progress.add_task("", total=None, text="", visible=False)

    def say(self, text: str) -> None:
        """One line above the bar; what a user's files are called is never taken for markup or control."""
        self.progress.console.print(for_terminal(text), markup=False, soft_wrap=True)

    def downloading(self, name: str, done: int, total: int) -> None:
        """The bar while a file comes."""
        self._move("downloading", done, total, f"{name} {done / 1e6:,.1f}/{total / 1e6:,.1f} MB")

    def decoding(self, done: int, total: int) -> None:
        """The bar while images are decoded."""
        self._move("decoding", done, total, f"{done:,}/{total:,} images")

    def step(self, shown: StepShown) -> None:
        """The bar while training."""
        text = (
            f"epoch {shown.epoch + 1}  loss {shown.loss:.3f}  lr {shown.learning_rate:.3g}  "
            f"{shown.images_per_second:,.0f} images/s  {_clock(shown.seconds_left)} left"
        )
        self._move("training", shown.step, shown.total_steps, text)

    def _move(self, name: str, done: int, total: int, text: str) -> None:
        self.progress.update(self._task, description=name, completed=done, total=total, text=text, visible=True)

    def finished(self, summary: str, profile: str) -> None:
        """Takes the bar away and prints the summary."""
        self.progress.update(self._task, visible=False)
        super().finished(summary, profile)


@contextmanager
def make_show(*, quiet: bool) -> Iterator[FinishingShow]:
    """The show that fits where standard error goes."""
    if quiet:
        yield Quiet()
    elif sys.stderr.isatty():
        live = Live()
        with live.progress:
            yield live
    else:
        yield Plain()


def _epoch_line(shown: EpochShown) -> str:
    validation = ""
    if shown.validation_loss is not None and shown.validation_accuracy is not None:
        mark = "*" if shown.best else " "
        validation = f"val loss {shown.validation_loss:.3f} acc {shown.validation_accuracy:6.1%}{mark}  "
    return (
        f"epoch {shown.epoch + 1:>3}  step {shown.step:>6}/{shown.total_steps}  "
        f"train loss {shown.train_loss:.3f} acc {shown.train_accuracy:6.1%}  "
        f"{validation}lr {shown.learning_rate:.3g}  {shown.images_per_second:,.0f} images/s  {_clock(shown.seconds_left)} left"
    )


def _clock(seconds: float) -> str:
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def class_line(name: str, count: int, figures: tuple[float, float, float]) -> str:
    """A line of the table of classes: precision, recall and F1, where there are images to take them from.

    >>> class_line("cat", 12, (0.5, 0.25, 1 / 3))
    'cat                       12     0.500     0.250     0.333'
    >>> class_line("dog", 0, (0.0, 0.0, 0.0))
    'dog                        0                    not scored'
    """
    told = "".join(f" {value:>9.3f}" for value in figures) if count else f" {'not scored':>29}"
    return f"{for_terminal(name)[:20]:<20} {count:>7}{told}"
