"""Usual settings: the range of each in which trainings are known to work, and those of a recipe that lie far outside.

The bounds are wide: what lies within is a matter of taste, what lies outside has to prove itself. They are no evidence of
a fault, as networks learn under odd settings too; together with a training that comes to nothing they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from babysit.recipe import Recipe
from babysit.record.known import Known

Settings = dict[str, object]

PLAIN_MOMENTUM = ("momentum", "nesterov")
PLAIN = ("sgd", *PLAIN_MOMENTUM)

FALLING: Settings = {"schedule.kind": "one-cycle", "schedule.warmup": None}
"""The schedule that a recipe has without being asked; it lasts for the whole run."""

FIRST_WEIGHTS: Settings = {"init.kind": None, "init.scale": None, "init.bias": None}
"""First weights by rule."""

INPUTS: Settings = {
    "preprocess.kind": "standardize",
    "preprocess.divisor": None,
    "preprocess.epsilon": None,
    "preprocess.patch": None,
}
"""Inputs of mean 0 and deviation 1."""

BATCHES: Settings = {"optim.batch_size": None, "optim.lr": None}
"""Batches by rule, and the rate that belongs to them."""


def _one(known: Known) -> float | None:  # noqa: ARG001 - one signature for all
    return 1.0


def _epochs(known: Known) -> float | None:
    return known.planned_steps / known.steps_per_epoch if known.planned_steps and known.steps_per_epoch else None


def _drawn(known: Known) -> float | None:
    """Of `gaussian` the scale is the deviation itself, of the others a factor of their own."""
    return 0.05 if (known.settings or {}).get("init.kind") == "gaussian" else 1.0


def _side(known: Known) -> float | None:
    size = (known.settings or {}).get("data.size")
    return float(size) if isinstance(size, int) else None


@dataclass(frozen=True, slots=True)
class Usual:
    """The usual range of a setting, and what a value outside comes to.

    Arguments:
        least, most: of the value over `unit`, each None where there is no such bound. Of a setting whose sign is a
            matter of direction the absolute value counts.
        below, above: the rule whose cause a value on that side is.
        remedy: what sets it right, when that is more than handing back the setting itself.
        unit: what the value is measured in, None where that is not known.
        rest: it is what is left to 1 that counts, as of a momentum; the bounds are of the value all the same.
        kinds: of the optimiser that the bounds are for; all when empty.
        off: a value that stands for "not at all", which is always usual.
    """

    setting: str
    least: float | None = None
    most: float | None = None
    below: str = ""
    above: str = ""
    remedy: Mapping[str, object] | None = None
    unit: Callable[[Known], float | None] = _one
    rest: bool = False
    kinds: Sequence[str] = ()
    off: float | None = None


@dataclass(frozen=True, slots=True)
class Odd:
    """A setting far outside its usual range: its value, the bound, the distance in decades, the rule whose cause it is."""

    setting: str
    value: float
    bound: float
    decades: float
    cause: str
    remedy: Mapping[str, object]
    above: bool

    def text(self) -> str:
        """For a sentence.

        >>> Odd("optim.clip", 1e-5, 0.05, 3.7, "updates-too-small", {}, above=False).text()
        'optim.clip is 1e-05, and 0.05 is the least that is usual'
        """
        return f"{self.setting} is {self.value:.5g}, and {self.bound:.3g} is the {'most' if self.above else 'least'} that is usual"


AUGMENTATION, STRONG = "augmentation-too-strong", "regularisation-too-strong"
HIGH, LOW = "learning-rate-too-high", "learning-rate-too-low"

USUAL: tuple[Usual, ...] = (
    Usual("optim.lr", 1 / 8, 15.0, LOW, HIGH, unit=lambda known: known.rate_by_rule),
    Usual("optim.momentum", 0.4, 0.98, LOW, HIGH, rest=True, kinds=(*PLAIN_MOMENTUM, "muon")),
    Usual("optim.momentum", None, 0.98, "", HIGH, rest=True, kinds=("adam", "adamw", "rmsprop")),
    Usual("optim.beta2", 0.5, None, HIGH, "", rest=True),
    Usual("optim.epsilon", None, 0.01, "", "updates-too-small"),
    Usual("optim.clip", 0.05, None, "updates-too-small", "", kinds=PLAIN),
    Usual("optim.bias_rate", None, 100.0, "", HIGH),
    Usual("optim.batch_size", None, 0.25, "", "stopped-too-early", BATCHES, lambda known: known.training_images),
    Usual("regularize.l2", None, 0.03, "", STRONG),
    Usual("regularize.l1", None, 1e-3, "", STRONG),
    Usual("regularize.elastic_l1", None, 1e-3, "", STRONG),
    Usual("regularize.elastic_l2", None, 0.03, "", STRONG),
    Usual("regularize.decay", None, 5e-3, "", STRONG, unit=lambda known: 1 / (known.learning_rate or math.inf)),
    Usual("regularize.max_norm", 0.05, None, STRONG, ""),
    Usual("regularize.dropout", None, 0.65, "", "dropout-too-strong", rest=True),
    Usual("loss.smoothing", None, 0.4, "", STRONG, rest=True),
    Usual("loss.margin", 0.01, 30.0, "initial-loss-wrong", "initial-loss-wrong"),
    Usual("loss.gamma", None, 6.0, "", "initial-loss-wrong"),
    Usual("augment.crop", None, 1 / 3, "", AUGMENTATION, unit=_side),
    Usual("augment.resized_crop", 0.08, None, AUGMENTATION, "", off=0.0),
    Usual("augment.rotate", None, 45.0, "", AUGMENTATION),
    Usual("augment.scale", None, 0.6, "", AUGMENTATION),
    Usual("augment.brightness", None, 0.6, "", AUGMENTATION),
    Usual("augment.contrast", None, 0.6, "", AUGMENTATION),
    Usual("augment.saturation", None, 0.6, "", AUGMENTATION),
    Usual("augment.colour", None, 0.5, "", AUGMENTATION),
    Usual("augment.erase", None, 0.6, "", AUGMENTATION),
    Usual("augment.mixup", None, 1.5, "", AUGMENTATION),
    Usual("augment.cutmix", None, 1.5, "", AUGMENTATION),
    Usual("init.scale", 0.1, 8.0, "initialisation-too-small", "initialisation-too-large", FIRST_WEIGHTS, _drawn),
    Usual("init.bias", None, 1.5, "", "initialisation-too-large", FIRST_WEIGHTS),
    Usual("preprocess.divisor", 5.0, 1e3, "inputs-not-normalised", "normalised-twice", INPUTS),
    Usual("preprocess.epsilon", None, 1e5, "", "normalised-twice", INPUTS),
    Usual("schedule.warmup", None, 0.75, "", LOW, FALLING, rest=True),
    Usual("schedule.tau", 0.1, None, "schedule-too-fast", "", FALLING, _epochs),
    Usual("schedule.every", 0.1, None, "schedule-too-fast", "", FALLING, lambda known: known.planned_steps),
    Usual("schedule.power", None, 4.0, "", "schedule-too-fast", FALLING),
    Usual("train.average_every", None, 0.1, "", "stopped-too-early", unit=lambda known: known.planned_steps),
)
"""The range of each setting that has one."""


def odd_settings(known: Known) -> list[Odd]:
    """The settings of a recipe that lie outside their usual range, in the recipe's order.

    >>> [one.setting for one in odd_settings(Known(settings={"optim.clip": 1e-5, "augment.erase": 0.5}, optimizer_kind="sgd"))]
    ['optim.clip']
    """
    given = known.settings or {}
    return [
        odd
        for one in USUAL
        if isinstance(value := given.get(one.setting), int | float)
        and not isinstance(value, bool)
        and value != one.off
        and (not one.kinds or known.optimizer_kind in one.kinds)
        and (odd := _odd(one, float(value), one.unit(known))) is not None
    ]


def handed_back(known: Known) -> Settings:
    """All settings outside their usual range, as they are without being asked for.

    >>> handed_back(Known(settings={"augment.rotate": 180.0, "optim.momentum": 0.9}))
    {'augment.rotate': 0.0}
    """
    changed: Settings = {}
    for one in odd_settings(known):
        changed |= one.remedy
    return changed


def _odd(one: Usual, value: float, unit: float | None) -> Odd | None:
    if not unit or not math.isfinite(unit):
        return None
    least, most = (None if bound is None else bound * unit for bound in (one.least, one.most))
    size = abs(value)
    remedy = one.remedy or {one.setting: Recipe().get(one.setting)}
    if most is not None and size > most:
        far = (1 - most, 1 - size) if one.rest else (size, most)
        return Odd(one.setting, value, most, _decades(*far), one.above, remedy, above=True)
    if least is not None and size < least:
        return Odd(one.setting, value, least, _decades(least, size), one.below, remedy, above=False)
    return None


def _decades(more: float, less: float) -> float:
    return math.log10(max(more, 1e-12) / max(less, 1e-12))
