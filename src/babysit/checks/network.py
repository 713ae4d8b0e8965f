"""The second rung: shapes, gradients, examples that influence each other, initial weights and activations."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from babysit.checks.data import WEIGHTED
from babysit.checks.outcome import Found, Outcome, failed
from babysit.checks.subject import Held, Subject, scores_of
from babysit.losses import heads_of, objective
from babysit.training.loop import train

RUNG = "network"
EXPECTED = "a score per class, the same for an image whatever is beside it, and a gradient for every parameter"

INFLUENCE = 1e-3
"""Relative difference of an image's scores alone and in a batch; kernels for other batch sizes differ by 1e-6."""

HUGE = 1e3
SATURATED, MOST_SATURATED = 0.99, 0.95
SYMMETRIC = 1e-6
WARMING = 3
IMAGES = 16
DIFFERENCE, SLICE, DISAGREEMENT = 1e-6, 2, 0.05


def network(subject: Subject) -> Outcome:
    """Everything of a network that one batch and three updates show."""
    part = subject.training.first(max(IMAGES, min(2 * len(subject.classes), 64)))
    if faults := _forward_faults(subject, part):
        return failed(RUNG, EXPECTED, faults, final=True)
    faults = [*_activation_faults(subject, part), *_learning_faults(subject, part)]
    if faults:
        return failed(RUNG, EXPECTED, faults, final=True)
    count = sum(one.numel() for one in subject.model.parameters())
    frozen = [name for name, one in subject.model.named_parameters() if not one.requires_grad]
    seen = f"{count:,} parameters, scores of shape (n, {len(subject.classes)}), each image's own."
    if subject.recipe.init.fixed and frozen:
        seen += f" {frozen.pop(0)} whitens and is not trained, as init.fixed says."
    if subject.recipe.optim.body_rate == 0 and frozen:
        seen += f" {len(frozen)} parameters come from a file and are not trained, as optim.body_rate says."
        return Outcome(RUNG, EXPECTED, seen, "passed")
    if frozen:
        seen += f" {len(frozen)} parameters are frozen: {', '.join(frozen[:5])}."
        return Outcome(
            RUNG,
            EXPECTED,
            seen,
            "not decided",
            "Frozen weights at their random start are a mistake; trained ones are fine",
        )
    return Outcome(RUNG, EXPECTED, seen, "passed")


def differences(subject: Subject) -> Outcome:
    """Gradients against finite differences, on a slice and in float64."""
    expected = "the slope along the gradient's own direction that finite differences give, in float64"
    part = subject.training.first(SLICE)
    model = subject.fresh().double().eval()
    weights = [one for one in model.parameters() if one.requires_grad]

    def value() -> Tensor:
        return objective(subject.loss, heads_of(model(part.images.double())), part.targets)[0]

    try:
        gradients = torch.autograd.grad(value(), weights, allow_unused=True)
        found = [torch.zeros_like(one) if grad is None else grad for one, grad in zip(weights, gradients, strict=True)]
        norm = math.sqrt(sum(float(one.square().sum()) for one in found))
        if norm == 0:
            return Outcome("gradients", expected, "The gradient of these images is zero.", "not decided")
        ratios = [_slope(value, weights, found, norm, size) / norm for size in (DIFFERENCE, 100 * DIFFERENCE)]
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        said = str(error).split("\n")[0]
        return Outcome("gradients", expected, f"The network cannot be followed in float64: {said}.", "not decided")
    seen = f"Finite differences give {ratios[0]:.6f} times the slope that the gradients give."
    if min(abs(ratio - 1) for ratio in ratios) <= DISAGREEMENT:
        return Outcome("gradients", expected, seen, "passed")
    advice = "Look at autograd functions and detach() of your own: a backward pass does not belong to its forward pass"
    evidence = {"relative_difference": abs(ratios[0] - 1)}
    return failed("gradients", expected, [Found("wrong-gradient", seen, advice, evidence)], final=False)


@torch.no_grad()
def _slope(value, weights: list[nn.Parameter], direction: list[Tensor], norm: float, size: float) -> float:  # noqa: ANN001
    ends = []
    for sign in (1, -2):
        for weight, one in zip(weights, direction, strict=True):
            weight.add_(one, alpha=sign * size / norm)
        ends.append(float(value()))
    for weight, one in zip(weights, direction, strict=True):
        weight.add_(one, alpha=size / norm)
    return (ends[0] - ends[1]) / (2 * size)


@torch.no_grad()
def _forward_faults(subject: Subject, part: Held) -> list[Found]:
    model = subject.fresh().eval()
    try:
        scores = scores_of(model, part.images)
    except Exception as error:  # noqa: BLE001 - whatever the user's network raises
        said = f"The network fails on images of shape {tuple(part.images.shape)}: {str(error).splitlines()[0]}."
        return [Found("wrong-shape", said, "Compare the shapes layer by layer with babysit show", {})]
    wanted = (len(part), len(subject.classes))
    if tuple(scores.shape) != wanted:
        said = f"{len(part)} images give scores of shape {tuple(scores.shape)} instead of {wanted}."
        return [Found("wrong-shape", said, f"Give the last layer {wanted[1]} outputs, flattened per image", {})]
    if not bool(torch.isfinite(scores).all()):
        return [Found("scores-not-finite", "Some scores are not finite.", "Make the initial weights smaller", {})]
    scale = float(scores.abs().max()) or 1.0
    if (again := float((scores_of(model, part.images) - scores).abs().max()) / scale) > INFLUENCE:
        said = f"The same images in evaluation give scores that differ by {again:.1%}."
        advice = "Something draws random numbers in evaluation: F.dropout needs training=self.training"
        return [Found("random-in-evaluation", said, advice, {"relative_difference": again})]
    half = part.images.clone()
    half[1::2] = part.images[1::2].flip(0).roll(1, dims=-1) * -1.5 + 0.5
    apart = float((scores_of(model, half)[0::2] - scores[0::2]).abs().max()) / scale
    if apart > INFLUENCE:
        said = f"The scores of an image change by {apart:.1%} with what is beside it in the batch, in evaluation."
        advice = "Use running statistics in evaluation (BatchNorm with track_running_stats=True, model.eval()), and check each reshape, mean and softmax for the batch axis"
        return [Found("batch-dependent", said, advice, {"relative_difference": apart})]
    return []


def _activation_faults(subject: Subject, part: Held) -> list[Found]:
    """Activations too large to train with, or saturated; a normalisation makes their scale harmless."""
    model = subject.fresh().train()
    normalised = any("Norm" in type(layer).__name__ for layer in model.modules())
    scales: dict[str, float] = {}
    saturated: dict[str, float] = {}

    def look(name: str):  # noqa: ANN202
        def hook(module: nn.Module, inputs: object, output: object) -> None:  # noqa: ARG001
            if not isinstance(output, Tensor):
                return
            if isinstance(module, WEIGHTED):
                scales[name] = float(output.float().std())
            else:
                bound = (output.float() - 0.5).abs() * 2 if isinstance(module, nn.Sigmoid) else output.float().abs()
                saturated[name] = float((bound > SATURATED).float().mean())

        return hook

    hooks = [
        layer.register_forward_hook(look(name))
        for name, layer in model.named_modules()
        if isinstance(layer, (*WEIGHTED, nn.Sigmoid, nn.Tanh))
    ]
    try:
        with torch.no_grad():
            model(part.images)
    finally:
        for hook in hooks:
            hook.remove()
    faults = []
    for name, scale in scales.items():
        if not math.isfinite(scale) or (scale > HUGE and not normalised):
            said = f"At the start the outputs of {name} have a deviation of {scale:.3g}."
            advice = "Make its initial weights smaller: for ReLU a deviation of sqrt(2 / inputs), as nn.init.kaiming_normal_ does"
            faults.append(Found("huge-initialisation", said, advice, {"activation_deviation": scale}))
            break
    for name, share in saturated.items():
        if share > MOST_SATURATED:
            said = f"At the start {share:.0%} of the outputs of {name} are at their bounds, where there is no gradient."
            faults.append(
                Found("saturated-activations", said, "Make the weights before it smaller", {"accuracy": share})
            )
            break
    return faults


def _learning_faults(subject: Subject, part: Held) -> list[Found]:
    """What a few updates show: parameters without gradient, and units that stay each other's copies."""
    session = subject.practice(part, WARMING, rate=1e-3)
    model = session.model
    named = {name: one for name, one in model.named_parameters() if one.requires_grad}
    if not named:
        return [Found("no-gradient", "No parameter wants a gradient.", "Set requires_grad", {"parameters": 0})]
    missing, still = set(named), set(named)
    try:
        for _ in train(session):
            for name, one in named.items():
                if one.grad is not None:
                    missing.discard(name)
                    if bool((one.grad != 0).any()):
                        still.discard(name)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        said = f"A training step fails: {str(error).splitlines()[0]}."
        return [
            Found("no-step", said, "The loss must be one number with a gradient, of scores (n, C) and labels (n,)", {})
        ]
    if missing:
        said = f"{_names(missing)} got no gradient: nothing leads from the loss to them."
        advice = "Look for detach(), torch.no_grad(), .data or numpy in forward, and for layers that are never called"
        return [Found("no-gradient", said, advice, {"parameters": float(len(missing))})]
    symmetric = [name for name, one in named.items() if _copies(one, name, model)]
    if symmetric:
        said = f"All units of {_names(symmetric)} have the same weights and stay copies of one another in training."
        advice = "Draw the initial weights at random: nn.init.kaiming_normal_(layer.weight)"
        return [Found("symmetric-weights", said, advice, {"parameters": float(len(symmetric))})]
    if weights := {name for name in still if named[name].ndim > 1}:
        said = f"The gradient of {_names(weights)} is zero in each of {WARMING} updates."
        advice = "Every ReLU behind them is off, or weights behind them are zero: look at biases and initial weights"
        return [Found("dead-layer", said, advice, {"parameters": float(len(weights))})]
    return []


def _copies(weight: Tensor, name: str, model: nn.Module) -> bool:
    owner = model.get_submodule(name.rpartition(".")[0])
    if not isinstance(owner, WEIGHTED) or len(weight) < 2 or weight[0].numel() < 2:
        return False
    rows = weight.detach().flatten(1)
    return float((rows - rows[:1]).abs().max()) <= SYMMETRIC * float(rows.abs().max())


def _names(names) -> str:  # noqa: ANN001
    found = sorted(names)
    return ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")
