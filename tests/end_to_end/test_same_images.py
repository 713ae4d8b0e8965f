"""Looking at the test part twice unnoticed: written again in another format, from another state folder, as other classes."""

from __future__ import annotations

import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

import babysit
from babysit.data.cache import open_cache
from babysit.data.sources import open_source
from babysit.errors import UserError
from babysit.evaluating.same_images import pixel_hashes
from babysit.record import ledger, predictions
from babysit.record.run import Run

SETTINGS = {"train.epochs": 1, "train.precision": "float32", "train.threads": 1, "model.width": 16}


@pytest.fixture
def looked(tmp_path, make_folder):
    """Data of two classes, and a run whose test part has been looked at."""
    folder = make_folder(tmp_path / "photos", {"cats": 30, "dogs": 30})
    babysit.train(str(folder), out=tmp_path / "runs" / "one", settings=SETTINGS)
    babysit.test(tmp_path / "runs" / "one")
    return folder


def refused(run) -> bool:
    with pytest.raises(UserError, match="looked at once already"):
        babysit.test(run)
    return True


def test_pictures_written_again_without_loss_are_the_same_images(looked, tmp_path, capsys) -> None:
    """As BMP in a zip, under other names, with the classes renamed: not one byte and not one name is the same."""
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        for number, path in enumerate(sorted(looked.rglob("*.png"))):
            Image.open(path).save(tmp_path / "one.bmp")
            archive.write(tmp_path / "one.bmp", f"{'b' if path.parent.name == 'cats' else 'a'}/{number}.bmp")
    babysit.train(str(tmp_path / "other.zip"), out=tmp_path / "elsewhere" / "two", settings=SETTINGS)
    assert refused(tmp_path / "elsewhere" / "two")
    babysit.test(tmp_path / "elsewhere" / "two", again=True)
    for run in ("runs/one", "elsewhere/two"):
        page = babysit.report(tmp_path / run).read_text(encoding="utf-8")
        assert "looked at 2 times" in page or run == "runs/one"


def test_another_state_folder_hides_no_look_of_a_run_nearby(looked, tmp_path, monkeypatch) -> None:
    babysit.train(str(looked), out=tmp_path / "runs" / "two", settings={**SETTINGS, "seed": 4})
    babysit.train(str(looked), out=tmp_path / "far" / "three", settings={**SETTINGS, "seed": 4})
    monkeypatch.setenv("BABYSIT_STATE", str(tmp_path / "fresh"))
    hashes = [one.hash for one in predictions.read_split(Run(tmp_path / "runs" / "two")) if one.part == "test"]
    assert len(ledger.looks_at(hashes)) == 0
    assert refused(tmp_path / "runs" / "two")
    assert len(ledger.looks_at(hashes)) == 1, "and now this ledger knows it too"
    assert refused(tmp_path / "far" / "three")
    assert len(babysit.test(tmp_path / "runs" / "two", again=True).looks) == 2


def test_a_run_nearby_that_cannot_be_read_is_passed_over(looked, tmp_path) -> None:
    shutil.copytree(tmp_path / "runs" / "one", tmp_path / "runs" / "harmed")
    (tmp_path / "runs" / "harmed" / "split.csv").unlink()
    (tmp_path / "runs" / "harmed" / "test-ledger.json").write_text("{", encoding="utf-8")
    assert refused(tmp_path / "runs" / "one")


def test_small_images_have_one_hash_at_every_size_and_in_every_lossless_format(tmp_path, png) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 9, 7, 3), np.uint8)
    pixels[0] = 128  # as grey as the canvas around it
    hashes = []
    for suffix, canvas in ((".png", 12), (".bmp", 12), (".png", 40)):
        folder = tmp_path / f"{suffix}-{canvas}"
        for label in ("a", "b"):
            (folder / label).mkdir(parents=True)
            for number in range(2):
                Image.fromarray(pixels[number + 2 * (label == "b")]).save(folder / label / f"{number}{suffix}")
        catalog = open_source(str(folder))
        cache = open_cache(catalog, canvas, "pad", progress=lambda _count: None)
        hashes.append(pixel_hashes(cache, np.arange(4), "pad"))
    assert hashes[0] == hashes[1] == hashes[2] and len(set(hashes[0])) == 4
