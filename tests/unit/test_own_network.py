"""A network of the user's own: how it is called, what is refused, and that a run holds on to its file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from babysit import api
from babysit.cli.app import run
from babysit.errors import UserError
from babysit.models import Shape, build_model, name_fault
from babysit.seeds import stream_key

NET = """
from torch import nn

def small(size, classes, width=8):
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(width * size * size, classes))

def fixed():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 10))

def strange(depth):
    return None

def nothing():
    return 3

def failing():
    raise ValueError("too deep")

def leaving():
    raise SystemExit(0)

def two_heads(classes):
    return Two(classes)

class Two(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.linear = nn.Linear(3, classes)
    def forward(self, x):
        scores = self.linear(x.mean((2, 3)))
        return (scores, scores) if self.training else scores
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.py"
    path.write_text(NET, encoding="utf-8")
    return path


@pytest.mark.parametrize("function", ["small", "fixed", "two_heads"])
def test_a_function_gets_what_it_names(net: Path, function: str) -> None:
    network = build_model(f"{net}:{function}", Shape(8, 10, 32), seed=0)
    assert network.eval()(torch.zeros(2, 3, 8, 8)).shape == (2, 10)
    again = build_model(f"{net}:{function}", Shape(8, 10, 32), seed=0)
    assert all(torch.equal(one, two) for one, two in zip(network.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize(
    ("function", "match"),
    [
        ("strange", "strange wants depth"),
        ("nothing", "returned int, not a torch.nn.Module"),
        ("failing", r"net.py:17: ValueError: too deep"),
        ("leaving", r"net.py:20: SystemExit: 0"),
        ("missing", "no function 'missing'.*small, fixed"),
        ("fixed", r"cannot take 3x16x16 images"),
    ],
)
def test_what_is_no_network_is_refused(net: Path, function: str, match: str) -> None:
    with pytest.raises(UserError, match=match):
        build_model(f"{net}:{function}", Shape(16, 10, 32), seed=0)


SICK = {
    "shrinks": "nn.Conv2d(3, 4, 3), nn.MaxPool2d(4), nn.Conv2d(4, 4, 3), nn.MaxPool2d(2)",
    "mismatch": "nn.Conv2d(3, 4, 3), nn.Conv2d(5, 4, 3)",
    "padding": "nn.Conv2d(3, 4, 3, padding=5)",
    "stride": "nn.Conv2d(3, 4, 3, stride=40)",
    "full": "nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(7, 10)",
}


@pytest.mark.parametrize(
    ("sick", "match"),
    [
        ("shrinks", r"layer 3 \(MaxPool2d\): kernel 2 does not fit an input height of 1"),
        ("mismatch", r"layer 1 \(Conv2d\): .*takes 5 channels and is given 4"),
        ("padding", r"layer 0 \(Conv2d\): padding 5 is too large.*Legal: padding 0 to 2"),
        ("stride", r"layer 0 \(Conv2d\): stride 40 is larger than the whole input height of 16"),
        ("full", r"layer 2 \(Linear\): .*takes 7 values an image and is given 784"),
    ],
)
def test_an_impossible_layer_is_named_with_its_numbers(tmp_path: Path, sick: str, match: str) -> None:
    path = tmp_path / "sick.py"
    path.write_text(f"from torch import nn\ndef net():\n    return nn.Sequential({SICK[sick]})\n", encoding="utf-8")
    with pytest.raises(UserError, match=match):
        build_model(f"{path}:net", Shape(16, 10, 32), seed=0)


def test_a_network_of_other_classes_is_refused(net: Path) -> None:
    with pytest.raises(UserError, match=r"scores of shape \(2, 10\). Legal: \(2, 7\)"):
        build_model(f"{net}:fixed", Shape(8, 7, 32), seed=0)


def test_a_file_that_is_broken_or_missing_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("def net(:\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"broken.py: SyntaxError"):
        build_model(f"{broken}:net", Shape(8, 10, 32), seed=0)
    fault = name_fault(f"{tmp_path}/nowhere.py:net", "--model")
    assert fault and "there is no file" in fault.what
    assert "not the name of a function" in name_fault(f"{broken}:no name").what


def test_a_run_keeps_to_its_file(net: Path, tmp_path: Path, picture) -> None:
    settings = {"model.name": f"{net}:small", "train.epochs": 1, "train.precision": "float32", "train.threads": 1}
    done = api.train("digits", out=tmp_path / "run", settings=settings)
    assert done.validation["accuracy"] > 0.3
    recipe = (tmp_path / "run" / "recipe.toml").read_text(encoding="utf-8")
    assert str(net) in recipe and "file_hash" in recipe
    images = [picture(0, 0)]
    assert not next(iter(api.predict(tmp_path / "run", images))).error
    assert api.summarize(str(tmp_path / "run")).parameters == 3 * 9 * 8 + 8 + 8 * 64 * 10 + 10
    net.write_text(NET + "\n# changed\n", encoding="utf-8")
    for use in (api.load, lambda run: api.summarize(str(run)), lambda run: api.predict(run, images)):
        with pytest.raises(UserError, match="changed since the run began"):
            use(tmp_path / "run")
    manifest = tmp_path / "run" / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"finished"', '"interrupted"'), encoding="utf-8")
    with pytest.raises(UserError, match="changed since the run began"):
        api.train("digits", out=tmp_path / "run", resume=True)
    net.unlink()
    with pytest.raises(UserError, match="cannot be read"):
        api.load(tmp_path / "run")


def test_a_width_is_refused_where_it_would_do_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"model.width is quick's; convnet has widths of its own"):
        api.dry_run("digits", settings={"model.name": "convnet", "model.width": 32})


# ---------------------------------------------------------------- timm


def test_without_timm_the_message_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UserError, match=r"pip install 'babysit\[timm\]'|cannot be imported"):
        build_model("timm/resnet18", Shape(32, 10, 32), seed=0)


def test_timm_is_asked_for_a_network_without_its_weights(monkeypatch) -> None:
    """With a stand-in for timm, which imports torchvision, which has no build beside a processor's torch."""
    asked = []

    def create_model(name: str, **given: object) -> nn.Module:
        asked.append((name, given))
        return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))

    stand_in = SimpleNamespace(create_model=create_model, list_models=lambda: ["resnet18"], __version__="1.0.0")
    monkeypatch.setitem(sys.modules, "timm", stand_in)
    assert isinstance(build_model("timm/resnet18", Shape(32, 10, 32), seed=0), nn.Module)
    assert asked == [("resnet18", {"pretrained": False, "num_classes": 10, "in_chans": 3})]
    with pytest.raises(UserError, match=r"Did you mean 'timm/resnet18'\?"):
        build_model("timm/resnet8", Shape(32, 10, 32), seed=0)


def test_an_unknown_model_names_every_way(capsys) -> None:
    assert run(["show", "alexnt"]) == 1
    said = capsys.readouterr().err
    assert "Did you mean 'alexnet'?" in said and "timm/NAME" in said and "file.py:name" in said


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("{'logits': scores}", "gives a dict of 'logits' in training, not scores"),
        ("scores if not self.training else {'logits': scores}", "gives a dict of 'logits' in training, not scores"),
        ("(scores, 'words')", "gives a tuple of Tensor, str in training, not scores"),
        ("()", "gives a tuple of nothing in training, not scores"),
        ("None if not self.training else scores", "gives NoneType, not scores"),
    ],
)
def test_what_is_no_scores_is_refused_in_training_and_in_prediction(tmp_path: Path, returned: str, said: str) -> None:
    path = tmp_path / "net.py"
    path.write_text(NET.replace("return (scores, scores) if self.training else scores", f"return {returned}"))
    with pytest.raises(UserError, match=said):
        build_model(f"{path}:two_heads", Shape(8, 10, 0), seed=0)


def test_trying_a_network_leaves_its_statistics_and_the_random_stream_alone(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(
        "from torch import nn\n"
        "def net(classes):\n"
        "    return nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(), nn.Flatten(), nn.Linear(192, classes))\n"
    )
    network = build_model(f"{path}:net", Shape(8, 10, 0), seed=0)
    after = torch.rand(1)
    torch.manual_seed(stream_key(0, "init") % 2**63)
    nn.Linear(192, 10)
    assert torch.equal(after, torch.rand(1))
    assert network.get_buffer("0.num_batches_tracked") == 0
    assert network.training


def test_what_a_network_prints_is_not_among_the_json(tmp_path: Path, capsys) -> None:
    path = tmp_path / "net.py"
    path.write_text(
        "from torch import nn\nclass Loud(nn.Linear):\n    def forward(self, x):\n        print('I see', len(x))\n"
        "        return super().forward(x.flatten(1))\ndef net(classes):\n    return Loud(192, classes)\n"
    )
    assert run(["show", f"{path}:net", "--input", "8", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["totals"]["parameters"] == 1930
    assert "I see 2" in said.err
    assert run(["show", f"{path}:missing", "--json"]) == 1
    assert "there is no function" in json.loads(capsys.readouterr().out)["error"]


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (
            "nn.Conv2d(3, 4, 3), nn.Conv2d(5, 4, 3)",
            r"layer 1 \(Conv2d\): .*3x8x8 images: the layer takes 5 channels and is given 4",
        ),
        (
            "nn.Flatten(), nn.Linear(77, 10)",
            r"layer 1 \(Linear\): .*the layer takes 77 values an image and is given 192",
        ),
    ],
)
def test_layers_that_do_not_meet_are_refused_with_their_name_and_numbers(
    tmp_path: Path, layers: str, said: str
) -> None:
    path = tmp_path / "net.py"
    path.write_text(f"from torch import nn\ndef net():\n    return nn.Sequential({layers})\n")
    with pytest.raises(UserError, match=said):
        build_model(f"{path}:net", Shape(8, 10, 0), seed=0)


def test_layers_that_take_their_sizes_from_the_first_images_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    inner = "nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(classes)"
    path.write_text(f"from torch import nn\ndef net(classes):\n    return nn.Sequential({inner})\n")
    network = build_model(f"{path}:net", Shape(8, 10, 0), seed=0)
    assert network(torch.zeros(2, 3, 8, 8)).shape == (2, 10)
