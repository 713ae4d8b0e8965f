"""The experiment that decides a diagnosis: the same steps twice on copies, without and with changed settings."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from babysit import checkpoint
from babysit.clock import Clock
from babysit.data.corrections import read_lists
from babysit.probes.meter import Meter
from babysit.recipe import Recipe, read_resolved
from babysit.record.diagnosis import Begin, Experiment
from babysit.record.run import Run
from babysit.show import Show
from babysit.training import prepare
from babysit.training.aside import undisturbed
from babysit.training.loop import StepDone, train
from babysit.training.plan import Plan
from babysit.training.session import Session

TAKEN = ("loss", "penalty", "accuracy", "gradient_norm", "penalty_gradient_norm")
"""Quantities an experiment can compare: those of a step's row that need no validation."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What an experiment came to: the quantity's mean without and with the settings, and whether the prediction holds.

    `begin` where it began; `note` why there is none; then nothing else is told.
    """

    without: float = float("nan")
    changed: float = float("nan")
    holds: bool = False
    begin: Begin = "start"
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        if self.note:
            return {"note": self.note}
        return {
            "without": _plain(self.without),
            "changed": _plain(self.changed),
            "holds": self.holds,
            "begin": self.begin,
        }

    def text(self, experiment: Experiment) -> str:
        """One sentence for a person."""
        if self.note:
            return f"The experiment was not made: {self.note}."
        verdict = "as predicted, so the diagnosis is borne out"
        if not self.holds:
            verdict = "against the prediction, so something else is the matter, or not this alone"
        made = replace(experiment, begin=self.begin)
        return f"Experiment: {made.text()}. It is {self.changed:.4g}, and {self.without:.4g} without: {verdict}."


def confirm(run: Run, experiment: Experiment, show: Show) -> Confirmed:
    """Runs an experiment; run, random streams and everything else stay as they are.

    A finished run has no steps left of its schedule, so its experiments begin at the initial weights, and from there
    both copies take a constant rate (unless the settings say otherwise), as the first steps of many schedules are tiny.
    """
    if experiment.quantity not in TAKEN:
        return Confirmed(note=f"{experiment.quantity} is not seen at every step")
    if not run.recipe.exists():
        return Confirmed(note="the run has no recipe, so only you can change its settings")
    recipe = read_resolved(run.recipe)
    begin: Begin = "start" if run.read_manifest().get("status") == "finished" else experiment.begin
    usual: dict[str, object] = {"schedule.kind": "constant", "schedule.warmup": 0.0} if begin == "start" else {}
    with undisturbed():
        means = []
        for settings in ({}, experiment.settings):
            changed = recipe.replace({**usual, **settings})
            session = _session(run, changed, show, begin=begin)
            means.append(_mean(session, experiment))
    return Confirmed(means[0], means[1], experiment.holds(means[0], means[1]), begin)


def _session(run: Run, recipe: Recipe, show: Show, *, begin: str) -> Session:
    clock = Clock(time.perf_counter())
    lists = read_lists(recipe.data.exclude, recipe.data.relabel)
    catalog, recipe, _ = prepare.look(recipe, clock, lists=lists, show=show)
    data = prepare.decode(catalog, recipe, lists=lists, clock=clock, show=show, own=run.split)
    session, filled, _ = prepare.start(recipe, data, clock)
    session.recipe = filled
    kept = checkpoint.load_newest(run.checkpoints)[0] if begin == "last" else None
    if kept is not None:
        session.restore(kept)
    return session


def _mean(session: Session, experiment: Experiment) -> float:
    """The quantity's mean over the later half of the steps; infinite once a loss is not finite."""
    first = session.position.step
    if session.plan.total < first + experiment.steps:
        session.plan = Plan(((0, first + experiment.steps),))
    session.meter = Meter(session.model, 1, session.regularizer.gradient_norm)
    session.meter.step = first
    values: list[float] = []
    steps = (event for event in train(session) if isinstance(event, StepDone))
    for done in itertools.islice(steps, experiment.steps):
        seen = {"loss": done.loss, "penalty": done.penalty, "accuracy": done.accuracy, **session.meter.take().step}
        if not np.isfinite(done.loss):
            return float("inf")
        values.append(seen.get(experiment.quantity, float("nan")))
    later = values[len(values) // 2 :]
    return float(np.mean(later)) if later else float("nan")


def _plain(value: float) -> float | str:
    return value if np.isfinite(value) else str(value)
