"""Rest: updates that are passed over, noted with as little work as can be and made into rows when it is over.

A network that has just gone through a processor's caches leaves nothing of the watcher in them: an operation of a tensor
then takes 5 to 15 microseconds, and a line of Python about one. So this is written for few of both.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from babysit.watching.epochs import Epoch
from babysit.watching.given import Given, glanced, mean_of
from babysit.watching.thinning import Thinning
from babysit.watching.updates import Updates

MOST = 1000
"""Batches that are noted before they are made into rows: of an update that never comes, or is made of very many."""

Values = dict[str, float | Tensor]


@dataclass(slots=True)
class Rest:
    """What came in one rest.

    Arguments:
        ends: updates after which it is over.
        tells_first: whether the loop tells of a batch before it updates.
        reads: whether a loss may be read at once, as it is on a processor.
        parts: batches of the next update that came before.
    """

    updates: Updates
    thinning: Thinning
    ends: int
    tells_first: bool
    reads: bool
    parts: Sequence[Given] = ()
    alarmed: bool = False
    _limit: float = field(init=False)
    _batches: list[tuple[float | Tensor | None, int | None]] = field(default_factory=list)
    _over: list[tuple[int, float]] = field(default_factory=list)
    _spent: float = 0.0

    def __post_init__(self) -> None:
        self._limit = self.thinning.highest

    def goes_on(self, loss: object, targets: object) -> bool:
        """Notes a batch; whether the rest goes on. One whose loss has `alarmed` is not noted, but to be looked at."""
        begun = time.perf_counter()
        updates = self.updates
        if updates.stepped and self.tells_first:
            updates.stepped = False
            self._over.append((len(self._batches), updates.rate))
        value = _read(loss) if self.reads else glanced(loss)
        if type(value) is float and not value <= self._limit and self.thinning.alarmed(value):
            self.alarmed = True
            return False
        self._batches.append((value, _count(targets)))
        if updates.stepped:
            updates.stepped = False
            self._over.append((len(self._batches), updates.rate))
        self._spent += time.perf_counter() - begun
        return len(self._over) < self.ends and len(self._batches) < MOST

    def counted(self, epoch: Epoch) -> tuple[list[Values], list[Given]]:
        """The values of each update that is over, and the batches of the one that is not; `epoch` takes all batches in."""
        begun = time.perf_counter()
        if self.updates.stepped:
            self.updates.stepped = False
            self._over.append((len(self._batches), self.updates.rate))
        noted = []
        for value, images in self._batches:
            count = epoch.largest or 1 if images is None else images
            epoch.passed(value, count)
            noted.append(Given(numbers={} if value is None else {"loss": value}, images=count))
        parts, found, last = [*self.parts], [], 0
        for place, rate in self._over:
            found.append({**mean_of([*parts, *noted[last:place]]), "learning_rate": rate})
            parts, last = [], place
        if found:
            self.thinning.passed((self._spent + time.perf_counter() - begun) / len(found))
        return found, [*parts, *noted[last:]]


def _read(loss: object) -> float | Tensor | None:
    """`glanced` for what it nearly always is."""
    try:
        value = loss.item()  # type: ignore[attr-defined]
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return glanced(loss)
    return value if type(value) is float else glanced(loss)


def _count(targets: object) -> int | None:
    shape = getattr(targets, "shape", None)
    return shape[0] if shape else None
