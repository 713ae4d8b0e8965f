"""Better than chance: does what a small network learns of these images and labels hold for others?"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from babysit.checks.outcome import Found, Outcome, failed
from babysit.checks.subject import Held, Subject
from babysit.losses import softmax_loss
from babysit.models import MODELS, Shape
from babysit.training.evaluate import probabilities
from babysit.training.loop import StepDone, train

RUNG = "better than chance"
EXPECTED = "a small network does better on images not trained on than always guessing the commonest class"
SECONDS, LONGEST, BATCH, EPOCHS, WIDTH = 10.0, 3.0, 50, 12, 16
FEWEST, SMALLEST = 50, 4
PARTS = 4
SURE, DOUBTFUL = 2.33, 2.0
"""Standard errors above chance: one in a hundred by luck; and above which nothing is said against the labels."""

LEARNT = 0.5
"""The part of the way from chance to 100 % that training images must have come, for others to be expected to follow."""


@dataclass(frozen=True)
class Tried:
    """Images not trained on: how many, and how many right; the accuracy on those trained on."""

    count: int
    right: int
    fitted: float


@dataclass(frozen=True)
class Limit:
    """Some seconds; on a machine that is busy with other things up to LONGEST times as many, until half were our own."""

    seconds: float
    wall: float = field(default_factory=time.perf_counter)
    own: float = field(default_factory=time.process_time)

    def over(self) -> bool:
        """Whether they are used up."""
        gone, ours = time.perf_counter() - self.wall, time.process_time() - self.own
        return gone > self.seconds and (ours > 0.5 * self.seconds or gone > LONGEST * self.seconds)


def better_than_chance(subject: Subject) -> Outcome:
    """Trained on one part, asked about the other; in doubt every part is the other one once, so that all images are asked about."""
    training, validation = subject.training, subject.validation
    if len(validation) < FEWEST or training.images.ndim != 4 or min(training.images.shape[2:]) < SMALLEST:
        said = f"Too few images not trained on ({len(validation)}), or no pictures of {SMALLEST} pixels and more."
        return Outcome(RUNG, EXPECTED, said, "not decided")
    whole = prepared(Held(*(torch.cat(pair) for pair in zip(_parts(training), _parts(validation), strict=True))))
    chance = float(np.bincount(whole.labels).max() / len(whole))
    places = torch.arange(len(whole), device=whole.device)
    first = Limit(SECONDS)
    tried = [_tried(subject, whole.chosen(places < len(training)), whole.chosen(places >= len(training)), first)]
    said = _said(tried, chance)
    if _lead(tried, chance) > SURE:
        return Outcome(RUNG, EXPECTED, said, "passed")
    limit, folds = Limit(2 * SECONDS), []
    for part in range(PARTS):
        folds.append(_tried(subject, whole.chosen(places % PARTS != part), whole.chosen(places % PARTS == part), limit))
        if limit.over():
            break
    said = f"{said} {len(folds)} parts in turn: {_said(folds, chance)}"
    if (lead := _lead(folds, chance)) > SURE:
        return Outcome(RUNG, EXPECTED, said, "passed")
    fitted = min(one.fitted for one in (*tried, *folds))
    if sum(one.count for one in folds) >= 2 * FEWEST and fitted > chance + LEARNT * (1 - chance) and lead <= DOUBTFUL:
        advice = "Do the labels belong to their images? Look at the page of babysit look, or at twenty images and their labels as the loader gives them: sorting images and labels apart gives this"
        evidence = {"validation_accuracy": sum(one.right for one in folds) / sum(one.count for one in folds)}
        return failed(RUNG, EXPECTED, [Found("labels-unrelated", said, advice, evidence)], final=False)
    return Outcome(RUNG, EXPECTED, said, "not decided", "More images, or a longer training, would tell")


def _parts(part: Held) -> tuple[Tensor, Tensor]:
    return part.images, part.targets


def prepared(part: Held) -> Held:
    """The images as a small network likes them, whatever they were made for: standardised and square."""
    images = part.images.float()
    images = (images - images.mean()) / images.std().clamp_min(1e-12)
    height, width = images.shape[2:]
    side = max(height, width)
    return replace(part, images=F.pad(images, (0, side - width, 0, side - height)))


def _lead(tried: list[Tried], chance: float) -> float:
    """How far above chance, in standard errors."""
    count = sum(one.count for one in tried)
    return (sum(one.right for one in tried) / count - chance) / math.sqrt(chance * (1 - chance) / count)


def _said(tried: list[Tried], chance: float) -> str:
    count, fitted = sum(one.count for one in tried), min(one.fitted for one in tried)
    right = sum(one.right for one in tried) / count
    return f"{right:.1%} of {count} images, where guessing gives {chance:.1%}; {fitted:.1%} of those it was trained on."


def _tried(subject: Subject, part: Held, other: Held, limit: Limit) -> Tried:
    """Trains a small network by the real loop, for some seconds at most."""
    batch, shape = min(BATCH, len(part)), part.images.shape
    torch.manual_seed(subject.recipe.seed)
    small = MODELS["quick"](Shape(shape[-1], len(subject.classes), WIDTH, shape[1])).to(part.device)
    session = subject.practice(part, EPOCHS * (len(part) // batch), rate=2e-3, model=small)
    session.recipe = session.recipe.replace({"optim.batch_size": batch})
    session.loss = softmax_loss
    fitted, right, count = 0.0, 0.0, 0
    for event in train(session):
        if isinstance(event, StepDone):
            right, count = right + event.accuracy * event.images, count + event.images
        else:
            fitted, right, count = event.train_accuracy, 0.0, 0
        if limit.over():
            fitted = max(fitted, right / max(1, count))
            break
    predicted = probabilities(small, other, "float32").argmax(axis=1)
    return Tried(len(other), int((predicted == other.labels).sum()), fitted)
