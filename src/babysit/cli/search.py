"""`babysit search`: the learning rate, and coarse to fine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter


def search(
    data: str,
    /,
    *,
    only: Literal["rate"],  # noqa: ARG001 - the one part there is
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    model: str | None = None,
    size: str | None = None,
    seed: str | None = None,
    recipe: Path | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative="", consume_multiple=False)] = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Find a learning rate by a range test: the loss while the rate rises, and where it is best.

    Parameters
    ----------
    data
        As of `babysit train`.
    only
        `rate`: the learning-rate range test.
    out
        The page; by default rate-NAME.html here.
    model
        The architecture, as `babysit show` lists them, timm/NAME, or path/to/file.py:name, a function of yours.
    size
        Side of the training images in pixels; by default chosen from the images.
    seed
        Of everything random; 0 by default.
    recipe
        A TOML file of settings.
    set_
        One setting, as in --set optim.momentum=0.8; may be given several times.
    json_
        Print one JSON object on standard output and nothing else there.
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
        test = api.find_rate(data, out=out, recipe=recipe, settings=overrides, show=show)
    if json_:
        print(json.dumps(test.as_json()))  # noqa: T201
    return 0
