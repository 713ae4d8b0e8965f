"""The programs before training: their lists, what is recorded of them, and a few of them under the ladder."""

from __future__ import annotations

import pytest

import before
from babysit.checks import ladder
from before_broken import KINDS, broken
from before_healthy import healthy
from before_programs import REFUSED, RUNGS

PROGRAMS = [*broken(), *healthy()]
LADDER = {one.name: one for one in PROGRAMS}

SOME_BROKEN = (
    *("tiny-2", "blank-2", "equal-2", "channels-viewed-1", "off-by-one-3", "in-place-2", "norm-of-one-1", "sign-4"),
    *("softmax-axis-3", "labels-unused-1", "labels-unused-7", "no-number-2", "influence-4", "doubled-softmax-3"),
)
SOME_HEALTHY = (
    *("fine-linear-small-digits", "fine-normalising-shapes-bytes-pictures", "fine-lenet-shapes-smooth"),
    *("fine-zeroed-digits", "fine-lenet-wide-reused", "fine-softmax-digits-log-of-shares"),
)


def test_names_are_their_own_and_accepted_rungs_exist() -> None:
    assert len(LADDER) == len(PROGRAMS)
    assert set(RUNGS) - {REFUSED} <= set(ladder.RUNGS)
    for rungs, _, choices in KINDS.values():
        assert rungs and set(rungs) <= set(RUNGS) and choices


def test_there_are_as_many_programs_as_promised_and_a_third_is_held_out() -> None:
    for programs in (broken(), healthy()):
        held = sum(one.held_out for one in programs)
        assert len(programs) >= 60 and 0.28 < held / len(programs) < 0.37


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SOME_BROKEN)
def test_a_broken_program_fails_at_a_right_rung_and_is_named(name) -> None:
    seen = before.climbed(LADDER[name])
    assert seen.named, (seen.rung, seen.faults, seen.said)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SOME_HEALTHY)
def test_a_healthy_program_fails_nowhere(name) -> None:
    seen = before.climbed(LADDER[name])
    assert not seen.rung, (seen.rung, seen.faults, seen.said)


def test_what_is_recorded_reaches_what_it_must() -> None:
    recorded = before.kept(before.RESULTS)
    found = [before.seen_of(one, recorded[one.name]) for one in PROGRAMS if one.name in recorded]
    tuned, held = ([one for one in found if one.program.held_out == which] for which in (False, True))
    assert len(tuned) == sum(not one.held_out for one in PROGRAMS)
    assert all(one.caught for one in tuned if not one.program.healthy)
    assert not any(one.rung for one in found if one.program.healthy)
    ill = [one for one in held if not one.program.healthy]
    assert len(ill) >= 60 and sum(one.caught for one in ill) >= 0.9 * len(ill)
