"""Planted wrong labels: a share of CIFAR-10's training part is flipped, and `babysit suspects` has to find it again.

Uniform flips: each planted image gets one of the other classes with equal probability, through `--relabel`. The folds
are trained out of sample and their list is taken from its surest end until the wished recall is reached. A stopped
bench goes on where it was, within a fold too: the folds stay in RUNS until they are removed.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import harness
from harness import Figures

RECALL = 0.6


@dataclass(frozen=True)
class Planted:
    """The images whose label was flipped: path -> (true class, planted class)."""

    flips: dict[str, tuple[str, str]]

    def as_csv(self) -> str:
        """A list for `train --relabel`."""
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(("path", "label"))
        rows.writerows((path, wrong) for path, (_, wrong) in self.flips.items())
        return text.getvalue()


def plant(data: Path, share: float, seed: int) -> Planted:
    """Draws the images and their wrong classes.

    Arguments:
        share: of the training part, 0 to 1.
    """
    with zipfile.ZipFile(data) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("train/") and name[-1] != "/")
    classes = sorted({name.split("/")[1] for name in names})
    draw = np.random.default_rng(seed)
    chosen = np.sort(draw.choice(len(names), round(share * len(names)), replace=False))
    shifts = draw.integers(1, len(classes), len(chosen))
    flips = {}
    for place, shift in zip(chosen.tolist(), shifts.tolist(), strict=True):
        true = names[place].split("/")[1]
        flips[names[place]] = true, classes[(classes.index(true) + shift) % len(classes)]
    return Planted(flips)


def judge(planted: Planted, listed: list[dict[str, str]]) -> Figures:
    """What the list is worth, read from its surest end.

    Arguments:
        listed: the suspects in their order, each with its `path` and the class `suggested`.
    """
    hits = np.array([one["path"] in planted.flips for one in listed], bool)
    found = np.cumsum(hits)
    wanted = int(np.ceil(RECALL * len(planted.flips)))
    reached = np.flatnonzero(found >= wanted)
    length = int(reached[0]) + 1 if len(reached) else 0
    corrected = sum(planted.flips[one["path"]][0] == one["suggested"] for one in listed if one["path"] in planted.flips)
    return {
        f"precision_at_recall_{RECALL}": wanted / length if length else 0.0,
        "planted": len(planted.flips),
        "suspects": len(listed),
        "recall_of_all": float(hits.sum() / len(planted.flips)),
        "precision_of_all": float(hits.mean()) if len(hits) else 0.0,
        "suggestions_right": corrected / max(1, int(hits.sum())),
    }


def search(data: Path, runs: Path, length: list[str], *, share: float, folds: int, seed: int) -> Figures:
    """Plants, trains what is not trained yet, and judges."""
    planted = plant(data, share, seed)
    place = runs / f"seed-{seed}"
    place.mkdir(parents=True, exist_ok=True)
    (place / "planted.csv").write_text(planted.as_csv(), encoding="utf-8")
    words = ["train", str(data), "-o", str(place / "folds"), "--resume", "--relabel", str(place / "planted.csv")]
    words += ["--folds", str(folds), "--seed", str(seed), "--quiet", *length]
    harness.command(harness.babysit(*words))
    begun = time.perf_counter()
    said = harness.command(harness.babysit("suspects", str(place / "folds"), "--json")).stdout
    seconds = time.perf_counter() - begun
    trained = json.loads((place / "folds" / "folds.json").read_text(encoding="utf-8"))
    return {
        **judge(planted, json.loads(said)["suspects"]),
        "accuracy_on_given_labels": trained["pooled"]["accuracy"],
        "judged": trained["pooled"]["count"],
        "seconds_of_training": sum(one["seconds"] for one in trained["folds"]),
        "seconds_of_suspects": seconds,
    }


def main() -> None:
    """Measures seed after seed."""
    parser = harness.parser(__doc__ or "", repeats=1)
    harness.add_data(parser)
    parser.add_argument("--share", type=float, default=0.03, help="of the training part that is flipped")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--budget", default="", help="of each fold in seconds, instead of --epochs")
    parser.add_argument("--epochs", type=int, default=10, help="of each fold; five minutes on two cores without AMX")
    parser.add_argument("--runs", type=Path, default=harness.ROOT / "runs" / "bench-suspects", help="keeps the folds")
    options = parser.parse_args()
    data = harness.found_data(options.data)
    length = _length(options)
    settings: Figures = {
        "data": data.name,
        "share": options.share,
        "folds": options.folds,
        "length": " ".join(length).removeprefix("--"),
    }
    place = options.runs / "-".join(str(value).replace(" ", "-") for value in settings.values())
    arms = {
        "suspects": lambda seed: search(data, place, length, share=options.share, folds=options.folds, seed=seed),
    }
    records = harness.measure("suspects", arms, range(options.repeats), settings=settings, again=options.again)
    print("\n" + harness.summary(records))


def _length(options: argparse.Namespace) -> list[str]:
    """A fold's length as the command takes it: a budget is that of all folds together."""
    if options.budget:
        return ["--budget", f"{float(options.budget) * options.folds:g}s"]
    return ["--epochs", str(options.epochs)]


if __name__ == "__main__":
    main()
