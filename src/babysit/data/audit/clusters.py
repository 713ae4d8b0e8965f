"""What belongs together because of pairs: connected components."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def joined(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The lowest member of each place's component.

    Each round, every place takes the lowest number beside it and then follows it to its end; the longest chain
    halves at least, so there are few rounds.

    Arguments:
        count: of places.
        pairs: which places belong together, shape (pairs, 2).

    >>> joined(6, np.array([[1, 3], [4, 3]])).tolist()
    [0, 1, 2, 1, 1, 5]
    """
    lowest = np.arange(count)
    if not len(pairs):
        return lowest
    left, right = pairs[:, 0], pairs[:, 1]
    while True:
        a, b = lowest[left], lowest[right]
        if (a == b).all():
            return lowest
        np.minimum.at(lowest, np.maximum(a, b), np.minimum(a, b))
        while (lowest[lowest] != lowest).any():
            lowest = lowest[lowest]


def alike(numbers: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The places of each number that is there more than once, in order of the first place.

    >>> [group.tolist() for group in alike(np.array([5, 2, 5, 7, 2, 5]))]
    [[0, 2, 5], [1, 4]]
    """
    order = np.argsort(numbers, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1) if len(order) else []
    return sorted((group for group in groups if len(group) > 1), key=lambda group: int(group[0]))
