"""Decoded images that are larger than the memory: asking the disk for them before they are needed.

A page of a memory map that is not in memory is read when it is touched, and the reader waits: one page after another,
or, where the system guesses that the next megabytes will be wanted too, a hundred times what a single image takes.
So large maps are declared to be read in no order, and the rows of a batch are asked for at once, while another batch
is still computed. What is in memory already costs a microsecond a row.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FITS = 2**29
"""Bytes that any machine keeps in memory; for a map that is no larger nothing is asked for."""


def mapped(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """A file of pixels, mapped into memory: shared and read-only, so it may be larger than the memory."""
    pixels = np.memmap(path, np.uint8, "r", shape=shape)
    # The system may drop any page, and read it again; what surrounds it is not wanted.
    if pixels.nbytes > FITS and (pages := _pages(pixels)) and hasattr(mmap, "MADV_RANDOM"):
        pages.madvise(mmap.MADV_RANDOM)
    return pixels


def fetch(pixels: NDArray[np.uint8], rows: NDArray[np.int64]) -> None:
    """Asks the system to have these rows in memory soon; returns at once.

    Arguments:
        pixels: from `mapped`; for any other array nothing happens.
        rows: in any order.
    """
    if pixels.nbytes <= FITS or (pages := _pages(pixels)) is None or not hasattr(mmap, "MADV_WILLNEED"):
        return
    each, page = pixels[0].nbytes, mmap.PAGESIZE
    for first, count in _runs(np.sort(rows)):
        start = first * each // page * page
        pages.madvise(mmap.MADV_WILLNEED, start, (first + count) * each - start)


def in_turn(pixels: NDArray[np.uint8], rows: NDArray[np.int64], step: int) -> Iterator[NDArray[np.int64]]:
    """The rows, `step` at a time; the next ones are fetched while these are used.

    >>> [some.tolist() for some in in_turn(np.zeros((5, 2), np.uint8), np.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    """
    fetch(pixels, rows[:step])
    for start in range(0, len(rows), step):
        fetch(pixels, rows[start + step : start + 2 * step])
        yield rows[start : start + step]


def _pages(pixels: NDArray[np.uint8]) -> mmap.mmap | None:
    return pixels.base if isinstance(pixels, np.memmap) and isinstance(pixels.base, mmap.mmap) else None


def _runs(rows: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First row and length of each run of rows that follow one another."""
    breaks = np.flatnonzero(np.diff(rows) > 1) + 1
    for run in np.split(rows, breaks) if len(rows) else []:
        yield int(run[0]), int(run[-1] - run[0]) + 1
