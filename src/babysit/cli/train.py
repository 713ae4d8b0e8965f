"""`babysit train`: the main job."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from babysit.cli.progress import class_line
from babysit.errors import UserError
from babysit.names import for_terminal
from babysit.show import plural

if TYPE_CHECKING:
    from babysit.api import CrossValidated, Refitted, Trained
    from babysit.clock import Clock
    from babysit.recipe import Override

WORST = 3
"""Diagnoses that are told at the end."""


def train(
    data: str,
    /,
    *,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    model: str | None = None,
    weights: str | None = None,
    size: str | None = None,
    epochs: str | None = None,
    budget: str | None = None,
    patience: str | None = None,
    seed: str | None = None,
    folds: str | None = None,
    split: str | None = None,
    log: str | None = None,
    remedy: str | None = None,
    exclude: str | None = None,
    relabel: str | None = None,
    recipe: Path | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative="", consume_multiple=False)] = None,
    resume: Annotated[bool, Parameter(negative="")] = False,
    anyway: Annotated[bool, Parameter(negative="")] = False,
    refit: Annotated[bool, Parameter(negative="")] = False,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    profile: Annotated[bool, Parameter(negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Train a classifier on a folder of images.

    Parameters
    ----------
    data
        A folder with a folder of images per class (with or without train/ val/ test/ above), a zip of one, CIFAR's or
        MNIST's files, an .npz, or a name: digits, cifar10, cifar100, mnist, fashion-mnist.
    out
        The run's folder; by default runs/NAME.
    model
        The architecture, as `babysit show` lists them, timm/NAME, or path/to/file.py:name, a function of yours.
    weights
        First weights: a safetensors or .pth file in torchvision's or timm's naming, or another run's folder.
    size
        Side of the training images in pixels; by default chosen from the images.
    epochs
        How many times each training image is seen.
    budget
        Wall-clock time instead of epochs, everything included: 90s, 5m, 1h.
    patience
        End after this many epochs without a better validation figure (train.metric); by default never.
    seed
        Of everything random; 0 by default.
    folds
        Cross-validation: so many runs in RUN/fold-1, fold-2, ..., each with another part as validation.
    split
        The split.csv of a run: its images keep their part, new ones are trained on.
    log
        tensorboard: write its event files too, into RUN/events (needs the extra [tensorboard]).
    remedy
        suggest: when a diagnosis names a setting that is wrong, write the changed recipe and the command that trains with
        it; apply: change it, go on from the last good checkpoint or the start, and take it back if that is no better.
    exclude
        A CSV of images to leave out: a column path, or hash as in a run's split.csv.
    relabel
        A CSV of images with another label: path (or hash) and label.
    recipe
        A TOML file of settings.
    set_
        One setting, as in --set optim.lr=0.1; may be given several times.
    resume
        Go on with the run in -o from its last checkpoint.
    anyway
        Train also when a check before training fails.
    refit
        Then train once more on train and validation together, everything frozen, into RUN/refit; a finished run in -o
        is not trained again.
    dry_run
        Print the resolved recipe and train nothing.
    profile
        Say at the end where the time went.
    json_
        Print one JSON object on standard output and nothing else there.
    quiet
        Print nothing but errors.
    """
    from babysit.clock import process_clock

    clock = process_clock()
    shortcuts = {
        "model.name": ("--model", model),
        "model.weights": ("--weights", weights),
        "data.size": ("--size", size),
        "train.epochs": ("--epochs", epochs),
        "train.budget": ("--budget", budget),
        "data.folds": ("--folds", folds),
        "data.split": ("--split", split),
        "train.patience": ("--patience", patience),
        "train.log": ("--log", log),
        "watch.remedy": ("--remedy", remedy),
        "seed": ("--seed", seed),
        "data.exclude": ("--exclude", exclude),
        "data.relabel": ("--relabel", relabel),
    }
    with clock.section("start"):
        overrides = _overrides(shortcuts, set_ or [])

        from babysit.api import running

    if dry_run:
        text = running.dry_run(data, recipe=recipe, settings=overrides)
        print(json.dumps({"recipe": text}) if json_ else text, end="" if not json_ else "\n")  # noqa: T201
        return 0
    way = Way(out, recipe, resume, anyway, refit, profile, json_, quiet)
    return _run(data, overrides, way, clock)


@dataclass(frozen=True, slots=True)
class Way:
    """How to train and what to print: the options that are no settings."""

    out: Path | None
    recipe: Path | None
    resume: bool
    anyway: bool
    refit: bool
    profile: bool
    json: bool
    quiet: bool


def _run(data: str, overrides: list[Override], way: Way, clock: Clock) -> int:
    with clock.section("start"):
        from babysit.api import folds as cross
        from babysit.api import refitting, running
        from babysit.cli.progress import make_show

    asked = running.read_request(data, way.recipe, overrides).recipe.data
    several = asked.folds is not None and asked.fold is None
    if way.refit and several:
        raise UserError(
            "no fold is chosen, so there is none to refit", where="--folds, --refit", legal="one of the two"
        )
    verb = cross.cross_validate if several else running.train
    again = None
    with make_show(quiet=way.quiet) as show:
        done = verb(
            data,
            out=way.out,
            recipe=way.recipe,
            settings=overrides,
            # What is to be refitted may be there already.
            resume=way.resume or (way.refit and way.out is not None and _is_finished(way.out)),
            show=show,
            clock=clock,
            anyway=way.anyway,
        )
        show.finished(*_last_words(done, profile=way.profile))
        if way.refit and not done.stopped:
            again = refitting.refit(done.run, data=data, resume=way.resume, show=show, anyway=way.anyway)
            show.finished(_refit_summary(again), _profile([again.training]) if way.profile else "")
    if way.json:
        print(json.dumps({**done.as_json(), **({"refit": again.as_json()} if again else {})}))  # noqa: T201
    return 3 if done.stopped or (again is not None and again.stopped) else 0


def _is_finished(run: Path) -> bool:
    from babysit.record.run import Run

    return (run / "manifest.json").exists() and Run(run).read_manifest().get("status") == "finished"


def _last_words(done: Trained | CrossValidated, *, profile: bool) -> tuple[str, str]:
    """The summary, and where the time went if that was asked for."""
    from babysit.api import folds

    several = isinstance(done, folds.CrossValidated)
    summary = _folds_summary(done) if several else _summary(done)
    return summary, _profile(done.folds if several else [done]) if profile else ""


def seconds_of(text: str) -> float:
    """A duration in seconds.

    >>> seconds_of("5m"), seconds_of("90"), seconds_of("1.5h")
    (300.0, 90.0, 5400.0)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", text)
    value = float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]] if found else 0.0
    if value <= 0:
        raise UserError(
            f"'{text}' is not a time", where="--budget", legal="a number with s, m or h behind it: 90s, 5m, 1h"
        )
    return value


def _overrides(shortcuts: dict[str, tuple[str, str | None]], settings: list[str]) -> list[Override]:
    from babysit.recipe import Override

    found = [Override.from_text(text) for text in settings]
    found = [
        Override(one.name, seconds_of(one.value), one.where)
        if one.name == "train.budget" and isinstance(one.value, str)
        else one
        for one in found
    ]
    for name, (option, value) in shortcuts.items():
        if value is None:
            continue
        if name in ("data.split", "data.exclude", "data.relabel", "model.weights"):
            read: object = value  # a path, which may look like a number
        else:
            read = seconds_of(value) if name == "train.budget" else Override.from_text(f"{name}={value}").value
        found.append(Override(name, read, f"{option} {value}"))
    return found


def _summary(done: Trained) -> str:
    from babysit.api.remedying import remedy_lines

    if not done.validation:
        lines = ["No epoch was finished, so there is nothing to report."]
    else:
        scores = done.validation
        low, high = scores["interval"]
        lines = [
            f"Validation accuracy {scores['accuracy']:.1%} (95 % interval {low:.1%} to {high:.1%}, {scores['count']:,} images), "
            f"loss {scores['loss']:.3f}; the best of {plural(done.epochs, 'epoch')} was epoch {done.best_epoch}; {plural(done.steps, 'step')}, {done.seconds:.1f} s, "
            f"{done.images_per_second:,.0f} images/s.",
            "",
            f"{'class':<20} {'images':>7} {'precision':>9} {'recall':>9} {'F1':>9}",
        ]
        rows = scores["per_class"]
        lines += [
            class_line(row["class"], row["count"], (row["precision"], row["recall"], row["f1"])) for row in rows[:20]
        ]
        if len(rows) > 20:
            lines.append(f"... and {len(rows) - 20} more classes, in the report")
        confused = ", ".join(
            for_terminal(f"{one['true']} for {one['predicted']} ({one['count']})") for one in scores["most_confused"]
        )
        if confused:
            lines += ["", f"Most confused, the true class first: {confused}."]
    lines += _worst(done.diagnoses, done.run)
    lines += map(for_terminal, remedy_lines(done.remedies, done.suggested))
    lines += ["", f"Run:     {for_terminal(str(done.run))}"]
    if done.validation:
        run = for_terminal(str(done.run))
        lines += [f"Report:  {run}/report.html", f"Predict: babysit predict {run} FILES..."]
    return "\n".join(lines)


def _refit_summary(done: Refitted) -> str:
    training = done.training
    lines = [
        f"Refitted: {plural(training.epochs, 'epoch')}, {training.steps:,} steps, {training.seconds:.1f} s, "
        f"{training.images_per_second:,.0f} images/s. {done.about.judged()}"
    ]
    lines += _worst(training.diagnoses, done.run)
    run = for_terminal(str(done.run))
    lines += ["", f"Run:     {run}", f"Report:  {run}/report.html", f"Predict: babysit predict {run} FILES..."]
    return "\n".join([*lines, *([f"Test:    babysit test {run}"] if done.about.test_images else [])])


def _worst(diagnoses: Sequence[dict[str, Any]], run: Path) -> list[str]:
    """The worst of what was found, and how many more there are."""
    lines = []
    for one in diagnoses[:WORST]:
        advice = f"{one['claim']} {'To try: ' if one['guess'] else ''}{one['advice'].rstrip('.')}."
        begin = "MAYBE" if one["guess"] else one["severity"].upper()
        lines += ["", f"{begin}: {advice}"]
    if more := len(diagnoses) - WORST:
        lines += ["", f"{more} more: babysit diagnose {for_terminal(str(run))}"] if more > 0 else []
    return lines


def _folds_summary(done: CrossValidated) -> str:
    lines = [f"{'fold':<20} {'images':>7} {'accuracy':>9} {'95 % interval':>18}"]
    for number, fold in enumerate(done.folds, start=1):
        if scores := fold.validation:
            low, high = scores["interval"]
            lines.append(f"{number:<20} {scores['count']:>7} {scores['accuracy']:>9.1%} {low:>9.1%} to {high:.1%}")
        else:
            lines.append(f"{number:<20} no epoch was finished")
    if len(done.folds) < done.asked:
        lines.append(f"{done.asked - len(done.folds)} of the {done.asked} folds were not trained")
    if found := done.accuracy:
        low, high = done.interval
        lines += [
            "",
            f"Validation accuracy {found.mean:.1%} on average, standard deviation {found.deviation:.1%}, from "
            f"{found.low:.1%} to {found.high:.1%}.",
            f"All folds together: {done.correct:,} of {done.count:,} images right, {done.correct / done.count:.1%} "
            f"(95 % interval {low:.1%} to {high:.1%}), each by a network that was not trained on it.",
        ]
    for fold in done.folds:
        for diagnosis in fold.diagnoses:
            lines += [
                "",
                f"{diagnosis['severity'].upper()} in {fold.run.name}: {diagnosis['claim']} {diagnosis['advice']}.",
            ]
    return "\n".join([*lines, "", f"Runs:    {done.run}/fold-1 to fold-{len(done.folds)}"])


def _profile(done: Sequence[Trained]) -> str:
    times: dict[str, float] = {}
    for name, seconds in (pair for one in done for pair in one.times.items()):
        times[name] = times.get(name, 0.0) + seconds
    total = sum(times.values())
    rows = [
        f"{name:<12} {seconds:>9.2f} s {seconds / total:>7.1%}"
        for name, seconds in sorted(times.items(), key=lambda pair: -pair[1])
    ]
    return "\n".join([f"Where the {total:.1f} s went:", *rows])
