"""Runs side by side: the settings that differ, accuracies with intervals, and McNemar's test on the same images."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babysit.errors import UserError
from babysit.metrics import Scores, mcnemar
from babysit.recipe import read_resolved, setting_names
from babysit.record import predictions
from babysit.record.predictions import Predicted
from babysit.record.run import Run

UNLIKELY = 0.05


@dataclass(frozen=True)
class Pair:
    """Two runs on the images that both have in validation, with the same label.

    `common` images; `only_first`, `only_second` those that one alone got right; `p` of McNemar's exact test.
    """

    first: str
    second: str
    common: int
    only_first: int
    only_second: int
    p: float

    @property
    def verdict(self) -> str:
        """What follows, in a sentence."""
        if not self.common:
            return (
                f"{self.first} and {self.second} share no validation image, so they cannot be compared image by image."
            )
        counts = (
            f"on {self.common:,} common images {self.first} alone is right {self.only_first} times, {self.second} alone "
            f"{self.only_second} times (p = {self.p:.3g})"
        )
        if self.p >= UNLIKELY:
            return f"No difference can be told: {counts}."
        better = self.first if self.only_first > self.only_second else self.second
        return f"{better} is better: {counts}."


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    `names` of the runs as given; `settings` dotted name -> value in each run, only those that differ.
    """

    names: tuple[str, ...]
    scores: tuple[Scores, ...]
    settings: dict[str, tuple[object, ...]]
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The comparison as plain JSON values."""
        return {
            "runs": [
                {
                    "run": name,
                    "accuracy": one.accuracy,
                    "interval": list(one.interval),
                    "count": one.count,
                    "loss": one.loss,
                    "macro_f1": one.macro_f1,
                }
                for name, one in zip(self.names, self.scores, strict=True)
            ],
            "settings": {name: list(values) for name, values in self.settings.items()},
            "pairs": [
                {
                    "first": one.first,
                    "second": one.second,
                    "common": one.common,
                    "only_first": one.only_first,
                    "only_second": one.only_second,
                    "p": one.p,
                    "verdict": one.verdict,
                }
                for one in self.pairs
            ],
            "notes": list(self.notes),
        }


def compare_runs(paths: Sequence[Path]) -> Comparison:
    """Compares two or more runs by what they keep; nothing is predicted again.

    Raises:
        UserError: fewer than two, one given twice, or one that is no run or has not finished an epoch.
    """
    if len(paths) < 2:
        raise UserError(f"{len(paths)} run is given", legal="two runs or more", hint="babysit runs lists them")
    names = tuple(str(path) for path in paths)
    if len({path.resolve() for path in paths}) < len(paths):
        raise UserError("a run is given twice", where=", ".join(names), legal="different runs")
    runs = [Run(path) for path in paths]
    said = [tuple(run.read_manifest().get("data", {}).get("classes", ())) for run in runs]
    predicted = [predictions.read(run) for run in runs]
    classes = [_checked(*one) for one in zip(runs, said, predicted, strict=True)]
    recipes = [read_resolved(run.recipe) for run in runs]
    settings = {name: tuple(_plain(recipe.get(name)) for recipe in recipes) for name in setting_names()}
    pairs = [
        _pair((names[first], names[second]), (predicted[first], predicted[second]), (classes[first], classes[second]))
        for first, second in itertools.combinations(range(len(runs)), 2)
    ]
    notes = ["each run was chosen by its own validation images, so all accuracies lean a little to the good side"]
    if len(pairs) > 1:
        notes.append(f"of {len(pairs)} comparisons one in {round(1 / UNLIKELY)} shows a difference by chance alone")
    return Comparison(
        names,
        tuple(one.scores(of) for one, of in zip(predicted, classes, strict=True)),
        {name: values for name, values in settings.items() if any(value != values[0] for value in values)},
        tuple(pairs),
        tuple(notes),
    )


def _checked(run: Run, classes: tuple[str, ...], predicted: Predicted) -> tuple[str, ...]:
    count = predicted.probabilities.shape[1]
    if len(classes) != count:
        what = f"the run's manifest names {len(classes)} classes, and its predictions are of {count}"
        raise UserError(what, where=str(run.manifest))
    return classes


def _plain(value: object) -> object:
    return [list(one) if isinstance(one, tuple) else one for one in value] if isinstance(value, tuple) else value


def _pair(
    names: tuple[str, str], predicted: tuple[Predicted, Predicted], classes: tuple[tuple[str, ...], tuple[str, ...]]
) -> Pair:
    """Pairs images by content; equal images count once, and one whose label differs between the runs not at all."""
    first, second = (_right(one, of) for one, of in zip(predicted, classes, strict=True))
    common = [key for key in first if key in second]
    only_first = sum(first[key] and not second[key] for key in common)
    only_second = sum(second[key] and not first[key] for key in common)
    return Pair(*names, len(common), only_first, only_second, mcnemar(only_first, only_second))


def _right(predicted: Predicted, classes: tuple[str, ...]) -> dict[tuple[str, str], bool]:
    """(content, label) -> whether the network named it."""
    right = predicted.probabilities.argmax(axis=1) == predicted.labels
    keys = zip(predicted.hashes, (classes[label] for label in predicted.labels.tolist()), strict=True)
    return dict(zip(keys, right.tolist(), strict=True))
