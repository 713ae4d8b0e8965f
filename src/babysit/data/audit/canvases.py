"""The cached canvases read in bounded memory, and where on its canvas each image lies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit.data.cache import Cache
from babysit.data.decode import Resize

BLOCK_BYTES = 12 * 2**20


def read_rows(cache: Cache, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Canvases of the given rows, checked, and read from the file where there is one.

    Pages of a memory map count as the process's own memory once touched; a whole data set would be.

    Shape:
        (len(rows), size, size, 3).
    """
    cache.check(rows)
    pixels = cache.pixels
    if not isinstance(pixels, np.memmap) or pixels.filename is None:
        return pixels[rows]
    found = np.empty((len(rows), *pixels.shape[1:]), np.uint8)
    each = found[0].nbytes if len(rows) else 0
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    with Path(pixels.filename).open("rb", buffering=0) as stream:
        for start, end in zip([0, *breaks.tolist()], [*breaks.tolist(), len(rows)], strict=True):
            if start < end:
                got = os.preadv(stream.fileno(), [found[start:end].data], pixels.offset + int(rows[start]) * each)
                assert got == (end - start) * each, "the cache is cut short"
    return found


def blocks(cache: Cache, rows: NDArray[np.int64]) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """The canvases of the given rows, a few megabytes at a time, with their places in `rows`."""
    step = max(1, BLOCK_BYTES // max(1, int(np.prod(cache.pixels.shape[1:]))))
    for start in range(0, len(rows), step):
        part = slice(start, min(start + step, len(rows)))
        yield part, read_rows(cache, rows[part])


def content_boxes(cache: Cache, resize: Resize) -> NDArray[np.int64]:
    """Where on its canvas each image lies: top, left, height and width in pixels.

    Shape:
        (n, 4); zeros for an unreadable image.
    """
    size = cache.pixels.shape[1]
    width, height = (cache.facts[name].astype(np.float64) for name in ("width", "height"))
    longer, shorter = np.maximum(width, height), np.maximum(1, np.minimum(width, height))
    if resize == "squash":
        wide, high = np.minimum(width, size), np.minimum(height, size)
    else:
        factor = np.minimum(1, size / (np.maximum(longer, 1) if resize == "pad" else shorter))
        wide, high = (np.where(side > 0, np.clip(np.rint(side * factor), 1, size), 0) for side in (width, height))
    boxes = np.stack([(size - high) // 2, (size - wide) // 2, high, wide], axis=1)
    return (boxes * (wide > 0)[:, None]).astype(np.int64)


def alike(boxes: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], tuple[slice, slice]]]:
    """Groups of equal boxes: the places of each group's members, and the box as two slices."""
    if not len(boxes):
        return
    packed = boxes @ np.array([1 << 48, 1 << 32, 1 << 16, 1])
    order = np.argsort(packed, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(packed[order])) + 1):
        top, left, height, width = boxes[members[0]].tolist()
        yield members, (slice(top, top + height), slice(left, left + width))
