"""Data of the held-out part: generated textures, other images of CIFAR-10 at half their size, and the tuning part's digits and shapes."""

from __future__ import annotations

import functools
import io
import zipfile

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import data
from data import Images

TEXTURES = ("stripes", "columns", "diagonal", "checks", "dots", "blotches", "rings", "grain")
PICTURES = ("airplane", "automobile", "frog", "horse")


@functools.cache
def images(name: str) -> Images:
    """One of `textures`, `two-textures`, `cifar`, `digits`, `shapes`."""
    if name == "textures":
        return _textures(len(TEXTURES))
    if name == "two-textures":
        return _textures(2)
    return _cifar() if name == "cifar" else data.images(name)


def _textures(classes: int) -> Images:
    generator = np.random.default_rng(11)
    labels = np.arange(1120) % classes
    generator.shuffle(labels)
    pixels = np.stack([_texture(TEXTURES[label], generator) for label in labels])
    return Images(pixels[:800], labels[:800], pixels[800:], labels[800:], classes)


def _texture(kind: str, generator: np.random.Generator, size: int = 16) -> NDArray[np.uint8]:
    """One texture of random phase, scale, contrast and tint under noise."""
    rows, columns = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    length, phase = generator.uniform(3, 6), generator.uniform(0, 2 * np.pi, 2)
    turn = 2 * np.pi / length
    x, y = generator.uniform(0, size, 2)
    if kind == "stripes":
        height = np.sin(turn * rows + phase[0])
    elif kind == "columns":
        height = np.sin(turn * columns + phase[0])
    elif kind == "diagonal":
        height = np.sin(turn * (rows + columns) / np.sqrt(2) + phase[0])
    elif kind == "checks":
        height = np.sign(np.sin(turn * rows + phase[0]) * np.sin(turn * columns + phase[1]))
    elif kind == "dots":
        height = 2.0 * (np.sin(turn * rows + phase[0]) * np.sin(turn * columns + phase[1]) > 0.5) - 1
    elif kind == "blotches":
        coarse = generator.normal(size=(5, 5)).repeat(4, axis=0).repeat(4, axis=1)[:size, :size]
        height = np.tanh((coarse + np.roll(coarse, 1, 0) + np.roll(coarse, 1, 1)) / 2)
    elif kind == "rings":
        height = np.sin(turn * np.hypot(rows - x, columns - y))
    else:
        height = generator.choice([-1.0, 1.0], size=(size, size))
    tint, contrast = generator.uniform(60, 190, 3), generator.uniform(25, 60)
    picture = tint[:, None, None] + contrast * height[None] + generator.normal(0, 14, (3, size, size))
    return np.clip(picture, 0, 255).astype(np.uint8)


def _cifar() -> Images:
    """Four classes, 320 images of each that the tuning part has none of: 240 for training, 80 for validation; 16 by 16."""
    pixels, labels, valid = [], [], []
    with zipfile.ZipFile(data.CIFAR10) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("train/") and name.endswith(".png"))
        for label, kind in enumerate(PICTURES):
            for place, name in enumerate([name for name in names if name.split("/")[1] == kind][200:520]):
                with Image.open(io.BytesIO(archive.read(name))) as picture:
                    small = picture.convert("RGB").resize((16, 16), Image.Resampling.BOX)
                    pixels.append(np.asarray(small).transpose(2, 0, 1))
                labels.append(label)
                valid.append(place >= 240)
    order = np.random.default_rng(5).permutation(len(pixels))
    kept, marks, held = np.stack(pixels)[order], np.array(labels, np.int64)[order], np.array(valid)[order]
    return Images(kept[~held], marks[~held], kept[held], marks[held], len(PICTURES))
