"""TensorBoard's event files: the log's own figures, also after a resume; without the package it is said at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

import babysit
from babysit.errors import UserError
from babysit.recipe import Recipe
from babysit.record.log import Row, read_log
from babysit.record.run import Run
from babysit.training import event_files
from babysit.training.event_files import EventFiles, mirrors

SETTINGS = {"train.epochs": 2, "train.precision": "float32", "train.threads": 1, "model.width": 16}


def read(run: Run):
    """The files as the real package reads them."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = accumulator.EventAccumulator(str(run.events), size_guidance={"scalars": 0})
    return found.Reload()


def test_the_files_hold_what_the_log_holds_and_change_nothing(tmp_path) -> None:
    pytest.importorskip("tensorboard")
    babysit.train("digits", out=tmp_path / "with", settings={**SETTINGS, "train.log": "tensorboard"})
    babysit.train("digits", out=tmp_path / "without", settings=SETTINGS)
    assert not (tmp_path / "without" / "events").exists()
    run, log = Run(tmp_path / "with"), read_log(tmp_path / "with" / "log.jsonl")
    assert [row.repeatable() for row in log.rows] == [
        row.repeatable() for row in read_log(tmp_path / "without" / "log.jsonl").rows
    ]
    found = read(run)
    wanted = {f"{row.kind}/{name}" for row in log.rows for name in row.values}
    assert set(found.Tags()["scalars"]) == wanted and "epoch/validation_accuracy" in wanted
    for tag in wanted:
        kind, name = tag.split("/", 1)
        rows = [row for row in log.rows if row.kind == kind and name in row.values]
        points = [(row.step, np.float32(row.values[name])) for row in rows]
        assert [(one.step, np.float32(one.value)) for one in found.Scalars(tag)] == points
    text = found.Tensors("recipe/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "[optim]" in text and 'log = "tensorboard"' in text


def test_after_a_resume_each_step_is_there_once(tmp_path) -> None:
    pytest.importorskip("tensorboard")
    run = Run(tmp_path)
    first = EventFiles(run, Recipe(), 0)
    for step in range(1, 11):
        first.append(Row("step", step, 0, {"loss": float(step)}))
    first.sync()  # the process is killed here
    second = EventFiles(run, Recipe(), 5)
    for step in range(6, 9):
        second.append(Row("step", step, 0, {"loss": 100.0 + step}))
    second.close()
    values = [(one.step, one.value) for one in read(run).Scalars("step/loss")]
    assert values == [(step, step) for step in range(1, 6)] + [(step, 100 + step) for step in range(6, 9)]


def test_a_figure_that_is_no_number_is_left_out(tmp_path) -> None:
    pytest.importorskip("tensorboard")
    files = EventFiles(Run(tmp_path), Recipe(), 0)
    files.append(Row("step", 1, 0, {"loss": math.nan, "accuracy": 0.5}))
    files.close()
    assert read(Run(tmp_path)).Tags()["scalars"] == ["step/accuracy"]


def test_nothing_is_written_unless_asked_for(tmp_path) -> None:
    assert mirrors(Run(tmp_path), Recipe(), 0) == ()


def test_without_the_package_it_is_said_before_anything_is_done(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(event_files, "find_spec", lambda _name: None)
    with pytest.raises(UserError, match=r"pip install 'babysit\[tensorboard\]'"):
        babysit.train("digits", out=tmp_path / "run", settings={"train.log": "tensorboard"})
    assert not (tmp_path / "run").exists()
    with pytest.raises(UserError, match="none"):
        babysit.train("digits", out=tmp_path / "run", settings={"train.log": "wandb"})
