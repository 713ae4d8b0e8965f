"""Evaluation: the probabilities of every image of a part, each independent of its batch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from babysit.data.batches import Part
from babysit.device import autocast, repeatable
from babysit.losses import heads_of
from babysit.metrics import Scores

BATCH = 250


def probabilities(model: nn.Module, part: Part, precision: str) -> NDArray[np.float32]:
    """Softmax of the network's scores, in evaluation mode, without augmentation.

    Shape:
        (images, classes), float32.
    """
    model.eval()
    rows = []
    with torch.inference_mode(), autocast(part.device, precision), repeatable(part.device):
        for images, _ in part.plain(BATCH):
            rows.append(torch.softmax(heads_of(model(images))[0].float(), dim=1).cpu().numpy())
    return np.concatenate(rows) if rows else np.zeros((0, 0), np.float32)


def worth(scores: Scores, metric: str) -> tuple[float, float]:
    """What networks are ranked by, larger is better: the metric, and of two that are equal in it the loss.

    Arguments:
        metric: `accuracy`, `macro-f1` or `loss`.
    """
    if metric == "loss":
        return -scores.loss, scores.accuracy
    return (scores.macro_f1 if metric == "macro-f1" else scores.accuracy), -scores.loss
