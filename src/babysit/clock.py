"""Where the time goes: every second since the start belongs to exactly one named section."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

REST = "other"


@dataclass(slots=True)
class Clock:
    """Exclusive times by section: while an inner section runs, the outer one does not.

    Arguments:
        started: when the clock began, on `time.perf_counter`'s scale.
        before: seconds of running time of earlier sessions of the same run.

    >>> clock = Clock(time.perf_counter())
    >>> with clock.section("forward"):
    ...     pass
    >>> sorted(clock.totals())
    ['forward', 'other']
    """

    started: float
    before: float = 0.0
    _outside: float = 0.0
    _totals: dict[str, float] = field(default_factory=dict)
    _stack: list[str] = field(default_factory=lambda: [REST])
    _since: float = 0.0

    def __post_init__(self) -> None:
        self._since = self.started

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Counts the time inside as `name`."""
        self._switch()
        self._stack.append(name)
        try:
            yield
        finally:
            self._switch()
            self._stack.pop()

    @contextmanager
    def outside(self, name: str) -> Iterator[None]:
        """Counts the time inside as `name`, and not as running time: no budget is spent on it."""
        begun = time.perf_counter()
        try:
            with self.section(name):
                yield
        finally:
            self._outside += time.perf_counter() - begun

    def this_session(self) -> float:
        """Seconds since this clock began."""
        return time.perf_counter() - self.started

    def running(self) -> float:
        """Seconds of running time, earlier sessions included; what was `outside` is not."""
        return self.before + self.this_session() - self._outside

    def totals(self) -> dict[str, float]:
        """Seconds by section up to now; they add up to `this_session`."""
        self._switch()
        return dict(self._totals)

    def _switch(self) -> None:
        now = time.perf_counter()
        name = self._stack[-1]
        self._totals[name] = self._totals.get(name, 0.0) + now - self._since
        self._since = now


def process_clock() -> Clock:
    """A clock that began when this process did, so that imports are counted too."""
    clock = Clock(time.perf_counter() - _process_age())
    clock._stack.append("start")
    clock._switch()
    clock._stack.pop()
    return clock


def _process_age() -> float:
    try:
        after_name = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks = float(after_name[19])  # field 22 of proc(5): start time in clock ticks after boot
        uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
        return max(0.0, uptime - ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError):
        return 0.0
