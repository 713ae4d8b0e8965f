"""How training images look beside those of validation: prepared alike, or otherwise by a mistake or by augmentation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from babysit.diagnosing.evidence import all_of, lasts, log_ratio, sure_of
from babysit.record.log import RunLog
from babysit.record.observation import Observation

ALIKE = 0.6
"""Correlation between the mean images of two halves of validation from which on a mean image says what a part looks like."""


ERASED = 0.35
"""More of the neighbouring pixels that are the same than in the other part, from which on it is no border and no small patch."""


@dataclass(frozen=True, slots=True)
class Looks:
    """How sure it is that the first training batch looks otherwise than validation's images, and by what.

    `scale` whether that is a matter of scale alone, which takes nothing away that could be seen.
    """

    sure: float = 0.0
    claim: str = ""
    evidence: tuple[Observation, ...] = ()
    scale: bool = False


def looks_of(log: RunLog, *, scale: bool = True) -> Looks:
    """The clearest of the differences; none where validation's images were not seen.

    Each is well above what two batches of one part, or an ordinary augmentation, differ by.

    Arguments:
        scale: whether one of scale alone counts.
    """
    found = [one for one in _differences(log) if scale or not one.scale]
    return max(found, key=lambda one: one.sure, default=Looks())


def _differences(log: RunLog) -> Iterator[Looks]:
    for name, what, bound, error in (
        ("deviation", "a deviation", 0.3, 0.08),
        ("roughness", "a roughness (0 plain, 1 noise)", 0.5, 0.1),
    ):
        start, later = (log.series(f"input_{name}", kind=kind) for kind in ("start", "epoch"))
        if len(start) and len(later):
            apart = abs(log_ratio(later.values[-1], start.values[0]))
            claim = f"training images have {what} of {start.values[0]:.3g}, validation images of {later.values[-1]:.3g}"
            yield Looks(sure_of(apart - bound, error), claim, lasts(start, later), scale=name == "deviation")
    start, later = (log.series("input_flatness", kind=kind) for kind in ("start", "epoch"))
    if len(start) and len(later):
        claim = f"of neighbouring pixels {start.values[0]:.0%} are the same in training images, {later.values[-1]:.0%} in validation images"
        yield Looks(sure_of(abs(later.values[-1] - start.values[0]) - ERASED, 0.06), claim, lasts(start, later))
    alike, within = (log.series(name, kind="epoch") for name in ("input_alike", "input_alike_within"))
    if len(alike) and len(within):
        one, other = float(alike.values[-1]), float(within.values[-1])
        claim = f"the mean training image is as much like that of validation as {one:.2f} (correlation), where parts of validation come to {other:.2f}"
        sure = all_of(sure_of(other - one - 0.35, 0.08), sure_of(other - ALIKE, 0.1))
        yield Looks(sure, claim, lasts(alike, within))


def statistics_differ(log: RunLog) -> float:
    """How sure that validation inputs have another mean or deviation than the first training batch; 0 when not measured."""
    start = [log.series(name, kind="start") for name in ("input_mean", "input_deviation")]
    later = [log.series(name, kind="epoch") for name in ("input_mean", "input_deviation")]
    if not all(len(one) for one in (*start, *later)) or start[1].values[0] <= 0 or later[1].values[-1] <= 0:
        return 0.0
    deviation = abs(log_ratio(later[1].values[-1], start[1].values[0]))
    shift = abs(later[0].values[-1] - start[0].values[0]) / start[1].values[0]
    return max(sure_of(deviation - math.log(1.5), 0.1), sure_of(shift - 0.7, 0.15))
