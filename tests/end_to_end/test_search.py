"""A whole search: promoted trials are never-stopped ones, a killed worker loses little, a second one joins."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from babysit import api
from babysit.checkpoint import load_newest
from babysit.record.log import read_log
from babysit.record.run import Run
from babysit.searching.stages import Effort, Trial
from babysit.searching.storage import open_study, reached

SMALL = {"model.name": "two-layer", "train.precision": "float32", "train.threads": 1, "train.epochs": 6}
WORDS = ["--model", "two-layer", "--set", "train.precision=float32", "--set", "train.threads=1"]


def weights_of(run: Run) -> dict[str, bytes]:
    kept, _, _ = load_newest(run.checkpoints)
    assert kept is not None
    return {name: value.numpy().tobytes() for name, value in kept.weights.items()}


def rows_of(run: Run):
    return [row.repeatable() for row in read_log(run.log).rows]


def trials_of(study: Path) -> list[Trial]:
    return open_study(study).trials()


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """One small search, and its folder."""
    place = tmp_path_factory.mktemp("search")
    before = dict(os.environ)
    os.environ["BABYSIT_CACHE"], os.environ["BABYSIT_STATE"] = str(place / "cache"), str(place / "state")
    try:
        return api.search("digits", out=place / "study", effort=Effort(9), settings=SMALL)
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_a_promoted_trial_is_one_that_never_stopped_to_the_bit(searched, tmp_path) -> None:
    best = searched.found["winner"]["trial"]
    run = Run(searched.study / "trials" / f"{best:04d}")
    sessions = json.loads(run.environment.read_text())["sessions"]
    assert len(sessions) == 3 and sessions[0]["step"] == 0, "it was trained in three pieces"
    whole = Run(api.train("digits", out=tmp_path / "whole", recipe=run.recipe, anyway=True).run)
    assert weights_of(run) == weights_of(whole)
    assert rows_of(run) == rows_of(whole)


def test_the_recipe_it_gives_trains_what_it_found(searched, tmp_path) -> None:
    assert searched.recipe is not None and "validation accuracy" in searched.recipe.read_text().splitlines()[0]
    again = api.train("digits", out=tmp_path / "again", recipe=searched.recipe, anyway=True)
    assert again.validation["accuracy"] == searched.found["winner"]["accuracy"]
    assert again.validation["accuracy"] == searched.found["winner"]["seeds"][0]


def test_what_it_leaves_is_complete(searched) -> None:
    study, found = searched.study, searched.found
    kept = json.loads((study / "result.json").read_text())
    assert kept["told"] == searched.told and kept["winner"] == found["winner"]
    page = (study / "search.html").read_text()
    assert page.count('<svg class="chart"') == 6, (
        "the map, a narrowing of each setting, the curves, what was tried, a grid"
    )
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    origins = [one["origin"] for one in found["trials"]]
    assert origins.count("coarse") == 9 and origins.count("seed") == 2
    best = Run(study / "trials" / f"{found['winner']['trial']:04d}")
    assert best.report.exists() and best.calibration.exists()
    assert {one["state"] for one in found["trials"]} <= {"paused", "done", "quit"}
    for one in found["trials"]:
        run = Run(study / "trials" / f"{one['number']:04d}")
        assert run.split.read_bytes() == (study / "split.csv").read_bytes()
        if "last" in one["results"]:
            assert api.report(run.path).exists()


def test_accuracies_are_what_the_runs_hold(searched) -> None:
    for one in trials_of(searched.study):
        run = Run(searched.study / "trials" / f"{one.number:04d}")
        epochs = read_log(run.log).of("epoch")
        if "last" in one.results:
            assert one.results["last"].accuracy == max(row.values["validation_accuracy"] for row in epochs)
        if one.state == "quit":
            assert one.reason == run.read_manifest()["ended"]


def start(command_line, *words) -> subprocess.Popen:
    begin, places = command_line
    return subprocess.Popen(
        [*begin, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **places
    )


def wait_for(true, seconds=220.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_killed_worker_loses_little_and_two_others_end_the_search(command_line, tmp_path) -> None:
    study = tmp_path / "study"
    # 20 epochs of 33 steps: the coarse stage ends after 74, the finer one after 220.
    first = start(command_line, "search", "digits", "-o", study, "--trials", 6, *WORDS, "--epochs", "20")

    def in_the_middle() -> bool:
        if first.poll() is not None:
            raise AssertionError(first.stderr.read() if first.stderr else "")
        kept = [path.name for path in study.glob("trials/*/checkpoints/step-*") if path.name[5:].isdigit()]
        return any(80 < int(name[5:]) < 200 for name in kept)

    wait_for(in_the_middle)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    left = [one for one in trials_of(study) if one.state == "running"]
    assert len(left) == 1
    run = Run(study / "trials" / f"{left[0].number:04d}")
    _, path, _ = load_newest(run.checkpoints)
    assert path is not None
    kept = int(path.name.split("-")[1])
    workers = [start(command_line, "search", "--join", study, "--json") for _ in range(2)]
    for one in workers:
        _, said = one.communicate(timeout=200)
        assert one.returncode == 0, said
    sessions = json.loads(run.environment.read_text())["sessions"]
    assert any(one["step"] >= kept > 0 for one in sessions), "it went on from its last checkpoint"
    done = trials_of(study)
    assert not [one for one in done if one.state == "running"] and (study / "recipe.toml").exists()
    assert len([one for one in done if one.origin == "seed"]) == 2, "two workers do nothing twice"
    assert len({one.number for one in done}) == len(done)


@pytest.mark.slow
def test_an_interrupted_search_goes_on(command_line, tmp_path) -> None:
    study = tmp_path / "study"
    first = start(command_line, "search", "digits", "-o", study, "--trials", 4, *WORDS, "--epochs", "6")
    wait_for(lambda: (study / "study.db").exists() and bool(list(study.glob("trials/*/log.jsonl"))))
    first.send_signal(signal.SIGTERM)
    _, said = first.communicate(timeout=120)
    assert first.returncode == 130 and f"babysit search --join {study}" in said
    done = api.join(study)
    assert done.found["winner"] and len([one for one in done.found["trials"] if one["origin"] == "coarse"]) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["digits", "--over", "optim.lrr"], "Did you mean 'optim.lr'?"),
        (["digits", "--over", "optim.lr=1..0.1"], "upside down"),
        (["digits", "--over", "model.name=quick|quik"], "unknown model 'quik'"),
        (
            ["digits", "--over", "optim.lr=0.1..1", "--set", "optim.lr=0.1"],
            "is given (--set optim.lr=0.1) and searched over",
        ),
        (["digits", "--set", "train.patience=2"], "train.patience has no place in a search"),
        (
            ["digits", "--set", "watch.remedy=apply"],
            "a search tries settings itself, so watch.remedy has no place in it",
        ),
        (["digits", "--trials", "2"], "2 trials are no search"),
        (["digits", "--trials", "9", "--budget", "1m"], "both --trials and --budget"),
        (["digits", "--only", "rate", "--trials", "9"], "--only rate searches nothing else"),
        ([], "there is no DATA to search with"),
        (["--join", "nowhere"], "there is no search here"),
        (["--join", "nowhere", "--trials", "9"], "--join goes on with the search as it was begun"),
        (
            ["digits", "--storage", "mysql://me:secret@host/none"],
            "the storage is of kind 'mysql'. Legal: postgresql://",
        ),
        (["digits", "--storage", "sqlite:////nowhere/study.db"], "the search's database cannot be opened"),
    ],
)
def test_bad_input_is_named_with_the_next_step(babysit, words, said) -> None:
    done = babysit("search", *words, "--quiet")
    assert done.returncode == 1 and said in done.stderr and "secret" not in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    from babysit.errors import UserError

    with pytest.raises(UserError) as caught:
        reached("postgresql://me:secret@localhost:1/none")
    said = str(caught.value)
    assert said.startswith("postgresql://me:...@localhost:1/none: the ") and "secret" not in said
    assert "pip install 'babysit[postgres]'" in said or "cannot be opened: connection failed" in said


def test_a_study_of_other_data_or_in_the_way_is_named(searched, tmp_path, make_folder) -> None:
    from babysit.errors import UserError

    with pytest.raises(UserError, match="this search was made for other data: digits, not elsewhere"):
        api.join(searched.study, data="elsewhere")
    with pytest.raises(UserError, match="there is a search here already"):
        api.search("digits", out=searched.study, settings=SMALL)
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy" / "file").touch()
    with pytest.raises(UserError, match="not empty"):
        api.search("digits", out=tmp_path / "busy", settings=SMALL)


def test_images_that_changed_since_are_named(tmp_path, make_folder, picture) -> None:
    from babysit.errors import UserError

    data = make_folder(tmp_path / "data", {"cats": 40, "dogs": 40})
    small = {"model.name": "linear", "train.epochs": 2, "optim.batch_size": 16}
    done = api.search(str(data), out=tmp_path / "study", effort=Effort(3), settings=small)
    assert done.found["trials"]
    (data / "cats" / "new.png").write_bytes(picture(0, 999))
    with pytest.raises(UserError, match="the images have changed"):
        api.join(tmp_path / "study")


def test_architectures_are_compared_at_equal_time(tmp_path) -> None:
    settings = {"train.precision": "float32", "train.threads": 1, "train.epochs": 1}
    done = api.search(
        "digits", out=tmp_path / "study", over="model.name=linear|convnet", effort=Effort(4), settings=settings
    )
    totals = {one["params"]["model.name"]: one["total"] for one in done.found["trials"]}
    assert set(totals) == {"linear", "convnet"}
    assert totals["linear"] > 1.5 * totals["convnet"], "a linear classifier makes more steps in the same time"
    assert all(one["total"] == totals[one["params"]["model.name"]] for one in done.found["trials"])
