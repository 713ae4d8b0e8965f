"""Muon: the momentum's direction made orthogonal, for filters and matrices between hidden layers.

Source: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; the scale is that of Liu et al.,
"Muon is scalable for LLM training", 2025, section 2.2, with which AdamW's rates and decays serve.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Jordan's a, b, c: singular values go to about 0.7 to 1.2, quickly, not to 1 exactly."""

ROUNDS, LIKE_ADAM = 5, 0.2


WIDE = 1.5
"""Columns over rows from which on working on X X^T costs less: 16 rows² columns against 24 rows³ multiplications in five rounds."""


def orthogonalized(matrices: Tensor) -> Tensor:
    """Near U V^T of each matrix M = U S V^T: X <- P X with P = a I + b X X^T + c (X X^T)² five times, from M / ||M||.

    Wide matrices are multiplied twice only: with G = X X^T a round is G <- P G P, and the result is the product of all P
    times the first X.

    Shape:
        (n, rows, columns), and so is what is returned.
    """
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    x = _by_gram(x) if x.shape[2] >= WIDE * x.shape[1] else _by_rounds(x)
    return x.mT if tall else x


def _by_rounds(x: Tensor) -> Tensor:
    for _ in range(ROUNDS):
        x = _factor(x @ x.mT) @ x
    return x


def _by_gram(x: Tensor) -> Tensor:
    gram = x @ x.mT
    product = factor = _factor(gram)
    for _ in range(ROUNDS - 1):
        gram = factor @ gram @ factor
        factor = _factor(gram)
        product = factor @ product
    return product @ x


def _factor(gram: Tensor) -> Tensor:
    """P = a I + b G + c G²."""
    a, b, c = COEFFICIENTS
    made = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
    made.diagonal(dim1=1, dim2=2).add_(a)
    return made


class Muon(torch.optim.Optimizer):
    """M <- momentum M + g; W <- W - lr 0.2 sqrt(max(rows, columns)) O(g + momentum M), O as `orthogonalized`.

    So for groups with `orthogonal`; a filter is one row. Others take Adam's step with betas (momentum, beta2).

    Arguments:
        groups: dictionaries with `params`, `weight_decay` (L2's lambda, added to the gradient) and `orthogonal`.
    """

    def __init__(
        self, groups: list[dict[str, object]], *, lr: float, momentum: float, beta2: float, epsilon: float
    ) -> None:
        self.momentum, self.beta2, self.epsilon = momentum, beta2, epsilon
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0, "orthogonal": False})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One update from the gradients that are there."""
        value = None
        if closure is not None:
            with torch.enable_grad():
                value = closure()
        for group in self.param_groups:
            (self._turn if group["orthogonal"] else self._adam)(group)
        return value

    def _turn(self, group: dict[str, Any]) -> None:
        """All matrices of one shape together."""
        alike: dict[torch.Size, list[tuple[Tensor, Tensor]]] = defaultdict(list)
        for weight in group["params"]:
            if weight.grad is not None:
                gradient = weight.grad.add(weight, alpha=group["weight_decay"])
                state = self.state[weight]
                momentum = state.setdefault("momentum", torch.zeros_like(weight)).mul_(self.momentum).add_(gradient)
                ahead = gradient.add(momentum, alpha=self.momentum).flatten(1)
                alike[ahead.shape].append((weight, ahead))
        for shape, pairs in alike.items():
            turned = orthogonalized(torch.stack([ahead for _, ahead in pairs]))
            scale = group["lr"] * LIKE_ADAM * math.sqrt(max(shape))
            for (weight, _), direction in zip(pairs, turned, strict=True):
                weight.sub_(direction.view(weight.shape), alpha=scale)

    def _adam(self, group: dict[str, Any]) -> None:
        for weight in group["params"]:
            if weight.grad is None:
                continue
            gradient = weight.grad.add(weight, alpha=group["weight_decay"])
            state = self.state[weight]
            count = state.setdefault("count", torch.zeros(())).add_(1)
            mean = state.setdefault("mean", torch.zeros_like(weight)).lerp_(gradient, 1 - self.momentum)
            square = state.setdefault("square", torch.zeros_like(weight))
            square.mul_(self.beta2).addcmul_(gradient, gradient, value=1 - self.beta2)
            steps = float(count)
            root = (square / (1 - self.beta2**steps)).sqrt_().add_(self.epsilon)
            weight.addcdiv_(mean, root, value=-group["lr"] / (1 - self.momentum**steps))
