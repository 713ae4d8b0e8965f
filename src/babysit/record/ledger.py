"""The ledger of looks at test images: kept with the user, not with the run, and keyed by what the images contain.

    STATE/looks.jsonl       a line per look, checksummed, only ever appended
    STATE/sets/<key>.bin    the content hashes of the images that were looked at, 16 bytes each, sorted
    STATE/pictures/<key>.<other key>.bin    the hashes of their decoded pixels, alike

A look at images counts for every later set that shares 1 % of its images, whatever run, seed, folder or file name it
comes with, and, as far as their pixels are known, in whatever lossless format they are written. The set is written before its line and the line before any figure is shown; a set whose line is lost still
counts as a look. A run keeps a copy of its looks, so that one carried to another machine brings them along.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import uuid
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from babysit.errors import UserError, writing
from babysit.metrics import optimism
from babysit.places import state_home
from babysit.record import atomic

FORMAT = 1
SAME = 0.01
"""Share of common images from which on two sets are one; of the smaller set, or of the present one in all that was seen."""

ID_IN_LINE = re.compile(rb'"id":"([0-9a-f]{32})"')
SET_IN_LINE = re.compile(rb'"images":"([0-9a-f]{32})"')
HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Look:
    """One evaluation on test images.

    `images` key of the set; `count` images in it; `accuracy` seen then; `view` how they were cut; `run` its folder;
    `date` in UTC. A look whose line was harmed has only its key.
    """

    id: str
    images: str
    count: int = 0
    date: str = ""
    run: str = ""
    step: int = 0
    view: str = ""
    accuracy: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The look as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Looks:
    """All looks that count for one set of images, oldest first; `harmed` lines that could not be told from looks."""

    looks: tuple[Look, ...]
    harmed: int = 0

    def __len__(self) -> int:
        return len(self.looks)


def new_look(hashes: Sequence[str], *, run: Path, step: int, view: str, accuracy: float) -> Look:
    """A look made now."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    content = _packed(hashes)
    return Look(uuid.uuid4().hex, _key(content), len(content), now, str(run.resolve()), step, view, accuracy)


def looks_at(hashes: Sequence[str], copy: Path | None = None, pictures: Sequence[str] = ()) -> Looks:
    """The looks that count for these images.

    Arguments:
        hashes: content hashes, 32 hexadecimal digits each.
        copy: a run's own copy, whose looks count for the run's images even when the ledger has lost them.
        pictures: hashes of their pixels, alike, as far as they are known.
    """
    known, harmed = _read_lines(state_home() / "looks.jsonl")
    sets = _read_sets(state_home() / "sets")
    for key in sets.keys() - {look.images for look in known}:
        known.append(Look(f"set-{key}", key, len(sets[key])))
    counting = _overlapping(_packed(hashes), sets)
    counting |= _overlapping(_packed(pictures), _read_sets(state_home() / "pictures"))
    found = {look.id: look for look in known if look.images in counting}
    for look in _copied(copy):
        found.setdefault(look.id, look)
    for key in {look.images for look in found.values() if look.date}:
        found.pop(f"set-{key}", None)  # the run's copy knows the look whose line was lost
    return Looks(tuple(sorted(found.values(), key=lambda look: look.date)), harmed)


def check_first(looks: Looks, copy: Path) -> None:
    """Refuses a second look that was not asked for.

    Raises:
        UserError: saying when and with which run the images were looked at.
    """
    if not len(looks):
        return
    last = looks.looks[-1]
    when = f", last on {last.date[:10]} with the run {last.run}" if last.date else ""
    times = "once" if len(looks) == 1 else f"{len(looks)} times"
    raise UserError(
        f"these test images have been looked at {times} already{when}",
        where=str(copy.parent),
        hint="A further look makes their verdict weaker; --again takes it, and it is counted",
    )


def append(look: Look, hashes: Sequence[str], copy: Path, *, again: bool, pictures: Sequence[str] = ()) -> Looks:
    """Adds a look to the ledger and brings the run's copy up to date; safe with other processes.

    Arguments:
        copy: the run's own copy; what only it knows is added to the ledger.
        again: whether there may be looks before this one.
        pictures: hashes of the images' pixels.

    Returns:
        All looks that count for these images, this one included.

    Raises:
        UserError: when this is a second look and none was asked for, or the ledger cannot be written.
    """
    place = state_home()
    with writing(place, "the ledger of looks at the test part"), _locked(place):
        if not again:
            check_first(looks_at(hashes, copy, pictures), copy)
        _write_set(place / "sets", _packed(hashes))
        if pictures:
            _write_set(place / "pictures", _packed(pictures), of=f"{look.images}.")
        _append_lines(place / "looks.jsonl", [*_unknown(place, copy, look.images), look])
        now = looks_at(hashes, copy, pictures)
        write_copy(copy, now)
    return now


def recall(copy: Path, hashes: Callable[[], Sequence[str]]) -> None:
    """Adds the looks that only a run's copy remembers to the ledger, as when the state folder is another one now.

    Arguments:
        copy: that run's.
        hashes: of that run's test images; asked only when they are needed.

    Raises:
        UserError: when the ledger cannot be written.
    """
    place = state_home()
    if not _unknown(place, copy, "") or not len(content := _packed(hashes())):
        return
    with writing(place, "the ledger of looks at the test part"), _locked(place):
        _write_set(place / "sets", content)
        _append_lines(place / "looks.jsonl", _unknown(place, copy, _key(content)))


def _unknown(place: Path, copy: Path, images: str) -> list[Look]:
    """The looks of a run's copy that the ledger has no line of, as looks at a set of these images."""
    known, _ = _read_lines(place / "looks.jsonl")
    ids = {one.id for one in known}
    return [replace(one, images=images) for one in _copied(copy) if one.id not in ids]


def write_copy(path: Path, looks: Looks) -> None:
    """A run's copy of the looks that count for its test images."""
    value = {"format": FORMAT, "looks": [look.as_json() for look in looks.looks], "what_it_means": meaning(looks)}
    atomic.write_json(path, value)


def meaning(looks: Looks) -> str:
    """What that many looks do to the estimate, in a sentence or two."""
    count = len(looks)
    doubt = (
        f" Besides, {looks.harmed} harmed line(s) of the ledger may be looks at these images." if looks.harmed else ""
    )
    if count == 0:
        return "The test images have not been looked at." + doubt
    if count == 1:
        return (
            "This is the first look at these test images: nothing was chosen by them, so the accuracy leans to neither "
            "side. Every further look is counted." + doubt
        )
    seen = [look for look in looks.looks if look.accuracy is not None and look.count]
    by_chance = ""
    if seen:
        last = seen[-1]
        assert last.accuracy is not None
        points = 100 * optimism(last.accuracy, last.count, count)
        by_chance = f": keeping the best of {count} equally good networks would show about {points:.1f} points too much by chance alone"
    return (
        f"These test images have been looked at {count} times. Whatever was changed or chosen after an earlier look was "
        f"chosen by them too, so the accuracy leans to the good side{by_chance}. Only new images give a fresh estimate."
        + doubt
    )


def _packed(hashes: Sequence[str]) -> NDArray[np.uint64]:
    """The distinct hashes, sorted. Shape: (n, 2), the two halves of each."""
    if not hashes:
        return np.zeros((0, 2), np.uint64)
    raw = np.frombuffer(bytes.fromhex("".join(hashes)), ">u8").reshape(-1, 2)
    return np.unique(raw.astype(np.uint64), axis=0)


def _key(content: NDArray[np.uint64]) -> str:
    return hashlib.blake2b(content.astype(">u8").tobytes(), digest_size=HASH_BYTES).hexdigest()


def _overlapping(content: NDArray[np.uint64], sets: dict[str, NDArray[np.uint64]]) -> set[str]:
    """The keys of the sets that count as these images."""
    # 64 of the 128 bits tell apart what lies in one ledger; memberships are exact, nothing is sampled.
    mine = content[:, 0]
    seen = np.zeros(len(mine), bool)
    common: dict[str, int] = {}
    for key, other in sets.items():
        both = np.isin(mine, other[:, 0])
        common[key] = int(both.sum())
        seen |= both
    # Many looks at a few images each are a look at all of them.
    together = seen.sum() >= SAME * len(mine)
    return {
        key for key, count in common.items() if count and (together or count >= SAME * min(len(mine), len(sets[key])))
    }


def _write_set(folder: Path, content: NDArray[np.uint64], of: str = "") -> None:
    path = folder / f"{of}{_key(content)}.bin"
    if not path.exists() or path.stat().st_size != content.size * 8:
        folder.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(path, content.astype(">u8").tobytes())


def _read_sets(folder: Path) -> dict[str, NDArray[np.uint64]]:
    """Every set, by its key. A harmed one keeps those of its hashes that are whole: it still tells what was looked at."""
    sets: dict[str, NDArray[np.uint64]] = {}
    for path in folder.glob("*.bin"):
        data = path.read_bytes()
        whole = np.frombuffer(data[: len(data) // HASH_BYTES * HASH_BYTES], ">u8").astype(np.uint64).reshape(-1, 2)
        key = path.name.split(".")[0]
        # One set of files may have been decoded in several ways.
        sets[key] = np.unique(np.concatenate([sets[key], whole]), axis=0) if key in sets else whole
    return sets


def _append_lines(path: Path, looks: Sequence[Look]) -> None:
    data = b""
    for look in looks:
        body = json.dumps({"format": FORMAT, **look.as_json()}, separators=(",", ":"))
        data += f'{body[:-1]},"crc":"{zlib.crc32(body.encode()):08x}"}}\n'.encode()
    with path.open("a+b") as stream:
        stream.seek(0, os.SEEK_END)
        if stream.tell():
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                data = b"\n" + data  # a line cut short must not swallow this one
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    atomic.sync_directory(path.parent)


def _read_lines(path: Path) -> tuple[list[Look], int]:
    """The looks, and how many lines tell nothing any more. A harmed line that still names its set is a look at it."""
    looks, harmed = [], 0
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        if not line.strip():
            continue
        look = _look_of(line)
        if look is None:
            look = _salvaged(line)
        if look is None:
            harmed += 1
        else:
            looks.append(look)
    return looks, harmed


def _salvaged(line: bytes) -> Look | None:
    images, identity = SET_IN_LINE.search(line), ID_IN_LINE.search(line)
    if not images:
        return None
    return Look(identity[1].decode() if identity else f"harmed-{zlib.crc32(line):08x}", images[1].decode())


def _look_of(line: bytes) -> Look | None:
    head, mark, tail = line.rpartition(b',"crc":"')
    if not mark or f"{zlib.crc32(head + b'}'):08x}".encode() != tail[:8]:
        return None
    return _from_json(json.loads(head + b"}"))


def _from_json(value: dict[str, Any]) -> Look:
    return Look(**{name: value[name] for name in Look.__dataclass_fields__ if name in value})


def _copied(path: Path | None) -> list[Look]:
    if path is None or not path.exists():
        return []
    try:
        return [_from_json(one) for one in json.loads(path.read_text(encoding="utf-8"))["looks"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # the copy is a help, not the ledger


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    with (place / ".lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
