"""The audit of a data set: a pure function of its catalog and its decoded images.

What the search finds is kept beside the decoded images, so that it is made once.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit.data.audit.canvases import content_boxes, read_rows
from babysit.data.audit.clusters import joined
from babysit.data.audit.near import NearPairs, near_pairs
from babysit.data.audit.survey import SMALLEST_FOR_NEAR, survey
from babysit.data.cache import Cache
from babysit.data.catalog import Catalog
from babysit.data.decode import Resize
from babysit.record import atomic

VERSION = 3
"""Raised whenever the audit can come to something else on the same images, so that no kept result is used."""

ENORMOUS = 25_000_000
COMPARED = 2048


@dataclass(frozen=True)
class Audit:
    """What was found; rows are those of the cache and of the catalog.

    `exact` the lowest row that holds the same image (the same file, or other files with the same pixels), shape (n,);
    `near` pairs of near duplicates; `clusters` rows with the same number hold one picture, shape (n,): they belong on
    one side of a split; `blank`, `tiny` (half the canvas at most), `enormous` and `animated` rows; `compared` images
    whose near duplicates were looked for.
    """

    exact: NDArray[np.int64]
    near: NearPairs
    clusters: NDArray[np.int64]
    blank: NDArray[np.int64]
    tiny: NDArray[np.int64]
    enormous: NDArray[np.int64]
    animated: NDArray[np.int64]
    compared: int

    @property
    def repeated(self) -> NDArray[np.int64]:
        """Rows that repeat an image of a lower row."""
        return np.flatnonzero(self.exact != np.arange(len(self.exact)))


def audit(catalog: Catalog, cache: Cache, resize: Resize) -> Audit:
    """Looks for what is wrong with the images.

    Blank images are named as such and are nobody's duplicates: they hold no picture that could leak.

    Arguments:
        resize: how the images were put on their canvases.
    """
    path = cache.path / f"audit-{_key(catalog, cache)}.npz"
    found = _kept(path, len(catalog))
    if found is None:
        found = _search(catalog, cache, resize)
        with suppress(OSError):  # a cache that cannot be written to is still one that can be read
            _keep(path, found)
    exact, near, blank, compared = found
    facts, usable = cache.facts, cache.usable
    shorter = np.minimum(facts["width"], facts["height"])
    clusters = joined(len(catalog), np.concatenate([_links(exact), near.rows]))
    return Audit(
        exact=exact,
        near=near,
        clusters=clusters,
        blank=blank,
        tiny=np.flatnonzero(usable & (2 * shorter <= cache.pixels.shape[1])),
        enormous=np.flatnonzero(usable & (facts["width"].astype(np.int64) * facts["height"] >= ENORMOUS)),
        animated=np.flatnonzero(usable & (facts["frames"] > 1)),
        compared=compared,
    )


Found = tuple[NDArray[np.int64], NearPairs, NDArray[np.int64], int]


def _search(catalog: Catalog, cache: Cache, resize: Resize) -> Found:
    """Exact duplicates, near ones, blank rows, and how many images were compared."""
    rows = np.flatnonzero(cache.usable)
    boxes = content_boxes(cache, resize)
    seen = survey(cache, rows, boxes)
    alone = np.arange(len(catalog))
    plain = ~seen.blank
    exact = _same_files(cache, rows[plain], alone)
    first = exact[rows[plain]] == rows[plain]
    exact = exact[_same_pixels(cache, rows[plain][first], seen.pixels[plain][first], exact)]
    single = exact[seen.rows] == seen.rows
    prints = seen.prints if single.all() else seen.prints.only(single)
    near = near_pairs(cache, boxes, rows=seen.rows[single], prints=prints, labels=catalog.labels)
    return exact, near, rows[seen.blank], int(single.sum())


def _same_files(cache: Cache, rows: NDArray[np.int64], exact: NDArray[np.int64]) -> NDArray[np.int64]:
    """Marks the files that are equal byte for byte."""
    hashes = np.frombuffer(bytes.fromhex("".join([cache.hashes[row] for row in rows.tolist()])), "S16")
    _, first, which = np.unique(hashes, return_index=True, return_inverse=True)
    exact = exact.copy()
    exact[rows] = rows[first[which]]
    return exact


def _same_pixels(
    cache: Cache, rows: NDArray[np.int64], hashes: NDArray[np.uint64], exact: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Marks different files that hold the same pixels at the same original size; each is compared in full."""
    order = np.argsort(hashes, kind="stable")
    after = np.flatnonzero(hashes[order][1:] == hashes[order][:-1]) + 1
    begins = np.searchsorted(hashes[order], hashes[order[after]])
    exact = exact.copy()
    for start in range(0, len(after), COMPARED):
        part = slice(start, start + COMPARED)
        one, other = rows[order[begins[part]]], rows[order[after[part]]]
        equal = (read_rows(cache, one) == read_rows(cache, other)).all(axis=(1, 2, 3))
        for name in ("width", "height"):
            equal &= cache.facts[name][one] == cache.facts[name][other]
        exact[other[equal]] = one[equal]
    return exact


def _links(exact: NDArray[np.int64]) -> NDArray[np.int64]:
    repeated = np.flatnonzero(exact != np.arange(len(exact)))
    return np.stack([exact[repeated], repeated], axis=1)


def _key(catalog: Catalog, cache: Cache) -> str:
    """What the kept result depends on beside the cache's own key: the version, the classes, what can be used."""
    digest = hashlib.blake2b(f"{VERSION}/{SMALLEST_FOR_NEAR}".encode(), digest_size=8)
    digest.update(catalog.labels.tobytes())
    digest.update(np.array(sorted({*cache.unreadable, *cache.excluded}), np.int64).tobytes())
    return digest.hexdigest()


def _keep(path: Path, found: Found) -> None:
    exact, near, blank, compared = found
    stream = io.BytesIO()
    np.savez(
        stream,
        repeats=_links(exact),
        pairs=near.rows,
        mirrored=near.mirrored,
        agreement=near.agreement,
        blank=blank,
        counts=np.array([compared, near.unconfirmed]),
    )
    atomic.write_bytes(path, stream.getvalue())


def _kept(path: Path, count: int) -> Found | None:
    """What an earlier audit of the same images found; nothing when it is not there or not whole."""
    try:
        with io.BytesIO(path.read_bytes()) as stream, np.load(stream, allow_pickle=False) as kept:
            exact = np.arange(count)
            exact[kept["repeats"][:, 1]] = kept["repeats"][:, 0]
            compared, unconfirmed = kept["counts"].tolist()
            near = NearPairs(kept["pairs"], kept["mirrored"], kept["agreement"], unconfirmed)
            return exact, near, kept["blank"], compared
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile):
        return None
