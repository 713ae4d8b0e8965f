"""Fit: the consumer that makes a run out of the loop's events. It records, evaluates, saves, judges and stops."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from babysit import checkpoint
from babysit.device import peak_memory
from babysit.errors import InterruptedTraining, writing
from babysit.metrics import Scores, score
from babysit.probes.meter import Values
from babysit.record import predictions
from babysit.record.diagnosis import Diagnosis, Judge
from babysit.record.log import LogWriter, Row, RunLog, read_log
from babysit.record.run import Run
from babysit.show import EpochShown, Show, StepShown, plural
from babysit.training.evaluate import probabilities, worth
from babysit.training.loop import EpochDone, StepDone, train
from babysit.training.pace import Pace
from babysit.training.session import Session
from babysit.training.verdicts import Verdicts, nothing, stops
from babysit.training.watched import Watched, known_of


@dataclass(slots=True)
class Stop:
    """Set from outside (a signal, a watcher) to end the training after the step it is in."""

    asked: str = ""


def _same_event(one: Row, other: Row) -> bool:
    """Whether two rows tell the same of the same remedy, whenever that was."""
    return one.kind == other.kind and one.values.get("remedy") == other.values.get("remedy")


@dataclass
class Fit:
    """One training being made into a run.

    Arguments:
        judge: the rules; asked after an epoch, every so many steps of a long one, and at once when a loss is not finite.
        pace: of a budget run, else None.
        until: the step after which to save and leave the rest to another time, None for the plan's end.
        watch: told of every step; what it answers ends the training, nothing lets it go on.
        ends: whether what the rules say, of the log, ends the training; asked whenever they were.
        first: a row that the log gets before the next step, unless it has it already.

    `ended` says why the training ended before its plan, empty when it did not; `stopped` whether a `stop` was said at a
    look that a training without remedies has too.
    """

    session: Session
    run: Run
    writer: LogWriter
    show: Show
    stop: Stop
    judge: Judge = nothing
    pace: Pace | None = None
    until: int | None = None
    watch: Callable[[StepDone], str] | None = None
    ends: Callable[[Sequence[Diagnosis], RunLog], bool] = stops
    first: Row | None = None
    ended: str = ""
    stopped: bool = False
    _rows: list[Row] = field(default_factory=list)
    _log: RunLog = field(init=False)
    _watched: Watched = field(init=False)
    _verdicts: Verdicts = field(init=False)
    _saved: float = 0.0
    _step_began: float = 0.0
    _rate: float = 0.0
    _over: bool = False

    def __post_init__(self) -> None:
        self._log = RunLog(self._rows)
        self._watched = Watched(self.session, self.run)
        self._verdicts = Verdicts(self.run, self.show, self.judge)

    def train(self) -> list[Diagnosis]:
        """Runs to the end of the plan, until a diagnosis ends it, or until patience is over.

        Returns:
            What the rules say of the whole, worst first.

        Raises:
            InterruptedTraining: when asked to stop; the state is saved.
        """
        try:
            self._train()
        finally:
            self._watched.close()
        self._look(extra=True)
        return self._verdicts.diagnoses

    def _train(self) -> None:
        session = self.session
        if session.position.step:
            self._rows.extend(read_log(self.run.log).rows)
        elif (row := self._watched.start()) is not None:
            self._record(row)
        if self.first is not None and not any(_same_event(row, self.first) for row in self._rows):
            self._record(self.first)
        self._saved = self._step_began = time.perf_counter()
        if self.pace:
            self.pace.begin(
                session.position.step, session.clock.running(), session.plan.progress(session.position.step)
            )
        position = session.position
        if position.step:
            self._look_if_due(position.step, ended=position.batch == 0)
        # The process may have ended between a checkpoint and its own end.
        if self._over or self._patience_is_over() or self._pauses():
            return
        for event in train(session):
            if isinstance(event, StepDone):
                self._after_step(event)
            else:
                self._after_epoch(event)
            if self.watch and isinstance(event, StepDone) and (why := self.watch(event)):
                self.ended = why
                break
            if self._over:
                if isinstance(event, StepDone) and math.isfinite(event.loss):
                    self.save()
                break
            if isinstance(event, EpochDone) and self._patience_is_over():
                break
            if self._pauses():
                self.save()
                break
            if self.stop.asked and session.position.step < session.end:
                self.save()
                raise InterruptedTraining(self.stop.asked)
        if session.end < session.plan.total and not self._over and not self.ended:
            self.ended = f"after epoch {session.position.epoch}, as train.stop_after says; the schedule goes on to step {session.plan.total:,}"

    def save(self) -> None:
        """Publishes a checkpoint of now; what the log holds up to now belongs to it."""
        with self.session.clock.section("checkpoint"):
            path = checkpoint.save(
                self.run.checkpoints, self.session.position.step, self.session.checkpoint(self.writer.sync())
            )
            self._saved = time.perf_counter()
            if self.session.best_step == self.session.position.step:
                checkpoint.mark_best(self.run.checkpoints, path)
            checkpoint.prune(self.run.checkpoints)

    def _after_step(self, done: StepDone) -> None:
        session, now = self.session, time.perf_counter()
        seconds, self._step_began = now - self._step_began, now
        self._rate = done.images / seconds if not self._rate else 0.95 * self._rate + 0.05 * done.images / seconds
        with session.clock.section("record"):
            values = {
                "loss": done.loss,
                "penalty": done.penalty,
                "accuracy": done.accuracy,
                "learning_rate": done.learning_rate,
                "step_seconds": seconds,
            }
            more, layers = self._watched.after_step(done.step, done.epoch)
            self._record(Row("step", done.step, done.epoch, values | more))
            if layers is not None:
                self._record(layers)
            left = (session.end - done.step) * done.images / self._rate
            self.show.step(
                StepShown(done.epoch, done.step, session.end, done.loss, done.learning_rate, self._rate, left)
            )
        for note in [note for note, told in session.notes.items() if not told]:
            self.show.say(f"Note: {note}")
            session.notes[note] = True
        if not math.isfinite(done.loss):
            self._look(extra=False)
            return
        self._look_if_due(done.step, ended=False)
        self._correct_pace(done)
        if now - self._saved >= session.recipe.train.checkpoint_seconds and done.step < session.end:
            self.save()

    def _after_epoch(self, done: EpochDone) -> None:
        session = self.session
        scores, more = self._evaluate(done) if len(session.validation) else (None, self._look_closely(done, None))
        values = {"train_loss": done.train_loss, "train_accuracy": done.train_accuracy}
        if scores:
            values["validation_loss"] = scores.loss
            values["validation_accuracy"] = scores.accuracy
            values["validation_macro_f1"] = scores.macro_f1
        else:
            session.best_step = done.step  # nothing to choose by: the newest network is the one that is kept
        values |= {"images_per_second": self._rate, "peak_memory": float(peak_memory())}
        self._record(Row("epoch", done.step, done.epoch, values | more))
        self._show_epoch(done, scores)
        if trouble := self._watched.trouble():
            self.show.say(f"Note: measuring has ended, the training goes on: {trouble}")
        self._look_if_due(done.step, ended=True)
        self.save()
        self._step_began = time.perf_counter()

    def _evaluate(self, done: EpochDone) -> tuple[Scores, Values]:
        """Judges the network by validation; the best one's predictions are kept. Also what the watcher measures."""
        session, begun = self.session, time.perf_counter()
        with session.clock.section("evaluate"), session.averaged():
            predicted = probabilities(session.model, session.validation, session.recipe.train.precision)
            scores = score(predicted, session.validation.labels[session.validation.rows], session.classes)
        more = self._look_closely(done, predicted)
        if self.pace:
            self.pace.evaluated(time.perf_counter() - begun)
        worth_now = worth(scores, session.recipe.train.metric)
        if session.best_step < 0 or worth_now > session.best:
            session.best, session.best_step = worth_now, session.position.step
            with session.clock.section("record"):
                rows = session.validation.rows
                predictions.write(self.run, "val", rows, session.validation.labels[rows], predicted)
        return scores, more

    def _look_closely(self, done: EpochDone, predicted: NDArray[np.float32] | None) -> Values:
        with self.session.averaged():
            return self._watched.after_epoch(done.epoch, predicted, last=done.last)

    def _pauses(self) -> bool:
        """Whether `until` is reached; an epoch that has made its last step is ended first."""
        at, plan = self.session.position, self.session.plan
        return self.until is not None and self.until <= at.step < plan.total and at.batch < self.session.steps_per_epoch

    def _patience_is_over(self) -> bool:
        """Whether `train.patience` epochs have passed since the best one; if so, that is recorded and said.

        Everything it looks at is in the checkpoint and the log, so a resumed run stops where another would have.
        """
        session, patience = self.session, self.session.recipe.train.patience
        if patience is None or session.position.step >= session.end:
            return False
        epochs = [row for row in self._rows if row.kind == "epoch"]
        without = sum(row.step > session.best_step for row in epochs)
        if without < patience:
            return False
        best = len(epochs) - without
        self.ended = (
            f"no better validation {session.recipe.train.metric} in {plural(without, 'epoch')}; the best was epoch {best}, "
            f"and {session.end - session.position.step:,} of {session.end:,} steps were not made"
        )
        values = {"best_step": float(session.best_step), "epochs_without_better": float(without)}
        self._record(Row("stopped", session.position.step, session.position.epoch - 1, values))
        self.writer.sync()
        self.show.say(f"Stopped: {self.ended}.")
        return True

    def _correct_pace(self, done: StepDone) -> None:
        if not self.pace:
            return
        session = self.session
        total = self.pace.correction(done.step, session.clock.running(), session.plan.progress(done.step))
        if total is not None and total != session.plan.total:
            session.plan = session.plan.corrected(done.step, total)
            values = {"total_steps": float(session.plan.total), "elapsed": session.clock.running()}
            self._record(Row("correction", done.step, done.epoch, values))

    def _record(self, row: Row) -> None:
        self._rows.append(row)
        with writing(self.run.log, "the log"):
            self.writer.append(row)

    def _look_if_due(self, step: int, *, ended: bool) -> None:
        """Judges in long epochs every 20 looks at the layers; at their ends, unless two looks ago one was.

        Where remedies are applied also at the first end of an epoch in each tenth of the plan, so that little is lost: an
        extra look. All a function of the step, so that a resumed training judges, and stops, where another would have.
        """
        session = self.session
        every, total = session.recipe.watch.every or 10, session.plan.total
        before = max(0, step - session.steps_per_epoch)
        usual = step // (2 * every) > before // (2 * every) if ended else step % (20 * every) == 0
        more = ended and session.recipe.watch.remedy == "apply" and 10 * step // total > 10 * before // total
        if usual or more:
            self._look(extra=not usual)

    def _look(self, *, extra: bool) -> None:
        """Applies the rules to all that has been seen."""
        with self.session.clock.section("judge"):
            self._verdicts.look(self._log, known_of(self.session))
            found = self._verdicts.diagnoses
            self.stopped |= not extra and any(one.severity == "stop" for one in found)
            self._over = self.ends(found, self._log)

    def _show_epoch(self, done: EpochDone, scores: Scores | None) -> None:
        session = self.session
        left = (session.end - done.step) * session.batch_size / self._rate if self._rate else 0.0
        self.show.epoch(
            EpochShown(
                epoch=done.epoch,
                step=done.step,
                total_steps=session.end,
                train_loss=done.train_loss,
                train_accuracy=done.train_accuracy,
                validation_loss=scores.loss if scores else None,
                validation_accuracy=scores.accuracy if scores else None,
                learning_rate=session.learning_rate(),
                images_per_second=self._rate,
                seconds_left=left,
                best=session.best_step == done.step,
            )
        )
