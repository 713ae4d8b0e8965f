"""Regularisers: penalties on the weights, and what is done to the weights directly.

Every one meets the weights alone (parameters with two axes and more: filters and matrices); with `biases` also biases
and normalisation parameters. With W over all that are met:

    l2          lambda/2 sum W²             added to the gradient as lambda W (by the optimiser, before its momentum)
    l1          lambda sum |W|              added to the gradient as lambda sign(W); `proximal`: see `soft_threshold`
    elastic     lambda1 sum |W| + lambda2 sum W²    so elastic_l2 = lambda/2 is the l2 of lambda
    decay       no part of the loss         W <- (1 - lr lambda) W beside the update (decoupled weight decay)

L2 and decay are the same for plain gradient descent. With momentum or Adam they are not: L2's gradient goes through the
momentum and is divided by Adam's root, decay is not (Loshchilov and Hutter, ICLR 2019).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from babysit.recipe.schema import RegularizePart


def met(model: nn.Module, *, biases: bool) -> list[nn.Parameter]:
    """The parameters that are regularised, in the model's order."""
    return [one for one in model.parameters() if one.requires_grad and (one.ndim > 1 or biases)]


def parameter_groups(model: nn.Module, l2: float, *, biases: bool) -> list[dict[str, object]]:
    """Parameter groups for an optimiser: those met by L2, and the others.

    Arguments:
        l2: lambda, at least 0.
        biases: whether biases and normalisation parameters (those with fewer than two axes) are met too.
    """
    weights = met(model, biases=biases)
    inside = {id(one) for one in weights}
    others = [one for one in model.parameters() if one.requires_grad and id(one) not in inside]
    groups: list[dict[str, object]] = [{"params": weights, "weight_decay": l2}]
    if others:
        groups.append({"params": others, "weight_decay": 0.0})
    return groups


def clip_gradients(parameters: Iterable[nn.Parameter], longest: float) -> float:
    """Shortens the whole gradient to the norm `longest` when it is longer; returns the norm it had.

    g <- g min(1, longest / ||g||) over all parameters together (Pascanu et al., ICML 2013).

    Raises:
        RuntimeError: never; a gradient that is not finite stays so, and the watcher sees it.
    """
    return float(torch.nn.utils.clip_grad_norm_(parameters, longest, foreach=True))


def soft_threshold(weights: Sequence[Tensor], threshold: float) -> None:
    """W <- sign(W) max(|W| - threshold, 0), in place: L1's proximal step, which gives exact zeros.

    Source: Daubechies, Defrise and De Mol (2004); Beck and Teboulle, "FISTA" (2009).

    >>> weight = torch.tensor([0.5, -0.02, -0.5])
    >>> soft_threshold([weight], 0.1)
    >>> weight
    tensor([ 0.4000, -0.0000, -0.4000])
    """
    for weight in weights:
        weight.copy_(torch.nn.functional.softshrink(weight, threshold))


@dataclass(frozen=True)
class Regularizer:
    """A recipe's regularisation of one network, around the optimiser's update.

    L2 is the optimiser's (`parameter_groups`); all else happens here.
    """

    weights: list[Tensor]
    part: RegularizePart

    @torch.no_grad()
    def penalty(self) -> float:
        """The regularisation part of the loss, in the loss's unit; 0 without one. Decay is no part of the loss."""
        part = self.part
        value = 0.0
        if squared := 0.5 * (part.l2 or 0.0) + part.elastic_l2:
            value += squared * float(sum(weight.square().sum() for weight in self.weights))
        if absolute := part.l1 + part.elastic_l1:
            value += absolute * float(sum(weight.abs().sum() for weight in self.weights))
        return value

    @torch.no_grad()
    def before_update(self, rate: float) -> None:
        """Adds the penalties' gradients and shrinks by the decay."""
        part = self.part
        absolute = part.elastic_l1 + (part.l1 if part.l1_form == "gradient" else 0.0)
        for weight in self.weights:
            if weight.grad is None:
                continue
            if absolute:
                weight.grad.add_(weight.sign(), alpha=absolute)
            if part.elastic_l2:
                weight.grad.add_(weight, alpha=2 * part.elastic_l2)
            if part.decay:
                weight.mul_(1 - rate * part.decay)

    @torch.no_grad()
    def after_update(self, rate: float) -> None:
        """What acts on the updated weights."""
        if self.part.l1 and self.part.l1_form == "proximal":
            soft_threshold(self.weights, rate * self.part.l1)

    @torch.no_grad()
    def zero_share(self) -> float:
        """The share of the regularised weights that are exactly zero."""
        count = sum(one.numel() for one in self.weights)
        return sum(int((one == 0).sum()) for one in self.weights) / max(1, count)
