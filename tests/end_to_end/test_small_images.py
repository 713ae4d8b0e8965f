"""Images smaller than their canvas, as a deep network's smallest size makes them."""

from __future__ import annotations

from pathlib import Path

from babysit import api
from babysit.inference.predictor import Predictor
from babysit.recipe import read_resolved


def trained(size: int, out: Path) -> Predictor:
    settings = {"data.size": size, "model.name": "linear", "train.steps": 1, "train.threads": 1}
    api.train("digits", out=out, settings=settings)
    return api.load(out)


def test_they_are_normalised_and_shifted_as_without_a_canvas(tmp_path: Path) -> None:
    """A digit of 8 pixels on 32: the grey around it counts neither in the deviation nor in the jitter."""
    canvas, own = trained(32, tmp_path / "canvas"), trained(8, tmp_path / "own")
    assert canvas.statistics == own.statistics
    assert canvas.statistics.scale[0] > 90, "with the grey it would be 25"
    assert read_resolved(tmp_path / "canvas" / "recipe.toml").augment.crop == 1
    told = (tmp_path / "canvas" / "recipe.toml").read_text(encoding="utf-8")
    assert "an eighth of the size of the images, 8 pixels on a canvas of 32" in told
