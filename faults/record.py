"""Records the corpus: runs each program once and keeps its log. What is there already, of the same program and probes, is not run again.

python faults/record.py                    # all
python faults/record.py --only digits      # names that contain this
python faults/record.py --kept-probes      # the program's text alone decides what is run again
python faults/record.py --part 1/2         # half of them, for two processes side by side
python faults/record.py --seconds 280      # begins no more after so long; the next call goes on
python faults/record.py --again            # the second seed: how twins end and broken ones that are near them, without the watcher
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import math
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

import anew.blocks
import anew.images
import anew.loops
import anew.networks
import anew.pixels
import anew.setups
import anew.steps
import apart.blocks
import apart.drawings
import apart.images
import apart.loops
import apart.networks
import apart.pixels
import apart.setups
import apart.steps
import babysit
import beyond.images
import beyond.loops
import beyond.networks
import beyond.pixels
import beyond.setups
import beyond.steps
import data
import fresh.drawings
import fresh.images
import fresh.loops
import fresh.networks
import fresh.pixels
import fresh.setups
import fresh.steps
import held.images
import held.loops
import held.networks
import held.pixels
import held.setups
import last.drawings
import last.images
import last.loops
import last.networks
import last.setups
import logs
import loops
import outcomes
import outside.blocks
import outside.drawings
import outside.images
import outside.loops
import outside.networks
import outside.pixels
import outside.setups
import outside.steps
import setups
import unseen.drawings
import unseen.images
import unseen.loops
import unseen.networks
import unseen.pixels
import unseen.setups
import unseen.steps
from anew.setups import Anew
from apart.setups import Apart
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import Row, RunLog, read_log
from babysit.watching.attach import Watch, asked_of
from beyond.setups import Beyond
from corpus import twin_of, twins, whole
from fresh.setups import Fresh
from held.setups import Held
from last.setups import Last
from loops import Watcher
from outside.setups import Outside
from programs import Program
from setups import Setup
from unseen.setups import Unseen

SOURCE = Path(babysit.__file__).resolve().parent
HELD = (held.images, held.networks, held.pixels, held.setups, held.loops)
FRESH = (
    *(fresh.drawings, fresh.images, fresh.networks, fresh.pixels, fresh.setups, fresh.steps, fresh.loops),
    *(held.networks, held.pixels, held.setups, data),  # what it borrows
)
UNSEEN = (
    *(unseen.drawings, unseen.images, unseen.networks, unseen.pixels, unseen.setups, unseen.steps, unseen.loops),
    *FRESH,  # what it borrows
)
APART = (
    *(apart.drawings, apart.images, apart.blocks, apart.networks, apart.pixels, apart.setups, apart.steps, apart.loops),
    *UNSEEN,  # what it borrows
)
BEYOND = (
    *(beyond.images, beyond.networks, beyond.pixels, beyond.setups, beyond.steps, beyond.loops),
    *APART,  # what it borrows
)
ANEW = (
    *(anew.images, anew.blocks, anew.networks, anew.pixels, anew.setups, anew.steps, anew.loops),
    *APART,  # what it borrows
)
OUTSIDE = (
    *(outside.drawings, outside.images, outside.blocks, outside.networks, outside.pixels, outside.setups),
    *(outside.steps, outside.loops, *ANEW),  # and what it borrows
)
LAST = (
    *(last.drawings, last.images, last.networks, last.setups, last.loops),
    *OUTSIDE,  # what it borrows
)
MEASURING = ("probes", "watching", "record")
SEED = 0
DOUBT = 0.15


def key_of(program: Program) -> str:
    """Of the program's text, and after a colon of the probes'."""
    parts = {Last: LAST, Outside: OUTSIDE, Anew: ANEW, Beyond: BEYOND, Apart: APART, Unseen: UNSEEN, Fresh: FRESH}
    modules = {**parts, Held: HELD, Setup: (setups, loops, data)}[type(program.setup)]
    text = "".join(inspect.getsource(one) for one in modules)
    probes = "".join(
        path.read_text(encoding="utf-8") for folder in MEASURING for path in sorted((SOURCE / folder).glob("*.py"))
    )
    return f"{_hash(repr(program.setup) + repr(program.recipe) + text)}:{_hash(probes)}"


def record(program: Program) -> tuple[Known, dict[str, float], list[Row]]:
    """Runs a program under the watcher: what is known, how it ended, and the rows of its log."""
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        if program.recipe is None:
            known, said = _watched(program, run)
        else:
            known, said = recipe_run(program, Path(folder), run), None
        rows = list(read_log(run / "log.jsonl").rows)
    epochs = [row for row in rows if row.kind == "epoch"]
    told = epochs[-1].values.get("validation_accuracy", 0.0) if epochs else 0.0
    last = told if said is None else said
    return known, {"accuracy": round(last, 4), "seconds": round(time.process_time() - begun, 1)}, rows


def _watched(program: Program, run: Path) -> tuple[Known, float | None]:
    model, optimizer, classes, train = _begun(program, SEED)
    with Watch(asked_of(model, optimizer, classes=classes, run=run), _no_rules, _silent) as watcher:
        said = train(watcher)
    if (run / "trouble.txt").exists():
        print(f"{program.name}: {(run / 'trouble.txt').read_text(encoding='utf-8')}", flush=True)
    return Known.from_json(json.loads((run / "manifest.json").read_text(encoding="utf-8"))["known"]), said


Begun = tuple[nn.Module, torch.optim.Optimizer | list[torch.optim.Optimizer], int, Callable[[Watcher], float | None]]


def _begun(program: Program, seed: int) -> Begun:
    """What the watcher is given, and the loop, which gives the last accuracy back where it may not have told it."""
    setup = program.setup
    if isinstance(setup, Last):
        plain = last.setups.build(setup, seed)
        return plain.model, plain.optimizers, plain.classes, lambda one: last.loops.train(plain, one)
    if isinstance(setup, Outside):
        ours = outside.setups.build(setup, seed)
        return ours.model, ours.optimizers, ours.classes, lambda one: outside.loops.train(ours, one)
    if isinstance(setup, Anew):
        new = anew.setups.build(setup, seed)
        return new.model, new.optimizers, new.classes, lambda one: anew.loops.train(new, one)
    if isinstance(setup, Beyond):
        far = beyond.setups.build(setup, seed)
        return far.model, far.optimizers, far.classes, lambda one: beyond.loops.train(far, one)
    if isinstance(setup, Apart):
        chosen = apart.setups.build(setup, seed)
        return chosen.model, chosen.optimizers, chosen.classes, lambda one: apart.loops.train(chosen, one)
    if isinstance(setup, Unseen):
        built = unseen.setups.build(setup, seed)
        return built.model, built.optimizers, built.classes, lambda one: unseen.loops.train(built, one)
    if isinstance(setup, Fresh):
        made = fresh.setups.build(setup, seed)
        return made.model, made.optimizers, made.classes, lambda one: fresh.loops.train(made, one)
    if isinstance(setup, Held):
        ready = held.setups.build(setup, seed)
        model = held.loops.begun(ready)
        return model, ready.optimizer, ready.classes, lambda one: held.loops.STYLES[setup.style](ready, model, one)
    parts = setups.build(setup, seed)
    return parts.model, parts.optimizer, parts.classes, lambda one: loops.STYLES[setup.style](parts, one)


class Silent:
    """No watcher: it keeps the last accuracy."""

    accuracy = 0.0

    def step(
        self, *, loss: object = None, outputs: object = None, targets: object = None, inputs: object = None
    ) -> None:
        """Nothing."""
        del loss, outputs, targets, inputs

    def validation(
        self,
        *,
        loss: object = None,
        accuracy: object = None,
        inputs: object = None,
        outputs: object = None,
        targets: object = None,
    ) -> None:
        """The accuracy."""
        del loss, inputs, outputs, targets
        self.accuracy = float(accuracy)  # type: ignore[arg-type]


def ended(program: Program, seed: int) -> float:
    """The last validation accuracy of a program, run without the watcher."""
    silent = Silent()
    *_, train = _begun(program, seed)
    said = train(silent)
    return round(silent.accuracy if said is None else said, 4)


def recipe_run(program: Program, folder: Path, run: Path) -> Known:
    """A run of babysit's own, on the same images as an .npz file."""
    assert program.recipe is not None
    settings = {name: value for name, value in program.recipe.items() if name != "data"}
    found = data.images(str(program.recipe["data"]))
    source = folder / "images.npz"
    arrays = {"x_train": found.train, "y_train": found.train_labels, "x_val": found.valid, "y_val": found.valid_labels}
    arrays = {name: one.transpose(0, 2, 3, 1) if one.ndim == 4 else one for name, one in arrays.items()}
    np.savez(source, **arrays)  # type: ignore[arg-type]
    babysit.train(str(source), out=run, settings={"train.threads": 1, **settings}, anyway=True)
    return Known.from_json(json.loads((run / "manifest.json").read_text(encoding="utf-8"))["known"])


def _no_rules(_log: RunLog, _known: Known) -> list[Diagnosis]:
    return []


def _silent(_text: str) -> None:
    return


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def main() -> None:
    """Records what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="part of a name")
    parser.add_argument("--kept-probes", action="store_true", help="a log of other probes is good enough")
    parser.add_argument("--part", default="1/1", help="such as 1/2: the first of two halves")
    parser.add_argument(
        "--again", action="store_true", help="the second seed of broken ones and twins, without the watcher"
    )
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin none after so long")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    part, parts = (int(one) for one in asked.part.split("/"))
    first = twins()
    ordered = sorted(whole(), key=lambda one: (one.recipe is not None, one.name not in first, _hash(one.name)))
    chosen = [one for one in ordered if asked.only in one.name and int(_hash(one.name), 16) % parts == part - 1]
    begun = time.monotonic()
    for program in chosen:
        if time.monotonic() - begun > asked.seconds:
            return
        if asked.again:
            again(program)
        else:
            once(program, kept_probes=asked.kept_probes)


def once(program: Program, *, kept_probes: bool) -> None:
    """Records a program, unless it is there."""
    key, there = key_of(program), logs.key_in(program.name)
    if there == key or (kept_probes and there.split(":")[0] == key.split(":")[0]):
        return
    known, outcome, rows = record(program)
    size = logs.write(program.name, key, known, outcome, rows)
    mark = "  TOO LARGE" if size > logs.MOST_BYTES else ""
    print(f"{program.name:60s} {outcome['accuracy']:.3f} {outcome['seconds']:5.1f} s {size:6d} bytes{mark}", flush=True)


def near(program: Program) -> bool:
    """Whether the first seed leaves in doubt that it ends 5 points below its twin: less than 15 points below."""
    twin = twin_of(program)
    if not twin or not logs.path_of(twin).exists():
        return True
    broken, healthy = (logs.read(name).outcome["accuracy"] for name in (program.name, twin))
    return healthy - broken < DOUBT


def again(program: Program) -> None:
    """How a recorded twin, or a broken program near its own, ends with the second seed, unless that is there."""
    key = key_of(program).split(":")[0]
    if (
        program.recipe is not None
        or not logs.path_of(program.name).exists()
        or outcomes.read().get(program.name, ("", 0.0))[0] == key
    ):
        return
    if program.name in twins() or (not program.healthy and near(program)):
        accuracy = ended(program, SEED + 1)
        outcomes.add(program.name, key, accuracy)
        print(f"{program.name:60s} {accuracy:.3f}", flush=True)


if __name__ == "__main__":
    main()
