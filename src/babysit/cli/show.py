"""`babysit show`: a network's layers, with their sizes and counts; or schedules, drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from babysit.cli.schedules import show_schedules
from babysit.errors import UserError, writing

if TYPE_CHECKING:
    from babysit.layers.geometry import Window
    from babysit.models.summary import Row, Summary
    from babysit.models.timing import Timing

TIMED_IMAGES = 16


def show(
    target: str | None = None,
    /,
    *,
    model: str | None = None,
    input_: Annotated[str | None, Parameter(name="--input")] = None,
    classes: int | None = None,
    picture: Path | None = None,
    time: Annotated[bool, Parameter(negative="")] = False,
    schedule: Annotated[list[str] | None, Parameter(negative="")] = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative="", consume_multiple=False)] = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Show a network layer by layer: shapes, neurons, parameters, multiply-adds, receptive fields, memory; or schedules.

    Parameters
    ----------
    target
        A model, the folder of a run, or path/to/file.py:name, a function in a file of yours, which is run. Without
        any, the models are listed.
    model
        The same, as an option.
    input_
        The image: channels x height x width, as in 3x227x227, or its side; by default the published one.
    classes
        How many classes; by default the published number.
    picture
        Write the network as volumes to scale, or the schedules as curves, into this SVG file.
    time
        Measure each layer's forward pass and whole steps on this machine.
    schedule
        Draw this schedule of the learning rate instead of a network; several: --schedule step --schedule cosine.
    set_
        With --schedule, one of its settings, as in --set schedule.warmup=0.1 or --set optim.lr=0.3; may be given several times.
    epochs
        With --schedule, the length of the run.
    steps_per_epoch
        With --schedule, the steps of an epoch.
    json_
        Print one JSON object.
    quiet
        Print nothing.
    """
    if picture and picture.suffix.lower() != ".svg":
        said = f"the picture is an SVG file, and {picture.name} says another kind"
        raise UserError(said, where="--picture", legal="FILE.svg")
    if schedule:
        if target or model or input_ or classes or time:
            raise UserError("a schedule and a network are asked for", where="--schedule", legal="one of them")
        return show_schedules(schedule, set_ or [], (epochs, steps_per_epoch), picture, json_=json_, quiet=quiet)
    if set_ or epochs or steps_per_epoch:
        raise UserError(
            "--set, --epochs and --steps-per-epoch are a schedule's", hint="As in: babysit show --schedule cosine"
        )
    if target and model:
        raise UserError(f"two models are given, {target} and {model}", legal="one of them")
    chosen = target or model
    if chosen is None:
        return _list(json_=json_, quiet=quiet, alone=not (input_ or classes or picture or time))
    from babysit.api import showing

    subject = showing.subject(chosen, image=input_, classes=classes)
    summary = showing.summary_of(subject)
    if picture:
        with writing(picture, "the picture"):
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.write_text(showing.picture(summary), encoding="utf-8")
    timed = showing.timing(subject, summary, images=TIMED_IMAGES) if time else None
    if json_:
        extra: dict[str, Any] = {"time": _timing_json(timed)} if timed else {}
        extra.update({"picture": str(picture)} if picture else {})
        print(json.dumps({**summary.as_json(), **extra}))  # noqa: T201
    elif not quiet:
        print("\n".join(text(summary, timed)))  # noqa: T201
        if picture:
            print(f"\nPicture: {picture}")  # noqa: T201
    return 0


def text(summary: Summary, timed: Timing | None = None) -> Iterator[str]:
    """The summary as lines for a person."""
    seconds = dict(timed.layers) if timed else {}
    yield f"{summary.model}, {summary.input} image, {summary.classes:,} class{'' if summary.classes == 1 else 'es'}"
    yield ""
    head = ["layer", "kind", "filter", "stride", "pad", "output", "neurons", "parameters", "multiply-adds", "sees"]
    rows = [head, *(_cells(row) for row in summary.rows)]
    if seconds:
        rows[0].append("ms")
        for cells, row in zip(rows[1:], summary.rows, strict=True):
            taken = seconds.pop(
                row.facts.name, None
            )  # a layer that is applied again has its whole time in its first row
            cells.append("" if taken is None else f"{1000 * taken:.2f}")
    yield from _table(rows)
    if any(row.training_only for row in summary.rows):
        yield "* in training only"
    yield ""
    if summary.predicting_parameters == summary.parameters:
        yield f"parameters     {summary.parameters:>16,}"
    else:
        yield f"parameters     {summary.parameters:>16,} in training, {summary.predicting_parameters:,} in prediction"
    yield f"neurons        {summary.neurons:>16,} in layers with weights"
    yield f"multiply-adds  {summary.multiply_adds:>16,} to predict one image"
    yield f"memory         {_bytes(summary.kept_bytes):>16} per image in training (kept for the backward pass)"
    yield f"               {_bytes(summary.prediction_bytes):>16} per image in prediction (the largest layer's input and output)"
    yield (
        f"               {_bytes(4 * summary.parameters):>16} for the weights, "
        f"{_bytes(12 * summary.parameters)} with gradient and momentum; all in float32"
    )
    if timed:
        yield ""
        yield (
            f"time           {timed.prediction / timed.images * 1000:>13.2f} ms per image forward, "
            f"{timed.training / timed.images * 1000:.2f} ms forward and backward "
            f"(medians of {timed.repeats}, batches of {timed.images}; layers: the batch's forward pass)"
        )
    yield from _paper(summary)
    for note in summary.notes:
        yield f"Note: {note}."


def _cells(row: Row) -> list[str]:
    facts, windows = row.facts, row.facts.windows
    kind = facts.kind + (f", {row.groups} groups" if row.groups > 1 else "") + ("*" if row.training_only else "")
    sizes = [""] * 3
    if windows:
        sizes = [_pair(windows, name) for name in ("kernel", "stride", "padding")]
        sizes[0] += f" by {_pair(windows, 'dilation')}" if any(one.dilation > 1 for one in windows) else ""
    flat = facts.output.height == facts.output.width == 1
    return [
        facts.name,
        kind,
        *sizes,
        str(facts.output.channels) if flat else str(facts.output),
        f"{facts.neurons:,}",
        f"{facts.parameters:,}" if facts.parameters else "",
        f"{facts.multiply_adds:,}" if facts.multiply_adds else "",
        "all" if row.sees_all else "x".join(map(str, dict.fromkeys(row.receptive_field))),
    ]


def _pair(windows: tuple[Window, Window], name: str) -> str:
    down, across = (getattr(window, name) for window in windows)
    return f"{down}x{across}" if name == "kernel" or down != across else str(down)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell; words to the left, columns of numbers to the right."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    numeric = [all(cell == "all" or not cell or cell[0].isdigit() for cell in column[1:]) for column in columns]
    for row in rows:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def _paper(summary: Summary) -> Iterator[str]:
    if not summary.paper:
        return
    yield ""
    yield "Neurons, here and in the paper's figure:"
    for one in summary.paper:
        yield f"  {one.layer:<8} {one.here:>9,} {one.paper:>9,}" + (f"  {one.remark}" if one.remark else "")


def _list(*, json_: bool, quiet: bool, alone: bool) -> int:
    """Prints what can be shown."""
    if not alone:
        raise UserError("no model is given", hint="As in: babysit show alexnet --input 3x227x227")
    from babysit.models import MODELS

    if json_:
        rows = [
            {"name": name, "describes": one.describes, "source": one.source, "smallest": one.smallest}
            for name, one in MODELS.items()
        ]
        print(json.dumps({"models": rows}))  # noqa: T201
    elif not quiet:
        rows = [["model", "what", "source", "from pixels"]]
        rows += [[name, one.describes, one.source, str(one.smallest)] for name, one in MODELS.items()]
        print("\n".join(_table(rows)))  # noqa: T201
        print("and timm/NAME with the extra [timm], and path/to/file.py:name of your own")  # noqa: T201
    return 0


def _timing_json(timed: Timing) -> dict[str, Any]:
    return {
        "images": timed.images,
        "repeats": timed.repeats,
        "layer_seconds": timed.layers,
        "prediction_seconds": timed.prediction,
        "training_seconds": timed.training,
    }


def _bytes(count: int) -> str:
    """A number of bytes for a person, in powers of ten."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.2f} {unit}"
    return f"{count} B"
