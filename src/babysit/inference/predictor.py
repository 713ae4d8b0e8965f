"""Predictor: a trained network, its classes and its statistics, ready for files, bytes, arrays or pictures.

The decode path is the training's; the statistics are the checkpoint's. Predicting with other numbers is impossible.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from babysit import checkpoint
from babysit.calibration import Calibration, at_temperature
from babysit.data.augment import canvas_for
from babysit.data.catalog import Encoded
from babysit.data.decode import UnreadableImage, decode, quiet_decoding
from babysit.data.sources.archives import read_file
from babysit.data.statistics import Statistics
from babysit.data.storage import usable_cores
from babysit.device import choose_device, threads
from babysit.errors import BrokenCheckpointError, UserError
from babysit.inference.likeness import Features, Likeness, features_of, last_features, read_likeness
from babysit.inference.views import View, scores_by_view, windows
from babysit.models import model_of
from babysit.models.own import is_own
from babysit.recipe import Recipe, read_resolved
from babysit.record import predictions
from babysit.record.run import Run

BATCH, WAITING = 64, 2
"""Images a forward pass, and forward passes for each worker that are asked for before any answer is given."""

MOST_WORKERS = 8
"""Batches at a time: each needs memory of its own. Cores beyond that are shared out among them."""

PNG_MODES, TIFF_MODES = ("1", "LA", "P", "I;16"), ("I", "F", "CMYK", "LAB", "YCbCr")
"""How a picture in memory is written down without loss."""

Image_ = str | Path | bytes | NDArray[np.uint8] | Image.Image
"""What can be predicted: a path, encoded bytes, a (height, width, 3) or (height, width) uint8 array, a picture."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The classes of one image, most probable first, or the reason why it could not be read.

    `probabilities` calibrated, when the run's are; `unlike` whether the image is unlike the training data, None when
    the run cannot tell.
    """

    name: str
    classes: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    error: str = ""
    unlike: bool | None = None

    def unsure(self, least: float) -> bool:
        """Whether the most probable class is less probable than `least`."""
        return bool(self.probabilities) and self.probabilities[0] < least

    def as_json(self, top: int, least: float = 0.0) -> dict[str, object]:
        """The prediction as plain JSON values.

        Arguments:
            top: how many classes to list.
            least: a probability below which it is `unsure`.
        """
        if self.error:
            return {"file": self.name, "error": self.error}
        pairs = list(zip(self.classes, self.probabilities, strict=True))[:top]
        return {
            "file": self.name,
            "class": pairs[0][0],
            "probability": pairs[0][1],
            "top": [{"class": name, "probability": value} for name, value in pairs],
            "unsure": self.unsure(least),
            "unlike_training_data": self.unlike,
        }


@dataclass(frozen=True)
class Predictor:
    """A trained network with everything it needs.

    `calibrations` by view; `likeness` None for a run that has none; `step` of the weights; `notes` sentences for the
    user about what is not as it should be.
    """

    model: torch.nn.Module
    recipe: Recipe
    classes: tuple[str, ...]
    statistics: Statistics
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    likeness: Likeness | None = None
    step: int = 0
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Side of the image the network sees, in pixels."""
        assert self.recipe.data.size is not None
        return self.recipe.data.size

    def temperature(self, view: View) -> float:
        """What scores are divided by: the view's own temperature, that of `plain` where it has none, 1 without any."""
        one = self.calibrations.get(view) or self.calibrations.get("plain")
        return one.temperature if one else 1.0

    def scores(
        self, canvases: NDArray[np.uint8], rows: NDArray[np.int64], views: tuple[View, ...] = ("plain",)
    ) -> dict[View, NDArray[np.float32]]:
        """Each view's scores of some decoded images, with the run's arithmetic; one that is not a number is 0.

        Arguments:
            canvases: uint8, shape (n, canvas, canvas, 3).
            rows: which of them.
        """
        # More threads than the run measured to be worth it wait for each other.
        with threads(self.recipe.train.threads):
            return self._scores(canvases, rows, views)

    def _scores(
        self, canvases: NDArray[np.uint8], rows: NDArray[np.int64], views: tuple[View, ...]
    ) -> dict[View, NDArray[np.float32]]:
        found = scores_by_view(
            self.model,
            canvases,
            rows,
            statistics=self.statistics,
            size=self.size,
            precision=self.recipe.train.precision,
            views=views,
        )
        return {view: np.nan_to_num(said) for view, said in found.items()}

    def predict(self, images: Sequence[Image_] | Image_, *, view: View = "plain") -> list[Prediction]:
        """The classes of one or several images, in order.

        An image that cannot be read gives a `Prediction` with an `error`; it does not stop the others.

        Arguments:
            view: `plain`, or `flip`, `five`, `ten`: the mean over that many windows of the image.
        """
        single = isinstance(images, (str, Path, bytes, np.ndarray, Image.Image))
        several: Sequence[Image_] = [images] if single else images  # type: ignore[assignment,list-item]
        return list(self.stream(several, view=view))

    def stream(self, images: Iterable[Image_], *, view: View = "plain") -> Iterator[Prediction]:
        """`predict` for any number of images, in bounded memory.

        On a processor, each worker takes a batch all the way from files to answers, with its share of the cores: so some
        decode, which holds the interpreter, while others compute, which does not.
        """
        cores, first, device = usable_cores(), 0, next(self.model.parameters()).device
        rounds = _batched(images, WAITING * min(cores, MOST_WORKERS) * BATCH)
        begun = next(rounds, [])
        # A network of the user's own may keep something of an image while it works, as no two threads may.
        most = 1 if is_own(self.recipe.model.name) else MOST_WORKERS
        workers = max(1, min(cores, most, len(begun)))
        each = max(1, cores // workers)
        with (
            threads(None),
            last_features(self.model) as features,
            ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(each,)) as pool,
        ):
            for some in itertools.chain([begun] if begun else [], rounds):
                step = min(BATCH, -(-len(some) // workers))
                pieces = [some[at : at + step] for at in range(0, len(some), step)]
                with quiet_decoding():
                    if device.type == "cpu":
                        answers = list(
                            pool.map(lambda piece: self._answers(*self._canvases(piece), view, features), pieces)
                        )
                    else:
                        answers = [
                            self._answers(*decoded, view, features) for decoded in pool.map(self._canvases, pieces)
                        ]
                for image, answer in zip(some, itertools.chain.from_iterable(answers), strict=True):
                    name = str(image) if isinstance(image, (str, Path)) else f"image {first}"
                    yield replace(answer, name=name)
                    first += 1

    def decoded(self, image: Image_) -> tuple[NDArray[np.uint8], str]:
        """One image on its canvas, (canvas, canvas, 3), and why it could not be read, or nothing."""
        canvas = canvas_for(self.size)
        canvases = np.zeros((1, canvas, canvas, 3), np.uint8)
        with quiet_decoding():
            (reason,) = _decode_all([image], canvases, self.recipe)
        return canvases[0], reason

    def _canvases(self, images: list[Image_]) -> tuple[NDArray[np.uint8], list[str]]:
        """Every image on its canvas, and why each could not be read, or nothing."""
        canvas = canvas_for(self.size)
        canvases = np.empty((len(images), canvas, canvas, 3), np.uint8)
        return canvases, _decode_all(images, canvases, self.recipe)

    def _answers(
        self, canvases: NDArray[np.uint8], reasons: list[str], view: View, features: Features
    ) -> list[Prediction]:
        """What is said of each canvas, without its name."""
        good = np.array([place for place, reason in enumerate(reasons) if not reason], np.int64)
        said = iter(())
        if len(good):
            probabilities, unlike = self._said(canvases, good, view, features)
            order = np.argsort(-probabilities, axis=1, kind="stable")
            names = np.array(self.classes, object)[order].tolist()
            values = np.take_along_axis(probabilities, order, axis=1).tolist()
            said = zip(names, values, unlike, strict=True)
        answers = []
        for reason in reasons:
            if reason:
                answers.append(Prediction("", error=reason))
                continue
            classes, shares, strange = next(said)
            answers.append(Prediction("", tuple(classes), tuple(shares), unlike=strange))
        return answers

    def _said(
        self, canvases: NDArray[np.uint8], rows: NDArray[np.int64], view: View, features: Features
    ) -> tuple[NDArray[np.float64], list[bool | None]]:
        """Calibrated probabilities, and whether each image is unlike the training data."""
        scores = self._scores(canvases, rows, (view,))[view]
        probabilities, found = at_temperature(scores, self.temperature(view)), features.take()
        if self.likeness is None or not found:
            return probabilities, [None] * len(rows)
        # The centre window comes first of each batch's windows.
        each = len(windows(view, canvases.shape[1], self.size))
        return probabilities, self.likeness.is_unlike(features_of(found[::each])).tolist()


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
    kept, notes = None, []
    if best:
        try:
            kept = checkpoint.load(best)
        except BrokenCheckpointError as error:
            notes.append(f"the best checkpoint is broken, so the newest whole one is used: {error}")
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
    statistics = Statistics.read(state["statistics"], kept.statistics)
    return Predictor(
        model.to(choose_device()).eval(),
        recipe,
        classes,
        statistics,
        # What was fitted to the best network says nothing of another one.
        {} if notes else predictions.read_calibrations(run),
        None if notes else read_likeness(run.likeness),
        int(state["position"]["step"]),
        tuple(notes),
    )


def _batched(images: Iterable[Image_], count: int) -> Iterator[list[Image_]]:
    remaining = iter(images)
    while some := list(itertools.islice(remaining, count)):
        yield some


def _decode_all(images: list[Image_], canvases: NDArray[np.uint8], recipe: Recipe) -> list[str]:
    """Decodes every image into its canvas; why each could not be read, or nothing."""
    reasons = []
    for image, canvas in zip(images, canvases, strict=True):
        reason = ""
        try:
            canvas[...] = decode(_encoded(image), len(canvas), recipe.data.resize)
        except UnreadableImage as error:
            reason = str(error)
        except OSError as error:
            reason = error.strerror or str(error)
        reasons.append(reason)
    return reasons


def _encoded(image: Image_) -> Encoded:
    if isinstance(image, np.ndarray) and (image.dtype != np.uint8 or image.ndim not in (2, 3)):
        raise UnreadableImage(
            f"an array must be uint8 of shape (height, width) or (height, width, 3), not {image.dtype} of {image.shape}"
        )
    if isinstance(image, (bytes, np.ndarray)):
        return image
    if isinstance(image, (str, Path)):
        return read_file(Path(image))
    if image.mode in ("L", "RGB", "RGBA"):
        return np.asarray(image)
    stream = io.BytesIO()
    try:
        # Lossless, with palette and transparency; what neither format keeps has none.
        kept = image if image.mode in (*PNG_MODES, *TIFF_MODES) else image.convert("RGB")
        kept.save(stream, "TIFF" if kept.mode in TIFF_MODES else "PNG", compress_level=0)
    except (TypeError, ValueError) as error:
        raise UnreadableImage(str(error)) from error
    return stream.getvalue()
