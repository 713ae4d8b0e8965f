"""Figures over two axes, each linear or logarithmic, as SVG text: marks are placed by their values. No library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from babysit.figures.charts import nice_ticks

LEFT, RIGHT, TOP, BOTTOM = 76, 16, 34, 46


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from `low` to `high`; `logarithmic` ones need both above 0. `ticks` (value, label) instead of round numbers."""

    name: str
    low: float
    high: float
    logarithmic: bool = False
    ticks: tuple[tuple[float, str], ...] = ()

    def share(self, value: float) -> float:
        """How far along the axis a value lies: 0 at `low`, 1 at `high`.

        >>> Axis("rate", 0.01, 1, logarithmic=True).share(0.1)
        0.5
        """
        if self.logarithmic:
            return (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def marks(self, most: int) -> list[tuple[float, str]]:
        """At most about `most` values with labels: powers of ten, or round numbers."""
        if self.ticks:
            return list(self.ticks)
        if not self.logarithmic:
            return [(value, f"{value:,.6g}") for value in nice_ticks(self.low, self.high, most)]
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        every = max(1, -(-(last - first + 1) // most))
        powers = [10.0**power for power in range(first, last + 1, every)]
        if len(powers) < 3:  # within a decade or two, the numbers between the powers help
            powers = [
                factor * 10.0**power
                for power in range(first - 1, last + 1)
                for factor in (1, 2, 5)
                if self.low <= factor * 10.0**power * (1 + 1e-9) and factor * 10.0**power <= self.high * (1 + 1e-9)
            ]
        return [(value, f"{value:g}") for value in powers]


@dataclass(frozen=True, slots=True)
class Plane:
    """Two axes and the drawing's size in screen pixels."""

    x: Axis
    y: Axis
    width: int = 560
    height: int = 330

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The place of a point in screen pixels; what lies beyond an axis stands at its end."""
        across, up = (min(1.0, max(0.0, axis.share(value))) for axis, value in ((self.x, x), (self.y, y)))
        wide, high = self.width - LEFT - RIGHT, self.height - TOP - BOTTOM
        return LEFT + wide * across, TOP + high * (1 - up)


def drawn(plane: Plane, shapes: Sequence[str], *, label: str) -> str:
    """The figure: axes with ticks and names, then the shapes in order.

    Arguments:
        label: what it shows, for those who cannot see it.
    """
    wide, high = plane.width - LEFT - RIGHT, plane.height - TOP - BOTTOM
    ticks = []
    for value, said in plane.x.marks(max(3, round(wide / 70))):
        at = plane.at(value, plane.y.low)[0]
        ticks.append(
            f'<path d="M{at:.1f} {TOP}v{high}"/><text x="{at:.1f}" y="{TOP + high + 16}" text-anchor="middle">{escape(said)}</text>'
        )
    for value, said in plane.y.marks(6):
        at = plane.at(plane.x.low, value)[1]
        ticks.append(
            f'<path d="M{LEFT} {at:.1f}h{wide}"/><text x="{LEFT - 7}" y="{at + 4:.1f}" text-anchor="end">{escape(said)}</text>'
        )
    return "\n".join(
        [
            f'<svg class="chart" viewBox="0 0 {plane.width} {plane.height}" role="img" aria-label="{escape(label)}">',
            f'<g class="ticks">{"".join(ticks)}</g>',
            f'<path class="axis" d="M{LEFT} {TOP}v{high}h{wide}"/>',
            *shapes,
            f'<text class="name" x="{LEFT + wide / 2:.0f}" y="{plane.height - 8}" text-anchor="middle">{escape(plane.x.name)}</text>',
            f'<text class="name" x="{-TOP - high / 2:.0f}" y="13" text-anchor="middle" transform="rotate(-90)">{escape(plane.y.name)}</text>',
            "</svg>",
        ]
    )


def curve(plane: Plane, x: Sequence[float], y: Sequence[float], kind: str) -> str:
    """A line through points; a value that is not finite is a gap.

    Arguments:
        kind: classes of the page's style, such as `one` or `soft faint`.
    """
    pieces: list[list[str]] = [[]]
    for across, up in zip(x, y, strict=True):
        if math.isfinite(up):
            left, top = plane.at(across, up)
            pieces[-1].append(f"{left:.1f} {top:.1f}")
        else:
            pieces.append([])
    path = "".join(f"M{'L'.join(piece)}" for piece in pieces if piece)
    return f'<path class="curve {kind}" d="{path}"/>' if path else ""


def dot(plane: Plane, x: float, y: float, *, kind: str, share: float = 1.0, title: str = "") -> str:
    """A point, told about by the browser when pointed at.

    Arguments:
        share: of the colour, from 0 (faint) to 1.
    """
    left, top = plane.at(x, y)
    told = f"<title>{escape(title)}</title>" if title else ""
    return f'<circle class="dot {kind}" style="--share:{min(1.0, max(0.0, share)):.2f}" cx="{left:.1f}" cy="{top:.1f}" r="{4 if "small" in kind else 6}">{told}</circle>'


def span(plane: Plane, low: float, high: float, *, kind: str, label: str = "") -> str:
    """The part of the plane between two values of x, with its name at the top."""
    left, right = plane.at(low, plane.y.high)[0], plane.at(high, plane.y.high)[0]
    tall = plane.height - TOP - BOTTOM
    named = (
        f'<text class="region" x="{(left + right) / 2:.1f}" y="{TOP - 8}" text-anchor="middle">{escape(label)}</text>'
    )
    return (
        f'<rect class="region {kind}" x="{left:.1f}" y="{TOP}" width="{max(0.0, right - left):.1f}" height="{tall}"/>'
        + (named if label and right - left > 6.5 * len(label) else "")
    )


def upright(plane: Plane, x: float, *, kind: str, label: str = "", before: bool = False, line: int = 0) -> str:
    """A vertical line at a value, with its name beside its top.

    Arguments:
        before: whether the name stands to the left, away from another line to the right.
        line: how many lines further down the name stands, below that of another value nearby.
    """
    left = plane.at(x, plane.y.high)[0]
    tall = plane.height - TOP - BOTTOM
    end = before or left > plane.width - 150
    named = (
        f'<text class="region" x="{left + (-6 if end else 6):.1f}" y="{TOP + 14 + 16 * line}" text-anchor="{"end" if end else "start"}">{escape(label)}</text>'
        if label
        else ""
    )
    return f'<path class="curve {kind}" d="M{left:.1f} {TOP}v{tall}"/>{named}'
