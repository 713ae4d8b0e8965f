"""Experiments that decide a diagnosis."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import babysit
from babysit.diagnosing import RULES
from babysit.diagnosing.deciding import TRIALS, decided, experiment_of
from babysit.record.diagnosis import Diagnosis, Experiment
from babysit.record.known import Known
from babysit.record.observation import Observation

RECIPE = Known(settings={"optim.lr": 0.1})


def found(rule: str, **changed: object) -> Diagnosis:
    seen = (Observation("loss", 2.3, 7, 0),)
    one = Diagnosis(rule, "warn", "It is.", seen, 0.8, "Change it", 7, "docs/x.md", remedy={"init.kind": None})
    return replace(one, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", TRIALS)
def test_an_experiment_changes_what_the_remedy_changes(rule: str) -> None:
    assert rule in RULES
    (one,) = decided([found(rule)], RECIPE)
    assert one.experiment is not None and one.experiment.settings == {"init.kind": None}
    assert one.experiment.text().startswith("with init.kind by rule, the mean loss of the later half of ")
    assert experiment_of(found(rule), Known()) is None  # a loop of one's own has no settings
    assert experiment_of(found(rule, remedy=None), RECIPE) is None


def test_a_rule_keeps_its_own_and_what_comes_late_is_not_shown_in_few_steps() -> None:
    own = Experiment({"optim.lr": 0.01}, 40, "loss", "below", 0.9)
    kept = experiment_of(found("dead-units", experiment=own), RECIPE)
    assert kept == replace(own, steps=150)
    late, early = (experiment_of(found("not-a-number", since=step), RECIPE) for step in (500, 50))
    assert late is None and early is not None and early.steps == 120


@pytest.mark.parametrize("sick", [True, False])
def test_it_is_borne_out_where_it_is_right_and_not_where_it_is_wrong(sick: bool, tmp_path: Path, monkeypatch) -> None:
    settings = {"train.steps": 30, "train.precision": "float32", "train.threads": 1, "model.name": "two-layer"}
    ill = {"init.kind": "gaussian", "init.scale": 1e-5, "optim.lr": 0.01, "optim.kind": "sgd"}
    babysit.train("digits", out=tmp_path / "run", settings={**settings, **(ill if sick else {})}, anyway=True)
    one = found("initialisation-too-small", remedy={"init.kind": None, "init.scale": None})
    monkeypatch.setattr("babysit.api.rejudging.judge", lambda _log, _known: decided([one], RECIPE))
    done = babysit.diagnose(tmp_path / "run", confirm=True)
    (told,) = done.confirmed.values()
    assert told.holds is sick and told.begin == "start", told
    experiment = done.diagnoses[0].experiment
    assert experiment is not None and "init.kind by rule, init.scale by rule" in told.text(experiment)
    assert ("borne out" if sick else "against the prediction") in told.text(experiment)
