"""CIFAR-10 in five minutes: the whole command from an empty cache, judged on 5,000 stratified validation images."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import harness
from babysit.cli.train import seconds_of
from harness import Figures


def whole_command(data: Path, budget: str, seed: int) -> Figures:
    """One training in a place of its own, measured from outside."""
    with tempfile.TemporaryDirectory(prefix="babysit-accuracy-") as place:
        cache, run = Path(place) / "cache", Path(place) / "run"
        arguments = ["train", str(data), "-o", str(run), "--budget", budget, "--seed", str(seed), "--json"]
        finished = harness.command(harness.babysit(*arguments), cache=cache)
        recipe = harness.resolved_recipe(run)
    result = json.loads(finished.stdout)
    asked = seconds_of(budget)
    return {
        "validation_accuracy": result["validation"]["accuracy"],
        "validation_images": result["validation"]["count"],
        "seconds": finished.seconds,
        "deviation": finished.seconds / asked - 1,
        "peak_bytes": finished.peak_bytes,
        "images_per_second": result["images_per_second"],
        "epochs": result["epochs"],
        "steps": result["steps"],
        "corrections": len(recipe["train"].get("corrections", [])),
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
    arms = {"babysit": lambda seed: whole_command(data, options.budget, seed)}
    records = harness.measure("accuracy_in_time", arms, range(options.repeats), settings=settings, again=options.again)
    print("\n" + harness.summary(records))
    worst = max(abs(record["figures"]["deviation"]) for record in records)
    peak = max(record["figures"]["peak_bytes"] for record in records)
    print(f"largest deviation from the budget {worst:.1%}; largest peak memory {peak / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
