"""Ways set aside: moving a run's files when a remedy begins, and back when it is taken back.

A way is all that a training writes while it goes on: recipe, log, checkpoints, predictions, arrays, diagnoses. The
one that the run is on lies in the run itself, another one in `remedies/N-before` or `remedies/N-taken-back`, each a
run of its own that can be reported and compared. The process may end at any moment: every move is a rename that is
skipped when it was made already, and the remedy's state in the manifest says which moves are due.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit import checkpoint
from babysit.errors import UserError, writing
from babysit.recipe import Recipe, read_resolved
from babysit.record import atomic
from babysit.record.run import Run
from babysit.training import remedy
from babysit.training.earlier import changed_at
from babysit.training.kept_recipe import write_recipe
from babysit.training.remedy import Remedied

FILES = ("recipe.toml", "log.jsonl", "checkpoints", "predictions", "arrays", "diagnoses.jsonl", "events")

COMPARED = "compared.npz"
"""What the old way said of the validation images at the step of the diagnosis."""


def before(run: Run, number: int) -> Run:
    """The way before a remedy."""
    return Run(run.remedies / f"{number}-before")


def taken_back(run: Run, number: int) -> Run:
    """The way of a remedy that was taken back."""
    return Run(run.remedies / f"{number}-taken-back")


def keep_predictions(run: Run, number: int, rows: NDArray[np.int64], said: NDArray[np.float32]) -> None:
    """Keeps what the old way says of the validation images, for the comparison."""
    aside, stream = before(run, number), io.BytesIO()
    np.savez(stream, rows=rows, probabilities=said)
    with writing(run.remedies, "the way before the remedy"):
        aside.path.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(aside.path / COMPARED, stream.getvalue())


def kept_predictions(run: Run, number: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """What the old way said of the same images.

    Raises:
        UserError: when that cannot be read, or it was of others.
    """
    path = before(run, number).path / COMPARED
    try:
        with np.load(path, allow_pickle=False) as arrays:
            known, said = arrays["rows"], arrays["probabilities"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError("the predictions of the way before a remedy cannot be read", where=str(path)) from error
    if not np.array_equal(known, rows):
        raise UserError("the way before a remedy was judged by other images", where=str(path))
    return said


def begin(run: Run, one: Remedied) -> None:
    """Sets the present way aside and lays the ground for the remedied one: its recipe, and where it continues from.

    Arguments:
        one: in the state `beginning`, which says what is still to do after a crash; in the state `trial` afterwards.
    """
    aside = before(run, one.number)
    with writing(run.remedies, "the way before the remedy"):
        _move_all(run, aside)
        for name in FILES:  # what an interrupted attempt has begun to lay out
            if (aside.path / name).exists():
                _remove(run.path / name)
        _describe(run, aside, "set aside")
        run.checkpoints.mkdir(exist_ok=True)
        run.predictions.mkdir(exist_ok=True)
        if one.begin:
            _copy_checkpoint(aside, run, one.begin)
        why = {
            name: f"remedy {one.number}, for {one.rule}; it was {remedy.said(old)}"
            for name, (old, _) in one.settings.items()
        }
        reasons = {**aside.read_manifest().get("reasons", {}), **why}
        write_recipe(run, recipe_after(read_resolved(aside.recipe), one), reasons)
        run.update_manifest(reasons=reasons)
    remedy.write(run, replace(one, state="trial"))


def take_back(run: Run, one: Remedied) -> Remedied:
    """Sets the remedied way aside and brings the old one back; goes on where a crash has left it."""
    old, tried = before(run, one.number), taken_back(run, one.number)
    with writing(run.remedies, "the way of the remedy"):
        if one.state == "taking back":
            tried.path.mkdir(parents=True, exist_ok=True)
            _move_all(run, tried)
            _describe(run, tried, "taken back")
            one = replace(one, state="bringing back")
            remedy.write(run, one)
        _move_all(old, run)
        if old.manifest.exists():
            run.update_manifest(reasons=old.read_manifest().get("reasons", {}))
        _remove(old.path)
        _remove(tried.checkpoints)
    one = replace(one, state="taken back")
    remedy.write(run, one)
    return one


def settle(run: Run) -> None:
    """Finishes a change of ways during which the process ended."""
    for one in remedy.read(run):
        if one.state == "beginning":
            begin(run, one)
        elif one.state in ("taking back", "bringing back"):
            take_back(run, one)


def forget_checkpoints(run: Run, one: Remedied) -> None:
    """Removes the old way's checkpoints: it is not returned to. Its recipe, log and predictions stay."""
    with suppress(OSError):
        _remove(before(run, one.number).checkpoints)


def recipe_after(old: Recipe, one: Remedied) -> Recipe:
    """The recipe of the remedied way."""
    new = old.replace({name: after for name, (_, after) in one.settings.items()})
    return changed_at(old, new, one.begin) if one.begin else new.replace({"train.earlier": ()})


def _move_all(source: Run, target: Run) -> None:
    for name in FILES:
        _move(source.path / name, target.path / name)


def _move(source: Path, target: Path) -> None:
    if source.exists() and not target.exists():
        source.rename(target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _describe(run: Run, aside: Run, status: str) -> None:
    """Makes a run of a way: the split, the lists of corrections and the manifest, without the run's remedies."""
    if run.split.exists():
        shutil.copyfile(run.split, aside.split)
    if run.corrections.is_dir():
        shutil.copytree(run.corrections, aside.corrections, dirs_exist_ok=True)
    manifest = {name: value for name, value in run.read_manifest().items() if name not in ("remedies", "format")}
    aside.update_manifest(**{**manifest, "status": status})


def _copy_checkpoint(source: Run, target: Run, step: int) -> None:
    """The checkpoint of a step, with what belongs to it: the log up to then, and the predictions of the best network."""
    name = f"step-{step:06d}"
    shutil.copytree(source.checkpoints / name, target.checkpoints / name)
    checkpoint.mark_best(target.checkpoints, target.checkpoints / name)
    kept = checkpoint.load(target.checkpoints / name)
    whole = source.log.read_bytes()
    target.log.write_bytes(whole[: int(kept.state["log_offset"])])
    with suppress(FileNotFoundError):
        shutil.copyfile(source.predictions / "val.npz", target.predictions / "val.npz")
