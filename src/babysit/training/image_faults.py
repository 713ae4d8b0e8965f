"""Combinations of data, preprocessing and augmentation settings that cannot work or would be passed over."""

from __future__ import annotations

from collections.abc import Mapping

from babysit.data.preprocess import DECORRELATING, DIVIDED, MOST_VALUES, PER_CHANNEL, PREPROCESSORS, WHITENING
from babysit.errors import Fault
from babysit.losses import LOSSES, TAKE_SHARES
from babysit.recipe import Recipe


def image_faults(recipe: Recipe, places: Mapping[str, str]) -> list[Fault]:
    """Every fault of these settings together.

    Arguments:
        places: setting to the file and line, or the option, that gave it.
    """
    return [
        *_preprocess_faults(recipe, places),
        *_augment_faults(recipe, places),
        *_sampling_faults(recipe, places),
    ]


def _preprocess_faults(recipe: Recipe, places: Mapping[str, str]) -> list[Fault]:
    part, size = recipe.preprocess, recipe.data.size
    users = {"divisor": DIVIDED, "epsilon": WHITENING, "patch": DECORRELATING}
    faults = [
        Fault(
            f"preprocess.{name} is not used by {part.kind!r}",
            _place(f"preprocess.{name}", places),
            f"beside preprocess.kind {' or '.join(kinds)}",
        )
        for name, kinds in users.items()
        if getattr(part, name) is not None and part.kind in PREPROCESSORS and part.kind not in kinds
    ]
    if part.kind not in DECORRELATING or size is None:
        return faults
    if part.patch is None and 3 * size * size > MOST_VALUES:
        largest = max(side for side in range(1, 33) if size % side == 0)
        faults.append(
            Fault(
                f"{part.kind} of whole images of {size} pixels needs a covariance of {3 * size * size:,} squared numbers",
                _place("preprocess.kind", places),
                hint=f"Let it work on tiles: --set preprocess.patch={largest}",
            )
        )
    if part.patch is not None and size % part.patch:
        legal = ", ".join(str(side) for side in range(1, 33) if size % side == 0)
        faults.append(
            Fault(
                f"tiles of {part.patch} pixels do not fill an image of {size}",
                _place("preprocess.patch", places),
                legal,
            )
        )
    return faults


def _augment_faults(recipe: Recipe, places: Mapping[str, str]) -> list[Fault]:
    augment, faults = recipe.augment, []
    for name in ("mixup", "cutmix"):
        if getattr(augment, name) and recipe.loss.kind in LOSSES and recipe.loss.kind not in TAKE_SHARES:
            faults.append(
                Fault(
                    f"{name} gives an image shares of two classes, which {recipe.loss.kind} cannot take",
                    _place(f"augment.{name}", places),
                    f"loss.kind {' or '.join(TAKE_SHARES)}",
                )
            )
    if augment.resized_crop and augment.crop:
        faults.append(
            Fault(
                "a crop of random size has its own place, so augment.crop would be passed over",
                _place("augment.crop", places),
                "0, or augment.resized_crop=0",
            )
        )
    kind = recipe.preprocess.kind
    if (recipe.train.progressive or 1) < 1 and kind in PREPROCESSORS and kind not in PER_CHANNEL:
        faults.append(
            Fault(
                f"{kind} is fitted to every pixel's place, which progressive resizing changes",
                _place("train.progressive", places),
                f"1, or preprocess.kind {' or '.join(PER_CHANNEL)}",
            )
        )
    return faults


def _sampling_faults(recipe: Recipe, places: Mapping[str, str]) -> list[Fault]:
    """What balanced sampling would be doubled or undone by."""
    if recipe.data.sampling != "balanced":
        return []
    faults = []
    if recipe.loss.class_weights == "balanced":
        faults.append(
            Fault(
                "balanced sampling and balanced class weights each make up for rare classes; together they do it twice",
                _place("loss.class_weights", places),
                "none, or data.sampling=plain",
            )
        )
    for name in ("mixup", "cutmix"):
        if getattr(recipe.augment, name):
            faults.append(
                Fault(
                    f"{name} draws partners from all images alike, so classes would not be equally often any more",
                    _place(f"augment.{name}", places),
                    "0, or data.sampling=plain",
                )
            )
    return faults


def _place(setting: str, places: Mapping[str, str]) -> str:
    return places.get(setting, setting)
