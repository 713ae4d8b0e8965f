"""Rules about values that are not numbers any more."""

from __future__ import annotations

import math
from collections.abc import Iterator

from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog


def not_a_number(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The training loss became NaN or infinite. There is no way back from it: stop.

    The evidence is the first such step and up to three before it.
    """
    steps = log.of("step")
    for place, row in enumerate(steps):
        if "loss" in row.values and not math.isfinite(row.values["loss"]):
            before = steps[max(0, place - 3) : place]
            rate = known.learning_rate
            lower = f"{rate / 10:g}" if rate else "a tenth of the present one"
            trail = ", ".join(f"{seen.values['loss']:.3g}" for seen in before)
            claim = f"The loss is {row.values['loss']} since step {row.step}"
            claim += f", after {trail}." if trail else ", from the very first step."
            advice = (
                f"Lower the learning rate by tenths until the loss falls, first with --set optim.lr={lower}, or leave "
                f"optim.lr out to have it chosen by rule. In a loop of your own: "
                f"for group in optimizer.param_groups: group['lr'] = {lower}"
                if trail
                else "Look at the inputs and the initial weights: one of them holds values that are not numbers"
            )
            yield Diagnosis(
                rule="not-a-number",
                severity="stop",
                claim=claim,
                evidence=tuple(seen.observation("loss") for seen in [*before, row]),
                sure=1.0,
                advice=advice,
                since=row.step,
                page="docs/diagnoses/not-a-number.md",
            )
            return
