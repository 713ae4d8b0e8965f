"""Pace: how many steps fit into a time budget, from the step time measured on the way."""

from __future__ import annotations

from dataclasses import dataclass

from babysit.training.growth import Cost

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
        step_seconds: first guess of a step on whole images, from the self-test.
        evaluation_seconds: first guess of an evaluation.
        cost: the mean work of a step between two shares of the training, over that of one on whole images.
    """

    budget: float
    steps_per_epoch: int
    step_seconds: float
    evaluation_seconds: float
    cost: Cost = lambda start, end: 1.0  # noqa: ARG005 - whole images throughout
    _mark: int = 0
    _step: int = -1
    _since: float = 0.0
    _progress: float = 0.0
    _evaluating: float = 0.0

    def begin(self, step: int, elapsed: float, progress: float) -> None:
        """Starts measuring at a step, `progress` of the training being done."""
        self._step, self._since, self._evaluating, self._progress = step, elapsed, 0.0, progress
        while self._mark < len(MARKS) and elapsed >= MARKS[self._mark] * self.budget:
            self._mark += 1

    def evaluated(self, seconds: float) -> None:
        """Counts an evaluation, so that its time is not taken for the steps'."""
        self._evaluating += seconds
        self.evaluation_seconds = seconds

    def total_steps(self, step: int, elapsed: float, progress: float) -> int:
        """The whole number of steps that ends in time, as seen after `step` steps, `elapsed` seconds and a share `progress`."""
        finishing = FINISHING_SECONDS + FINISHING_SHARE * self.budget + FINISHING_EVALUATIONS * self.evaluation_seconds
        each = self.step_seconds * self.cost(progress, 1.0) + self.evaluation_seconds / self.steps_per_epoch
        left = max(0.0, self.budget - elapsed - finishing)
        return max(1, step + int(left / each))

    def correction(self, step: int, elapsed: float, progress: float) -> int | None:
        """The corrected number of steps when a mark has been passed, else None."""
        if self._mark >= len(MARKS) or elapsed < MARKS[self._mark] * self.budget:
            return None
        done = step - self._step
        if done >= 3:
            taken = (elapsed - self._since - self._evaluating) / done
            self.step_seconds = taken / self.cost(self._progress, progress)
        self.begin(step, elapsed, progress)
        return self.total_steps(step, elapsed, progress)
