"""Rules that know their cause by a second sign: each sign is seen by itself, weakens, and is not seen where all is well."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from made_logs import KNOWN, LAYERS, LEVEL, Changes, between, made, with_stuck

from babysit.diagnosing import RULES, judge
from babysit.diagnosing.classes import BY_NATURE
from babysit.diagnosing.evidence import Weight, Words, diagnosis
from babysit.diagnosing.ranking import rank
from babysit.record.known import Known, Layer
from babysit.record.log import RunLog

OWN = replace(KNOWN, settings=None, augmented=None, planned_steps=None, batch_size=50)
"""What is known of a loop of somebody's own, while it runs."""

SOFTMAX: Changes = {"loss_of_batch": lambda t: 2.2 * math.exp(-4 * t) + 0.1}


def by_form(name: str, times: float, s: float) -> RunLog:
    """A loss that follows a formula; with less strength only nearly."""
    value = lambda t: 2.3 - 1.5 * t  # noqa: E731
    off = lambda t: times * value(t) * (1 + (1 - s) * 0.004 * math.cos(9 * t))  # noqa: E731
    forms: Changes = {f"loss_by_form@{name}": value, "loss_by_form@softmax": lambda t: 1.1 + math.sin(5 * t) / 3}
    return made({"epoch": {**forms, "loss_of_batch": off}})


def missing_more(s: float) -> RunLog:
    """A loss that falls, and fewer and fewer images that are right."""
    right = lambda t: 0.1 - (0.04 + 0.06 * s) * min(1.0, 4 * t)  # noqa: E731
    return made(
        {
            "start": {"initial_loss": 0.12},
            "step": {"loss": lambda t: 0.12 * (1 - 0.9 * t), "accuracy": right},
            "epoch": {"validation_accuracy": right},
        }
    )


def smoothed_away(share: float) -> RunLog:
    """A loss of softmax with so much label smoothing."""
    softmax, alike = (lambda t: 2.3 - 0.9 * t), (lambda t: 2.4 + 0.8 * t)
    values: Changes = {"loss_by_form@softmax": softmax, "loss_by_form@all classes alike": alike}
    given: Changes = {"loss_of_batch": lambda t: (1 - share) * softmax(t) + share * alike(t)}
    return made({"step": {"loss": lambda t: 2.3 - 0.1 * t, "accuracy": 0.3}, "epoch": {**values, **given}})


def guessing(pace: float) -> RunLog:
    """A loss that falls to nothing while labels are guessed."""
    return made(
        {
            "step": {"loss": lambda t: 2.3 * math.exp(-pace * t), "accuracy": 0.1},
            "epoch": {"train_accuracy": 0.1, "validation_accuracy": 0.1},
        }
    )


def surely_wrong(loss: float) -> RunLog:
    """Training images that are doubted, and validation images that are misjudged at such a loss."""
    right = lambda t: 0.1 + 0.3 * t  # noqa: E731
    slices = {f"slice_{name}accuracy": 0.55 for name in ("", "train_mode_")}
    return made(
        {
            "step": {"loss": lambda t: 1.7 - 0.5 * t, "accuracy": right},
            "epoch": {
                "train_loss": 1.5,
                "train_accuracy": right,
                "validation_loss": loss,
                "validation_accuracy": 0.12,
                **slices,
            },
        }
    )


def ending(kind: str, learned: float) -> tuple[RunLog, Known]:
    layers = (*(Layer(name, "Conv2d") for name in LAYERS), Layer("end", kind))
    end: Changes = {"activation_mean@end": 0.0, "activation_deviation@end": 0.3}  # as the first scores
    log = made({"step": {"loss": lambda t: LEVEL - learned * t}, "layers": end})
    return log, replace(OWN, layers=layers, loss_kind="softmax")


def clipped(s: float) -> tuple[RunLog, Known]:
    log = with_stuck({"step": {"gradient_norm": None}})
    rows = [
        replace(row, values={**row.values, "gradient_norm": between(0.02, 1e-4, s)}) if row.kind == "step" else row
        for row in log.rows
    ]
    return RunLog(tuple(rows)), replace(OWN, optimizer_kind="momentum")


def few(s: float) -> tuple[RunLog, Known]:
    steps = round(between(70, 8, s))
    return made({"step": {"loss": LEVEL * 0.9}}, steps=steps, epochs=2), replace(OWN, planned_steps=steps)


def cut_off(s: float) -> tuple[RunLog, Known]:
    first: Changes = {f"weight_gradient_norm@{LAYERS[0]}": None, f"update_ratio@{LAYERS[0]}": 0.0}
    log = made({"layers": first})
    return RunLog(tuple(row for row in log.rows if row.step <= 30 + 270 * s)), OWN


def roughly(rough: float, validation: float | None) -> RunLog:
    return with_stuck({"start": {"input_roughness": rough}, "epoch": {"input_roughness": validation}})


SIGNS: dict[str, tuple[str, Callable[[float], tuple[RunLog, Known]]]] = {
    "softmax twice": ("softmax-doubled", lambda s: (by_form("softmax twice", 1.0, s), OWN)),
    "raw scores, a hundredth of them": ("softmax-missing", lambda s: (by_form("no softmax", 0.01, s), OWN)),
    "softmax over the batch": ("softmax-missing", lambda s: (by_form("softmax over the batch", 1.0, s), OWN)),
    "absolute differences": ("initial-loss-wrong", lambda s: (by_form("absolute", 1.0, s), OWN)),
    "a known loss with a minus": ("wrong-sign", lambda s: (by_form("logistic", -1.0, s), OWN)),
    "probabilities without a logarithm": ("softmax-missing", lambda s: (by_form("no logarithm", 1.0, s), OWN)),
    "worse than the rarest class": ("wrong-sign", lambda s: (missing_more(s), OWN)),
    "a sum over images and classes": ("sum-instead-of-mean", lambda s: (made({"start": {"initial_loss": 500 * math.log(2) * (0.9 + 0.1 * s)}}), OWN)),
    "scores that are brought to length one": ("saturated-units", lambda s: (by_form("scores of length one", 1.0, s), OWN)),
    "labels that are smoothed away": ("regularisation-too-strong", lambda s: (smoothed_away(0.5 + 0.45 * s), OWN)),
    "labels that are not used": ("labels-unrelated", lambda s: (guessing(2 + 6 * s), OWN)),
    "batches over and over": (
        "not-shuffled",
        lambda s: (made({"epoch": {"label_period": 50.0 * round(between(15, 1, s))}}), replace(OWN, steps_per_epoch=30)),
    ),
    "sure of the wrong answer from the first": ("parts-differ", lambda s: (surely_wrong(2.3 * (1.4 + 2 * s)), OWN)),
    "rare classes that are ruled out": (
        "imbalanced",
        lambda s: (
            made(
                {
                    "epoch": {
                        **{f"recall@{name}": None for name in "abcdefghij"},
                        **{"validation_accuracy": 0.82, "validation_loss": 2.3 * (1.2 + 1.5 * s)},
                    }
                }
            ),
            replace(OWN, class_counts=(200, 200, 200, 200, 200, 5, 5, 5, 5, 5), class_names=tuple("abcdefghij")),
        ),
    ),
    "several classes without images": (
        "class-never-predicted",
        lambda s: (
            made({"epoch": {f"recall@{name}": 0.0 for name in "cdef"}}),
            replace(OWN, class_counts=tuple(0 if name in "cdef" else round(8 + 90 * s) for name in "abcdefghij"), class_names=tuple("abcdefghij")),
        ),
    ),
    "a sigmoid at the end": ("saturated-units", lambda s: ending("Sigmoid", 1.3 - 0.5 * s)),
    "every gradient shortened": ("updates-too-small", clipped),
    "few updates": ("stopped-too-early", few),
    "a graph that is cut": ("layer-not-trained", cut_off),
    "pixels like noise": ("augmentation-too-strong", lambda s: (roughly(0.9 + 0.1 * s, None), OWN)),
    "rougher than validation": ("augmentation-too-strong", lambda s: (roughly(0.72, 0.42 - 0.2 * s), OWN)),
    "momentum alone": ("learning-rate-too-high", lambda s: (made(), replace(OWN, momentum=1 - between(0.02, 1e-3, s), optimizer_kind="momentum"))),
    "dropout alone": (
        "dropout-too-strong",
        lambda s: (made({"step": {"loss": lambda t: LEVEL - 0.5 * t}, "epoch": {"train_accuracy": 0.3}}), replace(OWN, dropout=0.68 + 0.3 * s)),
    ),
    "dropout as a function": (
        "dropout-too-strong",
        lambda s: (
            with_stuck({"epoch": {"slice_accuracy": 0.3 + 0.3 * s, "slice_train_mode_accuracy": 0.2}}),
            replace(OWN, normalised=False, dropout=0.0),
        ),
    ),
    "uneven classes, and validation behind": (
        "imbalanced",
        lambda s: (
            made({"epoch": {**{f"recall@{name}": None for name in "abcdefghij"}, "validation_accuracy": 0.7 - 0.3 * s}}),
            replace(OWN, class_counts=(200, 200, 200, 200, 200, 5, 5, 5, 5, 5), class_names=tuple("abcdefghij")),
        ),
    ),
    "a class without images": (
        "class-never-predicted",
        lambda s: (
            made({"epoch": {"recall@c": 0.0}}),
            replace(OWN, class_counts=tuple(0 if name == "c" else round(8 + 90 * s) for name in "abcdefghij"), class_names=tuple("abcdefghij")),
        ),
    ),
    "trained in evaluation mode": (
        "normalisation-statistics",
        lambda s: (made(), replace(OWN, evaluating=0.5 + 0.5 * s)),
    ),
    "prepared otherwise, and little learned yet": (
        "parts-differ",
        lambda s: (
            made(
                {
                    "start": {"input_mean": 0.0, "input_deviation": 0.6},
                    "epoch": {
                        **{"input_mean": 0.4, "input_deviation": 0.12, "validation_accuracy": 0.11},
                        "train_accuracy": lambda t: 0.12 + (0.02 + 0.12 * s) * t,
                    },
                }
            ),
            OWN,
        ),
    ),
    "gradients that were never cleared": ("gradients-not-cleared", lambda s: (made(), replace(OWN, uncleared=0.7 + 0.3 * s))),
    "statistics that hardly move": (
        "normalisation-statistics",
        lambda s: (
            made({"epoch": {"validation_accuracy": 0.5, "slice_train_mode_accuracy": None}}),
            replace(OWN, norm_momentum=between(3e-3, 1e-4, s)),
        ),
    ),
    "a layer of one unit": (
        "underfitting",
        lambda s: (
            made({"start": {"units@conv1": 1.0, "units@last": 10.0}, "epoch": {"train_accuracy": 0.88 - 0.3 * s, "validation_accuracy": 0.6}}),
            OWN,
        ),
    ),
    "weights that wither": (
        "regularisation-too-strong",
        lambda s: (
            made(
                {
                    "layers": {f"weight_norm@{name}": lambda t: 5.0 * (1 - (0.6 + 0.3 * s) * t) for name in LAYERS},
                    "step": {"penalty_gradient_norm": 0.2, "loss": lambda t: LEVEL - 2 * t},
                }
            ),
            replace(OWN, l2=0.1),
        ),
    ),
    "a first pass that validation does not share": (
        "parts-differ",
        lambda s: (
            made(
                {
                    "step": {"accuracy": lambda t: min(0.9, 0.2 + 8 * t)},
                    "epoch": {"train_accuracy": 0.85, "validation_accuracy": 0.55 - 0.25 * s},
                }
            ),
            replace(OWN, normalised=False),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("sign", SIGNS)
def test_a_second_sign_is_seen_and_weakens(sign: str) -> None:
    name, sick = SIGNS[sign]
    found = list(RULES[name](*sick(1.0)))
    assert len(found) == 1 and found[0].sure > 0.6 and found[0].evidence, sign
    assert found[0].claim.endswith(".") and len(found[0].claim) < 500 and found[0].advice and found[0].code
    sures = [found[0].sure]
    for strength in (0.5, 0.1):
        weaker = list(RULES[name](*sick(strength)))
        sures.append(weaker[0].sure if weaker else 0.0)
    assert sures[0] > sures[-1] and sures == sorted(sures, reverse=True), sures


@pytest.mark.parametrize("sign", SIGNS)
def test_a_second_sign_is_named_first(sign: str) -> None:
    name, sick = SIGNS[sign]
    assert judge(*sick(1.0))[0].rule == name


def test_a_loss_by_its_own_formula_is_no_fault() -> None:
    values: Changes = {f"loss_by_form@{name}": lambda t: 2 - t for name in ("softmax", "no softmax", "absolute")}
    log = made({"epoch": {**values, "loss_of_batch": lambda t: 2 - t}})
    for name in ("softmax-missing", "softmax-doubled", "initial-loss-wrong"):
        assert not list(RULES[name](log, OWN)), name


def test_blank_inputs_are_said_and_a_warning_where_nothing_is_learned() -> None:
    blank: Changes = {"input_mean": 0.0, "input_deviation": 0.0, "input_least": 0.0, "input_most": 0.0}
    first = judge(with_stuck({"start": blank}), OWN)[0]
    assert first.rule == "inputs-not-normalised" and first.severity == "warn" and "blank" in first.claim
    assert [one.severity for one in RULES["inputs-not-normalised"](made({"start": blank}), OWN)] == ["note"]


def test_what_is_half_sure_is_a_note_and_no_warning() -> None:
    surely = replace(next(iter(RULES["dead-units"](*ending("ReLU", 1.5)))), sure=0.8)
    hardly = replace(surely, sure=0.7)
    assert [one.severity for one in rank([surely])] == ["warn"] and [one.severity for one in rank([hardly])] == ["note"]
    stopping = replace(hardly, severity="stop")
    assert rank([stopping]) == [stopping]


def test_a_rectification_behind_the_scores_is_named() -> None:
    log, known = ending("ReLU", 1.5)
    (said,) = RULES["dead-units"](log, known)
    assert "ends in ReLU" in said.claim and said.where == "end"


def test_a_function_that_was_made_last_and_runs_in_the_middle_is_no_end() -> None:
    log, known = ending("ReLU", 1.5)
    rows = [
        replace(row, values={**row.values, "activation_mean@end": 0.4}) if row.kind == "layers" else row
        for row in log.rows
    ]
    assert not list(RULES["dead-units"](RunLog(tuple(rows)), known))


def test_rough_images_that_are_learned_of_are_no_alarm() -> None:
    rough = made({"start": {"input_roughness": 1.0}, "step": {"loss": lambda t: LEVEL * (1 - 0.3 * t)}})
    assert [one.severity for one in RULES["augmentation-too-strong"](rough, OWN)] == ["note"]


def test_small_things_on_a_plain_canvas_are_not_normalised_twice() -> None:
    canvas: Changes = {"input_mean": 0.98, "input_deviation": 0.1, "input_least": 0.0, "input_most": 1.0}
    log = with_stuck({"start": canvas})
    assert not list(RULES["normalised-twice"](log, OWN))


def test_how_a_loop_ends_is_not_said_while_it_runs() -> None:
    log, known = few(1.0)
    assert not list(RULES["stopped-too-early"](log, replace(known, planned_steps=None)))


def test_classes_that_take_turns_are_not_the_same_batches() -> None:
    turns = made({"epoch": {"label_period": 10.0}})
    assert not list(RULES["not-shuffled"](turns, replace(OWN, steps_per_epoch=30)))


def test_scores_for_more_classes_than_there_are_images_of_are_no_fault() -> None:
    log = made({"epoch": {f"recall@{name}": None for name in "cdef"}})
    counts = tuple(0 if name in "cdef" else 100 for name in "abcdefghij")
    assert not list(RULES["class-never-predicted"](log, replace(OWN, class_counts=counts)))


def test_a_network_that_names_one_class_alone_is_not_said_to_learn_to_miss() -> None:
    log = made({"step": {"loss": lambda t: 2.3 - 0.3 * t, "accuracy": 0.05}})
    counts = (50, *(106,) * 8, 102)
    assert not list(RULES["wrong-sign"](log, replace(OWN, class_counts=counts)))


def test_classes_that_a_small_sample_lacks_are_not_said_to_have_no_images() -> None:
    log = made({"epoch": {"recall@c": 0.0}})
    sampled = tuple(0 if name == "c" else 31 * (2 + 3 * place % 8) for place, name in enumerate("abcdefghij"))
    counted = tuple(0 if name == "c" else 100 * (1 + place % 2) for place, name in enumerate("abcdefghij"))
    assert not list(RULES["class-never-predicted"](log, replace(OWN, class_counts=sampled)))
    assert list(RULES["class-never-predicted"](log, replace(OWN, class_counts=counted)))


def test_images_in_order_are_no_wrong_sign_though_each_new_class_is_missed() -> None:
    missed = missing_more(1.0)
    ordered = [
        replace(row, values={**row.values, "label_run_likeness": 0.95}) if row.kind == "epoch" else row
        for row in missed.rows
    ]
    low = [
        replace(row, values={**row.values, "validation_accuracy": 0.01}) if row.kind == "epoch" else row
        for row in missed.rows
    ]
    assert list(RULES["wrong-sign"](RunLog(tuple(low)), OWN))
    assert not list(RULES["wrong-sign"](RunLog(tuple(ordered)), OWN))


def test_a_layer_that_died_is_a_rate_too_high_though_something_was_learned() -> None:
    def dying(share: float) -> RunLog:
        died: Changes = {f"dead_share@{LAYERS[0]}": lambda t: 0.1 + share * min(1.0, 4 * t)}
        return made({"step": {"loss": lambda t: LEVEL - 0.9 * min(1.0, 4 * t)}, "layers": died})

    found = list(RULES["learning-rate-too-high"](dying(0.85), OWN))
    assert found[0].severity == "warn" and found[0].sure > 0.75 and "have died" in found[0].claim
    assert not [one for one in RULES["learning-rate-too-high"](dying(0.3), OWN) if one.severity == "warn"]


def test_momentum_is_reckoned_with_where_updates_are_too_short() -> None:
    def moving(share: float) -> RunLog:
        values: Changes = {f"update_ratio@{name}": 1e-5 for name in LAYERS}
        gradients: Changes = {f"weight_gradient_norm@{name}": 1e-5 * 5 / (0.05 * share) for name in LAYERS}
        return with_stuck({"step": {"learning_rate": 0.05}, "layers": {**values, **gradients}})

    heavy, plain = (
        replace(OWN, momentum=0.9, optimizer_kind="momentum"),
        replace(OWN, momentum=0.0, optimizer_kind="sgd"),
    )
    sures = [
        max((one.sure for one in RULES["updates-too-small"](moving(0.08), known)), default=0.0)
        for known in (heavy, plain)
    ]
    assert sures[0] > 0.8 > sures[1] + 0.05
    assert not any("shortens them" in one.claim for one in RULES["updates-too-small"](moving(2.0), heavy))


def test_a_half_sure_warning_stands_behind_a_surer_note() -> None:
    words = Words("Something is so.", "Do it", "do()", "It is not so.")
    half, sure = (
        diagnosis(rule, severity, words=words, weight=Weight(value, 1, ()))
        for rule, severity, value in (("parts-differ", "warn", 0.63), ("learning-rate-too-high", "note", 0.97))
    )
    assert [(one.rule, one.severity) for one in rank([half, sure])] == [
        ("learning-rate-too-high", "note"),
        ("parts-differ", "note"),
    ]


def test_a_small_sample_of_labels_is_not_called_imbalanced() -> None:
    rare = {f"recall@{name}": 0.1 for name in "bf"}
    sampled = (100, 25, 100, 100, 100, 50, 75, 75, 150, 225)
    counted = (101, 25, 99, 100, 103, 52, 74, 75, 150, 225)
    sures = [
        max(
            (one.sure for one in RULES["imbalanced"](made({"epoch": rare}), replace(OWN, class_counts=counts))),
            default=0.0,
        )
        for counts in (sampled, counted)
    ]
    assert sures[0] < 0.75 * BY_NATURE < sures[1]  # validation is as uneven in these logs
