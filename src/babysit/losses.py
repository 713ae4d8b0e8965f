"""Losses: functions (scores, labels) -> the mean over the batch, made from the recipe's settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from babysit.recipe.schema import LossPart
from babysit.tables import Table

Loss = Callable[[Tensor, Tensor], Tensor]
Weights = Tensor | None
Make = Callable[[LossPart, Weights], Loss]

TAKE_SHARES = ("softmax", "focal")
"""Losses that can be given shares of the classes instead of labels, as mixed images need."""

AUXILIARY_WEIGHT = 0.3
"""What an auxiliary head's loss counts in training (Szegedy et al., CVPR 2015, section 5)."""


def softmax_loss(scores: Tensor, labels: Tensor, *, smoothing: float = 0.0, class_weights: Weights = None) -> Tensor:
    """Cross-entropy of the softmax, in nats.

    L = 1/n sum_i -sum_k q_ik ln(exp(s_ik) / sum_j exp(s_ij)), q_i one at the label; with smoothing e the label's q is
    1 - e + e/C and the others' e/C (Szegedy et al., CVPR 2016). With class weights the mean is a weighted one.

    Arguments:
        scores: shape (n, classes), any floating type; computed in float32 at least.
        labels: shape (n,), class indices; or shares of the classes, shape (n, classes).
        smoothing: e, 0 to below 1.
        class_weights: shape (classes,), or None for equal ones.

    >>> round(float(softmax_loss(torch.zeros(1, 10), torch.tensor([3]))), 6)
    2.302585
    """
    wide = _wide(scores)
    weights = None if class_weights is None else class_weights.to(wide)
    targets = labels if labels.ndim == 1 else labels.to(wide)
    if labels.ndim == 1 or weights is None:
        return F.cross_entropy(wide, targets, weight=weights, label_smoothing=smoothing)
    total = F.cross_entropy(wide, targets, weight=weights, label_smoothing=smoothing, reduction="sum")
    return total / (targets @ weights).sum()


def hinge_loss(
    scores: Tensor, labels: Tensor, *, margin: float = 1.0, power: int = 1, class_weights: Weights = None
) -> Tensor:
    """The multiclass hinge (SVM) loss, summed over the wrong classes and averaged over the batch.

    L = 1/n sum_i sum_{j != y_i} max(0, s_ij - s_iy + margin)^power

    At scores of zero it is (C - 1) margin^power. PyTorch's MultiMarginLoss divides by C besides.

    Arguments:
        scores: shape (n, classes); labels: shape (n,).
        margin: above 0.
        power: 1, or 2 for the squared hinge.

    >>> float(hinge_loss(torch.zeros(1, 10), torch.tensor([3])))
    9.0

    Source: Weston and Watkins (1999).
    """
    wide = _wide(scores)
    right = wide.gather(1, labels[:, None])
    over = (wide - right + margin).clamp_min(0)
    wrong = torch.ones_like(over).scatter_(1, labels[:, None], 0.0)
    return _mean((over**power * wrong).sum(dim=1), labels, class_weights)


def focal_loss(scores: Tensor, labels: Tensor, *, gamma: float = 2.0, class_weights: Weights = None) -> Tensor:
    """Cross-entropy that cares less for what is right already: L = 1/n sum_i -(1 - p_iy)^gamma ln p_iy.

    Arguments:
        scores: shape (n, classes); labels: shape (n,), or shares of the classes, shape (n, classes).
        gamma: at least 0; 0 gives the softmax loss.

    Source: Lin et al., "Focal Loss for Dense Object Detection" (ICCV 2017), in its multiclass form.
    """
    logs = F.log_softmax(_wide(scores), dim=1)
    if labels.ndim == 1:
        return _mean(_focal(logs.gather(1, labels[:, None])[:, 0], gamma), labels, class_weights)
    each = labels.to(logs) * _focal(logs, gamma)
    if class_weights is None:
        return each.sum(dim=1).mean()
    weights = class_weights.to(each)
    return (each * weights).sum() / (labels.to(each) @ weights).sum()


def _focal(log: Tensor, gamma: float) -> Tensor:
    return -((-torch.expm1(log)) ** gamma) * log


def make_softmax(part: LossPart, class_weights: Weights) -> Loss:
    """Softmax with `loss.smoothing` and `loss.class_weights`."""
    return partial(softmax_loss, smoothing=part.smoothing, class_weights=class_weights)


def make_hinge(part: LossPart, class_weights: Weights) -> Loss:
    """Multiclass hinge with `loss.margin`."""
    return partial(hinge_loss, margin=part.margin, class_weights=class_weights)


def make_squared_hinge(part: LossPart, class_weights: Weights) -> Loss:
    """Squared multiclass hinge with `loss.margin`."""
    return partial(hinge_loss, margin=part.margin, power=2, class_weights=class_weights)


def make_focal(part: LossPart, class_weights: Weights) -> Loss:
    """Focal loss with `loss.gamma`."""
    return partial(focal_loss, gamma=part.gamma, class_weights=class_weights)


LOSSES: Table[Make] = Table(
    "loss",
    {"softmax": make_softmax, "hinge": make_hinge, "squared-hinge": make_squared_hinge, "focal": make_focal},
)


def balanced_weights(counts: Sequence[int]) -> Tensor:
    """Weights that give every class the same say: n / (C n_c), so their mean over the images is 1.

    Arguments:
        counts: training images of each class, all above 0.

    >>> balanced_weights([30, 10])
    tensor([0.6667, 2.0000])
    """
    return torch.tensor([sum(counts) / (len(counts) * count) for count in counts])


def make_loss(part: LossPart, counts: Sequence[int]) -> Loss:
    """The loss of a recipe.

    Arguments:
        counts: training images of each class, for balanced class weights.
    """
    return LOSSES[part.kind](part, balanced_weights(counts) if part.class_weights == "balanced" else None)


def _wide(scores: Tensor) -> Tensor:
    """At least float32: half precision has too few digits for a sum of exponentials."""
    return scores if scores.dtype == torch.float64 else scores.float()


def _mean(each: Tensor, labels: Tensor, class_weights: Weights) -> Tensor:
    if class_weights is None:
        return each.mean()
    weights = class_weights.to(each)[labels]
    return (each * weights).sum() / weights.sum()


def heads_of(outputs: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """What a network gave, as a tuple: its scores, and behind them those of auxiliary heads, which some have in training."""
    return (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)


def objective(loss: Loss, heads: Sequence[Tensor], labels: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of the scores, and what training minimises.

    J = L(heads[0]) + 0.3 sum over the auxiliary heads of L(heads[i])

    Arguments:
        heads: scores, each of shape (n, classes); those of the auxiliary heads behind the network's own.

    >>> own, minimised = objective(softmax_loss, [torch.zeros(1, 10)] * 3, torch.tensor([3]))
    >>> round(float(minimised / own), 6)
    1.6
    """
    own = loss(heads[0], labels)
    return own, own + AUXILIARY_WEIGHT * sum(loss(head, labels) for head in heads[1:]) if len(heads) > 1 else own
