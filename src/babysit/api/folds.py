"""Cross-validation: a run for each fold, and what they come to together."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from babysit.api.running import Settings, Trained, overrides_of, read_request, stem_of, train, written_settings
from babysit.clock import Clock
from babysit.errors import InterruptedTraining, UserError, writing
from babysit.metrics import Spread, spread, wilson_interval
from babysit.recipe import Override, Parsed
from babysit.record import atomic
from babysit.record import run as runs
from babysit.show import Show, Silent

FILE = "folds.json"


@dataclass(frozen=True)
class CrossValidated:
    """What the folds came to.

    `run` the folder that holds the runs; `folds` what each came to, in order; `asked` how many there should be;
    `accuracy` mean and spread of the folds' validation accuracy; `correct` of `count` images named rightly, each
    image by the network that was not trained on it.
    """

    run: Path
    folds: tuple[Trained, ...]
    asked: int
    accuracy: Spread | None
    correct: int
    count: int

    @property
    def stopped(self) -> bool:
        """Whether a diagnosis ended a fold, and with it the rest."""
        return any(fold.stopped for fold in self.folds)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of correct / count."""
        return wilson_interval(self.correct, self.count)

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return {
            "run": str(self.run),
            "accuracy": self.accuracy.as_json() if self.accuracy else {},
            "pooled": {
                "accuracy": self.correct / self.count if self.count else None,
                "correct": self.correct,
                "count": self.count,
                "interval": list(self.interval),
            },
            "folds": [fold.as_json() for fold in self.folds],
        }


def cross_validate(
    data: str,
    *,
    out: str | Path | None = None,
    recipe: str | Path | None = None,
    settings: Settings = (),
    resume: bool = False,
    show: Show | None = None,
    clock: Clock | None = None,
    anyway: bool = False,
) -> CrossValidated:
    """Trains once for each fold, which is validation then, and tells mean and spread of the accuracy.

    Each fold is an ordinary run in RUN/fold-1, RUN/fold-2, ...; the test part is the same for all, and none looks at
    it. A budget is shared out evenly. What the folds came to is kept in RUN/folds.json.

    Arguments:
        data: as of `train`.
        out: the folder of the runs; by default `runs/NAME-folds`, with a number when that exists.
        recipe: a TOML file of settings.
        settings: dotted name to value, laid over the recipe; `data.folds` says how many, here or in the recipe.
        resume: go on where an earlier call was stopped; finished folds are skipped.
        anyway: train also when a check before training fails.

    Raises:
        UserError: when the user must change something.
        InterruptedTraining: after Ctrl-C or SIGTERM, with the state saved.
    """
    show, clock = show or Silent(), clock or Clock(time.perf_counter())
    place = _place(data, out, resume=resume)
    words = list(overrides_of(settings))
    if resume:
        words += _missing(place, read_request(data, recipe, settings))
    asked = read_request(data, recipe, words)
    folds, budget = asked.recipe.data.folds, asked.recipe.train.budget
    if folds is None or asked.recipe.data.fold is not None:
        raise UserError("how many folds?", where="data.folds", legal="2 to 100, and no data.fold beside it")
    kept = {"asked": written_settings(asked)}
    _write(place, kept)
    if budget:
        words.append(Override("train.budget", budget / folds, "a fold's share of the budget"))
    done: list[Trained] = []
    for number in range(1, folds + 1):
        show.say(f"Fold {number} of {folds}:")
        try:
            one = train(
                data,
                out=place / f"fold-{number}",
                recipe=recipe,
                settings=[*words, Override("data.fold", number, f"fold {number}")],
                resume=resume,
                show=show,
                clock=clock if number == 1 else None,
                anyway=anyway,
            )
        except InterruptedTraining as stopped:
            command = f"babysit train {quote(data)} --folds {folds} -o {quote(str(place))} --resume"
            raise InterruptedTraining(f"{str(stopped).split(' Go on with:')[0]} Go on with: {command}") from None
        done.append(one)
        if one.stopped:
            break
    result = _together(place, done, folds)
    _write(place, {**result.as_json(), **kept})
    return result


def _place(data: str, out: str | Path | None, *, resume: bool) -> Path:
    """The folder of the runs.

    Raises:
        UserError: when it is taken, or is itself a run, or none is named to go on with.
    """
    if out is None:
        if resume:
            raise UserError("--resume needs to know which run", where="--resume", hint="Give its folder with -o RUN")
        return runs.free_name(Path("runs"), f"{stem_of(data)}-folds")
    place = Path(out)
    if (place / "manifest.json").exists():
        raise UserError("this is one run, not a folder of folds", where=str(place), hint="Choose another place with -o")
    if not resume:
        runs.check_free(place)
    return place


def _missing(place: Path, asked: Parsed) -> list[Override]:
    """What the earlier call was given and this one was not, so that folds still to come are trained like the others."""
    try:
        before = json.loads((place / FILE).read_text(encoding="utf-8"))["asked"]
        return [Override(name, value, str(place / FILE)) for name, value in before.items() if name not in asked.places]
    except (OSError, ValueError, KeyError, AttributeError):
        return []


def _write(place: Path, values: dict[str, Any]) -> None:
    with writing(place, "the folds' result"):
        place.mkdir(parents=True, exist_ok=True)
        atomic.write_json(place / FILE, values)


def _together(place: Path, done: Sequence[Trained], asked: int) -> CrossValidated:
    scores = [one.validation for one in done if one.validation]
    return CrossValidated(
        run=place,
        folds=tuple(done),
        asked=asked,
        accuracy=spread([score["accuracy"] for score in scores]) if scores else None,
        correct=sum(score["correct"] for score in scores),
        count=sum(score["count"] for score in scores),
    )
