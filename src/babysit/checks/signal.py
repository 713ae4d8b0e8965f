"""What becomes of the images on their way through a network at its start: values too large, too small, or at their bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from babysit.checks.images import WEIGHTED
from babysit.checks.outcome import Found
from babysit.checks.subject import Held, Subject

HUGE = 1e3
SATURATED, MOST_SATURATED = 0.99, 0.95
FAINT = 1e-4
"""Deviation between images of what reaches the last weights: ten layers of PyTorch's initial weights and ReLU keep 1e-4."""


@dataclass
class Signals:
    """Of one batch: by layer, the deviation of its outputs, the share of them at their bounds, and the deviation between
    images of what it is given."""

    outputs: dict[str, float] = field(default_factory=dict)
    saturated: dict[str, float] = field(default_factory=dict)
    between: dict[str, float] = field(default_factory=dict)


@torch.no_grad()
def signals(model: nn.Module, images: Tensor) -> Signals:
    """What the layers give and are given; those with weights in the order in which they run."""
    seen = Signals()

    def look(name: str):  # noqa: ANN202
        def hook(module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
            if not isinstance(output, Tensor):
                return
            if not isinstance(module, WEIGHTED):
                bound = (output.float() - 0.5).abs() * 2 if isinstance(module, nn.Sigmoid) else output.float().abs()
                seen.saturated[name] = float((bound > SATURATED).float().mean())
                return
            seen.outputs[name] = float(output.float().std())
            if inputs and isinstance(given := inputs[0], Tensor) and len(given) == len(images):
                seen.between[name] = float(given.float().var(dim=0).mean().sqrt())

        return hook

    hooks = [
        layer.register_forward_hook(look(name))
        for name, layer in model.named_modules()
        if isinstance(layer, (*WEIGHTED, nn.Sigmoid, nn.Tanh))
    ]
    try:
        model(images)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def signal_faults(subject: Subject, part: Held) -> list[Found]:
    """Activations too large to train with, saturated, or lost; a normalisation makes their scale harmless."""
    model = subject.fresh().train()
    seen = signals(model, part.images)
    normalised = any("Norm" in type(layer).__name__ for layer in model.modules())
    faults = []
    for name, scale in seen.outputs.items():
        if not math.isfinite(scale) or (scale > HUGE and not normalised):
            said = f"At the start the outputs of {name} have a deviation of {scale:.3g}."
            advice = "Make its initial weights smaller: for ReLU a deviation of sqrt(2 / inputs), as nn.init.kaiming_normal_ does"
            faults.append(Found("huge-initialisation", said, advice, {"activation_deviation": scale}))
            break
    for name, share in seen.saturated.items():
        if share > MOST_SATURATED:
            said = f"At the start {share:.0%} of the outputs of {name} are at their bounds, where there is no gradient."
            advice = "Make the weights before it smaller"
            faults.append(Found("saturated-activations", said, advice, {"saturated_share": share}))
            break
    return faults or _lost(seen)


def _lost(seen: Signals) -> list[Found]:
    """Images that can hardly be told apart where the last weights begin; all weights at one value are named elsewhere."""
    names = list(seen.between)
    if len(names) < 2 or not 0 < seen.between[names[-1]] < FAINT:
        return []
    first, last = seen.between[names[0]], seen.between[names[-1]]
    said = f"At the start images differ by {first:.2g} where the first weights meet them, and by {last:.1g} where the last do ({names[-1]})."
    advice = "Make the initial weights larger: for ReLU a deviation of sqrt(2 / inputs), as nn.init.kaiming_normal_ does; many layers of sigmoids need ReLU or a normalisation"
    return [Found("vanishing-signal", said, advice, {"activation_deviation": last})]
