"""Words of the command line: files to predict, durations, exit codes."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from babysit.cli.app import run
from babysit.cli.predict import expand
from babysit.cli.train import seconds_of
from babysit.errors import UserError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("90", 90), ("5m", 300), ("1.5h", 5400), (" 2 m ", 120), ("0.5s", 0.5)]
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "0", "0m", "-5m", "5 minutes", "5d", "1e3", "inf", "nan", "5m30s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is not a time"):
        seconds_of(text)


@pytest.fixture
def files(tmp_path: Path, monkeypatch, picture) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (
        "new/b.png",
        "new/a.jpg",
        "new/deep/c.PNG",
        "new/words.txt",
        "odd[1].png",
        "-x.png",
        "x1.png",
        "x2.png",
    ):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(picture(0, 0))
    return tmp_path


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (("new",), ["new/a.jpg", "new/b.png", "new/deep/c.PNG"]),
        (("x2.png", "x1.png"), ["x2.png", "x1.png"]),
        (("x?.png",), ["x1.png", "x2.png"]),
        (("new/**/*.PNG",), ["new/deep/c.PNG"]),
        (("odd[1].png",), ["odd[1].png"]),
        (("missing.png",), ["missing.png"]),
        (("none*.png",), []),
        (("-x.png",), ["-x.png"]),
        ((), []),
    ],
)
def test_what_is_given_becomes_files(files: Path, given: tuple[str, ...], found: list[str]) -> None:
    assert list(expand(given)) == found


def test_an_absolute_pattern(files: Path) -> None:
    assert list(expand((str(files / "x*.png"),))) == [str(files / "x1.png"), str(files / "x2.png")]


def test_a_minus_is_a_list_on_standard_input(files: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("x1.png\n\nwith space.png \n"))
    assert list(expand(("x2.png", "-"))) == ["x2.png", "x1.png", "with space.png "]


def test_errors_are_one_message_and_exit_one(capsys) -> None:
    assert run(["predict", "/nowhere", "--json", "x.png"]) == 1
    out, err = capsys.readouterr()
    assert (
        json.loads(out)["faults"][0]["where"] == "/nowhere"
        and err.startswith("babysit: /nowhere")
        and "Traceback" not in err
    )


@pytest.mark.parametrize("words", [["trian", "digits"], ["train"], ["train", "digits", "--no-such"], ["predict"]])
def test_wrong_usage_is_exit_two(words: list[str], capsys) -> None:
    assert run(words) == 2
    out, err = capsys.readouterr()
    assert out == "" and "Traceback" not in err and "--help" in err


def test_help_and_version_are_exit_zero(capsys) -> None:
    for words, text in ((["--help"], "train"), (["train", "--help"], "--budget"), (["--version"], "0.")):
        assert run(words) == 0 and text in capsys.readouterr().out


def test_cache_lists_and_clears(tmp_path: Path, make_folder, cache_home: Path, capsys) -> None:
    from babysit.data.cache import open_cache
    from babysit.data.sources import open_source

    def listed(*words: str) -> dict:
        assert run(["cache", "--json", *words]) == 0
        return json.loads(capsys.readouterr().out)

    assert listed()["kept"] == [] and not (cache_home / "decoded").exists(), "looking makes nothing"
    for name, count in (("one", 3), ("two\nlines", 4)):
        catalog = open_source(str(make_folder(tmp_path / name, {"a": count, "b": 2})))
        held = open_cache(catalog, 12, "pad", progress=lambda count: None)
    assert run(["cache"]) == 0
    text = capsys.readouterr().out
    assert str(tmp_path / "one") in text and "two?lines (in use)" in text and str(cache_home) in text
    found = listed()
    assert [one["images"] for one in found["kept"]] == [5, 6]
    assert found["total_bytes"] == sum(one["bytes"] for one in found["kept"]) > 0
    assert [one["images"] for one in listed(str(tmp_path / "one"))["kept"]] == [5]
    assert [one["images"] for one in listed(found["kept"][1]["name"][:8])["kept"]] == [6]
    assert [one["images"] for one in listed("--clear")["removed"]] == [5], "the other one is in use"
    assert listed("--limit", "0")["removed"] == []
    del held
    assert [one["images"] for one in listed("--limit", "0")["removed"]] == [6] and listed()["kept"] == []


def test_cache_says_what_is_wrong(capsys) -> None:
    for words, said in ((["--clear", "nobody"], "no decoded images of 'nobody'"), (["--limit", "much"], "not a size")):
        assert run(["cache", *words]) == 1
        assert said in capsys.readouterr().err
