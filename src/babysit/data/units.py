"""Units: the images that must stay on one side of a split, by union-find over groups, clusters and equal contents."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def content_array(hashes: Sequence[str]) -> NDArray[np.bytes_]:
    """Content hashes as one array of fixed width instead of an object per image, shape (n,)."""
    return np.array(hashes if len(hashes) else [""], "S")[: len(hashes)]


def units_of(
    groups: Sequence[str], contents: NDArray[np.bytes_], clusters: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """The unit of each image: images of one group, of one cluster or of equal content share it, and so on in chains.

    Arguments:
        groups: the group of each image, empty for none.
        contents: the content hash of each image.
        clusters: images with equal numbers belong together; none without it.

    Shape:
        (n,), numbered 0, 1, ... in the order of each unit's first image.

    >>> units_of(["a", "", "a", ""], np.array([b"1", b"2", b"3", b"2"])).tolist()
    [0, 1, 0, 1]
    """
    ties = [_tie(np.unique(contents, return_inverse=True)[1])]
    if any(groups):
        ties.append(_tie(_group_codes(groups)))
    if clusters is not None:
        ties.append(_tie(np.unique(clusters, return_inverse=True)[1]))
    roots = np.arange(len(contents), dtype=np.int64)
    while True:
        before = roots
        for rows, codes in ties:
            roots = _joined(roots, rows, codes)
        if (roots == before).all():
            return np.unique(roots, return_inverse=True)[1].astype(np.int64)


def unit_keys(units: NDArray[np.int64], contents: NDArray[np.bytes_], seed: int) -> NDArray[np.uint64]:
    """The place of each unit in the draw: a keyed hash of the smallest content hash in it; shape (units,)."""
    sorted_contents, places = np.unique(contents, return_inverse=True)
    smallest = np.full(int(units.max(initial=-1)) + 1, len(sorted_contents), np.int64)
    np.minimum.at(smallest, units, places)
    prefix = f"{seed}/".encode()
    digests = b"".join(
        hashlib.blake2b(prefix + content, digest_size=8).digest() for content in sorted_contents[smallest]
    )
    return np.frombuffer(digests, ">u8").astype(np.uint64)


def _group_codes(groups: Sequence[str]) -> NDArray[np.int64]:
    """A number for each group; an image without one is alone."""
    numbers: dict[str, int] = {}
    codes = np.fromiter((numbers.setdefault(group, len(numbers)) for group in groups), np.int64, len(groups))
    if "" in numbers:
        alone = np.flatnonzero(codes == numbers[""])
        codes[alone] = len(numbers) + np.arange(len(alone))
    return codes


def _tie(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows that share their code with another row, and their codes."""
    rows = np.flatnonzero(np.bincount(codes)[codes] > 1)
    return rows, codes[rows]


def _joined(roots: NDArray[np.int64], rows: NDArray[np.int64], codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Hangs the roots of rows with one code below the smallest of them, then shortens every path to its end."""
    if not len(rows):
        return roots
    lowest = np.full(int(codes.max()) + 1, len(roots), np.int64)
    np.minimum.at(lowest, codes, roots[rows])
    roots = roots.copy()
    np.minimum.at(roots, roots[rows], lowest[codes])
    while True:
        shorter = roots[roots]
        if (shorter == roots).all():
            return roots
        roots = shorter
