"""Diary: the run directory of a watched loop. Rows wait for one another: for numbers still on a device, and for the disk."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from babysit.device import describe
from babysit.errors import UserError
from babysit.probes.context import Validated
from babysit.record import atomic, predictions
from babysit.record import run as runs
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import Kind, LogWriter, Row, RunLog
from babysit.record.run import Run
from babysit.training.verdicts import write_diagnoses
from babysit.version import VERSION
from babysit.watching.given import Once

MOST_WAITING, LONGEST = 60, 2.0
"""Rows that may wait, and seconds that the first of them may."""


@dataclass
class Diary:
    """A run directory, and all rows so far."""

    run: Run
    device: torch.device
    rows: list[Row] = field(default_factory=list)
    log: RunLog = field(init=False)
    _waiting: list[tuple[Kind, int, int, dict[str, float | Tensor]]] = field(default_factory=list)
    _since: float = 0.0
    _best: float = -1.0
    _writer: LogWriter = field(init=False)

    def __post_init__(self) -> None:
        self.log = RunLog(self.rows)
        self._writer = LogWriter(self.run.log)
        entry = {"babysit": VERSION, "python": platform.python_version(), "torch": torch.__version__}
        about = {**entry, "platform": platform.platform(), **describe(self.device)}
        atomic.write_json(self.run.environment, {"sessions": [{"step": 0, **about}]})

    def add(self, kind: Kind, step: int, epoch: int, values: Mapping[str, float | Tensor]) -> None:
        """Adds a row; it is written, and its tensors read, with those that follow."""
        if not self._waiting:
            self._since = time.perf_counter()
        self._waiting.append((kind, step, epoch, dict(values)))
        late = len(self._waiting) >= MOST_WAITING or time.perf_counter() - self._since > LONGEST
        if late or kind != "step":
            self.flush()

    def flush(self) -> None:
        """Writes all rows that wait."""
        waiting, self._waiting = self._waiting, []
        tensors = [value for *_, values in waiting for value in values.values() if isinstance(value, Tensor)]
        homes = {one.device for one in tensors}
        stacked = {
            home: iter(torch.stack([one.double() for one in tensors if one.device == home]).tolist()) for home in homes
        }
        rows = []
        for kind, step, epoch, values in waiting:
            read = {
                name: next(stacked[value.device]) if isinstance(value, Tensor) else value
                for name, value in values.items()
            }
            rows.append(Row(kind, step, epoch, read))
        self.rows += rows
        self._writer.extend(rows)

    def harmed(self, loss: float | Tensor | None) -> bool:
        """Whether the latest loss is not finite: this one, or, if it is not read yet, the latest that was."""
        if not isinstance(loss, float):
            last = next((row for row in reversed(self.rows[-2:]) if row.kind == "step"), None)
            loss = last.values.get("loss") if last else None
        return loss is not None and not math.isfinite(loss)

    def keep(self, found: Sequence[Diagnosis]) -> None:
        """Writes the diagnoses down, those of before forgotten."""
        if found or self.run.diagnoses.exists():
            write_diagnoses(self.run, list(found))

    def keep_predictions(self, found: Validated | None, accuracy: float) -> None:
        """Keeps what the network said of the validation images, when it was never better."""
        if found is not None and accuracy >= self._best:
            self._best = accuracy
            rows = np.arange(len(found.labels))
            predictions.write(self.run, "val", rows, found.labels, found.probabilities)

    def note(self, known: Known, status: str, *, seconds: float) -> None:
        """Writes down how far the training is and what is known of it."""
        steps = self.log.last("learning_rate", kind="step")
        self.run.update_manifest(
            kind="watched",
            status=status,
            steps=steps.step if steps else 0,
            epochs=len(self.log.of("epoch")),
            seconds=seconds,
            known=known.as_json(),
            data={"source": "a loop of your own", "classes": list(known.class_names or ())},
        )

    def close(self) -> None:
        """Writes what waits and closes the log."""
        self.flush()
        self._writer.close()


def open_diary(wanted: str | Path | None, device: torch.device, once: Once) -> Diary:
    """Makes the run directory; another one beside it when the place is taken."""
    path = Path(wanted) if wanted else runs.free_name(Path("runs"), "watched")
    if path.name in ("", ".."):
        path = path.resolve()
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            other = runs.free_name(path.parent, path.name)
            once("place", f"there is something at {path} already, so this run is kept in {other}")
            path = other
        return Diary(runs.create(path), device)
    except (OSError, UserError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        why = cause.strerror if isinstance(cause, OSError) else str(error)
        raise UserError(
            f"the run cannot be kept in {path} ({why})", hint="Name a place that you may write to: run=..."
        ) from error
