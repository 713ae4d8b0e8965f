"""All that a report is made of, read from the run's plain files once."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babysit.calibration import Calibration
from babysit.errors import UserError
from babysit.metrics import Scores
from babysit.record import ledger, predictions
from babysit.record.log import Row, RunLog, read_log
from babysit.record.predictions import Predicted
from babysit.record.refitted import Refit
from babysit.record.run import Run


@dataclass(frozen=True)
class Material:
    """A run, read.

    `scores` of the validation part at the kept network; `test` scores of the last look at the test part, if there was
    one; `looks` those at this run's test images, None without a test part; `calibration` of the plain view. A refitted
    run has no validation part: there `predicted` and `scores` are of the last look, or of no image before one.
    """

    run: Run
    manifest: dict[str, Any]
    predicted: Predicted
    scores: Scores
    log: RunLog
    test: Scores | None
    looks: ledger.Looks | None
    calibration: Calibration | None
    refit: Refit | None = None
    part: str = "validation"

    @property
    def name(self) -> str:
        """The run's, with that of the run it belongs to."""
        path = self.run.path.resolve()
        inner = path.name == "refit" or path.name.startswith("fold-")
        return f"{path.parent.name}/{path.name}" if inner else path.name

    @property
    def judged(self) -> bool:
        """Whether there are images that the network was not trained on."""
        return self.scores.count > 0

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return tuple(self.manifest["data"]["classes"])

    @property
    def counts(self) -> dict[str, list[int]]:
        """Images of each class in each part."""
        return self.manifest["data"]["counts"]

    @property
    def kept(self) -> Row | None:
        """The epoch whose network was kept."""
        epochs = self.log.of("epoch")
        step = _kept_step(self.run)
        return next((row for row in epochs if row.step == step), epochs[-1] if epochs else None)


def gather(run: Run) -> Material:
    """Reads a run.

    Raises:
        UserError: when this is no run, it has not finished an epoch, or a file of it cannot be read.
    """
    manifest = run.read_manifest()
    held_out, looked = predictions.has_validation(run), (run.predictions / "test.npz").exists()
    predicted = predictions.read(run) if held_out else None
    try:
        classes = tuple(manifest["data"]["classes"])
        _ = manifest["data"]["counts"]
    except (KeyError, TypeError) as error:
        raise UserError("the run's manifest says nothing of its data", where=str(run.manifest)) from error
    tested = predictions.read(run, "test") if looked else None
    hashes = [one.hash for one in predictions.read_split(run, "test") if one.hash]
    looks = ledger.looks_at(hashes, run.looks) if hashes else None
    calibration = predictions.read_calibrations(run).get("plain")
    predicted = predicted or tested or predictions.nothing(len(classes))
    test = tested.scores(classes) if tested else None
    part, about = "validation" if held_out else "test", Refit.from_manifest(manifest)
    scores, log = predicted.scores(classes), read_log(run.log)
    return Material(run, manifest, predicted, scores, log, test, looks, calibration, about, part)


def json_of(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """A JSON file's value, or None when there is none or it cannot be read: a report does without."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _kept_step(run: Run) -> int:
    try:
        return int((run.checkpoints / "best").read_text(encoding="utf-8").strip().removeprefix("step-"))
    except (OSError, ValueError):
        return -1


def text_of(path: Path) -> str:
    """A text file of the run, or a sentence that it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, csv.Error):
        return f"{path.name} cannot be read."
