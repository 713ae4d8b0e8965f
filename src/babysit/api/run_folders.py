"""Folders of runs: listing them, removing one. No torch."""

from __future__ import annotations

from pathlib import Path

from babysit.evaluating import listing


def list_runs(folder: str | Path = "runs") -> list[listing.ListedRun]:
    """Every run in a folder and below, newest first.

    Raises:
        UserError: when there is no such folder.
    """
    return listing.list_folder(Path(folder))


def find_run(folder: str | Path, name: str) -> Path:
    """The run of a name in a folder.

    Raises:
        UserError: when there is none.
    """
    return listing.find(Path(folder), name)


def remove_run(folder: str | Path, name: str) -> int:
    """Removes a run for good and returns the bytes that became free.

    Raises:
        UserError: when there is no run of that name in the folder, or it is being trained.
    """
    return listing.remove(Path(folder), name)
