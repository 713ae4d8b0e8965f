"""Schedules: functions from progress to a factor of the learning rate. No object, no hidden step counter.

Progress runs from 0 at the first step to 1 at the end of the run; `training/plan.py` turns steps into progress, also
when a time budget changes the number of steps on the way.
"""

from __future__ import annotations

from collections.abc import Callable

from babysit.tables import Table

Schedule = Callable[[float, float], float]

FLOOR = 1e-3
"""One-cycle starts at this share of the peak and ends at it, so that no step is wasted on a rate of zero."""


def constant(progress: float, warmup: float) -> float:  # noqa: ARG001 - one signature for all
    """1 throughout."""
    return 1.0


def one_cycle(progress: float, warmup: float) -> float:
    """Rises linearly to 1 over the share `warmup` of the run, then falls linearly.

    >>> one_cycle(0.25, 0.25), one_cycle(1.0, 0.25)
    (1.0, 0.001)

    Source: Smith and Topin, "Super-Convergence" (2017), the triangular form.
    """
    if progress < warmup:
        share = progress / warmup
    else:
        share = (1 - progress) / (1 - warmup)
    return FLOOR + (1 - FLOOR) * share


SCHEDULES: Table[Schedule] = Table("schedule", {"constant": constant, "one-cycle": one_cycle})
