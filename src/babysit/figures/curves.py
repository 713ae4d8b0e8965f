"""Curves of a run, as SVG text made with matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Okabe and Ito's palette: told apart by colour-blind eyes.
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: its name and its points."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    color: str
    faint: bool = False


def curves(lines: Sequence[Line], *, xlabel: str, ylabel: str) -> str:
    """A figure of curves, with axes named with units and each curve named at its end.

    Returns:
        SVG text, the same bytes for the same numbers.
    """
    # The object interface: no global state, no window system.
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context(
        {"svg.hashsalt": "babysit", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10}
    ):
        figure = Figure(figsize=(6.2, 3.2), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        for line in lines:
            y = np.asarray(line.y, float)
            marker = "o" if len(y) <= 3 and not line.faint else None
            alpha, width = (0.25, 0.8) if line.faint else (1.0, 1.8)
            axes.plot(line.x, y, color=line.color, alpha=alpha, linewidth=width, label=line.name, marker=marker)
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.2)
        if len(lines) > 1:
            axes.legend(frameon=False)
        figure.patch.set_alpha(0)
        axes.patch.set_alpha(0)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
