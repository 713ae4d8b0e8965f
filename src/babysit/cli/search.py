"""`babysit search`: the learning rate, and coarse to fine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from babysit.errors import UserError

if TYPE_CHECKING:
    from babysit.recipe import Override
    from babysit.searching.stages import Effort


def search(
    data: str | None = None,
    /,
    *,
    only: Literal["rate"] | None = None,
    over: str | None = None,
    trials: Annotated[int | None, Parameter(negative="")] = None,
    budget: str | None = None,
    join: Path | None = None,
    storage: str | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    model: str | None = None,
    size: str | None = None,
    epochs: str | None = None,
    seed: str | None = None,
    recipe: Path | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative="", consume_multiple=False)] = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Search settings from coarse to fine, or (--only rate) find a learning rate by a range test.

    Parameters
    ----------
    data
        As of `babysit train`; with --join it may be left out.
    only
        `rate`: the learning-rate range test; the loss while the rate rises, and where it is best.
    over
        What is searched, as in optim.lr,regularize.l2=1e-5..1e-3,model.name=quick|convnet; by default optim.lr,regularize.l2.
    trials
        Coarse trials; by default 27.
    budget
        Instead of them a time, all workers' work together: 30m, 2h.
    join
        The folder of a search: adds a worker to it, or goes on with it after an interruption.
    storage
        The address of a database instead of SQLite in the folder, as in postgresql://user@host/name.
    out
        The search's folder, by default runs/NAME-search; of --only rate the page, by default rate-NAME.html here.
    model
        The architecture, as `babysit show` lists them, timm/NAME, or path/to/file.py:name, a function of yours.
    size
        Side of the training images in pixels; by default chosen from the images.
    epochs
        The full length of a trial; by default as `babysit train` chooses it.
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
    from babysit.clock import process_clock

    clock = process_clock()
    coarse = {"--over": over, "--trials": trials, "--budget": budget, "--storage": storage}
    named = {"--model": model, "--size": size, "--epochs": epochs, "--seed": seed}
    if join is not None:
        begins = {**coarse, **named, "--only": only, "-o": out, "--recipe": recipe, "--set": set_}
        _refuse(begins, "--join goes on with the search as it was begun", "Leave it out")
    elif data is None:
        raise UserError("there is no DATA to search with", hint="babysit search DATA, or babysit search --join STUDY")
    if only is not None:
        _refuse(coarse, f"--only {only} searches nothing else", "Leave it out, or leave out --only")
    effort, overrides = _effort(trials, budget), _overrides(set_ or [], named)

    from babysit import api
    from babysit.cli.progress import make_show

    with make_show(quiet=quiet) as show:
        if join is not None:
            done = api.join(join, data=data, show=show)
        elif only == "rate":
            done = api.find_rate(str(data), out=out, recipe=recipe, settings=overrides, show=show)
        else:
            begin = api.search  # imports torch, which the budget pays for
            if effort and effort.budget:
                effort = replace(effort, budget=max(1.0, effort.budget - clock.running()))
            done = begin(
                str(data),
                out=out,
                over=over or "",
                effort=effort,
                storage=storage or "",
                recipe=recipe,
                settings=overrides,
                show=show,
            )
    if json_:
        print(json.dumps(done.as_json()))  # noqa: T201
    return 0


def _effort(trials: int | None, budget: str | None) -> Effort | None:
    """How much is searched, None for the usual."""
    from babysit.cli.train import seconds_of
    from babysit.searching.stages import Effort

    if trials is not None and budget is not None:
        raise UserError("both --trials and --budget are given", legal="one of them")
    if trials is not None and trials < 3:
        raise UserError(f"{trials} trials are no search", where="--trials", legal="3 and more")
    return Effort(trials, seconds_of(budget) if budget else None) if trials or budget else None


def _overrides(settings: list[str], named: Mapping[str, str | None]) -> list[Override]:
    """The settings of --set and of the options that are settings."""
    from babysit.recipe import Override

    names = {"--model": "model.name", "--size": "data.size", "--epochs": "train.epochs", "--seed": "seed"}
    given = [(names[option], option, value) for option, value in named.items() if value is not None]
    return [
        *(Override.from_text(text) for text in settings),
        *(
            Override(name, Override.from_text(f"{name}={value}").value, f"{option} {value}")
            for name, option, value in given
        ),
    ]


def _refuse(options: Mapping[str, object], what: str, hint: str) -> None:
    """Says of an option that it has no place here, rather than ignoring it."""
    if given := [name for name, value in options.items() if value is not None]:
        raise UserError(what, where=", ".join(given), hint=hint)
