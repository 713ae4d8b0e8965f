"""`babysit runs`: the runs in a folder; removing one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from babysit.errors import UserError
from babysit.names import lines_for_terminal

if TYPE_CHECKING:
    from babysit.evaluating.listing import ListedRun


def runs(
    folder: Path = Path("runs"),
    /,
    *,
    remove: str | None = None,
    yes: Annotated[bool, Parameter(negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """List the runs in a folder, newest first; or remove one.

    Parameters
    ----------
    folder
        The folder that holds the runs.
    remove
        The name of a run to remove, as the list shows it.
    yes
        Remove without asking.
    json_
        Print one JSON object.
    quiet
        Print nothing when a run is removed.
    """
    from babysit import api

    if remove is not None:
        path = api.find_run(folder, remove)
        if not yes:
            _ask(path)
        freed = api.remove_run(folder, remove)
        if json_:
            print(json.dumps({"removed": str(path), "bytes": freed}))  # noqa: T201
        elif not quiet:
            print(f"Removed {path} ({_size(freed)}). Looks at its test images stay counted.")  # noqa: T201
        return 0
    found = api.list_runs(folder)
    if json_:
        print(json.dumps({"runs": [one.as_json() for one in found]}))  # noqa: T201
    else:
        print(_table(found) if found else f"There are no runs in {folder}.")  # noqa: T201
    return 0


def _ask(path: Path) -> None:
    if not sys.stdin.isatty():
        raise UserError("a run is removed for good", where=str(path), hint="Say --yes to remove it without being asked")
    print(f"Remove {path} and everything in it? [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201
    if input().strip().lower() not in ("y", "yes"):
        raise UserError("nothing was removed", where=str(path))


def _table(found: list[ListedRun]) -> str:
    wide = max(4, *(len(one.name) for one in found))
    data = max(4, *(min(40, len(one.data)) for one in found))
    lines = [f"{'name':<{wide}}  {'data':<{data}}  {'accuracy':>8}  {'status':<12}  {'date':<16}  {'size':>9}"]
    for one in found:
        accuracy = "" if one.accuracy is None else f"{one.accuracy:.1%}"
        source = one.data if len(one.data) <= 40 else f"...{one.data[-37:]}"
        lines.append(
            f"{one.name:<{wide}}  {source:<{data}}  {accuracy:>8}  {one.status[:12]:<12}  "
            f"{one.date[:16].replace('T', ' '):<16}  {_size(one.size):>9}" + (f"  {one.problem}" if one.problem else "")
        )
    return lines_for_terminal("\n".join(lines))


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
