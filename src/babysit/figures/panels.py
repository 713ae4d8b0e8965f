"""Several charts and pictures with headings as one figure of its own: an SVG file that any browser opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from babysit.figures.charts import Axes, Line, chart
from babysit.figures.sheets import LOSSLESS, picture_uri

HEADING, GAP, MARGIN = 22, 18, 14
"""Screen pixels: a heading's height, the room between panels, and around all of them."""

LETTER = 7.6
"""Screen pixels of a letter of a heading, about."""

STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#57606a}.title{font-size:16px;fill:#1b1f24}.heading{font-size:13px;fill:#1b1f24;font-weight:600}"
    ".name,.legend text{fill:#1b1f24}.ticks path{stroke:#d0d7de;stroke-width:1;opacity:.6;fill:none}.axis{stroke:#57606a;fill:none}.ground{fill:none}"
    ".curve{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round;vector-effect:non-scaling-stroke}"
    ".curve.one{stroke:#0072b2}.curve.two{stroke:#d55e00}.curve.three{stroke:#007a59}.curve.four{stroke:#cc79a7}.curve.five{stroke:#b59a00}.curve.soft{stroke:#57606a}"
    ".curve.faint{stroke-width:1;opacity:.45}.curve.dashed{stroke-dasharray:5 5;stroke-width:1.5}.curve.points,.curve.few{stroke-width:7}"
    ".band{fill:#57606a;opacity:.2}image{image-rendering:pixelated}"
)
"""The report's colours in the light, written out: a file of its own has no page around it."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing, SVG text, under a heading; its size in screen pixels."""

    heading: str
    drawing: str
    width: int
    height: int


def charted(heading: str, lines: Sequence[Line], axes: Axes) -> Panel:
    """A chart as a panel."""
    return Panel(heading, chart(lines, axes), axes.width, axes.height)


def pictured(heading: str, pixels: NDArray[np.uint8], *, scale: float = 1.0, side: int = LOSSLESS) -> Panel:
    """A picture as a panel, each of its pixels `scale` screen pixels wide.

    Arguments:
        pixels: shape (height, width, 3).
        side: of the images in it, in pixels; large ones are stored as JPEG.
    """
    height, width = (round(extent * scale) for extent in pixels.shape[:2])
    drawing = (
        f'<image width="{width}" height="{height}" preserveAspectRatio="none" href="{picture_uri(pixels, side)}"/>'
    )
    return Panel(heading, drawing, width, height)


def figure(title: str, panels: Sequence[Panel], *, columns: int = 2) -> str:
    """Panels in rows, each row as high as its highest panel.

    Returns:
        The text of an SVG file.

    >>> figure("nothing", [Panel("here", "", 10, 10)]).count("<text")
    2
    """
    rows = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    top, placed, widest = MARGIN + 26, [], round(9 * len(title))
    for row in rows:
        left = MARGIN
        for panel in row:
            placed.append(_placed(panel, left, top))
            left += max(panel.width, round(LETTER * len(panel.heading))) + GAP
        widest = max(widest, left - GAP)
        top += HEADING + max(panel.height for panel in row) + GAP
    width, height = widest + MARGIN, top - GAP + MARGIN
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
    ground = '<rect width="100%" height="100%" fill="#fff"/>'
    name = f'<text class="title" x="{MARGIN}" y="{MARGIN + 12}">{escape(title)}</text>'
    return "\n".join([head, f"<style>{STYLE}</style>", ground, name, *placed, "</svg>\n"])


def _placed(panel: Panel, left: int, top: int) -> str:
    return (
        f'<text class="heading" x="{left}" y="{top + 13}">{escape(panel.heading)}</text>'
        f'<svg x="{left}" y="{top + HEADING}" width="{panel.width}" height="{panel.height}" overflow="visible">{panel.drawing}</svg>'
    )
