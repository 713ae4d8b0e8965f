"""Remedies: what is acted upon, what it makes of a recipe, McNemar's decision, and settings that were others earlier."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from made_logs import KNOWN
from sick_logs import SICK

from babysit.diagnosing import RULES
from babysit.diagnosing.remedies import (
    back_to_rules,
    begin_of,
    calmed,
    lower_rate,
    raised_rate,
    remedy_text,
    weaker_penalties,
)
from babysit.errors import UserError
from babysit.recipe import Override, Recipe, parse, read_resolved, render
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import Row, RunLog
from babysit.record.observation import Observation
from babysit.training import resolve
from babysit.training.earlier import at_step, changed_at, next_change
from babysit.training.remedy import Remedied, compared, remedied, worth_trying

SEEN = (Observation("loss", 9.0, 30, 0),)


def found(rule="diverging", severity="warn", sure=0.9, remedy=None) -> Diagnosis:
    remedy = {"optim.lr": 0.1} if remedy is None else remedy
    return Diagnosis(rule, severity, f"It is {rule}.", SEEN, sure, "Lower it", 30, "page", remedy=remedy)


def tried(rule="diverging", state="kept", number=1) -> Remedied:
    return Remedied(number, rule, f"It is {rule}.", 0.9, {"optim.lr": (1.0, 0.1)}, 0, 40, 40, 1.0, state)


def binomial_two_sided(first: int, second: int) -> float:
    trials = first + second
    return min(1.0, 2 * sum(math.comb(trials, k) for k in range(min(first, second) + 1)) / 2**trials)


def answers(right: list[bool], labels: np.ndarray) -> np.ndarray:
    """Probabilities of two classes whose argmax is right where it should be."""
    named = np.where(right, labels, 1 - labels)
    return np.eye(2, dtype=np.float32)[named]


@pytest.mark.parametrize(
    ("only_before", "only_after", "kept"),
    [(0, 5, False), (0, 6, True), (5, 20, True), (8, 20, True), (10, 20, False), (20, 5, False), (0, 0, False)],
)
def test_a_remedy_is_kept_when_mcnemar_calls_it_better(only_before: int, only_after: int, kept: bool) -> None:
    labels = np.arange(60) % 2
    before = [True] * only_before + [False] * only_after + [True] * (60 - only_before - only_after)
    after = [False] * only_before + [True] * only_after + [True] * (60 - only_before - only_after)
    one = compared(tried(state="trial"), answers(before, labels), answers(after, labels), labels, balanced=False)
    assert (one.only_before, one.only_after, one.common) == (only_before, only_after, 60)
    assert one.p == pytest.approx(binomial_two_sided(only_before, only_after), rel=1e-9)
    assert (one.p < 0.05 and only_after > only_before) is kept
    assert one.state == ("kept" if kept else "taking back")


def test_a_network_of_not_a_number_is_right_by_chance_only() -> None:
    labels = np.arange(40) % 2
    broken = np.full((40, 2), np.nan, np.float32)
    one = compared(tried(state="trial"), broken, answers([True] * 40, labels), labels, balanced=False)
    assert (one.only_before, one.only_after, one.state) == (0, 20, "kept")


def test_where_each_class_has_the_same_say_the_comparison_has_as_many_images_of_each() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    before = answers([True] * 90 + [False] * 10, labels)
    after = answers([True] * 70 + [False] * 20 + [True] * 10, labels)
    plain, balanced = (compared(tried(state="trial"), before, after, labels, balanced=flag) for flag in (False, True))
    assert plain.state == "taking back" and (plain.only_before, plain.only_after) == (20, 10)
    assert balanced.state == "kept" and (balanced.common, balanced.only_before, balanced.only_after) == (20, 0, 10)


def test_only_warnings_that_are_sure_and_have_a_remedy_are_acted_upon() -> None:
    good = found()
    others = [
        found("overfitting", "note"),
        found("dead-units", sure=0.55),
        replace(found("parts-differ"), remedy=None),
        good,
    ]
    assert worth_trying(others, [], most=2) == [good]
    stop = found("not-a-number", "stop", sure=0.55)
    assert worth_trying([stop], [], most=2) == [stop]


def test_remedies_are_bounded_in_number_and_not_tried_twice_in_vain() -> None:
    one = found()
    assert worth_trying([one], [tried(state="taken back")], most=2) == []
    assert worth_trying([one], [tried(state="kept")], most=2) == [one], "a rate can be lowered again"
    assert worth_trying([one], [tried(state="kept"), tried("other", "kept", 2)], most=2) == []
    assert worth_trying([one], [tried(state="impossible")], most=2) == []
    assert worth_trying([one], [tried("other", "impossible")], most=1) == [one]


def test_a_remedy_takes_along_what_belonged_to_what_it_replaces() -> None:
    recipe = Recipe().replace({"schedule.kind": "exp", "schedule.tau": 0.1, "init.kind": "gaussian", "init.scale": 2.0})
    changed = remedied(recipe, {"schedule.kind": "one-cycle", "init.kind": None})
    assert (changed.schedule.kind, changed.schedule.tau, changed.init.kind, changed.init.scale) == (
        "one-cycle",
        None,
        None,
        None,
    )


def test_settings_that_were_others_earlier_are_written_and_read(tmp_path) -> None:
    before = Recipe().replace({"optim.lr": 1.0, "train.epochs": 3})
    after = changed_at(before, before.replace({"optim.lr": 0.1, "optim.clip": 2.0}), 50)
    again = changed_at(after, after.replace({"optim.lr": 0.01}), 80)
    path = tmp_path / "recipe.toml"
    path.write_text(render(again))
    recipe = read_resolved(path)
    assert recipe == again
    seen = [(step, at_step(recipe, step).optim.lr, at_step(recipe, step).optim.clip) for step in (0, 49, 50, 79, 80)]
    assert seen == [(0, 1.0, None), (49, 1.0, None), (50, 0.1, 2.0), (79, 0.1, 2.0), (80, 0.01, 2.0)]
    assert [next_change(recipe, step) for step in (0, 49, 50, 79, 80)] == [50, 50, 80, 80, None]


@pytest.mark.parametrize(
    ("earlier", "words"),
    [
        ([[50, "optim.lr", 1.0], [20, "optim.lr", 0.5]], "out of order"),
        ([[0, "optim.lr", 1.0]], "out of order"),
        ([[5, "model.name", "quick"]], "cannot change on the way"),
        ([[5, "optim.lr", -1.0]], "a value that its setting cannot have"),
    ],
)
def test_earlier_settings_that_cannot_be_are_refused(earlier, words: str) -> None:
    with pytest.raises(UserError, match=words):
        resolve.check(parse(None, [Override("train.earlier", earlier, "recipe.toml:9")]))


def test_a_remedy_that_is_none_of_the_three_is_refused_with_the_three() -> None:
    with pytest.raises(UserError, match=r"--remedy maybe: watch.remedy is 'maybe'. Legal: 'off', 'suggest' or 'apply'"):
        resolve.check(parse(None, [Override("watch.remedy", "maybe", "--remedy maybe")]))


def test_a_refit_has_nothing_to_judge_a_remedy_by() -> None:
    words = [Override("train.refit", True, "here"), Override("watch.remedy", "apply", "--remedy apply")]
    with pytest.raises(UserError, match="nothing is held out to choose by"):
        resolve.check(parse(None, words))


def rates(rate: float, ratio: float | None = None) -> RunLog:
    rows = [Row("step", step, 0, {"loss": 2.3, "learning_rate": rate}) for step in range(1, 41)]
    if ratio is not None:
        rows += [Row("layers", step, 0, {"update_ratio@a": ratio}) for step in range(1, 41, 4)]
    return RunLog(rows)


def test_a_rate_is_handed_back_to_its_rule_where_that_is_another_one() -> None:
    assert lower_rate(rates(10.0), Known(learning_rate=10.0, rate_by_rule=0.3)) == {"optim.lr": 0.3}
    assert raised_rate(rates(1e-6, 1e-8), Known(learning_rate=1e-6, rate_by_rule=0.3)) == {"optim.lr": 0.3}


def test_a_rate_by_rule_that_fails_is_changed_by_what_brings_updates_to_a_thousandth() -> None:
    ruled = Known(learning_rate=0.3, rate_by_rule=0.3)
    assert lower_rate(rates(0.3, 0.05), ruled) == {"optim.lr": 0.006}
    assert lower_rate(rates(0.3, 1e-4), ruled) == {"optim.lr": 0.03}, "by ten at least"
    assert raised_rate(rates(0.3, 1e-5), ruled) == {"optim.lr": 30.0}
    assert lower_rate(RunLog(), Known()) is None


def test_penalties_are_weakened_until_they_begin_at_a_hundredth_of_the_data() -> None:
    row = Row("step", 1, 0, {"gradient_norm": 2.0, "penalty_gradient_norm": 8.0})
    known = Known(l2=0.5, settings={"regularize.l2": 0.5, "regularize.l1": 0.0})
    assert weaker_penalties(RunLog([row]), known) == {"regularize.l2": 0.00125}
    assert weaker_penalties(RunLog(), known) == {"regularize.l2": 0.05}


def test_what_blew_up_is_mended_where_its_first_numbers_point() -> None:
    start = {"initial_loss": 80.0, "input_mean": 120.0, "input_deviation": 60.0}
    log = RunLog([Row("start", 0, 0, start), *rates(0.1).rows])
    settings = {"init.kind": "gaussian", "preprocess.kind": "none"}
    known = Known(learning_rate=0.1, rate_by_rule=0.1, classes=10, settings=settings)
    both = calmed(log, known)
    assert both is not None and both["preprocess.kind"] == "standardize" and both["init.kind"] is None
    assert "optim.lr" not in both, "the rate is the rule's"
    fine = Known(learning_rate=0.1, rate_by_rule=0.1, classes=10, settings={"init.kind": "network"})
    assert calmed(rates(0.1), fine) == {"optim.lr": 0.01}
    heavy = replace(fine, momentum=0.999, optimizer_kind="nesterov")
    assert calmed(rates(0.1), heavy) == {"optim.momentum": 0.9}
    assert calmed(rates(0.1), replace(heavy, optimizer_kind="adam")) == {"optim.lr": 0.01}


def test_what_learns_too_slowly_at_the_rate_by_rule_is_rid_of_what_slows_it() -> None:
    ruled = Known(
        learning_rate=0.3, rate_by_rule=0.3, dropout=0.9, settings={"augment.rotate": 90.0, "optim.clip": 1e-4}
    )
    mended = raised_rate(rates(0.3, 1e-5), ruled)
    assert mended is not None and "optim.lr" not in mended
    assert mended["augment.rotate"] == 0.0 and mended["optim.clip"] is None and mended["regularize.dropout"] == 0.5
    assert back_to_rules(rates(0.3), ruled) == mended
    assert back_to_rules(rates(0.3), Known(learning_rate=0.3, rate_by_rule=0.3, settings={})) is None


def test_a_training_that_had_learned_before_it_broke_goes_on_from_its_last_good_checkpoint() -> None:
    log = RunLog([Row("epoch", 30 * n, n - 1, {"validation_accuracy": 0.2 * n}) for n in range(1, 5)])
    known = Known(classes=10, planned_steps=200)
    assert [begin_of(log, known, step) for step in (10, 50, 100)] == ["start", "start", "last"]


def test_rules_whose_cause_a_recipe_can_mend_carry_a_remedy() -> None:
    none = {
        *("wrong-sign", "softmax-missing", "softmax-doubled", "sum-instead-of-mean", "parts-differ", "not-shuffled"),
        *("initial-loss-wrong", "layer-not-trained", "gradients-not-cleared", "no-nonlinearity", "noisy-filters"),
        *("clean-filters", "underfitting", "validation-better", "labels-unrelated", "pair-confused"),
        *("loader-starving", "memory-growing"),
        "class-never-predicted",  # in this log it is not a rare class
    }
    settings = dict.fromkeys(["optim.lr"], 1.0) | {
        "regularize.l2": 0.5,
        "init.kind": "gaussian",
        "loss.kind": "softmax",
    }
    for rule in RULES:
        log, known = SICK[rule](1.0)
        known = replace(known, settings={**(known.settings or {}), **settings}, rate_by_rule=1e-4, learning_rate=1.0)
        said = list(RULES[rule](log, known))
        assert said, rule
        assert bool(said[0].remedy) is (rule not in none), rule
        assert (remedy_text(said[0]) == "") is (rule in none)


def test_a_remedy_says_what_it_changes() -> None:
    assert remedy_text(found(remedy={"optim.lr": 0.0123456, "init.kind": None})) == (
        "optim.lr = 0.01235, init.kind by rule; from the start"
    )
    assert KNOWN.learning_rate is not None


def test_weights_that_stand_still_for_a_third_of_the_training_end_no_rule() -> None:
    """Found by first weights of 1e-8: the early update ratios were nothing, and a rule took their logarithm."""
    rows = [
        Row("step", step, step // 20, {"loss": 2.3, "learning_rate": 0.1, "accuracy": 0.1}) for step in range(1, 121)
    ]
    still = [Row("layers", step, 0, {"update_ratio@a": 0.0 if step < 80 else 1e-4}) for step in range(1, 121, 5)]
    ends = [Row("epoch", 20 * n, n - 1, {"validation_accuracy": 0.1, "validation_loss": 2.3}) for n in range(1, 7)]
    log = RunLog(sorted([*rows, *still, *ends], key=lambda row: row.step))
    for rule in RULES.values():
        list(rule(log, Known(classes=10, validation_images=200)))
