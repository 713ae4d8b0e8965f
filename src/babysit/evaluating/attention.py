"""Where the network looked in its worst mistakes, kept in the run, so that a report needs neither torch nor the network."""

from __future__ import annotations

import io

import numpy as np
import torch
from numpy.typing import NDArray

from babysit.data.augment import cut, plain_views
from babysit.data.batches import normalise
from babysit.device import threads
from babysit.errors import UserError, writing
from babysit.inference.explain import grad_cam
from babysit.inference.predictor import Predictor
from babysit.record import atomic
from babysit.record.predictions import MISTAKES, Predicted
from babysit.record.run import Run

BATCH = 8
"""Images at a time: gradients of a large network over large images take much memory."""


def write_attention(run: Run, network: Predictor, canvases: NDArray[np.uint8], predicted: Predicted) -> None:
    """Writes the maps of Grad-CAM over the worst mistakes; nothing for a network without a convolution.

    Arguments:
        canvases: decoded images, shape (n, canvas, canvas, 3); `predicted.rows` are places in it.
    """
    places = predicted.worst_mistakes(MISTAKES)
    size = network.size
    found = [np.zeros((0, size, size), np.float32)]
    device = next(network.model.parameters()).device
    try:
        for start in range(0, len(places), BATCH):
            rows = predicted.rows[places[start : start + BATCH]]
            window = cut(canvases, rows, plain_views(len(rows), (canvases.shape[1] - size) // 2), size)
            images = normalise(torch.from_numpy(window).to(device), network.statistics, torch.float32)
            with threads(network.recipe.train.threads):
                found.append(grad_cam(network.model, images)[0])
    except UserError:
        run.attention.unlink(missing_ok=True)
        return
    maps = np.rint(255 * np.nan_to_num(np.concatenate(found))).astype(np.uint8)
    stream = io.BytesIO()
    np.savez_compressed(stream, places=places, maps=maps)
    with writing(run.attention, "the maps of the mistakes"):
        run.attention.parent.mkdir(exist_ok=True)
        atomic.write_bytes(run.attention, stream.getvalue())
