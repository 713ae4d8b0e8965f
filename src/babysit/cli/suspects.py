"""`babysit suspects`: labels that are probably wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from babysit.names import for_terminal

if TYPE_CHECKING:
    from babysit.evaluating.label_errors import Suspects

SHOWN = 20


def suspects(
    run: Path,
    /,
    *,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """List images whose label is probably wrong, judged by a network that was not trained on them.

    Parameters
    ----------
    run
        A run: its validation images are judged. With folds: all of its training images.
    out
        Write the list as CSV for `train --relabel` or `--exclude`: path, label (the suggested one), was, confidence.
    json_
        Print one JSON object.
    quiet
        Print nothing but errors.
    """
    from babysit import api

    found = api.suspects(run, out=out)
    if json_:
        print(json.dumps(found.as_json()))  # noqa: T201
    elif not quiet:
        print(_text(found, out))  # noqa: T201
    return 0


def _text(found: Suspects, out: Path | None) -> str:
    count = len(found.suspects)
    lines = [f"{count:,} of {found.judged:,} labels are suspected to be wrong, the surest first."]
    wide = max((min(60, len(one.path)) for one in found.suspects[:SHOWN]), default=0)
    lines += [
        for_terminal(f"  {one.path:<{wide}}  labelled {one.label}, looks like {one.suggested}  ({one.confidence:.2f})")
        for one in found.suspects[:SHOWN]
    ]
    if count > SHOWN:
        lines.append(f"  ... and {count - SHOWN:,} more{'' if out else '; -o FILE.csv writes all'}")
    if out:
        lines.append(f"Written to {out}; look at them before you believe it.")
    return "\n".join(lines)
