"""Data of the part that is anew: moods, floors, blood cells, things of a kitchen, charts; digits framed as MNIST's; CIFAR-10, ten and four classes."""

from __future__ import annotations

import functools
import io
import math
import zipfile
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import data
from apart.drawings import Picture, _bytes, _small
from apart.images import Draw, _drawn
from data import Images

QUARTET = ("automobile", "bird", "cat", "horse")
TEN = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def _inked(ground: NDArray[np.floating], mask: NDArray[np.floating], ink: NDArray[np.floating]) -> NDArray[np.floating]:
    """Ink where the mask is, on a ground; all in colour."""
    return ground * (1 - mask) + ink[:, None, None] * mask


def mood(label: int, generator: np.random.Generator, size: int = 48) -> Picture:
    """A face that smiles, is sad, astonished, calm, or winks; in colour."""
    scale = 3
    head, lines = Image.new("L", (scale * size, scale * size)), Image.new("L", (scale * size, scale * size))
    pen = ImageDraw.Draw(lines)
    radius = scale * generator.uniform(13, 20)
    x, y = scale * size / 2 + scale * generator.uniform(-4, 4, 2)
    ImageDraw.Draw(head).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    width, eye = int(0.12 * radius) + 1, 0.11 * radius
    for side in (-1, 1):
        left, top = x + side * 0.38 * radius, y - 0.3 * radius
        if label == 4 and side == 1:
            pen.line((left - 2 * eye, top, left + 2 * eye, top), fill=255, width=width)
        else:
            pen.ellipse((left - eye, top - eye, left + eye, top + eye), fill=255)
    wide, low = 0.5 * radius * generator.uniform(0.8, 1.1), y + 0.35 * radius
    if label in (0, 4):
        pen.arc((x - wide, low - wide, x + wide, low + 0.7 * wide), 20, 160, fill=255, width=width)
    elif label == 1:
        pen.arc((x - wide, low, x + wide, low + 1.6 * wide), 200, 340, fill=255, width=width)
    elif label == 2:
        pen.ellipse((x - 0.4 * wide, low - 0.4 * wide, x + 0.4 * wide, low + 0.6 * wide), fill=255)
    else:
        pen.line((x - wide, low, x + wide, low), fill=255, width=width)
    ground = generator.uniform(20, 160, 3)[:, None, None] + generator.normal(0, 12, (3, size, size))
    skin = np.array([225, 185, 70]) + generator.normal(0, 25, 3)
    made = _inked(ground, _small(head, size) / 255, skin)
    made = _inked(made, _small(lines, size) / 255, generator.uniform(0, 60, 3))
    return _bytes(made + generator.normal(0, 8, made.shape))


def floor(label: int, generator: np.random.Generator, size: int = 32) -> Picture:
    """Bricks, a chequer, planks, pebbles, diagonal tiles or terrazzo; in colour, under uneven light."""
    rows, columns = np.mgrid[:size, :size].astype(np.float64)
    rows, columns = rows + generator.uniform(0, 16), columns + generator.uniform(0, 16)
    step = generator.uniform(5, 8)
    if label == 0:
        course = np.floor(rows / step)
        joint = (rows % step < 1.3) | ((columns + course % 2 * step) % (2 * step) < 1.3)
        plane = np.where(joint, 0.2, 0.8)
    elif label == 1:
        plane = (np.floor(rows / step) + np.floor(columns / step)) % 2
    elif label == 2:
        board = np.floor(columns / step)
        plane = 0.5 + 0.25 * np.sin(7 * board) + 0.12 * np.sin(rows / 3 + 5 * board) - 0.4 * (columns % step < 1.1)
    elif label == 4:
        plane = 0.8 - 0.6 * (((rows + columns) % (1.4 * step) < 1.6) | ((rows - columns) % (1.4 * step) < 1.6))
    else:
        plane = np.full((size, size), 0.25 if label == 3 else 0.75)
        for _ in range(22 if label == 3 else 45):
            row, column = rows.min() + generator.uniform(0, size), columns.min() + generator.uniform(0, size)
            radius = generator.uniform(2.2, 3.6) if label == 3 else generator.uniform(0.6, 1.4)
            plane[np.hypot(rows - row, columns - column) < radius] = generator.uniform(0.5, 1) if label == 3 else 0.2
    low = generator.uniform(30, 110, 3)
    high = low + generator.uniform(50, 120, 3)
    made = low[:, None, None] + plane * (high - low)[:, None, None]
    light = 1 + generator.uniform(-0.25, 0.25) * (rows - rows.mean()) / size
    return _bytes(made * light + generator.normal(0, 14, (3, size, size)))


def cell(label: int, generator: np.random.Generator, size: int = 28) -> Picture:
    """Blood under a microscope: a red cell, or a white one with a nucleus of one, two or three lobes; in colour. Most are red."""
    rows, columns = np.mgrid[:size, :size].astype(np.float64)
    row, column = size / 2 + generator.uniform(-4, 4, 2)
    made = np.array([225.0, 200.0, 205.0])[:, None, None] + generator.normal(0, 9, (3, size, size))
    for _ in range(int(generator.integers(0, 3))):
        place = generator.uniform(0, size, 2)
        faint = np.hypot(rows - place[0], columns - place[1]) < generator.uniform(3, 5)
        made = _inked(made, 0.5 * faint, np.array([215.0, 140.0, 140.0]))
    distance = np.hypot(rows - row, columns - column)
    radius = generator.uniform(6.5, 9)
    tint = generator.normal(0, 10, 3)
    if label == 0:
        made = _inked(
            made,
            np.clip(radius - 1 - distance, 0, 1) * (1 - 0.6 * np.exp(-((distance / 2.5) ** 2))),
            np.array([205, 90, 100]) + tint,
        )
        return _bytes(made)
    made = _inked(made, np.clip(radius - distance, 0, 1), np.array([190, 170, 205]) + tint)
    begin, lobe = generator.uniform(0, 6.3), (0.5, 0.36, 0.28)[label - 1] * radius
    away = (0.0, 0.42, 0.5)[label - 1] * radius
    for place in range(label):
        angle = begin + 2 * math.pi * place / label
        inside = np.hypot(rows - row - away * np.sin(angle), columns - column - away * np.cos(angle)) < lobe
        made = _inked(made, 0.9 * inside, np.array([95, 60, 140]) + tint)
    return _bytes(made + generator.normal(0, 7, made.shape))


def thing(label: int, generator: np.random.Generator, size: int = 32) -> Picture:
    """From a kitchen: a mug, a bottle, a glass on a stem, or a bowl, before a wall; grey."""
    scale = 3
    canvas = Image.new("L", (scale * size, scale * size))
    pen = ImageDraw.Draw(canvas)
    x, base = scale * (size / 2 + generator.uniform(-4, 4)), scale * (size - generator.uniform(3, 7))
    unit = scale * generator.uniform(0.8, 1.15)
    side = 1 if generator.random() < 0.5 else -1
    if label == 0:
        pen.rectangle((x - 5 * unit, base - 11 * unit, x + 5 * unit, base), fill=255)
        middle = x + side * 6 * unit
        pen.ellipse(
            (middle - 3.5 * unit, base - 9 * unit, middle + 3.5 * unit, base - 2.5 * unit),
            outline=255,
            width=int(1.4 * unit),
        )
    elif label == 1:
        pen.rectangle((x - 3.5 * unit, base - 12 * unit, x + 3.5 * unit, base), fill=255)
        pen.rectangle((x - 1.4 * unit, base - 20 * unit, x + 1.4 * unit, base - 11 * unit), fill=255)
    elif label == 2:
        pen.pieslice((x - 5 * unit, base - 22 * unit, x + 5 * unit, base - 8 * unit), 0, 180, fill=255)
        pen.rectangle((x - 0.8 * unit, base - 10 * unit, x + 0.8 * unit, base), fill=255)
        pen.rectangle((x - 4 * unit, base - 1.4 * unit, x + 4 * unit, base), fill=255)
    else:
        pen.pieslice((x - 8 * unit, base - 16 * unit, x + 8 * unit, base), 0, 180, fill=255)
        pen.rectangle((x - 3 * unit, base - 1.5 * unit, x + 3 * unit, base), fill=255)
    wall = generator.uniform(50, 200) + 25 * np.linspace(-1, 1, size)[None] * generator.uniform(-1, 1)
    change = generator.choice((-1, 1)) * generator.uniform(40, 80)
    return _bytes((wall + change * _small(canvas, size) / 255 + generator.normal(0, 14, (size, size)))[None])


def chart(label: int, generator: np.random.Generator, size: int = 32) -> Picture:
    """A chart of bars, a line, a pie, points, or a table; grey, dark on light or light on dark."""
    scale = 2
    end = scale * size
    canvas = Image.new("L", (end, end))
    pen = ImageDraw.Draw(canvas)
    left, top, right, bottom = (scale * one for one in (4, 4, size - 4, size - 4))
    ink = int(generator.integers(150, 256))
    if label in (0, 1, 3):
        pen.line((left, top, left, bottom, right, bottom), fill=ink, width=scale)
    count = int(generator.integers(4, 7))
    places = np.linspace(left + 5, right - 3, count)
    heights = generator.uniform(top + 4, bottom - 6, count)
    if label == 0:
        for place, height in zip(places, heights, strict=True):
            pen.rectangle((place - 2, height, place + 3, bottom), fill=ink)
    elif label == 1:
        pen.line([(float(a), float(b)) for a, b in zip(places, heights, strict=True)], fill=ink, width=scale + 1)
    elif label == 2:
        radius, begin = generator.uniform(9, 13) * scale, generator.uniform(0, 360)
        box = (end / 2 - radius, end / 2 - radius, end / 2 + radius, end / 2 + radius)
        for place in range(count):
            tone = int(ink * (0.4 + 0.6 * (place % 3) / 2))
            pen.pieslice(box, begin + 360 * place / count, begin + 360 * (place + 1) / count, fill=tone)
    elif label == 3:
        for x, y in generator.uniform((left + 4, top), (right, bottom - 4), (3 * count, 2)):
            pen.ellipse((x - 1.6, y - 1.6, x + 1.6, y + 1.6), fill=ink)
    else:
        for one in np.linspace(left, right, count):
            pen.line((float(one), top, float(one), bottom), fill=ink, width=1)
            pen.line((left, float(one), right, float(one)), fill=ink, width=1)
    plane = _small(canvas, size) * generator.uniform(0.5, 0.9)
    plane = np.roll(plane, tuple(int(one) for one in generator.integers(-3, 4, 2)), (0, 1))
    paper = generator.uniform(0, 25)
    made = 255 - paper - plane if generator.random() < 0.5 else paper + plane
    return _bytes((made + generator.normal(0, 20, (size, size)))[None])


DRAWN: Mapping[str, tuple[Draw, tuple[float, ...], int, int]] = {
    "moods": (mood, (1.0,) * 5, 900, 300),
    "floors": (floor, (1.0,) * 6, 960, 300),
    "blood": (cell, (8.0, 3.0, 2.0, 1.0), 1120, 350),
    "kitchen": (thing, (1.0,) * 4, 160, 200),
    "charts": (chart, (1.0,) * 5, 960, 300),
}
"""Name -> how one is drawn, how frequent its classes are, pictures for training and for validation."""


@functools.cache
def images(name: str) -> Images:
    """One of the drawn sets, `framed`, `ten` or `quartet`."""
    if name in DRAWN:
        return _drawn(*DRAWN[name], seed=170 + sorted(DRAWN).index(name))
    if name == "framed":
        return _framed()
    return {"ten": lambda: _cifar(TEN, 2000, 160, 40), "quartet": lambda: _cifar(QUARTET, 2400, 240, 75)}[name]()


def _framed() -> Images:
    """Written digits, 20 by 20, somewhere in a black field of 28 by 28, as people know them from MNIST."""
    from sklearn.datasets import load_digits

    pixels, targets = (np.asarray(one) for one in load_digits(return_X_y=True))
    generator = np.random.default_rng(181)
    order = generator.permutation(len(pixels))
    made = np.zeros((len(pixels), 1, 28, 28), np.uint8)
    for one, picture in zip(made, pixels[order].reshape(-1, 8, 8), strict=True):
        large = Image.fromarray(np.minimum(picture * 16, 255).astype(np.uint8)).resize(
            (20, 20), Image.Resampling.BICUBIC
        )
        top, left = (int(place) for place in generator.integers(1, 8, 2))
        one[0, top : top + 20, left : left + 20] = np.asarray(large)
    labels = targets[order].astype(np.int64)
    return Images(made[:1280], labels[:1280], made[1280:], labels[1280:], 10)


def _cifar(classes: tuple[str, ...], first: int, train: int, valid: int) -> Images:
    """So many images of each class, 32 by 32, from one on that no other part has."""
    pixels: list[Picture] = []
    each = train + valid
    with zipfile.ZipFile(data.CIFAR10) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        for kind in classes:
            for name in [one for one in names if one.startswith(f"train/{kind}/")][first : first + each]:
                with Image.open(io.BytesIO(archive.read(name))) as picture:
                    pixels.append(np.asarray(picture.convert("RGB")).transpose(2, 0, 1))
    labels, later = np.arange(len(pixels)) // each, np.arange(len(pixels)) % each >= train
    order = np.random.default_rng(183).permutation(len(pixels))
    kept, marks, held = np.stack(pixels)[order], labels[order].astype(np.int64), later[order]
    return Images(kept[~held], marks[~held], kept[held], marks[held], len(classes))
