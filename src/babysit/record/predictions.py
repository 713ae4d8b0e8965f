"""What a network said of a part's images, kept in the run: `predictions/val.npz`, `predictions/test.npz`."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import dataclass, replace
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from babysit.calibration import Calibration
from babysit.errors import UserError, writing
from babysit.metrics import Scores, score
from babysit.names import read_table
from babysit.record import atomic
from babysit.record.run import Run

MISTAKES = 24
"""Worst mistakes that a report shows, and that are looked into."""


@dataclass(frozen=True)
class Predicted:
    """The probabilities of a part's images, as the network gave them (at temperature 1).

    `rows` of the decoded cache; `labels` class indices; `probabilities` (n, classes); `paths` and `hashes` from the
    run's split, in the same order, empty when they were not asked for.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    paths: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()

    def scores(self, classes: tuple[str, ...]) -> Scores:
        """What they are worth."""
        return score(self.probabilities, self.labels, classes)

    def worst_mistakes(self, most: int) -> NDArray[np.int64]:
        """Places of the wrong answers whose true class was thought least likely, worst first."""
        wrong = np.flatnonzero(self.probabilities.argmax(axis=1) != self.labels)
        return wrong[np.argsort(self._of_the_label()[wrong], kind="stable")][:most]

    def surest_right(self, most: int) -> NDArray[np.int64]:
        """Places of the right answers that were given with most confidence, at most one of a class before each has one."""
        right = np.flatnonzero(self.probabilities.argmax(axis=1) == self.labels)
        right = right[np.argsort(-self._of_the_label()[right], kind="stable")]
        turn = np.zeros(len(right), np.int64)
        for label in np.unique(self.labels[right]):
            of_class = self.labels[right] == label
            turn[of_class] = np.arange(of_class.sum())
        return right[np.argsort(turn, kind="stable")][:most]

    def _of_the_label(self) -> NDArray[np.float32]:
        return np.nan_to_num(self.probabilities[np.arange(len(self.labels)), self.labels])


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a run's `split.csv`."""

    path: str
    label: str
    part: str
    hash: str


def write(run: Run, part: str, rows: NDArray[np.int64], labels: NDArray[np.int64], said: NDArray[np.float32]) -> None:
    """Keeps a part's probabilities, with the cache row and true label of each image."""
    stream = io.BytesIO()
    np.savez(stream, rows=rows, labels=labels, probabilities=said)
    with writing(run.predictions, "the predictions"):
        run.predictions.mkdir(exist_ok=True)
        atomic.write_bytes(run.predictions / f"{part}.npz", stream.getvalue())


def has_validation(run: Run) -> bool:
    """Whether images are held out to judge by; a refitted run has trained on them."""
    counts = run.read_manifest().get("data", {}).get("counts", {})
    return sum(counts.get("val", [1])) > 0


def read(run: Run, part: str = "val") -> Predicted:
    """A part's kept probabilities, with the names and contents of its images.

    Raises:
        UserError: when there are none, or they do not fit the run's split.
    """
    predicted = read_unnamed(run, part)
    listed = read_split(run, part)
    if len(listed) != len(predicted.rows):
        raise UserError(
            f"{len(predicted.rows)} predictions are kept, but split.csv lists {len(listed)} images in this part",
            where=str(run.predictions / f"{part}.npz"),
            hint="A file of the run was changed from outside",
        )
    return replace(predicted, paths=tuple(one.path for one in listed), hashes=tuple(one.hash for one in listed))


def read_unnamed(run: Run, part: str = "val") -> Predicted:
    """A part's kept probabilities alone: `split.csv`, which may have a million lines, is not read.

    Raises:
        UserError: when there are none.
    """
    path = run.predictions / f"{part}.npz"
    if part == "val" and not has_validation(run):
        raise UserError(
            "this run has trained on its validation images too, so it cannot be judged by them",
            where=str(run.path),
            hint=f"Ask the run that was refitted instead, or `babysit test {run.path}`",
        )
    if not path.exists():
        raise UserError(
            "the run has not finished an epoch, so there is nothing to judge"
            if part == "val"
            else "the run's test part has not been looked at",
            where=str(run.path),
            hint="Train it further with --resume" if part == "val" else f"`babysit test {run.path}` does",
        )
    try:
        with np.load(path, allow_pickle=False) as arrays:
            rows, labels, said = arrays["rows"], arrays["labels"], arrays["probabilities"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError("the kept predictions cannot be read", where=str(path)) from error
    return Predicted(rows, labels, said)


def nothing(classes: int) -> Predicted:
    """What was said of no image at all."""
    none = np.zeros(0, np.int64)
    return Predicted(none, none, np.zeros((0, classes), np.float32), (), ())


def read_split(run: Run, part: str = "") -> list[Listed]:
    """Which image is in which part, in the order of the file.

    Arguments:
        part: the only one that is wanted; empty for all.

    Raises:
        UserError: when the table is missing or not what `train` wrote.
    """
    try:
        with run.split.open(encoding="utf-8", newline="") as stream:
            rows = read_table(stream)
            columns = itemgetter(*map(next(rows).index, Listed.__slots__))
            found = map(columns, rows)
            return [Listed(*cells) for cells in found if not part or cells[2] == part]
    except (OSError, ValueError, IndexError, StopIteration, csv.Error) as error:
        raise UserError(
            "the run's split.csv cannot be read, so its images are not known", where=str(run.split)
        ) from error


def write_calibrations(run: Run, calibrations: dict[str, Calibration]) -> None:
    """Adds the calibration of some views to the run's."""
    with writing(run.path, "the calibration"):
        kept = {view: one.as_json() for view, one in {**read_calibrations(run), **calibrations}.items()}
        atomic.write_json(run.calibration, kept)


def read_calibrations(run: Run) -> dict[str, Calibration]:
    """The calibration of each view that was fitted; empty for a run that has none (an older or unfinished one)."""
    try:
        kept = json.loads(run.calibration.read_text(encoding="utf-8"))
        return {view: Calibration.from_json(value) for view, value in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
