"""What a search found, in sentences. No torch."""

from __future__ import annotations

import math

from babysit.searching.found import SURE, Effect, Safe, effects, safe_ranges, seeds_of
from babysit.searching.reading import RateTest
from babysit.searching.space import Space, Value, Widening
from babysit.searching.stages import STAGES, Scene, Trial, grown_ranges, ranked, winner
from babysit.show import plural


def told_rate(test: RateTest) -> list[str]:
    """A range test: the suggestion and how sure, the lecture's reading, and what it says of the rate that is used."""
    count = len(test.readings)
    if test.suggestion is None or test.good is None:
        ended = f"until it exploded at {test.explodes:.2g}" if test.explodes else "at any rate"
        return [
            f"No learning rate can be suggested: in most of {count} repeats the loss did not fall beyond its noise, {ended}.",
            "Look for what is wrong before the rate: babysit check climbs the ladder.",
        ]
    low, high = test.good
    lines = [
        f"Learning rate {test.suggestion:g} for {test.optimizer} at {test.batch_size} images a step, {test.sure}: "
        f"{count} repeats suggest {', '.join(f'{one.suggestion:.2g}' if one.suggestion else 'none' for one in test.readings)}"
        f" (a factor of {test.factor:.1f} apart)."
    ]
    explosion = (
        f"from {test.explodes:.2g} on it explodes" if test.explodes else "it did not explode at any rate that was tried"
    )
    if low < high:
        lines.append(f"Below {low:.2g} the loss barely moves; to {high:.2g} it falls; {explosion}.")
    else:
        lines.append(f"The repeats agree on no range in which the loss falls; {explosion}.")
    lines.append(_of_used(test))
    return lines


def _of_used(test: RateTest) -> str:
    assert test.good
    low, high = test.good
    if test.explodes and test.used >= test.explodes:
        return f"The rate that training would take, {test.used:g}, is where the loss explodes: a warm-up may carry it, --set optim.lr={test.suggestion:g} is safer."
    if test.used > high:
        return f"The rate that training would take, {test.used:g}, lies above the good range; its warm-up may carry it."
    if test.used < low:
        return f"The rate that training would take, {test.used:g}, lies where the loss barely moves: try --set optim.lr={test.suggestion:g}."
    return f"The rate that training would take, {test.used:g}, lies in the good range."


def told_search(scene: Scene, chance: float) -> list[str]:
    """A search: the winner and how sure, its rival, what mattered, what is safe, what was quitted and widened."""
    best = winner(scene.trials)
    if best is None:
        quitted = _quitted(scene)
        return [
            "No trial reached its full length.",
            quitted,
            "Look for what is wrong before searching: babysit check climbs the ladder.",
        ]
    return [
        line
        for line in (
            _winner(scene, best),
            _rival(scene, best),
            *(_effect(one) for one in effects(scene, chance)),
            *(_safe(one) for one in safe_ranges(scene, chance)),
            *(_grown(one) for one in grown_ranges(scene)),
            _quitted(scene),
        )
        if line
    ]


def said_value(value: Value) -> str:
    """A setting's value in words."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def said_params(trial: Trial, space: Space) -> str:
    """A trial's settings in words."""
    return ", ".join(
        f"{one.name} {said_value(trial.params[one.name])}{' times the rate by rule' if one.relative else ''}"
        for one in space
    )


def _winner(scene: Scene, best: Trial) -> str:
    seeds, result = seeds_of(scene.trials, best), best.results[STAGES[2]]
    own = " (what `train` takes without a search)" if best.usual else ""
    head = f"Trial {best.number} is the best: {said_params(best, scene.space)}{own}; validation accuracy {result.accuracy:.1%}"
    if seeds.deviation is None:
        return f"{head}. It was not run with another seed, so how much of that is luck is not known."
    others = " and ".join(f"{one:.1%}" for one in seeds.accuracies[1:])
    return (
        f"{head}, with other seeds {others}: {seeds.mean:.1%} on average, and {100 * seeds.deviation:.1f} points (standard deviation) "
        f"are noise between seeds."
    )


def _rival(scene: Scene, best: Trial) -> str:
    others = [one for one in ranked(scene.trials, 2) if one.number != best.number]
    seeds = seeds_of(scene.trials, best)
    if not others or seeds.deviation is None:
        return ""
    second = others[0].results[STAGES[2]].accuracy
    ahead = seeds.mean - second
    noise = seeds.deviation * math.sqrt(1 + 1 / len(seeds.accuracies))
    if ahead > 2 * noise:
        return f"The second best, trial {others[0].number}, came to {second:.1%}: {100 * ahead:.1f} points behind, more than the noise between seeds."
    behind = f"{100 * ahead:.1f} points behind" if ahead > 0 else f"{-100 * ahead:.1f} points above that average"
    return f"The second best, trial {others[0].number}, came to {second:.1%}: {behind}, no more than the noise between seeds, so the two are not told apart."


def _effect(one: Effect) -> str:
    much = "mattered" if one.clear else "mattered little, if at all"
    apart = f"{plural(round(100 * one.difference), 'point')} of accuracy, give or take {100 * SURE * one.noise:.0f}"
    return f"{one.name} {much}: {one.best} was better than {one.worst} by {apart}, after the coarse stage."


def _safe(one: Safe) -> str:
    return (
        f"{one.name} from {one.low:.2g} to {one.high:.2g} is safe: {plural(one.count, 'trial')} there, with the other settings in their finer ranges, "
        f"came within {plural(round(100 * one.behind), 'point')} of the best after the coarse stage."
    )


def _grown(one: Widening) -> str:
    return f"{one.old.name}: the best coarse value, {one.best:.3g}, lay at the edge of {one.old.said()}, so the range was widened to {one.new.said()}."


def _quitted(scene: Scene) -> str:
    quits = [one.reason for one in scene.trials if one.state == "quit"]
    kinds = {
        "past three times the first loss": "passed three times",
        "with a loss that was no number": "was no number",
        "stuck at chance": "stuck at chance",
        "dominated by others at the same step": "dominated",
        "that could not be trained": "cannot be trained",
    }
    counted = {words: sum(mark in reason for reason in quits) for words, mark in kinds.items()}
    counted["for other reasons"] = len(quits) - sum(counted.values())
    listed = ", ".join(f"{count} {words}" for words, count in counted.items() if count)
    whole = [one for one in scene.trials if one.of is None]
    was = "was" if len(quits) == 1 else "were"
    return f"Of {plural(len(whole), 'trial')} {len(quits)} {was} quitted early" + (f": {listed}." if listed else ".")
