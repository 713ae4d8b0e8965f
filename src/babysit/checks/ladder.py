"""The ladder: its rungs in order, and how it is climbed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from babysit.checks.chance import better_than_chance
from babysit.checks.data import data
from babysit.checks.learning import begin_to_overfit, inputs_matter
from babysit.checks.loss import loss, regularisation
from babysit.checks.network import differences, network
from babysit.checks.outcome import Outcome
from babysit.checks.overfit import overfit
from babysit.checks.speed import speed
from babysit.checks.subject import Subject
from babysit.tables import Table
from babysit.training.aside import undisturbed

Check = Callable[[Subject], Outcome]


@dataclass(frozen=True, slots=True)
class Rung:
    """`check` in full; `fast` what runs at the start of a training, None for nothing."""

    check: Check
    fast: Check | None = None


RUNGS: Table[Rung] = Table(
    "rung",
    {
        "data": Rung(data, fast=data),
        "network": Rung(network, fast=network),
        "gradients": Rung(differences),
        "initial loss": Rung(loss, fast=loss),
        "regularisation": Rung(regularisation),
        "inputs matter": Rung(inputs_matter, fast=inputs_matter),
        "overfit a little": Rung(overfit, fast=begin_to_overfit),
        "better than chance": Rung(better_than_chance),
        "speed": Rung(speed),
    },
)


def climb(subject: Subject) -> Iterator[Outcome]:
    """Every rung in order, up to the first that makes the next meaningless. Leaves no trace in any random stream."""
    yield from _climb(subject, ((name, rung.check) for name, rung in RUNGS.items()))


def climb_fast(subject: Subject) -> Iterator[Outcome]:
    """The rungs that are cheap enough for the start of every training; one that does not fit the time is not decided."""
    yield from _climb(subject, ((name, rung.fast) for name, rung in RUNGS.items() if rung.fast))


def _climb(subject: Subject, rungs: Iterable[tuple[str, Check]]) -> Iterator[Outcome]:
    longest = 0.0
    for name, check in rungs:
        # What a rung will cost is not known; the next is taken to cost as much as the dearest so far.
        if time.perf_counter() + longest > subject.deadline:
            yield Outcome(name, "", "There was no time left for it.", "not decided", "babysit check takes its time")
            continue
        begun = time.perf_counter()
        with undisturbed():
            outcome = check(subject)
        longest = max(longest, time.perf_counter() - begun)
        yield outcome
        if outcome.final:
            return


def stops(outcomes: Iterable[Outcome]) -> bool:
    """Whether any rung failed."""
    return any(one.verdict == "failed" for one in outcomes)
