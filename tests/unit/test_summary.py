"""`show`: its counts against PyTorch's own counter, its receptive fields against gradients, and what it prints."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from babysit import api
from babysit.api.showing import picture, read_image
from babysit.cli.app import run
from babysit.errors import UserError
from babysit.figures.volumes import Box, merged, volumes
from babysit.layers.geometry import Volume
from babysit.models import MODELS, Shape
from babysit.models.inception import MODULES, Inception
from babysit.models.resnet import BasicBlock
from babysit.models.summary import summarize
from babysit.models.trace import follow

ALEXNET = [150_528, 253_440, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]


@pytest.mark.parametrize("name", [name for name in MODELS if name != "local"])
def test_multiply_adds_are_pytorchs_flops_halved(name: str) -> None:
    """PyTorch's counter sees the matrix products themselves; locally connected layers are not known to it."""
    one = MODELS[name]
    size = max(one.smallest, 64)
    with torch.device("meta"):
        network = one(Shape(size, 7, 16))
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network.eval()(torch.zeros(1, 3, size, size))
    summary = summarize(network, name, Volume(3, size, size))
    assert 2 * summary.multiply_adds == counter.get_total_flops()
    assert summary.parameters == sum(parameter.numel() for parameter in network.parameters())
    assert sum(row.facts.parameters for row in summary.rows) == summary.parameters and summary.classes == 7


@pytest.mark.parametrize("name", MODELS)
def test_integers_agree_with_what_was_seen(name: str) -> None:
    """The output that the geometry computes from the windows is the one the layer gave."""
    from babysit.layers.geometry import output_size

    one = MODELS[name]
    summary = api.summarize(name, image=f"3x{max(one.smallest, 50)}x{max(one.smallest, 50)}")
    for row in summary.rows:
        facts = row.facts
        spread = facts.output.height > facts.input.height and facts.kind == "average pooling"  # onto a larger map
        if facts.windows and facts.output.height > 1 and not spread:
            sizes = (facts.input.height, facts.input.width)
            computed = tuple(output_size(size, window) for size, window in zip(sizes, facts.windows, strict=True))
            assert computed == (facts.output.height, facts.output.width), facts.name


def test_a_locally_connected_layer_has_its_row() -> None:
    first = api.summarize("local").rows[0]
    assert first.facts.kind == "locally connected" and first.facts.multiply_adds == 10 * 32 * 32 * 27
    assert first.receptive_field == (3, 3) and first.facts.parameters == 286_720


def plain(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers)


FIELDS = {
    "chain": lambda: plain(nn.Conv2d(1, 2, 5, stride=2, padding=1), nn.MaxPool2d(3, 2), nn.Conv2d(2, 1, 3, padding=2)),
    "dilated": lambda: plain(nn.Conv2d(1, 2, 3, dilation=3, padding=2), nn.AvgPool2d(2), nn.Conv2d(2, 1, (1, 5))),
    "residual": lambda: plain(BasicBlock(1, 2, 2), BasicBlock(2, 2, 1)),
    "inception": lambda: plain(
        nn.AvgPool2d(2), Inception(1, MODULES["3a"], lambda i, o, k: nn.Conv2d(i, o, k, padding=k // 2), large=5)
    ),
}


@pytest.mark.parametrize("name", FIELDS)
def test_receptive_fields_are_where_gradients_are(name: str) -> None:
    """Second author: the pixels whose gradient is not zero, for one output in the middle of a large image."""
    network = FIELDS[name]().double().eval()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.uniform_(layer.weight, 0.5, 1.0)
        if isinstance(layer, nn.MaxPool2d):  # a maximum sees one pixel at a time; its window is that of the mean
            layer.forward = lambda x, one=layer: nn.functional.avg_pool2d(x, one.kernel_size, one.stride, one.padding)
    image = torch.rand(1, 1, 64, 64, dtype=torch.float64, requires_grad=True)
    output = network(image)
    output[0, :, output.shape[2] // 2, output.shape[3] // 2].sum().backward()
    assert image.grad is not None
    rows, columns = image.grad[0, 0].nonzero(as_tuple=True)
    seen = (int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1)
    last = follow(FIELDS[name]().to("meta").eval(), (1, 64, 64)).calls[-1]
    if name == "inception":
        last = max(
            follow(FIELDS[name]().to("meta").eval(), (1, 64, 64)).calls, key=lambda call: call.sight.fields[0].size
        )
    assert (last.sight.fields[0].size, last.sight.fields[1].size) == seen


def test_what_training_keeps_is_counted_per_image() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 2)).to("meta")
    summary = summarize(network, "net", Volume(3, 8, 8))
    assert summary.kept_bytes == 4 * (3 * 64 + 4 * 36), "the image for the filters, the ReLU's output for all behind it"
    assert summary.prediction_bytes == 4 * (3 * 64 + 4 * 36)


def test_alexnet_stands_beside_its_paper(capsys) -> None:
    assert run(["show", "alexnet", "--input", "3x224x224", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [row["paper"] for row in said["paper"]] == ALEXNET
    differing = [row["layer"] for row in said["paper"] if row["neurons"] != row["paper"]]
    assert differing == ["conv1"] and all("conjecture" in row["remark"] for row in said["paper"] if row["remark"])
    assert said["totals"]["neurons"] == 659_272 and said["totals"]["parameters"] == 60_965_224
    first = said["layers"][0]
    assert first["output"] == [96, 55, 55] and first["kernel"] == [11, 11] and first["padding"] == [2, 2]
    assert any("224 + 2 x 2 - 11" in note for note in said["notes"])
    assert run(["show", "alexnet", "--input", "227"]) == 0
    text = capsys.readouterr().out
    assert "290,400   253,440" in text and "154,587   150,528" in text and "Note" not in text


def test_auxiliary_heads_are_marked(capsys) -> None:
    assert run(["show", "googlenet", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["totals"]["parameters"] == 13_378_280 and said["totals"]["parameters_in_prediction"] == 6_998_552
    assert {row["name"].split(".")[0] for row in said["layers"] if row["training_only"]} == {"aux1", "aux2"}


def test_the_models_are_listed(capsys) -> None:
    assert run(["show", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)["models"]] == list(MODELS)
    assert run(["show"]) == 0
    assert all(name in capsys.readouterr().out for name in ["resnet50"])


def test_time_is_measured(capsys) -> None:
    assert run(["show", "convnet", "--time", "--json"]) == 0
    time = json.loads(capsys.readouterr().out)["time"]
    assert 0 < time["prediction_seconds"] < 60 and 0 < time["training_seconds"] < 60
    assert set(time["layer_seconds"]) >= {"conv1_1", "classifier"}
    assert run(["show", "convnet", "--time"]) == 0 and "ms per image forward" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (
            ["show", "vgg16", "--input", "3x16x16"],
            "--input: vgg16 takes images of 32 pixels and more, not 16. Give --input 3x32x32 or larger",
        ),
        (["show", "vgg16", "--input", "3x224x200"], "square"),
        (["show", "vgg16", "--input", "3x0x0"], "not the shape of an image"),
        (["show", "vgg16", "--input", "big"], "not the shape of an image"),
        (["show", "vgg16", "--classes", "0"], "--classes is 0"),
        (
            ["show", "linear", "--picture", "net.png"],
            "--picture: the picture is an SVG file, and net.png says another kind",
        ),
        (["show", "--schedule", "step", "--picture", "net"], "Legal: FILE.svg"),
        (["show", "vgg16", "--model", "vgg11"], "two models"),
        (["show", "--classes", "3"], "no model is given"),
        (["show", "/tmp"], "not a babysit run"),
        (["show", "nowhere.py:net"], "there is no file"),
    ],
)
def test_what_cannot_be_shown_is_one_message(words: list[str], match: str, capsys) -> None:
    assert run(words) == 1
    error = capsys.readouterr().err
    assert match in error and "Traceback" not in error


def test_images_as_written() -> None:
    assert read_image("1X28x28") == (1, 28) and read_image("32") == (3, 32)
    with pytest.raises(UserError):
        read_image("3x28")


# ---------------------------------------------------------------- the picture


def test_the_picture_is_to_scale(tmp_path: Path, capsys) -> None:
    path = tmp_path / "net.svg"
    assert run(["show", "alexnet", "--picture", str(path), "--quiet"]) == 0 and capsys.readouterr().out == ""
    root = ElementTree.parse(path).getroot()
    space = "{http://www.w3.org/2000/svg}"
    words = [text.text for text in root.iter(f"{space}text")]
    assert "conv1" in words and "96x55x55" in words and "4096" in words
    fronts = [path.get("d", "") for path in root.iter(f"{space}path")][::3]
    sizes = []
    for front in fronts:  # M left floor V top H right V floor Z
        left, rest = front[1:].split(" ", 1)
        floor, rest = rest.split("V", 1)
        top, rest = rest.split("H", 1)
        sizes.append((float(rest.split("V")[0]) - float(left), float(floor) - float(top)))
    channels, heights = zip(*sizes, strict=True)
    assert heights[0] / heights[1] == pytest.approx(224 / 55, rel=0.01)
    assert channels[1] / channels[3] == pytest.approx(96 / 256, rel=0.02)
    bars = [float(bar.get("height", "")) for bar in list(root.iter(f"{space}rect"))[1:]]
    assert len(bars) == 3 and bars[0] / bars[2] == pytest.approx(4.096, rel=0.01)


def test_names_are_escaped_and_many_volumes_are_joined() -> None:
    assert "&lt;b&gt;" in volumes([Box("<b>", 3, 8, 8), Box("end", 5, 1, 1)], "a & b")
    assert [box.count for box in merged([Box("a", 1, 2, 2)] * 3 + [Box("b", 2, 2, 2)])] == [3, 1]
    assert " x4" in picture(api.summarize("vgg19")) or len(api.summarize("vgg19").blocks) <= 24


def test_a_picture_finds_or_makes_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "linear", "--picture", str(tmp_path / "new" / "linear.svg"), "--quiet"]) == 0
    assert (tmp_path / "new" / "linear.svg").read_text(encoding="utf-8").startswith("<svg")
    (tmp_path / "folder.svg").mkdir()
    assert run(["show", "linear", "--picture", str(tmp_path / "folder.svg")]) == 1
    assert "the picture could not be written (Is a directory)" in capsys.readouterr().err


def test_timing_takes_what_fits_into_memory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("babysit.api.showing.free_memory", lambda _: 100_000)
    assert run(["show", "convnet", "--time"]) == 1
    assert "convnet with 2 images needs" in capsys.readouterr().err
    monkeypatch.setattr("babysit.api.showing.free_memory", lambda _: 4_000_000)
    assert run(["show", "convnet", "--time", "--json"]) == 0
    assert 2 <= json.loads(capsys.readouterr().out)["time"]["images"] < 16


def test_a_layer_applied_twice_has_its_time_once(tmp_path: Path, capsys) -> None:
    """All its time is measured under one name; on both rows it would count twice."""
    path = tmp_path / "net.py"
    path.write_text(
        "from torch import nn\ndef net(channels, classes):\n    twice = nn.Conv2d(channels, channels, 3, padding=1)\n"
        "    return nn.Sequential(nn.Sequential(twice), nn.Sequential(twice), nn.Flatten(), nn.LazyLinear(classes))\n"
    )
    assert run(["show", f"{path}:net", "--input", "8", "--time"]) == 0
    first, second = (line.split() for line in capsys.readouterr().out.splitlines() if "convolution" in line)
    assert len(second) == len(first) - 2  # neither parameters nor a time
