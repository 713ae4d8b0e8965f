"""The rungs that train a little: inputs matter, overfit a little, better than chance on images not trained on."""

from __future__ import annotations

import math
import time

import numpy as np
import torch

from babysit.checks.loss import DOUBLED, stalled_at
from babysit.checks.outcome import Found, Outcome, failed
from babysit.checks.subject import Held, Subject, scores_of
from babysit.losses import softmax_loss
from babysit.models import MODELS, Shape
from babysit.training.evaluate import probabilities
from babysit.training.loop import StepDone, train

EXAMPLES = 20
RATES = (1e-3, 1e-2, 1e-4)
"""Adam's usual rate first, then a larger and a smaller one."""

STEPS = 300
SECONDS = 60.0
NEAR_ZERO = 0.01
"""The share of the first loss that counts as near zero."""

FAST_STEPS = 20
NOISE = 1e-3
"""The share of the first loss by which it must fall; 20 examples at once, without dropout, have no noise but rounding."""

IGNORED = 1e-6
BETTER = 0.02
CHANCE_SECONDS, CHANCE_BATCH, CHANCE_EPOCHS = 10.0, 50, 12
FEWEST = 50
SURE = 2.33
"""Standard errors: one in a hundred by luck."""


def inputs_matter(subject: Subject) -> Outcome:
    """A few updates, then real images against blank ones."""
    rung, expected = "inputs matter", "images with nothing on them do worse than real ones"
    part = examples(subject.training, EXAMPLES, len(subject.classes))
    session = subject.practice(part, FAST_STEPS, rate=RATES[0])
    for _ in train(session):
        if subject.late():
            return Outcome(rung, expected, "The time was over.", "not decided")
    model = session.model.train()
    blank = part.images.mean(dim=0, keepdim=True).expand_as(part.images)
    with torch.no_grad():
        scores = scores_of(model, part.images)
        real, blanked = (
            float(subject.loss(scores, part.targets)),
            float(subject.loss(scores_of(model, blank), part.targets)),
        )
        apart = float((scores - scores[:1]).abs().max()) / max(float(scores.abs().max()), 1e-30)
    seen = f"After {FAST_STEPS} updates the loss is {real:.4f} on real images and {blanked:.4f} on blank ones."
    if apart <= IGNORED:
        said = "All images get the same scores, whatever is on them."
        advice = "The network does not read its input, or loses it on the way: look at forward, and for layers that are all off"
        return failed(
            rung, expected, [Found("inputs-ignored", said, advice, {"relative_difference": apart})], final=True
        )
    if blanked - real > BETTER * abs(blanked):
        return Outcome(rung, expected, seen, "passed")
    return Outcome(rung, expected, seen, "not decided", "The next rungs train longer")


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


def begin_to_overfit(subject: Subject) -> Outcome:
    """At most twenty updates: fails only when the loss on its own images does not fall."""
    rung, expected = "overfit a little", f"the loss on {EXAMPLES} images falls within {FAST_STEPS} updates"
    part = examples(subject.training, EXAMPLES, len(subject.classes))
    curves = []
    for rate in (RATES[0], RATES[2]):
        losses: list[float] = []
        for event in train(subject.practice(part, FAST_STEPS, rate=rate)):
            if isinstance(event, StepDone):
                losses.append(event.loss)
            if subject.late():
                return Outcome(rung, expected, "The time was over.", "not decided")
        if min(losses) < losses[0] - NOISE * abs(losses[0]):
            seen = f"From {losses[0]:.4f} to {min(losses):.4f}; babysit check goes on to 100 %."
            return Outcome(rung, expected, seen, "not decided")
        curves.append(losses)
    said = f"The loss begins at {curves[0][0]:.4f} and is never lower than {min(map(min, curves)):.4f}, at two rates."
    advice = "Run babysit check: the network does not learn even its own batch"
    return failed(rung, expected, [Found("does-not-learn", said, advice, {"loss": curves[0][-1]})], final=False)


def overfit(subject: Subject) -> Outcome:
    """Twenty examples to 100 % and a loss near zero, as the lecture does; the same loop, with another consumer."""
    rung = "overfit a little"
    part = examples(subject.training, EXAMPLES, len(subject.classes))
    expected = f"100 % of {len(part)} images and a loss below {NEAR_ZERO:.0%} of the first, regularisation and augmentation off"
    end, table, best = time.perf_counter() + SECONDS, [], math.inf
    for rate in RATES:
        session = subject.practice(part, STEPS, rate=rate)
        first = None
        for event in train(session):
            if not isinstance(event, StepDone):
                continue
            first = event.loss if first is None else first
            done = event.accuracy == 1.0 and event.loss < NEAR_ZERO * first
            if done or event.step in (1, 2, 3, 5) or event.step % 25 == 0:
                table.append(
                    f"epoch {event.step:>3} / {STEPS}: cost {event.loss:.6f}, train: {event.accuracy:.6f}, lr {rate:.6e}"
                )
            best = min(best, event.loss) if math.isfinite(event.loss) else best
            if done:
                seen = f"{event.accuracy:.0%} and a loss of {event.loss:.6f} after {event.step} updates at {rate:g}, from {first:.6f}."
                return Outcome(rung, expected, seen, "passed", table=tuple(table))
            if time.perf_counter() > end:
                seen = f"The loss came to {best:.4f} in {SECONDS:.0f} s."
                return Outcome(
                    rung,
                    expected,
                    seen,
                    "not decided",
                    "Try it with a smaller network or on a faster machine",
                    table=tuple(table),
                )
    return failed(rung, expected, [_stall(subject, part, best)], final=False, table=tuple(table))


def _stall(subject: Subject, part: Held, best: float) -> Found:
    """Why twenty examples could not be learnt."""
    stall, evidence = stalled_at(len(subject.classes)), {"loss": best}
    with torch.no_grad():
        scores = scores_of(subject.fresh().eval(), part.images)
    sums = float((scores.sum(dim=1) - 1).abs().max())
    if sums < 1e-3 and bool((scores >= 0).all()) and best > stall - 0.01:
        said = f"The loss stalls at {best:.4f}, and a softmax taken twice cannot come below {stall:.4f}: the network gives probabilities."
        return Found("doubled-softmax", said, DOUBLED, {**evidence, "expected_loss": stall})
    said = f"{len(part)} images cannot be learnt: the loss came to {best:.4f} at best, with rates of {', '.join(f'{rate:g}' for rate in RATES)}."
    advice = "Look for layers without gradient, a wrong activation at the end, labels that do not belong to their images, or a network far too small"
    return Found("cannot-overfit", said, advice, evidence)


def better_than_chance(subject: Subject) -> Outcome:
    """A small network, some seconds: does what it learns hold for images it was not trained on?"""
    rung = "better than chance"
    counts = np.bincount(subject.validation.labels, minlength=len(subject.classes)) if len(subject.validation) else None
    expected = "a small network does better on images not trained on than always guessing the commonest class"
    side = subject.training.images.shape[-1]
    if counts is None or len(subject.validation) < FEWEST or subject.training.images.shape[-2] != side or side < 4:
        return Outcome(
            rung, expected, f"Too few images not trained on ({len(subject.validation)}), or not square.", "not decided"
        )
    chance, number = counts.max() / counts.sum(), len(subject.validation)
    channels = subject.training.images.shape[1]
    torch.manual_seed(subject.recipe.seed)
    small = MODELS["quick"](Shape(side, len(subject.classes), 16, channels)).to(subject.training.device)
    accuracy, fitted = _fitted(subject, small)
    noise = math.sqrt(chance * (1 - chance) / number)
    seen = f"{accuracy:.1%} of {number} images, where guessing gives {chance:.1%}; {fitted:.1%} of those it was trained on."
    if accuracy > chance + SURE * noise:
        return Outcome(rung, expected, seen, "passed")
    if number >= 2 * FEWEST and fitted > chance + 0.5 * (1 - chance) and accuracy <= chance + noise:
        advice = "Do the labels belong to their images? Look at the page of babysit look: sorting images and labels apart gives this"
        return failed(
            rung, expected, [Found("labels-unrelated", seen, advice, {"validation_accuracy": accuracy})], final=False
        )
    return Outcome(rung, expected, seen, "not decided", "More images, or a longer training, would tell")


def _fitted(subject: Subject, small: torch.nn.Module) -> tuple[float, float]:
    """Trains by the real loop for some seconds; accuracy on images not trained on and, of the last epoch, on those trained on."""
    part = subject.training
    batch = min(CHANCE_BATCH, len(part))
    session = subject.practice(part, CHANCE_EPOCHS * (len(part) // batch), rate=2e-3, model=small)
    session.recipe = session.recipe.replace({"optim.batch_size": batch})
    session.loss = softmax_loss
    end, fitted = time.perf_counter() + CHANCE_SECONDS, 0.0
    for event in train(session):
        if not isinstance(event, StepDone):
            fitted = event.train_accuracy
        if time.perf_counter() > end:
            break
    predicted = probabilities(small, subject.validation, "float32").argmax(axis=1)
    return float((predicted == subject.validation.labels).mean()), fitted
