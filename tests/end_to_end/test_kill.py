"""kill -9 at twenty moments: every resumed run ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from babysit import api, checkpoint
from babysit.record.log import read_log

KILLS = 20
INTERVAL = 0.2
STEPS_PER_EPOCH = 33
SETTINGS = [
    "--epochs",
    "9",
    "--set",
    "train.precision=float32",
    "--set",
    f"train.checkpoint_seconds={INTERVAL}",
    "--quiet",
]

# One process imports everything once and forks a child for each run, so that a life costs no imports.
NURSERY = """
import os, sys, json
import babysit.api
from babysit.cli.app import run
for line in sys.stdin:
    child = os.fork()
    if not child:
        code = 99
        try:
            code = run(json.loads(line))
        finally:
            os._exit(code)
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(status, flush=True)
"""


class Nursery:
    """Starts babysit in children that can be killed."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def start(self, *words: str) -> int:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def end(self) -> int:
        """Waits for the child; its exit status, or minus the signal that ended it."""
        assert self.process.stdout
        return os.waitstatus_to_exitcode(int(self.process.stdout.readline()))

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream
            stream.close()
        self.process.wait(timeout=30)


@pytest.fixture
def nursery(command_line):
    one = Nursery(command_line[1]["env"])
    yield one
    one.close()


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def wait_and_kill(process: int, run: Path, mode: str, wait: float) -> None:
    """Kills in the start-up, some time after the first new step, or in the middle of a publish."""
    before = size_of(run / "log.jsonl")
    if mode != "start":
        while alive(process) and size_of(run / "log.jsonl") <= before:
            time.sleep(0.002)
    end = time.monotonic() + wait
    while alive(process) and time.monotonic() < end:
        time.sleep(0.001)
    if mode == "publish":
        while alive(process) and not any(".tmp-" in name for name in os.listdir(run / "checkpoints")):  # noqa: PTH208
            pass
    if alive(process):
        os.kill(process, signal.SIGKILL)


def same_end(run: Path, reference: Path) -> None:
    """The same weights, optimiser, log, split, best and predictions, to the bit."""
    last, best = checkpoint.steps(run / "checkpoints")[-1], checkpoint.best_path(run / "checkpoints")
    assert last.name == checkpoint.steps(reference / "checkpoints")[-1].name
    for name in ("weights.safetensors", "optimizer.safetensors"):
        assert (last / name).read_bytes() == (reference / "checkpoints" / last.name / name).read_bytes(), name
    rows = [[row.repeatable() for row in read_log(one / "log.jsonl").rows] for one in (run, reference)]
    assert rows[0] == rows[1]
    assert (run / "split.csv").read_bytes() == (reference / "split.csv").read_bytes()
    best_reference = checkpoint.best_path(reference / "checkpoints")
    assert best is not None and best_reference is not None and best.name == best_reference.name
    one, other = (np.load(path / "predictions" / "val.npz") for path in (run, reference))
    with one, other:
        assert all((one[name] == other[name]).all() for name in ("rows", "labels", "probabilities"))


def lost_seconds(run: Path) -> tuple[int, float]:
    """Step of the newest checkpoint, and the time of the steps after it that a resume does again.

    The first such step's time holds the writing of the checkpoint before it, the last one may be the one that
    asked for the next: between them must be less than the interval.
    """
    kept, _, complaints = checkpoint.load_newest(run / "checkpoints")
    assert complaints == [], "a kill must not leave a checkpoint that is not whole"
    step = kept.state["position"]["step"] if kept else 0
    again = [row.values["step_seconds"] for row in read_log(run / "log.jsonl").of("step") if row.step > step]
    return step, sum(again[1:-1])


def test_killed_at_twenty_moments(nursery: Nursery, tmp_path: Path) -> None:
    reference = tmp_path / "reference"
    nursery.start("train", "digits", "-o", str(reference), *SETTINGS)
    assert nursery.end() == 0
    chance = random.Random(0)
    modes = ["steps", "publish", "steps", "start", "publish"] * (KILLS // 5)
    kills = middles = publishes = 0
    for number in range(12):
        run = tmp_path / f"run-{number}"
        while True:
            process = nursery.start("train", "digits", "-o", str(run), "--resume", *SETTINGS)
            if kills < KILLS:
                wait_and_kill(process, run, modes[kills], chance.uniform(0.0, 0.7))
            status = nursery.end()
            if status == 0:
                break
            assert status == -signal.SIGKILL, f"a life ended by itself with {status}"
            kills += 1
            if not (run / "log.jsonl").exists():
                continue
            step, lost = lost_seconds(run)
            assert lost <= INTERVAL, f"{lost:.2f} s after step {step} are done again"
            middles += step % STEPS_PER_EPOCH != 0
            publishes += any((run / "checkpoints").glob("step-*.tmp-*"))
        same_end(run, reference)
        assert not list((run / "checkpoints").glob("*.tmp-*"))
        if kills >= KILLS:
            break
    assert kills >= KILLS
    assert middles >= 3, "too few kills fell into the middle of an epoch"
    assert publishes >= 1, "no kill fell inside a publish"


def test_killed_before_its_first_checkpoint_a_run_starts_over(nursery: Nursery, tmp_path: Path) -> None:
    words = ["--epochs", "2", "--set", "train.precision=float32", "--quiet"]
    reference, run = tmp_path / "reference", tmp_path / "run"
    nursery.start("train", "digits", "-o", str(reference), *words)
    assert nursery.end() == 0
    process = nursery.start("train", "digits", "-o", str(run), *words)
    while alive(process) and size_of(run / "log.jsonl") < 2000:
        time.sleep(0.002)
    os.kill(process, signal.SIGKILL)
    assert nursery.end() == -signal.SIGKILL
    assert checkpoint.steps(run / "checkpoints") == [], "the kill came too late to test this"
    nursery.start("train", "digits", "-o", str(run), "--resume", *words)
    assert nursery.end() == 0
    same_end(run, reference)


class Crash(Exception):  # noqa: N818
    """The process ends here."""


SMALL = {
    "train.epochs": 5,
    "optim.lr": 0.0001,
    "train.precision": "float32",
    "optim.batch_size": 8,
    "train.checkpoint_seconds": 3600.0,
}


def crash_in_call(monkeypatch, target: object, name: str, number: int, *, after: bool) -> None:
    original, calls = getattr(target, name), []

    def call(*arguments, **more):
        calls.append(name)
        if len(calls) == number and not after:
            raise Crash
        result = original(*arguments, **more)
        if len(calls) == number:
            raise Crash
        return result

    monkeypatch.setattr(target, name, call)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [1, 5])
@pytest.mark.parametrize("stage", ["save", "mark_best", "prune"])
def test_a_crash_between_the_stages_of_keeping_changes_nothing(
    tmp_path: Path, make_folder, monkeypatch, stage: str, number: int, after: bool
) -> None:
    """Between a checkpoint, the mark of the best and the removal of old ones the process may end, too."""
    folder = make_folder(tmp_path / "data", {"a": 20, "b": 20, "c": 20, "d": 20})
    api.train(str(folder), out=tmp_path / "reference", settings=SMALL)
    with pytest.MonkeyPatch.context() as patch:
        crash_in_call(patch, checkpoint, stage, number, after=after)
        try:
            api.train(str(folder), out=tmp_path / "run", settings=SMALL)
        except Crash:
            pass
        else:
            pytest.fail(f"the run has no {number} calls of {stage}")
    api.train(str(folder), out=tmp_path / "run", settings=SMALL, resume=True)
    same_end(tmp_path / "run", tmp_path / "reference")
