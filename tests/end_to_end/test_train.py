"""The command as a user meets it: each call a process of its own."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from babysit import checkpoint
from babysit.record.log import read_log

FLOAT = ("--set", "train.precision=float32")


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """One finished run of digits, and what the command printed. Tests must not change it."""
    import sys

    home = tmp_path_factory.mktemp("trained")
    environment = {
        **os.environ,
        "BABYSIT_CACHE": str(home / "cache"),
        "BABYSIT_STATE": str(home / "state"),
        "OMP_NUM_THREADS": "1",
    }
    words = [
        sys.executable,
        "-m",
        "babysit",
        "train",
        "digits",
        "-o",
        "run",
        "--epochs",
        "2",
        "--json",
        "--profile",
        *FLOAT,
    ]
    done = subprocess.run(words, cwd=home, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return home / "run", done


def test_train_prints_one_json_object_and_nothing_else(trained) -> None:
    run, done = trained
    assert done.stdout.count("\n") == 1
    said = json.loads(done.stdout)
    assert {"run", "validation", "epochs", "steps", "seconds", "images_per_second", "diagnoses"} <= set(said)
    scores = said["validation"]
    assert {"accuracy", "loss", "interval", "per_class", "most_confused", "count", "correct"} <= set(scores)
    low, high = scores["interval"]
    assert 0.8 < low < scores["accuracy"] < high < 1 and scores["correct"] / scores["count"] == scores["accuracy"]
    assert said["epochs"] == 2 and said["steps"] == 66 and said["diagnoses"] == [] and said["images_per_second"] > 0
    assert (run.parent / said["run"]).samefile(run)


def test_the_times_account_for_the_wall_clock(trained) -> None:
    _, done = trained
    said = json.loads(done.stdout)
    named = sum(seconds for name, seconds in said["times"].items() if name != "other")
    assert named >= 0.9 * sum(said["times"].values())
    assert sum(said["times"].values()) == pytest.approx(said["seconds"], abs=3.0)
    assert {"forward", "backward", "update", "evaluate", "checkpoint", "decode"} <= set(said["times"])


def test_the_run_directory_is_complete(trained) -> None:
    run, _ = trained
    names = {path.name for path in run.iterdir()} - {".lock"}
    wanted = {
        "recipe.toml",
        "split.csv",
        "log.jsonl",
        "environment.json",
        "manifest.json",
        "report.html",
        "checkpoints",
        "predictions",
    }
    assert wanted <= names and not [name for name in names if "tmp" in name]
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "finished" and len(manifest["data"]["classes"]) == 10
    assert 2 <= len(checkpoint.steps(run / "checkpoints")) <= 3
    assert [row.step for row in read_log(run / "log.jsonl").of("step")] == list(range(1, 67))


def test_the_report_needs_nothing_from_elsewhere(trained) -> None:
    run, _ = trained
    page = (run / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//""", page, re.IGNORECASE)
    assert not re.findall(r"""url\(\s*["']?(?:https?:)?//|@import""", page, re.IGNORECASE)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert page.count("<script") == 1 and f"script-src 'sha256-{digest}'" in page, "only our own script may run"
    assert "<link" not in page and "<svg" in page and "data:image/png;base64," in page


def write_pictures(folder: Path, png) -> list[str]:
    from sklearn.datasets import load_digits

    folder.mkdir()
    digits = load_digits()
    for place in range(4):
        (folder / f"{place}.png").write_bytes(png(digits.images[place] * 255 / 16))
    (folder / "bad.png").write_text("words", encoding="utf-8")
    return [f"new/{name}" for name in ("0.png", "bad.png", "1.png", "2.png", "3.png")]


def test_predict_as_json_csv_and_table(trained, babysit, tmp_path: Path, png) -> None:
    run, _ = trained
    files = write_pictures(tmp_path / "new", png)
    done = babysit("predict", run, *files, "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["predictions"]
    assert [row["file"] for row in rows] == files
    assert set(rows[1]) == {"file", "error"} and "known format" in rows[1]["error"]
    assert [row["class"] for row in rows if "class" in row] == ["0", "1", "2", "3"]
    for row in (row for row in rows if "top" in row):
        assert len(row["top"]) == 3 and row["top"][0]["probability"] == row["probability"]
        assert sorted((one["probability"] for one in row["top"]), reverse=True) == [
            one["probability"] for one in row["top"]
        ]

    table = babysit("predict", run, "new", "--csv", "--top", "2")
    lines = list(csv.reader(io.StringIO(table.stdout)))
    assert table.returncode == 0 and len(lines) == 6 and len({len(line) for line in lines}) == 1
    assert sum("known format" in ",".join(line) for line in lines) == 1
    assert "1 of 5 files could not be read" in table.stderr

    plain = babysit("predict", run, "-", stdin="new/0.png\nnew/bad.png\n")
    assert plain.returncode == 0 and len(plain.stdout.splitlines()) == 2 and "cannot be read" in plain.stdout


def test_predict_of_bad_files_only_is_exit_one(trained, babysit, tmp_path: Path) -> None:
    run, _ = trained
    (tmp_path / "bad.png").write_text("words", encoding="utf-8")
    done = babysit("predict", run, "bad.png", "missing.png", "--json")
    assert (
        done.returncode == 1 and [set(row) for row in json.loads(done.stdout)["predictions"]] == [{"file", "error"}] * 2
    )
    assert "Traceback" not in done.stderr


def test_an_existing_run_is_refused_and_untouched(trained, babysit) -> None:
    run, _ = trained
    before = tree(run)
    done = babysit("train", "digits", "-o", run, "--epochs", "1")
    assert (
        done.returncode == 1
        and str(run) in done.stderr
        and "--resume" in done.stderr
        and "Traceback" not in done.stderr
    )
    assert tree(run) == before and done.stdout == ""


def test_a_finished_run_is_not_trained_again(trained, babysit, tmp_path: Path, cache_home) -> None:
    import shutil

    run, _ = trained
    shutil.copytree(run, tmp_path / "copy")
    done = babysit("train", "digits", "-o", "copy", "--resume", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["steps"] == 66 and "nothing is left to do" in done.stderr
    assert checkpoint.steps(tmp_path / "copy" / "checkpoints")[-1].name == "step-000066"


@pytest.mark.parametrize("setting", ["optim.lr=0.5", "optim.momentum=0.5", "seed=3", "train.epochs=7"])
def test_a_setting_that_contradicts_a_resumed_run_is_said(trained, babysit, tmp_path: Path, setting: str) -> None:
    """Also one that a rule decided for the run: what is asked now is not what it was trained with."""
    import shutil

    shutil.copytree(trained[0], tmp_path / "copy")
    done = babysit("train", "digits", "-o", "copy", "--resume", "--set", setting)
    assert done.returncode == 1 and setting.split("=")[0] in done.stderr and "Traceback" not in done.stderr


def test_misspelt_settings_are_all_said_with_the_nearest(babysit, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("[optim]\nmomentun = 0.5\n\n[model]\nname = 'quikc'\n", encoding="utf-8")
    done = babysit("train", "digits", "-o", "run", "--recipe", "r.toml", "--set", "optim.batchsize=3")
    assert done.returncode == 1 and done.stdout == "" and "Traceback" not in done.stderr
    for text in ("r.toml:2", "optim.momentum", "r.toml:5", "'quick'", "--set optim.batchsize=3", "optim.batch_size"):
        assert text in done.stderr
    assert not (tmp_path / "run").exists()


def test_wrong_usage_is_exit_two(babysit, tmp_path: Path) -> None:
    done = babysit("train", "digits", "--no-such-option")
    assert done.returncode == 2 and "--no-such-option" in done.stderr and list(tmp_path.iterdir()) == []


def test_a_loss_that_is_no_number_is_exit_three(babysit, tmp_path: Path) -> None:
    words = ("--set", "optim.lr=1e30", "--set", "regularize.l2=0", "--set", "schedule.kind=constant")
    done = babysit("train", "digits", "-o", "run", "--epochs", "2", "--json", *words, *FLOAT)
    assert done.returncode == 3, done.stderr
    said = json.loads(done.stdout)
    diagnosis, *others = said["diagnoses"]
    assert all(one["guess"] and one["severity"] == "note" for one in others)
    assert diagnosis["rule"] == "learning-rate-too-high" and diagnosis["severity"] == "stop" and diagnosis["evidence"]
    assert "optim.lr is 1e+30" in diagnosis["claim"] and "the loss is no number" in diagnosis["claim"]
    assert "Leave optim.lr out" in diagnosis["advice"] and "Traceback" not in done.stderr
    kept = [
        json.loads(line) for line in (tmp_path / "run" / "diagnoses.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [one["rule"] for one in kept if not one["guess"]] == ["learning-rate-too-high"]


def test_a_text_file_among_the_images_is_left_out_and_said(babysit, tmp_path: Path, make_folder) -> None:
    folder = make_folder(tmp_path / "photos", {"cats": 20, "dogs": 20})
    (folder / "cats" / "zzz.jpg").write_text("these are words", encoding="utf-8")
    before = tree(folder)
    done = babysit("train", "photos", "-o", "run", "--epochs", "2", "--json", *FLOAT)
    assert done.returncode == 0, done.stderr
    assert "cats/zzz.jpg" in done.stderr and "known format" in done.stderr
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert [one["path"] for one in manifest["data"]["unreadable"]] == ["cats/zzz.jpg"]
    split = (tmp_path / "run" / "split.csv").read_text(encoding="utf-8")
    assert "zzz" not in split and len(split.splitlines()) == 41 and tree(folder) == before


def test_training_does_not_depend_on_a_given_test_part(babysit, tmp_path: Path, make_folder) -> None:
    make_folder(tmp_path / "photos" / "train", {"cats": 20, "dogs": 20})
    weights = []
    for run, pictures in (("one", {"cats": 3, "dogs": 3}), ("other", {"dogs": 5, "cats": 4})):
        shutil.rmtree(tmp_path / "photos" / "test", ignore_errors=True)
        make_folder(tmp_path / "photos" / "test", pictures, size=10 + 2 * len(run))
        done = babysit("train", "photos", "-o", run, "--epochs", "2", "--size", "12", "--json", *FLOAT)
        assert done.returncode == 0, done.stderr
        assert f"The {sum(pictures.values())} test images take no part in training" in done.stderr
        table = (tmp_path / run / "split.csv").read_text(encoding="utf-8")
        assert table.count(",test,") == sum(pictures.values())
        [newest] = sorted((tmp_path / run / "checkpoints").glob("step-*"))[-1:]
        weights.append((newest / "weights.safetensors").read_bytes())
    assert weights[0] == weights[1]


@pytest.mark.parametrize("what", ["empty", "one class", "missing", "cut zip", "evil zip"])
def test_bad_data_is_one_message_and_no_run(babysit, tmp_path: Path, make_folder, picture, what: str) -> None:
    import zipfile

    source = "photos"
    if what == "empty":
        (tmp_path / "photos").mkdir()
    elif what == "one class":
        make_folder(tmp_path / "photos", {"cats": 3})
    elif what.endswith("zip"):
        source = "photos.zip"
        with zipfile.ZipFile(tmp_path / source, "w") as archive:
            archive.writestr("a/1.png", picture(0, 1))
            archive.writestr("../b/1.png" if what == "evil zip" else "b/1.png", picture(1, 1))
        if what == "cut zip":
            (tmp_path / source).write_bytes((tmp_path / source).read_bytes()[:-30])
    done = babysit("train", source, "-o", "run")
    assert done.returncode == 1 and done.stdout == "" and source in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_interrupted_and_resumed_is_the_same_as_uninterrupted_also_past_a_rotten_checkpoint(
    command_line, babysit, tmp_path: Path
) -> None:
    start, places = command_line
    words = ["train", "digits", "--epochs", "4", *FLOAT, "-o"]
    assert babysit(*words, "whole").returncode == 0
    process = subprocess.Popen(
        [*start, *words, "cut"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **places
    )
    log = tmp_path / "cut" / "log.jsonl"
    deadline = time.monotonic() + 120
    # In the second epoch, so that there is a checkpoint before the one made at the interruption; rows of layers count too.
    while time.monotonic() < deadline and not (log.exists() and log.read_bytes().count(b"\n") > 50):
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "--resume" in said and "Traceback" not in said
    newest = checkpoint.steps(tmp_path / "cut" / "checkpoints")[-1]
    harmed = bytearray((newest / "weights.safetensors").read_bytes())
    harmed[-10] ^= 1
    (newest / "weights.safetensors").write_bytes(bytes(harmed))

    done = babysit(*words, "cut", "--resume")
    assert done.returncode == 0, done.stderr
    assert newest.name in done.stderr and "weights.safetensors" in done.stderr and "Passed over" in done.stderr
    one, two = tmp_path / "cut", tmp_path / "whole"
    last = checkpoint.steps(two / "checkpoints")[-1].name
    for name in ("weights.safetensors", "optimizer.safetensors"):
        assert (one / "checkpoints" / last / name).read_bytes() == (two / "checkpoints" / last / name).read_bytes()
    assert [row.repeatable() for row in read_log(log).rows] == [
        row.repeatable() for row in read_log(two / "log.jsonl").rows
    ]
    assert (one / "split.csv").read_bytes() == (two / "split.csv").read_bytes()
    assert (one / "checkpoints" / "best").read_bytes() == (two / "checkpoints" / "best").read_bytes()
    assert list(one.glob("log-tail-*.jsonl")), "what was done again is kept aside"


def test_a_resumed_run_that_had_no_recipe_yet_keeps_the_recipe_file(babysit, tmp_path: Path) -> None:
    """Stopped before its first step, a run starts over: with everything that was asked, the file too."""
    (tmp_path / "r.toml").write_text("[optim]\nmomentum = 0.5\n\n[train]\nepochs = 1\n", encoding="utf-8")
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    (tmp_path / "run" / "manifest.json").write_text('{"format": 1, "status": "started"}', encoding="utf-8")
    done = babysit("train", "digits", "-o", "run", "--recipe", "r.toml", "--resume", *FLOAT)
    assert done.returncode == 0, done.stderr
    recipe = (tmp_path / "run" / "recipe.toml").read_text(encoding="utf-8")
    assert "momentum = 0.5" in recipe and "epochs = 1\n" in recipe


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of one megabyte; skipped where mounting is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("mounting is not permitted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


@pytest.mark.parametrize("what", ["run", "cache"])
def test_a_disk_that_fills_is_said(babysit, small_disk: Path, tmp_path: Path, what: str) -> None:
    (small_disk / "mine.bin").write_bytes(b"x" * 700_000)
    more = {"BABYSIT_CACHE": str(small_disk / "cache")} if what == "cache" else {}
    out = small_disk / "run" if what == "run" else tmp_path / "run"
    done = babysit("train", "digits", "-o", out, "--epochs", "1", *FLOAT, **more)
    assert done.returncode == 1, done.stderr
    assert "disk is full" in done.stderr and str(small_disk) in done.stderr and "Traceback" not in done.stderr
    assert (small_disk / "mine.bin").stat().st_size == 700_000


def test_a_dry_run_prints_the_recipe_and_trains_nothing(babysit, tmp_path: Path) -> None:
    done = babysit("train", "digits", "--dry-run", "--set", "optim.lr=0.125")
    assert done.returncode == 0 and "lr = 0.125" in done.stdout and "epochs = " in done.stdout
    assert not (tmp_path / "runs").exists()


def test_an_empty_folder_that_is_there_may_be_the_run(babysit, tmp_path: Path, make_folder) -> None:
    make_folder(tmp_path / "photos", {"cats": 20, "dogs": 20})
    (tmp_path / "run").mkdir()
    done = babysit("train", "photos", "-o", "run", "--epochs", "1", *FLOAT)
    assert done.returncode == 0, done.stderr
