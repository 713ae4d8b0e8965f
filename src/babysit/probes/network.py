"""The network as the probes see it: its layers with weights, its activation functions, and whether hooks may be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

RECTIFIED = (nn.ReLU, nn.ReLU6)
TANH = (nn.Tanh,)
SIGMOID = (nn.Sigmoid,)
SMOOTH = (nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Softplus, nn.Hardswish)
ACTIVATIONS = (*RECTIFIED, *TANH, *SIGMOID, *SMOOTH)

UNITS_FIRST = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
"""Layers whose weight's first axis counts the output units."""


@dataclass(frozen=True, slots=True)
class Weighted:
    """A layer with weights: its dotted name, the layer, and the matrix or filters that it learns."""

    name: str
    layer: nn.Module
    weight: nn.Parameter

    @property
    def units_first(self) -> bool:
        """Whether the weight's first axis counts the output units."""
        return isinstance(self.layer, UNITS_FIRST)


@dataclass(frozen=True)
class Network:
    """What is measured of a network.

    `model` without what wraps it; `outer` as it is called; `trained` its parameters that are; `hookable` whether its layers may be looked into while it
    runs, and `why_not` otherwise.
    """

    outer: nn.Module
    model: nn.Module
    trained: tuple[nn.Parameter, ...]
    weighted: tuple[Weighted, ...]
    activations: tuple[tuple[str, nn.Module], ...]
    hookable: bool = True
    why_not: str = ""

    @property
    def device(self) -> torch.device:
        """Where its first parameter is."""
        return next((one.device for one in self.model.parameters()), torch.device("cpu"))

    def changed(self) -> bool:
        """Whether a parameter was replaced, added, taken away or frozen since."""
        now = [one for one in self.model.parameters() if one.requires_grad]
        return len(now) != len(self.trained) or any(one is not was for one, was in zip(now, self.trained, strict=True))


def network_of(outer: nn.Module) -> Network:
    """Finds the layers; wrappers of parallel and compiled networks are taken off.

    >>> [one.name for one in network_of(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))).weighted]
    ['0', '3']
    """
    model, why_not = outer, ""
    while True:
        if isinstance(model, nn.DataParallel):
            why_not = "it runs as several copies (DataParallel)"
            model = model.module
        elif isinstance(model, nn.parallel.DistributedDataParallel):
            model = model.module
        elif isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
            why_not, model = "it is compiled", inner
        else:
            break
    layers = [(name or type(layer).__name__, layer) for name, layer in model.named_modules()]
    if any(getattr(layer, "_compiled_call_impl", None) is not None for _, layer in layers):
        why_not = "it is compiled"
    if any(isinstance(layer, torch.jit.ScriptModule) for _, layer in layers):
        why_not = "it is scripted"
    weighted = tuple(found for name, layer in layers for found in _weights_of(name, layer))
    activations = tuple((name, layer) for name, layer in layers if isinstance(layer, ACTIVATIONS))
    trained = tuple(one for one in model.parameters() if one.requires_grad)
    return Network(outer, model, trained, weighted, activations, not why_not, why_not)


def scores_in(output: object) -> Tensor | None:
    """The scores in what a network returns: a tensor, the first of several, or what is called logits.

    >>> scores_in((torch.zeros(2, 3), None)).shape, scores_in({"logits": torch.zeros(2, 3)}).shape, scores_in(None)
    (torch.Size([2, 3]), torch.Size([2, 3]), None)
    """
    if isinstance(output, Tensor):
        return output
    named = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
    if isinstance(named, Tensor):
        return named
    if isinstance(output, (tuple, list)):
        return next((one for one in output if isinstance(one, Tensor)), None)
    return None


def units_last(output: Tensor) -> int:
    """The axis that counts the units of an output: channels of maps, features of vectors and of sequences."""
    return 2 if output.ndim == 3 else 1


def _weights_of(name: str, layer: nn.Module) -> list[Weighted]:
    """The layer's own matrices and filters; biases and normalisations' scales are none."""
    own = [
        (label, one)
        for label, one in layer.named_parameters(recurse=False)
        if one.requires_grad and one.ndim >= 2 and label != "bias"
    ]
    return [Weighted(name if label == "weight" else f"{name}.{label}", layer, one) for label, one in own]
