"""Data that are arrays in files, as a user meets them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np


def test_cifar_is_trained_on_and_the_run_predicts_files(babysit, make_cifar, png, tmp_path: Path) -> None:
    make_cifar(tmp_path / "data" / "cifar-10-batches-py", 60)
    done = babysit("train", "data", "-o", "run", "--epochs", "2", "--json", "--set", "train.precision=float32")
    assert done.returncode == 0, done.stderr
    assert "data: 3 classes" in done.stderr and "data_batch_3" in done.stderr
    rows = list(csv.DictReader(io.StringIO((tmp_path / "run" / "split.csv").read_text(encoding="utf-8"))))
    assert [sum(row["part"] == part for row in rows) for part in ("train", "val", "test")] == [96, 24, 60]
    assert {row["path"].split("/")[0] for row in rows if row["part"] == "test"} == {"test"}
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000

    (tmp_path / "new").mkdir()
    for colour, name in enumerate(("airplane", "automobile", "bird")):
        pixels = np.random.default_rng(99 + colour).integers(0, 80, (32, 32, 3), np.uint8)
        pixels[..., colour] += 150
        (tmp_path / "new" / f"{name}.png").write_bytes(png(pixels))
    done = babysit("predict", "run", "new", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["predictions"]
    assert [row["class"] for row in found] == ["airplane", "automobile", "bird"]


def test_a_data_set_that_cannot_be_downloaded_is_one_sentence(babysit, tmp_path: Path) -> None:
    done = babysit("train", "mnist", BABYSIT_DOWNLOADS="http://127.0.0.1:1", no_proxy="127.0.0.1")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "could not be downloaded (http://127.0.0.1:1/mnist/: the host does not answer" in done.stderr
    assert not (tmp_path / "runs").exists()
