"""The worker: takes the next job of a study, does it, keeps what came of it, until nothing is left."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import IO

from babysit.errors import InterruptedTraining, UserError
from babysit.optim.schedules import warmup_of
from babysit.record.run import Run
from babysit.searching import space as spaces
from babysit.searching.length import whole_seconds
from babysit.searching.quitting import Kind, Rivals, Watch, at_share
from babysit.searching.space import Space, Value
from babysit.searching.stages import (
    STAGES,
    TAKES,
    Effort,
    Job,
    Scene,
    Trial,
    came_to,
    choose,
    fine_space,
    going_on,
    grown_ranges,
    wide_space,
)
from babysit.searching.storage import Study
from babysit.searching.trial import Ground, hold, make_run, open_trial, train_trial
from babysit.show import EpochShown, Show, Silent, StepShown
from babysit.training.fit import Stop

POLL_SECONDS = 0.5

WIDENED_FIRST = 100_000
"""The place in the quasi-random sequence where the trials of a widened range begin."""

UNLIKE = ("augment.", "data.", "preprocess.", "regularize.dropout", "train.average", "loss.class_weights")
"""When one of these is searched over, training accuracies of two trials are not comparable."""


@dataclass
class Worker:
    """One worker of a study.

    Arguments:
        ground: the data and prepared sessions.
        show: told of every trial.
    """

    study: Study
    ground: Ground
    show: Show
    stop: Stop
    _told: int = 0

    def work(self) -> None:
        """Until the study is complete.

        Raises:
            InterruptedTraining: when asked to stop.
            UserError: when none of the first trials can be trained at all.
        """
        while True:
            if self.stop.asked:
                raise InterruptedTraining(self.stop.asked)
            with self.study.choosing():
                job, taken = self._take()
            if job.what == "finish":
                return
            if taken is None:
                time.sleep(POLL_SECONDS)
                continue
            trial, run, lock = taken
            with lock:
                self._do(trial, run)

    def scene(self) -> Scene:
        """All that the next choice depends on."""
        trials = self.study.trials()
        running = [one.number for one in trials if one.state == "running"]
        about = self.study.about
        effort = about.effort
        if effort.budget:
            effort = Effort(budget=max(effort.budget / 2, effort.budget - FINISHING_SECONDS))
        return Scene(
            space=about.space,
            effort=effort,
            trials=trials,
            held=[number for number in running if self.study.held(number)],
            spent=self.study.noted("spent", 0.0),
            whole_seconds=whole_seconds(trials, self.work_done, self.study.noted("full_seconds", 0.0)),
            search_seed=about.seed,
            work=self.work_done,
            images=len(self.ground.data.split.validation),
        )

    def work_done(self, share: float) -> float:
        """The share of a full length's work that is done after a share of its steps: less where images grow."""
        cost = self.ground.prepared({})[0].growth.cost
        return share * cost(0, share) / cost(0, 1)

    def _take(self) -> tuple[Job, tuple[Trial, Run, IO[str]] | None]:
        """Chooses a job and takes its trial into this worker's hands."""
        scene = self.scene()
        job = choose(scene)
        self._tell(scene, job)
        if job.what in ("wait", "finish"):
            return job, None
        trial = self._new(job, scene) if job.what != "go" else self._again(job, scene)
        self.study.put(trial)
        if trial.state == "quit":
            return job, None
        run = make_run(self.study.run_of(trial.number))
        return job, (trial, run, hold(run))

    def _again(self, job: Job, scene: Scene) -> Trial:
        trial = next(one for one in scene.trials if one.number == job.number)
        takes = trial.takes + 1 if trial.state == "running" else 1
        if takes > TAKES:
            return replace(trial, state="quit", reason=f"its worker died {TAKES} times")
        return replace(trial, state="running", stage=job.stage, takes=takes)

    def _new(self, job: Job, scene: Scene) -> Trial:
        if job.what == "seed":
            first = next(one for one in scene.trials if one.number == job.number)
            number, params = self.study.ask(wide_space(scene), first.params)
            seed, origin, total, of = first.seed + job.index + 1, "seed", first.total, first.number
            return Trial(number, params, origin, seed, total, stage=job.stage, takes=1, of=of)
        usual = self.ground.usual(self.study.about.space)
        within, params = proposed(job, scene, usual)
        number, params = self.study.ask(within, params)
        seed, total = self.study.about.seed, self._total(params)
        is_usual = job.origin == "coarse" and job.index == 0 and len(usual) == len(scene.space)
        return Trial(number, params, job.origin, seed, total, stage=job.stage, takes=1, usual=is_usual)

    def _total(self, params: Mapping[str, Value]) -> int:
        """The steps of a full length: of the same seconds for every shape of network, by the step each was measured at."""
        totals = dict(self.study.noted("totals", {}))
        key = repr(self.ground.shape(params))
        if key not in totals:
            try:
                step = self.ground.seconds_a_step(params)
            except UserError:  # it will be quitted with this reason when it begins
                return 1
            totals[key] = (
                max(10, round(self.study.noted("full_seconds") / step))
                if key != "()"
                else self.study.noted("full_steps")
            )
            self.study.note("totals", totals)
        return totals[key]

    def _do(self, trial: Trial, run: Run) -> None:
        """Trains a trial to the end of its stage and keeps what it came to."""
        begun = time.perf_counter()
        watch = self._watch(trial)
        try:
            session = open_trial(trial, run, self.ground, self.study.about.space)
            came = train_trial(
                trial, run, session, watch, show=TrialShow(self.show, watch, len(session.validation)), stop=self.stop
            )
        except UserError as error:
            self._keep(replace(trial, state="quit", reason=f"it cannot be trained: {error}"), begun)
            self._check_any_can(error)
            return
        except InterruptedTraining:
            with self.study.choosing():
                self.study.put(replace(trial, takes=trial.takes - 1))
                self.study.spend(time.perf_counter() - begun)
            raise
        trial = replace(trial, curve=tuple(watch.curve), validation=tuple(watch.validation))
        if came.result is None:
            trial = replace(trial, state="quit", reason=came.reason)
        else:
            trial = came_to(trial, came.result)
        self._keep(trial, begun)
        self.show.say(f"  {said(trial)}")

    def _keep(self, trial: Trial, begun: float) -> None:
        seconds = time.perf_counter() - begun
        with self.study.choosing():
            self.study.put(replace(trial, seconds=trial.seconds + seconds))
            self.study.spend(seconds)
            worth = trial.results[STAGES[trial.stage]].worth if trial.state != "quit" else None
            if trial.origin != "seed" and (trial.stage == 0 or trial.origin == "finer"):
                self.study.tell(trial.number, self.ground.chance() if worth is None else worth)

    def _watch(self, trial: Trial) -> Watch:
        scene, coarse = self.scene(), trial.ends(0)
        risen = round(warmup_of(self.ground.recipe.schedule) * trial.total)
        return Watch(
            chance=self.ground.chance(),
            total=trial.total,
            judged_from=max(5, coarse // 2),
            stuck_from=min(risen, coarse),
            rivals=self._rivals(trial, scene),
            keep=going_on(scene, trial.stage),
            by_training=trial.stage == 0,
            curve=list(trial.curve),
            validation=list(trial.validation),
        )

    def _rivals(self, trial: Trial, scene: Scene) -> Rivals:
        """Other trials' accuracies at a share of the full length; of a seed there are none, it is run to its end."""
        unlike = any(one.name.startswith(UNLIKE) for one in scene.space)
        others = (
            []
            if trial.origin == "seed"
            else [one for one in scene.trials if one.number != trial.number and one.of is None]
        )

        def at(kind: Kind, share: float) -> list[float]:
            if kind == "training" and unlike:
                return []
            curves = [one.curve if kind == "training" else one.validation for one in others]
            return [value for curve in curves if (value := at_share(curve, share)) is not None]

        return at

    def _check_any_can(self, error: UserError) -> None:
        trials = self.study.trials()
        if len(trials) >= 3 and all(one.reason.startswith("it cannot be trained") for one in trials):
            raise error

    def _tell(self, scene: Scene, job: Job) -> None:
        """Says once how the space changes."""
        if job.origin == "widened" and self._told < 1:
            self._told = 1
            for grown in grown_ranges(scene):
                self.show.say(
                    f"The best value of {grown.old.name} so far, {grown.best:.3g}, lies at the edge of {grown.old.said()}: searching to {grown.new.said()}."
                )
        if job.stage >= 1 and self._told < 2:
            self._told = 2
            ranges = "; ".join(f"{one.name} {one.said()}" for one in fine_space(scene))
            self.show.say(f"Finer, around the best: {ranges}.")


def proposed(job: Job, scene: Scene, usual: Mapping[str, Value]) -> tuple[Space, dict[str, Value]]:
    """The space of a new trial, and those of its parameters that are not left to Optuna's sampler.

    The first coarse trial has the `usual` values, what `train` would take: nothing that is found should be worse. The
    others are quasi-random points. In the finer stage the sampler proposes the numbers; choices are those that
    won, in turn, since it knows no choices that become fewer.
    """
    if job.origin == "finer":
        fine = fine_space(scene)
        given = {one.name: one.choices[job.index % len(one.choices)] for one in fine if one.choices}
        wide = {one.name: one for one in scene.space}
        return tuple(wide[one.name] if one.choices else one for one in fine), given
    if job.origin == "coarse":
        [place] = spaces.points(1, len(scene.space), seed=scene.search_seed, first=job.index)
        return scene.space, spaces.at(scene.space, place) | (dict(usual) if job.index == 0 else {})
    grown = grown_ranges(scene)
    one = grown[job.index % len(grown)]
    within = tuple(one.strip if dimension.name == one.old.name else dimension for dimension in fine_space(scene))
    [place] = spaces.points(1, len(within), seed=scene.search_seed, first=WIDENED_FIRST + job.index)
    return wide_space(scene), spaces.at(within, place)


def said(trial: Trial) -> str:
    """One line of what a trial came to."""
    params = ", ".join(
        f"{name.split('.')[-1]} {value:.3g}" if isinstance(value, float) else f"{name.split('.')[-1]} {value}"
        for name, value in trial.params.items()
    )
    head = f"trial {trial.number} ({STAGES[trial.stage] if trial.of is None else f'seed {trial.seed}'}): {params}"
    if trial.state == "quit":
        return f"{head}: quitted, {trial.reason}"
    result = trial.results[STAGES[trial.stage]]
    return f"{head}: accuracy {result.accuracy:.1%} after {result.step:,} of {trial.total:,} steps"


class TrialShow(Silent):
    """Shows a trial's steps; its epochs are for the watch."""

    def __init__(self, show: Show, watch: Watch, images: int) -> None:
        self.show, self.watch, self.images = show, watch, images

    def step(self, shown: StepShown) -> None:
        """As a training's."""
        self.show.step(shown)

    def epoch(self, shown: EpochShown) -> None:
        """After an evaluation."""
        if shown.validation_accuracy is not None:
            self.watch.epoch(shown.step, shown.validation_accuracy, self.images)


FINISHING_SECONDS = 6.0
"""Of a budget, kept for what comes after the last trial: the winner's calibration and report, the page, leaving."""
