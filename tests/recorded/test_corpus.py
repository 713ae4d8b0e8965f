"""The rules over the recorded corpus: what they must reach there, and that what is recorded can be read."""

from __future__ import annotations

import pytest

import baselines
import corpus
import judging
import logs
import measures
from anew.broken import KINDS as ANEW_KINDS
from anew.setups import Anew
from apart import broken as apart_broken
from apart.setups import Apart
from babysit.diagnosing import RULES
from babysit.record.known import Known
from babysit.record.log import Row
from beyond import broken as beyond_broken
from beyond.setups import Beyond
from fresh import broken as fresh_broken
from fresh.setups import Fresh
from hashes import TEXTS, fixed, hashes
from held import broken as held_broken
from held.setups import Held
from last.broken import KINDS as LAST_KINDS
from last.setups import Last
from outside.broken import KINDS as OUTSIDE_KINDS
from outside.setups import Outside
from shown import SHOWN
from unseen import broken as unseen_broken
from unseen.setups import Unseen

MUST, THREE, MAY = (0.97, 0.92), (0.97, 0.97), (0.01, 0.02)
"""Of the tuning part and of what was looked at since: right causes first, and among three, at least; healthy ones alarmed at most."""

PROGRAMS = corpus.whole()


def test_programs_have_names_of_their_own_and_accept_causes_that_exist() -> None:
    assert len({one.name for one in PROGRAMS}) == len(PROGRAMS)
    for one in PROGRAMS:
        assert set(one.accepted) <= set(RULES), one.name
        assert bool(one.kind) == bool(one.accepted), one.name
    for baseline in baselines.BASELINES.values():
        assert {cause for causes in baseline.stands_for.values() for cause in causes} <= set(RULES)


def test_the_held_out_programs_are_as_they_were_before_the_first_was_recorded() -> None:
    for folder in TEXTS:
        assert hashes(folder) == fixed(folder)


def test_every_kind_that_was_held_out_meets_two_networks_that_tuning_never_saw() -> None:
    held = [one for one in PROGRAMS if isinstance(one.setup, Held)]
    assert len({one.kind for one in held if one.kind}) >= 40
    assert {one.setup.style for one in held} == {"lightning", "face", "learner"}
    assert sum(one.setup.network in ("residual", "tuned") for one in held) >= 120
    for kind in held_broken.KINDS:
        networks = {one.setup.network for one in held if one.kind == kind}
        assert len(networks) >= 2 or kind in held_broken.ELSEWHERE, kind


def test_fresh_programs_are_many_and_wide() -> None:
    fresh = [one for one in PROGRAMS if type(one.setup) is Fresh]
    ill, well = [one for one in fresh if not one.healthy], [one for one in fresh if one.healthy]
    assert len(ill) >= 110 and len(well) >= 110 and len({one.kind for one in ill}) >= 40
    assert len({one.setup.network for one in fresh}) >= 5 and len({one.setup.style for one in fresh}) >= 5
    for kind in fresh_broken.KINDS:
        cells = {one.base for one in ill if one.kind == kind}
        assert len(cells) >= 2, kind


def test_unseen_programs_are_many_and_wide_and_in_no_network_or_data_of_another_part() -> None:
    unseen = [one for one in PROGRAMS if isinstance(one.setup, Unseen)]
    ill, well = [one for one in unseen if not one.healthy], [one for one in unseen if one.healthy]
    assert len(ill) >= 110 and len(well) >= 120 and len({one.kind for one in ill}) >= 45
    for kind in unseen_broken.KINDS:
        assert 1 <= sum(one.kind == kind for one in ill) <= 2, kind
    assert len({one.setup.network for one in unseen}) >= 6 and len({one.setup.data for one in unseen}) >= 7
    assert len({one.setup.style for one in unseen}) >= 5
    others = [one for one in PROGRAMS if not isinstance(one.setup, Unseen | Apart)]
    for choice in ("network", "data"):  # a loop of the same name is another one
        ours, theirs = ({getattr(one.setup, choice) for one in group} for group in (unseen, others))
        assert not ours & theirs, choice


def test_programs_that_are_apart_are_many_and_wide_and_in_no_network_data_or_loop_of_another_part() -> None:
    ours = [one for one in PROGRAMS if type(one.setup) is Apart]
    ill, well = [one for one in ours if not one.healthy], [one for one in ours if one.healthy]
    assert len(ill) >= 130 and len(well) >= 200 and len({one.kind for one in ill}) >= 60
    for kind in apart_broken.KINDS:
        cells = {one.name.partition(f"-{kind}-")[2].partition("-")[::2] for one in ill if one.kind == kind}
        assert {strength for strength, _ in cells} == {"strong", "mild"} and len({cell for _, cell in cells}) >= 2, kind
    assert len({one.setup.network for one in ours}) >= 8 and len({one.setup.data for one in ours}) >= 8
    assert len({one.setup.style for one in ours}) >= 6
    others = [one for one in PROGRAMS if type(one.setup) is not Apart]
    for choice in ("network", "data", "style"):
        here, there = ({getattr(one.setup, choice) for one in group} for group in (ours, others))
        assert not here & there, choice


def test_programs_that_are_beyond_are_many_and_wide_and_in_no_network_data_or_loop_of_another_part() -> None:
    ours = [one for one in PROGRAMS if isinstance(one.setup, Beyond)]
    ill, well = [one for one in ours if not one.healthy], [one for one in ours if one.healthy]
    assert len(ill) >= 150 and len(well) >= 190
    kinds = {one.kind for one in ill}
    theirs = {one.kind for one in PROGRAMS if not isinstance(one.setup, Beyond)}
    assert len(kinds - beyond_broken.NEW) >= 60 and len(beyond_broken.NEW) >= 12 and not beyond_broken.NEW & theirs
    for kind in kinds:
        cells = {one.name.partition(f"-{kind}-")[2].partition("-")[::2] for one in ill if one.kind == kind}
        assert {strength for strength, _ in cells} == {"strong", "mild"} and len({cell for _, cell in cells}) >= 2, kind
    assert len({one.setup.network for one in ours}) >= 8 and len({one.setup.data for one in ours}) >= 7
    assert len({one.setup.style for one in ours}) >= 6
    others = [one for one in PROGRAMS if not isinstance(one.setup, Beyond)]
    for choice in ("network", "data", "style"):
        here, there = ({getattr(one.setup, choice) for one in group} for group in (ours, others))
        assert not here & there, choice


def test_programs_that_are_anew_are_many_and_wide_and_in_no_network_data_or_loop_of_another_part() -> None:
    ours = [one for one in PROGRAMS if isinstance(one.setup, Anew)]
    ill, well = [one for one in ours if not one.healthy], [one for one in ours if one.healthy]
    assert len(ill) >= 190 and len(well) >= 170 and len({one.kind for one in ill}) >= 50
    for kind in (row[0] for row in ANEW_KINDS):
        cells = {one.name.partition(f"-{kind}-")[2].partition("-")[::2] for one in ill if one.kind == kind}
        assert {strength for strength, _ in cells} == {"strong", "mild"} and len({cell for _, cell in cells}) >= 2, kind
    assert len({one.setup.network for one in ours}) >= 8 and len({one.setup.data for one in ours}) >= 7
    assert len({one.setup.style for one in ours}) >= 6
    others = [one for one in PROGRAMS if not isinstance(one.setup, Anew)]
    for choice in ("network", "data", "style"):
        here, there = ({getattr(one.setup, choice) for one in group} for group in (ours, others))
        assert not here & there, choice


def test_programs_from_outside_are_many_and_wide_and_in_no_network_data_or_loop_of_another_part() -> None:
    ours = [one for one in PROGRAMS if isinstance(one.setup, Outside)]
    ill, well = [one for one in ours if not one.healthy], [one for one in ours if one.healthy]
    assert len(ill) >= 230 and len(well) >= 230 and len({one.kind for one in ill}) >= 100
    for kind in (row[0] for row in OUTSIDE_KINDS):
        cells = {one.name.partition(f"-{kind}-")[2].partition("-")[::2] for one in ill if one.kind == kind}
        assert {strength for strength, _ in cells} == {"strong", "mild"} and len({cell for _, cell in cells}) >= 2, kind
    assert len({one.setup.network for one in ours}) >= 10 and len({one.setup.data for one in ours}) >= 10
    assert len({one.setup.style for one in ours}) >= 8
    others = [one for one in PROGRAMS if not isinstance(one.setup, Outside)]
    for choice in ("network", "data", "style"):
        here, there = ({getattr(one.setup, choice) for one in group} for group in (ours, others))
        assert not here & there, choice


def test_programs_of_the_last_part_are_many_and_wide_and_in_no_network_data_or_loop_of_another_part() -> None:
    ours = [one for one in PROGRAMS if isinstance(one.setup, Last)]
    ill, well = [one for one in ours if not one.healthy], [one for one in ours if one.healthy]
    assert len(ill) >= 190 and len(well) >= 190 and len({one.kind for one in ill}) >= 58
    for kind in (row[0] for row in LAST_KINDS):
        cells = {one.name.partition(f"-{kind}-")[2].partition("-")[::2] for one in ill if one.kind == kind}
        assert {strength for strength, _ in cells} == {"strong", "mild"} and len({cell for _, cell in cells}) >= 2, kind
    assert len({one.setup.network for one in ours}) >= 10 and len({one.setup.data for one in ours}) >= 10
    assert len({one.setup.style for one in ours}) >= 8
    others = [one for one in PROGRAMS if not isinstance(one.setup, Last)]
    for choice in ("network", "data", "style"):
        here, there = ({getattr(one.setup, choice) for one in group} for group in (ours, others))
        assert not here & there, choice


def test_a_broken_program_has_a_healthy_twin() -> None:
    for one in PROGRAMS:
        if not one.healthy and one.recipe is None:
            assert corpus.twin_of(one), one.name


def test_a_log_is_read_as_it_was_written_to_four_digits(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(logs, "FOLDER", tmp_path)
    rows = [
        Row("start", 0, 0, {"initial_loss": 2.302585}),
        Row("step", 1, 0, {"loss": float("nan"), "accuracy": 0.125}),
        Row("layers", 1, 0, {"update_ratio@conv": 1.23456e-5}),
        Row("step", 2, 0, {"loss": float("inf")}),
        Row("epoch", 2, 0, {"validation_accuracy": 0.5}),
    ]
    assert logs.write("one", "key", Known(classes=10), {"accuracy": 0.5}, rows) < 1000
    kept = logs.read("one")
    assert [(row.kind, row.step) for row in kept.log.rows] == [(row.kind, row.step) for row in rows]
    assert kept.log.rows[0].values == {"initial_loss": 2.303} and kept.known == Known(classes=10, planned_steps=2)
    assert kept.known_at(1.0) == kept.known and kept.known_at(0.5) == Known(classes=10)
    assert str(kept.log.rows[1].values["loss"]) == "nan" and kept.log.rows[3].values["loss"] == float("inf")
    assert kept.log.rows[2].values == {"update_ratio@conv": 1.235e-5}
    assert [row.step for row in kept.until(0.5).rows] == [0, 1, 1] and logs.key_in("one") == "key"


def test_logs_are_small_and_belong_to_programs() -> None:
    names = {one.name for one in (*PROGRAMS, *SHOWN)}
    for path in logs.FOLDER.glob("*.json.gz"):
        assert path.stat().st_size <= logs.MOST_BYTES, path.name
        assert path.name.removesuffix(".json.gz") in names, path.name


@pytest.fixture(scope="module")
def parts() -> list[judging.Part]:
    return judging.parts_of(judging.everything(("tuning", "looked at"), one_in=4))  # all of them: `make faults`


@pytest.mark.slow
def test_the_rules_reach_on_the_corpus_what_they_must(parts) -> None:
    for part, must, three, may in zip(parts, MUST, THREE, MAY, strict=True):
        assert len(part.ill) >= 30 and len(part.well) >= 30
        assert sum(one.among_three for one in part.ill) >= three * len(part.ill), part.name
        right = sum(one.first() for one in part.ill) / len(part.ill)
        alarmed = sum(one.alarmed() for one in part.well) / len(part.well)
        assert right >= must and alarmed <= may, (part.name, right, alarmed)
        for name in baselines.BASELINES:
            one = measures.against(name, part)
            assert right > one.first / len(part.ill) and one.ours_false <= one.false, name


def test_an_interval_is_wilsons() -> None:
    low, high = judging.wilson(9, 10)
    assert (round(low, 4), round(high, 4)) == (0.5958, 0.9821) and judging.wilson(0, 0) == (0.0, 1.0)
