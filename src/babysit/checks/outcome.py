"""Outcome: what one rung of the ladder came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from babysit.record.diagnosis import Diagnosis
from babysit.record.observation import Observation

Verdict = Literal["passed", "failed", "not decided"]

PAGE = "docs/checks.md"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rung expected, saw, decided and advises.

    `diagnoses` what is wrong, of a failed rung; `final` whether the rungs after it would mean nothing; `table` lines
    for a person to read.
    """

    rung: str
    expected: str
    seen: str
    verdict: Verdict
    advice: str = ""
    diagnoses: tuple[Diagnosis, ...] = ()
    final: bool = False
    table: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The outcome as plain JSON values."""
        return {
            "rung": self.rung,
            "expected": self.expected,
            "seen": self.seen,
            "verdict": self.verdict,
            "advice": self.advice,
            "diagnoses": [one.as_json() for one in self.diagnoses],
        }

    def text(self) -> str:
        """The outcome as one line."""
        return f"{self.rung}: {self.verdict}. {self.seen}" + (f" {self.advice}." if self.advice else "")


@dataclass(frozen=True, slots=True)
class Found:
    """A fault a rung found: its name, a sentence with its numbers, what to change, and the numbers by quantity."""

    fault: str
    claim: str
    advice: str
    evidence: Mapping[str, float]


def failed(rung: str, expected: str, faults: list[Found], *, final: bool, table: tuple[str, ...] = ()) -> Outcome:
    """The outcome of a rung that found faults, the worst first."""
    diagnoses = tuple(
        Diagnosis(
            rule=one.fault,
            severity="stop",
            claim=one.claim,
            evidence=tuple(Observation(quantity, value, 0, 0) for quantity, value in one.evidence.items()),
            sure=1.0,
            advice=one.advice,
            since=0,
            page=f"{PAGE}#{rung.replace(' ', '-')}",
        )
        for one in faults
    )
    seen = " ".join(one.claim for one in faults)
    return Outcome(rung, expected, seen, "failed", ". ".join(one.advice for one in faults), diagnoses, final, table)
