"""`babysit look` as a process, and what a training says and does about a leak."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from babysit import api
from babysit.api import looking
from babysit.errors import UserError

NAMES = ['<img src=x onerror="alert(1)">.png', "=1+1.png", "a\nb.png", "\u202egnp.exe.png", "\U0001f408.png"]


@pytest.fixture
def leaky(tmp_path: Path, picture) -> Path:
    """Two classes, with parts; test has a copy of a training image, another has two labels; one file is no image."""
    root = tmp_path / "leaky"
    for part, count in (("train", 30), ("test", 6)):
        for label, name in enumerate(("cats", "dogs")):
            (root / part / name).mkdir(parents=True)
            for number in range(count):
                (root / part / name / f"{number:02d}.png").write_bytes(picture(label, number + 100 * (part == "test")))
    (root / "test" / "cats" / "copy.png").write_bytes(picture(0, 3))
    (root / "train" / "dogs" / "mislabelled.png").write_bytes(picture(0, 4))
    (root / "train" / "cats" / "broken.png").write_bytes(b"no image")
    return root


def test_look_says_what_is_wrong_and_imports_no_torch(leaky: Path, tmp_path: Path, command_line, picture) -> None:
    for number, name in enumerate(NAMES):
        (leaky / "train" / "cats" / name).write_bytes(picture(0, 3) if number == 0 else picture(0, 200 + number))
    code = (
        "import sys; from babysit.cli.app import run; status = run(sys.argv[1:]);"
        "assert not {'torch', 'sklearn', 'matplotlib'} & set(sys.modules); sys.exit(status)"
    )
    words = [sys.executable, "-c", code, "look", str(leaky), "-o", str(tmp_path / "page.html"), "--json"]
    finished = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, **command_line[1])
    assert finished.returncode == 0, finished.stderr
    seen = json.loads(finished.stdout)
    assert seen["images"] == 80 and seen["parts"] == ["train", "test"] and seen["counts"]["cats"] == [35, 7]
    assert seen["duplicates"]["leaks"] == [["train/cats/03.png", f"train/cats/{NAMES[0]}", "test/cats/copy.png"]]
    assert seen["duplicates"]["conflicts"] == [["train/cats/04.png", "train/dogs/mislabelled.png"]]
    assert [one["path"] for one in seen["unreadable"]] == ["train/cats/broken.png"]
    assert [one["name"] for one in seen["findings"][:2]] == ["leaks", "conflicts"]
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;" in page and "<img src=x" not in page
    assert "\u202e" not in page and "<script" not in page and 'src="http' not in page
    assert "This page embeds pictures of your data" in page
    assert page.index("Leaks: one picture in two parts") < page.index("One picture with two labels")


def test_look_shows_what_train_refuses(tmp_path: Path, picture, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(4):
        (tmp_path / "flat").mkdir(exist_ok=True)
        (tmp_path / "flat" / f"{number}.png").write_bytes(picture(0, number % 3))
    looked = api.look("flat")
    assert looked.findings[0]["name"] == "refused" and "lie flat" in str(looked.findings[0]["says"])
    assert looked.counts == {"(no class)": [4]} and looked.duplicates["exact"] == [["0.png", "3.png"]]
    assert looked.page == Path("look-flat.html") and looked.page.exists()


def test_look_takes_the_lists_that_train_takes(leaky: Path, tmp_path: Path, babysit) -> None:
    (tmp_path / "out.csv").write_text("path\ntest/cats/copy.png\n", encoding="utf-8")
    (tmp_path / "new.csv").write_text("path,label\ntrain/dogs/mislabelled.png,cats\n", encoding="utf-8")
    words = ("look", leaky, "--json", "-o", tmp_path / "page.html", "--exclude", tmp_path / "out.csv")
    done = babysit(*words, "--relabel", tmp_path / "new.csv")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["corrected"] == {"excluded": 1, "relabelled": 1, "unmatched": 0} and seen["images"] == 74
    assert seen["duplicates"]["leaks"] == [] and seen["duplicates"]["conflicts"] == []
    assert seen["duplicates"]["exact"] == [["train/cats/04.png", "train/dogs/mislabelled.png"]]
    assert seen["counts"] == {"cats": [31, 6], "dogs": [30, 6]} and "excluded by a list: 1 image" in seen["notes"]
    lost = babysit("look", leaky, "--exclude", tmp_path / "nowhere.csv")
    assert lost.returncode == 1 and "the list cannot be read" in lost.stderr


@pytest.mark.parametrize("column", ["path", "hash"])
def test_lists_mend_what_the_data_alone_are_refused_for(column: str, tmp_path: Path, make_folder, picture) -> None:
    root = tmp_path / "d"
    make_folder(root / "train", {"cats": 30, "dogs": 30})
    make_folder(root / "test", {"cats": 5, "dogs": 5})
    (root / "test" / "zebra").mkdir()
    (root / "test" / "zebra" / "0.png").write_bytes(alone := picture(1, 999))
    with pytest.raises(UserError, match=r"the class 'zebra' is in test but not in train.*--exclude"):
        api.train(str(root), out=tmp_path / "run")
    refused = api.look(str(root), out=tmp_path / "page.html")
    assert refused.findings[0]["name"] == "refused" and refused.counts["zebra"] == [0, 1]
    line = "test/zebra/0.png" if column == "path" else hashlib.blake2b(alone, digest_size=16).hexdigest()
    (tmp_path / "out.csv").write_text(f"{column}\n{line}\n", encoding="utf-8")
    looked = api.look(str(root), out=tmp_path / "page.html", exclude=str(tmp_path / "out.csv"))
    assert "refused" not in [one["name"] for one in looked.findings]
    assert looked.counts == {"cats": [30, 5], "dogs": [30, 5]}
    assert any("no image any more: zebra" in note for note in looked.notes)
    chosen = {"data.exclude": str(tmp_path / "out.csv"), "train.epochs": 1, "train.threads": 1}
    trained = api.train(str(root), out=tmp_path / "run", settings=chosen)
    assert [row["class"] for row in trained.validation["per_class"]] == ["cats", "dogs"]


def test_lists_of_the_result_are_bounded_where_everything_is_a_duplicate(tmp_path: Path, picture, monkeypatch) -> None:
    monkeypatch.setattr(looking, "MOST_LISTED", 5)
    monkeypatch.setattr(looking, "MOST_IN_GROUP", 3)
    for part, count in (("train", 9), ("test", 2)):
        for label, name in enumerate(("cats", "dogs")):
            (tmp_path / "d" / part / name).mkdir(parents=True)
            for number in range(8 * count):
                (tmp_path / "d" / part / name / f"{number:02d}.png").write_bytes(picture(label, number % 8))
            for number in range(7):
                (tmp_path / "d" / part / name / f"broken-{number}.png").write_bytes(b"none")
    looked = api.look(str(tmp_path / "d"), out=tmp_path / "page.html")
    assert looked.totals["leaks"] == looked.totals["exact"] == 16 and looked.totals["unreadable"] == 28
    assert len(looked.duplicates["leaks"]) == 5 and len(looked.unreadable) == 5
    assert {len(group) for group in looked.duplicates["exact"]} == {3}
    assert json.loads(json.dumps(looked.as_json()))["totals"] == looked.totals


def test_look_with_augmented_samples(tmp_path: Path) -> None:
    looked = api.look("digits", out=tmp_path / "digits.html", augment=True)
    page = looked.page.read_text(encoding="utf-8")
    assert "As training sees them" in page and "none mirrored" in page
    assert looked.findings == [] and len(page) < 500_000


def test_train_leaves_out_the_training_copy_of_a_leak_and_says_so(leaky: Path, tmp_path: Path, babysit) -> None:
    finished = babysit("train", leaky, "-o", tmp_path / "run", "--epochs", 1)
    assert finished.returncode == 0, finished.stderr
    assert "1 picture is in two parts (train/cats/03.png = test/cats/copy.png)" in finished.stderr
    assert "1 picture has two labels" in finished.stderr
    split = (tmp_path / "run" / "split.csv").read_text(encoding="utf-8")
    assert "train/cats/03.png" not in split and "test/cats/copy.png" in split
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    left_out = manifest["data"]["audit"]["left_out_of_training"]
    assert left_out == [{"path": "train/cats/03.png", "same_as": "test/cats/copy.png"}]


def test_parts_that_are_copies_of_one_another_are_refused(tmp_path: Path, make_folder) -> None:
    for part in ("train", "test"):
        make_folder(tmp_path / "d" / part, {"cats": 5, "dogs": 5})
    with pytest.raises(UserError, match="all training images of 'cats', 'dogs' are in val or test too"):
        api.train(str(tmp_path / "d"), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
