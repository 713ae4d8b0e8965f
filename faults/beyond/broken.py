"""Broken trainings of the part that is beyond: a cell with one thing done wrongly; and the causes that are right to name."""

from __future__ import annotations

from dataclasses import replace

from beyond.cells import CELLS
from beyond.kinds import COSTS, LISTED, UNLISTED
from programs import Program

KINDS = (*LISTED, *UNLISTED, *(row for row, _ in COSTS))
NEW = frozenset(row[0] for row in UNLISTED)
"""Kinds that no other part has: they are counted by themselves."""

LATE = {
    "sampler-of-classes": "overfitting is seen when it has happened",
    "break-left": "that the updates are too few is known at the end",
    "weights-grow": "the weights are right until they have grown",
}
"""Kinds of this part alone that no rule could know early, with the reason; the other parts' `LATE` hold for the others."""

ELSEWHERE = {
    "norm-gain": "only where there is normalisation",
    "average-unready": "only in a loop that judges a mean of weights, with batch normalisation",
}
"""Kinds of this part alone that cannot live in every cell, with the reason."""


def broken() -> list[Program]:
    """All broken programs of the part that is beyond."""
    harms = {row[0]: harm for row, harm in COSTS}
    made = []
    for kind, accepted, strong, mild, cells in KINDS:
        for cell in cells.split():
            base, change = cell[:-1], strong if cell[-1] == "+" else mild
            setup = replace(CELLS[base], **change)  # type: ignore[arg-type]
            name = f"beyond-{kind}-{'strong' if cell[-1] == '+' else 'mild'}-{base}"
            made.append(
                Program(name, kind, accepted, setup, base=f"beyond-{base}", harm=harms.get(kind, ""), held=True)
            )
    return made
