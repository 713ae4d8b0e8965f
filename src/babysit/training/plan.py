"""Plan: how many steps there are, and how far along a step is, also when the number changes on the way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """A run's length as knots (step, total steps as believed from then on); the first knot is at step 0.

    Progress is continuous and piecewise linear: at a knot the way that is left is spread over the steps that are left,
    so a correction never makes the learning rate jump.

    >>> plan = Plan(((0, 100),))
    >>> plan.progress(50)
    0.5
    >>> plan = plan.corrected(50, 60)
    >>> plan.total, plan.progress(50), plan.progress(55), plan.progress(60)
    (60, 0.5, 0.75, 1.0)
    """

    knots: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        assert self.knots and self.knots[0][0] == 0, "the first knot is at step 0"

    @property
    def total(self) -> int:
        """The number of steps as believed now."""
        return self.knots[-1][1]

    def progress(self, step: int) -> float:
        """0 at step 0, 1 at the end."""
        done, start, total = 0.0, 0, self.knots[0][1]
        for knot, next_total in self.knots[1:]:
            if knot > step:
                break
            done += (1 - done) * (knot - start) / max(1, total - start)
            start, total = knot, next_total
        return min(1.0, done + (1 - done) * (step - start) / max(1, total - start))

    def corrected(self, step: int, total: int) -> Plan:
        """The plan with another number of steps from `step` on; at least the steps already done."""
        if total == self.total:
            return self
        return Plan((*self.knots, (step, max(total, step))))
