"""The page of a search: the winner, what mattered, and the figures: accuracy over two settings, stages narrowing, all curves."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from babysit.errors import writing
from babysit.figures.plane import Axis, Plane, curve, dot, drawn
from babysit.names import for_page
from babysit.record import atomic
from babysit.reporting.shell import page, section, table
from babysit.searching.space import Dimension
from babysit.searching.stages import STAGES, Trial

Found = dict[str, Any]
STAGE_NAMES = ("asked", "coarse", "finer", "last")


def write_search_page(found: Found, told: Sequence[str], out: Path, *, data: str) -> Path:
    """Writes the page.

    Arguments:
        found: as `found.as_json` makes it.
        told: its sentences.

    Raises:
        UserError: when the place cannot be written.
    """
    trials = [Trial.of_json(one) for one in found["trials"]]
    spaces = {name: [Dimension.of_json(one) for one in space] for name, space in found["space"].items()}
    numbers = [one for one in spaces["coarse"] if not one.choices]
    items = "".join(f"<li>{_sentence(line)}</li>" for line in told[1:])
    sections = [
        f'<h1>Search on {for_page(data)}</h1><p class="verdict">{_sentence(told[0])}</p><ul>{items}</ul>',
        section("Accuracy over the settings", _map(found, trials, numbers), anchor="map"),
        section("Stages narrowing", _stages(trials, spaces), anchor="stages"),
        section("All trials", _curves(found, trials), anchor="curves"),
        section("Not a grid", _grid(trials, numbers), anchor="grid"),
        section("Trials", _table(found, trials, spaces["asked"]), anchor="trials"),
    ]
    with writing(out, "the page"):
        atomic.write_text(out, page(f"search: {data}", sections))
    return out


def _sentence(line: str) -> str:
    """A sentence in which no number is broken over two lines, as 4.6e-08 would be at its hyphen."""
    return re.sub(r"\d[\d.]*e-\d+", r'<span class="number">\g<0></span>', for_page(line))


def _accuracy(one: Trial) -> float | None:
    """A trial's accuracy at the end of its first stage."""
    return next((one.results[name].accuracy for name in STAGES if name in one.results), None)


def _axis(one: Dimension, trials: Sequence[Trial]) -> Axis:
    """An axis over all of a setting's values, with room at the ends."""
    values = [float(trial.params[one.name]) for trial in trials] or [one.low, one.high]
    low, high = min(one.low, *values), max(one.high, *values)
    name = f"{one.name} (times the rule's)" if one.relative else one.name
    if one.logarithmic and low > 0:
        room = (high / low) ** 0.04
        return Axis(name, low / room, high * room, logarithmic=True)
    room = 0.04 * (high - low)
    return Axis(name, low - room, high + room)


def _map(found: Found, trials: Sequence[Trial], numbers: Sequence[Dimension]) -> str:
    """The first two numbers against each other, coloured by accuracy; one number against accuracy."""
    first = [one for one in trials if one.of is None]
    if not numbers or not first:
        return ""
    known = [value for one in first if (value := _accuracy(one)) is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    x = _axis(numbers[0], first)
    y = _axis(numbers[1], first) if len(numbers) > 1 else Axis("accuracy after the first stage (%)", 0, 100)
    plane = Plane(x, y, width=760, height=460)
    shapes = []
    for one in sorted(first, key=lambda trial: _accuracy(trial) or 0.0):
        accuracy = _accuracy(one)
        share = (accuracy - low) / ((high - low) or 1.0) if accuracy is not None else 0.0
        chosen = " chosen" if found["winner"] and one.number == found["winner"]["trial"] else ""
        kind = ("quit" if accuracy is None else "") + chosen
        up = float(one.params[numbers[1].name]) if len(numbers) > 1 else 100 * (accuracy or 0.0)
        shapes.append(dot(plane, float(one.params[numbers[0].name]), up, kind=kind, share=share, title=_told(one)))
    figure = drawn(plane, shapes, label=f"accuracy of {len(first)} trials over {x.name} and {y.name}")
    return (
        f"<figure>{figure}<figcaption>The fuller the colour, the more accurate after the first stage: {low:.0%} to {high:.0%}. Dashed rings were quitted "
        "before its end; the thick ring is the winner. Point at one to read it.</figcaption></figure>"
    )


def _told(one: Trial) -> str:
    params = ", ".join(f"{name} {_value(value)}" for name, value in one.params.items())
    accuracy = _accuracy(one)
    return f"trial {one.number}: {params}; " + (f"{accuracy:.1%}" if accuracy is not None else one.reason)


def _stages(trials: Sequence[Trial], spaces: dict[str, list[Dimension]]) -> str:
    """For each number: its range in every stage as a bar, and the trials that were in the stage as points."""
    figures = []
    for place, one in enumerate(spaces["asked"]):
        if one.choices:
            continue
        rows = [name for name in STAGE_NAMES if name in spaces]
        ticks = tuple((float(len(rows) - index), name) for index, name in enumerate(rows))
        plane = Plane(_axis(one, trials), Axis("", 0.4, len(rows) + 0.6, ticks=ticks), width=560, height=240)
        shapes = []
        for index, name in enumerate(rows):
            up = float(len(rows) - index)
            dimension = spaces[name][place]
            (left, top), (right, _) = plane.at(dimension.low, up), plane.at(dimension.high, up)
            shapes.append(
                f'<rect class="range" x="{left:.1f}" y="{top - 9:.1f}" width="{right - left:.1f}" height="18"/>'
            )
            stage = index - 1
            there = [trial for trial in trials if trial.of is None and stage >= 0 and _was_in(trial, stage)]
            shapes += [
                dot(
                    plane,
                    float(trial.params[one.name]),
                    up,
                    kind="small" + (" quit" if trial.state == "quit" and trial.stage == stage else ""),
                )
                for trial in there
            ]
        figures.append(f"<figure>{drawn(plane, shapes, label=f'ranges of {one.name} by stage')}</figure>")
    caption = '<p class="soft">Bars are ranges, points trials; dashed ones were quitted in that stage. "coarse" includes what was widened.</p>'
    return f'<div class="pair">{"".join(figures)}</div>{caption}' if figures else ""


def _was_in(one: Trial, stage: int) -> bool:
    return one.stage >= stage and (stage >= 1 or one.origin != "finer")


def _curves(found: Found, trials: Sequence[Trial]) -> str:
    drawn_trials = [one for one in trials if len(one.curve) > 1]
    if not drawn_trials:
        return ""
    plane = Plane(
        Axis("share of the full length (%)", 0, 100),
        Axis("training accuracy of the latest steps (%)", 0, 100),
        1000,
        420,
    )
    best = found["winner"].get("trial") if found["winner"] else None
    order = sorted(drawn_trials, key=lambda one: (one.state != "quit", one.number == best or one.of == best))
    shapes = []
    for one in order:
        kind = (
            "soft dashed"
            if one.state == "quit"
            else "two"
            if one.number == best
            else "three"
            if one.of is not None
            else "one faint"
        )
        shapes.append(curve(plane, [100 * x for x, _ in one.curve], [100 * y for _, y in one.curve], kind))
    figure = drawn(plane, shapes, label=f"training accuracy of {len(order)} trials")
    return (
        f'<figure>{figure}<figcaption><span class="key two">the winner</span>, <span class="key three">its other seeds</span>, <span class="key one">'
        'other trials</span>, <span class="key">quitted ones dashed</span>. A curve that stops was not promoted. Augmented images, dropout included: '
        "these are lower than validation accuracies.</figcaption></figure>"
    )


def _grid(trials: Sequence[Trial], numbers: Sequence[Dimension]) -> str:
    """The lecture's picture: where so many trials of a grid would have been, and how few values of each setting it tries."""
    coarse = [one for one in trials if one.origin == "coarse"]
    if len(numbers) < 2 or len(coarse) < 4:
        return ""
    x, y = (_axis(one, coarse) for one in numbers[:2])
    side = math.isqrt(len(coarse))
    known = [value for one in coarse if (value := _accuracy(one)) is not None] or [0.0]
    low, span = min(known), (max(known) - min(known)) or 1.0
    ours, grid = Plane(x, y, 500, 360), Plane(x, y, 500, 360)
    shapes, others = [], []
    for one in coarse:
        at = float(one.params[numbers[0].name]), float(one.params[numbers[1].name])
        accuracy = _accuracy(one)
        shapes.append(dot(ours, *at, kind="quit" if accuracy is None else "", share=((accuracy or low) - low) / span))
        shapes.append(_tick(ours, at[0]))
    for across in range(side):
        value = float(numbers[0].value((across + 0.5) / side))
        others.append(_tick(grid, value))
        others += [dot(grid, value, float(numbers[1].value((up + 0.5) / side)), kind="hollow") for up in range(side)]
    tried = len({one.params[numbers[0].name] for one in coarse})
    return (
        f'<div class="pair"><figure>{drawn(ours, shapes, label="the coarse trials")}<figcaption>What was tried: {len(coarse)} trials, {tried} different '
        f"values of {for_page(numbers[0].name)} (ticks).</figcaption></figure>"
        f"<figure>{drawn(grid, others, label='a grid')}<figcaption>A grid of {side * side} would have tried {side}. When one setting matters "
        "and the other does not, all but these are repetitions.</figcaption></figure></div>"
    )


def _tick(plane: Plane, x: float) -> str:
    left, bottom = plane.at(x, plane.y.low)
    return f'<path class="curve two" d="M{left:.1f} {bottom:.1f}v-10"/>'


def _table(found: Found, trials: Sequence[Trial], space: Sequence[Dimension]) -> str:
    best = found["winner"].get("trial") if found["winner"] else None
    rows = []
    for one in sorted(
        trials,
        key=lambda trial: [
            -(trial.results[name].worth if name in trial.results else -math.inf) for name in reversed(STAGES)
        ],
    ):
        results = [f"{one.results[name].accuracy:.1%}" if name in one.results else "" for name in STAGES]
        what = (
            "winner" if one.number == best else f"trial {one.of}, seed {one.seed}" if one.of is not None else one.origin
        )
        rows.append(
            [
                f"{one.number:04d}",
                what,
                *(_value(one.params[dimension.name]) for dimension in space),
                *results,
                for_page(one.reason),
            ]
        )
    head = ["trial", "from", *(for_page(dimension.name) for dimension in space), *STAGES, "quitted because"]
    return (
        table(head, rows, kind="trials")
        + '<p class="soft">Each is an ordinary run in trials/: babysit report, compare and predict take its folder.</p>'
    )


def _value(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else for_page(str(value))
