"""The third and fourth rungs: the initial loss is reasonable, and regularisation adds what its formula says."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from babysit.checks.meaning import DOUBLED, kind_of, meaning_fault, stalled_at, uniform
from babysit.checks.outcome import Found, Outcome, failed
from babysit.checks.subject import Subject, scores_of
from babysit.regularizers import Regularizer, met

RUNG = "initial loss"
EXACT = 2e-3
SURE = 4.0
"""Standard errors that the loss may be off."""

MOST_SPREAD, LOSING = 2.0, 2.0
"""Deviation of an image's scores, and loss in that of equal ones, from which on the network begins sure and wrong: a last
layer of He's weights gives 1.4 and 1.5."""

FAINTEST = 1e-5
"""Deviation of an image's scores below which no update of a usual rate makes a difference; all 0 is a head that begins there."""

STRONG = 1e3


def loss(subject: Subject) -> Outcome:
    """The data loss before the first update, against that of a network that knows nothing."""
    classes, part = len(subject.classes), subject.training.first(256)
    model = subject.fresh().train()
    with torch.no_grad():
        scores = scores_of(model, part.images).float()
        value = subject.loss(scores, part.targets)
    if not isinstance(value, Tensor) or value.ndim:
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        found = Found(
            "loss-not-scalar", f"The loss is no single number but {shape}.", "Take its mean over the batch", {}
        )
        return failed(RUNG, "one number", [found], final=True)
    seen = float(value)
    known = known_losses(subject, classes)
    expected = "; or ".join(f"{what} = {number:.4g}" for what, number in known.items())
    evidence = {"loss": seen}
    if not math.isfinite(seen):
        found = Found("loss-not-finite", f"The first loss is {seen}.", "Make the initial weights smaller", evidence)
        return failed(RUNG, expected, [found], final=True)
    with torch.no_grad():
        level = uniform(subject, scores, part.targets)
    if fault := _level_fault(level, known, len(part), evidence):
        return failed(RUNG, expected, [fault], final=True)
    if kind_of(scores) == "shares" and (fault := _doubled(subject, classes, evidence)):
        return failed(RUNG, expected, [fault], final=False)
    if subject.uniform is None and (fault := meaning_fault(subject, scores, level)):
        return failed(RUNG, expected, [fault], final=False)
    spread = float((scores - scores.mean(dim=1, keepdim=True)).square().mean().sqrt())
    with torch.no_grad():
        blind = _blind(subject, scores)
    tolerance = SURE * spread / math.sqrt(min(len(part), classes)) + EXACT * abs(level)
    said = f"The first loss is {seen:.4f}; equal scores give {level:.4f}, these scores (deviation {spread:.2g}) with labels that know nothing of them {blind:.4f}, give or take {tolerance:.2g}."
    if spread > MOST_SPREAD and seen > LOSING * level and subject.recipe.model.weights:
        return Outcome(
            RUNG, expected, said, "not decided", "The weights come from a file, and may be sure of other things"
        )
    if spread > MOST_SPREAD and seen > LOSING * level:
        advice = "Make the initial weights of the last layer smaller, or normalise the layers before it"
        fault = Found("huge-initialisation", said, advice, {**evidence, "score_deviation": spread})
        return failed(RUNG, expected, [fault], final=False)
    if 0 < spread < FAINTEST and kind_of(scores) == "scores":
        advice = "The gradient that reaches the layers before is as small: look for a division of the scores, or initial weights far too small"
        fault = Found("vanishing-signal", said, advice, {**evidence, "score_deviation": spread})
        return failed(RUNG, expected, [fault], final=False)
    matched = any(abs(level - number) <= EXACT * abs(number) for number in known.values())
    if abs(seen - blind) > tolerance * max(1.0, level / math.log(classes)):
        return Outcome(RUNG, expected, said, "not decided", "Is this network trained already, perhaps on other labels?")
    if not matched:
        return Outcome(
            RUNG,
            expected,
            said,
            "not decided",
            "The ladder does not know this loss's level; compare it with your own arithmetic",
        )
    return Outcome(RUNG, expected, said, "passed")


def known_losses(subject: Subject, classes: int) -> dict[str, float]:
    """What a network that knows nothing may lose, by formula."""
    if subject.uniform is not None:
        kind = subject.recipe.loss.kind
        names = {"softmax": f"ln {classes}", "focal": f"(1 - 1/{classes})^gamma ln {classes}"}
        return {names.get(kind, f"({classes} - 1) margin" + (" squared" if "squared" in kind else "")): subject.uniform}
    return {
        f"ln {classes} for softmax": math.log(classes),
        f"{classes} - 1 for the hinge": classes - 1.0,
        f"({classes} - 1) / {classes} for PyTorch's": (classes - 1) / classes,
    }


def _blind(subject: Subject, scores: Tensor) -> float:
    """The loss of these scores if labels had nothing to do with them: the mean over all labels, by how frequent each is."""
    counts = torch.bincount(subject.training.targets, minlength=scores.shape[1]).double()
    shares = (counts / counts.sum()).tolist()
    total = 0.0
    for label, share in enumerate(shares):
        if share:
            total += share * float(
                subject.loss(scores, torch.full_like(subject.training.targets[: len(scores)], label))
            )
    return total


def _level_fault(level: float, known: dict[str, float], count: int, evidence: dict[str, float]) -> Found | None:
    def near(number: float) -> bool:
        return abs(level - number) <= EXACT * abs(number)

    what = f"Equal scores lose {level:.4g}"
    for number in known.values():
        if near(number * count) and count > 1:
            advice = "Divide by the batch size: reduction='mean'. Otherwise the rate must shrink as the batch grows"
            return Found(
                "sum-instead-of-mean", f"{what}: {count} times {number:.4g}, a sum over the batch.", advice, evidence
            )
        if near(-number):
            return Found(
                "wrong-sign",
                f"{what}: {number:.4g} with the wrong sign.",
                "Minimise the loss, not its negative",
                evidence,
            )
    if level == 0:
        advice = "nll_loss wants log-probabilities: put log_softmax before it, or use cross_entropy on the scores"
        return Found("missing-softmax", f"{what}, and a loss of nothing known is above 0.", advice, evidence)
    if level < 0:
        advice = "A loss is at least 0: has its sign been turned, or does nll_loss get probabilities instead of their logarithms?"
        return Found("wrong-sign", f"{what}, less than nothing.", advice, evidence)
    return None


def _doubled(subject: Subject, classes: int, evidence: dict[str, float]) -> Found | None:
    """A softmax in the network whose loss takes another one: sure and right would still lose ln(e + C - 1) - 1."""
    labels = torch.arange(classes, device=subject.training.device)
    with torch.no_grad():
        best = float(subject.loss(torch.eye(classes, device=labels.device), labels))
    stall = stalled_at(classes)
    if abs(best - stall) > EXACT:
        return None
    claim = f"The network gives probabilities and the loss takes their softmax again: it cannot fall below {stall:.4g}."
    return Found("doubled-softmax", claim, DOUBLED, {**evidence, "expected_loss": stall})


def regularisation(subject: Subject) -> Outcome:
    """L2 cranked up to 1000: loss and one update against the formulas."""
    rung = "regularisation"
    model = subject.fresh()
    part = subject.recipe.regularize.model_copy(update={"l2": STRONG, "l1": 0.0, "elastic_l1": 0.0, "elastic_l2": 0.0})
    weights = list(met(model, biases=part.biases))
    squares = sum(float(one.detach().double().square().sum()) for one in weights)
    expected = (
        f"with L2 of {STRONG:g} the loss rises by 0.5 x {STRONG:g} x {squares:.4g} = {0.5 * STRONG * squares:.4g}"
    )
    if not weights:
        return Outcome(rung, expected, "No parameter is met by L2.", "not decided")
    rise = Regularizer([*weights], part).penalty()
    seen = f"It rises by {rise:.4g}."
    wanted = 0.5 * STRONG * squares
    if squares > 0 and abs(rise - wanted) <= 1e-3 * wanted:
        return Outcome(rung, expected, seen, "passed")
    advice = "All weights are zero" if squares == 0 else "The penalty does not meet the weights it should"
    fault = Found("regularisation-without-effect", seen, advice, {"penalty": rise})
    return failed(rung, expected, [fault], final=False)
