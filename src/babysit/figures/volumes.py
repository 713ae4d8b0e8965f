"""A network as volumes to scale, the way the lecture draws them, as SVG text. No library, the same bytes every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

TALLEST, THICKEST, LONGEST = 190.0, 110.0, 190.0
"""Screen pixels of the largest map, of the most channels, and of the longest full layer."""

THINNEST, BAR, GAP, SLANT = 1.0, 7.0, 14.0, 0.35
LABEL = 6.2
"""Width of a letter of a label, screen pixels."""

MOST = 24
"""More volumes than this, and neighbours of one shape are drawn as one."""

FRONT, TOP, SIDE, BARS = "#56B4E9", "#8fcdf2", "#0072B2", "#E69F00"


@dataclass(frozen=True, slots=True)
class Box:
    """One volume to draw: what a layer gives. A full layer is channels x 1 x 1. `count` layers of the same shape."""

    name: str
    channels: int
    height: int
    width: int
    count: int = 1

    @property
    def flat(self) -> bool:
        """Whether it is a row of units, without height and width."""
        return self.height == self.width == 1


@dataclass(frozen=True, slots=True)
class Scale:
    """Screen pixels per image pixel, per channel, and per unit of a full layer."""

    pixel: float
    channel: float
    unit: float


def volumes(boxes: Sequence[Box], title: str) -> str:
    """The picture of a network.

    Height runs upwards, width into the page, channels to the right; each of the three scales is written below.

    Arguments:
        boxes: in the order of execution, the image first.

    Returns:
        SVG text.
    """
    drawn = merged(boxes) if len(boxes) > MOST else list(boxes)
    maps, flats = [box for box in drawn if not box.flat], [box for box in drawn if box.flat]
    scale = Scale(
        TALLEST / max((box.height for box in maps), default=1),
        THICKEST / max((box.channels for box in maps), default=1),
        LONGEST / max((box.channels for box in flats), default=1),
    )
    rise = max((box.width for box in maps), default=0) * scale.pixel * SLANT
    floor = 40 + rise + max(TALLEST if maps else 0, LONGEST if flats else 0)
    left, shapes = 16.0, []
    for place, box in enumerate(drawn):
        label = _label(box)
        wide = max(_extent(box, scale), LABEL * max(map(len, label)))
        shapes += [_bar(box, left, floor, scale) if box.flat else _box(box, left, floor, scale)]
        shapes += [
            f'<text class="label{line}" x="{left:.1f}" y="{floor + 16 + 12 * line:.1f}">{escape(words)}</text>'
            for line, words in enumerate(label)
        ]
        left += wide + (GAP if place + 1 < len(drawn) else 0)
    width, height = max(left + 16, 640), floor + 84
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(title)}">',
            "<style>text{font:10px sans-serif;fill:#222}.label0{font-weight:bold}.title{font-size:14px}"
            "path,rect{stroke:#222;stroke-width:.6;stroke-linejoin:round}</style>",
            '<rect width="100%" height="100%" style="fill:#fff;stroke:none"/>',
            f'<text class="title" x="16" y="22">{escape(title)}</text>',
            *shapes,
            f'<text x="16" y="{height - 14:.1f}">{escape(_legend(scale, maps, flats))}</text>',
            "</svg>\n",
        ]
    )


def merged(boxes: Sequence[Box]) -> list[Box]:
    """Neighbours of one shape as one box that counts them.

    >>> merged([Box("a", 8, 4, 4), Box("b", 8, 4, 4), Box("c", 8, 2, 2)])
    [Box(name='a', channels=8, height=4, width=4, count=2), Box(name='c', channels=8, height=2, width=2, count=1)]
    """
    kept: list[Box] = []
    for box in boxes:
        last = kept[-1] if kept else None
        if last and (last.channels, last.height, last.width) == (box.channels, box.height, box.width):
            kept[-1] = Box(last.name, last.channels, last.height, last.width, last.count + box.count)
        else:
            kept.append(box)
    return kept


def _label(box: Box) -> list[str]:
    times = f" x{box.count}" if box.count > 1 else ""
    shape = f"{box.channels}" if box.flat else f"{box.channels}x{box.height}x{box.width}"
    return [box.name + times, shape]


def _extent(box: Box, scale: Scale) -> float:
    if box.flat:
        return BAR
    return max(THINNEST, box.channels * scale.channel) + box.width * scale.pixel * SLANT


def _box(box: Box, left: float, floor: float, scale: Scale) -> str:
    """A front of channels by height, and a top and a side that go into the page by the width."""
    thick, tall = max(THINNEST, box.channels * scale.channel), box.height * scale.pixel
    deep = box.width * scale.pixel * SLANT
    top, right = floor - tall, left + thick
    return (
        f'<path fill="{FRONT}" d="M{left:.1f} {floor:.1f}V{top:.1f}H{right:.1f}V{floor:.1f}Z"/>'
        f'<path fill="{TOP}" d="M{left:.1f} {top:.1f}l{deep:.1f} {-deep:.1f}h{thick:.1f}l{-deep:.1f} {deep:.1f}Z"/>'
        f'<path fill="{SIDE}" d="M{right:.1f} {floor:.1f}l{deep:.1f} {-deep:.1f}v{-tall:.1f}l{-deep:.1f} {deep:.1f}Z"/>'
    )


def _bar(box: Box, left: float, floor: float, scale: Scale) -> str:
    tall = max(THINNEST, box.channels * scale.unit)
    return f'<rect fill="{BARS}" x="{left:.1f}" y="{floor - tall:.1f}" width="{BAR}" height="{tall:.1f}"/>'


def _legend(scale: Scale, maps: Sequence[Box], flats: Sequence[Box]) -> str:
    """What 100 screen pixels stand for."""
    parts = []
    if maps:
        parts.append(
            f"height (up) and width (into the page, shortened to {SLANT:g}): {_round(100 / scale.pixel)} pixels"
        )
        parts.append(f"channels (to the right): {_round(100 / scale.channel)}")
    if flats:
        parts.append(f"orange bars, units of full layers: {_round(100 / scale.unit)}")
    return "100 screen pixels are: " + "; ".join(parts)


def _round(value: float) -> str:
    return f"{float(f'{value:.3g}'):,g}"
