"""Images smaller than a deep network takes: enlarged on their way into it, or on a canvas where that is asked for."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from babysit import api, checkpoint
from babysit.inference.predictor import Predictor
from babysit.models import model_of
from babysit.recipe import Recipe, read_resolved


def trained(size: int, out: Path) -> Predictor:
    settings = {"data.size": size, "model.name": "convnet", "train.steps": 1, "train.threads": 1}
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


def test_a_network_sees_images_enlarged_under_its_own_names() -> None:
    plain = Recipe().replace({"model.name": "vgg11-bn", "data.size": 32})
    small = plain.replace({"data.size": 8, "model.enlarge": 4})
    large, wanting = model_of(plain, 5).eval(), model_of(small, 5).eval()
    assert list(wanting.state_dict()) == list(large.state_dict())
    images = torch.randn(2, 3, 8, 8)
    with torch.inference_mode():
        expected = large(F.interpolate(images, size=(32, 32), mode="bilinear", align_corners=False))
        assert torch.equal(wanting(images), expected) and torch.equal(copy.deepcopy(wanting)(images), expected)


def test_enlarged_images_train_explain_and_predict(tmp_path: Path, babysit) -> None:
    """Digits of 8 pixels, twice as large for a network that takes 15 and more."""
    done = babysit("train", "digits", "--model", "googlenet-bn", "--set", "train.steps=2", "-o", "run", "--anyway")
    assert (
        done.returncode == 0
        and "model.enlarge = 2 (by rule: googlenet-bn takes images of 15 pixels and more)" in done.stderr
    )
    recipe = read_resolved(tmp_path / "run" / "recipe.toml")
    assert (recipe.data.size, recipe.model.enlarge, recipe.augment.crop) == (8, 2, 1)
    network = api.load(tmp_path / "run")
    picture = np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)
    shares = network.predict([picture])[0].probabilities
    assert abs(float(sum(shares)) - 1) < 1e-5
    weights = checkpoint.load(checkpoint.best_path(tmp_path / "run" / "checkpoints")).weights
    assert weights["conv1.conv.weight"].shape == (64, 3, 7, 7)
    again = babysit("train", "digits", "-o", "run", "--resume")
    assert again.returncode == 0 and "finished already" in again.stderr
    refused = babysit("train", "digits", "--model", "googlenet-bn", "--size", "8", "-o", "other")
    assert (
        refused.returncode == 1
        and "or no size, and they are enlarged as the network needs (model.enlarge)" in refused.stderr
    )
