"""RunLog: one checksummed JSON line per step with all its scalars.

Append-only, and readable to its last whole line after a crash. A line is a JSON object whose last key, "crc", is
the CRC-32 of the line without it. The first line holds the format version and the unit of each quantity.
A value that is not finite is written as a string ("nan", "inf", "-inf"), since JSON has no such numbers.
"""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

from babysit.errors import UserError
from babysit.record.observation import QUANTITIES, VOLATILE_UNITS, Observation, parts_of
from babysit.record.series import Columns, Series

FORMAT = 1
_as_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
Kind = Literal["start", "step", "layers", "epoch", "correction", "stopped", "remedy", "verdict"]
"""`start` once, before the first update; `step` after every update; `layers` after every few, always after the first;
`epoch` after each validation; `correction` when a budget's plan changes; `stopped` at an end before the plan's;
`remedy` where a training goes on with settings that a diagnosis changed, `verdict` where that was judged."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the log: what was seen after `step` updates, in epoch `epoch` (counted from 0)."""

    kind: Kind
    step: int
    epoch: int
    values: Mapping[str, float]

    def observation(self, key: str) -> Observation:
        """One value of the row as an observation, by its name in the row: `loss`, `update_ratio@stem`."""
        quantity, where = parts_of(key)
        return Observation(quantity, self.values[key], self.step, self.epoch, where)

    def repeatable(self) -> Row:
        """The row without quantities measured in time or memory, for comparing two runs."""
        kept = {
            name: value
            for name, value in self.values.items()
            if QUANTITIES.get(parts_of(name)[0]) not in VOLATILE_UNITS
        }
        return Row(self.kind, self.step, self.epoch, kept)


@dataclass(frozen=True, slots=True)
class RunLog:
    """All rows that could be read; `broken` says how the file ends when it does not end well.

    `rows` may be a list that somebody goes on filling: what came since is taken in when it is next asked for.

    >>> log = RunLog([Row("step", 1, 0, {"loss": 2.0}), Row("layers", 1, 0, {"dead_share@stem": 0.25})])
    >>> log.series("loss").values, log.wheres("dead_share"), log.last("dead_share", "stem").value
    (array([2.]), ['stem'], 0.25)
    """

    rows: Sequence[Row] = ()
    broken: str = ""
    _columns: Columns = field(default_factory=Columns, compare=False, repr=False)

    def of(self, kind: Kind) -> list[Row]:
        """The rows of one kind, in order."""
        return [row for row in self.rows if row.kind == kind]

    def series(self, quantity: str, where: str = "", *, kind: Kind | None = None) -> Series:
        """All values of one quantity in one place, in order; empty when it was never measured.

        Arguments:
            kind: of the rows to look at; by default all.
        """
        return self._read().series(quantity, where, kind)

    def wheres(self, quantity: str) -> list[str]:
        """The places where a quantity was measured: layers in order of depth, classes in their order; "" is the whole."""
        return self._read().wheres(quantity)

    def last(self, quantity: str, where: str = "", *, kind: Kind | None = None) -> Observation | None:
        """The latest value, None when it was never measured."""
        found = self.series(quantity, where, kind=kind)
        return found.observation(-1) if len(found) else None

    def _read(self) -> Columns:
        columns = self._columns
        for place in range(columns.rows, len(self.rows)):
            row = self.rows[place]
            columns.add(row.kind, row.step, row.epoch, row.values)
        return columns


class Mirror(Protocol):
    """Takes the rows of a log a second time, for programs that read another form."""

    def append(self, row: Row) -> None:
        """One row."""
        ...

    def sync(self) -> None:
        """Forces everything to the disk."""
        ...

    def close(self) -> None:
        """No more rows come."""
        ...


@dataclass(slots=True)
class LogWriter:
    """Appends rows to a log file.

    Arguments:
        path: the file; created with its header line when missing.
        mirrors: told of each row too.
    """

    path: Path
    mirrors: Sequence[Mirror] = ()
    _stream: BinaryIO = field(init=False, repr=False)

    def __post_init__(self) -> None:
        new = not self.path.exists() or self.path.stat().st_size == 0
        self._stream = self.path.open("ab")
        if new:
            self._write([{"kind": "header", "format": FORMAT, "units": QUANTITIES}])

    def append(self, row: Row) -> None:
        """Writes one row; it is in the operating system's hands when this returns."""
        self.extend((row,))

    def extend(self, rows: Sequence[Row]) -> None:
        """The same of several, by one write."""
        self._write([{"kind": one.kind, "step": one.step, "epoch": one.epoch, **_encoded(one.values)} for one in rows])
        for mirror in self.mirrors:
            for row in rows:
                mirror.append(row)

    def sync(self) -> int:
        """Forces everything to the disk and returns the offset of the end, for a checkpoint to keep."""
        for mirror in self.mirrors:
            mirror.sync()
        os.fsync(self._stream.fileno())
        return self.path.stat().st_size

    def close(self) -> None:
        """Closes the file."""
        for mirror in self.mirrors:
            mirror.close()
        self._stream.close()

    def _write(self, records: Sequence[dict[str, object]]) -> None:
        self._stream.write("".join(map(_line, records)).encode())
        self._stream.flush()


def read_log(path: Path) -> RunLog:
    """Reads a log up to its last whole, unharmed line.

    Raises:
        UserError: when the file is missing or of a newer format.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"the log cannot be read: {error.strerror}", where=str(path)) from error
    rows: list[Row] = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line:
            continue
        record = _checked(line)
        if record is None:
            return RunLog(tuple(rows), f"line {number} is cut short or harmed; what follows it is not read")
        if record["kind"] == "header":
            if record.get("format") not in range(1, FORMAT + 1):
                raise UserError(
                    f"the log has format {record.get('format')}, this babysit reads up to {FORMAT}",
                    where=str(path),
                    hint="Read it with the newer version that wrote it",
                )
            continue
        names = [name for name in record if name not in ("kind", "step", "epoch", "crc")]
        rows.append(Row(record["kind"], record["step"], record["epoch"], {name: float(record[name]) for name in names}))
    return RunLog(tuple(rows))


def cut(path: Path, offset: int) -> Path | None:
    """Cuts a log at a checkpoint's offset and keeps the tail aside.

    Returns:
        The file that holds the tail, or None when there was none.

    Raises:
        UserError: when the log is shorter than the checkpoint says.
    """
    size = path.stat().st_size if path.exists() else 0
    if size < offset:
        raise UserError(
            f"the log is shorter ({size} bytes) than its checkpoint says ({offset} bytes)",
            where=str(path),
            hint="The file was changed from outside; start a new run",
        )
    if size == offset:
        return None
    with path.open("r+b") as stream:
        stream.seek(offset)
        tail = stream.read()
        number = len(list(path.parent.glob("log-tail-*.jsonl"))) + 1
        aside = path.with_name(f"log-tail-{number}.jsonl")
        aside.write_bytes(tail)
        stream.truncate(offset)
        os.fsync(stream.fileno())
    return aside


def _checked(line: bytes) -> dict[str, Any] | None:
    head, mark, tail = line.rpartition(b',"crc":"')
    if not mark or len(tail) != 10 or not tail.endswith(b'"}'):
        return None
    body = head + b"}"
    if f"{zlib.crc32(body):08x}".encode() != tail[:8]:
        return None
    return json.loads(body)


def _line(record: Mapping[str, object]) -> str:
    body = _as_json(record)
    return f'{body[:-1]},"crc":"{zlib.crc32(body.encode()):08x}"}}\n'


def _encoded(values: Mapping[str, float]) -> dict[str, float | str]:
    return {name: value if math.isfinite(value) else str(value) for name, value in values.items()}
