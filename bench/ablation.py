"""What each ingredient is worth: arms that differ from the defaults before in one thing, paired with them by seed.

A fixed fifth of CIFAR-10 (1,000 training images of each class; 1,000 others of each class for validation, no test image)
is trained on for equal steps (or as many as an arm says), in two processes side by side with one thread each. At one thread
a run is a function of arm and seed, so the baseline of a seed is trained once and serves every arm. What an arm costs is
measured apart (`--cost`): short runs of all arms in one process, a step of each in turn, processor time over the
baseline's.

Every run is a line of results/ablation.jsonl at once, and is not made again; an arm whose settings changed is another
arm. `--runs 2` makes the next two and ends; the status is 3 when none is left. `--table` prints what is known.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import harness
from harness import Figures, Record

NAME = "ablation"
IMAGES_A_CLASS, EPOCHS, BATCH = 1000, 4, 256
COST_STEPS = 16
NOTHING_LEFT = 3

Settings = dict[str, object]

BASELINE = "baseline"
WHOLE_STEPS = 101
"""Steps on whole images that take the processor as long as the baseline's 156, which begin on smaller ones."""

BEFORE: Settings = {"init.kind": "network", "optim.bias_rate": 1.0}
"""The defaults that followed from these runs, as they were before: under every arm, so that its pairs keep their meaning."""

ARMS: dict[str, Settings] = {
    BASELINE: {},
    "whitening, fixed": {"init.kind": "whitening", "init.fixed": True},
    "bias rate x64": {"optim.bias_rate": 64.0},
    "identity": {"init.kind": "identity"},
    "whitening, fixed; identity; bias rate x64": {
        "init.kind": "whitening",
        "init.fixed": True,
        "init.rest": "identity",
        "optim.bias_rate": 64.0,
    },
    "whole images": {"train.progressive": 1.0},
    "whole images, equal time": {"train.progressive": 1.0, "train.steps": WHOLE_STEPS},
    "Muon": {"optim.kind": "muon", "optim.lr": 0.01},
    "lookahead": {"train.average": "lookahead"},
    "EMA": {"train.average": "ema"},
    "smoothing 0.1": {"loss.smoothing": 0.1},
    "smoothing 0.2": {"loss.smoothing": 0.2},
    "alternating flip": {"augment.flip": "alternating"},
}
"""An arm is a line: its name and the settings in which it differs. In the order in which they are run."""

TUNING: dict[str, Settings] = {
    f"whitening, fixed; Muon {rate:g}": {
        "init.kind": "whitening",
        "init.fixed": True,
        "optim.kind": "muon",
        "optim.lr": rate,
    }
    for rate in (0.005, 0.01, 0.02, 0.04)
}
"""Arms that only choose a number, with seeds of their own (`--tune`), so that the pairs are not those it was chosen on."""

TUNING_SEED = 1000


def settings_of(arm: str) -> Settings:
    """What an arm changes."""
    return (ARMS | TUNING)[arm]


def key_of(arm: str) -> Figures:
    """What makes a run another one, besides its seed."""
    return {"images_a_class": IMAGES_A_CLASS, "epochs": EPOCHS, "batch": BATCH, "changes": json.dumps(settings_of(arm))}


def known() -> dict[tuple[str, int], Record]:
    """What is recorded, by arm and seed; of a run made twice the later."""
    found = {}
    for record in harness.read(NAME):
        if "cost" not in record and record["arm"] in ARMS | TUNING and record["settings"] == key_of(record["arm"]):
            found[record["arm"], record["seed"]] = record
    return found


def wanted(arms: Sequence[str], seeds: Sequence[int]) -> list[tuple[str, int]]:
    """The runs still to be made, each seed's baseline before the first arm that needs it."""
    plan = dict.fromkeys(pair for arm in arms for seed in seeds for pair in ((BASELINE, seed), (arm, seed)))
    done = known()
    return [pair for pair in plan if pair not in done]


# --- one run, in a process of its own ---


@functools.cache
def whole_set(data: Path):  # noqa: ANN201 - imports torch late
    """The data and the training size, read and decoded once a process."""
    from babysit.clock import Clock
    from babysit.data.corrections import Lists
    from babysit.recipe import Recipe
    from babysit.show import Silent
    from babysit.training import prepare

    clock, recipe = Clock(time.perf_counter()), Recipe().replace({"data.source": str(data)})
    catalog, sized, _ = prepare.look(recipe, clock, lists=Lists(), show=Silent())
    return prepare.decode(catalog, sized, lists=Lists(), clock=clock, show=Silent()), sized.data.size


def session_of(arm: str, seed: int, data: Path, *, steps: int | None = None):  # noqa: ANN201
    """A session of an arm at step 0, on the fixed fifth."""
    from babysit.clock import Clock
    from babysit.recipe import Recipe
    from babysit.recipe.text import Parsed
    from babysit.training import prepare, resolve

    whole, size = whole_set(data)
    changes = settings_of(arm)
    length: Settings = {} if "train.steps" in changes else {"train.epochs": EPOCHS}
    fixed: Settings = {"train.precision": "bfloat16", "train.threads": 1, "optim.batch_size": BATCH, "data.size": size}
    recipe = Recipe().replace({"data.source": str(data), "seed": seed, **length, **fixed, **BEFORE, **changes})
    if steps:
        recipe = recipe.replace({"train.epochs": None, "train.steps": steps})
    resolve.check(Parsed(recipe, (), {}))
    free = np.sort(np.concatenate([whole.split.train, whole.split.validation]))
    rows = dict(zip(("train", "val"), fixed_fifth(whole.catalog.labels, free), strict=True))
    cut = dataclasses.replace(whole.split, rows={**whole.split.rows, **rows})
    return prepare.start(recipe, dataclasses.replace(whole, split=cut), Clock(time.perf_counter()))[0]


def fixed_fifth(labels: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Training and validation rows: so many of each class, the same whatever the run's seed.

    Arguments:
        free: rows that are in no test part.
    """
    generator = np.random.default_rng(0)
    train, validation = [], []
    for label in np.unique(labels[free]):
        order = generator.permutation(free[labels[free] == label])
        train.append(order[:IMAGES_A_CLASS])
        validation.append(order[IMAGES_A_CLASS : 2 * IMAGES_A_CLASS])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(validation))


def one_run(arm: str, seed: int, data: Path) -> Figures:
    """Trains and evaluates once."""
    from babysit.metrics import score
    from babysit.training.evaluate import probabilities
    from babysit.training.loop import train

    session = session_of(arm, seed, data)
    begun, clock = time.process_time(), time.perf_counter()
    for _ in train(session):
        pass
    processor, wall = time.process_time() - begun, time.perf_counter() - clock
    with session.averaged():
        predicted = probabilities(session.model, session.validation, session.recipe.train.precision)
    seen = score(predicted, session.validation.labels[session.validation.rows], session.classes)
    return {
        "accuracy": seen.accuracy,
        "loss": seen.loss,
        "processor_seconds": processor,
        "seconds": wall,
        "steps": session.position.step,
    }


# --- two at a time ---


def work(data: Path) -> None:
    """Makes the runs that standard input names, a JSON line each, and answers each with its figures."""
    for line in sys.stdin:
        arm, seed = json.loads(line)
        print(json.dumps(one_run(arm, seed, data)), flush=True)


def run_together(pairs: Sequence[tuple[str, int]], data: Path, *, seconds: float) -> None:
    """Makes the runs in two processes side by side, and records each when it is done.

    Arguments:
        seconds: no run begins that would end later, as far as the longest up to then tells.
    """
    left, begun, longest, lock = list(pairs), time.monotonic(), [0.0], threading.Lock()

    def follow(worker: subprocess.Popen[str]) -> None:
        assert worker.stdin and worker.stdout
        while True:
            with lock:
                now = time.monotonic()
                if not left or now - begun + 1.1 * longest[0] > seconds:
                    return
                arm, seed = left.pop(0)
                load = round(os.getloadavg()[0], 2)
            worker.stdin.write(json.dumps([arm, seed]) + "\n")
            worker.stdin.flush()
            answer = worker.stdout.readline()
            if not answer:
                print(f"{arm}, seed {seed}: its process ended", file=sys.stderr)
                return
            with lock:
                longest[0] = max(longest[0], time.monotonic() - now)
                keep(arm, seed, json.loads(answer), load)

    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--work", "--data", str(data)]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    try:
        followers = [threading.Thread(target=follow, args=(worker,), daemon=True) for worker in workers]
        for one in followers:
            one.start()
        for one in followers:
            one.join()
    finally:
        for worker in workers:
            worker.kill()


def keep(arm: str, seed: int, figures: Figures, load: float) -> None:
    """Records a run."""
    date = datetime.now(UTC).isoformat(timespec="seconds")
    about = {"date": date, "machine": harness.machine_identity(), "load_before": load}
    record = {**harness.source_identity(), "settings": key_of(arm), "arm": arm, "seed": seed}
    harness.append(NAME, {**record, **about, "figures": figures})
    spent = float(figures["processor_seconds"])
    print(f"{arm} seed {seed}: accuracy {figures['accuracy']:.4f}, {spent:.0f} s", flush=True)


# --- what an arm costs ---


def measure_cost(arms: Sequence[str], data: Path, seed: int) -> None:
    """Short runs of all arms in this process, a step of each in turn; records processor time over the baseline's."""
    import torch

    from babysit.training.loop import StepDone, train

    torch.set_num_threads(1)
    sessions = {arm: session_of(arm, seed, data, steps=COST_STEPS) for arm in arms}
    loops = {arm: (one for one in train(session) if isinstance(one, StepDone)) for arm, session in sessions.items()}
    spent: dict[str, list[float]] = {arm: [] for arm in arms}
    for _ in range(COST_STEPS):
        for arm, loop in loops.items():
            begun = time.process_time()
            next(loop)
            spent[arm].append(time.process_time() - begun)
    for arm in arms:
        # The first step warms up. Steps of a run may differ by design, so the sum counts, not the median.
        ratio = sum(spent[arm][1:]) / sum(spent[BASELINE][1:])
        figures: Figures = {"ratio": ratio, "step_seconds": statistics.median(spent[arm][1:])}
        date = datetime.now(UTC).isoformat(timespec="seconds")
        about = {"date": date, "machine": harness.machine_identity(), "cost": True}
        record = {**harness.source_identity(), "settings": key_of(arm), "arm": arm, "seed": seed, **about}
        harness.append(NAME, {**record, "figures": figures})
        print(f"{arm}: {ratio:.3f} of the baseline's processor time", flush=True)


def costs() -> dict[str, float]:
    """The median of what was measured of each arm."""
    found: dict[str, list[float]] = {}
    for record in harness.read(NAME):
        if "cost" in record and record["arm"] in ARMS and record["settings"] == key_of(record["arm"]):
            found.setdefault(record["arm"], []).append(record["figures"]["ratio"])
    return {arm: statistics.median(values) for arm, values in found.items()}


# --- the table ---


def table(arms: Sequence[str], seeds: Sequence[int]) -> str:
    """Each arm against the baseline of the same seeds, in Markdown."""
    runs, cost = known(), costs()
    lines = [
        "| arm | pairs | accuracy | baseline | difference, points | 95 % interval | loss | processor time |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for arm in arms:
        both = [seed for seed in seeds if (arm, seed) in runs and (BASELINE, seed) in runs]
        if arm == BASELINE or not both:
            continue
        ours, theirs = ([runs[name, seed]["figures"] for seed in both] for name in (arm, BASELINE))
        points = [100 * (one["accuracy"] - other["accuracy"]) for one, other in zip(ours, theirs, strict=True)]
        losses = [one["loss"] - other["loss"] for one, other in zip(ours, theirs, strict=True)]
        mean, means = (
            statistics.mean(points),
            [statistics.mean(one["accuracy"] for one in some) for some in (ours, theirs)],
        )
        price = f"x {cost[arm]:.2f}" if arm in cost else "?"
        lines.append(
            f"| {arm} | {len(both)} | {means[0]:.4f} | {means[1]:.4f} | {mean:+.2f} | {interval(points)} "
            f"| {statistics.mean(losses):+.3f} | {price} |"
        )
    return "\n".join(lines)


def interval(values: Sequence[float]) -> str:
    """Student's 95 % interval of the mean."""
    from scipy.stats import t

    if len(values) < 2:
        return "?"
    half = t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return f"{statistics.mean(values) - half:+.2f} to {statistics.mean(values) + half:+.2f}"


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = harness.parser(__doc__ or "", repeats=10)
    harness.add_data(parser)
    parser.add_argument("--arms", nargs="+", choices=[*ARMS], default=[*ARMS], help="of the table")
    parser.add_argument("--runs", type=int, default=sys.maxsize, help="end after so many")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no run that would end later")
    parser.add_argument("--tune", action="store_true", help="the arms that choose a number, two seeds of their own")
    parser.add_argument("--cost", action="store_true", help="measure what each arm costs; keep the machine quiet")
    parser.add_argument("--table", action="store_true", help="print what is known and end")
    parser.add_argument("--one", choices=[*ARMS, *TUNING], help="train one run and print its figures")
    parser.add_argument("--work", action="store_true", help="make the runs that standard input names; for ourselves")
    parser.add_argument("--seed", type=int, default=0, help="of --one and --cost")
    return parser.parse_args()


def main() -> None:
    """Makes the runs that are missing, then prints the table."""
    asked = options()
    if asked.table:
        print(table(asked.arms, range(asked.repeats)))
        return
    data = harness.found_data(asked.data)
    if asked.one:
        print(json.dumps(one_run(asked.one, asked.seed, data)))
        return
    if asked.work:
        work(data)
        return
    if asked.cost:
        measure_cost([BASELINE, *(arm for arm in asked.arms if arm != BASELINE)], data, asked.seed)
        return
    arms = [*TUNING] if asked.tune else asked.arms
    seeds = range(TUNING_SEED, TUNING_SEED + 2) if asked.tune else range(asked.repeats)
    left = wanted(arms, seeds)
    if not left:
        print("nothing is left to run\n\n" + table(asked.arms, range(asked.repeats)))
        sys.exit(NOTHING_LEFT if asked.runs < sys.maxsize or asked.seconds < float("inf") else 0)
    run_together(left[: asked.runs], data, seconds=asked.seconds)
    if asked.tune:
        for (arm, seed), record in known().items():
            if seed >= TUNING_SEED:
                print(f"{arm} seed {seed}: {record['figures']['accuracy']:.4f}")
        return
    print("\n" + table(asked.arms, range(asked.repeats)))


if __name__ == "__main__":
    main()
