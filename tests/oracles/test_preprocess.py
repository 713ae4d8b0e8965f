"""Second authors of preprocessing: plain float64 NumPy over all images at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from babysit.data.batches import normalise
from babysit.data.preprocess import PREPROCESSORS, colour_directions, fit_statistics
from babysit.data.statistics import BLOCK_BYTES, Statistics, TrainingImages, covariance, mean_image
from babysit.recipe.schema import PreprocessPart

KINDS = ["mean-image", "pca", "pca-whiten", "zca"]


def photographs(count: int, canvas: int, seed: int = 0) -> np.ndarray:
    """Smooth in space and alike in their channels, so that the covariance is far from a diagonal."""
    noise = np.random.default_rng(seed).normal(size=(count, canvas + 2, canvas + 2, 1))
    smooth = sum(noise[:, y : y + canvas, x : x + canvas] for y in range(3) for x in range(3))
    channels = np.random.default_rng(seed + 1).normal(size=(count, canvas, canvas, 3))
    return np.clip(np.rint(130 + 15 * smooth + 12 * channels), 0, 255).astype(np.uint8)


def vectors_of(images: np.ndarray, tile: int) -> np.ndarray:
    """Tiles as rows, cut one by one."""
    size = images.shape[1]
    return np.array(
        [
            image[y : y + tile, x : x + tile].astype(np.float64).reshape(-1)
            for image in images
            for y in range(0, size, tile)
            for x in range(0, size, tile)
        ]
    )


@pytest.mark.parametrize("patch", [None, 2])
def test_the_fit_is_numpys_eigendecomposition(patch: int | None) -> None:
    pixels, rows = photographs(300, 6), np.arange(0, 300, 2)
    vectors = vectors_of(pixels[rows][:, 1:5, 1:5], patch or 4)
    centred = vectors - vectors.mean(axis=0)
    expected = centred.T @ centred / len(vectors)
    images = TrainingImages(pixels, rows, 4)
    mean, matrix = covariance(images, patch)
    assert np.abs(mean - vectors.mean(axis=0)).max() < 1e-10
    assert np.abs(matrix - expected).max() / np.abs(expected).max() < 1e-12
    values = np.linalg.eigvalsh(expected)[::-1]

    def of(kind: str, epsilon: float = 0.0) -> np.ndarray:
        fitted = PREPROCESSORS[kind](images, PreprocessPart(kind=kind, patch=patch, epsilon=epsilon, divisor=1.0))
        assert fitted.mean is not None and fitted.matrix is not None
        turned = (vectors - fitted.mean.reshape(-1)) @ fitted.matrix.T / fitted.scale[0]
        return turned.T @ turned / len(turned)

    assert np.abs(of("pca") - np.diag(values)).max() / values[0] < 1e-12, "decorrelated, the largest first"
    assert np.abs(of("pca-whiten") - np.eye(len(values))).max() < 1e-10
    assert np.abs(of("zca") - np.eye(len(values))).max() < 1e-10
    assert np.abs(of("pca-whiten", 20.0) - np.diag(values / (values + 20.0))).max() < 1e-10
    root = PREPROCESSORS["zca"](images, PreprocessPart(kind="zca", patch=patch, epsilon=20.0)).matrix
    decomposed, directions = np.linalg.eigh(expected)
    assert root is not None
    assert np.abs(root - root.T).max() < 1e-12
    assert np.abs(root - directions @ np.diag((decomposed + 20.0) ** -0.5) @ directions.T).max() < 1e-10


def test_sums_over_many_blocks_are_exact() -> None:
    size = 24
    pixels = photographs(BLOCK_BYTES // (3 * size * size) + 1100, size)
    rows = np.arange(1, len(pixels))
    images = TrainingImages(pixels, rows, size)
    assert np.array_equal(mean_image(images), pixels[1:].sum(axis=0, dtype=np.int64) / len(rows))
    few = [0, 5, 700, 1727]
    mean, matrix = covariance(images)
    values = pixels[1:].reshape(len(rows), -1)[:, few].astype(np.float64)
    assert np.abs(mean[few] - values.mean(axis=0)).max() < 1e-10
    assert np.abs(matrix[np.ix_(few, few)] - np.cov(values.T, bias=True)).max() < 1e-8
    colour_mean, colours = covariance(images, 1)
    flat = pixels[1:].reshape(-1, 3)
    assert np.abs(colour_mean - flat.mean(axis=0)).max() < 1e-10
    assert np.abs(colours - np.cov(flat.T.astype(np.float64), bias=True)).max() < 1e-7


def test_directions_in_which_nothing_varies_are_not_blown_up() -> None:
    pixels = photographs(100, 4)
    pixels[:, 0, 0] = 7
    images = TrainingImages(pixels, np.arange(100), 4)
    for kind in ("pca-whiten", "zca"):
        matrix = PREPROCESSORS[kind](images, PreprocessPart(kind=kind, epsilon=0.0)).matrix
        assert matrix is not None and np.isfinite(matrix).all() and np.abs(matrix).max() < 10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("patch", [None, 2])
def test_applying_in_float32_is_the_formula_in_float64(kind: str, patch: int | None) -> None:
    pixels = photographs(200, 4)
    part = PreprocessPart(kind=kind, patch=None if kind == "mean-image" else patch, epsilon=None)
    fitted = PREPROCESSORS[kind](TrainingImages(pixels, np.arange(150), 4), part)
    seen = normalise(torch.from_numpy(pixels[150:]), fitted, torch.float32)
    assert seen.shape == (50, 3, 4, 4) and seen.is_contiguous(memory_format=torch.channels_last)
    assert fitted.mean is not None
    side = len(fitted.mean)
    for place, image in enumerate(pixels[150:].astype(np.float64)):
        for y in range(0, 4, side):
            for x in range(0, 4, side):
                tile = image[y : y + side, x : x + side] - fitted.mean
                turned = tile if fitted.matrix is None else (fitted.matrix @ tile.reshape(-1)).reshape(tile.shape)
                got = seen[place, :, y : y + side, x : x + side].permute(1, 2, 0).double().numpy()
                assert np.abs(got - turned / np.array(fitted.scale)).max() < 2e-5


def test_only_the_training_rows_and_the_centred_window_are_looked_at() -> None:
    pixels = photographs(60, 8)
    rows = np.arange(0, 60, 3)
    fitted = {kind: PREPROCESSORS[kind](TrainingImages(pixels, rows, 4), PreprocessPart(kind=kind)) for kind in KINDS}
    others = np.setdiff1d(np.arange(60), rows)
    pixels[others] = 0
    pixels[:, :2], pixels[:, :, :2] = 255, 255
    for kind in KINDS:
        assert PREPROCESSORS[kind](TrainingImages(pixels, rows, 4), PreprocessPart(kind=kind)) == fitted[kind]


def test_colour_directions_are_krizhevskys() -> None:
    pixels = photographs(80, 5)
    images = TrainingImages(pixels, np.arange(80), 5)
    flat = pixels.reshape(-1, 3) / 255
    values, directions = np.linalg.eigh(np.cov(flat.T, bias=True))
    found = colour_directions(images)
    for place in range(3):
        expected = 255 * values[2 - place] * directions[:, 2 - place]
        assert min(np.abs(found[:, place] - sign * expected).max() for sign in (1, -1)) < 1e-10
    assert fit_statistics(images, PreprocessPart(), colours=False).colours is None


def test_statistics_are_read_back_as_they_are_applied() -> None:
    pixels = photographs(50, 4)
    fitted = fit_statistics(TrainingImages(pixels, np.arange(50), 4), PreprocessPart(kind="zca"), colours=True)
    read = Statistics.read(fitted.as_json(), fitted.arrays())
    assert read == fitted and read.matrix is not None and read.matrix.dtype == np.float32
    images = torch.from_numpy(pixels)
    assert torch.equal(normalise(images, read, torch.float32), normalise(images, fitted, torch.float32))
    assert Statistics() != fitted and Statistics() == Statistics()
