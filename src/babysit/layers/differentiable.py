"""Gradients that can be differentiated again, for layers whose own backward pass is made of steps in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def gradients(
    formula: Callable[..., Tensor], inputs: Sequence[Tensor], wanted: Sequence[bool], gradient: Tensor
) -> tuple[Tensor | None, ...]:
    """The gradients of formula(*inputs) as a graph of PyTorch's own operations.

    sum over the outputs of gradient d formula / d input, for each input that is wanted; None for the others.

    Arguments:
        formula: the layer in operations that PyTorch can differentiate.
        gradient: of the shape that the formula gives.

    >>> x = torch.tensor([3.0], requires_grad=True)
    >>> (slope,) = gradients(lambda x: x**3, [x], [True], torch.ones(1))
    >>> torch.autograd.grad(slope, x)
    (tensor([18.]),)
    """
    with torch.enable_grad():
        output = formula(*inputs)
    some = [one for one, is_wanted in zip(inputs, wanted, strict=True) if is_wanted]
    found = iter(torch.autograd.grad(output, some, gradient, create_graph=True) if some else ())
    return tuple(next(found) if is_wanted else None for is_wanted in wanted)
