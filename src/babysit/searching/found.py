"""What a search found, as numbers: what mattered and by how much, what is safe, the noise between seeds. No torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from babysit.searching.space import Dimension, Value
from babysit.searching.stages import STAGES, Scene, Trial, final_space, fine_space, ranked, wide_space, winner

THIRDS = 3
FEWEST = 2
"""Trials in a third of a range, or with a choice, from which on its mean says something."""

SURE = 2.0

NEAR = 0.1
"""The share of the best trial's lead over chance that another may be behind and still be called near."""


@dataclass(frozen=True, slots=True)
class Effect:
    """How much one setting mattered in the coarse stage: mean accuracy where it was best less where it was worst.

    `best` and `worst` the values there in words; `noise` the standard error of the difference.
    """

    name: str
    difference: float
    noise: float
    best: str
    worst: str

    @property
    def clear(self) -> bool:
        """Whether it is more than noise."""
        return self.difference > SURE * self.noise


@dataclass(frozen=True, slots=True)
class Safe:
    """The range of a setting around the best value in which every trial came near the best: how many were in it, and how
    far, in accuracy, the worst of them was behind."""

    name: str
    low: float
    high: float
    count: int
    behind: float


@dataclass(frozen=True, slots=True)
class Seeds:
    """The winner's accuracies, its own seed first; their mean and standard deviation (None of one alone)."""

    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over all seeds."""
        return fmean(self.accuracies)

    @property
    def deviation(self) -> float | None:
        """Of a sample."""
        return stdev(self.accuracies) if len(self.accuracies) > 1 else None


def coarse_accuracy(trial: Trial, chance: float) -> float | None:
    """A trial's accuracy at the end of the coarse stage; of one quitted in it where it stood, or chance."""
    if STAGES[0] in trial.results:
        return trial.results[STAGES[0]].accuracy
    if trial.state == "quit" and trial.stage == 0:
        return trial.curve[-1][1] if trial.curve and trial.reason.startswith("dominated") else chance
    return None


def effects(scene: Scene, chance: float) -> list[Effect]:
    """The settings by how much they mattered, most first."""
    trials = [
        (one, value) for one in scene.of("coarse", "widened") if (value := coarse_accuracy(one, chance)) is not None
    ]
    found = [_effect(one, trials) for one in wide_space(scene)]
    return sorted((one for one in found if one), key=lambda one: -one.difference)


def _effect(dimension: Dimension, trials: Sequence[tuple[Trial, float]]) -> Effect | None:
    groups: dict[Value, list[float]] = {}
    for trial, accuracy in trials:
        value = trial.params[dimension.name]
        unit = dimension.unit(value)
        key = value if dimension.choices else min(THIRDS - 1, max(0, int(unit * THIRDS)))
        groups.setdefault(key, []).append(accuracy)
    firm = {key: values for key, values in groups.items() if len(values) >= FEWEST}
    if len(firm) < 2:
        return None
    best, worst = max(firm, key=lambda key: fmean(firm[key])), min(firm, key=lambda key: fmean(firm[key]))
    squares = sum((value - fmean(values)) ** 2 for values in firm.values() for value in values)
    freedom = sum(len(values) - 1 for values in firm.values())
    noise = math.sqrt(squares / freedom * (1 / len(firm[best]) + 1 / len(firm[worst])))
    return Effect(
        dimension.name, fmean(firm[best]) - fmean(firm[worst]), noise, _words(dimension, best), _words(dimension, worst)
    )


def _words(dimension: Dimension, key: Value) -> str:
    if dimension.choices:
        return str(key)
    assert isinstance(key, int)
    low, high = dimension.value(key / THIRDS), dimension.value((key + 1) / THIRDS)
    return f"{low:.2g} to {high:.2g}"


def safe_ranges(scene: Scene, chance: float) -> list[Safe]:
    """For each number, the widest run of values around the best one at which every coarse trial came near the best.

    Near is within a tenth of the best one's lead over chance. Only those trials are asked whose other settings that
    clearly matter lie in the finer stage's ranges: else a bad rate would speak against every strength.
    """
    trials = [
        (one, value) for one in scene.of("coarse", "widened") if (value := coarse_accuracy(one, chance)) is not None
    ]
    best = next(iter(ranked(scene.of("coarse", "widened"), 0)), None)
    if best is None:
        return []
    fine = {one.name: one for one in fine_space(scene)}
    clear = [one.name for one in effects(scene, chance) if one.clear]
    top = best.results[STAGES[0]].accuracy
    least = top - NEAR * (top - chance)
    found = []
    for dimension in (one for one in scene.space if not one.choices):
        others = [fine[name] for name in clear if name != dimension.name]
        asked = [
            (_number(one, dimension.name), value)
            for one, value in trials
            if all(_within(one, other) for other in others)
        ]
        run = _run_around(sorted(asked), _number(best, dimension.name), least)
        if len(run) >= FEWEST:
            found.append(Safe(dimension.name, run[0][0], run[-1][0], len(run), top - min(value for _, value in run)))
    return found


def _run_around(ordered: Sequence[tuple[float, float]], best: float, least: float) -> list[tuple[float, float]]:
    """The neighbours of the best value, on both sides, up to the first that is worse than `least`."""
    place = next((index for index, (value, _) in enumerate(ordered) if value == best), None)
    if place is None:
        return []
    first = last = place
    while first > 0 and ordered[first - 1][1] >= least:
        first -= 1
    while last + 1 < len(ordered) and ordered[last + 1][1] >= least:
        last += 1
    return list(ordered[first : last + 1])


def _within(trial: Trial, dimension: Dimension) -> bool:
    if dimension.choices:
        return trial.params[dimension.name] in dimension.choices
    return dimension.low <= _number(trial, dimension.name) <= dimension.high


def _number(trial: Trial, name: str) -> float:
    value = trial.params[name]
    assert isinstance(value, (int, float))
    return float(value)


def seeds_of(trials: Sequence[Trial], first: Trial) -> Seeds:
    """The winner's accuracy and those of its other seeds."""
    others = [one.results[STAGES[2]].accuracy for one in trials if one.of == first.number and STAGES[2] in one.results]
    return Seeds((first.results[STAGES[2]].accuracy, *others))


def as_json(scene: Scene, chance: float) -> dict[str, Any]:
    """All of a search as plain JSON values."""
    best = winner(scene.trials)
    spaces = {"asked": scene.space, "coarse": wide_space(scene), "finer": fine_space(scene), "last": final_space(scene)}
    won: dict[str, Any] = {}
    if best:
        seeds, result = seeds_of(scene.trials, best), best.results[STAGES[2]]
        won = {
            "trial": best.number,
            "params": dict(best.params),
            "accuracy": result.accuracy,
            "loss": result.loss,
            "seeds": list(seeds.accuracies),
            "mean": seeds.mean,
            "deviation": seeds.deviation,
        }
    return {
        "winner": won,
        "chance": chance,
        "seconds": scene.spent,
        "effects": [
            {
                "setting": one.name,
                "difference": one.difference,
                "noise": one.noise,
                "best": one.best,
                "worst": one.worst,
            }
            for one in effects(scene, chance)
        ],
        "safe": [
            {"setting": one.name, "low": one.low, "high": one.high, "trials": one.count, "behind": one.behind}
            for one in safe_ranges(scene, chance)
        ],
        "space": {name: [one.as_json() for one in space] for name, space in spaces.items()},
        "trials": [one.as_json() for one in scene.trials],
    }
