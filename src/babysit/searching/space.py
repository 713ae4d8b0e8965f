"""The space of a search: which settings vary and between which values; quasi-random points; narrower and wider. No torch."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from babysit.errors import Fault, UserError
from babysit.recipe import Override, Recipe, parse, setting_names
from babysit.recipe.text import unknown_setting
from babysit.seeds import stream_key

Value = float | int | str | bool

LOGARITHMIC = 10.0
"""A range whose ends are further apart than this factor is searched on a logarithmic scale."""

USUAL_RANGES = {
    "regularize.l2": "1e-6..1e-2",
    "regularize.decay": "1e-3..1",
    "regularize.l1": "1e-7..1e-3",
    "regularize.dropout": "0..0.7",
    "optim.momentum": "0.5..0.98",
    "optim.batch_size": "32|64|128|256",
    "optim.kind": "nesterov|adamw|muon",
    "model.name": "quick|convnet|resnet18",
    "model.width": "16|32|48|64",
    "loss.kind": "softmax|hinge",
    "loss.smoothing": "0..0.2",
    "schedule.warmup": "0..0.3",
    "augment.mixup": "0..0.4",
    "augment.cutmix": "0..1",
    "augment.flip": "none|random|alternating",
    "augment.erase": "0..0.5",
    "augment.rotate": "0..20",
    "augment.colour": "0..0.2",
    "preprocess.kind": "standardize|channel-mean|zca",
    "train.average": "none|ema",
    "init.kind": "network|he|xavier",
}
"""What is searched when a setting is named without a range."""

RATE, RATE_RANGE = "optim.lr", (0.01, 10.0)
"""Without a range of its own the learning rate is searched between these shares of what the rule gives a network."""

NOT_SEARCHED = (
    "data.source",
    "data.split",
    "data.folds",
    "data.fold",
    "data.exclude",
    "data.relabel",
    "data.validation",
)
NOT_SEARCHED_TOO = (
    "data.test",
    "train.epochs",
    "train.budget",
    "train.steps",
    "train.corrections",
    "seed",
    "model.file_hash",
)
"""Settings that make results incomparable, or that the search decides."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One setting and its values: from `low` to `high`, or one of `choices`.

    `relative` whether the value is a share of what the rule gives (the learning rate); `whole` whether it is a whole
    number; `logarithmic` whether equal factors count alike, however narrow the range becomes.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    choices: tuple[Value, ...] = ()
    relative: bool = False
    whole: bool = False
    logarithmic: bool = False

    def value(self, unit: float) -> Value:
        """The value at a place from 0 to 1, rounded to three figures.

        >>> Dimension("optim.lr", 0.01, 1, logarithmic=True).value(0.5)
        0.1
        """
        if self.choices:
            return self.choices[min(len(self.choices) - 1, int(unit * len(self.choices)))]
        if self.logarithmic:
            value = self.low * (self.high / self.low) ** unit
        else:
            value = self.low + (self.high - self.low) * unit
        inside = min(self.high, max(self.low, float(f"{value:.3g}")))
        return round(inside) if self.whole else inside

    def unit(self, value: Value) -> float:
        """The place of a value, the inverse of `value`; of choices their middle. May lie outside 0 to 1.

        >>> Dimension("optim.lr", 0.01, 1, logarithmic=True).unit(0.1)
        0.5
        """
        if self.choices:
            return (self.choices.index(value) + 0.5) / len(self.choices)
        assert isinstance(value, (int, float))
        if self.logarithmic:
            return math.log(max(value, 1e-300) / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def said(self) -> str:
        """The values in words."""
        if self.choices:
            return ", ".join(map(str, self.choices))
        return f"{self.low:.3g} to {self.high:.3g}" + (" times the rule's rate" if self.relative else "")

    def as_json(self) -> dict[str, Any]:
        """The dimension as plain JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Dimension:
        """The inverse of `as_json`."""
        return cls(**{**values, "choices": tuple(values["choices"])})


Space = tuple[Dimension, ...]


def parse_over(text: str, recipe: Recipe) -> Space:
    """Reads `optim.lr,regularize.l2=1e-5..1e-3,model.name=quick|convnet`.

    Arguments:
        recipe: what is searched around; each end of a range must be legal in it.

    Raises:
        UserError: with every fault: an unknown setting, one that cannot be searched, a range upside down, an illegal value.
    """
    faults: list[Fault] = []
    space: list[Dimension] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, equals, values = (part.strip() for part in entry.partition("="))
        found = _dimension(name, values if equals else "", f"--over {entry}", recipe)
        if isinstance(found, Fault):
            faults.append(found)
        elif any(one.name == name for one in space):
            faults.append(Fault(f"{name} is named twice", f"--over {entry}"))
        else:
            space.append(found)
    if not space and not faults:
        faults.append(
            Fault("nothing is named to be searched over", "--over", hint="For example --over optim.lr,regularize.l2")
        )
    if faults:
        raise UserError.of(faults)
    return tuple(space)


def _dimension(name: str, values: str, where: str, recipe: Recipe) -> Dimension | Fault:
    if name not in setting_names():
        return unknown_setting(name, where)
    if name in (*NOT_SEARCHED, *NOT_SEARCHED_TOO):
        return Fault(f"{name} is not for a search to choose", where, hint="Give it with --set, the same for all trials")
    if not values and name == RATE:
        return Dimension(RATE, *RATE_RANGE, relative=True, logarithmic=True)
    values = values or USUAL_RANGES.get(name, "")
    if not values:
        legal = f"{name}=LOW..HIGH for a number, {name}=A|B for a choice"
        return Fault(f"there is no usual range for {name}", where, legal)
    if found := re.fullmatch(r"(\S+?)\.\.(\S+)", values):
        return _range(name, found[1], found[2], where, recipe)
    choices = tuple(Override.from_text(f"{name}={one.strip()}").value for one in values.split("|"))
    if len(set(choices)) < 2:
        return Fault(
            f"'{values}' leaves nothing to choose", where, f"{name}=LOW..HIGH, or two values and more: {name}=A|B"
        )
    illegal = [fault for one in choices if (fault := _illegal(name, one, where))]
    return illegal[0] if illegal else Dimension(name, choices=choices)  # type: ignore[arg-type]


def _range(name: str, first: str, last: str, where: str, recipe: Recipe) -> Dimension | Fault:
    try:
        low, high = float(first), float(last)
    except ValueError:
        return Fault(
            f"'{first}..{last}' is not a range of numbers", where, f"{name}=LOW..HIGH, as in optim.lr=0.001..1"
        )
    if not (math.isfinite(low) and math.isfinite(high)):
        return Fault(f"the range {first}..{last} has no end", where, "finite numbers")
    if low >= high:
        what = "is upside down" if low > high else "is a single value"
        return Fault(
            f"the range {first}..{last} of {name} {what}",
            where,
            f"{name}={high:g}..{low:g}" if low > high else "LOW below HIGH",
        )
    whole = isinstance(recipe.get(name), int) and not isinstance(recipe.get(name), bool)
    for end in (low, high):
        number = int(end) if end == int(end) and (whole or _wants_whole(name)) else end
        if fault := _illegal(name, number, where):
            return fault
    logarithmic = low > 0 and high / low >= LOGARITHMIC
    return Dimension(name, low, high, whole=whole or _wants_whole(name), logarithmic=logarithmic)


def _wants_whole(name: str) -> bool:
    """Whether a setting takes whole numbers only."""
    return bool(parse(None, [Override(name, 1.5, "")]).faults) and not parse(None, [Override(name, 16, "")]).faults


def _illegal(name: str, value: object, where: str) -> Fault | None:
    """The fault of one value in the recipe's structure, if there is one; names and combinations are seen by each trial."""
    faults = parse(None, [Override(name, value, where)]).faults
    return faults[0] if faults else None


def points(count: int, dimensions: int, *, seed: int, first: int = 0) -> NDArray[np.float64]:
    """Quasi-random points of the unit cube, which any projection covers evenly: the additive recurrence of the
    generalised golden ratio g, the root above 1 of x^(d+1) = x + 1.

        point i = fractional part of (shift + i (1/g, 1/g², ..., 1/g^d))

    Arguments:
        first: the number of the first point; each continues the sequence.
        seed: of the shift.

    Shape:
        (count, dimensions).

    Source: Roberts, "The unreasonable effectiveness of quasirandom sequences" (2018).
    """
    golden = 2.0
    for _ in range(60):
        golden = (1 + golden) ** (1 / (dimensions + 1))
    steps = golden ** -np.arange(1.0, dimensions + 1)
    shift = np.random.Generator(np.random.PCG64(stream_key(seed, "search"))).random(dimensions)
    return (shift + np.arange(first + 1, first + count + 1)[:, None] * steps) % 1.0


def at(space: Space, place: Sequence[float]) -> dict[str, Value]:
    """The settings at a point of the unit cube."""
    return {one.name: one.value(float(unit)) for one, unit in zip(space, place, strict=True)}


MARGIN, LEAST_WIDTH = 0.1, 0.2
"""What is added on each side of the winners, and what stays at least, as shares of a range."""


def narrowed(space: Space, winners: Sequence[Mapping[str, Value]]) -> Space:
    """The space around the winners: numbers from their least to their largest value and a margin, choices that won."""
    return tuple(_narrowed(one, [params[one.name] for params in winners]) for one in space)


def _narrowed(one: Dimension, values: Sequence[Value]) -> Dimension:
    if one.choices:
        return replace(one, choices=tuple(choice for choice in one.choices if choice in values) or one.choices)
    units = [one.unit(value) for value in values]
    low, high = max(0.0, min(units) - MARGIN), min(1.0, max(units) + MARGIN)
    if high - low < LEAST_WIDTH:
        middle = min(1 - LEAST_WIDTH / 2, max(LEAST_WIDTH / 2, (low + high) / 2))
        low, high = middle - LEAST_WIDTH / 2, middle + LEAST_WIDTH / 2
    ends = float(replace(one, whole=False).value(low)), float(replace(one, whole=False).value(high))
    if one.whole:
        ends = math.floor(ends[0]), math.ceil(ends[1])
    return replace(one, low=ends[0], high=ends[1]) if ends[0] < ends[1] else one


EDGE, FURTHER = 0.1, 1 / 3
"""How near an end, as a share of the range, is its edge; and by what share of it the range then grows."""


@dataclass(frozen=True, slots=True)
class Widening:
    """A range that grew because the best value lay at its edge: `old`, `new`, and the part to be searched besides."""

    old: Dimension
    new: Dimension
    strip: Dimension
    best: float


def widenings(space: Space, best: Mapping[str, Value]) -> list[Widening]:
    """The dimensions whose best value lies at an edge beyond which the setting is still legal."""
    found = []
    for one in space:
        if one.choices or not one.logarithmic:
            continue
        unit = one.unit(best[one.name])
        factor = (one.high / one.low) ** FURTHER
        if unit < EDGE:
            new = replace(one, low=float(f"{one.low / factor:.2g}"))
            strip = replace(new, high=one.low * (one.high / one.low) ** EDGE)
        elif unit > 1 - EDGE:
            new = replace(one, high=float(f"{one.high * factor:.2g}"))
            strip = replace(new, low=one.high / (one.high / one.low) ** EDGE)
        else:
            continue
        if one.relative or not any(_illegal(one.name, end, "") for end in (new.low, new.high)):
            found.append(Widening(one, new, strip, float(best[one.name])))
    return found
