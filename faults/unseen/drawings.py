"""Pictures of the unseen part, each from its class and a generator, as bytes: waves, flags, strokes, blocks, dots, stars, faces, clouds."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Picture = NDArray[np.uint8]
Points = list[tuple[float, float]]

SIGNS: tuple[tuple[Points, ...], ...] = (
    ([(2, 2), (8, 2)], [(5, 2), (5, 8)]),
    ([(2, 5), (8, 5)], [(5, 2), (5, 8)]),
    ([(2, 2), (8, 8)], [(8, 2), (2, 8)]),
    ([(2, 2), (2, 8), (8, 8)],),
    ([(2, 8), (5, 2), (8, 8)], [(3.5, 5.5), (6.5, 5.5)]),
    ([(2, 2), (8, 2), (2, 8), (8, 8)],),
    ([(2, 2), (2, 8)], [(8, 2), (8, 8)], [(2, 5), (8, 5)]),
    ([(2, 3), (8, 3)], [(2, 5.5), (8, 5.5)], [(2, 8), (8, 8)]),
    ([(8, 2), (2, 5), (8, 8)],),
    ([(2, 2), (8, 2), (8, 8), (2, 8), (2, 2)],),
)
"""Ten written signs: their strokes, each a line of points in a field of ten by ten."""

BLOCKS: tuple[tuple[tuple[int, int], ...], ...] = (
    ((0, 0), (1, 0), (2, 0), (3, 0)),
    ((0, 0), (1, 0), (0, 1), (1, 1)),
    ((0, 0), (1, 0), (2, 0), (1, 1)),
    ((0, 0), (1, 0), (2, 0), (2, 1)),
    ((0, 0), (1, 0), (1, 1), (2, 1)),
)
"""Five ways to join four squares, up to turning: bar, square, T, L, S."""

MOUTHS = ("glad", "sad", "even", "amazed")


def waves(label: int, generator: np.random.Generator, size: int = 20) -> Picture:
    """Waves in any direction; the class is how many fit into the picture."""
    angle, phase = generator.uniform(0, math.pi), generator.uniform(0, 2 * math.pi)
    rows, columns = np.mgrid[:size, :size] / size
    count = 1.6 + 1.1 * label + generator.uniform(-0.2, 0.2)
    wave = np.sin(2 * math.pi * count * (rows * math.sin(angle) + columns * math.cos(angle)) + phase)
    swing = generator.uniform(40, 90)
    return _bytes((generator.uniform(100, 155) + swing * wave + generator.normal(0, 15, wave.shape))[None])


def flag(label: int, generator: np.random.Generator, size: int = 20) -> Picture:
    """A flag of three random colours; the class is how it is divided."""
    rows, columns = np.mgrid[:size, :size] / (size - 1)
    x, y = columns - generator.uniform(0.42, 0.58), rows - generator.uniform(0.42, 0.58)
    arm = generator.uniform(0.08, 0.14)
    field = (
        np.digitize(rows, [1 / 3, 2 / 3]),
        np.digitize(columns, [1 / 3, 2 / 3]),
        (np.minimum(abs(x), abs(y)) < arm) * 1,
        (np.minimum(abs(x - y), abs(x + y)) < 1.4 * arm) * 1,
        (np.hypot(x, y) < 0.3) * 1,
        (x > y) * 1,
        ((x > 0) != (y > 0)) * 1,
        (np.maximum(abs(x), abs(y)) > 0.36) * 1,
    )[label]
    colours = generator.uniform(20, 235, (3, 3))
    while min(np.abs(colours[one] - colours[other]).sum() for one, other in ((0, 1), (0, 2), (1, 2))) < 180:
        colours = generator.uniform(20, 235, (3, 3))
    return _bytes(colours[field].transpose(2, 0, 1) + generator.normal(0, 10, (3, size, size)))


def strokes(label: int, generator: np.random.Generator, size: int = 20) -> Picture:
    """A sign written by a hand that shakes, with any pen; grey, dark on light."""
    angle, scale = generator.uniform(-0.3, 0.3), generator.uniform(0.75, 1.1)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    shift = generator.uniform(-0.9, 0.9, 2)
    canvas = Image.new("L", (4 * size, 4 * size), 230)
    pen, width, ink = ImageDraw.Draw(canvas), int(generator.integers(5, 9)), int(generator.uniform(10, 90))
    for stroke in SIGNS[label]:
        points = np.array(stroke) - 5 + generator.normal(0, 0.35, (len(stroke), 2))
        placed = ((points @ turn) * scale + 5 + shift) * 0.4 * size
        pen.line([tuple(one) for one in placed.tolist()], fill=ink, width=width, joint="curve")
    small = np.asarray(canvas.resize((size, size), Image.Resampling.BOX), np.float32)
    return _bytes((small + generator.normal(0, 10, small.shape))[None])


def block(label: int, generator: np.random.Generator, size: int = 24) -> Picture:
    """Four squares joined, turned by quarters, somewhere in a field of coarse noise."""
    side = int(generator.integers(4, 6))
    cells = np.zeros((4, 4))
    for column, row in BLOCKS[label]:
        cells[row, column] = 1
    cells = np.rot90(cells, int(generator.integers(4)))
    cells = cells[cells.any(axis=1)][:, cells.any(axis=0)]
    thing = cells.repeat(side, axis=0).repeat(side, axis=1)
    height, width = thing.shape
    top, left = (int(generator.integers(0, size - one + 1)) for one in (height, width))
    mask = np.zeros((size, size))
    mask[top : top + height, left : left + width] = thing
    coarse = generator.normal(0, 14, (3, size // 4, size // 4)).repeat(4, axis=1).repeat(4, axis=2)
    ground, step = generator.uniform(60, 130, 3), generator.uniform(50, 100, 3)
    picture = ground[:, None, None] + coarse + mask * step[:, None, None]
    return _bytes(picture + generator.normal(0, 12, picture.shape))


def quadrants(label: int, generator: np.random.Generator, size: int = 20) -> Picture:
    """Dots; the class is the quarter that holds most of them."""
    counts = generator.integers(0, 3, 4)
    counts[label] = generator.integers(4, 7)
    half = size // 2
    picture = np.full((size, size), generator.uniform(20, 80))
    for quarter, count in enumerate(counts):
        for place in generator.choice(16, int(count), replace=False):
            row = half * (quarter // 2) + 1 + 2 * (int(place) // 4)
            column = half * (quarter % 2) + 1 + 2 * (int(place) % 4)
            picture[row : row + 2, column : column + 2] += generator.uniform(80, 140)
    return _bytes((picture + generator.normal(0, 10, picture.shape))[None])


def star(label: int, generator: np.random.Generator, size: int = 24) -> Picture:
    """A star in colour; the class is how many rays it has, from three."""
    rows, columns = np.mgrid[:size, :size] - size / 2 - generator.uniform(-2, 2, 2)[:, None, None]
    angle, distance = np.arctan2(rows, columns), np.hypot(rows, columns)
    ray = np.cos((3 + label) * angle + generator.uniform(0, 2 * math.pi))
    edge = generator.uniform(5.5, 7.5) + 3.5 * ray
    inside = 1 / (1 + np.exp(2 * (distance - edge)))
    ground, ink = generator.uniform(20, 110, 3), generator.uniform(70, 140, 3)
    picture = ground[:, None, None] + inside * ink[:, None, None]
    return _bytes(picture + generator.normal(0, 12, picture.shape))


def face(label: int, generator: np.random.Generator, size: int = 20) -> Picture:
    """A drawn face of one of four tempers; grey."""
    canvas = Image.new("L", (4 * size, 4 * size), int(generator.uniform(170, 240)))
    pen, ink = ImageDraw.Draw(canvas), int(generator.uniform(10, 80))
    x, y = 2 * size + generator.uniform(-5, 5, 2)
    radius = generator.uniform(30, 36)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=ink, width=4)
    for side in (-1, 1):
        eye = x + side * radius * 0.4
        pen.ellipse((eye - 4, y - 14, eye + 4, y - 6), fill=ink)
    mouth, wide = MOUTHS[label], generator.uniform(15, 20)
    if mouth == "glad":
        pen.arc((x - wide, y - 6, x + wide, y + 20), 20, 160, fill=ink, width=7)
    elif mouth == "sad":
        pen.arc((x - wide, y + 8, x + wide, y + 32), 200, 340, fill=ink, width=7)
    elif mouth == "even":
        pen.line((x - wide, y + 14, x + wide, y + 14), fill=ink, width=7)
    else:
        pen.ellipse((x - 10, y + 4, x + 10, y + 26), outline=ink, width=7)
    small = np.asarray(canvas.resize((size, size), Image.Resampling.BOX), np.float32)
    return _bytes((small + generator.normal(0, 7, small.shape))[None])


def cloud(label: int, generator: np.random.Generator, size: int = 24) -> Picture:
    """Noise whose power falls with frequency; the class is how fast."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(generator.normal(size=(size, size))) / frequency ** (0.3 + 0.65 * label)
    spectrum[0, 0] = 0
    height = np.fft.ifft2(spectrum).real
    height /= height.std()
    tint = generator.uniform(25, 45, 3)
    picture = generator.uniform(100, 150, 3)[:, None, None] + height * tint[:, None, None]
    return _bytes(picture + generator.normal(0, 6, picture.shape))


def _bytes(picture: NDArray[np.floating]) -> Picture:
    return np.clip(picture, 0, 255).astype(np.uint8)
