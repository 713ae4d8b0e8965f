"""Batches: whole tensors cut out of the cache, augmented, normalised, on the training device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from babysit.data.augment import LARGEST_GATHERED, Augmentation, Moment, Views, cut, draw_views, plain_views
from babysit.data.mapped import fetch, in_turn
from babysit.data.mixing import Batch, draw_erased, draw_mixing, erase, mix, mixed_targets
from babysit.data.normalisation import Normalisation
from babysit.data.recolour import draw_recolouring, recolour
from babysit.data.resident import cut_there
from babysit.data.statistics import Statistics
from babysit.data.warp import draw_maps, warp
from babysit.device import placed


class Part(Protocol):
    """What training and evaluation ask of the images of one part; `Batches` is what trainings use."""

    def __len__(self) -> int: ...

    @property
    def device(self) -> torch.device:
        """Where the images come."""
        ...

    @property
    def rows(self) -> NDArray[np.int64]:
        """Which labels belong to this part."""
        ...

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class indices."""
        ...

    def training(self, samples: NDArray[np.int64], augmentation: Augmentation, *, seed: int, epoch: int) -> Batch:
        """Augmented images and their labels."""
        ...

    def expect(self, samples: NDArray[np.int64]) -> None:
        """Told which images come next, so that they can be brought while others are computed."""
        ...

    def plain(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images in order, unaugmented, in batches."""
        ...


@dataclass(frozen=True)
class Batches:
    """The images of one part.

    `pixels` canvases, uint8, shape (n, canvas, canvas, 3); `rows` which of them belong to this part;
    `labels` class index of each canvas; `size` side of the image the network sees; `check` is told the rows before
    their pixels are read (`Cache.check`), or None; `classes` how many there are, needed for mixed images; `side` to which
    unaugmented images are reduced, 0 for their size; `resident` the canvases in an accelerator's memory (`resident.on`), from which
    they are cut there, or None.
    """

    pixels: NDArray[np.uint8]
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    size: int
    statistics: Statistics
    dtype: torch.dtype
    device: torch.device
    check: Callable[[NDArray[np.int64]], None] | None = None
    classes: int = 0
    side: int = 0
    resident: Tensor | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def centre(self) -> int:
        """Top and left of the centred window on the canvas."""
        return (self.pixels.shape[1] - self.size) // 2

    @cached_property
    def normalisation(self) -> Normalisation:
        """The statistics, placed on the device once."""
        return Normalisation.of(self.statistics, self.dtype, self.device)

    def training(self, samples: NDArray[np.int64], augmentation: Augmentation, *, seed: int, epoch: int) -> Batch:
        """Augmented images with their labels and targets: a function of (seed, epoch, sample) for each image.

        Arguments:
            samples: positions in `rows`, shape (batch,); a position plus k times their number is its k-th repetition in this
                epoch, which looks different.

        Shape:
            (batch, 3, side, side), channels last; (batch,); (batch,) or (batch, classes). The side is the size, unless the
            augmentation reduces it.
        """
        moment, rows = Moment(seed, epoch), self.rows[samples % len(self)]
        index = rows + samples // len(self) * len(self.pixels)
        images, labels = self._augmented(rows, index, augmentation, moment), self._labels(rows)
        side = augmentation.side or self.size
        mixing = draw_mixing(augmentation, index, count=len(self), size=side, moment=moment)
        if mixing is None:
            return Batch(images, labels, labels)
        partners = self.rows[mixing.partner]
        others = self._augmented(partners, partners, augmentation, moment)
        targets = mixed_targets(labels, self._labels(partners), mixing, self.classes)
        return Batch(mix(images, others, mixing), labels, targets)

    def expect(self, samples: NDArray[np.int64]) -> None:
        """Asks the disk for the images that come next, where they may not be in memory."""
        if self.resident is None:
            fetch(self.pixels, self.rows[samples % len(self)])

    def plain(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images of the part in order, unaugmented, in batches."""
        for rows in in_turn(self.pixels, self.rows, batch_size):
            images = self._cut(rows, plain_views(len(rows), self.centre))
            yield self.normalisation(reduced(images, self.side or self.size)), self._labels(rows)

    def _augmented(
        self, rows: NDArray[np.int64], index: NDArray[np.int64], augmentation: Augmentation, moment: Moment
    ) -> Tensor:
        """The images of `rows`, with what is drawn for `index`."""
        views = draw_views(augmentation, index, seed=moment.seed, epoch=moment.epoch, centre=self.centre)
        if augmentation.warps:
            canvas = self.pixels.shape[1]
            maps = draw_maps(augmentation, views, index, canvas=canvas, size=self.size, moment=moment)
            images = warp(self._canvases(rows), maps, self.size)
        else:
            images = self._cut(rows, views)
        side = augmentation.side or self.size
        images = reduced(images, side)
        images = (
            self._recoloured(images, index, augmentation, moment)
            if augmentation.recolours
            else self.normalisation(images)
        )
        if augmentation.erase:
            erase(images, draw_erased(augmentation, index, size=side, moment=moment))
        return images

    def _recoloured(
        self, images: Tensor, index: NDArray[np.int64], augmentation: Augmentation, moment: Moment
    ) -> Tensor:
        """With changed colours and normalised: where both are a matter of one pixel, by one matrix."""
        fitted = self.statistics
        change = draw_recolouring(augmentation, fitted.colours, index, moment)
        if fitted.mean is not None:
            return self.normalisation(recolour(images, change))
        return recolour(images, change.then(fitted.shift, fitted.scale), self.dtype).permute(0, 3, 1, 2)

    def _cut(self, rows: NDArray[np.int64], views: Views) -> Tensor:
        if self.resident is not None:
            return cut_there(self.resident, rows, views, self.size)
        if self.check:
            self.check(rows)
        if self.size <= LARGEST_GATHERED:
            return placed(torch.from_numpy(cut(self.pixels, rows, views, self.size)), self.device)
        upright = replace(views, mirrored=np.zeros(len(rows), bool))
        images = torch.from_numpy(cut(self.pixels, rows, upright, self.size))
        for place in np.flatnonzero(views.mirrored).tolist():  # a third of what a mirrored copy by NumPy takes
            images[place] = images[place].flip(1)
        return placed(images, self.device)

    def _canvases(self, rows: NDArray[np.int64]) -> Tensor:
        if self.resident is not None:
            return self.resident[placed(torch.from_numpy(rows), self.device)]
        if self.check:
            self.check(rows)
        fetch(self.pixels, rows)
        return placed(torch.from_numpy(self.pixels[rows]), self.device)

    def _labels(self, rows: NDArray[np.int64]) -> Tensor:
        return placed(torch.from_numpy(self.labels[rows]), self.device)


def reduced(images: Tensor, side: int) -> Tensor:
    """Images at a smaller side, by interpolation that takes every pixel into account; as they are when they have it.

    Shape:
        (n, height, width, 3) to (n, side, side, 3), of the same type.
    """
    if images.shape[1] == side:
        return images
    planes = images.permute(0, 3, 1, 2)
    if planes.dtype == torch.uint8 and planes.device.type != "cpu":  # accelerators interpolate no bytes
        made = F.interpolate(planes.float(), (side, side), mode="bilinear", antialias=True).round_().byte()
    else:
        made = F.interpolate(planes, (side, side), mode="bilinear", antialias=True)
    return made.permute(0, 2, 3, 1)


def normalise(images: Tensor, statistics: Statistics, dtype: torch.dtype) -> Tensor:
    """Preprocesses images on the device they are on (`Normalisation`).

    Shape:
        uint8 (n, height, width, 3) to (n, 3, height, width), channels last.
    """
    return Normalisation.of(statistics, dtype, images.device)(images)
