"""The start: what goes into an untrained network and what comes out of it."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from babysit.probes.context import ProbeContext, observed
from babysit.probes.inputs import of_inputs
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
