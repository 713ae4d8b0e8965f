"""What happens to pixels and labels before the network sees them, rightly or wrongly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from data import Images

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def prepared(kind: str, found: Images, pixels: NDArray[np.uint8]) -> Tensor:
    """Pixels as the network gets them; statistics are the training part's."""
    train = found.train.astype(np.float32)
    mean, deviation = train.mean(axis=(0, 2, 3), keepdims=True), train.std(axis=(0, 2, 3), keepdims=True)
    plain = pixels.astype(np.float32)
    standard = (plain - mean) / deviation
    if kind == "per-image":
        axes = (1, 2, 3)
        made = (plain - plain.mean(axis=axes, keepdims=True)) / (plain.std(axis=axes, keepdims=True) + 1)
    elif kind == "imagenet":  # the constants that everybody copies
        channels = plain.shape[1]
        centre = np.array(IMAGENET_MEAN[:channels], np.float32).reshape(1, -1, 1, 1)
        made = (plain / 255 - centre) / np.array(IMAGENET_DEVIATION[:channels], np.float32).reshape(1, -1, 1, 1)
    elif kind == "half":  # Normalize(0.5, 0.5) without the division by 255 before it
        made = (plain - 0.5) / 0.5
    elif kind == "blank":  # the array was made and never filled
        made = np.zeros_like(plain)
    elif kind == "swapped":  # blue first
        made = standard[:, ::-1]
    elif kind == "upside-down":
        made = standard[:, :, ::-1]
    elif kind == "shrunk":  # another size, enlarged again
        made = standard[:, :, ::4, ::4].repeat(4, axis=2).repeat(4, axis=3)
    else:
        made = {
            "standard": standard,
            "zero-one": plain / 255,
            "minus-one": plain / 127.5 - 1,
            "raw": plain,
            "uncentred": plain / deviation,
            "mean-only": plain - mean,
            "twice-divided": plain / 255 / 255,
            "thrice-divided": plain / 255 / 255 / 255,
            "twice-standard": (standard - mean) / deviation,
            "scaled-then-standard": (plain / 255 - mean) / deviation,
        }[kind]
    return torch.from_numpy(np.ascontiguousarray(made, dtype=np.float32))


def labelled(kind: str, keep: int, found: Images, generator: np.random.Generator) -> Images:
    """The training images that are kept, with their labels right or wrong."""
    train, labels = found.train, found.train_labels.copy()
    if keep:
        train, labels = train[:keep], labels[:keep]
    name, _, amount = kind.partition(":")
    if name == "shuffled":  # a share of them
        rows = np.flatnonzero(generator.random(len(labels)) < float(amount or 1))
        labels[rows] = labels[generator.permutation(rows)]
    elif name == "noisy":
        wrong = generator.random(len(labels)) < float(amount)
        labels[wrong] = generator.integers(0, found.classes, int(wrong.sum()))
    elif name == "neighbour":  # the annotators' usual confusion: one class with the next
        wrong = generator.random(len(labels)) < float(amount)
        labels[wrong] = (labels[wrong] + 1) % found.classes
    elif name == "rolled":  # file list and label list are sorted differently
        labels = np.roll(labels, int(amount))
    elif name == "merged":  # the last classes went into the first
        labels[labels >= found.classes - int(amount)] = 0
    elif name == "dropped":  # a class's folder was not read
        kept = labels < found.classes - int(amount)
        train, labels = train[kept], labels[kept]
    elif name == "rare":  # the upper half of the classes
        kept = (labels < (found.classes + 1) // 2) | (generator.random(len(labels)) < 1 / float(amount))
        train, labels = train[kept], labels[kept]
    elif name == "one-large":  # one class as it is, the others a share of it
        kept = (labels == 0) | (generator.random(len(labels)) < 1 / float(amount))
        train, labels = train[kept], labels[kept]
    else:
        assert name == "right", name
    return replace(found, train=train, train_labels=labels)


def valid_labels(kind: str, found: Images) -> NDArray[np.int64]:
    """The validation part's labels; in another order where the classes were numbered anew."""
    labels = found.valid_labels
    if kind == "reversed":
        return found.classes - 1 - labels
    if kind == "from-one":  # numbered from 1, the last one wraps
        return (labels + 1) % found.classes
    assert kind == "", kind
    return labels


def augmented(kind: str, x: Tensor) -> Tensor:
    """A batch, changed at random."""
    if kind == "none":
        return x
    if kind == "crop":
        padded = F.pad(x, (2, 2, 2, 2))
        down, right = (int(one) for one in torch.randint(0, 5, (2,)))
        return padded[:, :, down : down + x.shape[2], right : right + x.shape[3]]
    if kind == "crop-flip":
        moved = augmented("crop", x)
        return torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, moved.flip(3), moved)
    if kind == "cutout":
        moved = augmented("crop", x).clone()
        side = x.shape[2] // 3
        down, right = (int(one) for one in torch.randint(0, x.shape[2] - side, (2,)))
        moved[:, :, down : down + side, right : right + side] = 0
        return moved
    if kind == "bright":
        return x * (1 + 0.3 * torch.randn(len(x), 1, 1, 1)) + 0.3 * torch.randn(len(x), 1, 1, 1)
    if kind == "erase-most":
        return x * (torch.rand(len(x), 1, *x.shape[2:]) > 0.95)
    if kind == "noise":
        return x + 5 * torch.randn_like(x)
    if kind == "strong-noise":
        return x + 10 * torch.randn_like(x)
    if kind == "turn":  # by quarters, one for each image
        turns = torch.randint(0, 4, (len(x),)).tolist()
        return torch.stack([torch.rot90(one, turn, (1, 2)) for one, turn in zip(x, turns, strict=True)])
    if kind == "scatter":  # the pixels of every image in another order
        flat = x.flatten(2)
        order = torch.rand(len(x), 1, flat.shape[2]).argsort(dim=2).expand_as(flat)
        return flat.gather(2, order).view_as(x)
    if kind == "scatter-rows":
        return x[:, :, torch.randperm(x.shape[2])][:, :, :, torch.randperm(x.shape[3])]
    raise AssertionError(kind)
