"""Corrections: lists of images to leave out and of labels to change, laid over a catalog.

The images themselves are never touched. An image is named by its path in the source, or by the content hash that a
run's split.csv gives; a hash is known only after decoding, so such lines are applied then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit.data.catalog import Catalog, RefusedDataError, check_trainable
from babysit.data.sources import open_source
from babysit.data.sources.table import read_rows
from babysit.errors import UserError, writing
from babysit.names import from_cell
from babysit.record import atomic
from babysit.show import Show, plural

KINDS = ("exclude", "relabel")
SHOWN = 5


@dataclass(frozen=True)
class Names:
    """What a list names, each with its new label (empty in a list of exclusions).

    `paths` as written, `hashes` content hashes.
    """

    paths: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lists:
    """The lists of one run: `texts` the files as they are, by kind, of those that were given."""

    exclude: Names = Names()
    relabel: Names = Names()
    texts: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def by_content(self) -> bool:
        """Whether a line names an image by its hash."""
        return bool(self.exclude.hashes or self.relabel.hashes)

    def digests(self) -> dict[str, str]:
        """A hash of each list given, for the manifest."""
        return {kind: hashlib.blake2b(text, digest_size=16).hexdigest() for kind, text in self.texts.items()}


def read_lists(exclude: str | None, relabel: str | None) -> Lists:
    """Reads the lists.

    Arguments:
        exclude: a CSV with a column `path` or `hash` (or both: a line's path counts, its hash where that is empty).
        relabel: a CSV with such a column and `label`.

    Raises:
        UserError: when one cannot be read, or gives an image two labels.
    """
    texts = {kind: _text(path) for kind, path in zip(KINDS, (exclude, relabel), strict=True) if path}
    return Lists(
        _names(exclude, texts["exclude"], labelled=()) if exclude else Names(),
        _names(relabel, texts["relabel"], labelled=("label",)) if relabel else Names(),
        texts,
    )


def keep(lists: Lists, folder: Path) -> None:
    """Copies the lists into a run.

    Raises:
        UserError: when it cannot be written.
    """
    if not lists.texts:
        return
    with writing(folder, "the lists of corrections"):
        folder.mkdir(exist_ok=True)
        for kind, text in lists.texts.items():
            atomic.write_bytes(folder / f"{kind}.csv", text)


def check_unchanged(lists: Lists, digests: Mapping[str, str], given: Lists, folder: Path) -> None:
    """Refuses to go on with other corrections than a run began with.

    Arguments:
        lists: the run's own copies, in `folder`.
        digests: of them when the run began.
        given: the lists that were given again now, if any.

    Raises:
        UserError: when a copy was changed, or a list given now says something else.
    """
    now = lists.digests()
    changed = [f"the run's copy {folder / kind}.csv" for kind in KINDS if now.get(kind) != digests.get(kind)]
    changed += [f"the list given with --{kind}" for kind, text in given.texts.items() if lists.texts.get(kind) != text]
    if changed:
        raise UserError(
            f"{changed[0]} is not as it was when the run began",
            where=str(folder.parent),
            hint="Put it back, leave the option out to use the run's own copy, or start a new run with another -o",
        )


def open_corrected(source: str, lists: Lists, show: Show) -> Catalog:
    """The catalog of a source, with `by_path` laid over it.

    What a source alone is refused for, lists may put right: a class that only the test part has, say.

    Raises:
        UserError: when there is no such source, or `by_path` refuses.
    """
    try:
        catalog = open_source(source, show)
    except RefusedDataError as refused:
        if not lists.texts:
            raise
        catalog = refused.catalog
    return by_path(catalog, lists)


def by_path(catalog: Catalog, lists: Lists) -> Catalog:
    """The catalog with the images named by path left out or relabelled, and notes that say so.

    Raises:
        UserError: when nothing is left.
        RefusedDataError: when what is left is no data to train on, and no line by content is still to come.
    """
    if not lists.texts:
        return catalog
    excluded, lost = _rows_of_paths(catalog, lists.exclude.paths)
    relabelled, also_lost = _rows_of_paths(catalog, lists.relabel.paths)
    kept = [row for row in range(len(catalog)) if row not in excluded]
    if not kept:
        raise UserError("the list of exclusions leaves no image", where=catalog.source)
    notes = [*catalog.notes, *_told("excluded", excluded, lost), *_told("relabelled", relabelled, also_lost)]
    made = _only(replace(catalog, notes=tuple(notes)), kept)
    made = _relabelled(made, _labels(catalog, relabelled)[kept], np.ones(len(kept), bool))
    if not lists.by_content:
        check_trainable(made)
    return replace(made, corrected=_counts(catalog, excluded, relabelled, lost + also_lost))


def by_content(catalog: Catalog, lists: Lists, hashes: Sequence[str]) -> tuple[Catalog, NDArray[np.bool_]]:
    """The catalog with the images named by hash relabelled, and which of its rows are not excluded, shape (n,).

    Arguments:
        hashes: content hash of each row.

    Raises:
        UserError: when nothing is left.
        RefusedDataError: when what is left is no data to train on.
    """
    kept = np.ones(len(catalog), bool)
    if not lists.by_content:
        return catalog, kept
    excluded, lost = _rows_of(hashes, lists.exclude.hashes)
    relabelled, also_lost = _rows_of(hashes, lists.relabel.hashes)
    kept[list(excluded)] = False
    if not kept.any():
        raise UserError("the list of exclusions leaves no image", where=catalog.source)
    notes = [*catalog.notes, *_told("excluded", excluded, lost), *_told("relabelled", relabelled, also_lost)]
    made = _relabelled(replace(catalog, notes=tuple(notes)), _labels(catalog, relabelled), kept)
    check_trainable(made, kept)
    return replace(made, corrected=_counts(catalog, excluded, relabelled, lost + also_lost)), kept


def _text(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise UserError(f"the list cannot be read: {error.strerror}", where=path) from error


def _names(source: str, text: bytes, *, labelled: Sequence[str]) -> Names:
    rows = read_rows(source, text, required=labelled, optional=("path", "hash"))
    if not {"path", "hash"} & set(rows.columns):
        raise UserError(
            f"the list has no column 'path' or 'hash'; there are: {', '.join(map(repr, rows.columns))}",
            where=source,
            legal=",".join(["path", *labelled]) + " in its first line",
        )
    paths: dict[str, str] = {}
    hashes: dict[str, str] = {}
    for line, (*label, path, content) in rows:
        into, name = (paths, path) if path else (hashes, content.strip().lower())
        new = label[0].strip() if label else ""
        if not name or (labelled and not new):
            raise UserError(f"the {'label' if name else 'path'} is empty", where=f"{source}:{line}")
        if into.setdefault(name, new) != new:
            raise UserError(f"{name} is relabelled twice, {into[name]!r} and {new!r}", where=f"{source}:{line}")
    return Names(paths, hashes)


def _rows_of_paths(catalog: Catalog, wanted: Mapping[str, str]) -> tuple[dict[int, str], list[str]]:
    """Row -> label of the images that the paths name, and the paths that name none.

    A path may be written as the catalog has it, as our own tables write it, with backslashes, or from outside the
    source.
    """
    spelt: dict[str, str] = {}
    for path in wanted:
        for text in (path, from_cell(path)):
            plain = text.replace("\\", "/").removeprefix("./")
            inside = plain.removeprefix(catalog.source.rstrip("/").removeprefix("./") + "/")
            spelt.update(dict.fromkeys((text, plain, inside), path))
    found = {row: spelt[name] for row, name in enumerate(catalog.names) if name in spelt}
    lost = sorted(set(wanted) - set(found.values()))
    return {row: wanted[path] for row, path in found.items()}, lost


def _rows_of(hashes: Sequence[str], wanted: Mapping[str, str]) -> tuple[dict[int, str], list[str]]:
    found = {row: wanted[content] for row, content in enumerate(hashes) if content in wanted}
    return found, sorted(set(wanted) - {hashes[row] for row in found})


def _labels(catalog: Catalog, changed: Mapping[int, str]) -> NDArray[np.object_]:
    """The label of each row by name, some of them changed."""
    labels = np.array(catalog.classes, object)[catalog.labels]
    for row, label in changed.items():
        labels[row] = label
    return labels


def _only(catalog: Catalog, rows: Sequence[int]) -> Catalog:
    """Some rows of a catalog, in its order."""
    return replace(
        catalog,
        names=tuple(catalog.names[row] for row in rows),
        labels=catalog.labels[rows],
        parts=tuple(catalog.parts[row] for row in rows),
        stamps=tuple(catalog.stamps[row] for row in rows),
        groups=tuple(catalog.groups[row] for row in rows),
        read=lambda row: catalog.read(rows[row]),
    )


def _relabelled(catalog: Catalog, labels: NDArray[np.object_], kept: NDArray[np.bool_]) -> Catalog:
    """The catalog with other labels: its classes are those of the kept rows; the other rows' labels mean nothing."""
    classes = tuple(sorted(set(labels[kept].tolist())))
    number = {name: index for index, name in enumerate(classes)}
    notes = list(catalog.notes)
    if new := sorted(set(classes) - set(catalog.classes)):
        notes.append(f"classes that are new by relabelling: {', '.join(new[:SHOWN])}")
    if gone := sorted(set(catalog.classes) - set(classes)):
        notes.append(f"classes that have no image any more: {', '.join(gone[:SHOWN])}")
    numbers = np.array([number.get(label, 0) for label in labels.tolist()], np.int64)
    return replace(catalog, classes=classes, labels=numbers, notes=tuple(notes))


def _told(what: str, found: Mapping[int, str], lost: Sequence[str]) -> list[str]:
    said = [f"{what} by a list: {plural(len(found), 'image')}"] if found else []
    if lost:
        more = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
        said.append(f"to be {what}, but not there: {', '.join(lost[:SHOWN])}{more}")
    return said


def _counts(
    catalog: Catalog, excluded: Mapping[int, str], relabelled: Mapping[int, str], lost: Sequence[str]
) -> dict[str, int]:
    now = {"excluded": len(excluded), "relabelled": len(relabelled), "unmatched": len(lost)}
    return {name: catalog.corrected.get(name, 0) + count for name, count in now.items()}
