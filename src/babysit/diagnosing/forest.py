"""A forest of decision trees, grown on the recorded corpus: of what trainings that looked like this one were ill.

Rules say what they can show. The forest says how often each cause was the one where a training came out alike, which is
less, and holds for networks and data that no rule was tuned on. `faults/grow.py` grows it; here it is only asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit.diagnosing.portrait import as_vector, portrait
from babysit.record.known import Known
from babysit.record.log import RunLog

GROWN = Path(__file__).with_name("forest.npz")
WHOLE = 255
"""Shares are kept as whole numbers of this."""


@dataclass(frozen=True, slots=True)
class Forest:
    """Extremely randomised trees (Geurts, Ernst and Wehenkel, 2006), their nodes one after the other, depth first.

    Shape:
        `names` (f,) of the numbers that are asked about, `causes` (c,), `roots` (t,); of n nodes `asks` (n,) the place of a
        number in `names`, -1 in a leaf, `limits` (n,) up to which one goes to the next node, `others` (n,) where one goes
        beyond; of a leaf `others` is its row in `shares` (leaves, c), of which `WHOLE` is all.
    """

    names: NDArray[np.str_]
    causes: NDArray[np.str_]
    roots: NDArray[np.int32]
    asks: NDArray[np.int16]
    limits: NDArray[np.float32]
    others: NDArray[np.int32]
    shares: NDArray[np.uint8]

    def likely(self, seen: NDArray[np.float32]) -> dict[str, float]:
        """Cause -> share, the mean over the trees' leaves; they sum to 1, the likeliest first.

        Arguments:
            seen: (f,) numbers, in the order of `names`.
        """
        nodes = self.roots
        while (within := self.asks[nodes] >= 0).any():
            below = seen[self.asks[nodes]] <= self.limits[nodes]
            nodes = np.where(within, np.where(below, nodes + 1, self.others[nodes]), nodes)
        told = self.shares[self.others[nodes]].astype(np.float64)
        means = (told / told.sum(axis=1, keepdims=True)).mean(axis=0)
        return {str(self.causes[place]): float(means[place]) for place in np.argsort(-means, kind="stable")}


@cache
def grown() -> Forest:
    """The forest that comes with babysit."""
    with np.load(GROWN, allow_pickle=False) as kept:
        return Forest(*(kept[name] for name in Forest.__slots__))


def alike(log: RunLog, known: Known) -> dict[str, float]:
    """Cause -> how often it was the one in ill trainings of the corpus that looked like this one; the likeliest first."""
    forest = grown()
    return forest.likely(as_vector(portrait(log, known), tuple(map(str, forest.names))))
