"""`babysit predict`: the trained network on new images."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from babysit.errors import UserError
from babysit.names import for_terminal, table_line
from babysit.show import plural

if TYPE_CHECKING:
    from babysit.inference.predictor import Prediction, Predictor
    from babysit.inference.views import View


def predict(
    run: Path,
    /,
    *files: Annotated[str, Parameter(allow_leading_hyphen=True)],
    top: int = 3,
    view: Literal["plain", "flip", "five", "ten"] = "plain",
    min_confidence: float = 0.0,
    explain: Path | None = None,
    csv_: Annotated[bool, Parameter(name="--csv", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Name the classes of new images.

    Parameters
    ----------
    run
        The folder of a trained run.
    files
        Images, folders of them, patterns like 'new/*.jpg', or - for a list on standard input.
    top
        How many classes to show for each image.
    view
        What is averaged of each image: the centre, its mirror image too, five windows, or ten.
    min_confidence
        Call an image unsure when its most probable class is less probable than this, 0 to 1.
    explain
        A folder for pictures of where the network looked (Grad-CAM), one for each image.
    csv_
        Print a CSV table.
    json_
        Print one JSON object.
    quiet
        Print no remarks.
    """
    if top < 1:
        raise UserError(f"--top is {top}", legal="a whole number of at least 1")
    if not 0 <= min_confidence <= 1:
        raise UserError(f"--min-confidence is {min_confidence:g}", legal="a probability from 0 to 1")
    paths = list(expand(files))
    if not paths:
        raise UserError(
            "no images were given", hint="Give files, folders, a pattern, or - for a list on standard input"
        )
    from babysit import api

    network = api.load(run)
    predictions = list(network.stream(paths, view=view))
    if json_:
        rows = [one.as_json(top, min_confidence) for one in predictions]
        print(json.dumps({"run": str(run), "view": view, "predictions": rows}))  # noqa: T201
    elif csv_:
        _print_csv(predictions, top, min_confidence)
    else:
        _print_table(predictions, top, min_confidence)
    if explain is not None:
        from babysit.inference.explain import write_explanations

        written = len(list(write_explanations(network, [Path(one) for one in paths], explain)))
        if not quiet:
            print(f"{plural(written, 'picture')} of where the network looked: {explain}", file=sys.stderr)  # noqa: T201
    for remark in () if quiet else remarks(network, predictions, view, min_confidence):
        print(remark, file=sys.stderr)  # noqa: T201
    return 1 if all(one.error for one in predictions) else 0


def remarks(network: Predictor, predictions: list[Prediction], view: View, least: float) -> Iterator[str]:
    """What a person should know of these predictions as a whole."""
    count = len(predictions)
    yield from (f"Note: {note}." for note in network.notes)
    if not network.calibrations:
        yield "Note: the probabilities are not calibrated: the run is not finished, or older than calibration."
    elif view not in network.calibrations:
        yield f"Note: the probabilities of view '{view}' use the plain view's temperature; `babysit test` fits its own."
    if network.likeness is None and not network.notes:
        yield "Note: images unlike the training data are not told apart: the run keeps no measure of that."
    if failed := sum(bool(one.error) for one in predictions):
        yield f"{failed} of {count} files could not be read."
    if unsure := sum(one.unsure(least) for one in predictions):
        yield f"{unsure} of {count} are unsure: no class reaches {least:g}."
    if strange := sum(bool(one.unlike) for one in predictions):
        yield f"{strange} of {count} are unlike the training data: further out than 99 of 100 validation images."


def expand(files: tuple[str, ...]) -> Iterator[str]:
    """Files as they are, folders walked for images, patterns matched, `-` read from standard input."""
    from babysit.data.catalog import IMAGE_SUFFIXES

    for given in files:
        if given == "-":
            yield from (line.rstrip("\n") for line in sys.stdin if line.strip())
            continue
        path = Path(given)
        if path.is_dir():
            yield from (
                str(one) for one in sorted(path.rglob("*")) if one.suffix.lower() in IMAGE_SUFFIXES and one.is_file()
            )
        elif path.exists() or not any(letter in given for letter in "*?["):
            yield given
        else:
            root = Path(path.anchor or ".")
            yield from (
                str(one) for one in sorted(root.glob(str(path.relative_to(path.anchor) if path.anchor else path)))
            )


def _notes(one: Prediction, least: float) -> str:
    said = ["unsure"] if one.unsure(least) else []
    return " and ".join([*said, "unlike the training data"] if one.unlike else said)


def _print_table(predictions: list[Prediction], top: int, least: float) -> None:
    names = [for_terminal(one.name) for one in predictions]
    wide = min(60, max(map(len, names)))
    for one, name in zip(predictions, names, strict=True):
        pairs = list(zip(one.classes, one.probabilities, strict=True))[:top]
        shown = one.error and f"cannot be read: {one.error}"
        shown = shown or "  ".join(f"{of} {value:.1%}" for of, value in pairs)
        notes = _notes(one, least)
        print(f"{name:<{wide}}  {for_terminal(shown)}{f'  ({notes})' if notes else ''}")  # noqa: T201


def _print_csv(predictions: list[Prediction], top: int, least: float) -> None:
    count = min(top, max(len(one.classes) for one in predictions) or top)
    head = [name for place in range(1, count + 1) for name in (f"class_{place}", f"probability_{place}")]
    sys.stdout.write(table_line(["file", *head, "note", "error"]))
    for one in predictions:
        pairs = list(zip(one.classes, one.probabilities, strict=True))[:count]
        cells = [cell for pair in pairs for cell in (pair[0], f"{pair[1]:.6f}")] or [""] * (2 * count)
        sys.stdout.write(table_line([one.name, *cells, _notes(one, least), one.error]))
