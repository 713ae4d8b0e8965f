"""Where a run goes and what it kept: a place that cannot be written is told at once; a finished run shows what was found."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from babysit import api
from babysit.cli.app import run as command
from babysit.errors import UserError
from babysit.record.run import Run, check_place
from babysit.training import prepare


def no_work(*_words: object, **_more: object) -> None:
    raise AssertionError("work was done before the place was looked at")


@pytest.mark.parametrize("place", ["file/run", "file/deep/er/run", "file", "taken", "locked/run"])
def test_a_place_that_cannot_be_written_is_told_before_any_work(tmp_path: Path, monkeypatch, place: str) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "picture.png").write_bytes(b"mine")
    (tmp_path / "locked").mkdir(mode=0o555)
    if place.startswith("locked") and os.access(tmp_path / "locked", os.W_OK):
        pytest.skip("this user may write anywhere")
    out = tmp_path / place
    monkeypatch.setattr(prepare, "look", no_work)
    with pytest.raises(UserError) as error:
        api.train("digits", out=out)
    assert str(out) in str(error.value)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "locked", "picture.png", "taken"]


def test_a_place_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for place in ("new/deep/run", "empty", "run"):
        check_place(tmp_path / place)
    assert [path.name for path in tmp_path.iterdir()] == ["empty"] and not any((tmp_path / "empty").iterdir())


def test_without_a_name_the_working_folder_is_looked_at(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "runs").write_text("mine", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(prepare, "look", no_work)
    with pytest.raises(UserError, match=r"^runs/digits: the run could not be written"):
        api.train("digits")


def test_a_finished_run_shows_what_was_found(tmp_path: Path, capsys) -> None:
    settings = {
        "train.epochs": 2,
        "optim.lr": 1e-7,
        "train.precision": "float32",
        "train.threads": 1,
        "model.width": 16,
    }
    first = api.train("digits", out=tmp_path / "run", settings=settings, anyway=True)
    assert first.diagnoses, "a rate of a ten-millionth was expected to be found"
    words = ["train", "digits", "-o", os.fspath(tmp_path / "run"), "--resume"]
    assert command([*words, "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["diagnoses"] == first.diagnoses
    assert command(words) == 0
    assert first.diagnoses[0]["claim"] in capsys.readouterr().err
    Run(tmp_path / "run").diagnoses.write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="kept diagnoses cannot be read"):
        api.train("digits", out=tmp_path / "run", resume=True)
