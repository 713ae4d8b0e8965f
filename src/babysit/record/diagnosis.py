"""Diagnosis: a judgement in plain words, with its evidence and its advice; and the type of a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from babysit.record.observation import Observation

if TYPE_CHECKING:
    from babysit.record.log import RunLog

Severity = Literal["note", "warn", "stop"]


@dataclass(frozen=True, slots=True)
class Known:
    """The settings a rule may ask for; None is "unknown", as in somebody's own loop without a recipe."""

    learning_rate: float | None = None
    batch_size: int | None = None
    classes: int | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a rule found.

    `claim` one sentence with its numbers; `sure` 0 to 1; `advice` what to change, as a recipe setting and as a
    line of PyTorch; `page` the file in docs/diagnoses/.
    """

    rule: str
    severity: Severity
    claim: str
    evidence: tuple[Observation, ...]
    sure: float
    advice: str
    since: int
    page: str

    def as_json(self) -> dict[str, object]:
        """The diagnosis as plain JSON values; a value that is not finite becomes its name."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "claim": self.claim,
            "evidence": [
                {"quantity": seen.quantity, "value": _plain(seen.value), "unit": seen.unit, "step": seen.step}
                for seen in self.evidence
            ],
            "sure": self.sure,
            "advice": self.advice,
            "since": self.since,
            "page": self.page,
        }


Rule = Callable[["RunLog", Known], Iterable[Diagnosis]]


def _plain(value: float) -> float | str:
    return value if abs(value) < float("inf") else str(value)
