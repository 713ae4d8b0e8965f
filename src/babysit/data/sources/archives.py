"""What zip and tar share: the bounds a hostile file meets, the names a member may have, and reading in place."""

from __future__ import annotations

import errno
import os
import re
import stat
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from babysit.data.catalog import Catalog, catalog_of, is_image_name, items_from_names
from babysit.errors import UserError
from babysit.show import plural

MOST_MEMBERS = 4_000_000
"""Members of an archive: three times ImageNet's training images. Listing costs about 300 bytes of memory for each."""

MOST_DIRECTORY_BYTES = 512 * 2**20
"""A zip's list of members, which is read as a whole: 128 bytes for each of MOST_MEMBERS."""

MOST_MEMBER_BYTES = 256 * 2**20
"""One unpacked image: as large as the most pixels decoded, without any compression. A larger one is unreadable."""

MOST_TOTAL_BYTES = 2**41
"""All members unpacked: 2 TiB, more than the whole ImageNet. Nothing is unpacked to a disk but a compressed tar."""

MOST_SPOOLED_BYTES = 2**38
"""A compressed tar unpacked: 256 GiB, ImageNet's training part with room. It lies on the disk while it is used."""

MOST_RATIO = 200
"""Unpacked over packed, all in all. Images are compressed already (ratio about 1; bare bitmaps of drawings reach 100)."""

RATIO_FREE_BYTES = 2**28
"""Up to this unpacked size the ratio does not count: what small it could do to a machine is small."""

MOST_NAME_BYTES = 4096
"""A member's path: as long as a path can be on Linux."""


@dataclass(frozen=True)
class Archive:
    """The regular files of an archive.

    `places` name -> its number, in the archive's order; `stamp(name)` changes when the file does; `read(name)` the
    file's bytes, from any thread, OSError for what cannot be read; `notes` sentences for the user.
    """

    source: str
    places: Mapping[str, int] = field(repr=False)
    stamp: Callable[[str], str] = field(repr=False)
    read: Callable[[str], bytes] = field(repr=False)
    notes: tuple[str, ...] = ()


@dataclass
class Bounds:
    """Adds members up as they are listed, and refuses what no honest archive is.

    `kind` "zip" or "tar", for messages; `packed` size of the file in bytes, or 0 where nothing is compressed.
    """

    source: str
    kind: str
    packed: int
    count: int = 0
    total: int = 0

    def add(self, size: int, count: int = 1) -> None:
        """Counts one member, or several, of `size` bytes unpacked.

        Raises:
            UserError: when there are too many, they are too large, or they would grow too much.
        """
        self.count += count
        self.total += size
        if self.count > MOST_MEMBERS:
            raise refusal(self.source, f"the {self.kind} lists more than {MOST_MEMBERS:,} members")
        if self.total > MOST_TOTAL_BYTES:
            raise refusal(self.source, f"the {self.kind} would unpack to more than {MOST_TOTAL_BYTES / 2**40:g} TiB")
        check_ratio(self.source, self.kind, self.packed, self.total)


def refusal(source: str, what: str) -> UserError:
    """The error for an archive that is broken or hostile."""
    hint = "Such a file is broken or hostile; nothing was read from it. Make it again from a plain folder"
    return UserError(what, where=source, hint=hint)


def check_ratio(source: str, kind: str, packed: int, unpacked: int) -> None:
    """Refuses what grows more than images can.

    Arguments:
        packed: bytes of the file, 0 where nothing is compressed.

    Raises:
        UserError: when it is a bomb.
    """
    if packed and unpacked > max(RATIO_FREE_BYTES, MOST_RATIO * packed):
        grown = f"{packed:,} bytes to more than {unpacked / 2**20:,.0f} MiB"
        raise refusal(source, f"the {kind} would grow from {grown}, over {MOST_RATIO} times its size")


def member_name(source: str, kind: str, name: str) -> str:
    """A member's path with forward slashes and nothing superfluous in it; empty for the root itself.

    Raises:
        UserError: when it leads out of the root, or is no name a file could have.
    """
    if len(name) > MOST_NAME_BYTES or "\0" in name:
        shown = name[:60].replace("\0", "\\0")
        raise refusal(source, f"the {kind} has a member with an impossible name ({len(name)} characters: {shown!r})")
    pieces = name.replace("\\", "/").split("/")
    if (pieces[0] == "" and name) or ".." in pieces or re.match("[A-Za-z]:", name):
        raise refusal(source, f"the {kind} has a path outside its root: {name!r}")
    return "/".join(piece for piece in pieces if piece not in ("", "."))


def link_target(source: str, kind: str, name: str, target: str) -> str:
    """Where a symbolic link in an archive leads, as a member's path.

    Raises:
        UserError: when it leads out of the root.
    """
    trail = [] if target.startswith(("/", "\\")) else name.split("/")[:-1]
    outside = target.startswith(("/", "\\")) or bool(re.match("[A-Za-z]:", target))
    for piece in target.replace("\\", "/").split("/"):
        if piece == "..":
            outside = outside or not trail
            trail = trail[:-1]
        elif piece not in ("", "."):
            trail.append(piece)
    if outside:
        raise refusal(source, f"the {kind} has a link out of its root: {name!r} -> {target!r}")
    return "/".join(trail)


def follow_links(kind: str, places: dict[str, int], links: Mapping[str, str]) -> tuple[str, ...]:
    """Gives each link the place of the file it leads to, and says how many lead to none.

    Arguments:
        places: name -> place of the regular files; the links are added to it.
        links: name -> the name it leads to.
    """
    found = {name: places[target] for name, target in links.items() if target in places}
    places.update(found)
    lost = len(links) - len(found)
    leads = "leads" if lost == 1 else "lead"
    return (f"left out: {plural(lost, 'link')} in the {kind} that {leads} to no file",) if lost else ()


class Handle:
    """A file open for reading at places, from any thread; closed when nobody holds it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        weakref.finalize(self, os.close, descriptor)

    @classmethod
    def of(cls, path: str | Path) -> Handle:
        """Opens a file."""
        return cls(os.open(Path(path).expanduser(), os.O_RDONLY))

    def read(self, offset: int, size: int) -> bytes:
        """Bytes at a place; fewer at the end of the file.

        Raises:
            OSError: when the disk does not give them.
        """
        data = os.pread(self.descriptor, size, offset)
        while 0 < len(data) < size:  # one call gives at most two gigabytes, and may be interrupted
            more = os.pread(self.descriptor, size - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data


def read_file(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        OSError: when it cannot be read, is too large, or is no file but a device or pipe.
    """
    # Without waiting: a pipe put where a file was would hold the program for ever.
    handle = Handle(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    mode = os.fstat(handle.descriptor).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError("it is no regular file")
    check_member_size(handle.size)
    return handle.read(0, handle.size)


def check_member_size(size: int) -> None:
    """Refuses to read one file that no image is as large as.

    Raises:
        OSError: when it is too large.
    """
    if size > MOST_MEMBER_BYTES:
        raise OSError(f"it is {size / 2**20:.0f} MB large; at most {MOST_MEMBER_BYTES // 2**20} MB are read")


def lies_flat(archive: Archive) -> bool:
    """Whether all images are in one folder, so that folders cannot tell their classes."""
    return len({name.rpartition("/")[0] for name in archive.places if is_image_name(name)}) == 1


def catalog_of_folders(archive: Archive) -> Catalog:
    """The catalog of an archive of class folders.

    Raises:
        UserError: when there are no classes in it.
    """
    items, notes = items_from_names(archive.source, [(name, archive.stamp(name)) for name in archive.places])
    return catalog_of(archive.source, items, archive.read, notes=[*archive.notes, *notes])
