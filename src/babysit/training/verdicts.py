"""Verdicts: the rules over what has been seen so far, told when something new comes, kept in the run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from babysit.errors import writing
from babysit.record import atomic
from babysit.record.diagnosis import SEVERITIES, Diagnosis, Judge
from babysit.record.known import Known
from babysit.record.log import RunLog
from babysit.record.run import Run
from babysit.show import Show


def nothing(log: RunLog, known: Known) -> list[Diagnosis]:  # noqa: ARG001 - a judge's signature
    """The judge who finds nothing."""
    return []


def careful(judge: Judge, say: Callable[[str], None]) -> Judge:
    """The same judge, but a rule that fails is told once and ends the judging, never somebody's training."""
    failed = False

    def careful_judge(log: RunLog, known: Known) -> list[Diagnosis]:
        nonlocal failed
        if failed:
            return []
        try:
            return judge(log, known)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a rule, the training goes on
            failed = True
            say(
                f"Note: a rule has failed ({type(error).__name__}: {error}), so this training is not judged any more; it goes on. "
                "babysit diagnose RUN shows where; please report it."
            )
            return []

    return careful_judge


def stops(found: Sequence[Diagnosis], log: RunLog) -> bool:  # noqa: ARG001 - of what is asked, this answer needs only one
    """Whether one of them says that going on is useless."""
    return any(one.severity == "stop" for one in found)


@dataclass
class Verdicts:
    """What the rules say of one training.

    `diagnoses` are those of the latest look, worst first. Each rule is told once, and again when it has become worse; notes
    wait for the end.
    """

    run: Run
    show: Show
    judge: Judge = nothing
    diagnoses: list[Diagnosis] = field(default_factory=list)
    _told: dict[str, int] = field(default_factory=dict)

    def look(self, log: RunLog, known: Known) -> None:
        """Judges all that has been seen, tells what is new, and keeps it."""
        found = self.judge(log, known)
        for one in found:
            weight = SEVERITIES.index(one.severity)
            if one.severity != "note" and weight < self._told.get(one.rule, len(SEVERITIES)):
                self._told[one.rule] = weight
                for line in told(one):
                    self.show.say(line)
        if found != self.diagnoses:
            self.diagnoses = found
            write_diagnoses(self.run, found)


def told(one: Diagnosis) -> tuple[str, str]:
    """A diagnosis as two lines for a person, while the training goes on."""
    return f"{one.severity.upper()} since step {one.since:,}: {one.claim}", f"  {one.advice.rstrip('.')}."


def write_diagnoses(run: Run, found: list[Diagnosis]) -> None:
    """A line of JSON each, worst first; no file when there are none."""
    with writing(run.diagnoses, "the diagnoses"):
        if found:
            atomic.write_text(run.diagnoses, "".join(json.dumps(one.as_json()) + "\n" for one in found))
        else:
            run.diagnoses.unlink(missing_ok=True)
