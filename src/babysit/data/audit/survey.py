"""One pass over the canvases: which are blank, a hash of each one's pixels, and the fingerprints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from babysit.data.audit.canvases import alike, blocks
from babysit.data.audit.fingerprint import Fingerprints, empty, fingerprint_into
from babysit.data.cache import Cache
from babysit.seeds import mix

BLANK_RANGE = 6
"""An image is blank when no colour's values span more than this, of 255."""

SMALLEST_FOR_NEAR = 16
"""In pixels. Below it two images have too little in them to tell a copy from a likeness."""


@dataclass(frozen=True)
class Survey:
    """Of the surveyed rows, in their order: `blank` and `pixels` (a 64-bit hash), shape (n,); fingerprints of `rows`.

    `rows` those that are neither blank nor too small, ascending.
    """

    blank: NDArray[np.bool_]
    pixels: NDArray[np.uint64]
    rows: NDArray[np.int64]
    prints: Fingerprints


def survey(cache: Cache, rows: NDArray[np.int64], boxes: NDArray[np.int64]) -> Survey:
    """Looks once at each canvas of the given rows.

    Arguments:
        rows: of the cache, ascending.
        boxes: where on its canvas each image of the cache lies.
    """
    fit = boxes[rows, 2:].min(axis=1, initial=2**31) >= SMALLEST_FOR_NEAR
    place = np.cumsum(fit) - 1
    prints = empty(int(fit.sum()))
    blank = np.zeros(len(rows), bool)
    pixels = np.zeros(len(rows), np.uint64)
    for part, images in blocks(cache, rows):
        here = boxes[rows[part]]
        blank[part] = _blank(images, here)
        pixels[part] = _hashed(images)
        wanted = np.flatnonzero(fit[part])
        if len(wanted):
            some = images if len(wanted) == len(images) else images[wanted]
            fingerprint_into(prints, place[part][wanted], some, here[wanted])
    keep = ~blank[fit]
    kept = prints if keep.all() else prints.only(keep)
    return Survey(blank, pixels, rows[fit][keep], kept)


def _blank(images: NDArray[np.uint8], boxes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Blankness of a block; three pixels decide for nearly all."""
    blank = np.zeros(len(images), bool)
    for members, (down, across) in alike(boxes):
        corner = images[members, down.start, across.start].astype(np.int16)
        middle = images[members, (down.start + down.stop) // 2, (across.start + across.stop) // 2]
        last = images[members, down.stop - 1, across.stop - 1]
        apart = np.maximum(np.abs(corner - middle), np.abs(corner - last)).max(axis=1)
        if len(maybe := members[apart <= BLANK_RANGE]):
            blank[maybe] = _span(images[maybe, down][:, :, across]) <= BLANK_RANGE
    return blank


def _span(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    span = images.max(axis=(1, 2)).astype(np.int64) - images.min(axis=(1, 2))
    return span.max(axis=1)


def _hashed(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """A multilinear hash of each canvas; what hashes alike is compared in full later."""
    flat = images.reshape(len(images), -1)
    if flat.shape[1] % 4:
        flat = np.pad(flat, ((0, 0), (0, -flat.shape[1] % 4)))
    words = np.ascontiguousarray(flat).view(np.uint32)
    weights = mix(np.arange(1, words.shape[1] + 1, dtype=np.uint64))
    hashes = np.zeros(len(words), np.uint64)
    for start in range(0, words.shape[1], 1024):
        hashes += (words[:, start : start + 1024] * weights[start : start + 1024]).sum(axis=1, dtype=np.uint64)
    return hashes
