"""What happens to pixels and labels before the network sees them in the part that is anew, rightly or wrongly; written as people write it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from data import Images
from held.pixels import IMAGENET_DEVIATION, IMAGENET_MEAN


def prepared(kind: str, found: Images, pixels: NDArray[np.uint8]) -> Tensor:
    """Pixels as the network gets them: `ToTensor` and `Normalize` with the training part's figures, or something else."""
    raw = torch.from_numpy(pixels.astype(np.float32))
    scaled = raw / 255
    train = torch.from_numpy(found.train.astype(np.float32)) / 255
    mean, deviation = (one.view(1, -1, 1, 1) for one in (train.mean((0, 2, 3)), train.std((0, 2, 3))))
    standard = (scaled - mean) / deviation
    name, _, amount = kind.partition(":")
    if name == "some-no-number":  # one in so many pictures has a pixel that is none
        standard[:: int(amount), :, 3, 3] = torch.nan
        return standard
    made: dict[str, Callable[[], Tensor]] = {
        "standard": lambda: standard,
        "half": lambda: (scaled - 0.5) / 0.5,
        "zero-one": lambda: scaled,
        "imagenet": lambda: _imagenet(scaled),
        "per-image": lambda: (
            (scaled - scaled.mean((1, 2, 3), keepdim=True)) / (scaled.std((1, 2, 3), keepdim=True) + 1e-3)
        ),
        "one-mean": lambda: (scaled - train.mean()) / train.std(),
        "centred": lambda: scaled - mean,
        # mistakes
        "bytes": lambda: raw,  # as they were read
        "bytes-centred": lambda: raw - 255 * mean,
        "bytes-half": lambda: (raw - 0.5) / 0.5,  # Normalize(0.5, 0.5) without ToTensor
        "divided-twice": lambda: scaled / 255,  # by hand, after ToTensor
        "normalised-again": lambda: (standard / 255 - mean) / deviation,  # ToTensor's division and Normalize, once more
        "bytes-figures": lambda: (scaled - 255 * mean) / (255 * deviation),  # the figures of bytes
        "normalised-by-bytes": lambda: (scaled - mean) / (255 * deviation),
        "offset": lambda: standard + 100,
        "offset-some": lambda: standard + 25,
        "noughts": lambda: torch.zeros_like(standard),
        "first": lambda: standard[:1].expand_as(standard).clone(),
        "as-whole-numbers": lambda: (raw / 256).to(torch.uint8).float(),  # scaled, and cast back
        "blue-first": lambda: standard.flip(1),
        "grey": lambda: standard.mean(1, keepdim=True).expand_as(standard).clone(),
        "negative": lambda: -standard,
        "upside-down": lambda: standard.flip(2),
        "transposed": lambda: standard.transpose(2, 3).contiguous(),
        "small": lambda: F.interpolate(F.interpolate(standard, scale_factor=0.2), size=standard.shape[2:]),
    }
    return made[name]()


def _imagenet(scaled: Tensor) -> Tensor:
    channels = scaled.shape[1]
    mean, deviation = (torch.tensor(one[:channels]).view(1, -1, 1, 1) for one in (IMAGENET_MEAN, IMAGENET_DEVIATION))
    return (scaled - mean) / deviation


def labelled(kind: str, keep: int, found: Images, generator: np.random.Generator) -> Images:
    """The training images that are kept, with their labels right or wrong."""
    name, _, amount = kind.partition(":")
    labels = found.train_labels.copy()
    kept = np.ones(len(labels), bool)
    if name == "permuted":  # a data frame was shuffled, its column of labels was not
        labels = generator.permutation(labels)
    elif name == "one-off":  # a header line too many: each has the label of the one before
        labels = np.roll(labels, 1)
    elif name == "at-random":  # a share has any class
        wrong = generator.random(len(labels)) < float(amount)
        labels[wrong] = generator.integers(0, found.classes, int(wrong.sum()))
    elif name == "next-class":  # a share is taken for the next class
        wrong = generator.random(len(labels)) < float(amount)
        labels[wrong] = (labels[wrong] + 1) % found.classes
    elif name == "one-common":  # of all classes but the first, one picture in so many
        kept = (labels == 0) | (generator.random(len(labels)) < 1 / float(amount))
    elif name == "half-rare":  # of every second class, one picture in so many
        kept = (labels % 2 == 0) | (generator.random(len(labels)) < 1 / float(amount))
    elif name == "last-missing":  # a folder was not copied
        kept = labels < found.classes - 1
    elif name == "last-into-first":  # two names for one thing
        labels[labels == found.classes - 1] = 0
    else:
        assert name == "right", kind
    pixels, labels = found.train[kept], labels[kept]
    count = keep or len(labels)
    return Images(pixels[:count], labels[:count], found.valid, found.valid_labels, found.classes)


def valid_labels(kind: str, found: Images) -> NDArray[np.int64]:
    """The validation part's labels; classes numbered otherwise than in training where that is the mistake."""
    return {
        "": lambda: found.valid_labels,
        "one-more": lambda: (found.valid_labels + 1) % found.classes,  # from one on, in the other list
        "other-order": lambda: found.classes - 1 - found.valid_labels,
        "first-two": lambda: np.array([1, 0, *range(2, found.classes)])[found.valid_labels],
        "unsorted": lambda: np.roll(found.valid_labels, 7),  # files in the order of the folder, labels in that of names
    }[kind]()


def _each(x: Tensor) -> Tensor:
    return torch.rand(len(x), 1, 1, 1)


def _shifted(x: Tensor, most: float) -> Tensor:
    """Padded, and a crop of the same size somewhere, each by itself."""
    reach, (height, width) = int(most), x.shape[2:]
    padded = F.pad(x, (reach,) * 4)
    tops, lefts = torch.randint(0, 2 * reach + 1, (2, len(x))).tolist()
    return torch.stack([one[:, a : a + height, b : b + width] for one, a, b in zip(padded, tops, lefts, strict=True)])


def _turned(x: Tensor, most: float) -> Tensor:
    """About the middle, by up to so many degrees."""
    angle = (torch.rand(len(x)) * 2 - 1) * float(most) * torch.pi / 180
    cosine, sine, none = torch.cos(angle), torch.sin(angle), torch.zeros(len(x))
    rows = torch.stack([torch.stack([cosine, -sine, none], 1), torch.stack([sine, cosine, none], 1)], 1)
    grid = F.affine_grid(rows, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _erased(x: Tensor, share: float) -> Tensor:
    """A rectangle of that share of every picture is nought."""
    made = x.clone()
    height, width = (max(1, round(size * share**0.5)) for size in x.shape[2:])
    for one in made:
        top, left = int(torch.randint(x.shape[2] - height + 1, ())), int(torch.randint(x.shape[3] - width + 1, ()))
        one[:, top : top + height, left : left + width] = 0
    return made


def _cropped(x: Tensor, share: float) -> Tensor:
    """`RandomResizedCrop` of one size: that share of the picture, enlarged, another place for each."""
    sides = [max(2, round(size * share**0.5)) for size in x.shape[2:]]
    pieces = []
    for one in x:
        top, left = (int(torch.randint(size - side + 1, ())) for size, side in zip(x.shape[2:], sides, strict=True))
        pieces.append(one[:, top : top + sides[0], left : left + sides[1]])
    return F.interpolate(torch.stack(pieces), size=x.shape[2:], mode="bilinear")


AUGMENTED: Mapping[str, Callable[[Tensor, float], Tensor]] = {
    "none": lambda x, _: x,
    "flip": lambda x, _: torch.where(_each(x) < 0.5, x.flip(3), x),
    "shift": _shifted,
    "flip-shift": lambda x, most: _shifted(torch.where(_each(x) < 0.5, x.flip(3), x), most),
    "turn": _turned,
    "crop": _cropped,
    "erase": _erased,
    "noise": lambda x, much: x + much * torch.randn_like(x),
    "jitter": lambda x, much: (
        x * (1 + much * (2 * torch.rand(len(x), x.shape[1], 1, 1) - 1)) + much * (2 * _each(x) - 1)
    ),
    "vertical": lambda x, _: torch.where(_each(x) < 0.5, x.flip(2), x),
    "blur": lambda x, size: F.avg_pool2d(x, int(size), 1, padding=int(size) // 2, count_include_pad=False),
}
"""Changes of a batch, `name:amount`."""


def augmented(kind: str, x: Tensor) -> Tensor:
    """A batch, changed at random."""
    name, _, amount = kind.partition(":")
    return AUGMENTED[name](x, float(amount or 0))
