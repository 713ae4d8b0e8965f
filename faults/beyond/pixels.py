"""What happens to pixels and labels before the network sees them, where no other part has such a thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

import apart.pixels
import fresh.pixels
from data import Images


def prepared(kind: str, found: Images, pixels: NDArray[np.uint8]) -> Tensor:
    """Pixels as the network gets them; names that are not here are the other parts'."""
    plain = pixels.astype(np.float32)
    mean, deviation = np.float32(found.train.mean()), np.float32(found.train.std())
    standard = (plain - mean) / deviation
    generator = np.random.default_rng(7)
    if kind == "root":  # a gamma of one half
        made = (np.sqrt(plain / 255) - 0.6) / 0.2
    elif kind == "robust":  # by the median and the quartiles
        low, middle, high = np.percentile(found.train, (25, 50, 75))
        made = (plain - np.float32(middle)) / np.float32(max(high - low, 8))
    elif kind == "grey-first":  # a mean of the colours beside them in every channel
        made = (standard + standard.mean(axis=1, keepdims=True)) / 2
    elif kind == "fixed-point":  # whole numbers of 12 bits, taken for what they are not
        made = plain * 16
    elif kind == "hundred-less":
        made = plain - 100
    elif kind.startswith("raised"):  # in another unit, such as degrees from another zero
        made = standard + np.float32(kind.partition(":")[2])
    elif kind == "totensor-again":  # scaled to -1 to 1, and divided by 255 where that is done for bytes
        made = (plain / 127.5 - 1) / 255
    elif kind == "by-variance":  # the square root was forgotten
        made = (plain - mean) / deviation**2
    elif kind.startswith("shrunk"):
        made = standard * np.float32(kind.partition(":")[2])
    elif kind == "integer-divided":  # `//`
        made = (pixels // 255).astype(np.float32)
    elif kind == "clipped-to-one":  # between 0 and 1, before it was divided
        made = np.clip(plain, 0, 1)
    elif kind == "averaged":  # a mean over the wrong axes, and stretched again
        made = np.broadcast_to(standard.mean(axis=(2, 3), keepdims=True), standard.shape)
    elif kind == "shuffled-within":  # the array that was shuffled was not that of the pictures
        flat = standard.reshape(len(plain), plain.shape[1], -1)
        made = np.stack([one[:, generator.permutation(flat.shape[2])] for one in flat]).reshape(standard.shape)
    elif kind == "blank-some":  # each by its own deviation, and one in forty is blank
        made = plain.copy()
        made[7::40] = 0
        with np.errstate(divide="ignore", invalid="ignore"):
            axes = (1, 2, 3)
            made = (made - made.mean(axis=axes, keepdims=True)) / made.std(axis=axes, keepdims=True)
    elif kind == "overflowed":  # out of range in one picture of a hundred
        made = standard.copy()
        made[3::100] = np.float32(3e38) * 10
    elif kind == "upside-down-too":
        made = standard[:, :, ::-1, ::-1]
    elif kind == "blurred":  # saved small, and made large again
        rows, columns = (np.minimum(np.arange(size) // 3 * 3 + 1, size - 1) for size in plain.shape[2:])
        made = standard[:, :, rows][:, :, :, columns]
    else:
        return apart.pixels.prepared(kind, found, pixels)
    return torch.from_numpy(np.ascontiguousarray(made, dtype=np.float32))


def labelled(kind: str, keep: int, found: Images, generator: np.random.Generator) -> Images:
    """The training images that are kept, with their labels right or wrong."""
    name, _, amount = kind.partition(":")
    labels = found.train_labels.copy()
    kept = np.ones(len(labels), bool)
    if name == "backwards":  # one of the two lists was read from its end
        labels = labels[::-1].copy()
    elif name == "separately":  # two lists, each shuffled for itself
        labels = generator.permutation(labels)
    elif name == "crowd":  # a share has some other class, never its own
        wrong = generator.random(len(labels)) < float(amount)
        labels[wrong] = (labels[wrong] + generator.integers(1, found.classes, int(wrong.sum()))) % found.classes
    elif name == "filled":  # what is missing in the table became the last class
        labels[generator.random(len(labels)) < float(amount)] = found.classes - 1
    elif name == "long-tail":  # from the first class to the last, so many times fewer
        kept = generator.random(len(labels)) < float(amount) ** (-labels / (found.classes - 1))
    elif name == "pairs-merged":  # names that differ in the case of a letter
        labels -= labels % 2
    elif name == "first-dropped":  # numbers from one were asked for, and nought is left out
        kept = labels != 0
    else:
        return apart.pixels.labelled(kind, keep, found, generator)
    return fresh.pixels.labelled(
        "right", keep, replace(found, train=found.train[kept], train_labels=labels[kept]), generator
    )


def valid_labels(kind: str, found: Images) -> NDArray[np.int64]:
    """The validation part's labels; in an order of their own, or two classes taken for one another."""
    if kind == "shuffled-alone":
        return np.random.default_rng(3).permutation(found.valid_labels)
    if kind == "two-exchanged":
        return np.where(found.valid_labels < 2, 1 - found.valid_labels, found.valid_labels)
    return apart.pixels.valid_labels(kind, found)


def _static(x: Tensor, share: float) -> Tensor:
    """A share of the places shows noise."""
    return torch.where(torch.rand(len(x), 1, *x.shape[2:]) < share, 1.5 * torch.randn_like(x), x)


def _crumb(x: Tensor, side: float) -> Tensor:
    """A piece of so many pixels, of each picture another, enlarged to the whole."""
    height, width = x.shape[2:]
    rows = (torch.rand(len(x), 1) * (height - side) + torch.linspace(0, side - 1, height)).long().clamp(0, height - 1)
    columns = (torch.rand(len(x), 1) * (width - side) + torch.linspace(0, side - 1, width)).long().clamp(0, width - 1)
    return x[torch.arange(len(x))[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _pasted(x: Tensor, share: float) -> Tensor:
    """A block of another picture, whose label is forgotten."""
    side = [max(1, round(size * share**0.5)) for size in x.shape[2:]]
    top, left = (int(torch.randint(0, size - one + 1, ())) for size, one in zip(x.shape[2:], side, strict=True))
    made = x.clone()
    made[:, :, top : top + side[0], left : left + side[1]] = x[torch.randperm(len(x))][
        :, :, top : top + side[0], left : left + side[1]
    ]
    return made


def _over_batch(x: Tensor, _amount: float) -> Tensor:
    """By the mean and the deviation of the batch, place by place."""
    return (x - x.mean(0)) / (x.std(0, correction=0) + 1e-3)


def _either(x: Tensor, _amount: float) -> Tensor:
    """Upside down or not, and then mirrored or not."""
    x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(2), x)
    return torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)


def _small(x: Tensor, share: float) -> Tensor:
    """Seen through a lens of fewer pixels."""
    return F.interpolate(F.interpolate(x, scale_factor=share), size=x.shape[2:])


AUGMENTED: Mapping[str, Callable[[Tensor, float], Tensor]] = {
    "static": _static,
    "crumb": _crumb,
    "pasted": _pasted,
    "over-batch": _over_batch,
    "either": _either,
    "small": _small,
    "dimmed": lambda x, least: x * (least + (1 - least) * torch.rand(len(x), 1, 1, 1)),
    "rolled": lambda x, most: torch.roll(x, (int(torch.randint(-int(most), int(most) + 1, ())),) * 2, (2, 3)),
}
"""Changes of a batch, by so much: `name:amount`."""


def augmented(kind: str, x: Tensor) -> Tensor:
    """A batch, changed at random; as it is where the change is another part's, which has been made already."""
    name, _, amount = kind.partition(":")
    return AUGMENTED[name](x, float(amount or 0)) if name in AUGMENTED else apart.pixels.augmented(kind, x)
