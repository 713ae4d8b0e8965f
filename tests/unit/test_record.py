"""What the rules read: columns of a log, what is known of the settings, diagnoses and experiments."""

from __future__ import annotations

import json
import math
from dataclasses import fields

import numpy as np
import pytest

from babysit.record.diagnosis import Diagnosis, Experiment, diagnosis_of
from babysit.record.known import Known, Layer
from babysit.record.log import Row, RunLog
from babysit.record.observation import QUANTITIES, Observation


def some_rows() -> list[Row]:
    rows = [Row("start", 0, 0, {"initial_loss": 2.5})]
    for step in range(1, 7):
        rows.append(Row("step", step, (step - 1) // 3, {"loss": 1 / step, "learning_rate": 0.1}))
        if step in (1, 4):
            rows.append(Row("layers", step, (step - 1) // 3, {"dead_share@b": step / 10, "dead_share@a": 0.0}))
        if step == 2:
            rows.append(Row("step", step, 0, {"gradient_norm": math.nan}))
        if step % 3 == 0:
            rows.append(Row("epoch", step, step // 3 - 1, {"recall@cat@home": 0.5, "learning_rate": 0.05}))
    return rows


def test_a_series_is_what_a_loop_over_the_rows_finds() -> None:
    rows = some_rows()
    log = RunLog(rows)
    for key in ("loss", "learning_rate", "dead_share@a", "recall@cat@home", "gradient_norm", "loss@a"):
        quantity, _, where = key.partition("@")
        seen = [row for row in rows if key in row.values]
        found = log.series(quantity, where)
        assert found.steps.tolist() == [row.step for row in seen] and found.values.dtype == np.float64
        assert found.epochs.tolist() == [row.epoch for row in seen]
        np.testing.assert_array_equal(found.values, [row.values[key] for row in seen])
    assert log.series("learning_rate", kind="epoch").values.tolist() == [0.05, 0.05]
    assert len(log.series("learning_rate", kind="start")) == 0


def test_places_are_in_the_order_in_which_they_came() -> None:
    log = RunLog(tuple(some_rows()))
    assert log.wheres("dead_share") == ["b", "a"] and log.wheres("recall") == ["cat@home"]
    assert log.wheres("loss") == [""] and log.wheres("update_ratio") == []


def test_a_log_that_grows_is_read_on() -> None:
    rows = some_rows()
    growing: list[Row] = []
    log = RunLog(growing)
    for place, row in enumerate(rows):
        growing.append(row)
        whole = RunLog(tuple(rows[: place + 1]))
        assert log.series("loss").values.tolist() == whole.series("loss").values.tolist()
        assert log.wheres("dead_share") == whole.wheres("dead_share")
    assert log == RunLog(rows) and log.of("start") == rows[:1]


def test_the_last_value_knows_where_and_when() -> None:
    log = RunLog(some_rows())
    assert log.last("dead_share", "b") == Observation("dead_share", 0.4, 4, 1, "b")
    assert log.last("dead_share") is None and RunLog().last("loss") is None
    assert Row("epoch", 3, 0, {"recall@cat": 0.5}).observation("recall@cat") == Observation("recall", 0.5, 3, 0, "cat")


def test_what_is_known_survives_json_and_a_newer_version() -> None:
    known = Known(
        learning_rate=0.1,
        class_names=("a", "b"),
        class_counts=(3, 4),
        layers=(Layer("0", "Conv2d"), Layer("1", "ReLU")),
        activations=("ReLU",),
        settings={"optim.lr": 0.1, "train.corrections": []},
        augmented=False,
    )
    plain = json.loads(json.dumps(known.as_json()))
    assert Known.from_json(plain) == known and Known.from_json({**plain, "phase of the moon": 1}) == known
    assert Known.from_json({}) == Known() and not Known().has_recipe and known.has_recipe
    assert all(getattr(Known(), one.name) is None for one in fields(Known)), "what was not said is unknown"


def test_a_diagnosis_survives_json() -> None:
    one = Diagnosis(
        rule="dead-units",
        severity="warn",
        claim="It is.",
        evidence=(Observation("dead_share", 0.9, 7, 1, "stem"), Observation("loss", math.inf, 7, 1)),
        sure=0.8,
        advice="Lower optim.lr",
        since=7,
        page="docs/diagnoses/dead-units.md",
        code="pass",
        disproof="a share below one half",
        where="stem",
        remedy={"optim.lr": 0.01},
        experiment=Experiment({"optim.lr": 0.01}, 30, "loss", "below", 0.9, "start"),
    )
    plain = json.loads(json.dumps(one.as_json(), allow_nan=False))
    assert diagnosis_of(plain) == one
    old = {name: value for name, value in plain.items() if name in ("rule", "severity", "claim", "sure", "since")}
    assert diagnosis_of({**old, "evidence": [], "advice": "", "page": ""}).experiment is None, "an older run's"


@pytest.mark.parametrize(("steps", "factor"), [(0, 1.0), (-3, 1.0), (1, 0.0), (1, -1.0), (1, math.nan)])
def test_an_experiment_of_nothing_is_refused(steps: int, factor: float) -> None:
    with pytest.raises(ValueError, match="experiment"):
        Experiment({}, steps, "loss", "below", factor)


@pytest.mark.parametrize(
    ("relation", "without", "changed", "expected"),
    [
        ("below", 1.0, 0.4, True),
        ("below", 1.0, 0.5, False),
        ("below", 1.0, math.nan, False),
        ("below", math.inf, 3.0, True),
        ("above", 1.0, 0.6, True),
        ("above", 1.0, 0.5, False),
        ("above", math.nan, 1.0, False),
    ],
)
def test_a_prediction_holds_or_does_not(relation, without: float, changed: float, expected: bool) -> None:
    assert Experiment({}, 1, "loss", relation, 0.5).holds(without, changed) is expected


def test_every_quantity_has_a_unit_and_no_name_is_ambiguous() -> None:
    units = {
        *("nat", "share", "1", "s", "byte", "image", "image/s"),
        *("step", "epoch", "batch", "unit"),
    }
    assert set(QUANTITIES.values()) <= units and not any("@" in name for name in QUANTITIES)
