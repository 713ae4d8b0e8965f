"""The fast part of the ladder, at the start of every training."""

from __future__ import annotations

from babysit.checks import ladder
from babysit.checks.subject import FEW, of_session
from babysit.errors import ChecksFailed
from babysit.show import Show
from babysit.training.session import Session

BUDGET_SHARE, LEAST_SECONDS, MOST_SECONDS = 0.03, 0.5, 5.0


def allowance(session: Session) -> float:
    """Seconds that may be spent before a training to see whether it makes sense."""
    whole = session.recipe.train.budget or session.step_seconds * session.plan.total
    return min(MOST_SECONDS, max(LEAST_SECONDS, BUDGET_SHARE * whole))


def before_training(session: Session, show: Show, *, anyway: bool, deadline: float) -> list[dict[str, object]]:
    """The fast part of the ladder; says in one line what passed.

    Arguments:
        deadline: on `time.perf_counter`'s scale; what does not fit is not decided.

    Raises:
        ChecksFailed: when a rung failed, unless `anyway`.
    """
    with session.clock.section("check"):
        subject = of_session(session, most=FEW, deadline=deadline)
        outcomes = list(ladder.climb_fast(subject))
    by = {verdict: [one.rung for one in outcomes if one.verdict == verdict] for verdict in ("passed", "not decided")}
    said = "; ".join(f"{verdict}: {', '.join(rungs)}" for verdict, rungs in by.items() if rungs)
    show.say(f"Checks before training, {session.clock.totals()['check']:.2f} s. {said or 'None passed'}.")
    for one in outcomes:
        if one.verdict == "failed":
            show.say(f"  {one.text()}")
    if ladder.stops(outcomes) and not anyway:
        failed = [one for one in outcomes if one.verdict == "failed"]
        text = "\n".join(one.text() for one in failed)
        raise ChecksFailed(
            f"A check before training failed; nothing was trained.\n{text}\nSee all of it with babysit check, or train all the same with --anyway.",
            [one.as_json() for one in outcomes],
        )
    return [one.as_json() for one in outcomes]
