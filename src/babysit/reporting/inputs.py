"""What preprocessing makes of the images, as pictures: before and after, and the numbers it was fitted to."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from babysit.data.statistics import Statistics
from babysit.errors import UserError
from babysit.figures.pictures import data_uri, png
from babysit.figures.sheets import picture_uri, reduced, sheet
from babysit.names import for_page
from babysit.recipe import read_resolved
from babysit.record.run import Run
from babysit.reporting.gallery import Gallery

SHOWN, LARGEST = 8, 96
"""Images shown, and their side in pixels at most."""

COMPONENTS = 16
SIDE = 64
"""Side in pixels to which small pictures of fitted numbers are enlarged, about."""

WINDOW = 11
"""Side in pixels of what is shown of a whitening filter, which is near nothing farther out."""

OUTLIERS = 0.995
"""Share of the values that lie between black and white; the rest is cut off."""

DECORRELATED = {
    "pca": "Each number is the strength of a component, so what follows is no picture any more: the strongest come first",
    "pca-whiten": "Each number is the strength of a component, all made about equally strong: no picture any more",
    "zca": "Whitened and turned back: edges stay, even areas turn grey",
}


def seen(gallery: Gallery) -> str:
    """Validation images before and after, the mean image, and the components, as far as the run has them."""
    run = gallery.material.run
    statistics = fitted(run)
    if statistics is None:
        return "<p>The best checkpoint cannot be read, so this is left out.</p>"
    try:
        kind = read_resolved(run.recipe).preprocess.kind
    except UserError:
        kind = ""
    return (
        _formula(kind, statistics)
        + _before_and_after(gallery, kind, statistics)
        + _numbers(kind, statistics, gallery.size)
    )


def fitted(run: Run) -> Statistics | None:
    """The statistics in the best checkpoint; None when there is none that can be read."""
    try:
        best = run.checkpoints / (run.checkpoints / "best").read_text(encoding="utf-8").strip()
        state = json.loads((best / "state.json").read_text(encoding="utf-8"))
        path = best / "statistics.safetensors"
        return Statistics.read(state["statistics"], load_file(path) if path.exists() else {})
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return None


def stretched(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Numbers around zero as a picture: zero is grey, and all are stretched alike."""
    largest = float(np.quantile(np.abs(values), OUTLIERS)) or 1.0
    return np.rint(np.clip(127.5 + 127.5 * values / largest, 0, 255)).astype(np.uint8)


def _formula(kind: str, statistics: Statistics) -> str:
    """In words what is done, with the numbers of each channel where they say something."""
    shift, scale = (", ".join(f"{value:.4g}" for value in values) for values in (statistics.shift, statistics.scale))
    done = {
        "none": "pixels are divided by 255",
        "mean-image": f"the mean image is subtracted and the rest divided by {statistics.scale[0]:.4g}",
        "channel-mean": f"the channels' means ({shift}) are subtracted and the rest divided by {statistics.scale[0]:.4g}",
        "standardize": f"the channels' means ({shift}) are subtracted and the rest divided by their deviations ({scale})",
        "pca": f"the mean is subtracted, the rest turned onto its principal components and divided by {statistics.scale[0]:.4g}",
        "pca-whiten": "the mean is subtracted, and the rest turned onto its principal components, made equally strong",
        "zca": "the mean is subtracted, and the rest whitened: neighbouring pixels no longer go together",
    }.get(kind, f"channels are shifted by {shift} and divided by {scale}")
    return f"<p>Preprocessing <b>{for_page(kind or 'of an unknown kind')}</b>: {done}. Fitted on the training part alone.</p>"


def _before_and_after(gallery: Gallery, kind: str, statistics: Statistics) -> str:
    places = of_each_class(gallery.material.predicted.labels, SHOWN)
    found = [gallery.picture(int(place)) for place in places]
    images = [one for one in found if one is not None]
    if not images or not _fits(statistics, images[0]):
        return f'<p class="missing">{for_page(gallery.why)}</p>' if gallery.why else ""
    before = np.stack(images)
    after = statistics.applied(before)
    rows = np.concatenate([reduced(before, LARGEST), reduced(stretched(after), LARGEST)])
    uri = picture_uri(sheet(rows, len(images)), rows.shape[1])
    said = DECORRELATED.get(kind, "Zero is grey, larger is brighter")
    values = f"from {after.min():.3g} to {after.max():.3g}, mean {after.mean():.2g}, deviation {after.std():.3g}"
    return (
        f'<figure class="sheet"><img alt="images before and after preprocessing" src="{uri}" '
        f'style="width:{100 * len(images) / SHOWN:.0f}%"><figcaption>Above as they are, below what the network sees of them, '
        f"{values}. {said}.</figcaption></figure>"
    )


def of_each_class(labels: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """The places of at most so many images, of each class one before a second; of many classes some, evenly.

    >>> of_each_class(np.array([0, 0, 0, 0, 1, 1]), 4).tolist()
    [0, 1, 4, 5]
    """
    order = np.argsort(labels, kind="stable")
    classes, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    ranks = np.empty(len(labels), np.int64)
    ranks[order] = np.arange(len(labels)) - np.repeat(starts, counts)
    chosen = np.lexsort((labels, ranks))
    if len(classes) > most:
        chosen = chosen[np.linspace(0, len(classes) - 1, most).round().astype(int)]
    chosen = chosen[:most]
    return chosen[np.lexsort((chosen, labels[chosen]))]


def _fits(statistics: Statistics, image: NDArray[np.uint8]) -> bool:
    return statistics.mean is None or len(image) % len(statistics.mean) == 0


def _numbers(kind: str, statistics: Statistics, size: int) -> str:
    """The mean image, and the components or filters of the matrix."""
    if statistics.mean is None:
        return ""
    side = len(statistics.mean)
    mean = np.rint(np.clip(statistics.mean, 0, 255)).astype(np.uint8)
    of = f"the tiles of {side} pixels into which images are cut" if side < size else "the training images"
    shown = (
        f'<figure class="sheet"><img alt="mean image" src="{data_uri(png(_enlarged(mean[None])[0]))}"><figcaption>The mean of '
        f"{of}.</figcaption></figure>"
    )
    if statistics.matrix is None:
        return shown
    pictures, words = _rows(kind, np.asarray(statistics.matrix, np.float64).reshape(-1, side, side, 3))
    uri = data_uri(png(sheet(_enlarged(np.stack([stretched(one) for one in pictures])), COMPONENTS // 2)))
    return f'{shown}<figure class="sheet"><img alt="components" src="{uri}"><figcaption>{words}</figcaption></figure>'


def _rows(kind: str, rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    """Some rows of the matrix as pictures, and what they are.

    Shape:
        (d, side, side, 3) to (k, window, window, 3).
    """
    side, count = rows.shape[1], min(COMPONENTS, len(rows))
    if kind != "zca":
        return rows[:count], (
            f"The first {count} of {len(rows):,} principal components, the one along which images vary most first; each "
            "stretched to its own range."
        )
    window = min(WINDOW, side)
    places = np.unique(np.linspace(0, side - 1, COMPONENTS // 2).round().astype(int))
    starts = np.clip(places - window // 2, 0, side - window)
    pictures = [
        rows[3 * (place * side + place) + 1, start : start + window, start : start + window]
        for place, start in zip(places, starts, strict=True)
    ]
    return np.stack(pictures), (
        f"What the green value of some pixels along the diagonal is made of: itself less its surroundings ({window} pixels of "
        "them are shown). Each is stretched to its own range."
    )


def _enlarged(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    factor = max(1, SIDE // pictures.shape[1])
    return pictures.repeat(factor, axis=1).repeat(factor, axis=2)
