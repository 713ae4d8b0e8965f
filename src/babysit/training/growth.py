"""Growth: progressive resizing. A training begins on smaller images and ends on whole ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from babysit.errors import UserError

GROWING = 0.6
"""The share of a training in which images grow; the rest, where the rate is low, sees them whole."""

QUARTER = 0.25


@dataclass(frozen=True, slots=True)
class Growth:
    """Sides of the images over a training.

    From `first` on they grow by quarters of the size, each for the same share of the first six tenths of the training.
    What is learned on coarse images early is not lost, and a step on a side s costs about (s / size)² of a whole one.

    Arguments:
        size: of a whole image, in pixels.
        first: the first side over the size, above 0; 1 for whole images throughout.

    >>> growth = Growth(32, 0.5)
    >>> growth.sides, [growth.side(progress) for progress in (0, 0.29, 0.31, 0.59, 0.6, 1)]
    ((16, 24, 32), [16, 16, 24, 24, 32, 32])

    Source: Howard, "Training Imagenet in 3 hours for USD 25" (fast.ai, 2018); Tan and Le, EfficientNetV2 (ICML 2021), section 4.
    """

    size: int
    first: float

    @property
    def sides(self) -> tuple[int, ...]:
        """The sides in order, multiples of 4 pixels but for the last."""
        shares = [self.first]
        while shares[-1] < 1:
            shares.append(min(1.0, (shares[-1] // QUARTER + 1) * QUARTER))
        below = {max(4, round(self.size * share / 4) * 4) for share in shares[:-1]}
        return (*sorted(side for side in below if side < self.size), self.size)

    def side(self, progress: float) -> int:
        """The side at a share of the training, 0 to 1."""
        sides = self.sides
        return sides[min(len(sides) - 1, int(progress / GROWING * (len(sides) - 1) + 1e-9))]

    def cost(self, start: float, end: float) -> float:
        """The mean work of a step between two shares of the training, over that of a step on whole images.

        >>> Growth(32, 0.5).cost(0, 0.3), Growth(32, 0.5).cost(0.6, 0.6), round(Growth(32, 0.5).cost(0, 1), 5)
        (0.25, 1.0, 0.64375)
        """
        sides = self.sides
        if end <= start:
            return (self.side(end) / self.size) ** 2
        length = GROWING / max(1, len(sides) - 1)
        work = 0.0
        for place, side in enumerate(sides):
            low, high = place * length, (place + 1) * length if side < self.size else 1.0
            work += max(0.0, min(end, high) - max(start, low)) * (side / self.size) ** 2
        return work / (end - start)


Cost = Callable[[float, float], float]


def check_takes(model: nn.Module, growth: Growth, device: torch.device) -> None:
    """Tries the network on the smallest side.

    Raises:
        UserError: when it cannot take images of that side.
    """
    least = growth.sides[0]
    if least == growth.size:
        return
    was_training = model.training
    try:
        with torch.inference_mode():
            model.eval()(torch.zeros(1, 3, least, least, device=device))
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"the network takes images of {growth.size} pixels and not of {least}, with which progressive resizing begins",
            where="train.progressive",
            hint="Leave train.progressive out: --set train.progressive=1",
        ) from error
    finally:
        model.train(was_training)
