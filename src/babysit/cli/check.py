"""`babysit check`: the ladder before training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def check(
    data: str,
    /,
    *,
    model: str | None = None,
    size: str | None = None,
    seed: str | None = None,
    recipe: Path | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative="", consume_multiple=False)] = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Check data, network and loss before training: a ladder, each rung with what to change.

    Parameters
    ----------
    data
        As of `babysit train`.
    model
        The architecture, as `babysit show` lists them, timm/NAME, or path/to/file.py:name, a function of yours.
    size
        Side of the training images in pixels; by default chosen from the images.
    seed
        Of everything random; 0 by default.
    recipe
        A TOML file of settings.
    set_
        One setting, as in --set optim.lr=0.1; may be given several times.
    json_
        Print one JSON list on standard output and nothing else there.
    quiet
        Print nothing but errors.
    """
    from babysit import api
    from babysit.cli.progress import make_show
    from babysit.recipe import Override

    overrides = [Override.from_text(text) for text in set_ or []]
    for name, option, value in (
        ("model.name", "--model", model),
        ("data.size", "--size", size),
        ("seed", "--seed", seed),
    ):
        if value is not None:
            overrides.append(Override(name, Override.from_text(f"{name}={value}").value, f"{option} {value}"))
    with make_show(quiet=quiet) as show:
        outcomes = api.check_data(data, recipe=recipe, settings=overrides, show=show)
    if json_:
        print(json.dumps([one.as_json() for one in outcomes]))  # noqa: T201
    return 3 if any(one.verdict == "failed" for one in outcomes) else 0
