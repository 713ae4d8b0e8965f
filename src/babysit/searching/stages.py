"""The stages of a search and what is to be done next: pure functions of the trials so far. No torch.

coarse   many trials of a ninth of the full length, over the whole space (and where a best value lay at an edge, beyond)
finer    the best third goes on to a third of the length, beside some new trials in the narrowed space
last     the best third of those goes on to the full length
seeds    the winner again, with other seeds
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from babysit.searching.space import Space, Value, Widening, narrowed, widenings

State = Literal["running", "paused", "done", "quit"]
Origin = Literal["coarse", "widened", "finer", "seed"]
Work = Callable[[float], float]

STAGES = ("coarse", "finer", "last")
SHARES = (1 / 9, 1 / 3, 1.0)
"""Of the full length, at the end of each stage."""

PROMOTED = 3
"""One of so many goes on to the next stage."""

FEWEST_STEPS = 10
SEEDS = 2
"""Other seeds the winner is run with."""

WIDENED = 4
"""A widened range gets one new trial for so many coarse ones."""

TAKES = 3
"""A trial whose worker died so many times is left alone: it may be what kills them."""

ENDS = {"coarse": 0.55, "widened": 0.65, "finer": 1.0}
"""The shares of what a budget has for exploring after which nothing more is begun of each phase but what it needs at least."""

FINALISTS = 3
"""So many, and all seeds of the winner, are kept time for, in at most half of a budget; one of each in any case."""

SPARE, LATE = 1.3, 1.05
"""A second finalist must leave time for a seed of the winner, with some to spare; the first seed may be this much late."""

LEAST_COARSE = 4


@dataclass(frozen=True, slots=True)
class Result:
    """What a trial came to at the end of a stage: validation figures there, and what it is ranked by (larger is better)."""

    step: int
    accuracy: float
    loss: float
    worth: float


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial as the study keeps it. `total` the steps of its full length, `stage` the one it is in or has ended,
    `results` by stage, `reason` why it was quitted, `curve` and `validation` (share of the full length, accuracy) points in training and
    on validation, `takes` how often a worker began with it, `seconds` of work, `of` the trial a seed repeats, `usual` whether it
    has the values that a training takes without a search."""

    number: int
    params: Mapping[str, Value]
    origin: Origin
    seed: int
    total: int
    stage: int = 0
    state: State = "running"
    results: Mapping[str, Result] = field(default_factory=dict)
    reason: str = ""
    curve: tuple[tuple[float, float], ...] = ()
    validation: tuple[tuple[float, float], ...] = ()
    takes: int = 0
    seconds: float = 0.0
    of: int | None = None
    usual: bool = False

    def ends(self, stage: int) -> int:
        """The step at which a stage ends."""
        return min(self.total, max(FEWEST_STEPS, math.ceil(SHARES[stage] * self.total)))

    def as_json(self) -> dict[str, Any]:
        """The trial as plain JSON values."""
        return asdict(self)

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Trial:
        """The inverse of `as_json`."""
        results = {name: Result(**one) for name, one in values["results"].items()}
        curves = {name: tuple((x, y) for x, y in values[name]) for name in ("curve", "validation")}
        return cls(**{**values, "results": results, **curves})


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is searched: `trials` coarse ones, or a `budget` in seconds of work of all workers together."""

    trials: int | None = None
    budget: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker does next: a new trial (`number` None) or an old one, up to the end of a stage.

    `what` `fresh` (with `origin` and `index`, the place in its sequence), `go` on, `seed` (of trial `number`), `wait`
    for other workers, or `finish`.
    """

    what: Literal["fresh", "go", "seed", "wait", "finish"]
    number: int | None = None
    stage: int = 0
    origin: Origin = "coarse"
    index: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a choice depends on: the space, the effort, the trials in order, those in the hands of living workers, the
    seconds of work so far, what a full length costs, the share of its work that is done after a share of its steps, and the
    number of validation images (0: unknown)."""

    space: Space
    effort: Effort
    trials: Sequence[Trial]
    held: Collection[int] = ()
    spent: float = 0.0
    whole_seconds: float = 0.0
    search_seed: int = 0
    work: Work = float
    images: int = 0

    def exploring(self) -> float:
        """The seconds of a budget before the finalists go the full length and the winner is run again."""
        assert self.effort.budget is not None
        rest = 1 - self.work(SHARES[1])
        least, most = (rest + 1) * self.whole_seconds, (FINALISTS * rest + SEEDS) * self.whole_seconds
        return self.effort.budget - max(least, min(most, self.effort.budget / 2))

    def over(self, phase: str) -> bool:
        """Whether a budget leaves no more for a phase."""
        return self.effort.budget is not None and self.spent >= ENDS[phase] * self.exploring()

    def of(self, *origins: Origin) -> list[Trial]:
        """The trials of some origins."""
        return [one for one in self.trials if one.origin in origins]


def choose(scene: Scene) -> Job:
    """The next job. Work that a dead worker left comes first; then each phase in turn, when the one before is complete."""
    abandoned = [one for one in scene.trials if one.state == "running" and one.number not in scene.held]
    if abandoned:
        return Job("go", abandoned[0].number, abandoned[0].stage)
    for phase in (_coarse, _widened, _finer, _last, _seeds):
        if job := phase(scene):
            return job
    return Job("finish")


def _coarse(scene: Scene) -> Job | None:
    count, wanted = len(scene.of("coarse")), scene.effort.trials
    more = count < (wanted if wanted is not None else LEAST_COARSE) or (wanted is None and not scene.over("coarse"))
    started = bool(scene.of("widened", "finer", "seed")) or any(one.stage > 0 for one in scene.trials)
    if more and not started:
        return Job("fresh", origin="coarse", index=count)
    return _awaited(scene, 0)


def _widened(scene: Scene) -> Job | None:
    """New trials beyond an edge at which the best value lay."""
    grown, done = grown_ranges(scene), len(scene.of("widened"))
    later = bool(scene.of("finer", "seed")) or any(one.stage > 0 for one in scene.trials)
    each = max(2, len(scene.of("coarse")) // WIDENED)
    if done < each * len(grown) and not later and not scene.over("widened"):
        return Job("fresh", origin="widened", index=done)
    return _awaited(scene, 0)


def _finer(scene: Scene) -> Job | None:
    promoted = to_promote(scene, 0)
    for place, one in enumerate(promoted):
        if one.stage == 0 and not (place and scene.over("finer")) and not _reached(scene, 2):
            return Job("go", one.number, 1)
    done = len(scene.of("finer"))
    if done < len(promoted) // 2 and not scene.over("finer") and not _reached(scene, 2):
        return Job("fresh", stage=1, origin="finer", index=done)
    return _awaited(scene, 1)


def _last(scene: Scene) -> Job | None:
    for place, one in enumerate(to_promote(scene, 1)):
        needed = SPARE * scene.whole_seconds + (1 - scene.work(SHARES[1])) * scene.whole_seconds
        afford = not scene.effort.budget or scene.spent + needed <= scene.effort.budget
        if one.stage == 1 and not (place and not afford) and not scene.of("seed"):
            return Job("go", one.number, 2)
    return _awaited(scene, 2)


def _seeds(scene: Scene) -> Job | None:
    first = winner(scene.trials)
    done = len(scene.of("seed"))
    if first is None or done >= SEEDS:
        return _awaited(scene, 2)
    late = scene.effort.budget is not None and scene.spent + scene.whole_seconds > scene.effort.budget * (
        1 if done else LATE
    )
    if late:
        return _awaited(scene, 2)
    return Job("seed", first.number, 2, origin="seed", index=done)


def _awaited(scene: Scene, stage: int) -> Job | None:
    """Waits while another worker is in a stage that must be complete before the next."""
    return Job("wait") if any(one.state == "running" and one.stage <= stage for one in scene.trials) else None


def _reached(scene: Scene, stage: int) -> bool:
    return any(one.stage >= stage for one in scene.trials) or bool(scene.of("seed"))


def ranked(trials: Sequence[Trial], stage: int) -> list[Trial]:
    """The trials that came to the end of a stage, best there first; of equals the earlier."""
    name = STAGES[stage]
    return sorted(
        (one for one in trials if name in one.results and one.origin != "seed"),
        key=lambda one: (-one.results[name].worth, one.results[name].loss, one.number),
    )


def to_promote(scene: Scene, stage: int) -> list[Trial]:
    """The best third of a stage's trials, those that were quitted counted among the worst; at least one."""
    alive = usual_first(ranked(scene.trials, stage), stage, scene.images)
    in_stage = [one for one in scene.trials if one.origin != "seed" and (one.stage >= stage) and _belongs(one, stage)]
    return alive[: max(1, math.ceil(len(in_stage) / PROMOTED))]


def usual_first(alive: list[Trial], stage: int, images: int) -> list[Trial]:
    """The trial with the usual values before those that are ahead of it by no more than a standard error of the difference.

    Early on, trials near each other are told apart by noise; and what a strength of regularisation is worth shows late. Only
    where they are ranked by accuracy: of another metric no standard error is known here.
    """
    usual = next((one for one in alive if one.usual), None)
    if usual is None or not images:
        return alive
    first, second = (one.results[STAGES[stage]] for one in (alive[0], usual))
    if (first.worth, second.worth) != (first.accuracy, second.accuracy):
        return alive
    best, own = first.accuracy, second.accuracy
    noise = math.sqrt((best * (1 - best) + own * (1 - own)) / images)
    return [usual, *(one for one in alive if one is not usual)] if best - own <= noise else alive


def going_on(scene: Scene, stage: int) -> int:
    """How many trials of a stage will go on, as far as can be said; a trial behind so many is not among them."""
    if stage == len(STAGES) - 1:
        return 1
    coming = scene.effort.trials if stage == 0 and scene.effort.trials else 0
    there = sum(one.origin != "seed" and _belongs(one, stage) for one in scene.trials)
    return max(2, math.ceil(max(coming, there) / PROMOTED))


def _belongs(one: Trial, stage: int) -> bool:
    """Whether a trial was ever in a stage: new ones of the finer stage never were in the coarse one."""
    return stage >= 1 if one.origin == "finer" else one.stage >= stage


def winner(trials: Sequence[Trial]) -> Trial | None:
    """The best trial of the full length."""
    return next(iter(ranked(trials, 2)), None)


def grown_ranges(scene: Scene) -> list[Widening]:
    """The ranges that grew because the best coarse trial lay at their edge."""
    best = next(iter(ranked(scene.of("coarse"), 0)), None)
    return widenings(scene.space, best.params) if best else []


def wide_space(scene: Scene) -> Space:
    """The space with the ranges that grew."""
    grown = {one.old.name: one.new for one in grown_ranges(scene)}
    return tuple(grown.get(one.name, one) for one in scene.space)


def fine_space(scene: Scene) -> Space:
    """The space around the best quarter (at least three) of the coarse trials."""
    alive = ranked(scene.of("coarse", "widened"), 0)
    count = max(3, math.ceil(len(scene.of("coarse", "widened")) / 4))
    return narrowed(wide_space(scene), [one.params for one in alive[:count]]) if alive else wide_space(scene)


def final_space(scene: Scene) -> Space:
    """The space around those that went the full length."""
    alive = ranked(scene.trials, 2)
    return (
        narrowed(fine_space(scene), [_inside(fine_space(scene), one.params) for one in alive])
        if alive
        else fine_space(scene)
    )


def _inside(space: Space, params: Mapping[str, Value]) -> dict[str, Value]:
    """Parameters moved to the ends of a space they lie outside of."""
    inside: dict[str, Value] = {}
    for one in space:
        value = params[one.name]
        if one.choices:
            inside[one.name] = value if value in one.choices else one.choices[0]
        else:
            assert isinstance(value, (int, float))
            inside[one.name] = min(one.high, max(one.low, value))
    return inside


def came_to(one: Trial, result: Result) -> Trial:
    """A trial at the end of its stage."""
    state: State = "done" if one.stage == len(STAGES) - 1 else "paused"
    return replace(one, state=state, results={**one.results, STAGES[one.stage]: result})
