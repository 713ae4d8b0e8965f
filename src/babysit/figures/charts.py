"""Charts as SVG text: curves, bands and points over two linear axes. No library, the same bytes every time.

Colours are classes of the page's style, so one figure is right in light, in dark and in print. The curves lie in an
inner drawing of 1000 x 1000 units that is stretched over the axes; a script that changes its `viewBox` zooms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np
from numpy.typing import NDArray

UNITS = 1000
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 30, 44
LETTER = 6.4
"""Screen pixels of a letter of the legend, about."""

OUTLIERS = 0.01
"""Share of the faint points at each end that may lie outside the axes."""

Color = Literal["one", "two", "three", "four", "five", "soft"]
Style = Literal["line", "faint", "dashed", "points"]


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: its name and its points; a value that is not finite is a gap."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    color: Color
    style: Style = "line"


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the x axis where something began: `number` is written over it, `words` are shown under the pointer."""

    x: float
    number: str
    words: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Axes:
    """Names of the axes with units, and the drawing's size in screen pixels; `limits` (x0, x1, y0, y1) if they are known."""

    x: str
    y: str
    width: int = 560
    height: int = 300
    limits: tuple[float, float, float, float] | None = None


def chart(
    lines: Sequence[Line],
    axes: Axes,
    *,
    band: tuple[Line, Line] | None = None,
    band_name: str = "",
    marks: Sequence[Mark] = (),
) -> str:
    """A figure of curves.

    Arguments:
        band: two curves over the same x; what lies between them is shaded.
        band_name: what the legend calls the shade.
        marks: upright lines, numbered at the upper edge.

    Returns:
        SVG text.
    """
    limits = axes.limits or _limits(lines)
    wide, high = axes.width - LEFT - RIGHT, axes.height - TOP - BOTTOM
    shapes = [_band(band, limits)] if band else []
    shapes += [_shape(line, limits) for line in lines]
    shapes += [_upright(one, limits) for one in marks]
    label = f"{axes.y} against {axes.x}: {', '.join(line.name for line in lines if line.name)}"
    return "\n".join(
        [
            f'<svg class="chart" viewBox="0 0 {axes.width} {axes.height}" role="img" aria-label="{escape(label)}" '
            f'data-limits="{" ".join(f"{value:.9g}" for value in limits)}">',
            _legend(lines, band_name),
            f'<g class="ticks">{_ticks(limits, wide, high)}</g>',
            f'<svg class="plot" x="{LEFT}" y="{TOP}" width="{wide}" height="{high}" viewBox="0 0 {UNITS} {UNITS}" '
            'preserveAspectRatio="none">',
            f'<rect class="ground" width="{UNITS}" height="{UNITS}"/>',
            *shapes,
            "</svg>",
            f'<g class="marks">{_numbers(marks, limits, wide)}</g>' if marks else "",
            f'<path class="axis" d="M{LEFT} {TOP}v{high}h{wide}"/>',
            f'<text class="name" x="{LEFT + wide / 2:.0f}" y="{axes.height - 8}" text-anchor="middle">{escape(axes.x)}</text>',
            f'<text class="name" x="{-TOP - high / 2:.0f}" y="13" text-anchor="middle" transform="rotate(-90)">{escape(axes.y)}</text>',
            "</svg>",
        ]
    )


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from `low` to `high`, at steps of 1, 2 or 5 times a power of ten.

    >>> nice_ticks(0, 10), nice_ticks(0.1, 0.33)
    ([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], [0.1, 0.15, 0.2, 0.25, 0.3])
    """
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(
        factor * power for factor in (1, 2, 5, 10, 20) if math.floor((high - low) / (factor * power) + 1e-9) < most
    )
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(place * step, 12) for place in range(first, last + 1)]


def thinned(x: Sequence[float], y: Sequence[float], most: int) -> tuple[list[float], list[float]]:
    """At most about `most` points that keep every piece's least and largest value, so that no spike is lost.

    >>> thinned([0, 1, 2, 3], [5, 9, 1, 2], 2)
    ([1, 2], [9, 1])
    """
    if len(x) <= most:
        return list(x), list(y)
    values = np.asarray(y, np.float64)
    kept: list[int] = []
    for piece in np.array_split(np.arange(len(x)), max(1, most // 2)):
        inside = np.nan_to_num(values[piece], nan=math.inf)
        kept += sorted({int(piece[inside.argmin()]), int(piece[inside.argmax()])})
    return [x[place] for place in kept], [y[place] for place in kept]


def _limits(lines: Sequence[Line]) -> tuple[float, float, float, float]:
    xs = np.array([value for line in lines for value in line.x], np.float64)
    firm = [_finite(line.y) for line in lines if line.style != "faint"]
    faint = [_finite(line.y) for line in lines if line.style == "faint"]
    # One batch that went wild must not flatten every other.
    ends = [np.quantile(values, [OUTLIERS, 1 - OUTLIERS]) for values in faint if len(values)]
    ys = np.concatenate([*firm, *ends]) if firm or ends else np.zeros(0)
    x0, x1 = (float(xs.min()), float(xs.max())) if len(xs) else (0.0, 1.0)
    y0, y1 = (float(ys.min()), float(ys.max())) if len(ys) else (0.0, 1.0)
    y0 = 0.0 if 0 <= y0 < 0.4 * y1 else y0
    room = 0.04 * (y1 - y0) or abs(y1) or 1.0
    return min(x0, 0.0), x1 if x1 > min(x0, 0.0) else x1 + 1, y0 if y0 == 0 else y0 - room, y1 + room


def _finite(values: Sequence[float]) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    return array[np.isfinite(array)]


def _path(x: Sequence[float], y: Sequence[float], limits: tuple[float, float, float, float]) -> list[list[str]]:
    """The points in units of the inner drawing, a list for each piece without a gap."""
    x0, x1, y0, y1 = limits
    pieces: list[list[str]] = [[]]
    for across, up in zip(x, y, strict=True):
        if not math.isfinite(up):
            pieces.append([])
            continue
        height = max(-UNITS, min(2 * UNITS, UNITS - UNITS * (up - y0) / (y1 - y0)))
        pieces[-1].append(f"{UNITS * (across - x0) / (x1 - x0):.1f} {height:.1f}")
    return [piece for piece in pieces if piece]


def _shape(line: Line, limits: tuple[float, float, float, float]) -> str:
    pieces = _path(line.x, line.y, limits)
    if line.style == "points":
        drawn = "".join(f"M{point}h0" for piece in pieces for point in piece)
    else:
        drawn = "".join(f"M{'L'.join(piece)}" if len(piece) > 1 else f"M{piece[0]}h0" for piece in pieces)
    # A curve of one point would hardly be seen.
    few = " few" if line.style == "line" and len(line.x) == 1 else ""
    return f'<path class="curve {line.color} {line.style}{few}" d="{drawn}"/>'


def _band(band: tuple[Line, Line], limits: tuple[float, float, float, float]) -> str:
    keep = [place for place, pair in enumerate(zip(band[0].y, band[1].y, strict=True)) if all(map(math.isfinite, pair))]
    if len(keep) < 2:
        return ""
    upper, lower = (
        _path([one.x[place] for place in keep], [one.y[place] for place in keep], limits)[0] for one in band
    )
    return f'<path class="band" d="M{"L".join([*upper, *reversed(lower)])}Z"/>'


def _upright(one: Mark, limits: tuple[float, float, float, float]) -> str:
    across = UNITS * (one.x - limits[0]) / (limits[1] - limits[0])
    strength = " strong" if one.strong else ""
    return f'<path class="mark{strength}" d="M{across:.1f} 0V{UNITS}"><title>{escape(one.words)}</title></path>'


def _numbers(marks: Sequence[Mark], limits: tuple[float, float, float, float], wide: float) -> str:
    """Numbers over the upright lines; those that would lie on one another are written side by side."""
    parts, last = [], -math.inf
    for one in sorted(marks, key=lambda mark: mark.x):
        at = LEFT + wide * (one.x - limits[0]) / (limits[1] - limits[0])
        last = max(at, last + 2 * LETTER)
        parts.append(
            f'<text x="{last:.1f}" y="{TOP + 12}" data-x="{one.x:g}" text-anchor="middle">{escape(one.number)}</text>'
        )
    return "".join(parts)


def _ticks(limits: tuple[float, float, float, float], wide: float, high: float) -> str:
    x0, x1, y0, y1 = limits
    parts = []
    for value in nice_ticks(x0, x1, max(3, round(wide / 80))):
        at = LEFT + wide * (value - x0) / (x1 - x0)
        parts.append(f'<text x="{at:.1f}" y="{TOP + high + 16}" text-anchor="middle">{value:,.6g}</text>')
    for value in nice_ticks(y0, y1):
        at = TOP + high - high * (value - y0) / (y1 - y0)
        parts.append(
            f'<path d="M{LEFT} {at:.1f}h{wide}"/><text x="{LEFT - 7}" y="{at + 4:.1f}" text-anchor="end">{value:,.6g}</text>'
        )
    return "".join(parts)


def _legend(lines: Sequence[Line], band_name: str) -> str:
    if len(lines) < 2:
        return ""
    left, parts = float(LEFT), []
    for line in (one for one in lines if one.name):
        parts.append(
            f'<path class="curve {line.color} {line.style}" d="M{left:.0f} 13h18"/>'
            f'<text x="{left + 23:.0f}" y="17">{escape(line.name)}</text>'
        )
        left += 40 + LETTER * len(line.name)
    if band_name:
        parts.append(
            f'<rect class="band" x="{left:.0f}" y="8" width="18" height="10"/><text x="{left + 23:.0f}" y="17">{escape(band_name)}</text>'
        )
    return f'<g class="legend">{"".join(parts)}</g>'
