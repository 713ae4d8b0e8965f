"""Data of the part that is apart: pictures made by code, digits by other questions, CIFAR-10 by kingdoms and by three more classes. 12 to 64 pixels."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import data
from apart import drawings
from apart.drawings import Picture
from data import Images

Draw = Callable[[int, np.random.Generator], Picture]

DRAWN: Mapping[str, tuple[Draw, tuple[float, ...], int, int]] = {
    "weaves": (drawings.weave, (1.0,) * 12, 840, 300),
    "arrows": (drawings.arrow, (1.0,) * 8, 800, 320),
    "clocks": (drawings.clock, (1.0,) * 12, 840, 300),
    "mazes": (drawings.maze, (1.0,) * 5, 800, 300),
    "cluttered": (drawings.letter, (1.0,) * 20, 1200, 400),
    "beads": (drawings.beads, (1.0,) * 5, 800, 300),
    "rings": (drawings.ring, (6.0, 2.5, 1.5), 500, 240),
    "moons": (drawings.moon, (1.0, 1.0, 1.5, 1.0, 1.0), 480, 220),
    "stamps": (drawings.stamp, (1.0,) * 3, 120, 240),
}
"""Name -> how one is drawn, how frequent its classes are, pictures for training and for validation; of `stamps` there are few."""

MACHINES = ("airplane", "automobile", "ship", "truck")
TRIO = ("bird", "horse", "truck")


@functools.cache
def images(name: str) -> Images:
    """One of the drawn sets, `parity`, `remainders`, `kingdoms` or `trio`."""
    if name in DRAWN:
        return _drawn(*DRAWN[name], seed=70 + sorted(DRAWN).index(name))
    return {"parity": _parity, "remainders": _remainders, "kingdoms": _kingdoms, "trio": _trio}[name]()


def _drawn(draw: Draw, shares: tuple[float, ...], train: int, valid: int, seed: int) -> Images:
    generator = np.random.default_rng(seed)
    total = train + valid
    ends = np.cumsum(shares) / sum(shares)
    labels = generator.permutation(np.searchsorted(ends, (np.arange(total) + 0.5) / total)).astype(np.int64)
    pixels = np.stack([draw(int(label), generator) for label in labels])
    return Images(pixels[:train], labels[:train], pixels[train:], labels[train:], len(shares))


def _parity() -> Images:
    """Written digits in a field of 12 by 12; the class is whether the number is even."""
    found = data.images("digits")

    def framed(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.pad(pixels[:, :, ::2, ::2], ((0, 0), (0, 0), (2, 2), (2, 2)))

    return Images(framed(found.train), found.train_labels % 2, framed(found.valid), found.valid_labels % 2, 2)


def _remainders() -> Images:
    """Written digits somewhere in a dirty field of 20 by 20; the class is what is left after a division by three."""
    found = data.images("digits")
    generator = np.random.default_rng(80)

    def dirty(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        field = generator.normal(40, 15, (len(pixels), 1, 20, 20))
        for one, picture in zip(field, pixels, strict=True):
            row, column = (int(place) for place in generator.integers(0, 5, 2))
            one[:, row : row + 16, column : column + 16] += picture * generator.uniform(0.5, 0.8)
        return np.clip(field, 0, 255).astype(np.uint8)

    return Images(dirty(found.train), found.train_labels % 3, dirty(found.valid), found.valid_labels % 3, 3)


def _kingdoms() -> Images:
    """Animals and machines, 32 by 32: 80 images of each of CIFAR-10's ten classes for training, 30 for validation."""
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    return _photographs({kind: int(kind in MACHINES) for kind in names}, 80, 30, 0, seed=81)


def _trio() -> Images:
    """Three classes, 28 by 28, 260 images of each for training and 90 for validation."""
    return _photographs({kind: label for label, kind in enumerate(TRIO)}, 260, 90, 2, seed=82)


def _photographs(labels: Mapping[str, int], train: int, valid: int, margin: int, *, seed: int) -> Images:
    """Images that no other part has, each class's from the four thousandth on."""
    pixels, marks, later = [], [], []
    with zipfile.ZipFile(data.CIFAR10) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        for kind, label in labels.items():
            chosen = [one for one in names if one.startswith(f"train/{kind}/")][4000 : 4000 + train + valid]
            for place, name in enumerate(chosen):
                with Image.open(io.BytesIO(archive.read(name))) as picture:
                    side = 32 - margin
                    inner = picture.convert("RGB").crop((margin, margin, side, side))
                    pixels.append(np.asarray(inner).transpose(2, 0, 1))
                marks.append(label)
                later.append(place >= train)
    order = np.random.default_rng(seed).permutation(len(pixels))
    kept, classes, held = np.stack(pixels)[order], np.array(marks, np.int64)[order], np.array(later)[order]
    return Images(kept[~held], classes[~held], kept[held], classes[held], len(set(labels.values())))
