"""Where images can come from: a table of functions `path -> Catalog`, and the rule that picks one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from babysit.data.catalog import Catalog
from babysit.data.sources.digits import digits
from babysit.data.sources.folders import folders
from babysit.data.sources.zipped import zipped
from babysit.errors import UserError
from babysit.tables import Table, nearest

SOURCES: Table[Callable[[str], Catalog]] = Table("data source", {"digits": digits, "folders": folders, "zip": zipped})
BUILT_IN = ("digits",)


def open_source(source: str) -> Catalog:
    """The catalog of whatever the user named.

    Arguments:
        source: a built-in name, a folder, or a zip file. A path wins over a built-in name of the same spelling
            only when it is written with a slash.

    Raises:
        UserError: when there is nothing of that name, or it is of no kind that can be read.
    """
    if source in BUILT_IN:
        return SOURCES[source](source)
    path = Path(source).expanduser()
    if path.is_dir():
        return folders(str(path))
    if path.is_file():
        if path.suffix.lower() == ".zip":
            return zipped(str(path))
        raise UserError(
            "this file is not data that can be read",
            where=source,
            legal=f"a folder of class folders, a zip of one, or a built-in name ({', '.join(BUILT_IN)})",
        )
    near = nearest(source, BUILT_IN)
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = near or nearest(path.name, siblings)
    raise UserError(
        "there is no such folder, file or built-in data set",
        where=source,
        legal=f"a folder of class folders, a zip of one, or a built-in name ({', '.join(BUILT_IN)})",
        hint=f"Did you mean '{near}'?" if near else "Check the path",
    )
