"""`predict` on 10,000 PNG files: against a plain PyTorch loop with Pillow, and against a DataLoader.

All three run the same trained network over the same files, in one process each, after the network is loaded; the plain
loop predicts one image at a time in float32, the DataLoader 256 at a time with two workers. babysit's arm is what the
command does: decoding, prediction, calibration, likeness, and a row for each image. Answers are compared.
"""

from __future__ import annotations

import json
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import harness
from harness import Figures

PEER = harness.ROOT / "bench" / "peers" / "plain_predict.py"


@dataclass
class Workplace:
    """The unpacked files and the trained run, made once."""

    place: Path
    data: Path
    images: int

    @property
    def run(self) -> Path:
        """The trained run: one short epoch is enough to have a network."""
        return self.place / "run"

    def prepare(self) -> None:
        """Unpacks the test part's files and trains."""
        with zipfile.ZipFile(self.data) as archive:
            names = sorted(name for name in archive.namelist() if name.startswith("test/") and name[-1] != "/")
            wanted = min(self.images, len(names))
            archive.extractall(self.place / "files", [names[at * len(names) // wanted] for at in range(wanted)])
        words = ["train", str(self.data), "-o", str(self.run), "--set", "train.steps=100", "--quiet"]
        harness.command(harness.babysit(*words), cache=self.place / "cache")

    def arm(self, way: str) -> Figures:
        """One way of predicting all files, in a process of its own that measures itself after loading."""
        words = [sys.executable, str(PEER), way, str(self.run), str(self.place / "files")]
        return json.loads(harness.command(words).stdout)


def main() -> None:
    """Measures the three in turn and prints the ratios."""
    parser = harness.parser(__doc__ or "", repeats=3)
    harness.add_data(parser)
    parser.add_argument("--images", type=int, default=10_000, help="how many files")
    options = parser.parse_args()
    data = harness.found_data(options.data)
    settings: Figures = {"data": data.name, "images": options.images}
    with tempfile.TemporaryDirectory(prefix="babysit-predict-") as place:
        work = Workplace(Path(place), data, options.images)
        work.prepare()
        arms = {way: lambda _seed, way=way: work.arm(way) for way in ("babysit", "one", "loader")}
        records = harness.measure("predict", arms, range(options.repeats), settings=settings, again=options.again)
    print("\n" + harness.summary(records, ratio="images_per_second"))


if __name__ == "__main__":
    main()
