"""How the weights move: update ratios over layers and time, and what a rule derives from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from babysit.diagnosing.evidence import spread_of
from babysit.record.log import RunLog
from babysit.record.observation import Observation
from babysit.record.series import Series

ACTIVE = 3e-4
"""Update ratio from which on a network, or a layer, is taken to be learning what it can."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Update ratios (norm of the change over norm of the weights) by layer.

    `ratio` the median over layers and time of what is not zero, `early` over the first third, `late` over the last; all 0
    when nothing moved, and NaN when nothing was measured. `spread` in decades, over layers and time; `early_spread` over
    the layers alone, at first: where the rate falls, the course of time says nothing of how large the first updates were.
    """

    ratio: float
    early: float
    late: float
    spread: float
    early_spread: float
    layers: dict[str, Series]

    @property
    def measured(self) -> bool:
        """Whether any update was measured."""
        return bool(self.layers)

    def observations(self) -> tuple[Observation, ...]:
        """The latest ratio of up to four layers."""
        return tuple(one.observation(-1) for one in list(self.layers.values())[:4])


def motion_of(log: RunLog) -> Motion:
    """The motion of a log; biases and normalisation's weights are left out where they can be told by their name."""
    layers = {where: log.series("update_ratio", where, kind="layers") for where in log.wheres("update_ratio")}
    layers = {where: one for where, one in layers.items() if len(one)}
    if not layers:
        return Motion(float("nan"), float("nan"), float("nan"), 0.0, 0.0, {})
    every = np.concatenate([one.values for one in layers.values()])
    moving = every[np.isfinite(every) & (every > 0)]
    if not len(moving):
        return Motion(0.0, 0.0, 0.0, 0.0, 0.0, layers)
    rows = max(len(one) for one in layers.values())
    third = max(1, rows // 3)
    firsts = np.array([_median([one.values[:third]]) for one in layers.values()])
    firsts = firsts[firsts > 0]
    return Motion(
        ratio=float(np.median(moving)),
        early=_median([one.values[:third] for one in layers.values()]),
        late=_median([one.values[-third:] for one in layers.values()]),
        spread=spread_of(np.log10(moving)) / np.sqrt(max(1.0, rows**0.5)) + 0.1,
        early_spread=spread_of(np.log10(firsts)) / np.sqrt(max(1.0, len(firsts) ** 0.5)) + 0.1 if len(firsts) else 0.1,
        layers=layers,
    )


def _median(parts: list[NDArray[np.float64]]) -> float:
    values = np.concatenate(parts)
    values = values[np.isfinite(values) & (values > 0)]
    return float(np.median(values)) if len(values) else 0.0


def travelled(log: RunLog, steps: int) -> float:
    """How far the weights have moved in all, in units of their norm: the sum of the update ratios over `steps` updates.

    The median over layers; what was measured every k steps stands for those between.
    """
    ways = []
    for where in log.wheres("update_ratio"):
        values = log.series("update_ratio", where, kind="layers").values
        values = values[np.isfinite(values)]
        if len(values):
            ways.append(float(values.mean()) * steps)
    return float(np.median(ways)) if ways else float("nan")
