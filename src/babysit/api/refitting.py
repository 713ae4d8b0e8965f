"""Refitting: a finished training once more, on its training and validation images together, with everything frozen."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Any

from babysit.api.running import STOPPED, Trained, train
from babysit.clock import Clock
from babysit.errors import InterruptedTraining, UserError
from babysit.recipe import Override, Recipe, read_resolved
from babysit.record import predictions
from babysit.record.refitted import TEMPERATURE, Refit
from babysit.record.run import Run
from babysit.reporting.page import write_report
from babysit.show import Show, Silent, plural

FOLDER = "refit"


@dataclass(frozen=True)
class Refitted:
    """What a refit came to: the `training` (it has no validation scores), and `about` it, how it is judged."""

    training: Trained
    about: Refit

    @property
    def run(self) -> Path:
        """Its run directory."""
        return self.training.run

    @property
    def stopped(self) -> bool:
        """Whether a diagnosis ended the training."""
        return self.training.stopped

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return {**self.training.as_json(), "refit": self.about.as_json()}


def refit(
    run: str | Path,
    *,
    data: str | None = None,
    resume: bool = False,
    show: Show | None = None,
    clock: Clock | None = None,
    anyway: bool = False,
) -> Refitted:
    """Trains once more on a run's training and validation images together; every setting stays as it was.

    The length is that of the kept epoch: as many passes over the images, under the same schedule. Nothing is chosen,
    so the last network is the one that is kept; probabilities use the selected network's temperature. The new run is
    RUN/refit.

    Arguments:
        run: a finished run.
        data: where its images are now, when they have moved.
        resume: go on with a refit that was stopped.
        anyway: train also when a check before training fails.

    Raises:
        UserError: when the run is not one to refit, or its images have changed.
        InterruptedTraining: after Ctrl-C or SIGTERM, with the state saved.
    """
    show, selected = show or Silent(), Run(Path(run))
    manifest, recipe = _finished(selected)
    about, place = _about(selected, manifest), selected.path / FOLDER
    if not resume and (place / "manifest.json").exists():
        raise UserError(
            "this run has been refitted already",
            where=str(place),
            hint="Go on with it with --resume if it was stopped, or remove that folder to do it again",
        )
    changes = {
        **_length(recipe, about),
        "data.split": str(selected.split.resolve()),
        "data.folds": None,
        "data.fold": None,
        "train.patience": None,
        "train.refit": True,
        "watch.remedy": "off",
    }
    show.say(
        f"Refitting on {plural(about.images, 'image')}, train and validation together, for the "
        f"{plural(about.epoch, 'epoch')} of the network that was kept; all settings are those of {selected.recipe}."
    )
    source = data or recipe.data.source
    try:
        done = train(
            source,
            out=place,
            recipe=selected.recipe,
            settings=[Override(name, value, "a refit") for name, value in changes.items()],
            resume=resume,
            show=show,
            clock=clock or Clock(time.perf_counter()),
            anyway=anyway,
        )
    except InterruptedTraining as stopped:
        command = f"babysit train {quote(source)} -o {quote(str(selected.path))} --refit --resume"
        raise InterruptedTraining(f"{str(stopped).split(' Go on with:')[0]} Go on with: {command}") from None
    made = Run(done.run)
    made.update_manifest(refit=asdict(about))
    calibrations = predictions.read_calibrations(selected)
    predictions.write_calibrations(
        made, {view: replace(one, note=one.note or TEMPERATURE) for view, one in calibrations.items()}
    )
    write_report(made)
    return Refitted(done, about)


def _finished(selected: Run) -> tuple[dict[str, Any], Recipe]:
    """The manifest and recipe of a run that can be refitted.

    Raises:
        UserError: saying why it cannot.
    """
    if (selected.path / "folds.json").exists():
        raise UserError(
            "this is a folder of folds, none of which was chosen",
            where=str(selected.path),
            hint="Train one run on these data and refit that",
        )
    manifest = selected.read_manifest()
    status = manifest.get("status")
    if status == STOPPED:
        raise UserError("a diagnosis stopped this run, so there is nothing to repeat", where=str(selected.path))
    if status != "finished":
        raise UserError(
            f"the run is not finished ({status}), so no network was chosen yet",
            where=str(selected.path),
            hint="Finish it with --resume first",
        )
    recipe = read_resolved(selected.recipe)
    if recipe.train.refit:
        raise UserError("this run is a refit itself: it has no validation part", where=str(selected.path))
    return manifest, recipe


def _about(selected: Run, manifest: dict[str, Any]) -> Refit:
    counts = {part: sum(of_class) for part, of_class in manifest["data"]["counts"].items()}
    kept = predictions.read(selected)
    correct = int((kept.probabilities.argmax(axis=1) == kept.labels).sum())
    return Refit(
        of=str(selected.path.resolve()),
        epoch=int(manifest["best_epoch"]),
        correct=correct,
        count=len(kept.labels),
        images=counts["train"] + counts["val"],
        before=counts["train"],
        test_images=counts["test"],
    )


def _length(recipe: Recipe, about: Refit) -> dict[str, object]:
    """The settings that count steps, for epochs that have more of them; and the end, when the last epoch was not the best."""
    batch, train = recipe.optim.batch_size, recipe.train
    assert batch is not None, "a resolved recipe has a batch size"
    before, now = max(1, about.before // batch), max(1, about.images // batch)

    def scaled(steps: int) -> int:
        return max(1, round(steps * now / before))

    changes: dict[str, object] = {}
    if train.steps is not None:
        changes["train.steps"] = scaled(train.steps)
        # Two corrections that fall on one step are one: the later counts.
        knots = {round(step * now / before): scaled(total) for step, total in train.corrections}
        changes["train.corrections"] = tuple(knots.items())
    if recipe.schedule.every is not None:
        changes["schedule.every"] = scaled(recipe.schedule.every)
    if train.earlier:
        changes["train.earlier"] = tuple((scaled(step), *rest) for step, *rest in train.earlier)
    whole = -(-train.steps // before) if train.steps is not None else train.epochs
    assert whole is not None, "a finished run has a length"
    if about.epoch < whole:
        changes["train.stop_after"] = about.epoch
    return changes
