"""Decoded images in an accelerator's memory: batches are cut there, and nothing but places goes over for each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from babysit.data.augment import Views, places
from babysit.device import free_memory, placed

SHARE = 0.25
"""Of the memory that is free there, what the images may take: the network needs the rest."""

LARGEST = 2**32
"""Bytes: more would be read for longer than a person waits for the first step."""

PIECE = 2**27
"""Bytes that are brought at a time."""


def on(device: torch.device, pixels: NDArray[np.uint8], check: Callable[[NDArray[np.int64]], None]) -> Tensor | None:
    """All canvases in a device's memory; None for a processor, which has them already, or where they are too large.

    Arguments:
        pixels: canvases, shape (n, canvas, canvas, 3).
        check: told the rows before their pixels are read.
    """
    if device.type == "cpu" or pixels.nbytes > min(LARGEST, SHARE * free_memory(device)):
        return None
    made = torch.empty(pixels.shape, dtype=torch.uint8, device=device)
    step = max(1, PIECE // max(1, pixels[:1].nbytes))
    for start in range(0, len(pixels), step):
        some = np.arange(start, min(start + step, len(pixels)))
        check(some)
        made[start : start + step].copy_(torch.from_numpy(pixels[some]))
    return made


def cut_there(canvases: Tensor, rows: NDArray[np.int64], views: Views, size: int) -> Tensor:
    """As `augment.cut`, where the canvases are.

    Shape:
        uint8 (n, canvas, canvas, 3) to (batch, size, size, 3).

    >>> canvases = torch.arange(2 * 4 * 4 * 3, dtype=torch.uint8).view(2, 4, 4, 3)
    >>> views = Views(np.array([1]), np.array([-1]), np.array([True]))
    >>> cut_there(canvases, np.array([1]), views, 2)[0, :, :, 0]
    tensor([[60, 63],
            [72, 75]], dtype=torch.uint8)
    """
    down, across = places(views, size, canvases.shape[1])
    index = placed(torch.from_numpy(np.concatenate([rows[:, None], down, across], axis=1)), canvases.device)
    row, down, across = index[:, :1], index[:, 1 : 1 + size], index[:, 1 + size :]
    return canvases[row[:, :, None], down[:, :, None], across[:, None, :]]
