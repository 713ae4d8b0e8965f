"""Views: the windows of one image whose scores are averaged into one answer.

    plain   the centre, as it is
    flip    the centre and its mirror image
    five    the centre and four windows moved up, down, left and right of it towards the corners
    ten     five, and their mirror images

Where the canvas is no larger than the window, a moved window is filled up with the reflection at the border, as in
training.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from babysit.data.augment import Views, cut
from babysit.data.batches import normalise
from babysit.data.statistics import Statistics
from babysit.device import DTYPES, autocast
from babysit.losses import heads_of

View = Literal["plain", "flip", "five", "ten"]
VIEWS: tuple[View, ...] = ("plain", "flip", "five", "ten")

BATCH = 64
"""Images a forward pass: larger ones need memory that is fetched anew each time, which measured slower."""


def windows(view: View, canvas: int, size: int) -> list[tuple[int, int, bool]]:
    """(top, left, mirrored) of each window of a view, in pixels on the canvas; the centre first.

    >>> windows("flip", 36, 32)
    [(2, 2, False), (2, 2, True)]
    >>> windows("five", 36, 32)[1:]
    [(0, 0, False), (0, 4, False), (4, 0, False), (4, 4, False)]
    """
    centre = (canvas - size) // 2
    # The corners of the canvas; where there is no room around the window, a sixteenth of it.
    reach = centre or max(1, size // 16)
    corners = [(centre + down * reach, centre + across * reach) for down in (-1, 1) for across in (-1, 1)]
    places = [(centre, centre), *(corners if view in ("five", "ten") else [])]
    mirrors = (False, True) if view in ("flip", "ten") else (False,)
    return [(top, left, mirrored) for mirrored in mirrors for top, left in places]


def scores_by_view(
    model: nn.Module,
    canvases: NDArray[np.uint8],
    rows: NDArray[np.int64],
    *,
    statistics: Statistics,
    size: int,
    precision: str,
    views: tuple[View, ...] = ("plain",),
) -> dict[View, NDArray[np.float32]]:
    """Each view's mean score of each image, in evaluation mode; windows that views share are computed once.

    Arguments:
        canvases: uint8, shape (n, canvas, canvas, 3).
        rows: which of them.

    Shape:
        view -> (rows, classes), float32.
    """
    model.eval()
    device = next(model.parameters()).device
    canvas = canvases.shape[1]
    wanted: dict[View, list[tuple[int, int, bool]]] = {view: windows(view, canvas, size) for view in views}
    every = list(dict.fromkeys(window for one in wanted.values() for window in one))
    found: dict[View, list[NDArray[np.float32]]] = {view: [] for view in views}
    with torch.inference_mode(), autocast(device, precision):
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            said = {}
            for top, left, mirrored in every:
                where = Views(np.full(len(some), top), np.full(len(some), left), np.full(len(some), mirrored))
                images = torch.from_numpy(cut(canvases, some, where, size)).to(device)
                outputs = model(normalise(images, statistics, DTYPES[precision]))
                said[top, left, mirrored] = heads_of(outputs)[0].float().cpu()
            for view, parts in wanted.items():
                found[view].append(torch.stack([said[part] for part in parts]).mean(dim=0).numpy())
    return {view: np.concatenate(parts) if parts else np.zeros((0, 0), np.float32) for view, parts in found.items()}
