"""The report's pictures of preprocessing."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from babysit import api
from babysit.data.normalisation import Normalisation
from babysit.data.preprocess import PREPROCESSORS, fit_statistics
from babysit.data.statistics import TrainingImages
from babysit.recipe.schema import PreprocessPart
from babysit.record.run import Run
from babysit.reporting.inputs import fitted, of_each_class, stretched
from babysit.reporting.page import write_report

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), np.uint8)


@pytest.mark.parametrize("kind", PREPROCESSORS)
@pytest.mark.parametrize("patch", [None, 4])
def test_what_is_shown_is_what_the_network_sees(kind: str, patch: int | None) -> None:
    statistics = fit_statistics(
        TrainingImages(PIXELS, np.arange(30), 8), PreprocessPart(kind=kind, patch=patch), colours=False
    )
    seen = Normalisation.of(statistics, torch.float32, torch.device("cpu"))(torch.from_numpy(PIXELS[30:]))
    assert np.allclose(statistics.applied(PIXELS[30:]), seen.permute(0, 2, 3, 1).numpy(), atol=1e-4)


def test_zero_is_grey_and_signs_show() -> None:
    shown = stretched(np.array([-2.0, -1.0, 0.0, 1.0, 2.0]))
    assert shown[2] in (127, 128) and shown[0] < shown[1] < shown[2] < shown[3] < shown[4]
    assert (stretched(np.zeros(3)) == shown[2]).all()


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([30, 10], {0: 4, 1: 4}),
        ([30, 1], {0: 7, 1: 1}),
        ([5] * 8, dict.fromkeys(range(8), 1)),
        ([5] * 100, dict.fromkeys([0, 14, 28, 42, 57, 71, 85, 99], 1)),
        ([3], {0: 3}),
        ([0, 2, 0, 9], {1: 2, 3: 6}),
    ],
)
def test_pictures_are_of_different_classes(counts: list[int], expected: dict[int, int]) -> None:
    """Validation comes class by class, as folders are listed."""
    labels = np.repeat(np.arange(len(counts)), counts)
    chosen = of_each_class(labels, 8)
    assert len(np.unique(chosen)) == len(chosen) and (np.diff(labels[chosen]) >= 0).all()
    assert {int(label): int((labels[chosen] == label).sum()) for label in np.unique(labels[chosen])} == expected


def section(page: str) -> str:
    found = re.search(r'<section id="inputs">.*?</section>', page, re.S)
    assert found
    return found.group(0)


def pictures(part: str) -> dict[str, np.ndarray]:
    found = re.findall(r'alt="([^"]+)" src="data:image/png;base64,([^"]+)"', part)
    return {name: np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for name, data in found}


@pytest.mark.parametrize(
    ("kind", "patch", "expected"),
    [
        ("standardize", None, ["images before and after preprocessing"]),
        ("mean-image", None, ["images before and after preprocessing", "mean image"]),
        ("pca", None, ["images before and after preprocessing", "mean image", "components"]),
        ("zca", 4, ["images before and after preprocessing", "mean image", "components"]),
    ],
)
def test_a_run_s_page_shows_them(kind: str, patch: int | None, expected: list[str], tmp_path) -> None:
    settings = {"preprocess.kind": kind, "train.steps": 2, "train.precision": "float32", "train.threads": 1}
    if patch:
        settings["preprocess.patch"] = patch
    done = api.train("digits", out=tmp_path / "run", settings=settings, anyway=True)
    part = section((done.run / "report.html").read_text(encoding="utf-8"))
    shown = pictures(part)
    assert list(shown) == expected and f"<b>{kind}</b>" in part
    statistics = fitted(Run(done.run))
    assert statistics is not None
    if statistics.mean is not None:
        mean = shown["mean image"]
        factor = len(mean) // len(statistics.mean)
        assert np.array_equal(mean[::factor, ::factor], np.rint(statistics.mean).astype(np.uint8))
    both = shown["images before and after preprocessing"]
    assert both.shape == (8 * 2 + 2, 8 * 8 + 7 * 2, 3)
    assert ("tiles of 4 pixels" in part) == (patch == 4)


def test_a_run_without_its_checkpoint_says_so(make_run) -> None:
    part = section(write_report(make_run("a")).read_text(encoding="utf-8"))
    assert "cannot be read" in part and "<img" not in part
