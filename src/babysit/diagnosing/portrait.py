"""A training in numbers: the same few figures of every quantity, whatever network, data and loop it has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from babysit.diagnosing.course import classes_of
from babysit.record.known import Known
from babysit.record.log import RunLog
from babysit.record.observation import QUANTITIES, VOLATILE_UNITS

MOMENTS = ("begin", "middle", "end")
LEFT_OUT = ("descent", "softmax_descent", "bending")
"""Quantities that were recorded later than others, of some kinds of programs alone: that they are there would tell the kind."""

ABSENT = -50.0
"""Of what was not measured: below what `as_vector` makes of numbers that trainings have."""


def portrait(log: RunLog, known: Known) -> dict[str, float]:
    """Name -> number, of what was measured and is repeatable; what was not is absent.

    Of a quantity of the whole: its first, last, mean, least and most value, and the share of values that are no number.
    Of one of layers or classes: at the begin, in the middle and at the end the least, the most and the mean of them, and
    what the first and the last of them have. Losses are measured in ln C and accuracies from chance to 1, so that
    trainings of C classes can be laid beside others. How many layers have weights, what share of them is trained, and each number that is known of the settings.

    >>> from babysit.record.log import Row
    >>> log = RunLog([Row("step", 1, 0, {"accuracy": 0.5}), Row("step", 2, 0, {"accuracy": 1.0})])
    >>> seen = portrait(log, Known(classes=2))
    >>> seen["accuracy first"], seen["accuracy last"], seen["accuracy mean"], seen["classes"]
    (0.0, 1.0, 0.5, 2.0)
    """
    classes = max(classes_of(known, log), 2)
    found = dict(_settings(known)) | dict(_depth(log, known))
    for quantity, unit in QUANTITIES.items():
        if unit in VOLATILE_UNITS or quantity in LEFT_OUT:
            continue
        every = {where: log.series(quantity, where).values for where in log.wheres(quantity)}
        scaled = {where: _scaled(values, quantity, unit, classes) for where, values in every.items()}
        if "" in scaled:
            found |= dict(_whole(quantity, scaled.pop("")))
        if scaled:
            found |= dict(_places(quantity, list(scaled.values())))
    return {name: value for name, value in found.items() if math.isfinite(value)}


def as_vector(seen: Mapping[str, float], names: tuple[str, ...]) -> NDArray[np.float32]:
    """The numbers of a portrait by name, shortened: sign(x) ln(1 + 10,000 |x|), so that small ones are told apart; `ABSENT` where
    there is none."""
    values = np.array([seen.get(name, math.nan) for name in names])
    short = np.sign(values) * np.log1p(1e4 * np.abs(values))
    return np.where(np.isnan(short), ABSENT, short).astype(np.float32)


def _settings(known: Known) -> Iterator[tuple[str, float]]:
    for one in fields(known):
        value = getattr(known, one.name)
        if isinstance(value, int | float):
            yield one.name, float(value)


def _depth(log: RunLog, known: Known) -> Iterator[tuple[str, float]]:
    """How many layers have weights of several dimensions, and the share of all that are meant to be trained."""
    weighty = [one for one in known.layers or () if one.kind.startswith(("Conv", "Linear"))]
    if weighty:
        yield "layers", float(len(weighty))
        yield "layers trained", min(1.0, len(log.wheres("update_ratio")) / len(weighty))


def _scaled(values: NDArray[np.float64], quantity: str, unit: str, classes: int) -> NDArray[np.float64]:
    if unit == "nat":
        return values / math.log(classes)
    return (values - 1 / classes) / (1 - 1 / classes) if quantity.endswith("accuracy") else values


def _whole(quantity: str, values: NDArray[np.float64]) -> Iterator[tuple[str, float]]:
    kept = values[np.isfinite(values)]
    yield f"{quantity} no number", 1 - len(kept) / len(values)
    if len(kept):
        told = (kept[0], kept[-1], kept.mean(), kept.min(), kept.max())
        for name, value in zip(("first", "last", "mean", "least", "most"), told, strict=True):
            yield f"{quantity} {name}", float(value)


def _places(quantity: str, places: list[NDArray[np.float64]]) -> Iterator[tuple[str, float]]:
    for moment, share in zip(MOMENTS, (0.0, 0.5, 1.0), strict=True):
        values = np.array([one[round(share * (len(one) - 1))] for one in places])
        yield f"{quantity} {moment} first", float(values[0])
        yield f"{quantity} {moment} last", float(values[-1])
        if len(kept := values[np.isfinite(values)]):
            for name, value in zip(("least", "most", "mean"), (kept.min(), kept.max(), kept.mean()), strict=True):
                yield f"{quantity} {moment} {name}", float(value)
