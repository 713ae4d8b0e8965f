"""`babysit diagnose`: the rules over a recorded log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from babysit.names import lines_for_terminal


def diagnose(
    run: Path,
    /,
    *,
    confirm: Annotated[bool, Parameter(negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Judge a recorded run: what is wrong, since when, how sure that is, what to change.

    Parameters
    ----------
    run
        The folder of a run, of babysit train or of babysit.watch.
    confirm
        Also make the experiments that decide, on copies: some steps without and with changed settings.
    json_
        Print one JSON list, worst first, and nothing else on standard output.
    quiet
        Print nothing but errors.
    """
    from babysit import api
    from babysit.cli.progress import make_show

    with make_show(quiet=quiet) as show:
        found = api.diagnose(run, confirm=confirm, show=show)
    if json_:
        print(json.dumps(found.as_json()))  # noqa: T201
    elif not quiet:
        print(lines_for_terminal("\n".join(api.diagnosis_lines(found))))  # noqa: T201
    return 3 if found.stopped else 0
