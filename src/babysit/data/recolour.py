"""Recolouring: brightness, contrast, saturation and the shift along the principal colours, as one 3x3 matrix per image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from babysit.data.augment import Augmentation, Moment
from babysit.data.normalisation import empty
from babysit.data.statistics import Triple
from babysit.seeds import normal, uniform

GREY = (0.299, 0.587, 0.114)
"""How bright red, green and blue look (ITU-R BT.601)."""

PIECE = 224 * 224 * 3
"""Values that are recoloured at a time on a processor."""

MOST_PIXELS = 8
"""Pixels taken as one row of a multiplication: blocks of 24 values are half as quick again as of 48, and far quicker than 3."""


@dataclass(frozen=True, slots=True)
class Recolouring:
    """How the colours of each image of a batch change.

    y = matrix x + fade (grey mean of x) + shift, x a pixel's red, green and blue. `matrix` (n, 3, 3), `fade` and `shift` (n, 3).
    """

    matrix: NDArray[np.float32]
    fade: NDArray[np.float32]
    shift: NDArray[np.float32]

    def then(self, shift: Triple, scale: Triple) -> Recolouring:
        """This change followed by y <- (y - shift) / scale for each channel, in one."""
        return replace(
            self,
            matrix=(self.matrix / np.array(scale)[:, None]).astype(np.float32),
            fade=(self.fade / np.array(scale)).astype(np.float32),
            shift=((self.shift - shift) / scale).astype(np.float32),
        )


def draw_recolouring(
    augmentation: Augmentation, colours: NDArray[np.floating] | None, index: NDArray[np.int64], moment: Moment
) -> Recolouring:
    """Brightness, then contrast, then saturation, then the shift, each by a factor or number drawn for its image.

    brightness x <- b x; contrast x <- c x + (1 - c) grey mean; saturation x <- s x + (1 - s) grey(x); the factors are
    uniform within 1 plus or minus the setting. The shift is colours a, a normal with deviation `colour`. Nothing is clipped.

    Arguments:
        colours: from `colour_directions`, shape (3, 3); needed when `colour` is on.

    Source of the shift: Krizhevsky et al. (2012), section 4.1.
    """
    words = moment.words("colour", index, 9)
    asked = np.array([augmentation.brightness, augmentation.contrast, augmentation.saturation])
    brightness, contrast, saturation = (1 + asked * (2 * uniform(words[:, :3]) - 1)).T
    # Along grey, which has the same value in all channels, saturation changes nothing.
    greyed = np.tile(np.array(GREY), (3, 1))
    turn = saturation[:, None, None] * np.eye(3) + (1 - saturation)[:, None, None] * greyed
    shift = np.zeros((len(index), 3))
    if augmentation.colour:
        assert colours is not None
        shift = augmentation.colour * normal(words[:, 3:]) @ colours.T
    matrix = (brightness * contrast)[:, None, None] * turn
    fade = np.repeat(((1 - contrast) * brightness)[:, None], 3, axis=1)
    return Recolouring(matrix.astype(np.float32), fade.astype(np.float32), shift.astype(np.float32))


def recolour(images: Tensor, change: Recolouring, dtype: torch.dtype = torch.float32) -> Tensor:
    """The images with their colours changed, in float32, then rounded to `dtype`.

    Shape:
        uint8 or float32 (n, height, width, 3) to `dtype`, the same shape.
    """
    count, pixels = len(images), images.shape[1] * images.shape[2]
    together = next(size for size in (MOST_PIXELS, 4, 2, 1) if pixels % size == 0)
    flat = images.reshape(count, pixels // together, 3 * together)
    blocks, fade, shift = _blocks(change, together, images.device)
    made = empty(flat.shape, dtype, images.device)
    step = max(1, PIECE // (3 * pixels)) if images.device.type == "cpu" else max(1, count)
    grey = torch.tensor(GREY, device=images.device) / pixels
    room = torch.empty((min(step, count), *flat.shape[1:]), device=images.device)
    for start in range(0, count, step):
        part = slice(start, start + step)
        values = room[: len(flat[part])].copy_(flat[part])
        # Sums rather than a product of matrices, whose last bits depend on how many images are in it.
        means = (values.sum(dim=1).view(-1, together, 3).sum(dim=1) * grey).sum(dim=1, keepdim=True)
        offset = torch.addcmul(shift[part], fade[part], means)[:, None]
        if dtype == torch.float32:
            torch.baddbmm(offset, values, blocks[part], out=made[part])
        else:
            made[part] = torch.baddbmm(offset, values, blocks[part])
    return made.view(images.shape)


def _blocks(change: Recolouring, together: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """The matrices, transposed, once for each pixel of a row along the diagonal; `fade` and `shift` as often."""
    matrix = torch.from_numpy(change.matrix).to(device).transpose(1, 2)
    whole = torch.zeros(len(matrix), together, 3, together, 3, device=device)
    along = torch.arange(together, device=device)
    whole[:, along, :, along, :] = matrix[None]
    size = 3 * together
    fade, shift = (torch.from_numpy(one).to(device).repeat(1, together) for one in (change.fade, change.shift))
    return whole.view(-1, size, size), fade, shift
