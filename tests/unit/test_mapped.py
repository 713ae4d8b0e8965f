"""Maps larger than the memory: what is asked for comes, what is read is right, and small maps are left alone."""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from babysit.data import mapped as maps
from babysit.data.augment import cut, plain_views
from babysit.data.mapped import fetch, in_turn, mapped
from babysit.data.statistics import TrainingImages, channel_moments

ROWS, SIDE = 700, 40


@pytest.fixture
def pixels(tmp_path: Path, monkeypatch) -> np.memmap:
    """A map that counts as large, of rows that begin and end within pages."""
    monkeypatch.setattr(maps, "FITS", 0)
    random = np.random.default_rng(0)
    random.integers(0, 256, (ROWS, SIDE, SIDE, 3), np.uint8).tofile(tmp_path / "pixels.u8")
    made = mapped(tmp_path / "pixels.u8", (ROWS, SIDE, SIDE, 3))
    assert isinstance(made, np.memmap)
    return made


def resident(pixels: np.memmap) -> np.ndarray:
    """Which pages of the map are in memory, as the kernel says (mincore)."""
    pages = -(-pixels.nbytes // mmap.PAGESIZE)
    told = (ctypes.c_ubyte * pages)()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mincore(ctypes.c_void_p(pixels.ctypes.data), ctypes.c_size_t(pixels.nbytes), told):
        pytest.skip("mincore is not to be had here")
    return np.frombuffer(told, np.uint8) & 1 == 1


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_rows_are_brought_before_they_are_touched(pixels: np.memmap) -> None:
    assert pixels.filename is not None
    with Path(pixels.filename).open("rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if resident(pixels).any():
        pytest.skip("this file system keeps its files in memory")
    rows = np.array([ROWS - 1, 0, 300, 301, 302])
    fetch(pixels, rows)
    each = pixels[0].nbytes
    wanted = {place // mmap.PAGESIZE for row in rows.tolist() for place in (row * each, row * each + each - 1)}
    end = time.monotonic() + 20
    while not resident(pixels)[sorted(wanted)].all():
        assert time.monotonic() < end, "what was asked for has not come"
        time.sleep(0.01)
    assert resident(pixels).mean() < 0.5, "what was not asked for has come too"
    touched = pixels[450].sum()
    assert touched > 0 and resident(pixels).mean() < 0.5, "a single image brought its surroundings along"


def test_what_is_read_is_right_in_any_order(pixels: np.memmap) -> None:
    there = np.array(pixels)
    rows = np.random.default_rng(1).permutation(ROWS)[:500]
    assert np.array_equal(np.concatenate([pixels[some] for some in in_turn(pixels, rows, 64)]), there[rows])
    assert np.array_equal(cut(pixels, rows, plain_views(len(rows), 4), 32), there[rows, 4:36, 4:36])
    ascending = np.sort(rows)
    assert channel_moments(pixels, ascending) == channel_moments(there, ascending)
    assert np.array_equal(
        np.concatenate(list(TrainingImages(pixels, ascending, 32).blocks())), there[ascending, 4:36, 4:36]
    )


def test_nothing_is_asked_of_what_is_no_large_map(pixels: np.memmap, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(maps, "_runs", lambda rows: asked.append(rows) or [])
    fetch(pixels, np.arange(3))
    assert len(asked) == 1
    for other in (np.array(pixels), pixels[:10]):
        fetch(other, np.arange(3))
    monkeypatch.setattr(maps, "FITS", pixels.nbytes)
    fetch(pixels, np.arange(3))
    assert len(asked) == 1
    fetch(pixels, np.zeros(0, np.int64))
