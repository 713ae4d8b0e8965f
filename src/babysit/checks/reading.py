"""Somebody's own loader, read: its images as the network gets them, and how it hands them out."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from babysit.checks.subject import Held, Loading
from babysit.errors import UserError

MOST_IMAGES = 1000
AGAIN = 128
"""Images that are read a second time."""

HINT = "Each batch is (images, labels): a float tensor (n, channels, height, width) and whole numbers (n,)"


def read(batches: Iterable[object]) -> tuple[Held, Loading]:
    """Up to MOST_IMAGES images of a loader, and the first of a second pass.

    Raises:
        UserError: when it yields nothing, or something else than batches of images and labels.
    """
    images: list[Tensor] = []
    labels: list[Tensor] = []
    for number, batch in enumerate(batches, 1):
        image, label = _pair(batch, number, images)
        # A copy: some loaders fill the same tensors with each batch, some change in place what they handed out.
        images.append(image.detach().clone())
        labels.append(label.detach().long().clone())
        if sum(map(len, labels)) >= MOST_IMAGES:
            break
    if not sum(map(len, labels)):
        hint = "Is it used up, its data set empty, or a batch larger than the data and drop_last=True?"
        raise UserError("the loader yields no images", where="batches", hint=hint)
    sizes, kinds = tuple(map(len, labels)), tuple(len(one.unique()) for one in labels)
    again, held = _again(batches), Held(torch.cat(images), torch.cat(labels))
    return held, Loading(sizes, kinds, held.images[: len(again)], again)


def _again(batches: Iterable[object]) -> Tensor:
    found: list[Tensor] = []
    for number, batch in enumerate(batches, 1):
        found.append(_pair(batch, number, found)[0].detach().clone())
        if sum(map(len, found)) >= AGAIN:
            break
    return torch.cat(found)[:AGAIN] if found else torch.zeros(0)


def _pair(batch: object, number: int, before: list[Tensor]) -> tuple[Tensor, Tensor]:
    where = f"batches, batch {number}"
    if isinstance(batch, dict):
        names = ", ".join(map(str, list(batch)[:4]))
        hint = (
            f"{HINT}. Here, of a batch with {names}: ((one['images'], one['labels']) for one in loader), by their names"
        )
        raise UserError("a batch is a dictionary", where=where, hint=hint)
    if not (isinstance(batch, (tuple, list)) and len(batch) == 2 and all(isinstance(one, Tensor) for one in batch)):
        raise UserError(f"a batch is not a pair of tensors but {_called(batch)}", where=where, hint=HINT)
    image, label = batch
    if label.ndim == 2 and label.shape[1] == 1:
        label = label[:, 0]
    if label.ndim == 2 and len(image) == len(label):
        hint = "Give class numbers: labels.argmax(dim=1); a loss of yours may make shares of them again"
        raise UserError(f"the labels are shares of shape {tuple(label.shape)}", where=where, hint=hint)
    if image.ndim < 2 or label.ndim != 1 or len(image) != len(label):
        said = f"a batch has images of shape {tuple(image.shape)} and labels of shape {tuple(label.shape)}"
        raise UserError(said, where=where, hint=HINT)
    if label.is_floating_point() or label.is_complex():
        raise UserError(
            f"the labels are {label.dtype}",
            where=where,
            hint="Class numbers are whole: labels.long(), as losses want them",
        )
    if before and image.shape[1:] != before[0].shape[1:]:
        said = f"images of shape {tuple(image.shape[1:])} after others of {tuple(before[0].shape[1:])}"
        raise UserError(said, where=where, hint="Bring all images to one size")
    return image, label


def _called(batch: object) -> str:
    if isinstance(batch, (tuple, list)):
        return f"{type(batch).__name__} of {', '.join(type(one).__name__ for one in batch[:4])}"
    return type(batch).__name__
