"""`babysit show --schedule`: schedules of the learning rate as blocks and a table, an SVG file, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from babysit.errors import UserError, writing
from babysit.show import plural

if TYPE_CHECKING:
    from babysit.api.scheduling import Drawn

WIDTH, HEIGHT = 60, 10
ROWS = 11
MOST = 5
"""Schedules in one picture; a sixth curve would have no colour of its own."""

LONGEST = 10**8


def show_schedules(
    kinds: Sequence[str],
    settings: Sequence[str],
    length: tuple[int | None, int | None],
    picture: Path | None,
    *,
    json_: bool,
    quiet: bool,
) -> int:
    """Draws them in every form that is asked for.

    Arguments:
        length: epochs, and steps of an epoch; None as usual.
    """
    from babysit.api import scheduling
    from babysit.recipe import Override

    epochs, steps = length[0] or scheduling.EPOCHS, length[1] or scheduling.STEPS_PER_EPOCH
    if min(length[0] or 1, length[1] or 1) < 1 or 0 in length or epochs * steps > LONGEST:
        raise UserError(
            "that is not the length of a run",
            where="--epochs, --steps-per-epoch",
            legal=f"whole numbers of at least 1, at most {LONGEST:,} steps together",
        )
    if len(kinds) > MOST:
        raise UserError(f"{len(kinds)} schedules are given", where="--schedule", legal=f"1 to {MOST}")
    overrides = [Override.from_text(text) for text in settings]
    drawn = scheduling.schedules(kinds, settings=overrides, epochs=epochs, steps_per_epoch=steps)
    if picture:
        with writing(picture, "the picture"):
            picture.write_text(scheduling.picture(drawn), encoding="utf-8")
    if json_:
        extra = {"picture": str(picture)} if picture else {}
        print(json.dumps({"schedules": [one.as_json() for one in drawn], **extra}))  # noqa: T201
    elif not quiet:
        print("\n".join(text(drawn, plain=not _has_blocks())))  # noqa: T201
        if picture:
            print(f"\nPicture: {picture}")  # noqa: T201
    return 0


def text(drawn: Sequence[Drawn], *, plain: bool = False) -> Iterator[str]:
    """Each schedule as blocks, then a table of all of them.

    Arguments:
        plain: only ASCII.
    """
    for one in drawn:
        yield from _curve(one, plain=plain)
        yield ""
    head = ["epoch", "step", *(one.part.kind for one in drawn)]
    first = drawn[0]
    rows = [
        [f"{step / first.steps_per_epoch:.2f}", f"{step:,}", *(_value(one, step) for one in drawn)]
        for step in first.some(ROWS)
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        yield "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
    if first.peak is None:
        yield "Shares of the peak rate; with --set optim.lr=0.3 rates."


def _curve(one: Drawn, *, plain: bool) -> Iterator[str]:
    from babysit.figures.blocks import EIGHTHS, PLAIN, blocks
    from babysit.optim.schedules import warmup_of

    warmup = warmup_of(one.part)
    rising = f", rising over the first {100 * warmup:g} % of it" if warmup else ""
    yield f"{one.part.kind} over {plural(one.epochs, 'epoch')} of {plural(one.steps_per_epoch, 'step')}{rising}"
    steps = one.some(WIDTH)
    columns = [one.factor(steps[len(steps) * place // WIDTH]) for place in range(WIDTH)]
    lines = blocks(columns, height=HEIGHT, marks=PLAIN if plain else EIGHTHS)
    peak = 1.0 if one.peak is None else one.peak
    for place, line in enumerate(lines):
        yield f"{f'{peak:.4g}' if place == 0 else '':>8} {'|' if plain else '│'}{line}".rstrip()
    yield f"{0:>8} {'+' if plain else '└'}{('-' if plain else '─') * WIDTH}"
    yield f"{'':>9} 0{plural(one.epochs, 'epoch').rjust(WIDTH - 1)}"


def _value(one: Drawn, step: int) -> str:
    return f"{one.factor(step):.4f}" if one.peak is None else f"{one.peak * one.factor(step):.4g}"


def _has_blocks() -> bool:
    """Whether the terminal's letters include blocks."""
    try:
        "█│─".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
