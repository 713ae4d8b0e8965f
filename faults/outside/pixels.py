"""What happens to pixels and labels before the network sees them in the part from outside, rightly or wrongly: more than the part that is anew has."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

import anew.pixels
from data import Images


def prepared(kind: str, found: Images, pixels: NDArray[np.uint8]) -> Tensor:
    """Pixels as the network gets them: by `Normalize` with the training part's figures, in another right way, or in a wrong one."""
    raw = torch.from_numpy(pixels).float()
    train = torch.from_numpy(found.train).float() / 255
    mean, std = (one.view(1, -1, 1, 1) for one in (train.mean((0, 2, 3)), train.std((0, 2, 3))))
    name, _, amount = kind.partition(":")
    number = float(amount or 0)
    made: dict[str, Callable[[], Tensor]] = {
        "min-max": lambda: (raw / 255 - train.min()) / (train.max() - train.min()),
        "minus-one-to-one": lambda: raw / 127.5 - 1,
        "two-deviations": lambda: (raw / 255 - mean) / (2 * std),
        "contrast": lambda: torch.tanh((raw / 255 - mean) / (1.5 * std)),
        # mistakes
        "sixteen-bits": lambda: raw * 257,  # a file of 16 bits, read as it is
        "minus-127": lambda: raw - 127,
        "raised": lambda: (raw / 255 - mean) / std + number,  # the sign of what is subtracted, and its unit
        "scaled-then-normalised": lambda: (raw / 255 / 255 - mean) / std,
        "shrunk": lambda: raw / 255 * number,
        "cast": lambda: (raw / 255).to(torch.int64).float(),
        "buffer": lambda: ((raw / 255 - mean) / std)[-1:].expand_as(raw).clone(),  # one buffer, filled again and again
        "viewed": lambda: _viewed((raw / 255 - mean) / std),
        "dead-channel": lambda: (
            (raw / 255 - mean) / (std * torch.tensor([0.0] + [1.0] * (raw.shape[1] - 1))[:, None, None])
        ),
        "overflowed": lambda: _overflowed((raw / 255 - mean) / std, int(number)),
        "unscaled": lambda: (raw - mean) / std,  # Normalize without ToTensor
        "bgr": lambda: ((raw / 255).flip(1) - mean) / std,
        "rotated": lambda: torch.rot90((raw / 255 - mean) / std, 1, (2, 3)).contiguous(),
        "nearest": lambda: _coarse((raw / 255 - mean) / std, int(number)),
        "corner": lambda: _corner((raw / 255 - mean) / std, number),
    }
    return made[name]() if name in made else anew.pixels.prepared(kind, found, pixels)


def _viewed(x: Tensor) -> Tensor:
    """Height, width, channels; viewed as channels, height, width, where they should be permuted."""
    return x.permute(0, 2, 3, 1).contiguous().view(x.shape)


def _overflowed(x: Tensor, each: int) -> Tensor:
    """One picture in so many has a place that is infinite, as a division by nought makes it."""
    x[::each, :, 5, 5] = torch.inf
    return x


def _coarse(x: Tensor, times: int) -> Tensor:
    """Loaded smaller by so much, and enlarged by nearest neighbours."""
    return F.interpolate(x[:, :, ::times, ::times], size=x.shape[2:])


def _corner(x: Tensor, share: float) -> Tensor:
    """A crop at the upper left, enlarged."""
    height, width = (max(2, round(side * share)) for side in x.shape[2:])
    return F.interpolate(x[:, :, :height, :width], size=x.shape[2:], mode="bilinear")


def labelled(kind: str, keep: int, found: Images, generator: np.random.Generator) -> Images:
    """The training images that are kept, with their labels right or wrong."""
    name, _, amount = kind.partition(":")
    labels, classes = found.train_labels.copy(), found.classes
    kept = np.ones(len(labels), bool)
    if name == "sorted":  # the column of labels was sorted by itself
        labels = np.sort(labels)
    elif name == "by-name":  # the files in the order of their names, 1, 10, 11, 2, and labels in that of numbers
        labels = labels[sorted(range(len(labels)), key=str)]
    elif name == "annotator":  # a share has any class but its own
        wrong = generator.random(len(labels)) < float(amount)
        labels[wrong] = (labels[wrong] + generator.integers(1, classes, int(wrong.sum()))) % classes
    elif name == "pairwise":  # a share is exchanged with that of the class beside it
        wrong = (generator.random(len(labels)) < float(amount)) & (labels < classes // 2 * 2)
        labels[wrong] = labels[wrong] ^ 1
    elif name == "geometric":  # from class to class fewer, the last one in so many
        kept = generator.random(len(labels)) < float(amount) ** (-labels / (classes - 1))
    elif name == "rare":  # of the last two classes one picture in so many
        kept = (labels < classes - 2) | (generator.random(len(labels)) < 1 / float(amount))
    elif name == "first-dropped":  # if label: where label is not None was meant
        kept = labels > 0
    elif name == "clamped":  # clip to a maximum that is too low
        labels = np.minimum(labels, classes - 1 - int(amount))
    else:
        return anew.pixels.labelled(kind, keep, found, generator)
    pixels, labels = found.train[kept], labels[kept]
    count = keep or len(labels)
    return Images(pixels[:count], labels[:count], found.valid, found.valid_labels, classes)


def valid_labels(kind: str, found: Images) -> NDArray[np.int64]:
    """The validation part's labels, right or numbered otherwise than in training."""
    if kind == "by-folder":  # classes numbered by a listing of folders that comes in another order
        return np.random.default_rng(5).permutation(found.classes)[found.valid_labels]
    if kind == "last-two":
        order = [*range(found.classes - 2), found.classes - 1, found.classes - 2]
        return np.array(order)[found.valid_labels]
    return anew.pixels.valid_labels(kind, found)


def _some(x: Tensor, share: float) -> Tensor:
    return torch.rand(len(x), 1, 1, 1) < share


def _solid(x: Tensor, share: float) -> Tensor:
    """Pixels dropped one by one, all channels together."""
    return x * (torch.rand(len(x), 1, *x.shape[2:]) >= share)


def _mixed(x: Tensor, most: float) -> Tensor:
    """Pictures blended with others of the batch; what their labels become is nobody's business."""
    weight = torch.rand(len(x), 1, 1, 1) * most
    return (1 - weight) * x + weight * x[torch.randperm(len(x))]


AUGMENTED: Mapping[str, Callable[[Tensor, float], Tensor]] = {
    **anew.pixels.AUGMENTED,
    "mirror": lambda x, share: torch.where(_some(x, share), x.flip(3), x),
    "negative": lambda x, share: torch.where(_some(x, share), -x, x),
    "quarter-turns": lambda x, _: torch.stack(
        [torch.rot90(one, int(k), (1, 2)) for one, k in zip(x, torch.randint(0, 4, (len(x),)), strict=True)]
    ),
    "salt": _solid,
    "dimmed": lambda x, much: x * (1 - much * torch.rand(len(x), 1, 1, 1)),
    "pixels": lambda x, size: F.interpolate(F.avg_pool2d(x, int(size), ceil_mode=True), size=x.shape[2:]),
    "blended": _mixed,
}
"""Changes of a batch, `name:amount`."""


def augmented(kind: str, x: Tensor) -> Tensor:
    """A batch, changed at random."""
    name, _, amount = kind.partition(":")
    return AUGMENTED[name](x, float(amount or 0))
