"""The rate by rule, tried for some steps before training: confirmed, or corrected when the evidence is strong."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from babysit.searching.rate import sweep
from babysit.searching.reading import EXPLODED
from babysit.training.session import Session

STEPS, RISING, LAST = 12, 4, 4
"""Steps of a try; over the first ones the rate rises, as in a warm-up; the last ones are what it came to."""

FELL = 0.02
"""The share of the first loss by which it must fall for a rate to be confirmed."""

FELL_MUCH = 0.1
"""The share by which it must fall at a larger rate, where at the rule's it does not move, to take that one instead."""

SMALLER, LARGER = (1 / 4, 1 / 16, 1 / 64, 1 / 256), (10.0, 100.0)

SPARE = 1.2
"""A try is begun when its steps, by the self-test's guess and this factor, still fit the time."""

UNTRIED = f"not tried before training: {STEPS} steps at it take longer than was left for the checks"

Came = Literal["fell", "still", "exploded"]


@dataclass(frozen=True, slots=True)
class Try:
    """Some steps at one rate: the first loss, the mean of the last ones, and what to call that."""

    rate: float
    first: float
    last: float
    came: Came


@dataclass(frozen=True, slots=True)
class Confirmed:
    """`rate` to be used; `why` for the recipe, what was learnt of it or why nothing was; `corrected` whether it is another."""

    rate: float
    why: str
    corrected: bool = False


def seconds_needed(session: Session) -> float:
    """What one try will take, about."""
    return SPARE * STEPS * session.step_seconds


def confirm_rate(session: Session, *, deadline: float) -> Confirmed:
    """Tries the session's rate, and others where it does not work; leaves no trace in the session.

    Another rate is taken only when the rule's fails with two seeds and the other works with both: exploding against
    falling, or not moving against falling by a tenth.

    Arguments:
        deadline: on `time.perf_counter`'s scale; no try begins that would not end before it.
    """
    rate, seed = session.recipe.optim.lr, session.recipe.seed
    assert rate is not None
    if rate == 0:
        return Confirmed(rate, "")
    tries: list[Try] = []

    def at(value: float, number: int = 0) -> Try | None:
        if time.perf_counter() + seconds_needed(session) > deadline:
            return None
        tries.append(tried(session, value, seed=seed + number))
        return tries[-1]

    first = at(rate)
    if first is None:
        return Confirmed(rate, UNTRIED)
    if first.came == "fell":
        return Confirmed(rate, f"{STEPS} steps at it brought the loss from {first.first:.3g} to {first.last:.3g}")
    again = at(rate, 1)
    if again is None or again.came != first.came:
        return Confirmed(rate, _unclear(tries))
    for factor in SMALLER if first.came == "exploded" else LARGER:
        value = float(f"{rate * factor:.2g}")
        pair = []
        for number in (0, 1):
            found = at(value, number)
            if found is None or not _works(found, first.came):
                break
            pair.append(found)
        if len(pair) == 2:
            return Confirmed(value, _why(first, again, pair), corrected=True)
    return Confirmed(rate, _unclear([first, again]))


def tried(session: Session, rate: float, *, seed: int) -> Try:
    """Some steps from new weights at one rate, risen to over the first few."""
    rates = [rate * min(1.0, (step + 1) / RISING) for step in range(STEPS)]
    losses = sweep(session, rates, seed=seed).losses
    return Try(rate, losses[0], _mean(losses[-LAST:]), _came(losses))


def _came(losses: Sequence[float]) -> Came:
    first, last = losses[0], _mean(losses[-LAST:])
    if not math.isfinite(last) or (max(losses) > EXPLODED * first and last > first):
        return "exploded"
    return "fell" if last < first - FELL * abs(first) else "still"


def _works(found: Try, instead_of: Came) -> bool:
    """Falling is enough where the rule's rate explodes; where it merely does not move, much must be gained."""
    enough = FELL_MUCH if instead_of == "still" else FELL
    return found.came == "fell" and found.last < found.first * (1 - enough)


def _why(first: Try, again: Try, pair: Sequence[Try]) -> str:
    did = "exploded" if first.came == "exploded" else "did not move"
    fell = " and ".join(f"from {one.first:.3g} to {one.last:.3g}" for one in pair)
    return (
        f"by a test before training: at {first.rate:g}, the rule's, the loss {did} with two seeds "
        f"({first.first:.3g} to {first.last:.3g}, {again.first:.3g} to {again.last:.3g}); at this rate it fell {fell} in {STEPS} steps"
    )


def _unclear(tries: Sequence[Try]) -> str:
    """What the tries at the rule's rate came to, when neither it nor another is shown to be right."""
    went = " and ".join(f"from {one.first:.3g} to {one.last:.3g}" for one in tries)
    return f"kept, though {STEPS} steps at it decided nothing: the loss went {went}"


def _mean(losses: Sequence[float]) -> float:
    return fmean(losses) if all(map(math.isfinite, losses)) else math.inf
