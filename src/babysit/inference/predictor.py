"""Predictor: a trained network, its classes and its statistics, ready for files, bytes, arrays or pictures.

The decode path is the training's; the statistics are the checkpoint's. Predicting with other numbers is impossible.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from babysit import checkpoint
from babysit.data.augment import canvas_for, cut, plain_views
from babysit.data.batches import normalise
from babysit.data.catalog import Encoded
from babysit.data.decode import UnreadableImage, decode, quiet_decoding
from babysit.data.statistics import Statistics
from babysit.device import DTYPES, autocast, choose_device
from babysit.errors import BrokenCheckpointError, UserError
from babysit.losses import heads_of
from babysit.models import model_of
from babysit.recipe import Recipe, read_resolved
from babysit.record.run import Run

BATCH = 64

Image_ = str | Path | bytes | NDArray[np.uint8] | Image.Image
"""What can be predicted: a path, encoded bytes, a (height, width, 3) or (height, width) uint8 array, a picture."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The classes of one image, most probable first, or the reason why it could not be read."""

    name: str
    classes: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    error: str = ""

    def as_json(self, top: int) -> dict[str, object]:
        """The prediction as plain JSON values."""
        if self.error:
            return {"file": self.name, "error": self.error}
        pairs = list(zip(self.classes, self.probabilities, strict=True))[:top]
        return {
            "file": self.name,
            "class": pairs[0][0],
            "probability": pairs[0][1],
            "top": [{"class": name, "probability": value} for name, value in pairs],
        }


@dataclass(frozen=True)
class Predictor:
    """A trained network with everything it needs."""

    model: torch.nn.Module
    recipe: Recipe
    classes: tuple[str, ...]
    statistics: Statistics

    def predict(self, images: Sequence[Image_] | Image_) -> list[Prediction]:
        """The classes of one or several images, in order.

        An image that cannot be read gives a `Prediction` with an `error`; it does not stop the others.
        """
        single = isinstance(images, (str, Path, bytes, np.ndarray, Image.Image))
        several: Sequence[Image_] = [images] if single else images  # type: ignore[assignment,list-item]
        return list(self.stream(several))

    def stream(self, images: Iterable[Image_]) -> Iterator[Prediction]:
        """`predict` for any number of images, in bounded memory."""
        with quiet_decoding(), ThreadPoolExecutor() as pool:
            waiting: list[Image_] = []
            for image in images:
                waiting.append(image)
                if len(waiting) == BATCH:
                    yield from self._batch(waiting, pool)
                    waiting = []
            if waiting:
                yield from self._batch(waiting, pool)

    def _batch(self, images: list[Image_], pool: ThreadPoolExecutor) -> Iterator[Prediction]:
        size = self.recipe.data.size
        assert size is not None
        canvas = canvas_for(size)
        decoded = list(pool.map(lambda image: _pixels(image, canvas, self.recipe), images))
        good = [pixels for pixels in decoded if isinstance(pixels, np.ndarray)]
        rows = iter(self._probabilities(np.stack(good), size)) if good else iter(())
        for place, (image, pixels) in enumerate(zip(images, decoded, strict=True)):
            name = str(image) if isinstance(image, (str, Path)) else f"image {place}"
            if isinstance(pixels, str):
                yield Prediction(name, error=pixels)
                continue
            row = next(rows)
            order = np.argsort(-row, kind="stable")
            yield Prediction(
                name, tuple(self.classes[index] for index in order), tuple(float(row[index]) for index in order)
            )

    def _probabilities(self, canvases: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
        count = len(canvases)
        views = plain_views(count, (canvases.shape[1] - size) // 2)
        precision = self.recipe.train.precision
        device = next(self.model.parameters()).device
        images = torch.from_numpy(cut(canvases, np.arange(count), views, size)).to(device)
        with torch.inference_mode(), autocast(device, precision):
            scores = heads_of(self.model(normalise(images, self.statistics, DTYPES[precision])))[0]
            return torch.softmax(scores.float(), dim=1).cpu().numpy()


def load_predictor(path: Path) -> Predictor:
    """The best network of a run.

    A best checkpoint that is broken is passed over for the newest whole one.

    Raises:
        UserError: when this is no run, or it has no whole checkpoint.
    """
    run = Run(path)
    run.read_manifest()
    recipe = read_resolved(run.recipe)
    best = checkpoint.best_path(run.checkpoints)
    kept = None
    if best:
        try:
            kept = checkpoint.load(best)
        except BrokenCheckpointError:
            kept = None
    if kept is None:
        kept, _, _ = checkpoint.load_newest(run.checkpoints)
    if kept is None:
        raise UserError("the run has no checkpoint yet", where=str(path), hint="Train it further with --resume")
    state = kept.state
    classes = tuple(state["classes"])
    model = model_of(recipe, len(classes))
    try:
        model.load_state_dict(dict(kept.weights))
    except RuntimeError as error:
        raise UserError("the checkpoint is of another network than the run's recipe", where=str(path)) from error
    fitted = state["statistics"]
    statistics = Statistics(tuple(fitted["shift"]), tuple(fitted["scale"]))
    return Predictor(model.to(choose_device()).eval(), recipe, classes, statistics)


def _pixels(image: Image_, canvas: int, recipe: Recipe) -> NDArray[np.uint8] | str:
    try:
        return decode(_encoded(image), canvas, recipe.data.resize)
    except UnreadableImage as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)


def _encoded(image: Image_) -> Encoded:
    if isinstance(image, (bytes, np.ndarray)):
        return image
    if isinstance(image, (str, Path)):
        return Path(image).read_bytes()
    if image.mode in ("L", "RGB", "RGBA"):
        return np.asarray(image)
    stream = io.BytesIO()
    # Lossless and with palette and transparency; what PNG cannot keep has none.
    kept = image if image.mode in ("1", "P", "LA", "I", "I;16") else image.convert("RGB")
    kept.save(stream, "PNG", compress_level=0)
    return stream.getvalue()
