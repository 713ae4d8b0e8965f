"""Broken trainings of the part that is anew: a cell with one thing done wrongly; and the causes that are right to name."""

from __future__ import annotations

from dataclasses import replace

from anew.cells import CELLS
from anew.kinds import COSTS, INPUTS, LOOPS, LOSSES, NETWORKS, RATES
from programs import Program

KINDS = (*RATES, *NETWORKS, *INPUTS, *LOSSES, *LOOPS, *(row for row, _ in COSTS))

LATE = {
    "slow": "that it does not come to an end in time is known at the end",
    "evaluation-forgotten": "only a validation shows it, and a network that has learned something",
}
"""Kinds under names of this part alone that no rule could know early, with the reason; the other parts' `LATE` hold for the others."""

ELSEWHERE = {
    "saturated": "only where activations saturate",
    "batch-of-two": "only with batch normalisation",
    "old-head": "only where a head is new",
}
"""Kinds that cannot live in every cell, with the reason."""


def broken() -> list[Program]:
    """All broken programs of the part that is anew."""
    harms = {row[0]: harm for row, harm in COSTS}
    made = []
    for kind, accepted, strong, mild, cells in KINDS:
        for cell in cells.split():
            base, change = cell[:-1], strong if cell[-1] == "+" else mild
            setup = replace(CELLS[base], **change)  # type: ignore[arg-type]
            name = f"anew-{kind}-{'strong' if cell[-1] == '+' else 'mild'}-{base}"
            made.append(Program(name, kind, accepted, setup, base=f"anew-{base}", harm=harms.get(kind, ""), held=True))
    return made
