"""Pictures that are drawn: letters, blobs, gratings, spots, lines, scenes. Each from its class and a generator, as bytes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]

LETTERS = "ABEGHKMQRSXZ"
SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789?+=&"
SCENES = ("house", "tree", "boat", "car")
SKY = ((110, 200), (150, 220), (200, 255))
GROUND = ((60, 140), (110, 170), (40, 100))
INK = ((10, 230), (10, 110), (10, 160))
LINES = ("zigzag", "spiral", "arc", "loop")


def letter(sign: str, generator: np.random.Generator, size: int) -> Picture:
    """A sign of random size, place, slant and contrast under noise; grey."""
    height = generator.uniform(0.65, 0.9) * size
    canvas = Image.new("L", (2 * size, 2 * size))
    font = ImageFont.load_default(height)
    ImageDraw.Draw(canvas).text((size, size), sign, fill=255, font=font, anchor="mm")
    turned = canvas.rotate(generator.uniform(-15, 15), Image.Resampling.BILINEAR)
    left, top = (size / 2 + generator.uniform(-1.5, 1.5, 2)).round().astype(int)
    ink = np.asarray(turned.crop((left, top, left + size, top + size)), np.float32) / 255
    ground, contrast = generator.uniform(20, 90), generator.uniform(90, 160)
    return _bytes((ground + contrast * ink + generator.normal(0, 12, ink.shape))[None])


def blobs(count: int, generator: np.random.Generator, size: int) -> Picture:
    """So many bright blobs, apart from one another, on a tinted ground."""
    places: list[NDArray[np.float64]] = []
    while len(places) < count:
        place = generator.uniform(3, size - 3, 2)
        if all(np.hypot(*(place - other)) > 6.5 for other in places):
            places.append(place)
    rows, columns = np.mgrid[:size, :size]
    height = np.zeros((size, size))
    for row, column in places:
        radius = generator.uniform(1.6, 2.3)
        height = np.maximum(height, np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * radius**2)))
    ground, ink = generator.uniform(20, 110, 3), generator.uniform(90, 140, 3)
    return _bytes(ground[:, None, None] + height * ink[:, None, None] + generator.normal(0, 10, (3, size, size)))


def grating(part: float, generator: np.random.Generator, size: int) -> Picture:
    """Waves under a window, turned by `part` of half a circle, between two random colours."""
    angle = math.pi * part + generator.normal(0, 0.07)
    rows, columns = np.mgrid[:size, :size] - size / 2
    along = rows * math.sin(angle) + columns * math.cos(angle)
    wave = np.sin(2 * math.pi * along / generator.uniform(4, 8) + generator.uniform(0, 6.3))
    row, column = generator.uniform(-size / 8, size / 8, 2)
    window = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * (size / 3.5) ** 2))
    middle, swing = generator.uniform(70, 180, 3), generator.uniform(-60, 60, 3)
    swing += 30 * np.sign(swing)
    picture = middle[:, None, None] + wave * window * swing[:, None, None]
    return _bytes(picture + generator.normal(0, 20, (3, size, size)))


def lesion(ill: int, generator: np.random.Generator, size: int) -> Picture:
    """Skin with a mole: round and even, or ragged and with a dark part."""
    rows, columns = np.mgrid[:size, :size] - size / 2 - generator.uniform(-3, 3, 2)[:, None, None]
    angle, distance = np.arctan2(rows, columns), np.hypot(rows, columns)
    edge = generator.uniform(5, 8) * np.ones_like(angle)
    if ill:
        for waves in (3, 5):
            edge += generator.uniform(0.8, 1.6) * np.sin(waves * angle + generator.uniform(0, 6.3))
    inside = 1 / (1 + np.exp(2 * (distance - edge)))
    skin = np.array([205, 160, 135]) + generator.uniform(-25, 25) + generator.uniform(-8, 8, 3)
    mole = skin * generator.uniform(0.5, 0.75)
    picture = skin[:, None, None] * (1 - inside) + mole[:, None, None] * inside
    if ill:
        turn = generator.uniform(0, 6.3)
        dark = np.exp(-((rows - 3 * math.sin(turn)) ** 2 + (columns - 3 * math.cos(turn)) ** 2) / 8)
        picture *= 1 - generator.uniform(0.2, 0.5) * dark
    return _bytes(picture + generator.normal(0, 9, (3, size, size)))


def line(label: int, generator: np.random.Generator, size: int) -> Picture:
    """One line on paper, drawn by a shaky hand; grey."""
    parts = np.linspace(0, 1, 24)
    kind, radius = LINES[label], generator.uniform(0.28, 0.4)
    if kind == "zigzag":
        x, y = parts - 0.5, radius * (np.abs((parts * 6) % 2 - 1) - 0.5)
        x = x * 2 * radius
    else:
        turns = {"spiral": 2.2, "arc": 0.5, "loop": 1.0}[kind]
        reach = radius * (parts if kind == "spiral" else 1)
        x, y = reach * np.cos(2 * np.pi * turns * parts), reach * np.sin(2 * np.pi * turns * parts)
    angle = generator.uniform(0, 2 * np.pi)
    turned = np.stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)], axis=1)
    points = (turned + generator.uniform(0.42, 0.58, 2) + generator.normal(0, 0.008, turned.shape)) * 4 * size
    canvas = Image.new("L", (4 * size, 4 * size), 235)
    ImageDraw.Draw(canvas).line([tuple(one) for one in points.tolist()], fill=int(generator.uniform(20, 90)), width=6)
    small = np.asarray(canvas.resize((size, size), Image.Resampling.BOX), np.float32)
    return _bytes((small + generator.normal(0, 6, small.shape))[None])


def scene(label: int, generator: np.random.Generator, size: int) -> Picture:
    """A thing of any two dark or strong colours between a light sky and a ground of green and brown."""
    sky, ground, ink, other = (
        tuple(int(generator.uniform(*between)) for between in betweens) for betweens in (SKY, GROUND, INK, INK)
    )
    canvas = Image.new("RGB", (size, size), sky)
    pen = ImageDraw.Draw(canvas)
    level = int(generator.uniform(0.6, 0.75) * size)
    pen.rectangle((0, level, size, size), fill=ground)
    wide, high = generator.uniform(0.4, 0.6) * size, generator.uniform(0.25, 0.4) * size
    left = generator.uniform(2, size - wide - 2)
    right, top, middle = left + wide, level - high, left + wide / 2
    kind = SCENES[label]
    if kind == "house":
        pen.rectangle((left, top, right, level + 2), fill=ink)
        pen.polygon([(left - 2, top), (middle, top - 0.6 * high), (right + 2, top)], fill=other)
    elif kind == "tree":
        pen.rectangle((middle - 2, top, middle + 2, level + 3), fill=ink)
        pen.ellipse((left, top - high, right, top + 0.5 * high), fill=other)
    elif kind == "boat":
        pen.polygon([(left, level - 4), (right, level - 4), (right - 5, level + 3), (left + 5, level + 3)], fill=ink)
        pen.polygon([(middle, level - 5), (middle, top - 4), (right - 2, level - 5)], fill=other)
    else:
        pen.rectangle((left, level - 0.5 * high, right, level), fill=ink)
        pen.rectangle((left + 0.2 * wide, top, right - 0.25 * wide, level - 0.5 * high), fill=other)
        for wheel in (left + 0.2 * wide, right - 0.2 * wide):
            pen.ellipse((wheel - 3, level - 2, wheel + 3, level + 4), fill=(20, 20, 20))
    picture = np.asarray(canvas, np.float32).transpose(2, 0, 1)
    return _bytes(picture * generator.uniform(0.7, 1.1) + generator.normal(0, 16, picture.shape))


def _bytes(picture: NDArray[np.floating]) -> Picture:
    return np.clip(picture, 0, 255).astype(np.uint8)
