"""Schedules to be looked at: the rates that a run would take, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from babysit.api.running import Settings, overrides_of
from babysit.errors import Fault, UserError
from babysit.figures.alone import alone
from babysit.figures.charts import Axes, Color, Line, chart
from babysit.optim.schedules import Moment, rate_factor, warmup_of
from babysit.recipe import Override, parse
from babysit.recipe.schema import SchedulePart
from babysit.training import resolve
from babysit.training.setting_faults import USED_BY

EPOCHS, STEPS_PER_EPOCH = 12, 100
"""The run that is drawn unless another is asked for."""

MOST_POINTS = 2000
COLORS: tuple[Color, ...] = ("one", "two", "three", "four", "five")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One schedule over one run: what each of its steps multiplies the peak rate by. `peak` None when it is not known."""

    part: SchedulePart
    epochs: int
    steps_per_epoch: int
    peak: float | None

    @property
    def steps(self) -> int:
        """Of the whole run."""
        return self.epochs * self.steps_per_epoch

    def factor(self, step: int) -> float:
        """What the rate of a step is over the peak; steps count from 0."""
        return rate_factor(Moment.of(step, steps_per_epoch=self.steps_per_epoch, total=self.steps), self.part)

    def some(self, most: int) -> list[int]:
        """Steps from the first to the last, evenly, all of them when they are few."""
        last = self.steps - 1
        return (
            sorted({round(last * place / max(1, most - 1)) for place in range(most)})
            if last >= most
            else [*range(last + 1)]
        )

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        points = [
            {
                "step": step,
                "epoch": step / self.steps_per_epoch,
                "factor": self.factor(step),
                **({} if self.peak is None else {"learning_rate": self.peak * self.factor(step)}),
            }
            for step in self.some(MOST_POINTS)
        ]
        about = {"kind": self.part.kind, "warmup": warmup_of(self.part), "steps": self.steps}
        return {**about, "steps_per_epoch": self.steps_per_epoch, "peak": self.peak, "points": points}


def schedules(
    kinds: Sequence[str], *, settings: Settings = (), epochs: int = EPOCHS, steps_per_epoch: int = STEPS_PER_EPOCH
) -> list[Drawn]:
    """Schedules with one set of settings, over one run.

    Arguments:
        kinds: names of SCHEDULES, one to five.
        settings: dotted name to value, as for training; `schedule.*` and `optim.lr` matter here.

    Raises:
        UserError: with every fault of the names and settings.

    >>> [drawn] = schedules(["cosine"], epochs=2, steps_per_epoch=10)
    >>> drawn.factor(0), round(drawn.factor(10), 6)
    (1.0, 0.5)
    """
    overrides = overrides_of(settings)
    drawn, faults = [], dict[Fault, None]()
    for kind in kinds:
        chosen = Override("schedule.kind", kind, "--schedule")
        length = Override("train.steps", epochs * steps_per_epoch, "--epochs, --steps-per-epoch")
        own = [one for one in overrides if _meant(one.name, kind, kinds)]
        try:
            recipe = resolve.check(parse(None, [*own, chosen, length]))
            drawn.append(Drawn(recipe.schedule, epochs, steps_per_epoch, recipe.optim.lr))
        except UserError as error:
            faults |= dict.fromkeys(error.faults)
    if faults:
        raise UserError.of([*faults])
    return drawn


def _meant(setting: str, kind: str, kinds: Sequence[str]) -> bool:
    """Whether a setting is laid over a kind: one that another of the kinds uses and this one does not is not."""
    users = [users for name, switch, users in USED_BY if (name, switch) == (setting, "schedule.kind")]
    return not users or kind in users[0] or not any(one in users[0] for one in kinds)


def picture(drawn: Sequence[Drawn]) -> str:
    """The schedules as one chart, an SVG file's text."""
    lines = []
    for one, color in zip(drawn, COLORS, strict=False):
        steps, peak = one.some(MOST_POINTS), 1.0 if one.peak is None else one.peak
        lines.append(
            Line(
                one.part.kind,
                [step / one.steps_per_epoch for step in steps],
                [peak * one.factor(step) for step in steps],
                color,
            )
        )
    up = "share of the peak rate" if drawn[0].peak is None else "learning rate"
    top = max(max(line.y) for line in lines)
    return alone(
        chart(lines, Axes("epoch", up, width=640, height=340, limits=(0, drawn[0].epochs, 0, 1.05 * top or 1.0)))
    )
