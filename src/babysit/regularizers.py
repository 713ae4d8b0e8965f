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

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from babysit.errors import UserError
from babysit.recipe.schema import RegularizePart

NORMALISING = (_BatchNorm, nn.GroupNorm, nn.LayerNorm, _InstanceNorm)
"""Layers that normalise activations."""

RATE_FACTOR = "rate_factor"
"""The key of a parameter group under which its factor of the learning rate stands."""


def met(model: nn.Module, *, biases: bool) -> list[nn.Parameter]:
    """The parameters that are regularised, in the model's order."""
    named = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
    # A locally connected layer's bias has three axes, and is a bias all the same.
    return [one for name, one in named if biases or (one.ndim > 1 and name.rpartition(".")[2] != "bias")]


def parameter_groups(
    model: nn.Module,
    l2: float,
    *,
    biases: bool,
    bias_rate: float = 1.0,
    body_rate: float = 1.0,
    heads: Sequence[str] = (),
) -> list[dict[str, object]]:
    """Parameter groups for an optimiser: those met by L2 and the others, and the same for each other factor of the rate.

    Arguments:
        l2: lambda, at least 0.
        biases: whether biases and normalisation parameters (those with fewer than two axes) are met too.
        bias_rate: factor of the rate for the shifts of normalisations, above 0; kept in their group as `RATE_FACTOR`.
        body_rate: factor of the rate for all that is not in one of the layers `heads`, above 0; multiplies `bias_rate`.

    Raises:
        UserError: when shifts shall have a rate of their own and there are none.

    Source of `bias_rate`: Page, "How to train your ResNet", part 8, 2019; Jordan, "94% on CIFAR-10 in 3.29 seconds", 2024,
    section 3.3, with a factor of 64.
    """
    weights = {id(one) for one in met(model, biases=biases)}
    shifts = {id(one) for one in _shifts(model)} if bias_rate != 1 else set[int]()
    if bias_rate != 1 and not shifts:
        raise UserError(
            "there is no normalisation with a trained shift in this network, so a rate for shifts would be passed over",
            where="optim.bias_rate",
            legal="1, or another network",
        )
    inside = tuple(f"{name}." for name in heads)
    factors = {
        id(one): (bias_rate if id(one) in shifts else 1.0) * (1.0 if name.startswith(inside) else body_rate)
        for name, one in model.named_parameters()
        if one.requires_grad
    }
    trained = [one for one in model.parameters() if one.requires_grad]
    groups: list[dict[str, object]] = []
    for factor in dict.fromkeys((1.0, bias_rate, body_rate, bias_rate * body_rate)):
        for is_met in (True, False):
            some = [one for one in trained if (factors[id(one)], id(one) in weights) == (factor, is_met)]
            if some or not groups:
                own: dict[str, object] = {RATE_FACTOR: factor} if factor != 1 else {}
                groups.append({"params": some, "weight_decay": l2 if is_met else 0.0, **own})
    return groups


def _shifts(model: nn.Module) -> list[nn.Parameter]:
    """What normalisations add."""
    found = [layer.bias for layer in model.modules() if isinstance(layer, NORMALISING)]
    return [one for one in found if isinstance(one, nn.Parameter) and one.requires_grad]


def clip_gradients(parameters: Iterable[nn.Parameter], longest: float) -> float:
    """Shortens the whole gradient to the norm `longest` when it is longer; returns the norm it had.

    g <- g min(1, longest / ||g||) over all parameters together (Pascanu et al., ICML 2013).

    A gradient that is not finite stays so, and the watcher sees it.
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

    L2 is the optimiser's (`parameter_groups`); all else happens here. `model` is needed for the max norm alone.
    """

    weights: list[Tensor]
    part: RegularizePart
    model: nn.Module | None = None

    @torch.no_grad()
    def penalty(self) -> float:
        """The regularisation part of the loss, in the loss's unit; 0 without one. Decay is no part of the loss."""
        part = self.part
        value = 0.0
        if (squared := 0.5 * (part.l2 or 0.0) + part.elastic_l2) and self.weights:
            value += squared * float(torch.nn.utils.get_total_norm(self.weights)) ** 2
        if absolute := part.l1 + part.elastic_l1:
            value += absolute * float(sum(weight.abs().sum() for weight in self.weights))
        return value

    @torch.no_grad()
    def gradient_norm(self) -> float:
        """The norm of what the penalties pull the weights with, decay counted as the L2 that shrinks as much.

        ||a W + b sign(W)||, a = l2 + 2 elastic_l2 + decay, b = l1 + elastic_l1
        """
        part = self.part
        shrink = (part.l2 or 0.0) + 2 * part.elastic_l2 + (part.decay or 0.0)
        absolute = part.l1 + part.elastic_l1
        squares = 0.0
        for weight in self.weights if shrink or absolute else ():
            pull = weight.float() * shrink
            squares += float((pull.add_(weight.sign(), alpha=absolute) if absolute else pull).square().sum())
        return math.sqrt(squares)

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
        if self.part.max_norm:
            assert self.model is not None
            project_max_norm(self.model, self.part.max_norm)

    @torch.no_grad()
    def zero_share(self) -> float:
        """The share of the regularised weights that are exactly zero."""
        count = sum(one.numel() for one in self.weights)
        return sum(int((one == 0).sum()) for one in self.weights) / max(1, count)


@torch.no_grad()
def project_max_norm(model: nn.Module, c: float) -> None:
    """Scales every filter whose squared norm exceeds c back to it; for after the update.

    W <- W sqrt(c) / ||W||  where ||W||² > c

    A filter is what one output unit multiplies: a row of a full layer, a filter of a convolution, and at each position one
    of a locally connected layer. Biases are left alone. A filter that is not a number stays so.

    Arguments:
        model: its full, convolution and locally connected layers are changed in place, but for those that are not trained.
        c: above 0; bounds the squared norm.

    Raises:
        UserError: when c is not a number above 0.

    >>> layer = nn.Linear(2, 1)
    >>> _ = layer.weight.data.copy_(torch.tensor([[3.0, 4.0]]))
    >>> project_max_norm(layer, 4.0)
    >>> layer.weight.data
    tensor([[1.2000, 1.6000]])

    Source: Srivastava et al. 2014, "Dropout", section 5.1; Srebro and Shraibman 2005, "Rank, trace-norm and max-norm".
    """
    if not (isinstance(c, (int, float)) and not isinstance(c, bool) and math.isfinite(c) and c > 0):
        raise UserError(f"the max norm is {c!r}", legal="a number above 0, which bounds the squared norm of a filter")
    for module in model.modules():
        axes = filter_axes(module)
        if axes is not None and isinstance(weight := module.weight, Tensor) and weight.requires_grad:
            squared = (weight if weight.dtype == torch.float64 else weight.float()).square().sum(axes, keepdim=True)
            scale = torch.where(squared > c, math.sqrt(c) / squared.sqrt(), torch.ones_like(squared))
            weight.mul_(scale.to(weight.dtype))


def filter_axes(module: nn.Module) -> tuple[int, ...] | None:
    """The axes of a module's `weight` along which one filter lies; None when it has no filters.

    A module may say so itself with an attribute `filter_axes`.
    """
    if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        return tuple(range(1, module.weight.ndim))
    return getattr(module, "filter_axes", None)
