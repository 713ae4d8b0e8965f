"""A log by columns: the values of one quantity in one place, fast, for rules that are asked again and again."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from babysit.record.observation import Observation, key_of, parts_of


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one quantity in one place, in the order of the log.

    Shape:
        `steps` and `epochs` (n,) int64; `values` (n,) float64.
    """

    quantity: str
    where: str
    steps: NDArray[np.int64]
    epochs: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    def observation(self, place: int) -> Observation:
        """One value as an observation; -1 is the latest."""
        step, epoch = int(self.steps[place]), int(self.epochs[place])
        return Observation(self.quantity, float(self.values[place]), step, epoch, self.where)


@dataclass(slots=True)
class _Column:
    steps: array[int] = field(default_factory=lambda: array("q"))
    epochs: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))


@dataclass(slots=True)
class Columns:
    """Columns that grow with a log; `rows` how many of its rows are in them."""

    rows: int = 0
    _found: dict[tuple[str, str], _Column] = field(default_factory=dict)
    _kinds: dict[str, list[str]] = field(default_factory=dict)
    _places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, step: int, epoch: int, values: Mapping[str, float]) -> None:
        """Takes one row in."""
        for key, value in values.items():
            column = self._found.get((kind, key))
            if column is None:
                column = self._new(kind, key)
            column.steps.append(step)
            column.epochs.append(epoch)
            column.values.append(value)
        self.rows += 1

    def series(self, quantity: str, where: str, kind: str | None) -> Series:
        """The values of a quantity in a place; of all kinds of rows when none is given, by step."""
        key = key_of(quantity, where)
        kinds = self._kinds.get(key, []) if kind is None else [kind]
        found = [self._found[one, key] for one in kinds if (one, key) in self._found]
        steps = np.concatenate([np.array(one.steps, np.int64) for one in found] or [np.zeros(0, np.int64)])
        epochs = np.concatenate([np.array(one.epochs, np.int64) for one in found] or [np.zeros(0, np.int64)])
        values = np.concatenate([np.array(one.values, np.float64) for one in found] or [np.zeros(0)])
        if len(found) > 1:
            order = np.argsort(steps, kind="stable")
            steps, epochs, values = steps[order], epochs[order], values[order]
        return Series(quantity, where, steps, epochs, values)

    def wheres(self, quantity: str) -> list[str]:
        """The places where a quantity was seen, in the order in which they first came."""
        return list(self._places.get(quantity, ()))

    def _new(self, kind: str, key: str) -> _Column:
        quantity, where = parts_of(key)
        kinds = self._kinds.setdefault(key, [])
        kinds.append(kind)
        places = self._places.setdefault(quantity, [])
        if where not in places:
            places.append(where)
        return self._found.setdefault((kind, key), _Column())
