"""Suspected wrong labels: confident learning on predictions of images the network was not trained on.

A class's threshold is the mean probability it gets on the images labelled with it. An image is a suspect when another
class reaches its own threshold there, and more of it than the label's class does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from babysit.errors import UserError, writing
from babysit.names import table_text
from babysit.record import atomic, predictions
from babysit.record.run import Run


@dataclass(frozen=True, slots=True)
class Suspect:
    """One image: its label, the class that is suggested, and how sure that is.

    `confidence` is the suggested class's probability less that of the label, 0 to 1.
    """

    path: str
    label: str
    suggested: str
    confidence: float


@dataclass(frozen=True)
class Suspects:
    """What was found in `judged` images of `runs`, worst first."""

    suspects: tuple[Suspect, ...]
    judged: int
    runs: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The suspects as plain JSON values."""
        return {"suspects": [asdict(one) for one in self.suspects], "judged": self.judged, "runs": list(self.runs)}

    def as_csv(self) -> str:
        """A line per suspect: path, label (the suggested one), was, confidence; `--relabel` and `--exclude` take it."""
        rows = ((one.path, one.suggested, one.label, f"{one.confidence:.4f}") for one in self.suspects)
        return table_text([("path", "label", "was", "confidence"), *rows])


def find_suspects(path: Path) -> Suspects:
    """The suspects among the validation images of a run, or of all its folds when it was trained with folds.

    Raises:
        UserError: when there is no run, or it has not finished an epoch.
    """
    run = Run(path)
    folds = sorted(one for one in path.glob("fold-*") if (one / "predictions" / "val.npz").exists())
    if not folds:
        run.read_manifest()
    judged = [Run(one) for one in folds] or [run]
    classes = {tuple(one.read_manifest().get("data", {}).get("classes", ())) for one in judged}
    parts = [predictions.read(one) for one in judged]
    if len(classes) != 1:
        raise UserError("the folds of this run are of different classes", where=str(path))
    names = classes.pop()
    labels = np.concatenate([one.labels for one in parts])
    probabilities = np.concatenate([one.probabilities for one in parts])
    paths = [name for one in parts for name in one.paths]
    suspects = [
        Suspect(paths[place], names[labels[place]], names[suggested], confidence)
        for place, suggested, confidence in confident_joint(probabilities, labels)
    ]
    return Suspects(tuple(suspects), len(labels), tuple(str(one.path) for one in judged))


def confident_joint(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> list[tuple[int, int, float]]:
    """The images that are counted off the diagonal of the confident joint, most confident first.

    t_j = mean of p_j over the images labelled j
    image i is counted under the class j with the largest p_ij among those with p_ij >= t_j

    Arguments:
        probabilities: out of sample, shape (n, classes).
        labels: as given, shape (n,).

    Returns:
        (image, suggested class, p of the suggested less p of the label) of each suspect.

    Source: Northcutt, Jiang, Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70 (2021).
    """
    said = np.nan_to_num(probabilities.astype(np.float64))
    classes = said.shape[1]
    thresholds = np.array(
        [said[labels == label, label].mean() if (labels == label).any() else np.inf for label in range(classes)]
    )
    reached = np.where(said >= thresholds, said, -1.0)
    suggested = reached.argmax(axis=1)
    margin = said[np.arange(len(labels)), suggested] - said[np.arange(len(labels)), labels]
    off = np.flatnonzero((reached.max(axis=1) >= 0) & (suggested != labels) & (margin > 0))
    ordered = off[np.argsort(-margin[off], kind="stable")]
    return [(int(place), int(suggested[place]), float(margin[place])) for place in ordered]


def write_list(suspects: Suspects, path: Path) -> None:
    """Writes the list as CSV.

    Raises:
        UserError: when the place cannot be written.
    """
    with writing(path, "the list of suspects"):
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_text(path, suspects.as_csv())
