"""Settings that were others earlier in a run: `train.earlier`, which a run whose settings changed on the way keeps.

A recipe says how a run ended up. What it was before is written beside it, so that a run from this recipe takes the
same way: [step, setting, value], the value that the setting had before that step; left out where it had none.
"""

from __future__ import annotations

import json

from pydantic import ValidationError

from babysit.errors import Fault
from babysit.recipe import Recipe, setting_names

ON_THE_WAY = (
    *("optim.lr", "optim.momentum", "optim.clip", "schedule.kind", "schedule.warmup", "schedule.tau", "schedule.every"),
    *("schedule.factor", "schedule.front", "schedule.power", "loss.smoothing", "regularize.l2", "regularize.l1"),
    *("regularize.decay", "regularize.elastic_l1", "regularize.elastic_l2"),
)
"""Settings that can change while a network trains: all others shape its weights, its inputs or its steps."""


def differences(before: Recipe, after: Recipe) -> dict[str, tuple[object, object]]:
    """The settings that two recipes have not in common, without those that record the way of a run."""
    names = [name for name in setting_names() if name not in ("train.earlier", "train.corrections")]
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


def at_step(recipe: Recipe, step: int) -> Recipe:
    """The settings of a step, in a recipe some of whose settings were others before (`train.earlier`).

    >>> recipe = Recipe().replace({"optim.lr": 0.1, "train.earlier": ((50, "optim.lr", 1.0), (90, "optim.lr", 0.3))})
    >>> at_step(recipe, 49).optim.lr, at_step(recipe, 50).optim.lr, at_step(recipe, 90).optim.lr
    (1.0, 0.3, 0.1)
    """
    values: dict[str, object] = {}
    for until, name, *value in reversed(recipe.train.earlier):
        if step < until:
            values[name] = value[0] if value else None
    return recipe.replace(values) if values else recipe


def next_change(recipe: Recipe, step: int) -> int | None:
    """The next step at which a setting changes, if there is one."""
    return min((until for until, *_ in recipe.train.earlier if until > step), default=None)


def changed_at(before: Recipe, after: Recipe, step: int) -> Recipe:
    """`after`, with what it changes written down as having been so `before` a step."""
    earlier = [
        (step, name) if old is None else (step, name, json.loads(json.dumps(old)))
        for name, (old, _) in differences(before, after).items()
    ]
    kept = [one for one in before.train.earlier if one[0] <= step]
    return after.replace({"train.earlier": (*kept, *earlier)})


def earlier_faults(recipe: Recipe, place: str) -> list[Fault]:
    """What is wrong with `train.earlier`."""
    steps = [until for until, *_ in recipe.train.earlier]
    names = [name for _, name, *_ in recipe.train.earlier if name not in ON_THE_WAY]
    legal = "[step, setting, value] or [step, setting], steps rising from 1"
    if steps and (steps != sorted(steps) or steps[0] < 1):
        return [Fault("train.earlier is out of order", place, legal)]
    if names:
        return [Fault(f"{names[0]} cannot change on the way", place, ", ".join(ON_THE_WAY))]
    try:
        at_step(recipe, 0)
    except ValidationError as error:
        return [
            Fault(f"train.earlier has a value that its setting cannot have: {error.errors()[0]['msg']}", place, legal)
        ]
    return []
