"""When a probe measures: functions of the step alone, so that a resumed run measures where another would have."""

from __future__ import annotations

from collections.abc import Callable

When = Callable[[int, int], bool]
"""(step, every) -> whether to measure at this step; steps are counted from 1."""

DENSE = 200
"""Measurements at the first spacing; from there on it doubles whenever the step does, so that a log stays bounded."""


def always(step: int, every: int) -> bool:  # noqa: ARG001 - one signature for all
    """After every update."""
    return True


def thinned(step: int, every: int) -> bool:
    """At steps 1, 2, 4, ... up to `every`, then at every multiple of it, from step 200 every on at every second one, ...

    The early ones are there because most faults show at once; of n steps about 200 + 100 log2(n / (200 every)) are
    measured.

    Arguments:
        step: counted from 1.
        every: at least 1.

    >>> [step for step in range(1, 61) if thinned(step, 20)]
    [1, 2, 4, 8, 16, 20, 40, 60]
    >>> sum(thinned(step, 10) for step in range(1, 100_001)) < 800
    True
    """
    assert step >= 1 and every >= 1
    if step < every:
        return step & (step - 1) == 0
    spacing = every
    while step >= DENSE * spacing:
        spacing *= 2
    return step % spacing == 0


def measured_epoch(epoch: int, every: int, *, last: bool) -> bool:
    """Whether an epoch is one of those that are looked at closely: the first, every few, the last.

    Arguments:
        epoch: counted from 0.

    >>> [epoch for epoch in range(10) if measured_epoch(epoch, 4, last=epoch == 9)]
    [0, 4, 8, 9]
    """
    return last or epoch % every == 0
