"""The metric that chooses the best network, and patience: recorded, resumed exactly."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import babysit
from babysit import checkpoint
from babysit.errors import UserError
from babysit.record.log import read_log

SETTINGS = {
    "train.epochs": 6,
    "train.precision": "float32",
    "train.threads": 1,
    "schedule.kind": "constant",
    "optim.lr": 0.002,
    "model.width": 16,
}


@pytest.mark.parametrize(
    ("metric", "quantity", "sign"),
    [("accuracy", "validation_accuracy", 1), ("macro-f1", "validation_macro_f1", 1), ("loss", "validation_loss", -1)],
)
def test_the_metric_chooses_the_best(tmp_path: Path, metric: str, quantity: str, sign: int) -> None:
    babysit.train(
        "digits",
        out=tmp_path / "run",
        settings={**SETTINGS, "train.metric": metric, "optim.lr": 0.3, "train.epochs": 3},
    )
    epochs = read_log(tmp_path / "run" / "log.jsonl").of("epoch")
    best = max(epochs, key=lambda row: (sign * row.values[quantity], -row.values["validation_loss"]))
    assert checkpoint.best_path(tmp_path / "run" / "checkpoints").name == f"step-{best.step:06d}"


def test_patience_ends_a_training_that_does_not_improve(tmp_path: Path) -> None:
    settings = {**SETTINGS, "optim.lr": 0.0, "train.patience": 2, "train.metric": "loss", "regularize.decay": 0.0}
    done = babysit.train("digits", out=tmp_path / "run", settings=settings)
    # At rate 0 only the normalisation's running figures move; they come to rest within some epochs, or never better.
    log = read_log(tmp_path / "run" / "log.jsonl")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    (stopped,) = log.of("stopped")
    assert done.epochs < 6 and stopped.values["epochs_without_better"] == 2 and manifest["status"] == "finished"
    assert "no better validation loss in 2 epochs" in manifest["ended"]


def stopped_run(place: Path) -> Path:
    """A rate so high that the first epochs are the best."""
    settings = {**SETTINGS, "train.epochs": 12, "train.patience": 2, "train.metric": "loss", "optim.lr": 0.5}
    babysit.train("digits", out=place, settings=settings)
    return place


def test_a_run_killed_at_its_stop_is_resumed_to_the_same(tmp_path: Path) -> None:
    run = stopped_run(tmp_path / "run")
    whole = read_log(run / "log.jsonl")
    (stopped,) = whole.of("stopped")
    epochs = whole.of("epoch")
    assert len(epochs) < 12 and whole.rows[-1] == stopped
    since = [row for row in epochs if row.step > stopped.values["best_step"]]
    assert len(since) == 2 and stopped.step == epochs[-1].step
    # As if the process had died after the last checkpoint, before the run was marked as finished.
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    before = {**manifest, "status": "training", "ended": ""}
    (run / "manifest.json").write_text(json.dumps(before), encoding="utf-8")
    newest = checkpoint.steps(run / "checkpoints")[-1]
    babysit.train("digits", out=run, resume=True)
    again = read_log(run / "log.jsonl")
    assert [row.repeatable() for row in again.rows] == [row.repeatable() for row in whole.rows]
    assert checkpoint.steps(run / "checkpoints")[-1] == newest
    assert json.loads((run / "manifest.json").read_text(encoding="utf-8"))["ended"] == manifest["ended"] != ""
    # And as if it had died an epoch before.
    shutil.rmtree(newest)
    (run / "manifest.json").write_text(json.dumps(before), encoding="utf-8")
    babysit.train("digits", out=run, resume=True)
    assert [row.repeatable() for row in read_log(run / "log.jsonl").rows] == [row.repeatable() for row in whole.rows]


def test_with_one_cycle_what_patience_gives_away_is_said(tmp_path: Path) -> None:
    text = babysit_dry_run({"train.patience": 3, "train.precision": "float32"})
    assert "patience = 3" in text and "stopping before gives that away" in text
    with pytest.raises(UserError, match=r"train\.patience"):
        babysit_dry_run({"train.patience": 0})


def babysit_dry_run(settings: dict[str, object]) -> str:
    from babysit import api

    return api.dry_run("digits", settings=settings)
