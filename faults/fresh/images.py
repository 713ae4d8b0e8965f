"""Data of the fresh part: drawn pictures, digits composed on a canvas, other classes of CIFAR-10. 16 to 48 pixels."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import data
from data import Images
from fresh import drawings
from fresh.drawings import LETTERS, SIGNS, Picture

ANIMALS = ("bird", "cat", "deer", "ship", "truck")


@dataclass(frozen=True)
class Drawn:
    """A set of drawn pictures: how many, and how one is drawn; `shares` of the classes in training, where not alike."""

    draw: Callable[[int, np.random.Generator], Picture]
    classes: int
    train: int
    valid: int
    seed: int
    shares: Sequence[float] = ()


SETS: dict[str, Drawn] = {
    "glyphs": Drawn(lambda label, generator: drawings.letter(LETTERS[label], generator, 20), 12, 960, 360, 21),
    "many": Drawn(lambda label, generator: drawings.letter(SIGNS[label], generator, 16), 40, 1600, 400, 22),
    "blobs": Drawn(lambda label, generator: drawings.blobs(label + 1, generator, 24), 5, 900, 300, 23),
    "gratings": Drawn(lambda label, generator: drawings.grating(label / 6, generator, 32), 6, 720, 300, 24),
    "lesions": Drawn(lambda label, generator: drawings.lesion(label, generator, 28), 2, 800, 300, 25, (0.87, 0.13)),
    "polylines": Drawn(lambda label, generator: drawings.line(label, generator, 20), 4, 100, 200, 26),
    "scenes": Drawn(lambda label, generator: drawings.scene(label, generator, 48), 4, 600, 200, 27),
}
"""Name -> set; `lesions` is unequal by nature in training, its validation part is balanced; `polylines` has 100 images."""


@functools.cache
def images(name: str) -> Images:
    """One of the drawn sets, `pairs`, `canvas` or `animals`."""
    if name in SETS:
        return _drawn(SETS[name])
    return {"pairs": _pairs, "canvas": _canvas, "animals": _animals}[name]()


def _drawn(asked: Drawn) -> Images:
    generator = np.random.default_rng(asked.seed)
    labels = np.arange(asked.train + asked.valid, dtype=np.int64) % asked.classes
    generator.shuffle(labels)
    if asked.shares:
        labels[: asked.train] = generator.choice(asked.classes, asked.train, p=asked.shares)
    pixels = np.stack([asked.draw(int(label), generator) for label in labels])
    train = slice(0, asked.train)
    valid = slice(asked.train, None)
    return Images(pixels[train], labels[train], pixels[valid], labels[valid], asked.classes)


def _pairs() -> Images:
    """Two digits side by side, 16 by 32; the class is the left one."""
    found = data.images("digits")
    generator = np.random.default_rng(28)

    def beside(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.concatenate([pixels, pixels[generator.permutation(len(pixels))]], axis=3)

    return Images(beside(found.train), found.train_labels, beside(found.valid), found.valid_labels, 10)


def _canvas() -> Images:
    """A dark digit somewhere near the middle of a white canvas of 24 by 24, three quarters of which are constant."""
    found = data.images("digits")
    generator = np.random.default_rng(29)

    def placed(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        made = np.full((len(pixels), 1, 24, 24), 255, np.uint8)
        for one, small in zip(made, pixels, strict=True):
            top, left = generator.integers(4, 9, 2)
            picture = Image.fromarray(small[0]).resize((12, 12), Image.Resampling.BOX)
            one[0, top : top + 12, left : left + 12] = 255 - np.asarray(picture)
        return made

    return Images(placed(found.train), found.train_labels, placed(found.valid), found.valid_labels, 10)


def _animals() -> Images:
    """Five classes, 180 images of each for training and 60 for validation that no other part has; 24 by 24."""
    pixels, labels, valid = [], [], []
    with zipfile.ZipFile(data.CIFAR10) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("train/") and name.endswith(".png"))
        for label, kind in enumerate(ANIMALS):
            for place, name in enumerate([name for name in names if name.split("/")[1] == kind][1000:1240]):
                with Image.open(io.BytesIO(archive.read(name))) as picture:
                    small = picture.convert("RGB").resize((24, 24), Image.Resampling.BICUBIC)
                    pixels.append(np.asarray(small).transpose(2, 0, 1))
                labels.append(label)
                valid.append(place >= 180)
    order = np.random.default_rng(30).permutation(len(pixels))
    kept, marks, held = np.stack(pixels)[order], np.array(labels, np.int64)[order], np.array(valid)[order]
    return Images(kept[~held], marks[~held], kept[held], marks[held], len(ANIMALS))
