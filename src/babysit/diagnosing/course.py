"""The course of a training: what nearly every rule looks at first. How far it came, from where, and how noisily."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from babysit.diagnosing.evidence import all_of, late, middle, noise_of, share_error, slope, smooth, spread_of, sure_of
from babysit.record.known import Known
from babysit.record.log import RunLog
from babysit.record.series import Series

SHORT = 24
"""Updates before which nothing is said of how a training goes."""

POOR = 0.25
"""Share of the way from a loss that knows nothing to zero below which a training has learned poorly."""

LAY, NOWHERE = 0.99, 0.3
"""Share of the level from which on a loss has not left it, and how sure at most that it is falling then."""

SOFTMAX = ("softmax", "focal")


@dataclass(frozen=True, slots=True)
class Course:
    """How a training went so far.

    `first` the loss before anything was learned; `level` the loss of a network that knows nothing, ln C where the loss
    is softmax's; `late` the loss at present, `late_error` its standard error, `noise` its spread from step to step;
    `chance` the accuracy of naming the commonest class; `accuracy` on training batches at present, NaN when not known;
    `way` the share of the way from `level` to zero that was gone; `count` updates seen, over so many `batches`.
    """

    loss: Series
    rate: Series
    first: float
    level: float
    late: float
    late_error: float
    noise: float
    chance: float
    accuracy: float
    accuracy_error: float
    way: float
    count: int
    batches: int

    @property
    def short(self) -> bool:
        """Whether it is too early to say anything."""
        return self.count < SHORT

    @property
    def hardly_begun(self) -> bool:
        """Whether it is too early to say even that the loss was thrown up: few updates over many batches are enough for it."""
        return self.count < SHORT // 2 or (self.short and self.batches < 10 * SHORT)

    @property
    def poor(self) -> float:
        """How sure that it has learned poorly so far, from the share of the way gone."""
        return sure_of(POOR * self.level - (self.level - self.late), self.spread)

    @property
    def spread(self) -> float:
        """The spread of the late loss: its standard error, and one part in a hundred of the level."""
        return math.hypot(self.late_error, 0.01 * self.level)

    @property
    def falling(self) -> float:
        """How sure that the loss has been falling lately: by a twentieth of the level over the last third."""
        last = self.loss.values[-max(12, self.count // 3) :]
        if not np.isfinite(last).all():
            return 0.0
        value, error = slope(last)
        sure = sure_of(-value * len(last) - 0.05 * self.level, error * len(last) + 1e-9)
        # One that lay about knowing nothing all the while fell nowhere, however noisy it is.
        lay = self.late > LAY * self.level and float(np.quantile(last, 0.9)) < 1.2 * self.level
        return min(sure, NOWHERE) if lay else sure

    @property
    def learning(self) -> float:
        """How sure that it is on its way: the loss is clearly below knowing nothing, and falling."""
        return all_of(self.falling, sure_of(0.95 * self.level - self.late, self.spread))

    @property
    def at_chance(self) -> float:
        """How sure that it has learned nothing: neither loss nor accuracy is better than a network's that knows nothing."""
        by_loss = sure_of(self.late - 0.97 * self.level, self.spread)
        if not math.isfinite(self.accuracy):
            return by_loss
        by_accuracy = sure_of(self.chance + 0.05 - self.accuracy, self.accuracy_error)
        return min(by_accuracy, max(by_loss, by_accuracy if self.late > 0.9 * self.level else 0.0))

    @property
    def last_step(self) -> int:
        """The step of the latest update seen."""
        return int(self.loss.steps[-1]) if len(self.loss) else 0

    def smoothed(self) -> Series:
        """The loss in running means over a fortieth of the course."""
        return Series("loss", "", self.loss.steps, self.loss.epochs, smooth(self.loss.values, max(3, self.count // 40)))


def course_of(log: RunLog, known: Known) -> Course:
    """The course of a log; of one without steps, a short one."""
    loss, rate, accuracy = (log.series(name, kind="step") for name in ("loss", "learning_rate", "accuracy"))
    each = log.series("batches", kind="step").values
    each = each[np.isfinite(each)]
    window = late(loss)
    start = log.series("initial_loss", kind="start")
    first = float(start.values[0]) if len(start) else (float(loss.values[0]) if len(loss) else math.nan)
    level = _level(first, known)
    now = middle(window)
    finite = window[np.isfinite(window)]
    error = spread_of(window) / math.sqrt(max(1, len(finite)))
    right = late(accuracy)
    share = float(np.mean(right)) if len(right) else math.nan
    chance = chance_of(known, log)
    images = len(right) * (known.batch_size or 32)
    return Course(
        loss=loss,
        rate=rate,
        first=first,
        level=level,
        late=now,
        late_error=error,
        noise=noise_of(loss.values),
        chance=chance,
        accuracy=share,
        accuracy_error=share_error(chance, images),
        way=(level - now) / level if level > 0 and math.isfinite(now) else 0.0,
        count=len(loss),
        batches=round(float(each.mean()) * len(loss)) if len(each) else len(loss),
    )


def rising(log: RunLog) -> float:
    """How sure that the accuracy of training batches has been rising lately: by a tenth over the last half.

    A loss that was flattened, or labels that are partly wrong, can stand while the network learns all the same.
    """
    right = log.series("accuracy", kind="step").values
    last = right[-max(12, len(right) // 2) :]
    if not len(last) or not np.isfinite(last).all():
        return 0.0
    value, error = slope(last)
    return sure_of(value * len(last) - 0.1, error * len(last) + 1e-9) if math.isfinite(error) else 0.0


def chance_of(known: Known, log: RunLog) -> float:
    """The accuracy of naming the commonest class; one in two when nothing is known of the classes."""
    equal, counts = 1 / max(2, classes_of(known, log)), known.class_counts or ()
    if not sum(counts):
        return equal
    most, each = max(counts) / sum(counts), stands_for([one for one in counts if one])
    # The most of a few labels that were looked at is more than its class's share.
    return most if each == 1 else max(min(equal, most), most - share_error(most, sum(counts) / each))


def stands_for(counts: Sequence[float]) -> float:
    """How many images one that was looked at stands for; 1 where all were.

    Counts of a sample are multiples of that number, but for their rounding, and of several kinds.
    """
    for share in range(1, 7):
        each = min(counts) / share
        times = {round(one / each) for one in counts}
        if each >= 5 and len(times) > 2 and all(abs(one - each * round(one / each)) <= 1 for one in counts):
            return each
    return 1.0


def classes_of(known: Known, log: RunLog) -> int:
    """The number of classes, as told, or as seen in the first labels; 0 when neither is known."""
    if known.classes:
        return known.classes
    seen = log.series("classes_seen", kind="start")
    return int(seen.values[0]) if len(seen) else 0


def _level(first: float, known: Known) -> float:
    """ln C where the loss is softmax's or may be; else the first loss."""
    if known.classes and known.classes > 1 and (known.loss_kind is None or known.loss_kind in SOFTMAX):
        equal = math.log(known.classes)
        if known.loss_kind in SOFTMAX or 0.5 * equal < first < 1.6 * equal:
            return equal
    return first if math.isfinite(first) and first > 0 else 1.0
