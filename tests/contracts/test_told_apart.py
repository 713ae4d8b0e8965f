"""Causes that look alike at first: what in the log tells the true one from the one that would be said wrongly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from made_logs import KNOWN, LAYERS, LEVEL, Changes, everywhere, made, with_stuck

from babysit.diagnosing import RULES, judge
from babysit.diagnosing.course import course_of
from babysit.record.known import Known
from babysit.record.log import RunLog

WEIGHTS_OWN = ("update_ratio", "weight_gradient_norm", "weight_norm", "unit_likeness")
"""What is measured of the weights of a layer that is trained."""

OWN = replace(KNOWN, settings=None, augmented=None, planned_steps=300, batch_size=50)


def severities(name: str, log: RunLog, known: Known = OWN) -> list[str]:
    return [one.severity for one in RULES[name](log, known)]


def large_updates(more: Mapping[str, Changes] = {}) -> RunLog:
    return with_stuck({**more, "layers": everywhere("update_ratio", 0.2)})


def test_an_accuracy_that_rises_under_a_loss_that_stands_is_not_held_back_by_the_rate() -> None:
    flattened: Changes = {"accuracy": lambda t: 0.1 + 0.6 * t}
    assert severities("learning-rate-too-high", large_updates()) == ["warn"]
    assert severities("learning-rate-too-high", large_updates({"step": flattened})) == ["note"]


def test_where_validation_is_ahead_the_training_images_are_the_harder_and_the_rate_is_not_too_high() -> None:
    ahead: Changes = {"train_accuracy": 0.15, "validation_accuracy": 0.35}
    assert severities("learning-rate-too-high", large_updates({"epoch": ahead})) == ["note"]


def test_first_updates_that_are_large_and_soon_are_not_are_no_evidence() -> None:
    soon = lambda first: with_stuck({"layers": everywhere("update_ratio", lambda t: first if t < 0.3 else 5e-3)})  # noqa: E731
    assert severities("learning-rate-too-high", soon(0.1)) == []
    assert severities("learning-rate-too-high", soon(2.0)) == ["warn"]


def test_a_loss_that_came_down_to_knowing_nothing_after_a_jump_is_not_on_its_way() -> None:
    def loss(after: float):
        return lambda t: LEVEL * (1 + 8 * math.exp(-9 * t) - after * t)

    assert severities("learning-rate-too-high", with_stuck({"step": {"loss": loss(0.0)}})) == ["warn"]
    assert severities("learning-rate-too-high", with_stuck({"step": {"loss": loss(0.4)}})) == []


def test_a_rate_of_adam_s_that_is_as_large_as_weights_explains_statistics_that_do_not_follow() -> None:
    differ: Changes = {"slice_train_mode_accuracy": 0.7, "slice_accuracy": 0.1, "validation_accuracy": 0.1}
    log = made(
        {"step": {"loss": lambda t: LEVEL * (0.8 - 0.1 * t), "learning_rate": lambda t: 0.5 - 0.3 * t}, "epoch": differ}
    )
    adam = replace(OWN, optimizer_kind="adam", batch_size=256)
    first = judge(log, adam)[0]
    assert first.rule == "learning-rate-too-high" and "moves every weight" in first.claim
    assert judge(log, replace(adam, optimizer_kind="sgd"))[0].rule == "normalisation-statistics"


def test_a_warm_up_that_lasts_to_the_end_is_a_rate_that_is_too_low() -> None:
    rising: Changes = {"loss": LEVEL * 0.99, "accuracy": 0.11, "learning_rate": lambda t: 1e-5 + 1e-4 * t}
    log = made({"step": rising, "layers": everywhere("update_ratio", 2e-5)}, epochs=1)
    assert severities("learning-rate-too-low", log) == ["warn"]
    assert severities("learning-rate-too-low", log, replace(OWN, planned_steps=3000)) == []


@pytest.mark.parametrize(("loss", "said"), [(1.03, ["warn"]), (0.98, []), (1.0, [])])
def test_labels_that_mean_nothing_do_harm_to_validation(loss: float, said: list[str]) -> None:
    epochs: Changes = {"validation_accuracy": 0.09, "validation_loss": LEVEL * loss}
    assert severities("labels-unrelated", with_stuck({"epoch": epochs})) == said


def test_without_a_validation_loss_unrelated_labels_are_no_warning() -> None:
    unknown: Changes = {"validation_accuracy": 0.09, "validation_loss": None}
    (found,) = RULES["labels-unrelated"](with_stuck({"epoch": unknown}), OWN)
    assert found.sure < 0.75


def test_validation_that_is_foreign_to_the_network_is_not_what_wrong_labels_do() -> None:
    def log(loss: float, ours: float) -> RunLog:
        epochs: Changes = {"validation_accuracy": 0.09, "validation_loss": loss, "slice_loss": ours}
        return with_stuck({"epoch": epochs, "step": {"loss": lambda t: LEVEL * (1 - 0.3 * t)}})

    foreign = judge(log(8 * LEVEL, 0.7 * LEVEL), OWN)[0]
    assert foreign.rule == "augmentation-too-strong" and "little in common" in foreign.claim
    assert severities("augmentation-too-strong", log(1.5 * LEVEL, 0.7 * LEVEL)) == []
    assert severities("augmentation-too-strong", log(8 * LEVEL, 6 * LEVEL)) == []  # the mode, not the images


def same_order(counts: tuple[int, ...], likeness: float | None = 0.0213) -> tuple[RunLog, Known]:
    order = likeness if likeness is not None else (lambda t: 0.02 * math.sin(40 * t))
    log = made({"epoch": {"label_run_likeness": order, "train_accuracy": 0.95, "validation_accuracy": 0.4}})
    return log, replace(OWN, class_counts=counts, steps_per_epoch=30)


def test_one_batch_over_and_over_is_told_by_its_labels() -> None:
    uneven, even, any_count = (30, 60, *(150,) * 8), (150,) * 10, (31, 62, *(150,) * 8)
    (found,) = RULES["not-shuffled"](*same_order(uneven))
    assert found.severity == "warn" and "one batch" in found.claim
    assert judge(*same_order(uneven))[0].rule == "not-shuffled"
    assert severities("not-shuffled", *same_order(even)) == []  # a sampler may balance every batch
    assert severities("not-shuffled", *same_order(any_count)) == []
    assert severities("not-shuffled", *same_order(uneven, None)) == []


def test_batches_that_are_balanced_class_by_class_do_no_harm_where_validation_follows() -> None:
    blocks: Changes = {"label_run_likeness": 0.76}
    assert severities("not-shuffled", made({"epoch": blocks})) == ["note"]
    assert severities("not-shuffled", made({"epoch": {**blocks, "validation_accuracy": 0.4}})) == ["warn"]
    assert severities("not-shuffled", made({"epoch": {**blocks, "validation_accuracy": None}})) == ["warn"]


def test_a_class_that_is_not_among_a_few_labels_may_have_images_all_the_same() -> None:
    def said(*counts: int) -> list[str]:
        known = replace(OWN, class_counts=counts, class_names=tuple("abcdefghij"))
        return severities("class-never-predicted", made({"epoch": {"recall@c": 0.0}}), known)

    assert said(98, 103, 0, 95, 101, 99, 97, 104, 102, 100) == ["warn"]
    assert said(*(100,) * 2, 0, *(100,) * 7) == ["warn"]
    assert said(12, 24, 0, 84, 72, 36, 48, 60, 48, 36) == []  # a label stands for twelve images


def penalised(more: float, shrunk: float, times: float = 1.0) -> RunLog:
    """A loss that is softmax's, standing, and a penalty that falls with the weights."""
    fading = lambda t: math.exp(-6 * t)  # noqa: E731
    forms: Changes = {
        "loss_by_form@softmax": LEVEL,
        "loss_of_batch": lambda t: times * LEVEL + more * fading(t),
        "validation_loss": LEVEL,
    }
    norms = everywhere("weight_norm", lambda t: 5 * (1 - shrunk * t))
    start: Changes = {"initial_loss": times * LEVEL + more}
    steps: Changes = {"loss": lambda t: times * LEVEL + more * fading(t), "penalty_gradient_norm": None}
    return with_stuck({"start": start, "step": steps, "epoch": forms, "layers": norms})


def test_a_penalty_in_the_loss_is_told_from_a_sum_over_the_batch() -> None:
    own = replace(OWN, loss_kind=None)
    as_large_as_a_sum = penalised(49 * LEVEL, 0.95)
    assert severities("sum-instead-of-mean", as_large_as_a_sum, own) == []
    assert judge(as_large_as_a_sum, own)[0].rule == "regularisation-too-strong"
    assert severities("sum-instead-of-mean", penalised(0.0, 0.0, times=50.0), own) == ["warn"]
    assert severities("regularisation-too-strong", penalised(49 * LEVEL, 0.0), own) == []


def test_statistics_are_judged_by_a_look_that_is_not_long_ago() -> None:
    differ: Changes = {"slice_train_mode_accuracy": 0.9, "slice_accuracy": 0.2, "validation_accuracy": 0.2}
    log = made({"epoch": differ})
    early = RunLog(
        tuple(
            replace(row, values={key: one for key, one in row.values.items() if not key.startswith("slice")})
            if row.kind == "epoch" and row.step > 120
            else row
            for row in log.rows
        )
    )
    own = replace(OWN, batch_size=200)
    assert severities("normalisation-statistics", log, own) == ["warn"]
    assert severities("normalisation-statistics", early, own) == []


def test_no_gradient_at_any_update_is_a_network_that_is_not_trained() -> None:
    still = {**everywhere("update_ratio", 0.0), **everywhere("weight_gradient_norm", 0.0)}
    answers: Changes = {f"predicted_share@{name}": float(name == "c") for name in "abcdefghij"}
    log = with_stuck({"step": {"gradient_norm": 0.0}, "layers": still, "epoch": answers})
    first = judge(log, OWN)[0]
    assert first.rule == "layer-not-trained" and "no gradient is there" in first.claim
    assert severities("constant-output", log) == []
    gone = {**everywhere("update_ratio", 0.0), **everywhere("weight_gradient_norm", None)}  # cleared to None
    assert judge(with_stuck({"step": {"gradient_norm": None}, "layers": gone}), OWN)[0].rule == "layer-not-trained"
    dead = with_stuck({"step": {"gradient_norm": 0.0}, "layers": {**still, f"dead_share@{LAYERS[0]}": 1.0}})
    assert not list(RULES["layer-not-trained"](dead, OWN))


def only_the_last(ratio: float, deviation: float, learns: bool = False) -> RunLog:
    gone: Changes = {f"{quantity}@{name}": None for name in LAYERS[:-1] for quantity in WEIGHTS_OWN}
    layers: Changes = {**gone, f"update_ratio@{LAYERS[-1]}": ratio, f"activation_deviation@{LAYERS[-2]}": deviation}
    return made({"layers": layers}) if learns else with_stuck({"layers": layers})


def test_frozen_layers_that_tell_nothing_are_told_from_a_rate_that_is_too_low() -> None:
    assert judge(only_the_last(1e-4, 1e-3), OWN)[0].rule == "layer-not-trained"  # next to nothing to go by
    assert judge(only_the_last(0.02, 1.0), OWN)[0].rule == "layer-not-trained"  # it moves, and does not help
    slow = only_the_last(1e-5, 1.0)
    assert severities("layer-not-trained", slow) == [] and severities("updates-too-small", slow) == ["warn"]
    assert severities("layer-not-trained", only_the_last(0.02, 1.0, learns=True)) == []


def test_gradients_that_vanished_when_the_loss_was_thrown_up_are_the_rate_s_doing() -> None:
    thrown: Changes = {"loss": lambda t: LEVEL * (1 + 8 * math.exp(-9 * t))}
    later: Changes = {f"weight_gradient_norm@{LAYERS[0]}": lambda t: 0.5 if t < 0.05 else 1e-4}
    always: Changes = {f"weight_gradient_norm@{LAYERS[0]}": 1e-4}
    assert severities("vanishing-gradients", with_stuck({"step": thrown, "layers": later})) == []
    assert severities("vanishing-gradients", with_stuck({"step": thrown, "layers": always})) == ["warn"]
    assert severities("vanishing-gradients", with_stuck({"layers": later})) == ["warn"]


def test_what_dropout_keeps_is_multiplied_and_is_not_taken_for_large_weights() -> None:
    wide: Changes = {"initial_loss": 4 * LEVEL, "score_deviation": 12.0}
    lost = with_stuck({"start": wide, "epoch": {"validation_accuracy": 0.1}})
    assert judge(lost, replace(OWN, dropout=0.9))[0].rule == "dropout-too-strong"
    assert judge(lost, replace(OWN, dropout=0.2))[0].rule == "initialisation-too-large"
    assert np.isfinite(course_of(lost, OWN).late)


def test_statistics_that_are_catching_up_are_young_and_not_wrong() -> None:
    differ: Changes = {"slice_train_mode_accuracy": 0.95, "slice_accuracy": 0.1}
    own = replace(OWN, batch_size=200)
    for validation, said in ((0.2, ["warn"]), (lambda t: 0.1 if t < 0.95 else 0.5, [])):
        log = made({"epoch": {**differ, "validation_accuracy": validation}})
        assert severities("normalisation-statistics", log, own) == said


def test_under_normalisation_parts_differ_where_training_images_do_well_in_evaluation_mode() -> None:
    behind: Changes = {"train_accuracy": lambda t: 0.1 if t < 0.15 else 0.9, "validation_accuracy": 0.12}

    def sure(seen: float | None, normalised: bool) -> float:
        log = made({"epoch": {**behind, "slice_accuracy": seen}, "step": {"accuracy": 0.9}})
        found = list(RULES["parts-differ"](log, replace(OWN, normalised=normalised, batch_size=100)))
        return found[0].sure if found else 0.0

    assert sure(None, normalised=False) > 0.75 and sure(0.9, normalised=True) > 0.75
    assert sure(0.15, normalised=True) == 0.0 and 0.6 < sure(None, normalised=True) < 0.75


def test_classes_that_are_called_by_one_name_in_one_epoch_and_not_in_the_next_show_no_imbalance() -> None:
    counts = (*(200,) * 5, *(10,) * 5)
    known = replace(OWN, class_counts=counts, class_names=tuple("abcdefghij"))

    def log(last: float) -> RunLog:
        rare: Changes = {f"recall@{name}": lambda t: last if t > 0.95 else 0.1 for name in "fghij"}
        even: Changes = {"validation_accuracy": lambda t: 0.45 + (last if t > 0.95 else 0.1) / 2}
        return made({"epoch": {**rare, **{f"recall@{name}": 0.9 for name in "abcde"}, **even}})

    assert severities("imbalanced", log(0.1), known) == ["warn"]
    assert severities("imbalanced", log(0.9), known) == []


def test_hard_images_that_are_learned_at_last_have_the_right_labels() -> None:
    def log(last: float) -> RunLog:
        epochs: Changes = {
            "hard_share": lambda t: 0.4 if t < 0.95 else last,
            "loss_p50": 0.05,
            "loss_p95": lambda t: 5.0 if t < 0.95 else 5.0 * min(1.0, 3 * last),
        }
        return made({"epoch": epochs})

    known = replace(OWN, batch_size=200)
    assert severities("labels-noisy", log(0.4), known) == ["warn"]
    assert severities("labels-noisy", log(0.0), known) == []


def test_a_rate_that_comes_back_did_not_fall_too_fast() -> None:
    def log(back: float) -> RunLog:
        rate = lambda t: 0.1 if t < 0.3 else (1e-6 if t < 0.5 else back)  # noqa: E731
        return with_stuck({"step": {"learning_rate": rate, "loss": 2.0}})

    assert severities("schedule-too-fast", log(1e-6)) == ["warn"]
    assert severities("schedule-too-fast", log(0.05)) == []


def test_gradients_of_a_body_behind_a_head_of_zeros_do_not_vanish_while_the_loss_comes_down() -> None:
    small = {"layers": {f"weight_gradient_norm@{LAYERS[0]}": 1e-4}}
    coming_down: Changes = {"loss": lambda t: LEVEL * (1 - 0.2 * t)}
    assert severities("vanishing-gradients", with_stuck(small)) == ["warn"]
    assert severities("vanishing-gradients", with_stuck({**small, "step": coming_down})) == []


def test_training_in_evaluation_mode_that_gets_on_may_be_meant() -> None:
    frozen = replace(OWN, evaluating=0.9)
    assert severities("normalisation-statistics", with_stuck(), frozen) == ["warn"]
    coming_down: Changes = {"loss": lambda t: LEVEL * (1 - 0.2 * t)}
    assert severities("normalisation-statistics", with_stuck({"step": coming_down}), frozen) == ["note"]


def test_what_is_learned_late_may_be_known_by_heart_and_parts_that_differ_are_no_warning() -> None:
    def sures(first: float) -> list[float]:
        epochs: Changes = {
            "train_accuracy": lambda t: 0.1 if t < first else 0.6,
            "validation_accuracy": 0.06,
            "validation_loss": 2 * LEVEL,
            "slice_accuracy": 0.6,
        }
        log = made({"epoch": epochs, "step": {"accuracy": 0.1}})
        return [one.sure for one in RULES["parts-differ"](log, replace(OWN, normalised=False))]

    assert sures(0.1)[0] > 0.75 and sures(0.95)[0] < 0.75


def test_a_gradient_that_float32_cannot_add_is_no_sign_that_nobody_holds_the_layer() -> None:
    def first(gradient: float) -> RunLog:
        return with_stuck({"layers": {f"update_ratio@{LAYERS[0]}": 0.0, f"weight_gradient_norm@{LAYERS[0]}": gradient}})

    assert severities("layer-not-trained", first(0.01)) == ["warn"]
    assert severities("layer-not-trained", first(1e-9)) == []


def test_gradients_of_a_layer_that_the_optimiser_does_not_hold_are_not_its_to_clear() -> None:
    layers: Changes = {f"update_ratio@{LAYERS[-1]}": 0.0}
    found = judge(with_stuck({"layers": layers}), replace(OWN, uncleared=1.0))
    assert found[0].rule == "layer-not-trained"
    assert "gradients-not-cleared" not in [one.rule for one in found]


def test_where_biases_alone_are_trained_the_weights_are_missed() -> None:
    gone: Changes = {f"{quantity}@{name}": None for name in LAYERS for quantity in WEIGHTS_OWN}
    biases = with_stuck({"layers": gone})
    first = judge(biases, OWN)[0]
    assert first.rule == "layer-not-trained" and "The weights of none" in first.claim
    assert severities("layer-not-trained", made({"layers": gone})) == [], "it learns all the same"


def test_a_loss_that_is_climbed_is_told_from_a_rate_that_is_too_high() -> None:
    def rising(share: float) -> RunLog:
        rose: Changes = {"loss": lambda t: LEVEL * (1 + 4 * t), "accuracy": lambda t: 0.1 * (1 - t) + share * t}
        return made({"step": rose, "epoch": {"validation_accuracy": share, "train_accuracy": share}})

    even = replace(OWN, class_counts=(100,) * 10)
    first = judge(rising(0.005), even)[0]
    assert first.rule == "wrong-sign" and "climbed" in first.claim
    assert severities("wrong-sign", rising(0.1), even) == []


def test_an_update_along_the_gradient_is_a_wrong_sign_unless_the_loss_has_another() -> None:
    uphill: Mapping[str, Changes] = {"layers": everywhere("descent", lambda _: -0.9)}
    assert severities("wrong-sign", with_stuck(uphill)) == ["stop"]
    assert severities("wrong-sign", made(uphill)) == [], "with two minuses it learns"
    over: Changes = {"loss": lambda t: 2.3 + 1e3 * t if t < 0.06 else math.nan}
    blown = made({**uphill, "step": {**over, "accuracy": 0.1}})
    early = RunLog(tuple(row for row in blown.rows if row.step <= 20))
    assert severities("wrong-sign", early) == severities("wrong-sign", blown) == ["stop"]
    assert judge(early, OWN)[0].rule == "wrong-sign"
    assert severities("wrong-sign", with_stuck({"layers": everywhere("descent", -0.1)})) == [], "decay may pull so"


def test_an_update_away_from_the_labels_is_a_wrong_sign_though_it_goes_down_its_own_gradient() -> None:
    """As by `-loss`, or by a formula that nobody knows with a minus in it."""
    away: Mapping[str, Changes] = {"layers": {**everywhere("descent", 0.9), **everywhere("softmax_descent", -0.5)}}
    assert severities("wrong-sign", with_stuck(away)) == ["stop"]
    assert judge(with_stuck(away), OWN)[0].rule == "wrong-sign"
    assert severities("wrong-sign", made(away)) == [], "where it learns all the same, another minus stands somewhere"
    assert severities("wrong-sign", with_stuck({"layers": everywhere("softmax_descent", -0.1)})) == []
