"""The report: one self-contained page about a run. It reads the run directory and the decoded cache, nothing else."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from babysit.errors import UserError, writing
from babysit.figures.curves import BLUE, GREEN, ORANGE, Line, curves
from babysit.figures.pictures import data_uri, filter_sheet, png
from babysit.metrics import Scores, score
from babysit.names import for_page as _escape
from babysit.names import read_table
from babysit.record import atomic, ledger, predictions
from babysit.record.log import RunLog, read_log
from babysit.record.run import Run
from babysit.show import plural

MISTAKES = 24
MOST_POINTS = 1500
MOST_CONFUSION_CLASSES = 40
DARK = ' class="dark"'


def validation_scores(run: Run) -> Scores:
    """The scores of the run's kept predictions.

    Raises:
        UserError: when no epoch has been finished yet.
    """
    _, labels, probabilities = _predictions(run)
    return score(probabilities, labels, tuple(run.read_manifest()["data"]["classes"]))


def write_report(run: Run) -> Path:
    """Writes `report.html` and returns its path.

    Raises:
        UserError: when this is no run, or it has not finished an epoch.
    """
    manifest = run.read_manifest()
    scores = validation_scores(run)
    log = read_log(run.log)
    sections = [
        _verdict(run, manifest, scores),
        _diagnoses(run),
        _section("Loss, accuracy and learning rate", _curves(log)),
        _section("First-layer filters", _filters(run)),
        _section("Classes", _class_table(scores)),
        _section("Confusion", _confusion(scores)),
        _section("Worst mistakes", _mistakes(run, manifest)),
        _section("Data", _data(manifest)),
        _section("Where the time went", times_table(manifest.get("times", {}))),
        _section("Recipe", f"<pre>{_escape(run.recipe.read_text(encoding='utf-8'))}</pre>"),
        _section("Environment", f"<pre>{_escape(run.environment.read_text(encoding='utf-8'))}</pre>"),
    ]
    style = resources.files("babysit.reporting").joinpath("page.css").read_text(encoding="utf-8")
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        f"<title>babysit: {_escape(run.path.name)}</title><style>{style}</style></head><body>\n"
        + "\n".join(sections)
        + "\n</body></html>\n"
    )
    with writing(run.report, "the report"):
        atomic.write_text(run.report, page)
    return run.report


def times_table(times: dict[str, float]) -> str:
    """Seconds and share by section, largest first."""
    total = sum(times.values()) or 1.0
    rows = [
        f"<tr><td>{_escape(name)}</td><td>{seconds:.2f} s</td><td>{seconds / total:.1%}</td></tr>"
        for name, seconds in sorted(times.items(), key=lambda pair: -pair[1])
    ]
    return "<table><tr><th>part</th><th>time</th><th>share</th></tr>" + "".join(rows) + "</table>"


def _predictions(run: Run) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    path = run.predictions / "val.npz"
    if not path.exists():
        raise UserError(
            "the run has not finished an epoch, so there is nothing to report",
            where=str(run.path),
            hint="Train it further with --resume",
        )
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["rows"], arrays["labels"], arrays["probabilities"]


def _verdict(run: Run, manifest: dict[str, Any], scores: Scores) -> str:
    low, high = scores.interval
    chance = max(sum(row) for row in scores.confusion) / max(1, scores.count)
    pairs = scores.most_confused(1)
    worst = (
        f" Most often, {_escape(pairs[0][0])} is taken for {_escape(pairs[0][1])} ({plural(pairs[0][2], 'time')})."
        if pairs
        else ""
    )
    return (
        f"<h1>{_escape(run.path.name)}</h1>"
        f'<p class="verdict">The network names {scores.accuracy:.1%} of {scores.count:,} validation images rightly '
        f"(95 % interval {low:.1%} to {high:.1%}); always naming the commonest class would give {chance:.1%}.{worst}</p>"
        f'<p class="soft">Trained for {manifest.get("epochs", 0)} epochs, {manifest.get("steps", 0):,} steps, '
        f"{manifest.get('seconds', 0):.0f} s; status: {_escape(str(manifest.get('status')))}. These are the figures of the best "
        "of the epochs on the images it was chosen by, so they lean a little to the good side. "
        f"{_escape(_looks(run))} This page embeds pictures of your data.</p>"
    )


def _looks(run: Run) -> str:
    """How often the test images of this run have been looked at, by whatever run, and what that means."""
    hashes = [one.hash for one in predictions.read_split(run) if one.part == "test" and one.hash]
    return ledger.meaning(ledger.looks_at(hashes, run.looks)) if hashes else "The data have no test part."


def _diagnoses(run: Run) -> str:
    if not run.diagnoses.exists():
        return ""
    found = [json.loads(line) for line in run.diagnoses.read_text(encoding="utf-8").splitlines() if line]
    items = "".join(
        f'<div class="diagnosis"><strong>{_escape(one["claim"])}</strong><br>{_escape(one["advice"])}</div>'
        for one in found
    )
    return _section("Diagnoses", items) if found else ""


def _curves(log: RunLog) -> str:
    steps, epochs = log.of("step"), log.of("epoch")
    keep = steps[:: max(1, len(steps) // MOST_POINTS)]
    at = [row.step for row in keep]
    ends = [row.step for row in epochs]

    def of_epochs(name: str) -> list[float]:
        return [row.values[name] for row in epochs]

    loss = curves(
        [
            Line("each batch", at, [row.values["loss"] for row in keep], BLUE, faint=True),
            Line("training", ends, of_epochs("train_loss"), BLUE),
            Line("validation", ends, of_epochs("validation_loss"), ORANGE),
        ],
        xlabel="step",
        ylabel="loss (nats)",
    )
    accuracy = curves(
        [
            Line("training (augmented images)", ends, [100 * value for value in of_epochs("train_accuracy")], BLUE),
            Line("validation", ends, [100 * value for value in of_epochs("validation_accuracy")], ORANGE),
        ],
        xlabel="step",
        ylabel="accuracy (%)",
    )
    rate = curves(
        [Line("learning rate", at, [row.values["learning_rate"] for row in keep], GREEN)],
        xlabel="step",
        ylabel="learning rate",
    )
    figures = "".join(f"<figure>{figure}</figure>" for figure in (loss, accuracy, rate))
    return f'<div class="pair">{figures}</div>' + (
        f'<p class="soft">The {_escape(log.broken)}.</p>' if log.broken else ""
    )


def _filters(run: Run) -> str:
    marked = run.checkpoints / "best"
    try:
        weights = load_file(run.checkpoints / marked.read_text(encoding="utf-8").strip() / "weights.safetensors")
    except (OSError, ValueError, SafetensorError):
        return "<p>The best checkpoint cannot be read, so its filters are left out.</p>"
    first = next((array for name, array in _by_layer(weights) if array.ndim == 4 and array.shape[1] in (1, 3)), None)
    if first is None:
        return "<p>The first layer is not a convolution over colours.</p>"
    picture = data_uri(filter_sheet(first))
    count, channels, height, width = first.shape
    return (
        f'<figure><img class="filters" alt="first-layer filters" src="{picture}"><figcaption>{count} filters of '
        f"{channels}x{height}x{width}, each stretched to its own range. Smooth patterns of edges and colours are a good sign in large "
        "filters, noise is not; 3x3 filters are too small to show much.</figcaption></figure>"
    )


def _by_layer(weights: dict[str, NDArray[np.float32]]) -> list[tuple[str, NDArray[np.float32]]]:
    """Layers in the order of the numbers in their names: conv2 before conv10."""

    def key(name: str) -> tuple[int, str]:
        digits = "".join(letter for letter in name.split(".")[0] if letter.isdigit())
        return int(digits or 10**6), name

    return [(name, weights[name]) for name in sorted(weights, key=key)]


def _class_table(scores: Scores) -> str:
    rows = "".join(
        f"<tr><td>{_escape(row.name)}</td><td>{row.count}</td><td>{row.precision:.3f}</td><td>{row.recall:.3f}</td>"
        f"<td>{row.f1:.3f}</td></tr>"
        for row in scores.per_class()
    )
    return f"<table><tr><th>class</th><th>images</th><th>precision</th><th>recall</th><th>F1</th></tr>{rows}</table>"


def _confusion(scores: Scores) -> str:
    pairs = "".join(
        f"<li>{_escape(true)} taken for {_escape(guess)}: {count}</li>"
        for true, guess, count in scores.most_confused(10)
    )
    listed = f"<ol>{pairs}</ol>" if pairs else "<p>No mistakes on the validation part.</p>"
    if len(scores.classes) > MOST_CONFUSION_CLASSES:
        return listed
    head = "".join(f"<th>{_escape(name)}</th>" for name in scores.classes)
    body = ""
    for name, row in zip(scores.classes, scores.confusion, strict=True):
        total = max(1, sum(row))
        cells = "".join(
            f'<td style="background:rgba(var(--mark),{count / total:.3f})"{DARK if count > total / 2 else ""}>'
            f"{count or ''}</td>"
            for count in row
        )
        body += f'<tr><th class="side">{_escape(name)}</th>{cells}</tr>'
    return (
        f'<div class="wide"><table class="confusion"><thead><tr><th></th>{head}</tr></thead>{body}</table></div>'
        f'<p class="soft">A row is a true class, a column what it was taken for; the darker, the larger the share of its row.</p>{listed}'
    )


def _mistakes(run: Run, manifest: dict[str, Any]) -> str:
    """The images whose true class was thought least likely."""
    rows, labels, probabilities = _predictions(run)
    classes = manifest["data"]["classes"]
    guesses = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(guesses != labels)
    if not len(wrong):
        return "<p>None on the validation part.</p>"
    worst = wrong[np.argsort(probabilities[wrong, labels[wrong]], kind="stable")][:MISTAKES]
    cache = Path(manifest["data"]["cache"]) / "pixels.u8"
    names = _names(run)
    try:
        size = _canvas(cache)
        pixels = np.memmap(cache, np.uint8, "r").reshape(-1, size, size, 3)[rows[worst]]
    except (OSError, ValueError, KeyError, ArithmeticError, IndexError):
        return "<p>The decoded images are no longer whole in the cache, so the pictures are left out.</p>"
    items = []
    for place, image in zip(worst.tolist(), pixels, strict=True):
        guess, label = int(guesses[place]), int(labels[place])
        picture = data_uri(png(np.asarray(image)))
        name = _escape(names[place] if place < len(names) else "")
        items.append(
            f'<div><img alt="{name}" title="{name}" src="{picture}"><b>{_escape(classes[guess])}</b> '
            f"{probabilities[place, guess]:.0%}<br>is {_escape(classes[label])} ({probabilities[place, label]:.1%})</div>"
        )
    return f'<div class="mistakes">{"".join(items)}</div>'


def _names(run: Run) -> list[str]:
    with run.split.open(encoding="utf-8", newline="") as stream:
        rows = read_table(stream)
        path, part = map(next(rows).index, ("path", "part"))
        return [row[path] for row in rows if row[part] == "val"]


def _canvas(cache: Path) -> int:
    count = json.loads((cache.parent / "meta.json").read_text(encoding="utf-8"))["count"]
    return round((cache.stat().st_size / count / 3) ** 0.5)


def _data(manifest: dict[str, Any]) -> str:
    data = manifest["data"]
    parts = data["counts"]
    rows = "".join(
        f"<tr><td>{_escape(name)}</td>" + "".join(f"<td>{parts[part][index]}</td>" for part in parts) + "</tr>"
        for index, name in enumerate(data["classes"])
    )
    head = "".join(f"<th>{part}</th>" for part in parts)
    notes = "".join(f"<li>{_escape(note)}</li>" for note in data["notes"])
    broken = "".join(f"<li>{_escape(one['path'])}: {_escape(one['reason'])}</li>" for one in data["unreadable"][:50])
    more = len(data["unreadable"]) - 50
    return (
        f"<p>{_escape(data['source'])}</p><table><tr><th>class</th>{head}</tr>{rows}</table>"
        + (f"<ul>{notes}</ul>" if notes else "")
        + (f"<p>Left out, unreadable ({len(data['unreadable'])}):</p><ul>{broken}</ul>" if broken else "")
        + (f"<p>and {more} more, in manifest.json.</p>" if more > 0 else "")
    )


def _section(title: str, body: str) -> str:
    return f"<h2>{title}</h2>\n{body}"
