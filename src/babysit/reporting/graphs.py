"""The figures of a report: curves of the training, reliability, confusion, first-layer filters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from babysit.calibration import at_temperature, reliability, scores_of
from babysit.errors import UserError
from babysit.figures.charts import Axes, Color, Line, Mark, chart, thinned
from babysit.figures.pictures import data_uri, filter_sheet, png
from babysit.metrics import Scores
from babysit.names import for_page
from babysit.recipe import read_resolved
from babysit.record.log import RunLog
from babysit.record.run import Run
from babysit.reporting.material import Material

MOST_POINTS = 1500
FEW = 5
"""Images in a bin from which on its accuracy says something: fewer are a point that no line goes through."""

RISEN = (
    "<b>The error rose while the loss fell</b>: a few images that the network is sure of and that count as wrong weigh much in "
    "the loss. Wrong labels do that: look at the suspected ones below. "
)

MOST_CELLS = 40
"""Classes up to which a confusion matrix is a table with numbers."""

LARGEST_MATRIX = 1000


def curves(log: RunLog, marks: Sequence[Mark] = (), aside: Sequence[tuple[str, RunLog]] = ()) -> str:
    """Loss, accuracy with the gap shaded, learning rate; marks where diagnoses began.

    Arguments:
        aside: names and logs of ways that the training did not go on, whose validation accuracy is drawn too.
    """
    steps, epochs = log.of("step"), log.of("epoch")
    at, ends = [float(row.step) for row in steps], [float(row.step) for row in epochs]

    def of_epochs(name: str, factor: float = 1) -> list[float]:
        return [factor * row.values.get(name, float("nan")) for row in epochs]

    def of_steps(name: str) -> tuple[list[float], list[float]]:
        return thinned(at, [row.values.get(name, float("nan")) for row in steps], MOST_POINTS)

    losses = [
        Line("each batch", *of_steps("loss"), "soft", "faint"),
        Line("training, mean of an epoch", ends, of_epochs("train_loss"), "one"),
    ]
    training = Line("training (augmented)", ends, of_epochs("train_accuracy", 100), "one")
    axes = Axes("step", "accuracy (%)")
    if any("validation_loss" in row.values for row in epochs):
        losses.append(Line("validation", ends, of_epochs("validation_loss"), "two"))
        validation = Line("validation", ends, of_epochs("validation_accuracy", 100), "two")
        accuracy = chart(
            [training, validation, *_aside(aside)], axes, band=(training, validation), band_name="gap", marks=marks
        )
    else:  # a refit, which has trained on all of it
        accuracy = chart([training], axes, marks=marks)
    loss = chart(losses, Axes("step", "loss (nats)", width=1150, height=330), marks=marks)
    rate = chart([Line("learning rate", *of_steps("learning_rate"), "three")], Axes("step", "learning rate"))
    return (
        f'<div class="pair"><figure class="whole">{loss}</figure><figure>{accuracy}</figure><figure>{rate}</figure></div>'
        + '<p class="soft zoom-hint">Drag over a figure to zoom in; double-click for the whole.</p>'
        + (f'<p class="soft">The {for_page(log.broken)}.</p>' if log.broken else "")
    )


def _aside(ways: Sequence[tuple[str, RunLog]]) -> list[Line]:
    """The validation accuracy of ways that were left; their losses may be of any size, and are not drawn."""
    colors: tuple[Color, ...] = ("four", "five")
    lines = []
    for place, (name, log) in enumerate(ways):
        seen = log.series("validation_accuracy", kind="epoch")
        values = (100 * seen.values).tolist()
        lines.append(Line(name, seen.steps.tolist(), values, colors[place % len(colors)], "dashed"))
    return lines


def calibration(material: Material) -> str:
    """The reliability figure before and after the temperature."""
    predicted, fitted = material.predicted, material.calibration
    sets: list[tuple[str, NDArray[np.floating], Color]] = [("before", predicted.probabilities, "two")]
    if fitted and not fitted.note:
        scores = scores_of(np.nan_to_num(predicted.probabilities))
        sets.append(("after the temperature", at_temperature(scores, fitted.temperature), "one"))
    lines = [Line("perfect", [0, 100], [0, 100], "soft", "dashed")]
    counts = []
    for name, said, color in sets:
        bins = reliability(said, predicted.labels)
        x, y = [100 * one.confidence for one in bins], [100 * one.accuracy for one in bins]
        firm = [place for place, one in enumerate(bins) if one.count >= FEW]
        joined = Line(name, [x[place] for place in firm], [y[place] for place in firm], color)
        lines += [joined, Line("", x, y, color, "points")]
        edges = [edge for one in bins for edge in (100 * one.low, 100 * one.high)]
        shares = [100 * one.count / max(1, len(predicted.labels)) for one in bins for _ in range(2)]
        counts.append(Line(name, edges, shares, color))
    reliable = chart(lines, Axes("confidence of the answer (%)", "right answers (%)", limits=(0, 100, 0, 100)))
    most = max((max(line.y) for line in counts if len(line.y)), default=100.0)
    spread = chart(
        counts,
        Axes("confidence of the answer (%)", "share of the images (%)", limits=(0, 100, 0, 1.05 * most)),
    )
    said = _calibration_words(material)
    return f'<p>{said}</p><div class="pair"><figure>{reliable}</figure><figure>{spread}</figure></div>'


def _calibration_words(material: Material) -> str:
    fitted = material.calibration
    if fitted is None:
        return "No temperature was fitted: the run is an older one, or it was interrupted."
    if fitted.note:
        return f"{for_page(fitted.note[0].upper() + fitted.note[1:])}."
    return (
        f"Scores are divided by a temperature of <b>{fitted.temperature:.3f}</b>, fitted on the {fitted.images:,} validation images: "
        f"expected calibration error {fitted.error_before:.2%} before and <b>{fitted.error_after:.2%}</b> after, loss "
        f"{fitted.loss_before:.4f} and {fitted.loss_after:.4f} nats. Above the dashed line the network is less sure than it "
        f"may be, below it too sure. {RISEN if fitted.error_after > fitted.error_before + 0.005 else ''}Points are bins of equal width; no line joins those of fewer than {FEW} images. The order of the answers stays as it is."
    )


def confusion(scores: Scores) -> str:
    """The matrix: a table for some classes, a picture for many; and the pairs that are confused most."""
    pairs = "".join(
        f"<li><b>{for_page(true)}</b> taken for <b>{for_page(guess)}</b>: {count:,}</li>"
        for true, guess, count in scores.most_confused(10)
    )
    listed = f"<ol>{pairs}</ol>" if pairs else "<p>No mistakes.</p>"
    if len(scores.classes) > MOST_CELLS:
        return _matrix_picture(scores) + "<p>Confused most:</p>" + listed
    head = "".join(f"<th>{for_page(name)}</th>" for name in scores.classes)
    body = ""
    for place, (name, row) in enumerate(zip(scores.classes, scores.confusion, strict=True)):
        total = max(1, sum(row))
        cells = "".join(
            f'<td class="{"hit" if place == column else "miss"}{" full" if count > total / 2 else ""}" '
            f'style="--share:{count / total:.3f}">{count or ""}</td>'
            for column, count in enumerate(row)
        )
        body += f'<tr><th class="side">{for_page(name)}</th>{cells}</tr>'
    return (
        f'<div class="wide"><table class="confusion"><thead><tr><th class="corner">true class ↓ named →</th>{head}</tr></thead>'
        f'<tbody>{body}</tbody></table></div><p class="soft">Images counted. The deeper the colour, the larger the share of its row: '
        f"blue are right answers, orange mistakes.</p><p>Confused most:</p>{listed}"
    )


def _matrix_picture(scores: Scores) -> str:
    """Share of each row as density; the diagonal is left out, so that the mistakes show."""
    matrix = np.asarray(scores.confusion, np.float64)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(share, 0)
    group = -(-len(share) // LARGEST_MATRIX)
    share = _pooled(share, group)
    scale = max(1, 600 // len(share))
    alpha = np.rint(255 * np.sqrt(np.minimum(1, share / max(float(share.max()), 1e-9)))).astype(np.uint8)
    alpha = alpha.repeat(scale, axis=0).repeat(scale, axis=1)
    pixels = np.concatenate([np.full((*alpha.shape, 3), (213, 94, 0), np.uint8), alpha[..., None]], axis=2)
    each = f"Each point is {group} x {group} classes" if group > 1 else "Each point is a pair of classes"
    return (
        f'<figure><img class="matrix" alt="confusion matrix" src="{data_uri(png(pixels))}"><figcaption>{each}: down the true '
        f"class, across what it was taken for, both in the order of the table of classes (0 to {len(scores.classes) - 1:,}). The "
        f"denser, the larger the share of its row; the densest is {share.max():.0%}. Right answers, on the diagonal, are "
        "left out. Blocks along the diagonal are classes that are confused among themselves.</figcaption></figure>"
    )


def _pooled(share: NDArray[np.float64], group: int) -> NDArray[np.float64]:
    side = -(-len(share) // group) * group
    padded = np.zeros((side, side))
    padded[: len(share), : len(share)] = share
    return padded.reshape(side // group, group, side // group, group).max(axis=(1, 3))


def filters(run: Run) -> str:
    """The first layer's filters as a picture."""
    try:
        marked = (run.checkpoints / "best").read_text(encoding="utf-8").strip()
        weights = load_file(run.checkpoints / marked / "weights.safetensors")
    except (OSError, ValueError, SafetensorError):
        return "<p>The best checkpoint cannot be read, so its filters are left out.</p>"
    first = next((array for name, array in _by_layer(weights) if array.ndim == 4 and array.shape[1] in (1, 3)), None)
    if first is None:
        return "<p>The first layer is not a convolution over colours.</p>"
    count, channels, height, width = first.shape
    said = (
        "They whiten the images' patches, the directions of most variance first and then their negatives, and are not trained."
        if _fixed(run)
        else "Smooth patterns of edges and colours are a good sign in large filters, noise is not; 3x3 filters are too small to show much."
    )
    return (
        f'<figure><img class="filters" alt="first-layer filters" src="{data_uri(filter_sheet(first.astype(np.float32)))}"><figcaption>{count} '
        f"filters of {channels}x{height}x{width}, each stretched to its own range. {said}</figcaption></figure>"
    )


def _fixed(run: Run) -> bool:
    """Whether the first layer was whitened and not trained."""
    try:
        return bool(read_resolved(run.recipe).init.fixed)
    except (OSError, UserError):
        return False


def _by_layer(weights: dict[str, NDArray[np.float32]]) -> list[tuple[str, NDArray[np.float32]]]:
    """Layers in the order of the numbers in their names: conv2 before conv10."""

    def key(name: str) -> tuple[int, str]:
        digits = "".join(letter for letter in name.split(".")[0] if letter.isdigit())
        return int(digits or 10**6), name

    return [(name, weights[name]) for name in sorted(weights, key=key)]
