"""Warping: crops of random size, rotation and zoom, as one interpolation of the canvases by an affine map."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from babysit.data.augment import Augmentation, Moment, Views
from babysit.seeds import uniform

NARROWEST = 3 / 4
"""The least width over height of a crop of random size; its inverse is the greatest (Szegedy et al., CVPR 2015, section 6)."""


def draw_maps(
    augmentation: Augmentation, views: Views, index: NDArray[np.int64], *, canvas: int, size: int, moment: Moment
) -> NDArray[np.float64]:
    """Affine maps from an image's coordinates to its canvas's, both from -1 to 1 across.

    A crop of random size keeps a uniform share of the canvas's area, its proportions uniform in their logarithm; a
    rectangle longer than the canvas is cut to it. Rotation is about the crop's centre.

    Arguments:
        views: the windows and sides drawn for these images.
        canvas, size: sides in pixels.

    Shape:
        (n, 2, 3).
    """
    draws = uniform(moment.words("warp", index, 6))
    centre = np.stack([views.left, views.top], axis=1) + size / 2
    extent = np.full((len(index), 2), float(size))
    if augmentation.resized_crop:
        area = augmentation.resized_crop + (1 - augmentation.resized_crop) * draws[:, 0]
        ratio = NARROWEST ** (2 * draws[:, 1] - 1)
        extent = canvas * np.minimum(np.sqrt(np.stack([area * ratio, area / ratio], axis=1)), 1.0)
        centre = extent / 2 + draws[:, 2:4] * (canvas - extent)
    angle = math.radians(augmentation.rotate) * (2 * draws[:, 4] - 1)
    extent = extent * _zoom(augmentation.scale, draws[:, 5])
    across = np.where(views.mirrored, -1.0, 1.0) * extent[:, 0]
    maps = np.empty((len(index), 2, 3))
    maps[:, 0, 0], maps[:, 0, 1] = np.cos(angle) * across, -np.sin(angle) * extent[:, 1]
    maps[:, 1, 0], maps[:, 1, 1] = np.sin(angle) * across, np.cos(angle) * extent[:, 1]
    maps[:, :, 2] = 2 * centre - canvas
    return maps / canvas


def warp(canvases: Tensor, maps: NDArray[np.float64], size: int) -> Tensor:
    """Images by bilinear interpolation of their canvases; what lies outside a canvas is its reflection.

    Shape:
        uint8 (n, canvas, canvas, 3) to float32 (n, size, size, 3).
    """
    theta = torch.from_numpy(maps).to(canvases.device, torch.float32)
    grid = F.affine_grid(theta, [len(maps), 3, size, size], align_corners=False)
    planes = canvases.permute(0, 3, 1, 2).float()
    made = F.grid_sample(planes, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return made.permute(0, 2, 3, 1).contiguous()


def _zoom(scale: float, draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Factors of the window's sides, from 1 / (1 + scale) to 1 + scale, uniform in their logarithm."""
    return ((1 + scale) ** (2 * draws - 1))[:, None]
