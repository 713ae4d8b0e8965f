"""Programs that are recorded for a page's figure alone: what they show is rare in the corpus or not part of it. Not scored.

python faults/shown.py        # records what is missing; then: python faults/pictures.py
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

import logs
import loops
import setups
from babysit.diagnosing import RULES
from babysit.record.known import Known
from babysit.record.log import read_log
from babysit.watching.attach import Watch, asked_of
from loops import Watcher
from programs import Program
from record import key_of, recipe_run
from setups import Parts, Setup


def plain(parts: Parts, watcher: Watcher) -> None:
    """The loop of its setup."""
    loops.STYLES[parts.setup.style](parts, watcher)


def slow(parts: Parts, watcher: Watcher) -> None:
    """Every batch takes 80 ms to come, as from a disk far away."""

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for batch in parts.train():
            time.sleep(0.08)
            yield batch

    plain(replace(parts, train=batches), watcher)


def hoarding(parts: Parts, watcher: Watcher) -> None:
    """Four augmented copies of every batch are put into a list, to be looked at later."""
    kept: list[Tensor] = []

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for images, labels in parts.train():
            kept.append(images.repeat(4, 1, 1, 1))
            yield images, labels

    plain(replace(parts, train=batches), watcher)


@dataclass(frozen=True)
class Shown:
    """A rule, and a training of which it speaks: a `recipe`, or a `setup` in a loop."""

    rule: str
    setup: Setup = field(default_factory=Setup)
    loop: Callable[[Parts, Watcher], None] = plain
    recipe: dict[str, object] | None = None

    @property
    def name(self) -> str:
        """Of its log."""
        return f"shown-{self.rule}"

    @property
    def program(self) -> Program:
        """As the corpus describes one."""
        return Program(self.name, self.rule, (self.rule,), self.setup, self.recipe)


NEVER: dict[str, object] = {
    "data": "digits",
    "model.name": "convnet",
    "schedule.kind": "exp",
    "schedule.tau": 1e5,
    "train.epochs": 4,
}
"""A time constant of 100,000 epochs."""

SHOWN = (
    Shown("validation-better", Setup(network="mlp", depth=2, dropout=0.6, optimizer="adam", rate=2e-3, epochs=10)),
    Shown("loader-starving", Setup(epochs=3), slow),
    Shown("schedule-never-moved", recipe=NEVER),
    Shown("memory-growing", Setup(data="cifar", rate=0.01, epochs=16), hoarding),
)


def record(one: Shown, folder: Path) -> tuple[Known, Path]:
    """Runs it: what is known, and its run directory."""
    run = folder / "run"
    if one.recipe is not None:
        return recipe_run(one.program, folder, run), run
    parts = setups.build(one.setup, 0)
    asked = asked_of(parts.model, parts.optimizer, classes=parts.classes, run=run)
    with Watch(asked, lambda _log, _known: [], lambda _text: None) as watcher:
        one.loop(parts, watcher)
    return Known.from_json(json.loads((run / "manifest.json").read_text(encoding="utf-8"))["known"]), run


def main() -> None:
    """Records what is missing."""
    torch.set_num_threads(1)
    for one in SHOWN:
        key = f"{key_of(one.program).split(':')[0]}:{one.loop.__name__}"
        if logs.key_in(one.name) == key:
            continue
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            known, run = record(one, Path(folder))
            rows = list(read_log(run / "log.jsonl").rows)
        accuracy = [row.values.get("validation_accuracy", 0.0) for row in rows if row.kind == "epoch"][-1]
        outcome = {"accuracy": round(accuracy, 4), "seconds": round(time.perf_counter() - begun, 1)}
        size = logs.write(one.name, key, known, outcome, rows)
        kept = logs.read(one.name)
        found = [each.sure for each in RULES[one.rule](kept.log, kept.known)]
        print(
            f"{one.name:36s} {accuracy:.3f} {outcome['seconds']:5.1f} s {size:6d} bytes, sure {found or 'not at all'}"
        )


if __name__ == "__main__":
    main()
