"""The decoded cache: every image once, as uint8, memory-mapped, found again by its content.

    CACHE/decoded/<content key>/pixels.u8 blocks.npy facts.npy hashes.txt unreadable.json meta.json

A cache is built in a folder of its own and renamed into place when it is whole, so an interrupted build leaves
nothing that could be taken for one, and two processes building the same one do not disturb each other. `meta.json`
has the digests of the other small files, `blocks.npy` the checksums of the pixels.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit.data import storage
from babysit.data.blocks import Blocks, Checksums, rows_in_block
from babysit.data.catalog import Catalog, Encoded
from babysit.data.decode import VERSION, Gate, Resize, UnreadableImage, decode_whole, quiet_decoding
from babysit.data.mapped import mapped
from babysit.data.storage import usable_cores
from babysit.errors import UserError, writing

UNREAD = "-"
"""Stands for the content hash of a file whose bytes could not even be read."""

SMALL_FILES = ("blocks.npy", "facts.npy", "hashes.txt", "unreadable.json")
TASK_BYTES, MOST_IN_TASK = 2**20, 256
"""A task of a decoding thread: images of about this many bytes on their canvases, and at most this many."""

BRIEF = 300e-6
"""Seconds: images that take less are decoded in one thread. Threads would wait for each other, for the interpreter's lock
is released and taken with every one: twice as slow on 32 pixels, measured (docs/log.md)."""

Done = tuple[NDArray[np.uint8], list[tuple[str, str]]]
"""Pixels of a task's images, and the content hash of each with why it could not be read, if so."""

MODES = ("other", "L", "RGB", "RGBA", "P", "LA", "CMYK", "1", "I;16", "I", "F", "PA", "YCbCr", "LAB", "HSV", "I;16B")
FACTS = np.dtype([("width", "<u4"), ("height", "<u4"), ("bytes", "<u8"), ("mode", "u1"), ("frames", "<u2")])
"""What is known of each image before it was put on its canvas: size in pixels, size of the file (or of the pixels,
where there is no file), its mode as a place in MODES, and how many frames it has. All zero for an unreadable one."""


@dataclass(frozen=True)
class Cache:
    """Decoded images of one source at one size.

    Row i is image i of the catalog. `pixels` uint8, shape (n, size, size, 3), read-only, mapped: `check(rows)` before
    reading them; `facts` of type FACTS, shape (n,); `hashes` content hash of each row's file; `unreadable` row ->
    reason; `built` whether this call built it; `blocks` guards the pixels; `lock` keeps others from removing them;
    `excluded` rows that a list of exclusions leaves out.
    """

    path: Path
    pixels: NDArray[np.uint8]
    facts: NDArray[np.void]
    hashes: tuple[str, ...]
    unreadable: dict[int, str]
    built: bool
    blocks: Blocks | None = field(default=None, repr=False)
    lock: storage.Lock | None = field(default=None, repr=False)
    excluded: tuple[int, ...] = ()

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Which rows hold an image that is not excluded, shape (n,)."""
        usable = np.ones(len(self.hashes), bool)
        usable[[*self.unreadable, *self.excluded]] = False
        return usable

    @property
    def size_bytes(self) -> int:
        """Bytes on the disk, for the user."""
        return sum(file.stat().st_size for file in self.path.iterdir())

    def check(self, rows: NDArray[np.int64]) -> None:
        """Makes sure that the pixels of these rows are those that were decoded; mends them when they are not.

        Raises:
            UserError: when they cannot be mended.
        """
        if self.blocks:
            self.blocks.check(rows)


def content_hash(data: Encoded) -> str:
    """128 bits of BLAKE2b over a file's bytes, or over the shape and the pixels of an array, in hexadecimal."""
    if isinstance(data, np.ndarray):
        return hashlib.blake2b(f"{data.shape}".encode() + data.tobytes(), digest_size=16).hexdigest()
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def open_cache(catalog: Catalog, size: int, resize: Resize, *, progress: Callable[[int], None]) -> Cache:
    """The decoded images of a catalog, built on first use.

    Arguments:
        size: side of the canvas in pixels.
        progress: called with the number of images decoded since the last call.

    Raises:
        UserError: when the cache's place is full or cannot be written.
    """
    root = storage.decoded_home()
    stamp = root / "stamps" / _stamp_key(catalog, size, resize)
    try:
        found = root / stamp.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        found = None
    if found and (kept := _open_kept(found, catalog, size, resize)):
        storage.mark_used(found)
        return kept
    with writing(root, "the decoded cache"):
        stamp.parent.mkdir(parents=True, exist_ok=True)
        storage.sweep(root)
        storage.make_room(root, len(catalog) * size * size * 3)
        with storage.building(root) as (folder, lock):
            hashes = _build(folder, catalog, size, resize, progress)
            path = root / _content_key(hashes, size, resize)
            ours = _publish(folder, path, len(catalog), size)
            lock.share()
            kept = _open_kept(path, catalog, size, resize)
        _write_stamp(stamp, path)
    if kept is None:  # another process removed it in this moment, or the disk gives back other bytes than were written
        raise UserError("the decoded cache was harmed while it was made", where=str(path), hint="Run the command again")
    if kept.blocks and ours:
        kept.blocks.checked[:] = True  # these bytes were in our hands a moment ago
    return replace(kept, built=True)


def _build(
    folder: Path, catalog: Catalog, size: int, resize: Resize, progress: Callable[[int], None]
) -> tuple[str, ...]:
    """Reads, hashes and decodes every image once, in threads, writing rows in order; returns the hashes."""
    hashes: list[str] = []
    unreadable: dict[int, str] = {}
    facts = np.zeros(len(catalog), FACTS)
    checksums = Checksums(rows_in_block(size * size * 3) * size * size * 3)
    enormous = threading.Lock()

    def work(rows: range) -> Done:
        pixels = np.zeros((len(rows), size, size, 3), np.uint8)
        return pixels, [
            _read_one(catalog, row, pixels[place], facts, resize, enormous) for place, row in enumerate(rows)
        ]

    with (folder / "pixels.u8").open("wb") as stream, quiet_decoding():
        for pixels, found in _in_threads(work, _tasks(len(catalog), size, usable_cores())):
            for content, reason in found:
                if reason:
                    unreadable[len(hashes)] = _printable(reason)
                hashes.append(content)
            stream.write(pixels.data)
            checksums.add(pixels.data.cast("B"))
            progress(len(found))
    about = {"source": _printable(_place(catalog)), "count": len(hashes), "size": size, "resize": resize}
    _write_small(folder, checksums.finished(), facts, hashes, unreadable, about)
    return tuple(hashes)


def _tasks(count: int, size: int, workers: int) -> list[range]:
    """All rows in order, in tasks small enough that the threads end at about the same time."""
    length = max(1, min(TASK_BYTES // (size * size * 3), MOST_IN_TASK, count // (32 * workers)))
    return [range(start, min(start + length, count)) for start in range(0, count, length)]


def _read_one(
    catalog: Catalog, index: int, row: NDArray[np.uint8], facts: NDArray[np.void], resize: Resize, enormous: Gate
) -> tuple[str, str]:
    """Decodes one image into its row and its facts; returns its content hash and why it could not be used, if so."""
    try:
        data = catalog.read(index)
    except OSError as error:
        return UNREAD, error.strerror or str(error)
    try:
        decoded = decode_whole(data, row.shape[0], resize, enormous=enormous)
    except UnreadableImage as error:
        return content_hash(data), str(error)
    row[...] = decoded.pixels
    mode = MODES.index(decoded.mode) if decoded.mode in MODES else 0
    size = data.nbytes if isinstance(data, np.ndarray) else len(data)
    facts[index] = decoded.width, decoded.height, size, mode, min(decoded.frames, 65535)
    return content_hash(data), ""


def _in_threads(work: Callable[[range], Done], tasks: Sequence[range]) -> Iterator[Done]:
    """The work on all tasks, in order: in a thread a core, or in a single one where images take less than `BRIEF`."""
    first, second, rest = tasks[:1], tasks[1:2], tasks[2:]
    yield from map(work, first)  # warms up
    begun = time.perf_counter()
    done = [work(rows) for rows in second]
    brief = time.perf_counter() - begun < BRIEF * sum(map(len, second))
    yield from done
    workers = 1 if brief else usable_cores()
    with ThreadPoolExecutor(workers) as pool:
        yield from _bounded_map(pool, work, rest, ahead=4 * workers)


def _bounded_map(
    pool: ThreadPoolExecutor, work: Callable[[range], Done], tasks: Iterable[range], *, ahead: int
) -> Iterator[Done]:
    """`pool.map` that keeps at most `ahead` results waiting, so memory stays bounded."""
    waiting: deque[Future[Done]] = deque()
    for task in tasks:
        waiting.append(pool.submit(work, task))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _write_small(
    folder: Path,
    checksums: NDArray[np.uint32],
    facts: NDArray[np.void],
    hashes: list[str],
    unreadable: dict[int, str],
    about: dict[str, object],
) -> None:
    reasons = {str(row): reason for row, reason in unreadable.items()}
    small = {
        "blocks.npy": _array_bytes(checksums),
        "facts.npy": _array_bytes(facts),
        "hashes.txt": "\n".join(hashes).encode(),
        "unreadable.json": json.dumps(reasons, indent=1, ensure_ascii=False).encode(),
    }
    # No fsync, of the pixels neither: what a power cut takes is found by the checksums and decoded again.
    for name, data in small.items():
        (folder / name).write_bytes(data)
    digests = {name: content_hash(data) for name, data in small.items()}
    meta = json.dumps({"version": VERSION, **about, "digests": digests}, indent=1)
    (folder / "meta.json").write_text(meta, encoding="utf-8")


def _write_stamp(stamp: Path, path: Path) -> None:
    """Notes which cache the source's names and times lead to; a stamp that a power cut empties leads nowhere."""
    temporary = stamp.with_name(f"{stamp.name}.{os.getpid()}")
    temporary.write_text(path.name, encoding="utf-8")
    temporary.replace(stamp)


def _publish(building: Path, path: Path, count: int, size: int) -> bool:
    """Gives the whole cache its name; returns False when another process has published the same content first."""
    while True:
        try:
            building.replace(path)
        except OSError:
            if not path.is_dir():
                raise
        else:
            return True
        if _read_whole(path, count, size):
            return False
        storage.discard(path)


def _read_whole(path: Path, count: int, size: int) -> dict[str, bytes] | None:
    """The small files, if all are there as they were written and the pixels have their full length."""
    try:
        digests = json.loads((path / "meta.json").read_text(encoding="utf-8"))["digests"]
        small = {name: (path / name).read_bytes() for name in SMALL_FILES}
        if any(content_hash(data) != digests[name] for name, data in small.items()):
            return None
        return small if (path / "pixels.u8").stat().st_size == count * size * size * 3 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _open_kept(path: Path, catalog: Catalog, size: int, resize: Resize) -> Cache | None:
    """A cache that is there whole, held from now on so that nobody removes it."""
    try:
        lock = storage.Lock(path, fcntl.LOCK_SH)
    except OSError:
        return None
    small = _read_whole(path, len(catalog), size) if lock.still_at(path) else None
    if small is None:
        lock.release()
        return None
    hashes = tuple(small["hashes.txt"].decode().split("\n"))
    if _readable_now(catalog, hashes):
        lock.release()
        return None
    unreadable = {int(row): reason for row, reason in json.loads(small["unreadable.json"]).items()}
    facts, sums = (np.load(io.BytesIO(small[name]), allow_pickle=False) for name in ("facts.npy", "blocks.npy"))
    pixels = mapped(path / "pixels.u8", (len(catalog), size, size, 3))
    again = partial(_decode_again, catalog, hashes, unreadable, size, resize)
    blocks = Blocks(path / "pixels.u8", size * size * 3, sums, again, np.zeros(len(sums), bool))
    return Cache(path, pixels, facts, hashes, unreadable, False, blocks, lock)


def _readable_now(catalog: Catalog, hashes: tuple[str, ...]) -> bool:
    """Whether a file that could not be read when the cache was built can be read now: it was locked, or a disk away."""
    for row, content in enumerate(hashes):
        if content == UNREAD:
            try:
                catalog.read(row)
            except OSError:
                continue
            return True
    return False


def _decode_again(
    catalog: Catalog, hashes: tuple[str, ...], unreadable: dict[int, str], size: int, resize: Resize, rows: range
) -> NDArray[np.uint8]:
    """The pixels of some rows, decoded anew from files that must not have changed."""
    pixels = np.zeros((len(rows), size, size, 3), np.uint8)
    with quiet_decoding():
        for place, row in enumerate(rows):
            if row in unreadable:
                continue
            try:
                data = catalog.read(row)
            except OSError as error:
                raise _lost(catalog, row, f"cannot be read any more ({error.strerror or error})") from error
            if content_hash(data) != hashes[row]:
                raise _lost(catalog, row, "has changed since it was decoded")
            # It was readable: if it is not now, the decoder has changed, and the checksum will say so.
            with suppress(UnreadableImage):
                pixels[place] = decode_whole(data, size, resize).pixels
    return pixels


def _lost(catalog: Catalog, row: int, why: str) -> UserError:
    return UserError(
        f"the decoded cache is harmed and cannot be mended: {_printable(catalog.names[row])} {why}",
        where=_printable(catalog.source),
        hint="Put the file back, or start a new run on the images as they are now: they are then decoded anew",
    )


def _array_bytes(array: NDArray[np.generic]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def _printable(text: str) -> str:
    """The text with what is no character (a file name's stray bytes) replaced, so that it can be written as UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _place(catalog: Catalog) -> str:
    place = Path(catalog.source)
    return str(place.resolve()) if place.exists() else catalog.source


def _stamp_key(catalog: Catalog, size: int, resize: Resize) -> str:
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{VERSION}/{_place(catalog)}/{size}/{resize}".encode("utf-8", "surrogateescape"))
    for name, stamp in zip(catalog.names, catalog.stamps, strict=True):
        digest.update(f"\0{name}\0{stamp}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _content_key(hashes: tuple[str, ...], size: int, resize: Resize) -> str:
    digest = hashlib.blake2b(f"{VERSION}/{size}/{resize}/".encode(), digest_size=16)
    digest.update("\n".join(hashes).encode())
    return digest.hexdigest()
