"""What can be wrong with labels before anything is learnt from them: their range, their classes, their order."""

from __future__ import annotations

import torch
from torch import Tensor

from babysit.checks.outcome import Found
from babysit.checks.subject import Subject

COMMON = 10
"""Images of the rarest class that is there, from which on another class is missed: as frequent, it fails to come once in e^10."""

IN_A_ROW, BY_CHANCE = 0.9, 0.7
"""Neighbours of one class: their share in sorted labels, and the share in shuffled ones above which sorting does not show."""

FEWEST = 50


def label_faults(subject: Subject) -> tuple[list[Found], list[Found]]:
    """Faults that make the next rungs meaningless, and those that do not."""
    labels, classes = subject.training.targets, len(subject.classes)
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        advice = f"Number the classes from 0: with {classes} classes the largest label is {classes - 1}" + (
            "; here, subtract 1" if low == 1 and high == classes else ""
        )
        claim = f"The labels run from {low} to {high}, and there are {classes} classes."
        return [Found("labels-out-of-range", claim, advice, {"label": float(high if high >= classes else low)})], []
    if low == high and len(labels) >= 8 * classes:
        claim = f"All {len(labels)} labels looked at are {low}."
        return [
            Found("one-class", claim, "Look at where the labels come from, and shuffle the loader", {"label": low})
        ], []
    if subject.session is not None:
        return [], []
    return [], [one for one in (_sorted(subject, labels), _missing(subject, classes)) if one]


def _missing(subject: Subject, classes: int) -> Found | None:
    """A class without images where all others are common."""
    counts = torch.bincount(torch.cat([subject.training.targets, subject.validation.targets]), minlength=classes)
    absent = (counts == 0).nonzero()[:, 0].tolist()
    least = int(counts[counts > 0].min())
    if not absent or least < COMMON or classes - len(absent) < 2:
        return None
    names = ", ".join(map(str, absent[:5])) + (", ..." if len(absent) > 5 else "")
    claim = f"None of {int(counts.sum())} images is of class {names}; of each other class there are at least {least}."
    advice = f"With classes={classes} the labels run from 0 to {classes - 1}: are they numbered from 1, or is classes too large?"
    if len(absent) > 1 and absent[0] != 0:
        advice += " Or does the loader begin with the first classes because it is not shuffled?"
    return Found("class-missing", claim, advice, {"label": float(absent[0])})


def _sorted(subject: Subject, labels: Tensor) -> Found | None:
    """Batches of one class after those of another."""
    sizes, kinds = subject.loading.sizes, subject.loading.kinds
    if len(sizes) < 3 or len(labels) < FEWEST:
        return None
    shares = torch.bincount(labels).double() / len(labels)
    by_chance = float(shares.square().sum())
    in_a_row = float((labels[1:] == labels[:-1]).double().mean())
    expected = sum(float((1 - (1 - shares) ** size).sum()) for size in sizes) / len(sizes)
    seen = sum(kinds) / len(kinds)
    if in_a_row < IN_A_ROW or by_chance > BY_CHANCE or seen > 0.5 * expected + 0.5:
        return None
    claim = f"A batch has images of {seen:.1f} classes, where a shuffled loader gives {expected:.1f}: they come sorted by class."
    return Found("not-shuffled", claim, "Shuffle: DataLoader(..., shuffle=True)", {"classes_in_batch": seen})
