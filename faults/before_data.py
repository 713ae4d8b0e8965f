"""Images of the corpus before training, and what people do to them between the file and the network, rightly or wrongly."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import data

MOST = 400


@dataclass(frozen=True)
class Set:
    """Pixels (n, channels, height, width) uint8, labels (n,) int64 from 0."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: int


@functools.cache
def images(name: str) -> Set:
    """One of `digits`, `small-digits`, `shapes`, `cifar`, `spots`, `wide`, `dark`, `rare`, `textures`."""
    if name in ("digits", "shapes", "cifar"):
        found = data.images(name)
        return Set(found.train[:MOST], found.train_labels[:MOST], found.classes)
    return {
        "small-digits": _small_digits,
        "spots": _spots,
        "wide": _wide,
        "dark": _dark,
        "rare": _rare,
        "textures": _textures,
    }[name]()


def _small_digits() -> Set:
    """One channel of 8 x 8, as they come."""
    found = data.images("digits")
    return Set(np.ascontiguousarray(found.train[:MOST, :1, ::2, ::2]), found.train_labels[:MOST], 10)


def _spots() -> Set:
    """Two classes: a bright spot in the left or the right half."""
    generator = np.random.default_rng(11)
    labels = np.arange(MOST) % 2
    generator.shuffle(labels)
    pixels = generator.integers(20, 110, (MOST, 3, 16, 16))
    for row, label in enumerate(labels):
        top, left = generator.integers(0, 12), generator.integers(0, 5) + 8 * label
        pixels[row, :, top : top + 4, left : left + 3] += 120
    return Set(pixels.astype(np.uint8), labels, 2)


def _wide() -> Set:
    """Three classes of stripes, twice as wide as high, one channel."""
    generator = np.random.default_rng(12)
    labels = np.arange(MOST) % 3
    generator.shuffle(labels)
    down, across = np.mgrid[0:8, 0:16]
    fields = [down, across, down + across]
    waves = np.stack([np.sin(1.6 * fields[label] + generator.uniform(0, 6)) for label in labels])
    return Set(
        np.clip(128 + 70 * waves + generator.normal(0, 25, waves.shape), 0, 255).astype(np.uint8)[:, None], labels, 3
    )


def _dark() -> Set:
    """Shapes photographed at night: a tenth of the brightness."""
    found = images("shapes")
    return Set((found.pixels / 6).astype(np.uint8), found.labels, found.classes)


def _rare() -> Set:
    """Digits of which the classes from 5 on are five times as rare."""
    found = data.images("digits")
    kept = (found.train_labels < 5) | (np.random.default_rng(13).random(len(found.train_labels)) < 0.2)
    return Set(found.train[kept][:MOST], found.train_labels[kept][:MOST], 10)


def _textures() -> Set:
    """Held out. Eight textures of random phase, scale and contrast; neither mean nor colour is a clue."""
    generator = np.random.default_rng(14)
    side, count = 24, 8
    labels = np.arange(MOST) % count
    generator.shuffle(labels)
    down, across = np.mgrid[0:side, 0:side].astype(float)
    pixels = np.empty((MOST, 3, side, side))
    for row, label in enumerate(labels):
        step, shift, more = generator.uniform(0.7, 1.1), *generator.uniform(0, 6, 2)
        first, second = np.sin(step * down + shift), np.sin(step * across + more)
        slanted, other = np.sin(step * (down + across) / 1.4 + shift), np.sin(step * (down - across) / 1.4 + more)
        radius = np.hypot(down - generator.uniform(0, side), across - generator.uniform(0, side))
        field = (
            first,
            second,
            slanted,
            other,
            np.sign(first * second),
            np.sin(step * radius),
            (generator.random((side, side)) < 0.15) * 2.0,
            np.cumsum(generator.normal(0, 1, (side, side)), axis=1),
        )[label]
        field = (field - field.mean()) / field.std()
        tint = generator.uniform(25, 50) * generator.choice((-1, 1)) * generator.uniform(0.6, 1, (3, 1, 1))
        pixels[row] = 128 + tint * field + generator.normal(0, 8, (side, side))
    return Set(np.clip(pixels, 0, 255).astype(np.uint8), labels, count)


Prepare = Callable[[NDArray[np.uint8]], Tensor]


def standard(pixels: NDArray[np.uint8]) -> Tensor:
    """Mean and deviation of each channel."""
    x = torch.from_numpy(pixels).float()
    return (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True)


def imagenet(pixels: NDArray[np.uint8]) -> Tensor:
    """ImageNet's numbers; MNIST's for one channel."""
    if pixels.shape[1] == 1:
        return (torch.tensor(pixels) / 255 - 0.1307) / 0.3081
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (torch.tensor(pixels) / 255 - mean[:, None, None]) / std[:, None, None]


def each_image(pixels: NDArray[np.uint8]) -> Tensor:
    """Every image by its own mean and deviation, as TensorFlow's per_image_standardization."""
    x = pixels.astype("float32")
    lower = 1.0 / np.sqrt(x[0].size)
    scaled = (x - x.mean((1, 2, 3), keepdims=True)) / np.maximum(x.std((1, 2, 3), keepdims=True), lower)
    return torch.from_numpy(scaled.astype("float32"))


def mean_image(pixels: NDArray[np.uint8]) -> Tensor:
    """AlexNet's mean image, then one deviation for all."""
    x = pixels.astype(np.float32) - pixels.mean(axis=0, dtype=np.float32)
    return torch.from_numpy(x / x.std())


def zca(pixels: NDArray[np.uint8]) -> Tensor:
    """Whitened, for few pixels."""
    flat = pixels.reshape(len(pixels), -1) / 255.0
    flat = flat - flat.mean(axis=0)
    values, vectors = np.linalg.eigh(flat.T @ flat / len(flat))
    white = flat @ vectors @ np.diag(1 / np.sqrt(np.maximum(values, 0) + 0.1)) @ vectors.T
    return torch.tensor(white.reshape(pixels.shape), dtype=torch.float32)


def pixel_deviation(pixels: NDArray[np.uint8]) -> Tensor:
    """Wrong where a pixel never changes: 0 / 0."""
    x = pixels.astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        return torch.from_numpy((x - x.mean(0)) / x.std(0))


def logarithm(pixels: NDArray[np.uint8]) -> Tensor:
    """Wrong: the logarithm of black."""
    with np.errstate(divide="ignore"):
        return torch.from_numpy(np.log(pixels.astype(np.float32) / 255))


def mixed_units(pixels: NDArray[np.uint8]) -> Tensor:
    """Wrong: pixels from 0 to 1, the mean and deviation of pixels from 0 to 255."""
    return (torch.from_numpy(pixels) / 255 - pixels.mean()) / pixels.std()


def imagenet_twice(pixels: NDArray[np.uint8]) -> Tensor:
    """Wrong: in the transform, and again in the loader."""
    again = imagenet(pixels)
    mean, std = (0.449, 0.226) if pixels.shape[1] == 3 else (0.1307, 0.3081)
    return (again - mean) / std


def imagenet_raw(pixels: NDArray[np.uint8]) -> Tensor:
    """Wrong: ImageNet's numbers without the division by 255 before."""
    return (torch.from_numpy(pixels).float() - 0.449) / 0.226


def unfilled(pixels: NDArray[np.uint8]) -> Tensor:
    """Wrong: an array made, and never filled."""
    return torch.zeros(pixels.shape)


def partly_filled(pixels: NDArray[np.uint8]) -> Tensor:
    """Wrong: an array filled by a loop that ends early."""
    x = standard(pixels)
    out = torch.zeros_like(x)
    out[: int(0.7 * len(x))] = x[: int(0.7 * len(x))]
    return out


def one_picture(pixels: NDArray[np.uint8]) -> Tensor:
    """Wrong: the loop variable is never used."""
    x = standard(pixels)
    return torch.stack([x[0] for _ in range(len(x))])


def few_pictures(pixels: NDArray[np.uint8]) -> Tensor:
    """Wrong: the index is that of the batch, so all images of a batch are one, whatever their labels."""
    x = standard(pixels)
    return torch.stack([x[row // 32] for row in range(len(x))])


def last_axis(pixels: NDArray[np.uint8]) -> Tensor:
    """Wrong: as PIL gives it, the channels last."""
    return standard(pixels).permute(0, 2, 3, 1).contiguous()


def viewed(pixels: NDArray[np.uint8]) -> Tensor:
    """Wrong: reshape where transpose was meant; rows of red, green and blue become channels."""
    return torch.from_numpy(standard(pixels).numpy().transpose(0, 2, 3, 1).reshape(pixels.shape).copy())


INPUTS: dict[str, Prepare] = {
    "standard": standard,
    "imagenet": imagenet,
    "each-image": each_image,
    "mean-image": mean_image,
    "zca": zca,
    "zero-one": lambda pixels: torch.from_numpy(pixels) / 255,
    "minus-one": lambda pixels: torch.from_numpy(pixels).float().div(127.5).sub(1),
    "ink": lambda pixels: 1 - torch.from_numpy(pixels) / 255,
    "two-valued": lambda pixels: (torch.from_numpy(pixels) > 127).float(),
    # wrongly
    "raw": lambda pixels: torch.from_numpy(pixels).float(),
    "bytes": lambda pixels: torch.from_numpy(pixels),
    "centred": lambda pixels: torch.from_numpy(pixels).float() - float(pixels.mean()),
    "divided-twice": lambda pixels: torch.from_numpy(pixels).float() / 255 / 255,
    "divided-three-times": lambda pixels: torch.from_numpy(pixels) / 255.0**3,
    "imagenet-twice": imagenet_twice,
    "imagenet-raw": imagenet_raw,
    "mixed-units": mixed_units,
    "whole-division": lambda pixels: torch.from_numpy(pixels // 255).float(),
    "pixel-deviation": pixel_deviation,
    "logarithm": logarithm,
    "unfilled": unfilled,
    "partly-filled": partly_filled,
    "one-picture": one_picture,
    "few-pictures": few_pictures,
    "last-axis": last_axis,
    "viewed": viewed,
    "doubles": lambda pixels: standard(pixels).double(),
    "drowned": lambda pixels: torch.randn(pixels.shape) + 0.01 * standard(pixels),
}
