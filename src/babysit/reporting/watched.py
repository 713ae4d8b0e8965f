"""The report of a loop that was watched: what was given to the watcher, and what was not."""

from __future__ import annotations

import math
from pathlib import Path

from babysit.errors import UserError, writing
from babysit.figures.charts import Axes, Color, Line, chart
from babysit.names import for_page
from babysit.record import atomic, predictions
from babysit.record.log import RunLog, read_log
from babysit.record.run import Run
from babysit.reporting import diagnosed, graphs
from babysit.reporting.material import json_of
from babysit.reporting.shell import page, section, table
from babysit.show import plural

SHOWN_LAYERS = 5
COLORS: tuple[Color, ...] = ("one", "two", "three", "four", "five")


def write_watched_report(run: Run) -> Path:
    """Writes the page of a watched loop and returns its path.

    Raises:
        UserError: when this is no run, or nothing was recorded in it.
    """
    manifest, log = run.read_manifest(), read_log(run.log)
    if not log.of("step"):
        raise UserError(
            "no step of this loop was recorded, so there is nothing to report",
            where=str(run.log),
            hint=log.broken[:1].upper() + log.broken[1:] if log.broken else "It ended before its first update",
        )
    sections = [
        _head(run, manifest, log),
        section("Diagnoses", diagnosed.diagnoses(run) or "<p>None.</p>", anchor="diagnoses"),
        section("Curves", graphs.curves(log, diagnosed.marks(run)), anchor="curves"),
        section("Layers", layers(log), anchor="layers"),
        section("Validation", _validation(run, manifest), anchor="validation"),
        section("What was not given", _missing(log), anchor="missing"),
        section("Environment", _environment(run), anchor="environment"),
    ]
    with writing(run.report, "the report"):
        atomic.write_text(run.report, page(f"report: {run.path.resolve().name}", sections, script="zoom.js"))
    return run.report


def layers(log: RunLog) -> str:
    """How far updates move each layer's weights, and how large its gradient is, on logarithmic axes; some layers of many."""
    names = log.wheres("update_ratio")
    if not names:
        return "<p>The layers were not looked at.</p>"
    chosen = [names[round(place * (len(names) - 1) / max(1, SHOWN_LAYERS - 1))] for place in range(SHOWN_LAYERS)]
    chosen = list(dict.fromkeys(chosen))
    drawn = []
    for quantity, title in (
        ("update_ratio", "update / weights (power of ten)"),
        ("weight_gradient_norm", "gradient norm (power of ten)"),
    ):
        lines = []
        for name, color in zip(chosen, COLORS, strict=False):
            found = log.series(quantity, name, kind="layers")
            lines.append(Line(name, found.steps.tolist(), [_log10(value) for value in found.values.tolist()], color))
        drawn.append(chart(lines, Axes("step", title)))
    few = (
        f" {len(chosen)} of {len(names)} layers are shown, from the input to the output."
        if len(names) > len(chosen)
        else ""
    )
    return (
        f'<div class="pair"><figure>{drawn[0]}</figure><figure>{drawn[1]}</figure></div>'
        f'<p class="soft">An update of about a thousandth of the weights (-3) is the rule of thumb.{few}</p>'
    )


def _log10(value: float) -> float:
    return math.log10(value) if 0 < value < math.inf else math.nan


def _head(run: Run, manifest: dict[str, object], log: RunLog) -> str:
    last, best = log.last("validation_accuracy"), log.series("validation_accuracy").values
    said = (
        f"The last validation named <b>{last.value:.1%}</b> rightly, the best {best.max():.1%}."
        if last
        else "No validation was told of, so nothing can be said of how good the network is."
    )
    return (
        f'<h1>{for_page(run.path.resolve().name)}</h1><p class="verdict">{said}</p>'
        f'<p class="soft">A loop of your own, watched for {plural(int(str(manifest.get("steps", 0))), "update")} and '
        f"{plural(int(str(manifest.get('epochs', 0))), 'validation')}, {float(str(manifest.get('seconds', 0))):,.0f} s. "
        f"Status: {for_page(str(manifest.get('status')))}. This page is one file and asks nothing of any network.</p>"
    )


def _validation(run: Run, manifest: dict[str, object]) -> str:
    data = manifest.get("data")
    classes = tuple(str(one) for one in data.get("classes", ())) if isinstance(data, dict) else ()
    try:
        predicted = predictions.read_unnamed(run)
    except UserError:
        return "<p>No outputs were given to validation(): classes, confusion and calibration are left out.</p>"
    scores = predicted.scores(classes)
    rows = [
        [for_page(row.name), f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.f1:.3f}", f"{row.count:,}"]
        for row in scores.per_class()
    ]
    return graphs.confusion(scores) + table(["class", "precision", "recall", "F1", "images"], rows)


def _missing(log: RunLog) -> str:
    asked = (
        ("loss", "step(loss=)", "the loss of each batch, and all that is judged by it"),
        ("accuracy", "step(outputs=, targets=)", "accuracy on the training batches, over- and underfitting"),
        (
            "input_mean",
            "step(inputs=)",
            "whether inputs are normalised, and a slice of training images looked at apart",
        ),
        ("validation_loss", "validation(loss=) or its outputs and targets", "over- and underfitting"),
        ("recall", "validation(outputs=, targets=)", "classes, confusion, calibration"),
        ("activation_mean", "a network that is not compiled", "dead and saturated units"),
    )
    rows = [[for_page(what), for_page(lost)] for name, what, lost in asked if not log.wheres(name)]
    return table(["not given", "so not judged"], rows, kind="words") if rows else "<p>Everything was given.</p>"


def _environment(run: Run) -> str:
    found = json_of(run.environment)
    sessions = found.get("sessions", []) if isinstance(found, dict) else []
    rows = [[for_page(str(name)), for_page(str(value))] for one in sessions for name, value in one.items()]
    return table(["what", "value"], rows, kind="words") if rows else "<p>environment.json cannot be read.</p>"
