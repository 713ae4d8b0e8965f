"""The first rung: the values that reach the network, the labels, the balance, what the audit found, the augmentation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from babysit.checks.outcome import Found, Outcome, failed
from babysit.checks.subject import Subject

RUNG = "data"
EXPECTED = "finite inputs of a deviation from 0.01 to 3.2 where the first weights meet them, labels from 0 to C - 1, images that differ"

LEAST_DEVIATION, MOST_DEVIATION = 0.01, 3.2
"""Standardised pixels have 1, pixels from 0 to 1 about 0.25, two-valued images with ImageNet's numbers 2.3."""

BLANK = 1e-4
"""An image whose deviation is below this share of all images' is blank."""

WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
HALF = 0.5
RIDGE = 1e-2
FITTED = 400


def data(subject: Subject) -> Outcome:
    """Inputs and labels as the network gets them."""
    images, labels = subject.training.images, subject.training.targets
    faults = [*_label_faults(labels, len(subject.classes)), *_image_faults(subject, images)]
    if faults:
        return failed(RUNG, EXPECTED, faults, final=True)
    counts = np.bincount(labels.cpu().numpy(), minlength=len(subject.classes))
    seen = f"Inputs from {float(images.min()):.3g} to {float(images.max()):.3g}, mean {float(images.mean()):.3g}, deviation {float(images.std()):.3g}; "
    seen += (
        f"{len(labels):,} images looked at, the largest of {len(counts)} classes has {counts.max() / len(labels):.0%}."
    )
    advice = []
    if subject.findings:
        seen += f" The audit found: {'; '.join(subject.findings)}."
        advice.append("babysit look shows what the audit found")
    if subject.augmented is not None:
        leads = augmentation_keeps(images, subject.augmented, subject.training.labels, len(counts))
        if leads is not None:
            seen += (
                f" A linear classifier leads chance by {leads.plain:.0%} on plain and {leads.augmented:.0%} on augmented images"
                f"; fitted on augmented ones, by {leads.taught:.0%} on plain."
            )
            if max(leads.augmented, leads.taught) < HALF * leads.plain:
                advice.append(
                    "See with babysit look --augment whether a person still knows the classes; if not, lower augment.crop or set augment.flip=none"
                )
    undecided = subject.augmented is not None and any("augment" in one for one in advice)
    return Outcome(RUNG, EXPECTED, seen, "not decided" if undecided else "passed", ". ".join(advice))


def _label_faults(labels: Tensor, classes: int) -> list[Found]:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        advice = f"Number the classes from 0: with {classes} classes the largest label is {classes - 1}" + (
            "; here, subtract 1" if low == 1 and high == classes else ""
        )
        claim = f"The labels run from {low} to {high}, and there are {classes} classes."
        return [Found("labels-out-of-range", claim, advice, {"label": float(high if high >= classes else low)})]
    if low == high and len(labels) >= 8 * classes:
        claim = f"All {len(labels)} labels looked at are {low}."
        return [Found("one-class", claim, "Look at where the labels come from, and shuffle the loader", {"label": low})]
    return []


def _image_faults(subject: Subject, images: Tensor) -> list[Found]:
    if not bool(torch.isfinite(images).all()):
        share = float((~torch.isfinite(images)).float().mean())
        claim = f"{share:.2%} of the input values are not finite numbers."
        return [
            Found("inputs-not-finite", claim, "Look for a division by a deviation of 0", {"input_deviation": share})
        ]
    each = images.flatten(1).float()
    whole = float(each.std())
    apart = float((each - each[:1]).abs().max())
    if apart <= BLANK * max(float(each.abs().max()), 1e-30):
        claim = f"All {len(each)} images are the same."
        return [
            Found("constant-images", claim, "Look at what is between the files and the network", {"input_deviation": 0})
        ]
    blank = float((each.std(dim=1) < BLANK * whole).float().mean())
    if blank > HALF:
        claim = f"{blank:.0%} of the images have one value throughout."
        return [Found("blank-images", claim, "Look at the files with babysit look", {"input_deviation": 0})]
    met = deviation_at_weights(subject.fresh(), images)
    if met is None:
        met = whole
    evidence = {"input_deviation": met}
    if met > MOST_DEVIATION:
        claim = (
            f"The first layer with weights meets inputs of deviation {met:.3g}, which were not normalised, or twice."
        )
        advice = "Subtract the mean and divide by the deviation, once: preprocess.kind=standardize, or x = (x - mean) / deviation of the values as they come then"
        return [Found("inputs-not-normalised", claim, advice, evidence)]
    if met < LEAST_DEVIATION:
        claim = f"The first layer with weights meets inputs of deviation {met:.2g}: they were divided twice."
        advice = "Divide once: by 255 or by the deviation, not by both"
        return [Found("inputs-too-small", claim, advice, evidence)]
    return []


def deviation_at_weights(model: nn.Module, images: Tensor) -> float | None:
    """The standard deviation of what the first convolution or full layer is given; None when it has none or fails.

    A network that normalises its inputs itself is so judged by what it makes of them.
    """
    seen: list[float] = []

    def look(module: nn.Module, inputs: tuple[object, ...]) -> None:  # noqa: ARG001 - PyTorch's signature
        if not seen and isinstance(inputs[0], Tensor):
            seen.append(float(inputs[0].float().std()))

    hooks = [layer.register_forward_pre_hook(look) for layer in model.modules() if isinstance(layer, WEIGHTED)]
    try:
        with torch.no_grad():
            model.train()(images)
    except (RuntimeError, ValueError, TypeError, IndexError):  # the next rung says what is wrong with the network
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return seen[0] if seen else None


@dataclass(frozen=True, slots=True)
class Leads:
    """The lead over chance of linear classifiers on images they were not fitted on: fitted on plain ones and tested on
    `plain` and on `augmented` ones; fitted on augmented ones and tested on plain, `taught`."""

    plain: float
    augmented: float
    taught: float


def augmentation_keeps(images: Tensor, augmented: Tensor, labels: NDArray[np.int64], classes: int) -> Leads | None:
    """Whether augmentation keeps what tells the classes apart; None with too few images or nothing linear to tell them by.

    A classifier fitted on plain images judges first. It knows nothing of shifts, and a pixel is much in eight (digits):
    where it loses more than half, what counts is whether plain images can be learnt from augmented ones.
    """
    count = len(labels) // 2
    if count < 4 * classes or len(augmented) != len(labels):
        return None
    plain, moved = (one.flatten(1).double().cpu().numpy() for one in (images, augmented))
    fit = 2 * np.unique(np.linspace(0, count - 1, min(FITTED, count)).astype(np.int64))
    others = np.arange(1, len(labels), 2)
    chance = np.bincount(labels).max() / len(labels)

    def lead(fitted: NDArray[np.float64], tested: NDArray[np.float64]) -> float:
        named = _classified(fitted[fit], labels[fit], tested[others], classes)
        return float((named == labels[others]).mean() - chance)

    leads = Leads(lead(plain, plain), lead(plain, moved), lead(moved, plain))
    return leads if leads.plain > 4 * np.sqrt(chance * (1 - chance) / count) else None


def _classified(
    fitted: NDArray[np.float64], labels: NDArray[np.int64], tested: NDArray[np.float64], classes: int
) -> NDArray[np.int64]:
    """The classes that ridge regression on the labels gives, by its kernel form: there are fewer images than pixels."""
    mean = fitted.mean(axis=0)
    inner = fitted - mean
    kernel = inner @ inner.T
    kernel[np.diag_indices_from(kernel)] += RIDGE * np.trace(kernel) / len(kernel)
    weights = inner.T @ np.linalg.solve(kernel, np.eye(classes)[labels] - 1 / classes)
    return ((tested - mean) @ weights).argmax(axis=1)
