"""Reading a learning-rate range test: where the loss barely moves, where it falls, where it explodes. No torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXPLODED = 3.0
"""A try is over when its loss passes so many times its first value (the lecture's rule)."""

WINDOW = 5
"""Steps each way over which the loss is smoothed, in weights that fall linearly."""

FIRST_STEPS = 20
"""Steps at the smallest rates, before which nothing moves: they give the level and the noise."""

BARELY, NOISE = 0.1, 3.0
"""The loss barely moves until it has fallen by a tenth of what it falls at most, and by three standard errors."""

AGREE = 2.0
"""Repeats whose suggestions differ by less than this factor agree."""


SHARE = 1 / 4
"""Of the rate with the lowest loss, what is suggested (docs/log.md)."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One pass over rising learning rates: the rate and the batch's loss of each step, and the seed of its weights and
    batches. The last loss may be the one that ended it."""

    seed: int
    rates: tuple[float, ...]
    losses: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one sweep says. `first` the loss before anything moved, `lowest` the smoothed minimum.

    `moves` the rate from which the loss falls, `best` the rate at its minimum, both None when it never fell; `explodes`
    the rate at which it passed three times its first value, was no number, or had lost all it had gained; None when it
    did not.
    """

    first: float
    lowest: float
    moves: float | None
    best: float | None
    explodes: float | None

    @property
    def suggestion(self) -> float | None:
        """A share of the rate with the lowest loss: a training stays at its rate longer than a step."""
        return self.best * SHARE if self.best else None


@dataclass(frozen=True, slots=True)
class RateTest:
    """Sweeps over the same rates with different weights and batches, and what they say together.

    `suggestion` the median of the repeats', None when the loss never fell; `factor` by which they differ (largest over
    smallest); `used` the rate that training would take.
    """

    sweeps: tuple[Sweep, ...]
    readings: tuple[Reading, ...]
    suggestion: float | None
    factor: float
    used: float
    optimizer: str
    batch_size: int
    seconds: float

    @property
    def good(self) -> tuple[float, float] | None:
        """The range of rates in which the loss fell in every repeat: from the last to move to the first to turn."""
        if self.suggestion is None:
            return None
        fell = [one for one in self.readings if one.moves and one.best]
        return max(one.moves or 0.0 for one in fell), min(one.best or math.inf for one in fell)

    @property
    def explodes(self) -> float | None:
        """The smallest rate at which a repeat exploded."""
        return min((one.explodes for one in self.readings if one.explodes), default=None)

    @property
    def sure(self) -> str:
        """How sure the suggestion is, by how far the repeats agree."""
        fell = sum(one.suggestion is not None for one in self.readings)
        if fell < len(self.readings):
            return "not sure"
        return "sure" if self.factor <= AGREE else "fairly sure" if self.factor <= AGREE**2 else "not sure"

    def as_json(self) -> dict[str, Any]:
        """The test as plain JSON values; a loss that is no finite number is null."""
        return {
            "suggestion": self.suggestion,
            "sure": self.sure,
            "factor": self.factor,
            "used": self.used,
            "good": list(self.good) if self.good else None,
            "explodes": self.explodes,
            "optimizer": self.optimizer,
            "batch_size": self.batch_size,
            "seconds": self.seconds,
            "repeats": [
                {
                    "seed": sweep.seed,
                    "suggestion": reading.suggestion,
                    "moves": reading.moves,
                    "best": reading.best,
                    "explodes": reading.explodes,
                    "rates": list(sweep.rates),
                    "losses": [loss if math.isfinite(loss) else None for loss in sweep.losses],
                }
                for sweep, reading in zip(self.sweeps, self.readings, strict=True)
            ],
        }


def smoothed(losses: Sequence[float]) -> NDArray[np.float64]:
    """Centred means with triangular weights over WINDOW steps each way; what explodes counts as EXPLODED times the first.

    >>> smoothed([2.0, 2.0, 2.0]).tolist()
    [2.0, 2.0, 2.0]
    """
    ceiling = EXPLODED * losses[0]
    values = np.nan_to_num(np.asarray(losses, np.float64), nan=ceiling, posinf=ceiling, neginf=ceiling)
    values = np.minimum(values, ceiling)
    weights = np.minimum(np.arange(1.0, 2 * WINDOW + 2), np.arange(2 * WINDOW + 1.0, 0, -1))
    inside = slice(WINDOW, WINDOW + len(values))
    return np.convolve(values, weights)[inside] / np.convolve(np.ones(len(values)), weights)[inside]


def read(sweep: Sweep) -> Reading:
    """Reads one sweep.

    Raises:
        AssertionError: when it has fewer steps than FIRST_STEPS.
    """
    losses = np.asarray(sweep.losses, np.float64)
    assert len(losses) >= FIRST_STEPS, "too few steps to know the noise"
    curve = smoothed(sweep.losses)
    early = losses[:FIRST_STEPS]
    first = float(early.mean())
    # Differences of neighbours see the noise alone, not a slow fall.
    noise = float(np.abs(np.diff(early)).mean()) * math.sqrt(math.pi) / 2
    last = losses[-1]
    ended = not math.isfinite(last) or last > EXPLODED * losses[0]
    # The smoothing carries an explosion forward to the steps before it.
    inside = curve[: len(curve) - WINDOW] if ended and len(curve) > FIRST_STEPS + WINDOW else curve
    lowest = int(inside.argmin())
    fall = first - float(inside[lowest])
    explodes = float(sweep.rates[-1]) if ended else None
    lost = np.flatnonzero(curve[lowest:] >= first)
    if fall <= NOISE * noise / math.sqrt(WINDOW + 1):
        return Reading(first, float(inside[lowest]), None, None, explodes)
    if len(lost):
        lost_at = float(sweep.rates[lowest + int(lost[0])])
        explodes = min(explodes or math.inf, lost_at)
    threshold = first - max(NOISE * noise / math.sqrt(WINDOW + 1), BARELY * fall)
    above = np.flatnonzero(inside[: lowest + 1] >= threshold)
    start = int(above[-1]) + 1 if len(above) else 0
    moves = float(sweep.rates[min(start, lowest)])
    return Reading(first, float(inside[lowest]), moves, float(sweep.rates[lowest]), explodes)
