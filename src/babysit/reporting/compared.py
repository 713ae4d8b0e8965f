"""The page of `babysit compare`: settings that differ, curves overlaid, intervals, McNemar's test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from babysit.errors import writing
from babysit.evaluating.comparison import UNLIKELY, Comparison
from babysit.figures.charts import Axes, Color, Line, chart
from babysit.names import for_page
from babysit.record import atomic
from babysit.record.log import read_log
from babysit.record.run import Run
from babysit.reporting.shell import page, section, table

COLORS: tuple[Color, ...] = ("one", "two", "three", "four", "five", "soft")


def write_comparison(found: Comparison, paths: Sequence[Path], out: Path) -> Path:
    """Writes the page.

    Arguments:
        paths: of the runs, in the order of `found.names`.

    Raises:
        UserError: when a log cannot be read, or the place not written.
    """
    notes = "".join(f"<li>{for_page(note[0].upper() + note[1:])}.</li>" for note in found.notes)
    sections = [
        f'<h1>{len(found.names)} runs compared</h1><p class="verdict">{_verdict(found)}</p><ul class="soft">{notes}</ul>',
        section("Accuracy", _accuracies(found), anchor="accuracy"),
        section("Settings that differ", _settings(found), anchor="settings"),
        section("Curves", _curves(found, paths), anchor="curves"),
        section("The same images (McNemar's exact test)", _pairs(found), anchor="pairs"),
    ]
    with writing(out, "the page"):
        out.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_text(out, page(f"compare: {', '.join(found.names)}", sections, script="zoom.js"))
    return out


def _verdict(found: Comparison) -> str:
    if len(found.pairs) == 1:
        return for_page(found.pairs[0].verdict)
    best = max(range(len(found.names)), key=lambda place: found.scores[place].accuracy)
    name = found.names[best]
    told = [pair for pair in found.pairs if name in (pair.first, pair.second) and pair.common and pair.p < UNLIKELY]
    return (
        f"<b>{for_page(name)}</b> is the most accurate ({found.scores[best].accuracy:.1%}); its lead is more than chance over "
        f"{len(told)} of the {len(found.names) - 1} others."
    )


def _accuracies(found: Comparison) -> str:
    """A row per run, with the interval drawn on one scale for all."""
    low = min(one.interval[0] for one in found.scores)
    high = max(one.interval[1] for one in found.scores)
    span = (high - low) or 1.0
    rows = []
    for name, one in zip(found.names, found.scores, strict=True):
        start, end = one.interval
        drawn = (
            '<svg class="interval" viewBox="0 0 200 16" role="img" aria-label="interval">'
            f'<path d="M{4 + 192 * (start - low) / span:.1f} 8H{4 + 192 * (end - low) / span:.1f}"/>'
            f'<circle cx="{4 + 192 * (one.accuracy - low) / span:.1f}" cy="8" r="4"/></svg>'
        )
        rows.append(
            [
                for_page(name),
                f"<b>{one.accuracy:.1%}</b>",
                f"{start:.1%} to {end:.1%}",
                drawn,
                f"{one.count:,}",
                f"{one.loss:.3f}",
                f"{one.macro_f1:.3f}",
            ]
        )
    head = [
        "run",
        "validation accuracy",
        "95 % interval",
        f"drawn from {low:.1%} to {high:.1%}",
        "images",
        "loss (nats)",
        "macro F1",
    ]
    return table(head, rows)


def _settings(found: Comparison) -> str:
    if not found.settings:
        return "<p>All settings are the same.</p>"
    rows = [
        [f"<code>{for_page(name)}</code>", *("by rule" if one is None else for_page(str(one)) for one in values)]
        for name, values in found.settings.items()
    ]
    return table(["setting", *map(for_page, found.names)], rows, kind="words")


def _curves(found: Comparison, paths: Sequence[Path]) -> str:
    shown = list(zip(found.names, paths, strict=True))[: len(COLORS)]
    epochs = [(name, read_log(Run(path).log).of("epoch")) for name, path in shown]

    def figure(quantity: str, words: str, factor: float) -> str:
        lines = [
            Line(
                name,
                [float(row.epoch + 1) for row in rows],
                [factor * row.values.get(quantity, math.nan) for row in rows],
                color,
            )
            for (name, rows), color in zip(epochs, COLORS, strict=False)
        ]
        return f"<figure>{chart(lines, Axes('epoch', words))}</figure>"

    left = len(found.names) - len(shown)
    return (
        '<div class="pair">'
        + figure("validation_accuracy", "validation accuracy (%)", 100)
        + figure("validation_loss", "validation loss (nats)", 1)
        + figure("train_accuracy", "training accuracy (%)", 100)
        + figure("train_loss", "training loss (nats)", 1)
        + '</div><p class="soft zoom-hint">Drag over a figure to zoom in; double-click for the whole.</p>'
        + (f'<p class="soft">The curves of {left} more runs are left out.</p>' if left > 0 else "")
    )


def _pairs(found: Comparison) -> str:
    rows = [
        [
            for_page(one.first),
            for_page(one.second),
            f"{one.common:,}",
            f"{one.only_first:,}",
            f"{one.only_second:,}",
            f"{one.p:.3g}" if one.common else "",
            for_page(one.verdict.split(":")[0].rstrip(".")),
        ]
        for one in found.pairs
    ]
    return table(
        ["first", "second", "common images", "first alone right", "second alone right", "p", "verdict"],
        rows,
        kind="words",
    )
