"""Pictures of the last part, each from its class and a generator, as bytes: clothes, numerals, figures, fabrics, views, fruits, tiles."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from apart.drawings import Picture, _bytes, _small
from outside.drawings import Plane, _distances, _painted

CLOTHES = (
    ((-5, -8, 5, 9), (-9, -8, -5, -2), (5, -8, 9, -2)),  # a shirt with short sleeves
    ((-5, -9, 5, -5), (-5, -5, -1, 10), (1, -5, 5, 10)),  # trousers
    ((-4, -10, 4, 0), (-6, 0, 6, 10)),  # a dress
    ((-5, -9, 5, 9), (-9, -9, -6, 8), (6, -9, 9, 8)),  # a coat
    ((-9, 2, 9, 6), (2, -1, 9, 2)),  # a shoe
    ((-8, -2, 8, 8), (-4, -6, -3, -2), (3, -6, 4, -2), (-4, -7, 4, -6)),  # a bag
    ((-1, -10, 5, 4), (-8, 4, 5, 9)),  # a boot
    ((-9, 2, 9, 5), (-5, -6, 5, 2)),  # a hat
)
"""Class -> its rectangles: left, top, right, bottom, from the middle."""


def clothes(label: int, generator: np.random.Generator, size: int = 28) -> Picture:
    """A piece of clothing, light on black, as in catalogues; grey."""
    scale = 3
    canvas = Image.new("L", (scale * size, scale * size))
    pen = ImageDraw.Draw(canvas)
    wide, tall = scale * generator.uniform(0.8, 1.15, 2)
    x, y = scale * (size / 2 + generator.uniform(-1.5, 1.5, 2))
    for left, top, right, bottom in CLOTHES[label]:
        box = (x + left * wide, y + top * tall, x + right * wide, y + bottom * tall)
        pen.rectangle(box, fill=int(generator.integers(150, 256)))
    turned = canvas.rotate(generator.normal(0, 4), Image.Resampling.BILINEAR)
    shade = 1 + 0.25 * np.sin(np.arange(size) / generator.uniform(1, 4))[:, None]
    return _bytes(
        (_small(turned, size) * shade * generator.uniform(0.5, 0.9) + generator.normal(0, 6, (size, size)))[None]
    )


def numeral(label: int, generator: np.random.Generator, size: int = 24) -> Picture:
    """A printed digit, turned and sheared, on a ground that is not clean; grey."""
    scale = 3
    canvas = Image.new("L", (scale * size, scale * size))
    font = ImageFont.load_default(scale * generator.uniform(15, 20))
    place = (scale * size / 2, scale * size / 2)
    ImageDraw.Draw(canvas).text(place, str(label), fill=255, font=font, anchor="mm")
    shear, (right, down) = generator.normal(0, 0.15), scale * generator.uniform(-2.5, 2.5, 2)
    moved = (1, shear, right - shear * scale * size / 2, 0, 1, down)
    canvas = canvas.transform(canvas.size, Image.Transform.AFFINE, moved, Image.Resampling.BILINEAR)
    canvas = canvas.rotate(generator.normal(0, 8), Image.Resampling.BILINEAR)
    ground = generator.uniform(10, 70) + generator.normal(0, 14, (size, size))
    return _bytes((ground + _small(canvas, size) * generator.uniform(0.45, 0.75))[None])


def figure(label: int, generator: np.random.Generator, size: int = 24) -> Picture:
    """A disc, or a figure of three, four, five or six corners, or a star, in a colour on another."""
    scale = 3
    canvas = Image.new("L", (scale * size, scale * size))
    pen = ImageDraw.Draw(canvas)
    radius, turn = scale * generator.uniform(6.5, 10), generator.normal(-math.pi / 2, 0.3)
    x, y = scale * (size / 2 + generator.uniform(-2, 2, 2))
    corners = (60, 3, 4, 10, 6)[label]
    reach = [radius * (0.42 if label == 3 and place % 2 else 1.0) for place in range(corners)]
    angles = [turn + 2 * math.pi * place / corners for place in range(corners)]
    points = [(x + far * math.cos(a), y + far * math.sin(a)) for far, a in zip(reach, angles, strict=True)]
    pen.polygon(points, fill=255)
    ground = generator.uniform(20, 110, 3)[:, None, None] + generator.normal(0, 16, (3, size, size))
    return _bytes(_painted(ground, _small(canvas, size) / 255, tuple(generator.uniform(110, 250, 3))))


def fabric(label: int, generator: np.random.Generator, size: int = 28) -> Picture:
    """Cloth in two colours: stripes across, along or aslant, checks, dots, or heather."""
    rows, columns, _ = _distances(size, *generator.uniform(0, size, 2))
    period = generator.uniform(4.5, 7.5)
    across, along = np.sin(2 * math.pi * rows / period), np.sin(2 * math.pi * columns / period)
    rough = generator.normal(0, 1, (size, size))
    plane = (
        across,
        along,
        np.sin(2 * math.pi * (rows + columns * generator.choice((-1, 1))) / (1.4 * period)),
        np.sign(across) + np.sign(along),
        4 * (across * along > 0.45) - 1.0,
        1.5 * rough,
    )[label]
    one, two = generator.uniform(40, 150, 3), generator.uniform(90, 220, 3)
    mask = np.clip(0.5 + 0.5 * plane, 0, 1)
    made = _painted(one[:, None, None] * np.ones((3, size, size)), mask, tuple(two))
    return _bytes(made + generator.normal(0, 20, made.shape))


def view(label: int, generator: np.random.Generator, size: int = 32) -> Picture:
    """A scene: beach, mountains, town, wood, or night; in colour."""
    rows, columns, _ = _distances(size, 0, 0)
    sky = np.array([120.0, 165.0, 215.0]) + generator.normal(0, 22, 3)
    made = sky[:, None, None] + 2 * rows[None] * np.ones((3, 1, 1))
    horizon = generator.uniform(13, 20)
    if label == 0:
        made = _painted(
            made, (rows > horizon).astype(float), tuple(np.array([50.0, 105, 165]) + generator.normal(0, 15, 3))
        )
        shore = generator.uniform(23, 27) + np.sin(columns / generator.uniform(3, 6))
        made = _painted(
            made, (rows > shore).astype(float), tuple(np.array([215.0, 195, 145]) + generator.normal(0, 15, 3))
        )
    elif label == 1:
        for _ in range(3):
            top, middle = generator.uniform(5, 14), generator.uniform(0, size)
            hill = rows > top + np.abs(columns - middle) * generator.uniform(0.8, 1.5)
            made = _painted(made, hill.astype(float), tuple(np.array([110.0, 105, 110]) + generator.normal(0, 18, 3)))
            made = _painted(made, (hill & (rows < top + 3.5)).astype(float), (235, 238, 245))
    elif label == 2:
        left = 0
        while left < size:
            wide, top = int(generator.integers(4, 9)), generator.uniform(5, 20)
            house = (columns >= left) & (columns < left + wide) & (rows > top)
            made = _painted(made, house.astype(float), tuple(generator.uniform(70, 170) + generator.normal(0, 10, 3)))
            lit = house & (rows % 4 < 1.5) & ((columns - left) % 3 >= 1.5)
            made = _painted(made, 0.8 * lit, (230, 215, 140))
            left += wide
    elif label == 3:
        made = _painted(made, (rows > horizon + 6).astype(float), (95, 80, 50))
        for _ in range(9):
            row, column = generator.uniform(4, 20), generator.uniform(0, size)
            tree = (rows > row) & (np.abs(columns - column) < (rows - row) * 0.35) & (rows < row + 14)
            made = _painted(made, tree.astype(float), tuple(np.array([35.0, 95, 45]) + generator.normal(0, 15, 3)))
    else:
        made = np.array([25.0, 28, 65])[:, None, None] + 1.5 * rows[None] + np.zeros((3, 1, 1))
        for row, column in generator.integers(0, size - 8, (14, 2)):
            made[:, row, column] = 230
        *_, away = _distances(size, *generator.uniform((5, 5), (14, size - 5)))
        made = _painted(made, np.clip(generator.uniform(3, 5) - away, 0, 1), (235, 230, 200))
        made = _painted(made, (rows > 25 + 2 * np.sin(columns / 4)).astype(float), (12, 14, 22))
    light = generator.uniform(0.65, 1.2)
    return _bytes(made * light + generator.normal(0, 13, made.shape))


def fruit(label: int, generator: np.random.Generator, size: int = 28) -> Picture:
    """An apple, an orange, a pear, a banana, or grapes, on a table; in colour."""
    rows, columns, away = _distances(size, *(size / 2 + generator.uniform(-2.5, 2.5, 2)))
    radius = generator.uniform(7, 9.5)
    made = generator.uniform(130, 220, 3)[:, None, None] + generator.normal(0, 9, (3, size, size))
    masks: tuple[Plane, ...] = (np.clip(radius - away, 0, 1), np.clip(radius - away, 0, 1))
    pear = np.clip(0.8 * radius - np.hypot(rows - 3, columns), 0, 1)
    masks += (np.maximum(pear, np.clip(0.45 * radius - np.hypot(rows + 5, columns), 0, 1)),)
    bent = rows - 0.06 * columns**2 * generator.choice((-1, 1))
    masks += (np.clip(3.2 - np.abs(bent), 0, 1) * (np.abs(columns) < radius + 1),)
    grapes = np.zeros((size, size))
    for row, column in ((-5, -5), (-5, 0), (-5, 5), (0, -2.5), (0, 2.5), (5, 0)):
        grapes = np.maximum(grapes, np.clip(3 - np.hypot(rows - row, columns - column), 0, 1))
    inks = ((190, 40, 45), (230, 130, 35), (165, 180, 60), (230, 205, 60), (100, 50, 120))
    ink = np.array(inks[label]) + generator.normal(0, 24, 3)
    if label == 0 and generator.random() < 0.4:  # a green one
        ink = np.array([120.0, 165, 60]) + generator.normal(0, 18, 3)
    made = _painted(made, (*masks, grapes)[label], tuple(ink))
    if label in (0, 2):
        stalk = (np.abs(columns) < 1) & (rows < -radius + 2) & (rows > -radius - 3)
        made = _painted(made, stalk.astype(float), (80, 55, 30))
    return _bytes(made * (1 + 0.012 * (columns - rows)) + generator.normal(0, 12, made.shape))


def tile(label: int, generator: np.random.Generator, size: int = 24) -> Picture:
    """A tile that is whole, cracked, or chipped at a corner; grey. Most are whole."""
    rows, columns, _ = _distances(size, 0, 0)
    made = (
        generator.uniform(140, 200) + 8 * np.sin(rows / generator.uniform(2, 6)) + generator.normal(0, 9, (size, size))
    )
    if label == 1:
        turn, bend = generator.uniform(0, math.pi), generator.uniform(0.5, 1.6)
        line = (rows - size / 2) * math.sin(turn) + (columns - size / 2) * math.cos(turn)
        along = (rows - size / 2) * math.cos(turn) - (columns - size / 2) * math.sin(turn)
        made -= generator.uniform(50, 90) * (np.abs(line + bend * np.sin(along / 2)) < 1.0)
    elif label == 2:
        row, column = generator.choice((0, size - 1), 2)
        made -= generator.uniform(50, 90) * (np.abs(rows - row) + np.abs(columns - column) < generator.uniform(6, 10))
    return _bytes(made[None])
