"""`babysit show --schedule`: what is drawn is what a training takes."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from babysit import api
from babysit.cli.app import run
from babysit.cli.schedules import text
from babysit.figures.blocks import PLAIN, blocks
from babysit.optim.schedules import SCHEDULES
from babysit.record.log import read_log


@pytest.mark.parametrize("kind", SCHEDULES)
def test_every_schedule_is_drawn_with_its_warm_up(kind: str, capsys) -> None:
    words = ["--set", "schedule.warmup=0.2", "--epochs", "10", "--steps-per-epoch", "10", "--json"]
    assert run(["show", "--schedule", kind, *words]) == 0
    [drawn] = json.loads(capsys.readouterr().out)["schedules"]
    factors = [point["factor"] for point in drawn["points"]]
    assert len(factors) == 100 and drawn["warmup"] == 0.2 and drawn["steps"] == 100
    assert factors[0] == pytest.approx(0.001) and max(factors) <= 1
    assert all(later > earlier for earlier, later in itertools.pairwise(factors[:18]))
    assert "learning_rate" not in drawn["points"][0]


def test_the_rates_drawn_are_those_of_a_training(tmp_path: Path) -> None:
    """One-cycle with a warm-up of its own, three epochs of digits: the log's rates, step by step."""
    settings = {"optim.lr": 0.2, "schedule.warmup": 0.4, "schedule.kind": "cosine"}
    made = {"train.precision": "float32", "train.threads": 1, "optim.batch_size": 64}
    threads = torch.get_num_threads()
    done = api.train("digits", out=tmp_path / "run", settings={**settings, **made, "train.epochs": 2})
    torch.set_num_threads(threads)
    [drawn] = api.schedules(["cosine"], settings=settings, epochs=2, steps_per_epoch=done.steps // 2)
    rates = [row.values["learning_rate"] for row in read_log(tmp_path / "run" / "log.jsonl").of("step")]
    assert len(rates) == done.steps
    assert rates == pytest.approx([0.2 * drawn.factor(step) for step in range(done.steps)], rel=1e-12)


def test_several_schedules_share_what_each_uses(tmp_path: Path, capsys) -> None:
    path = tmp_path / "rates.svg"
    words = ["--schedule", "step", "--schedule", "cosine", "--set", "schedule.every=300", "--set", "optim.lr=0.5"]
    assert run(["show", *words, "--picture", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "step over 12 epochs of 100 steps" in shown and str(path) in shown
    rows = [line.split() for line in shown.splitlines() if line[:5].strip().replace(".", "").isdigit()]
    assert ["3.60", "360", "0.05", "0.3969"] in rows
    root = ElementTree.parse(path).getroot()
    space = "{http://www.w3.org/2000/svg}"
    curves = [one for one in root.iter(f"{space}path") if "curve" in one.get("class", "") and "L" in one.get("d", "")]
    words = [one.text for one in root.iter(f"{space}text")]
    assert len(curves) == 2 and "step" in words and "cosine" in words and "learning rate" in words


def test_blocks() -> None:
    assert blocks([0.0, 1e-9, 0.5, 1.0], height=2) == ["   █", " ▁██"]
    assert blocks([1.0, 0.5], height=1, marks=PLAIN) == ["#-"]
    [drawn] = api.schedules(["constant"], epochs=1, steps_per_epoch=2)
    assert all(line.isascii() for line in text([drawn], plain=True))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--schedule", "cosin"], "Did you mean 'cosine'?"),
        (["--schedule", "step", "--set", "schedule.every=2000"], "not within the run's 1,200"),
        (["--schedule", "constant", "--set", "schedule.power=3"], "schedule.power is not used by constant"),
        (["--schedule", "cosine", "--set", "optim.lrr=1"], "there is no setting 'optim.lrr'"),
        (["alexnet", "--schedule", "cosine"], "a schedule and a network"),
        (["--schedule", "cosine", "--epochs", "0"], "not the length of a run"),
        (["--schedule", "cosine", "--epochs", "-3"], "not the length of a run"),
        (["alexnet", "--epochs", "3"], "are a schedule's"),
        ([word for _ in range(6) for word in ("--schedule", "cosine")], "1 to 5"),
    ],
)
def test_what_cannot_be_drawn_is_one_message(words: list[str], said: str, capsys) -> None:
    assert run(["show", *words]) == 1
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error


def test_all_faults_are_said_at_once(capsys) -> None:
    assert run(["show", "--schedule", "cosin", "--schedule", "stp", "--set", "optim.lrr=1"]) == 1
    error = capsys.readouterr().err
    assert "cosin" in error and "stp" in error and error.count("optim.lrr'") == 1
