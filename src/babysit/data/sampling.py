"""Which images an epoch trains on, and in which order: a function of (seed, epoch) and the labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from babysit.seeds import permutation, stream_key


def epoch_order(kind: str, labels: NDArray[np.int64], *, seed: int, epoch: int) -> NDArray[np.int64]:
    """The samples of an epoch, as many as there are labels.

    Arguments:
        kind: `plain`, each image once; or `balanced` (`balanced_order`).
        labels: class of each image, shape (n,).

    Shape:
        (n,); a place in `labels`, and for its k-th repetition within the epoch that place plus k n.
    """
    if kind == "plain":
        return permutation(seed, epoch, len(labels))
    return balanced_order(labels, seed=seed, epoch=epoch)


def balanced_order(labels: NDArray[np.int64], *, seed: int, epoch: int) -> NDArray[np.int64]:
    """Every class equally often, to within one; which classes get the one more is drawn anew in each epoch.

    A class's images are gone through again and again, in a new order each time, and on from one epoch to the next: so within
    a class each image is drawn as often as any other, and in a large class none is forgotten.

    Shape:
        (n,); see `epoch_order`.

    >>> order = balanced_order(np.array([0, 0, 0, 0, 0, 1]), seed=0, epoch=0)
    >>> int((order % 6 == 5).sum()), sorted(set((order // 6).tolist()))
    (3, [0, 1, 2])
    """
    count = len(labels)
    classes, sizes = np.unique(labels, return_counts=True)
    members = np.split(np.argsort(labels, kind="stable"), np.cumsum(sizes)[:-1])
    each, more = divmod(count, len(classes))
    generator = np.random.Generator(np.random.PCG64(stream_key(seed, "balanced", epoch)))
    wanted = each + (generator.permutation(len(classes)) < more)
    # The one more is room in every class's sequence, whether it is taken or not.
    room = each + (more > 0)
    drawn = [
        _turns(own, int(label), epoch * room, int(some), seed=seed, step=count)
        for own, label, some in zip(members, classes, wanted, strict=True)
    ]
    return generator.permutation(np.concatenate(drawn))


def _turns(own: NDArray[np.int64], label: int, start: int, wanted: int, *, seed: int, step: int) -> NDArray[np.int64]:
    """A stretch of the sequence of a class: its images in order after order, `step` added for each order begun."""
    first, last = start // len(own), (start + wanted - 1) // len(own)
    orders = []
    for turn in range(first, last + 1):
        generator = np.random.Generator(np.random.PCG64(stream_key(seed, f"class/{label}", turn)))
        orders.append(generator.permutation(own) + step * (turn - first))
    begin = start - first * len(own)
    return np.concatenate(orders)[begin : begin + wanted] if orders else own[:0]
