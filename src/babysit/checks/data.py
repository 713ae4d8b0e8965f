"""The first rung: the values that reach the network, the labels, the balance, what the audit found, the augmentation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from babysit.checks.images import image_faults
from babysit.checks.labels import label_faults
from babysit.checks.outcome import Outcome, failed
from babysit.checks.subject import Subject

RUNG = "data"
EXPECTED = "finite inputs of a deviation from 0.01 to 3.2 where the first weights meet them, labels from 0 to C - 1 in mixed order, images that differ and stay the same"

HALF = 0.5
RIDGE = 1e-2
FITTED = 400


def data(subject: Subject) -> Outcome:
    """Inputs and labels as the network gets them."""
    images, labels = subject.training.images, subject.training.targets
    (grave, mild), (worse, milder) = label_faults(subject), image_faults(subject)
    if faults := [*grave, *worse, *mild, *milder]:
        return failed(RUNG, EXPECTED, faults, final=bool(grave or worse))
    counts = np.bincount(labels.cpu().numpy(), minlength=len(subject.classes))
    seen = f"Inputs from {float(images.min()):.3g} to {float(images.max()):.3g}, mean {float(images.float().mean()):.3g}, deviation {float(images.float().std()):.3g}; "
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
