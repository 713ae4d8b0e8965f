"""Pictures of the part that is apart, each from its class and a generator, as bytes: weaves, arrows, clocks, mazes, letters, beads, rings, moons, stamps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]

LETTERS = "ABCDEFGHJKLMNPRSTUXZ"


def weave(label: int, generator: np.random.Generator, size: int = 24) -> Picture:
    """Threads in one of four directions and three widths, on a second set that is fainter and lies anyhow; grey."""
    direction, width = divmod(label, 3)
    rows, columns = np.mgrid[:size, :size]

    def threads(angle: float, period: float) -> NDArray[np.float64]:
        along = rows * math.sin(angle) + columns * math.cos(angle)
        return np.sign(np.sin(2 * math.pi * along / period + generator.uniform(0, 6.3)))

    angle = math.pi / 4 * direction + generator.normal(0, 0.08)
    cloth = generator.uniform(35, 55) * threads(angle, (3.2, 5.2, 9.0)[width] * generator.uniform(0.93, 1.07))
    other = generator.uniform(5, 14) * threads(generator.uniform(0, math.pi), generator.uniform(3, 10))
    return _bytes((generator.uniform(95, 160) + cloth + other + generator.normal(0, 14, cloth.shape))[None])


def arrow(label: int, generator: np.random.Generator, size: int = 20) -> Picture:
    """An arrow to one of eight sides, in colour, beside a bar that means nothing."""
    angle = math.pi / 4 * label + generator.normal(0, 0.1)
    ground, ink = generator.uniform(20, 120, 3), generator.uniform(70, 130, 3)
    canvas = Image.new("L", (4 * size, 4 * size))
    pen = ImageDraw.Draw(canvas)
    middle = 2 * size + generator.uniform(-8, 8, 2)
    ahead = np.array([math.cos(angle), math.sin(angle)])
    side = np.array([-ahead[1], ahead[0]])
    length, head, width = generator.uniform(24, 32), generator.uniform(14, 20), int(generator.integers(5, 9))
    tip, tail, neck = middle + length * ahead, middle - length * ahead, middle + (length - head) * ahead
    pen.line([tuple(tail.tolist()), tuple(neck.tolist())], fill=255, width=width)
    pen.polygon([tuple(one.tolist()) for one in (tip, neck + 0.8 * head * side, neck - 0.8 * head * side)], fill=255)
    start = generator.uniform(0, 4 * size, 2)
    pen.line([tuple(start.tolist()), tuple((start + generator.uniform(-25, 25, 2)).tolist())], fill=120, width=4)
    mask = _small(canvas, size) / 255
    return _bytes(ground[:, None, None] + mask * ink[:, None, None] + generator.normal(0, 12, (3, size, size)))


def clock(label: int, generator: np.random.Generator, size: int = 32) -> Picture:
    """A clock at one of twelve full hours; the long hand is somewhere near the top, the face a little turned; grey."""
    canvas = Image.new("L", (3 * size, 3 * size), int(generator.uniform(150, 210)))
    pen, ink = ImageDraw.Draw(canvas), int(generator.uniform(10, 70))
    x, y = 1.5 * size + generator.uniform(-4, 4, 2)
    radius, turned = generator.uniform(34, 43), generator.normal(0, 0.04)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=ink, width=3, fill=240)

    def hand(part: float, length: float, width: int) -> None:
        angle = 2 * math.pi * part - math.pi / 2 + turned
        end = (x + length * radius * math.cos(angle), y + length * radius * math.sin(angle))
        pen.line([(x, y), end], fill=ink, width=width)

    for mark in range(12):
        angle = math.pi / 6 * mark + turned
        place = (x + 0.9 * radius * math.cos(angle), y + 0.9 * radius * math.sin(angle))
        pen.point(place, fill=ink)
    hand(label / 12, 0.6, 8)
    hand(generator.normal(0, 0.008), 0.85, 3)
    small = _small(canvas, size)
    return _bytes((small + generator.normal(0, 10, small.shape))[None])


def maze(label: int, generator: np.random.Generator, size: int = 24) -> Picture:
    """Walls around walls; the class is the side on which the outer wall is open, or that it is not; grey, dark on light."""
    walls = np.zeros((size, size))
    top, left = (int(one) for one in generator.integers(1, 4, 2))
    side = size - 2 - max(top, left)
    walls[top, left : left + side] = walls[top + side - 1, left : left + side] = 1
    walls[top : top + side, left] = walls[top : top + side, left + side - 1] = 1
    for _ in range(9):  # pieces of wall inside
        row, column = (int(one) for one in generator.integers(3, side - 3, 2))
        length = int(generator.integers(2, 6))
        if generator.random() < 0.5:
            walls[top + row, left + column : min(left + column + length, left + side - 1)] = 1
        else:
            walls[top + row : min(top + row + length, top + side - 1), left + column] = 1
    if label < 4:
        begin = int(generator.integers(2, side - 6))
        gap = np.s_[begin : begin + int(generator.integers(3, 5))]
        edge = walls[top : top + side, left : left + side]
        line = (edge[0], edge[:, -1], edge[-1], edge[:, 0])[label]
        line[gap] = 0
    light, dark = generator.uniform(170, 230), generator.uniform(20, 90)
    return _bytes((light - (light - dark) * walls + generator.normal(0, 14, walls.shape))[None])


def letter(label: int, generator: np.random.Generator, size: int = 28) -> Picture:
    """One of twenty letters among pieces of others; grey."""
    canvas = Image.new("L", (size, size), 0)
    pen = ImageDraw.Draw(canvas)
    for _ in range(4):
        piece = Image.new("L", (10, 10))
        sign = LETTERS[int(generator.integers(len(LETTERS)))]
        ImageDraw.Draw(piece).text((5, 5), sign, fill=150, font=ImageFont.load_default(14), anchor="mm")
        cut = piece.crop((0, 0, int(generator.integers(4, 8)), int(generator.integers(4, 8))))
        canvas.paste(cut, (int(generator.integers(size - 7)), int(generator.integers(size - 7))))
    place = size / 2 + generator.uniform(-3, 3, 2)
    font = ImageFont.load_default(float(generator.uniform(19, 24)))
    pen.text(tuple(place.tolist()), LETTERS[label], fill=255, font=font, anchor="mm", stroke_width=0)
    ink = np.asarray(canvas, np.float32) / 255
    ground, contrast = generator.uniform(20, 80), generator.uniform(110, 165)
    return _bytes((ground + contrast * ink + generator.normal(0, 10, ink.shape))[None])


def beads(label: int, generator: np.random.Generator, size: int = 24) -> Picture:
    """Seven beads in three colours; the class is how many are red, none to four."""
    picture = np.ones((3, size, size)) * generator.uniform(150, 220, 3)[:, None, None]
    rows, columns = np.mgrid[:size, :size]
    cells = generator.choice(16, 7, replace=False)
    for place, cell in enumerate(cells.tolist()):
        row, column = (6 * one + 3 + generator.uniform(-0.8, 0.8) for one in divmod(cell, 4))
        colour = np.array([200, 30, 30] if place < label else ([30, 150, 40], [40, 60, 190])[place % 2], np.float64)
        colour = colour + generator.normal(0, 15, 3)
        inside = np.hypot(rows - row, columns - column) < generator.uniform(2.0, 2.7)
        picture[:, inside] = colour[:, None]
    return _bytes(picture + generator.normal(0, 10, picture.shape))


def ring(label: int, generator: np.random.Generator, size: int = 40) -> Picture:
    """A stained cell: whole, with a break in its wall, or with a second wall inside; in colour."""
    rows, columns = np.mgrid[:size, :size] - size / 2 - generator.uniform(-4, 4, 2)[:, None, None]
    angle = np.arctan2(rows, columns)
    stretch = 1 + generator.uniform(0, 0.2) * np.cos(2 * angle + generator.uniform(0, 6.3))
    distance = np.hypot(rows, columns) * stretch
    radius, thick = generator.uniform(10, 14), generator.uniform(1.4, 2.0)
    wall = np.exp(-(((distance - radius) / thick) ** 2))
    if label == 1:
        apart = np.abs((angle - generator.uniform(-math.pi, math.pi) + math.pi) % (2 * math.pi) - math.pi)
        wall = wall * (apart > generator.uniform(0.45, 0.75))
    if label == 2:
        wall = np.maximum(wall, np.exp(-(((distance - 0.5 * radius) / thick) ** 2)))
    tissue = np.array([225, 190, 210]) + generator.normal(0, 12, 3)
    stain = np.array([110, 130, 60]) + generator.normal(0, 12, 3)
    inner = 0.25 * (distance < radius)
    shade = generator.normal(0, 6, (size // 4, size // 4)).repeat(4, axis=0).repeat(4, axis=1)
    picture = tissue[:, None, None] - np.maximum(wall, inner) * stain[:, None, None] + shade
    return _bytes(picture + generator.normal(0, 7, picture.shape))


def moon(label: int, generator: np.random.Generator, size: int = 64) -> Picture:
    """A moon with craters in one of five phases, from waxing to waning; grey, 64 by 64."""
    rows, columns = np.mgrid[:size, :size] - size / 2 - generator.uniform(-6, 6, 2)[:, None, None]
    radius = generator.uniform(16, 24)
    tilt = generator.normal(0, 0.25)
    across, up = columns * math.cos(tilt) + rows * math.sin(tilt), rows * math.cos(tilt) - columns * math.sin(tilt)
    disc = np.hypot(across, up) < radius
    edge = np.sqrt(np.maximum(radius**2 - up**2, 0))
    bend = (-0.55, 0.45, 2.0, 0.45, -0.55)[label] + generator.uniform(-0.15, 0.15)
    lit = disc & ((across if label < 2 else -across) > -bend * edge)
    craters = np.zeros((size, size))
    for _ in range(6):
        row, column = generator.uniform(-radius, radius, 2)
        craters += 25 * np.exp(-(((rows - row) ** 2 + (columns - column) ** 2) / generator.uniform(4, 16)))
    sky, light = generator.uniform(5, 40), generator.uniform(140, 220)
    return _bytes((sky + lit * (light - sky - craters) + generator.normal(0, 12, (size, size)))[None])


def stamp(label: int, generator: np.random.Generator, size: int = 20) -> Picture:
    """A stamp's frame, and in it a hill, a cup or a key, printed badly; in colour."""
    canvas = Image.new("L", (4 * size, 4 * size))
    pen = ImageDraw.Draw(canvas)
    x, y = 2 * size + generator.uniform(-5, 5, 2)
    pen.rectangle((6, 6, 4 * size - 7, 4 * size - 7), outline=200, width=3)
    big = generator.uniform(18, 24)
    if label == 0:
        pen.polygon([(x - big, y + 0.7 * big), (x, y - 0.9 * big), (x + big, y + 0.7 * big)], fill=255)
    elif label == 1:
        pen.rectangle((x - 0.7 * big, y - 0.6 * big, x + 0.5 * big, y + 0.7 * big), fill=255)
        pen.arc((x + 0.1 * big, y - 0.4 * big, x + 1.1 * big, y + 0.5 * big), -90, 90, fill=255, width=6)
    else:
        pen.ellipse((x - big, y - 0.5 * big, x, y + 0.5 * big), outline=255, width=7)
        pen.line((x, y, x + big, y), fill=255, width=7)
        pen.line((x + 0.8 * big, y, x + 0.8 * big, y + 0.5 * big), fill=255, width=6)
    mask = _small(canvas, size) / 255 * (generator.random((size, size)) > 0.08)
    paper, ink = generator.uniform(170, 240, 3), generator.uniform(50, 140, 3)
    return _bytes(paper[:, None, None] - mask * ink[:, None, None] + generator.normal(0, 10, (3, size, size)))


def _small(canvas: Image.Image, size: int) -> NDArray[np.float32]:
    return np.asarray(canvas.resize((size, size), Image.Resampling.BOX), np.float32)


def _bytes(picture: NDArray[np.floating]) -> Picture:
    return np.clip(picture, 0, 255).astype(np.uint8)
