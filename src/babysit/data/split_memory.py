"""The memory of splits: which part each content hash got, so that a grown data set keeps the parts of its images.

    STATE/splits/<wish>-<images>.txt

A first line of JSON, then a line "hash part" per image, all of one length and sorted by hash: since hashes are
uniform, the head of a file is a random sample of its images, and any hash is found by bisection. So whether an
earlier split is one of these data is told from a few hundred lines. Files are written whole or not at all; only the
newest are kept. Nothing here makes a training fail: what cannot be read is not remembered, what cannot be written is
said.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit.data.catalog import PARTS
from babysit.places import state_home
from babysit.record import atomic

FORMAT = 1
MOST_FILES, MOST_BYTES = 64, 256 * 2**20
SAMPLED = 1024
ENOUGH = 0.5
"""The share of the images of either side that both must have for an earlier split to count as one of these data."""
HEX = 32
LINE = np.dtype([("hash", f"S{HEX}"), ("space", "S1"), ("part", "S5"), ("end", "S1")])
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Wish:
    """What a remembered split was asked to be: the seed, the shares (none: by rule), and the parts that are cut."""

    seed: int
    validation: float | None
    test: float | None
    cut: tuple[str, ...]

    def key(self) -> str:
        """A short name of it, the same for equal wishes."""
        text = json.dumps([FORMAT, self.seed, self.validation, self.test, self.cut])
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def recall(wish: Wish, contents: NDArray[np.bytes_]) -> NDArray[np.int8]:
    """The part that each image had in earlier splits of these data, as a place in PARTS, -1 for none; shape (n,).

    A split of exactly these images answers alone, so that a rerun is the same. Otherwise all splits that share at
    least half of their or of our images are asked, the newest first.

    Arguments:
        contents: content hashes of the images that are to be cut.
    """
    known = np.full(len(contents), UNKNOWN, np.int8)
    if not len(contents) or contents.dtype.itemsize > HEX:
        return known
    own = np.unique(contents.astype(f"S{HEX}"))
    exact = _place(wish, own)
    files = [exact] if exact.exists() else sorted(_files(wish), key=_age)
    answers = np.full(len(own), UNKNOWN, np.int8)
    for file in files:
        lines = _open(file)
        if lines is not None and (file == exact or _alike(lines, own)):
            unknown = np.flatnonzero(answers == UNKNOWN)
            answers[unknown] = _look_up(lines, own[unknown])
            if (answers != UNKNOWN).all():
                break
    known[:] = answers[np.searchsorted(own, contents.astype(f"S{HEX}"))]
    return known


def remember(wish: Wish, contents: NDArray[np.bytes_], parts: NDArray[np.int8]) -> str:
    """Keeps the part of each image for later splits.

    Returns:
        A sentence when that was not possible, else nothing.
    """
    if not len(contents) or contents.dtype.itemsize > HEX:
        return ""
    own, first = np.unique(contents.astype(f"S{HEX}"), return_index=True)
    lines = np.empty(len(own), LINE)
    names = np.array([name.ljust(LINE["part"].itemsize) for name in PARTS], LINE["part"])
    lines["hash"], lines["space"], lines["part"], lines["end"] = own, b" ", names[parts[first]], b"\n"
    head = {"format": FORMAT, "seed": wish.seed, "cut": wish.cut, "images": len(own)}
    place = _place(wish, own)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(place, f"{json.dumps(head)}\n".encode() + lines.tobytes())
        _prune(place)
    except OSError as error:
        return (
            f"the split could not be remembered in {place.parent} ({error.strerror}), so a grown data set may be cut "
            "otherwise; BABYSIT_STATE names another folder"
        )
    return ""


def _place(wish: Wish, own: NDArray[np.bytes_]) -> Path:
    images = hashlib.blake2b(own.tobytes(), digest_size=12).hexdigest()
    return state_home() / "splits" / f"{wish.key()}-{images}.txt"


def _files(wish: Wish) -> Iterator[Path]:
    with suppress(OSError):
        yield from (state_home() / "splits").glob(f"{wish.key()}-*.txt")


def _age(file: Path) -> tuple[float, str]:
    """Sorts the newest first; a file that another process has just removed comes last."""
    try:
        return -file.stat().st_mtime_ns, file.name
    except OSError:
        return 0.0, file.name


def _open(file: Path) -> NDArray[np.void] | None:
    """The lines of a file, mapped and not read; nothing when it is gone or not whole."""
    try:
        with file.open("rb") as stream:
            head = json.loads(stream.readline(4096))
            offset = stream.tell()
        count = int(head["images"])
        if head["format"] != FORMAT or count < 1 or file.stat().st_size != offset + count * LINE.itemsize:
            return None
        return np.memmap(file, LINE, "r", offset=offset, shape=(count,))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _alike(lines: NDArray[np.void], own: NDArray[np.bytes_]) -> bool:
    """Whether half of the file's images are ours, or half of ours are the file's, told from a sample of each."""
    theirs = np.ascontiguousarray(lines["hash"][:SAMPLED])
    place = np.minimum(np.searchsorted(own, theirs), len(own) - 1)
    if (own[place] == theirs).mean() >= ENOUGH:
        return True
    return bool((_look_up(lines, own[:SAMPLED]) != UNKNOWN).mean() >= ENOUGH)


def _look_up(lines: NDArray[np.void], wanted: NDArray[np.bytes_]) -> NDArray[np.int8]:
    """The part of each hash in the file, -1 where it has none."""
    if len(wanted) * 16 > len(lines):
        place = np.searchsorted(np.ascontiguousarray(lines["hash"]), wanted)
    else:
        place = _bisected(lines, wanted)
    found = lines[np.minimum(place, len(lines) - 1)]
    parts = np.full(len(wanted), UNKNOWN, np.int8)
    for number, name in enumerate(PARTS):
        parts[(found["hash"] == wanted) & (np.char.rstrip(found["part"]) == name.encode())] = number
    return parts


def _bisected(lines: NDArray[np.void], wanted: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """`searchsorted` that reads only the lines it meets, for a few hashes in a large file."""
    low, high = np.zeros(len(wanted), np.int64), np.full(len(wanted), len(lines), np.int64)
    while (open_ := low < high).any():
        middle = np.minimum((low + high) // 2, len(lines) - 1)
        before = open_ & (lines["hash"][middle] < wanted)
        low, high = np.where(before, middle + 1, low), np.where(open_ & ~before, middle, high)
    return low


def _prune(newest: Path) -> None:
    """Removes the oldest files beyond what may be kept; the one just written stays."""
    total = 0
    for number, file in enumerate(sorted(newest.parent.glob("*.txt"), key=_age)):
        with suppress(OSError):
            total += file.stat().st_size
            if file != newest and (number >= MOST_FILES or total > MOST_BYTES):
                file.unlink()
