"""Losses, averaged over the batch."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from babysit.tables import Table

Loss = Callable[[Tensor, Tensor], Tensor]


def softmax_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the softmax, in nats.

    L = 1/n sum_i -ln(exp(s_i[y_i]) / sum_j exp(s_i[j]))

    Arguments:
        scores: shape (n, classes), any floating type; computed in float32.
        labels: shape (n,), class indices.

    >>> import torch
    >>> round(float(softmax_loss(torch.zeros(1, 10), torch.tensor([3]))), 6)
    2.302585
    """
    return F.cross_entropy(scores.float(), labels)


LOSSES: Table[Loss] = Table("loss", {"softmax": softmax_loss})
