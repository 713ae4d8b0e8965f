"""Telling: what the rules say of somebody's own loop, each of them once, and again when it has become worse."""

from __future__ import annotations

from collections.abc import Sequence

from babysit.record.diagnosis import SEVERITIES, Diagnosis
from babysit.watching.given import Once

TOLD = 0.02
"""How sure a second guess must be to be told beneath a warning; the report has the others too."""


class Telling:
    """Says what is new.

    Arguments:
        say: takes a name, of which a second saying is left out, and the text.
    """

    def __init__(self, say: Once) -> None:
        self._say = say
        self._told: dict[str, int] = {}

    def tell(self, diagnoses: Sequence[Diagnosis]) -> None:
        """The diagnoses of the latest look, worst first; what else could be stands behind the first that is new."""
        others = "".join(
            f"\n  maybe: {one.line(one.code or one.advice)}" for one in diagnoses if one.guess and one.sure >= TOLD
        )
        for one in diagnoses:
            weight = SEVERITIES.index(one.severity)
            if weight < self._told.get(one.rule, len(SEVERITIES)) and not one.guess:
                self._told[one.rule] = weight
                advice, others = (one.code or one.advice) + others, ""
                text = f"{one.severity.upper()} since step {one.since:,}: {one.claim}\n  {advice}"
                self._say(f"{one.rule}/{weight}", text)
