"""A folder with one folder per class, with or without train/, val/ and test/ above them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from babysit.data.catalog import Catalog, catalog_of, items_from_names
from babysit.data.sources.archives import read_file
from babysit.errors import UserError
from babysit.show import plural


def folders(source: str) -> Catalog:
    """Lists a folder of class folders.

    Links that lead out of the folder, to nothing or to folders are left out and said. The order is the one of names, never the file system's.

    Raises:
        UserError: when the folder cannot be read or holds no classes.
    """
    root = Path(source).resolve()
    names: list[tuple[str, str]] = []
    outside = special = broken = 0
    empty, linked = [], []
    try:
        for folder, subfolders, files in os.walk(root, onerror=_raise):
            subfolders.sort()
            linked += [path for name in subfolders if (path := Path(folder) / name).is_symlink()]
            if not subfolders and not files and Path(folder) != root:
                empty.append(Path(folder).relative_to(root).as_posix())
            for file in files:
                path = Path(folder) / file
                try:
                    status = path.stat()
                except OSError:
                    broken += path.is_symlink()  # else it vanished between listing and asking
                    continue
                if path.is_symlink() and not path.resolve().is_relative_to(root):
                    outside += 1
                    continue
                if not stat.S_ISREG(status.st_mode):
                    special += 1
                    continue
                names.append((path.relative_to(root).as_posix(), f"{status.st_size}/{status.st_mtime_ns}"))
    except OSError as error:
        raise UserError(f"the folder cannot be read: {error.strerror}", where=str(error.filename or source)) from error
    items, notes = items_from_names(source, names)
    if outside:
        notes.append(f"left out: {plural(outside, 'link')} leading out of {source}")
    if broken:
        notes.append(f"left out: {plural(broken, 'link')} to nothing")
    if linked:
        shown = ", ".join(path.relative_to(root).as_posix() for path in linked[:5])
        notes.append(
            f"left out: {plural(len(linked), 'link')} to {'a folder' if len(linked) == 1 else 'folders'}: {shown}"
        )
    if special:
        notes.append(f"left out: {plural(special, 'device')} or pipe{'' if special == 1 else 's'}")
    if empty:
        notes.append(f"left out: {plural(len(empty), 'empty folder')}: {', '.join(sorted(empty)[:5])}")
    return catalog_of(source, items, lambda name: read_file(root / name), notes=notes)


def _raise(error: OSError) -> None:
    raise error
