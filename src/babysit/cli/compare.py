"""`babysit compare`: runs side by side."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from babysit.names import for_terminal, lines_for_terminal

if TYPE_CHECKING:
    from babysit.evaluating.comparison import Comparison


def compare(
    *runs: Path,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Compare runs: settings that differ, accuracies with intervals, McNemar's test on the same images.

    Parameters
    ----------
    runs
        The folders of two runs or more.
    out
        Also write a self-contained page there, with the curves overlaid.
    json_
        Print one JSON object.
    quiet
        Print no remarks.
    """
    from babysit import api

    found = api.compare(*runs, out=out)
    print(json.dumps(found.as_json()) if json_ else _text(found, quiet))  # noqa: T201
    if out is not None and not quiet:
        print(f"Page: {for_terminal(str(out))}", file=sys.stderr)  # noqa: T201
    return 0


def _text(found: Comparison, quiet: bool) -> str:
    wide = max(len(name) for name in found.names)
    lines = []
    for name, scores in zip(found.names, found.scores, strict=True):
        low, high = scores.interval
        lines.append(
            f"{name:<{wide}}  validation accuracy {scores.accuracy:6.1%} ({low:.1%} to {high:.1%}, {scores.count:,} images)  "
            f"loss {scores.loss:.3f}  macro F1 {scores.macro_f1:.3f}"
        )
    lines += ["", "Settings that differ:" if found.settings else "All settings are the same."]
    lines += [
        f"  {name:<24} {'  '.join('by rule' if value is None else str(value) for value in values)}"
        for name, values in found.settings.items()
    ]
    lines += ["", *(pair.verdict for pair in found.pairs)]
    if not quiet:
        lines += [f"Note: {note}." for note in found.notes]
    return lines_for_terminal("\n".join(lines))
