"""Pictures of the part from outside, each from its class and a generator, as bytes: weather, plankton, fields, tissue, leaves with spots, traffic, runes, wafers, mushrooms."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from apart.drawings import Picture, _bytes, _small

Plane = NDArray[np.floating]


def _painted(ground: Plane, mask: Plane | NDArray[np.bool_], ink: Plane | tuple[float, ...]) -> Plane:
    """Ink where the mask is, on a ground; all in colour."""
    return ground * (1 - mask) + np.asarray(ink, np.float64)[:, None, None] * mask


def _distances(size: int, row: float, column: float) -> tuple[Plane, Plane, Plane]:
    """Rows and columns from a place, and how far away."""
    rows, columns = np.mgrid[:size, :size].astype(np.float64)
    return rows - row, columns - column, np.hypot(rows - row, columns - column)


def weather(label: int, generator: np.random.Generator, size: int = 24) -> Picture:
    """An icon: sun, cloud, rain, snow or lightning, in colours of its own on a plain ground."""
    scale = 4
    canvas = Image.new("L", (scale * size, scale * size))
    pen = ImageDraw.Draw(canvas)
    x, y = scale * (size / 2 + generator.uniform(-2.5, 2.5, 2))
    unit = scale * size / 24 * generator.uniform(0.8, 1.15)
    if label == 0:
        pen.ellipse((x - 4 * unit, y - 4 * unit, x + 4 * unit, y + 4 * unit), fill=255)
        begin, count = generator.uniform(0, 6.3), int(generator.integers(7, 11))
        for place in range(count):
            angle = begin + 2 * math.pi * place / count
            ends = [(x + far * unit * math.cos(angle), y + far * unit * math.sin(angle)) for far in (5.5, 8)]
            pen.line(ends, fill=255, width=int(1.3 * unit))
    else:
        for left, top, wide in ((-6, -3, 6), (-3, -6, 7), (1, -3.5, 6)):
            pen.ellipse((x + left * unit, y + top * unit, x + (left + wide) * unit, y + (top + wide) * unit), fill=255)
        pen.rectangle((x - 3.5 * unit, y - 1 * unit, x + 4 * unit, y + 2.6 * unit), fill=255)
        for place in (-3.5, 0.3, 4) if label in (2, 3) else ():
            left, top = x + place * unit, y + 4 * unit + generator.uniform(-1, 1) * unit
            if label == 2:
                pen.line((left + unit, top, left - unit, top + 4 * unit), fill=255, width=int(1.1 * unit))
            else:
                pen.ellipse((left - 1.1 * unit, top, left + 1.1 * unit, top + 2.2 * unit), fill=255)
        if label == 4:
            bolt = ((0.5, 3), (-2, 6), (0, 6), (-1.5, 9.5), (2.5, 5), (0.5, 5), (2, 3))
            pen.polygon([(x + a * unit, y + b * unit) for a, b in bolt], fill=255)
    ground = np.array(generator.uniform(40, 140, 3))[:, None, None] + generator.normal(0, 10, (3, size, size))
    return _bytes(_painted(ground, _small(canvas, size) / 255, generator.uniform(150, 255, 3)))


def plankton(label: int, generator: np.random.Generator, size: int = 28) -> Picture:
    """Dark bodies in light water: a disc with spokes, a chain, one with feelers, a rod, a spiky ball, a ring; grey."""
    scale = 3
    canvas = Image.new("L", (scale * size, scale * size))
    pen = ImageDraw.Draw(canvas)
    x, y = scale * (size / 2 + generator.uniform(-3, 3, 2))
    unit, turn = scale * generator.uniform(0.8, 1.2), generator.uniform(0, 2 * math.pi)
    ink = int(generator.integers(150, 256))

    def at(angle: float, far: float) -> tuple[float, float]:
        return x + far * unit * math.cos(angle + turn), y + far * unit * math.sin(angle + turn)

    def ball(place: tuple[float, float], radius: float, fill: int) -> None:
        reach = radius * unit
        pen.ellipse((place[0] - reach, place[1] - reach, place[0] + reach, place[1] + reach), fill=fill)

    if label == 0:
        ball((x, y), 8, ink // 2)
        for place in range(6):
            pen.line([(x, y), at(place * math.pi / 3, 8)], fill=ink, width=int(unit))
    elif label == 1:
        for place in np.linspace(-9, 9, 6):
            ball(at(0.12 * place, float(place)), 2.1, ink)
    elif label == 2:
        for far in np.linspace(-4, 4, 9):
            ball(at(0, float(far)), 3.2 - 0.3 * abs(float(far)), ink)
        for side in (-1, 1):
            pen.line([at(0, 4), at(side * 0.5, 7), at(side * 0.9, 11)], fill=ink, width=int(0.9 * unit))
    elif label == 3:
        pen.line([at(0, -10), at(0, 10)], fill=ink, width=int(3 * unit))
    elif label == 4:
        ball((x, y), 4.5, ink)
        for place in range(11):
            pen.line([(x, y), at(place * 2 * math.pi / 11, 9)], fill=ink, width=max(1, int(0.6 * unit)))
    else:
        ball((x, y), 8, ink)
        ball((x, y), 5.5, 0)
    water = generator.uniform(170, 230) + generator.normal(0, 9, (size, size))
    for _ in range(int(generator.integers(0, 5))):
        row, column = generator.integers(1, size - 1, 2)
        water[row - 1 : row + 1, column - 1 : column + 1] -= 60
    return _bytes((water - _small(canvas, size) * generator.uniform(0.35, 0.6))[None])


def field(label: int, generator: np.random.Generator, size: int = 32) -> Picture:
    """From a satellite: rows of a crop, a watered circle, wood, a river, houses, or bare plots; in colour."""
    rows, columns, _ = _distances(size, *generator.uniform(0, size, 2))
    turn = generator.uniform(0, math.pi)
    across, along = rows * math.sin(turn) + columns * math.cos(turn), rows * math.cos(turn) - columns * math.sin(turn)
    soil = np.array([120.0, 105.0, 75.0]) + generator.normal(0, 15, 3)
    green = np.array([70.0, 110.0, 55.0]) + generator.normal(0, 15, 3)
    made = soil[:, None, None] + generator.normal(0, 10, (3, size, size))
    if label == 0:
        made = _painted(made, 0.5 + 0.5 * np.sin(2 * math.pi * across / generator.uniform(3.5, 5.5)), green)
    elif label == 1:
        *_, away = _distances(size, *(size / 2 + generator.uniform(-5, 5, 2)))
        made = _painted(made, np.clip(generator.uniform(9, 13) - away, 0, 1), green)
    elif label == 2:
        for row, column in generator.uniform(0, size, (60, 2)):
            *_, away = _distances(size, row, column)
            made = _painted(made, 0.8 * (away < generator.uniform(1.5, 3)), green * generator.uniform(0.5, 1.1))
    elif label == 3:
        bend = generator.uniform(2, 5) * np.sin(along / generator.uniform(5, 8))
        made = _painted(green[:, None, None] + made * 0.2, np.abs(across + bend) < 3, (60, 85, 130))
    elif label == 4:
        for row in range(2, size - 4, 7):
            for column in range(2, size - 4, 7):
                if generator.random() < 0.8:
                    roof = np.zeros((size, size))
                    roof[row : row + 4, column : column + int(generator.integers(3, 6))] = 1
                    made = _painted(made, roof, generator.uniform((130, 80, 60), (220, 150, 140)))
    else:
        step = generator.uniform(9, 14)
        plots = np.floor(across / step) * 3 + np.floor(along / step) * 5
        made = made + 28 * np.sin(7 * plots)[None] * np.array([1, 0.9, 0.6])[:, None, None]
    return _bytes(made + generator.normal(0, 8, made.shape))


def tissue(label: int, generator: np.random.Generator, size: int = 28) -> Picture:
    """Under a microscope, stained: nuclei that lie thinly, closely, in rings, or between fibres; in colour."""
    made = np.array([225.0, 175.0, 205.0]) + generator.normal(0, 10, 3)
    made = made[:, None, None] + generator.normal(0, 9, (3, size, size))
    stain = np.array([105.0, 60.0, 140.0]) + generator.normal(0, 15, 3)
    places = generator.uniform(0, size, ((11, 38, 0, 10)[label], 2))
    if label == 2:
        centre, radius, count = size / 2 + generator.uniform(-4, 4, 2), generator.uniform(7, 10), 16
        angles = 2 * math.pi * np.arange(count) / count + generator.normal(0, 0.1, count)
        places = centre + radius * np.stack([np.sin(angles), np.cos(angles)], 1)
    if label == 3:
        rows, columns, _ = _distances(size, 0, 0)
        turn = generator.uniform(0, math.pi)
        waves = np.sin((rows * math.sin(turn) + columns * math.cos(turn)) * 1.3 + 0.5 * np.sin(rows / 4))
        made = made + 22 * waves[None]
    for row, column in places:
        *_, away = _distances(size, row, column)
        made = _painted(made, 0.85 * np.clip(generator.uniform(1.6, 2.4) - away, 0, 1), stain)
    return _bytes(made)


def leaf(label: int, generator: np.random.Generator, size: int = 32) -> Picture:
    """A leaf that is well, has brown spots, spots with yellow rims, white mildew, or lines of rust; in colour."""
    rows, columns, away = _distances(size, *(size / 2 + generator.uniform(-2, 2, 2)))
    turn = generator.uniform(0, math.pi)
    across, along = rows * math.sin(turn) + columns * math.cos(turn), rows * math.cos(turn) - columns * math.sin(turn)
    inside = (across / generator.uniform(8, 11)) ** 2 + (along / generator.uniform(12, 15)) ** 2 < 1
    green = np.array([65.0, 130.0, 50.0]) + generator.normal(0, 15, 3)
    made = np.array(generator.uniform(120, 220, 3))[:, None, None] * np.ones((3, size, size))
    made = _painted(made, inside.astype(float), green)
    made = _painted(made, 0.5 * (inside & (np.abs(across) < 0.8)), green * 1.5)
    if label in (1, 2):
        for _ in range(int(generator.integers(5, 9))):
            row, column = size / 2 + generator.uniform(-9, 9, 2)
            *_, away = _distances(size, row, column)
            radius = generator.uniform(1.2, 2.2)
            if label == 2:
                made = _painted(made, inside * (away < radius + 1.3), (215, 200, 70))
            made = _painted(made, inside * (away < radius), (95, 60, 35))
    elif label == 3:
        for row, column in size / 2 + generator.uniform(-9, 9, (5, 2)):
            *_, away = _distances(size, row, column)
            made = _painted(made, 0.7 * inside * np.exp(-((away / 3.2) ** 2)), (225, 225, 215))
    elif label == 4:
        made = _painted(made, 0.8 * inside * (np.abs(across % 5 - 2.5) < 0.9) * (away > 3), (185, 95, 35))
    light = 1 + generator.uniform(-0.3, 0.3) * (columns - columns.mean()) / size
    return _bytes(made * light + generator.normal(0, 11, made.shape))


def traffic(label: int, generator: np.random.Generator, size: int = 24) -> Picture:
    """A sign by its form: warning, ban, order, stop, way that goes first, information; in colour, in any light."""
    scale = 4
    outer, inner = (Image.new("L", (scale * size, scale * size)) for _ in range(2))
    x, y = scale * (size / 2 + generator.uniform(-2, 2, 2))
    radius = scale * size * generator.uniform(0.3, 0.42)

    def corners(count: int, begin: float, far: float) -> list[tuple[float, float]]:
        angles = [begin + 2 * math.pi * place / count for place in range(count)]
        return [(x + far * math.cos(one), y + far * math.sin(one)) for one in angles]

    count, begin = ((3, -math.pi / 2), (40, 0), (40, 0), (8, math.pi / 8), (4, 0), (4, math.pi / 4))[label]
    ImageDraw.Draw(outer).polygon(corners(count, begin, radius), fill=255)
    ImageDraw.Draw(inner).polygon(corners(count, begin, (0.6, 0.7, 0.15, 0.2, 0.6, 0.3)[label] * radius), fill=255)
    red, blue, white, yellow = (200, 40, 45), (40, 80, 190), (235, 235, 235), (235, 190, 40)
    rim = (red, red, blue, red, white, blue)[label]
    middle = (white, white, white, white, yellow, white)[label]
    made = np.array(generator.uniform(50, 200, 3))[:, None, None] + generator.normal(0, 22, (3, size, size))
    made = _painted(_painted(made, _small(outer, size) / 255, rim), _small(inner, size) / 255, middle)
    return _bytes(made * generator.uniform(0.45, 1.15) + generator.normal(0, 10, made.shape))


@functools.cache
def _rune(kind: int) -> tuple[tuple[float, ...], ...]:
    """The lines of an invented letter that is not its own mirror image."""
    generator = np.random.default_rng([71, kind])
    corners = generator.permutation([(a, b) for a in (-0.8, 0.0, 0.8) for b in (-0.9, -0.3, 0.3, 0.9)])
    return tuple((*corners[place], *corners[place + 1]) for place in range(4))


def rune(label: int, generator: np.random.Generator, size: int = 20) -> Picture:
    """One of ten invented letters: five, and each of them in the mirror; grey."""
    scale = 4
    canvas = Image.new("L", (scale * size, scale * size))
    pen = ImageDraw.Draw(canvas)
    mirror, turn = (1, -1)[label % 2], generator.normal(0, 0.1)
    reach = scale * size * generator.uniform(0.3, 0.4)
    x, y = scale * (size / 2 + generator.uniform(-1.5, 1.5, 2))
    for line in _rune(label // 2):
        bent = np.array(line).reshape(2, 2) + generator.normal(0, 0.07, (2, 2))
        places = [
            (
                x + reach * (mirror * a * math.cos(turn) - b * math.sin(turn)),
                y + reach * (mirror * a * math.sin(turn) + b * math.cos(turn)),
            )
            for a, b in bent
        ]
        pen.line(places, fill=255, width=int(generator.integers(5, 9)))
    plane = _small(canvas, size) * generator.uniform(0.6, 1.0)
    return _bytes((plane + generator.normal(15, 12, plane.shape))[None])


def wafer(label: int, generator: np.random.Generator, size: int = 26) -> Picture:
    """A map of a wafer's chips: those that failed are anywhere, in the middle, at the rim, in a line, or on one side; grey."""
    rows, columns, away = _distances(size, size / 2 - 0.5, size / 2 - 0.5)
    disc, chance = away < size / 2 - 1, np.full((size, size), 0.06)
    turn = generator.uniform(0, 2 * math.pi)
    across = rows * math.sin(turn) + columns * math.cos(turn)
    if label == 1:
        chance = chance + 0.7 * (away < generator.uniform(3.5, 6))
    elif label == 2:
        chance = chance + 0.55 * (away > size / 2 - generator.uniform(3, 4.5))
    elif label == 3:
        chance = chance + 0.8 * (np.abs(across - generator.uniform(-4, 4)) < 0.9)
    elif label == 4:
        chance = chance + 0.5 * (across > generator.uniform(2.5, 5.5))
    failed = generator.random((size, size)) < chance
    made = np.where(disc, np.where(failed, 230.0, 120.0), 20.0) + generator.normal(0, 6, (size, size))
    return _bytes(made[None])


def mushroom(label: int, generator: np.random.Generator, size: int = 32) -> Picture:
    """One with a round cap, a flat one, a pointed one, or one with dots, in grass; in colour."""
    scale = 3
    canvas, dots = (Image.new("L", (scale * size, scale * size)) for _ in range(2))
    pen = ImageDraw.Draw(canvas)
    x, y = scale * (size / 2 + generator.uniform(-4, 4)), scale * (size / 2 + generator.uniform(-2, 2))
    unit = scale * generator.uniform(0.85, 1.15)
    pen.rectangle((x - 1.8 * unit, y, x + 1.8 * unit, y + 10 * unit), fill=140)
    if label == 1:
        pen.ellipse((x - 10 * unit, y - 3 * unit, x + 10 * unit, y + 2.5 * unit), fill=255)
    elif label == 2:
        pen.polygon([(x - 6 * unit, y + unit), (x, y - 11 * unit), (x + 6 * unit, y + unit)], fill=255)
    else:
        pen.pieslice((x - 8 * unit, y - 7 * unit, x + 8 * unit, y + 8 * unit), 180, 360, fill=255)
    for place in generator.uniform((-5, -4.5), (5, -0.5), (7, 2)) * unit if label == 3 else ():
        left, top = x + place[0], y + place[1]
        ImageDraw.Draw(dots).ellipse((left - unit, top - unit, left + unit, top + unit), fill=255)
    grass = np.array([75.0, 120.0, 60.0]) + generator.normal(0, 20, 3)
    made = grass[:, None, None] + generator.normal(0, 16, (3, size, size))
    made = _painted(made, _small(canvas, size) / 255, generator.uniform((150, 90, 60), (240, 170, 150)))
    return _bytes(_painted(made, _small(dots, size) / 255, (245, 240, 235)))
