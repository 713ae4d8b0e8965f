"""The learning-rate range test: the real loop with a rate that rises at every step, beside the training.

A sweep is another training of the same recipe: its own weights, optimiser and random streams, built anew. The session it
is made of is not touched, so there is nothing to restore and nothing to forget.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from statistics import median

from babysit.clock import Clock
from babysit.searching.reading import EXPLODED, FIRST_STEPS, RateTest, Reading, Sweep, read
from babysit.training.aside import undisturbed
from babysit.training.loop import StepDone, train
from babysit.training.plan import Plan
from babysit.training.session import Session, build

LOWEST, HIGHEST = 1e-6, 1e3
STEPS_A_DECADE = 20
REPEATS = 3


def range_test(session: Session, *, told: Callable[[Sweep, Reading], None] = lambda *_: None) -> RateTest:
    """Sweeps from LOWEST to HIGHEST, STEPS_A_DECADE steps each decade, REPEATS times.

    Arguments:
        session: a training about to begin; nothing of it is changed, no random stream either.
        told: what is told each sweep as soon as it is done.
    """
    begun = time.perf_counter()
    count = round(STEPS_A_DECADE * math.log10(HIGHEST / LOWEST)) + 1
    rates = [LOWEST * (HIGHEST / LOWEST) ** (place / (count - 1)) for place in range(count)]
    sweeps, readings = [], []
    for repeat in range(REPEATS):
        sweeps.append(sweep(session, rates, seed=session.recipe.seed + repeat))
        readings.append(read(sweeps[-1]))
        told(sweeps[-1], readings[-1])
    suggested = [one.suggestion for one in readings if one.suggestion]
    assert session.recipe.optim.lr is not None
    return RateTest(
        sweeps=tuple(sweeps),
        readings=tuple(readings),
        suggestion=float(f"{median(suggested):.2g}") if 2 * len(suggested) > REPEATS else None,
        factor=max(suggested) / min(suggested) if suggested else math.inf,
        used=session.recipe.optim.lr,
        optimizer=session.recipe.optim.kind,
        batch_size=session.batch_size,
        seconds=time.perf_counter() - begun,
    )


def sweep(session: Session, rates: Sequence[float], *, seed: int) -> Sweep:
    """Trains anew, beside the session, with a rate for each step, until the loss explodes or the rates are used up.

    Arguments:
        rates: of the steps in turn; the schedule has no part in them.
        seed: of the weights, the batches and the augmentation; the session's own gives the weights it begins with.
    """
    with undisturbed():
        # Whole images throughout: a side that grows on the way would show in the losses as the rate's doing.
        whole = {"schedule": {"kind": "constant", "warmup": 0.0}, "train.progressive": 1.0}
        recipe = session.recipe.replace({"seed": seed, **whole})
        plan, clock = Plan(((0, len(rates)),)), Clock(time.perf_counter())
        aside = build(recipe, session.training, session.validation, session.classes, plan=plan, clock=clock)
        losses: list[float] = []
        set_rate(aside, rates[0])
        for event in train(aside):
            if not isinstance(event, StepDone):
                continue
            losses.append(event.loss)
            exploded = not math.isfinite(event.loss) or event.loss > EXPLODED * losses[0]
            if len(losses) == len(rates) or (exploded and len(losses) >= FIRST_STEPS):
                break
            set_rate(aside, rates[len(losses)])
    return Sweep(seed, tuple(rates[: len(losses)]), tuple(losses))


def set_rate(session: Session, rate: float) -> None:
    """Another rate, without checking the whole recipe again: this stands between two steps of a fast loop."""
    optim = session.recipe.optim.model_copy(update={"lr": rate})
    session.recipe = session.recipe.model_copy(update={"optim": optim})
