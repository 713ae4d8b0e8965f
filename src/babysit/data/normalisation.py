"""Normalisation: the fitted statistics placed on a device, applied to batches in float32."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from babysit.data.statistics import Statistics

PIECE = 160 * 160 * 3
"""Values that a thread normalises at a time: 300 KB of float32."""


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Statistics as tensors: `shift` and `scale`, shape (3,); `mean` and `matrix` as in `Statistics`, transposed."""

    shift: Tensor
    scale: Tensor
    mean: Tensor | None
    matrix: Tensor | None
    dtype: torch.dtype

    @classmethod
    def of(cls, statistics: Statistics, dtype: torch.dtype, device: torch.device) -> Normalisation:
        """Places the statistics of a training on a device."""
        arrays = {name: torch.from_numpy(array).to(device) for name, array in statistics.arrays().items()}
        matrix = arrays.get("matrix")
        return cls(
            torch.tensor(statistics.shift, dtype=torch.float32, device=device),
            torch.tensor(statistics.scale, dtype=torch.float32, device=device),
            arrays.get("mean"),
            None if matrix is None else matrix.T,
            dtype,
        )

    def __call__(self, images: Tensor) -> Tensor:
        """y = (matrix (x - mean) - shift) / scale, in float32, then rounded to `dtype`.

        Shape:
            uint8 or float32 (n, height, width, 3) to (n, 3, height, width), channels last.
        """
        return self._scaled(self._turned(images) if self.mean is not None else images)

    def _turned(self, images: Tensor) -> Tensor:
        assert self.mean is not None
        count, size, side = len(images), images.shape[1], len(self.mean)
        if self.matrix is None and side == size:
            return images - self.mean
        across = size // side
        tiles = images.view(count, across, side, across, side, 3).transpose(2, 3).reshape(-1, 3 * side * side)
        centred = tiles - self.mean.reshape(-1)
        turned = centred if self.matrix is None else centred @ self.matrix
        return turned.view(count, across, across, side, side, 3).transpose(2, 3).reshape(images.shape)

    def _scaled(self, images: Tensor) -> Tensor:
        count, height, width, channels = images.shape
        shift, scale = self.shift.repeat(width), self.scale.repeat(width)
        rows = images.reshape(count * height, width * channels)
        made = empty(rows.shape, self.dtype, images.device)
        # On a processor in pieces that stay in the nearest memory of each thread between the three operations.
        piece_rows = torch.get_num_threads() * PIECE // (width * channels)
        step = max(1, piece_rows) if images.device.type == "cpu" else max(1, len(rows))
        piece = torch.empty((min(step, len(rows)), width * channels), dtype=torch.float32, device=images.device)
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            made[start : start + step] = piece[: len(part)].copy_(part).sub_(shift).div_(scale)
        return made.view(count, height, width, channels).permute(0, 3, 1, 2)


def empty(shape: torch.Size, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Room for a batch, not filled."""
    if device.type == "cpu":
        # NumPy asks for large pages where there are any: to fill a fresh batch costs a fraction of the time.
        values = torch.from_numpy(np.empty(shape.numel() * dtype.itemsize, np.uint8))
        return values.view(dtype).view(shape)
    return torch.empty(shape, dtype=dtype, device=device)
