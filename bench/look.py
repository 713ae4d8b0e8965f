"""`babysit look` on 60,000 small images: seconds and peak memory of the whole command, duplicates included.

Arms: `cold` decodes first; `decoded` finds the images decoded but not yet compared; `again` finds both; `train` is the
time of the comparison within a training, as its own log of seconds gives it.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import harness
from harness import Figures


def looked(data: Path, cache: Path, place: Path) -> Figures:
    """The whole command."""
    arguments = harness.babysit("look", str(data), "-o", str(place / "look.html"), "--json", "--quiet")
    finished = harness.command(arguments, cache=cache)
    found = json.loads(finished.stdout)
    return {
        "seconds": finished.seconds,
        "peak_megabytes": finished.peak_bytes / 1e6,
        "images": found["images"],
        "near_pairs": found["totals"]["near"],
        "page_megabytes": (place / "look.html").stat().st_size / 1e6,
    }


def forget(cache: Path) -> None:
    """Removes what was found in the images, and leaves them decoded."""
    for kept in cache.rglob("audit-*.npz"):
        kept.unlink()


def main() -> None:
    """Measures all arms in turn."""
    parser = harness.parser(__doc__ or "", repeats=3)
    harness.add_data(parser)
    parser.add_argument("--only", nargs="+", choices=("cold", "decoded", "again", "train"))
    options = parser.parse_args()
    data = harness.found_data(options.data)
    with tempfile.TemporaryDirectory(prefix="babysit-look-") as folder:
        place = Path(folder)

        def cold(seed: int) -> Figures:
            return looked(data, place / f"cache-{seed}", place)

        def decoded(seed: int) -> Figures:
            if not (place / f"cache-{seed}").exists():
                cold(seed)
            forget(place / f"cache-{seed}")
            return looked(data, place / f"cache-{seed}", place)

        def again(seed: int) -> Figures:
            if not (place / f"cache-{seed}").exists():
                cold(seed)
            return looked(data, place / f"cache-{seed}", place)

        def train(seed: int) -> Figures:
            if not (place / f"cache-{seed}").exists():
                cold(seed)
            forget(place / f"cache-{seed}")
            steps = ["--set", "train.steps=1", "--set", "train.precision=float32", "--json", "--quiet"]
            arguments = harness.babysit("train", str(data), "-o", str(place / f"run-{seed}"), *steps)
            finished = harness.command(arguments, cache=place / f"cache-{seed}")
            return {"audit_seconds": json.loads(finished.stdout)["times"]["audit"]}

        arms = {"cold": cold, "decoded": decoded, "again": again, "train": train}
        arms = {name: arm for name, arm in arms.items() if name in (options.only or arms)}
        settings: Figures = {"data": data.name}
        records = harness.measure("look", arms, range(options.repeats), settings=settings, again=options.again)
    print("\n" + harness.summary(records))


if __name__ == "__main__":
    main()
