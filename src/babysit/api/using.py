"""Using a run: its trained network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from babysit.inference.predictor import Image_, Prediction, Predictor, load_predictor
from babysit.inference.views import View


def load(run: str | Path) -> Predictor:
    """The trained network of a run, ready to predict.

    Raises:
        UserError: when there is no run, or it has no whole checkpoint.
    """
    return load_predictor(Path(run))


def predict(run: str | Path, images: Sequence[Image_], *, view: View = "plain") -> Iterator[Prediction]:
    """Predictions for any number of images, in order; an unreadable one is an error row."""
    return load(run).stream(images, view=view)
