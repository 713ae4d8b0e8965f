"""Data of the part that is beyond: leaves, bar codes, dice, roads, chirps, dents, segments; digits in paint; four classes of CIFAR-10."""

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

Plane = NDArray[np.float64]

BARS = (0b1011001010, 0b1101001100, 0b1000110110, 0b1110010010, 0b1001011100, 0b1100101000, 0b1010011011, 0b1011100100)
LIT = ("abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg")
WILD = ("airplane", "deer", "frog", "ship")


def leaf(label: int, generator: np.random.Generator, size: int = 24) -> Picture:
    """A leaf of three to seven lobes on soil, in colour."""
    rows, columns = np.mgrid[:size, :size] - size / 2 - generator.uniform(-2.5, 2.5, 2)[:, None, None]
    angle, distance = np.arctan2(rows, columns), np.hypot(rows, columns)
    edge = generator.uniform(6.5, 8.5) * (1 + 0.38 * np.cos((3 + label) * (angle + generator.uniform(0, 6.3))))
    inside = np.clip(edge - distance + 0.5, 0, 1)
    soil = np.array([110, 80, 60]) + generator.normal(0, 15, 3)
    green = np.array([-50, 60, -25]) * generator.uniform(0.7, 1.3) + generator.normal(0, 12, 3)
    return _bytes(soil[:, None, None] + inside * green[:, None, None] + generator.normal(0, 11, (3, size, size)))


def bars(label: int, generator: np.random.Generator, size: int = 16) -> Picture:
    """One of eight codes of ten bars, 16 by 28, somewhere across, faded in rows; grey."""
    code = np.array([BARS[label] >> place & 1 for place in range(10)]).repeat(2)
    line = np.zeros(28)
    begin = int(generator.integers(1, 8))
    line[begin : begin + 20] = code
    fade = generator.uniform(0.5, 1.0, (size, 1))
    paper = generator.uniform(170, 230)
    return _bytes((paper - generator.uniform(80, 140) * fade * line + generator.normal(0, 22, (size, 28)))[None])


def die(label: int, generator: np.random.Generator, size: int = 20) -> Picture:
    """A die's face of one to six pips, a little turned, among crumbs; in colour."""
    spots = {0: "4", 1: "08", 2: "048", 3: "0268", 4: "02468", 5: "035268"}[label]
    canvas = Image.new("L", (4 * size, 4 * size))
    pen, turn = ImageDraw.Draw(canvas), generator.uniform(-0.3, 0.3)
    middle, step = 2 * size + generator.uniform(-6, 6, 2), generator.uniform(15, 19)
    for spot in spots:
        row, column = divmod(int(spot), 3)
        across, down = step * (column - 1), step * (row - 1)
        x = middle[0] + across * math.cos(turn) - down * math.sin(turn)
        y = middle[1] + across * math.sin(turn) + down * math.cos(turn)
        pen.ellipse((x - 5.5, y - 5.5, x + 5.5, y + 5.5), fill=255)
    ivory, ink = generator.uniform(150, 230, 3), generator.uniform(80, 140, 3)
    crumbs = generator.normal(0, 14, (3, size, size)) - 60 * (generator.random((size, size)) > 0.98)
    return _bytes(ivory[:, None, None] - _small(canvas, size) / 255 * ink[:, None, None] + crumbs)


def road(label: int, generator: np.random.Generator, size: int = 24) -> Picture:
    """From above: a straight road, a bend, a junction of three, one of four, or an end; in colour, turned by quarters."""
    canvas = Image.new("L", (3 * size, 3 * size))
    pen, width = ImageDraw.Draw(canvas), int(generator.integers(11, 17))
    x, y = 1.5 * size + generator.uniform(-9, 9, 2)
    ends = [(x, -9.0), (3 * size + 9.0, y), (x, 3 * size + 9.0), (-9.0, y)]
    for way in ((0, 2), (0, 1), (0, 1, 2), (0, 1, 2, 3), (0,))[label]:
        pen.line([(x, y), ends[way]], fill=255, width=width)
    pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    mask = np.rot90(_small(canvas, size) / 255, int(generator.integers(4)))
    ground = np.array([90, 120, 70]) + generator.normal(0, 18, 3)
    patches = generator.normal(0, 14, (3, 6, 6)).repeat(4, axis=1).repeat(4, axis=2)
    tar = np.array([60, 20, 70]) + generator.normal(0, 15, 3)
    return _bytes(
        ground[:, None, None] + patches + mask * tar[:, None, None] + generator.normal(0, 10, (3, size, size))
    )


def chirp(label: int, generator: np.random.Generator, size: int = 16) -> Picture:
    """Sound over time, 16 heights by 24 moments: rising, falling, level, up and down, down and up, two levels, a burst; grey."""
    time = np.linspace(0, 1, 24)
    low, high = generator.uniform(2, 5), generator.uniform(10, 13)
    climb = low + (high - low) * time
    arch = low + (high - low) * np.sin(math.pi * time)
    tracks = (
        [climb], [climb[::-1]], [np.full(24, generator.uniform(4, 12))], [arch], [low + high - arch],
        [np.full(24, low), np.full(24, high)], [],
    )[label]  # fmt: skip
    rows, plane = np.arange(size)[:, None], np.zeros((size, 24))
    for track in tracks:
        plane += np.exp(-(((rows - track) / 1.1) ** 2))
    if not tracks:
        plane += np.exp(-(((time - generator.uniform(0.2, 0.8)) / 0.07) ** 2))[None] * 0.8
    noise = generator.gamma(1.0, 22, (size, 24))
    return _bytes((noise + generator.uniform(70, 150) * plane)[None])


def dent(label: int, generator: np.random.Generator, size: int = 28) -> Picture:
    """Brushed metal: whole, scratched, dented or pitted; grey. Most of it is whole."""
    plane: Plane = (
        generator.uniform(110, 170) + generator.normal(0, 9, (size, 1)) + generator.normal(0, 7, (size, size))
    )
    rows, columns = np.mgrid[:size, :size]
    row, column = generator.uniform(8, size - 8, 2)
    depth = generator.uniform(45, 80)
    if label == 1:
        angle = generator.uniform(0.4, 2.7)
        off = abs((rows - row) * math.cos(angle) - (columns - column) * math.sin(angle))
        along = abs((rows - row) * math.sin(angle) + (columns - column) * math.cos(angle))
        plane += depth * (off < 0.8) * (along < generator.uniform(7, 12))
    elif label == 2:
        plane -= depth * np.exp(-(((rows - row) ** 2 + (columns - column) ** 2) / generator.uniform(12, 30)))
    elif label == 3:
        for _ in range(7):
            place = generator.uniform(2, size - 2, 2)
            plane -= depth * 1.2 * (np.hypot(rows - place[0], columns - place[1]) < 1.3)
    return _bytes(plane[None])


def segments(label: int, generator: np.random.Generator, size: int = 20) -> Picture:
    """A digit of seven segments that glow, 20 by 14, under a reflection; grey."""
    place = {"a": (0, 1, 1, 5), "b": (1, 5, 7, 6), "c": (8, 5, 14, 6), "d": (14, 1, 15, 5), "e": (8, 0, 14, 1)}
    place |= {"f": (1, 0, 7, 1), "g": (7, 1, 8, 5)}
    plane: Plane = np.full((size, 14), generator.uniform(15, 50))
    top, left = int(generator.integers(1, 4)), int(generator.integers(2, 6))
    glow = generator.uniform(70, 150)
    for name, (row, column, last, end) in place.items():
        light = glow * (1.0 if name in LIT[label] else 0.12)
        plane[top + row : top + last + 1, left + column : left + end + 1] += light
    rows, columns = np.mgrid[:size, :14]
    plane += 60 * np.exp(-(((rows + columns - generator.uniform(0, 34)) / 3) ** 2))
    return _bytes((plane + generator.normal(0, 16, plane.shape))[None])


DRAWN: Mapping[str, tuple[Draw, tuple[float, ...], int, int]] = {
    "leaves": (leaf, (1.0,) * 5, 800, 300),
    "barcodes": (bars, (1.0,) * 8, 800, 320),
    "dice": (die, (1.0,) * 6, 720, 300),
    "roads": (road, (1.0,) * 5, 800, 300),
    "chirps": (chirp, (1.0,) * 7, 700, 280),
    "dents": (dent, (5.0, 1.5, 1.5, 1.0), 640, 270),
    "segments": (segments, (1.0,) * 10, 900, 300),
}
"""Name -> how one is drawn, how frequent its classes are, pictures for training and for validation."""


@functools.cache
def images(name: str) -> Images:
    """One of the drawn sets, `painted` or `wild`."""
    if name in DRAWN:
        return _drawn(*DRAWN[name], seed=130 + sorted(DRAWN).index(name))
    if name == "wild":
        return _wild()
    assert name == "painted", name
    found = data.images("digits")
    return Images(_painted(found.train, 142), found.train_labels, _painted(found.valid, 143), found.valid_labels, 10)


def _painted(pixels: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Digits that lean, in a paint that is lighter than the wall; 16 by 16, in colour."""
    generator = np.random.default_rng(seed)
    made = np.zeros((len(pixels), 3, 16, 16), np.uint8)
    for one, picture in zip(made, pixels[:, 0].astype(np.float64), strict=True):
        lean = int(generator.integers(-2, 3))
        leaning = np.stack([np.roll(row, round(lean * (place - 8) / 8)) for place, row in enumerate(picture)]) / 255
        wall = generator.uniform(20, 130, 3)
        paint = wall + generator.uniform(30, 120, 3)
        shown = wall[:, None, None] * (1 - leaning) + paint[:, None, None] * leaning
        one[:] = np.clip(shown + generator.normal(0, 10, (3, 16, 16)), 0, 255)
    return made


def _wild() -> Images:
    """Four classes, 200 images of each for training and 75 for validation, 24 by 24: from the 4400th on, which no other part has."""
    pixels: list[Picture] = []
    with zipfile.ZipFile(data.CIFAR10) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        for kind in WILD:
            for name in [one for one in names if one.startswith(f"train/{kind}/")][4400:4675]:
                with Image.open(io.BytesIO(archive.read(name))) as picture:
                    pixels.append(np.asarray(picture.convert("RGB").crop((4, 4, 28, 28))).transpose(2, 0, 1))
    labels, later = np.arange(len(pixels)) // 275, np.arange(len(pixels)) % 275 >= 200
    order = np.random.default_rng(141).permutation(len(pixels))
    kept, marks, valid = np.stack(pixels)[order], labels[order].astype(np.int64), later[order]
    return Images(kept[~valid], marks[~valid], kept[valid], marks[valid], len(WILD))
