"""The page of a learning-rate range test: the curve with the lecture's reading on it, and what to do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from babysit.errors import writing
from babysit.figures.plane import Axis, Plane, curve, drawn, span, upright
from babysit.names import for_page
from babysit.record import atomic
from babysit.reporting.shell import page, section, table

COLORS = ("one", "two", "three", "four", "five")
CEILING = 3.3
"""The figure ends a little above three times the first loss, where a sweep ends."""


def write_rate_page(test: dict[str, Any], told: Sequence[str], out: Path, *, data: str) -> Path:
    """Writes the page.

    Arguments:
        test: a `RateTest` as JSON values.
        told: its sentences.

    Raises:
        UserError: when the place cannot be written.
    """
    rows = [
        [str(one["seed"]), *(_said(one[name]) for name in ("moves", "best", "explodes", "suggestion"))]
        for one in test["repeats"]
    ]
    head = ["seed", "barely moves below", "lowest loss at", "explodes at", "suggestion"]
    sections = [
        f'<h1>Learning rate for {for_page(data)}</h1><p class="verdict">{for_page(told[0])}</p>',
        f"<p>{' '.join(map(for_page, told[1:]))}</p>",
        section(
            "The loss while the rate rises", f"<figure>{rate_figure(test)}</figure>{_legend(test)}", anchor="curve"
        ),
        section("Repeats", table(head, rows), anchor="repeats"),
    ]
    with writing(out, "the page"):
        out.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_text(out, page(f"learning rate: {data}", sections))
    return out


def rate_figure(test: dict[str, Any]) -> str:
    """Loss against rate, a curve for each repeat, with the ranges named as the lecture names them."""
    repeats = test["repeats"]
    rates = [rate for one in repeats for rate in one["rates"]]
    # The last loss ended the sweep; it may be no number at all.
    losses = [loss for one in repeats for loss in one["losses"] if loss is not None]
    top = min(max(losses), CEILING * max(one["losses"][0] or 0.0 for one in repeats))
    low = min(losses)
    x = Axis("learning rate", min(rates), max(max(rates), 10 * min(rates)), logarithmic=True)
    y = Axis("loss of the batch (nats)", 0.0 if low >= 0 else low, top * 1.02)
    plane = Plane(x, y, width=1000, height=420)
    shapes = _regions(plane, test)
    for one, color in zip(repeats, COLORS, strict=False):
        heights = [math.nan if loss is None else loss for loss in one["losses"]]
        shapes.append(curve(plane, one["rates"], heights, color))
    used = test["used"]
    if x.low <= used <= x.high:
        before = used < (test["suggestion"] or 0.0)
        label = f"training's: {used:.2g}"
        shapes.append(upright(plane, used, kind="soft dashed", label=label, before=before, line=1))
    if test["suggestion"]:
        shapes.append(upright(plane, test["suggestion"], kind="ink", label=f"suggested: {test['suggestion']:g}"))
    return drawn(
        plane, shapes, label="loss against learning rate: " + ", ".join(f"seed {one['seed']}" for one in repeats)
    )


def _regions(plane: Plane, test: dict[str, Any]) -> list[str]:
    good, explodes = test["good"], test["explodes"]
    shapes = []
    if good:
        shapes.append(span(plane, plane.x.low, good[0], kind="still", label="barely moves"))
        shapes.append(span(plane, good[0], good[1], kind="good", label="good"))
    if explodes:
        shapes.append(span(plane, explodes, plane.x.high, kind="wild", label="explodes"))
    return shapes


def _legend(test: dict[str, Any]) -> str:
    names = ", ".join(
        f'<span class="key {color}">seed {one["seed"]}</span>'
        for one, color in zip(test["repeats"], COLORS, strict=False)
    )
    return (
        f'<p class="soft">{names}: each with other initial weights and batches. The rate rises by an equal factor at every step, from the '
        "smallest to where the loss passes three times its first value. Training itself goes on while the rate rises, so a rate is judged by "
        "whether the loss falls there, not by how low it is.</p>"
    )


def _said(value: float | None) -> str:
    return "never" if value is None else f"{value:.2g}"
