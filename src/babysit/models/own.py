"""A network of the user's own: `path/to/file.py:name`, a function that returns an `nn.Module`.

The function is given those of `size`, `channels` and `classes` that it names as parameters; any other must have a
default. The file is run as Python with the user's rights, so it must be one they trust. It stands alone: it may import
what is installed, not its neighbours, so that the SHA-256 of its bytes, kept with the run, tells all its changes.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from babysit.errors import Fault, UserError
from babysit.layers.geometry import Volume
from babysit.layers.legal import pooling_windows, windows
from babysit.losses import heads_of
from babysit.models.shape import Shape

GIVEN = ("size", "channels", "classes")
FILTERS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


def is_own(name: str) -> bool:
    """Whether a model's name is one of a file.

    >>> is_own("nets/mine.py:small"), is_own("vgg16")
    (True, False)
    """
    return ".py:" in name


@dataclass(frozen=True, slots=True)
class OwnNetwork:
    """Where a network of the user's own is made: a function of a Python file.

    >>> OwnNetwork.read("nets/mine.py:small").function
    'small'
    """

    path: Path
    function: str

    @classmethod
    def read(cls, name: str) -> OwnNetwork:
        """Reads `path/to/file.py:name`."""
        path, _, function = name.rpartition(":")
        return cls(Path(path), function)

    @property
    def absolute(self) -> str:
        """The same name, good from any working directory."""
        return f"{self.path.resolve()}:{self.function}"

    def fault(self, where: str = "") -> Fault | None:
        """What can be said against it without running it."""
        if not self.path.is_file():
            return Fault(f"there is no file {self.path}", where=where, legal="path/to/file.py:name of a function")
        if not self.function.isidentifier():
            return Fault(f"'{self.function}' is not the name of a function", where, "path/to/file.py:name")
        return None

    def fingerprint(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self._source()).hexdigest()

    def build(self, shape: Shape, expected: str = "") -> nn.Module:
        """Runs the file and calls the function.

        Arguments:
            expected: the file's SHA-256 when the run began; empty takes any.

        Raises:
            UserError: when the file changed, or it or its function fails, or what comes back is no network that takes
                the shape.
        """
        source = self._source()
        if expected and hashlib.sha256(source).hexdigest() != expected:
            raise UserError(
                "the file of this network has changed since the run began",
                where=str(self.path),
                hint="Put it back as it was, or start a new run with another -o",
            )
        function = self._function(source)
        network = self._guarded(lambda: function(**self._arguments(function, shape)))
        if not isinstance(network, nn.Module):
            raise UserError(
                f"{self.function} returned {type(network).__name__}, not a torch.nn.Module", where=str(self.path)
            )
        check_scores(network, shape, str(self.path))
        return network

    def _source(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise UserError(
                f"the file of this network cannot be read ({error.strerror})",
                where=str(self.path),
                hint="It must be where it was when the run began",
            ) from error

    def _function(self, source: bytes) -> Callable[..., object]:
        module = ModuleType(f"babysit_own_{self.path.stem}")
        module.__file__ = str(self.path)
        sys.modules[module.__name__] = module  # dataclasses and copying look their class's module up
        self._guarded(lambda: exec(compile(source, str(self.path), "exec"), module.__dict__))
        function = getattr(module, self.function, None)
        if not callable(function):
            there = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
            raise UserError(
                f"there is no function '{self.function}'",
                where=str(self.path),
                legal=", ".join(there) or "the file defines none",
            )
        return function

    def _arguments(self, function: Callable[..., object], shape: Shape) -> dict[str, int]:
        parameters = inspect.signature(function).parameters.values()
        wanted = [one.name for one in parameters if one.name in GIVEN]
        alien = [
            one.name
            for one in parameters
            if one.name not in GIVEN
            and one.default is one.empty
            and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        ]
        if alien:
            raise UserError(
                f"{self.function} wants {', '.join(alien)}, which {'has' if len(alien) == 1 else 'have'} no default",
                where=str(self.path),
                legal=f"parameters named {', '.join(GIVEN)}, and others with a default",
            )
        return {name: getattr(shape, name) for name in wanted}

    def _guarded(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the user's function returns
        try:
            return work()
        except UserError:
            raise
        except (Exception, SystemExit) as error:  # a script that ends itself would end us without a word
            here = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(self.path)]
            line = f":{here[-1].lineno}" if here else ""
            raise UserError(f"{type(error).__name__}: {error}", where=f"{self.path}{line}") from error


def check_scores(network: nn.Module, shape: Shape, where: str) -> None:
    """Tries a network of someone else's on two grey images, as in training and as in prediction; leaves it as it was.

    Raises:
        UserError: when it cannot take them or gives something else than a score per class.
    """
    for training in (True, False):
        outputs = _tried(network, shape, where, training=training)
        if not (isinstance(outputs, Tensor) or (isinstance(outputs, (tuple, list)) and _all_tensors(outputs))):
            one = f", as outputs[{next(iter(outputs))!r}]" if isinstance(outputs, dict) and outputs else ""
            raise UserError(
                f"the network gives {_kind(outputs)}{' in training' if training else ''}, not scores",
                where=where,
                legal="a tensor, images x classes; or a tuple of such, the network's own scores first",
                hint=f"Return the scores themselves{one}",
            )
        scores = heads_of(tuple(outputs) if isinstance(outputs, list) else outputs)[0]
        if tuple(scores.shape) != (2, shape.classes):
            raise UserError(
                f"two images give scores of shape {tuple(scores.shape)}", where=where, legal=f"(2, {shape.classes})"
            )


def _tried(network: nn.Module, shape: Shape, where: str, *, training: bool) -> object:
    """What the network gives; neither its buffers, nor its mode, nor the random stream are changed by it."""
    images = torch.zeros(2, shape.channels, shape.size, shape.size)
    before, entered = network.training, Entered(network)
    kept = {name: value.clone() for name, value in network.named_buffers() if not is_lazy(value)}
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), entered:
            return network.train(training)(images)
    except UserError as error:
        raise UserError.of(
            [replace(fault, where=f"{where}, layer {entered.last or fault.where}") for fault in error.faults]
        ) from error
    except Exception as error:
        size = "x".join(map(str, images.shape[1:]))
        layer = f", layer {entered.last}" if entered.last else ""
        raise UserError(f"the network cannot take {size} images: {error}", where=f"{where}{layer}") from error
    finally:
        network.train(before)
        for name, value in network.named_buffers():
            if name in kept:
                value.copy_(kept[name])


def _all_tensors(outputs: Sequence[object]) -> bool:
    return len(outputs) > 0 and all(isinstance(one, Tensor) for one in outputs)


def _kind(outputs: object) -> str:
    """What came back, for a person."""
    if isinstance(outputs, dict):
        return f"a dict of {', '.join(map(repr, outputs)) or 'nothing'}"
    if isinstance(outputs, (tuple, list)):
        return f"a {type(outputs).__name__} of {', '.join(type(one).__name__ for one in outputs) or 'nothing'}"
    return type(outputs).__name__


class Entered:
    """Knows the layer that a network's images have come to, and refuses a filter that does not fit them there.

    As a context manager: it watches until it is left.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.last = ""
        self._hooks = ExitStack()

    def __enter__(self) -> Entered:
        for name, layer in self.network.named_modules():
            if not any(layer.children()):
                hook = layer.register_forward_pre_hook(lambda layer, given, name=name: self._enter(name, layer, given))
                self._hooks.callback(hook.remove)
        return self

    def __exit__(self, *error: object) -> None:
        self._hooks.close()

    def _enter(self, name: str, layer: nn.Module, given: tuple[object, ...]) -> None:
        self.last = f"{name} ({type(layer).__name__})".lstrip()
        images = given[0] if given else None
        if not isinstance(images, Tensor):
            return
        if type(layer) is nn.Linear and images.ndim:
            _matches(images.shape[-1], layer.in_features, "values an image" if images.ndim == 2 else "values")
        if images.ndim != 4 or not isinstance(layer, FILTERS):
            return
        if type(layer) is nn.Conv2d:
            _matches(images.shape[1], layer.in_channels, "channels")
        if layer.padding == "same":  # fits whatever its filter is
            return
        volume = Volume(images.shape[1], images.shape[2], images.shape[3])
        padding = 0 if layer.padding == "valid" else layer.padding
        numbers = {"kernel_size": layer.kernel_size, "padding": padding, "stride": layer.stride}
        if isinstance(layer, nn.Conv2d):
            windows(self.last, volume, **numbers, dilation=layer.dilation)
        else:
            dilation = layer.dilation if isinstance(layer, nn.MaxPool2d) else 1
            pooling_windows(self.last, volume, **numbers, dilation=dilation, ceil_mode=layer.ceil_mode)


def _matches(given: int, taken: int, what: str) -> None:
    if given != taken:
        raise ValueError(f"the layer takes {taken} {what} and is given {given}")
