"""Broken trainings of the unseen part: a cell with one thing done wrongly; and the causes that are right to name.

The causes were written before any of them was recorded, by the names of the causes alone, without a look at a rule, at
a rule's page or at a score.
"""

from __future__ import annotations

from dataclasses import replace

from programs import Program
from unseen.cells import CELLS
from unseen.kinds_data import INPUTS, LABELS, LOSSES
from unseen.kinds_loop import CAPACITY, COSTS, LOOPS
from unseen.kinds_network import NETWORKS, RATES

KINDS = {**RATES, **NETWORKS, **INPUTS, **LOSSES, **LABELS, **CAPACITY, **LOOPS, **COSTS}

LATE = {
    "labels-one-swallows": "wrong labels show when a network could have learned the right ones",
    "batch-large": "that the updates are too few is known at the end",
    "schedule-wild": "the rate is right until its cycle comes",
}
"""Kinds of this part alone that no rule could know early, with the reason; `held.broken.LATE` and `fresh.broken.LATE` hold for the others."""

ELSEWHERE = {
    "rate-body-low": "not where normalisation lets a body be that was never trained",
    "old-head": "not where a body can learn to serve a head that stays as it was",
}
"""Kinds of this part that cannot live in every cell, with the reason."""


def broken() -> list[Program]:
    """All broken programs of the unseen part."""
    made = []
    for name, kind in KINDS.items():
        for cell in kind.cells.split():
            base, strength = cell[:-1], "strong" if cell[-1] == "+" else "mild"
            change = {**(kind.strong if cell[-1] == "+" else kind.mild), **kind.also.get(base, {})}
            setup = replace(CELLS[base], **change)  # type: ignore[arg-type]
            full = f"unseen-{name}-{strength}-{base}"
            made.append(Program(full, name, kind.accepted, setup, base=f"unseen-{base}", harm=kind.harm, held=True))
    return made
