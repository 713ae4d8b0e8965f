"""The look at the test part: once, counted, with the best network; nothing is chosen by it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from babysit import checkpoint
from babysit.calibration import (
    Calibration,
    at_temperature,
    calibrate,
    expected_calibration_error,
    negative_log_likelihood,
)
from babysit.clock import Clock
from babysit.data.augment import canvas_for
from babysit.data.cache import Cache, open_cache
from babysit.data.catalog import Catalog
from babysit.data.corrections import read_lists
from babysit.errors import UserError
from babysit.evaluating.finishing import spread
from babysit.evaluating.same_images import pixel_hashes, remember_nearby
from babysit.inference.predictor import Predictor, load_predictor
from babysit.inference.views import VIEWS, View
from babysit.metrics import Scores, score
from babysit.record import ledger, predictions
from babysit.record.predictions import Listed
from babysit.record.run import Run
from babysit.show import Show
from babysit.training import prepare

MOST_VALIDATION = 5000
"""Validation images that the views are tried on: enough to tell half a point, and ten windows of each take long."""


@dataclass(frozen=True)
class Gain:
    """What a view is worth on validation: accuracy, and its gain over `plain` in the same units (a share)."""

    view: View
    windows: int
    accuracy: float
    gain: float
    images: int


@dataclass(frozen=True)
class Tested:
    """What a look at the test part came to.

    `scores` of the view asked for, its loss at the fitted temperature; `plain` those of the centre window;
    `calibration` the temperature with loss and ECE before and after it, on the test images; `gains` of every view on
    validation; `meaning` what the number of looks does to the estimate; `notes` sentences for the user.
    """

    run: Path
    view: View
    scores: Scores
    plain: Scores
    calibration: Calibration
    gains: tuple[Gain, ...]
    looks: ledger.Looks
    step: int
    notes: tuple[str, ...] = ()

    @property
    def meaning(self) -> str:
        """What that many looks do to the estimate."""
        return ledger.meaning(self.looks)

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        low, high = self.plain.interval
        return {
            "run": str(self.run),
            "view": self.view,
            **self.scores.as_json(),
            "plain": {"accuracy": self.plain.accuracy, "interval": [low, high], "correct": self.plain.correct},
            "views_on_validation": [
                {
                    "view": one.view,
                    "windows": one.windows,
                    "accuracy": one.accuracy,
                    "gain": one.gain,
                    "count": one.images,
                }
                for one in self.gains
            ],
            "calibration": self.calibration.as_json(),
            "looks": len(self.looks),
            "what_it_means": self.meaning,
            "ledger": [look.as_json() for look in self.looks.looks],
            "step": self.step,
            "notes": list(self.notes),
        }


def look(path: Path, *, again: bool, view: View, data: str | None, show: Show, clock: Clock) -> Tested:
    """Evaluates the test part and writes the look into the ledger before anything is returned.

    Arguments:
        again: take a look though there were some before.
        view: the windows whose scores are averaged.
        data: where the images are now, when they have moved.

    Raises:
        UserError: no run, no test part, no finished epoch, changed images, or a second look that was not asked for.
    """
    run = Run(path)
    run.read_manifest()
    _check_finished(run)
    listed = predictions.read_split(run)
    test = _test_part(run, listed)
    known = [one.hash for one in test if one.hash]
    remember_nearby(path)
    if not again and known:
        ledger.check_first(ledger.looks_at(known, run.looks), run.looks)
    network = load_predictor(path)
    catalog, cache = open_images(network, data, show, clock)
    rows, labels = rows_of(test, catalog, cache, network.classes, "test")
    pictures = pixel_hashes(cache, rows, network.recipe.data.resize)
    if not again:
        ledger.check_first(ledger.looks_at(known, run.looks, pictures), run.looks)
    gains, calibrations, notes = _on_validation(run, network, listed, catalog, cache)
    with clock.section("test"):
        wanted = tuple(dict.fromkeys(("plain", view)))
        said = network.scores(cache.pixels, rows, wanted)
    temperature = calibrations.get(view) or network.calibrations.get(view) or network.calibrations.get("plain")
    measured = _measured(said[view], labels, temperature.temperature if temperature else 1.0)
    classes = network.classes
    result = score(at_temperature(said[view], measured.temperature).astype(np.float32), labels, classes)
    plain = score(at_temperature(said["plain"], 1.0).astype(np.float32), labels, classes)
    hashes = [cache.hashes[row] for row in rows.tolist()]
    entry = ledger.new_look(hashes, run=path, step=network.step, view=view, accuracy=result.accuracy)
    looks = ledger.append(entry, hashes, run.looks, again=again, pictures=pictures)
    if calibrations:
        predictions.write_calibrations(run, {**calibrations})
    predictions.write(run, "test", rows, labels, at_temperature(said[view], 1.0).astype(np.float32))
    if not predictions.has_validation(run):
        run.attention.unlink(missing_ok=True)  # those are of the mistakes seen through an earlier view
    return Tested(path, view, result, plain, measured, gains, looks, network.step, (*network.notes, *notes))


def open_images(network: Predictor, data: str | None, show: Show, clock: Clock) -> tuple[Catalog, Cache]:
    """The run's images, decoded.

    Arguments:
        data: where they are now; by default where the run found them.

    Raises:
        UserError: when they are not there any more.
    """
    recipe = network.recipe.replace({"data.source": data}) if data else network.recipe
    try:
        lists = read_lists(recipe.data.exclude, recipe.data.relabel)
        catalog, _, _ = prepare.look(recipe, clock, lists=lists, show=show)
    except UserError as error:
        if data is not None or Path(recipe.data.source).exists():
            raise
        raise UserError(
            "the data this run was trained on are not there any more",
            where=recipe.data.source,
            hint="Put them back, or say where they are now with --data",
        ) from error
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        show.decoding(done, len(catalog))

    with clock.section("decode"):
        return catalog, open_cache(catalog, canvas_for(network.size), recipe.data.resize, progress=progress)


def rows_of(
    part: list[Listed], catalog: Catalog, cache: Cache, classes: tuple[str, ...], name: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cache rows and labels of a part as the run's split lists it: found by content, so renamed files are too.

    Raises:
        UserError: when an image is gone or its content has changed.
    """
    by_hash = {content: row for row, content in enumerate(cache.hashes) if row not in cache.unreadable}
    by_name = {path: row for row, path in enumerate(catalog.names)}
    rows = [by_hash.get(one.hash, -1) if one.hash else by_name.get(one.path, -1) for one in part]
    lost = [one.path for one, row in zip(part, rows, strict=True) if row < 0]
    if lost:
        changed = sum(path in by_name for path in lost)
        raise UserError(
            f"{len(lost)} of the {len(part)} {name} images are not what they were when the run began "
            f"({changed} changed, {len(lost) - changed} gone; for example {lost[0]})",
            where=catalog.source,
            hint="Put them back as they were; other images need a new run",
        )
    number = {label: index for index, label in enumerate(classes)}
    return np.array(rows, np.int64), np.array([number[one.label] for one in part], np.int64)


def _check_finished(run: Run) -> None:
    """Refuses a run without a finished epoch: it has no predictions of validation, or no best network.

    Raises:
        UserError: saying so.
    """
    if predictions.has_validation(run):
        predictions.read(run)
    elif not checkpoint.best_path(run.checkpoints):
        raise UserError(
            "the run has not finished an epoch, so there is nothing to judge",
            where=str(run.path),
            hint="Train it further with --resume",
        )


def _test_part(run: Run, listed: list[Listed]) -> list[Listed]:
    test = [one for one in listed if one.part == "test"]
    if not test:
        raise UserError(
            "the run has no test part",
            where=str(run.split),
            hint="Its validation accuracy is all there is; for a test part, train with more images, or with a test/ folder",
        )
    return test


def _on_validation(
    run: Run, network: Predictor, listed: list[Listed], catalog: Catalog, cache: Cache
) -> tuple[tuple[Gain, ...], dict[str, Calibration], list[str]]:
    """What each view gains, and its temperature, both on validation alone."""
    part = [one for one in listed if one.part == "val"]
    if not part:
        said = "what a view gains is not measured, since the run has trained on its validation images"
        return (), predictions.read_calibrations(run), [said]
    try:
        rows, labels = rows_of(part, catalog, cache, network.classes, "validation")
    except UserError as error:
        return (), {}, [f"the views could not be tried on validation: {error}"]
    some = spread(len(rows), MOST_VALIDATION)
    said = network.scores(cache.pixels, rows[some], VIEWS)
    accuracy = {view: float((one.argmax(axis=1) == labels[some]).mean()) for view, one in said.items()}
    counts = {"plain": 1, "flip": 2, "five": 5, "ten": 10}
    gains = tuple(
        Gain(view, counts[view], accuracy[view], accuracy[view] - accuracy["plain"], len(some)) for view in VIEWS
    )
    known = predictions.read_calibrations(run)
    new = {view: calibrate(one, labels[some]) for view, one in said.items() if view not in known}
    return gains, {**known, **new}, []


def _measured(said: NDArray[np.float32], labels: NDArray[np.int64], temperature: float) -> Calibration:
    """A temperature fitted elsewhere, judged on these images."""
    before, after = at_temperature(said, 1.0), at_temperature(said, temperature)
    return Calibration(
        temperature,
        len(labels),
        negative_log_likelihood(said, labels, 1.0),
        negative_log_likelihood(said, labels, temperature),
        expected_calibration_error(before, labels),
        expected_calibration_error(after, labels),
    )
