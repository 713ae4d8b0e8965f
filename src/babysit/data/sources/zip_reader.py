"""Reads zip files in place, a million members in seconds and from any thread.

Python's own `zipfile` keeps an object of half a kilobyte for each member and reads under one lock; here a member is
its name and a row of numbers. Format: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 and 4.4.
"""

from __future__ import annotations

import bz2
import lzma
import stat
import struct
import zlib
from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from babysit.data.sources.archives import (
    MOST_DIRECTORY_BYTES,
    Archive,
    Bounds,
    Handle,
    check_member_size,
    follow_links,
    link_target,
    member_name,
    refusal,
)
from babysit.errors import UserError

STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14
LARGEST_DICTIONARY = 2**26
LONGEST_LINK = 4096
UNIX = 3

_END = struct.Struct("<4s4H2LH")
_END64_PLACE = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF

_MEMBER = np.dtype([("offset", "<u8"), ("packed", "<u8"), ("size", "<u8"), ("checksum", "<u4"), ("method", "<u2")])


@dataclass(frozen=True, slots=True)
class _Directory:
    """Where the list of members lies: `start` and `size` in bytes, `count`, and `shift`, what stands before the zip."""

    start: int
    size: int
    count: int
    shift: int


def open_zip(source: str) -> Archive:
    """The files in a zip; nothing is unpacked.

    Raises:
        UserError: when the file is no zip, is cut short, is encrypted, or is built to do harm.
    """
    try:
        handle = Handle.of(source)
        directory = _find_directory(handle)
        data = handle.read(directory.start, directory.size)
        names, members, links = _list_members(source, handle, directory, data)
        _check_overlaps(source, members, directory)
    except (OSError, struct.error, _NotWhole) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(
            f"this is not a whole zip file ({reason})",
            where=source,
            hint="It may be cut short: copy or download it again, and try `unzip -t` on it",
        ) from error
    places = {}
    for place, name in enumerate(names):
        if name in places:
            raise refusal(source, f"the zip has two members named {name!r}")
        places[name] = place
    notes = follow_links("zip", places, _link_targets(source, handle, places, members, links))

    def stamp(name: str) -> str:
        _, _, size, checksum, _ = members[places[name]].item()
        return f"{size}/{checksum:08x}"

    return Archive(source, places, stamp, lambda name: _read(handle, name, members, places[name]), notes)


class _NotWhole(Exception):  # noqa: N818 - a finding about a file
    """What is wrong with the file's structure."""


def _find_directory(handle: Handle) -> _Directory:
    """The list of members, found from the file's end."""
    tail_start = max(0, handle.size - _END.size - _FULL16 - _END64_PLACE.size)
    tail = handle.read(tail_start, handle.size - tail_start)
    place = tail.rfind(b"PK\5\6")
    if place < 0 or place + _END.size > len(tail):
        raise _NotWhole("the list of its members is missing")
    _, disk, first, _, count, size, offset, _ = _END.unpack_from(tail, place)
    end = tail_start + place
    if place >= _END64_PLACE.size and tail[place - _END64_PLACE.size :].startswith(b"PK\6\7"):
        record = handle.read(end - _END64_PLACE.size - _END64.size, _END64.size)
        if not record.startswith(b"PK\6\6"):
            raise _NotWhole("the list of its members cannot be found")
        _, _, _, _, disk, first, _, count, size, offset = _END64.unpack(record)
        end -= _END64_PLACE.size + _END64.size
    if disk or first:
        raise _NotWhole("it is one part of several")
    shift = end - size - offset
    if shift < 0 or size > MOST_DIRECTORY_BYTES or count * _ENTRY.size > size:
        raise _NotWhole("the list of its members does not fit into it")
    return _Directory(end - size, size, count, shift)


def _list_members(
    source: str, handle: Handle, directory: _Directory, data: bytes
) -> tuple[list[str], NDArray[np.void], list[str]]:
    """Names and numbers of the regular files, and which of the names are symbolic links."""
    columns = [array("Q") for _ in range(5)]
    bounds = Bounds(source, "zip", handle.size)
    names, links = [], []
    place = 0
    for _ in range(directory.count):
        entry = _ENTRY.unpack_from(data, place)
        magic, made_by, _, flags, method, _, _, checksum, packed, size, length, extra, comment, _, _, rights, offset = (
            entry
        )
        if magic != b"PK\1\2":
            raise _NotWhole("the list of its members is harmed")
        first, place = place + _ENTRY.size, place + _ENTRY.size + length + extra + comment
        raw = data[first : first + length]
        name = member_name(source, "zip", _decoded(raw, flags))
        if flags & 1:
            raise UserError(
                "the zip is encrypted", where=source, hint="Unpack it with its password and give the folder"
            )
        if _FULL32 in (packed, size, offset):
            field = data[first + length : first + length + extra]
            size, packed, offset = _wide(field, size, packed, offset)
        bounds.add(size)
        if raw.endswith((b"/", b"\\")) or not name:
            continue
        if made_by >> 8 == UNIX and stat.S_ISLNK(rights >> 16):
            links.append(name)
        names.append(name)
        for column, value in zip(columns, (offset + directory.shift, packed, size, checksum, method), strict=True):
            column.append(value)
    if place > len(data):
        raise _NotWhole("the list of its members is cut short")
    members = np.empty(len(names), _MEMBER)
    for field, column in zip(_MEMBER.names or (), columns, strict=True):
        members[field] = np.frombuffer(column, np.uint64) if column else 0
    return names, members, links


def _decoded(raw: bytes, flags: int) -> str:
    """A name: UTF-8 where the zip says so or it fits, else the code page of old."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "surrogateescape") if flags & 0x800 else raw.decode("cp437")


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Numbers too large for 32 bits stand in an extra field, only those that are."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, place)
        if kind == 1:
            found = iter(struct.unpack_from(f"<{min(length, 24) // 8}Q", extra, place + 4))
            wide = [next(found, _FULL32) if value == _FULL32 else value for value in (size, packed, offset)]
            return wide[0], wide[1], wide[2]
        place += 4 + length
    return size, packed, offset


def _check_overlaps(source: str, members: NDArray[np.void], directory: _Directory) -> None:
    """Members that share bytes are how a small file claims to be a large one (Fifield, "A better zip bomb", 2019)."""
    starts, packed = members["offset"], members["packed"]
    if max(starts.max(initial=0), packed.max(initial=0)) > directory.start:
        raise _NotWhole("it lists a member that lies behind its end")
    order = np.argsort(starts, kind="stable")
    ends = np.append(starts[order][1:], np.uint64(directory.start))
    room = ends.astype(np.int64) - starts[order].astype(np.int64) - _LOCAL.size
    if (room < packed[order].astype(np.int64)).any():
        raise refusal(source, "the zip has members that overlap")


def _link_targets(
    source: str, handle: Handle, places: dict[str, int], members: NDArray[np.void], links: list[str]
) -> dict[str, str]:
    """Takes the links out of the places; a link's bytes are the path it leads to."""
    targets = {}
    for name in links:
        place = places.pop(name)
        try:
            text = _read(handle, name, members, place) if members["size"][place] <= LONGEST_LINK else b""
        except OSError:
            continue
        targets[name] = link_target(source, "zip", name, text.decode("utf-8", "surrogateescape"))
    return targets


def _read(handle: Handle, name: str, members: NDArray[np.void], place: int) -> bytes:
    """The bytes of one member, checked.

    Raises:
        OSError: when it is too large or harmed.
    """
    offset, packed, size, checksum, method = members[place].item()
    check_member_size(max(size, packed))
    # The header and the bytes in one call: its own length is only known from it, and is seldom long.
    guess = len(name.encode("utf-8", "surrogateescape")) + 64
    data = handle.read(offset, _LOCAL.size + guess + packed)
    try:
        magic, *_, length, extra = _LOCAL.unpack_from(data)
        if magic != b"PK\3\4":
            raise OSError("the zip is harmed here (no member begins where one should)")
        start = _LOCAL.size + length + extra
        body = data[start : start + packed] if start + packed <= len(data) else handle.read(offset + start, packed)
        unpacked = _unpacked(body, method, size)
    except (struct.error, zlib.error, lzma.LZMAError, ValueError, EOFError) as error:
        raise OSError(f"the zip is harmed here ({error})") from error
    if len(body) != packed or len(unpacked) != size or zlib.crc32(unpacked) != checksum:
        raise OSError("the zip is harmed here (its checksum does not match)")
    return unpacked


def _unpacked(body: bytes, method: int, size: int) -> bytes:
    """At most one byte more than `size`, so that a lie about it shows and costs nothing."""
    if method == STORED:
        return body
    if method == DEFLATED:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(body, size + 1)
    if method == BZIP2:
        return bz2.BZ2Decompressor().decompress(body, size + 1)
    if method == LZMA:
        return _lzma(body).decompress(body[9:], size + 1)
    raise OSError(f"the zip's compression method {method} is not read")


def _lzma(body: bytes) -> lzma.LZMADecompressor:
    """The decompressor for the settings before the data: version (2 bytes), length (2), lc/lp/pb (1), dictionary (4)."""
    _, length, packed, dictionary = struct.unpack_from("<HHBL", body)
    if length != 5 or dictionary > LARGEST_DICTIONARY:
        raise OSError("the zip is compressed in a way that is not read")
    rest, lc = divmod(packed, 9)
    pb, lp = divmod(rest, 5)
    settings = {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": lc, "lp": lp, "pb": pb}
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[settings])
