"""A refit: train and validation together, everything frozen, nothing chosen, and said so; the test part is still counted."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

import babysit
from babysit import checkpoint
from babysit.api import refitting
from babysit.cli.app import run as command
from babysit.device import choose_device
from babysit.errors import InterruptedTraining, UserError
from babysit.recipe import read_resolved
from babysit.record import ledger, predictions
from babysit.record.log import read_log
from babysit.record.run import Run
from babysit.show import Silent, StepShown

# The rate stays high, so that the best epoch is rarely the last one.
SETTINGS = {
    "train.epochs": 3,
    "train.precision": "float32",
    "train.threads": 1,
    "model.width": 16,
    "schedule.kind": "constant",
    "optim.lr": 0.4,
    "seed": 3,
}
PARTS = {"data.split", "train.refit", "train.stop_after", "data.source"}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A finished run and its refit. Tests must not change them."""
    home = tmp_path_factory.mktemp("original")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BABYSIT_CACHE", str(home / "cache"))
        patch.setenv("BABYSIT_STATE", str(home / "state"))
        babysit.train("digits", out=home / "run", settings=SETTINGS)
        babysit.refit(home / "run")
    return home / "run"


@pytest.fixture
def selected(original, tmp_path):
    """A copy that a test may change."""
    shutil.copytree(original, tmp_path / "run")
    return tmp_path / "run"


def words(capsys, *arguments: object) -> tuple[int, str, str]:
    status = command([str(word) for word in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def parts(run: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"train": set(), "val": set(), "test": set()}
    for one in predictions.read_split(Run(run)):
        found[one.part].add(one.path)
    return found


def test_train_and_validation_are_one_part_and_the_test_part_is_the_same(original) -> None:
    before, after = parts(original), parts(original / "refit")
    assert after["train"] == before["train"] | before["val"] and len(before["val"]) > 200
    assert after["val"] == set() and after["test"] == before["test"] != set()


def test_every_setting_is_frozen_and_the_length_is_that_of_the_kept_epoch(original) -> None:
    recipes = [read_resolved(one / "recipe.toml").model_dump() for one in (original, original / "refit")]
    differing = {
        f"{part}.{name}"
        for part, values in recipes[0].items()
        if isinstance(values, dict)
        for name in values
        if values[name] != recipes[1][part][name]
    }
    assert {"train.refit"} <= differing <= PARTS and recipes[0]["seed"] == recipes[1]["seed"]
    manifest = json.loads((original / "manifest.json").read_text(encoding="utf-8"))
    log = read_log(original / "refit" / "log.jsonl")
    images = sum(len(parts(original)[part]) for part in ("train", "val"))
    each = images // recipes[0]["optim"]["batch_size"]
    assert len(log.of("epoch")) == manifest["best_epoch"] and len(log.of("step")) == manifest["best_epoch"] * each
    rates = [row.values["learning_rate"] for row in log.of("step")]
    assert rates[-1] == pytest.approx(read_log(original / "log.jsonl").of("step")[0].values["learning_rate"])


def test_nothing_is_evaluated_or_chosen_and_the_last_network_is_kept(original) -> None:
    run = original / "refit"
    epochs = read_log(run / "log.jsonl").of("epoch")
    assert not any(name.startswith("validation") for row in epochs for name in row.values)
    assert checkpoint.best_path(run / "checkpoints").name == f"step-{epochs[-1].step:06d}"
    assert not (run / "predictions" / "val.npz").exists()
    weights = [checkpoint.load(checkpoint.best_path(one / "checkpoints")).weights for one in (original, run)]
    assert any(not np.array_equal(one, weights[1][name]) for name, one in weights[0].items())


def test_it_says_that_no_validation_is_left_and_how_it_is_judged(original, capsys) -> None:
    manifest = json.loads((original / "refit" / "manifest.json").read_text(encoding="utf-8"))
    kept = predictions.read(Run(original))
    correct = int((kept.probabilities.argmax(axis=1) == kept.labels).sum())
    assert (manifest["refit"]["correct"], manifest["refit"]["count"]) == (correct, len(kept.labels))
    page = (original / "refit" / "report.html").read_text(encoding="utf-8")
    assert "No validation is left: all 1,438 images were trained on" in page
    assert f"{correct / len(kept.labels):.1%}" in page and "Only the 359 test images can measure it" in page
    assert 'id="mistakes"' not in page and 'id="curves"' in page and "nan" not in page.lower().replace("finance", "")
    for verb in (["suspects", original / "refit"], ["compare", original, original / "refit"]):
        status, _, err = words(capsys, *verb)
        assert status == 1 and "trained on its validation images too" in err


def test_the_temperature_is_the_selected_networks_and_said_to_be(original) -> None:
    network, before = babysit.load(original / "refit"), babysit.load(original)
    assert network.temperature("plain") == before.temperature("plain") != 1
    assert "that of the selected network is used" in network.calibrations["plain"].note
    assert network.likeness is None


def test_testing_it_is_a_look_at_the_same_images(selected, capsys) -> None:
    status, out, _ = words(capsys, "test", selected, "--json")
    assert status == 0 and json.loads(out)["looks"] == 1
    status, _, err = words(capsys, "test", selected / "refit")
    assert status == 1 and "looked at once already" in err
    status, out, err = words(capsys, "test", selected / "refit", "--again", "--view", "flip", "--json")
    said = json.loads(out)
    assert status == 0 and said["looks"] == 2 and said["views_on_validation"] == []
    assert any("what a view gains is not measured" in note for note in said["notes"])
    page = (selected / "refit" / "report.html").read_text(encoding="utf-8")
    assert f"names <b>{said['accuracy']:.1%}</b> of 359 test images" in page and 'id="mistakes"' in page
    assert "trained on train and validation together" in page and "On the 359 test images" in page


def test_the_command_trains_and_refits_and_a_finished_run_is_not_trained_again(tmp_path, capsys) -> None:
    place = tmp_path / "run"
    settings = [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
    status, out, err = words(capsys, "train", "digits", "-o", place, *settings, "--json")
    log = (place / "log.jsonl").read_bytes()
    status, out, err = words(capsys, "train", "digits", "-o", place, "--refit", "--json")
    said = json.loads(out)
    assert status == 0 and (place / "log.jsonl").read_bytes() == log and "finished already" in err
    assert said["refit"]["validation"] == {} and said["refit"]["refit"]["images"] == 1438
    assert "No validation is left" in said["refit"]["refit"]["judged"] and "Refitted: " in err
    status, _, err = words(capsys, "train", "digits", "-o", place, "--refit")
    assert status == 1 and "has been refitted already" in err
    # From its own recipe: the same bits.
    status, _, err = words(
        capsys, "train", "digits", "-o", tmp_path / "again", "--recipe", place / "refit" / "recipe.toml"
    )
    assert status == 0, err
    one, other = (
        checkpoint.load(checkpoint.best_path(run / "checkpoints")).weights
        for run in (place / "refit", tmp_path / "again")
    )
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert "No image was held out" in (tmp_path / "again" / "report.html").read_text(encoding="utf-8")


def test_a_corrected_length_is_scaled_to_the_longer_epochs(original, tmp_path) -> None:
    shutil.copytree(original, tmp_path / "run", ignore=shutil.ignore_patterns("refit"))
    recipe = tmp_path / "run" / "recipe.toml"
    each = {part: len(parts(original)[part]) for part in ("train", "val")}
    batch = read_resolved(recipe).optim.batch_size or 0
    before, now = each["train"] // batch, sum(each.values()) // batch
    text = recipe.read_text(encoding="utf-8").replace(
        "epochs = 3", f"steps = {2 * before}\ncorrections = [[0, {5 * before}], [{before}, {2 * before}]]"
    )
    recipe.write_text(text, encoding="utf-8")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    (tmp_path / "run" / "manifest.json").write_text(json.dumps({**manifest, "best_epoch": 2}), encoding="utf-8")
    done = babysit.refit(tmp_path / "run")
    kept = read_resolved(done.run / "recipe.toml").train
    assert kept.steps == 2 * now == done.training.steps and kept.corrections == ((0, 5 * now), (now, 2 * now))
    assert kept.stop_after is None


def test_what_cannot_be_refitted_is_said(selected, tmp_path, make_folder, capsys) -> None:
    def fault(run: Path, **more: str) -> str:
        with pytest.raises(UserError) as error:
            babysit.refit(run, **more)
        return str(error.value)

    assert "no run here" in fault(tmp_path / "nowhere")
    assert "is a refit itself" in fault(selected / "refit")
    other = make_folder(tmp_path / "data", {"cats": 6, "dogs": 6})
    shutil.rmtree(selected / "refit")
    assert "none of them" in fault(selected, data=str(other)) or "changed" in fault(selected, data=str(other))
    (selected / "refit").rmdir() if (selected / "refit").exists() else None
    for status, said in (
        ("interrupted", "not finished (interrupted)"),
        ("stopped by a diagnosis", "diagnosis stopped"),
    ):
        Run(selected).update_manifest(status=status)
        assert said in fault(selected)
    status, _, err = words(capsys, "train", "digits", "--folds", "3", "--refit")
    assert status == 1 and "no fold is chosen" in err
    status, _, err = words(capsys, "train", "digits", "--set", "train.refit=true", "--patience", "2")
    assert status == 1 and "no use for train.patience" in err


def test_a_refit_that_is_stopped_says_how_to_go_on_with_it(selected, monkeypatch) -> None:
    def stopped(*_words: object, **_more: object) -> None:
        raise InterruptedTraining(
            "Stopped by Ctrl-C; everything is saved. Go on with: babysit train digits -o x --resume"
        )

    monkeypatch.setattr(refitting, "train", stopped)
    shutil.rmtree(selected / "refit")
    with pytest.raises(InterruptedTraining) as error:
        babysit.refit(selected)
    command_line = f"babysit train digits -o {selected} --refit --resume"
    assert str(error.value) == f"Stopped by Ctrl-C; everything is saved. Go on with: {command_line}"


def test_the_ledger_knows_nothing_of_a_refit_that_was_not_tested(original) -> None:
    hashes = [one.hash for one in predictions.read_split(Run(original / "refit")) if one.part == "test"]
    assert len(ledger.looks_at(hashes)) == 0


class StopAt(Silent):
    """A signal to this process after a step of the refit, as Ctrl-C is one."""

    def __init__(self, step: int, number: int) -> None:
        self.at, self.number, self.refitting = step, number, False

    def say(self, text: str) -> None:
        self.refitting |= text.startswith("Refitting")

    def step(self, shown: StepShown) -> None:
        if self.refitting and shown.step == self.at:
            os.kill(os.getpid(), self.number)


def same_in_all_that_counts(one: Path, other: Path) -> None:
    """Weights, optimiser and log are equal to the bit; times and memory are nobody's business."""
    kept = [checkpoint.load(checkpoint.best_path(run / "checkpoints")) for run in (one, other)]
    for part in ("weights", "optimizer"):
        first, second = (getattr(each, part) for each in kept)
        assert first.keys() == second.keys() and all(torch.equal(value, second[name]) for name, value in first.items())
    logs = [[row.repeatable() for row in read_log(run / "log.jsonl").rows] for run in (one, other)]
    assert logs[0] == logs[1] and len(logs[0]) > 40
    assert (one / "split.csv").read_bytes() == (other / "split.csv").read_bytes()


def test_a_refit_stopped_in_its_middle_goes_on_to_the_same_bits(original, selected) -> None:
    shutil.rmtree(selected / "refit")
    step = checkpoint.load_newest(original / "refit" / "checkpoints")[0].state["position"]["step"] - 15
    with pytest.raises(InterruptedTraining, match=f"Go on with: babysit train digits -o {selected} --refit --resume"):
        babysit.refit(selected, show=StopAt(step, signal.SIGINT))
    assert json.loads((selected / "refit" / "manifest.json").read_text(encoding="utf-8"))["status"] == "interrupted"
    assert command(["train", "digits", "-o", str(selected), "--refit", "--resume", "--quiet"]) == 0
    same_in_all_that_counts(original / "refit", selected / "refit")


@pytest.mark.skipif(choose_device().type != "cpu", reason="a process that used an accelerator cannot be forked")
def test_a_refit_killed_in_its_middle_goes_on_to_the_same_bits(original, selected) -> None:
    shutil.rmtree(selected / "refit")
    child = os.fork()
    if not child:
        try:
            babysit.refit(selected, show=StopAt(40, signal.SIGKILL))
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    assert command(["train", "digits", "-o", str(selected), "--refit", "--resume", "--quiet"]) == 0
    same_in_all_that_counts(original / "refit", selected / "refit")
