"""Batches: whole tensors cut out of the cache, augmented, normalised, on the training device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from babysit.data.augment import Augmentation, Views, cut, draw_views, plain_views
from babysit.data.statistics import Statistics

PIECE = 160 * 160 * 3
"""Values that are normalised at a time: 300 KB of float32."""


@dataclass(frozen=True)
class Batches:
    """The images of one part.

    `pixels` canvases, uint8, shape (n, canvas, canvas, 3); `rows` which of them belong to this part;
    `labels` class index of each canvas; `size` side of the image the network sees; `check` is told the rows before
    their pixels are read (`Cache.check`), or None.
    """

    pixels: NDArray[np.uint8]
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    size: int
    statistics: Statistics
    dtype: torch.dtype
    device: torch.device
    check: Callable[[NDArray[np.int64]], None] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def centre(self) -> int:
        """Top and left of the centred window on the canvas."""
        return (self.pixels.shape[1] - self.size) // 2

    def training(
        self, samples: NDArray[np.int64], augmentation: Augmentation, *, seed: int, epoch: int
    ) -> tuple[Tensor, Tensor]:
        """Augmented images and their labels.

        Arguments:
            samples: positions in `rows`, shape (batch,).

        Shape:
            (batch, 3, size, size), channels last; (batch,).
        """
        rows = self.rows[samples]
        views = draw_views(augmentation, rows, seed=seed, epoch=epoch, centre=self.centre)
        return self._tensors(rows, views)

    def plain(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images of the part in order, unaugmented, in batches."""
        for start in range(0, len(self.rows), batch_size):
            rows = self.rows[start : start + batch_size]
            yield self._tensors(rows, plain_views(len(rows), self.centre))

    def _tensors(self, rows: NDArray[np.int64], views: Views) -> tuple[Tensor, Tensor]:
        if self.check:
            self.check(rows)
        images = cut(self.pixels, rows, views, self.size)
        labels = torch.from_numpy(self.labels[rows]).to(self.device)
        return normalise(torch.from_numpy(images).to(self.device), self.statistics, self.dtype), labels


def normalise(images: Tensor, statistics: Statistics, dtype: torch.dtype) -> Tensor:
    """y = (x - shift) / scale, in float32, then rounded to `dtype`.

    Shape:
        uint8 (n, height, width, 3) to (n, 3, height, width), channels last.
    """
    count, height, width, channels = images.shape
    shift = torch.tensor(statistics.shift, dtype=torch.float32, device=images.device).repeat(width)
    scale = torch.tensor(statistics.scale, dtype=torch.float32, device=images.device).repeat(width)
    rows = images.reshape(count * height, width * channels)
    made = _empty(rows.shape, dtype, images.device)
    # On a processor in pieces that stay in its nearest memory between the three operations.
    step = max(1, PIECE // (width * channels)) if images.device.type == "cpu" else max(1, len(rows))
    piece = torch.empty((min(step, len(rows)), width * channels), dtype=torch.float32, device=images.device)
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        made[start : start + step] = piece[: len(part)].copy_(part).sub_(shift).div_(scale)
    return made.view(count, height, width, channels).permute(0, 3, 1, 2)


def _empty(shape: torch.Size, dtype: torch.dtype, device: torch.device) -> Tensor:
    if device.type == "cpu" and dtype == torch.float32:
        # NumPy asks for large pages where there are any: a fresh batch costs a third less time.
        return torch.from_numpy(np.empty(tuple(shape), np.float32))
    return torch.empty(shape, dtype=dtype, device=device)
