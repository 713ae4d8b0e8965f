"""Running a training: from what was asked to a finished run, also after an interruption."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from babysit import checkpoint
from babysit.api.remedying import end_with_remedies
from babysit.api.reports import suspected
from babysit.api.signals import stop_on_signals
from babysit.checks.start import allowance, before_training
from babysit.clock import Clock
from babysit.data import corrections
from babysit.data.corrections import read_lists
from babysit.diagnosing import judge
from babysit.errors import InterruptedTraining, UserError, writing
from babysit.evaluating import finishing
from babysit.recipe import Override, Parsed, Recipe, parse, read_resolved, render, setting_names
from babysit.record import run as runs
from babysit.record.log import cut
from babysit.record.run import Run
from babysit.reporting.diagnosed import found_in
from babysit.reporting.page import validation_scores, write_report
from babysit.searching.confirm import confirm_rate, seconds_needed
from babysit.show import Show, Silent, plural
from babysit.training import prepare, remedy, resolve, set_aside
from babysit.training.courses import Courses
from babysit.training.environment import note_session
from babysit.training.kept_recipe import write_recipe
from babysit.training.session import Session
from babysit.training.verdicts import careful
from babysit.training.watched import known_of

STOPPED = "stopped by a diagnosis"

Settings = Mapping[str, object] | Sequence[Override]


@dataclass(frozen=True)
class Trained:
    """What a training came to.

    `validation` the scores of the kept (best) network; `diagnoses` worst first; `times` seconds by section; `remedies`
    that were applied, with what became of each; `suggested` rule, settings (before, after), recipe and command.
    """

    run: Path
    validation: dict[str, Any]
    epochs: int
    best_epoch: int
    steps: int
    seconds: float
    images_per_second: float
    diagnoses: list[dict[str, Any]]
    times: dict[str, float]
    remedies: list[dict[str, Any]]
    suggested: dict[str, Any]

    @property
    def stopped(self) -> bool:
        """Whether a diagnosis ended the training."""
        return any(diagnosis["severity"] == "stop" for diagnosis in self.diagnoses)

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**values, "run": str(self.run)}


def train(
    data: str,
    *,
    out: str | Path | None = None,
    recipe: str | Path | None = None,
    settings: Settings = (),
    resume: bool = False,
    show: Show | None = None,
    clock: Clock | None = None,
    anyway: bool = False,
) -> Trained:
    """Trains a classifier on a folder of images and keeps everything about it in a run directory.

    Arguments:
        data: a folder of class folders, a zip of one, CIFAR's or MNIST's files, an .npz, or a name such as `digits`.
        out: the run directory; by default `runs/NAME`, with a number when that exists.
        recipe: a TOML file of settings.
        settings: dotted name to value, laid over the recipe.
        resume: go on with the run in `out` from its last checkpoint.
        anyway: train also when a check before training fails.

    Raises:
        ChecksFailed: when one does.
        UserError: when the user must change something; nothing of theirs was touched.
        InterruptedTraining: after Ctrl-C or SIGTERM, with the state saved.
    """
    show, clock = show or Silent(), clock or Clock(time.perf_counter())
    asked = read_request(data, recipe, settings)
    if asked.recipe.data.folds and asked.recipe.data.fold is None:
        raise UserError(
            f"data.folds = {asked.recipe.data.folds} makes several runs, and one was asked for",
            where=asked.places.get("data.folds", "data.folds"),
            hint="Use babysit.cross_validate for all folds, or set data.fold to the number of one",
        )
    if resume:
        if out is None:
            raise UserError("--resume needs to know which run", where="--resume", hint="Give its folder with -o RUN")
        run = Run(Path(out))
        if (run.path / "manifest.json").exists():
            return _resume(run, asked, show, clock, anyway=anyway)
        show.say(f"There is no run at {run.path} yet: starting from the beginning.")
    return _start(asked, Path(out) if out else None, show, clock, anyway=anyway)


def read_request(data: str, recipe: str | Path | None = None, settings: Settings = ()) -> Parsed:
    """What was asked for, checked for every fault that needs no data to be seen."""
    overrides = [*overrides_of(settings), Override("data.source", str(data), "DATA")]
    parsed = parse(Path(recipe) if recipe else None, overrides)
    resolve.check(parsed)
    return parsed


def dry_run(data: str, *, recipe: str | Path | None = None, settings: Settings = ()) -> str:
    """The resolved recipe as TOML, with the reason of each decision; trains nothing."""
    clock = Clock(time.perf_counter())
    asked = read_request(data, recipe, settings).recipe
    lists = read_lists(asked.data.exclude, asked.data.relabel)
    catalog, sized, reasons = prepare.look(asked, clock, lists=lists, show=Silent())
    cut_data = prepare.decode(catalog, sized, lists=lists, clock=clock, show=Silent())
    session, session.recipe, more = prepare.start(sized, cut_data, clock)
    reasons = {**reasons, **more}
    _confirm_rate(session, reasons, deadline=time.perf_counter() + allowance(session))
    return render(session.recipe, reasons)


def _start(asked: Parsed, out: Path | None, show: Show, clock: Clock, *, anyway: bool) -> Trained:
    runs.check_place(out or runs.free_name(Path("runs"), stem_of(asked.recipe.data.source)))
    lists = read_lists(asked.recipe.data.exclude, asked.recipe.data.relabel)
    catalog, recipe, reasons = prepare.look(asked.recipe, clock, lists=lists, show=show)
    data = prepare.decode(catalog, recipe, lists=lists, clock=clock, show=show)
    _tell_data(data, show)
    session, recipe, more = prepare.start(recipe, data, clock)
    session.recipe = recipe
    reasons = {**reasons, **more}
    checks = _before_training(session, reasons, show, anyway=anyway)
    recipe = session.recipe
    with clock.section("record"):
        run = runs.create(out or runs.free_name(Path("runs"), stem_of(recipe.data.source)))
    with runs.lock(run):
        with clock.section("record"):
            if note := prepare.write_split(run, data, recipe):
                show.say(f"  Note: {note}.")
            if not data.split.by_rule:
                session.recipe = recipe = recipe.replace({"data.split": str(run.split)})
            corrections.keep(lists, run.corrections)
            with writing(run.path, "the run"):
                write_recipe(run, recipe, reasons)
            known = known_of(session).as_json()
            about = {"data": data.summary(), "corrections": lists.digests(), "known": known}
            run.update_manifest(
                status="training", checks=checks, reasons=reasons, asked=written_settings(asked), **about
            )
        return _fit(session, run, data, show)


def _before_training(session: Session, reasons: dict[str, str], show: Show, *, anyway: bool) -> list[dict[str, object]]:
    """The fast part of the ladder, then the rate if it is by rule, both within one allowance of time."""
    for name, why in reasons.items():
        show.say(f"  {name} = {session.recipe.get(name)} ({why})")
    seconds, begun = allowance(session), time.perf_counter()
    kept = min(seconds / 2, seconds_needed(session)) if "optim.lr" in reasons else 0.0
    checks = before_training(session, show, anyway=anyway, deadline=begun + seconds - kept)
    if said := _confirm_rate(session, reasons, deadline=begun + seconds):
        show.say(f"  {said}")
    return checks


def _confirm_rate(session: Session, reasons: dict[str, str], *, deadline: float) -> str:
    """Tries the rate that the rule gives; what is learnt of it becomes part of its reason, and of the recipe."""
    if "optim.lr" not in reasons:
        return ""
    with session.clock.section("check"):
        found = confirm_rate(session, deadline=deadline)
    if not found.why:
        return ""
    session.recipe = session.recipe.replace({"optim.lr": found.rate})
    reasons["optim.lr"] = found.why if found.corrected else f"{reasons['optim.lr']}; {found.why}"
    return f"optim.lr = {found.rate:g} ({found.why})"


def _resume(run: Run, asked: Parsed, show: Show, clock: Clock, *, anyway: bool) -> Trained:
    with runs.lock(run):
        set_aside.settle(run)
    manifest = run.read_manifest()
    if not run.recipe.exists() or "data" not in manifest:
        show.say("The run was stopped before its first step: starting from the beginning.")
        with runs.lock(run):
            run.manifest.unlink()
        for leftover in (run.recipe, run.split, run.path / ".lock"):
            leftover.unlink(missing_ok=True)
        shutil.rmtree(run.corrections, ignore_errors=True)
        for folder in (run.checkpoints, run.predictions):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        return _start(asked, run.path, show, clock, anyway=anyway)
    recipe = read_resolved(run.recipe)
    _check_same(recipe, asked, run)
    if manifest.get("status") == STOPPED:
        raise UserError(
            "a diagnosis stopped this run; going on from its checkpoint would come to the same",
            where=str(run.path),
            hint=f"Read {run.diagnoses} or the report, and start a new run with changed settings and another -o",
        )
    if manifest.get("status") == "finished":
        show.say("This run has finished already; nothing is left to do.")
        return _result(run, clock, [one.as_json() for one in found_in(run)])
    with runs.lock(run):
        lists = read_lists(recipe.data.exclude, recipe.data.relabel)
        again = read_lists(asked.recipe.data.exclude, asked.recipe.data.relabel)
        corrections.check_unchanged(lists, manifest.get("corrections", {}), again, run.corrections)
        catalog, recipe, _ = prepare.look(recipe, clock, lists=lists, show=show)
        data = prepare.decode(catalog, recipe, lists=lists, clock=clock, show=show, own=run.split)
        _tell_data(data, show)
        run.diagnoses.unlink(missing_ok=True)  # the rules judge the whole log again
        tried = remedy.read(run)
        kept, path, complaints = checkpoint.load_newest(run.checkpoints)
        for complaint in complaints:
            show.say(f"Passed over: {complaint}")
        session, recipe, _ = prepare.start(recipe, data, clock, resumed=kept is not None)
        if kept is not None:
            offset = session.restore(kept)
            cut(run.log, offset)
            assert path is not None
            if session.best_step == session.position.step:  # the process may have died between publishing and marking
                checkpoint.mark_best(run.checkpoints, path)
            show.say(f"Going on from {path.name} (step {session.position.step} of {session.end}).")
        else:
            run.log.unlink(missing_ok=True)
            if tried and tried[-1].state == "trial":
                clock.before = tried[-1].seconds  # what the way before it took
            show.say("The run had no checkpoint yet: starting from its beginning.")
        return _fit(session, run, data, show)


def _fit(session: Session, run: Run, data: prepare.Data, show: Show) -> Trained:
    clock = session.clock
    with clock.section("record"):
        note_session(run, session)
    begun = time.perf_counter()
    with stop_on_signals() as stop:
        courses = Courses(run, data, session.recipe, show, stop, careful(judge, show.say))
        try:
            session, diagnoses = courses.train(session)
        except InterruptedTraining:
            run.update_manifest(status="interrupted")
            again = f"babysit train {quote(session.recipe.data.source)} -o {quote(str(run.path))} --resume"
            said = f"Stopped by {stop.asked}; everything is saved. Go on with: {again}"
            raise InterruptedTraining(said) from None
    stopped = any(diagnosis.severity == "stop" for diagnosis in diagnoses)
    rate = courses.steps * session.batch_size / max(time.perf_counter() - begun, 1e-9)
    with clock.section("record"):
        if session.recipe.train.budget and not stopped:
            _freeze_budget(session, run)
        end_with_remedies(run, session, data, diagnoses)
        run.update_manifest(
            status=STOPPED if stopped else "finished",
            ended=courses.ended,
            epochs=session.position.epoch,
            best_epoch=-(-session.best_step // session.steps_per_epoch),
            steps=session.position.step,
            seconds=clock.running(),
            images_per_second=rate,
            data=data.summary(),
            known=known_of(session).as_json(),
        )
    judged = (run.predictions / "val.npz").exists()
    if judged:
        with clock.section("calibrate"):
            finishing.finish(run, session)
    if judged or session.recipe.train.refit:
        with clock.section("report"):
            run.update_manifest(times={name: round(value, 4) for name, value in clock.totals().items()})
            write_report(run, suspected(run))
    return _result(run, clock, [diagnosis.as_json() for diagnosis in diagnoses])


def _result(run: Run, clock: Clock, diagnoses: list[dict[str, Any]]) -> Trained:
    manifest = run.read_manifest()
    finished = (run.predictions / "val.npz").exists()
    times = clock.totals()
    run.update_manifest(times={name: round(value, 4) for name, value in times.items()})
    return Trained(
        run=run.path,
        validation=validation_scores(run).as_json() if finished else {},
        epochs=manifest.get("epochs", 0),
        best_epoch=manifest.get("best_epoch", 0),
        steps=manifest.get("steps", 0),
        seconds=manifest.get("seconds", clock.running()),
        images_per_second=manifest.get("images_per_second", 0.0),
        diagnoses=diagnoses,
        times=times,
        remedies=manifest.get("remedies", []),
        suggested=manifest.get("suggested", {}),
    )


def _freeze_budget(session: Session, run: Run) -> None:
    """Writes the corrected schedule into the recipe, so that a rerun follows it instead of a clock."""
    notes = {"train.steps": f"a budget of {session.recipe.train.budget:g} s came to this; the corrections follow it"}
    notes.update(run.read_manifest().get("reasons", {}))
    knots = session.plan.knots
    frozen = session.recipe.replace(
        {"train.budget": None, "train.steps": session.plan.total, "train.corrections": knots}
    )
    write_recipe(run, frozen, notes)


def _check_same(recipe: Recipe, asked: Parsed, run: Run) -> None:
    """A resumed run keeps its recipe; a setting that contradicts it is said, not ignored.

    A setting fits when it is what the run uses, or what was asked for when the run began (a rule may have bounded it).
    """
    before = run.read_manifest().get("asked", {})
    now = written_settings(asked)
    # A list of corrections may lie elsewhere now; what it says is compared when it is read.
    elsewhere = {"data.source", *(f"data.{kind}" for kind in corrections.KINDS if recipe.get(f"data.{kind}"))}
    differing = [
        f"{name} ({asked.places[name]})"
        for name, value in now.items()
        if name not in elsewhere and value != before.get(name) and value != recipe.get(name)
    ]
    if Path(recipe.data.source).resolve() != Path(asked.recipe.data.source).resolve():
        differing.insert(0, f"the data ({asked.recipe.data.source} instead of {recipe.data.source})")
    if differing:
        raise UserError(
            f"a resumed run keeps its settings, but these differ: {', '.join(differing)}",
            where=str(run.recipe),
            hint="Leave them out to go on with the run, or start a new one with another -o",
        )


def written_settings(asked: Parsed) -> dict[str, object]:
    """The settings that the user wrote, in file or command, as JSON values."""
    names = [name for name in setting_names() if name in asked.places]
    return {name: json.loads(json.dumps(asked.recipe.get(name))) for name in names}


def overrides_of(settings: Settings) -> list[Override]:
    """Settings as overrides that say where each was written."""
    if isinstance(settings, Mapping):
        return [Override(name, value, f"settings[{name!r}]") for name, value in settings.items()]
    return list(settings)


def _tell_data(data: prepare.Data, show: Show) -> None:
    parts = ", ".join(f"{len(rows)} {name}" for name, rows in data.split.rows.items() if len(rows))
    show.say(f"{data.catalog.source}: {len(data.catalog.classes)} classes; {parts}.")
    if held := len(data.split.rows["test"]):
        show.say(f"  The {plural(held, 'test image')} take no part in training.")
    for note in (*data.catalog.notes, *data.split.notes):
        show.say(f"  Note: {note}.")
    for line in data.examined.lines() if data.examined else ():
        show.say(f"  {line}")
    unreadable = data.cache.unreadable
    for row, reason in sorted(unreadable.items())[:5]:
        show.say(f"  Left out: {data.catalog.names[row]}: {reason}.")
    if len(unreadable) > 5:
        show.say(f"  Left out: {len(unreadable) - 5} more unreadable files; all are listed in the run's manifest.json.")
    verb = "Decoded once into" if data.cache.built else "Found decoded in"
    show.say(f"  {verb} {data.cache.path} ({data.cache.size_bytes / 1e6:.1f} MB).")


def stem_of(source: str) -> str:
    """The name of a run of this source."""
    return Path(source).resolve().stem.replace(" ", "-") or "run"
