"""Where decoded images are kept, how much of them, and which go first.

    CACHE/decoded/<content key>/         a cache
    CACHE/decoded/stamps/<key>           a small file that leads from a source's names, sizes and times to it
    CACHE/decoded/building-*/            one that is being made

A process that makes or uses a cache holds a lock on its folder (`flock`), which the system takes back when the
process ends, however it ends. Only folders that nobody holds are removed.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from babysit.errors import UserError
from babysit.places import cache_home

SMALLEST_LIMIT, LARGEST_LIMIT = 2**30, 20 * 10**9
"""Bounds of the limit that is taken when none is given: a tenth of what the disk could give to the cache."""

SPARE_BYTES = 64 * 2**20
"""Left free on the disk for everybody else."""

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
SIZES = "a number of bytes with K, M, G or T behind it: 500M, 20G"
_KEY = re.compile(r"[0-9a-f]{32}")


def decoded_home() -> Path:
    """The folder of all caches."""
    return cache_home() / "decoded"


def bytes_of(text: str, where: str) -> int:
    """A size in bytes.

    >>> bytes_of("20G", "--limit"), bytes_of("1.5 MB", "--limit"), bytes_of("0", "--limit")
    (20000000000, 1500000, 0)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)B?\s*", text, re.IGNORECASE)
    if not found:
        raise UserError(f"'{text}' is not a size", where=where, legal=SIZES)
    return round(float(found[1]) * UNITS[found[2].upper()])


class Lock:
    """A folder held by this process until `release`, or until the process ends.

    Arguments:
        folder: must exist.
        kind: `fcntl.LOCK_SH` to use it (waits for one who removes it), `LOCK_EX | LOCK_NB` to have it alone.

    Raises:
        OSError: when the folder is not there; BlockingIOError when somebody else holds it.
    """

    def __init__(self, folder: Path, kind: int) -> None:
        self._handle: int | None = None  # for `release`, should the next line fail
        self._handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(self._handle, kind)
        except BlockingIOError:
            self.release()
            raise
        except OSError:
            # This file system has no locks: caches there are used without, and never removed by themselves.
            if kind != fcntl.LOCK_SH:
                self.release()
                raise

    def still_at(self, folder: Path) -> bool:
        """Whether the folder of that name is the one that is held."""
        try:
            return self._handle is not None and os.path.samestat(os.fstat(self._handle), folder.stat())
        except OSError:
            return False

    def share(self) -> None:
        """From having the folder alone to using it together with others."""
        assert self._handle is not None
        with suppress(OSError):  # a file system without locks
            fcntl.flock(self._handle, fcntl.LOCK_SH)

    def release(self) -> None:
        """Lets go of the folder."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    __del__ = release


@dataclass(frozen=True, slots=True)
class Kept:
    """One cache on the disk.

    `images` and `size` (side of the canvas in pixels) are 0 and `source` is "?" where its description cannot be
    read; `bytes` on the disk; `used` seconds since 1970; `in_use` by a living process.
    """

    name: str
    path: Path
    source: str
    images: int
    size: int
    resize: str
    bytes: int
    used: float
    in_use: bool

    def as_json(self) -> dict[str, object]:
        """The entry as plain JSON values."""
        values: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        return {**values, "path": str(self.path)}


@dataclass(frozen=True, slots=True)
class DecodedImages:
    """The decoded images on this machine: `kept`, the one used longest ago first, and what was `removed` just now."""

    path: Path
    limit_bytes: int
    kept: list[Kept]
    removed: list[Kept]

    def as_json(self) -> dict[str, object]:
        """The result as plain JSON values."""
        return {
            "path": str(self.path),
            "limit_bytes": self.limit_bytes,
            "total_bytes": sum(one.bytes for one in self.kept),
            "kept": [one.as_json() for one in self.kept],
            "removed": [one.as_json() for one in self.removed],
        }


def decoded_images(names: Sequence[str] = (), *, clear: bool = False, limit: str | None = None) -> DecodedImages:
    """Lists the decoded images that are kept, and removes them on demand; what a living process uses stays.

    Arguments:
        names: only those whose name begins so, or that are of this data; all when empty.
        clear: remove them.
        limit: remove the ones used longest ago until all together take at most this: 500M, 20G.

    Raises:
        UserError: when there are none of a name, or the limit is not a size.
    """
    root = decoded_home()
    most = bytes_of(limit, "--limit") if limit is not None else None
    chosen = named(root, names)
    removed = [one for one in chosen if clear and remove(one.path)]
    removed += shrink(root, most) if most is not None else []
    gone = {one.name for one in removed}
    kept = [one for one in chosen if one.name not in gone]
    return DecodedImages(root, limit_bytes(root), kept, removed)


def list_kept(root: Path) -> list[Kept]:
    """All caches, the one used longest ago first."""
    try:
        folders = [path for path in root.iterdir() if _KEY.fullmatch(path.name) and path.is_dir()]
    except OSError:
        return []
    kept = [one for one in map(_describe, folders) if one]
    return sorted(kept, key=lambda one: (one.used, one.name))


def named(root: Path, names: Sequence[str]) -> list[Kept]:
    """The caches whose name begins with one of `names`, or that are of the data at that path; all without names.

    Raises:
        UserError: when a name is nobody's.
    """
    kept = list_kept(root)
    if not names:
        return kept
    found = {}
    for name in names:
        own = [
            one
            for one in kept
            if (name and one.name.startswith(name)) or one.source in (name, str(Path(name).resolve()))
        ]
        if not own:
            known = ", ".join(dict.fromkeys(word for one in kept for word in (one.name[:12], one.source)))
            raise UserError(f"there are no decoded images of '{name}'", where=str(root), legal=known or "none are kept")
        found.update({one.name: one for one in own})
    return [one for one in kept if one.name in found]


def mark_used(path: Path) -> None:
    """Notes that a cache is being used now; on a disk that cannot be written it stays as it is."""
    try:
        os.utime(path / "meta.json")
    except OSError:
        return


def remove(path: Path) -> bool:
    """Removes a cache, unless a living process uses it.

    Returns:
        Whether it was removed.
    """
    try:
        lock = Lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    try:
        discard(path)
    except OSError:
        return False
    finally:
        lock.release()
    _remove_stamps(path.parent)
    return True


def discard(path: Path) -> None:
    """Removes a folder at once: its name goes first, so that nobody finds half of it. Who has it mapped keeps it."""
    gone = Path(tempfile.mkdtemp(prefix="building-gone-", dir=path.parent))
    path.replace(gone)
    shutil.rmtree(gone, ignore_errors=True)


def limit_bytes(root: Path) -> int:
    """How much all caches together may take: BABYSIT_CACHE_LIMIT.

    Without it a tenth of what the disk has free or the caches hold, at least 1 GiB and at most 20 GB.
    """
    if text := os.environ.get("BABYSIT_CACHE_LIMIT"):
        return bytes_of(text, "BABYSIT_CACHE_LIMIT")
    held = sum(one.bytes for one in list_kept(root))
    return max(SMALLEST_LIMIT, min(LARGEST_LIMIT, (held + _free_bytes(root)) // 10))


def shrink(root: Path, limit: int) -> list[Kept]:
    """Removes the caches used longest ago until the rest takes at most `limit` bytes; those in use stay.

    Returns:
        What was removed.
    """
    removed = []
    kept = list_kept(root)
    total = sum(one.bytes for one in kept)
    for one in kept:
        if total <= limit:
            break
        if not one.in_use and remove(one.path):
            removed.append(one)
            total -= one.bytes
    return removed


def make_room(root: Path, needed: int) -> None:
    """Removes old caches until a new one of `needed` bytes fits under the limit and on the disk.

    Raises:
        UserError: when it does not fit on the disk.
    """
    shrink(root, max(0, limit_bytes(root) - needed))
    if (short := needed + SPARE_BYTES - _free_bytes(root)) > 0:
        shrink(root, sum(one.bytes for one in list_kept(root)) - short)
    free = _free_bytes(root)
    if needed > free:
        raise UserError(
            f"the disk is full: the decoded images need {needed / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB are free",
            where=str(root),
            hint="Free some space, set BABYSIT_CACHE to a folder on a larger disk, or choose a smaller --size",
        )


@contextmanager
def building(root: Path) -> Iterator[tuple[Path, Lock]]:
    """A new folder to build a cache in, held by this process alone; removed at the end unless it got another name."""
    folder, lock = _begin(root)
    try:
        yield folder, lock
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def sweep(root: Path) -> None:
    """Removes what processes that no longer live had begun to build or to remove."""
    for folder in root.glob("building-*"):
        try:
            lock = Lock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _begin(root: Path) -> tuple[Path, Lock]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix="building-", dir=root))
        try:
            lock = Lock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (FileNotFoundError, BlockingIOError):
            continue  # swept between being made and being held
        except OSError:
            lock = Lock(folder, fcntl.LOCK_SH)
        if lock.still_at(folder):
            folder.chmod(0o755)  # mkdtemp keeps it to its maker; others of this machine may use the images
            return folder, lock
        lock.release()


def _describe(path: Path) -> Kept | None:
    try:
        size_bytes = sum(file.stat().st_blocks * 512 for file in path.iterdir())
        used = (path / "meta.json").stat().st_mtime if (path / "meta.json").exists() else 0.0
    except OSError:
        return None  # removed at this moment
    try:
        meta = json.loads((path / "meta.json").read_text(encoding="utf-8"))
        known = str(meta["source"]), int(meta["count"]), int(meta["size"]), str(meta["resize"])
    except (OSError, ValueError, KeyError, TypeError):
        known = "?", 0, 0, "?"
    return Kept(path.name, path, *known, bytes=size_bytes, used=used, in_use=_is_held(path))


def _is_held(path: Path) -> bool:
    try:
        Lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB).release()
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _remove_stamps(root: Path) -> None:
    """Removes the stamps that lead nowhere any more."""
    for stamp in (root / "stamps").glob("*"):
        try:
            if not (root / stamp.read_text(encoding="utf-8")).is_dir():
                stamp.unlink(missing_ok=True)
        except (OSError, ValueError):
            continue


def usable_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _free_bytes(root: Path) -> int:
    place = root
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free
