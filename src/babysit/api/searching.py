"""Searching settings: the learning-rate range test, and coarse to fine."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Any

from babysit.api.reports import suspected
from babysit.api.running import Settings, read_request, stem_of
from babysit.api.signals import stop_on_signals
from babysit.clock import Clock
from babysit.data.corrections import read_lists
from babysit.data.split_file import split_table
from babysit.errors import Fault, InterruptedTraining, UserError, writing
from babysit.evaluating import finishing
from babysit.recipe import Parsed, Recipe, read_resolved, render
from babysit.record import atomic
from babysit.record import run as runs
from babysit.record.run import Run
from babysit.reporting.page import write_report
from babysit.reporting.rates import write_rate_page
from babysit.reporting.searched import write_search_page
from babysit.searching.driver import Worker
from babysit.searching.found import as_json
from babysit.searching.length import length_for, mean_step
from babysit.searching.rate import range_test
from babysit.searching.reading import RateTest, Reading, Sweep
from babysit.searching.space import Space, parse_over
from babysit.searching.stages import FEWEST_STEPS, STAGES, Effort, winner
from babysit.searching.storage import About, Study, check_free, create_study, open_study, reached
from babysit.searching.telling import told_rate, told_search
from babysit.searching.trial import SHAPING, Ground
from babysit.show import Show, Silent
from babysit.training import prepare, resolve
from babysit.training.session import Session

TRIALS = 27
"""Coarse trials, when neither their number nor a budget is given."""

OVER = "optim.lr,regularize.l2"
WARM_UP, FRONT = 0.2, 0.34
"""The shares of the full length in which a trial's rate rises, and after which it falls: constant to the end of the finer
stage. The rise is nearly as long as one-cycle's: a short one cost 2 to 7 points (docs/log.md)."""


@dataclass(frozen=True)
class Searched:
    """What a search came to: its folder, everything found as plain JSON values, and the sentences that tell it."""

    study: Path
    found: dict[str, Any]
    told: list[str]

    @property
    def recipe(self) -> Path | None:
        """The winner's recipe, None when there is no winner."""
        return self.study / "recipe.toml" if self.found["winner"] else None

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return {
            "study": str(self.study),
            "recipe": str(self.recipe) if self.recipe else None,
            "told": self.told,
            **self.found,
        }


def find_rate(
    data: str,
    *,
    out: str | Path | None = None,
    recipe: str | Path | None = None,
    settings: Settings = (),
    show: Show | None = None,
) -> RateTest:
    """A learning-rate range test of what `train` would train, and a page about it. Trains nothing that is kept.

    Arguments:
        data: as of `train`.
        out: the page; by default rate-NAME.html in the working folder.

    Raises:
        UserError: when the user must change something before there is anything to test.
    """
    show, clock = show or Silent(), Clock(time.perf_counter())
    asked = read_request(data, recipe, settings).recipe
    lists = read_lists(asked.data.exclude, asked.data.relabel)
    catalog, sized, _ = prepare.look(asked, clock, lists=lists, show=show)
    images = prepare.decode(catalog, sized, lists=lists, clock=clock, show=show)
    session, filled, _ = prepare.start(sized, images, clock)
    session.recipe = filled
    show.say(f"{data}: {filled.model.name}, {filled.optim.kind}, {session.batch_size} images a step.")

    def told(sweep: Sweep, reading: Reading) -> None:
        suggested = f"suggests {reading.suggestion:.2g}" if reading.suggestion else "suggests no rate"
        show.say(f"  seed {sweep.seed}: {len(sweep.rates)} steps up to {sweep.rates[-1]:.2g}; {suggested}.")

    test = range_test(session, told=told)
    lines = told_rate(test)
    page = write_rate_page(
        test.as_json(), lines, Path(out) if out else Path(f"rate-{stem_of(data)}.html"), data=stem_of(data)
    )
    for line in [*lines, f"Page: {page}"]:
        show.say(line)
    return test


def search(
    data: str,
    *,
    out: str | Path | None = None,
    over: str = "",
    effort: Effort | None = None,
    storage: str = "",
    recipe: str | Path | None = None,
    settings: Settings = (),
    show: Show | None = None,
) -> Searched:
    """Searches settings from coarse to fine, and keeps the winner's recipe.

    Arguments:
        data: as of `train`.
        out: the study's folder; by default `runs/NAME-search`.
        over: the settings and their ranges, as in `optim.lr=0.001..1,model.name=quick|convnet`; rate and L2 by default.
        effort: so many coarse trials, or a budget in seconds; 27 trials by default.
        storage: the address of a database, instead of SQLite in the folder.

    Raises:
        UserError: when the user must change something.
        InterruptedTraining: after Ctrl-C or SIGTERM, with the state saved.
    """
    show, clock = show or Silent(), Clock(time.perf_counter())
    asked = _with_front(read_request(data, recipe, settings))
    decoupled = asked.recipe.optim.kind in ("adamw", "muon")
    space = parse_over(over or (OVER.replace(".l2", ".decay") if decoupled else OVER), asked.recipe)
    _check(space, asked)
    folder = Path(out) if out else runs.free_name(Path("runs"), f"{stem_of(data)}-search")
    check_free(folder)
    if storage:  # before any work is done for it
        reached(storage)
    lists = read_lists(asked.recipe.data.exclude, asked.recipe.data.relabel)
    catalog, sized, _ = prepare.look(asked.recipe, clock, lists=lists, show=show)
    images = prepare.decode(catalog, sized, lists=lists, clock=clock, show=show)
    session, filled, _ = prepare.start(sized, images, clock)
    space = _absolute(space, filled)
    name = f"{folder.resolve().name}-{secrets.token_hex(4)}"
    about = About(name, str(data), space, effort or Effort(TRIALS), asked.recipe.seed, storage)
    study = create_study(folder, about)
    fixed = {name: filled.get(name) for name in ("data.size", "train.threads", "train.precision")}
    with writing(folder, "the search"):
        atomic.write_text(study.split, split_table(images.catalog, images.split))
        atomic.write_text(study.base, render(sized.replace({**fixed, "data.split": study.split.name})))
    step = mean_step(session)
    with study.choosing():
        steps = _full_steps(filled, session, about.effort.budget, step, clock)
        study.note("full_steps", steps)
        study.note("full_seconds", steps * step)
        study.spend(clock.running())
    ranges = "; ".join(f"{one.name} {one.said()}" for one in space)
    show.say(f"Searching over {ranges}; a full length has {steps:,} steps. Study: {folder}")
    return _work(study, images, show)


def _full_steps(recipe: Recipe, session: Session, budget: float | None, step: float, clock: Clock) -> int:
    """The length that was asked for, or that `train` would take, and no more of it than the search's budget allows."""
    if recipe.train.budget:
        usual = max(FEWEST_STEPS, round(recipe.train.budget / step))
    else:
        usual = recipe.train.steps or (recipe.train.epochs or 0) * session.steps_per_epoch
    if not budget:
        return usual
    within = max(FEWEST_STEPS, round(length_for(budget, left=budget - clock.running()) / step))
    return min(usual, within) if usual else within


def join(study: str | Path, *, data: str | None = None, show: Show | None = None) -> Searched:
    """Adds a worker to a search, or goes on with one that was interrupted.

    Arguments:
        data: what the search is of, only to make sure.

    Raises:
        UserError: when there is no search, it is of other data, or the images have changed.
        InterruptedTraining: after Ctrl-C or SIGTERM, with the state saved.
    """
    show, clock = show or Silent(), Clock(time.perf_counter())
    opened = open_study(Path(study), data)
    if not opened.base.exists():
        raise UserError(
            "the search was stopped before its first trial", where=str(study), hint="Remove the folder and begin again"
        )
    base = read_resolved(opened.base)
    lists = read_lists(base.data.exclude, base.data.relabel)
    catalog, sized, _ = prepare.look(base, clock, lists=lists, show=show)
    images = prepare.decode(catalog, sized, lists=lists, clock=clock, show=show, own=opened.split)
    return _work(opened, images, show)


def _with_front(asked: Parsed) -> Parsed:
    """A schedule that is constant at first, unless another is asked for: what a short trial shows then holds for the long one."""
    changes: dict[str, object] = {}
    if "schedule.kind" not in asked.places:
        changes["schedule.kind"] = "trapezoid"
    if "schedule.warmup" not in asked.places and changes:
        changes["schedule.warmup"] = WARM_UP
    if "schedule.front" not in asked.places and changes:
        changes["schedule.front"] = FRONT
    return Parsed(asked.recipe.replace(changes), asked.faults, asked.places)


def _absolute(space: Space, filled: Recipe) -> Space:
    """The rate in its own numbers, where the rule gives one rate for all trials."""
    rate = filled.optim.lr
    if any(one.name.startswith(SHAPING) for one in space) or not rate:
        return space
    return tuple(
        replace(one, low=float(f"{one.low * rate:.2g}"), high=float(f"{one.high * rate:.2g}"), relative=False)
        if one.relative
        else one
        for one in space
    )


def _check(space: Space, asked: Parsed) -> None:
    """Refuses a setting that is both given and searched over, and values that do not exist."""
    faults: list[Fault] = []
    if asked.recipe.train.refit:
        faults.append(
            Fault(
                "a search judges by validation images, and train.refit trains on them",
                "train.refit",
                hint="Leave it out",
            )
        )
    if asked.recipe.watch.remedy != "off":
        what = "a search tries settings itself, so watch.remedy has no place in it"
        faults.append(Fault(what, asked.places.get("watch.remedy", "watch.remedy"), hint="Leave it out"))
    for name, why in {
        "train.patience": "the search quits trials by its own rules",
        "train.stop_after": "the search says how long a trial is",
        "data.folds": "every trial has the same parts",
    }.items():
        if asked.recipe.get(name) is not None:
            faults.append(
                Fault(f"{name} has no place in a search: {why}", asked.places.get(name, name), hint="Leave it out")
            )
    for one in space:
        if one.name in asked.places and not one.relative:
            what = f"{one.name} is given ({asked.places[one.name]}) and searched over"
            faults.append(Fault(what, "--over", hint="Leave one of the two out"))
        for value in one.choices:
            trial = Parsed(asked.recipe.replace({one.name: value}), (), {one.name: f"--over {one.name}"})
            try:
                resolve.check(trial)
            except UserError as error:
                faults += error.faults
    if faults:
        raise UserError.of(faults)


def _work(study: Study, images: prepare.Data, show: Show) -> Searched:
    base = read_resolved(study.base)
    ground = Ground(base, images, study.split)
    with stop_on_signals() as stop:
        worker = Worker(study, ground, show, stop)
        try:
            worker.work()
        except InterruptedTraining:
            raise InterruptedTraining(
                f"Stopped by {stop.asked}; everything is saved. Go on with: babysit search --join {quote(str(study.folder))}"
            ) from None
    return _conclude(study, worker, show)


def _conclude(study: Study, worker: Worker, show: Show) -> Searched:
    """Writes the winner's recipe, its report, the page and the result; the same from every worker, so the last one counts."""
    chance = worker.ground.chance()
    with study.choosing():
        scene = worker.scene()
        told, found = told_search(scene, chance), as_json(scene, chance)
        best = winner(scene.trials)
        if best:
            run = Run(study.run_of(best.number))
            recipe, accuracy = read_resolved(run.recipe), best.results[STAGES[2]].accuracy
            head = f"# The winner of a search, trial {best.number}: validation accuracy {accuracy:.4f}.\n"
            if not run.calibration.exists():
                _finish_winner(run, worker.ground.prepared(best.params)[0])
            atomic.write_text(
                study.folder / "recipe.toml", head + render(recipe.replace({"data.split": study.split.name}))
            )
        atomic.write_json(study.folder / "result.json", {"told": told, **found})
        page = write_search_page(found, told, study.folder / "search.html", data=stem_of(study.about.data))
    for line in told:
        show.say(line)
    show.say(f"Page:    {page}")
    if best:
        show.say(
            f"Recipe:  babysit train {quote(study.about.data)} --recipe {quote(str(study.folder / 'recipe.toml'))}"
        )
    return Searched(study.folder, json.loads(json.dumps(found)), told)


def _finish_winner(run: Run, session: Session) -> None:
    """What `train` does after its last step: calibration, likeness, the report."""
    finishing.finish(run, session)
    write_report(run, suspected(run))
