"""The data of the corpus: digits, a part of CIFAR-10, generated shapes. Pixels as bytes, made the same every time."""

from __future__ import annotations

import functools
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CIFAR10 = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "cifar10.zip"
SHAPES = ("disc", "square", "triangle", "cross", "ring", "stripes")


@dataclass(frozen=True)
class Images:
    """Training and validation: pixels (n, channels, height, width) uint8, labels (n,) int64."""

    train: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    valid: NDArray[np.uint8]
    valid_labels: NDArray[np.int64]
    classes: int


@functools.cache
def images(name: str) -> Images:
    """One of `digits`, `cifar`, `shapes`."""
    return {"digits": _digits, "cifar": _cifar, "shapes": _shapes}[name]()


def _digits() -> Images:
    from sklearn.datasets import load_digits

    pixels, targets = (np.asarray(one) for one in load_digits(return_X_y=True))
    pixels = (
        np.minimum(pixels.reshape(-1, 8, 8) * 16, 255).astype(np.uint8)[:, None].repeat(2, axis=2).repeat(2, axis=3)
    )
    order = np.random.default_rng(0).permutation(len(pixels))
    pixels, labels = pixels[order], targets[order].astype(np.int64)
    return Images(pixels[:1000], labels[:1000], pixels[1000:1400], labels[1000:1400], 10)


def _cifar() -> Images:
    """130 images of each class of CIFAR-10's training part: 100 for training, 30 for validation."""
    pixels, labels, valid = [], [], []
    with zipfile.ZipFile(CIFAR10) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("train/") and name.endswith(".png"))
        classes = sorted({name.split("/")[1] for name in names})
        for label, kind in enumerate(classes):
            for place, name in enumerate([name for name in names if name.split("/")[1] == kind][:130]):
                with Image.open(io.BytesIO(archive.read(name))) as picture:
                    pixels.append(np.asarray(picture.convert("RGB")).transpose(2, 0, 1))
                labels.append(label)
                valid.append(place >= 100)
    order = np.random.default_rng(2).permutation(len(pixels))
    kept, marks, held = np.stack(pixels)[order], np.array(labels, np.int64)[order], np.array(valid)[order]
    return Images(kept[~held], marks[~held], kept[held], marks[held], len(classes))


def _shapes() -> Images:
    generator = np.random.default_rng(1)
    labels = np.arange(1300) % len(SHAPES)
    generator.shuffle(labels)
    pixels = np.stack([_shape(int(label), generator) for label in labels])
    return Images(pixels[:1000], labels[:1000], pixels[1000:], labels[1000:], len(SHAPES))


def _shape(label: int, generator: np.random.Generator, size: int = 20) -> NDArray[np.uint8]:
    """One shape of random place, size and colour on a noisy ground."""
    radius = generator.uniform(4, 8)
    x, y = generator.uniform(radius, size - radius, 2)
    columns, rows = np.meshgrid(np.arange(size) - x, np.arange(size) - y)
    distance, largest = np.hypot(columns, rows), np.maximum(abs(columns), abs(rows))
    inside = (
        distance < radius,
        largest < 0.85 * radius,
        (rows < 0.7 * radius) & (rows > -radius + 2 * abs(columns)),
        (largest < radius) & (np.minimum(abs(columns), abs(rows)) < radius / 3),
        (distance < radius) & (distance > 0.55 * radius),
        (largest < radius) & (np.floor(rows / 2) % 2 == 0),
    )[label]
    colour, ground = generator.uniform(80, 255, 3), generator.uniform(0, 140, 3)
    picture = np.where(inside[None], colour[:, None, None], ground[:, None, None])
    return np.clip(picture + generator.normal(0, 18, (3, size, size)), 0, 255).astype(np.uint8)
