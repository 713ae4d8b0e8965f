"""Reads tar files in place, from any thread; a compressed one is unpacked once into an unnamed file in the cache.

A compressed tar has no way to a member but through all before it, so it is streamed once, while it is listed, into a
file without a name, which the system takes away when the program ends, however it ends.
Format: POSIX.1-2017, pax, "ustar interchange format", and GNU's long names.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import tempfile
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from babysit.data.sources.archives import (
    MOST_SPOOLED_BYTES,
    Archive,
    Bounds,
    Handle,
    check_member_size,
    check_ratio,
    follow_links,
    link_target,
    member_name,
    refusal,
)
from babysit.errors import UserError, writing
from babysit.places import cache_home

BLOCK = 512
MOST_HEADER_BYTES = 2**20
"""A header of long names: real ones are a few hundred bytes."""

SPOOL_CHUNK = 2**20
REGULAR, LINKS, SYMBOLIC, DEVICES, FOLDER, EXTENDED = b"0\x007", b"12", b"2", b"346", b"5", b"xgLK"
_COMPRESSIONS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}


class _NotWhole(Exception):  # noqa: N818 - a finding about a file
    """What is wrong with the file's structure."""


@dataclass(frozen=True, slots=True)
class _Member:
    """One entry of a tar: `kind` its type flag, `offset` where its bytes begin, `time` of its last change in seconds; `link` what it points to."""

    name: str
    kind: bytes
    offset: int
    size: int
    time: int
    link: str


def open_tar(source: str) -> Archive:
    """The files in a tar, also one compressed with gzip, bzip2 or xz.

    Raises:
        UserError: when the file is no tar, is cut short, or is built to do harm; when there is no room to unpack it.
    """
    try:
        handle, packed = _unpacked(source)
        return _listed(source, handle, packed)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, _NotWhole) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(
            f"this is not a whole tar file ({reason})",
            where=source,
            hint="It may be cut short: copy or download it again, and try `tar -tf` on it",
        ) from error


def _unpacked(source: str) -> tuple[Handle, int]:
    """The tar itself, and the size of the compressed file, 0 for none."""
    plain = Handle.of(source)
    start = plain.read(0, 6)
    kind = next((name for magic, name in _COMPRESSIONS.items() if start.startswith(magic)), "")
    if not kind:
        return plain, 0
    folder = cache_home() / "spool"
    with writing(folder, "the unpacked tar"):
        folder.mkdir(parents=True, exist_ok=True)
        spool = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it lives as long as its handle
    with _decompressed(Path(source).expanduser(), kind) as stream, spool:
        _pour(source, stream, spool, plain.size)
        return Handle(os.dup(spool.fileno())), plain.size


def _decompressed(path: Path, kind: str) -> IO[bytes]:
    if kind == "gzip":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return bz2.open(path, "rb") if kind == "bzip2" else lzma.open(path, "rb")  # type: ignore[return-value]


def _pour(source: str, stream: IO[bytes], spool: IO[bytes], packed: int) -> None:
    """Unpacks with an eye on the bounds, on every chunk, and on the room that is left."""
    total = 0
    place = cache_home() / "spool"
    while chunk := stream.read(SPOOL_CHUNK):
        total += len(chunk)
        check_ratio(source, "tar", packed, total)
        if total > MOST_SPOOLED_BYTES:
            raise refusal(source, f"the tar would unpack to more than {MOST_SPOOLED_BYTES / 2**30:g} GiB")
        with writing(place, "the unpacked tar"):
            spool.write(chunk)
    with writing(place, "the unpacked tar"):
        spool.flush()


def _listed(source: str, handle: Handle, packed: int) -> Archive:
    bounds = Bounds(source, "tar", packed)
    places: dict[str, int] = {}
    links: dict[str, str] = {}
    offsets, sizes, times = array("Q"), array("Q"), array("Q")
    end = 0
    for member in _members(handle):
        end = member.offset + -(-member.size // BLOCK) * BLOCK
        name = member_name(source, "tar", member.name)
        bounds.add(member.size)
        if member.kind in DEVICES:
            raise refusal(source, f"the tar has a device or pipe: {name!r}")
        if not name or member.name.endswith("/") or member.kind not in REGULAR + LINKS:
            continue
        if name in places or name in links:
            raise refusal(source, f"the tar has two members named {name!r}")
        if member.kind == SYMBOLIC:
            links[name] = link_target(source, "tar", name, member.link)
        elif member.kind in LINKS:
            links[name] = member_name(source, "tar", member.link)
        else:
            places[name] = len(offsets)
            for column, value in ((offsets, member.offset), (sizes, member.size), (times, member.time)):
                column.append(value)
    notes = follow_links("tar", places, links)
    if end >= handle.size:  # most programs write an empty block behind the last member
        notes = (*notes, "the tar has no mark at its end: it may have been cut short there, and have had more images")
    changed = Path(source).expanduser().stat().st_mtime_ns

    def read(name: str) -> bytes:
        place = places[name]
        check_member_size(sizes[place])
        data = handle.read(offsets[place], sizes[place])
        if len(data) != sizes[place]:
            raise OSError("the tar is cut short here")
        return data

    def stamp(name: str) -> str:
        place = places[name]
        return f"{sizes[place]}/{times[place]}/{changed}"

    return Archive(source, places, stamp, read, notes)


def _members(handle: Handle) -> Iterator[_Member]:
    """The entries in order, long names put together; ends at an empty block or at the end of the file."""
    place, given = 0, {}
    while header := handle.read(place, BLOCK):
        if len(header) < BLOCK:
            raise _NotWhole("its last header is cut short")
        if not any(header):
            break
        kind, size = header[156:157], _number(header[124:136])
        if _number(header[148:156]) != sum(header[:148]) + 8 * ord(" ") + sum(header[156:]):
            raise _NotWhole("a header's checksum does not match")
        if b"size" in given and kind not in EXTENDED:
            size = _decimal(given[b"size"])
        data = place + BLOCK
        place = data + -(-size // BLOCK) * BLOCK
        if kind in EXTENDED:
            if size > MOST_HEADER_BYTES:
                raise _NotWhole("a header of names is impossibly long")
            given = {**given, **_extended(kind, handle.read(data, size))}
            continue
        if kind == b"S" or any(key.startswith(b"GNU.sparse.") for key in given):
            raise _NotWhole("it keeps files with holes, which are not read")
        if kind in LINKS + DEVICES + FOLDER:
            size, place = 0, data  # they have no bytes, whatever they claim
        if data + size > handle.size:
            raise _NotWhole("a member ends behind the end of the file")
        name = given.get(b"path", _name(header))
        link = given.get(b"linkpath", header[157:257].partition(b"\0")[0])
        yield _Member(_text(name), kind, data, size, min(_number(header[136:148]), 2**63), _text(link))
        given = {}
    if place == 0:
        raise _NotWhole("it holds nothing")


def _extended(kind: bytes, data: bytes) -> dict[bytes, bytes]:
    """Long names: GNU's (L and K) are the bytes themselves, pax's (x) are lines of `LENGTH KEY=VALUE`."""
    if kind in b"LK":
        return {b"path" if kind == b"L" else b"linkpath": data.partition(b"\0")[0]}
    if kind == b"g":
        return {}  # for all members: comments and times; a path for all of them would be absurd
    found, place = {}, 0
    while place < len(data):
        digits = data[place : place + 20].partition(b" ")[0]
        length = _decimal(digits)
        line = data[place + len(digits) + 1 : place + length - 1]
        key, equals, value = line.partition(b"=")
        if not equals or length <= len(digits) + 1 or place + length > len(data):
            raise _NotWhole("a header of names is harmed")
        found[key] = value
        place += length
    return found


def _name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _number(field: bytes) -> int:
    """Octal digits, or, with the first bit set, base 256 (GNU)."""
    if field[0] & 0x80:
        value = int.from_bytes(field[1:], "big")
        if field[0] != 0x80 or value >= 2**63:
            raise _NotWhole("a header has an impossible number")
        return value
    digits = field.split(b"\0")[0].strip()
    if not re.fullmatch(b"[0-7]*", digits):
        raise _NotWhole("this is no tar header")
    return int(digits or b"0", 8)


def _decimal(digits: bytes) -> int:
    if not re.fullmatch(b"[0-9]{1,18}", digits):
        raise _NotWhole("a header of names is harmed")
    return int(digits)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
