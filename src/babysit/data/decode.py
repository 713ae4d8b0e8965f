"""One decode path for training, evaluation, prediction and serving: bytes -> uint8 pixels of one size.

Torch-free. Files from outside are hostile: formats are an allow-list, pixels are capped before decoding, and
Pillow's warnings count as errors.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from babysit.data.catalog import Encoded

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
MOST_PIXELS = 80_000_000
PADDING_GREY = 128
VERSION = 2
"""Raised whenever the pixels that `decode` gives change, so that no cache of older pixels is used."""

Resize = Literal["pad", "crop", "squash"]
_ORIENTATION = 0x0112
FIRST_SIDEWAYS = 5
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnreadableImage(Exception):  # noqa: N818 - it is a finding about a file, counted and listed
    """Why a file is not an image that can be used."""


@contextmanager
def quiet_decoding() -> Iterator[None]:
    """Around any number of `decode` calls, threads included: Pillow's warnings do not reach the user.

    A bomb warning becomes an error (and so a reason); warnings about broken tags are not worth the picture.
    The filter is the process's, so it is set once around the work and not in each call.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


@dataclass(frozen=True, slots=True)
class Decoded:
    """One image on its canvas, and what it was before.

    `pixels` (size, size, 3), RGB; `width` and `height` of the image as a person sees it; `mode` Pillow's name for
    its pixels; `frames` more than one for an animation, of which the first is taken.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    mode: str
    frames: int = 1


def decode(data: Encoded, size: int, resize: Resize = "pad") -> NDArray[np.uint8]:
    """`decode_whole` for those who want the pixels alone. Shape: (size, size, 3), RGB."""
    return decode_whole(data, size, resize).pixels


def decode_whole(data: Encoded, size: int, resize: Resize = "pad") -> Decoded:
    """Decodes one image onto a square canvas; never enlarges it.

    Arguments:
        data: the file's bytes, or pixels.
        size: side of the canvas in pixels.
        resize: `pad` fits the whole image in, `crop` fills the canvas and cuts what is over, `squash` changes
            the proportions. What stays uncovered is grey (128). Transparent pixels become white.

    Raises:
        UnreadableImage: with the reason.
    """
    try:
        image = _open(data)
        mode, frames = image.mode, int(getattr(image, "n_frames", 1))
        orientation = _orientation(image)
        shape = image.size
        target = _target(shape, size, resize)
        if image.format == "JPEG":
            # Scaled decoding in the decoder itself; it never goes below what is asked for.
            image.draft(None, target)
        image.load()
        image = _to_rgb(image)
        if image.size != target:
            image = image.resize(target, Image.Resampling.BILINEAR, reducing_gap=2.0)
    except UnreadableImage:
        raise
    except Exception as error:
        raise UnreadableImage(_reason(error)) from error
    width, height = shape
    if orientation in _TURNS:
        image = image.transpose(_TURNS[orientation])
        if orientation >= FIRST_SIDEWAYS:
            width, height = height, width
    return Decoded(_on_canvas(np.asarray(image), size), width, height, mode, frames)


def dimensions(data: Encoded) -> tuple[int, int]:
    """Width and height from the header alone.

    Raises:
        UnreadableImage: with the reason.
    """
    try:
        return _open(data).size
    except UnreadableImage:
        raise
    except Exception as error:
        raise UnreadableImage(_reason(error)) from error


def _open(data: Encoded) -> Image.Image:
    if isinstance(data, np.ndarray):
        return Image.fromarray(data)
    if not data:
        raise UnreadableImage("the file is empty")
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise UnreadableImage(
            f"it has {width * height / 1e6:.0f} million pixels; at most {MOST_PIXELS // 10**6} are read"
        )
    return image


def _orientation(image: Image.Image) -> int:
    if image.format == "TIFF":
        return 1  # Pillow turns these itself when they are loaded
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - a broken tag must not cost the picture
        return 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        return Image.fromarray(_stretched(np.asarray(image, np.float64))).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layer).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _stretched(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """32-bit grey: 0..1 and 0..65535 are the two conventions met; the range decides which it is."""
    if not np.isfinite(values).all():
        raise UnreadableImage("it has pixels that are not numbers")
    most = float(values.max(initial=0))
    scale = 255.0 if most <= 1 else (1.0 if most <= 255 else 255.0 / 65535.0)
    return np.clip(np.rint(values * scale), 0, 255).astype(np.uint8)


def _target(shape: tuple[int, int], size: int, resize: Resize) -> tuple[int, int]:
    """The width and height to reduce to, before canvas and cutting; never larger than the image."""
    width, height = shape
    if resize == "squash":
        return min(width, size), min(height, size)
    factor = size / (max(shape) if resize == "pad" else min(shape))
    if factor >= 1:
        return width, height
    return max(1, round(width * factor)), max(1, round(height * factor))


def _on_canvas(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Centres the image on the canvas, cutting what is over and leaving grey what is not covered."""
    height, width = pixels.shape[:2]
    top, left = max(0, (height - size) // 2), max(0, (width - size) // 2)
    pixels = pixels[top : top + size, left : left + size]
    height, width = pixels.shape[:2]
    if (height, width) == (size, size):
        return np.ascontiguousarray(pixels)
    canvas = np.full((size, size, 3), PADDING_GREY, np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    canvas[top : top + height, left : left + width] = pixels
    return canvas


def _reason(error: Exception) -> str:
    text = str(error)
    if "cannot identify image file" in text:
        return "it is not an image of a known format"
    if "truncated" in text.lower():
        return "the image is cut short"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return text.split("\n")[0][:200] or type(error).__name__
