"""compare, runs and suspects, on runs written by hand."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import babysit
from babysit.api import remove_run
from babysit.cli.app import run as command
from babysit.data.corrections import read_lists
from babysit.errors import UserError
from babysit.recipe import Recipe, render
from babysit.record import predictions
from babysit.record import run as runs


def write_run(path: Path, guesses: list[int], labels: list[int], *, first: int = 0, lr: float = 0.1) -> Path:
    """A run of two classes that has guessed so; image i has the content number first + i."""
    run = runs.create(path)
    recipe = Recipe().replace({"optim.lr": lr, "data.source": "photos", "data.size": 8})
    run.recipe.write_text(render(recipe, {}), encoding="utf-8")
    run.update_manifest(status="finished", data={"source": "photos", "classes": ["cat", "dog"]})
    rows = [
        f"{('cat', 'dog')[label]}/{first + i}.png,{('cat', 'dog')[label]},val,{first + i:032x}"
        for i, label in enumerate(labels)
    ]
    run.split.write_text("\n".join(["path,label,part,hash", *rows, "cat/t.png,cat,test,ff"]) + "\n", encoding="utf-8")
    said = np.array([[0.9, 0.1], [0.1, 0.9]], np.float32)[guesses]
    predictions.write(run, "val", np.arange(len(labels)), np.array(labels), said)
    return path


def test_compare_pairs_images_by_content(tmp_path: Path, capsys) -> None:
    labels = [0, 1] * 10
    one = write_run(tmp_path / "one", labels, labels)
    flipped = [1 - label if place < 8 else label for place, label in enumerate(labels)]
    two = write_run(tmp_path / "two", flipped[2:], labels[2:], first=2, lr=0.2)
    found = babysit.compare(one, two)
    (pair,) = found.pairs
    assert (pair.common, pair.only_first, pair.only_second) == (18, 6, 0) and pair.p == pytest.approx(2 / 2**6)
    assert pair.verdict.startswith(f"{one} is better") and found.settings == {"optim.lr": (0.1, 0.2)}
    assert command(["compare", str(one), str(two), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [row["accuracy"] for row in said["runs"]] == [1.0, 12 / 18] and said["pairs"][0]["p"] == pair.p
    assert command(["compare", str(one), str(two)]) == 0
    assert "optim.lr" in capsys.readouterr().out


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", [0, 1], [0, 1])
    other = write_run(tmp_path / "other", [0, 1], [0, 1], first=50)
    assert "share no validation image" in babysit.compare(one, other).pairs[0].verdict
    relabelled = write_run(tmp_path / "relabelled", [0, 1], [1, 1])
    assert babysit.compare(one, relabelled).pairs[0].common == 1, "a label that differs is not compared"
    for wrong, text in (((one,), "two runs"), ((one, one), "twice"), ((one, tmp_path / "no"), "no run here")):
        with pytest.raises(UserError, match=text):
            babysit.compare(*wrong)


def test_suspects_of_all_folds_can_be_read_back(tmp_path: Path, capsys) -> None:
    for number in (1, 2):
        labels = [0, 1] * 20
        guesses = list(labels)
        guesses[number] = 1 - guesses[number]
        write_run(tmp_path / "run" / f"fold-{number}", guesses, labels, first=100 * number)
    out = tmp_path / "lists" / "suspects.csv"
    assert command(["suspects", str(tmp_path / "run"), "-o", str(out)]) == 0
    assert "2 of 80 labels" in capsys.readouterr().out
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["path"], row["was"], row["label"]) for row in rows] == [
        ("dog/101.png", "dog", "cat"),
        ("cat/202.png", "cat", "dog"),
    ]
    assert read_lists(None, str(out)).relabel.paths == {"dog/101.png": "cat", "cat/202.png": "dog"}
    assert set(read_lists(str(out), None).exclude.paths) == {"dog/101.png", "cat/202.png"}
    assert all(float(row["confidence"]) == pytest.approx(0.8, abs=1e-3) for row in rows)


def test_runs_are_listed_and_removed(tmp_path: Path, capsys, monkeypatch) -> None:
    write_run(tmp_path / "runs" / "one", [0, 1, 1], [0, 1, 0])
    write_run(tmp_path / "runs" / "deep" / "two", [0], [0])
    (tmp_path / "runs" / "photos").mkdir()
    broken = write_run(tmp_path / "runs" / "broken", [0], [0])
    (broken / "manifest.json").write_text("{", encoding="utf-8")
    place = str(tmp_path / "runs")
    assert command(["runs", place, "--json"]) == 0
    listed = {row["name"]: row for row in json.loads(capsys.readouterr().out)["runs"]}
    assert set(listed) == {"one", "deep/two", "broken"} and listed["one"]["accuracy"] == pytest.approx(2 / 3)
    assert (
        listed["one"]["data"] == "photos" and listed["one"]["size"] > 500 and "manifest" in listed["broken"]["problem"]
    )
    assert command(["runs", place]) == 0
    assert "66.7%" in capsys.readouterr().out
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert command(["runs", place, "--remove", "one"]) == 1 and (tmp_path / "runs" / "one").exists()
    assert "--yes" in capsys.readouterr().err
    for name in ("../runs", "photos", "none", "."):
        assert command(["runs", place, "--remove", name, "--yes"]) == 1
    assert command(["runs", place, "--remove", "deep/two", "--yes"]) == 0
    assert not (tmp_path / "runs" / "deep" / "two").exists() and (tmp_path / "runs" / "photos").exists()
    with runs.lock(runs.Run(tmp_path / "runs" / "one")), pytest.raises(UserError, match="another process"):
        remove_run(place, "one")
    assert (tmp_path / "runs" / "one" / "manifest.json").exists()
    assert command(["runs", str(tmp_path / "nowhere")]) == 1
