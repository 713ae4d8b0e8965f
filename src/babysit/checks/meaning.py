"""What a loss says of scores that are made up: is the right class rewarded, is each image its own, how low can it come."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from babysit.checks.outcome import Found
from babysit.checks.subject import Subject

MOST_CLASSES = 50
"""Classes that are tried, spread evenly over all."""

CLEAR = 2.0
"""Made-up scores: this for one class and nothing for the others; beyond a hinge's margin."""

SURE = 1e4
FLAT = 1e-3
BOUNDED = 0.25
"""The share of the loss of equal scores that a loss which cannot reach 0 is still left with."""

MIXED, MIXED_IMAGES = 0.01, 8
STEEPEST, STEPS = 40.0, 120

Kind = str


def kind_of(scores: Tensor) -> Kind:
    """What a network gives: `shares` of the classes, their `logarithms`, or plain `scores`."""
    if bool((scores >= 0).all()) and float((scores.sum(dim=1) - 1).abs().max()) < 1e-3:
        return "shares"
    return "logarithms" if float(scores.logsumexp(dim=1).abs().max()) < 1e-3 else "scores"


def as_kind(scores: Tensor, kind: Kind) -> Tensor:
    """Made-up scores, in the kind of numbers that the network gives."""
    return {"shares": scores.softmax, "logarithms": scores.log_softmax}[kind](1) if kind != "scores" else scores


def uniform(subject: Subject, scores: Tensor, labels: Tensor) -> float:
    """The loss of equal scores."""
    return float(subject.loss(as_kind(torch.zeros_like(scores), kind_of(scores)), labels))


@torch.no_grad()
def meaning_fault(subject: Subject, scores: Tensor, level: float) -> Found | None:
    """What is wrong with a loss although equal scores lose what they should.

    Arguments:
        scores: of the network at its start, for some images.
        level: what equal scores lose.
    """
    looks = (
        lambda: _mixing(subject, scores),
        lambda: _unrewarded(subject, scores),
        lambda: _bounded(subject, scores, level),
    )
    for look in looks:
        try:
            found = look()
        except Exception:  # noqa: BLE001 - a loss that takes no such scores is judged by the next rungs
            continue
        if found:
            return found
    return None


def _unrewarded(subject: Subject, scores: Tensor) -> Found | None:
    """A class whose own score does not lower the loss of its images as another's score raises it: labels in turn, then alike."""
    count, classes = scores.shape
    kind, advice = (
        kind_of(scores),
        "The loss must fall as the score of the label rises: look at its sign, the axes it is indexed by (scores[torch.arange(n), labels]), ignore_index and weights",
    )

    def loses(labels: Tensor, ahead: int) -> float:
        made = torch.nn.functional.one_hot((labels + ahead) % classes, classes).to(scores.dtype)
        return float(subject.loss(as_kind(CLEAR * made, kind), labels))

    turns = [torch.arange(count, device=scores.device) % classes]
    tried = torch.linspace(0, classes - 1, min(classes, MOST_CLASSES)).long().unique().tolist()
    for labels in [*turns, *(torch.full((count,), label, device=scores.device) for label in tried)]:
        right = loses(labels, 0)
        for ahead in {1, classes // 2, classes - 1} - {0}:
            wrong = loses(labels, ahead)
            if right < wrong - FLAT * abs(wrong):
                continue
            whose = "Images" if labels is turns[0] else f"Images of class {int(labels[0])}"
            other = "another" if labels is turns[0] else f"class {(int(labels[0]) + ahead) % classes}"
            said = f"{whose} lose {right:.4g} when their own class has the highest score, and {wrong:.4g} when {other} has it."
            return Found("labels-unrewarded", said, advice, {"loss": right, "other_loss": wrong})
    return None


def _mixing(subject: Subject, scores: Tensor) -> Found | None:
    """An image's loss that changes with what is beside it. All labels are alike, so that class weights do not matter."""
    some = scores[:MIXED_IMAGES]
    labels = subject.training.targets[:1].expand(len(some))
    alone = [float(subject.loss(some[row : row + 1], labels[:1])) for row in range(len(some))]
    mean, together = sum(alone) / len(alone), float(subject.loss(some, labels))
    if not math.isfinite(mean + together) or abs(together - mean) <= MIXED * max(abs(mean), abs(together)):
        return None
    said = (
        f"{len(some)} images of one class lose {together:.4g} together, and {mean:.4g} on average when each is alone."
    )
    advice = "The loss of an image must not hang on its neighbours: softmax and log_softmax over the classes, dim=1, and a mean over the batch"
    return Found("loss-mixes-images", said, advice, {"loss": together, "loss_alone": mean})


def _bounded(subject: Subject, scores: Tensor, level: float) -> Found | None:
    """A loss that squashes the scores it is given, so that it stops far above 0."""
    if kind_of(scores) != "scores" or level <= 0:
        return None
    labels = subject.training.targets[:2]
    sure = torch.nn.functional.one_hot(labels, scores.shape[1]).float() * 2 - 1
    least, same = (float(subject.loss(size * sure, labels)) for size in (SURE, 10 * SURE))
    if not math.isfinite(least) or abs(least - same) > FLAT * abs(least) or least < BOUNDED * level:
        return None
    evidence = {"loss": least}
    stall = stalled_at(scores.shape[1])
    if abs(least - stall) < FLAT:
        said = f"Scores that are sure and right still lose {least:.4g}: the loss takes a softmax of what was squashed to 0 and 1 before."
        return Found("doubled-softmax", said, DOUBLED, {**evidence, "expected_loss": stall})
    said = f"Scores that are sure and right still lose {least:.4g}, where equal ones lose {level:.4g}."
    return Found(
        "bounded-scores", said, "Give the loss the scores as they are, without sigmoid, tanh or clamp", evidence
    )


DOUBLED = "Take the softmax out of the network, and out of what you do to its scores: the loss has one"


def stalled_at(classes: int) -> float:
    """Where a doubled softmax stalls: ln(e + C - 1) - 1.

    >>> round(stalled_at(10), 4)
    1.4612
    """
    return math.log(math.e + classes - 1) - 1


@torch.no_grad()
def lowest(subject: Subject, scores: Tensor, labels: Tensor) -> float:
    """What a loss that punishes scores for being too sure gives at least, as with label smoothing; 0 for all others.

    Arguments:
        scores: of the network, for their kind and shape (n, classes); labels: shape (n,).
    """
    hot, kind = torch.nn.functional.one_hot(labels, scores.shape[1]).to(scores.dtype), kind_of(scores)
    sizes = torch.linspace(0.0, STEEPEST, STEPS + 1)[1:].tolist()
    found = [float(subject.loss(as_kind(size * hot, kind), labels)) for size in sizes]
    least = min((one for one in found if math.isfinite(one)), default=0.0)
    # One that only falls, or ends level, has no least of its own: where it stalls, that is a fault.
    return least if found[-1] > (1 + FLAT) * least + FLAT else 0.0
