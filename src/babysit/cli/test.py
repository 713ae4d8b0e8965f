"""`babysit test`: the test part, once, counted."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from babysit.cli.progress import class_line
from babysit.names import lines_for_terminal

if TYPE_CHECKING:
    from babysit.evaluating.held_out import Tested

MOST_CLASSES = 20


def test(
    run: Path,
    /,
    *,
    again: Annotated[bool, Parameter(negative="")] = False,
    view: Literal["plain", "flip", "five", "ten"] = "plain",
    data: str | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Evaluate the best network on the test part: once; every further look is counted.

    Parameters
    ----------
    run
        The folder of a trained run.
    again
        Look though these images have been looked at before.
    view
        What is averaged of each image: the centre, its mirror image too, five windows, or ten.
    data
        Where the images are now, when they have moved.
    json_
        Print one JSON object on standard output and nothing else there.
    quiet
        Print nothing but errors.
    """
    from babysit import api
    from babysit.cli.progress import make_show

    with make_show(quiet=quiet or json_) as show:
        done = api.test(run, again=again, view=view, data=data, show=show)
    if json_:
        print(json.dumps(done.as_json()))  # noqa: T201
    elif not quiet:
        print(_summary(done))  # noqa: T201
    for note in () if quiet else done.notes:
        print(f"Note: {note}", file=sys.stderr)  # noqa: T201
    return 0


def _summary(done: Tested) -> str:
    scores, low_high = done.scores, done.scores.interval
    top5 = f", top-5 {scores.top5:.1%}" if len(scores.classes) > 5 else ""
    seen = "plain" if done.view == "plain" else f"view '{done.view}'"
    lines = [
        f"Test accuracy {scores.accuracy:.1%} (95 % interval {low_high[0]:.1%} to {low_high[1]:.1%}, {scores.count:,} images, "
        f"{seen}){top5}, macro F1 {scores.macro_f1:.3f}.",
    ]
    if done.view != "plain":
        low, high = done.plain.interval
        lines.append(f"  plain view: {done.plain.accuracy:.1%} (95 % interval {low:.1%} to {high:.1%}).")
    lines += [done.meaning, "", f"{'class':<20} {'images':>7} {'precision':>9} {'recall':>9} {'F1':>9}"]
    rows = scores.per_class()
    lines += [class_line(row.name, row.count, (row.precision, row.recall, row.f1)) for row in rows[:MOST_CLASSES]]
    if len(rows) > MOST_CLASSES:
        lines.append(f"... and {len(rows) - MOST_CLASSES} more classes; --json lists them")
    confused = ", ".join(f"{true} for {guess} ({count})" for true, guess, count in scores.most_confused())
    if confused:
        lines += ["", f"Most confused, the true class first: {confused}."]
    one = done.calibration
    lines += [
        "",
        f"Calibration on these images, temperature {one.temperature:.3f} from validation: calibration error (ECE) "
        f"{one.error_before:.3f} before, {one.error_after:.3f} after; loss {one.loss_before:.3f} before, {one.loss_after:.3f} after.",
    ]
    if done.gains:
        lines += [
            "",
            f"What a view gains on {done.gains[0].images:,} validation images (--view chooses; the test part does not):",
        ]
        lines += [
            f"  {gain.view:<6} {gain.accuracy:>7.1%}  {100 * gain.gain:+.1f} points, {gain.windows} times the work"
            for gain in done.gains
        ]
    return lines_for_terminal("\n".join(lines))
