"""What is told from how training images look beside validation's, from answers that waver, and from how sure a network is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_logs import KNOWN, LEVEL, Changes, everywhere, made, with_stuck

from babysit.diagnosing import RULES, judge
from babysit.diagnosing.looks import looks_of
from babysit.record.known import Known
from babysit.record.log import Row, RunLog
from babysit.record.observation import key_of

OWN = replace(KNOWN, settings=None, augmented=None, planned_steps=300, batch_size=50, dropout=0.0, loss_kind="softmax")

ALIKE: Changes = {"input_mean": 0.0, "input_deviation": 1.0, "input_roughness": 0.2, "input_flatness": 0.1}
WITHIN: Changes = {**ALIKE, "input_alike": 0.95, "input_alike_within": 0.96}
OTHER: dict[str, tuple[Changes, Changes]] = {
    "noise over it": ({"input_roughness": 0.9}, {}),
    "a part of it enlarged": ({"input_roughness": 0.03}, {}),
    "most of it erased": ({"input_flatness": 0.8}, {}),
    "upside down": ({}, {"input_alike": -0.2}),
}
"""What was done to training's images -> what it changes of their first batch, and of an epoch."""


def shown(what: str, epoch: Changes, *, stuck: bool) -> RunLog:
    start, later = OTHER[what]
    return (with_stuck if stuck else made)({"start": {**ALIKE, **start}, "epoch": {**WITHIN, **later, **epoch}})


@pytest.mark.parametrize("what", OTHER)
def test_images_that_look_otherwise_and_teach_nothing_are_augmented_too_strongly(what: str) -> None:
    first = judge(shown(what, {}, stuck=True), OWN)[0]
    assert (first.rule, first.severity) == ("augmentation-too-strong", "warn") and first.sure > 0.75


@pytest.mark.parametrize("what", OTHER)
def test_images_that_look_otherwise_and_are_learned_while_validation_lags_are_prepared_otherwise(what: str) -> None:
    lag: Changes = {"train_accuracy": lambda t: 0.1 + 0.8 * t, "validation_accuracy": 0.3}
    (one,) = RULES["parts-differ"](shown(what, lag, stuck=False), OWN)
    assert one.severity == "warn" and "not prepared alike" in one.claim and one.sure > 0.75


@pytest.mark.parametrize("what", OTHER)
def test_where_training_goes_well_ordinary_augmentation_alarms_nobody(what: str) -> None:
    log = shown(what, {}, stuck=False)
    assert not [one for one in judge(log, OWN) if one.severity != "note"]
    assert looks_of(log).sure > 0.75


def test_parts_that_look_alike_or_were_never_compared_look_alike() -> None:
    assert looks_of(made({"start": ALIKE, "epoch": WITHIN})).sure < 0.3
    assert looks_of(made({"start": ALIKE})).sure == looks_of(RunLog()).sure == 0.0
    noise = made({"start": ALIKE, "epoch": {**WITHIN, "input_alike": -0.3, "input_alike_within": 0.1}})
    assert looks_of(noise).sure < 0.3, "where validation is not like itself, a mean image says nothing"


def test_a_matter_of_scale_takes_no_class_away() -> None:
    raw = made({"start": {**ALIKE, "input_deviation": 60.0}, "epoch": WITHIN})
    assert looks_of(raw).sure > 0.9 and looks_of(raw).scale and looks_of(raw, scale=False).sure < 0.3


@pytest.mark.parametrize(
    ("wavering", "accuracy", "severities"), [(1.1, 0.5, ["warn"]), (1.1, 0.97, ["note"]), (1e-3, 0.5, [])]
)
def test_answers_that_waver_in_evaluation_are_dropped_units(
    wavering: float, accuracy: float, severities: list[str]
) -> None:
    log = made({"epoch": {"slice_wavering": wavering, "validation_accuracy": accuracy, "train_accuracy": 0.6}})
    found = [one for one in RULES["dropout-too-strong"](log, OWN) if "left to chance" in one.claim]
    assert [one.severity for one in found] == severities


def unsure(top: float, known: Known = OWN) -> list[str]:
    epoch: Changes = {"confidence_p95": top, "validation_accuracy": 0.5, "train_accuracy": 0.5}
    log = made({"step": {"loss": lambda t: 2.3 - 0.5 * min(1.0, 2 * t), "accuracy": 0.5}, "epoch": epoch})
    return [one.claim for one in RULES["labels-noisy"](log, known) if "surer than" in one.claim]


def test_a_network_that_is_sure_of_no_image_was_taught_wrong_labels_and_one_that_is_sure_of_some_has_hard_ones() -> (
    None
):
    assert unsure(0.5) and not unsure(0.9)
    assert not unsure(0.5, replace(OWN, loss_kind=None)), "a smoothed loss leaves it unsure as well"
    assert not unsure(0.5, replace(OWN, dropout=0.8)), "and so does dropout"


def test_two_scores_that_are_opposed_are_not_one_unit() -> None:
    alike = everywhere("unit_likeness", 1.0)
    layer = next(iter(alike)).split("@")[1]
    only: Changes = {f"unit_likeness@{layer}": 1.0}
    units = {key_of("units", layer): 2.0}
    assert list(RULES["symmetric-initialisation"](made({"layers": only}), OWN))
    assert not list(RULES["symmetric-initialisation"](made({"layers": only, "start": units}), OWN))


def test_of_one_class_alone_nothing_is_said_of_unrelated_labels() -> None:
    known = replace(OWN, class_counts=(500, *(0,) * 9))
    stuck = with_stuck({"epoch": {"validation_accuracy": 0.1}})
    assert not list(RULES["labels-unrelated"](stuck, known))


def test_labels_that_stay_while_images_go_on_are_not_one_batch_over_and_over() -> None:
    kept: Changes = {"label_period": 50.0, "label_run_likeness": 0.1}
    known = replace(OWN, steps_per_epoch=30)
    assert judge(with_stuck({"epoch": kept}), known)[0].rule == "labels-unrelated"
    learned = made({"epoch": {**kept, "validation_accuracy": 0.2}})
    assert {one.rule for one in judge(learned, known)} & {"not-shuffled", "labels-unrelated"} == {"not-shuffled"}


@pytest.mark.parametrize(("share", "dropout", "severities"), [(1.0, 0.5, ["warn"]), (0.0, 0.5, []), (1.0, 0.0, [])])
def test_validation_while_units_are_dropped_is_said(share: float, dropout: float, severities: list[str]) -> None:
    log = made({"epoch": {"validation_accuracy": 0.5, "train_accuracy": 0.6}})
    known = replace(OWN, validated_training=share, dropout=dropout)
    found = [one for one in RULES["dropout-too-strong"](log, known) if "made in training mode" in one.claim]
    assert [one.severity for one in found] == severities


def test_a_body_that_runs_without_gradients_is_cut_off_where_little_is_learned_and_an_unused_branch_is_not() -> None:
    body = list(everywhere("update_ratio", 0.0))[:-1]
    gone: Changes = {}
    for key in body:
        where = key.split("@")[1]
        gone |= {key: 0.0, f"weight_gradient_norm@{where}": None, f"activation_mean@{where}": None}
    assert [one.severity for one in RULES["layer-not-trained"](with_stuck({"layers": gone}), OWN)] == ["warn"]
    assert not list(RULES["layer-not-trained"](made({"layers": gone}), OWN)), "it learns, so that it is meant"
    half = made(
        {"layers": gone, "step": {"loss": lambda t: LEVEL * (1 - 0.4 * t), "accuracy": lambda t: 0.1 + 0.3 * t}}
    )
    assert [one.severity for one in RULES["layer-not-trained"](half, OWN)] == ["note"], "it may be meant"


def test_a_last_layer_that_begins_at_zero_is_given_time() -> None:
    order = [key.split("@")[1] for key in everywhere("weight_norm", 1.0)]
    faint: Changes = {
        f"weight_gradient_norm@{name}": 1e-7 * 10 ** (7 * place / (len(order) - 1)) for place, name in enumerate(order)
    }
    zero: Changes = {**faint, f"weight_norm@{order[-1]}": lambda t: 0.0 if t < 0.01 else 0.1}
    whole, begun = with_stuck({"layers": faint}), with_stuck({"layers": zero})
    early, begun_early = (RunLog(tuple(row for row in one.rows if row.step <= 120)) for one in (whole, begun))
    assert list(RULES["vanishing-gradients"](early, OWN)) and list(RULES["vanishing-gradients"](whole, OWN))
    assert not list(RULES["vanishing-gradients"](begun_early, OWN))


def test_frozen_layers_are_noted_where_a_training_that_is_over_has_not_come_far() -> None:
    gone: Changes = dict.fromkeys([*everywhere("update_ratio", None)][:-1])
    half: Changes = {"loss": lambda t: LEVEL * (1 - 0.5 * t), "accuracy": 0.5}
    poor = made({"layers": gone, "step": half, "epoch": {"validation_accuracy": 0.5, "train_accuracy": 0.5}})
    known = replace(OWN, planned_steps=300)
    found = list(RULES["layer-not-trained"](poor, known))
    assert [one.severity for one in found] == ["note"] and found[0].claim.startswith("4 layers with weights are frozen")
    assert not list(RULES["layer-not-trained"](poor, replace(known, planned_steps=3000)))
    well = made({"layers": gone, "epoch": {"validation_accuracy": 0.95}})
    assert not list(RULES["layer-not-trained"](well, known))


def test_epochs_without_an_update_are_told_unless_something_was_learned() -> None:
    def still(*accuracies: float, loss: float = 2.3) -> list[str]:
        rows = [
            Row("epoch", 0, number, {"validation_accuracy": one, "train_loss": 2.3 if number == 0 else loss})
            for number, one in enumerate(accuracies)
        ]
        return [one.severity for one in RULES["layer-not-trained"](RunLog(rows), OWN)]

    assert still(0.1, 0.12, 0.09) == ["warn"] and not still(0.1)
    assert not still(0.1, 0.5, 0.8) and not still(0.1, 0.1, loss=1.0), "another optimiser makes the updates"
