"""The report: what it says, what it bears, and that it stays small."""

from __future__ import annotations

import math
import re
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from babysit import api
from babysit.errors import UserError
from babysit.evaluating.comparison import compare_runs
from babysit.figures.charts import Axes, Line, chart, nice_ticks, thinned
from babysit.record import predictions
from babysit.record.run import Run
from babysit.reporting.compared import write_comparison
from babysit.reporting.material import gather
from babysit.reporting.page import write_report
from babysit.reporting.verdict import grounds_of

SECTIONS = (
    "curves mistakes confusion classes calibration right suspects inputs filters data looks time recipe environment use"
)


def text_of(run, suspects=()) -> str:
    return write_report(run, suspects).read_text(encoding="utf-8")


def test_every_section_is_there_and_nothing_is_asked_of_a_network(make_run) -> None:
    run = make_run("a")
    page = text_of(run, [(0, 1, 0.4)])
    assert re.findall(r'<section id="(\w+)"', page) == SECTIONS.split()
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert "embeds pictures of your data" in page
    assert "class &lt;3&gt;" in page and "class <3>" not in page


def test_the_verdict_has_the_figures_of_the_predictions(make_run) -> None:
    run = make_run("a")
    predicted = predictions.read(run)
    right = int((predicted.probabilities.argmax(axis=1) == predicted.labels).sum())
    assert f"names <b>{right / 200:.1%}</b> of 200 validation images" in text_of(run)


def test_overfitting_and_few_images_speak_against_the_figures(make_run) -> None:
    def against(run) -> set[str]:
        return {one.what for one in grounds_of(gather(run)) if not one.good}

    few, learned = make_run("few", images=40), make_run("learned", images=4000, training=0.99)
    assert against(few) == {"number of images", "test set", "calibration"}
    assert against(learned) == {"overfitting", "test set", "calibration"}


def test_data_that_have_moved_leave_the_pictures_out_and_say_so(make_run) -> None:
    run = make_run("a")
    assert text_of(run).count("<img") > 20
    shutil.rmtree(run.read_manifest()["data"]["cache"])
    page = text_of(run)
    assert "The pictures are left out" in page and "made/up" in page
    assert page.count("<img") == 0


def test_a_thousand_classes_and_a_hundred_epochs_stay_small(make_run) -> None:
    run = make_run("a", classes=1000, images=5000, epochs=100, steps=40, size=128)
    suspects = [(place, (place + 1) % 1000, 0.5) for place in range(500)]
    assert write_report(run, suspects).stat().st_size < 10_000_000


@pytest.mark.parametrize("missing", ["log.jsonl", "split.csv", "predictions/val.npz", "manifest.json"])
def test_a_run_without_what_it_needs_is_refused_with_a_sentence(make_run, missing) -> None:
    run = make_run("a")
    (run.path / missing).unlink()
    with pytest.raises(UserError):
        api.report(run.path)


@pytest.mark.parametrize("missing", ["recipe.toml", "environment.json", "manifest.times"])
def test_an_older_run_is_shown_without_what_it_lacks(make_run, missing) -> None:
    run = make_run("a")
    if missing == "manifest.times":
        run.update_manifest(times={})
    else:
        (run.path / missing).unlink()
    assert "How to use the result" in text_of(run)


def test_a_foreign_folder_is_refused(tmp_path) -> None:
    with pytest.raises(UserError):
        write_report(Run(tmp_path))


def test_values_that_are_no_numbers_are_gaps() -> None:
    figure = chart([Line("a", [0, 1, 2, 3], [1, math.nan, math.inf, 2], "one")], Axes("x", "y"))
    assert "nan" not in figure and "inf" not in figure.replace("-inf", "")
    assert figure.count("h0") == 2  # two pieces of one point each


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_few_and_inside(low, span) -> None:
    ticks = nice_ticks(low, low + span)
    assert 1 <= len(ticks) <= 7
    assert all(low - 1e-6 * max(span, abs(low)) <= tick <= low + span + 1e-6 * max(span, abs(low)) for tick in ticks)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=300), st.integers(2, 40))
def test_thinning_keeps_the_extremes(values, most) -> None:
    x, y = thinned(list(range(len(values))), values, most)
    assert len(y) <= max(most, 1) or len(y) == len(values)
    assert min(y) == min(values) and max(y) == max(values)
    assert x == sorted(x)


def test_the_page_of_a_comparison(make_run, tmp_path) -> None:
    paths = [make_run("a").path, make_run("b", epochs=3).path]
    page = write_comparison(compare_runs(paths), paths, tmp_path / "out" / "page.html").read_text(encoding="utf-8")
    assert page.count('class="chart"') == 4 and "McNemar" in page
    assert "No difference can be told" in page


def test_the_surest_right_answers_take_each_class_before_a_second(make_run) -> None:
    predicted = predictions.read(make_run("a"))
    places = predicted.surest_right(10)
    assert sorted(predicted.labels[places].tolist()) == list(range(10))
    worst = predicted.worst_mistakes(5)
    assert (predicted.probabilities[worst].argmax(axis=1) != predicted.labels[worst]).all()
    said = predicted.probabilities[worst, predicted.labels[worst]]
    assert (np.diff(said) >= 0).all()
