"""Second guesses: what else an ill training could suffer from.

A rule speaks when its evidence is enough. Where something is warned of, or a training is over and has not come far, up to
three causes are named in all: after those that rules found, what the forest finds likeliest, each with what in the log
speaks for it. A second guess is a note, so that it alarms nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from babysit.diagnosing.also import ALSO
from babysit.diagnosing.evidence import Weight, Words, diagnosis, lasts
from babysit.diagnosing.forest import alike
from babysit.diagnosing.ranking import ASIDE, COSTS, SYMPTOMS
from babysit.diagnosing.remedies import as_options
from babysit.diagnosing.signs import Hint, Seen, seen_in
from babysit.record.diagnosis import Diagnosis, Judge
from babysit.record.known import Known
from babysit.record.log import RunLog

LIKE_OTHERS = Hint("so it was in recorded trainings that looked like this one")
"""Where the log has no sign of a cause that the forest finds likely."""

MOST = 3
"""Causes that are named in all."""

LEARNED, LAGS = 0.8, 0.15
"""Accuracy in training below which, and lead over validation from which on, a training that is over asks for a reason."""

FAR = 0.9
"""Accuracy in validation from which on none is asked for, however hard augmentation makes it in training."""

LEAST = 0.005
"""How sure a second guess must be."""

BEFORE, STOOD = (0.6, 0.4, 0.3, 0.2), 0.6
"""Shares of a training at which it is looked for a warning that was taken back; and how sure that is at most, by how often it was
the cause on the corpus where no other was found (docs/log.md)."""

REFUTED = ("labels-unrelated", "class-never-predicted")
"""What a training that got further has shown not to be so."""

CLEARER = 0.35
"""How sure a guess must be to stand before the notes that say no more than how the training went."""

SILENT = 0.5
"""What is left of a likelihood where the cause has a sign, and that is silent."""


def guessed(found: Sequence[Diagnosis], log: RunLog, known: Known, ranked: Judge) -> list[Diagnosis]:
    """What rules found, and second guesses where the training is ill by a warning, or is over and has not come far.

    Where it is over and no cause was found, what was warned of last and is not any more comes first. The others share what
    the surest cause leaves open, in proportion to how likely the forest finds each.

    Arguments:
        ranked: what rules find in a log, for asking them of its first part.
    """
    said = list(found)
    main = [one for one in said if one.rule not in (*ASIDE, *COSTS)]
    seen = seen_in(log, known)
    if len(main) >= MOST or not len(seen.course.loss) or not _ill(main, seen):
        return said
    if all(one.rule in SYMPTOMS and one.severity == "note" for one in main):
        before = _taken_back(log, known, ranked)
        said, main = [*before, *said], [*before, *main]
    named = {one.rule for one in main}
    shares = {name: share for name, share in alike(log, known).items() if name not in named and _possible(name, known)}
    hints = {name: sign(seen) for name in shares if (sign := ALSO[name].sign)}
    weights = {name: share * (SILENT if hints.get(name, name) is None else 1) for name, share in shares.items()}
    left = min((1 - one.sure for one in main if one.rule not in SYMPTOMS), default=1.0)
    total = sum(weights.values()) or 1.0  # the forest may know of what was found alone
    sures = {name: left * weight / total for name, weight in weights.items()}
    likeliest = sorted(sures, key=lambda name: -sures[name])[: max(0, MOST - len(main))]
    added = [
        _guess(name, hints.get(name) or LIKE_OTHERS, sure=sures[name], begin=_begin(main), seen=seen)
        for name in likeliest
        if sures[name] >= LEAST
    ]
    open_still = all(one.rule in SYMPTOMS and one.severity == "note" for one in main)
    causes = [one for one in added if open_still and one.sure >= CLEARER]
    place = len(said) - sum(one.rule in ASIDE and one.severity == "note" for one in said)
    return [*causes, *said[:place], *(one for one in added if one not in causes), *said[place:]]


def _taken_back(log: RunLog, known: Known, ranked: Judge) -> list[Diagnosis]:
    """The last cause that was warned of, as a guess: at most one."""
    end = log.rows[-1].step
    for share in BEFORE:
        part = RunLog([row for row in log.rows if row.step <= share * end])
        warned = [one for one in ranked(part, known) if one.severity != "note"]
        for one in warned:
            if one.rule in ALSO and one.rule not in (*SYMPTOMS, *REFUTED):
                claim = (
                    f"It looked so until step {round(share * end):,}, and may be why it came no further: {one.claim}"
                )
                return [replace(one, severity="note", claim=claim, sure=min(one.sure, STOOD), guess=True)]
    return []


def _possible(name: str, known: Known) -> bool:
    """Whether the settings alone do not rule a cause out."""
    return not ALSO[name].impossible(known)


def _begin(main: Sequence[Diagnosis]) -> str:
    return "It could also be" if main else "It could be"


def _ill(main: Sequence[Diagnosis], seen: Seen) -> bool:
    """Whether something was warned of; or the training is over, and training or validation ask for a reason."""
    if any(one.severity != "note" for one in main):
        return True
    course, plan = seen.course, seen.known.planned_steps
    if course.short or not plan or course.last_step < plan:
        return False
    return not seen.valid >= FAR and (seen.right < LEARNED or seen.right - seen.valid > LAGS)


def _guess(name: str, hint: Hint, *, sure: float, begin: str, seen: Seen) -> Diagnosis:
    also = ALSO[name]
    remedy = also.remedy(seen.log, seen.known)
    words = Words(
        f"{begin} {also.words}: {hint.why}.",
        as_options(remedy) if remedy else also.advice,
        also.code,
        "With that it goes the same way.",
    )
    weight = Weight(sure, int(seen.course.loss.steps[0]), hint.evidence or lasts(seen.course.loss))
    return replace(diagnosis(name, "note", words=words, weight=weight, remedy=remedy), guess=True)
