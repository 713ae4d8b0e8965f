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
