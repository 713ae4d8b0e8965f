"""Data of the part from outside: pictures made by code, of 20 to 32 pixels; CIFAR-10 in four classes and, smaller, in all ten."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Mapping

import numpy as np
from PIL import Image

import data
from apart.drawings import Picture
from apart.images import Draw, _drawn
from data import Images
from outside import drawings

STREET = ("automobile", "cat", "dog", "truck")
ALL = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

DRAWN: Mapping[str, tuple[Draw, tuple[float, ...], int, int]] = {
    "weather": (drawings.weather, (1.0,) * 5, 900, 300),
    "plankton": (drawings.plankton, (1.0,) * 6, 960, 300),
    "fields": (drawings.field, (1.0,) * 6, 900, 300),
    "tissue": (drawings.tissue, (1.0,) * 4, 800, 280),
    "spots": (drawings.leaf, (1.0,) * 5, 900, 300),
    "traffic": (drawings.traffic, (1.0,) * 6, 900, 300),
    "runes": (drawings.rune, (1.0,) * 10, 1200, 400),
    "wafers": (drawings.wafer, (5.0, 1.0, 1.5, 1.0, 1.5), 1100, 360),
    "mushrooms": (drawings.mushroom, (1.0,) * 4, 160, 240),
}
"""Name -> how one is drawn, how frequent its classes are, pictures for training and for validation; of `mushrooms` there are few."""


@functools.cache
def images(name: str) -> Images:
    """One of the drawn sets, `street` or `tenfold`."""
    if name in DRAWN:
        return _drawn(*DRAWN[name], seed=210 + sorted(DRAWN).index(name))
    if name == "street":
        return _photographs(STREET, 3300, 240, 75, 32)
    assert name == "tenfold", name
    return _photographs(ALL, 1300, 150, 45, 20)


def _photographs(classes: tuple[str, ...], first: int, train: int, valid: int, size: int) -> Images:
    """So many images of each class, from one on that no other part has, made that small."""
    pixels: list[Picture] = []
    each = train + valid
    with zipfile.ZipFile(data.CIFAR10) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        for kind in classes:
            for name in [one for one in names if one.startswith(f"train/{kind}/")][first : first + each]:
                with Image.open(io.BytesIO(archive.read(name))) as picture:
                    made = picture.convert("RGB")
                    made = made if size == 32 else made.resize((size, size), Image.Resampling.BILINEAR)
                    pixels.append(np.asarray(made).transpose(2, 0, 1))
    labels, later = np.arange(len(pixels)) // each, np.arange(len(pixels)) % each >= train
    order = np.random.default_rng(223).permutation(len(pixels))
    kept, marks, held = np.stack(pixels)[order], labels[order].astype(np.int64), later[order]
    return Images(kept[~held], marks[~held], kept[held], marks[held], len(classes))
