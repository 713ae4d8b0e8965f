"""Scores the rules, and the baselines, over the recorded corpus. Trains nothing; seconds.

python faults/score.py             # the figures
python faults/score.py --each      # and every program: what was said of it
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

import logs
from babysit.diagnosing import judge
from babysit.record.diagnosis import Diagnosis
from baselines import BASELINES, Baseline
from broken import broken
from healthy import healthy
from programs import Program

LOOKS = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Shares of a healthy training after which it is judged; an alarm at any of them is a false one."""

WORSE, BADLY = 0.05, 0.2
"""Validation accuracy a broken training must lose against its healthy twin, and a healthy one may: the others are listed apart."""


@dataclass(frozen=True)
class Judged:
    """What was said of a program: names in their order at the end; alarms (warn, stop) at any look."""

    program: Program
    said: list[Diagnosis]
    alarms: set[str]
    kept: logs.Kept

    @property
    def first(self) -> bool:
        """Whether a right cause is named first."""
        return bool(self.said) and self.said[0].rule in self.program.accepted

    @property
    def among_three(self) -> bool:
        """Whether one is among the first three."""
        return any(one.rule in self.program.accepted for one in self.said[:3])

    @property
    def alarmed(self) -> bool:
        """Whether a warning or more was raised at the end."""
        return any(one.severity != "note" for one in self.said)


def judged(program: Program) -> Judged:
    """A program's log under the rules."""
    kept = logs.read(program.name)
    alarms: set[str] = set()
    if program.healthy:
        for share in LOOKS[:-1]:
            alarms |= {one.rule for one in judge(kept.until(share), kept.known) if one.severity != "note"}
    said = judge(kept.log, kept.known)
    return Judged(program, said, alarms | {one.rule for one in said if one.severity != "note"}, kept)


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
    return middle - half, middle + half


def harmed(one: Judged, accuracies: dict[str, float]) -> bool:
    """Whether a broken training ended clearly worse than its healthy twin."""
    twin = accuracies.get(f"base-{one.program.base}", accuracies.get(f"fine-{one.program.base}"))
    return twin is None or one.kept.outcome["accuracy"] < twin - WORSE


def went_badly(one: Judged, accuracies: dict[str, float]) -> bool:
    """Whether a training that was meant to be healthy ended far below its twin."""
    return one.kept.outcome["accuracy"] < accuracies.get(f"base-{one.program.base}", 0.0) - BADLY


def spelled(count: int, total: int) -> str:
    """A share with its interval."""
    low, high = wilson(count, total)
    return f"{count / max(1, total):6.1%} ({count} of {total}; {low:.1%} to {high:.1%})"


def main() -> None:
    """Prints the score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", action="store_true", help="every program")
    asked = parser.parse_args()
    there = [one for one in [*broken(), *healthy()] if logs.path_of(one.name).exists()]
    found = [judged(one) for one in there]
    accuracies = {one.program.name: one.kept.outcome["accuracy"] for one in found}
    ill = [one for one in found if not one.program.healthy and harmed(one, accuracies)]
    harmless = [one for one in found if not one.program.healthy and not harmed(one, accuracies)]
    well = [one for one in found if one.program.healthy and not went_badly(one, accuracies)]
    badly = [one for one in found if one.program.healthy and went_badly(one, accuracies)]
    if asked.each:
        each([*ill, *harmless, *well, *badly])
    print(
        f"{len(ill)} broken, {len(well)} healthy, {len(harmless)} faulty but harmless (within {WORSE:.0%} of their twin)"
    )
    print(
        f"{len(badly)} meant healthy that went badly (over {BADLY:.0%} below their twin), "
        f"of which {sum(bool(one.alarms) for one in badly)} alarmed"
    )
    print(f"right cause first        {spelled(sum(one.first for one in ill), len(ill))}")
    print(f"among the first three    {spelled(sum(one.among_three for one in ill), len(ill))}")
    print(f"broken, not alarmed      {spelled(sum(not one.alarmed for one in ill), len(ill))}")
    print(
        f"healthy alarmed          {spelled(sum(bool(one.alarms) for one in well), len(well))}  at any of {len(LOOKS)} looks"
    )
    print(f"healthy alarmed at end   {spelled(sum(one.alarmed for one in well), len(well))}")
    print(f"harmless: cause first    {spelled(sum(one.first for one in harmless), len(harmless))}")
    for name, baseline in BASELINES.items():
        against(name, baseline, ill, well)


def each(found: list[Judged]) -> None:
    """One line for each program."""
    for one in sorted(found, key=lambda one: (one.program.healthy, one.first, one.program.name)):
        mark = ("ok " if not one.alarms else "FALSE") if one.program.healthy else ("ok " if one.first else "MISS")
        said = ", ".join(f"{d.rule}{'' if d.severity != 'note' else '*'} {d.sure:.2f}" for d in one.said[:4])
        early = "" if not one.program.healthy else " | at a look: " + ", ".join(sorted(one.alarms))
        print(f"{mark:5s} {one.program.name:38s} {one.kept.outcome['accuracy']:.2f} {said}{early}")


def against(name: str, baseline: Baseline, ill: list[Judged], well: list[Judged]) -> None:
    """A baseline's figures: a program is right when a symptom it reports stands for an accepted cause."""
    said = {one.program.name: baseline.causes(one.kept) for one in [*ill, *well]}
    right = sum(
        bool(set(said[one.program.name][0]) & set(one.program.accepted)) for one in ill if said[one.program.name]
    )
    any_right = sum(any(set(causes) & set(one.program.accepted) for causes in said[one.program.name]) for one in ill)
    false = sum(bool(said[one.program.name]) for one in well)
    print(
        f"{name:24s} first {spelled(right, len(ill))}, any {any_right / max(1, len(ill)):.1%}, healthy alarmed {spelled(false, len(well))}"
    )


if __name__ == "__main__":
    main()
