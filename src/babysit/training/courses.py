"""Courses: a training with its remedies. Fit after fit on one run, each from where a remedy or its end leaves it.

How a remedy is chosen and judged is said in `remedy`, where the files of the ways lie in `set_aside`. Without remedies,
and without settings that change on the way, this is one fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from babysit import checkpoint
from babysit.clock import Clock
from babysit.errors import UserError
from babysit.recipe import Recipe, read_resolved
from babysit.record.diagnosis import Diagnosis, Judge
from babysit.record.log import LogWriter, Row, RunLog, cut
from babysit.record.run import Run
from babysit.show import Show
from babysit.training import prepare, remedy, set_aside
from babysit.training.aside import undisturbed
from babysit.training.earlier import ON_THE_WAY, at_step, differences, next_change
from babysit.training.evaluate import probabilities
from babysit.training.event_files import mirrors
from babysit.training.fit import Fit, Stop
from babysit.training.pace import Pace
from babysit.training.remedy import Remedied
from babysit.training.session import Session
from babysit.training.watched import known_of


@dataclass(frozen=True, slots=True)
class Course:
    """One fit: what the rules say at its end, of which log, and whether the training ends with it."""

    found: list[Diagnosis]
    log: RunLog
    over: bool


@dataclass
class Courses:
    """One run being trained, with its remedies.

    Arguments:
        recipe: the run's, with all that changes on the way.
        judge: the rules.

    `ended` says why the last course ended before its plan, empty when it did not; `steps` made by all of them.
    """

    run: Run
    data: prepare.Data
    recipe: Recipe
    show: Show
    stop: Stop
    judge: Judge
    ended: str = ""
    steps: int = 0
    _pace: Pace | None = None
    _tried: list[Remedied] = field(default_factory=list)

    def train(self, session: Session) -> tuple[Session, list[Diagnosis]]:
        """Trains a session to the end of the run.

        Returns:
            The session of the last course, and what the rules say of it, worst first.

        Raises:
            InterruptedTraining: when asked to stop; the state is saved.
        """
        self._tried = remedy.read(self.run)
        for one in self._tried:
            if one.state == "trial":  # an interrupted training goes on
                self.show.say(
                    f"Remedy {one.number}, for {one.rule}, is on trial until step {one.compare:,}: {one.changes}."
                )
        if at_step(self.recipe, session.position.step) != self.recipe:
            session = self._opened(session)
        while True:
            trial = next((one for one in self._tried if one.state == "trial"), None)
            course = self._fit(session, trial)
            if trial is None and session.position.step == next_change(self.recipe, session.position.step - 1):
                session = self._opened(session)
                continue
            if trial is not None:
                session, kept = self._judged(session, trial, course.found)
                if not (kept and course.over):
                    continue
                self._append(session, self._first_row(session))
            while (one := self._chosen(session, course.found, course.log, at_end=course.over)) is not None:
                remedied = self._begun(session, one, over=course.over)
                if remedied is not None:
                    session = remedied
                    break
            else:
                if course.over:
                    old = self._gone_back(session)
                    if old is None:
                        return session, course.found
                    session = old

    def _fit(self, session: Session, trial: Remedied | None) -> Course:
        """Trains until a remedy is due, or is to be judged, or a setting changes, or the end."""
        logs: list[RunLog] = []
        began = session.position.step
        change = next_change(self.recipe, session.position.step)
        until = min((step for step in (trial and trial.compare, change) if step), default=None)

        def ends(found: Sequence[Diagnosis], log: RunLog) -> bool:
            logs.append(log)
            return fit.stopped or (trial is None and self._chosen(session, found, log, at_end=False) is not None)

        self._pace = prepare.pace_of(session)
        writer = LogWriter(self.run.log, mirrors(self.run, session.recipe, session.position.step))
        try:
            fit = Fit(
                session,
                self.run,
                writer,
                self.show,
                self.stop,
                self.judge,
                self._pace,
                until,
                ends=ends,
                first=self._first_row(session),
            )
            found = fit.train()
        finally:
            writer.close()
        self.ended = fit.ended
        self.steps += session.position.step - began
        return Course(found, logs[-1], over=fit.stopped or bool(fit.ended) or session.position.step >= session.end)

    def _chosen(self, session: Session, found: Sequence[Diagnosis], log: RunLog, *, at_end: bool) -> Diagnosis | None:
        """The diagnosis to act upon now, if there is one: a stop at once, a warning when it has stood long enough."""
        watch, step = session.recipe.watch, session.position.step
        if watch.remedy != "apply" or not len(session.validation):
            return None
        long = remedy.trial_steps(session)
        for one in remedy.worth_trying(found, self._tried, most=watch.remedies, over=at_end):
            if one.severity == "stop" or at_end:
                return one
            if step >= long and self._stood(one, log, step - session.steps_per_epoch, session):
                return one
        return None

    def _stood(self, one: Diagnosis, log: RunLog, step: int, session: Session) -> bool:
        """Whether the rules said the same an epoch ago: what comes and goes by itself is left alone."""
        earlier = RunLog(tuple(row for row in log.rows if row.step <= step))
        return any(other.rule == one.rule for other in self.judge(earlier, known_of(session)))

    def _begun(self, session: Session, found: Diagnosis, *, over: bool) -> Session | None:
        """Begins a remedy: the session of the remedied way, at its first step; None when it cannot be tried."""
        one = replace(self._planned(session, found), over=over)
        if one.state == "impossible":
            self._keep(one)
            self.show.say(f"Remedy of {one.rule}: not tried, {one.why}.")
            return None
        self._tell(one, found)
        rows = session.validation.rows
        with session.clock.section("evaluate"), session.averaged():
            said = probabilities(session.model, session.validation, session.recipe.train.precision)
        set_aside.keep_predictions(self.run, one.number, rows, said)
        self._keep(one)
        set_aside.begin(self.run, one)
        self._tried = remedy.read(self.run)
        self.recipe = set_aside.recipe_after(self.recipe, one)
        remedied = self._opened(session)
        if remedied.recipe.train.budget and one.begin and (pace := prepare.pace_of(remedied)):
            at = remedied.position.step
            total = pace.total_steps(at, remedied.clock.running(), remedied.plan.progress(at))
            remedied.plan = remedied.plan.corrected(at, total)
        return remedied

    def _planned(self, session: Session, found: Diagnosis) -> Remedied:
        """What a remedy would be: its settings resolved, where it continues from, when it is compared."""
        at, long = session.position.step, remedy.trial_steps(session)
        one = Remedied(
            len(self._tried) + 1,
            found.rule,
            found.claim,
            found.sure,
            {},
            0,
            at,
            at,
            session.clock.running(),
            "beginning",
        )
        try:
            trying, settings = resolved(self.recipe, found, self.data, session.clock)
        except UserError as error:
            asked = {name: (self.recipe.get(name), value) for name, value in (found.remedy or {}).items()}
            return replace(one, state="impossible", why=str(error).rstrip("."), settings=asked)
        begin = self._last_good(session, found, settings)
        if found.severity == "warn" and at - begin < long:
            begin = 0
        images = at * session.batch_size / trying.batch_size
        compare = max(1, round(images))
        if found.severity == "stop":
            compare = max(compare, begin + remedy.trial_steps(trying, remedy.AFTER_STOP))
        end = trying.end
        if pace := self._pace:
            end = pace.total_steps(begin, session.clock.running(), session.plan.progress(begin))
            if end < compare:
                left = max(0.0, pace.budget - session.clock.running())
                why = f"{left:.0f} s of the budget are left, which is too short to try it"
                return replace(one, state="impossible", why=why, settings=settings)
        return replace(one, settings=settings, begin=begin, compare=min(compare, end))

    def _last_good(self, session: Session, found: Diagnosis, settings: dict[str, tuple[object, object]]) -> int:
        """The step of the best checkpoint, where the remedy may continue from it; else 0."""
        best = checkpoint.best_path(self.run.checkpoints)
        if found.begin != "last" or best is None or not set(settings) <= set(ON_THE_WAY):
            return 0
        return session.best_step if 0 < session.best_step < found.since else 0

    def _judged(self, session: Session, one: Remedied, found: Sequence[Diagnosis]) -> tuple[Session, bool]:
        """Compares the two ways on the validation images: the better one's session, and whether that is the remedied way's."""
        rows = session.validation.rows
        labels = session.validation.labels[rows]
        with session.clock.section("evaluate"), session.averaged():
            said = probabilities(session.model, session.validation, session.recipe.train.precision)
        before = set_aside.kept_predictions(self.run, one.number, rows)
        balanced = session.recipe.train.metric == "macro-f1"
        one = remedy.compared(one, before, said, labels, balanced=balanced)
        if one.undecided and one.over and one.compare <= session.position.step < session.end:
            self._keep(replace(one, state="trial", compare=session.end))
            self.show.say(
                f"Remedy {one.number}: {counts_text(one, session.position.step)}, which may be chance. As the way before it is over, it is judged at its own end."
            )
            return session, False
        if one.over and session.position.step >= session.end:
            one = remedy.at_its_end(one, found)
        self._keep(one)
        self.show.say(told_verdict(one, session.position.step))
        if one.state == "kept":
            if one.over or not remedy.has_learned(before, labels):
                set_aside.forget_checkpoints(self.run, one)
            return session, True
        session = self._taken_back(session, one)
        self.show.say(f"  The training goes on the old way, from step {session.position.step:,}.")
        return session, False

    def _taken_back(self, session: Session, one: Remedied) -> Session:
        """The session of the way before a remedy, after bringing that back."""
        set_aside.take_back(self.run, one)
        self._tried = remedy.read(self.run)
        self.recipe = read_resolved(self.run.recipe)
        return self._opened(session)

    def _gone_back(self, session: Session) -> Session | None:
        """At the end: lets the way before a kept remedy go on, if it may come to more; brings it back if it did, else None."""
        kept = [one for one in self._tried if one.state in ("kept", "going on")]
        whole = [one for one in kept if set_aside.before(self.run, one.number).checkpoints.is_dir()]
        shown = session.best[session.recipe.train.metric == "loss"]
        room = (1 - shown) * len(session.validation) >= remedy.ROOM
        if whole and room and not session.recipe.train.budget and not any(one.ends for one in kept):
            one = whole[0]  # what the run would be without any remedy
            old = self._to_its_end(session, one)
            without, better = old.best[old.recipe.train.metric == "loss"], old.best > session.best
            one = replace(one, state="taking back" if better else "kept", ends=(without, shown))
            self.show.say(told_ends(one, session.recipe.train.metric))
            if better:
                for later in kept[kept.index(whole[0]) + 1 :]:
                    self._keep(replace(later, state="taken back"))
                    set_aside.forget_checkpoints(self.run, later)
                self._keep(one)
                return self._taken_back(session, one)
            self._keep(one)
        for one in whole:
            set_aside.forget_checkpoints(self.run, one)
        return None

    def _to_its_end(self, session: Session, one: Remedied) -> Session:
        """Trains the way before a remedy, in the folder where it was set aside, to its end, without remedies."""
        aside = set_aside.before(self.run, one.number)
        again = one.state == "going on"
        self._keep(replace(one, state="going on"))
        recipe = read_resolved(aside.recipe).replace({"watch.remedy": "off"})
        old = Courses(aside, self.data, recipe, self.show, self.stop, self.judge)
        opened = old._opened(session)
        self.show.say(
            f"Remedy {one.number} has come to its end. The way before it had learned too, and goes on {'again ' if again else ''}from step "
            f"{opened.position.step:,} to {opened.end:,}, to see whether it comes to more."
        )
        ended, _ = old.train(opened)
        self.steps += old.steps
        return ended

    def _opened(self, session: Session) -> Session:
        """The session of the run's files as they are now: of its newest checkpoint, or at step 0."""
        kept, _, _ = checkpoint.load_newest(self.run.checkpoints)
        step = int(kept.state["position"]["step"]) if kept else 0
        seconds, clock = session.clock.running(), session.clock
        opened, _, _ = prepare.start(at_step(self.recipe, step), self.data, clock, resumed=kept is not None)
        if kept is None:
            self.run.log.unlink(missing_ok=True)
            return opened
        before = clock.before
        cut(self.run.log, opened.restore(kept))
        clock.before = before  # it is the same session of work, and its clock has gone on
        assert clock.running() >= seconds
        return opened

    def _append(self, session: Session, row: Row | None) -> None:
        """Adds an event to the log of a course that is over."""
        assert row is not None, "there was a verdict"
        writer = LogWriter(self.run.log, mirrors(self.run, session.recipe, row.step))
        try:
            writer.append(row)
            writer.sync()
        finally:
            writer.close()

    def _first_row(self, session: Session) -> Row | None:
        """The event with which the log goes on: the remedy on trial, or the latest verdict."""
        tried = [one for one in self._tried if one.state != "impossible"]
        if not tried:
            return None
        one, at = tried[-1], session.position
        if one.state == "trial":
            values = {"remedy": float(one.number), "diagnosed_step": float(one.at)}
            return Row("remedy", at.step, at.epoch, values)
        values = {
            "remedy": float(one.number),
            "only_before": float(one.only_before),
            "only_after": float(one.only_after),
            "chance_of_that": one.p,
            "remedy_kept": float(one.state == "kept"),
        }
        return Row("verdict", at.step, at.epoch, values)

    def _keep(self, one: Remedied) -> None:
        remedy.write(self.run, one)
        self._tried = remedy.read(self.run)

    def _tell(self, one: Remedied, found: Diagnosis) -> None:
        place = f"going on from step {one.begin:,}, the last good checkpoint" if one.begin else "beginning anew"
        self.show.say(
            f"Remedy {one.number} of at most {self.recipe.watch.remedies}, for {one.rule} ({found.sure:.0%} sure at step {one.at:,}): "
            f"{one.changes}; {place}."
        )
        self.show.say(
            f"  After step {one.compare:,} it is kept if it is better than the old way, by McNemar's test on the validation images."
        )


def resolved(
    recipe: Recipe, found: Diagnosis, data: prepare.Data, clock: Clock
) -> tuple[Session, dict[str, tuple[object, object]]]:
    """A session at step 0 of a recipe with a diagnosis's remedy, rules applied; and the settings, before and after.

    Raises:
        UserError: when the remedy does not fit the other settings, or changes nothing.
    """
    try:
        changed = remedy.remedied(recipe, found.remedy or {}).replace({"train.earlier": ()})
        remedy.check(changed)
        with undisturbed():  # the training may go on
            session, changed, _ = prepare.start(changed, data, clock)
    except (UserError, ValidationError) as error:
        raise UserError(f"its settings do not fit the others: {error}") from error
    settings = differences(recipe, changed)
    if not settings:
        raise UserError("the settings are what it would make them")
    return session, settings


def counts_text(one: Remedied, step: int) -> str:
    """What two ways say of the same images, for a sentence."""
    return (
        f"after step {step:,}, of {one.common:,} validation images, {one.only_after} are right with it alone and "
        f"{one.only_before} without it alone (p = {one.p:.2g})"
    )


def told_verdict(one: Remedied, step: int) -> str:
    """What became of a remedy, for a person."""
    counts = counts_text(one, step)
    if one.state == "kept":
        gone = f". Both ways are at their ends, and {one.rule} is no longer said" if one.undecided else ""
        return f"Remedy {one.number} is kept: {counts}{gone}."
    why = "that may be chance" if one.only_after > one.only_before else "it is no better"
    return f"Remedy {one.number} is taken back: {counts}, so {why}."


def told_ends(one: Remedied, metric: str) -> str:
    """What became of a remedy when both ways had come to their ends, for a person."""
    name = "accuracy" if metric == "loss" else metric
    without, with_it = (f"{value:.1%}" for value in one.ends or ())
    if one.state == "kept":
        return (
            f"Remedy {one.number} stays: the validation {name} is {with_it} with it, and would be {without} without it."
        )
    return f"Remedy {one.number} is taken back: the validation {name} is {without} without it, and {with_it} with it."
