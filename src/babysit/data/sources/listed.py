"""A CSV of `path,label[,part][,group]`, its paths relative to itself; they may lead into a zip or a tar.

A CSV may come from a stranger, so a path leads nowhere but into the CSV's own folder.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from babysit.data.catalog import PART_NAMES, PARTS, Catalog, Encoded, Item, catalog_of
from babysit.data.sources.archives import Archive, lies_flat, read_file
from babysit.data.sources.table import MOST_TABLE_BYTES, Rows, has_columns, read_rows
from babysit.data.sources.tar_reader import open_tar
from babysit.data.sources.zip_reader import open_zip
from babysit.errors import UserError
from babysit.show import plural
from babysit.tables import nearest

REQUIRED, OPTIONAL = ("path", "label"), ("part", "group")
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
TABLE_SUFFIXES = (".csv", ".tsv")

MOST_ARCHIVES = 256
"""Archives that one CSV leads into: each is a file held open, of which a process usually may have 1,024."""

GONE = "gone"
"""The stamp of a file that is not there."""

_INTO = re.compile(r"\.(?:zip|tar|tgz|tbz2|txz|tar\.gz|tar\.bz2|tar\.xz)(?=/)", re.IGNORECASE)
_SEPARATORS = re.compile(r"\s*[|;,]\s*")


class _Outside(Exception):  # noqa: N818 - a finding about a file
    """A link that leads out of the CSV's folder."""


def listed(source: str) -> Catalog:
    """The images that a CSV names.

    Raises:
        UserError: when it is no such CSV, names nothing that is there, or names what it must not.
    """
    path = Path(source).expanduser()
    try:
        if path.stat().st_size > MOST_TABLE_BYTES:
            raise UserError(f"the CSV has more than {MOST_TABLE_BYTES // 2**20} MB", where=source)
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"the CSV cannot be read: {error.strerror}", where=source) from error
    folder = _Folder(path.resolve().parent)
    return _catalog(source, _rows(source, data), folder.stamp, folder.read)


def through_its_table(archive: Archive) -> Catalog | None:
    """The catalog of an archive whose images lie flat and that has one CSV of `path,label` at its top, else None.

    Raises:
        UserError: when there are several such CSVs, or it is no such CSV on a closer look.
    """
    if not lies_flat(archive):
        return None
    first_folders = {name.partition("/")[0] if "/" in name else "" for name in archive.places}
    tops = {"", *(first_folders if len(first_folders) == 1 else ())}
    tables = [
        name
        for name in archive.places
        if name.lower().endswith(TABLE_SUFFIXES) and name.rpartition("/")[0] in tops
        if has_columns(archive.read(name), REQUIRED)
    ]
    if not tables:
        return None
    if len(tables) > 1:
        raise UserError(
            f"there are several CSVs of labels in it: {', '.join(sorted(tables)[:5])}",
            where=archive.source,
            hint="Put the right one beside the archive, with the archive's name before each path, and give that CSV",
        )
    folder = tables[0].rpartition("/")[0]

    def member(name: str) -> str:
        return f"{folder}/{name}" if folder else name

    def stamp(name: str) -> str:
        return archive.stamp(member(name)) if member(name) in archive.places else GONE

    def read(name: str) -> bytes:
        if member(name) not in archive.places:
            raise OSError("it is not in the archive")
        return archive.read(member(name))

    said = [*archive.notes, f"the classes are those of {tables[0]}"]
    where = f"{archive.source}/{tables[0]}"
    return _catalog(archive.source, _rows(where, archive.read(tables[0])), stamp, read, notes=said)


def safe_path(path: str, where: str) -> str:
    """A path of a CSV with forward slashes and nothing superfluous in it.

    Raises:
        UserError: when it leads out of the CSV's folder.
    """
    if "\0" in path:
        raise UserError(f"{path!r} is no path a file can have", where=where)
    pieces = path.replace("\\", "/").split("/")
    if pieces[0] == "" or ".." in pieces or re.match("[A-Za-z]:", path) or "://" in path:
        raise UserError(
            f"the path {path!r} leads out of the CSV's folder" if path else "the path is empty",
            where=where,
            legal="paths relative to the CSV, without '..'",
            hint="Put the CSV into the folder that holds all the images",
        )
    return "/".join(piece for piece in pieces if piece not in ("", "."))


@dataclass
class _Folder:
    """The folder a CSV lies in: its files, and the archives in it that a path has led into."""

    root: Path
    archives: dict[str, Archive | None] = field(default_factory=dict)
    inside: dict[Path, bool] = field(default_factory=dict)

    def stamp(self, name: str) -> str:
        """What changes when the file does; GONE when it is not there.

        Raises:
            _Outside: when a link leads out of the folder.
        """
        if found := self._member(name):
            archive, inner = found
            return archive.stamp(inner) if inner in archive.places else GONE
        path = self.root / name
        try:
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                status = path.stat()
                if not path.resolve().is_relative_to(self.root):
                    raise _Outside
        except (OSError, ValueError):
            return GONE
        if not self._is_inside(path.parent):
            raise _Outside
        return f"{status.st_size}/{status.st_mtime_ns}"

    def read(self, name: str) -> bytes:
        """The file's bytes.

        Raises:
            OSError: when it cannot be read.
        """
        if found := self._member(name):
            archive, inner = found
            if inner not in archive.places:
                raise OSError("it is not in the archive")
            return archive.read(inner)
        return read_file(self.root / name)

    def _member(self, name: str) -> tuple[Archive, str] | None:
        """The archive that the path leads into, and the rest of the path."""
        for found in _INTO.finditer(name):
            archive = self._archive(name[: found.end()])
            if archive:
                return archive, name[found.end() + 1 :]
        return None

    def _archive(self, name: str) -> Archive | None:
        """An archive, opened on first use while listing; None for a folder that is only called like one."""
        if name not in self.archives:
            path = self.root / name
            opened = None
            if self._is_file_inside(path):
                if sum(map(bool, self.archives.values())) >= MOST_ARCHIVES:
                    raise UserError(f"the CSV leads into more than {MOST_ARCHIVES} archives", where=str(self.root))
                opened = open_zip(str(path)) if name.lower().endswith(".zip") else open_tar(str(path))
            self.archives[name] = opened
        return self.archives[name]

    def _is_file_inside(self, path: Path) -> bool:
        """Whether it is a file in this folder; what no file can be called, longer than the system takes, is none."""
        try:
            return path.is_file() and path.resolve().is_relative_to(self.root)
        except OSError:
            return False

    def _is_inside(self, folder: Path) -> bool:
        if folder not in self.inside:
            self.inside[folder] = folder.resolve().is_relative_to(self.root)
        return self.inside[folder]


def _rows(source: str, data: bytes) -> Rows:
    """The rows of a CSV of single labels.

    Raises:
        UserError: when a column is missing, or there are several labels in one.
    """
    if has_columns(data, ("path", "labels")) and not has_columns(data, REQUIRED):
        several = read_rows(source, data, required=("path", "labels"))
        for line, (_, labels) in several:
            if _SEPARATORS.search(labels.strip()):
                raise _multi_label(f"line {line} has the labels {labels.strip()!r}", source)
        raise UserError("the CSV has no column 'label' but 'labels'", where=source, hint="Call it 'label'")
    return read_rows(source, data, required=REQUIRED, optional=OPTIONAL)


def _catalog(
    source: str,
    rows: Rows,
    stamp: Callable[[str], str],
    read: Callable[[str], Encoded],
    *,
    notes: Iterable[str] = (),
) -> Catalog:
    shared: dict[str, str] = {}  # one string for all images of a class or group, not one for each
    items: list[Item] = []
    gone, outside, first_gone = 0, 0, ""
    for line, (path, label, part, group) in rows:
        where = f"{rows.source}:{line}"
        name = safe_path(path, where)
        label, group = label.strip(), group.strip()
        if not label:
            raise UserError(f"the label of {name!r} is empty", where=where, hint="Give each image its class")
        try:
            changed = stamp(name)
        except _Outside:
            outside += 1
            continue
        if changed == GONE:
            gone += 1
            first_gone = first_gone or name
        label, group = shared.setdefault(label, label), shared.setdefault(group, group)
        items.append(Item(name, label, _part(part, where), changed, group))
    if not items and not outside:
        raise UserError("the CSV lists no image", where=rows.source, hint="Write a line path,label for each image")
    if items and gone == len(items):
        raise UserError(
            f"none of the {plural(gone, 'listed file')} is there; the first: {first_gone}",
            where=rows.source,
            hint="Paths are relative to the CSV's own folder",
        )
    said = list(notes)
    if gone:
        said.append(f"not there: {plural(gone, 'listed file')}, the first {first_gone}; listed as unreadable")
    if outside:
        said.append(f"left out: {plural(outside, 'link')} leading out of the CSV's folder")
    _check_labels(rows.source, shared)
    items, doubled = _once(rows.source, items)
    if doubled:
        said.append(
            f"left out: {plural(doubled, 'line')} that {'repeats' if doubled == 1 else 'repeat'} an earlier one"
        )
    return catalog_of(source, items, read, notes=said)


def _part(text: str, where: str) -> str:
    part = text.strip().lower()
    if part and part not in PART_NAMES:
        near = nearest(part, PART_NAMES)
        raise UserError(
            f"unknown part {text.strip()!r}",
            where=where,
            legal=f"{', '.join(PARTS)}, or empty",
            hint=f"Did you mean '{near}'?" if near else "",
        )
    return PART_NAMES.get(part, "")


def _once(source: str, items: list[Item]) -> tuple[list[Item], int]:
    """Each path once, and how many were repeated.

    Raises:
        UserError: when a path has two labels, or is in two parts.
    """
    if len({item.name for item in items}) == len(items):
        return items, 0
    first: dict[str, Item] = {}
    for item in items:
        before = first.setdefault(item.name, item)
        if before.label != item.label:
            raise _multi_label(f"{item.name} is both {before.label!r} and {item.label!r}", source)
        if before.part != item.part or before.group != item.group:
            what = "parts" if before.part != item.part else "groups"
            raise UserError(f"{item.name} is in two {what}", where=source, hint="List each image once")
    return list(first.values()), len(items) - len(first)


def _check_labels(source: str, labels: Iterable[str]) -> None:
    """A label made of other labels is several labels.

    Raises:
        UserError: when there is one.
    """
    known = set(labels)
    for label in sorted(known):
        pieces = _SEPARATORS.split(label)
        if len(pieces) > 1 and all(piece in known for piece in pieces):
            raise _multi_label(f"the label {label!r} is made of others", source)


def _multi_label(seen: str, source: str) -> UserError:
    return UserError(
        f"these are multi-label data ({seen}), and babysit trains classifiers with one class for each image",
        where=source,
        hint="Give each image one label, or train one classifier for each label with the classes yes and no",
    )
