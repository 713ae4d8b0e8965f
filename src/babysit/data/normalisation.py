"""Normalisation: the fitted statistics placed on a device, applied to batches in float32."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from babysit.data.statistics import Statistics


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
        """(x - shift) / scale; on a processor as batch normalisation of rows, each value of a row a channel of its own.

        PyTorch makes that in one pass, in float32 whatever the type, and rounds once; an operation after the other takes
        twice the time there. The integers of a pixel are exact in bfloat16 too.
        """
        if images.device.type != "cpu":
            return torch.sub(images, self.shift).div_(self.scale).to(self.dtype).permute(0, 3, 1, 2)
        count, height, width, channels = images.shape
        rows = images.reshape(count * height, width * channels)
        shift, square = self.shift.repeat(width), self.scale.square().repeat(width)
        dtype = self.dtype if images.dtype == torch.uint8 else torch.float32
        made, none = empty(rows.shape, dtype, images.device).copy_(rows), torch.empty(0)
        torch.native_batch_norm(made, None, None, shift, square, False, 0.0, 0.0, out=(made, none, none))
        return made.to(self.dtype).view(count, height, width, channels).permute(0, 3, 1, 2)


def empty(shape: torch.Size, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Room for a batch, not filled."""
    if device.type == "cpu":
        # NumPy asks for large pages where there are any: to fill a fresh batch costs a fraction of the time.
        values = torch.from_numpy(np.empty(shape.numel() * dtype.itemsize, np.uint8))
        return values.view(dtype).view(shape)
    return torch.empty(shape, dtype=dtype, device=device)
