"""Evidence: how far a number is from its threshold in units of its spread, and what a rule says with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from babysit.record.diagnosis import Begin, Diagnosis, Experiment, Severity
from babysit.record.observation import Observation
from babysit.record.series import Series

NORMAL = 1.4826
"""Standard deviations in a median absolute deviation, of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What speaks for a diagnosis: how sure it makes us (0 to 1), and since which step."""

    sure: float
    since: int
    evidence: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """What a diagnosis says: the claim, what to set in a recipe, the line for a loop of one's own, what would disprove it."""

    claim: str
    advice: str
    code: str
    disproof: str


def sure_of(distance: float, spread: float) -> float:
    """How sure a distance beyond a threshold makes us, given the spread of what was measured.

    1/2 + arctan(distance / spread) / pi: the share of a Cauchy distribution that lies on this side. Its tails are
    heavy, because the true distribution of the evidence is not known: three spreads are 0.90, thirty are 0.99.

    Arguments:
        distance: beyond the threshold, in any unit; negative on the other side.
        spread: of the evidence, in the same unit, above 0.

    >>> round(sure_of(0.0, 1.0), 2), round(sure_of(3.0, 1.0), 2), round(sure_of(30.0, 1.0), 2)
    (0.5, 0.9, 0.99)
    """
    if not math.isfinite(distance):
        return 1.0 if distance > 0 else 0.0
    return 0.5 + math.atan2(distance, max(spread, 1e-12)) / math.pi


def log_ratio(one: float, other: float) -> float:
    """ln one - ln other; NaN where either is not above 0, and no number divides by nothing or grows beyond all.

    >>> round(log_ratio(2.0, 1.0), 3), log_ratio(0.0, 1.0), log_ratio(1e-300, 1e300) < -1000
    (0.693, nan, True)
    """
    return math.log(one) - math.log(other) if 0 < one < math.inf and 0 < other < math.inf else math.nan


def all_of(*sures: float) -> float:
    """How sure several pieces of evidence make us that are all needed: as sure as the weakest.

    >>> all_of(0.9, 0.6)
    0.6
    """
    return min(sures)


def spread_of(values: ArrayLike) -> float:
    """The spread of values about their median, in standard deviations of a normal distribution (robust).

    >>> spread_of([1.0, 1.0, 1.0])
    0.0
    """
    found = np.asarray(values, np.float64)
    found = found[np.isfinite(found)]
    return float(NORMAL * np.median(np.abs(found - np.median(found)))) if len(found) else 0.0


def noise_of(values: ArrayLike) -> float:
    """The spread of values from one to the next, which a slow course does not enter.

    >>> noise_of([1.0, 2.0, 3.0, 4.0])
    0.0
    """
    found = np.asarray(values, np.float64)
    found = found[np.isfinite(found)]
    return spread_of(np.diff(found)) / math.sqrt(2) if len(found) > 2 else 0.0


def share_error(share: float, count: float) -> float:
    """The standard error of a share of `count` images; that of one half of an image at least.

    >>> share_error(0.5, 100)
    0.05
    """
    count = max(1.0, count)
    kept = min(max(share, 0.5 / count), 1 - 0.5 / count) if count > 1 else 0.5
    return math.sqrt(kept * (1 - kept) / count)


def late(series: Series, share: float = 0.1, least: int = 8) -> NDArray[np.float64]:
    """The last values: a share of them, but at least so many (or all there are)."""
    return series.values[-max(least, round(share * len(series))) :]


def middle(values: NDArray[np.float64]) -> float:
    """The median of those that are finite; NaN when there is none."""
    found = values[np.isfinite(values)]
    return float(np.median(found)) if len(found) else math.nan


def smooth(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Running means of `width` values; as many as there are values, the first over what is there.

    Infinite where one of them is not finite, and there alone.

    >>> smooth(np.array([1.0, np.nan, 3.0, 5.0]), 2)
    array([ 1., inf, inf,  4.])
    """
    if not len(values):
        return values
    finite = np.isfinite(values)
    sums = np.cumsum(np.concatenate([[0.0], np.where(finite, values, 0.0)]))
    lost = np.cumsum(np.concatenate([[0], ~finite]))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - width)
    return np.where(lost[ends] > lost[starts], np.inf, (sums[ends] - sums[starts]) / (ends - starts))


def since(steps: NDArray[np.int64], holds: NDArray[np.bool_]) -> int:
    """The step from which on something holds to the end; the last step when it does not hold there.

    >>> since(np.array([1, 2, 3, 4]), np.array([True, False, True, True]))
    3
    """
    broken = np.flatnonzero(~holds)
    first = 0 if not len(broken) else min(int(broken[-1]) + 1, len(steps) - 1)
    return int(steps[first]) if len(steps) else 0


def slope(values: NDArray[np.float64]) -> tuple[float, float]:
    """The slope of a line through values, a value, and its standard error, from the noise about the line.

    >>> value, error = slope(np.array([1.0, 2.0, 3.0, 4.0]))
    >>> round(value, 6)
    1.0
    """
    count = len(values)
    if count < 4:
        return 0.0, math.inf
    places = np.arange(count) - (count - 1) / 2
    total = float((places**2).sum())
    value = float((places * values).sum()) / total
    left = values - values.mean() - value * places
    return value, math.sqrt(float((left**2).sum()) / (count - 2) / total)


def diagnosis(
    rule: str,
    severity: Severity,
    *,
    words: Words,
    weight: Weight,
    remedy: Mapping[str, object] | None = None,
    experiment: Experiment | None = None,
    where: str = "",
    begin: Begin = "start",
) -> Diagnosis:
    """A diagnosis with its page."""
    return Diagnosis(
        rule=rule,
        severity=severity,
        claim=words.claim,
        evidence=weight.evidence,
        sure=round(min(max(weight.sure, 0.0), 1.0), 4),
        advice=words.advice,
        since=weight.since,
        page=f"docs/diagnoses/{rule}.md",
        code=words.code,
        disproof=words.disproof,
        where=where,
        remedy=remedy,
        experiment=experiment,
        begin=begin,
    )


def aligned(*series: Series) -> list[Series]:
    """The series at the steps at which all of them were measured."""
    steps = series[0].steps
    for one in series[1:]:
        steps = np.intersect1d(steps, one.steps)
    kept = [np.isin(one.steps, steps) for one in series]
    return [
        Series(one.quantity, one.where, one.steps[mask], one.epochs[mask], one.values[mask])
        for one, mask in zip(series, kept, strict=True)
    ]


def lasts(*series: Series) -> tuple[Observation, ...]:
    """The latest value of each series that has one."""
    return tuple(one.observation(-1) for one in series if len(one))


def named(where: str) -> str:
    """A layer's name for a sentence: of a sequence they are numbers.

    >>> named("3"), named("features.conv1")
    ('layer 3', 'features.conv1')
    """
    return f"layer {where}" if where.replace(".", "").isdigit() else where


def joined(parts: Sequence[str]) -> str:
    """Parts of a sentence, the last behind an "and".

    >>> joined(["one", "two", "three"])
    'one, two and three'
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def spelled(values: Sequence[float]) -> str:
    """Numbers for a sentence.

    >>> spelled([0.12345, 2.0])
    '0.123, 2'
    """
    return ", ".join(f"{value:.3g}" for value in values)
