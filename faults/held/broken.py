"""Broken trainings of the held-out part: a cell with one thing done wrongly, strongly or mildly; and the causes that are right to name.

Written with the accepted causes before any of them was recorded, by the names of the causes alone.
"""

from __future__ import annotations

from dataclasses import replace

from held.cells import CELLS
from held.kinds_data import INPUTS, LABELS, LOSSES
from held.kinds_loop import CAPACITY, COSTS, LOOPS
from held.kinds_network import NETWORKS, RATES
from programs import Program

KINDS = {**RATES, **NETWORKS, **INPUTS, **LOSSES, **LABELS, **CAPACITY, **LOOPS, **COSTS}

LATE = {
    "few-images": "overfitting is seen when it has happened",
    "too-small": "slow learning and too small a network look alike until the curve bends",
    "stopped-early": "that the end comes too early is known at the end",
    "labels-noisy": "wrong labels show when a network could have learned the right ones",
    "warm-up-endless": "a warm-up looks like itself until it should be over",
    "hoard": "memory grows in every training's first steps",
}
"""Kinds that no rule could know early, with the reason: not counted in how early a cause is named."""

ELSEWHERE = {
    "momentum-high": "not with Adam and its family, whose momentum is another thing",
    "statistics": "only where there is batch normalisation",
    "evaluation-mode": "only where there is batch normalisation",
    "norm-missing": "only in networks that are built for it",
    "accumulation-sum": "only in loops that accumulate; Adam and its family do not notice",
    "old-head": "only where a head is put on something",
    "detached": "only where a body is used by itself",
    "epsilon-high": "only with Adam and its family",
    "epsilon-low": "only with Adam and its family",
    "init-small": "not under normalisation, which takes the scale away",
    "inputs-raw": "not where normalisation follows at once, which takes the scale away, unless the body was trained on other inputs",
    "saturated": "only with activations that saturate",
}
"""Kinds that cannot live in every cell, with the reason."""


def broken() -> list[Program]:
    """All broken programs of the held-out part."""
    made = []
    for name, kind in KINDS.items():
        for cell in kind.cells.split():
            base, strength = cell[:-1], "strong" if cell[-1] == "+" else "mild"
            change = {**(kind.strong if cell[-1] == "+" else kind.mild), **kind.also.get(base, {})}
            setup = replace(CELLS[base], **change)  # type: ignore[arg-type]
            full = f"held-{name}-{strength}-{base}"
            made.append(Program(full, name, kind.accepted, setup, base=f"held-{base}", harm=kind.harm, held=True))
    return made
