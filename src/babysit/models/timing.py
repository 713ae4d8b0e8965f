"""Timing: the measured seconds of a network's layers and of whole steps, on this machine."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from babysit.losses import heads_of, objective, softmax_loss

REPEATS, MOST_SECONDS = 5, 20.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians over repeats, in seconds for a batch of `images`; `layers` forward only, by name."""

    images: int
    layers: dict[str, float]
    prediction: float
    training: float
    repeats: int


def time_layers(network: nn.Module, volume: tuple[int, int, int], *, classes: int, images: int) -> Timing:
    """Measures a network where it lies, in float32.

    Arguments:
        volume: channels, height, width.
        images: in a batch; at least 2, as batch normalisation wants.
    """
    device = next(network.parameters()).device
    pictures = torch.rand(images, *volume, device=device).contiguous(memory_format=torch.channels_last)
    labels = torch.arange(images, device=device) % classes
    each: dict[str, list[float]] = {}
    predicting: list[float] = []
    training: list[float] = []
    begun = time.perf_counter()
    for repeat in range(REPEATS + 1):
        layers, whole = _predict(network.eval(), pictures)
        step = _step(network.train(), pictures, labels)
        if repeat:  # the first warms up
            predicting.append(whole)
            training.append(step)
            for name, seconds in layers.items():
                each.setdefault(name, []).append(seconds)
        if training and time.perf_counter() - begun > MOST_SECONDS:
            break
    medians = {name: statistics.median(seconds) for name, seconds in each.items()}
    return Timing(images, medians, statistics.median(predicting), statistics.median(training), len(training))


def _predict(network: nn.Module, pictures: Tensor) -> tuple[dict[str, float], float]:
    seconds: dict[str, float] = {}
    since: dict[str, float] = {}

    def begin(name: str) -> None:
        since[name] = _now(pictures)

    def end(name: str) -> None:
        seconds[name] = seconds.get(name, 0.0) + _now(pictures) - since[name]

    with ExitStack() as stack:
        for name, layer in network.named_modules():
            if not any(layer.children()):
                before = layer.register_forward_pre_hook(lambda layer, given, name=name: begin(name))  # noqa: ARG005
                after = layer.register_forward_hook(lambda layer, given, gave, name=name: end(name))  # noqa: ARG005
                stack.callback(before.remove)
                stack.callback(after.remove)
        stack.enter_context(torch.inference_mode())
        start = _now(pictures)
        network(pictures)
        return seconds, _now(pictures) - start


def _step(network: nn.Module, pictures: Tensor, labels: Tensor) -> float:
    """Forward and backward."""
    network.zero_grad(set_to_none=True)
    start = _now(pictures)
    _, minimised = objective(softmax_loss, heads_of(network(pictures)), labels)
    minimised.backward()
    return _now(pictures) - start


def _now(tensor: Tensor) -> float:
    """The clock, after all that was asked of the tensor's device is done."""
    if tensor.device.type != "cpu":
        torch.accelerator.synchronize(tensor.device)
    return time.perf_counter()
