"""The split as a file: `split.csv`, a line per image with path, label, part and content hash; written and read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit.data.catalog import PART_NAMES, PARTS, Catalog
from babysit.data.split import (
    UNKNOWN,
    Split,
    check_parts,
    given_parts,
    lacking_notes,
    listed,
    units_within,
)
from babysit.data.units import content_array
from babysit.errors import UserError
from babysit.names import from_cell, table_text
from babysit.show import plural

COLUMNS = ("path", "label", "part", "hash")


def split_table(catalog: Catalog, cut: Split) -> str:
    """The split as CSV text, a line per image: path, label, part, content hash."""
    rows = (
        (catalog.names[row], catalog.classes[catalog.labels[row]], name, cut.hashes[row])
        for name in PARTS
        for row in cut.rows[name].tolist()
    )
    return table_text(chain([COLUMNS], rows))


@dataclass(frozen=True)
class Listed:
    """What a split file says, an entry per line: the path, the label, the part as a place in PARTS, the
    content hash (empty where the file has none)."""

    path: Path
    names: tuple[str, ...]
    labels: tuple[str, ...]
    parts: NDArray[np.int8]
    hashes: tuple[str, ...]


def read_split(path: Path) -> Listed:
    """Reads a split file; `label` and `hash` may be missing.

    Raises:
        UserError: when it cannot be read, has no column `path` or `part`, or names an unknown part.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")  # as it is: a line end may stand in a name
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise UserError(
            f"the split file cannot be read: {reason}", where=str(path), hint="Give the split.csv of a run"
        ) from error
    lines = csv.reader(io.StringIO(text, newline=""))
    try:
        head = [cell.strip().lower() for cell in next(lines, [])]
        missing = [name for name in ("path", "part") if name not in head]
        if missing:
            raise UserError(
                f"the split file has no column '{missing[0]}'",
                where=f"{path}:1",
                legal=",".join(COLUMNS),
                hint="Give the split.csv of a run",
            )
        places = [head.index(name) if name in head else -1 for name in COLUMNS]
        rows: list[tuple[str, str, str, str]] = []
        numbers: list[int] = []
        for cells in lines:
            if not cells:
                continue
            name, label, part, content = (cells[at] if 0 <= at < len(cells) else "" for at in places)
            number = PART_NAMES.get(part.strip().lower())
            if number is None:
                raise UserError(
                    f"'{part}' is not a part", where=f"{path}:{lines.line_num}", legal=", ".join(PART_NAMES)
                )
            rows.append((from_cell(name), from_cell(label), "", content.strip()))
            numbers.append(PARTS.index(number))
    except csv.Error as error:
        raise UserError(f"this is not a CSV file: {error}", where=f"{path}:{lines.line_num}") from error
    if not rows:
        raise UserError("the split file lists no image", where=str(path), hint="Give the split.csv of a run")
    names, labels, _, hashes = zip(*rows, strict=True)
    return Listed(path, names, labels, np.array(numbers, np.int8), hashes)


def split_as_listed(
    catalog: Catalog,
    hashes: Sequence[str],
    usable: NDArray[np.bool_],
    *,
    file: Listed,
    clusters: NDArray[np.int64] | None = None,
    needed: Sequence[str] = ("val",),
) -> Split:
    """The split that a file gives back: each listed image keeps its part, and the new ones are trained on.

    An image is found by content hash, of several lines with one hash by the line that has its path too; then by path.
    A new image of a unit that has listed images goes to their part, the one seen most when there are several; a new
    image that the data themselves put into val or test stays there.

    Arguments:
        hashes: content hash of each image.
        usable: which images could be decoded.
        file: what the file says.
        clusters: images with equal numbers stay together, shape (n,); none without it.
        needed: parts that must not be empty, besides train.

    Raises:
        UserError: when the file lists none of the images, or leaves a class without training or a needed part empty.
    """
    contents = content_array(hashes)
    units = units_within(catalog, contents, usable, clusters)
    line = _lines_of(catalog, hashes, file)
    line[~usable] = UNKNOWN
    known = line >= 0
    if not known.any():
        raise UserError(
            f"the split file lists {plural(len(file.names), 'image')}, and none of them is in {catalog.source}",
            where=str(file.path),
            hint="Give the split.csv of these data, or cut anew: leave --split (data.split in the recipe) out",
        )
    part = np.full(len(hashes), UNKNOWN, np.int64)
    part[known] = file.parts[line[known]]
    of_unit = np.full(int(units.max()) + 1, len(PARTS), np.int64)
    np.minimum.at(of_unit, units[known], part[known])
    new = usable & ~known
    own = given_parts(catalog, units)
    part[new] = np.where(of_unit[units[new]] < len(PARTS), of_unit[units[new]], own[new])
    rows = {name: np.flatnonzero(part == number).astype(np.int64) for number, name in enumerate(PARTS)}
    check_parts(
        catalog,
        rows,
        units=units,
        hint=f"Give some of its images the part train in {file.path}, or leave --split (data.split in the recipe) out",
        needed=needed,
    )
    notes = _listed_notes(catalog, file, line, part)
    return Split(rows, tuple(hashes), tuple(notes), lacking_notes(catalog, rows, needed), by_rule=False)


def _lines_of(catalog: Catalog, hashes: Sequence[str], file: Listed) -> NDArray[np.int64]:
    """The line of the file that speaks of each image, UNKNOWN for none."""
    # Of lines that say the same of different parts, the part that has been seen most wins; it is put in last.
    order = np.argsort(-file.parts, kind="stable").tolist()
    both = {(file.hashes[at], file.names[at]): at for at in order}
    by_hash = {file.hashes[at]: at for at in order if file.hashes[at]}
    # A path speaks only where the content is gone: else a renamed image would give its part to a stranger.
    here = set(hashes)
    by_name = {file.names[at]: at for at in order if file.hashes[at] not in here}
    found = np.full(len(hashes), UNKNOWN, np.int64)
    for row, content in enumerate(hashes):
        name = catalog.names[row]
        at = both.get((content, name))
        if at is None:
            at = by_hash.get(content)
        if at is None:
            at = by_name.get(name, UNKNOWN)
        found[row] = at
    return found


def _listed_notes(catalog: Catalog, file: Listed, line: NDArray[np.int64], part: NDArray[np.int64]) -> list[str]:
    notes = []
    new = np.flatnonzero((line < 0) & (part >= 0))
    if len(new):
        counts = np.bincount(part[new], minlength=len(PARTS))
        told = ", ".join(f"{count:,} to {name}" for name, count in zip(PARTS, counts, strict=True) if count)
        names = [catalog.names[row] for row in new[:6].tolist()]
        notes.append(f"{plural(len(new), 'image')} not in {file.path}: {told} ({listed(names)})")
    gone = np.ones(len(file.names), bool)
    gone[line[line >= 0]] = False
    present = {file.hashes[at] for at in np.unique(line[line >= 0]).tolist()} - {""}
    missing = [file.names[at] for at in np.flatnonzero(gone).tolist() if file.hashes[at] not in present]
    if missing:
        notes.append(
            f"{plural(len(missing), 'image')} listed in {file.path} but not among the readable ones: {listed(missing)}"
        )
    other = [
        catalog.names[row]
        for row in np.flatnonzero(line >= 0).tolist()
        if file.labels[line[row]] not in ("", catalog.classes[catalog.labels[row]])
    ]
    if other:
        notes.append(
            f"{plural(len(other), 'image')} with another label in {file.path}; the label of the data is used: {listed(other)}"
        )
    return notes
