"""Files and classes with names meant to do harm go through training, the report, prediction and a resumed run."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from pathlib import Path

from babysit.names import from_cell, read_table

CLASSES = ("=cmd|' /C calc'!A0", "<script>alert(1)</script>", "\u202edet\x1b[31mrever\nLine\udcfe")
NAMES = ("+1.png", "-1.png", "@x.png", "'=x.png", "a\nb.png", "a\rb.png", '"><img src=x onerror=alert(1)>.png', "x" * 251 + ".png",
         "\udcff\udc80.png", "\\xff.png", "👩‍👩‍👧.png", "\u2028\u2066.png", "\x1b]0;t\x07.png", "a,b;c\t.png")  # fmt: skip


def plain(text: str) -> bool:
    """Whether a terminal shows it as it is: no control or direction mark but line ends."""
    return all(
        unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp") for letter in text if letter != "\n"
    ) and not (set(text) & set("\u202e\u2066"))


def test_hostile_names_do_no_harm(tmp_path: Path, picture, babysit) -> None:
    folder = tmp_path / "photos"
    for label, name in enumerate(CLASSES):
        # A slash cannot be in a name: the class folder's closing tag is spelt without one.
        place = folder / name.replace("/", "\u2215")
        place.mkdir(parents=True)
        for number, file in enumerate(NAMES):
            (place / file).write_bytes(picture(label, number))
        (place / "\x1b[2Jbroken.png").write_bytes(b"no image")
    done = babysit("train", "photos", "--epochs", 1, "-o", "run", "--json", "--set", "train.threads=1")
    assert done.returncode == 0, done.stderr
    assert plain(done.stderr) and "\\x1b[2Jbroken.png" in done.stderr and "\\nLine" in done.stderr
    json.loads(done.stdout)
    run = tmp_path / "run"
    with (run / "split.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert all(cell[:1] not in set("=+-@\t\r\n") for row in rows for cell in row)
    assert {from_cell(row[0]).split("/")[1] for row in rows[1:]} == set(NAMES)
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page and "<img src=x" not in page and "\u202e" not in page and "\x1b" not in page
    assert "&lt;script&gt;alert(1)" in page
    again = babysit("train", "photos", "-o", "run", "--resume", "--json")
    assert again.returncode == 0, again.stderr
    table = babysit("predict", "run", "photos", "--csv")
    assert table.returncode == 0, table.stderr
    told = list(read_table(io.StringIO(table.stdout, newline="")))
    files = {name.replace("\r", "\n") for name in NAMES}  # the pipe is read with line ends made one
    assert {row[0].rsplit("/", 1)[1] for row in told[1:]} == {*files, "\x1b[2Jbroken.png"}
    assert {row[1] for row in told[1:] if row[1]} <= {name.replace("/", "\u2215") for name in CLASSES}
    shown = babysit("predict", "run", "photos")
    assert shown.returncode == 0 and plain(shown.stdout) and plain(shown.stderr)
    assert len(shown.stdout.strip("\n").split("\n")) == len(CLASSES) * (len(NAMES) + 1)
