"""Searching: four minutes on 10,000 CIFAR-10 images, from coarse to fine against random search and Optuna's TPE with pruning."""

from __future__ import annotations

import json
import math
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev

import harness
from harness import Figures

A_CLASS = 1000
PEER = Path(__file__).parent / "peers" / "plain_search.py"

STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""The 97.5 % quantile of Student's t for so many pairs (degrees of freedom one less)."""


def subset(data: Path, place: Path, a_class: int) -> Path:
    """The first images of each class of the training part, as a zip of class folders."""
    out = place / f"cifar10-{10 * a_class}.zip"
    taken: dict[str, int] = {}
    with zipfile.ZipFile(data) as whole, zipfile.ZipFile(out, "w") as few:
        for name in sorted(whole.namelist()):
            pieces = Path(name).parts
            if name.endswith("/") or len(pieces) < 2 or "test" in pieces:
                continue
            label = pieces[-2]
            if taken.get(label, 0) < a_class:
                taken[label] = taken.get(label, 0) + 1
                few.writestr(f"{label}/{pieces[-1]}", whole.read(name))
    return out


def ours(data: Path, cache: Path, budget: float, seed: int) -> Figures:
    """`babysit search` as it comes."""
    with tempfile.TemporaryDirectory(prefix="babysit-search-") as place:
        arguments = [
            "search",
            str(data),
            "-o",
            str(Path(place) / "study"),
            "--budget",
            f"{budget:g}s",
            "--seed",
            str(seed),
            "--json",
        ]
        finished = harness.command(harness.babysit(*arguments), cache=cache)
    result = json.loads(finished.stdout)
    winner, trials = result["winner"], result["trials"]
    return {
        "accuracy": winner["accuracy"],
        "mean_of_seeds": winner["mean"],
        "seeds": len(winner["seeds"]),
        "trials": len(trials),
        "quitted": sum(one["state"] == "quit" for one in trials),
        "steps": trials[0]["total"],
        "seconds": finished.seconds,
    }


def theirs(way: str, data: Path, cache: Path, budget: float, seed: int) -> Figures:
    """Random search or TPE, of trials of the same length."""
    arguments = [sys.executable, str(PEER), way, str(data), "--budget", f"{budget:g}", "--seed", str(seed)]
    finished = harness.command(arguments, cache=cache)
    result = json.loads(finished.stdout)
    return {**{name: result[name] for name in ("accuracy", "trials", "steps")}, "seconds": finished.seconds}


def difference(records: Sequence[harness.Record], first: str, second: str) -> str:
    """The mean difference of accuracy over pairs of the same seed, with its 95 % interval by Student's t."""
    of = {(one["arm"], one["seed"]): float(one["figures"]["accuracy"]) for one in records}
    seeds = sorted({seed for _, seed in of})
    gaps = [
        100 * (of[first, seed] - of[second, seed]) for seed in seeds if (first, seed) in of and (second, seed) in of
    ]
    if len(gaps) < 2:
        return f"{first} less {second}: {gaps[0]:+.2f} points, one pair" if gaps else f"{first} and {second}: no pair"
    half = STUDENT[min(len(gaps), max(STUDENT))] * stdev(gaps) / math.sqrt(len(gaps))
    mean = fmean(gaps)
    return f"{first} less {second}: {mean:+.2f} points (95 % interval {mean - half:+.2f} to {mean + half:+.2f}, {len(gaps)} pairs)"


def main() -> None:
    """Measures the arms in turn, seed after seed."""
    parser = harness.parser(__doc__ or "", repeats=5)
    harness.add_data(parser)
    parser.add_argument("--budget", type=float, default=240.0, help="seconds an arm")
    parser.add_argument("--a-class", type=int, default=A_CLASS, help="images of each class")
    parser.add_argument("--only", nargs="+", choices=["babysit", "random", "tpe"], help="measure some arms")
    options = parser.parse_args()
    data = harness.found_data(options.data)
    settings: Figures = {"data": data.name, "images": 10 * options.a_class, "budget": options.budget}
    with tempfile.TemporaryDirectory(prefix="babysit-search-bench-") as place:
        few, cache = subset(data, Path(place), options.a_class), Path(place) / "cache"
        harness.command(
            harness.babysit("train", str(few), "-o", str(Path(place) / "warm"), "--epochs", "1"), cache=cache
        )
        arms: dict[str, harness.Arm] = {
            "babysit": lambda seed: ours(few, cache, options.budget, seed),
            "random": lambda seed: theirs("random", few, cache, options.budget, seed),
            "tpe": lambda seed: theirs("tpe", few, cache, options.budget, seed),
        }
        chosen = {name: arm for name, arm in arms.items() if not options.only or name in options.only}
        records = harness.measure("search", chosen, range(options.repeats), settings=settings, again=options.again)
    print("\n" + harness.summary(records))
    for other in ("random", "tpe"):
        print(difference(records, "babysit", other))


if __name__ == "__main__":
    main()
