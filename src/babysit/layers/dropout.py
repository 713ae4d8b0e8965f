"""Dropout in both forms. A probability here is always that of dropping a unit; the paper's p is that of keeping it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from babysit.errors import UserError


class InvertedDropout(nn.Dropout):
    """Drops units in training and scales what is left; predicts with everything, unscaled.

    In training y = x m / (1 - q), each m 0 with probability q, else 1; in prediction y = x. E[y] = x in both.

    Arguments:
        drop_probability: q, at least 0 and below 1.

    Raises:
        UserError: when it is not.
    """

    def __init__(self, drop_probability: float = 0.5) -> None:
        super().__init__(check_probability(type(self).__name__, drop_probability))


class PaperDropout(nn.Module):
    """Drops units in training; predicts with everything, scaled by the probability of keeping a unit.

    In training y = x m, each m 0 with probability q, else 1; in prediction y = (1 - q) x. E[y] = (1 - q) x in both.

    Arguments:
        drop_probability: q, at least 0 and below 1.

    Raises:
        UserError: when it is not.

    >>> PaperDropout(0.2).eval()(torch.ones(3))
    tensor([0.8000, 0.8000, 0.8000])

    Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014, "Dropout: a simple way to prevent neural
    networks from overfitting", section 4.
    """

    def __init__(self, drop_probability: float = 0.5) -> None:
        super().__init__()
        self.drop_probability = check_probability(type(self).__name__, drop_probability)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
        """Masked in training, scaled in prediction."""
        keep = 1 - self.drop_probability
        if not self.training:
            return input * keep
        return input * torch.empty_like(input).bernoulli_(keep)

    def extra_repr(self) -> str:
        """The argument."""
        return f"drop_probability={self.drop_probability}"


def check_probability(layer: str, value: float) -> float:
    """A probability of dropping, as a float.

    Raises:
        UserError: when it is no number from 0 to below 1.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (number and 0 <= value < 1):
        raise UserError(f"drop_probability is {value!r}", where=layer, legal="from 0 to below 1")
    return float(value)
