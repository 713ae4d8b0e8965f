"""Preprocessing: `fit(training images, settings) -> Statistics`; applying them is one formula everywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from babysit.data.statistics import (
    Statistics,
    TrainingImages,
    Triple,
    channel_moments,
    covariance,
    mean_image,
    principal,
    triple,
)
from babysit.recipe.schema import PreprocessPart
from babysit.tables import Table

Fit = Callable[[TrainingImages, PreprocessPart], Statistics]

TYPICAL_DEVIATION = 64.0
"""Divides what is only centred, so that inputs are of order one and learning rates keep their meaning."""

EPSILON = 400.0
"""Added to variances before whitening, in squared pixel values: what varies by less than 20 of 255 is damped, being mostly noise.
A tenth of a typical pixel's variance, 64²."""

MOST_VALUES = 3 * 32 * 32
"""Values in an image, or in a tile, that are decorrelated together: a covariance of 75 MB."""

ZERO: Triple = (0.0, 0.0, 0.0)
ONE: Triple = (1.0, 1.0, 1.0)

WHITENING = ("pca-whiten", "zca")
DECORRELATING = ("pca", *WHITENING)
PER_CHANNEL = ("none", "channel-mean", "standardize")
"""Kinds that treat a pixel alike wherever it is."""

DIVIDED = ("mean-image", "channel-mean", "pca")
"""Kinds that end with a division by `preprocess.divisor`."""


def fit_none(images: TrainingImages, part: PreprocessPart) -> Statistics:  # noqa: ARG001 - one signature for all
    """Pixels from 0 to 1; nothing is fitted."""
    return Statistics()


def fit_mean_image(images: TrainingImages, part: PreprocessPart) -> Statistics:
    """Subtracts the mean image: y = (x - mean) / divisor."""
    return Statistics(ZERO, _divisor(part), mean_image(images))


def fit_channel_mean(images: TrainingImages, part: PreprocessPart) -> Statistics:
    """Subtracts the mean of each channel; divides by a constant."""
    means, _ = channel_moments(images.pixels, images.rows, images.inner)
    return Statistics(triple(means), _divisor(part))


def fit_standardize(images: TrainingImages, part: PreprocessPart) -> Statistics:  # noqa: ARG001 - one signature for all
    """Subtracts the mean of each channel and divides by its standard deviation (1 where that is zero)."""
    means, deviations = channel_moments(images.pixels, images.rows, images.inner)
    return Statistics(triple(means), triple([deviation or 1.0 for deviation in deviations]))


def fit_pca(images: TrainingImages, part: PreprocessPart) -> Statistics:
    """Decorrelates: y = V' (x - mean) / divisor, V the directions of the covariance V diag(v) V', the largest first."""
    mean, _, vectors = _decomposed(images, part)
    return Statistics(ZERO, _divisor(part), mean, vectors.T.copy())


def fit_pca_whiten(images: TrainingImages, part: PreprocessPart) -> Statistics:
    """Decorrelates and gives every direction the variance v / (v + epsilon): y = diag(v + epsilon)^-1/2 V' (x - mean)."""
    mean, variances, vectors = _decomposed(images, part)
    return Statistics(ZERO, ONE, mean, _factors(variances, part)[:, None] * vectors.T)


def fit_zca(images: TrainingImages, part: PreprocessPart) -> Statistics:
    """Whitens and turns back, which keeps images closest to themselves: y = V diag(v + epsilon)^-1/2 V' (x - mean).

    Source: Bell and Sejnowski, "The independent components of natural scenes are edge filters" (1997).
    """
    mean, variances, vectors = _decomposed(images, part)
    root = np.sqrt(_factors(variances, part)) * vectors
    return Statistics(ZERO, ONE, mean, root @ root.T)


PREPROCESSORS: Table[Fit] = Table(
    "preprocessing",
    {
        "none": fit_none,
        "mean-image": fit_mean_image,
        "channel-mean": fit_channel_mean,
        "standardize": fit_standardize,
        "pca": fit_pca,
        "pca-whiten": fit_pca_whiten,
        "zca": fit_zca,
    },
)


def fit_statistics(images: TrainingImages, part: PreprocessPart, *, colours: bool) -> Statistics:
    """All that is learned from the training images.

    Arguments:
        colours: whether the colour shift of augmentation will be used.
    """
    fitted = PREPROCESSORS[part.kind](images, part)
    return replace(fitted, colours=colour_directions(images)) if colours else fitted


def colour_directions(images: TrainingImages) -> NDArray[np.float64]:
    """Principal directions of the training pixels' colours, each times its variance, with pixel values from 0 to 1.

    The result is in pixel values 0 to 255: the column p_i v_i 255, v_i the variance of values from 0 to 1.

    Shape:
        (3, 3), a direction in each column.

    Source: Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks" (2012), section 4.1.
    """
    _, matrix = covariance(images, 1)
    variances, vectors = principal(matrix)
    return vectors * variances / 255


def _decomposed(
    images: TrainingImages, part: PreprocessPart
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean image or tile, variances, directions as columns."""
    side = part.patch or images.size
    assert 3 * side * side <= MOST_VALUES and images.size % side == 0
    mean, matrix = covariance(images, side)
    variances, vectors = principal(matrix)
    return mean.reshape(side, side, 3), variances, vectors


def _factors(variances: NDArray[np.float64], part: PreprocessPart) -> NDArray[np.float64]:
    """One over the deviation; 0 for a direction in which nothing varies, when epsilon is 0."""
    wide = variances + (EPSILON if part.epsilon is None else part.epsilon)
    return np.where(wide > 0, 1 / np.sqrt(np.where(wide > 0, wide, 1.0)), 0.0)


def _divisor(part: PreprocessPart) -> Triple:
    divisor = part.divisor or TYPICAL_DEVIATION
    return divisor, divisor, divisor
