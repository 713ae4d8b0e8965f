"""Contact sheets: many small images as one picture that a page can hold."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from babysit.figures.pictures import data_uri, png

LOSSLESS = 32
"""Up to this side in pixels a sheet is a PNG; larger photographs would make the page too large."""

QUALITY = 85
GAP = 2
GREY = 128


def sheet(images: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Images side by side in rows.

    Shape:
        (n, side, side, 3) to (height, width, 3); n is at least 1.

    >>> sheet(np.zeros((3, 4, 4, 3), np.uint8), 2).shape
    (10, 10, 3)
    """
    count, side = images.shape[:2]
    columns = min(columns, count)
    rows = -(-count // columns)
    whole = np.full((rows * (side + GAP) - GAP, columns * (side + GAP) - GAP, 3), GREY, np.uint8)
    for place, image in enumerate(images):
        top, left = place // columns * (side + GAP), place % columns * (side + GAP)
        whole[top : top + side, left : left + side] = image
    return whole


def picture_uri(pixels: NDArray[np.uint8], side: int) -> str:
    """A picture as text for a page: PNG when its images are small, else JPEG.

    Arguments:
        side: of the images in it, in pixels.
    """
    if side <= LOSSLESS:
        return data_uri(png(pixels))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def reduced(images: NDArray[np.uint8], largest: int) -> NDArray[np.uint8]:
    """Square images at no more than `largest` pixels a side."""
    if images.shape[1] <= largest:
        return images
    small = [Image.fromarray(image).resize((largest, largest), Image.Resampling.BILINEAR) for image in images]
    return np.stack([np.asarray(image) for image in small])
