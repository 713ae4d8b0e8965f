"""Thinning: looks at the layers so rarely that they cost a step little, from what they cost."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from babysit.probes.cadence import LADDER
from babysit.probes.meter import Meter
from babysit.probes.when import thinned

SHARE, SHORT, LEAST = 0.02, 0.01, 60e-6
"""Of a step's time that looking at the layers may take on average; below `SHORT` seconds a step it is `LEAST` instead."""

REMEMBERED = 9


@dataclass
class Thinning:
    """Measures what a meter costs, and sets its spacing.

    What the hooks cost inside the forward pass is not in it; it is about as much as the rest, and counted double.
    """

    meter: Meter
    _now: float = 0.0
    _looks: list[float] = field(default_factory=list)
    _steps: list[float] = field(default_factory=list)

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Counts the time inside."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._now += time.perf_counter() - begun

    def decide(self, seconds: float) -> None:
        """After an update: sets the spacing when this one was looked at closely.

        Arguments:
            seconds: of the whole step.
        """
        spent, self._now = self._now, 0.0
        if not thinned(self.meter.step, self.meter.every):
            self._steps = [*self._steps, seconds][-REMEMBERED:]
            return
        self._looks = [*self._looks, 2 * spent][-REMEMBERED:]
        if self._steps:
            step = statistics.median(self._steps)
            allowed = SHARE * step if step >= SHORT else LEAST
            wanted = statistics.median(self._looks) / allowed
            self.meter.every = next((one for one in LADDER if one >= wanted), LADDER[-1])
