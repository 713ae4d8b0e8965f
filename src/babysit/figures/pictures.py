"""Pictures as PNG bytes: filters of the first layer, single images. Pillow and NumPy only."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def filter_sheet(filters: NDArray[np.float32], *, scale: int = 9, columns: int = 16) -> bytes:
    """The first layer's filters side by side.

    Each filter is stretched to its own range, so that its pattern shows; zero is not mid-grey in all of them.

    Arguments:
        filters: shape (filters, 3 or 1 channels, height, width).
        scale: screen pixels per weight.
    """
    count, channels, height, width = filters.shape
    low = filters.min(axis=(1, 2, 3), keepdims=True)
    span = np.maximum(filters.max(axis=(1, 2, 3), keepdims=True) - low, 1e-12)
    shown = np.rint(255 * (filters - low) / span).astype(np.uint8).transpose(0, 2, 3, 1)
    if channels != 3:
        shown = np.repeat(shown[..., :1], 3, axis=3)
    columns = min(columns, count)
    rows = -(-count // columns)
    gap = 2
    sheet = np.full((rows * (height * scale + gap) - gap, columns * (width * scale + gap) - gap, 4), 0, np.uint8)
    for place, one in enumerate(shown):
        top, left = (place // columns) * (height * scale + gap), (place % columns) * (width * scale + gap)
        block = one.repeat(scale, axis=0).repeat(scale, axis=1)
        sheet[top : top + height * scale, left : left + width * scale, :3] = block
        sheet[top : top + height * scale, left : left + width * scale, 3] = 255
    return png(sheet)


VEIL = np.array([255.0, 80.0, 0.0])


def veiled(pixels: NDArray[np.uint8], where: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture under a warm veil that is densest where a map is 1.

    Arguments:
        pixels: (height, width, 3).
        where: (height, width), 0 to 1.
    """
    share = 0.6 * where[..., None]
    return np.rint((1 - share) * pixels + share * VEIL).astype(np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Pixels as a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def data_uri(picture: bytes) -> str:
    """A PNG file as text that an HTML page can hold."""
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")
