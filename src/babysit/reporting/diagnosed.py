"""Diagnoses in a report: each in words, and where on the curves it began."""

from __future__ import annotations

import json

from babysit.diagnosing.remedies import remedy_text
from babysit.errors import UserError
from babysit.figures.charts import Mark
from babysit.names import for_page
from babysit.record.diagnosis import Diagnosis, diagnosis_of
from babysit.record.run import Run
from babysit.reporting.material import text_of


def diagnoses(run: Run) -> str:
    """What the rules found, worst first, numbered as on the curves."""
    try:
        found = found_in(run)
    except UserError:
        return "<p>diagnoses.jsonl cannot be read.</p>"
    return "".join(_diagnosis(number, one) for number, one in enumerate(found, start=1))


def marks(run: Run) -> list[Mark]:
    """Where on the curves each diagnosis began; notes are not drawn."""
    try:
        found = found_in(run)
    except UserError:
        return []
    return [
        Mark(float(one.since), str(number), f"{number}: {one.claim}", one.severity == "stop")
        for number, one in enumerate(found, start=1)
        if one.severity != "note"
    ]


def found_in(run: Run) -> list[Diagnosis]:
    """The diagnoses kept in a run.

    Raises:
        UserError: when they cannot be read.
    """
    try:
        lines = text_of(run.diagnoses).splitlines() if run.diagnoses.exists() else []
        return [diagnosis_of(json.loads(line)) for line in lines if line]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            "the kept diagnoses cannot be read", where=str(run.diagnoses), hint="`babysit diagnose RUN` judges anew"
        ) from error


def _diagnosis(number: int, one: Diagnosis) -> str:
    if one.guess:
        return f'<p class="soft">{number}. {for_page(one.line())} More: {for_page(one.page)}</p>'
    seen = "; ".join(f"{each.key.replace('_', ' ')} {each.value:.4g} at step {each.step:,}" for each in one.evidence)
    rows = [
        ("Seen", seen),
        ("Change", one.advice),
        ("Remedy", remedy_text(one)),
        ("In PyTorch", one.code),
        ("It is wrong if", one.disproof),
        ("More", one.page),
    ]
    told = "".join(f"<dt>{name}</dt><dd>{for_page(text)}</dd>" for name, text in rows if text)
    return (
        f'<div class="diagnosis {one.severity}"><strong>{number}. {for_page(one.claim)}</strong>'
        f'<p class="soft">{one.severity}, {one.rule}, since step {one.since:,}, {one.sure:.0%} sure</p><dl>{told}</dl></div>'
    )
