"""Logs of the corpus: small compressed files, from which the rules get back what they would have seen.

A file is gzipped JSON: the program's name, its key (of the program's text and of the probes'), what was known, how it
ended, and the rows by kind in columns; numbers have four significant digits, which is what rules may rely on.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from babysit.record.known import Known
from babysit.record.log import Kind, Row, RunLog

FOLDER = Path(__file__).resolve().parent / "logs"
KINDS: tuple[Kind, ...] = ("start", "step", "layers", "epoch")
DIGITS = 4
MOST_BYTES = 24_000


@dataclass(frozen=True)
class Kept:
    """A recorded training."""

    program: str
    key: str
    known: Known
    outcome: dict[str, float]
    log: RunLog

    def known_at(self, share: float) -> Known:
        """What was known by then: how long a loop of one's own is shows when it ends."""
        if share < 1 and not self.known.has_recipe:
            return replace(self.known, planned_steps=None)
        return self.known

    def until(self, share: float) -> RunLog:
        """The log of the first part of the training."""
        end = share * max((row.step for row in self.log.rows), default=0)
        return RunLog(tuple(row for row in self.log.rows if row.step <= end))


def path_of(program: str) -> Path:
    """Where a program's log is kept."""
    return FOLDER / f"{program}.json.gz"


def write(program: str, key: str, known: Known, outcome: dict[str, float], rows: Sequence[Row]) -> int:
    """Keeps a recording; returns its size in bytes."""
    body = {
        "program": program,
        "key": key,
        "known": known.as_json(),
        "outcome": outcome,
        "rows": {kind: _columns([row for row in rows if row.kind == kind]) for kind in KINDS},
    }
    data = gzip.compress(json.dumps(body, separators=(",", ":")).encode(), 9, mtime=0)
    FOLDER.mkdir(exist_ok=True)
    path_of(program).write_bytes(data)
    return len(data)


def read(program: str) -> Kept:
    """A recording."""
    body = json.loads(gzip.decompress(path_of(program).read_bytes()))
    rows: list[tuple[int, int, Row]] = []
    for order, kind in enumerate(KINDS):
        columns = body["rows"][kind]
        for place, (step, epoch) in enumerate(zip(columns["step"], columns["epoch"], strict=True)):
            values = {name: float(one[place]) for name, one in columns["values"].items() if one[place] is not None}
            rows.append((step, order, Row(kind, step, epoch, values)))
    ordered = [row for *_, row in sorted(rows, key=lambda one: one[:2])]
    known = Known.from_json(body["known"])
    if known.planned_steps is None:  # recorded before the watcher noted it
        known = replace(known, planned_steps=max((row.step for row in ordered), default=0) or None)
    return Kept(body["program"], body["key"], known, body["outcome"], RunLog(ordered))


def key_in(program: str) -> str:
    """The key of the recording that is there, empty when there is none."""
    path = path_of(program)
    return json.loads(gzip.decompress(path.read_bytes()))["key"] if path.exists() else ""


def _columns(rows: list[Row]) -> dict[str, Any]:
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    return {
        "step": [row.step for row in rows],
        "epoch": [row.epoch for row in rows],
        "values": {name: [_short(row.values.get(name)) for row in rows] for name in names},
    }


def _short(value: float | None) -> float | str | None:
    if value is None:
        return None
    if not math.isfinite(value):
        return str(value)
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e9 else short
