"""The lecture's experiments, reduced to `digits`: each runs, holds what it claims, and leaves its table and its figure."""

from __future__ import annotations

import importlib
import importlib.util
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

FOLDER = Path(__file__).parents[2] / "examples" / "lecture"
EXPERIMENTS = sorted(FOLDER.glob("[0-9][0-9]_*.py"))


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return tmp_path_factory.mktemp("lecture")


@pytest.fixture(autouse=True)
def one_cache(places, monkeypatch):
    """`digits` are decoded once for all experiments."""
    monkeypatch.setenv("BABYSIT_CACHE", str(places / "cache"))
    monkeypatch.syspath_prepend(str(FOLDER))


def load(path: Path):
    spec = importlib.util.spec_from_file_location(f"lecture_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", EXPERIMENTS, ids=[path.stem for path in EXPERIMENTS])
def test_experiment_holds_on_digits(path, places, capsys):
    module = load(path)
    status = module.run(module.main, str(path), module.__doc__, ["--data", "digits", "--out", str(places)])
    said = capsys.readouterr()
    assert status == 0, said.err
    number = int(path.stem[:2])
    assert said.out.startswith(f"{number}. ")
    assert "the lecture" in said.out and "Holds: " in said.out
    table = (places / f"{path.stem}.md").read_text(encoding="utf-8")
    assert table.strip() in said.out and len(table.splitlines()) > 3
    assert "nan" not in table
    figure = ET.parse(places / f"{path.stem}.svg").getroot()
    drawn = [one for one in figure.iter() if one.tag.endswith(("path", "image"))]
    assert len(drawn) > 1
    assert "nan" not in (places / f"{path.stem}.svg").read_text(encoding="utf-8").lower().split("base64")[0]


def test_they_are_numbered_and_short():
    assert [int(path.stem[:2]) for path in EXPERIMENTS] == list(range(1, 19))
    assert all(len(path.read_text(encoding="utf-8").splitlines()) <= 120 for path in EXPERIMENTS)


def test_a_claim_that_does_not_hold_fails_the_command_and_is_said(places, capsys):
    lecture = importlib.import_module("lecture")

    def wrong(page):
        page.line("two and two", "4", "5")
        page.figure([])
        page.claim(True, "numbers are numbers")
        page.claim(2 + 2 == 5, "two and two is five")

    status = lecture.run(wrong, "99_wrong.py", "99. Wrong.", ["--data", "digits", "--out", str(places)])
    said = capsys.readouterr()
    assert status == 1
    assert said.err == "99_wrong: does not hold: two and two is five\n"
    assert "| two and two | 4           | 5    |" in said.out and "Holds" not in said.out


def test_images_that_are_not_there_are_said(places, capsys):
    lecture = importlib.import_module("lecture")
    status = lecture.run(
        lambda page: page.session(lecture.LECTURE), "99_none.py", "None.", ["--data", "no.zip", "--out", str(places)]
    )
    said = capsys.readouterr()
    assert status == 1
    assert "no.zip" in said.err and "Traceback" not in said.err


def test_a_network_without_a_name_begins_as_it_is_made_with_images_of_cifar10s_size(tmp_path):
    lecture = importlib.import_module("lecture")
    colours = np.random.default_rng(0).integers(0, 256, (60, 32, 32, 3), np.uint8)
    for number, colour in enumerate(colours):
        place = tmp_path / "images" / "abc"[number % 3] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(colour).save(place)
    made = []

    def network(shape):
        made.append(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 30 * 30, shape.classes)))
        made.append([one.detach().clone() for one in made[0].parameters()])
        return made[0]

    page = lecture.Page("99", "None", str(tmp_path / "images"), tmp_path)
    session = page.session({**lecture.ALONE, "model.name": "quick", "train.epochs": 1}, network=network)
    assert session.recipe.data.size == 32
    kept = [one.cpu() for one in session.model.parameters()]
    assert all(map(torch.equal, kept, made[1]))
