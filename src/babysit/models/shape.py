"""What a model must fit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """`size` side of the square input image in pixels; `classes` outputs; `width` channels of the first stage."""

    size: int
    classes: int
    width: int
    channels: int = 3
