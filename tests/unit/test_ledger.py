"""The ledger: no second look goes unnoticed, whatever is renamed, copied, added, harmed or done at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babysit.errors import UserError
from babysit.record import ledger


def images(first: int, last: int) -> list[str]:
    """Content hashes as different as real ones."""
    import hashlib

    return [hashlib.blake2b(f"{one}".encode(), digest_size=16).hexdigest() for one in range(first, last)]


def look(hashes: list[str], run: Path, *, again: bool = False, accuracy: float = 0.9) -> ledger.Looks:
    run.mkdir(exist_ok=True)
    one = ledger.new_look(hashes, run=run, step=7, view="plain", accuracy=accuracy)
    return ledger.append(one, hashes, run / "test-ledger.json", again=again)


def test_a_second_look_is_refused_and_with_again_counted(tmp_path: Path) -> None:
    hashes = images(0, 500)
    assert len(ledger.looks_at(hashes)) == 0
    assert len(look(hashes, tmp_path / "a")) == 1
    with pytest.raises(UserError, match=r"looked at once already.*--again"):
        look(hashes, tmp_path / "b")
    assert not (tmp_path / "b" / "test-ledger.json").exists() and len(ledger.looks_at(hashes)) == 1
    both = look(hashes, tmp_path / "b", again=True)
    assert [one.run for one in both.looks] == [str(tmp_path / "a"), str(tmp_path / "b")]
    copy = json.loads((tmp_path / "b" / "test-ledger.json").read_text(encoding="utf-8"))
    assert len(copy["looks"]) == 2 and "2 times" in copy["what_it_means"]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ((0, 1000), (990, 1990), True),  # 10 of 1,000 are 1 %
        ((0, 1000), (991, 1991), False),
        ((0, 1000), (5000, 6000), False),
        ((0, 50), (0, 10_000), True),  # half a per cent of the larger, all of the smaller
        ((0, 10_000), (9_999, 10_050), True),
        ((0, 1000), (0, 1), True),
    ],
)
def test_one_per_cent_of_common_images_is_the_same_set(tmp_path: Path, first, second, same: bool) -> None:
    look(images(*first), tmp_path / "a")
    assert len(ledger.looks_at(images(*second))) == same
    assert len(ledger.looks_at(list(reversed(images(*second))))) == same, "order does not matter"


def test_many_looks_at_a_few_images_each_are_looks_at_all_of_them(tmp_path: Path) -> None:
    """Each slice shares less than 1 % with the whole and with its own strangers, together they do not."""
    whole = images(0, 1000)
    for number in range(4):
        look(
            [*whole[3 * number : 3 * number + 3], *images(10_000 * (number + 1), 10_000 * (number + 1) + 997)],
            tmp_path / "a",
            again=True,
        )
    assert len(ledger.looks_at(whole)) == 4


@given(st.integers(1, 300), st.integers(0, 300), st.integers(1, 300))
def test_overlap_is_counted_exactly(count: int, shift: int, other: int) -> None:
    mine, theirs = images(0, count), images(shift, shift + other)
    common = len(set(mine) & set(theirs))
    keyed = {"other": ledger._packed(theirs)}
    counts = common >= 0.01 * min(count, other) and common > 0
    assert bool(ledger._overlapping(ledger._packed(mine), keyed)) == counts


def test_a_run_brings_its_looks_to_another_machine(tmp_path: Path, monkeypatch) -> None:
    hashes = images(0, 100)
    look(hashes, tmp_path / "a")
    monkeypatch.setenv("BABYSIT_STATE", str(tmp_path / "another"))
    assert len(ledger.looks_at(hashes)) == 0
    assert len(ledger.looks_at(hashes, tmp_path / "a" / "test-ledger.json")) == 1
    with pytest.raises(UserError, match="--again"):
        look(hashes, tmp_path / "a")
    assert len(look(hashes, tmp_path / "a", again=True)) == 2
    assert len(ledger.looks_at(hashes)) == 2, "and the ledger there knows of both from then on"


def lines(state: Path) -> list[bytes]:
    return (state / "looks.jsonl").read_bytes().splitlines(keepends=True)


def test_harm_to_one_line_costs_no_look(tmp_path: Path, state_home: Path) -> None:
    hashes, others = images(0, 100), images(500, 600)
    for name in ("a", "b", "c"):
        look(hashes, tmp_path / name, again=True)
    look(others, tmp_path / "d")
    first, *rest = lines(state_home)
    for harmed in (first[:-9] + b"00000000\n", first.replace(b"plain", b"PLAIN"), first[:200] + b"\n"):
        (state_home / "looks.jsonl").write_bytes(harmed + b"".join(rest))
        assert len(ledger.looks_at(hashes)) == 3 and len(ledger.looks_at(others)) == 1
    (state_home / "looks.jsonl").write_bytes(b"\x00\xffgarbage\n" + b"".join(rest))
    left = ledger.looks_at(hashes)
    assert len(left) == 2 and left.harmed == 1 and "harmed line" in ledger.meaning(left)
    assert len(ledger.looks_at(hashes, tmp_path / "c" / "test-ledger.json")) == 3, "the run's copy knows it still"


def test_a_line_cut_short_does_not_swallow_the_next(tmp_path: Path, state_home: Path) -> None:
    hashes = images(0, 100)
    look(hashes, tmp_path / "a")
    whole = (state_home / "looks.jsonl").read_bytes()
    (state_home / "looks.jsonl").write_bytes(whole + whole[:40])
    assert len(look(images(900, 950), tmp_path / "b")) == 1
    assert len(ledger.looks_at(images(900, 950))) == 1 and len(ledger.looks_at(hashes)) == 1


def test_a_set_without_its_line_is_a_look(tmp_path: Path, state_home: Path) -> None:
    hashes = images(0, 100)
    look(hashes, tmp_path / "a")
    (state_home / "looks.jsonl").unlink()
    assert len(ledger.looks_at(hashes)) == 1
    with pytest.raises(UserError, match="looked at once"):
        look(hashes, tmp_path / "b")
    [kept] = (state_home / "sets").glob("*.bin")
    kept.write_bytes(kept.read_bytes()[:-7])
    assert len(ledger.looks_at(hashes)) == 1, "also when the set itself was cut"


def test_of_several_processes_at_once_one_has_the_first_look(tmp_path: Path, state_home: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from babysit.record import ledger\n"
        "from babysit.errors import UserError\n"
        "hashes = [f'{one:032x}' for one in range(200)]\n"
        "run = pathlib.Path(sys.argv[1]); run.mkdir()\n"
        "look = ledger.new_look(hashes, run=run, step=1, view='plain', accuracy=0.5)\n"
        "try:\n"
        "    ledger.append(look, hashes, run / 'test-ledger.json', again=False)\n"
        "    print('first')\n"
        "except UserError:\n"
        "    ledger.append(look, hashes, run / 'test-ledger.json', again=True)\n"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / str(number))], stdout=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    said = [one.communicate(timeout=60)[0].strip() for one in started]
    assert sorted(said) == ["", "", "", "first"]
    assert len(lines(state_home)) == 4 and len(ledger.looks_at([f"{one:032x}" for one in range(200)])) == 4


def test_what_looks_mean_is_said_in_numbers(tmp_path: Path) -> None:
    hashes = images(0, 400)
    first = ledger.meaning(look(hashes, tmp_path / "a"))
    third = ledger.meaning(look(hashes, tmp_path / "a", again=True)) and ledger.meaning(
        look(hashes, tmp_path / "a", again=True)
    )
    assert "first look" in first and "neither side" in first
    assert "3 times" in third and "about 1.3 points" in third  # 0.8463 * sqrt(0.9 * 0.1 / 400) = 1.27 %
    assert "not been looked at" in ledger.meaning(ledger.Looks(()))


def test_a_state_folder_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    monkeypatch.setenv("BABYSIT_STATE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="ledger"):
        look(images(0, 10), tmp_path / "a")


def test_pictures_are_known_by_their_pixels_however_often_their_files_were_decoded(tmp_path: Path) -> None:
    files, others = images(0, 100), images(200, 300)
    for run, pixels in (("a", images(1000, 1100)), ("b", images(2000, 2100))):
        (tmp_path / run).mkdir()
        one = ledger.new_look(files, run=tmp_path / run, step=1, view="plain", accuracy=0.5)
        ledger.append(one, files, tmp_path / run / "test-ledger.json", again=True, pictures=pixels)
    assert len(ledger.looks_at(others)) == 0
    for pixels in (images(1099, 1199), images(2099, 2199)):
        assert len(ledger.looks_at(others, pictures=pixels)) == 2
        with pytest.raises(UserError, match="looked at 2 times already"):
            ledger.append(
                ledger.new_look(others, run=tmp_path, step=1, view="plain", accuracy=0.5),
                others,
                tmp_path / "test-ledger.json",
                again=False,
                pictures=pixels,
            )
    assert len(ledger.looks_at(others, pictures=images(3000, 3100))) == 0
