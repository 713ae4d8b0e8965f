"""Schedules: functions from a moment of the run to a factor of the learning rate. No object, no hidden step counter.

Being functions of the moment alone, they are right after a resume and when the number of steps changes on the way.
In the formulas t is the moment and T the run's length.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from babysit.recipe.schema import SchedulePart
from babysit.tables import Table

FLOOR = 1e-3
"""A warm-up starts at this share of the peak and one-cycle ends at it, so that no step is wasted on a rate of zero."""

STEPS_DOWN = 3
"""Without `every`, `step` falls at each third of the run."""

FRONT = 0.4
"""Without `front`, `trapezoid` is constant for this share of the run."""

TIME_CONSTANTS = 5
"""Without `tau`, `inverse` and `exp` take a fifth of the run for it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a step is: updates done, the same in epochs, and the share of the run that is done (0 to 1)."""

    step: int
    epoch: float
    progress: float

    @staticmethod
    def of(step: int, *, steps_per_epoch: int, total: int) -> Moment:
        """The moment of a step in a run of known length.

        >>> Moment.of(50, steps_per_epoch=20, total=200)
        Moment(step=50, epoch=2.5, progress=0.25)
        """
        return Moment(step, step / steps_per_epoch, min(1.0, step / total))


Schedule = Callable[[Moment, SchedulePart], float]


def constant(moment: Moment, part: SchedulePart) -> float:  # noqa: ARG001 - one signature for all
    """1 throughout."""
    return 1.0


def step_down(moment: Moment, part: SchedulePart) -> float:
    """factor ** floor(step / every); `factor` 0.1 unless given (Krizhevsky et al., 2012: x0.1 every 50,000 steps).

    >>> [step_down(Moment.of(step, steps_per_epoch=1, total=9), SchedulePart(every=4)) for step in (3, 4)]
    [1.0, 0.1]
    """
    falls = moment.step // part.every if part.every else int(STEPS_DOWN * min(moment.progress, 1 - 1e-12))
    return (part.factor or 0.1) ** falls


def exponential(moment: Moment, part: SchedulePart) -> float:
    """factor ** epoch, falling at the end of each epoch; `factor` 0.97 unless given (GoogLeNet, 2014)."""
    return (part.factor or 0.97) ** math.floor(moment.epoch)


def square_root(moment: Moment, part: SchedulePart) -> float:  # noqa: ARG001
    """sqrt(1 - t/T) (the GoogLeNet of BVLC)."""
    return math.sqrt(1 - moment.progress)


def polynomial(moment: Moment, part: SchedulePart) -> float:
    """(1 - t/T) ** power."""
    return (1 - moment.progress) ** part.power


def inverse(moment: Moment, part: SchedulePart) -> float:
    """1 / (1 + t/tau), tau in epochs. For t much larger than tau this is the literal 1/t, times tau."""
    return 1 / (1 + _in_time_constants(moment, part))


def falling_exp(moment: Moment, part: SchedulePart) -> float:
    """exp(-t/tau), tau in epochs.

    >>> falling_exp(Moment(step=30, epoch=3.0, progress=0.5), SchedulePart(tau=3)) == math.exp(-1)
    True
    """
    return math.exp(-_in_time_constants(moment, part))


def cosine(moment: Moment, part: SchedulePart) -> float:  # noqa: ARG001
    """(1 + cos(pi t/T)) / 2 (Loshchilov and Hutter, "SGDR", 2017, without restarts)."""
    return (1 + math.cos(math.pi * moment.progress)) / 2


def one_cycle(moment: Moment, part: SchedulePart) -> float:
    """Rises linearly to 1 over the share `warmup` of the run (0.25 unless given), then falls linearly.

    >>> [one_cycle(Moment(0, 0.0, progress), SchedulePart()) for progress in (0.25, 1.0)]
    [1.0, 0.001]

    Source: Smith and Topin, "Super-Convergence" (2017), the triangular form.
    """
    warmup = warmup_of(part)
    progress = moment.progress
    share = progress / warmup if progress < warmup else (1 - progress) / (1 - warmup)
    return FLOOR + (1 - FLOOR) * share


def trapezoid(moment: Moment, part: SchedulePart) -> float:
    """1 over the share `front` of the run (0.4 unless given), then falls linearly.

    What has been trained within the front is the same however the run goes on.

    >>> [trapezoid(Moment(0, 0.0, progress), SchedulePart(front=0.5)) for progress in (0.0, 0.5, 1.0)]
    [1.0, 1.0, 0.001]

    Source: Zhai et al., "Scaling vision transformers", CVPR 2022, section 3.5 (constant, then a cooldown).
    """
    front = FRONT if part.front is None else part.front
    return 1.0 if moment.progress <= front else FLOOR + (1 - FLOOR) * (1 - moment.progress) / (1 - front)


SCHEDULES: Table[Schedule] = Table(
    "schedule",
    {
        "constant": constant,
        "step": step_down,
        "exponential": exponential,
        "sqrt": square_root,
        "polynomial": polynomial,
        "inverse": inverse,
        "exp": falling_exp,
        "cosine": cosine,
        "one-cycle": one_cycle,
        "trapezoid": trapezoid,
    },
)


def warmup_of(part: SchedulePart) -> float:
    """The share of the run in which the rate rises: as given, else 0.25 for one-cycle and none for the others."""
    if part.warmup is not None:
        return part.warmup
    return 0.25 if part.kind == "one-cycle" else 0.0


def rate_factor(moment: Moment, part: SchedulePart) -> float:
    """The factor of a recipe's schedule, with its warm-up joined: a linear rise from FLOOR to the schedule's own value.

    >>> rate_factor(Moment(5, 0.5, 0.05), SchedulePart(kind="constant", warmup=0.1))
    0.5005
    """
    factor, warmup = SCHEDULES[part.kind](moment, part), warmup_of(part)
    if part.kind == "one-cycle" or moment.progress >= warmup:
        return factor
    return factor * (FLOOR + (1 - FLOOR) * moment.progress / warmup)


def _in_time_constants(moment: Moment, part: SchedulePart) -> float:
    return moment.epoch / part.tau if part.tau else TIME_CONSTANTS * moment.progress
