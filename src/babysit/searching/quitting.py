"""Quitting a trial early: pure functions of what its steps have shown. No torch."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from babysit.searching.reading import EXPLODED

WINDOW_IMAGES, WINDOW_STEPS = 640, 5
"""The latest steps whose mean is judged: at least so many steps and images."""

HARDLY = 0.01
"""The share of its first value by which the loss must have fallen in a trial that is not stuck."""

SURE = 2.0
"""Standard errors by which a trial must be behind others, or ahead of chance."""

LOOKS, MOST_LOOKS, STEPS_A_LOOK = 36, 120, 20
"""How often in a full length a trial is compared with others, and a point of its curve kept: at least, at most, and the
steps between two in between."""

Kind = Literal["training", "validation"]
Rivals = Callable[[Kind, float], Sequence[float]]


@dataclass
class Watch:
    """Watches one trial, told of every step; says why it should be quitted, or nothing.

    Arguments:
        chance: the accuracy of always naming the commonest class.
        total: the steps of its full length.
        judged_from: the step from which being behind others counts.
        stuck_from: the step from which being stuck at chance counts, when the rate has risen; that of `judged_from` at the earliest.
        rivals: other trials' accuracies, of a kind, at a share of the full length; empty where they are not comparable.
        keep: how many trials go on to the next stage: one that is behind so many is dominated.
        first: the first loss, known already when a trial goes on.
        by_training: whether training accuracies are compared: only where most trials have ended no epoch yet. Later
            they would speak against regularisation.

    `curve` and `validation` are (share of the full length, accuracy) points.
    """

    chance: float
    total: int
    judged_from: int
    rivals: Rivals
    keep: int
    first: float | None = None
    by_training: bool = True
    stuck_from: int = 0
    curve: list[tuple[float, float]] = field(default_factory=list)
    validation: list[tuple[float, float]] = field(default_factory=list)
    _losses: deque[float] = field(default_factory=deque)
    _right: deque[tuple[float, int]] = field(default_factory=deque)
    _looked: int = 0
    _behind: str = ""

    def step(self, step: int, loss: float, accuracy: float, images: int) -> str:
        """After one step: why to quit, or an empty string."""
        if self.first is None:
            self.first = loss
        if self._behind:
            return self._behind
        if not math.isfinite(loss):
            return f"the loss was no number after {step} steps"
        if loss > EXPLODED * self.first:
            return f"the loss, {loss:.3g}, passed three times its first value, {self.first:.3g}, after {step} steps"
        self._remember(loss, accuracy, images)
        look = math.floor(step / self.total * self._looks)
        if look <= self._looked or len(self._losses) < WINDOW_STEPS:
            return ""
        self._looked = look
        mean, count = self._mean()
        share = step / self.total
        self.curve.append((round(share, 5), round(mean, 5)))
        if step < self.judged_from:
            return ""
        behind = self._dominated("training", step, mean, count) if self.by_training else ""
        return (self._stuck(step, mean, count) if step >= self.stuck_from else "") or behind

    def epoch(self, step: int, accuracy: float, images: int) -> None:
        """After an epoch's evaluation on so many images; what it says against the trial is answered at the next step."""
        self.validation.append((round(step / self.total, 5), round(accuracy, 5)))
        if step >= self.judged_from:
            self._behind = self._dominated("validation", step, accuracy, images)

    @property
    def _looks(self) -> int:
        """More looks in a longer training; between two of them the window has moved on."""
        return max(LOOKS, min(MOST_LOOKS, self.total // STEPS_A_LOOK))

    def _remember(self, loss: float, accuracy: float, images: int) -> None:
        self._losses.append(loss)
        self._right.append((accuracy * images, images))
        while (
            len(self._losses) > WINDOW_STEPS and sum(one for _, one in self._right) - self._right[0][1] >= WINDOW_IMAGES
        ):
            self._losses.popleft()
            self._right.popleft()

    def _mean(self) -> tuple[float, int]:
        count = sum(images for _, images in self._right)
        return sum(right for right, _ in self._right) / count, count

    def _stuck(self, step: int, mean: float, count: int) -> str:
        assert self.first is not None
        noise = math.sqrt(self.chance * (1 - self.chance) / count)
        fallen = sum(self._losses) / len(self._losses) < (1 - HARDLY) * self.first
        if fallen or mean > self.chance + SURE * noise:
            return ""
        return f"stuck at chance after {step} steps: accuracy {mean:.1%} where guessing gives {self.chance:.1%}"

    def _dominated(self, kind: Kind, step: int, mean: float, count: int) -> str:
        ahead = []
        for rival in self.rivals(kind, step / self.total):
            noise = math.sqrt((mean * (1 - mean) + rival * (1 - rival)) / count)
            if rival - mean > SURE * noise:
                ahead.append(rival)
        if len(ahead) < self.keep:
            return ""
        others = f"{len(ahead)} others" if len(ahead) > 1 else "another"
        return f"dominated after {step} steps: {kind} accuracy {mean:.1%} where {others} had {min(ahead):.1%}{' and more' if len(ahead) > 1 else ''}"


def at_share(curve: Sequence[tuple[float, float]], share: float) -> float | None:
    """A curve's value at a share of the full length, between its points; None outside them.

    >>> at_share([(0.1, 0.2), (0.3, 0.4)], 0.2)
    0.3
    """
    for (left, low), (right, high) in pairwise(curve):
        if left <= share <= right:
            return round(low + (high - low) * (share - left) / (right - left), 12) if right > left else high
    return None
