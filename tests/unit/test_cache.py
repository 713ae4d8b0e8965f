"""The decoded cache: harmed and mended, shared by processes, bounded, on disks that are full or read-only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from babysit.data import blocks as blocking
from babysit.data import storage
from babysit.data.cache import Cache, open_cache
from babysit.data.sources import open_source
from babysit.data.storage import bytes_of, list_kept
from babysit.errors import UserError


def opened(folder: Path, size: int = 12) -> Cache:
    return open_cache(open_source(str(folder)), size, "pad", progress=lambda count: None)


def all_rows(cache: Cache) -> np.ndarray:
    return np.arange(len(cache.hashes))


@pytest.fixture
def small_blocks(monkeypatch) -> int:
    """Blocks of two rows of 12 x 12 pixels."""
    monkeypatch.setattr(blocking, "BLOCK_BYTES", 2 * 12 * 12 * 3 + 5)
    return 2 * 12 * 12 * 3


@pytest.fixture
def folder(tmp_path: Path, make_folder) -> Path:
    return make_folder(tmp_path / "d", {"a": 4, "b": 5})


def flip_bit(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(bytes(data))


# ---------------------------------------------------------------- rot


@pytest.mark.parametrize("place", [0, 431, 432, 863, 864, 9 * 432 - 1])
def test_one_wrong_bit_is_mended_from_the_source(folder: Path, small_blocks: int, place: int) -> None:
    first = opened(folder)
    before, path = np.array(first.pixels), first.path
    flip_bit(path / "pixels.u8", place)
    again = opened(folder)
    assert not again.built and (np.array(again.pixels) != before).sum() == 1
    again.check(all_rows(again))
    assert (np.array(again.pixels) == before).all(), "the mapping shows what was mended"
    assert (np.fromfile(path / "pixels.u8", np.uint8) == before.ravel()).all(), "and so does the file"


def test_only_blocks_that_are_touched_are_compared(folder: Path, small_blocks: int) -> None:
    path = opened(folder).path
    flip_bit(path / "pixels.u8", 5)
    again = opened(folder)
    again.check(np.array([4, 8, 5]))
    assert again.blocks and again.blocks.checked.tolist() == [False, False, True, False, True]
    again.check(np.array([1]))
    assert again.blocks.checked.tolist() == [True, False, True, False, True]


def test_a_block_is_compared_once(folder: Path, small_blocks: int) -> None:
    path = opened(folder).path
    again = opened(folder)
    again.check(all_rows(again))
    (path / "pixels.u8").unlink()
    again.check(all_rows(again))


def test_what_was_just_built_is_not_read_again(folder: Path) -> None:
    cache = opened(folder)
    assert cache.blocks and cache.blocks.checked.all()


def test_a_source_that_changed_cannot_mend(folder: Path, picture, small_blocks: int) -> None:
    catalog = open_source(str(folder))
    path = open_cache(catalog, 12, "pad", progress=lambda count: None).path
    flip_bit(path / "pixels.u8", 3 * 432)
    again = open_cache(catalog, 12, "pad", progress=lambda count: None)
    (folder / "a" / "003.png").write_bytes(picture(0, 77))
    with pytest.raises(UserError, match=r"cannot be mended: a/003\.png has changed"):
        again.check(all_rows(again))
    (folder / "a" / "003.png").unlink()
    with pytest.raises(UserError, match=r"a/003\.png cannot be read any more \(No such file"):
        again.check(all_rows(again))


def test_a_source_that_changes_while_training_does_not_matter(folder: Path) -> None:
    opened(folder)
    cache = opened(folder)
    before = np.array(cache.pixels)
    for file in folder.rglob("*.png"):
        file.write_bytes(b"something else")
    cache.check(all_rows(cache))
    assert (np.array(cache.pixels) == before).all()


def test_another_decoder_cannot_mend(folder: Path, small_blocks: int, monkeypatch) -> None:
    path = opened(folder).path
    flip_bit(path / "pixels.u8", 0)
    again = opened(folder)
    monkeypatch.setattr("babysit.data.cache.decode_whole", lambda *words: type("Other", (), {"pixels": 7}))
    with pytest.raises(UserError, match=f"decode to other pixels now.*--clear {path.name[:12]}"):
        again.check(all_rows(again))


def test_a_cache_removed_by_hand_while_in_use_is_said(folder: Path) -> None:
    path = opened(folder).path
    cache = opened(folder)
    (path / "pixels.u8").unlink()
    with pytest.raises(UserError, match="removed while it was in use"):
        cache.check(all_rows(cache))


@pytest.mark.parametrize("name", ["facts.npy", "hashes.txt", "unreadable.json", "blocks.npy"])
def test_a_wrong_bit_in_a_small_file_builds_the_cache_again(folder: Path, name: str) -> None:
    (folder / "a" / "words.png").write_text("words", encoding="utf-8")
    first = opened(folder)
    flip_bit(first.path / name, (first.path / name).stat().st_size - 2)
    again = opened(folder)
    assert again.built and again.hashes == first.hashes and again.unreadable == first.unreadable
    assert (again.facts == first.facts).all() and (np.array(again.pixels) == np.array(first.pixels)).all()


def test_every_block_has_its_checksum_whatever_the_tasks(folder: Path, small_blocks: int, monkeypatch) -> None:
    import zlib

    monkeypatch.setattr("babysit.data.cache.MOST_IN_TASK", 3)
    cache = opened(folder)
    data = (cache.path / "pixels.u8").read_bytes()
    assert cache.blocks
    assert cache.blocks.sums.tolist() == [
        zlib.crc32(data[start : start + small_blocks]) for start in range(0, len(data), small_blocks)
    ]


# ---------------------------------------------------------------- files that come and go


@pytest.mark.parametrize("change", ["gone", "a folder now", "other bytes", "cut short"])
def test_a_file_that_changes_after_listing_is_unreadable_or_what_it_is_now(folder: Path, picture, change: str) -> None:
    catalog = open_source(str(folder))
    file = folder / "a" / "002.png"
    data = file.read_bytes()
    file.unlink()
    if change == "a folder now":
        file.mkdir()
    elif change == "other bytes":
        file.write_bytes(picture(0, 50))
    elif change == "cut short":
        file.write_bytes(data[:-60])
    cache = open_cache(catalog, 12, "pad", progress=lambda count: None)
    reasons = {"gone": "No such file", "a folder now": "Is a directory", "cut short": "cut short"}
    if change == "other bytes":
        assert not cache.unreadable
        assert (cache.pixels[2] == open_cache(open_source(str(folder)), 12, "pad", progress=print).pixels[2]).all()
    else:
        assert set(cache.unreadable) == {2} and reasons[change] in cache.unreadable[2]
        assert not cache.usable[2] and cache.facts[2]["width"] == 0


def test_a_file_that_can_be_read_again_is_decoded_then(folder: Path) -> None:
    catalog = open_source(str(folder))
    hidden, file = folder / "a" / "hidden", folder / "a" / "002.png"
    file.rename(hidden)
    first = open_cache(catalog, 12, "pad", progress=lambda count: None)
    assert set(first.unreadable) == {2}
    assert not open_cache(catalog, 12, "pad", progress=lambda count: None).built, "it still cannot be read"
    hidden.rename(file)
    again = open_cache(catalog, 12, "pad", progress=lambda count: None)
    assert again.built and not again.unreadable


def test_names_that_are_no_text_can_be_unreadable(tmp_path: Path, folder: Path) -> None:
    name = os.fsencode(str(folder / "a")) + b"/\xff\xfe.png"
    with open(name, "wb") as stream:  # noqa: PTH123 - a name of bytes
        stream.write(b"nothing")
    cache = opened(folder)
    assert len(cache.unreadable) == 1 and not opened(folder).built


# ---------------------------------------------------------------- processes

BUILD = """
import sys, time
from babysit.data.cache import open_cache
from babysit.data.sources import open_source
catalog = open_source(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
cache = open_cache(catalog, 12, "pad", progress=lambda count: time.sleep(float(sys.argv[2])))
print(cache.path.name, cache.built, int(cache.pixels.sum()), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def start_builder(folder: Path) -> Iterator:
    """Starts processes that open the cache of `folder` when told to, and hold it until told to end."""
    started: list[subprocess.Popen[str]] = []

    def start(pause: float = 0.0) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", BUILD, str(folder), str(pause)]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout and process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def answer(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout
    return process.stdout.readline().split()


def test_two_processes_building_the_same_cache_do_not_disturb_each_other(
    folder: Path, start_builder, cache_home: Path
) -> None:
    one, other = start_builder(0.05), start_builder(0.03)
    go(one)
    go(other)
    first, second = answer(one), answer(other)
    assert first == second and first[1] == "True"
    cache = opened(folder)
    assert not cache.built and cache.path.name == first[0] and int(cache.pixels.sum()) == int(first[2])
    assert not list(cache_home.rglob("building-*")), "nothing is left over"


def test_a_living_build_is_left_alone_and_a_killed_one_swept(folder: Path, start_builder, cache_home: Path) -> None:
    building = start_builder(1.0)
    go(building)
    root = cache_home / "decoded"
    while not list(root.glob("building-*/pixels.u8")):
        time.sleep(0.01)
    storage.sweep(root)
    assert list(root.glob("building-*/pixels.u8")), "a living process's work is left to it"
    building.kill()
    building.wait()
    storage.sweep(root)
    assert not list(root.glob("building-*"))


def test_a_cache_in_use_by_another_process_is_never_removed(folder: Path, start_builder, cache_home: Path) -> None:
    user = start_builder()
    go(user)
    name = answer(user)[0]
    root = cache_home / "decoded"
    assert list_kept(root)[0].in_use and storage.shrink(root, 0) == [] and not storage.remove(root / name)
    user.kill()
    user.wait()
    assert not list_kept(root)[0].in_use
    assert [one.name for one in storage.shrink(root, 0)] == [name] and list_kept(root) == []
    assert not any((root / "stamps").iterdir()), "no stamp leads nowhere"


# ---------------------------------------------------------------- how much is kept


def three_caches(tmp_path: Path, make_folder) -> list[str]:
    """The names of three caches of at least 27 kB each, the one used longest ago first."""
    names = []
    for place, name in enumerate("xyz"):
        kept = opened(make_folder(tmp_path / name, {"a": 3 + place, "b": 5}), size=32)
        os.utime(kept.path / "meta.json", (1000 + place, 1000 + place))
        names.append(kept.path.name)
    return names


def test_the_longest_unused_goes_first(tmp_path: Path, make_folder, cache_home: Path) -> None:
    first, second, third = three_caches(tmp_path, make_folder)
    root = cache_home / "decoded"
    kept = list_kept(root)
    assert [one.name for one in kept] == [first, second, third]
    assert kept[0].source == str(tmp_path / "x") and (kept[0].images, kept[0].size, kept[0].resize) == (8, 32, "pad")
    opened(tmp_path / "x", size=32)  # used again
    removed = storage.shrink(root, sum(one.bytes for one in kept) - 1)
    assert [one.name for one in removed] == [second] and {one.name for one in list_kept(root)} == {first, third}


def test_a_new_cache_makes_room_for_itself(tmp_path: Path, make_folder, cache_home: Path, monkeypatch) -> None:
    names = three_caches(tmp_path, make_folder)
    root = cache_home / "decoded"
    monkeypatch.setenv("BABYSIT_CACHE_LIMIT", str(sum(one.bytes for one in list_kept(root)) + 1000))
    opened(make_folder(tmp_path / "new", {"a": 4, "b": 7}))
    assert names[0] not in {one.name for one in list_kept(root)} and len(list_kept(root)) == 3


def test_a_limit_that_is_no_size_is_said(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("BABYSIT_CACHE_LIMIT", "plenty")
    with pytest.raises(UserError, match="BABYSIT_CACHE_LIMIT: 'plenty' is not a size"):
        opened(folder)


@pytest.mark.parametrize("text", ["", "G", "-1", "1e9", "12X", "nan", "1 2"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is not a size"):
        bytes_of(text, "--limit")


def test_the_limit_without_a_wish_is_a_share_of_the_disk(cache_home: Path, monkeypatch) -> None:
    for free, limit in ((10**14, storage.LARGEST_LIMIT), (10**6, storage.SMALLEST_LIMIT), (10**11, 10**10)):
        monkeypatch.setattr(storage, "_free_bytes", lambda root, free=free: free)
        assert storage.limit_bytes(cache_home) == limit


def test_a_cache_of_another_format_is_listed_and_can_go(cache_home: Path) -> None:
    old = cache_home / "decoded" / ("0" * 32)
    old.mkdir(parents=True)
    (old / "pixels.u8").write_bytes(b"x" * 10)
    (entry,) = list_kept(cache_home / "decoded")
    assert (entry.source, entry.images, entry.in_use) == ("?", 0, False) and storage.remove(old) and not old.exists()


# ---------------------------------------------------------------- places that do not take it


def test_too_little_room_is_said_before_anything_is_decoded(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(storage, "_free_bytes", lambda root: 1000)
    with pytest.raises(UserError, match=r"disk is full: .* need 0\.0 MB.*BABYSIT_CACHE"):
        opened(folder)


def test_a_place_that_is_a_file_is_said(folder: Path, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    monkeypatch.setenv("BABYSIT_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="BABYSIT_CACHE"):
        opened(folder)


def test_no_home_is_said(folder: Path, monkeypatch) -> None:
    for name in ("BABYSIT_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda number: (_ for _ in ()).throw(KeyError(number)))
    with pytest.raises(UserError, match=r"no home folder.*BABYSIT_CACHE"):
        opened(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("no right to mount a disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk(folder: Path, small_disk: Path, monkeypatch) -> None:
    monkeypatch.setenv("BABYSIT_CACHE", str(small_disk))
    monkeypatch.setattr(storage, "_free_bytes", lambda root: 10**12)  # another process takes the room meanwhile
    with pytest.raises(UserError, match=r"disk is full: the decoded cache could not be written"):
        opened(folder, size=400)
    assert not [path for path in small_disk.rglob("*") if path.is_file()], "nothing is left in the way"
    monkeypatch.undo()
    monkeypatch.setenv("BABYSIT_CACHE", str(small_disk))
    with pytest.raises(UserError, match=r"disk is full: the decoded images need 4\.3 MB"):
        opened(folder, size=400)


def test_a_read_only_disk(folder: Path, small_disk: Path, make_folder, small_blocks: int, monkeypatch) -> None:
    monkeypatch.setenv("BABYSIT_CACHE", str(small_disk))
    monkeypatch.setenv("BABYSIT_CACHE_LIMIT", "1G")
    monkeypatch.setattr(storage, "SPARE_BYTES", 0)
    first = opened(folder)
    before, path = np.array(first.pixels), first.path
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    kept = opened(folder)
    kept.check(all_rows(kept))
    assert not kept.built and (np.array(kept.pixels) == before).all(), "what is there is used"
    with pytest.raises(UserError, match=r"could not be written \(Read-only file system\).*BABYSIT_CACHE"):
        opened(make_folder(folder.parent / "other", {"a": 3, "b": 3}))
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    flip_bit(path / "pixels.u8", 0)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    again = opened(folder)
    with pytest.raises(UserError, match=r"cannot be mended where it is.*BABYSIT_CACHE"):
        again.check(all_rows(again))


# ---------------------------------------------------------------- larger than memory

READ_ALL = """
import resource, sys
import numpy as np
from babysit.data.augment import Augmentation, cut, draw_views
from babysit.data.cache import open_cache
from babysit.data.catalog import Item, catalog_of
from babysit.data.statistics import channel_moments

names = {f"{row % 2}/{row:04d}": row for row in range(1500)}
image = lambda name: np.full((2, 2, 3), names[name] % 251, np.uint8)
catalog = catalog_of("test", [Item(name, name[0], "", "1") for name in names], image)
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + 150 * 2**20, -1))
rows = np.arange(1500)
for turn in range(2):
    cache = open_cache(catalog, 320, "pad", progress=lambda count: None)
    assert cache.pixels.nbytes > 430 * 2**20 and cache.built == (turn == 0)
    cache.check(rows)
    means, _ = channel_moments(cache.pixels, rows)
    total = 0
    for start in range(0, 1500, 64):
        part = rows[start : start + 64]
        views = draw_views(Augmentation(crop=8, flip="random"), part, seed=0, epoch=0, centre=16)
        total += int(cut(cache.pixels, part, views, 288)[:, 144, 144].sum())
print(means[0], total)
"""


def test_a_cache_is_built_and_read_in_less_memory_than_it_has(cache_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_cache_larger_than_the_memory_can_be_mapped(folder: Path) -> None:
    """A private mapping that can be written is refused by Linux when it is larger than memory and swap together."""
    cache = opened(folder)
    flags = [line.split()[1] for line in Path("/proc/self/maps").read_text().splitlines() if str(cache.path) in line]
    assert flags == ["r--s"]


def test_the_description_of_a_cache_is_plain(folder: Path) -> None:
    meta = json.loads((opened(folder).path / "meta.json").read_text(encoding="utf-8"))
    assert (meta["count"], meta["size"], meta["resize"], meta["source"]) == (9, 12, "pad", str(folder))


@pytest.mark.parametrize("size", [1, 7, 96, 300])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_normalising_is_float64_rounded_once(size: int, precision: str) -> None:
    import torch

    from babysit.data.batches import normalise
    from babysit.data.statistics import Statistics

    images = torch.from_numpy(np.random.default_rng(size).integers(0, 256, (5, size, size, 3), np.uint8))
    shift, scale = (120.3, 118.2, 110.1), (60.1, 59.3, 61.2)
    dtype = getattr(torch, precision)
    wide = images.double().sub(torch.tensor(shift).double()).div(torch.tensor(scale).double()).permute(0, 3, 1, 2)
    made = normalise(images, Statistics(shift, scale), dtype)
    assert made.dtype == dtype and made.is_contiguous(memory_format=torch.channels_last)
    tolerance = {"float32": 2**-22, "bfloat16": 2**-8}[precision]  # of one rounding, and of the shift's own in float32
    assert ((made.double() - wide).abs() <= tolerance * wide.abs() + 5e-7).all()
    alone = torch.cat([normalise(images[one : one + 1], Statistics(shift, scale), dtype) for one in range(5)])
    assert torch.equal(made, alone), "an image does not hang on the others in its batch"
