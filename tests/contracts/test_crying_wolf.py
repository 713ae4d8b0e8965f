"""What healthy trainings look like for a while, and what a rule must not take it for; beside it what it must still see."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest
from made_logs import KNOWN, LAYERS, LEVEL, Changes, everywhere, made, with_stuck
from sick_logs import SICK

from babysit.diagnosing import RULES, judge
from babysit.record.known import Known
from babysit.record.log import RunLog


def severities(name: str, log: RunLog, known: Known = KNOWN) -> list[str]:
    return [one.severity for one in RULES[name](log, known)]


def falling(more: Mapping[str, Changes]) -> RunLog:
    """A loss that has come a fifth of the way and goes on falling."""
    steps: Changes = {"loss": lambda t: LEVEL * (1.1 - 0.3 * t), "accuracy": lambda t: 0.1 + 0.2 * t}
    return made({**more, "step": {**steps, **more.get("step", {})}})


def test_statistics_that_validation_does_well_with_are_right() -> None:
    differ: Changes = {"slice_train_mode_accuracy": 0.9, "slice_accuracy": 0.5}
    assert severities("normalisation-statistics", made({"epoch": differ})) == []
    bad: Changes = {**differ, "validation_accuracy": 0.5}
    assert severities("normalisation-statistics", made({"epoch": bad})) == ["warn"]


def test_one_batch_is_less_evidence_on_statistics_than_a_slice() -> None:
    differ: Changes = {"slice_train_mode_accuracy": 0.75, "slice_accuracy": 0.55, "validation_accuracy": 0.5}
    own = replace(KNOWN, settings=None, batch_size=32)
    assert severities("normalisation-statistics", made({"epoch": differ})) == ["warn"]
    assert severities("normalisation-statistics", made({"epoch": differ}), own) == []


def test_large_gradients_of_a_loss_that_comes_down_do_no_harm() -> None:
    large: Changes = {"gradient_norm": 200.0}
    assert severities("exploding-gradients", falling({"step": large})) == []
    assert severities("exploding-gradients", with_stuck({"step": large})) == ["warn"]


def test_large_updates_of_a_loss_that_comes_down_are_not_too_large() -> None:
    large = {"layers": everywhere("update_ratio", 0.2)}
    assert severities("updates-too-large", falling(large)) == []
    assert severities("updates-too-large", with_stuck(large)) == ["warn"]


@pytest.mark.parametrize("after", ["swings", "comes down"])
def test_gradients_that_grow_from_small_weights_are_not_those_that_are_never_cleared(after: str) -> None:
    def norm(t: float) -> float:
        step = 300 * t
        if step <= 12:
            return 0.3 * step
        if after == "comes down":
            return 1.8
        return 4.0 * (1 + 0.4 * math.sin(2.4 * step))

    assert severities("gradients-not-cleared", with_stuck({"step": {"gradient_norm": norm, "loss": LEVEL}})) == []


def test_a_last_layer_that_begins_at_nothing_has_no_vanishing_gradients() -> None:
    small = with_stuck({"layers": {"weight_gradient_norm@conv1": 5e-5}})
    grown = with_stuck({"layers": {"weight_gradient_norm@conv1": lambda t: 5e-5 if t < 0.95 else 0.05}})
    assert severities("vanishing-gradients", small) == ["warn"]
    assert severities("vanishing-gradients", grown) == []


def test_a_rate_that_has_warmed_up_is_judged_by_what_it_is_now() -> None:
    poor: Changes = {"loss": LEVEL * 0.95, "accuracy": 0.15}
    low = everywhere("update_ratio", 2e-5)
    warmed = everywhere("update_ratio", lambda t: 2e-5 if t < 0.4 else 2e-3)
    assert severities("learning-rate-too-low", made({"step": poor, "layers": low})) == ["warn"]
    assert severities("learning-rate-too-low", made({"step": poor, "layers": warmed})) == []


def test_a_body_that_is_given_less_on_purpose_has_no_rate_that_is_too_low() -> None:
    poor: Changes = {"loss": LEVEL * 0.95, "accuracy": 0.15}
    body = {**everywhere("update_ratio", 2e-5), f"update_ratio@{LAYERS[-1]}": 0.02}
    assert severities("learning-rate-too-low", made({"step": poor, "layers": body})) == []


def test_a_warm_up_has_an_end() -> None:
    rising: Changes = {"loss": LEVEL * 0.99, "accuracy": 0.11, "learning_rate": lambda t: 1e-5 + 1e-4 * t}
    log = made({"step": rising, "layers": everywhere("update_ratio", 2e-5)})
    assert severities("learning-rate-too-low", log) == ["warn"]
    begun = RunLog(tuple(row for row in log.rows if row.step <= 60))
    assert severities("learning-rate-too-low", begun) == []


def test_raw_inputs_under_normalisation_are_no_alarm_while_the_loss_comes_down() -> None:
    raw: Changes = {"input_mean": 120.0, "input_deviation": 60.0, "input_least": 0.0, "input_most": 255.0}
    log = made({"start": raw, "step": {"loss": lambda t: LEVEL * (1 - 0.45 * t)}})
    assert severities("inputs-not-normalised", log) == ["note"]
    assert severities("inputs-not-normalised", log, replace(KNOWN, normalised=False)) == ["warn"]


def test_a_network_that_has_just_begun_to_learn_has_labels_that_mean_something() -> None:
    chance: Changes = {"loss": LEVEL, "accuracy": 0.12}
    still: Changes = {"validation_accuracy": 0.1, "validation_loss": LEVEL * 1.03}
    begun: Changes = {**still, "validation_accuracy": lambda t: 0.1 if t < 0.95 else 0.3}
    moving = everywhere("update_ratio", 3e-3)
    assert severities("labels-unrelated", made({"step": chance, "epoch": still, "layers": moving})) == ["warn"]
    assert severities("labels-unrelated", made({"step": chance, "epoch": begun, "layers": moving})) == []


def test_a_class_may_yet_be_predicted_while_validation_gets_better_quickly() -> None:
    missed: Changes = {"predicted_share@d": 0.0, "recall@d": 0.0}
    assert severities("class-never-predicted", made({"epoch": missed})) == ["warn"]
    rising: Changes = {**missed, "validation_accuracy": lambda t: 0.1 + 0.9 * t}
    rising |= {f"recall@{name}": lambda t: 0.2 + 0.75 * t for name in "abcefghij"}
    assert severities("class-never-predicted", made({"epoch": rising}, epochs=6)) == []


def test_validation_that_is_thrown_about_and_comes_back_is_no_overfitting() -> None:
    apart: Changes = {"slice_accuracy": 0.9, "train_accuracy": 0.9, "validation_accuracy": 0.5}
    back: Changes = {**apart, "validation_loss": lambda t: 1.3 if t < 0.4 else 3.8 - 2 * t}
    risen: Changes = {**apart, "validation_loss": lambda t: 1.3 + 2 * max(0.0, t - 0.3)}
    assert severities("overfitting", made({"epoch": back})) == ["note"]
    assert severities("overfitting", made({"epoch": risen})) == ["warn"]


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf])
@pytest.mark.parametrize("quantity", ["update_ratio", "weight_gradient_norm", "weight_norm", "activation_deviation"])
def test_no_rule_fails_where_a_layer_s_numbers_are_nothing_or_none(quantity: str, value: float) -> None:
    for name in ("labels-unrelated", "learning-rate-too-low", "gradients-not-cleared"):
        log, known = SICK[name](1.0)
        rows = [
            replace(row, values={key: value if key.startswith(quantity) else one for key, one in row.values.items()})
            for row in log.rows
        ]
        judge(RunLog(tuple(rows)), known)
    early = everywhere(quantity, lambda t: value if t < 0.5 else 1.0)
    judge(made({"layers": early, "step": {"gradient_norm": 0.0}}), KNOWN)


@pytest.mark.parametrize("first", [math.nan, math.inf, -math.inf, 0.0, -3.0, 1e30])
@pytest.mark.parametrize("many", [1, 3, 40, 300])
@pytest.mark.parametrize("then", [2.0, -5.0, 0.0, 1e-30])
def test_no_rule_fails_where_the_first_losses_are_odd(first: float, many: int, then: float) -> None:
    for name in ("labels-unrelated", "learning-rate-too-low", "gradients-not-cleared"):
        log, known = SICK[name](1.0)
        rows, steps = [], 0
        for row in log.rows:
            steps += row.kind == "step"
            values = {**row.values, "loss": first if steps <= many else then} if row.kind == "step" else row.values
            odd = {key: first for key in values if key in ("initial_loss", "validation_loss", "train_loss")}
            rows.append(replace(row, values={**values, **odd}))
        judge(RunLog(tuple(rows)), known)
