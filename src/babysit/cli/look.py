"""`babysit look`: what is in the data, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from babysit.names import for_terminal

if TYPE_CHECKING:
    from babysit.api.looking import Looked


def look(
    data: str,
    /,
    *,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    augment: Annotated[bool, Parameter(negative="")] = False,
    exclude: str | None = None,
    relabel: str | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Look at the data: classes, sizes, broken and blank images, duplicates, leaks between the parts.

    Parameters
    ----------
    data
        Whatever `babysit train` takes: a folder of class folders (with or without train/ val/ test/ above), a zip or tar of
        one, a CSV, CIFAR's or MNIST's files, an .npz, or a name.
    out
        The page; by default look-NAME.html here.
    augment
        Show on the page what augmentation makes of some training images.
    exclude
        A CSV of images to leave out: a column path, or hash as in a run's split.csv.
    relabel
        A CSV of images with another label: path (or hash) and label.
    json_
        Print one JSON object on standard output and nothing else there.
    quiet
        Print nothing but errors.
    """
    from babysit import api
    from babysit.cli.progress import make_show

    with make_show(quiet=quiet) as show:
        looked = api.look(data, out=out, augment=augment, exclude=exclude, relabel=relabel, show=show)
    if json_:
        print(json.dumps(looked.as_json()))  # noqa: T201
    elif not quiet:
        _print(looked)
    return 0


def _print(looked: Looked) -> None:
    """Verdict first, then the table of classes and the figures; names of files are never taken for markup."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)

    def say(text: str) -> None:
        console.print(Text(for_terminal(text)))

    say(looked.verdict)
    console.print()
    for one in looked.findings:
        say(
            f"{ {'wrong': 'Wrong', 'doubtful': 'Look', 'note': 'Note'}[str(one['weight'])] }: {one['says']}. {one['advice']}."
        )
    for note in looked.notes:
        say(f"Note: {note}.")
    table = Table(box=box.SIMPLE, pad_edge=False)
    for place, head in enumerate(("class", *looked.parts, "")):
        table.add_column(head, justify="left" if place in (0, len(looked.parts) + 1) else "right")
    most = max((sum(counts) for counts in looked.counts.values()), default=1) or 1
    for name, counts in list(looked.counts.items())[:MOST_CLASSES]:
        cells = [Text(f"{count:,}") for count in counts]
        table.add_row(Text(for_terminal(name)), *cells, Text("\u2588" * round(BAR * sum(counts) / most)))
    console.print(table)
    if len(looked.counts) > MOST_CLASSES:
        say(f"and {len(looked.counts) - MOST_CLASSES} more classes")
    for name, values in looked.sizes.items():
        say(f"{name}: {values['least']:,.4g} to {values['most']:,.4g}, half of them up to {values['half']:,.4g}")
    say("pixels kept as: " + ", ".join(f"{mode} {count:,}" for mode, count in looked.modes.items()))
    console.print()
    say(f"Page:    {looked.page}")


MOST_CLASSES, BAR = 40, 30
