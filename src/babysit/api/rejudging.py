"""Judging a recorded run again: the rules over its log, and the experiments that decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babysit.diagnosing import judge
from babysit.diagnosing.remedies import remedy_text
from babysit.errors import UserError
from babysit.recipe import read_resolved
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known, known_by_recipe
from babysit.record.log import read_log
from babysit.record.run import Run
from babysit.show import Show, Silent, plural

if TYPE_CHECKING:
    from babysit.evaluating.experiment import Confirmed


@dataclass(frozen=True)
class Rejudged:
    """What the rules say of a recorded run, worst first; `confirmed` what the experiments came to, by rule."""

    run: Path
    steps: int
    diagnoses: tuple[Diagnosis, ...]
    confirmed: dict[str, Confirmed]
    notes: tuple[str, ...] = ()

    @property
    def stopped(self) -> bool:
        """Whether one says that going on is useless."""
        return any(one.severity == "stop" for one in self.diagnoses)

    def as_json(self) -> list[dict[str, Any]]:
        """A list of diagnoses, worst first."""
        found = []
        for one in self.diagnoses:
            more = {"confirmed": self.confirmed[one.rule].as_json()} if one.rule in self.confirmed else {}
            found.append({**one.as_json(), **more})
        return found


def diagnose(run: str | Path, *, confirm: bool = False, show: Show | None = None) -> Rejudged:
    """Judges a run by its log: one of `train`, or one that `babysit.watch` kept. The run is not changed.

    Arguments:
        confirm: also run the experiment of each diagnosis that has one, on copies.

    Raises:
        UserError: when there is no run, or nothing was recorded in it.
    """
    found, show = Run(Path(run)), show or Silent()
    manifest = found.read_manifest()
    log = read_log(found.log)
    steps = log.of("step")
    if not steps:
        raise UserError(
            "no step of this run was recorded, so there is nothing to judge",
            where=str(found.log),
            hint=log.broken[:1].upper() + log.broken[1:] if log.broken else "It ended before its first update",
        )
    notes = (f"the log ends early: {log.broken}",) if log.broken else ()
    for note in notes:
        show.say(f"Note: {note}.")
    diagnoses = tuple(judge(log, known_from(found, manifest)))
    confirmed = _experiments(found, diagnoses, show) if confirm else {}
    return Rejudged(found.path, steps[-1].step, diagnoses, confirmed, notes)


def known_from(run: Run, manifest: dict[str, Any]) -> Known:
    """What is known of a run's settings: what it wrote down itself, or of an older run what its recipe says."""
    if "known" in manifest:
        return Known.from_json(manifest["known"], str(run.manifest))
    if not run.recipe.exists():
        return Known()
    recipe, data = read_resolved(run.recipe), manifest.get("data", {})
    counts = data.get("counts", {})
    validation = sum(counts["val"]) if "val" in counts else None
    return known_by_recipe(recipe, data.get("classes", ()), counts=counts.get("train"), validation_images=validation)


def diagnosis_lines(found: Rejudged) -> list[str]:
    """What was found, for a person."""
    if not found.diagnoses:
        return [f"Nothing found in {plural(found.steps, 'step')} of {found.run}."]
    lines: list[str] = []
    for one in found.diagnoses:
        lines += [
            *_lines(one),
            *(
                [f"  {found.confirmed[one.rule].text(one.experiment)}"]
                if one.experiment and one.rule in found.confirmed
                else []
            ),
            "",
        ]
    return lines[:-1]


def _lines(one: Diagnosis) -> list[str]:
    if one.guess:
        return [
            f"MAYBE {one.rule}: {one.line()}",
            *([f"  Remedy: {remedy}."] if (remedy := remedy_text(one)) else []),
        ]
    seen = "; ".join(f"{each.key.replace('_', ' ')} {each.value:.4g} at step {each.step:,}" for each in one.evidence)
    return [
        f"{one.severity.upper()} {one.rule}, since step {one.since:,}, {one.sure:.0%} sure",
        f"  {one.claim}",
        f"  Seen: {seen}.",
        f"  Change: {one.advice.rstrip('.')}.",
        *([f"  Remedy: {remedy}."] if (remedy := remedy_text(one)) else []),
        *([f"  In PyTorch: {one.code}"] if one.code else []),
        *([f"  It is wrong if: {one.disproof}"] if one.disproof else []),
        f"  More: {one.page}",
    ]


def _experiments(run: Run, diagnoses: Sequence[Diagnosis], show: Show) -> dict[str, Confirmed]:
    from babysit.evaluating.experiment import confirm  # brings torch

    found = {}
    for one in diagnoses:
        if one.experiment is not None:
            show.say(f"{one.rule}: {plural(one.experiment.steps, 'step')} without and with changed settings ...")
            found[one.rule] = confirm(run, one.experiment, show)
    return found
