"""Near duplicates: candidates from the fingerprints, confirmed on pixels, judged by what the data are like.

Two measures keep it from crying wolf. A pair must agree in detail and not only from afar. And where images of one
class are alike by nature (digits, parts on a conveyor), chance pairs agree too: a random sample of pairs of one
class says how much, and only pairs far above that count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from babysit.data.audit.canvases import read_rows
from babysit.data.audit.clusters import joined
from babysit.data.audit.fingerprint import Fingerprints
from babysit.data.audit.neighbours import candidates
from babysit.data.audit.registration import SIDE, Agreement, compare
from babysit.data.cache import Cache

WHOLE, DETAIL, OVERLAP = 0.94, 0.8, 0.6
FAINT = 1.5
"""Detail weaker than this, in pixel values, is compression and rounding, and says nothing."""

FEW_PLACES, SAME_PLACE, SAME_VALUES, SAME_DETAIL = 70, 0.05, 12.0, 0.88
"""Drawings have their detail in few pixels (of SIDE x SIDE), and shapes on plain ground match anywhere; such a pair
must lie in the same place, with the same values."""

OTHER_COLOURS = 40.0
"""Pictures that differ by more than this, in pixel values, before brightness and contrast are evened out are not
copies: else every disc on a plain ground would be one of every other."""

BATCH = 256
MOST_CONFIRMED = 30_000
CHANCE_PAIRS = 1000
FEWEST_CHANCE = 5
FAR_ABOVE = 5.0
"""Deviations above the middle of the chance pairs."""


@dataclass(frozen=True)
class NearPairs:
    """`rows` lower and higher row of each pair, shape (pairs, 2); `mirrored` and `agreement` (of detail), shape (pairs,)."""

    rows: NDArray[np.int64]
    mirrored: NDArray[np.bool_]
    agreement: NDArray[np.float32]
    unconfirmed: int = 0


def near_pairs(
    cache: Cache, boxes: NDArray[np.int64], *, rows: NDArray[np.int64], prints: Fingerprints, labels: NDArray[np.int64]
) -> NearPairs:
    """The near duplicates among the given rows.

    Arguments:
        boxes: where on its canvas each image of the cache lies.
        rows: of the cache, ascending; no two exact duplicates.
        prints: their fingerprints.
        labels: class of each image of the cache; chance pairs are drawn within a class.
    """
    pairs = candidates(prints)
    unconfirmed = max(0, len(pairs) - MOST_CONFIRMED)
    pairs = pairs[:MOST_CONFIRMED]
    found = _compared(cache, boxes, rows[pairs[:, :2]], pairs[:, 2].astype(bool))
    near = _copies(found)
    least = _chance_level(cache, boxes, rows, labels[rows], joined(len(rows), pairs[near, :2]))
    near &= found.detail >= least
    kept = pairs[near]
    return NearPairs(rows[kept[:, :2]], kept[:, 2].astype(bool), found.detail[near], unconfirmed)


def _copies(found: Agreement) -> NDArray[np.bool_]:
    """Which pairs agree like copies of one picture."""
    good = (found.whole >= WHOLE) & (found.detail >= DETAIL) & (found.overlap >= OVERLAP) & (found.strength >= FAINT)
    same = (found.moved <= SAME_PLACE) & (found.error <= SAME_VALUES) & (found.detail >= SAME_DETAIL)
    good &= found.plain_error <= OTHER_COLOURS
    return good & ((found.places >= FEW_PLACES) | same)


def _chance_level(
    cache: Cache,
    boxes: NDArray[np.int64],
    rows: NDArray[np.int64],
    labels: NDArray[np.int64],
    clusters: NDArray[np.int64],
) -> float:
    """The agreement that random pairs of one class do not reach.

    Pairs of one small cluster are no chance pairs: they are what is looked for.
    """
    if len(rows) < 2:
        return 0.0
    generator = np.random.Generator(np.random.PCG64(1000))
    order = np.argsort(labels, kind="stable")
    left = generator.integers(0, len(rows), CHANCE_PAIRS)
    begins, ends = (np.searchsorted(labels[order], labels[left], side) for side in ("left", "right"))
    right = order[generator.integers(begins, ends)]
    sizes = np.bincount(clusters, minlength=len(rows))
    small = sizes[clusters[left]] <= max(10, len(rows) // 50)
    chance = (left != right) & ~((clusters[left] == clusters[right]) & small)
    drawn = np.unique(np.sort(np.stack([left, right], axis=1)[chance], axis=1), axis=0)
    found = _compared(cache, boxes, rows[drawn], np.zeros(len(drawn), bool))
    detail = found.detail[(found.whole > 0) & (found.strength >= FAINT)]
    if len(detail) < FEWEST_CHANCE:
        return 0.0
    middle, high = np.quantile(np.arctanh(np.clip(detail, -0.999, 0.999)), [0.5, 0.9])
    deviation = (high - middle) / 1.2816  # the upper tenth of a normal distribution begins there
    return float(np.tanh(middle + FAR_ABOVE * deviation))


def _compared(
    cache: Cache, boxes: NDArray[np.int64], pairs: NDArray[np.int64], mirrored: NDArray[np.bool_]
) -> Agreement:
    """The agreement of pairs of rows, the first of each mirrored where that is asked."""
    parts = []
    for start in range(0, len(pairs), BATCH):
        batch = pairs[start : start + BATCH]
        first, second = (np.stack(list(_thumbnails(cache, boxes, batch[:, side]))) for side in (0, 1))
        turned = mirrored[start : start + BATCH]
        first[turned] = first[turned][:, :, ::-1]
        parts.append(compare(first, second))
    names = [field.name for field in fields(Agreement)]
    return Agreement(
        *(np.concatenate([np.zeros(0, np.float32), *(getattr(one, name) for one in parts)]) for name in names)
    )


def _thumbnails(cache: Cache, boxes: NDArray[np.int64], rows: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
    for pixels, (top, left, height, width) in zip(read_rows(cache, rows), boxes[rows].tolist(), strict=True):
        content = pixels[top : top + height, left : left + width]
        if content.shape[:2] == (SIDE, SIDE):
            yield content
        else:
            yield np.asarray(Image.fromarray(content).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
