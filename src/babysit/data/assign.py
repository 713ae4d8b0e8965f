"""Assigning whole units to parts, so that every class has its wished number of images in each.

Units of several images come first, each to a part that it brings nearer to the wish; single images then fill what is
missing exactly. Where large units still leave a class off its share, moves and exchanges of units are tried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from babysit.data.catalog import PARTS

TRAIN, VALIDATION, TEST = range(3)
TOLERANCE = 0.02
"""How far the share of a class may be off its wish."""
LARGE = 100
"""The images a class needs for that promise; in a smaller one a single image is more than a point."""
MOST_ROUNDS, MOST_CANDIDATES, MOST_PAIRED = 400, 20_000, 96
FREE = -1


@dataclass(frozen=True)
class Pool:
    """The units to be assigned, in the order of the draw, as a sparse table of (unit, class) -> images.

    `unit`, `label`, `count` hold one entry for each class in a unit, sorted by unit; `first[u]` to `first[u + 1]` are
    the entries of unit u; `sizes` images of each unit; `totals` images of each class.
    """

    unit: NDArray[np.int64]
    label: NDArray[np.int64]
    count: NDArray[np.int64]
    first: NDArray[np.int64]
    sizes: NDArray[np.int64]
    totals: NDArray[np.int64]

    def images(self, part: NDArray[np.int64]) -> NDArray[np.int64]:
        """Images of each class in each part, shape (parts, classes)."""
        return self._table(part, self.count)

    def units(self, part: NDArray[np.int64]) -> NDArray[np.int64]:
        """Units that hold each class in each part, shape (parts, classes)."""
        return self._table(part, np.ones_like(self.count))

    def _table(self, part: NDArray[np.int64], weights: NDArray[np.int64]) -> NDArray[np.int64]:
        classes = len(self.totals)
        place = part[self.unit]
        there = place >= 0
        flat = np.bincount(
            place[there] * classes + self.label[there], weights=weights[there], minlength=len(PARTS) * classes
        )
        return flat.astype(np.int64).reshape(len(PARTS), classes)


def pool_of(units: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> Pool:
    """The sparse table of the images' units (numbered in the order of the draw) and labels."""
    pairs, count = np.unique(units * classes + labels, return_counts=True)
    unit, label = np.divmod(pairs, classes)
    size = int(units.max(initial=-1)) + 1
    return Pool(
        unit,
        label,
        count.astype(np.int64),
        np.searchsorted(unit, np.arange(size + 1)),
        np.bincount(units, minlength=size),
        np.bincount(labels, minlength=classes),
    )


def assign(pool: Pool, shares: tuple[float, float], pinned: NDArray[np.int64]) -> NDArray[np.int64]:
    """The part of each unit, as a place in PARTS, shape (units,).

    Arguments:
        shares: of validation and of test in each class; 0 for a part that is not cut.
        pinned: the part that a unit keeps from an earlier split, FREE for none.
    """
    wished = np.array([_wished(total, *shares) for total in pool.totals.tolist()], np.int64).reshape(-1, 3).T
    part = pinned.copy()
    _place_joined(pool, part, wished)
    _place_single(pool, part, wished)
    exact = np.outer([1 - sum(shares), *shares], pool.totals)
    _even_out(pool, part, pinned, np.where(pool.totals >= LARGE, exact, wished))
    _show_every_class(pool, part, pinned, shares)
    return part


def off_share(pool: Pool, part: NDArray[np.int64], shares: tuple[float, float]) -> NDArray[np.bool_]:
    """Which large classes are more than TOLERANCE off their wished share in some part, shape (classes,)."""
    wished = np.array([1 - sum(shares), *shares])
    totals = np.maximum(pool.totals, 1)
    return (np.abs(pool.images(part) / totals - wished[:, None]) > TOLERANCE + 1e-9).any(0) & (pool.totals >= LARGE)


def _wished(count: int, validation: float, test: float) -> tuple[int, int, int]:
    """How many of a class's images go to train, validation and test: at least one each when there are enough.

    >>> _wished(10, 0.2, 0.1), _wished(2, 0.2, 0.1), _wished(1, 0.2, 0.1)
    ((7, 2, 1), (1, 1, 0), (1, 0, 0))
    """
    held_out = sum(share > 0 for share in (validation, test))
    if count <= held_out:
        one = int(count == 2 and validation > 0)
        return count - one, one, 0
    one = max(1, round(count * validation)) if validation else 0
    other = max(1, round(count * test)) if test else 0
    while one + other >= count:
        one, other = max(1 if validation else 0, one - 1), max(1 if test else 0, other - 1)
    return count - one - other, one, other


def _place_joined(pool: Pool, part: NDArray[np.int64], wished: NDArray[np.int64]) -> None:
    """Places the units of several images: each where it brings a held-out part nearer to the wish, else into train.

    They get their own proportion of what is wished, so that the held-out parts are as mixed as the whole.
    """
    free = part == FREE
    joined = np.flatnonzero(free & (pool.sizes > 1))
    if not len(joined):
        return
    open_entries = free[pool.unit]
    of_joined = open_entries & (pool.sizes[pool.unit] > 1)
    classes = len(pool.totals)
    open_images, joined_images = (
        np.bincount(pool.label[entries], weights=pool.count[entries], minlength=classes)
        for entries in (open_entries, of_joined)
    )
    missing = np.maximum(wished - pool.images(part), 0) * (joined_images / np.maximum(open_images, 1))
    needs = {TEST: missing[TEST].tolist(), VALIDATION: missing[VALIDATION].tolist()}
    label, count, first = pool.label.tolist(), pool.count.tolist(), pool.first.tolist()
    for unit in joined.tolist():
        entries = range(first[unit], first[unit + 1])
        part[unit] = TRAIN
        for number, need in needs.items():
            if sum(abs(need[label[at]]) - abs(need[label[at]] - count[at]) for at in entries) > 0:
                part[unit] = number
                for at in entries:
                    need[label[at]] -= count[at]
                break


def _place_single(pool: Pool, part: NDArray[np.int64], wished: NDArray[np.int64]) -> None:
    """Places the units of one image: of each class the first to test, the next to validation, up to the wish."""
    singles = np.flatnonzero(part == FREE)
    labels = pool.label[pool.first[singles]]
    have = pool.images(part)
    available = np.bincount(labels, minlength=len(pool.totals))
    # One stays for training when nothing else of the class is there.
    available -= ((available > 0) & (have[TRAIN] == 0) & (wished[TRAIN] > 0)).astype(np.int64)
    test = np.clip(wished[TEST] - have[TEST], 0, available)
    validation = np.clip(wished[VALIDATION] - have[VALIDATION], 0, available - test)
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(len(pool.totals)))
    place = np.empty(len(singles), np.int64)
    place[order] = np.arange(len(singles)) - starts[labels[order]]
    part[singles] = np.where(
        place < test[labels], TEST, np.where(place < (test + validation)[labels], VALIDATION, TRAIN)
    )


def _even_out(pool: Pool, part: NDArray[np.int64], pinned: NDArray[np.int64], wished: NDArray[np.float64]) -> None:
    """Moves or exchanges free units while a large class is off its share and that brings all classes nearer.

    The distance is the sum over parts and classes of ((images - wished) / images of the class)^2.
    """
    weights = 1 / np.maximum(pool.totals, LARGE).astype(np.float64) ** 2
    parts = [TRAIN, *(number for number in (VALIDATION, TEST) if wished[number].any())]
    for _ in range(MOST_ROUNDS):
        excess = pool.images(part) - wished
        off = (np.abs(excess) > TOLERANCE * pool.totals + 1e-9).any(0) & (pool.totals >= LARGE)
        concerned = np.unique(pool.unit[off[pool.label]])
        concerned = concerned[pinned[concerned] == FREE]
        # One single image is as good as another of its class: the first few stand for all.
        concerned = concerned[np.argsort(pool.sizes[concerned] == 1, kind="stable")][:MOST_CANDIDATES]
        if not len(concerned):
            return
        chosen = _best_change(pool, part, concerned, excess, weights=weights, parts=parts)
        if not chosen:
            return
        for unit, number in chosen:
            part[unit] = number


def _best_change(
    pool: Pool,
    part: NDArray[np.int64],
    candidates: NDArray[np.int64],
    excess: NDArray[np.float64],
    *,
    weights: NDArray[np.float64],
    parts: list[int],
) -> list[tuple[int, int]]:
    """The move of one unit, or of two at once, that lessens the distance most; nothing when none does."""
    lengths = pool.first[candidates + 1] - pool.first[candidates]
    owner = np.repeat(np.arange(len(candidates)), lengths)
    begins = np.cumsum(lengths) - lengths
    entries = pool.first[candidates][owner] + np.arange(len(owner)) - begins[owner]
    count, label = pool.count[entries].astype(np.float64), pool.label[entries]
    source = part[candidates]
    costs = np.full((len(PARTS), len(candidates)), np.inf)
    for number in parts:
        change = 2 * count * (count + excess[number, label] - excess[source[owner], label]) * weights[label]
        costs[number] = np.where(source == number, np.inf, np.bincount(owner, change, minlength=len(candidates)))
    order = np.argsort(costs, axis=None, kind="stable")[:MOST_PAIRED]
    order = order[np.isfinite(costs.flat[order])]
    target, which = np.divmod(order, len(candidates))
    cost = costs.flat[order]
    # Two moves at once cost their sum and twice the inner product of what they change.
    touched, compact = np.unique(label, return_inverse=True)
    shift = np.zeros((len(order), len(PARTS), len(touched)))
    for row, (number, candidate) in enumerate(zip(target.tolist(), which.tolist(), strict=True)):
        mine = slice(begins[candidate], begins[candidate] + lengths[candidate])
        shift[row, number, compact[mine]] += count[mine]
        shift[row, source[candidate], compact[mine]] -= count[mine]
    flat = (shift * np.sqrt(weights[touched])).reshape(len(order), -1)
    both = cost[:, None] + cost[None, :] + 2 * flat @ flat.T
    both[which[:, None] == which[None, :]] = np.inf
    one, other = divmod(int(np.argmin(both)), len(order))
    best = int(np.argmin(cost))
    least = 1e-12
    if cost[best] > -least and both[one, other] > -least:
        return []
    rows = [best] if cost[best] <= both[one, other] else [one, other]
    return [(int(candidates[which[row]]), int(target[row])) for row in rows]


def _show_every_class(
    pool: Pool, part: NDArray[np.int64], pinned: NDArray[np.int64], shares: tuple[float, float]
) -> None:
    """Gives every part a unit of each class, wherever the class has a unit for each part and the units allow it."""
    present = pool.units(part)
    owned = present.sum(0)
    by_class = np.argsort(pool.label, kind="stable")
    starts = np.searchsorted(pool.label[by_class], np.arange(len(pool.totals) + 1))
    needed = 0
    for number in (TRAIN, *(held for held, share in ((VALIDATION, shares[0]), (TEST, shares[1])) if share > 0)):
        needed += 1
        for label in np.flatnonzero((present[number] == 0) & (owned >= needed)).tolist():
            if present[number, label]:
                continue  # a unit moved for another class brought this one along
            holders = pool.unit[by_class[starts[label] : starts[label + 1]]]
            unit = _spare_unit(pool, part, pinned, holders, present=present, number=number)
            if unit is None:
                continue
            labels = pool.label[pool.first[unit] : pool.first[unit + 1]]
            present[part[unit], labels] -= 1
            present[number, labels] += 1
            part[unit] = number


def _spare_unit(
    pool: Pool,
    part: NDArray[np.int64],
    pinned: NDArray[np.int64],
    holders: NDArray[np.int64],
    *,
    present: NDArray[np.int64],
    number: int,
) -> int | None:
    """The smallest unit whose going leaves no class bare where it was; for train, any, and kept ones last."""
    order = holders[np.lexsort((pool.sizes[holders], pinned[holders] != FREE))]
    for unit in order.tolist():
        labels = pool.label[pool.first[unit] : pool.first[unit + 1]]
        spare = (present[part[unit], labels] > 1).all()
        if (spare and pinned[unit] == FREE) or number == TRAIN:
            return unit
    return None
