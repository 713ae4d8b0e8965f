"""Broken trainings of the fresh part: a cell with one thing done wrongly, strongly or mildly; and the causes that are right to name.

The causes were written before any of them was recorded, by the names of the causes alone, without a look at a rule, at
a rule's page or at a score.
"""

from __future__ import annotations

from dataclasses import replace

from fresh.cells import CELLS
from fresh.kinds_data import INPUTS, LABELS, LOSSES
from fresh.kinds_loop import CAPACITY, COSTS, LOOPS
from fresh.kinds_network import NETWORKS, RATES
from programs import Program

KINDS = {**RATES, **NETWORKS, **INPUTS, **LOSSES, **LABELS, **CAPACITY, **LOOPS, **COSTS}

LATE = {
    "schedule-rising": "the rate is right until it has risen",
    "same-batches": "overfitting is seen when it has happened",
    "labels-paired": "wrong labels show when a network could have learned the right ones",
    "judged-in-training": "only a validation shows it, and a network that has learned something",
}
"""Kinds of this part alone that no rule could know early, with the reason; `held.broken.LATE` holds for the others."""

ELSEWHERE = {
    "always-evaluating": "only where there is batch normalisation",
    "half-held": "not where normalisation and ways around make up for layers that stay as they were",
    "body-never-stepped": "only in loops with two optimisers",
    "frozen-untrained": "only where a body is frozen",
    "scale-kept": "Adam and its family do not notice",
    "accumulation-sum": "only in loops that accumulate; Adam and its family do not notice",
    "inputs-saturating": "only with activations that saturate",
    "augmentation-turning": "only where the class is a direction",
}
"""Kinds of this part that cannot live in every cell, with the reason."""


def broken() -> list[Program]:
    """All broken programs of the fresh part."""
    made = []
    for name, kind in KINDS.items():
        for cell in kind.cells.split():
            base, strength = cell[:-1], "strong" if cell[-1] == "+" else "mild"
            change = {**(kind.strong if cell[-1] == "+" else kind.mild), **kind.also.get(base, {})}
            setup = replace(CELLS[base], **change)  # type: ignore[arg-type]
            full = f"fresh-{name}-{strength}-{base}"
            made.append(Program(full, name, kind.accepted, setup, base=f"fresh-{base}", harm=kind.harm, held=True))
    return made
