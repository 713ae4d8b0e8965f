"""The score's own arithmetic, on small handmade parts: what is broken, right, alarmed, early, sure, and fair to a baseline."""

from __future__ import annotations

from pathlib import Path

import pytest

import corpus
import judging
import measures
import page
from babysit.record.diagnosis import Diagnosis
from babysit.record.observation import Observation
from baselines import BASELINES
from judging import Judged, Part
from programs import Program

BROKEN = Program("held-rate-high-strong-residual-textures", "rate-high", ("diverging",), base="held-residual-textures")
TWIN = "base-held-residual-textures"


def said(rule: str, sure: float, severity: str = "warn") -> Diagnosis:
    seen = (Observation("loss", 2.0, 1, 0, ""),)
    return Diagnosis(rule, severity, "It is.", seen, sure, "Change it", 1, "page.md")  # type: ignore[arg-type]


def broken(*rules: Diagnosis, named: float | None = None, accuracy: float = 0.5, diverged: bool = False) -> Judged:
    alarms = {one.rule: one.sure for one in rules if one.severity != "note"}
    symptoms: dict[str, list[tuple[str, ...]]] = {name: [("overfitting",)] for name in BASELINES}
    return Judged(BROKEN, rules, alarms, named, symptoms, accuracy, diverged)


def healthy(alarms: dict[str, float], symptoms: bool = True) -> Judged:
    theirs: dict[str, list[tuple[str, ...]]] = {name: [("overfitting",)] if symptoms else [] for name in BASELINES}
    return Judged(Program("fine-held-one"), (), alarms, None, theirs, 0.9, False)


def test_broken_is_five_points_below_the_twin_in_the_mean_of_two_seeds_or_no_number() -> None:
    assert corpus.twin_of(BROKEN) == TWIN
    for seeds, expected in (((0.80, 0.90), True), ((0.88, 0.87), False), ((0.90, 0.80), True), ((0.91, 0.81), False)):
        accuracies = {BROKEN.name: list(seeds), TWIN: [0.90, 0.90]}
        assert judging.harmed(broken(), accuracies) is expected, seeds
    assert judging.harmed(broken(diverged=True), {BROKEN.name: [0.9], TWIN: [0.9]})
    assert not judging.harmed(broken(), {BROKEN.name: [0.9], TWIN: [0.9, 0.99]})


def test_what_was_scored_is_held_out_no_more_and_programs_that_are_apart_are() -> None:
    parts = {name: {one.name for one in corpus.whole() if corpus.part_of(one) == name} for name in corpus.PARTS}
    folder = Path(corpus.__file__).parent / "held"
    texts = "".join((folder / f"{name}.txt").read_text(encoding="utf-8") for name in ("first", "second"))
    scored = [line.split()[2] for line in texts.splitlines()]
    later = [{name for name in parts["looked at"] if part in name.split("-")[:2]} for part in ("fresh", "unseen")]
    assert set(scored) == parts["looked at"] - set.union(*later) and len(scored) == 505
    assert len(later[0]) == 514 and len(later[1]) == 284
    assert all("apart-" in name for name in parts["apart"]) and len(parts["apart"]) >= 330
    assert all("beyond-" in name for name in parts["beyond"]) and len(parts["beyond"]) >= 330
    assert all("anew-" in name for name in parts["anew"]) and len(parts["anew"]) >= 380
    assert all("outside-" in name for name in parts["outside"]) and len(parts["outside"]) >= 460
    assert all("last-" in name for name in parts["last"]) and len(parts["last"]) >= 400


def test_what_is_held_out_is_judged_only_when_it_is_asked_for(monkeypatch) -> None:
    monkeypatch.setattr(judging, "judged", lambda program: program.name)
    monkeypatch.setattr(judging, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(judging.logs, "path_of", lambda _name: Path(__file__))
    names = {one.name: corpus.part_of(one) for one in corpus.whole()}
    assert {names[one] for one in judging.everything()} == set(corpus.PARTS) - set(corpus.HELD_OUT)
    assert {names[one] for one in judging.everything(("tuning", "anew"))} == {"tuning", "anew"}
    assert set(judging.everything(corpus.PARTS)) == set(names)
    some = judging.everything(corpus.PARTS, one_in=4)
    assert set(some) < set(names) and 0.2 < len(some) / len(names) < 0.3


class Here:
    """An executor that does it at once."""

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_error: object) -> None:
        return

    def map(self, function, values, chunksize: int):
        return map(function, values)


def test_first_and_alarmed_hear_only_what_is_sure_enough() -> None:
    one = broken(said("dead-units", 0.6), said("diverging", 0.9))
    assert not one.first() and one.among_three and one.first(0.7) and not one.first(0.95)
    assert healthy({"dead-units": 0.6}).alarmed() and not healthy({"dead-units": 0.6}).alarmed(0.7)
    assert not broken(said("diverging", 0.9, "note")).alarmed_at_end


def test_a_right_cause_that_never_stood_first_is_later_than_the_end() -> None:
    ill = [broken(named=0.1), broken(named=0.3), broken()]
    assert measures.median_named(ill) == 0.3 and measures.median_named(ill[1:]) == float("inf")
    shares = dict(measures.named_by(ill))
    assert shares[0.05] == 0 and shares[0.1] == pytest.approx(1 / 3) and shares[1.0] == pytest.approx(2 / 3)


def test_reliability_counts_alarms_of_healthy_programs_as_wrong() -> None:
    ill = [broken(said("diverging", 0.92)), broken(said("dead-units", 0.91)), broken(said("diverging", 0.3, "note"))]
    part = Part("one", ill, [], [healthy({"plateau": 0.94}), healthy({})], [])
    warnings = measures.first_warnings(part)
    assert sorted(warnings) == [(0.91, False), (0.92, True), (0.94, False)]
    (only,) = measures.reliability(warnings)
    assert (only.count, only.right) == (3, pytest.approx(1 / 3))
    assert measures.error(warnings) == pytest.approx((0.91 + 0.92 + 0.94) / 3 - 1 / 3)


def test_calibration_pools_what_falls() -> None:
    steps = measures.calibrated([(0.5, False), (0.6, True), (0.7, False), (0.9, True)])
    assert steps == ([0.5, 0.6, 0.9], [0.0, 0.5, 1.0])
    assert [measures.mapped(sure, steps) for sure in (0.1, 0.5, 0.65, 0.95)] == [0.0, 0.0, 0.5, 1.0]


def test_a_baseline_is_met_at_no_more_false_alarms_than_its_own() -> None:
    ill = [broken(said("diverging", 0.9)), broken(said("diverging", 0.7))]
    well = [healthy({"plateau": 0.8}, symptoms=False), healthy({}, symptoms=True)]
    one = measures.against("UMLAUT", Part("one", ill, [], [*well, healthy({"plateau": 0.6}, symptoms=False)], []))
    assert (one.false, one.first, one.ours_false, one.ours_first) == (1, 0, 1, 2)
    silent = measures.against("UMLAUT", Part("one", ill, [], [well[0]], []))
    assert (silent.false, silent.ours_false, silent.ours_first) == (0, 0, 1) and silent.cut > 0.8


def test_the_page_says_what_was_counted() -> None:
    part = Part("tuning", [broken(said("diverging", 0.9), named=0.05)], [], [healthy({"plateau": 0.6})], [])
    parts = [part, part, Part("apart", [broken(said("dead-units", 0.9))], [], [healthy({})], [])]
    text, all_right = page.text(parts), "100.0 % (1 of 1; 20.7 to 100.0)"
    assert f"| right cause first | {all_right} | {all_right} | 0.0 % (0 of 1; 0.0 to 79.3) |" in text
    assert "| apart | rate-high | dead-units | 1 |" in text and "| tuning | none | plateau | 1 |" in text
    for drawn in (page.early(parts), page.trade(part), page.sure(parts)):
        assert drawn.startswith("<svg") and "nan" not in drawn
