"""How long a trial's full length is, in steps, within a budget."""

from __future__ import annotations

import time
from collections.abc import Sequence

from babysit.clock import Clock
from babysit.searching.stages import Trial, Work
from babysit.training.aside import undisturbed
from babysit.training.loop import StepDone, train
from babysit.training.plan import Plan
from babysit.training.session import Session, build

FULL_SHARE = 0.38
"""The share of a budget that a full length takes at most, so that exploring, a finalist and at least one other seed fit. The
first third of a length is cheap where images grow, and all but the finalists go no further."""

AROUND = 1.15
"""What evaluations, checkpoints and the beginning of a trial add to its steps, about."""

MEASURED, SECONDS = 4, 10.0
"""Steps that are timed after a first one that is not; none is begun after so many seconds."""


def length_for(budget: float, *, left: float) -> float:
    """The seconds of the steps of a full length in a budget.

    >>> round(length_for(240, left=230), 1)
    76.0
    """
    return FULL_SHARE * min(budget, left) / AROUND


def mean_step(session: Session) -> float:
    """Seconds of a step over a whole training, measured: on whole images, over what that costs more than a mean one.

    The steps are those of a training beside the session; nothing of it is changed, no random stream either.
    """
    with undisturbed():
        recipe = session.recipe.replace({"train.progressive": 1.0})
        plan, clock = Plan(((0, MEASURED + 1),)), Clock(time.perf_counter())
        aside = build(recipe, session.training, session.validation, session.classes, plan=plan, clock=clock)
        moments: list[float] = []
        for event in train(aside):
            if isinstance(event, StepDone):
                moments.append(time.perf_counter())
            if len(moments) > MEASURED or clock.this_session() > SECONDS:
                break
    if len(moments) < 2:
        return session.step_seconds * session.growth.cost(0, 1)
    return (moments[-1] - moments[0]) / (len(moments) - 1) * session.growth.cost(0, 1)


def whole_seconds(trials: Sequence[Trial], work: Work, guess: float) -> float:
    """What a full length costs by the trials that went furthest, all around their steps included; the guess before any has
    come to the end of a stage. A short trial tells little: much of what it costs is its beginning and its evaluation.

    Arguments:
        work: the share of a full length's work that is done after a share of its steps.

    >>> whole_seconds([], lambda share: share, 40.0)
    40.0
    """
    known = [one for one in trials if one.results and one.seconds]
    if not known:
        return AROUND * guess if trials else guess
    stage = max(one.stage for one in known)
    furthest = [one for one in known if one.stage == stage]
    done = sum(work(max(result.step for result in one.results.values()) / one.total) for one in furthest)
    told = sum(one.seconds for one in furthest) / done
    return told if stage else min(told, AROUND * guess)
