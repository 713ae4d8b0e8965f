"""Names from outside, made safe for a terminal, a page and a table.

A file's name may hold anything but a slash: escape sequences, line breaks, marks that turn the writing direction,
HTML, a spreadsheet's formula, bytes that are no text (Python keeps those as lone surrogates).
"""

from __future__ import annotations

import csv
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

SHOWN_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that draw nothing of their own or change how others are drawn."""

JOINERS = frozenset("\u200c\u200d")
"""Format characters that scripts and emoji are spelt with; they turn nothing around."""

_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff0b\uff0d\uff1d\uff20]")
_ORDINARY = re.compile(r"[\w./(][\w ./()-]*(?<! )", re.ASCII)
"""A cell that stays as it is; most do, and a table may have millions."""

_BYTES = re.compile(r"(\\*)([\udc80-\udcff])|(\\+)(x[89a-f][0-9a-f])")
_ESCAPED = re.compile(r"(\\+)x([89a-f][0-9a-f])")


def for_terminal(text: str) -> str:
    r"""A text whose control, direction and broken characters are written out, so that it can only be read.

    >>> for_terminal("a\x1b[31mb\n\u202egnp.exe")
    'a\\x1b[31mb\\n\\u202egnp.exe'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(letter) for letter in text)


def lines_for_terminal(text: str) -> str:
    """`for_terminal` for a message of our own with lines: they stay lines."""
    return "\n".join(map(for_terminal, text.split("\n")))


def for_page(text: str) -> str:
    """A text as HTML, in an element or in a quoted attribute.

    >>> for_page('<b onclick="x">')
    '&lt;b onclick=&quot;x&quot;&gt;'
    """
    return html.escape(for_terminal(text), quote=True)


def for_cell(text: str) -> str:
    r"""A text that a spreadsheet takes for text: what would begin a formula gets a quote before it.

    Bytes that are no text become \xNN. `from_cell` undoes exactly this.

    >>> for_cell("=1+1"), for_cell("plain"), for_cell("'tis")
    ("'=1+1", 'plain', "'tis")
    """
    escaped = _BYTES.sub(_escape_bytes, text)
    return f"'{escaped}" if _FORMULA.match(escaped) else escaped


def from_cell(cell: str) -> str:
    """The text that `for_cell` was given.

    >>> from_cell("'=1+1"), from_cell("'tis")
    ('=1+1', "'tis")
    """
    return _ESCAPED.sub(_unescape_bytes, unquoted(cell))


def unquoted(cell: str) -> str:
    """A cell of somebody else's table without the quote before what looks like a formula."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def table_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows as CSV, each cell safe, each row a line that ends with a line feed."""
    return "".join(table_line(row) for row in rows)


def table_line(row: Sequence[str]) -> str:
    """One row of `table_text`."""
    return ",".join(cell if _ORDINARY.fullmatch(cell) else _quoted(for_cell(cell)) for cell in row) + "\n"


def read_table(lines: Iterable[str]) -> Iterator[list[str]]:
    """The rows that were given to `table_text`.

    Arguments:
        lines: of the text with their ends kept (a file opened with newline="", or splitlines of "\\n" alone).
    """
    for row in csv.reader(lines, strict=True):
        whole = "".join(row)
        yield [from_cell(cell) for cell in row] if "'" in whole or "\\" in whole else row


def _shown(letter: str) -> str:
    if unicodedata.category(letter) not in SHOWN_ESCAPED or letter in JOINERS:
        return letter
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")


def _quoted(cell: str) -> str:
    """Quoted where any common reader could stumble; the csv module leaves a lone carriage return bare."""
    if not any(letter in cell for letter in ',;"\t\r\n') and cell == cell.strip() and cell:
        return cell
    return '"' + cell.replace('"', '""') + '"' if cell else ""


def _escape_bytes(found: re.Match[str]) -> str:
    # As many readers count quotes: an odd number of backslashes escapes, an even one stands for half as many.
    if found[2]:
        return found[1] * 2 + f"\\x{ord(found[2]) - 0xDC00:02x}"
    return found[3] * 2 + found[4]


def _unescape_bytes(found: re.Match[str]) -> str:
    kept, escapes = divmod(len(found[1]), 2)
    return "\\" * kept + (chr(0xDC00 + int(found[2], 16)) if escapes else f"x{found[2]}")
