"""What was said of each program of the corpus, what is true of it, and the groups that are counted."""

from __future__ import annotations

import math
import sys
import traceback
import warnings
import zlib
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

import corpus
import logs
import outcomes
from babysit.diagnosing import judge
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog
from baselines import BASELINES
from programs import Program

LOOKS = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Shares of a healthy training after which it is judged; an alarm at any of them is a false one."""

EARLY = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
"""Shares of a broken training after which it is judged, until a right cause is named first."""

WORSE, BADLY = 0.05, 0.2
"""Validation accuracy a broken training must lose against its healthy twin, and a healthy one may: the others are listed apart."""


@dataclass(frozen=True)
class Judged:
    """What was said of a program.

    `said` at the end, in its order; `alarms` the rules that warned or stopped at any look, with the greatest sureness;
    `named` the share of the run after which a right cause stood first; `symptoms` the causes that each baseline's
    symptoms stand for; `accuracy` at the end; `diverged` whether its loss was no number then.
    """

    program: Program
    said: tuple[Diagnosis, ...]
    alarms: Mapping[str, float]
    named: float | None
    symptoms: Mapping[str, list[tuple[str, ...]]]
    accuracy: float
    diverged: bool

    def first(self, cut: float = 0.0) -> bool:
        """Whether a right cause is named first, of what is at least as sure as `cut`."""
        loud = [one.rule for one in self.said if one.sure >= cut]
        return bool(loud) and loud[0] in self.program.accepted

    @property
    def among_three(self) -> bool:
        """Whether one is among the first three."""
        return any(one.rule in self.program.accepted for one in self.said[:3])

    @property
    def alarmed_at_end(self) -> bool:
        """Whether a warning or more was raised at the end."""
        return any(one.severity != "note" for one in self.said)

    def alarmed(self, cut: float = 0.0) -> bool:
        """Whether one was raised at any look, at least as sure as `cut`."""
        return any(sure >= cut for sure in self.alarms.values())


@dataclass(frozen=True)
class Part:
    """A part of the corpus: broken, faulty but harmless, healthy, and meant healthy that went badly."""

    name: str
    ill: list[Judged]
    harmless: list[Judged]
    well: list[Judged]
    badly: list[Judged]

    @property
    def all(self) -> list[Judged]:
        """All of them."""
        return [*self.ill, *self.harmless, *self.well, *self.badly]


def heard(log: RunLog, known: Known) -> list[Diagnosis]:
    """What the rules say; nothing where one of them fails, since the watcher switches itself off then."""
    try:
        with warnings.catch_warnings():  # a number that is none is no failure
            warnings.simplefilter("ignore")
            return judge(log, known)
    except Exception:  # noqa: BLE001 - counted as silence, and said
        print(f"a rule failed: {traceback.format_exc(limit=-1).splitlines()[-2:]}", file=sys.stderr)
        return []


def judged(program: Program) -> Judged:
    """A program's log under the rules and the baselines."""
    kept = logs.read(program.name)
    said = heard(kept.log, kept.known)
    alarms = {one.rule: one.sure for one in said if one.severity != "note"}
    named = None
    if program.healthy:
        for share in LOOKS[:-1]:
            for one in heard(kept.until(share), kept.known_at(share)):
                if one.severity != "note":
                    alarms[one.rule] = max(one.sure, alarms.get(one.rule, 0.0))
    else:
        for share in EARLY:
            early = said if share == 1 else heard(kept.until(share), kept.known_at(share))
            if early and early[0].rule in program.accepted:
                named = share
                break
    losses = np.asarray(kept.log.series("loss").values)
    diverged = bool(len(losses)) and not math.isfinite(float(losses[-1]))
    symptoms = {name: one.causes(kept) for name, one in BASELINES.items()}
    return Judged(program, tuple(said), alarms, named, symptoms, kept.outcome["accuracy"], diverged)


def everything(parts: Collection[str] = corpus.LOOKED_AT, *, one_in: int = 1) -> list[Judged]:
    """All programs of some parts that are recorded; by default those that are looked at, since a look spends a part.

    Arguments:
        one_in: of so many programs one, chosen by its name.
    """
    asked = [
        one for one in corpus.whole() if corpus.part_of(one) in parts and zlib.crc32(one.name.encode()) % one_in == 0
    ]
    there = [one for one in asked if logs.path_of(one.name).exists()]
    with ProcessPoolExecutor() as pool:
        return list(pool.map(judged, there, chunksize=8))


def parts_of(found: Sequence[Judged]) -> list[Part]:
    """The parts of the corpus that were judged, with what is broken told from what is harmless by two seeds."""
    seeds: dict[str, list[float]] = {one.program.name: [one.accuracy] for one in found}
    for twin in {corpus.twin_of(one.program) for one in found} - {"", *seeds}:  # where not all are judged
        if logs.path_of(twin).exists():
            seeds[twin] = [logs.read(twin).outcome["accuracy"]]
    for name, (_, accuracy) in outcomes.read().items():
        if name in seeds:
            seeds[name].append(accuracy)
    made = []
    for name in corpus.PARTS:
        here = [one for one in found if corpus.part_of(one.program) == name]
        if not here:
            continue
        ill = [one for one in here if not one.program.healthy]
        well = [one for one in here if one.program.healthy]
        hurt = {one.program.name: one.program.healthy or harmed(one, seeds) for one in here}
        bad = {one.program.name: went_badly(one, seeds) for one in well}
        made.append(
            Part(
                name,
                [one for one in ill if hurt[one.program.name]],
                [one for one in ill if not hurt[one.program.name]],
                [one for one in well if not bad[one.program.name]],
                [one for one in well if bad[one.program.name]],
            )
        )
    return made


def harmed(one: Judged, seeds: Mapping[str, Sequence[float]]) -> bool:
    """Whether a broken training ended clearly worse than its healthy twin in the mean of the seeds, or diverged."""
    if one.program.harm or one.diverged:
        return True
    twin = corpus.twin_of(one.program)
    if twin not in seeds:
        return True
    pairs = list(zip(seeds[one.program.name], seeds[twin], strict=False))
    return sum(healthy - broken for broken, healthy in pairs) / len(pairs) >= WORSE - 1e-9


def went_badly(one: Judged, seeds: Mapping[str, Sequence[float]]) -> bool:
    """Whether a training that was meant to be healthy ended far below its twin."""
    twin = corpus.twin_of(one.program)
    return twin in seeds and one.accuracy < seeds[twin][0] - BADLY


def wilson(count: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927).

    >>> tuple(round(one, 3) for one in wilson(9, 10))
    (0.596, 0.982)
    """
    if not total:
        return 0.0, 1.0
    share, z = count / total, 1.959964
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def spelled(count: int, total: int) -> str:
    """A share with its interval.

    >>> spelled(9, 10)
    '90.0 % (9 of 10; 59.6 to 98.2)'
    """
    low, high = wilson(count, total)
    return f"{100 * count / max(1, total):.1f} % ({count} of {total}; {100 * low:.1f} to {100 * high:.1f})"
