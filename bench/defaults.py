"""Old against new defaults on the whole of CIFAR-10, paired by seed, at equal time: `train cifar10.zip --budget 5m` twice.

Whole commands in turn on a machine with nothing else to do. `old` is today's command with the settings that undo what
the ablation changed (`OLD`); the table of the ablation is in docs/log.md.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Iterable
from pathlib import Path

import harness
from ablation import interval
from harness import Arm, Figures

OLD: dict[str, object] = {"train.progressive": 1, "init.kind": "network", "optim.bias_rate": 1}
"""What the defaults were before, where they are others now."""

ARMS: dict[str, dict[str, object]] = {
    "new": {},
    "old": OLD,
    "muon 0.02": {"optim.kind": "muon", "optim.lr": 0.02},
}
"""What each command sets."""


def arm(changes: dict[str, object], data: Path, place: Path, budget: str) -> Arm:
    """The whole command with some settings, from a warm cache."""

    def run(seed: int) -> Figures:
        out = Path(tempfile.mkdtemp(dir=place)) / "run"
        settings = [word for name, value in changes.items() for word in ("--set", f"{name}={json.dumps(value)}")]
        words = ["train", str(data), "-o", str(out), "--budget", budget, "--seed", str(seed), "--json", "--quiet"]
        finished = harness.command(harness.babysit(*words, *settings), cache=place / "cache")
        result = json.loads(finished.stdout)
        return {
            "accuracy": result["validation"]["accuracy"],
            "loss": result["validation"]["loss"],
            "steps": result["steps"],
            "epochs": result["epochs"],
            "images_per_second": result["images_per_second"],
            "seconds": finished.seconds,
            "peak_bytes": finished.peak_bytes,
        }

    return run


def main() -> None:
    """Measures both in turn, and prints the mean paired difference with its interval."""
    parser = harness.parser(__doc__ or "", repeats=5)
    harness.add_data(parser)
    parser.add_argument("--budget", default="5m")
    parser.add_argument("--arms", nargs="+", choices=[*ARMS], default=["new", "old"], help="the first less each other")
    options = parser.parse_args()
    data = harness.found_data(options.data)
    settings: Figures = {
        "data": data.name,
        "budget": options.budget,
        "arms": json.dumps({name: ARMS[name] for name in options.arms}),
    }
    with tempfile.TemporaryDirectory(prefix="babysit-defaults-") as folder:
        place = Path(folder)
        # Untimed: the cache is there for both.
        once = ["train", str(data), "-o", str(place / "first"), "--set", "train.steps=1", "--quiet"]
        harness.command(harness.babysit(*once, "--set", "train.precision=float32"), cache=place / "cache")
        arms = {name: arm(ARMS[name], data, place, options.budget) for name in options.arms}
        records = harness.measure("defaults", arms, range(options.repeats), settings=settings, again=options.again)
    print("\n" + harness.summary(records, ratio="images_per_second"))
    by_seed = {(record["arm"], record["seed"]): record["figures"] for record in records}
    first, *others = options.arms
    for other in others:
        print(difference(by_seed, first, other, range(options.repeats)))


def difference(by_seed: dict[tuple[str, int], Figures], first: str, other: str, seeds: Iterable[int]) -> str:
    """The mean paired difference of two arms, in words."""
    both = [seed for seed in seeds if (first, seed) in by_seed and (other, seed) in by_seed]
    points = [100 * (float(by_seed[first, one]["accuracy"]) - float(by_seed[other, one]["accuracy"])) for one in both]
    if not points:
        return f"{first}, {other}: no pair"
    mean, length = statistics.mean(points), len(points)
    return f"{first} less {other}: {mean:+.2f} points, 95 % interval {interval(points)}, {length} pairs"


if __name__ == "__main__":
    main()
