"""What `train --remedy apply` repairs: each recipe program, its healthy twin and the remedied one, over three seeds; and
whether any healthy program comes to harm.

    python faults/mended.py                 # runs what is missing, then sums up
    python faults/mended.py --only rate     # programs whose name contains this
    python faults/mended.py --ways twin broken   # what no rule has a part in
    python faults/mended.py --table         # sums up what is recorded
    python faults/mended.py --held          # the recipes that are beyond alone, which a look at what was mended spends: once

A line of `bench/results/remedies.jsonl` a run, written when it is made, with its commit. The twin of a program is its
recipe without the settings that are the fault. A program counts as broken when it ends 5 points below its twin, on
average; it is repaired when the remedied run ends within 2 points of the twin's mean, or within the spread of the
twin's seeds, whichever is larger. A healthy program is made worse when it ends more than 2 points below itself without.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import tempfile
import time
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch

import apart.images
import apart.recipes
import babysit
import beyond.images
import beyond.recipes
import data
import unseen.images
import unseen.recipes
from babysit.metrics import wilson_interval
from recipes import BOLD, BROKEN, HEALTHY, ODD

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results" / "remedies.jsonl"
SEEDS = (0, 1, 2)
WAYS = ("twin", "broken", "apply")
HARM, NEAR = 0.05, 0.02

UNSEEN, APART, BEYOND = (
    {str(recipe["data"]) for _, recipe, *_ in (*one.MENDED, *one.FINE)}
    for one in (unseen.recipes, apart.recipes, beyond.recipes)
)

Recipe = dict[str, object]

FAULTS: Mapping[str, tuple[str, ...]] = {
    "recipe-rate-high": ("optim.lr",),
    "recipe-rate-high-plain": ("optim.lr",),
    "recipe-rate-low": ("optim.lr",),
    "recipe-rate-low-plain": ("optim.lr",),
    "recipe-decay": ("regularize.l2",),
    "recipe-l1": ("regularize.l1",),
    "recipe-init-small": ("init.kind", "init.scale"),
    "recipe-init-large": ("init.kind", "init.scale"),
    "recipe-rotate": ("augment.crop", "augment.rotate", "augment.erase", "augment.scale"),
    "recipe-schedule": ("schedule.kind", "schedule.tau"),
    "recipe-inputs": ("preprocess.kind", "preprocess.divisor"),
    "recipe-epsilon": ("optim.epsilon",),
    "recipe-clip": ("optim.clip",),
    "recipe-dropout": ("regularize.dropout",),
}
"""The settings that are the fault of the corpus's own recipe programs."""

MORE: tuple[tuple[str, Recipe, Recipe], ...] = (
    ("rate-nan", {"data": "digits", "model.name": "convnet", "train.epochs": 8}, {"optim.lr": 30.0}),
    ("rate-adam-high", {"data": "digits", "optim.kind": "adam", "train.epochs": 6}, {"optim.lr": 3.0}),
    (
        "rate-adam-low",
        {"data": "digits", "model.name": "convnet", "optim.kind": "adam", "train.epochs": 8},
        {"optim.lr": 1e-7},
    ),
    ("rate-muon-high", {"data": "shapes", "optim.kind": "muon", "train.epochs": 4}, {"optim.lr": 50.0}),
    ("rate-low-vgg", {"data": "cifar", "model.width": 16, "train.epochs": 4}, {"optim.lr": 1e-6}),
    ("momentum", {"data": "digits", "model.name": "convnet", "train.epochs": 8}, {"optim.momentum": 0.9995}),
    (
        "batch-tiny",
        {"data": "digits", "model.name": "convnet", "train.epochs": 4},
        {"optim.batch_size": 2, "optim.lr": 0.05},
    ),
    ("decay-adamw", {"data": "digits", "optim.kind": "adamw", "train.epochs": 6}, {"regularize.decay": 200.0}),
    ("elastic", {"data": "digits", "model.name": "convnet", "train.epochs": 8}, {"regularize.elastic_l1": 0.05}),
    (
        "init-constant",
        {"data": "digits", "model.name": "convnet", "train.epochs": 8},
        {"init.kind": "gaussian", "init.scale": 1e-8},
    ),
    (
        "init-bias",
        {"data": "digits", "model.name": "convnet", "train.epochs": 8},
        {"init.kind": "he", "init.bias": -20.0},
    ),
    ("crops", {"data": "shapes", "train.epochs": 6}, {"augment.resized_crop": 0.01, "augment.erase": 1.0}),
    (
        "schedule-step",
        {"data": "digits", "model.name": "convnet", "train.epochs": 8},
        {"schedule.kind": "step", "schedule.every": 6, "schedule.factor": 0.001},
    ),
    ("epsilon-rmsprop", {"data": "digits", "optim.kind": "rmsprop", "train.epochs": 6}, {"optim.epsilon": 1000.0}),
    (
        "clip-sgd",
        {"data": "shapes", "model.name": "convnet", "optim.kind": "sgd", "optim.lr": 0.05, "train.epochs": 8},
        {"optim.clip": 1e-4},
    ),
    (
        "inputs-digits",
        {"data": "digits", "model.name": "convnet", "train.epochs": 8},
        {"preprocess.kind": "mean-image", "preprocess.divisor": 0.5},
    ),
    (
        "rare",
        {"data": "rare-digits", "loss.class_weights": "balanced", "train.metric": "macro-f1", "train.epochs": 12},
        {"loss.class_weights": "none", "train.metric": "accuracy"},
    ),
    (
        "nothing-holds",
        {"data": "cifar", "model.width": 16, "train.epochs": 16},
        {"regularize.l2": 0.0, "augment.crop": 0, "augment.flip": "none"},
    ),
)
"""Name, a healthy recipe, and what is wrong with the broken one."""

FINE: tuple[tuple[str, Recipe], ...] = (
    ("adam", {"data": "digits", "optim.kind": "adam", "train.epochs": 6}),
    ("rmsprop", {"data": "shapes", "optim.kind": "rmsprop", "train.epochs": 4}),
    ("cosine", {"data": "digits", "schedule.kind": "cosine", "train.epochs": 6}),
    ("step", {"data": "shapes", "schedule.kind": "step", "train.epochs": 4}),
    ("clip", {"data": "digits", "optim.clip": 1.0, "train.epochs": 6}),
    ("cutmix", {"data": "shapes", "augment.cutmix": 1.0, "train.epochs": 5}),
    ("he", {"data": "digits", "model.name": "convnet", "init.kind": "he", "train.epochs": 8}),
    ("orthogonal", {"data": "shapes", "model.name": "convnet", "init.kind": "orthogonal", "train.epochs": 6}),
    ("small-batch", {"data": "digits", "optim.batch_size": 8, "train.epochs": 4}),
    ("large-batch", {"data": "digits", "optim.batch_size": 200, "train.epochs": 12}),
    ("slow-rate", {"data": "digits", "optim.lr": 0.01, "train.epochs": 8}),
    ("strong-l2", {"data": "digits", "regularize.l2": 0.01, "train.epochs": 6}),
    ("smoothing", {"data": "digits", "loss.smoothing": 0.2, "train.epochs": 6}),
    ("long-warmup", {"data": "digits", "schedule.warmup": 0.6, "train.epochs": 8}),
    ("cifar-two-layer", {"data": "cifar", "model.name": "two-layer", "train.epochs": 8}),
    ("cifar-long", {"data": "cifar", "model.width": 16, "train.epochs": 12}),
)


@dataclass(frozen=True)
class Program:
    """A broken program with its twin, or a healthy one, which is its own twin."""

    name: str
    healthy: Recipe
    fault: Recipe

    @property
    def ways(self) -> tuple[str, ...]:
        """What is run of it."""
        return ("twin", "broken", "apply") if self.fault else ("apply", "twin")

    def settings(self, way: str) -> Recipe:
        """The recipe of one of the ways."""
        fault = {} if way == "twin" else self.fault
        return {**self.healthy, **fault, **({"watch.remedy": "apply"} if way == "apply" else {})}


def programs(*, held: bool = False) -> list[Program]:
    """Those that are looked at, those that were apart last; or those that are beyond."""
    if held:
        return _of("beyond", beyond.recipes.MENDED, beyond.recipes.FINE)
    found = []
    for one in BROKEN:
        if one.recipe is None or one.name not in FAULTS:
            continue
        fault = {name: one.recipe[name] for name in FAULTS[one.name]}
        found.append(Program(one.name, {name: value for name, value in one.recipe.items() if name not in fault}, fault))
    found += [Program(f"mend-{name}", healthy, fault) for name, healthy, fault in MORE]
    found += [Program(f"mend-odd-{name}", dict(healthy), dict(fault)) for name, healthy, fault in ODD]
    found += [Program(f"fine-{name}", recipe, {}) for name, recipe in (*HEALTHY, *FINE)]
    found += [Program(f"fine-bold-{name}", dict(recipe), {}) for name, recipe in BOLD]
    found += _of("unseen", unseen.recipes.MENDED, unseen.recipes.FINE)
    return [*found, *_of("apart", apart.recipes.MENDED, apart.recipes.FINE)]


def _of(part: str, mended: Sequence[tuple[str, Recipe, Recipe]], fine: Sequence[tuple[str, Recipe]]) -> list[Program]:
    """The programs of a part that was or is held out."""
    broken = [Program(f"mend-{part}-{name}", healthy, fault) for name, healthy, fault in mended]
    return [*broken, *(Program(f"fine-{part}-{name}", recipe, {}) for name, recipe in fine)]


def run(settings: Recipe, seed: int) -> dict[str, Any]:
    """Trains once; how it ended, and what became of each remedy."""
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "images.npz"
        write_images(str(settings["data"]), source)
        asked = {name: value for name, value in settings.items() if name != "data"}
        out = Path(folder) / "run"
        done = babysit.train(str(source), out=out, settings={"train.threads": 1, "seed": seed, **asked}, anyway=True)
    remedies = [
        {
            name: one[name]
            for name in ("rule", "state", "settings", "begin", "at", "compare", "only_before", "only_after", "p")
        }
        for one in done.remedies
    ]
    found = {"accuracy": done.validation.get("accuracy", 0.0), "remedies": remedies, "stopped": done.stopped}
    found["diagnoses"] = [
        f"{one['rule']} {one['severity']} {one['sure']:.2f}" for one in done.diagnoses if one["severity"] != "note"
    ]
    return {**found, "seconds": round(time.process_time() - begun, 1)}


def write_images(name: str, path: Path) -> None:
    """A data set of the corpus; `rare-digits` has a twentieth of the training images of the even digits."""
    if name in UNSEEN:
        found = unseen.images.images(name)
    elif name in APART:
        found = apart.images.images(name)
    elif name in BEYOND:
        found = beyond.images.images(name)
    else:
        found = data.images("digits" if name == "rare-digits" else name)
    pixels, labels = found.train, found.train_labels
    if name == "rare-digits":
        kept = (labels % 2 == 1) | (np.arange(len(labels)) % 20 == 0)
        pixels, labels = pixels[kept], labels[kept]
    arrays = {"x_train": pixels, "y_train": labels, "x_val": found.valid, "y_val": found.valid_labels}
    arrays = {name: one.transpose(0, 2, 3, 1) if one.ndim == 4 else one for name, one in arrays.items()}
    np.savez(path, **arrays)  # type: ignore[arg-type]


def key_of(settings: Recipe, seed: int, way: str) -> str:
    """Of the recipe; for a remedied run also of the rules and of what carries remedies out."""
    text = repr(sorted(settings.items(), key=lambda pair: pair[0])) + str(seed)
    if way == "apply":
        source = Path(babysit.__file__).resolve().parent
        paths = [
            *sorted((source / "diagnosing").glob("*.py")),
            *(source / "training" / f"{name}.py" for name in ("courses", "remedy", "earlier", "fit")),
        ]
        text += "".join(path.read_text(encoding="utf-8") for path in paths)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def recorded() -> dict[str, dict[str, Any]]:
    """Key -> the latest line."""
    lines = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []
    return {one["key"]: one for one in map(json.loads, lines)}


def latest() -> dict[tuple[str, str, int], dict[str, Any]]:
    """(Program, way, seed) -> the latest line; programs with one healthy recipe share their twin's."""
    there = recorded()
    found = {(one["program"], one["way"], one["seed"]): one for one in there.values()}
    for program in (*programs(), *programs(held=True)):
        for seed in SEEDS:
            twin = there.get(key_of(program.settings("twin"), seed, "twin"))
            if twin is not None:
                found[program.name, "twin", seed] = twin
    return found


def make(chosen: Sequence[Program], seeds: Sequence[int], ways: Collection[str], *, kept: bool) -> None:
    """Runs what is missing, all programs with the first seed before the second."""
    there, done = recorded(), latest()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    for seed in seeds:
        for program in chosen:
            for way in program.ways:
                settings = program.settings(way)
                key = key_of(settings, seed, way)
                if way not in ways or key in there or (kept and (program.name, way, seed) in done):
                    continue
                after = latest().get((program.name, "apply", seed))
                if not program.fault and way == "twin" and after and not after["remedies"]:
                    continue  # nothing was done, and then a run is the same to the bit
                line = {
                    "commit": commit,
                    "key": key,
                    "program": program.name,
                    "way": way,
                    "seed": seed,
                    **run(settings, seed),
                }
                there[key] = line
                with RESULTS.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(line) + "\n")
                said = "; ".join(f"{one['rule']} {one['state']}" for one in line["remedies"])
                print(
                    f"{program.name:28s} {way:7s} {seed} {line['accuracy']:.3f} {line['seconds']:5.1f} s  {said}",
                    flush=True,
                )


def table(chosen: Sequence[Program]) -> Iterator[str]:
    """What is recorded, summed up."""
    found = latest()

    def accuracies(program: Program, way: str) -> list[float]:
        return [found[program.name, way, seed]["accuracy"] for seed in SEEDS if (program.name, way, seed) in found]

    repaired = runs = whole = broken = 0
    worse: list[str] = []
    touched = fine = 0
    for program in chosen:
        twin, after = accuracies(program, "twin"), accuracies(program, "apply")
        if not after or (program.fault and not twin):
            continue
        if not program.fault:
            fine += len(after)
            for seed in SEEDS:
                remedied, without = (found.get((program.name, way, seed)) for way in program.ways)
                touched += bool(remedied and remedied["remedies"])
                if remedied is None or without is None or not remedied["remedies"]:
                    continue  # where nothing was done, a run is the same to the bit
                if remedied["accuracy"] < without["accuracy"] - NEAR:
                    worse.append(f"{program.name} {seed}")
                said = "; ".join(f"{one['rule']} {one['state']}" for one in remedied["remedies"])
                yield f"{program.name:28s} seed {seed} {without['accuracy']:.3f} -> {remedied['accuracy']:.3f}  {said}"
            continue
        before = accuracies(program, "broken")
        near = fmean(twin) - max(NEAR, max(twin) - min(twin))
        said = "; ".join(
            " + ".join(f"{one['rule']} {one['state']}" for one in found[program.name, "apply", seed]["remedies"])
            or "nothing"
            for seed in SEEDS
            if (program.name, "apply", seed) in found
        )
        harmless = fmean(before) > fmean(twin) - HARM if before else True
        good = sum(value >= near for value in after)
        mark = "harmless" if harmless else f"{good} of {len(after)}"
        shown = " ".join(f"{value:.3f}" for value in (fmean(twin), fmean(before or [0.0]), fmean(after)))
        yield f"{program.name:28s} {shown}  {mark:9s} {said}"
        if not harmless:
            broken, runs, repaired = broken + 1, runs + len(after), repaired + good
            whole += fmean(after) >= near
    if runs:
        low, high = wilson_interval(repaired, runs)
        yield f"repaired {repaired} of {runs} runs, {repaired / runs:.1%} ({low:.1%} to {high:.1%}); by their means {whole} of {broken} programs, {whole / broken:.1%}"
    if fine:
        yield f"healthy: {touched} of {fine} runs had a remedy tried, {len(worse)} ended more than {NEAR:.0%} below themselves without: {', '.join(worse) or 'none'}"


def main() -> None:
    """Runs and sums up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="part of a name")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="so many, from 0")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="of running a program")
    parser.add_argument("--kept", action="store_true", help="a run by earlier rules is good enough")
    parser.add_argument("--held", action="store_true", help="the recipes that are beyond alone")
    parser.add_argument("--table", action="store_true", help="sum up what is recorded")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    chosen = programs(held=asked.held)
    if not asked.table:
        make([one for one in chosen if asked.only in one.name], SEEDS[: asked.seeds], asked.ways, kept=asked.kept)
    for line in table(chosen):
        print(line)


if __name__ == "__main__":
    main()
