"""Listing a million 8x8 images that lie in one stored zip and are named by a CSV: babysit against the bare parts.

The bare parts are Python's own `zipfile` opening the zip and `csv` reading every row, with nothing checked or kept
but the rows.
"""

from __future__ import annotations

import json
import shutil
import struct
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np

import harness
from harness import Figures

COUNT = 1_000_000
LOCAL, ENTRY = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L")

OURS = "import sys; from babysit.data.sources import open_source; print(len(open_source(sys.argv[1] + '/list.csv')))"
BARE = (
    "import csv, sys, zipfile; archive = zipfile.ZipFile(sys.argv[1] + '/images.zip'); "
    "rows = list(csv.reader(open(sys.argv[1] + '/list.csv', newline=''))); print(len(rows) - 1)"
)


def png(pixels: np.ndarray) -> bytes:
    """A grey PNG, written by hand since a million of them are."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    height, width = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = struct.pack(">LLBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def generate(folder: Path, count: int) -> None:
    """Writes `images.zip` and `list.csv`. The list of members grows in a file, so that this process stays small."""
    generator = np.random.default_rng(0)
    with (
        (folder / "images.zip").open("wb") as archive,
        (folder / "list.csv").open("w", encoding="utf-8") as table,
        tempfile.TemporaryFile() as directory,
    ):
        table.write("path,label,part\n")
        for number in range(count):
            name = f"{number // 1000:04d}/{number:07d}.png"
            data, raw, offset = png(generator.integers(0, 256, (8, 8), dtype=np.uint8)), name.encode(), archive.tell()
            sizes = (zlib.crc32(data), len(data), len(data), len(raw))
            archive.write(LOCAL.pack(b"PK\3\4", 20, 0, 0, 0, 33, *sizes, 0) + raw + data)
            directory.write(
                ENTRY.pack(b"PK\1\2", 788, 20, 0, 0, 0, 33, *sizes, 0, 0, 0, 0, 0o100644 << 16, offset) + raw
            )
            table.write(
                f"images.zip/{name},class-{number % 10},{('train', 'train', 'val', 'test')[number // 10 % 4]}\n"
            )
        start, size = archive.tell(), directory.tell()
        directory.seek(0)
        shutil.copyfileobj(directory, archive)
        archive.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start))
        archive.write(struct.pack("<4sLQL", b"PK\6\7", 0, start + size, 1))
        archive.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))


def main() -> None:
    """Measures both in turn on the same files."""
    made = harness.parser(__doc__ or "", repeats=3)
    made.add_argument("--images", type=int, default=COUNT, help="so many images")
    options = made.parse_args()
    with tempfile.TemporaryDirectory(prefix="babysit-listing-") as place:
        generate(Path(place), options.images)

        def arm(code: str) -> Figures:
            finished = harness.command([sys.executable, "-c", code, place])
            return {
                "seconds": finished.seconds,
                "peak_bytes": finished.peak_bytes,
                "images": json.loads(finished.stdout),
            }

        arms = {"babysit": lambda _: arm(OURS), "bare": lambda _: arm(BARE)}
        settings = {"images": options.images}
        records = harness.measure("listing", arms, range(options.repeats), settings=settings, again=options.again)
    print("\n" + harness.summary(records, ratio="seconds"))


if __name__ == "__main__":
    main()
