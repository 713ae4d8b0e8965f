"""Architecture: a function `Shape -> nn.Module` with what is published of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from babysit.errors import UserError
from babysit.models.shape import Shape


@dataclass(frozen=True, slots=True)
class PublishedNeurons:
    """Neurons of a layer as its paper prints them, and why an exact count may differ."""

    layer: str
    count: int
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Architecture:
    """An entry of MODELS; calling it builds the network.

    `name` what users call it; `describes` it in a line; `source` where it was published; `size` (pixels) and `classes` are those of its
    publication; `smallest` is the side of the smallest image it can take; `neurons` the paper's own counts.
    """

    name: str
    build: Callable[[Shape], nn.Module]
    describes: str
    source: str
    size: int
    classes: int
    smallest: int
    neurons: tuple[PublishedNeurons, ...] = ()

    def __call__(self, shape: Shape) -> nn.Module:
        """The network for a shape.

        Shape:
            (n, channels, size, size) to (n, classes).

        Raises:
            UserError: when the images are too small for it.
        """
        if shape.size < self.smallest:
            raise UserError(
                f"{self.name} takes images of {self.smallest} pixels and more, not {shape.size}",
                where="data.size",
                hint=f"Give --size {self.smallest} or more, which puts smaller images on a canvas, or no size, and they are enlarged "
                "as the network needs (model.enlarge)",
            )
        return self.build(shape)
