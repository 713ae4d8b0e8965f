"""Data of the last part: pictures made by code, of 24 to 32 pixels; scikit-learn's digits, dark on white; CIFAR-10 in four and in five classes."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import data
from apart.drawings import Picture
from apart.images import Draw, _drawn
from data import Images
from last import drawings

FOURSOME = ("airplane", "frog", "horse", "ship")
FIVESOME = ("automobile", "bird", "deer", "dog", "truck")

DRAWN: Mapping[str, tuple[Draw, tuple[float, ...], int, int]] = {
    "clothes": (drawings.clothes, (1.0,) * 8, 1000, 320),
    "numerals": (drawings.numeral, (1.0,) * 10, 1000, 320),
    "figures": (drawings.figure, (1.0,) * 5, 900, 300),
    "fabrics": (drawings.fabric, (1.0,) * 6, 800, 300),
    "views": (drawings.view, (1.0,) * 5, 800, 280),
    "tiles": (drawings.tile, (5.0, 1.0, 1.0), 900, 300),
    "fruits": (drawings.fruit, (1.0,) * 5, 200, 250),
}
"""Name -> how one is drawn, how frequent its classes are, pictures for training and for validation; of `fruits` there are few."""


@functools.cache
def images(name: str) -> Images:
    """One of the drawn sets, `scanned`, `foursome` or `fivesome`."""
    if name in DRAWN:
        return _drawn(*DRAWN[name], seed=310 + sorted(DRAWN).index(name))
    made = {
        "scanned": _scanned,
        "foursome": lambda: _photographs(FOURSOME, 240, 75, 32),
        "fivesome": lambda: _photographs(FIVESOME, 200, 60, 24),
    }
    return made[name]()


def _scanned() -> Images:
    """Written digits of 24 by 24, dark on paper that is not clean."""
    from sklearn.datasets import load_digits

    pixels, targets = (np.asarray(one) for one in load_digits(return_X_y=True))
    generator = np.random.default_rng(331)
    order = generator.permutation(len(pixels))

    def written(flat: NDArray[np.float64]) -> Picture:
        small = Image.fromarray((flat.reshape(8, 8) * 15.9).astype(np.uint8))
        inked = np.asarray(small.resize((20, 20), Image.Resampling.BICUBIC), np.float64)
        field = np.zeros((24, 24))
        row, column = generator.integers(0, 5, 2)
        field[row : row + 20, column : column + 20] = inked
        paper = generator.uniform(190, 240) + generator.normal(0, 10, field.shape)
        return np.clip(paper - 0.75 * field, 0, 255).astype(np.uint8)[None]

    made = np.stack([written(pixels[place]) for place in order])
    labels = targets[order].astype(np.int64)
    return Images(made[:1100], labels[:1100], made[1100:1500], labels[1100:1500], 10)


def _photographs(classes: tuple[str, ...], train: int, valid: int, size: int) -> Images:
    """So many images of each class, from the last of it back, made that small."""
    pixels: list[Picture] = []
    each = train + valid
    with zipfile.ZipFile(data.CIFAR10) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        for kind in classes:
            for name in [one for one in names if one.startswith(f"train/{kind}/")][-each:]:
                with Image.open(io.BytesIO(archive.read(name))) as picture:
                    made = picture.convert("RGB")
                    made = made if size == 32 else made.resize((size, size), Image.Resampling.BILINEAR)
                    pixels.append(np.asarray(made).transpose(2, 0, 1))
    labels, later = np.arange(len(pixels)) // each, np.arange(len(pixels)) % each >= train
    order = np.random.default_rng(337).permutation(len(pixels))
    kept, marks, held = np.stack(pixels)[order], labels[order].astype(np.int64), later[order]
    return Images(kept[~held], marks[~held], kept[held], marks[held], len(classes))
