"""The suite of the rules: each fires on its sick log, is silent on every healthy and every short one, and says what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_logs import KNOWN
from sick_logs import SICK, healthy_logs

from babysit.diagnosing import RULES, judge
from babysit.diagnosing.ranking import EXPLAINS, rank
from babysit.recipe import setting_names
from babysit.record.known import Known
from babysit.record.log import RunLog

ROOT = Path(__file__).parents[2]

HEALTHY = healthy_logs()


def test_every_rule_has_a_sick_log() -> None:
    assert set(SICK) == set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_fires_on_its_sick_log_and_explains_itself(name: str) -> None:
    log, known = SICK[name](1.0)
    found = list(RULES[name](log, known))
    assert len(found) == 1
    diagnosis = found[0]
    assert diagnosis.rule == name and diagnosis.evidence and 0.6 < diagnosis.sure <= 1
    assert (
        diagnosis.claim.endswith(".")
        and len(diagnosis.claim) < 500
        and "nan" not in diagnosis.claim.replace("is nan since", "")
    )
    assert diagnosis.code and diagnosis.disproof and diagnosis.advice
    assert 0 <= diagnosis.since <= log.rows[-1].step
    for setting in re.findall(r"--set ([a-z0-9_.]+)=", diagnosis.advice):
        assert setting in setting_names()
    for setting in diagnosis.remedy or {}:
        assert setting in setting_names()
    again = [one.as_json() for one in RULES[name](log, known)]
    assert again == [one.as_json() for one in found], "a rule is a function of the log"
    page = ROOT / diagnosis.page
    assert page.is_file(), f"{diagnosis.page} is missing"


@pytest.mark.parametrize("name", RULES)
def test_weaker_evidence_makes_it_less_sure(name: str) -> None:
    sures = []
    for strength in (1.0, 0.5, 0.1):
        found = list(RULES[name](*SICK[name](strength)))
        sures.append(found[0].sure if found else 0.0)
    assert sures[0] > sures[-1], sures
    assert sures == sorted(sures, reverse=True), sures


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_silent_on_healthy_and_short_logs(name: str) -> None:
    for what, log in HEALTHY.items():
        for known in (Known(), KNOWN):
            if name == "schedule-never-moved" and what == "constant rate" and known is KNOWN:
                continue
            assert not list(RULES[name](log, known)), (name, what)


@pytest.mark.parametrize(
    "gone", ["start", "layers", "epoch", "step", "accuracy", "validation_accuracy", "slice_accuracy", "gradient_norm"]
)
def test_of_a_log_of_little_nothing_breaks(gone: str) -> None:
    """What is not measured is not judged, and never a reason to fail."""
    for name, sick in SICK.items():
        log, known = sick(1.0)
        rows = [
            type(row)(row.kind, row.step, row.epoch, {key: value for key, value in row.values.items() if key != gone})
            for row in log.rows
            if row.kind != gone
        ]
        list(RULES[name](type(log)(rows), known))
        list(RULES[name](type(log)(rows), Known()))


def test_what_explains_what_has_no_circle_and_names_rules() -> None:
    assert set(EXPLAINS) <= set(RULES)
    for cause, symptoms in EXPLAINS.items():
        assert set(symptoms) <= set(RULES), (cause, set(symptoms) - set(RULES))
        for symptom in symptoms:
            assert cause not in EXPLAINS.get(symptom, ()), f"{cause} and {symptom} explain each other"


def test_one_cause_is_not_reported_as_many_symptoms() -> None:
    log, known = SICK["inputs-not-normalised"](1.0)
    said = [one.rule for one in judge(log, known)]
    assert said[0] == "inputs-not-normalised" and "stuck-at-chance" not in said
    symptom = next(iter(RULES["diverging"](*SICK["diverging"](1.0))))
    cause = next(iter(RULES["inputs-not-normalised"](log, known)))
    (kept,) = rank([symptom, cause])
    assert kept.rule == "inputs-not-normalised" and symptom.severity == kept.severity == "stop"
    assert rank([symptom]) == [symptom]


def test_one_early_look_at_single_images_is_no_evidence_of_wrong_labels() -> None:
    log, known = SICK["labels-noisy"](1.0)
    seen = ("hard_share", "loss_p50", "loss_p95")
    once = [
        replace(row, values={name: value for name, value in row.values.items() if row.epoch == 1 or name not in seen})
        for row in log.rows
    ]
    assert [one.rule for one in RULES["labels-noisy"](log, known)] == ["labels-noisy"]
    assert not list(RULES["labels-noisy"](RunLog(tuple(once)), known))
