"""A zip of class folders, read in place."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from babysit.data.catalog import Catalog, catalog_of, items_from_names
from babysit.errors import UserError

MOST_MEMBER_BYTES = 256 * 2**20


def zipped(source: str) -> Catalog:
    """Lists a zip file without unpacking it.

    Raises:
        UserError: when the file is no zip, is cut short, is encrypted, or names a path outside its root.
    """
    try:
        archive = zipfile.ZipFile(Path(source).expanduser())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UserError(
            f"this is not a whole zip file ({error})",
            where=source,
            hint="It may be cut short: copy or download it again, and try `unzip -t` on it",
        ) from error
    names: list[tuple[str, str]] = []
    for member in archive.infolist():
        if member.is_dir():
            continue
        parts = member.filename.replace("\\", "/").split("/")
        if parts[0] == "" or ".." in parts or ":" in parts[0]:
            raise UserError(
                f"the zip has a path outside its root: {member.filename!r}",
                where=source,
                hint="Such a file is broken or hostile; nothing was read from it. Make the zip again from a plain folder",
            )
        if member.flag_bits & 1:
            raise UserError(
                "the zip is encrypted", where=source, hint="Unpack it with its password and give the folder"
            )
        names.append((member.filename, f"{member.file_size}/{member.CRC:08x}"))
    items, notes = items_from_names(source, names)
    return catalog_of(source, items, lambda name: _read(archive, name), notes=notes)


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    member = archive.getinfo(name)
    if member.file_size > MOST_MEMBER_BYTES:
        raise OSError(
            f"it is {member.file_size / 2**20:.0f} MB large; at most {MOST_MEMBER_BYTES // 2**20} MB are read"
        )
    try:
        return archive.read(member)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise OSError(f"the zip is harmed here ({error})") from error
