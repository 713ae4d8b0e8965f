"""Follows images through a network: what each layer is given, gives, and sees of the input.

On the meta device nothing is computed and no memory is taken, so that the largest network is followed in a moment. Layers are seen
through hooks; receptive fields are carried through whatever functions stand between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from babysit.layers.geometry import ReceptiveField, Window, Windows
from babysit.layers.local import LocallyConnected2d


@dataclass(frozen=True, slots=True)
class Sight:
    """What one value of a tensor sees of the image, along height and width, and at how many positions values stand."""

    fields: tuple[ReceptiveField, ReceptiveField]
    positions: tuple[int, int]

    def through(self, windows: Windows, positions: tuple[int, int]) -> Sight:
        """The sight behind a layer with a filter."""
        down, across = (field.after(window) for field, window in zip(self.fields, windows, strict=True))
        return Sight((down, across), positions)

    def of_all(self) -> Sight:
        """The sight of a value that sees every position: behind a full layer."""
        windows = tuple(Window(count) for count in self.positions)
        return self.through((windows[0], windows[1]), (1, 1))

    def joined(self, other: Sight) -> Sight:
        """The sight of a value made of one of each."""
        down, across = (one.joined(two) for one, two in zip(self.fields, other.fields, strict=True))
        return Sight((down, across), self.positions)

    def covers(self, height: int, width: int) -> bool:
        """Whether the first value sees the whole image."""
        sizes = zip(self.fields, (height, width), strict=True)
        return all(field.start <= 0 and field.start + field.size >= size for field, size in sizes)


class Seeing(TorchFunctionMode):
    """Carries each tensor's sight through every function called: the join of its inputs' sights."""

    def __init__(self) -> None:
        super().__init__()
        self._sights: dict[int, tuple[Tensor, Sight]] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        result = func(*args, **(kwargs or {}))
        given = [sight for tensor in tensors_in((args, kwargs)) if (sight := self.of(tensor))]
        for tensor in tensors_in(result) if given else ():
            sight = given[0]
            for other in given[1:]:
                sight = sight.joined(other)
            self.put(tensor, sight)
        return result

    def of(self, tensor: Tensor) -> Sight | None:
        """A tensor's sight, None for one that does not come from the image."""
        kept = self._sights.get(id(tensor))
        return kept[1] if kept else None

    def put(self, tensor: Tensor, sight: Sight) -> None:
        """Sets a tensor's sight; the tensor is kept, so that its identity stays its own."""
        if tensor.ndim == 4:
            sight = replace(sight, positions=(tensor.shape[2], tensor.shape[3]))
        self._sights[id(tensor)] = (tensor, sight)


@dataclass(frozen=True, slots=True)
class Call:
    """One layer being applied once: its shapes without the batch, and what its output sees."""

    name: str
    layer: nn.Module
    given: tuple[int, ...]
    gave: tuple[int, ...]
    sight: Sight


@dataclass(frozen=True, slots=True)
class Traced:
    """What was seen, in the order of execution.

    `calls` of layers without layers inside; `blocks` the name and output shape of what the network is a sequence of;
    `kept_bytes` what autograd keeps for the backward pass, per image.
    """

    calls: tuple[Call, ...]
    blocks: tuple[tuple[str, tuple[int, ...]], ...]
    kept_bytes: int


def tensors_in(value: object) -> Iterator[Tensor]:
    """Every tensor in nested tuples, lists and dictionaries."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from tensors_in(one)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))


def follow(network: nn.Module, volume: tuple[int, int, int]) -> Traced:
    """Applies the network where it lies, in the mode it is in (training or evaluation).

    Arguments:
        volume: channels, height and width of the image.
    """
    with torch.enable_grad():
        two, three = _apply(network, volume, images=2), _apply(network, volume, images=3)
    return Traced(two.calls, two.blocks, three.kept_bytes - two.kept_bytes)


def blocks_of(network: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """What a network is a sequence of: sequences are opened, a residual block or an inception module is one thing."""
    for name, layer in network.named_children():
        if isinstance(layer, (nn.Sequential, nn.ModuleList)):
            yield from blocks_of(layer, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", layer


def windows_of(layer: nn.Module, given: tuple[int, ...], gave: tuple[int, ...]) -> Windows | None:
    """A layer's filter along height and width; None for a layer without one.

    An adaptive pooling's windows differ in size where the output does not divide the input; the largest is given.
    """
    if len(given) != 3 or len(gave) != 3:
        return None
    if isinstance(layer, (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)):
        down, across = (
            Window(1) if outer > inner else Window(inner - (outer - 1) * (inner // outer), inner // outer)
            for inner, outer in zip(given[1:], gave[1:], strict=True)
        )
        return down, across
    if isinstance(layer, LocallyConnected2d):
        return layer.windows
    if not hasattr(layer, "kernel_size") or not hasattr(layer, "stride"):
        return None
    kernel = _two(layer.kernel_size)
    dilation = _two(getattr(layer, "dilation", 1))
    stride = _two(layer.stride) if layer.stride is not None else kernel
    padding = _padding(layer, kernel, dilation)
    ceil = bool(getattr(layer, "ceil_mode", False))
    return (
        Window(kernel[0], stride[0], padding[0], dilation[0], ceil),
        Window(kernel[1], stride[1], padding[1], dilation[1], ceil),
    )


def _apply(network: nn.Module, volume: tuple[int, int, int], *, images: int) -> Traced:
    calls: list[Call] = []
    blocks: list[tuple[str, tuple[int, ...]]] = []
    kept: dict[int, Tensor] = {}
    weights = {tensor.untyped_storage()._cdata for tensor in (*network.parameters(), *network.buffers())}
    seeing = Seeing()

    def keep(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage()._cdata not in weights:
            kept[tensor.untyped_storage()._cdata] = tensor
        return tensor

    def applied(name: str, layer: nn.Module, given: object, gave: object) -> None:
        inner, outer = next(tensors_in(given), None), next(tensors_in(gave), None)
        if inner is None or outer is None:
            return
        sight = seeing.of(inner) or first
        before, after = tuple(inner.shape[1:]), tuple(outer.shape[1:])
        if isinstance(layer, nn.Linear):
            sight = sight.of_all()
        elif windows := windows_of(layer, before, after):
            sight = sight.through(windows, (after[1], after[2]))
        seeing.put(outer, sight)
        calls.append(Call(name, layer, before, after, sight))

    def passed(name: str, gave: object) -> None:
        if (outer := next(tensors_in(gave), None)) is not None:
            blocks.append((name, tuple(outer.shape[1:])))

    first = Sight((ReceptiveField(), ReceptiveField()), (volume[1], volume[2]))
    with ExitStack() as stack:
        for name, layer in network.named_modules():
            if not any(layer.children()):
                hook = layer.register_forward_hook(
                    lambda layer, given, gave, name=name: applied(name, layer, given, gave)
                )
                stack.callback(hook.remove)
        for name, layer in blocks_of(network):
            hook = layer.register_forward_hook(lambda layer, given, gave, name=name: passed(name, gave))  # noqa: ARG005
            stack.callback(hook.remove)
        stack.enter_context(torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor))
        picture = torch.zeros(images, *volume, device=next(network.parameters()).device)
        seeing.put(picture, first)
        stack.enter_context(seeing)
        network(picture)
    return Traced(tuple(calls), tuple(blocks), sum(tensor.untyped_storage().nbytes() for tensor in kept.values()))


def _two(value: Any) -> tuple[int, int]:  # noqa: ANN401 - PyTorch's layers keep either form
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _padding(layer: nn.Module, kernel: tuple[int, int], dilation: tuple[int, int]) -> tuple[int, int]:
    padding = getattr(layer, "padding", 0)
    if padding == "valid":
        return 0, 0
    if padding == "same":
        return dilation[0] * (kernel[0] - 1) // 2, dilation[1] * (kernel[1] - 1) // 2
    return _two(padding)
