"""The second rung: shapes, gradients, examples that influence each other, initial weights and activations."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from babysit.checks.outcome import Found, Outcome, failed
from babysit.checks.parameters import copies, names_of, setting_faults
from babysit.checks.signal import signal_faults
from babysit.checks.subject import Held, Subject, scores_of
from babysit.losses import heads_of, objective
from babysit.training.loop import train

RUNG = "network"
EXPECTED = "a score per class, the same for an image whatever is beside it, and a gradient for every parameter"

INFLUENCE = 1e-3
"""Relative difference of an image's scores alone and in a batch; kernels for other batch sizes differ by 1e-6."""

WARMING = 3
IMAGES = 16
DIFFERENCE, SLICE, DISAGREEMENT = 1e-6, 2, 0.05


def network(subject: Subject) -> Outcome:
    """Everything of a network that one batch and three updates show."""
    part = subject.training.first(max(IMAGES, min(2 * len(subject.classes), 64)))
    if faults := _forward_faults(subject, part):
        return failed(RUNG, EXPECTED, faults, final=True)
    learning, mild = _learning_faults(subject, part), setting_faults(subject, part)
    if faults := [*signal_faults(subject, part), *learning, *mild]:
        return failed(RUNG, EXPECTED, faults, final=len(faults) > len(mild))
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


def first_line(error: Exception) -> str:
    """What an error says first, or its name when it says nothing.

    >>> first_line(AttributeError("'float' object has no attribute 'backward'"))
    "'float' object has no attribute 'backward'"
    """
    lines = str(error).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


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
        if not math.isfinite(norm):
            return Outcome("gradients", expected, f"The length of the gradient is {norm}.", "not decided")
        ratios = [_slope(value, weights, found, norm, size) / norm for size in (DIFFERENCE, 100 * DIFFERENCE)]
    except Exception as error:  # noqa: BLE001 - some networks and losses are of one type, or of one batch size
        said = f"The network and loss cannot be followed on {SLICE} images in float64: {first_line(error)}."
        return Outcome("gradients", expected, said, "not decided")
    seen = f"Finite differences give {ratios[0]:.6f} times the slope that the gradients give."
    if not all(map(math.isfinite, ratios)):
        return Outcome("gradients", expected, seen, "not decided", "The loss is no number: see the initial loss")
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
        said = f"The network fails on images of shape {tuple(part.images.shape)}: {first_line(error)}."
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
    return _mode_faults(model, part, scores, scale) if subject.foreign else []


def _mode_faults(model: nn.Module, part: Held, scores: Tensor, scale: float) -> list[Found]:
    """A network that gives other scores in training although nothing in it draws or normalises over the batch."""
    if any(isinstance(layer, _NormBase) for layer in model.modules()):  # judged once it has learnt something
        return []
    try:
        first, again = (scores_of(model.train(), part.images) for _ in range(2))
    except Exception:  # noqa: BLE001 - the next look says what fails in a training step
        return []
    apart = float((first - scores).abs().max()) / scale
    if first.shape != scores.shape or not torch.equal(first, again) or apart <= INFLUENCE:
        return []
    said = f"The scores differ by {apart:.1%} between training and evaluation, and nothing in the network draws random numbers or normalises over the batch."
    advice = "Look for what forward does when self.training only: inputs scaled there, a layer left out"
    return [Found("evaluation-differs", said, advice, {"relative_difference": apart})]


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
    except Exception as error:  # noqa: BLE001 - whatever the user's network and loss raise
        said = f"A training step fails: {first_line(error)}."
        if "does not require grad" in str(error):
            advice = "Something between the weights and the loss is cut: detach(), .data, no_grad(), numpy, argmax, round() or a new tensor"
            return [Found("no-gradient", said, advice, {"parameters": float(len(missing))})]
        advice = "The loss must be one number with a gradient, of scores (n, C) and labels (n,)"
        return [Found("no-step", said, advice, {})]
    if missing:
        said = f"{names_of(missing)} got no gradient: nothing leads from the loss to them."
        advice = "Look for detach(), torch.no_grad(), .data or numpy in forward, and for layers that are never called"
        return [Found("no-gradient", said, advice, {"parameters": float(len(missing))})]
    if symmetric := copies(named, model):
        said = f"All units of {names_of(symmetric)} have the same weights and stay copies of one another in training."
        advice = "Draw the initial weights at random: nn.init.kaiming_normal_(layer.weight)"
        return [Found("symmetric-weights", said, advice, {"parameters": float(len(symmetric))})]
    if weights := {name for name in still if named[name].ndim > 1}:
        said = f"The gradient of {names_of(weights)} is zero in each of {WARMING} updates."
        advice = "Every ReLU behind them is off, weights behind them are zero, or what they give never reaches the scores: look at biases, initial weights and forward"
        return [Found("dead-layer", said, advice, {"parameters": float(len(weights))})]
    return []
