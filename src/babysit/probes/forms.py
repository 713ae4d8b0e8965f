"""Forms of a loss: what well-known formulas make of the scores and labels that the loss was made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from babysit.probes.context import ProbeContext, observed
from babysit.record.observation import Observation, key_of


def absolute(scores: Tensor, labels: Tensor) -> Tensor:
    """Mean absolute difference from 1 for the label and 0 for the others."""
    return (scores - F.one_hot(labels, scores.shape[1])).abs().mean()


def squares(scores: Tensor, labels: Tensor) -> Tensor:
    """Mean squared difference from the same."""
    return (scores - F.one_hot(labels, scores.shape[1])).square().mean()


def no_logarithm(scores: Tensor, labels: Tensor) -> Tensor:
    """Minus the mean probability of the label: softmax's loss without its logarithm."""
    return F.nll_loss(torch.softmax(scores, dim=1), labels)


def logistic(scores: Tensor, labels: Tensor) -> Tensor:
    """Mean binary cross-entropy, each class for itself."""
    return F.binary_cross_entropy_with_logits(scores, F.one_hot(labels, scores.shape[1]).to(scores))


def evenly(scores: Tensor, _: Tensor) -> Tensor:
    """Mean over all classes, whatever the label: what label smoothing mixes in."""
    return -torch.log_softmax(scores, dim=1).mean()


FORMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "softmax": F.cross_entropy,
    "softmax twice": lambda scores, labels: F.cross_entropy(torch.softmax(scores, dim=1), labels),
    "no softmax": F.nll_loss,
    "softmax over the batch": lambda scores, labels: F.nll_loss(torch.log_softmax(scores, dim=0), labels),
    "absolute": absolute,
    "squares": squares,
    "squares of shares": lambda scores, labels: squares(torch.softmax(scores, dim=1), labels),
    "no logarithm": no_logarithm,
    "logistic": logistic,
    "own guess": lambda scores, _: F.cross_entropy(scores, scores.argmax(dim=1)),
    "scores of length one": lambda scores, labels: F.cross_entropy(F.normalize(scores, dim=1), labels),
    "all classes alike": evenly,
}
"""Name -> loss of (scores, labels): by which of them a loss was made is seen where the two agree again and again."""


@torch.no_grad()
def probe(context: ProbeContext) -> Iterator[Observation]:
    """The loss of the latest batch as it was given, and what each form makes of its scores and labels."""
    batch = context.batch
    if batch is None or batch.loss is None or batch.outputs is None or batch.targets is None:
        return
    scores, labels = batch.outputs.double(), batch.targets.long()
    if int(labels.min()) < 0 or int(labels.max()) >= scores.shape[1]:
        return
    values = {key_of("loss_by_form", name): form(scores, labels) for name, form in FORMS.items()}
    yield from observed(context, {"loss_of_batch": batch.loss, **values})
