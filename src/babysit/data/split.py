"""Split: which image is in which part, as indices plus each file's content hash.

Decided by seed and content: the images of a class are ranked by a keyed hash of their bytes, and the first of them
go to test, the next to validation. File names, order and the file system play no part, and equal files always rank
together.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from babysit.data.catalog import PARTS, Catalog
from babysit.errors import UserError


@dataclass(frozen=True)
class Split:
    """Rows by part, each sorted, and the content hash of every row.

    `notes` are sentences for the user.
    """

    rows: dict[str, NDArray[np.int64]]
    hashes: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def train(self) -> NDArray[np.int64]:
        """Rows of the training part."""
        return self.rows["train"]

    @property
    def validation(self) -> NDArray[np.int64]:
        """Rows of the validation part."""
        return self.rows["val"]


def default_share(count: int) -> float:
    """The share of images cut for validation: a tenth, more (up to a fifth) where that is under 1,000 images.

    >>> default_share(50_000), default_share(1_797)
    (0.1, 0.2)
    """
    return float(min(0.2, max(0.1, 1000 / max(count, 1))))


def split(
    catalog: Catalog,
    hashes: Sequence[str],
    usable: NDArray[np.bool_],
    *,
    shares: tuple[float, float],
    seed: int,
) -> Split:
    """Cuts validation (and test) where the data do not bring them; each class in the same proportion.

    Arguments:
        hashes: content hash of each image.
        usable: which images could be decoded.
        shares: of validation and of test; a share of a part that the data bring is not used.
        seed: of the cut.

    Raises:
        UserError: when a class has no usable training image, or validation would be empty.
    """
    labels = catalog.labels
    given = np.array([PARTS.index(part) if part else -1 for part in catalog.parts])
    part = given.copy()
    part[part == -1] = PARTS.index("train")
    notes = []
    if not catalog.has_validation:
        for label, name in enumerate(catalog.classes):
            members = np.flatnonzero((labels == label) & usable & (part == 0))
            counts = _counts(len(members), shares[0], shares[1] if not (given >= 0).any() else 0.0)
            ranked = sorted(members.tolist(), key=lambda row: (_rank(seed, hashes[row]), row))
            part[ranked[: counts[1]]] = PARTS.index("test")
            part[ranked[counts[1] : counts[1] + counts[0]]] = PARTS.index("val")
            if counts[0] == 0:
                notes.append(f"class '{name}' has {len(members)} images, too few to hold any out; all are trained on")
    rows = {name: np.flatnonzero((part == number) & usable).astype(np.int64) for number, name in enumerate(PARTS)}
    _check(catalog, labels, rows)
    return Split(rows, tuple(hashes), tuple(notes))


def split_table(catalog: Catalog, cut: Split) -> str:
    """The split as CSV text, a line per image: path, label, part, content hash."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(["path", "label", "part", "hash"])
    for name in PARTS:
        for row in cut.rows[name].tolist():
            table.writerow([catalog.names[row], catalog.classes[catalog.labels[row]], name, cut.hashes[row]])
    return stream.getvalue()


def _counts(count: int, validation: float, test: float) -> tuple[int, int]:
    """How many of a class go to validation and to test: at least one each when there are enough images."""
    held_out = [share for share in (validation, test) if share > 0]
    if count <= len(held_out):
        return (1, 0) if count == 2 else (0, 0)
    one = max(1, round(count * validation))
    other = max(1, round(count * test)) if test else 0
    while one + other >= count:
        one, other = max(1, one - 1), max(1 if test else 0, other - 1)
    return one, other


def _rank(seed: int, content: str) -> bytes:
    return hashlib.blake2b(f"{seed}/{content}".encode(), digest_size=8).digest()


def _check(catalog: Catalog, labels: NDArray[np.int64], rows: dict[str, NDArray[np.int64]]) -> None:
    trained = np.bincount(labels[rows["train"]], minlength=len(catalog.classes))
    missing = [name for name, count in zip(catalog.classes, trained, strict=True) if count == 0]
    if missing:
        raise UserError(
            f"no readable training image in class {', '.join(repr(name) for name in missing[:5])}",
            where=catalog.source,
            hint="Add images to it, or remove its folder",
        )
    if len(rows["val"]) == 0:
        raise UserError(
            "there are too few images to hold any out for validation",
            where=catalog.source,
            hint="Add images: at least two for each class, better fifty",
        )
