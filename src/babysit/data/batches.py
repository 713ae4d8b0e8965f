"""Batches: whole tensors cut out of the cache, augmented, normalised, on the training device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from babysit.data.augment import Augmentation, cut, draw_views, plain_views
from babysit.data.statistics import Statistics


@dataclass(frozen=True)
class Batches:
    """The images of one part.

    `pixels` canvases, uint8, shape (n, canvas, canvas, 3); `rows` which of them belong to this part;
    `labels` class index of each canvas; `size` side of the image the network sees.
    """

    pixels: NDArray[np.uint8]
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    size: int
    statistics: Statistics
    dtype: torch.dtype
    device: torch.device

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
        return self._tensors(rows, cut(self.pixels, rows, views, self.size))

    def plain(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images of the part in order, unaugmented, in batches."""
        for start in range(0, len(self.rows), batch_size):
            rows = self.rows[start : start + batch_size]
            yield self._tensors(rows, cut(self.pixels, rows, plain_views(len(rows), self.centre), self.size))

    def _tensors(self, rows: NDArray[np.int64], images: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
        labels = torch.from_numpy(self.labels[rows]).to(self.device)
        return normalise(torch.from_numpy(images).to(self.device), self.statistics, self.dtype), labels


def normalise(images: Tensor, statistics: Statistics, dtype: torch.dtype) -> Tensor:
    """y = (x - shift) / scale, in float32, then rounded to `dtype`.

    Shape:
        uint8 (n, height, width, 3) to (n, 3, height, width), channels last.
    """
    shift = torch.tensor(statistics.shift, dtype=torch.float32, device=images.device)
    scale = torch.tensor(statistics.scale, dtype=torch.float32, device=images.device)
    return images.float().sub_(shift).div_(scale).to(dtype).permute(0, 3, 1, 2)
