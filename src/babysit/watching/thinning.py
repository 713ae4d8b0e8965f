"""Thinning: looks so rarely that it costs a step little, from what it costs.

The first updates are all looked at, and of the later ones as many as there is time for: most are passed over.
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from babysit.probes.cadence import LADDER
from babysit.probes.meter import Meter
from babysit.probes.when import thinned

EARLY = 200
"""Updates that are all looked at: most faults show in them, and they are the whole of a short training."""

SHORT, LEAST, SHARE = 0.01, 65e-6, 0.022
"""A step shorter than `SHORT` seconds may be lengthened by `LEAST` on average, a longer one by this share of it; somewhat
less than 0.1 ms and 3 %, as what surrounds the measuring is not measured."""

LAYERS, LAYERS_EARLY = 0.3, 0.9
"""Of that, what looking at the layers may take; among the first updates, whose rows are few."""

HIDDEN = 2.0
"""Times what is measured that watching costs in all: hooks are not in it, nor what it pushes out of the caches."""

GAPS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50)
WARY = 20
"""Updates that are looked at after a loss larger than any before."""

REMEMBERED = 9


@dataclass
class Thinning:
    """Measures what watching costs, and says which updates are looked at.

    `gap` the updates from one that is looked at to the next; `highest` the largest loss that was looked at.
    """

    meter: Meter
    gap: int = 1
    highest: float = -math.inf
    _next: int = 0
    _wary: int = field(default_factory=lambda: EARLY)
    _spent: float = 0.0
    _passed: list[float] = field(default_factory=list)
    _looks: list[float] = field(default_factory=list)
    _seen: list[float] = field(default_factory=list)
    _moved: list[float] = field(default_factory=list)
    _steps: list[float] = field(default_factory=list)

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Counts the time inside."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._spent += time.perf_counter() - begun

    def sees(self, step: int) -> bool:
        """Whether an update is looked at."""
        return step <= self._wary or step >= self._next or thinned(step, self.meter.every)

    def alarmed(self, loss: object) -> bool:
        """Whether a loss is larger than any that was looked at, or no number: then the next updates are looked at."""
        if not isinstance(loss, float) or loss <= self.highest or self.highest == math.inf:
            return False
        self.beware()
        return True

    def beware(self) -> None:
        """The next updates are looked at."""
        self._wary = max(self._wary, self.meter.step + WARY)

    def next_after(self, step: int) -> int:
        """The next update that is looked at."""
        return next(one for one in itertools.count(step + 1) if self.sees(one))

    def passed(self, spent: float) -> None:
        """After an update that was passed over, with what was spent on it as far as that is measured."""
        self._passed = [*self._passed, HIDDEN * spent][-REMEMBERED:]

    def moved(self, spent: float) -> None:
        """After hooks were put in place or taken away, which goes with each update that is looked at."""
        self._moved = [*self._moved, HIDDEN * spent][-REMEMBERED:]

    def seen(self, seconds: float, loss: object) -> None:
        """After an update that was looked at: when the next one is to be, and how often the layers.

        Arguments:
            seconds: of the whole step.
            loss: of it, where it is read already.
        """
        spent, self._spent = self._spent, 0.0
        seconds, step = seconds - spent, self.meter.step
        if isinstance(loss, float):
            self.alarmed(loss)  # also keeps the next ones from being passed over
            self.highest = max(self.highest, loss) if math.isfinite(loss) else math.inf
        if step == 1:  # much is looked at once alone, and says nothing of what later looks cost
            pass
        elif thinned(step, self.meter.every):
            self._looks = [*self._looks, HIDDEN * spent][-REMEMBERED:]
            self.meter.every = self._spacing()
        else:
            self._seen = [*self._seen, HIDDEN * spent][-REMEMBERED:]
            self._steps = [*self._steps, seconds][-REMEMBERED:]
        if step >= EARLY:
            self.gap = self._wanted_gap()
        # Not every so many: a loader or an accumulation may have a period too.
        self._next = step + (self.gap + step % 3 - 1 if self.gap > 2 else self.gap)

    def _allowed(self) -> float:
        step = statistics.median(self._steps) if self._steps else 0.0
        return SHARE * step if step >= SHORT else LEAST

    def _spacing(self) -> int:
        """Updates between two looks at the layers."""
        share = LAYERS if self.meter.step > EARLY else LAYERS_EARLY
        wanted = statistics.median(self._looks) / (share * self._allowed())
        return next((one for one in LADDER if one >= wanted), LADDER[-1])

    def _wanted_gap(self) -> int:
        """Updates from one that is looked at to the next, such that both kinds together take what is allowed."""
        if not self._seen:
            return self.gap
        passing = statistics.median(self._passed) if self._passed else 0.0
        moving = statistics.median(self._moved) if self._moved else 0.0
        more = max(0.0, statistics.median(self._seen) + moving - passing)
        left = (1 - LAYERS) * self._allowed() - passing
        return next((one for one in GAPS if more <= one * left), GAPS[-1])
