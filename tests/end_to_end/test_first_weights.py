"""First weights from a file: loaded, said, recorded by hash, moved or not, and not needed any more to go on."""

from __future__ import annotations

import os
import signal
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import babysit
from babysit import checkpoint
from babysit.errors import InterruptedTraining, UserError
from babysit.models import MODELS, Shape
from babysit.recipe import read_resolved
from babysit.show import Silent, StepShown
from babysit.training.first_weights import fingerprint, read_state

SETTINGS: dict[str, object] = {"model.name": "resnet18", "data.size": 8, "train.steps": 6, "train.precision": "float32"}
SETTINGS |= {"train.threads": 1, "watch.probes": False}
HEAD = ("fc.weight", "fc.bias")


def published(classes: int = 1000, model: str = "resnet18") -> dict[str, torch.Tensor]:
    """A state dict in torchvision's layout (tests/unit/test_published.py), made up."""
    generator = torch.Generator().manual_seed(5)
    with torch.device("meta"):
        network = MODELS[model](Shape(224, classes, 0))
    made = {}
    for name, value in network.state_dict().items():
        drawn = (
            torch.randn(value.shape, generator=generator) * (2 / max(1, value[0].numel() if value.ndim else 1)) ** 0.5
        )
        made[name] = (
            torch.tensor(9) if name.endswith("tracked") else drawn if value.ndim > 1 else drawn.abs() * 0.1 + 0.5
        )
    return made


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A .pth file of a thousand classes."""
    torch.save(published(), tmp_path / "resnet18.pth")
    return tmp_path / "resnet18.pth"


def trained(out: Path, weights: Path | str, *, show=None, resume: bool = False, **changes: object):
    settings = SETTINGS if resume else {**SETTINGS, "model.weights": str(weights), **changes}
    return babysit.train("digits", out=out, settings=settings, anyway=True, show=show, resume=resume)


def kept(run: Path) -> dict[str, torch.Tensor]:
    loaded = checkpoint.load_newest(run / "checkpoints")[0]
    assert loaded is not None
    return dict(loaded.weights)


def test_the_classifier_alone_is_trained_when_the_body_s_rate_is_0(tmp_path: Path, weights: Path) -> None:
    trained(tmp_path / "run", weights, **{"optim.body_rate": 0.0})
    state, after = published(), kept(tmp_path / "run")
    body = [name for name in after if name not in HEAD]
    assert len(body) == len(state) - 2 and all(torch.equal(after[name], state[name]) for name in body)
    assert after["fc.weight"].shape == (10, 512)
    recipe = read_resolved(tmp_path / "run" / "recipe.toml")
    assert recipe.model.weights == str(weights) and recipe.model.weights_hash == fingerprint(weights)
    told = (tmp_path / "run" / "recipe.toml").read_text(encoding="utf-8")
    assert "122 tensors of resnet18.pth; fc begins anew, the file has none of its shape" in told
    predicted = babysit.load(tmp_path / "run")
    assert predicted is not None, "the network is built again without the file's normalisations being fixed"


def test_all_layers_move_and_the_body_less(tmp_path: Path, weights: Path) -> None:
    begun, moved = published(), {}
    for rate in (0.1, 1.0):
        trained(tmp_path / str(rate), weights, **{"optim.body_rate": rate, "train.steps": 1, "optim.kind": "sgd"})
        after = kept(tmp_path / str(rate))
        moved[rate] = {name: float((after[name] - begun[name]).float().norm()) for name in after if name not in HEAD}
        moved[rate]["head"] = float(after["fc.weight"].norm())
    assert moved[0.1]["head"] == moved[1.0]["head"]
    name = "layer3.0.conv1.weight"
    assert moved[1.0][name] > 0 and moved[0.1][name] == pytest.approx(0.1 * moved[1.0][name], rel=1e-3)


def test_by_rule_few_images_train_the_classifier_alone(tmp_path: Path, weights: Path, make_folder) -> None:
    folder = make_folder(tmp_path / "pictures", {"a": 30, "b": 30, "c": 30})
    text = babysit.api.running.dry_run(str(folder), settings={"model.name": "resnet18", "model.weights": str(weights)})
    assert "body_rate = 0.0  # by rule" in text and 'kind = "network"  # by rule: the file gives them' in text
    text = babysit.api.running.dry_run("digits", settings={"model.name": "resnet18", "model.weights": str(weights)})
    assert "body_rate = 0.1  # by rule" in text


class StopAt(Silent):
    """Ctrl-C after a step."""

    def __init__(self, step: int) -> None:
        self.at = step

    def step(self, shown: StepShown) -> None:
        if shown.step == self.at:
            os.kill(os.getpid(), signal.SIGINT)


def test_a_stopped_run_goes_on_to_the_same_bits_without_the_file(tmp_path: Path, weights: Path) -> None:
    trained(tmp_path / "whole", weights)
    with pytest.raises(InterruptedTraining):
        trained(tmp_path / "cut", weights, show=StopAt(3))
    weights.unlink()
    trained(tmp_path / "cut", weights, resume=True)
    whole, cut = kept(tmp_path / "whole"), kept(tmp_path / "cut")
    assert all(torch.equal(value, cut[name]) for name, value in whole.items())


def test_another_run_s_network_can_be_the_start_with_its_classifier(tmp_path: Path, weights: Path) -> None:
    first = trained(tmp_path / "first", weights).run
    trained(tmp_path / "second", first, **{"optim.lr": 0.0, "regularize.l2": 0.0, "train.steps": 1})
    told = (tmp_path / "second" / "recipe.toml").read_text(encoding="utf-8")
    assert "122 tensors of weights.safetensors" in told and "begins anew" not in told
    before = checkpoint.load(checkpoint.best_path(first / "checkpoints")).weights
    assert torch.equal(kept(tmp_path / "second")["fc.weight"], before["fc.weight"])


def test_a_changed_file_is_not_taken_again(tmp_path: Path, weights: Path) -> None:
    trained(tmp_path / "run", weights, **{"train.steps": 1})
    torch.save(published(10), weights)
    recipe = tmp_path / "run" / "recipe.toml"
    with pytest.raises(UserError, match="file of these weights has changed since the run began"):
        babysit.train("digits", out=tmp_path / "again", recipe=recipe, anyway=True)


def compressed(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 100_000)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: path.write_bytes(b"not weights at all"), "the weights cannot be read"),
        (lambda path: path.write_bytes(b""), "the weights cannot be read"),
        (lambda path: path.write_bytes(b"PK\x03\x04 cut"), "the weights cannot be read"),
        (lambda path: torch.save(nn.Linear(2, 2), path), "holds objects besides tensors, which are not built"),
        (lambda path: torch.save({"epoch": 3, "note": "a"}, path), "holds no weights by name"),
        (lambda path: torch.save([torch.zeros(2)], path), "holds no weights by name"),
        (compressed, "compressed archive, which torch.save does not write"),
        (
            lambda path: torch.save(published(model="resnet34"), path),
            "do not fit resnet18: the file has layer1.2.conv1.weight",
        ),
        (
            lambda path: save_file({"conv1.weight": torch.zeros(64, 3, 7, 7)}, path),
            "do not fit resnet18: the file lacks bn1.weight",
        ),
        (
            lambda path: torch.save({**published(), "conv1.weight": torch.zeros(64, 1, 7, 7)}, path),
            r"conv1.weight has shape \(64, 1, 7, 7\), the network's has \(64, 3, 7, 7\)",
        ),
    ],
)
def test_a_file_that_is_not_these_weights_is_refused_in_one_message(tmp_path: Path, write, said: str) -> None:
    path = tmp_path / "weights.file"
    write(path)
    with pytest.raises(UserError, match=said) as error:
        trained(tmp_path / "run", path)
    assert str(path) in str(error.value) and not (tmp_path / "run").exists()


@pytest.mark.parametrize("wrapped", ["state_dict", "module."])
def test_what_training_scripts_keep_is_understood(tmp_path: Path, wrapped: str) -> None:
    state = {"fc.weight": torch.ones(2, 3), "fc.bias": torch.zeros(2)}
    inside = (
        {"epoch": 3, "state_dict": state} if wrapped == "state_dict" else {f"module.{k}": v for k, v in state.items()}
    )
    torch.save(inside, tmp_path / "file.pth")
    assert {name: value.tolist() for name, value in read_state(tmp_path / "file.pth").items()} == {
        name: value.tolist() for name, value in state.items()
    }


def test_settings_that_contradict_it_are_refused_together(tmp_path: Path) -> None:
    asked = {**SETTINGS, "optim.body_rate": 0.5, "model.weights_hash": "0" * 64}
    with pytest.raises(UserError) as error:
        babysit.train("digits", out=tmp_path / "run", settings=asked)
    assert "optim.body_rate is given and no weights" in str(error.value)
    with pytest.raises(UserError) as error:
        trained(tmp_path / "run", tmp_path / "nowhere.pth", **{"init.kind": "he"})
    assert f"there is no file {tmp_path}/nowhere.pth" in str(error.value)
    assert "so init.kind he would be passed over" in str(error.value)
    with pytest.raises(UserError, match="is a folder, and not of a run"):
        trained(tmp_path / "run", tmp_path)
