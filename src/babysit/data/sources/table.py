"""A CSV from outside as rows of named columns: its encoding, its delimiter, its header, its line numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from babysit.errors import UserError
from babysit.names import unquoted

MOST_TABLE_BYTES = 2**29
"""A CSV is held as a whole: a line of 128 bytes for each of four million images."""

DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class Rows:
    """The rows of a CSV.

    `columns` the header's names in lower case; iterating gives (line number, cells as the header names them).
    """

    source: str
    columns: tuple[str, ...]
    _rows: Callable[[], Iterator[tuple[int, list[str]]]] = field(repr=False)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        return self._rows()


def read_rows(source: str, data: bytes, *, required: Sequence[str], optional: Sequence[str] = ()) -> Rows:
    """Reads a CSV with a header; other columns are passed over.

    Arguments:
        source: the file, for messages.
        data: its bytes: UTF-8 or UTF-16 with its mark; separated by commas, semicolons or tabs.
        required: columns that must be there; the cells come in this order.
        optional: columns that follow, empty where the file has none.

    Raises:
        UserError: when it is no such table; while iterating, when a line is not.
    """
    encoding = _encoding(source, data)
    delimiter, header = _header(source, _lines(data, encoding), (*required, *optional))
    doubled = next((name for name in (*required, *optional) if header.count(name) > 1), "")
    if doubled:
        raise UserError(f"there are two columns '{doubled}'", where=source, hint="Take one of them away")
    missing = [name for name in required if name not in header]
    if missing:
        shown = ", ".join(map(repr, header))
        raise UserError(
            f"the CSV has no column {' and no column '.join(repr(name) for name in missing)}; there are: {shown}",
            where=source,
            legal=",".join([*required, *(f"[{name}]" for name in optional)]) + " in its first line",
            hint="Name the columns in the first line of the file",
        )
    wanted = [header.index(name) if name in header else -1 for name in (*required, *optional)]

    def rows() -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(_lines(data, encoding), delimiter=delimiter, strict=True)
        try:
            next(_filled(reader))
            for line, cells in _filled(reader):
                if len(cells) != len(header):
                    raise UserError(
                        f"the line has {len(cells)} cells, the header {len(header)}",
                        where=f"{source}:{line}",
                        hint="Put a cell that holds the separator into quotes",
                    )
                yield line, [unquoted(cells[place]) if place >= 0 else "" for place in wanted]
        except csv.Error as error:
            raise UserError(f"the line is not CSV ({error})", where=f"{source}:{reader.line_num}") from error

    return Rows(source, tuple(header), rows)


def has_columns(data: bytes, columns: Sequence[str]) -> bool:
    """Whether this is a CSV with these columns."""
    try:
        read_rows("", data, required=columns)
    except UserError:
        return False
    return True


def _filled(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold anything, with the line they end on."""
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells  # type: ignore[attr-defined]


def _encoding(source: str, data: bytes) -> str:
    if len(data) > MOST_TABLE_BYTES:
        raise UserError(f"the CSV has more than {MOST_TABLE_BYTES // 2**20} MB", where=source)
    if not data.strip():
        raise UserError("the CSV is empty", where=source)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" in data:
        raise UserError("this is not text, so it is no CSV", where=source)
    return "utf-8-sig"


def _lines(data: bytes, encoding: str) -> io.TextIOWrapper:
    """The text line by line; bytes that are no text are kept, as names of files may have them."""
    errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
    return io.TextIOWrapper(io.BytesIO(data), encoding=encoding, errors=errors, newline="")


def _header(source: str, lines: io.TextIOWrapper, wanted: Sequence[str]) -> tuple[str, list[str]]:
    """The delimiter under which the first line names the most of what is wanted, and the names."""
    found = []
    for delimiter in DELIMITERS:
        lines.seek(0)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            _, cells = next(_filled(reader), (0, []))
        except csv.Error:
            continue
        names = [cell.strip().lower() for cell in cells]
        found.append((sum(name in names for name in wanted), len(names), delimiter, names))
    if not found or not any(names for *_, names in found):
        raise UserError("the first line is not CSV", where=source, legal=",".join(wanted))
    *_, delimiter, names = max(found, key=lambda one: one[:2])
    return delimiter, names
