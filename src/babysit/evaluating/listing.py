"""The runs in a folder: what each came to, and removing one."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babysit.errors import UserError, writing
from babysit.metrics import wilson_interval
from babysit.record import predictions
from babysit.record.run import Run, lock

DEEPEST = 4
"""Folders below the one that is listed."""


@dataclass(frozen=True)
class ListedRun:
    """One run. `correct` of `count` validation images, None without a finished epoch; `date` of its last change, UTC;
    `size` in bytes on the disk; `problem` why it cannot be read, if so."""

    name: str
    path: str
    data: str
    status: str
    date: str
    size: int
    correct: int | None = None
    count: int | None = None
    problem: str = ""

    @property
    def accuracy(self) -> float | None:
        """Share of the validation images named rightly."""
        return self.correct / self.count if self.correct is not None and self.count else None

    def as_json(self) -> dict[str, Any]:
        """The run as plain JSON values."""
        interval = list(wilson_interval(self.correct, self.count)) if self.correct is not None and self.count else None
        return {**asdict(self), "accuracy": self.accuracy, "interval": interval}


def list_folder(folder: Path) -> list[ListedRun]:
    """Every run in a folder and below, newest first; what is not a run is passed over.

    Raises:
        UserError: when there is no such folder.
    """
    if not folder.is_dir():
        raise UserError("there is no such folder", where=str(folder), hint="Give the folder that holds your runs")
    found = [_listed(path, folder) for path in _runs(folder, DEEPEST)]
    return sorted((one for one in found if one), key=lambda one: (one.date, one.name), reverse=True)


def remove(folder: Path, name: str) -> int:
    """Removes a run and all that is in it; the ledger of looks at test images stays as it is.

    Returns:
        The bytes that became free.

    Raises:
        UserError: when there is no run of that name in the folder, or it is being trained.
    """
    path = find(folder, name)
    size = _size(path)
    with lock(Run(path)), writing(path, "the removal"):
        # The manifest goes last, so that a removal cut short leaves something that can be listed and removed again.
        for entry in sorted(path.iterdir(), key=lambda one: one.name in ("manifest.json", ".lock")):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        path.rmdir()
    return size


def find(folder: Path, name: str) -> Path:
    """The run of that name in a folder.

    Raises:
        UserError: when there is none, or the name leads out of the folder.
    """
    path = folder / name
    names = [one.name for one in list_folder(folder)]
    if name not in names or path.is_symlink():
        raise UserError(
            f"there is no run '{name}' in this folder",
            where=str(folder),
            legal=", ".join(names[:10]) or "none: the folder holds no run",
            hint="Nothing was removed",
        )
    return path


def _runs(folder: Path, depth: int) -> list[Path]:
    found = []
    for path in sorted(folder.iterdir()):
        if not path.is_dir() or path.is_symlink() or path.name.startswith("."):
            continue
        if (path / "manifest.json").is_file() and (path / "checkpoints").is_dir():
            found.append(path)
        if depth > 1 and path.name not in ("checkpoints", "predictions"):
            found += _runs(path, depth - 1)
    return found


def _listed(path: Path, folder: Path) -> ListedRun | None:
    run, problem, correct, count = Run(path), "", None, None
    data, status = "", "?"
    try:
        manifest = run.read_manifest()
        data, status = str(manifest.get("data", {}).get("source", "")), str(manifest.get("status", "?"))
        if (run.predictions / "val.npz").exists():
            predicted = predictions.read(run)
            count = len(predicted.labels)
            correct = int((predicted.probabilities.argmax(axis=1) == predicted.labels).sum())
    except UserError as error:
        problem = error.faults[0].what
    changed = max(one.stat().st_mtime for one in (run.manifest, run.log) if one.exists())
    date = datetime.fromtimestamp(changed, UTC).isoformat(timespec="seconds")
    name = str(path.relative_to(folder))
    return ListedRun(name, str(path), data, status, date, _size(path), correct, count, problem)


def _size(path: Path) -> int:
    return sum(one.lstat().st_size for one in path.rglob("*") if one.is_file() and not one.is_symlink())
