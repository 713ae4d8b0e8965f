"""Rectangles and pairs: erasing, mixup and cutmix. The latter two change labels too."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from babysit.data.augment import Augmentation, Moment
from babysit.seeds import below, uniform

SMALLEST, LARGEST = 0.02, 1 / 3
"""Shares of the image's area that are erased (Zhong et al., AAAI 2020, section 4)."""

NARROWEST = 0.3
"""The least height over width of what is erased; its inverse is the greatest."""

GRID = 4096


class Batch(NamedTuple):
    """What the network is trained on: images; each one's own class; and what the loss compares with.

    `targets` are the labels, shape (n,), or, of mixed images, shares of the classes, shape (n, classes); an image's own
    class has at least half.
    """

    images: Tensor
    labels: Tensor
    targets: Tensor


@dataclass(frozen=True, slots=True)
class Boxes:
    """A rectangle of each image, in pixels, ends excluded; it may be empty."""

    top: NDArray[np.int64]
    left: NDArray[np.int64]
    bottom: NDArray[np.int64]
    right: NDArray[np.int64]

    def mask(self, size: int, device: torch.device) -> Tensor:
        """Where the rectangles are, shape (n, 1, size, size)."""
        places = np.arange(size)
        down = (places >= self.top[:, None]) & (places < self.bottom[:, None])
        across = (places >= self.left[:, None]) & (places < self.right[:, None])
        return torch.from_numpy(down[:, None, :, None] & across[:, None, None, :]).to(device)

    def shares(self, size: int) -> NDArray[np.float64]:
        """Of the image's area."""
        return (self.bottom - self.top) * (self.right - self.left) / size**2


@dataclass(frozen=True, slots=True)
class Mixing:
    """With what each image is mixed: the `partner`'s position in the part, its `weight` everywhere, and its rectangle.

    `share` is what the partner's class gets: at most a half.
    """

    partner: NDArray[np.int64]
    weight: NDArray[np.float64]
    boxes: Boxes
    share: NDArray[np.float64]


def draw_erased(augmentation: Augmentation, index: NDArray[np.int64], *, size: int, moment: Moment) -> Boxes:
    """A rectangle for each image that is to lose one, an empty one for the others.

    Source: Zhong et al., "Random Erasing Data Augmentation" (AAAI 2020).
    """
    draws = uniform(moment.words("erase", index, 5))
    area = (SMALLEST + (LARGEST - SMALLEST) * draws[:, 1]) * (draws[:, 0] < augmentation.erase)
    ratio = NARROWEST ** (2 * draws[:, 2] - 1)
    return _boxes(np.sqrt(area * ratio), np.sqrt(area / ratio), draws[:, 3:], size=size, most=size)


def erase(images: Tensor, boxes: Boxes) -> Tensor:
    """Sets the rectangles to zero, which after preprocessing is the mean of what is centred.

    Shape:
        (n, 3, size, size), in place.
    """
    return images.masked_fill_(boxes.mask(images.shape[2], images.device), 0.0)


def draw_mixing(
    augmentation: Augmentation, index: NDArray[np.int64], *, count: int, size: int, moment: Moment
) -> Mixing | None:
    """Partners and their shares; None when images are not mixed.

    The share is drawn from Beta(alpha, alpha) and, where it is above a half, taken from one: image and partner are
    drawn alike, so nothing but their order changes, and an image's own class stays the largest.

    Arguments:
        count: images in the part, of which any may be a partner.

    Sources: Zhang et al., "mixup" (ICLR 2018); Yun et al., "CutMix" (ICCV 2019).
    """
    if not (augmentation.mixup or augmentation.cutmix):
        return None
    words = moment.words("mix", index, 5)
    draws = uniform(words)
    cut = (
        draws[:, 0] < 0.5
        if augmentation.mixup and augmentation.cutmix
        else np.full(len(index), augmentation.cutmix > 0)
    )
    weight = (
        np.where(cut, 0.0, lesser_share(draws[:, 1], augmentation.mixup))
        if augmentation.mixup
        else np.zeros(len(index))
    )
    area = (
        np.where(cut, lesser_share(draws[:, 1], augmentation.cutmix), 0.0)
        if augmentation.cutmix
        else np.zeros(len(index))
    )
    boxes = _boxes(np.sqrt(area), np.sqrt(area), draws[:, 3:], size=size, most=math.isqrt(size * size // 2))
    return Mixing(below(words[:, 2], count), weight, boxes, weight + boxes.shares(size))


def mix(images: Tensor, others: Tensor, mixing: Mixing) -> Tensor:
    """Each image with its partner: (1 - weight) image + weight partner, and the partner within the rectangle.

    Shape:
        (n, 3, size, size).
    """
    weight = torch.from_numpy(mixing.weight).to(images)[:, None, None, None]
    mask = mixing.boxes.mask(images.shape[2], images.device)
    return torch.where(mask, others, images.lerp(others, weight))


def mixed_targets(labels: Tensor, others: Tensor, mixing: Mixing, classes: int) -> Tensor:
    """Shares of the classes: 1 - share at an image's own, share at its partner's.

    Shape:
        (n,) and (n,) to (n, classes), float32.
    """
    share = torch.from_numpy(mixing.share).to(labels.device, torch.float32)[:, None]
    return torch.lerp(F.one_hot(labels, classes).float(), F.one_hot(others, classes).float(), share)


def lesser_share(draws: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """min(t, 1 - t) with t from Beta(alpha, alpha), by inverting its distribution.

    Over s = t^p, p the lesser of alpha and 1, the density on 0 <= t <= 1/2 is proportional to
    t^(alpha - p) (1 - t)^(alpha - 1), which is bounded.

    Arguments:
        draws: uniform numbers from 0 to below 1.
        alpha: above 0.

    >>> lesser_share(np.array([0.0, 0.5]), 1.0)
    array([0.  , 0.25])
    """
    power = min(alpha, 1.0)
    stretched = np.linspace(0.0, 0.5**power, GRID)
    share = stretched ** (1 / power)
    density = share ** (alpha - power) * (1 - share) ** (alpha - 1)
    below_each = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    return np.interp(draws * below_each[-1], below_each, stretched) ** (1 / power)


def _boxes(
    height: NDArray[np.float64], width: NDArray[np.float64], draws: NDArray[np.float64], *, size: int, most: int
) -> Boxes:
    """Rectangles whose sides are given as shares of the image's, at most `most` pixels, uniformly placed within it."""
    tall, wide = (np.minimum(np.rint(side * size), most).astype(np.int64) for side in (height, width))
    top = (draws[:, 0] * (size - tall + 1)).astype(np.int64)
    left = (draws[:, 1] * (size - wide + 1)).astype(np.int64)
    return Boxes(top, left, top + tall, left + wide)
