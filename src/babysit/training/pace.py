"""Pace: how many steps fit into a time budget, from the step time measured on the way."""

from __future__ import annotations

from dataclasses import dataclass

MARKS = (0.04, 0.08, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.92, 0.96, 0.98)
"""Shares of the budget after which the number of steps is corrected."""

FINISHING_SECONDS = 3.5
"""Kept for what comes after the last step: the final checkpoint, reading the best network back, its temperature, the
report, leaving the process. The report alone took 0.5 to 0.9 seconds; the rest is a reserve. The last evaluations
are counted apart."""

FINISHING_EVALUATIONS = 3
"""What comes after the last step and takes as long as an evaluation: the last one, and a pass each over validation and
as many training images for telling what is unlike them."""

FINISHING_SHARE = 0.005
"""Kept besides, as a share of the budget, for steps that become slower after the last correction."""


@dataclass(slots=True)
class Pace:
    """Corrects a budget run's length.

    Arguments:
        budget: seconds of running time, everything included.
        steps_per_epoch: for the share of evaluations.
        step_seconds: first guess of a step, from the self-test.
        evaluation_seconds: first guess of an evaluation.
    """

    budget: float
    steps_per_epoch: int
    step_seconds: float
    evaluation_seconds: float
    _mark: int = 0
    _step: int = -1
    _since: float = 0.0
    _evaluating: float = 0.0

    def begin(self, step: int, elapsed: float) -> None:
        """Starts measuring at a step."""
        self._step, self._since, self._evaluating = step, elapsed, 0.0
        while self._mark < len(MARKS) and elapsed >= MARKS[self._mark] * self.budget:
            self._mark += 1

    def evaluated(self, seconds: float) -> None:
        """Counts an evaluation, so that its time is not taken for the steps'."""
        self._evaluating += seconds
        self.evaluation_seconds = seconds

    def total_steps(self, step: int, elapsed: float) -> int:
        """The whole number of steps that ends in time, as seen after `step` steps and `elapsed` seconds."""
        finishing = FINISHING_SECONDS + FINISHING_SHARE * self.budget + FINISHING_EVALUATIONS * self.evaluation_seconds
        each = self.step_seconds + self.evaluation_seconds / self.steps_per_epoch
        left = max(0.0, self.budget - elapsed - finishing)
        return max(1, step + int(left / each))

    def correction(self, step: int, elapsed: float) -> int | None:
        """The corrected number of steps when a mark has been passed, else None."""
        if self._mark >= len(MARKS) or elapsed < MARKS[self._mark] * self.budget:
            return None
        done = step - self._step
        if done >= 3:
            self.step_seconds = (elapsed - self._since - self._evaluating) / done
        self.begin(step, elapsed)
        return self.total_steps(step, elapsed)
