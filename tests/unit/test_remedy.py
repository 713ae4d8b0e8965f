"""Remedies: what is acted upon, what it makes of a recipe, McNemar's decision, and settings that were others earlier."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from made_logs import KNOWN
from sick_logs import SICK

from babysit.diagnosing import RULES, judge
from babysit.diagnosing.by_setting import SAID, with_settings
from babysit.diagnosing.remedies import (
    back_to_rules,
    begin_of,
    calmed,
    lower_rate,
    raised_rate,
    remedy_text,
    weaker_penalties,
)
from babysit.diagnosing.usual import BATCHES, FALLING, FIRST_WEIGHTS, USUAL, odd_settings
from babysit.errors import UserError
from babysit.optim.optimizers import OPTIMIZERS
from babysit.recipe import Override, Recipe, parse, read_resolved, render, setting_names
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


def test_what_the_test_could_not_tell_gets_a_second_trial_when_the_way_is_over_and_no_third() -> None:
    one, undecided, worse = found(), tried(state="taken back"), replace(tried(state="taken back"), p=0.01)
    assert worth_trying([one], [undecided], most=3) == [], "while it goes on, what was tried was tried"
    assert worth_trying([one], [undecided], most=3, over=True) == [one]
    assert worth_trying([one], [worse], most=3, over=True) == [], "it was worse"
    again = replace(undecided, number=2, over=True)
    assert worth_trying([one], [undecided, again], most=3, over=True) == []
    other = found("dead-units")
    assert worth_trying([other, one], [undecided], most=1, over=True) == [one], "a second trial is none more"
    assert worth_trying([other], [undecided, again], most=2, over=True) == [other]


def test_a_setting_far_outside_the_usual_is_told_from_one_within_by_its_unit() -> None:
    known = Known(
        rate_by_rule=0.1,
        learning_rate=0.1,
        training_images=1000,
        planned_steps=200,
        steps_per_epoch=20,
        optimizer_kind="nesterov",
        settings={
            **{"optim.lr": 1.4, "optim.momentum": 0.97, "optim.batch_size": 200, "augment.resized_crop": 0.0},
            **{"data.size": 32, "augment.crop": 10, "schedule.tau": 1.1, "schedule.warmup": 0.7, "init.bias": -1.0},
            **{"init.kind": "gaussian", "init.scale": 0.01, "loss.smoothing": 0.3, "regularize.decay": 0.04},
        },
    )
    assert odd_settings(known) == []
    beyond = {
        **{"optim.lr": 1.6, "optim.momentum": 0.99, "optim.batch_size": 300, "augment.resized_crop": 0.01},
        **{"augment.crop": 11, "schedule.tau": 0.9, "schedule.warmup": 0.9, "init.bias": -2.0},
        **{"init.scale": 0.001, "loss.smoothing": 0.9, "regularize.decay": 0.06},
    }
    assert known.settings is not None
    for name, value in beyond.items():
        (odd,) = odd_settings(replace(known, settings={**known.settings, name: value}))
        assert odd.setting == name and odd.decades > 0, name
        assert odd.remedy in ({name: Recipe().get(name)}, FALLING, FIRST_WEIGHTS, BATCHES), name


def test_every_usual_setting_exists_and_is_usual_when_it_is_not_given() -> None:
    usual = {name: Recipe().get(name) for name in setting_names()}
    for one in USUAL:
        assert one.setting in usual
        for name in one.remedy or {}:
            assert name in usual
        for cause in {one.below, one.above} - {""}:
            assert cause in RULES and cause in SAID, cause
    for kind in OPTIMIZERS:
        assert odd_settings(Known(settings=usual, optimizer_kind=kind, rate_by_rule=0.1)) == [], kind


def ended(best: float, *, share: float = 1.0) -> RunLog:
    """A training of 200 planned steps that learns, up to a share of it."""
    made = [
        Row("step", step, step // 20, {"loss": 2.3 * 0.99**step, "learning_rate": 0.1})
        for step in range(1, round(200 * share) + 1)
    ]
    ends = [
        Row("epoch", 20 * n, n - 1, {"validation_accuracy": best * n / 10}) for n in range(1, round(10 * share) + 1)
    ]
    return RunLog(sorted([*made, *ends], key=lambda row: row.step))


def test_a_training_that_comes_to_little_under_an_odd_setting_is_warned_of_and_mended_by_what_is_usual() -> None:
    settings: dict[str, object] = {"augment.erase": 1.0, "augment.resized_crop": 0.01}
    known = Known(classes=10, loss_kind="softmax", planned_steps=200, validation_images=500, settings=settings)
    one, *others = judge(ended(0.6), known)
    assert all(other.guess for other in others), "beside it there are second guesses, and nothing that is said"
    assert (one.rule, one.severity) == ("augmentation-too-strong", "warn") and one.sure > 0.9
    assert one.remedy == {"augment.resized_crop": 0.0, "augment.erase": 0.0}
    assert "augment.resized_crop is 0.01, and 0.08 is the least that is usual; augment.erase is 1" in one.claim
    assert "60.0% of the validation images are right" in one.claim
    said = {one.rule for one in judge(ended(0.98), known)}
    assert "augmentation-too-strong" not in said, "it came to something"
    assert "augmentation-too-strong" not in {one.rule for one in judge(ended(0.6, share=0.6), known)}, (
        "it is on its way"
    )
    within = replace(known, settings={"augment.erase": 0.5, "augment.resized_crop": 0.2})
    assert "augmentation-too-strong" not in {one.rule for one in judge(ended(0.6), within)}


def test_what_is_set_so_is_nobodys_symptom_and_a_note_of_it_becomes_a_warning() -> None:
    settings: dict[str, object] = {"optim.clip": 1e-6}
    known = Known(optimizer_kind="sgd", classes=10, planned_steps=200, validation_images=500, settings=settings)
    vanishing = found("vanishing-gradients", "warn", 0.8)
    note = found("updates-too-small", "note", 0.9)
    ends = found("diverging", "stop")
    said, settled = with_settings([vanishing, note, ends, found("imbalanced")], ended(0.2), known)
    assert settled == {"updates-too-small"}
    assert [(one.rule, one.severity) for one in said] == [
        ("diverging", "stop"),
        ("imbalanced", "warn"),
        ("updates-too-small", "warn"),
    ]
    assert said[-1].remedy == {"optim.clip": None}
    warned = found("updates-too-small")
    assert with_settings([warned], ended(0.2), known)[0] == [warned]
    assert with_settings([vanishing, note], ended(0.98), known) == ([vanishing, note], set())


def test_a_batch_of_all_images_is_named_though_its_few_updates_are_over_soon() -> None:
    rows = [Row("step", step, step - 1, {"loss": 2.3, "learning_rate": 0.1}) for step in range(1, 7)]
    rows += [Row("epoch", 6, 5, {"validation_accuracy": 0.15})]
    known = Known(
        classes=10,
        loss_kind="softmax",
        planned_steps=6,
        steps_per_epoch=1,
        training_images=1600,
        validation_images=400,
        settings={"optim.batch_size": 1600},
    )
    (one,) = [one for one in judge(RunLog(rows), known) if one.severity == "warn"]
    assert one.rule == "stopped-too-early" and one.remedy == {"optim.batch_size": None, "optim.lr": None}
    assert "optim.batch_size is 1600, and 400 is the most that is usual" in one.claim
    assert not [one for one in judge(RunLog(rows[:3]), known) if one.severity == "warn"], "too early to say"


def test_two_causes_that_stand_in_the_settings_do_not_explain_each_other() -> None:
    """Found by hand: a clip of 1e-5 was not named beside a smoothing of 0.9, which explains small updates."""
    settings: dict[str, object] = {"optim.clip": 1e-5, "loss.smoothing": 0.9}
    known = Known(optimizer_kind="sgd", classes=10, planned_steps=200, validation_images=500, settings=settings)
    said = [one for one in judge(ended(0.2), known) if one.severity == "warn"]
    assert [one.rule for one in said] == ["updates-too-small", "regularisation-too-strong"]
    assert said[0].remedy == said[1].remedy == {"optim.clip": None, "loss.smoothing": 0.0}
    mild = replace(known, settings={**settings, "loss.smoothing": 0.45})
    assert [one.rule for one in judge(ended(0.2), mild) if one.severity == "warn"] == ["updates-too-small"]


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
    known = Known(l2=0.02, settings={"regularize.l2": 0.02, "regularize.l1": 0.0})
    assert weaker_penalties(RunLog([row]), known) == {"regularize.l2": 5e-5}
    assert weaker_penalties(RunLog(), known) == {"regularize.l2": 0.002}


def test_of_several_penalties_the_one_far_outside_the_usual_is_handed_back_and_the_others_stay() -> None:
    known = Known(l2=5e-4, settings={"regularize.l2": 5e-4, "regularize.elastic_l2": 1.0, "regularize.l1": 0.05})
    assert weaker_penalties(RunLog(), known) == {"regularize.elastic_l2": 0.0, "regularize.l1": 0.0}


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
