"""Looking into a network while it runs: hooks that are there for one forward pass and leave no trace."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from babysit.probes.activations import family_of, family_seen, figures, limits, sampled
from babysit.probes.network import Network

Seen = dict[str, dict[str, Tensor]]


@dataclass
class _Trail:
    """The layer with weights that ran last and has no activation function behind it yet, and how many units it has."""

    seen: Seen
    network: Network
    last: str = ""
    units: int = 0
    numbers_only: bool = False
    finished: set[str] = field(default_factory=set)

    def idle(self) -> bool:
        """Only training passes are looked at: not validations in between, nor what a compiler traces."""
        return not (torch.is_grad_enabled() or self.numbers_only) or torch.compiler.is_compiling()


@dataclass(frozen=True)
class Unshared:
    """A hook that stays behind when its network is copied or pickled: there it does nothing.

    Somebody may keep a copy of the network while it is watched. What stands in its place is of the standard library, so
    that such a file can be read without babysit.
    """

    action: Callable[..., None]

    def __call__(self, *given: object) -> None:
        """Does what it is there for."""
        self.action(*given)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Any arguments are taken and nothing is given by the exit of a context that is none."""
        return getattr, (nullcontext(), "__exit__")


@contextmanager
def watched(network: Network, seen: Seen) -> Iterator[None]:
    """Inside, each layer's first output in a training pass is reduced to figures, which are put into `seen`.

    Activation functions that are no layers are seen by what the next layer with weights is given, and written under the
    layer before. A network that is not `hookable` runs as it is.
    """
    with _hooked(network, _Trail(seen, network), _output, _function, _input):
        yield


@contextmanager
def finite_checked(network: Network, seen: Seen) -> Iterator[None]:
    """Inside, only the share of values that are not finite is looked at, in any pass."""

    def share(trail: _Trail, name: str, _layer: nn.Module, output: Tensor) -> None:
        if name not in trail.seen:
            trail.seen[name] = {"activation_not_finite": (~torch.isfinite(output)).float().mean()}

    with _hooked(network, _Trail(seen, network, numbers_only=True), share, share, None):
        yield


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Afterwards every buffer, mode and random stream is as it was: running statistics, dropout's masks, all of it."""
    buffers = [(one, one.detach().clone()) for one in model.buffers()]
    try:
        with as_it_was(model):
            yield
    finally:
        with torch.no_grad():
            for buffer, value in buffers:
                buffer.copy_(value)


@contextmanager
def as_it_was(model: nn.Module) -> Iterator[None]:
    """Afterwards every mode and random stream is as it was; for what does not touch the buffers."""
    modes = [(layer, layer.training) for layer in model.modules()]
    python, numpy = random.getstate(), np.random.get_state()
    device = next((one.device for one in model.parameters()), torch.device("cpu"))
    with torch.random.fork_rng([] if device.type == "cpu" else [device], device_type=device.type):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
            for layer, mode in modes:
                layer.training = mode


def training_mode_without_dropout(model: nn.Module) -> None:
    """Training mode, in which layers that drop units at random do not; for inside `untouched`."""
    model.train()
    for layer in model.modules():
        if isinstance(layer, _DropoutNd) or any(
            word in type(layer).__name__.lower() for word in ("drop", "stochastic")
        ):
            layer.eval()


Hook = Callable[[_Trail, str, nn.Module, Tensor], None]


@contextmanager
def _hooked(network: Network, trail: _Trail, output: Hook, function: Hook, given: Hook | None) -> Iterator[None]:
    handles = []
    try:
        if network.hookable:
            layers = {one.layer: one.name for one in network.weighted}
            for layer, name in layers.items():
                if given:
                    handles.append(layer.register_forward_pre_hook(_before(trail, name, given)))
                handles.append(layer.register_forward_hook(_after(trail, name, output)))
            for name, layer in network.activations:
                handles.append(layer.register_forward_hook(_after(trail, name, function)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _after(trail: _Trail, name: str, hook: Hook) -> Unshared:
    def call(layer: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor) and output.is_floating_point() and output.numel() and not trail.idle():
            hook(trail, name, layer, output.detach())

    return Unshared(call)


def _before(trail: _Trail, name: str, hook: Hook) -> Unshared:
    def call(layer: nn.Module, inputs: tuple[object, ...]) -> None:
        first = inputs[0] if inputs else None
        if isinstance(first, Tensor) and first.is_floating_point() and first.numel() and not trail.idle():
            hook(trail, name, layer, first.detach())

    return Unshared(call)


def _output(trail: _Trail, name: str, _layer: nn.Module, output: Tensor) -> None:
    trail.last, trail.units = name, output.shape[1] if output.ndim >= 2 else 0
    if name not in trail.seen:
        trail.seen[name] = figures(output, "", function=False)


def _function(trail: _Trail, name: str, layer: nn.Module, output: Tensor) -> None:
    trail.last = ""
    if name not in trail.seen:
        trail.seen[name] = figures(output, family_of(layer), function=True)


def _input(trail: _Trail, _name: str, _layer: nn.Module, given: Tensor) -> None:
    if not trail.last or trail.last in trail.finished:
        return
    trail.finished.add(trail.last)
    values = given
    if given.ndim == 2 and trail.units and given.shape[1] % trail.units == 0:
        values = given.unflatten(1, (trail.units, -1))[..., None]  # maps that were flattened: a unit is a channel again
    found = limits(values, sampled(values).float(), family_seen(values))
    trail.seen.get(trail.last, {}).update(found)
