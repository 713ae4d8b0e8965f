"""The run's log: checksummed, readable after any cut, cut back on resume with its tail kept."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from babysit.errors import UserError
from babysit.record import atomic
from babysit.record.log import LogWriter, Row, cut, read_log
from babysit.record.observation import QUANTITIES


def rows_of(count: int) -> list[Row]:
    return [
        Row(
            "step", step, step // 3, {"loss": 1 / step, "accuracy": 0.5, "learning_rate": 0.1, "step_seconds": step / 7}
        )
        for step in range(1, count + 1)
    ]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    writer = LogWriter(path)
    for row in rows_of(4):
        writer.append(row)
    writer.close()
    return path


def test_what_is_written_is_read(log: Path) -> None:
    read = read_log(log)
    assert list(read.rows) == rows_of(4) and read.broken == ""
    assert read.of("epoch") == [] and len(read.of("step")) == 4
    header = json.loads(log.read_text(encoding="utf-8").split("\n")[0])
    assert header["units"] == QUANTITIES and header["format"] == 1


def test_every_line_is_json_for_others_too(log: Path) -> None:
    assert all(json.loads(line)["crc"] for line in log.read_text(encoding="utf-8").splitlines())


def test_values_that_are_not_finite_survive(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "log")
    writer.append(Row("step", 1, 0, {"loss": math.nan, "accuracy": math.inf, "learning_rate": -math.inf}))
    writer.close()
    values = read_log(tmp_path / "log").rows[0].values
    assert math.isnan(values["loss"]) and values["accuracy"] == math.inf and values["learning_rate"] == -math.inf
    assert "NaN" not in (tmp_path / "log").read_text(encoding="utf-8"), "JSON has no NaN"


def test_cut_short_at_every_byte_of_the_last_line_the_lines_before_are_read(log: Path) -> None:
    data = log.read_bytes()
    begin = data[:-1].rfind(b"\n") + 1
    for end in range(begin, len(data) - 1):
        log.write_bytes(data[:end])
        read = read_log(log)
        assert list(read.rows) == rows_of(3), f"cut at {end}"
        assert bool(read.broken) == (end > begin)
    log.write_bytes(data[:-1])
    assert list(read_log(log).rows) == rows_of(4), "only the line's end is missing: the line is whole"


def test_one_flipped_bit_is_noticed_wherever_it_is(log: Path) -> None:
    data = log.read_bytes()
    lines = data.split(b"\n")
    begin = len(b"\n".join(lines[:3])) + 1
    for place in range(begin, begin + len(lines[3])):
        for bit in (0, 5):
            harmed = bytearray(data)
            harmed[place] ^= 1 << bit
            log.write_bytes(bytes(harmed))
            read = read_log(log)
            assert list(read.rows) == rows_of(2), f"byte {place}, bit {bit}"
            assert "line 4" in read.broken


@pytest.mark.parametrize("offset", [0, 1, 100])
def test_cut_keeps_the_tail_aside(log: Path, offset: int) -> None:
    data = log.read_bytes()
    aside = cut(log, offset)
    assert aside is not None and log.read_bytes() == data[:offset] and aside.read_bytes() == data[offset:]


def test_each_cut_keeps_its_own_tail(log: Path) -> None:
    size = log.stat().st_size
    assert cut(log, size) is None
    first, second = cut(log, size - 5), cut(log, size - 9)
    assert first is not None and second is not None and first != second
    assert len(first.read_bytes()) == 5 and len(second.read_bytes()) == 4


def test_a_log_shorter_than_its_checkpoint_says_is_refused_and_left(log: Path) -> None:
    data = log.read_bytes()
    with pytest.raises(UserError, match="shorter"):
        cut(log, len(data) + 1)
    assert log.read_bytes() == data


def test_going_on_after_a_cut_appends_without_a_second_header(log: Path) -> None:
    writer = LogWriter(log)
    offset = writer.sync()
    assert offset == log.stat().st_size
    writer.append(Row("step", 99, 9, {"loss": 1.0}))
    writer.close()
    cut(log, offset)
    writer = LogWriter(log)
    writer.append(Row("epoch", 5, 1, {"train_loss": 1.0}))
    writer.close()
    read = read_log(log)
    assert [row.step for row in read.rows] == [1, 2, 3, 4, 5] and log.read_text(encoding="utf-8").count("header") == 1


def test_repeatable_leaves_out_time_and_memory_only() -> None:
    row = Row("epoch", 1, 0, dict.fromkeys(QUANTITIES, 1.0))
    gone = set(QUANTITIES) - set(row.repeatable().values)
    assert gone == {
        *("step_seconds", "wait_seconds", "elapsed", "images_per_second"),
        *("peak_memory", "resident_memory", "memory"),
    }
    assert Row("step", 1, 0, {"wait_seconds@loader": 1.0, "recall@a@b": 0.5}).repeatable().values == {"recall@a@b": 0.5}


def test_a_log_that_is_missing_or_newer_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        read_log(tmp_path / "log")
    for number, other in enumerate((99, "x", None)):
        path = tmp_path / f"new-{number}"
        writer = LogWriter(path)
        writer._write([{"kind": "header", "format": other}])
        writer.close()
        with pytest.raises(UserError, match=f"has format {other}, this babysit reads up to 1"):
            read_log(path)


@pytest.mark.parametrize(("content", "why"), [(b"", "before its first update"), (b"\xff" * 99, "Line 1 is cut short")])
def test_a_run_without_a_step_is_said_by_all_that_read_it(content: bytes, why: str, tmp_path: Path) -> None:
    from babysit import api
    from babysit.record import run as runs

    run = runs.create(tmp_path / "run")
    run.update_manifest(kind="watched", status="finished", steps=0)
    run.log.write_bytes(content)
    for read in (api.diagnose, api.report):
        with pytest.raises(UserError, match=f"no step of this .* was recorded, so there is nothing to .*{why}"):
            read(run.path)


@pytest.mark.parametrize("stage", ["fsync", "replace"])
def test_an_interrupted_replacement_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch, stage: str
) -> None:
    path = tmp_path / "file"
    atomic.write_text(path, "old")

    def fail(*arguments, **more):
        raise OSError(28, "no space")

    monkeypatch.setattr(*(("os.fsync", fail) if stage == "fsync" else (Path, "replace", fail)))
    with pytest.raises(OSError, match="no space"):
        atomic.write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "old" and [one.name for one in tmp_path.iterdir()] == ["file"]
