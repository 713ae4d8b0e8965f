"""`babysit cache`: the decoded images that are kept: where, of what, how much, and away with them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from babysit.data.storage import DecodedImages, Kept


def cache(
    names: Annotated[list[str] | None, Parameter(negative="")] = None,
    /,
    *,
    clear: Annotated[bool, Parameter(negative="")] = False,
    limit: str | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Show the decoded images that are kept, and remove them. What a living process uses stays.

    Parameters
    ----------
    names
        Only these: the beginning of a name, or the path of the data.
    clear
        Remove them; without names all of them.
    limit
        Remove the ones used longest ago until the rest takes no more than this: 500M, 20G.
    json_
        Print one JSON object.
    quiet
        Print nothing.
    """
    from babysit import api

    found = api.decoded_images(names or (), clear=clear, limit=limit)
    if json_:
        print(json.dumps(found.as_json()))  # noqa: T201
    elif not quiet:
        print(_text(found, changed=clear or limit is not None))  # noqa: T201
    return 0


def _text(found: DecodedImages, *, changed: bool) -> str:
    lines = [f"Decoded images in {found.path}"]
    if found.kept:
        lines += [
            "",
            f"{'name':<12}  {'images':>9}  {'canvas':>7}  {'size':>10}  {'last used':<16}  data",
            *_rows(found.kept),
        ]
    total = sum(one.bytes for one in found.kept)
    lines += [
        "",
        f"{_megabytes(total)} shown; all together may take {_megabytes(found.limit_bytes)} (BABYSIT_CACHE_LIMIT).",
    ]
    if found.removed:
        lines += ["", f"Removed {_megabytes(sum(one.bytes for one in found.removed))}:", *_rows(found.removed)]
    elif changed:
        lines += ["", "Nothing was removed."]
    return "\n".join(lines)


def _rows(kept: Sequence[Kept]) -> list[str]:
    return [
        f"{one.name[:12]:<12}  {one.images:>9,}  {one.size:>4} px  {_megabytes(one.bytes):>10}  {_day(one.used):<16}  "
        f"{_one_line(one.source)}{' (in use)' if one.in_use else ''}"
        for one in kept
    ]


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _one_line(text: str) -> str:
    """A path without what could move the cursor or turn the direction of writing."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
