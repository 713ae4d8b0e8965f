"""One decode path for training, evaluation, prediction and serving: bytes -> uint8 pixels of one size.

Torch-free. Files from outside are hostile: formats are an allow-list, structure and pixels are bounded before
decoding (`headers`), Pillow's warnings about bombs count as errors, and a file cut short is never filled up with grey.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from babysit.data.catalog import Encoded
from babysit.data.headers import Outline, UnreadableImage, check_tags, outline

__all__ = ["Decoded", "Gate", "Resize", "UnreadableImage", "decode", "decode_whole", "dimensions", "quiet_decoding"]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
MOST_PIXELS = 80_000_000
MOST_COSTLY_PIXELS = 40_000_000
"""For what takes several times its size or its time: WebP (16 bytes a pixel) and transparency."""

ENORMOUS_PIXELS = 16_000_000
"""Above this an image may take hundreds of megabytes while it is decoded."""

SLOW_DECODERS, MOST_SLOW_PIXELS = ("bmp_rle", "ppm", "ppm_plain"), 4_000_000
"""Pillow's decoders that are written in Python, and what they do in a second or two."""

MOST_SCANNED = 2_000_000_000
"""Pixels times scans of a progressive JPEG: each scan goes over the whole picture."""

STRIP_PIXELS = 1_000_000
REDUCING_GAP = 2.0
PADDING_GREY = 128
VERSION = 4
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


Gate = AbstractContextManager[object]
"""What a thread goes through before it decodes an enormous image: a lock, so that it is one at a time."""


@contextmanager
def quiet_decoding() -> Iterator[None]:
    """Around any number of `decode` calls, threads included: Pillow's warnings do not reach the user.

    A bomb warning becomes an error (and so a reason); warnings about broken tags are not worth the picture.
    Truncated files are refused, whatever the program around us has told Pillow.
    All this is the process's, so it is set once around the work and not in each call.
    """
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before


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


def decode_whole(data: Encoded, size: int, resize: Resize = "pad", *, enormous: Gate | None = None) -> Decoded:
    """Decodes one image onto a square canvas; never enlarges it.

    Arguments:
        data: the file's bytes, or pixels.
        size: side of the canvas in pixels.
        resize: `pad` fits the whole image in, `crop` fills the canvas and cuts what is over, `squash` changes
            the proportions. What stays uncovered is grey (128). Transparent pixels become white.
        enormous: entered around the decoding of an image of more than ENORMOUS_PIXELS.

    Raises:
        UnreadableImage: with the reason.
    """
    try:
        image, found = _open(data)
        width, height = image.size
        mode, frames = image.mode, _frames(image, found)
        orientation = _orientation(image)
        with (width * height > ENORMOUS_PIXELS and enormous) or nullcontext():
            image = _reduced(image, _target(image.size, size, resize), None if orientation in _TURNS else size)
    except UnreadableImage:
        raise
    except Exception as error:
        raise UnreadableImage(_reason(error)) from error
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
        return _open(data)[0].size
    except UnreadableImage:
        raise
    except Exception as error:
        raise UnreadableImage(_reason(error)) from error


def _open(data: Encoded) -> tuple[Image.Image, Outline]:
    if isinstance(data, np.ndarray):
        image, found = Image.fromarray(data), Outline()
    elif data:
        found = outline(data)
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    else:
        raise UnreadableImage("the file is empty")
    width, height = image.size
    costly = image.format == "WEBP" or _is_transparent(image)
    most = MOST_COSTLY_PIXELS if costly else MOST_PIXELS
    if width * height > most:
        kind = " of its kind" if costly else ""
        raise UnreadableImage(
            f"it has {width * height / 1e6:.0f} million pixels; at most {most // 10**6}{kind} are read"
        )
    if found.scans * width * height > MOST_SCANNED:
        raise UnreadableImage(f"it sends its {width * height / 1e6:.1f} million pixels in {found.scans:,} scans")
    if isinstance(image, ImageFile.ImageFile) and width * height > MOST_SLOW_PIXELS:
        for tile in image.tile[:1]:
            if tile[0] in SLOW_DECODERS:
                raise UnreadableImage(
                    f"{image.format} files of this kind are read up to {MOST_SLOW_PIXELS // 10**6} million pixels"
                )
    return image, found


def _frames(image: Image.Image, found: Outline) -> int:
    if image.format in ("WEBP", "MPO"):
        return int(getattr(image, "n_frames", 1))  # these have a header that says so; others Pillow would walk through
    return found.frames


def _orientation(image: Image.Image) -> int:
    if image.format == "TIFF":
        return 1  # Pillow turns these itself when they are loaded
    tags = image.info.get("exif")
    if isinstance(tags, bytes):
        check_tags(tags)
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - a broken tag must not cost the picture
        return 1


def _reduced(image: Image.Image, target: tuple[int, int], canvas: int | None) -> Image.Image:
    """The image in RGB at the target's width and height, or what of it lies on the canvas."""
    if image.format in ("JPEG", "MPO"):
        # Scaled decoding in the decoder itself; it never goes below what is asked for.
        image.draft(None, target)
    image.load()
    image = _to_rgb(image)
    if image.size == target:
        return image
    seen = target if canvas is None else (min(target[0], canvas), min(target[1], canvas))
    across, down = (whole / part for whole, part in zip(image.size, target, strict=True))
    if (
        seen == target or max(across, down) >= 2 * REDUCING_GAP
    ):  # a first, coarse reduction begins at the image's corner
        return image.resize(target, Image.Resampling.BILINEAR, reducing_gap=REDUCING_GAP)
    # Pixels that the canvas cuts off are not computed; the others are the same but for a level in one of a thousand.
    left, top = (target[0] - seen[0]) // 2, (target[1] - seen[1]) // 2
    box = left * across, top * down, (left + seen[0]) * across, (top + seen[1]) * down
    return image.resize(seen, Image.Resampling.BILINEAR, box=box)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return _in_strips(image, _high_byte)
    if image.mode in ("I", "F"):
        most = float(np.max(image.getextrema()))
        return _in_strips(image, lambda strip: _stretched(strip, most))
    if _is_transparent(image):
        return _in_strips(image, _over_white)
    return image if image.mode == "RGB" else image.convert("RGB")


def _is_transparent(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def _in_strips(image: Image.Image, to_rgb: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Changes an image a million pixels at a time, since what is needed on the way is several times its size."""
    width, height = image.size
    step = max(1, STRIP_PIXELS // width)
    if height <= step:
        return to_rgb(image)
    made = Image.new("RGB", image.size)
    for top in range(0, height, step):
        made.paste(to_rgb(image.crop((0, top, width, min(top + step, height)))), (0, top))
    return made


def _high_byte(image: Image.Image) -> Image.Image:
    return Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)).convert("RGB")


def _over_white(image: Image.Image) -> Image.Image:
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, layer).convert("RGB")


def _stretched(image: Image.Image, most: float) -> Image.Image:
    """32-bit grey: 0..1 and 0..65535 are the two conventions met; the range decides which it is."""
    values = np.asarray(image, np.float64)
    if not np.isfinite(values).all():
        raise UnreadableImage("it has pixels that are not numbers")
    scale = 255.0 if most <= 1 else (1.0 if most <= 255 else 255.0 / 65535.0)
    return Image.fromarray(np.clip(np.rint(values * scale), 0, 255).astype(np.uint8)).convert("RGB")


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
    if isinstance(error, (Image.DecompressionBombWarning, Image.DecompressionBombError)):
        pixels = int(next(iter(re.findall(r"\((\d+) pixels\)", text)), 0))
        return f"it has {pixels / 1e6:.0f} million pixels; at most {MOST_PIXELS // 10**6} are read"
    if "cannot identify image file" in text:
        return "it is not an image of a known format"
    if "truncated" in text.lower():
        return "the image is cut short"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return text.split("\n")[0][:200] or type(error).__name__
