"""Checkpoints: whole or not there, every byte checked, the one before taken when the newest is rotten."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

from babysit import checkpoint
from babysit.checkpoint import Checkpoint
from babysit.errors import BrokenCheckpointError, UserError

FILES = ["weights.safetensors", "optimizer.safetensors", "state.json", "manifest.json"]


def of_step(step: int) -> Checkpoint:
    weights = {
        "w": torch.full((3, 2, 2, 2), float(step)).to(memory_format=torch.channels_last),
        "n": torch.tensor(step),
    }
    return Checkpoint(weights, {"0.momentum_buffer": torch.arange(6.0) * step}, {"step": step, "classes": ["a", "é"]})


def save(folder: Path, *steps: int) -> list[Path]:
    return [checkpoint.save(folder, step, of_step(step)) for step in steps]


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    (path,) = save(tmp_path, 123)
    assert path.name == "step-000123" and sorted(one.name for one in path.iterdir()) == sorted(FILES)
    loaded = checkpoint.load(path)
    assert torch.equal(loaded.weights["w"], of_step(123).weights["w"]) and loaded.weights["n"].item() == 123
    assert torch.equal(loaded.optimizer["0.momentum_buffer"], torch.arange(6.0) * 123)
    assert loaded.state["classes"] == ["a", "é"]
    assert [one.name for one in tmp_path.iterdir()] == ["step-000123"]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(bytes(data))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


HARMS = {"flip": flip, "truncate": truncate, "empty": empty, "delete": Path.unlink}


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("name", FILES)
def test_harm_to_any_file_is_recognised_and_named_and_the_one_before_taken(
    tmp_path: Path, name: str, harm: str
) -> None:
    before, newest = save(tmp_path, 5, 10)
    HARMS[harm](newest / name)
    with pytest.raises(BrokenCheckpointError) as caught:
        checkpoint.load(newest)
    assert name in str(caught.value) and str(newest) in str(caught.value)
    kept, path, complaints = checkpoint.load_newest(tmp_path)
    assert kept is not None and kept.state["step"] == 5 and path == before
    assert len(complaints) == 1 and name in complaints[0]


def test_every_flipped_byte_of_the_manifest_is_recognised_or_harmless(tmp_path: Path) -> None:
    """The manifest has no hash of its own; a change in it must still never give other tensors, nor a crash."""
    (path,) = save(tmp_path, 7)
    manifest = path / "manifest.json"
    data = manifest.read_bytes()
    for place in range(len(data)):
        for bit in (0, 6):
            harmed = bytearray(data)
            harmed[place] ^= 1 << bit
            manifest.write_bytes(bytes(harmed))
            try:
                loaded = checkpoint.load(path)
            except BrokenCheckpointError:
                continue
            assert torch.equal(loaded.weights["w"], of_step(7).weights["w"])


def test_foreign_folders_are_no_checkpoints(tmp_path: Path) -> None:
    foreign = tmp_path / "step-000009"
    foreign.mkdir()
    (foreign / "weights.safetensors").write_bytes(b"hello")
    for text in ("[]", "{}", '{"format": 1}', '{"format": 1, "files": []}', '{"format": "x", "files": {}}', "\x00"):
        (foreign / "manifest.json").write_text(text, encoding="utf-8")
        with pytest.raises(BrokenCheckpointError, match="not a checkpoint of ours"):
            checkpoint.load(foreign)


def test_a_newer_format_is_said(tmp_path: Path) -> None:
    (path,) = save(tmp_path, 1)
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    (path / "manifest.json").write_text(json.dumps({**manifest, "format": 9}), encoding="utf-8")
    with pytest.raises(BrokenCheckpointError, match="format 9"):
        checkpoint.load(path)


def test_only_broken_ones_are_an_error_that_names_them_all_and_none_is_none(tmp_path: Path) -> None:
    assert checkpoint.load_newest(tmp_path) == (None, None, [])
    for path in save(tmp_path, 1, 2):
        flip(path / "weights.safetensors")
    with pytest.raises(UserError) as caught:
        checkpoint.load_newest(tmp_path)
    assert "step-000001" in str(caught.value) and "step-000002" in str(caught.value)


def test_pruning_keeps_the_last_two_and_the_best(tmp_path: Path) -> None:
    paths = save(tmp_path, 1, 2, 3, 4, 5)
    checkpoint.mark_best(tmp_path, paths[1])
    (tmp_path / "step-000006.tmp-1").mkdir()
    checkpoint.prune(tmp_path)
    assert [path.name for path in checkpoint.steps(tmp_path)] == ["step-000002", "step-000004", "step-000005"]
    assert checkpoint.best_path(tmp_path) == paths[1] and not (tmp_path / "step-000006.tmp-1").exists()


def test_steps_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    save(tmp_path, 999_999, 1_000_000, 20)
    assert [path.name for path in checkpoint.steps(tmp_path)] == ["step-000020", "step-999999", "step-1000000"]


@pytest.mark.parametrize("text", ["", "..", "../elsewhere", "/", "step-000009\n", "."])
def test_a_harmed_mark_of_the_best_is_no_best(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (folder / "best").write_text(text, encoding="utf-8")
    assert checkpoint.best_path(folder) is None


def test_a_best_that_is_no_text_is_no_best(tmp_path: Path) -> None:
    (tmp_path / "best").write_bytes(b"\xff\xfe")
    assert checkpoint.best_path(tmp_path) is None


def test_the_same_step_can_be_saved_again(tmp_path: Path) -> None:
    (path,) = save(tmp_path, 3)
    flip(path / "state.json")
    save(tmp_path, 3)
    assert checkpoint.load(path).state["step"] == 3


class Crash(Exception):  # noqa: N818
    """The process ends here: nothing that `save` could do afterwards is done."""


def crash_at(monkeypatch, place: int, error: Exception) -> list[str]:
    """Raises at the n-th call that reaches the disk: fsync of each file and folder, rename, removal."""
    seen: list[str] = []

    def guarded(name, original):
        def call(*arguments, **more):
            seen.append(name)
            if len(seen) == place:
                raise error
            return original(*arguments, **more)

        return call

    monkeypatch.setattr(os, "fsync", guarded("fsync", os.fsync))
    monkeypatch.setattr(Path, "replace", guarded("replace", Path.replace))
    monkeypatch.setattr(Path, "mkdir", guarded("mkdir", Path.mkdir))
    monkeypatch.setattr(checkpoint, "_write", guarded("write", checkpoint._write))
    return seen


def test_a_crash_at_any_stage_of_a_save_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    """Stage by stage until a save gets through; before the rename the earlier one is the newest, after it the new."""
    published_from = None
    for place in range(1, 40):
        folder = tmp_path / str(place)
        folder.mkdir()
        save(folder, 1)
        with pytest.MonkeyPatch.context() as patch:
            seen = crash_at(patch, place, Crash())
            try:
                save(folder, 2)
            except Crash:
                pass
            else:
                break
        kept, path, complaints = checkpoint.load_newest(folder)
        assert kept is not None and path is not None and complaints == [], f"at {place}: {seen}"
        renamed = seen.count("replace") == 1 and seen[-1] != "replace"
        assert kept.state["step"] == (2 if renamed else 1), f"at {place}: {seen}"
        if renamed:
            published_from = published_from or place
        save(folder, 3)  # the next save and its pruning are not disturbed by what lies about
        checkpoint.prune(folder)
        assert checkpoint.load(folder / "step-000003").state["step"] == 3
        assert not list(folder.glob("*.tmp-*"))
    else:
        pytest.fail("no save ever got through")
    assert place > 10, "fewer stages than a save has"
    assert published_from is not None, "no crash fell after the rename"


def test_a_full_disk_at_any_stage_is_said_and_leaves_what_was_there(tmp_path: Path) -> None:
    for place in range(1, 40):
        folder = tmp_path / str(place)
        folder.mkdir()
        save(folder, 1)
        with pytest.MonkeyPatch.context() as patch:
            crash_at(patch, place, OSError(28, "No space left on device"))
            try:
                save(folder, 2)
            except UserError as error:
                said = str(error)
            else:
                break
        kept, _, complaints = checkpoint.load_newest(folder)
        assert kept is not None and complaints == []
        assert "disk is full" in said and str(folder) in said
        assert not list(folder.glob("*.tmp-*")), "a full disk must not be kept full by a half checkpoint"
    assert place > 10


def test_saving_the_same_step_again_never_loses_it(tmp_path: Path) -> None:
    """A rotten or equal one of the same step is replaced; a crash on the way must leave some whole checkpoint."""
    for place in range(1, 40):
        folder = tmp_path / str(place)
        folder.mkdir()
        save(folder, 1)
        with pytest.MonkeyPatch.context() as patch:
            seen = crash_at(patch, place, Crash())
            try:
                save(folder, 1)
            except Crash:
                pass
            else:
                break
        assert checkpoint.load_newest(folder)[0] is not None, f"lost at {place}: {seen}"


def test_optimiser_state_there_and_back_goes_on_equally() -> None:
    def fresh():
        torch.manual_seed(0)
        layer = torch.nn.Conv2d(2, 3, 3).to(memory_format=torch.channels_last)
        return layer, torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9, nesterov=True)

    def step(layer, optimizer, number):
        torch.manual_seed(number)
        optimizer.zero_grad()
        layer(torch.randn(1, 2, 5, 5)).square().sum().backward()
        optimizer.step()

    one, one_optimizer = fresh()
    for number in range(4):
        step(one, one_optimizer, number)
    two, two_optimizer = fresh()
    for number in range(2):
        step(two, two_optimizer, number)
    tensors, weights = checkpoint.flatten_optimizer(two_optimizer), {k: v.clone() for k, v in two.state_dict().items()}
    tensors = {name: value.clone() for name, value in tensors.items()}
    three, three_optimizer = fresh()
    three.load_state_dict(weights)
    checkpoint.restore_optimizer(three_optimizer, tensors)
    for number in range(2, 4):
        step(three, three_optimizer, number)
    assert all(torch.equal(one.state_dict()[name], three.state_dict()[name]) for name in weights)
