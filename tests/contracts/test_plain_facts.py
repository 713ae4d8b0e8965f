"""Plain facts of a log that decide where symptoms mislead: one image, few images, common classes, a usual rate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest
from made_logs import KNOWN, LEVEL, Changes, everywhere, made, with_stuck

from babysit.diagnosing import RULES, judge
from babysit.record.known import Known
from babysit.record.log import RunLog

OWN = replace(KNOWN, settings=None, augmented=None, planned_steps=300, batch_size=50, schedule_kind=None)


def severities(name: str, log: RunLog, known: Known = OWN) -> list[str]:
    return [one.severity for one in RULES[name](log, known)]


def test_one_image_over_and_over_is_no_augmentation() -> None:
    """The images of the two parts look otherwise, since the one of training is all there is."""
    apart: Changes = {"input_alike": -0.5, "input_alike_within": 0.99}
    same: Mapping[str, Changes] = {"start": {"input_spread": 0.0}, "epoch": apart}
    found = judge(with_stuck(same), OWN)
    assert found[0].rule == "inputs-not-normalised" and "do not differ" in found[0].claim
    assert "augmentation-too-strong" not in [one.rule for one in found if not one.guess]
    assert severities("inputs-not-normalised", with_stuck(same), replace(OWN, batch_size=1)) == []
    varied: Mapping[str, Changes] = {"start": {"input_spread": 1.4}, "epoch": apart}
    assert judge(with_stuck(varied), OWN)[0].rule == "augmentation-too-strong"


@pytest.mark.parametrize(
    ("rate", "optimizer", "rule"),
    [
        (0.05, "momentum", "updates-too-small"),
        (1e-3, "adam", "updates-too-small"),
        (1e-3, "momentum", "learning-rate-too-low"),
        (1e-5, "adam", "learning-rate-too-low"),
    ],
)
def test_weights_that_hardly_move_under_a_usual_rate_are_not_the_rate_s_doing(
    rate: float, optimizer: str, rule: str
) -> None:
    log = with_stuck({"step": {"learning_rate": rate}, "layers": everywhere("update_ratio", 1e-5)})
    known = replace(OWN, optimizer_kind=optimizer, learning_rate=rate, momentum=0.0)
    found = [one.rule for one in judge(log, known) if not one.guess]
    assert found[0] == rule and len({"updates-too-small", "learning-rate-too-low"} & set(found)) == 1


def test_a_usual_rate_is_not_too_low_for_a_network_that_is_slow_at_first() -> None:
    log = with_stuck({"step": {"learning_rate": 0.05}, "layers": everywhere("update_ratio", 3e-4)})
    for rule in ("updates-too-small", "learning-rate-too-low"):
        assert severities(rule, log) == [], rule
    low = with_stuck({"step": {"learning_rate": 1e-3}, "layers": everywhere("update_ratio", 3e-4)})
    assert severities("learning-rate-too-low", low) == ["warn"]


def test_a_network_that_names_common_classes_alone_shows_the_imbalance() -> None:
    counts = (400, *(20,) * 9)
    names = KNOWN.class_names or ()

    def log(first: float, right: float) -> RunLog:
        shares = {f"predicted_share@{name}": first if name == "a" else (1 - first) / 9 for name in names}
        recalls = {f"recall@{name}": 1.0 if name == "a" else 0.0 for name in names}
        return with_stuck({"epoch": {**shares, **recalls, "validation_accuracy": right}})

    uneven = replace(OWN, class_counts=counts)
    assert severities("imbalanced", log(0.99, 0.1), uneven) == ["warn"]
    assert severities("imbalanced", log(0.99, 0.1), replace(OWN, class_counts=(60,) * 10)) == []
    short = RunLog(tuple(row for row in log(0.99, 0.1).rows if row.step <= 40))
    assert severities("imbalanced", short, uneven) == [], "it may have just begun"


def test_few_images_seen_often_are_said_to_be_few() -> None:
    behind: Changes = {
        "validation_accuracy": 0.35,
        "train_accuracy": 0.5,
        "slice_accuracy": 0.9,
        "validation_loss": 2.2,
    }
    log = made({"step": {"accuracy": 0.5}, "epoch": behind}, epochs=20)
    few, many = (replace(OWN, class_counts=(count,) * 10, training_images=10 * count) for count in (6, 400))
    (found,) = RULES["overfitting"](log, few)
    assert found.severity == "note" and "only 60 training images of 10 classes" in found.claim
    assert severities("overfitting", log, many) == []
    better: Changes = {**behind, "validation_accuracy": lambda t: 0.1 + 0.5 * t}
    assert severities("overfitting", made({"step": {"accuracy": 0.5}, "epoch": better}, epochs=20), few) == []


def test_a_penalty_in_the_loss_is_noted_where_the_data_are_learned_all_the_same() -> None:
    falling = lambda t: LEVEL * (1.0 - 0.75 * t)  # noqa: E731
    forms: Changes = {"loss_of_batch": lambda t: falling(t) + 6 * math.exp(-8 * t), "loss_by_form@softmax": falling}
    shrunk = everywhere("weight_norm", lambda t: 5.0 * math.exp(-4 * t))
    step: Changes = {"loss": lambda t: falling(t) + 6 * math.exp(-8 * t)}
    log = made({"start": {"initial_loss": 8.2}, "step": step, "epoch": forms, "layers": shrunk})
    known = replace(OWN, loss_kind=None, l2=0.0)
    assert severities("regularisation-too-strong", log, known) == ["note"]
    assert judge(log, known)[0].rule == "regularisation-too-strong", "the first loss is explained by it"


def test_a_loss_that_suits_numbers_did_not_end_too_early() -> None:
    small = lambda t: 0.09 * (1 - 0.3 * t)  # noqa: E731
    forms: Changes = {"loss_of_batch": small, "loss_by_form@squares": small, "loss_by_form@softmax": 2.2}
    rising: Changes = {"validation_accuracy": lambda t: 0.1 + 0.5 * t, "validation_loss": small}
    log = made({"start": {"initial_loss": 0.09}, "step": {"loss": small}, "epoch": {**forms, **rising}}, noise=0.0)
    known = replace(OWN, loss_kind=None)
    assert severities("initial-loss-wrong", log, known) == ["note"]
    assert severities("stopped-too-early", log, known) == []
    usual: Changes = {**forms, "loss_by_form@squares": lambda t: 0.2 - 0.1 * t}
    assert severities("stopped-too-early", made({"step": {"loss": small}, "epoch": {**usual, **rising}}), known) == [
        "note"
    ]


def test_a_network_that_blew_up_and_does_not_bend_is_linear() -> None:
    """Its bending was looked at once, at the first update."""
    over: Changes = {"loss": lambda t: math.nan if t > 0.05 else LEVEL * (1 + 99 * t), "accuracy": 0.1}
    known = replace(OWN, activations=None)
    gone = {
        f"{name}@{where}": None for where in ("conv1", "conv2", "conv3", "full", "last") for name in ("dead_share",)
    }
    straight = {
        "layers": {**gone, "bending": 1e-7},
        "step": over,
        "start": {"initial_loss": 9.0, "score_deviation": 7.0},
    }
    assert judge(made(straight), known)[0].rule == "no-nonlinearity"
    bent = {**straight, "layers": {**gone, "bending": 0.3}}
    assert judge(made(bent), known)[0].rule != "no-nonlinearity"


def test_weights_that_have_not_moved_have_not_learned_to_miss() -> None:
    """A network that is as it began is right less often than by chance in one case of two."""
    missing: Changes = {"accuracy": 0.04, "loss": lambda t: LEVEL * (1 - 0.02 * t)}

    def log(ratio: float) -> RunLog:
        epochs: Changes = {"validation_accuracy": 0.04, "train_accuracy": 0.04}
        return made({"step": missing, "epoch": epochs, "layers": everywhere("update_ratio", ratio)}, noise=0.0)

    assert severities("wrong-sign", log(0.01)) == ["stop"]
    assert severities("wrong-sign", log(1e-6)) == []


def test_batches_of_two_that_teach_nothing_are_noted() -> None:
    calm: Changes = {"loss": LEVEL, "accuracy": 0.1}
    assert severities("too-noisy", made({"step": calm}), replace(OWN, batch_size=2)) == ["note"]
    assert severities("too-noisy", made({"step": calm}), replace(OWN, batch_size=8)) == []
    assert severities("too-noisy", made(), replace(OWN, batch_size=2)) == [], "it learns"


def test_weights_that_were_blown_up_and_fetched_back_are_no_penalty_s_doing() -> None:
    """A rate far too high throws them to a thousand times their norm; any decay brings them back from there."""

    def log(peak: float) -> RunLog:
        norms = everywhere("weight_norm", lambda t: 5.0 if t < 0.01 else 5 * peak if t < 0.2 else 2.0)
        pulled: Changes = {"penalty_gradient_norm": 1.0, "gradient_norm": 0.6}
        return with_stuck({"layers": norms, "step": pulled})

    assert severities("regularisation-too-strong", log(1.0), replace(OWN, l2=0.1)) == ["warn"]
    assert severities("regularisation-too-strong", log(3000.0), replace(OWN, l2=0.1)) == []


def test_of_scores_that_are_all_alike_no_smoothing_is_read() -> None:
    def forms(apart: float) -> RunLog:
        near = lambda t: LEVEL + apart * math.sin(9 * t)  # noqa: E731
        mixed = lambda t: LEVEL + 0.13 * apart * math.sin(9 * t)  # noqa: E731
        epoch: Changes = {"loss_by_form@softmax": near, "loss_by_form@all classes alike": LEVEL, "loss_of_batch": mixed}
        return with_stuck({"epoch": epoch})

    assert severities("regularisation-too-strong", forms(0.3), replace(OWN, loss_kind=None)) == ["warn"]
    assert severities("regularisation-too-strong", forms(0.016), replace(OWN, loss_kind=None)) == []


def test_classes_that_are_as_uneven_in_validation_are_a_note() -> None:
    """Its accuracy says which: the mean of the recalls weighed as in training, or their plain mean."""
    counts = (400, *(40,) * 9)
    recalls: Changes = {f"recall@{name}": 0.95 if name == "a" else 0.1 for name in KNOWN.class_names or ()}
    weighed, plain = (0.95 * 400 + 0.1 * 360) / 760, (0.95 + 0.9) / 10
    uneven = replace(OWN, class_counts=counts)
    for right, said in ((weighed, "note"), (plain, "warn")):
        (found,) = RULES["imbalanced"](made({"epoch": {**recalls, "validation_accuracy": right}}), uneven)
        assert found.severity == said and ("as rare in validation" in found.claim) == (said == "note")
    (told,) = RULES["imbalanced"](
        made({"epoch": {**recalls, "validation_accuracy": weighed}}), replace(uneven, settings={})
    )
    assert told.severity == "warn" and told.remedy, "in a recipe a setting mends it"


def test_what_stands_first_names_what_it_was_taken_for_elsewhere_unless_it_is_nearly_sure() -> None:
    log = with_stuck({"step": {"learning_rate": 0.05}, "layers": everywhere("update_ratio", 1e-3)})
    found = judge(log, OWN)
    assert not found[0].guess and found[0].sure < 0.93
    assert len(found) > 1 and all(one.guess and one.severity == "note" for one in found[1:])
    sure = judge(with_stuck({"start": {"input_spread": 0.0}}), OWN)
    assert sure[0].sure > 0.93 and not any("elsewhere" in one.claim for one in sure)
