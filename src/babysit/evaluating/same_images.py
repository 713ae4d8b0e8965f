"""Telling that test images are those of an earlier look: by their pixels, and by what the runs nearby remember."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit.data.audit.canvases import content_boxes, read_rows
from babysit.data.cache import Cache
from babysit.data.decode import Resize
from babysit.errors import UserError
from babysit.record import ledger, predictions
from babysit.record.run import Run

AT_ONCE = 256
"""Canvases read at a time."""

MOST_NEARBY = 200
"""Runs whose memory is asked, at most."""


def pixel_hashes(cache: Cache, rows: NDArray[np.int64], resize: Resize) -> list[str]:
    """128 bits of BLAKE2b over the shape and the decoded pixels of each image, in hexadecimal.

    An image that is no larger than its canvas has the same hash in every lossless format and at every training size;
    of a larger one, the pixels it is reduced to are hashed.
    """
    boxes, found = content_boxes(cache, resize)[rows], []
    for start in range(0, len(rows), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        for canvas, (top, left, height, width) in zip(read_rows(cache, rows[part]), boxes[part].tolist(), strict=True):
            inside = np.ascontiguousarray(canvas[top : top + height, left : left + width])
            found.append(hashlib.blake2b(f"{inside.shape}".encode() + inside.tobytes(), digest_size=16).hexdigest())
    return found


def remember_nearby(path: Path) -> None:
    """Brings looks into the ledger that only the runs around this one know of, so that another state folder hides none.

    A run whose files cannot be read is passed over.
    """
    for run in itertools.islice(_tested(path.resolve()), MOST_NEARBY):
        with suppress(UserError):
            ledger.recall(run.looks, partial(_test_hashes, run))


def _test_hashes(run: Run) -> list[str]:
    return [one.hash for one in predictions.read_split(run, "test") if one.hash]


def _tested(path: Path) -> Iterator[Run]:
    """The runs beside, above and below that keep a copy of looks."""
    for copy in (
        path.parent / "test-ledger.json",
        *path.parent.glob("*/test-ledger.json"),
        *path.glob("*/test-ledger.json"),
    ):
        if copy.is_file() and copy.parent != path:
            yield Run(copy.parent)
