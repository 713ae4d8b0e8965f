"""Broken trainings of the last part: a cell with one thing done wrongly; and the causes that are right to name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from last.cells import CELLS
from last.kinds import COSTS, INPUTS, LOOPS, LOSSES, NETWORKS, RATES
from programs import Program

KINDS = (*RATES, *NETWORKS, *INPUTS, *LOSSES, *LOOPS, *(row for row, _ in COSTS))

LATE: Mapping[str, str] = {}
"""No kind has a name of this part alone: the other parts' `LATE` hold."""

ELSEWHERE: Mapping[str, str] = {}
"""No kind but those that other parts list could not live in every cell."""


def broken() -> list[Program]:
    """All broken programs of the last part."""
    harms = {row[0]: harm for row, harm in COSTS}
    made = []
    for kind, accepted, strong, mild, cells in KINDS:
        for cell in cells.split():
            base, change = cell[:-1], strong if cell[-1] == "+" else mild
            setup = replace(CELLS[base], **change)  # type: ignore[arg-type]
            name = f"last-{kind}-{'strong' if cell[-1] == '+' else 'mild'}-{base}"
            made.append(Program(name, kind, accepted, setup, base=f"last-{base}", harm=harms.get(kind, ""), held=True))
    return made
