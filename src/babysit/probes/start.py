"""The start: what goes into an untrained network and what comes out of it."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from babysit.probes.context import ProbeContext, observed
from babysit.record.observation import Observation, key_of

CLOSE = 1e-3
"""How far the sum of a row's outputs may be from 1."""


@torch.no_grad()
def probe(context: ProbeContext) -> Iterator[Observation]:
    """The first loss; mean, deviation (over n) and range of inputs, labels and scores; whether scores are probabilities.

    And the output units of each layer with weights that has them first.
    """
    batch = context.batch
    if batch is None:
        return
    values: dict[str, Tensor | float] = {}
    if batch.loss is not None:
        values["initial_loss"] = batch.loss
    if batch.inputs is not None and batch.inputs.numel():
        values |= of_inputs(batch.inputs)
        values |= {"input_least": batch.inputs.min(), "input_most": batch.inputs.max()}
    if batch.outputs is not None and batch.outputs.numel():
        values |= of_scores(batch.outputs.double())
    if batch.targets is not None and batch.targets.numel():
        labels = batch.targets
        values |= {"label_least": labels.min(), "label_most": labels.max()}
        values["classes_seen"] = float(len(labels.unique()))
    units = {one.name: len(one.weight) for one in context.network.weighted if one.units_first}
    values |= {key_of("units", name): float(count) for name, count in units.items()}
    yield from observed(context, values)


def of_inputs(images: Tensor) -> dict[str, Tensor]:
    """What images look like: their mean and deviation, how rough and how flat they are, how far apart their means lie.

    Shape:
        (n, channels, height, width), or any that begins with n: then without roughness and flatness.
    """
    shown = images.double()
    values = {"input_mean": shown.mean(), "input_deviation": shown.std(correction=0)}
    if shown.ndim > 1:
        values["input_spread"] = shown.flatten(1).mean(dim=1).std(correction=0)
    if (rough := roughness(shown)) is not None:
        values |= {"input_roughness": rough, "input_flatness": flatness(shown)}
    return values


def flatness(images: Tensor) -> Tensor:
    """Share of neighbouring pixels, along rows, that are the same to a thousandth of the deviation: plain grounds, what was erased.

    Shape:
        (n, channels, height, width), where something varies.
    """
    return (images.diff(dim=3).abs() < 1e-3 * images.std(correction=0)).double().mean()


def roughness(images: Tensor) -> Tensor | None:
    """How little neighbouring pixels know of each other: near 0 for smooth images, 1 where they are independent.

    mean of (x - next x)² over rows and columns, over twice the variance within an image's channel; None where there are no
    neighbours or nothing varies

    Shape:
        (n, channels, height, width).
    """
    if images.ndim != 4 or min(images.shape[2:]) < 2:
        return None
    spread = images.flatten(2).var(dim=2).mean()
    if not float(spread) > 0:
        return None
    down, right = images.diff(dim=2).square().mean(), images.diff(dim=3).square().mean()
    return (down + right) / (4 * spread)


def of_scores(scores: Tensor) -> dict[str, Tensor]:
    """Mean and deviation of a batch's scores, and the shares of rows that are probabilities or their logarithms.

    Shape:
        (n, classes).
    """
    found = {"score_mean": scores.mean(), "score_deviation": scores.std(correction=0)}
    found |= {"score_least": scores.min(), "score_most": scores.max()}
    if scores.ndim == 2:
        sums, exponents = scores.sum(dim=1), scores.exp().sum(dim=1)
        probable = (scores >= 0).all(dim=1) & ((sums - 1).abs() < CLOSE)
        logarithmic = (scores <= 0).all(dim=1) & ((exponents - 1).abs() < CLOSE)
        found["scores_sum_to_one"] = probable.double().mean()
        found["scores_log_sum_to_one"] = logarithmic.double().mean()
    return found
