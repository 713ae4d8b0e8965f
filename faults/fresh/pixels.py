"""What happens to pixels and labels before the network sees them, where the other held-out part has no such thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

import held.pixels
from data import Images


def prepared(kind: str, found: Images, pixels: NDArray[np.uint8]) -> Tensor:
    """Pixels as the network gets them; names that are not here are the other held-out part's."""
    plain = pixels.astype(np.float32)
    mean, deviation = float(found.train.mean()), float(found.train.std())
    if kind == "whole":  # one mean and one deviation for all channels
        made = (plain - mean) / deviation
    elif kind == "centred":
        made = plain / 255 - mean / 255
    elif kind == "negative":  # light for dark
        made = (255 - plain - mean) / deviation
    elif kind == "turned":  # the file's rows are the array's columns
        made = np.swapaxes((plain - mean) / deviation, 2, 3)
    elif kind == "uneven":  # one channel, or every second row of a grey picture, is left as it was
        made = (plain - mean) / deviation
        left = (slice(None), slice(0, 1)) if plain.shape[1] > 1 else (slice(None), slice(None), slice(0, None, 2))
        made[left] = plain[left]
    elif kind == "large-offset":  # as it comes from a sensor of 12 bits with a pedestal
        made = plain / 16 + 40
    elif kind == "tiny":  # divided by 255, and then by the deviation of the bytes
        made = (plain / 255 - mean / 255) / deviation
    elif kind == "thousandth":
        made = (plain - mean) / deviation / 1000
    elif kind == "one-for-all":  # the first picture of the list stands in every place
        made = np.broadcast_to((plain[:1] - mean) / deviation, plain.shape).copy()
    else:
        return held.pixels.prepared(kind, found, pixels)
    return torch.from_numpy(np.ascontiguousarray(made, dtype=np.float32))


def labelled(kind: str, keep: int, found: Images, generator: np.random.Generator) -> Images:
    """The training images that are kept, with their labels right or wrong."""
    name, _, amount = kind.partition(":")
    labels = found.train_labels.copy()
    if name == "half-shuffled":  # one half of the file was joined with the wrong rows
        rows = np.arange(len(labels) // 2)
        labels[rows] = labels[generator.permutation(rows)]
    elif name == "of-another":  # labels drawn from another list of as many classes
        labels = generator.integers(0, found.classes, len(labels))
    elif name == "group":  # annotators who tell only pairs of classes apart, for a share of the images
        wrong = generator.random(len(labels)) < float(amount)
        labels[wrong] = labels[wrong] // 2 * 2
    elif name == "steps":  # every class has a share of the one before it
        kept = generator.random(len(labels)) < float(amount) ** labels
        found = replace(found, train=found.train[kept])
        labels = labels[kept]
    else:
        return held.pixels.labelled(kind, keep, found, generator)
    found = replace(found, train_labels=labels)
    return held.pixels.labelled("right", keep, found, generator)


def valid_labels(kind: str, found: Images) -> NDArray[np.int64]:
    """The validation part's labels; its classes numbered in the order of their names as numbers, 0, 10, 11, 1, ..."""
    if kind == "by-name":
        order = sorted(range(found.classes), key=lambda one: str(one + 7))
        return np.array(order, np.int64)[found.valid_labels]
    return held.pixels.valid_labels(kind, found)


def _mirrored(x: Tensor) -> Tensor:
    return torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)


def _moved(x: Tensor, angle: float, scale: float, shift: float) -> Tensor:
    """Every picture turned, scaled and shifted by itself; angle in radians, shift in halves of the picture."""
    turn = (torch.rand(len(x)) * 2 - 1) * angle
    size = 1 + (torch.rand(len(x)) * 2 - 1) * scale
    place = (torch.rand(len(x), 2) * 2 - 1) * shift
    cosine, sine = size * torch.cos(turn), size * torch.sin(turn)
    rows = torch.stack([torch.stack([cosine, -sine, place[:, 0]], 1), torch.stack([sine, cosine, place[:, 1]], 1)], 1)
    grid = F.affine_grid(rows, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _piece(x: Tensor, share: float) -> Tensor:
    """A piece somewhere of each batch, enlarged to the whole."""
    height, width = max(2, int(x.shape[2] * share)), max(2, int(x.shape[3] * share))
    top = int(torch.randint(0, x.shape[2] - height + 1, ()))
    left = int(torch.randint(0, x.shape[3] - width + 1, ()))
    piece = x[:, :, top : top + height, left : left + width]
    return F.interpolate(piece, size=x.shape[2:], mode="nearest")


def _blended(x: Tensor, share: float) -> Tensor:
    """With another picture of the batch, whose label is forgotten."""
    return share * x + (1 - share) * x[torch.randperm(len(x))]


def _colours(x: Tensor) -> Tensor:
    """Channels stretched and shifted, each picture by itself."""
    shape = (len(x), x.shape[1], 1, 1)
    return x * (1 + 0.25 * torch.randn(shape)) + 0.25 * torch.randn(shape)


def _smeared(x: Tensor, size: int) -> Tensor:
    """Blurred until it is one colour."""
    return F.avg_pool2d(x, size, 1, padding=size // 2, count_include_pad=False)[:, :, : x.shape[2], : x.shape[3]]


AUGMENTED: dict[str, Callable[[Tensor], Tensor]] = {
    "mirror": _mirrored,
    "moved": lambda x: _moved(x, 0.25, 0.1, 0.1),
    "moved-far": lambda x: _moved(x, 0.5, 0.25, 0.2),
    "moved-mirror": lambda x: _mirrored(_moved(x, 0.15, 0.15, 0.1)),
    "colours": _colours,
    "some-noise": lambda x: x + 0.4 * torch.randn_like(x),
    "whirled": lambda x: _moved(x, 3.2, 0.1, 0.1),
    "thrown-out": lambda x: _moved(x, 0.5, 0.5, 1.1),
    "piece": lambda x: _piece(x, 0.25),
    "small-piece": lambda x: _piece(x, 0.12),
    "blended": lambda x: _blended(x, 0.55),
    "blended-wholly": lambda x: _blended(x, 0.35),
    "smeared": lambda x: _smeared(x, 15),
    "under-noise": lambda x: x + 6 * torch.randn_like(x),
}
"""Changes of a batch; the first six are what people do and do well."""


def augmented(kind: str, x: Tensor) -> Tensor:
    """A batch, changed at random."""
    return AUGMENTED[kind](x) if kind in AUGMENTED else held.pixels.augmented(kind, x)
