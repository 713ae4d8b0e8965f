"""`babysit test`: the numbers are right, each look is counted, and what cannot be tested is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import babysit
from babysit.calibration import at_temperature
from babysit.cli.app import run as command
from babysit.data.sources import open_source
from babysit.errors import UserError
from babysit.inference import predictor
from babysit.record import ledger, predictions
from babysit.record.run import Run

SETTINGS = {"train.epochs": 2, "train.precision": "float32", "train.threads": 1}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A finished run of digits. Tests must not change it."""
    home = tmp_path_factory.mktemp("original")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BABYSIT_CACHE", str(home / "cache"))
        patch.setenv("BABYSIT_STATE", str(home / "state"))
        babysit.train("digits", out=home / "run", settings=SETTINGS)
    return home / "run"


@pytest.fixture
def trained(original, tmp_path):
    """A copy that a test may change."""
    shutil.copytree(original, tmp_path / "run")
    return tmp_path / "run"


def words(capsys, *arguments: object) -> tuple[int, str, str]:
    status = command([str(word) for word in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_the_figures_are_those_of_predicting_each_test_image(trained, capsys) -> None:
    status, out, err = words(capsys, "test", trained, "--json")
    assert status == 0 and err == "" and out.count("\n") == 1
    said = json.loads(out)
    catalog = open_source("digits")
    test = [one for one in predictions.read_split(Run(trained)) if one.part == "test"]
    place = {name: index for index, name in enumerate(catalog.names)}
    network = babysit.load(trained)
    slow = network.predict([np.asarray(catalog.read(place[one.path])) for one in test])
    right = sum(guess.classes[0] == one.label for guess, one in zip(slow, test, strict=True))
    assert said["correct"] == right and said["count"] == len(test) == 359 and 0.8 < said["accuracy"] < 1
    true = [
        dict(zip(guess.classes, guess.probabilities, strict=True))[one.label]
        for guess, one in zip(slow, test, strict=True)
    ]
    assert said["loss"] == pytest.approx(-np.log(true).mean(), rel=1e-4), "the loss is that of calibrated probabilities"
    assert said["looks"] == 1 and said["plain"]["correct"] == right and 0 < said["interval"][0] < said["accuracy"]
    assert said["calibration"]["temperature"] == network.temperature("plain") != 1
    kept = predictions.read(Run(trained), "test")
    assert [kept.paths, kept.hashes] == [tuple(one.path for one in test), tuple(one.hash for one in test)]
    again = at_temperature(np.log(kept.probabilities), said["calibration"]["temperature"])
    assert np.allclose(again[np.arange(359), kept.labels], true, atol=1e-5)


def test_what_a_view_gains_is_measured_on_validation(trained, capsys) -> None:
    said = json.loads(words(capsys, "test", trained, "--view", "flip", "--json")[1])
    plain, flip, five, ten = said["views_on_validation"]
    assert [plain["view"], flip["view"], five["view"], ten["view"]] == ["plain", "flip", "five", "ten"]
    kept = predictions.read(Run(trained))
    assert plain["accuracy"] == pytest.approx((kept.probabilities.argmax(axis=1) == kept.labels).mean())
    assert plain["gain"] == 0 and flip["gain"] < 0, "a mirrored digit is another sign"
    assert said["view"] == "flip" and said["accuracy"] < said["plain"]["accuracy"]
    assert set(predictions.read_calibrations(Run(trained))) == {"plain", "flip", "five", "ten"}


def test_a_second_look_needs_again_and_every_report_says_so(trained, original, tmp_path, capsys) -> None:
    assert words(capsys, "test", trained)[0] == 0
    status, out, err = words(capsys, "test", trained)
    assert status == 1 and out == "" and "looked at once already" in err and "--again" in err
    shutil.copytree(original, tmp_path / "copy")
    assert words(capsys, "test", tmp_path / "copy")[0] == 1, "a copied run is not new"
    status, out, _ = words(capsys, "test", tmp_path / "copy", "--again")
    assert status == 0 and "looked at 2 times" in out and "by chance alone" in out
    assert len(json.loads((tmp_path / "copy" / "test-ledger.json").read_text(encoding="utf-8"))["looks"]) == 2
    for one in (tmp_path / "copy", trained):
        page = babysit.report(one).read_text(encoding="utf-8")
        assert "looked at 2 times" in page, "also in the report of the run that did not look again"


def test_another_seed_of_the_same_data_is_the_same_test_set(original, tmp_path, capsys, make_folder) -> None:
    folder = make_folder(tmp_path / "photos", {"cats": 30, "dogs": 30})
    settings = {**SETTINGS, "train.epochs": 1}
    babysit.train(str(folder), out=tmp_path / "one", settings=settings)
    babysit.test(tmp_path / "one")
    make_folder(folder, {"cats": 40, "dogs": 30})  # ten more images of one class
    babysit.train(str(folder), out=tmp_path / "two", settings={**settings, "seed": 5})
    with pytest.raises(UserError, match="looked at once already"):
        babysit.test(tmp_path / "two")


def test_moved_and_changed_data(tmp_path, make_folder, picture) -> None:
    folder = make_folder(tmp_path / "photos", {"cats": 30, "dogs": 30})
    babysit.train(str(folder), out=tmp_path / "run", settings={**SETTINGS, "train.epochs": 1})
    test = [one.path for one in predictions.read_split(Run(tmp_path / "run")) if one.part == "test"]
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"not there any more.*--data"):
        babysit.test(tmp_path / "run")
    place = tmp_path / "elsewhere"
    whole = (place / test[0]).read_bytes()
    (place / test[0]).write_bytes(picture(0, 999))
    with pytest.raises(UserError, match=rf"1 of the {len(test)} test images.*1 changed.*{test[0]}"):
        babysit.test(tmp_path / "run", data=str(place))
    (place / test[0]).unlink()
    with pytest.raises(UserError, match="1 gone"):
        babysit.test(tmp_path / "run", data=str(place))
    assert len(ledger.looks_at(hashes_of(tmp_path / "run"))) == 0, "what was refused is no look"
    (place / test[0]).with_name("renamed.png").write_bytes(whole)
    assert babysit.test(tmp_path / "run", data=str(place)).scores.count == len(test)


def hashes_of(run: Path) -> list[str]:
    return [one.hash for one in predictions.read_split(Run(run)) if one.part == "test"]


def test_what_cannot_be_tested_is_one_message(trained, tmp_path, capsys) -> None:
    (tmp_path / "foreign").mkdir()
    for path, text in ((tmp_path / "nowhere", "no run here"), (tmp_path / "foreign", "not a babysit run")):
        status, out, err = words(capsys, "test", path)
        assert status == 1 and out == "" and text in err
    split = (trained / "split.csv").read_text(encoding="utf-8")
    (trained / "split.csv").write_text(
        "\n".join(x for x in split.splitlines() if ",test," not in x) + "\n", encoding="utf-8"
    )
    assert "has no test part" in words(capsys, "test", trained)[2]
    (trained / "split.csv").unlink()
    assert "split.csv cannot be read" in words(capsys, "test", trained)[2]
    (trained / "predictions" / "val.npz").unlink()
    assert "not finished an epoch" in words(capsys, "test", trained)[2]
    manifest = json.loads((trained / "manifest.json").read_text(encoding="utf-8"))
    (trained / "manifest.json").write_text(json.dumps({**manifest, "format": 99}), encoding="utf-8")
    assert "format 99" in words(capsys, "test", trained)[2]
    assert "--view" in words(capsys, "test", trained, "--view", "six")[2]


def test_a_run_from_before_calibration_is_read(trained, capsys) -> None:
    for name in ("calibration.json", "likeness.safetensors"):
        (trained / name).unlink()
    assert babysit.load(trained).predict(np.zeros((8, 8), np.uint8))[0].unlike is None
    assert babysit.test(trained).calibration.temperature != 1


def test_predictions_are_calibrated_and_strange_images_are_said(trained, tmp_path, capsys) -> None:
    catalog = open_source("digits")
    known = [np.asarray(catalog.read(index)) for index in range(0, 1797, 6)]
    strange = [np.random.default_rng(number).integers(0, 256, (40, 40, 3), np.uint8) for number in range(20)]
    network = babysit.load(trained)
    said = network.predict([*known, *strange])
    assert np.mean([one.unlike for one in said[: len(known)]]) < 0.05
    assert np.mean([one.unlike for one in said[len(known) :]]) > 0.9
    assert [one.name for one in said[:2]] == ["image 0", "image 1"] and said[-1].name == f"image {len(said) - 1}"
    before = predictions.read(Run(trained)).probabilities
    hot = at_temperature(np.log(before), network.temperature("plain"))
    rows = predictions.read(Run(trained)).paths
    one = network.predict([np.asarray(catalog.read(catalog.names.index(rows[0])))])[0]
    assert one.probabilities[0] == pytest.approx(hot[0].max(), abs=1e-5)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"])
def test_pictures_of_any_mode_and_size_are_predicted(original, mode: str) -> None:
    picture = (
        Image.new("L", (13, 40), 200).convert(mode) if mode not in ("HSV", "LAB", "I;16") else Image.new(mode, (13, 40))
    )
    (one,) = babysit.load(original).predict(picture)
    assert not one.error and len(one.classes) == 10 and sum(one.probabilities) == pytest.approx(1)


def test_what_is_no_picture_is_an_error_of_its_row(original) -> None:
    said = babysit.load(original).predict([np.zeros((8, 8)), b"words", np.zeros((8, 8), np.uint8), "nowhere.png"])
    assert ["uint8" in said[0].error, bool(said[1].error), said[2].error, bool(said[3].error)] == [True, True, "", True]
    assert babysit.load(original).predict([]) == []


def test_predict_says_unsure_and_unlike(trained, tmp_path, capsys, png) -> None:
    catalog = open_source("digits")
    (tmp_path / "known.png").write_bytes(png(catalog.read(0)))
    (tmp_path / "noise.png").write_bytes(png(np.random.default_rng(0).integers(0, 256, (40, 40, 3))))
    files = (tmp_path / "known.png", tmp_path / "noise.png")
    status, out, err = words(capsys, "predict", trained, *files, "--min-confidence", "1", "--json", "--view", "five")
    known, noise = json.loads(out)["predictions"]
    assert status == 0 and known["unsure"] and noise["unlike_training_data"] and not known["unlike_training_data"]
    assert "2 of 2 are unsure" in err and "1 of 2 are unlike" in err and "plain view's temperature" in err
    status, out, err = words(capsys, "predict", trained, *files, "--csv", "--min-confidence", "0.999999")
    assert [line.split(",")[-2] for line in out.splitlines()] == [
        "note",
        "unsure",
        "unsure and unlike the training data",
    ]
    status, out, _ = words(capsys, "predict", trained, *files, "--top", "1")
    assert out.splitlines()[1].endswith("(unlike the training data)") and "(unsure" not in out
    assert words(capsys, "predict", trained, *files, "--min-confidence", "2")[0] == 1
    assert words(capsys, "predict", trained, str(tmp_path / "none*.png"))[0] == 1


def test_many_images_are_answered_in_their_order_as_each_alone(original, monkeypatch) -> None:
    """Several batches at a time, unreadable ones among them, from a generator; and the same with one worker."""
    catalog, network = open_source("digits"), babysit.load(original)
    images = [np.asarray(catalog.read(index)) for index in range(700)]
    images[70] = images[300] = np.zeros((3, 3), np.float64)
    several = list(network.stream(image for image in images))
    assert [one.name for one in several] == [f"image {number}" for number in range(700)]
    assert [bool(one.error) for one in several] == [number in (70, 300) for number in range(700)]
    monkeypatch.setattr(predictor, "MOST_WORKERS", 1)
    for number, one in enumerate(network.stream(images)):
        assert one.classes[:1] == several[number].classes[:1] and one.unlike == several[number].unlike
        assert np.allclose(one.probabilities, several[number].probabilities, atol=1e-5)
    alone = network.predict(images[123])[0]
    assert np.allclose(alone.probabilities, several[123].probabilities, atol=1e-5) and alone.name == "image 0"
    assert network.predict([]) == [] and network.model._forward_hooks == {}, "nothing is left on the network"


def test_explanations_are_pictures_of_the_images_that_could_be_read(trained, tmp_path, capsys, png) -> None:
    catalog = open_source("digits")
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(png(catalog.read(200 * number)))
    (tmp_path / "bad.png").write_text("words", encoding="utf-8")
    files = [tmp_path / f"{name}.png" for name in (0, "bad", 1, 2)]
    status, _, err = words(capsys, "predict", trained, *files, "--explain", tmp_path / "maps")
    assert status == 0 and "3 pictures" in err
    written = sorted((tmp_path / "maps").iterdir())
    assert [path.name for path in written] == ["1-0.png", "3-1.png", "4-2.png"]
    with Image.open(written[0]) as picture:
        assert picture.size == (512, 256) and len(picture.getcolors(100_000)) > 10
