"""Second guesses: notes after what was found, where a training is ill; and the mechanisms that tell one cause from another."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from made_logs import CLASSES, KNOWN, LAYERS, LEVEL, Changes, everywhere, made, with_stuck

from babysit.diagnosing import RULES, guesses, judge
from babysit.diagnosing.also import ALSO
from babysit.diagnosing.forest import grown
from babysit.diagnosing.guesses import MOST, guessed
from babysit.diagnosing.ranking import ASIDE, EXPLAINS
from babysit.recipe.schema import setting_names
from babysit.record.diagnosis import Diagnosis, diagnosis_of
from babysit.record.known import Known
from babysit.record.log import RunLog

OWN = replace(KNOWN, settings=None, augmented=None, normalised=False, class_names=None, class_counts=None)

HALF: dict[str, Changes] = {
    "step": {"loss": lambda t: LEVEL * (1 - 0.4 * t), "accuracy": lambda t: 0.1 + 0.35 * t},
    "epoch": {
        "train_accuracy": lambda t: 0.1 + 0.35 * t,
        "validation_accuracy": lambda t: 0.1 + 0.4 * t,
        "validation_loss": lambda t: LEVEL * (1 - 0.4 * t),
    },
}
"""A training that is over and has not come half the way."""


def said(log: RunLog, known: Known = OWN) -> list[Diagnosis]:
    return judge(log, known)


def warned(name: str, log: RunLog, known: Known = OWN) -> bool:
    return [one.severity for one in RULES[name](log, known)] == ["warn"]


def test_a_healthy_training_has_none() -> None:
    for known in (KNOWN, OWN):
        assert not any(one.guess for one in said(made(), known))


def test_what_is_stuck_has_up_to_three_causes_and_the_guesses_are_notes_that_are_less_sure() -> None:
    found = [one for one in said(with_stuck()) if one.rule not in ASIDE]
    others = [one for one in found if one.guess]
    assert others and len(found) <= MOST and found[0].severity == "warn" and not found[0].guess
    for one in others:
        assert one.severity == "note" and 0 < one.sure < found[0].sure and one.evidence
        assert one.claim.startswith("It could also be ") and one.claim.endswith(".") and len(one.claim) < 300
        assert one.rule not in EXPLAINS.get(found[0].rule, ())
        assert f"({one.sure:.0%}). To try: {one.advice}" in one.line(one.advice)
        assert diagnosis_of(one.as_json()) == one
    assert sum(one.sure for one in others) <= 1 - (found[0].sure if found[0].rule == "labels-unrelated" else 0.6)


def test_one_that_is_over_and_has_not_come_far_has_some_and_one_that_goes_on_has_none() -> None:
    log = made(HALF)
    assert any(one.guess for one in said(log, replace(OWN, planned_steps=300)))
    assert not any(one.guess for one in said(log, replace(OWN, planned_steps=3000)))


def test_a_cost_is_no_reason_to_guess() -> None:
    starved = made({"step": {"step_seconds": 0.2, "wait_seconds": 0.18}})
    assert [one.rule for one in said(starved)][:1] == ["loader-starving"]
    assert not any(one.guess for one in said(starved))


def test_all_that_the_forest_knows_may_be_guessed() -> None:
    assert set(map(str, grown().causes)) == set(ALSO)


@pytest.mark.parametrize("name", ALSO)
def test_a_guess_is_of_a_rule_and_its_advice_names_real_settings(name: str) -> None:
    assert name in RULES
    for setting in re.findall(r"--set ([a-z0-9_.]+)=", ALSO[name].advice):
        assert setting in setting_names()


def nothing(_log: RunLog, _known: Known) -> list[Diagnosis]:
    return []


def test_a_warning_that_was_taken_back_comes_first_where_a_training_that_is_over_has_no_other_cause() -> None:
    vanished = replace(said(with_stuck())[0], rule="vanishing-gradients", severity="warn", sure=0.9)
    log, over = made(HALF), replace(OWN, planned_steps=300)

    def early(part: RunLog, _known: Known) -> list[Diagnosis]:
        return [vanished] if max(row.step for row in part.rows) <= 120 else []

    found = guessed([], log, over, early)
    assert found[0].rule == "vanishing-gradients" and found[0].guess and found[0].severity == "note"
    assert found[0].claim.startswith("It looked so until step 120, and may be why") and found[0].sure == 0.6
    assert len(found) == MOST and sum(one.sure for one in found[1:]) <= 0.4
    refuted = lambda part, known: [replace(one, rule="labels-unrelated") for one in early(part, known)]  # noqa: E731
    assert all(one.sure < 0.6 for one in guessed([], log, over, refuted) if one.rule == "labels-unrelated")
    cause = replace(vanished, rule="dead-units", severity="note")
    assert "vanishing-gradients" not in [one.rule for one in guessed([cause], log, over, early)][:1]
    assert not guessed([], log, replace(OWN, planned_steps=3000), early), "it goes on"


def guesses_with(
    monkeypatch: pytest.MonkeyPatch, shares: dict[str, float], log: RunLog, known: Known
) -> dict[str, float]:
    monkeypatch.setattr(guesses, "alike", lambda _log, _known: shares)
    return {one.rule: one.sure for one in guessed([], log, replace(known, planned_steps=300), nothing) if one.guess}


def test_a_cause_whose_sign_is_silent_counts_half_and_one_that_settings_rule_out_nothing(monkeypatch) -> None:
    shares = {"learning-rate-too-high": 0.4, "learning-rate-too-low": 0.4, "augmentation-too-strong": 0.2}
    slow, quick = (with_stuck({"layers": everywhere("update_ratio", ratio)}) for ratio in (3e-4, 3e-2))
    found = guesses_with(monkeypatch, shares, slow, OWN)
    assert found["learning-rate-too-low"] == pytest.approx(2 * found["learning-rate-too-high"])
    assert sum(found.values()) == pytest.approx(1)
    found = guesses_with(monkeypatch, shares, quick, replace(OWN, augmented=False))
    assert found["learning-rate-too-high"] == pytest.approx(2 / 3, abs=1e-3)
    assert "augmentation-too-strong" not in found


def test_guesses_share_what_the_surest_cause_leaves_open(monkeypatch) -> None:
    monkeypatch.setattr(
        guesses, "alike", lambda _log, _known: {"imbalanced": 0.6, "not-shuffled": 0.3, "wrong-sign": 0.1}
    )
    log = with_stuck()
    cause = replace(said(log)[0], rule="dead-units", severity="warn", sure=0.9)
    sures = [one.sure for one in guessed([cause], log, OWN, nothing) if one.guess]
    assert sures == pytest.approx([0.1 * 0.6, 0.1 * 0.3], rel=0.2)  # a sign of wrong-sign may be silent
    assert not [one for one in guessed([replace(cause, sure=0.999)], log, OWN, nothing) if one.guess]
    monkeypatch.setattr(guesses, "alike", lambda _log, _known: {"dead-units": 1.0, "imbalanced": 0.0})
    assert guessed([cause], log, OWN, nothing) == [cause], "nothing else is likely"
    monkeypatch.setattr(guesses, "alike", lambda _log, _known: {"imbalanced": 0.6, "not-shuffled": 0.4})
    symptom = replace(cause, rule="stuck-at-chance", sure=0.6)
    assert sum(one.sure for one in guessed([symptom], log, OWN, nothing) if one.guess) > 0.8


def by_form(given, softmax, twice, alike=None) -> Changes:
    values = {"loss_of_batch": given, "loss_by_form@softmax": softmax, "loss_by_form@softmax twice": twice}
    return {**values, **({"loss_by_form@all classes alike": alike} if alike else {})}


def test_a_loss_that_stays_nearer_to_ln_c_than_the_softmax_of_its_scores_was_made_of_flattened_ones() -> None:
    flat = by_form(lambda t: LEVEL - 0.01 * t, lambda t: LEVEL + 0.5 - t, lambda t: LEVEL - 0.1 * t)
    begun: Changes = {"initial_loss": LEVEL}
    own = replace(OWN, loss_kind=None)
    assert warned("softmax-doubled", with_stuck({"start": begun, "epoch": flat}), own)
    plain = by_form(lambda t: LEVEL + 0.4 - t, lambda t: LEVEL + 0.5 - t, lambda t: LEVEL - 0.1 * t)
    assert not list(RULES["softmax-doubled"](with_stuck({"start": begun, "epoch": plain}), own))


def test_label_smoothing_is_no_flattening() -> None:
    softmax, alike = (lambda t: LEVEL - 2 * t), (lambda t: LEVEL + 1.5 * t)
    smooth = by_form(lambda t: 0.6 * softmax(t) + 0.4 * alike(t), softmax, lambda t: LEVEL - 0.7 * t, alike)
    right: Changes = {"loss": LEVEL * 0.75, "accuracy": 0.9}
    log = made({"start": {"initial_loss": LEVEL}, "step": right, "epoch": smooth})
    for name in ("softmax-doubled", "saturated-units"):
        assert not list(RULES[name](log, replace(OWN, loss_kind=None)))
    limited = {**smooth, "loss_by_form@all classes alike": None, "loss_of_batch": lambda t: LEVEL - 0.6 * t}
    limited = made({"start": {"initial_loss": LEVEL}, "step": right, "epoch": limited})
    assert warned("saturated-units", limited, replace(OWN, loss_kind=None))


def test_first_weights_that_are_a_twentieth_of_he_s_are_too_small_unless_the_network_normalises_or_they_were_taken_away() -> (
    None
):
    units: Changes = {f"units@{name}": 32.0 for name in LAYERS}
    layers = {**everywhere("weight_norm", 0.4), **everywhere("activation_deviation", 0.1)}
    log = with_stuck({"start": units, "layers": layers})
    assert warned("initialisation-too-small", log)
    assert not list(RULES["initialisation-too-small"](log, replace(OWN, normalised=True)))
    taken = with_stuck({"start": units, "layers": {**layers, **everywhere("activation_deviation", 1.0)}})
    assert not list(RULES["initialisation-too-small"](taken, OWN))


def test_weights_that_wither_are_taken_away_by_something_whatever_the_optimiser_says() -> None:
    log = with_stuck({"layers": everywhere("weight_norm", lambda t: 5 * 10 ** (-8 * t))})
    found = list(RULES["regularisation-too-strong"](log, replace(OWN, l2=0.0)))
    assert [one.severity for one in found] == ["warn"] and "takes the weights away" in found[0].claim


def test_a_class_without_training_images_explains_a_validation_that_lags() -> None:
    lags: Changes = {
        **{"train_accuracy": lambda t: 0.1 + 0.9 * min(1, 4 * t), "validation_accuracy": 0.12, "validation_loss": 4.0},
        **{f"recall@{name}": 0.1 for name in "abcdefghij"},
    }
    fast: Changes = {"accuracy": lambda t: min(1.0, 0.1 + 4 * t)}
    known = replace(KNOWN, class_counts=(0, 0, *(125,) * (CLASSES - 2)), settings=None)
    assert list(RULES["parts-differ"](made({"step": fast, "epoch": lags}), known))
    others = {**lags, **{f"recall@{name}": 0.95 for name in "cdefghij"}}
    assert not list(RULES["parts-differ"](made({"step": fast, "epoch": others}), known))


def test_fifty_updates_at_chance_are_few_not_stuck() -> None:
    log = made({"step": {"loss": LEVEL, "accuracy": 0.1}, "epoch": {"validation_accuracy": 0.1}}, steps=50, epochs=2)
    known = replace(OWN, planned_steps=50)
    assert not list(RULES["stuck-at-chance"](log, known)) and list(RULES["stopped-too-early"](log, known))


def test_gradients_of_a_network_that_the_optimiser_does_not_hold_are_not_its_to_clear() -> None:
    still = with_stuck({"layers": everywhere("update_ratio", 0.0)})
    known = replace(OWN, uncleared=1.0)
    assert not list(RULES["gradients-not-cleared"](still, known))
    assert list(RULES["gradients-not-cleared"](with_stuck(), known))
    assert said(still, known)[0].rule == "layer-not-trained"


def test_units_that_die_where_no_gradient_ever_came_are_not_the_cause() -> None:
    dead: Changes = everywhere("dead_share", lambda t: 0.3 + 0.6 * t)
    assert warned("dead-units", with_stuck({"layers": dead}))
    depth = {**dead, f"weight_gradient_norm@{LAYERS[0]}": 1e-7}
    assert said(with_stuck({"layers": depth}))[0].rule == "vanishing-gradients"


def test_where_nothing_is_learned_by_heart_images_may_have_lost_their_class_as_well() -> None:
    epoch: Changes = {"validation_accuracy": 0.09, "validation_loss": LEVEL * 1.03}
    nothing, something = (with_stuck({"step": {"accuracy": right}, "epoch": epoch}) for right in (0.1, 0.25))
    sures = [RULES["labels-unrelated"](log, OWN) for log in (nothing, something)]
    sures = [next(iter(found)).sure for found in sures]
    assert sures[0] < 0.8 < sures[1]
    found = [one for one in said(nothing) if one.rule not in ASIDE]
    assert found[0].rule == "labels-unrelated" and found[0].severity == "warn" and any(one.guess for one in found[1:])


@pytest.mark.parametrize("missing", ["validation_accuracy", "train_accuracy", "accuracy", "all"])
def test_no_second_guess_speaks_of_what_was_not_measured(missing: str) -> None:
    names = ("validation_accuracy", "train_accuracy", "accuracy") if missing == "all" else (missing,)
    known = replace(OWN, planned_steps=300)
    for loss in (LEVEL, 0.8 * LEVEL, 0.5, 0.01, 50.0):
        log = made({"step": {"loss": loss, "accuracy": 0.3}, "epoch": {"validation_accuracy": 0.28}})
        rows = [
            replace(row, values={key: value for key, value in row.values.items() if key not in names})
            for row in log.rows
        ]
        claims = " ".join(one.claim for one in judge(RunLog(tuple(rows)), known))
        assert "nan" not in claims.replace("finance", ""), claims


def test_where_validation_is_far_nothing_is_guessed_and_what_is_said_of_it_is_of_late(monkeypatch) -> None:
    monkeypatch.setattr(guesses, "alike", lambda _log, _known: {"augmentation-too-strong": 0.9, "labels-noisy": 0.1})

    def augmented(end: float) -> list[Diagnosis]:
        poor: Changes = {"loss": 0.4 * LEVEL, "accuracy": 0.6}
        rising = lambda t: end * min(1.0, 0.3 + t)  # noqa: E731
        log = made({"step": poor, "epoch": {"validation_accuracy": rising, "train_accuracy": 0.6}})
        last = max(row.step for row in log.rows)
        looked = [row for row in log.rows if row.kind == "epoch"]
        few = {looked[0].step, looked[-1].step}  # a slice of the training images is looked at in some epochs alone
        rows = [
            replace(row, values={**row.values, "slice_accuracy": 0.6})
            if row.step in few and row.kind == "epoch"
            else row
            for row in log.rows
        ]
        return judge(RunLog(tuple(rows)), replace(KNOWN, planned_steps=last))

    assert not [one for one in augmented(0.97) if one.guess]
    claims = " ".join(one.claim for one in augmented(0.7) if one.guess)
    assert "70%" in claims and "46%" not in claims, claims
