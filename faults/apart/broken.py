"""Broken trainings of the part that is apart: a cell with one thing done wrongly; and the causes that are right to name.

The causes were written before any of them was recorded, by the names of the causes alone, without a look at a rule, at
a rule's page or at a score of a rule over a program.
"""

from __future__ import annotations

from dataclasses import replace

from apart.cells import CELLS
from apart.kinds_data import INPUTS, LABELS, LOSSES
from apart.kinds_loop import CAPACITY, COSTS, LOOPS
from apart.kinds_network import NETWORKS, RATES
from programs import Program

KINDS = {**RATES, **NETWORKS, **INPUTS, **LOSSES, **LABELS, **CAPACITY, **LOOPS, **COSTS}

LATE = {
    "few-distinct": "overfitting is seen when it has happened",
    "impatient": "that the end comes too early is known at the end",
    "labels-two-ways": "wrong labels show when a network could have learned the right ones",
    "schedule-backwards": "a warm-up looks like itself until it should be over",
    "average-slow": "a mean that lags looks like a beginning until it should be over",
}
"""Kinds of this part alone that no rule could know early, with the reason; the other parts' `LATE` hold for the others."""

ELSEWHERE = {
    "plateau-mode": "only in a loop that waits for a plateau",
    "cycle-per-epoch": "only in a loop with one cycle",
    "mix-swapped": "only in a loop that mixes",
    "average-slow": "only in a loop that judges a mean of weights",
    "gates-shut": "only in networks with gates",
    "clipped-scaled": "only in a loop that scales its loss",
    "impatient": "only in a loop that stops by itself",
    "norm-tiny-batch": "only where there is batch normalisation",
}
"""Kinds of this part that cannot live in every cell, with the reason."""


def broken() -> list[Program]:
    """All broken programs of the part that is apart."""
    made = []
    for name, kind in KINDS.items():
        for cell in kind.cells.split():
            base, strength = cell[:-1], "strong" if cell[-1] == "+" else "mild"
            change = {**(kind.strong if cell[-1] == "+" else kind.mild), **kind.also.get(base, {})}
            setup = replace(CELLS[base], **change)  # type: ignore[arg-type]
            full = f"apart-{name}-{strength}-{base}"
            made.append(Program(full, name, kind.accepted, setup, base=f"apart-{base}", harm=kind.harm, held=True))
    return made
