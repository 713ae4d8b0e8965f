"""Diagnosis: a judgement in plain words, with its evidence and its advice; and the types of a rule and of a judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from babysit.record.observation import QUANTITIES, Observation, parts_of

if TYPE_CHECKING:
    from babysit.record.known import Known
    from babysit.record.log import RunLog

Severity = Literal["note", "warn", "stop"]
SEVERITIES: tuple[Severity, ...] = ("stop", "warn", "note")
"""Worst first."""

Begin = Literal["start", "last"]


@dataclass(frozen=True, slots=True)
class Experiment:
    """A trial that decides whether a diagnosis is right: the same steps twice, without and with changed settings.

    Both copies see the same batches. The diagnosis is borne out when the mean of `quantity` over the later half of the
    steps, with the settings, is `relation` `factor` times the same without them.

    Arguments:
        settings: dotted recipe setting to value.
        steps: updates of each copy, at least 1.
        quantity: as in a step's row of the log, such as `loss`.
        relation: `below` or `above`.
        factor: of the mean without the settings, above 0.
        begin: from the initial weights (`start`), or from the run's last checkpoint (`last`).

    Raises:
        ValueError: when the steps or the factor are out of range.

    >>> Experiment({"optim.lr": 0.01}, 40, "loss", "below", 0.9).text()
    'with optim.lr = 0.01, the mean loss of the later half of 40 steps from the last checkpoint is below 0.9 times what it is without'
    """

    settings: Mapping[str, object]
    steps: int
    quantity: str
    relation: Literal["below", "above"]
    factor: float = 1.0
    begin: Begin = "last"

    def __post_init__(self) -> None:
        if self.steps < 1 or not self.factor > 0:
            raise ValueError(f"an experiment of {self.steps} steps and factor {self.factor}")

    def text(self) -> str:
        """What it predicts, in words."""
        changes = ", ".join(
            f"{name} by rule" if value is None else f"{name} = {_short(value)}" for name, value in self.settings.items()
        )
        place = "the last checkpoint" if self.begin == "last" else "the initial weights"
        return (
            f"with {changes}, the mean {self.quantity.replace('_', ' ')} of the later half of {self.steps} steps from "
            f"{place} is {self.relation} {self.factor:g} times what it is without"
        )

    def holds(self, without: float, changed: float) -> bool:
        """Whether two means bear the prediction out; a mean that is not a number counts as infinite.

        >>> trial = Experiment({"optim.lr": 0.01}, 40, "loss", "below", 0.9)
        >>> trial.holds(2.0, 1.7), trial.holds(2.0, 1.9), trial.holds(float("nan"), 1.9)
        (True, False, True)
        """
        first, second = (float("inf") if value != value else value for value in (without, changed))
        bound = self.factor * first
        return second < bound if self.relation == "below" else second > bound

    def as_json(self) -> dict[str, object]:
        """As plain JSON values."""
        return {
            "settings": dict(self.settings),
            "steps": self.steps,
            "quantity": self.quantity,
            "relation": self.relation,
            "factor": self.factor,
            "begin": self.begin,
        }


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a rule found.

    `claim` one sentence with its numbers; `evidence` never empty; `sure` 0 to 1; `advice` what to change, as a recipe
    setting; `since` the step where it began; `page` the file in docs/diagnoses/; `code` the advice as a line of PyTorch;
    `disproof` what would show that it is wrong; `where` the layer or class it is about; `remedy` changed settings, of
    which None hands one back to the rule that decides it, and no mapping at all when no setting helps; `begin` where to
    continue from with them: from new weights (`start`), or from the last good checkpoint (`last`); `experiment` one that
    decides, if there is one; `guess` whether it is named beside what was found, as another cause that nothing speaks against.
    """

    rule: str
    severity: Severity
    claim: str
    evidence: tuple[Observation, ...]
    sure: float
    advice: str
    since: int
    page: str
    code: str = ""
    disproof: str = ""
    where: str = ""
    remedy: Mapping[str, object] | None = None
    experiment: Experiment | None = None
    begin: Begin = "start"
    guess: bool = False

    def line(self, change: str = "") -> str:
        """All that a second guess says, in one line; `change` what to try of it, by default its advice and the line of PyTorch."""
        change = change or f"{self.advice}; in PyTorch: {self.code}"
        return f"{self.claim.rstrip('.')} ({self.sure:.0%}). To try: {change.rstrip('.')}."

    def as_json(self) -> dict[str, Any]:
        """The diagnosis as plain JSON values; a value that is not finite becomes its name."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "claim": self.claim,
            "evidence": [
                {
                    "quantity": seen.key,
                    "value": _plain(seen.value),
                    "unit": seen.unit,
                    "step": seen.step,
                    "epoch": seen.epoch,
                }
                for seen in self.evidence
            ],
            "sure": self.sure,
            "advice": self.advice,
            "since": self.since,
            "page": self.page,
            "code": self.code,
            "disproof": self.disproof,
            "where": self.where,
            "remedy": None if self.remedy is None else dict(self.remedy),
            "begin": self.begin,
            "guess": self.guess,
            "experiment": None if self.experiment is None else self.experiment.as_json(),
        }


Rule = Callable[["RunLog", "Known"], Iterable[Diagnosis]]
"""One kind of fault. Pure: the same log and settings give the same diagnoses, and nothing else is looked at."""

Judge = Callable[["RunLog", "Known"], list[Diagnosis]]
"""All rules together, their findings ranked so that one cause is not reported as many symptoms: worst first."""


def diagnosis_of(value: Mapping[str, Any]) -> Diagnosis:
    """A diagnosis from the JSON values of `as_json`; evidence in quantities that are not known here is left out.

    >>> seen = Observation("update_ratio", float("inf"), 7, 0, "stem")
    >>> one = Diagnosis("too-high", "warn", "It is.", (seen,), 0.5, "Lower it", 7, "docs/diagnoses/too-high.md")
    >>> diagnosis_of(one.as_json()) == one
    True
    """
    evidence = []
    for seen in value["evidence"]:
        quantity, where = parts_of(seen["quantity"])
        if quantity in QUANTITIES:
            evidence.append(Observation(quantity, float(seen["value"]), seen["step"], seen.get("epoch", 0), where))
    experiment = value.get("experiment")
    return Diagnosis(
        rule=value["rule"],
        severity=value["severity"],
        claim=value["claim"],
        evidence=tuple(evidence),
        sure=float(value["sure"]),
        advice=value["advice"],
        since=value["since"],
        page=value["page"],
        code=value.get("code", ""),
        disproof=value.get("disproof", ""),
        where=value.get("where", ""),
        remedy=value.get("remedy"),
        experiment=None if experiment is None else Experiment(**experiment),
        begin=value.get("begin", "start"),
        guess=value.get("guess", False),
    )


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _plain(value: float) -> float | str:
    return value if abs(value) < float("inf") else str(value)
