"""Data of the unseen part: pictures made by code, tinted digits, four more classes of CIFAR-10. 16 to 24 pixels."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import data
from data import Images
from unseen import drawings
from unseen.drawings import Picture

OUTDOORS = ("automobile", "dog", "frog", "ship")

DRAWN: dict[str, tuple[Callable[[int, np.random.Generator], Picture], int, int, int]] = {
    "waves": (drawings.waves, 6, 720, 300),
    "flags": (drawings.flag, 8, 800, 320),
    "strokes": (drawings.strokes, 10, 1000, 300),
    "blocks": (drawings.block, 5, 900, 300),
    "quadrants": (drawings.quadrants, 4, 800, 300),
    "stars": (drawings.star, 5, 900, 300),
    "faces": (drawings.face, 4, 200, 200),
    "clouds": (drawings.cloud, 4, 640, 300),
}
"""Name -> how one is drawn, classes, pictures for training and for validation; of `faces` there are few."""


@functools.cache
def images(name: str) -> Images:
    """One of the drawn sets, `tinted` or `outdoors`."""
    if name in DRAWN:
        return _drawn(*DRAWN[name], seed=40 + sorted(DRAWN).index(name))
    return {"tinted": _tinted, "outdoors": _outdoors}[name]()


def _drawn(
    draw: Callable[[int, np.random.Generator], Picture], classes: int, train: int, valid: int, seed: int
) -> Images:
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(train + valid, dtype=np.int64) % classes)
    pixels = np.stack([draw(int(label), generator) for label in labels])
    return Images(pixels[:train], labels[:train], pixels[train:], labels[train:], classes)


def _tinted() -> Images:
    """Digits, lighter or darker than the ground and of another colour, 20 by 20."""
    found = data.images("digits")
    generator = np.random.default_rng(50)

    def coloured(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        wider = np.pad(pixels, ((0, 0), (0, 0), (2, 2), (2, 2))).astype(np.float32) / 255
        count = len(pixels)
        ground = generator.uniform(60, 190, (count, 3, 1, 1))
        step = generator.choice([-1, 1], (count, 1, 1, 1)) * generator.uniform(50, 100, (count, 3, 1, 1))
        noisy = ground + wider * step + generator.normal(0, 8, (count, 3, 20, 20))
        return np.clip(noisy, 0, 255).astype(np.uint8)

    return Images(coloured(found.train), found.train_labels, coloured(found.valid), found.valid_labels, 10)


def _outdoors() -> Images:
    """Four classes, 200 images of each for training and 75 for validation that no other part has; 24 by 24."""
    pixels, labels, valid = [], [], []
    with zipfile.ZipFile(data.CIFAR10) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        for label, kind in enumerate(OUTDOORS):
            for place, name in enumerate([one for one in names if one.startswith(f"train/{kind}/")][3000:3275]):
                with Image.open(io.BytesIO(archive.read(name))) as picture:
                    pixels.append(np.asarray(picture.convert("RGB").crop((4, 4, 28, 28))).transpose(2, 0, 1))
                labels.append(label)
                valid.append(place >= 200)
    order = np.random.default_rng(51).permutation(len(pixels))
    kept, marks, later = np.stack(pixels)[order], np.array(labels, np.int64)[order], np.array(valid)[order]
    return Images(kept[~later], marks[~later], kept[later], marks[later], len(OUTDOORS))
