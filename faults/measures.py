"""Figures of the score: how early, how sure, what is taken for what, and against the baselines at their own false alarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

import anew.broken
import apart.broken
import beyond.broken
import fresh.broken
import held.broken
import last.broken
import outside.broken
import unseen.broken
from baselines import BASELINES
from judging import EARLY, Judged, Part

_PARTS = (
    held.broken,
    fresh.broken,
    unseen.broken,
    apart.broken,
    beyond.broken,
    anew.broken,
    outside.broken,
    last.broken,
)
LATE = {kind: reason for part in _PARTS for kind, reason in part.LATE.items()}
TUNING_LATE = ("few-images", "stopped-early", "too-small", "labels-noisy")
"""Of the tuning part's kinds those that no rule could know early; the others' are listed with their reasons."""

BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Edges of the sureness that is counted together."""


@dataclass(frozen=True)
class Bin:
    """First warnings of one sureness: how many, how sure on average, and the share that is right."""

    low: float
    high: float
    count: int
    sure: float
    right: float


def knowable(part: Part) -> list[Judged]:
    """Broken ones whose cause a rule could know early."""
    return [one for one in part.ill if one.program.kind not in LATE and one.program.kind not in TUNING_LATE]


def named_by(ill: Sequence[Judged]) -> list[tuple[float, float]]:
    """Share of the run, and the share of programs whose right cause has stood first by then."""
    return [
        (look, sum(one.named is not None and one.named <= look for one in ill) / max(1, len(ill))) for look in EARLY
    ]


def median_named(ill: Sequence[Judged]) -> float:
    """Median share of the run until a right cause stands first; never counts as beyond the end."""
    shares = [one.named if one.named is not None else np.inf for one in ill]
    return float(np.median(shares)) if shares else np.nan


def first_warnings(part: Part) -> list[tuple[float, bool]]:
    """Sureness and rightness of the first warning of each broken program, and the surest alarm of each healthy one: wrong."""
    found = []
    for one in part.ill:
        loud = [said for said in one.said if said.severity != "note"]
        if loud:
            found.append((loud[0].sure, loud[0].rule in one.program.accepted))
    return [*found, *((max(one.alarms.values()), False) for one in part.well if one.alarms)]


def reliability(warnings: Sequence[tuple[float, bool]]) -> list[Bin]:
    """Warnings by how sure they are; empty bins are left out."""
    made = []
    for low, high in pairwise(BINS):
        here = [one for one in warnings if low <= one[0] < high or (high == BINS[-1] and one[0] == high)]
        if here:
            sure, right = (float(np.mean([one[place] for one in here])) for place in (0, 1))
            made.append(Bin(low, high, len(here), sure, right))
    return made


def calibrated(warnings: Sequence[tuple[float, bool]]) -> tuple[list[float], list[float]]:
    """The rising step function from sureness to the share that is right (isotonic regression by pooling neighbours).

    >>> calibrated([(0.5, False), (0.6, True), (0.7, False), (0.9, True)])
    ([0.5, 0.6, 0.9], [0.0, 0.5, 1.0])
    """
    blocks: list[list[float]] = []  # the least sureness of a block, the sum of rights, their number
    for sure, right in sorted(warnings):
        blocks.append([sure, float(right), 1.0])
        while len(blocks) > 1 and blocks[-2][1] / blocks[-2][2] >= blocks[-1][1] / blocks[-1][2]:
            _, rights, count = blocks.pop()
            blocks[-1][1] += rights
            blocks[-1][2] += count
    return [one[0] for one in blocks], [one[1] / one[2] for one in blocks]


def mapped(sure: float, steps: tuple[list[float], list[float]]) -> float:
    """A sureness as the tuning part has it."""
    place = int(np.searchsorted(steps[0], sure, side="right")) - 1
    return steps[1][max(0, place)]


def error(warnings: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error over the bins: the mean distance of sureness and share, by count."""
    bins = reliability(warnings)
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.sure - one.right) for one in bins) / max(1, total)


def confused(part: Part) -> list[tuple[str, str, int]]:
    """Kind of fault, what stood first instead (`nothing` where nothing was said), how often; the most frequent first."""
    wrong = Counter(
        (one.program.kind, one.said[0].rule if one.said else "nothing") for one in part.ill if not one.first()
    )
    return sorted(((kind, said, count) for (kind, said), count in wrong.items()), key=lambda one: (-one[2], one))


@dataclass(frozen=True)
class Against:
    """A baseline, and the rules at the sureness at which they alarm no more healthy ones than it does."""

    name: str
    first: int
    any: int
    false: int
    cut: float
    ours_first: int
    ours_false: int


def against(name: str, part: Part) -> Against:
    """A baseline's figures: a program is right when a symptom it reports stands for an accepted cause."""
    assert name in BASELINES
    first = sum(bool(one.symptoms[name]) and _right(one, one.symptoms[name][:1]) for one in part.ill)
    any_right = sum(_right(one, one.symptoms[name]) for one in part.ill)
    false = sum(bool(one.symptoms[name]) for one in part.well)
    cut = next(cut for cut in cuts(part) if sum(one.alarmed(cut) for one in part.well) <= false)
    ours = sum(one.first(cut) for one in part.ill)
    return Against(name, first, any_right, false, cut, ours, sum(one.alarmed(cut) for one in part.well))


def cuts(part: Part) -> list[float]:
    """Sureness at which something changes, rising; beyond the last nothing is said."""
    alarms = {sure for one in part.well for sure in one.alarms.values()}
    return [0.0, *sorted(float(np.nextafter(one, 2)) for one in alarms)]


def trade(part: Part) -> list[tuple[float, float]]:
    """Share of healthy ones alarmed and of broken ones right, at each sureness from which on warnings are heard."""
    sures = sorted({0.0, *cuts(part), *(one.sure for each in part.ill for one in each.said), 1.01})
    points = []
    for cut in sures[:: max(1, len(sures) // 120)]:
        false = sum(one.alarmed(cut) for one in part.well) / max(1, len(part.well))
        points.append((false, sum(one.first(cut) for one in part.ill) / max(1, len(part.ill))))
    return points


def _right(one: Judged, causes: Sequence[tuple[str, ...]]) -> bool:
    return any(set(each) & set(one.program.accepted) for each in causes)
