"""One trial: an ordinary run in the study's folder, trained to the end of a stage and gone on with later, bit for bit."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from babysit import checkpoint
from babysit.clock import Clock
from babysit.diagnosing import judge
from babysit.errors import writing
from babysit.metrics import score
from babysit.recipe import Recipe, read_resolved, render
from babysit.record import atomic, predictions
from babysit.record import run as runs
from babysit.record.log import LogWriter, cut, read_log
from babysit.record.run import Run
from babysit.searching.early import cooled
from babysit.searching.length import mean_step
from babysit.searching.quitting import Watch
from babysit.searching.space import Space, Value
from babysit.searching.stages import Result, Trial
from babysit.show import Show
from babysit.training import prepare
from babysit.training.environment import note_session
from babysit.training.evaluate import worth
from babysit.training.fit import Fit, Stop
from babysit.training.loop import StepDone
from babysit.training.plan import Plan
from babysit.training.session import Session, build
from babysit.training.verdicts import careful

SHAPING = ("data.", "preprocess.", "model.", "train.", "loss.", "optim.kind", "optim.batch_size", "augment.colour")
"""Settings after which the data are prepared, the rules asked and the step measured anew."""


@dataclass
class Ground:
    """What all trials of a worker stand on: the decoded data, and for each shape of network and data a session that no
    trial trains, with everything decided that is by rule.

    `recipe` what is searched around.
    """

    recipe: Recipe
    data: prepare.Data
    split: Path
    _prepared: dict[tuple[tuple[str, Value], ...], tuple[Session, dict[str, str]]] = field(default_factory=dict)
    _seconds: dict[tuple[tuple[str, Value], ...], float] = field(default_factory=dict)

    def shape(self, params: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
        """Those parameters that shape the network or the data."""
        return tuple((name, value) for name, value in sorted(params.items()) if name.startswith(SHAPING))

    def prepared(self, params: Mapping[str, Value]) -> tuple[Session, dict[str, str]]:
        """The session for parameters, and the reasons of what was decided in it.

        Raises:
            UserError: when they do not go together.
        """
        shape = self.shape(params)
        if shape not in self._prepared:
            recipe = self.recipe.replace(dict(shape))
            session, session.recipe, reasons = prepare.start(recipe, self.data, Clock(time.perf_counter()))
            self._prepared[shape] = session, reasons
        return self._prepared[shape]

    def seconds_a_step(self, params: Mapping[str, Value]) -> float:
        """What a step of a whole training takes in the mean, measured once for each shape."""
        shape = self.shape(params)
        if shape not in self._seconds:
            self._seconds[shape] = mean_step(self.prepared(params)[0])
        return self._seconds[shape]

    def usual(self, space: Space) -> dict[str, Value]:
        """What a training takes without a search, of the settings in a space and where it is within."""
        recipe, found = self.prepared({})[0].recipe, {}
        for one in space:
            value = 1.0 if one.relative else recipe.get(one.name)
            within = (
                value in one.choices
                if one.choices
                else isinstance(value, (int, float)) and one.low <= value <= one.high
            )
            if within:
                found[one.name] = value
        return found

    def chance(self) -> float:
        """The accuracy of always naming the commonest class of the training images."""
        counts = np.bincount(self.data.catalog.labels[self.data.split.train])
        return float(counts.max() / counts.sum())


def recipe_of(trial: Trial, ground: Ground, space: Space) -> tuple[Recipe, dict[str, str]]:
    """The whole recipe of a trial, and why its settings are as they are."""
    session, reasons = ground.prepared(trial.params)
    changes: dict[str, object] = {
        "train.steps": trial.total,
        "train.epochs": None,
        "train.budget": None,
        "seed": trial.seed,
    }
    notes = dict(reasons)
    for one in space:
        value = trial.params[one.name]
        if one.relative:
            assert session.recipe.optim.lr is not None and isinstance(value, (int, float))
            changes[one.name] = float(f"{session.recipe.optim.lr * value:.3g}")
            notes[one.name] = (
                f"trial {trial.number} of a search: {value:g} times the rule's rate, {session.recipe.optim.lr:g}"
            )
        else:
            changes[one.name] = value
            notes[one.name] = f"trial {trial.number} of a search over {one.said()}"
    return session.recipe.replace(changes), notes


def open_trial(trial: Trial, run: Run, ground: Ground, space: Space) -> Session:
    """The session of a trial where its last checkpoint left it, or at its beginning; its run is made when it is not there."""
    prepared, _ = ground.prepared(trial.params)
    if not run.recipe.exists():
        recipe, notes = recipe_of(trial, ground, space)
        _begin(run, recipe.replace({"data.split": run.split.name}), notes, ground)
    # Every session of a trial reads the same file: so none can differ from another by a rounding.
    recipe = read_resolved(run.recipe)
    plan, clock = Plan(((0, trial.total),)), Clock(time.perf_counter())
    session = build(recipe, prepared.training, prepared.validation, prepared.classes, plan=plan, clock=clock)
    session.step_seconds = prepared.step_seconds
    run.diagnoses.unlink(missing_ok=True)  # the rules judge the whole log again
    kept, path, _ = checkpoint.load_newest(run.checkpoints)
    if kept is None or path is None:
        run.log.unlink(missing_ok=True)
        return session
    cut(run.log, session.restore(kept))
    if session.best_step == session.position.step:  # the process may have died between publishing and marking
        checkpoint.mark_best(run.checkpoints, path)
    return session


def _begin(run: Run, recipe: Recipe, notes: dict[str, str], ground: Ground) -> None:
    """The folder of an ordinary run, as `train` makes it; its recipe comes last, and means that all is there."""
    with writing(run.path, "the trial"):
        for folder in (run.checkpoints, run.predictions):
            folder.mkdir(parents=True, exist_ok=True)
        run.split.unlink(missing_ok=True)
        try:
            os.link(ground.split, run.split)  # the same for all trials, and large for large data
        except OSError:
            run.split.write_bytes(ground.split.read_bytes())
        run.update_manifest(
            status="training", checks=[], reasons=notes, asked={}, data=ground.data.summary(), corrections={}
        )
        atomic.write_text(run.recipe, render(recipe, notes))


@dataclass(frozen=True, slots=True)
class Came:
    """What training a trial to the end of a stage came to: a `result`, or the `reason` why it was quitted."""

    session: Session
    result: Result | None
    reason: str
    seconds: float


def train_trial(trial: Trial, run: Run, session: Session, watch: Watch, *, show: Show, stop: Stop) -> Came:
    """Trains to the end of the trial's stage, unless it is quitted.

    Raises:
        InterruptedTraining: when asked to stop; the state is saved.
    """
    begun, first = time.perf_counter(), session.position.step
    note_session(run, session)
    # Of a trial that goes on, the first loss is the one it began with.
    watch.first = next((row.values["loss"] for row in read_log(run.log).of("step")), None) if first else None
    writer = LogWriter(run.log)
    until = trial.ends(trial.stage)
    try:
        fit = Fit(session, run, writer, show, stop, careful(judge, show.say), until=until, watch=_watching(watch))
        diagnoses = fit.train()
    finally:
        writer.close()
    reason = fit.ended or " ".join(one.claim for one in diagnoses if one.severity == "stop")
    result = None if reason else _result(session, run, whole=until >= trial.total)
    seconds = time.perf_counter() - begun
    whole = until >= trial.total and not reason
    run.update_manifest(
        status="finished" if whole else "stopped by the search" if reason else "interrupted",
        ended=reason,
        epochs=session.position.epoch,
        best_epoch=-(-max(0, session.best_step) // session.steps_per_epoch),
        steps=session.position.step,
        seconds=session.clock.running(),
        images_per_second=(session.position.step - first) * session.batch_size / max(seconds, 1e-9),
        times={name: round(value, 4) for name, value in session.clock.totals().items()},
    )
    return Came(session, result, reason, seconds)


def _watching(watch: Watch) -> Callable[[StepDone], str]:
    return lambda done: watch.step(done.step, done.loss, done.accuracy, done.images)


def _result(session: Session, run: Run, *, whole: bool) -> Result:
    """The validation figures that a training would come to if it were cooled down now; of a whole training those of the
    network that was kept."""
    metric, rows = session.recipe.train.metric, session.validation.rows
    if whole:
        scores = predictions.read(run).scores(session.classes)
    else:
        kept, _, _ = checkpoint.load_newest(run.checkpoints)
        assert kept is not None, "a stage ends with a checkpoint"
        predicted = cooled(session, kept)
        scores = score(predicted, session.validation.labels[rows], session.classes)
    return Result(session.position.step, scores.accuracy, scores.loss, worth(scores, metric)[0])


def make_run(path: Path) -> Run:
    """The folder of a trial, which may have been begun before."""
    with writing(path, "the trial"):
        path.mkdir(parents=True, exist_ok=True)
    return Run(path)


hold = runs.lock
"""A trial is in a worker's hands while the worker holds its run."""
