"""Candidates for near duplicates by sorted neighbourhoods: bounded work, whatever the data.

The fingerprints are sorted by several choices of their bits, and each image is compared with the few next to it in
each order. Images that are alike share the leading bits of some order; a million equal ones cost no more than a
million different ones. The method is that of Hernandez and Stolfo, "The Merge/Purge Problem for Large Databases"
(1995), with the keys of Charikar's permuted bits, "Similarity Estimation Techniques from Rounding Algorithms" (2002).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from babysit.data.audit.fingerprint import MIRROR_SIGNS, Fingerprints

ORDERS = 10
WINDOW = 6
LEADING = 26
"""Of so many of the lowest frequencies each order's leading bits are chosen: they are the ones that change least."""

KEY_BITS = 32
MOST_DIFFERENT = 16
LEAST_ALIKE = 0.8
"""Cosine of two patterns below which nothing is confirmed on pixels."""

MOST_PAIRS = 4
"""Candidates kept for each image, the most alike first."""

CHUNK = 1 << 20


def candidates(prints: Fingerprints) -> NDArray[np.int64]:
    """Pairs of images that look alike, mirrored or cropped ones too.

    Shape:
        (pairs, 3): the lower place, the higher one, and whether they look alike mirrored; sorted, each once.
    """
    count = len(prints.bits)
    words = _words(prints.bits)
    found: list[NDArray[np.int64]] = []
    scores: list[NDArray[np.float32]] = []
    for order in _orders():
        keys = _keys(prints.bits, order)
        ranked = np.argsort(keys, kind="stable")
        ordered = keys[ranked]
        for pairs, alike in _queries(prints, words[ranked], order, ranked, ordered):
            found.append(pairs)
            scores.append(alike)
    if not count or not found:
        return np.zeros((0, 3), np.int64)
    return _best(np.concatenate(found), np.concatenate(scores))


def _orders() -> list[NDArray[np.int64]]:
    """Which bits make the keys, the first the weightiest; the same ones in every process."""
    generator = np.random.Generator(np.random.PCG64(64))
    return [np.concatenate([generator.permutation(LEADING), np.arange(LEADING, KEY_BITS)]) for _ in range(ORDERS)]


def _queries(
    prints: Fingerprints,
    words: NDArray[np.uint64],
    order: NDArray[np.int64],
    ranked: NDArray[np.int64],
    ordered: NDArray[np.uint32],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """What lies beside each image in one order: beside itself, its mirror image, its inner part, and that mirrored."""
    count = len(ranked)
    for cropped in (False, True):
        bits, pattern = (prints.cropped, prints.cropped_pattern) if cropped else (prints.bits, prints.pattern)
        for mirrored in (False, True):
            asked = bits ^ (MIRROR_SIGNS < 0) if mirrored else bits
            keys, signs = _keys(asked, order), MIRROR_SIGNS if mirrored else np.int8(1)
            own = _words(asked)
            for start in range(0, count, CHUNK):
                rows = np.arange(start, min(start + CHUNK, count))
                rows = rows[np.argsort(keys[rows], kind="stable")]
                mine, at = own[rows], np.searchsorted(ordered, keys[rows])
                for step in range(-WINDOW, WINDOW + 1):
                    place = np.clip(at + step, 0, count - 1)
                    near = np.flatnonzero(np.bitwise_count(mine ^ words[place]) <= MOST_DIFFERENT)
                    left, right = rows[near], ranked[place[near]]
                    alike = _cosine(pattern[left] * signs, prints.pattern[right])
                    good = (alike >= LEAST_ALIKE) & (left != right)
                    pairs = np.stack([left, right, np.full(len(left), mirrored)], axis=1)[good]
                    yield pairs, alike[good]


def _best(pairs: NDArray[np.int64], scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Each pair once, and for each image no more than the MOST_PAIRS most alike."""
    pairs = np.concatenate([np.sort(pairs[:, :2], axis=1), pairs[:, 2:]], axis=1)
    order = np.lexsort((-scores, pairs[:, 1], pairs[:, 0]))
    pairs, scores = pairs[order], scores[order]
    first = np.ones(len(pairs), bool)
    first[1:] = (pairs[1:, :2] != pairs[:-1, :2]).any(axis=1)
    pairs, scores = pairs[first], scores[first]
    keep = np.zeros(len(pairs), bool)
    for side in (0, 1):
        order = np.lexsort((-scores, pairs[:, side]))
        place = pairs[order, side]
        begun = np.searchsorted(place, place)
        keep[order[np.arange(len(order)) - begun < MOST_PAIRS]] = True
    return pairs[keep]


def _words(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def _keys(bits: NDArray[np.bool_], order: NDArray[np.int64]) -> NDArray[np.uint32]:
    return np.packbits(np.take(bits, order, axis=1), axis=1).view(">u4")[:, 0].astype(np.uint32)


def _cosine(left: NDArray[np.int8], right: NDArray[np.int8]) -> NDArray[np.float32]:
    return np.einsum("ij,ij->i", left, right, dtype=np.int32).astype(np.float32) / 127**2
