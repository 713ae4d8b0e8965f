"""First weights from a file: a state dict in torchvision's or timm's naming, or the kept network of a run."""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from babysit import checkpoint
from babysit.errors import Fault, UserError
from babysit.models.published import load_published
from babysit.models.surgery import heads_in
from babysit.recipe.schema import ModelPart

WRAPPERS = ("state_dict", "model_state_dict", "model")
"""Keys under which training scripts keep the weights beside other things."""

PARALLEL = "module."
"""What data parallel training puts before every name."""

LEGAL = "a safetensors file, a .pth file of weights alone, or the folder of a run"

UNREADABLE = (pickle.UnpicklingError, SafetensorError, RuntimeError, OSError, EOFError, ValueError, KeyError, TypeError)
"""What the two readers raise on foreign or cut files (AttributeError and IndexError come from pickles made by hand)."""


def place_of(name: str) -> Path:
    """The file that a name stands for: itself, or the weights of a run's kept network."""
    path = Path(name).expanduser()
    best = checkpoint.best_path(path / "checkpoints") if path.is_dir() else None
    return (best / "weights.safetensors" if best else path).resolve()


def weights_fault(name: str, where: str) -> Fault | None:
    """What can be said against a file of weights before it is read."""
    path = place_of(name)
    if path.is_file():
        return None
    what = f"{path} is a folder, and not of a run" if path.is_dir() else f"there is no file {path}"
    return Fault(what, where, LEGAL)


def fingerprint(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def load_first_weights(network: nn.Module, part: ModelPart) -> str:
    """Gives a network the weights of `model.weights`; a head that does not fit keeps its own.

    Returns:
        A sentence that says what was loaded and what was not.

    Raises:
        UserError: when the file cannot be read, has changed, or is of another architecture; nothing is loaded then.
    """
    assert part.weights is not None
    path = place_of(part.weights)
    try:
        digest = fingerprint(path)
    except OSError as error:
        raise UserError(
            f"the weights cannot be read: {error.strerror or error}",
            where=str(path),
            hint="A run that has made a checkpoint goes on without them: --resume",
        ) from error
    if part.weights_hash not in (None, digest):
        raise UserError(
            "the file of these weights has changed since the run began",
            where=str(path),
            hint="Put it back as it was, or start a new run with another -o",
        )
    state = read_state(path)
    try:
        kept = load_published(network, state, heads=heads_in(network))
    except UserError as error:
        text = f"these weights do not fit {part.name}: {error.text()}"
        raise UserError(text, where=str(path), hint="Give the --model that they were trained with") from error
    said = f"{len(state)} tensors of {path.name}"
    anew = _layers(kept)
    if not anew:
        return said
    ends = (
        "begins anew, the file has none of its shape"
        if len(anew) == 1
        else "begin anew, the file has none of their shape"
    )
    return f"{said}; {', '.join(anew)} {ends}"


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name. A .pth file is read without running anything that is in it.

    Raises:
        UserError: when it is neither kind, holds more than weights, or less.
    """
    try:
        with path.open("rb") as stream:
            pickled = stream.read(2) in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04")
        found: Any = _unpickled(path) if pickled else load_file(path)
    except (*UNREADABLE, AttributeError, IndexError) as error:
        said = str(error).strip().split("\n")[0].rstrip(".")
        if "weights_only" in str(error).lower() or isinstance(error, pickle.UnpicklingError):
            said = "it holds objects besides tensors, which are not built from a file"
        raise UserError(
            f"the weights cannot be read: {said or type(error).__name__}",
            where=str(path),
            legal=LEGAL,
            hint="In the program that made it: torch.save(model.state_dict(), FILE)",
        ) from error
    for wrapper in WRAPPERS:
        if isinstance(found, Mapping) and isinstance(inner := found.get(wrapper), Mapping):
            found = inner
    if (
        not isinstance(found, Mapping)
        or not found
        or not all(isinstance(name, str) and isinstance(value, Tensor) for name, value in found.items())
    ):
        raise UserError("this file holds no weights by name", where=str(path), legal=LEGAL)
    names = list(found)
    prefix = PARALLEL if all(name.startswith(PARALLEL) for name in names) else ""
    return {name.removeprefix(prefix): found[name] for name in names}


def _unpickled(path: Path) -> object:
    """A .pth file's contents, by the reader that builds tensors, numbers and texts alone."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            # torch.save never compresses; a compressed file could be any number of times larger in memory.
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise ValueError("it is a compressed archive, which torch.save does not write")
    return torch.load(path, map_location="cpu", weights_only=True)


def _layers(names: tuple[str, ...]) -> list[str]:
    """The layers of parameters' names, each once: all of an auxiliary head as one."""
    return list(
        dict.fromkeys(name.split(".")[0] if name.startswith("aux") else name.rpartition(".")[0] for name in names)
    )
