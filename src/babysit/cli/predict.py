"""`babysit predict`: the trained network on new images."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from babysit.errors import UserError
from babysit.names import for_terminal, table_line

if TYPE_CHECKING:
    from babysit.inference.predictor import Prediction


def predict(
    run: Path,
    /,
    *files: Annotated[str, Parameter(allow_leading_hyphen=True)],
    top: int = 3,
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
    csv_
        Print a CSV table.
    json_
        Print one JSON object.
    quiet
        Print no remarks.
    """
    if top < 1:
        raise UserError(f"--top is {top}", legal="a whole number of at least 1")
    paths = list(expand(files))
    if not paths:
        raise UserError(
            "no images were given", hint="Give files, folders, a pattern, or - for a list on standard input"
        )
    from babysit import api

    predictions = list(api.predict(run, paths))
    if json_:
        print(json.dumps({"run": str(run), "predictions": [one.as_json(top) for one in predictions]}))  # noqa: T201
    elif csv_:
        _print_csv(predictions, top)
    else:
        _print_table(predictions, top)
    failed = sum(bool(one.error) for one in predictions)
    if failed and not quiet:
        print(f"{failed} of {len(predictions)} files could not be read.", file=sys.stderr)  # noqa: T201
    return 1 if failed == len(predictions) else 0


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


def _print_table(predictions: list[Prediction], top: int) -> None:
    names = [for_terminal(one.name) for one in predictions]
    wide = min(60, max(map(len, names)))
    for one, name in zip(predictions, names, strict=True):
        pairs = list(zip(one.classes, one.probabilities, strict=True))[:top]
        shown = one.error and f"cannot be read: {one.error}"
        shown = shown or "  ".join(f"{of} {value:.1%}" for of, value in pairs)
        print(f"{name:<{wide}}  {for_terminal(shown)}")  # noqa: T201


def _print_csv(predictions: list[Prediction], top: int) -> None:
    count = min(top, max(len(one.classes) for one in predictions) or top)
    head = [name for place in range(1, count + 1) for name in (f"class_{place}", f"probability_{place}")]
    sys.stdout.write(table_line(["file", *head, "error"]))
    for one in predictions:
        pairs = list(zip(one.classes, one.probabilities, strict=True))[:count]
        cells = [cell for pair in pairs for cell in (pair[0], f"{pair[1]:.6f}")] or [""] * (2 * count)
        sys.stdout.write(table_line([one.name, *cells, one.error]))
