"""CIFAR-10 in five minutes, on the test part: `train --budget 5m`, then `test --again --view flip`, which is not timed.

The rules are frozen by validation alone; every look that this bench takes at the test images is counted in the user's
ledger, and the count stands beside the figures. A seed that is recorded is not looked at again.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path

import harness
from harness import Figures

WANTED = 0.84


def trained_and_tested(data: Path, budget: str, seed: int) -> Figures:
    """One training from an empty cache, measured from outside, and one look."""
    with tempfile.TemporaryDirectory(prefix="babysit-test-accuracy-") as place:
        cache, run = Path(place) / "cache", Path(place) / "run"
        arguments = ["train", str(data), "-o", str(run), "--budget", budget, "--seed", str(seed), "--json"]
        finished = harness.command(harness.babysit(*arguments), cache=cache)
        looked = harness.command(
            harness.babysit("test", str(run), "--again", "--view", "flip", "--json", "--quiet"), cache=cache
        )
        recipe = harness.resolved_recipe(run)
    validation, test = json.loads(finished.stdout)["validation"], json.loads(looked.stdout)
    return {
        "test_accuracy_flip": test["accuracy"],
        "test_accuracy_plain": test["plain"]["accuracy"],
        "test_images": test["count"],
        "looks": test["looks"],
        "validation_accuracy": validation["accuracy"],
        "error_of_calibration_before": test["calibration"]["error_before"],
        "error_of_calibration_after": test["calibration"]["error_after"],
        "temperature": test["calibration"]["temperature"],
        "seconds_of_training": finished.seconds,
        "peak_bytes": finished.peak_bytes,
        "seconds_of_test": looked.seconds,
        "epochs": json.loads(finished.stdout)["epochs"],
        "precision": recipe["train"]["precision"],
    }


def main() -> None:
    """Measures seed after seed."""
    parser = harness.parser(__doc__ or "", repeats=3)
    harness.add_data(parser)
    parser.add_argument("--budget", default="5m")
    options = parser.parse_args()
    data = harness.found_data(options.data)
    settings: Figures = {"data": data.name, "budget": options.budget}
    arms = {"babysit": lambda seed: trained_and_tested(data, options.budget, seed)}
    records = harness.measure("test_accuracy", arms, range(options.repeats), settings=settings, again=options.again)
    print("\n" + harness.summary(records))
    flips = [record["figures"]["test_accuracy_flip"] for record in records]
    print(f"median of {len(flips)} seeds with the flipped view {statistics.median(flips):.4f}, wanted {WANTED}")


if __name__ == "__main__":
    main()
