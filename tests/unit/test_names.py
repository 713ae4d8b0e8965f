"""Names from outside are safe to show, and tables give them back exactly."""

from __future__ import annotations

import csv
import html
import io
import re
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from babysit.names import for_cell, for_page, for_terminal, from_cell, lines_for_terminal, read_table, table_text

ANYTHING = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from("=+-@\t\r\n'\"\\;,x8f\u202e\x1b\0"),
        st.integers(0xDC80, 0xDCFF).map(chr),
    )
)
"""What Python can hold of a file's name, the awkward letters often."""


@given(ANYTHING)
@example("\\\udcff\\xff'=")
@example("''=")
def test_a_cell_gives_back_the_text(text: str) -> None:
    assert from_cell(for_cell(text)) == text


@given(ANYTHING)
def test_a_cell_begins_no_formula_and_is_text_in_utf8(text: str) -> None:
    cell = for_cell(text)
    cell.encode("utf-8")
    assert not cell or cell[0] not in "=+-@\t\r\n＋－＝＠"


@given(st.lists(st.lists(ANYTHING, min_size=2, max_size=4), max_size=5))
def test_a_table_gives_back_its_rows(rows: list[list[str]]) -> None:
    text = table_text(rows)
    assert list(read_table(io.StringIO(text, newline=""))) == rows
    assert [[from_cell(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))] == rows


@given(ANYTHING)
def test_what_a_terminal_gets_moves_nothing(text: str) -> None:
    shown = for_terminal(text)
    shown.encode("utf-8")
    assert all(unicodedata.category(letter)[0] != "C" or letter in "\u200c\u200d" for letter in shown)
    assert lines_for_terminal(f"{shown}\n{shown}") == f"{shown}\n{shown}"


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("ünïcode name/01.png", "日本/猫.jpg", "👩‍👩‍👧.png", "עברית.png", "a'b\"c.png", "50% off.png"):
        assert for_terminal(name) == for_cell(name) == name


@given(ANYTHING)
def test_a_page_shows_the_name_and_runs_nothing(text: str) -> None:
    made = for_page(text)
    assert not re.search(r"[<>\"']", made) and html.unescape(made) == for_terminal(text)
