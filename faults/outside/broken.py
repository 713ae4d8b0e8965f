"""Broken trainings of the part from outside: a cell with one thing done wrongly; and the causes that are right to name."""

from __future__ import annotations

from dataclasses import replace

from outside.cells import CELLS
from outside.kinds import COSTS, INPUTS, LOOPS, LOSSES, NETWORKS, RATES
from programs import Program

KINDS = (*RATES, *NETWORKS, *INPUTS, *LOSSES, *LOOPS, *(row for row, _ in COSTS))

LATE = {
    "subset-left": "that it is learned by heart shows when it is learned",
    "mean-slow": "that the mean does not follow shows when there is something to follow",
}
"""Kinds under names of this part alone that no rule could know early, with the reason; the other parts' `LATE` hold for the others."""

ELSEWHERE = {
    "augmentation-mirrored": "only where classes are each other's mirror images",
    "mean-slow": "only in a loop that keeps a mean of its weights",
}
"""Kinds that cannot live in every cell, with the reason."""


def broken() -> list[Program]:
    """All broken programs of the part from outside."""
    harms = {row[0]: harm for row, harm in COSTS}
    made = []
    for kind, accepted, strong, mild, cells in KINDS:
        for cell in cells.split():
            base, change = cell[:-1], strong if cell[-1] == "+" else mild
            setup = replace(CELLS[base], **change)  # type: ignore[arg-type]
            name = f"outside-{kind}-{'strong' if cell[-1] == '+' else 'mild'}-{base}"
            made.append(
                Program(name, kind, accepted, setup, base=f"outside-{base}", harm=harms.get(kind, ""), held=True)
            )
    return made
