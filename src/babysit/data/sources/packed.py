"""Files of known names, from a folder or from a .tar.gz of it, each whole in memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

from babysit.data.sources.arrays import check_claim, check_ended, filled, harmed
from babysit.errors import UserError

MOST_FILE_BYTES = 256 * 2**20
MOST_UNPACKED_BYTES = 512 * 2**20
MOST_MEMBERS = 10_000
BLOCK = 512
_FIRST_BYTES = 2**20
_BROKEN = (OSError, EOFError, zlib.error)


def is_gzip(path: Path) -> bool:
    """Whether a file begins as gzip does."""
    try:
        with path.open("rb") as stream:
            return stream.read(2) == b"\x1f\x8b"
    except OSError:
        return False


def read_folder(folder: Path, names: Collection[str]) -> dict[str, bytearray]:
    """Those of the named files that are in a folder.

    Raises:
        UserError: when one is too large or cannot be read.
    """
    found = {}
    for name in names:
        path = folder / name
        if not path.is_file():
            continue
        try:
            with path.open("rb", buffering=0) as stream:
                size = path.stat().st_size
                _check_size(size, str(path))
                found[name] = filled(stream, size, str(path))
                check_ended(stream, str(path))
        except OSError as error:
            raise UserError(f"it cannot be read: {error.strerror or error}", where=str(path)) from error
    return found


def read_tar(path: Path, names: Collection[str]) -> dict[str, bytearray]:
    """Those of the named files that are in a .tar.gz, in whatever folder of it.

    Raises:
        UserError: when it is cut short, harmed, or claims more than is read.
    """
    found: dict[str, bytearray] = {}
    where = str(path)
    try:
        with gzip.open(path, "rb") as stream:
            spent = 0
            for name, size in _members(stream, where):
                spent += BLOCK + _padded(size)
                if spent > MOST_UNPACKED_BYTES:
                    raise UserError(f"it unpacks to more than {MOST_UNPACKED_BYTES // 2**20} MB", where=where)
                base = name.rpartition("/")[2]
                if base not in names or base in found:
                    stream.seek(_padded(size), 1)
                    continue
                _check_size(size, f"{where}:{name}")
                check_claim(size, path.stat().st_size, f"{where}:{name}")
                found[base] = filled(stream, size, where)
                stream.seek(_padded(size) - size, 1)
            if len(stream.read(_FIRST_BYTES)) == _FIRST_BYTES:  # the end has a checksum, which is looked at on the way
                raise harmed(where, "it goes on after its end")
    except _BROKEN as error:
        raise harmed(where, f"{error}" or "it is cut short") from error
    return found


def first_names(path: Path) -> list[str]:
    """The paths that a .tar.gz begins with, as far as they are found within its first million bytes.

    For telling what an archive is; never fails.
    """
    names = []
    try:
        with gzip.open(path, "rb") as stream:
            for name, size in _members(stream, str(path)):
                names.append(name)
                if stream.tell() + size > _FIRST_BYTES:
                    break
                stream.seek(_padded(size), 1)
    except (*_BROKEN, UserError):
        pass
    return names


def _members(stream: gzip.GzipFile, where: str) -> Iterator[tuple[str, int]]:
    """(path, size) of each plain file, and of each folder with a slash at its end. The stream then stands at the
    contents, and the caller moves past them.

    Headers are read here and not by `tarfile`, which reads as much extended header as a file claims to have.
    Everything else is passed over: links, devices, extended headers.
    """
    for _ in range(MOST_MEMBERS):
        header = stream.read(BLOCK)
        if not header.strip(b"\0"):
            return
        name, size, kind = _header(header, where)
        if kind in b"0\0":
            yield name, size
        else:
            if size > MOST_FILE_BYTES:
                raise harmed(where, "a header claims more than is read")
            if kind == b"5":
                yield name.rstrip("/") + "/", 0
            stream.seek(_padded(size), 1)
    raise harmed(where, f"it has more than {MOST_MEMBERS:,} members")


def _header(header: bytes, where: str) -> tuple[str, int, bytes]:
    """Path, size and kind, after POSIX.1-1988 (ustar)."""
    try:
        checksum = int(header[148:156].strip(b" \0"), 8)
        size = int(header[124:136].strip(b" \0") or b"0", 8)
    except ValueError:
        raise harmed(where, "it is no tar archive, or is cut short") from None
    if len(header) < BLOCK or checksum != sum(header[:148]) + 8 * ord(" ") + sum(header[156:]) or size < 0:
        raise harmed(where, "a header in it is wrong")
    name = header[:100].split(b"\0")[0].decode("utf-8", "replace")
    return name, size, header[156:157]


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _check_size(size: int, where: str) -> None:
    if size > MOST_FILE_BYTES:
        raise UserError(
            f"it is {size / 2**20:,.0f} MB large; at most {MOST_FILE_BYTES // 2**20} MB are read", where=where
        )
