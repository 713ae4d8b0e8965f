"""What happens to pixels and labels in the unseen part before the network sees them, where no other part has such a thing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import fresh.pixels
from data import Images


def prepared(kind: str, found: Images, pixels: NDArray[np.uint8]) -> Tensor:
    """Pixels as the network gets them; names that are not here are the other parts'."""
    plain = pixels.astype(np.float32)
    mean, deviation = float(found.train.mean()), float(found.train.std())
    standard = (plain - mean) / deviation
    if kind == "quarter":  # between zero and one quarter more than one, as another library scales them
        made = plain / 204
    elif kind == "ranked":  # every picture's own darkest and lightest
        low, high = plain.min(axis=(1, 2, 3), keepdims=True), plain.max(axis=(1, 2, 3), keepdims=True)
        made = 2 * (plain - low) / np.maximum(high - low, 1) - 1
    elif kind == "sixteen-bits":  # read as numbers of twice the width
        made = plain * 257
    elif kind == "pedestal":
        made = standard + 60
    elif kind == "thousand-less":  # divided by 255 where that was done before, and centred
        made = (plain - mean) / 255 / 255
    elif kind == "threshold":  # black or white, at a level that nothing reaches
        made = (plain > 300).astype(np.float32)
    elif kind == "one-colour":  # shrunk to one pixel, and enlarged
        made = np.broadcast_to(standard[:, :, :1, :1], standard.shape)
    elif kind == "hole":  # one number of a picture in fifty is none
        made = standard.copy()
        made[::50, :, 3, 3] = np.nan
    elif kind == "divided-by-nought":  # by the deviation of a part that is constant
        made = standard.copy()
        with np.errstate(divide="ignore", invalid="ignore"):
            made[::40, 0] = (plain[::40, 0] - mean) / np.float32(0)
    elif kind == "scrambled":  # reshaped with the axes in the wrong order
        made = standard.reshape(len(plain), *plain.shape[2:], plain.shape[1]).transpose(0, 3, 2, 1)
        made = made[:, :, ::-1, :]
    elif kind == "faint":  # half the contrast under a noise of its own
        noise = np.random.default_rng(5).normal(0, 1.5, plain.shape)
        made = 0.4 * standard + noise
    else:
        return fresh.pixels.prepared(kind, found, pixels)
    return torch.from_numpy(np.ascontiguousarray(made, dtype=np.float32))


def labelled(kind: str, keep: int, found: Images, generator: np.random.Generator) -> Images:
    """The training images that are kept, with their labels right or wrong."""
    name, _, amount = kind.partition(":")
    labels = found.train_labels.copy()
    if name == "sorted-apart":  # the list of pictures was sorted, that of labels was not
        rows = np.argsort(found.train.reshape(len(labels), -1).mean(axis=1), kind="stable")
        return fresh.pixels.labelled("right", keep, replace(found, train=found.train[rows]), generator)
    if name == "one-swallows":  # an annotator who chose the first of the list for a share of all
        labels[generator.random(len(labels)) < float(amount)] = 0
    elif name == "first-only":  # of all classes but the first, one in so many
        kept = (labels == 0) | (generator.random(len(labels)) < 1 / float(amount))
        found, labels = replace(found, train=found.train[kept]), labels[kept]
    else:
        return fresh.pixels.labelled(kind, keep, found, generator)
    return fresh.pixels.labelled("right", keep, replace(found, train_labels=labels), generator)


def valid_labels(kind: str, found: Images) -> NDArray[np.int64]:
    """The validation part's labels; every second class taken for the next."""
    if kind == "pairs-exchanged":
        return np.minimum(found.valid_labels ^ 1, found.classes - 1)
    return fresh.pixels.valid_labels(kind, found)
