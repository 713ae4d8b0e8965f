"""`babysit report`: the run's page, written again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def report(
    run: Path,
    /,
    *,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Write the self-contained page about a run again.

    Parameters
    ----------
    run
        The folder of a run.
    json_
        Print one JSON object.
    quiet
        Print nothing.
    """
    from babysit import api

    path = api.report(run)
    if json_:
        print(json.dumps({"report": str(path)}))  # noqa: T201
    elif not quiet:
        print(path)  # noqa: T201
    return 0
