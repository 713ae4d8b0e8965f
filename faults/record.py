"""Records the corpus: runs each program once and keeps its log. What is there already, of the same program and probes, is not run again.

python faults/record.py                    # all
python faults/record.py --only digits      # names that contain this
python faults/record.py --kept-probes      # the program's text alone decides what is run again
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch

import babysit
import data
import logs
import loops
import setups
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import Row, RunLog, read_log
from babysit.watching.attach import Watch, asked_of
from broken import broken
from healthy import healthy
from programs import Program

SOURCE = Path(babysit.__file__).resolve().parent
MEASURING = ("probes", "watching", "record")
SEED = 0


def key_of(program: Program) -> str:
    """Of the program's text, and after a colon of the probes'."""
    text = "".join(inspect.getsource(one) for one in (setups, loops, data))
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
            known = _watched(program, run)
        else:
            known = _recipe(program, Path(folder), run)
        rows = list(read_log(run / "log.jsonl").rows)
    epochs = [row for row in rows if row.kind == "epoch"]
    last = epochs[-1].values.get("validation_accuracy", 0.0) if epochs else 0.0
    return known, {"accuracy": round(last, 4), "seconds": round(time.process_time() - begun, 1)}, rows


def _watched(program: Program, run: Path) -> Known:
    parts = setups.build(program.setup, SEED)
    asked = asked_of(parts.model, parts.optimizer, classes=parts.classes, run=run)
    with Watch(asked, _no_rules, _silent) as watcher:
        loops.STYLES[program.setup.style](parts, watcher)
    return Known.from_json(json.loads((run / "manifest.json").read_text(encoding="utf-8"))["known"])


def _recipe(program: Program, folder: Path, run: Path) -> Known:
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
    asked = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    for program in sorted([*broken(), *healthy()], key=lambda one: (one.recipe is not None, _hash(one.name))):
        key, there = key_of(program), logs.key_in(program.name)
        same = there == key or (asked.kept_probes and there.split(":")[0] == key.split(":")[0])
        if same or asked.only not in program.name:
            continue
        known, outcome, rows = record(program)
        size = logs.write(program.name, key, known, outcome, rows)
        mark = "  TOO LARGE" if size > logs.MOST_BYTES else ""
        print(
            f"{program.name:45s} {outcome['accuracy']:.3f} {outcome['seconds']:5.1f} s {size:6d} bytes{mark}",
            flush=True,
        )


if __name__ == "__main__":
    main()
