"""A file's outer structure, walked before the decoder sees it.

The decoder reads what stands beside the picture with patience: tags that share their bytes make sixty gigabytes out
of one megabyte, a hundred million empty segments take minutes. Here each file is walked over once, without decoding,
copying or trusting it; what no camera and no program writes is refused. The same walk counts the frames.

Sources: ITU-T T.81 B.1 (JPEG), W3C PNG third edition 5, GIF89a specification, TIFF 6.0 section 2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MOST_PARTS = 100_000
"""Segments, chunks or blocks of a file."""

MOST_STEPS = 20 * MOST_PARTS
"""Blocks of a GIF that are walked over to count its frames; what comes later is not counted."""

MOST_TEXTS = 1000
"""PNG chunks that are unpacked beside the picture."""

MOST_EXIF_BYTES = 2**20
MOST_FRAMES = 65_535
MOST_VALUES = 250_000
"""Numbers in one TIFF tag; the largest that are written, transfer functions, have 196,608."""

_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_PLAIN_TYPES = (1, 2, 6, 7)
_INNER_TABLES = (0x8769, 0x8825, 0xA005)
_START_OF_SCAN = b"\xff\xda"


class UnreadableImage(Exception):  # noqa: N818 - it is a finding about a file, counted and listed
    """Why a file is not an image that can be used."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What the walk found: how many `frames`, and how many `scans` a JPEG's picture is sent in (about)."""

    frames: int = 1
    scans: int = 1


def outline(data: bytes) -> Outline:
    """Walks over a file of any format; what it does not know, or does not understand, is left to the decoder.

    Raises:
        UnreadableImage: when the file is made to cost more than a picture.
    """
    try:
        if data[:3] == b"\xff\xd8\xff":
            return Outline(scans=data.count(_START_OF_SCAN) if _walk_jpeg(data) else 1)
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            return Outline(frames=_walk_png(data))
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return Outline(frames=_walk_gif(data))
        if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            return Outline(frames=_walk_tiff(data))
    except (IndexError, OverflowError, struct.error):
        pass  # it ends in the middle: the decoder says so in its own words
    return Outline()


def check_tags(data: bytes) -> None:
    """Walks over the tags of an EXIF block, with or without its first six letters.

    Raises:
        UnreadableImage: when they name more bytes than there are.
    """
    if len(data) > MOST_EXIF_BYTES:
        raise UnreadableImage("it has more than a megabyte of EXIF tags")
    inner = data[6:] if data[:6] == b"Exif\0\0" else data
    try:
        tags = _Tags(inner)
        tags.walk(tags.first)
    except (IndexError, OverflowError, struct.error):
        return


def _walk_jpeg(data: bytes) -> bool:
    """Returns whether the picture is sent in several scans: progressive, or a colour at a time."""
    place, exif = 2, []
    progressive, colours, several = False, 0, False
    for _ in range(MOST_PARTS):
        if data[place] != 0xFF:
            break
        marker = data[place + 1]
        if marker == 0xDA:
            several = progressive or data[place + 4] < colours
            break
        if marker == 0xFF:  # filling before a marker
            place += 1
            continue
        place += 2
        if marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD9:
            continue  # these stand alone
        (length,) = struct.unpack_from(">H", data, place)
        body = place + 2
        if marker == 0xE1 and data[body : body + 6] == b"Exif\0\0":
            exif.append(data[body + 6 : place + length])
            if sum(map(len, exif)) > MOST_EXIF_BYTES:
                break
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            progressive, colours = progressive or marker in (0xC2, 0xC6, 0xCA, 0xCE), data[body + 5]
        elif marker == 0xE2 and data[body : body + 4] == b"MPF\0":
            check_tags(data[body + 4 : place + length])
        place += max(length, 2)
    else:
        raise UnreadableImage(f"it has more than {MOST_PARTS:,} segments before the picture")
    if exif:
        check_tags(b"".join(exif))
    return several


def _walk_png(data: bytes) -> int:
    place, texts, frames = 8, 0, 1
    for _ in range(MOST_PARTS):
        length, name = struct.unpack_from(">I4s", data, place)
        if name == b"IEND":
            return frames
        if name in (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf"):
            texts += 1
            if texts > MOST_TEXTS:
                raise UnreadableImage(f"it has more than {MOST_TEXTS:,} texts and profiles")
        elif name == b"acTL":
            frames = min(MOST_FRAMES, max(1, *struct.unpack_from(">I", data, place + 8)))
        place += 12 + length
        if place >= len(data):
            return frames
    raise UnreadableImage(f"it has more than {MOST_PARTS:,} chunks")


def _walk_gif(data: bytes) -> int:
    place, frames, steps = 13 + _colours(data[10]), 0, 0
    try:
        while frames < MOST_FRAMES and steps < MOST_STEPS:
            if not frames and steps > MOST_PARTS:
                raise UnreadableImage(f"it has more than {MOST_PARTS:,} blocks before the picture")
            steps += 1
            if data[place] == 0x2C:
                frames += 1
                place += 11 + _colours(data[place + 9])
            elif data[place] == 0x21:
                place += 2
            elif data[place] == 0x3B:
                break
            else:
                place += 1  # the decoder passes over stray bytes too
                continue
            while data[place]:
                place += data[place] + 1
                steps += 1
            place += 1
    except IndexError:
        pass  # many files lack their last byte
    return max(1, frames)


def _colours(flags: int) -> int:
    """Bytes of the colour table that follows."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _walk_tiff(data: bytes) -> int:
    tags = _Tags(data)
    following = tags.walk(tags.first)
    seen = {tags.first}
    while following and following not in seen and len(seen) < MOST_FRAMES:
        seen.add(following)
        try:
            following = tags.after(following)
        except (IndexError, OverflowError, struct.error):
            break
    return len(seen)


class _Tags:
    """TIFF's tables of tags, in either byte order, with offsets of 32 or 64 bits."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._order = "<" if data[:1] == b"I" else ">"
        self._large = data[2:4] in (b"+\0", b"\0+")
        self._count, self._entry = ("Q", "HHQQ") if self._large else ("H", "HHII")
        self.first = self._read("Q" if self._large else "I", 8 if self._large else 4)
        self._named = 0

    def walk(self, place: int, depth: int = 0) -> int:
        """Adds up what the tags of one table name; returns where the next table is (0 for nowhere)."""
        count = self._read(self._count, place)
        step = struct.calcsize(self._order + self._entry)
        begin = place + struct.calcsize(self._order + self._count)
        for entry in range(min(count, (len(self._data) - begin) // step)):
            tag, kind, values, value = struct.unpack_from(self._order + self._entry, self._data, begin + entry * step)
            size = values * _TYPE_BYTES.get(kind, 1)
            if size <= (8 if self._large else 4):
                if tag in _INNER_TABLES and depth < 2 and kind in (4, 13, 18):
                    self._walk_inner(value, depth + 1)
                continue
            if value + size > len(self._data):
                continue  # the decoder does not read it either
            self._named += size
            if self._named > 2 * len(self._data) or (kind not in _PLAIN_TYPES and values > MOST_VALUES):
                raise UnreadableImage("its tags name more than the file has")
        return self.after(place)

    def after(self, place: int) -> int:
        """Where the table after the one at `place` is."""
        count = self._read(self._count, place)
        begin = place + struct.calcsize(self._order + self._count)
        step = struct.calcsize(self._order + self._entry)
        return self._read("Q" if self._large else "I", begin + count * step)

    def _walk_inner(self, place: int, depth: int) -> None:
        try:
            self.walk(place, depth)
        except (IndexError, OverflowError, struct.error):
            return

    def _read(self, kind: str, place: int) -> int:
        return struct.unpack_from(self._order + kind, self._data, place)[0]
