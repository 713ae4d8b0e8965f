"""What happens to pixels and labels before the network sees them, where no other part has such a thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

import fresh.pixels
import unseen.pixels
from data import Images
from held.pixels import IMAGENET_DEVIATION, IMAGENET_MEAN


def prepared(kind: str, found: Images, pixels: NDArray[np.uint8]) -> Tensor:
    """Pixels as the network gets them; names that are not here are the other parts'."""
    plain = pixels.astype(np.float32)
    mean, deviation = np.float32(found.train.mean()), np.float32(found.train.std())
    standard = (plain - mean) / deviation
    channels = plain.shape[1]
    centre = np.array(IMAGENET_MEAN[:channels], np.float32).reshape(1, -1, 1, 1)
    spread = np.array(IMAGENET_DEVIATION[:channels], np.float32).reshape(1, -1, 1, 1)
    if kind == "imagenet-of-bytes":  # the constants for 0 to 1, and pixels up to 255
        made = (plain - centre) / spread
    elif kind == "centred-bytes":
        made = plain - 128
    elif kind == "log":  # as for pictures of great range
        made = np.log1p(plain)
        made = (made - np.float32(np.log1p(found.train.astype(np.float32)).mean())) / 1.2
    elif kind == "hundred":  # per cent, centred
        made = (plain - mean) / 100
    elif kind == "squared":  # gamma, forgotten to be undone
        made = plain**2 / 8
    elif kind == "standard-divided":  # standardised, and divided by 255 after that
        made = standard / 255
    elif kind == "millionth":
        made = standard * 1e-5
    elif kind == "masked":  # a mask of the wrong sign: what is worth seeing is put to nought
        made = np.where(abs(standard) > 0.25, 0, standard)
    elif kind == "row-alone":  # an axis was lost: the first row stands in all rows
        made = np.broadcast_to(standard[:, :, :1], standard.shape)
    elif kind == "infinite":  # a logarithm of nought
        with np.errstate(divide="ignore"):
            made = np.log(np.where(np.arange(len(plain))[:, None, None, None] % 30 == 0, plain * 0, plain + 1))
    elif kind == "inner":  # the middle, enlarged
        size = plain.shape[2]
        edge = size // 4
        rows = edge + np.arange(size) // 2
        made = standard[:, :, rows][:, :, :, rows]
    elif kind == "dark":  # another camera
        made = 0.15 * standard - 1.5
    else:
        return unseen.pixels.prepared(kind, found, pixels)
    return torch.from_numpy(np.ascontiguousarray(made, dtype=np.float32))


def labelled(kind: str, keep: int, found: Images, generator: np.random.Generator) -> Images:
    """The training images that are kept, with their labels right or wrong."""
    name, _, amount = kind.partition(":")
    labels = found.train_labels.copy()
    if name == "all-first":  # argmax over the wrong axis
        labels[:] = 0
    elif name == "halved":  # an integer division too many
        labels //= 2
    elif name == "copies":  # a list of so many images, multiplied by mistake
        rows = np.arange(len(labels)) % int(amount)
        return fresh.pixels.labelled(
            "right", keep, replace(found, train=found.train[rows], train_labels=labels[rows]), generator
        )
    elif name == "last-rare":  # the last class, one in so many
        kept = (labels < found.classes - 1) | (generator.random(len(labels)) < 1 / float(amount))
        found, labels = replace(found, train=found.train[kept]), labels[kept]
    elif name == "sides":  # two annotators, one of whom numbers the classes from the other end
        wrong = np.arange(len(labels)) % 100 < 100 * float(amount)
        labels[wrong] = found.classes - 1 - labels[wrong]
    else:
        return unseen.pixels.labelled(kind, keep, found, generator)
    return fresh.pixels.labelled("right", keep, replace(found, train_labels=labels), generator)


def valid_labels(kind: str, found: Images) -> NDArray[np.int64]:
    """The validation part's labels; one on, as a background class that only one of the two lists has."""
    if kind == "one-on":
        return (found.valid_labels + 1) % found.classes
    return unseen.pixels.valid_labels(kind, found)


def _each(x: Tensor) -> Tensor:
    return torch.rand(len(x), 1, 1, 1)


def _flipped(x: Tensor) -> Tensor:
    """To the other side and upside down, each or not."""
    x = torch.where(_each(x) < 0.5, x.flip(3), x)
    return torch.where(_each(x) < 0.5, x.flip(2), x)


def _any_way(x: Tensor) -> Tensor:
    """Turned by quarters and flipped."""
    x = _flipped(x)
    return torch.where(_each(x) < 0.5, x.transpose(2, 3), x)


def _erased(x: Tensor, share: float, chance: float) -> Tensor:
    """A square of that share of the picture is nought in some."""
    side = max(1, int(share**0.5 * x.shape[2]))
    down, right = (int(one) for one in torch.randint(0, x.shape[2] - side + 1, (2,)))
    mask = torch.ones_like(x[:1, :1])
    mask[:, :, down : down + side, right : right + side] = 0
    return torch.where(_each(x) < chance, x * mask, x)


def _pushed(x: Tensor, most: int) -> Tensor:
    """Padded with noughts, and cut out anywhere."""
    padded = F.pad(x, (most, most, most, most))
    down, right = (int(one) for one in torch.randint(0, 2 * most + 1, (2,)))
    return padded[:, :, down : down + x.shape[2], right : right + x.shape[3]]


def _jigsaw(x: Tensor, pieces: int) -> Tensor:
    """Cut into columns, which are put together in another order."""
    columns = list(torch.tensor_split(x, pieces, dim=3))
    return torch.cat([columns[place] for place in torch.randperm(pieces).tolist()], dim=3)


AUGMENTED: dict[str, Callable[[Tensor], Tensor]] = {
    "flipped": _flipped,
    "erased-some": lambda x: _erased(x, 0.12, 0.5),
    "pushed-some": lambda x: _pushed(x, 2),
    "contrast": lambda x: x * (0.7 + 0.6 * _each(x)),
    "rounded": lambda x: (3 * x).round() / 3,
    "any-way": _any_way,
    "erased-all": lambda x: _erased(x, 0.95, 1.0),
    "pushed-out": lambda x: _pushed(x, int(0.9 * x.shape[2])),
    "jigsaw": lambda x: _jigsaw(_jigsaw(x, 8).transpose(2, 3), 8),
    "colours-wild": lambda x: x * (6 * torch.randn(len(x), x.shape[1], 1, 1)) + 6 * torch.randn(len(x), 1, 1, 1),
    "mostly-blank": lambda x: x * (_each(x) > 0.85),
}
"""Changes of a batch; the first five are what people do and do well."""


def augmented(kind: str, x: Tensor) -> Tensor:
    """A batch, changed at random; as it is where the change is another part's, which has been made already."""
    return AUGMENTED[kind](x) if kind in AUGMENTED else x
