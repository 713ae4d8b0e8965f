"""Run: the directory. Everything asked, seen, judged and kept is in it as plain files."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from babysit.errors import UserError, writing
from babysit.record import atomic
from babysit.record.manifest import check_manifest

FORMAT = 1
Status = str


@dataclass(frozen=True, slots=True)
class Run:
    """The paths of one run.

    >>> Run(Path("runs/a")).log.as_posix()
    'runs/a/log.jsonl'
    """

    path: Path

    @property
    def recipe(self) -> Path:
        """The resolved recipe."""
        return self.path / "recipe.toml"

    @property
    def split(self) -> Path:
        """Which image is in which part, with its content hash."""
        return self.path / "split.csv"

    @property
    def corrections(self) -> Path:
        """The lists of corrections, as they were when the run began."""
        return self.path / "corrections"

    @property
    def log(self) -> Path:
        """One line per step."""
        return self.path / "log.jsonl"

    @property
    def events(self) -> Path:
        """TensorBoard's files, when they were asked for."""
        return self.path / "events"

    @property
    def diagnoses(self) -> Path:
        """One line per diagnosis."""
        return self.path / "diagnoses.jsonl"

    @property
    def environment(self) -> Path:
        """Versions, machine, and one entry per session (start or resume)."""
        return self.path / "environment.json"

    @property
    def manifest(self) -> Path:
        """Format version, status, data summary and final scores."""
        return self.path / "manifest.json"

    @property
    def report(self) -> Path:
        """The self-contained page."""
        return self.path / "report.html"

    @property
    def checkpoints(self) -> Path:
        """One directory per checkpoint."""
        return self.path / "checkpoints"

    @property
    def predictions(self) -> Path:
        """Predicted probabilities, a file per part."""
        return self.path / "predictions"

    @property
    def attention(self) -> Path:
        """Where the network looked in its worst mistakes: maps over the pictures."""
        return self.path / "arrays" / "attention.npz"

    @property
    def calibration(self) -> Path:
        """The temperature of each view, and what it did on validation."""
        return self.path / "calibration.json"

    @property
    def likeness(self) -> Path:
        """How far the training images' features lie apart, for telling images of another kind."""
        return self.path / "likeness.safetensors"

    @property
    def suggested(self) -> Path:
        """The recipe that a diagnosis suggests in place of the run's own."""
        return self.path / "suggested.toml"

    @property
    def remedies(self) -> Path:
        """A folder for each remedy: the way the training went before it, or the remedied way when that was taken back."""
        return self.path / "remedies"

    @property
    def looks(self) -> Path:
        """A copy of the looks at this run's test images."""
        return self.path / "test-ledger.json"

    def read_manifest(self) -> dict[str, Any]:
        """The manifest.

        Raises:
            UserError: when this is not a run, or one of a newer format, or a field is not what it must be.
        """
        if not self.path.is_dir():
            raise UserError("there is no run here", where=str(self.path), hint="`babysit train DATA -o RUN` makes one")
        try:
            manifest = json.loads(self.manifest.read_text(encoding="utf-8"))
            version = manifest["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                "this folder is not a babysit run: it has no readable manifest.json",
                where=str(self.path),
                hint="Give the folder that `babysit train` printed at its end",
            ) from error
        if isinstance(version, int) and version > FORMAT:
            raise UserError(
                f"the run has format {version}, this babysit reads up to {FORMAT}",
                where=str(self.path),
                hint="Use the newer version that wrote it",
            )
        check_manifest(manifest, self.manifest)
        return manifest

    def update_manifest(self, **changes: object) -> None:
        """Changes some keys of the manifest, atomically."""
        manifest: dict[str, object] = {"format": FORMAT}
        if self.manifest.exists():
            manifest = self.read_manifest()
        with writing(self.path, "the run"):
            atomic.write_json(self.manifest, {**manifest, **changes})


def check_free(path: Path) -> None:
    """Refuses a place that is taken, before any work is done for it.

    Raises:
        UserError: when something is there already; an empty folder is free.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        what = "there is a run here already" if (path / "manifest.json").exists() else "this place is not empty"
        raise UserError(
            what,
            where=str(path),
            hint="Continue it with --resume, or choose another place with -o; nothing was touched",
        )


def check_place(path: Path) -> None:
    """Refuses a place that is taken or cannot be written, before any work is done for it; leaves nothing there.

    Raises:
        UserError: as `create`.
    """
    check_free(path)
    missing = [one for one in (path, *path.parents) if not one.exists()]
    with writing(path, "the run"):
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
        finally:
            for one in missing:
                if one.is_dir():
                    one.rmdir()


def create(path: Path) -> Run:
    """Makes a new run directory.

    Raises:
        UserError: when something is there already, or the place cannot be written.
    """
    check_free(path)
    with writing(path, "the run"):
        path.mkdir(parents=True, exist_ok=True)
        run = Run(path)
        run.checkpoints.mkdir(exist_ok=True)
        run.predictions.mkdir(exist_ok=True)
        run.update_manifest(status="started")
    return run


def free_name(parent: Path, stem: str) -> Path:
    """The first of STEM, STEM-2, STEM-3, ... that does not exist."""
    candidate, number = parent / stem, 1
    while candidate.exists():
        number += 1
        candidate = parent / f"{stem}-{number}"
    return candidate


def lock(run: Run) -> IO[str]:
    """Holds the run for this process until the returned file is closed.

    Raises:
        UserError: when another process is training it.
    """
    path = run.path / ".lock"
    stream = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        stream.seek(0)
        holder = stream.read().strip() or "unknown"
        stream.close()
        raise UserError(
            f"another process ({holder}) is training this run",
            where=str(run.path),
            hint="Wait for it, or stop it first",
        ) from error
    stream.truncate(0)
    stream.write(f"process {os.getpid()}\n")
    stream.flush()
    return stream
