"""Training on images that do not fit into memory, against the same training where they do.

Photographs are cut into small JPEG files whose decoded images are larger than the memory that the second arm may use
(a memory cgroup of the kernel's, pages of files included). Both arms run the whole command from decoded images; the
limited one begins with none of them in memory. What counts is images/s in steps; that images were really dropped and
read again is shown by `read_gigabytes`, what the process read from the disk.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import harness
from harness import Figures

PHOTOS = Path("../shared/data/photos.zip")
GROUPS = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
SIDE, CLASSES = 144, 8


def write_crops(place: Path, data: Path, count: int) -> None:
    """Class folders of JPEG files, SIDE pixels a side, cut out of the photographs at random places and scales."""
    with zipfile.ZipFile(data) as archive:
        names = sorted(name for name in archive.namelist() if not name.endswith("/"))
        photos = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]
    random = np.random.default_rng(0)
    for number in range(count):
        photo = photos[number % len(photos)]
        side = int(random.uniform(0.3, 0.9) * min(photo.size))
        left, top = (int(random.integers(length - side + 1)) for length in photo.size)
        folder = place / f"class-{number % len(photos) % CLASSES}"
        folder.mkdir(parents=True, exist_ok=True)
        crop = photo.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
        crop.save(folder / f"{number:06d}.jpg", quality=85)


@contextmanager
def limited(megabytes: int) -> Iterator[Path | None]:
    """A memory cgroup with a limit, or None where there may be none."""
    for root in GROUPS:
        group = root / f"babysit-bench-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            for name in ("memory.max", "memory.limit_in_bytes"):
                if (group / name).exists():
                    (group / name).write_text(f"{megabytes * 2**20}")
                    yield group
                    return
        finally:
            group.rmdir()
    yield None


@dataclass(frozen=True)
class Work:
    """The crops, where they are decoded, and how a training is called."""

    source: Path
    cache: Path
    arguments: tuple[str, ...]

    def train(self, group: Path | None) -> Figures:
        """One training; in a memory cgroup, and with nothing of the images in memory, where one is given."""
        words = harness.babysit("train", str(self.source), "--json", *self.arguments)
        if group:
            drop(self.cache)
            enter = f"import os, sys; open({str(group / 'cgroup.procs')!r}, 'w').write(str(os.getpid())); os.execv(sys.argv[1], sys.argv[1:])"
            words = [sys.executable, "-c", enter, *words]
        with tempfile.TemporaryDirectory(prefix="babysit-memory-") as place:
            before = read_bytes(group)
            finished = harness.command([*words, "-o", f"{place}/run"], cache=self.cache)
            done = json.loads(finished.stdout)
            times = done["times"]
            steps = sum(times.get(name, 0.0) for name in ("batch", "forward", "backward", "update"))
            batch = int(harness.resolved_recipe(Path(place) / "run")["optim"]["batch_size"])
            return {
                "images_per_second_in_steps": done["steps"] * batch / steps,
                "batch_seconds": times["batch"],
                "seconds": finished.seconds,
                "read_gigabytes": (read_bytes(group) - before) / 1e9,
                "peak_gigabytes": finished.peak_bytes / 1e9,
            }

    def limited(self, megabytes: int) -> Figures:
        """The same under a limit."""
        with limited(megabytes) as group:
            assert group, "checked before"
            return self.train(group)


def drop(cache: Path) -> None:
    """Takes the decoded images out of the system's memory, as if the machine had just been started."""
    for file in cache.rglob("pixels.u8"):
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_bytes(group: Path | None) -> int:
    """Bytes that the processes of this machine have read from its disks; 0 without a group."""
    fields = (
        [line.split() for line in Path("/proc/diskstats").read_text(encoding="ascii").splitlines()] if group else []
    )
    return sum(512 * int(one[5]) for one in fields if not one[2][-1].isdigit())


def main() -> None:
    """Measures and prints the ratio."""
    parser: argparse.ArgumentParser = harness.parser(__doc__ or "", repeats=3)
    parser.add_argument("--data", type=Path, default=PHOTOS, help="zip of photographs; relative to the repository")
    parser.add_argument("--images", type=int, default=24_000, help="how many crops are made")
    parser.add_argument("--limit", type=int, default=1100, help="megabytes that the limited arm may use, all in all")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--place", type=Path, help="where crops and decoded images are kept, or were before")
    options = parser.parse_args()
    data = harness.found_data(options.data)
    with limited(options.limit) as group:
        if group is None:
            print("skipped: no memory cgroup can be made here (Linux, as root)")
            return
    with tempfile.TemporaryDirectory(prefix="babysit-crops-") as temporary:
        place = options.place or Path(temporary)
        source = place / f"crops-{options.images}"
        if not source.exists():
            write_crops(source, data, options.images)
        common = ("--size", "128", "--set", "train.threads=2", "--set", "optim.batch_size=64")
        work = Work(source, place / "cache", (*common, "--set", f"train.steps={options.steps}"))
        Work(source, work.cache, (*common, "--set", "train.steps=1")).train(None)
        pixels = sum(file.stat().st_size for file in work.cache.rglob("pixels.u8"))
        settings: Figures = {
            "images": options.images,
            "steps": options.steps,
            "limit_megabytes": options.limit,
            "decoded_megabytes": round(pixels / 2**20),
        }
        arms = {"limited": lambda _: work.limited(options.limit), "free": lambda _: work.train(None)}
        records = harness.measure("memory", arms, range(options.repeats), settings=settings, again=options.again)
        print(f"\n{harness.summary(records, ratio='images_per_second_in_steps')}")


if __name__ == "__main__":
    main()
