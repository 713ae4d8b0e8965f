"""The only reader and writer of checkpoint directories.

    checkpoints/step-000123/weights.safetensors optimizer.safetensors state.json manifest.json [statistics.safetensors]
    checkpoints/best                            (the name of the best one)

A checkpoint is written into a folder of its own, each file forced to the disk, and renamed into place: it is whole or
it is not there. `manifest.json` holds each file's SHA-256, because no tensor format notices a flipped bit.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from babysit.errors import BrokenCheckpointError, UserError, writing
from babysit.record import atomic

FORMAT = 2
"""1 without statistics.safetensors, which an older babysit would pass over and predict with other numbers."""

KEPT = 2
ASIDE = ".aside"
NAME = re.compile(r"step-(\d+)(\.aside)?")
FILES = ("weights.safetensors", "optimizer.safetensors", "state.json")
STATISTICS = "statistics.safetensors"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was kept after a step: weights and buffers, the optimiser's tensors, a readable state, and those fitted
    statistics that are arrays."""

    weights: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor]
    state: Mapping[str, Any]
    statistics: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


def save(folder: Path, step: int, checkpoint: Checkpoint) -> Path:
    """Publishes a checkpoint and removes old ones: the last two and the best stay.

    Arguments:
        folder: the run's `checkpoints` directory.

    Raises:
        UserError: when the disk is full; what was there before is intact.
    """
    path = folder / f"step-{step:06d}"
    building = folder / f"{path.name}.tmp-{os.getpid()}"
    version = FORMAT if checkpoint.statistics else 1
    contents = {
        "weights.safetensors": save_tensors(_plain(checkpoint.weights)),
        "optimizer.safetensors": save_tensors(_plain(checkpoint.optimizer)),
        "state.json": (json.dumps({"format": version, **checkpoint.state}, indent=1) + "\n").encode(),
    }
    if checkpoint.statistics:
        contents[STATISTICS] = save_arrays(dict(checkpoint.statistics))
    manifest = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in contents.items()
    }
    with writing(folder, "the checkpoint"):
        try:
            building.mkdir(exist_ok=True)
            for name, data in contents.items():
                _write(building / name, data)
            _write(building / "manifest.json", json.dumps({"format": version, "files": manifest}, indent=1).encode())
            atomic.sync_directory(building)
            if path.exists():  # the same step saved again, or a rotten one that was passed over on resume
                aside = folder / f"{path.name}{ASIDE}"
                shutil.rmtree(aside, ignore_errors=True)
                path.replace(aside)
            building.replace(path)
            atomic.sync_directory(folder)
        except OSError:
            shutil.rmtree(building, ignore_errors=True)
            raise
    return path


def mark_best(folder: Path, path: Path) -> None:
    """Remembers which checkpoint is the best so far."""
    with writing(folder, "the checkpoint"):
        atomic.write_text(folder / "best", path.name + "\n")


def prune(folder: Path) -> None:
    """Removes all but the last two checkpoints and the best, and what interrupted saves have left."""
    for leftover in folder.glob("step-*.tmp-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    for aside in folder.glob(f"step-*{ASIDE}"):
        if aside.with_name(aside.name.removesuffix(ASIDE)).is_dir():
            shutil.rmtree(aside, ignore_errors=True)
    best = best_path(folder)
    for path in steps(folder)[:-KEPT]:
        if path != best:
            shutil.rmtree(path, ignore_errors=True)


def steps(folder: Path) -> list[Path]:
    """The published checkpoints, oldest first; one set aside by an interrupted save comes before its successor."""
    found = [(NAME.fullmatch(path.name), path) for path in folder.glob("step-*") if path.is_dir()]
    named = [(int(match[1]), match[2] is None, path) for match, path in found if match]
    return [path for _, _, path in sorted(named)]


def best_path(folder: Path) -> Path | None:
    """The best checkpoint's directory, if one is marked and there."""
    try:
        name = (folder / "best").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return folder / name if NAME.fullmatch(name) and (folder / name).is_dir() else None


def load(path: Path) -> Checkpoint:
    """Reads a checkpoint whose every byte is the one that was written.

    Raises:
        BrokenCheckpointError: when a file is missing, changed or foreign; the message names it.
    """
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        version, files = manifest["format"], manifest["files"]
        expected = {name: str(files[name]["sha256"]) for name in (*FILES, *({STATISTICS} & files.keys()))}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenCheckpointError(
            "this is not a checkpoint of ours: its manifest.json cannot be read", where=str(path)
        ) from error
    if version > FORMAT:
        raise BrokenCheckpointError(
            f"the checkpoint has format {version}, this babysit reads up to {FORMAT}", where=str(path)
        )
    contents = {}
    for name, digest in expected.items():
        try:
            contents[name] = (path / name).read_bytes()
        except OSError as error:
            raise BrokenCheckpointError(f"{name} is missing from the checkpoint", where=str(path)) from error
        if hashlib.sha256(contents[name]).hexdigest() != digest:
            raise BrokenCheckpointError(
                f"{name} is not what was written: its SHA-256 differs from the manifest's", where=str(path)
            )
    return Checkpoint(
        load_tensors(contents["weights.safetensors"]),
        load_tensors(contents["optimizer.safetensors"]),
        json.loads(contents["state.json"]),
        load_arrays(contents[STATISTICS]) if STATISTICS in contents else {},
    )


def load_newest(folder: Path) -> tuple[Checkpoint | None, Path | None, list[str]]:
    """The newest checkpoint that is whole.

    Returns:
        The checkpoint and its directory (None when there never was one), and a sentence for each passed over.

    Raises:
        UserError: when there are checkpoints but every one is broken.
    """
    complaints: list[str] = []
    for path in reversed(steps(folder)):
        try:
            return load(path), path, complaints
        except BrokenCheckpointError as error:
            complaints.append(str(error))
    if complaints:
        raise UserError(
            "every checkpoint of this run is broken: " + " | ".join(complaints),
            where=str(folder),
            hint="Restore one from a backup, or start a new run",
        )
    return None, None, complaints


def flatten_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state as named tensors, `PARAMETER.QUANTITY`; numbers become tensors of one element."""
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": value if isinstance(value, Tensor) else torch.tensor(value)
        for index, values in state.items()
        for name, value in values.items()
        if value is not None
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Puts the tensors of `flatten_optimizer` back, laid out in memory like their parameters."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition(".")
        like = parameters[int(index)]
        placed = torch.empty_like(like).copy_(value) if value.shape == like.shape else value
        state.setdefault(int(index), {})[name] = placed
    whole = optimizer.state_dict()
    optimizer.load_state_dict({"state": state, "param_groups": whole["param_groups"]})


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
