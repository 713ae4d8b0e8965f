"""Pictures of a report: mistakes with where the network looked, right answers, suspected labels; of bounded size."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit.errors import UserError
from babysit.figures.pictures import veiled
from babysit.figures.sheets import picture_uri, reduced
from babysit.names import for_page
from babysit.recipe import read_resolved
from babysit.record.predictions import MISTAKES
from babysit.record.run import Run
from babysit.reporting.material import Material

RIGHT, SUSPECTS = 12, 24
LARGEST = 112
"""Side of a picture in pixels, at most."""


@dataclass(frozen=True)
class Gallery:
    """The pictures that can be had. `canvases` None when there are none any more, with `why`."""

    material: Material
    size: int
    canvases: NDArray[np.uint8] | None
    why: str = ""

    def picture(self, place: int) -> NDArray[np.uint8] | None:
        """What the network saw of a validation image. Shape: (size, size, 3)."""
        row = int(self.material.predicted.rows[place])
        if self.canvases is None or row >= len(self.canvases):
            return None
        edge = (self.canvases.shape[1] - self.size) // 2
        return np.asarray(self.canvases[row, edge : edge + self.size, edge : edge + self.size])


def open_gallery(material: Material) -> Gallery:
    """The decoded images of the run, as far as the cache has them still."""
    folder = Path(material.manifest["data"].get("cache", ""))
    try:
        size = read_resolved(material.run.recipe).data.size or 0
        count = json.loads((folder / "meta.json").read_text(encoding="utf-8"))["count"]
        held = (folder / "pixels.u8").stat().st_size
        canvas = round((held / count / 3) ** 0.5)
        if count * canvas * canvas * 3 != held:
            raise ValueError("the pixels are cut short")
        canvases = np.memmap(folder / "pixels.u8", np.uint8, "r", shape=(count, canvas, canvas, 3))
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, UserError):
        return Gallery(material, 0, None, _lost(material))
    return Gallery(material, size or canvas, canvases)


def _lost(material: Material) -> str:
    source = str(material.manifest["data"].get("source", ""))
    return (
        f"The pictures are left out: the decoded images are not in the cache any more, and the data are not at {source} or "
        "are not what they were. Put them back and write the report again."
    )


def mistakes(gallery: Gallery) -> str:
    """The wrong answers whose true class was thought least likely, each beside where the network looked."""
    predicted, classes = gallery.material.predicted, gallery.material.classes
    places = predicted.worst_mistakes(MISTAKES)
    if not len(places):
        return f"<p>None on the {gallery.material.part} part.</p>"
    maps = _maps(gallery.material.run)
    cards = []
    for place in places.tolist():
        said = predicted.probabilities[place]
        guess, label = int(said.argmax()), int(predicted.labels[place])
        words = f"named <b>{for_page(classes[guess])}</b> {said[guess]:.0%}<br>is <b>{for_page(classes[label])}</b> {said[label]:.1%}"
        cards.append(_card(gallery, place, words, maps.get(place)))
    wrong = int((predicted.probabilities.argmax(axis=1) != predicted.labels).sum())
    mapped = gallery.canvases is not None and any(place in maps for place in places.tolist())
    looked = (
        " Beside each picture, orange shows where the last convolution speaks for the answer given (Grad-CAM)."
        if mapped
        else ""
    )
    return _note(gallery) + (
        f'<p class="soft">{len(places)} of {wrong:,} wrong answers, those first whose true class was thought least likely.{looked}</p>'
        f'<div class="cards{" double" if mapped else ""}">{"".join(cards)}</div>'
    )


def right_answers(gallery: Gallery) -> str:
    """The right answers given with most confidence, one of each class before a second."""
    predicted, classes = gallery.material.predicted, gallery.material.classes
    places = predicted.surest_right(RIGHT)
    cards = [
        _card(gallery, place, f"<b>{for_page(classes[label])}</b> {predicted.probabilities[place, label]:.1%}")
        for place, label in ((place, int(predicted.labels[place])) for place in places.tolist())
    ]
    return (_note(gallery) + f'<div class="cards">{"".join(cards)}</div>') if cards else "<p>There is none.</p>"


def suspected(gallery: Gallery, suspects: Sequence[tuple[int, int, float]]) -> str:
    """Labels that are probably wrong.

    Arguments:
        suspects: (place, suggested class, how much more probable it is than the label), the surest first.
    """
    if not suspects:
        return "<p>None among the validation images.</p>" if gallery.material.part == "validation" else ""
    predicted, classes = gallery.material.predicted, gallery.material.classes
    cards = [
        _card(
            gallery,
            place,
            f"labelled <b>{for_page(classes[predicted.labels[place]])}</b><br>rather <b>{for_page(classes[suggested])}</b> (+{margin:.0%})",
        )
        for place, suggested, margin in suspects[:SUSPECTS]
    ]
    return _note(gallery) + (
        f'<p class="soft">{len(cards)} of {len(suspects):,}, found by confident learning on images the network was not trained on. '
        "Many are merely hard: look before you change one. "
        f"<code>babysit suspects {for_page(str(gallery.material.run.path))}</code> lists all; training takes the list back with --relabel or "
        f'--exclude.</p><div class="cards">{"".join(cards)}</div>'
    )


def _card(gallery: Gallery, place: int, words: str, where: NDArray[np.float32] | None = None) -> str:
    name = for_page(gallery.material.predicted.paths[place])
    pixels = gallery.picture(place)
    if pixels is None:
        return f'<div>{words}<br><span class="name">{name}</span></div>'
    small = reduced(pixels[None], LARGEST)[0]
    pictures = _image(small, name)
    if where is not None and where.shape == pixels.shape[:2]:
        pictures += _image(reduced(veiled(pixels, where)[None], LARGEST)[0], f"where the network looked in {name}")
    return f'<div><span class="images">{pictures}</span>{words}<br><span class="name">{name}</span></div>'


def _image(pixels: NDArray[np.uint8], name: str) -> str:
    return f'<img alt="{name}" title="{name}" src="{picture_uri(pixels, len(pixels))}">'


def _note(gallery: Gallery) -> str:
    return f'<p class="missing">{for_page(gallery.why)}</p>' if gallery.why else ""


def _maps(run: Run) -> dict[int, NDArray[np.float32]]:
    """Place -> where the network looked, 0 to 1; empty for a run that has none."""
    try:
        with np.load(io.BytesIO(run.attention.read_bytes()), allow_pickle=False) as arrays:
            return {
                int(place): one.astype(np.float32) / 255
                for place, one in zip(arrays["places"], arrays["maps"], strict=True)
            }
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return {}
