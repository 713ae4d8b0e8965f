"""CIFAR-10 in five minutes: the whole command from an empty cache, judged on 5,000 stratified validation images.

With `--test` the trained run then looks at the test part (`test --again --view flip`, which is not timed). The rules are
frozen by validation alone; every such look is counted in the user's ledger, and the count stands beside the figures. A
seed that is recorded is not looked at again.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path

import harness
from babysit.cli.train import seconds_of
from harness import Figures

WANTED = 0.84


def whole_command(data: Path, budget: str, seed: int, *, test: bool) -> Figures:
    """One training in a place of its own, measured from outside, and with `test` one look."""
    with tempfile.TemporaryDirectory(prefix="babysit-accuracy-") as place:
        cache, run = Path(place) / "cache", Path(place) / "run"
        arguments = ["train", str(data), "-o", str(run), "--budget", budget, "--seed", str(seed), "--json"]
        finished = harness.command(harness.babysit(*arguments), cache=cache)
        looked = _look(run, cache) if test else {}
        recipe = harness.resolved_recipe(run)
    result = json.loads(finished.stdout)
    return {
        "validation_accuracy": result["validation"]["accuracy"],
        "validation_images": result["validation"]["count"],
        # Two names from when these were two benches, so that what is recorded stays comparable.
        "seconds_of_training" if test else "seconds": finished.seconds,
        "deviation": finished.seconds / seconds_of(budget) - 1,
        "peak_bytes": finished.peak_bytes,
        "images_per_second": result["images_per_second"],
        "epochs": result["epochs"],
        "steps": result["steps"],
        "corrections": len(recipe["train"].get("corrections", [])),
        "precision": recipe["train"]["precision"],
        **looked,
    }


def _look(run: Path, cache: Path) -> Figures:
    """One look at the test images, with the flipped view and without."""
    words = ("test", str(run), "--again", "--view", "flip", "--json", "--quiet")
    looked = harness.command(harness.babysit(*words), cache=cache)
    test = json.loads(looked.stdout)
    return {
        "test_accuracy_flip": test["accuracy"],
        "test_accuracy_plain": test["plain"]["accuracy"],
        "test_images": test["count"],
        "looks": test["looks"],
        "error_of_calibration_before": test["calibration"]["error_before"],
        "error_of_calibration_after": test["calibration"]["error_after"],
        "temperature": test["calibration"]["temperature"],
        "seconds_of_test": looked.seconds,
    }


def main() -> None:
    """Measures seed after seed."""
    parser = harness.parser(__doc__ or "", repeats=3)
    harness.add_data(parser)
    parser.add_argument("--budget", default="5m")
    parser.add_argument("--test", action="store_true", help="look at the test part too")
    options = parser.parse_args()
    data = harness.found_data(options.data)
    settings: Figures = {"data": data.name, "budget": options.budget}
    arms = {"babysit": lambda seed: whole_command(data, options.budget, seed, test=options.test)}
    name = "test_accuracy" if options.test else "accuracy_in_time"
    records = harness.measure(name, arms, range(options.repeats), settings=settings, again=options.again)
    print("\n" + harness.summary(records))
    figures = [record["figures"] for record in records]
    if options.test:
        flips = [one["test_accuracy_flip"] for one in figures]
        print(f"median of {len(flips)} seeds with the flipped view {statistics.median(flips):.4f}, wanted {WANTED}")
    if deviations := [abs(one["deviation"]) for one in figures if "deviation" in one]:
        print(f"largest deviation from the budget {max(deviations):.1%}", end="; ")
    print(f"largest peak memory {max(one['peak_bytes'] for one in figures) / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
