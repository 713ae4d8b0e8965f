"""The rungs that train the network for some steps: inputs matter, and the beginning of overfitting a little."""

from __future__ import annotations

import torch

from babysit.checks.outcome import Found, Outcome, failed
from babysit.checks.overfit import EXAMPLES, RATES, examples
from babysit.checks.subject import Subject, scores_of
from babysit.training.loop import StepDone, train

FAST_STEPS = 20
NOISE = 1e-3
"""The share of the first loss by which it must fall; 20 examples at once, without dropout, have no noise but rounding."""

IGNORED = 1e-6
BETTER = 0.02


def inputs_matter(subject: Subject) -> Outcome:
    """A few updates, then real images against blank ones."""
    rung, expected = "inputs matter", "images with nothing on them do worse than real ones"
    part = examples(subject.training, EXAMPLES, len(subject.classes))
    session = subject.practice(part, FAST_STEPS, rate=RATES[0])
    for _ in train(session):
        if subject.late():
            return Outcome(rung, expected, "The time was over.", "not decided")
    model = session.model.train()
    blank = part.images.float().mean(dim=0, keepdim=True).to(part.images.dtype).expand_as(part.images)
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
