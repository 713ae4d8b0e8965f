"""Twenty examples to 100 % and a loss near zero, as the lecture does; the same loop, with another consumer."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from babysit.checks.meaning import DOUBLED, lowest, stalled_at
from babysit.checks.outcome import Found, Outcome, failed
from babysit.checks.subject import Held, Subject, scores_of
from babysit.training.loop import StepDone, train

RUNG = "overfit a little"
EXAMPLES = 20
RATES = (1e-3, 1e-2, 1e-4)
"""Adam's usual rate first, then a larger and a smaller one."""

STEPS, MORE_STEPS = 300, 1500
"""Updates at each rate; and at the best one, when the loss still falls there."""

SECONDS = 60.0
NEAR_ZERO = 0.01
"""The share of the first loss that counts as near zero, or as near the least that this loss can give."""

SOME_WAY, FALLING = 0.1, 0.03
"""The share of the first loss that it must have come down, and the share of that way that the last third of the updates
must have added, for the loss to count as falling still."""

MOST_OF_THE_WAY = 0.8
UNEXPLAINED = "cannot-overfit"
AGREES = 0.7
"""The share of the images that must be right: in evaluation, and for a network to have learnt most of them."""

SETTLING, MOMENTUM = 60, 0.1
"""Passes over the same images for the running statistics of a normalisation, and how fast they follow in them."""


@dataclass
class Curve:
    """One try: its rate, the losses seen, the last accuracy, lines for a person; `network` as it is now."""

    rate: float
    network: nn.Module
    losses: list[float] = field(default_factory=list)
    accuracy: float = 0.0
    lines: list[str] = field(default_factory=list)
    done: bool = False

    def best(self) -> float:
        """The lowest loss."""
        return min((one for one in self.losses if math.isfinite(one)), default=math.inf)

    def falls(self) -> bool:
        """Whether it came some way down, and the last third still added to that."""
        third = max(1, len(self.losses) // 3)
        late, early = min(self.losses[-third:]), min(self.losses[:-third], default=math.inf)
        way = self.losses[0] - late
        return way > SOME_WAY * abs(self.losses[0]) and early - late > FALLING * way

    def mostly(self) -> bool:
        """Whether most was learnt, so that what is left may be a unit that is off."""
        return self.accuracy >= AGREES and self.best() < (1 - MOST_OF_THE_WAY) * self.losses[0]


def overfit(subject: Subject) -> Outcome:
    """100 % of twenty images and a loss near the least there is; then the same images in evaluation."""
    part = examples(subject.training, EXAMPLES, len(subject.classes))
    with torch.no_grad():
        least = _lowest(subject, part)
    near = f"{NEAR_ZERO:.0%} of the first" + (f" above {least:.4g}, this loss's least" if least > 1e-3 else "")
    expected = f"100 % of {len(part)} images and a loss below {near}, regularisation and augmentation off"
    end, curves, table = time.perf_counter() + SECONDS, [], ()
    for rate in (*RATES, None):
        if rate is None:
            going = [one for one in curves if one.falls()]
            if not going or _stall(subject, part, min(map(Curve.best, curves))).fault != UNEXPLAINED:
                break
            rate = min(going, key=Curve.best).rate
        curve = _climbed(subject, part, rate, least, MORE_STEPS if len(curves) == len(RATES) else STEPS, end)
        curves.append(curve)
        table = tuple(line for one in curves for line in one.lines)
        if curve.done:
            seen = f"{curve.accuracy:.0%} and a loss of {curve.losses[-1]:.6f} after {len(curve.losses)} updates at {rate:g}, from {curve.losses[0]:.6f}."
            if fault := _evaluation(part, curve.network):
                return failed(RUNG, expected, [fault], final=False, table=table)
            return Outcome(RUNG, expected, seen, "passed", table=table)
        if time.perf_counter() > end:
            seen = f"The loss came to {min(map(Curve.best, curves)):.4f} in {SECONDS:.0f} s."
            advice = "Try it with a smaller network or on a faster machine"
            return Outcome(RUNG, expected, seen, "not decided", advice, table=table)
    best = min(curves, key=Curve.best)
    fault = _stall(subject, part, best.best())
    if fault.fault == UNEXPLAINED and (best.falls() or best.mostly()):
        seen = f"The loss came from {best.losses[0]:.4f} to {best.best():.4f}, {best.accuracy:.0%} right at the end."
        advice = (
            "It learns, but slowly or not all: look for classes whose own units are off, and compare initial weights"
        )
        return Outcome(RUNG, expected, seen, "not decided", advice, table=table)
    return failed(RUNG, expected, [fault], final=False, table=table)


def _climbed(subject: Subject, part: Held, rate: float, least: float, steps: int, end: float) -> Curve:
    session = subject.practice(part, steps, rate=rate)
    curve = Curve(rate, session.model)
    for event in train(session):
        if not isinstance(event, StepDone):
            continue
        curve.losses.append(event.loss)
        curve.accuracy = event.accuracy
        curve.done = event.accuracy == 1.0 and event.loss - least < NEAR_ZERO * abs(curve.losses[0])
        if curve.done or event.step in (1, 2, 3, 5) or event.step % 25 == 0:
            line = f"epoch {event.step:>3} / {steps}: cost {event.loss:.6f}, train: {event.accuracy:.6f}, lr {rate:.6e}"
            curve.lines.append(line)
        if curve.done or time.perf_counter() > end:
            break
    return curve


def _lowest(subject: Subject, part: Held) -> float:
    """What this loss gives at least; 0 of babysit's own without smoothing, and of one that takes no made-up scores."""
    if subject.uniform is not None and not subject.recipe.loss.smoothing:
        return 0.0
    try:
        return max(0.0, lowest(subject, scores_of(subject.fresh().eval(), part.images).float(), part.targets))
    except Exception:  # noqa: BLE001 - a loss that takes no such scores has no least that could be found
        return 0.0


@torch.no_grad()
def _evaluation(part: Held, model: nn.Module) -> Found | None:
    """Images learnt by heart that the same network does not know in evaluation."""

    def right() -> float:
        return float((scores_of(model.eval(), part.images).argmax(dim=1) == part.targets).float().mean())

    if right() >= AGREES:
        return None
    # Running statistics lag behind weights that move: let them follow, as fast as is usual.
    for layer in model.modules():
        if isinstance(layer, _BatchNorm) and layer.momentum:
            layer.momentum = max(layer.momentum, MOMENTUM)
    for _ in range(SETTLING):
        model.train()(part.images)
    share = right()
    if share >= AGREES:
        return None
    said = f"All {len(part)} images are right in training, and {share:.0%} of them in evaluation, model.eval()."
    advice = "Look for what forward does when self.training only, for a BatchNorm that keeps no statistics (its momentum), and for inputs scaled in one of the two"
    return Found("evaluation-differs", said, advice, {"evaluation_accuracy": share})


def _stall(subject: Subject, part: Held, best: float) -> Found:
    """Why twenty examples could not be learnt."""
    stall, evidence = stalled_at(len(subject.classes)), {"loss": best}
    model = subject.fresh().eval()
    with torch.no_grad():
        scores, louder = scores_of(model, part.images), scores_of(model, 1e4 * part.images)
    sums = float((scores.sum(dim=1) - 1).abs().max())
    if sums < 1e-3 and bool((scores >= 0).all()) and best > stall - 0.01:
        said = f"The loss stalls at {best:.4f}, and a softmax taken twice cannot come below {stall:.4f}: the network gives probabilities."
        return Found("doubled-softmax", said, DOUBLED, {**evidence, "expected_loss": stall})
    said = f"{len(part)} images cannot be learnt: the loss came to {best:.4f} at best, with rates of {', '.join(f'{rate:g}' for rate in RATES)}."
    if float(louder.abs().max()) <= 1.0001:
        low = 0.0 if float(louder.min()) >= 0 else -1.0
        said += f" The scores stay between {low:g} and 1, whatever the images."
        advice = "Take the sigmoid, tanh or clamp at the end out of the network: the loss wants scores without bounds"
        return Found("bounded-scores", said, advice, evidence)
    if clipped(louder) and clipped(scores):
        said += " No score is ever below 0, and many are exactly 0."
        return Found("clipped-scores", said, "Take the ReLU after the last layer out of the network", evidence)
    advice = "Look for layers without gradient, a wrong activation at the end, labels that do not belong to their images, or a network far too small"
    return Found(UNEXPLAINED, said, advice, evidence)


def clipped(scores: Tensor) -> bool:
    """Whether a ReLU stands behind the last layer: nothing below 0, and much at 0.

    >>> clipped(torch.tensor([[0.0, 2.0]])), clipped(torch.tensor([[0.0, -2.0]]))
    (True, False)
    """
    return bool((scores >= 0).all()) and float((scores == 0).float().mean()) > 0.2


def examples(part: Held, count: int, classes: int) -> Held:
    """A few images, as many of each class as can be, none twice."""
    chosen: list[int] = []
    labels = part.labels
    ranks = np.zeros(len(labels), np.int64)
    for label in range(classes):
        places = np.flatnonzero(labels == label)
        ranks[places] = np.arange(len(places))
    seen: set[bytes] = set()
    for place in np.lexsort((labels, ranks)):
        content = part.images[place].cpu().numpy().tobytes()
        if content not in seen:
            seen.add(content)
            chosen.append(int(place))
        if len(chosen) == count:
            break
    index = torch.tensor(chosen, device=part.device)
    return Held(part.images[index], part.targets[index])
