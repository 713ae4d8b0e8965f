"""Where images can come from: a table of functions `path -> Catalog`, and the rule that picks one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from babysit.data.catalog import Catalog
from babysit.data.downloads import DATA_SETS, download
from babysit.data.sources.cifar import BINARY, PYTHON, cifar_binary, cifar_python, is_cifar, unpack
from babysit.data.sources.digits import digits
from babysit.data.sources.folders import folders
from babysit.data.sources.idx import idx, is_idx
from babysit.data.sources.listed import TABLE_SUFFIXES, TAR_SUFFIXES, listed
from babysit.data.sources.npz import npz
from babysit.data.sources.tarred import tarred
from babysit.data.sources.zipped import zipped
from babysit.errors import UserError
from babysit.show import Show, Silent
from babysit.tables import Table, nearest

SOURCES: Table[Callable[[str], Catalog]] = Table(
    "data source",
    {
        "digits": digits,
        "folders": folders,
        "zip": zipped,
        "tar": tarred,
        "csv": listed,
        "cifar-python": cifar_python,
        "cifar-binary": cifar_binary,
        "idx": idx,
        "npz": npz,
    },
)
BUILT_IN = ("digits",)
SUFFIXES = {".zip": "zip", ".npz": "npz", **dict.fromkeys(TAR_SUFFIXES, "tar"), **dict.fromkeys(TABLE_SUFFIXES, "csv")}
NAMES = (*BUILT_IN, *DATA_SETS)
"""What stands for data without being a path."""

LEGAL = (
    "a folder of class folders, a zip or tar of one, a CSV of path,label, CIFAR's or MNIST's files, an .npz of images and labels, "
    f"or a name ({', '.join(NAMES)})"
)


def open_source(source: str, show: Show | None = None) -> Catalog:
    """The catalog of whatever the user named.

    Arguments:
        source: a name of NAMES, a folder, or a file. A path wins over a name of the same spelling only when it is
            written with a slash.
        show: told of a download.

    Raises:
        UserError: when there is nothing of that name, or it is of no kind that can be read.
    """
    try:
        source.encode()
    except UnicodeEncodeError as error:
        raise UserError(
            "the path is not text in UTF-8, so no recipe can hold it",
            where=source,
            hint="Rename it, or make a link to it with a plain name and give that",
        ) from error
    if source in BUILT_IN:
        return SOURCES[source](source)
    if source in DATA_SETS:
        return replace(_read(bring(source, show or Silent())), source=source)
    path = Path(source).expanduser()
    if _is_there(path):
        return _read(path)
    near = nearest(source.lower(), NAMES) or nearest(path.name, _siblings(path))
    raise UserError(
        "there is no such folder, file or data set",
        where=source,
        legal=LEGAL,
        hint=f"Did you mean '{near}'?" if near else "Check the path",
    )


def bring(name: str, show: Show) -> Path:
    """The folder with the files of a data set by name, downloaded and unpacked if they are not there yet.

    Raises:
        UserError: when it cannot be downloaded.
    """
    folder = download(name, show)
    unpack(folder)
    return folder


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, a folder that is not ours
        return False


def _siblings(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return []


def _read(path: Path) -> Catalog:
    kind = _kind(path)
    if not kind:
        raise UserError("this file is not data that can be read", where=str(path), legal=LEGAL)
    return SOURCES[kind](str(path))


def _kind(path: Path) -> str:
    """The entry of SOURCES that reads a path: by what is in it, else by its name's ending; empty for none."""
    with suppress(PermissionError):  # whoever reads it says so
        if is_cifar(str(path), PYTHON):
            return "cifar-python"
        if is_cifar(str(path), BINARY):
            return "cifar-binary"
        if is_idx(str(path)):
            return "idx"
    if path.is_dir():
        return "folders"
    return next((kind for suffix, kind in SUFFIXES.items() if path.name.lower().endswith(suffix)), "")
