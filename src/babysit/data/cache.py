"""The decoded cache: every image once, as uint8, memory-mapped, found again by its content.

    CACHE/decoded/stamps/<key of names, sizes, times>    -> the content key
    CACHE/decoded/<content key>/pixels.u8 facts.npy hashes.txt unreadable.json meta.json

A cache is built in a folder of its own and renamed into place when it is whole, so an interrupted build leaves
nothing that could be taken for one, and two processes building the same one do not disturb each other.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit.data.catalog import Catalog, Encoded
from babysit.data.decode import VERSION, Resize, UnreadableImage, decode_whole, quiet_decoding
from babysit.errors import writing
from babysit.places import cache_home
from babysit.record import atomic

UNREAD = "-"
"""Stands for the content hash of a file whose bytes could not even be read."""

CHUNK = 256

MODES = ("other", "L", "RGB", "RGBA", "P", "LA", "CMYK", "1", "I;16", "I", "F", "PA", "YCbCr", "LAB", "HSV", "I;16B")
FACTS = np.dtype([("width", "<u4"), ("height", "<u4"), ("bytes", "<u8"), ("mode", "u1"), ("frames", "<u2")])
"""What is known of each image before it was put on its canvas: size in pixels, size of the file (or of the pixels,
where there is no file), its mode as a place in MODES, and how many frames it has. All zero for an unreadable one."""


@dataclass(frozen=True)
class Cache:
    """Decoded images of one source at one size.

    Row i is image i of the catalog. `pixels` uint8, shape (n, size, size, 3); `facts` of type FACTS, shape (n,);
    `hashes` content hash of each row's file; `unreadable` row -> reason; `built` whether this call built it.
    """

    path: Path
    pixels: NDArray[np.uint8]
    facts: NDArray[np.void]
    hashes: tuple[str, ...]
    unreadable: dict[int, str]
    built: bool

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Which rows hold an image, shape (n,)."""
        usable = np.ones(len(self.hashes), bool)
        usable[list(self.unreadable)] = False
        return usable

    @property
    def size_bytes(self) -> int:
        """Bytes on the disk, for the user."""
        return sum(file.stat().st_size for file in self.path.iterdir())


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
    root = cache_home() / "decoded"
    stamp = root / "stamps" / _stamp_key(catalog, size, resize)
    found = _find(root, stamp, len(catalog), size)
    if found:
        return _load(found, len(catalog), size, built=False)
    with writing(root, "the decoded cache"):
        stamp.parent.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        building = root / f"building-{os.getpid()}-{stamp.name[:8]}"
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir()
        try:
            hashes, unreadable = _build(building, catalog, size, resize, progress)
            path = root / _content_key(hashes, size, resize)
            _publish(building, path, hashes, unreadable)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        atomic.write_text(stamp, path.name)
    return _load(path, len(catalog), size, built=True)


def _build(
    folder: Path, catalog: Catalog, size: int, resize: Resize, progress: Callable[[int], None]
) -> tuple[list[str], dict[int, str]]:
    """Reads, hashes and decodes every image once, in threads, writing rows in order."""
    hashes: list[str] = []
    unreadable: dict[int, str] = {}

    facts = np.zeros(len(catalog), FACTS)

    def one(chunk: range) -> tuple[NDArray[np.uint8], list[tuple[str, str]]]:
        pixels = np.zeros((len(chunk), size, size, 3), np.uint8)
        return pixels, [_read_one(catalog, index, pixels[row], facts, resize) for row, index in enumerate(chunk)]

    workers = os.cpu_count() or 1
    chunks = [range(start, min(start + CHUNK, len(catalog))) for start in range(0, len(catalog), CHUNK)]
    with (
        (folder / "pixels.u8").open("wb") as stream,
        ThreadPoolExecutor(workers) as pool,
        quiet_decoding(),
    ):
        for pixels, found in _bounded_map(pool, one, chunks, ahead=2 * workers):
            for content, reason in found:
                if reason:
                    unreadable[len(hashes)] = reason
                hashes.append(content)
            stream.write(pixels.data)
            progress(len(found))
        stream.flush()
        os.fsync(stream.fileno())
    np.save(folder / "facts.npy", facts)
    return hashes, unreadable


def _read_one(
    catalog: Catalog, index: int, row: NDArray[np.uint8], facts: NDArray[np.void], resize: Resize
) -> tuple[str, str]:
    """Decodes one image into its row and its facts; returns its content hash and why it could not be used, if so."""
    try:
        data = catalog.read(index)
    except OSError as error:
        return UNREAD, error.strerror or str(error)
    try:
        decoded = decode_whole(data, row.shape[0], resize)
    except UnreadableImage as error:
        return content_hash(data), str(error)
    row[...] = decoded.pixels
    mode = MODES.index(decoded.mode) if decoded.mode in MODES else 0
    size = data.nbytes if isinstance(data, np.ndarray) else len(data)
    facts[index] = decoded.width, decoded.height, size, mode, min(decoded.frames, 65535)
    return content_hash(data), ""


def _bounded_map(
    pool: ThreadPoolExecutor,
    work: Callable[[range], tuple[NDArray[np.uint8], list[tuple[str, str]]]],
    chunks: Iterable[range],
    *,
    ahead: int,
) -> Iterator[tuple[NDArray[np.uint8], list[tuple[str, str]]]]:
    """`pool.map` that keeps at most `ahead` results waiting, so memory stays bounded."""
    waiting = []
    for chunk in chunks:
        waiting.append(pool.submit(work, chunk))
        if len(waiting) >= ahead:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


def _publish(building: Path, path: Path, hashes: list[str], unreadable: dict[int, str]) -> None:
    atomic.write_text(building / "hashes.txt", "\n".join(hashes))
    atomic.write_json(building / "unreadable.json", {str(row): reason for row, reason in unreadable.items()})
    atomic.write_json(building / "meta.json", {"version": VERSION, "count": len(hashes)})
    try:
        building.replace(path)
    except OSError:
        if not path.is_dir():
            raise
        if _is_whole(path, (building / "pixels.u8").stat().st_size):
            shutil.rmtree(building)  # another process published the same content first
        else:
            shutil.rmtree(path)
            building.replace(path)
    atomic.sync_directory(path.parent)


def _find(root: Path, stamp: Path, count: int, size: int) -> Path | None:
    try:
        path = root / stamp.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    return path if _is_whole(path, count * size * size * 3) else None


def _is_whole(path: Path, size_bytes: int) -> bool:
    """Whether all files are there and the pixels have their full length."""
    try:
        rest = all((path / name).is_file() for name in ("facts.npy", "hashes.txt", "unreadable.json", "meta.json"))
        return rest and (path / "pixels.u8").stat().st_size == size_bytes
    except OSError:
        return False


def _load(path: Path, count: int, size: int, *, built: bool) -> Cache:
    # Copy-on-write: torch wants writable memory, and nothing can reach the file.
    pixels = np.memmap(path / "pixels.u8", np.uint8, "c", shape=(count, size, size, 3))
    hashes = tuple((path / "hashes.txt").read_text(encoding="utf-8").split("\n"))
    reasons = json.loads((path / "unreadable.json").read_text(encoding="utf-8"))
    facts = np.load(path / "facts.npy", allow_pickle=False)
    return Cache(path, pixels, facts, hashes, {int(row): reason for row, reason in reasons.items()}, built)


def _stamp_key(catalog: Catalog, size: int, resize: Resize) -> str:
    place = Path(catalog.source)
    source = str(place.resolve()) if place.exists() else catalog.source
    digest = hashlib.blake2b(f"{VERSION}/{source}/{size}/{resize}".encode(), digest_size=16)
    for name, stamp in zip(catalog.names, catalog.stamps, strict=True):
        digest.update(f"\0{name}\0{stamp}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _content_key(hashes: list[str], size: int, resize: Resize) -> str:
    digest = hashlib.blake2b(f"{VERSION}/{size}/{resize}/".encode(), digest_size=16)
    digest.update("\n".join(hashes).encode())
    return digest.hexdigest()


def _sweep(root: Path) -> None:
    """Removes what processes that no longer live had begun to build."""
    for folder in root.glob("building-*"):
        process = folder.name.split("-")[1]
        if not Path(f"/proc/{process}").exists() and Path("/proc").exists():
            shutil.rmtree(folder, ignore_errors=True)
