"""The split of whole runs: kept when the data grow, given back, the run's own on resume, and shared out in folds."""

from __future__ import annotations

import csv
import json
import shutil
import tomllib
from pathlib import Path

import pytest

import babysit
from babysit.errors import UserError
from babysit.metrics import wilson_interval

QUICK = {"train.epochs": 1, "train.precision": "float32", "train.threads": 1, "model.width": 16}


def parts(run: Path) -> dict[str, str]:
    """Content hash -> part."""
    with (run / "split.csv").open(encoding="utf-8", newline="") as stream:
        return {row["hash"]: row["part"] for row in csv.DictReader(stream)}


def notes(run: Path) -> str:
    return " ".join(json.loads((run / "manifest.json").read_text(encoding="utf-8"))["data"]["notes"])


def test_grown_data_keep_their_parts_and_the_run_its_split(tmp_path: Path, make_folder, picture, cache_home) -> None:
    folder = make_folder(tmp_path / "d", {"a": 20, "b": 20})
    first, again, grown = tmp_path / "first", tmp_path / "again", tmp_path / "grown"
    babysit.train(str(folder), out=first, settings=QUICK)
    babysit.train(str(folder), out=again, settings=QUICK)
    assert (again / "split.csv").read_bytes() == (first / "split.csv").read_bytes() and notes(again) == ""
    assert "split" not in (again / "recipe.toml").read_text(encoding="utf-8").split("[preprocess]")[0]
    for label, name in enumerate("ab"):
        for number in range(20, 33):
            (folder / name / f"{number:03d}.png").write_bytes(picture(label, number))
    babysit.train(str(folder), out=grown, settings=QUICK)
    before, after = parts(first), parts(grown)
    assert len(after) == 66 and all(after[content] == part for content, part in before.items())
    assert sorted(after.values()).count("val") == 14 and "40 images kept the part" in notes(grown)

    # The recipe brings the split along, also where nothing is remembered and the run was moved.
    shutil.rmtree(cache_home / "state")
    moved = grown.rename(tmp_path / "moved")
    rerun = tmp_path / "rerun"
    babysit.train(str(folder), out=rerun, recipe=moved / "recipe.toml")
    assert (rerun / "split.csv").read_bytes() == (moved / "split.csv").read_bytes()
    recipes = [tomllib.loads((run / "recipe.toml").read_text(encoding="utf-8")) for run in (rerun, moved)]
    assert recipes[0] == recipes[1] and recipes[0]["data"]["split"] == "split.csv"

    # On other data it is refused with a way out.
    other = make_folder(tmp_path / "other", {"c": 9, "d": 9}, size=13)
    with pytest.raises(UserError, match=r"none of them is in .*other.* leave --split"):
        babysit.train(str(other), out=tmp_path / "no", recipe=moved / "recipe.toml")


def test_a_resumed_run_reads_its_own_split_whatever_is_remembered(tmp_path: Path, make_folder, picture) -> None:
    folder = make_folder(tmp_path / "d", {"a": 20, "b": 20})
    run = tmp_path / "run"
    babysit.train(str(folder), out=run, settings=QUICK)
    table = (run / "split.csv").read_text(encoding="utf-8")
    header, *lines = table.splitlines()
    swapped = [
        line.replace(",val,", ",test,") if ",val," in line else line.replace(",test,", ",val,") for line in lines
    ]
    order = sorted(swapped, key=lambda line: ["train", "val", "test"].index(line.split(",")[2]))
    (run / "split.csv").write_text("\n".join([header, *order]) + "\n", encoding="utf-8")
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    (run / "manifest.json").write_text(json.dumps({**manifest, "status": "interrupted"}), encoding="utf-8")
    babysit.train(str(folder), out=run, settings=QUICK, resume=True)
    kept = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["data"]["counts"]
    (folder / "a" / "new.png").write_bytes(picture(0, 99))
    (run / "manifest.json").write_text(json.dumps({**manifest, "status": "interrupted"}), encoding="utf-8")
    with pytest.raises(UserError, match=r"0 gone or changed, 1 new or changed; for example a/new\.png"):
        babysit.train(str(folder), out=run, settings=QUICK, resume=True)
    assert kept["test"] == manifest["data"]["counts"]["val"] and kept["val"] == manifest["data"]["counts"]["test"]


def test_folds_are_runs_and_their_mean_and_spread_are_kept(tmp_path: Path, make_folder) -> None:
    folder = make_folder(tmp_path / "d", {"a": 20, "b": 20})
    out = tmp_path / "folds"
    done = babysit.cross_validate(str(folder), out=out, settings={**QUICK, "data.folds": 3})
    kept = json.loads((out / "folds.json").read_text(encoding="utf-8"))
    assert kept.pop("asked")["train.epochs"] == 1 and kept == json.loads(json.dumps(done.as_json()))
    splits = [parts(out / f"fold-{number}") for number in (1, 2, 3)]
    held = [{content for content, part in split.items() if part == "val"} for split in splits]
    tests = [{content for content, part in split.items() if part == "test"} for split in splits]
    assert tests[0] == tests[1] == tests[2] and len(tests[0]) == 8
    assert sorted(map(len, held)) == [10, 11, 11]
    assert len(set.union(*held)) == 32 and not set.union(*held) & tests[0]
    accuracies = [fold.validation["accuracy"] for fold in done.folds]
    assert done.accuracy is not None and done.accuracy.mean == pytest.approx(sum(accuracies) / 3)
    assert (done.accuracy.low, done.accuracy.high) == (min(accuracies), max(accuracies))
    assert done.count == 32 and done.correct == sum(fold.validation["correct"] for fold in done.folds)
    assert done.interval == wilson_interval(done.correct, 32)

    # A fold that was not begun is trained like the others; finished ones stay as they are.
    before = [(out / f"fold-{number}" / "log.jsonl").stat().st_mtime_ns for number in (1, 2)]
    weights = (out / "fold-3" / "predictions" / "val.npz").read_bytes()
    shutil.rmtree(out / "fold-3")
    again = babysit.cross_validate(str(folder), out=out, settings={"data.folds": 3}, resume=True)
    assert [(out / f"fold-{number}" / "log.jsonl").stat().st_mtime_ns for number in (1, 2)] == before
    assert again.folds[2].epochs == 1 and (out / "fold-3" / "predictions" / "val.npz").read_bytes() == weights
    assert again.accuracy == done.accuracy

    # One fold again from its own recipe.
    babysit.train(str(folder), out=tmp_path / "one", recipe=out / "fold-2" / "recipe.toml")
    assert (tmp_path / "one" / "split.csv").read_bytes() == (out / "fold-2" / "split.csv").read_bytes()

    with pytest.raises(UserError, match="not empty"):
        babysit.cross_validate(str(folder), out=out, settings={**QUICK, "data.folds": 3})
    with pytest.raises(UserError, match="one run, not a folder of folds"):
        babysit.cross_validate(str(folder), out=tmp_path / "one", settings={**QUICK, "data.folds": 3})


def test_folds_that_make_no_sense_are_said(tmp_path: Path, make_folder) -> None:
    folder = str(make_folder(tmp_path / "d", {"a": 5, "b": 5}))
    for settings, said in (
        ({"data.folds": 1}, "at least 2"),
        ({"data.fold": 2}, "there is no fold 2"),
        ({"data.folds": 3, "data.fold": 4}, "there is no fold 4"),
    ):
        with pytest.raises(UserError, match=said):
            babysit.train(folder, out=tmp_path / "run", settings=settings)
    with pytest.raises(UserError, match="makes several runs"):
        babysit.train(folder, out=tmp_path / "run", settings={"data.folds": 3})
    with pytest.raises(UserError, match="how many folds"):
        babysit.cross_validate(folder, out=tmp_path / "run")
    with pytest.raises(UserError, match="fill only"):
        babysit.cross_validate(folder, out=tmp_path / "run", settings={"data.folds": 40})


def test_the_command_trains_folds_and_takes_a_split(babysit, tmp_path: Path, make_folder) -> None:
    make_folder(tmp_path / "d", {"a": 9, "b": 9})
    words = ("--epochs", 1, "--set", "train.precision=float32", "--set", "train.threads=1", "--json")
    done = babysit("train", "d", "--folds", 2, "-o", "folds", *words)
    found = json.loads(done.stdout)
    assert done.returncode == 0 and len(found["folds"]) == 2 and len(found["accuracy"]["range"]) == 2
    assert "on average, standard deviation" in done.stderr and "All folds together" in done.stderr
    assert found["pooled"]["count"] == 14
    given = babysit("train", "d", "--split", "folds/fold-2/split.csv", "-o", "given", *words)
    assert given.returncode == 0, given.stderr
    assert (tmp_path / "given/split.csv").read_bytes() == (tmp_path / "folds/fold-2/split.csv").read_bytes()
    assert 'split = "split.csv"' in (tmp_path / "given/recipe.toml").read_text(encoding="utf-8")
    wrong = babysit("train", "d", "--split", "d/a/000.png", "-o", "no")
    assert wrong.returncode == 1 and "not text in UTF-8" in wrong.stderr and "Traceback" not in wrong.stderr
