"""A fixed slice of the training images, looked at apart: without augmentation, with it, with training's statistics."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from babysit.probes.context import ProbeContext, Slice, observed
from babysit.probes.hooks import training_mode_without_dropout, untouched
from babysit.record.observation import Observation

PIECES = 8
"""Pieces of the slice whose gradients are compared."""


def probe(context: ProbeContext) -> Iterator[Observation]:
    """Loss and accuracy of the slice in evaluation, its examples' losses, and the noise of its gradient.

    `hard_share` counts examples whose loss is above ln(classes), that of a network that knows nothing; `slice_wavering` is
    how far two evaluations of the same images lie apart, over the size of their scores: 0 where nothing is left to chance.
    """
    part = context.slice
    if part is None or not part.plain:
        return
    model = context.network.model
    weights = [one for one in model.parameters() if one.requires_grad]
    losses, correct, squares, total = [], 0.0, [], [torch.zeros_like(one) for one in weights]
    with untouched(model), torch.enable_grad():
        model.eval()
        for images, labels in part.plain:
            scores = part.scores(images)
            mean = part.loss(scores, labels)
            gradients = torch.autograd.grad(mean, weights, allow_unused=True)
            with torch.no_grad():
                found = [
                    torch.zeros_like(one) if own is None else own for one, own in zip(weights, gradients, strict=True)
                ]
                squares.append(float(torch.nn.utils.get_total_norm(found)) ** 2)
                for sum_so_far, own in zip(total, found, strict=True):
                    sum_so_far.add_(own, alpha=len(labels))
                losses += each_loss(part, scores.detach(), labels)
                correct += float((scores.argmax(dim=1) == labels).sum())
        with torch.no_grad():
            once, again = part.scores(part.plain[-1][0]), part.scores(part.plain[-1][0])
            apart = (again - once).norm() / once.norm().clamp_min(1e-30)
    count, sizes = len(losses), [len(labels) for _, labels in part.plain]
    values: dict[str, Tensor | float] = {"slice_loss": sum(losses) / count, "slice_accuracy": correct / count}
    values["slice_wavering"] = apart
    known = sorted(losses)
    values["hard_share"] = sum(one > math.log(part.classes) for one in known) / count
    values["loss_p50"], values["loss_p95"] = quantile(known, 0.5), quantile(known, 0.95)
    whole = (float(torch.nn.utils.get_total_norm(total)) / count) ** 2
    if (noise := noise_scale(squares, sizes, whole)) is not None:
        values["gradient_noise"] = noise
    yield from observed(context, values)


def training_mode(context: ProbeContext) -> Iterator[Observation]:
    """Loss and accuracy of the slice as training normalises it, by the statistics of the batch; nothing is dropped."""
    part = context.slice
    if part is None or not part.plain:
        return
    model = context.network.model
    images = torch.cat([one for one, _ in part.plain])
    labels = torch.cat([one for _, one in part.plain])
    with untouched(model), torch.no_grad():
        training_mode_without_dropout(model)
        scores = part.scores(images)
    values = {
        "slice_train_mode_loss": part.loss(scores, labels),
        "slice_train_mode_accuracy": (scores.argmax(dim=1) == labels).double().mean(),
    }
    yield from observed(context, values)


def augmented(context: ProbeContext) -> Iterator[Observation]:
    """Accuracy of the slice, augmented as in training, in evaluation."""
    part = context.slice
    if part is None or not part.augmented:
        return
    model, correct, count = context.network.model, 0.0, 0
    with untouched(model), torch.no_grad():
        model.eval()
        for images, labels in part.augmented:
            correct += float((part.scores(images).argmax(dim=1) == labels).sum())
            count += len(labels)
    yield from observed(context, {"augmented_accuracy": correct / count})


def bending(context: ProbeContext) -> Iterator[Observation]:
    """How far the network is from a linear one: scores half-way between two images against half of both's scores.

    ||f((x + y)/2) - (f(x) + f(y))/2|| / ||f(x) - f(y)|| over pairs of the slice in evaluation: 0 where all layers together are one
    linear layer, whatever stands between them.
    """
    part = context.slice
    if part is None or not part.plain:
        return
    model, images = context.network.model, torch.cat([one for one, _ in part.plain])
    with untouched(model), torch.no_grad():
        model.eval()
        bent = bent_by(part.scores, images)
    if bent is not None:
        yield from observed(context, {"bending": bent})


def bent_by(scores: Callable[[Tensor], Tensor], images: Tensor) -> Tensor | None:
    """How far a function of images is from a linear one, as `bending` has it; None where it does not tell them apart."""
    half = len(images) // 2
    first, second = images[:half], images[half : 2 * half]
    if not half:
        return None
    one, other, between = (scores(given).double() for given in (first, second, (first + second) / 2))
    apart = (one - other).norm()
    return (between - (one + other) / 2).norm() / apart if float(apart) > 0 else None


def each_loss(part: Slice, scores: Tensor, labels: Tensor) -> list[float]:
    """The loss of each example by itself, one by one: `torch.vmap` would first import half a second of PyTorch."""
    return [float(part.loss(one[None], label[None])) for one, label in zip(scores, labels, strict=True)]


def quantile(ordered: list[float], share: float) -> float:
    """The value below which a share of an ordered list lies, linear between neighbours.

    >>> quantile([0.0, 1.0, 2.0], 0.75)
    1.5
    """
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def noise_scale(squares: list[float], sizes: list[int], whole: float) -> float | None:
    """The simple noise scale of a gradient, in images: the batch at which noise and signal are equally large.

    With pieces of b images and all B together: |G|² = (B |g_B|² - b mean |g_b|²) / (B - b), S = (mean |g_b|² - |g_B|²) /
    (1/b - 1/B), and the scale is S / |G|². None where the signal cannot be told from zero.

    Arguments:
        squares: squared norm of each piece's mean gradient.
        sizes: images of each piece; nearly equal.
        whole: squared norm of the mean gradient of all.

    >>> noise_scale([2.0, 2.0], [4, 4], 1.0) is None, noise_scale([1.5, 1.5], [4, 4], 1.0)
    (True, 8.0)

    Source: McCandlish, Kaplan and Amodei, "An Empirical Model of Large-Batch Training" (2018), appendix A.
    """
    if len(squares) < 2:
        return None
    every, piece = sum(sizes), sum(sizes) / len(sizes)
    mean = sum(squares) / len(squares)
    signal = (every * whole - piece * mean) / (every - piece)
    noise = (mean - whole) / (1 / piece - 1 / every)
    if not (signal > 1e-12 * mean and math.isfinite(signal) and noise >= 0):
        return None
    return noise / signal
