"""Augmentation, live, per image, vectorised over the batch: a function of (seed, epoch, sample index).

The draws are made by counting (`seeds.counted`), so batch boundaries and resumption cannot change them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from babysit.data.mapped import fetch
from babysit.recipe.schema import AugmentPart
from babysit.seeds import below, counted, stream_key

LARGEST_GATHERED = 64
"""Up to this size in pixels a batch is gathered pixel by pixel, above it slice by slice: what measured faster."""

MARGIN = 1.125
"""Canvas over training size for larger images: the room in which a crop jitters."""


def canvas_for(size: int) -> int:
    """Side of the cached canvas: the training size, with room for the crop's jitter above 64 pixels.

    >>> canvas_for(32), canvas_for(128)
    (32, 144)
    """
    return size if size <= LARGEST_GATHERED else round(size * MARGIN / 8) * 8


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What is done to training images; nothing, unless asked for.

    `crop` jitter in pixels each way; `flip` `none`, `random` (half of the images, left to right) or `alternating` (each
    image from the other side in the next epoch); `resized_crop` the least share of the canvas's area that a crop of
    random size and proportions keeps, 0 for none; `rotate` degrees each way; `scale` a zoom by up to 1 + scale in or out;
    `brightness`, `contrast`, `saturation` by up to this share; `colour` deviation of Krizhevsky's shift along the
    principal colours; `erase` probability of erasing a rectangle; `mixup`, `cutmix` the alpha of Beta(alpha, alpha), 0
    for none; where both are on, each image gets one of the two; `side` to which the finished image is reduced, in pixels, 0 for
    its whole size.
    """

    crop: int = 0
    flip: str = "none"
    resized_crop: float = 0.0
    rotate: float = 0.0
    scale: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    colour: float = 0.0
    erase: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    side: int = 0

    @classmethod
    def of(cls, part: AugmentPart) -> Augmentation:
        """What a recipe asks for; settings still by rule are off."""
        asked = part.model_dump()
        return cls(**{name: asked[name] for name in cls.__slots__ if asked.get(name) is not None})

    @property
    def warps(self) -> bool:
        """Whether pixels are interpolated."""
        return bool(self.resized_crop or self.rotate or self.scale)

    @property
    def recolours(self) -> bool:
        """Whether colours change."""
        return bool(self.brightness or self.contrast or self.saturation or self.colour)


@dataclass(frozen=True, slots=True)
class Moment:
    """When an image is seen: what its augmentation depends on besides its index."""

    seed: int
    epoch: int

    def words(self, stream: str, index: NDArray[np.int64], draws: int) -> NDArray[np.uint64]:
        """Random words of this epoch for each sample, shape (n, draws)."""
        return counted(stream_key(self.seed, stream, self.epoch), index, draws)


@dataclass(frozen=True, slots=True)
class Views:
    """Where each image of a batch is cut: `top`, `left` of the window on the canvas, and whether it is `mirrored`."""

    top: NDArray[np.int64]
    left: NDArray[np.int64]
    mirrored: NDArray[np.bool_]


def draw_views(augmentation: Augmentation, index: NDArray[np.int64], *, seed: int, epoch: int, centre: int) -> Views:
    """The windows of a training batch.

    Arguments:
        index: sample indices, shape (n,).
        centre: top and left of the window when nothing is jittered, in pixels.
    """
    words = counted(stream_key(seed, "augment", epoch), index, 3)
    span = 2 * augmentation.crop + 1
    top = centre - augmentation.crop + below(words[:, 0], span)
    left = centre - augmentation.crop + below(words[:, 1], span)
    return Views(top, left, _mirrored(augmentation.flip, words[:, 2], index, seed=seed, epoch=epoch))


def _mirrored(
    flip: str, words: NDArray[np.uint64], index: NDArray[np.int64], *, seed: int, epoch: int
) -> NDArray[np.bool_]:
    if flip == "alternating":
        # Its first side is drawn once for the whole run; then the sides take turns.
        words = counted(stream_key(seed, "side"), index, 1)[:, 0] ^ np.uint64(epoch % 2 << 63)
    return (words >> np.uint64(63)).astype(bool) & (flip != "none")


def plain_views(count: int, centre: int) -> Views:
    """The windows of evaluation: the centre, as it is."""
    return Views(np.full(count, centre), np.full(count, centre), np.zeros(count, bool))


def cut(pixels: NDArray[np.uint8], rows: NDArray[np.int64], views: Views, size: int) -> NDArray[np.uint8]:
    """Cuts the windows out of the canvases; what lies outside a canvas is its reflection.

    Arguments:
        pixels: canvases, shape (n, canvas, canvas, 3).
        rows: which canvases, shape (batch,).
        size: side of the window in pixels.

    Shape:
        (batch, size, size, 3).
    """
    fetch(pixels, rows)
    canvas = pixels.shape[1]
    inside = min(views.top.min(), views.left.min()) >= 0 and max(views.top.max(), views.left.max()) + size <= canvas
    # Gathering pixel by pixel is quickest for small images, copying a slice per image for large ones.
    return (
        _slices(pixels, rows, views, size) if inside and size > LARGEST_GATHERED else _gather(pixels, rows, views, size)
    )


def _slices(pixels: NDArray[np.uint8], rows: NDArray[np.int64], views: Views, size: int) -> NDArray[np.uint8]:
    batch = np.empty((len(rows), size, size, 3), np.uint8)
    for place, (row, top, left, mirrored) in enumerate(zip(rows, views.top, views.left, views.mirrored, strict=True)):
        window = pixels[row, top : top + size, left : left + size]
        if not mirrored:
            batch[place] = window
            continue
        for channel in range(3):  # backwards a byte at a time is half as quick again as backwards by three
            batch[place, :, :, channel] = window[:, ::-1, channel]
    return batch


def places(views: Views, size: int, canvas: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The row and the column on its canvas of each pixel of a window.

    Shape:
        (n, size) and (n, size).
    """
    offsets = np.arange(size)
    across = np.where(views.mirrored[:, None], size - 1 - offsets, offsets)
    return _reflected(views.top[:, None] + offsets, canvas), _reflected(views.left[:, None] + across, canvas)


def _gather(pixels: NDArray[np.uint8], rows: NDArray[np.int64], views: Views, size: int) -> NDArray[np.uint8]:
    canvas = pixels.shape[1]
    down, across = places(views, size, canvas)
    index = ((rows[:, None] * canvas + down)[:, :, None] * canvas) + across[:, None, :]
    # A pixel is one element of three bytes, so that one gather moves all its channels.
    triples = pixels.reshape(-1).view("V3")
    return np.take(triples, index).view(np.uint8).reshape(len(rows), size, size, 3)


def _reflected(position: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Positions outside 0 .. size-1 mirrored at the border pixels, which are not doubled."""
    if size == 1:
        return np.zeros_like(position)
    period = 2 * (size - 1)
    folded = np.abs(position) % period
    return np.where(folded >= size, period - folded, folded)
