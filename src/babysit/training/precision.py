"""The start-up self-test's step: one forward and backward of the real network, leaving no trace."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import ExitStack

import torch
from torch import Tensor, nn

from babysit.data.batches import Batches
from babysit.device import WORTH, in_turn, same_streams
from babysit.layers.full_precision import keep_in_float32
from babysit.losses import Loss, heads_of, objective

IMAGES = 32

FEW = 8
"""Images that a single layer is measured with."""


def measured_step(
    model: torch.nn.Module, loss: Loss, part: Batches, *, count: int = IMAGES
) -> Callable[[torch.dtype], tuple[float, Tensor]]:
    """A function that runs one step on a copy of the network in a given dtype.

    Arguments:
        count: images in it, or as many as the part has.

    Returns:
        dtype -> (loss, the whole gradient as one flat vector). Neither weights, buffers nor random streams of
        the training change.
    """
    images, labels = next(part.plain(min(count, len(part))))
    copied = copy.deepcopy(model).train()

    def step(dtype: torch.dtype) -> tuple[float, Tensor]:
        with same_streams(part.device):
            copied.zero_grad(set_to_none=True)
            enabled = dtype != torch.float32
            with torch.autocast(part.device.type, torch.bfloat16, enabled=enabled):
                heads = heads_of(copied(images.to(dtype)))
            value, minimised = objective(loss, heads, labels)
            minimised.backward()
        gradients = [parameter.grad.reshape(-1) for parameter in copied.parameters() if parameter.grad is not None]
        return float(value.detach()), torch.cat(gradients)

    return step


def slow_in_bfloat16(model: nn.Module, part: Batches) -> tuple[str, ...]:
    """The names of grouped and dilated convolutions that are faster in float32, between layers in bfloat16.

    Measured forward and backward, with the inputs that some training images give them. Others are not looked at: plain
    convolutions are no slower in bfloat16 wherever the whole network is faster.
    """
    copied = copy.deepcopy(model)
    suspects = {
        name: layer
        for name, layer in copied.named_modules()
        if type(layer) is nn.Conv2d and (layer.groups > 1 or max(layer.dilation) > 1)
    }
    if not suspects:
        return ()
    images, _ = next(part.plain(min(FEW, len(part))))
    given: dict[str, Tensor] = {}

    names: dict[nn.Module, str] = {layer: name for name, layer in suspects.items()}

    def note(layer: nn.Module, seen: tuple[Tensor, ...]) -> None:
        given[names[layer]] = seen[0]

    with ExitStack() as stack, torch.no_grad():
        for layer in suspects.values():
            stack.callback(layer.register_forward_pre_hook(note).remove)
        copied.eval()(images.float())
    return tuple(name for name, x in given.items() if _faster_in_float32(suspects[name], x))


def _faster_in_float32(layer: nn.Conv2d, x: Tensor) -> bool:
    kept = nn.Sequential(copy.deepcopy(layer))
    keep_in_float32(kept, ["0"])
    x = x.bfloat16().requires_grad_()

    def run(network: nn.Module) -> object:
        with torch.autocast(x.device.type, torch.bfloat16):
            out = network(x)
        return torch.autograd.grad(out, (x, *network.parameters()), torch.ones_like(out))

    arms: dict[str, Callable[[], object]] = {"bfloat16": lambda: run(layer), "float32": lambda: run(kept)}
    for arm in arms.values():
        arm()  # warms up
    taken = in_turn(arms)
    return taken["bfloat16"] > WORTH * taken["float32"]
