"""Standard output under `--json`: the object alone, whatever else was printed on the way, by a user's own network say."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TextIO


class LastLine(io.TextIOBase):
    """Keeps the last whole line and passes those before it on, as each is followed by another.

    Arguments:
        others: where lines before the last go.

    >>> kept = LastLine(sys.stdout)
    >>> print("one", file=kept)
    >>> print("two", file=kept)
    one
    >>> kept.line
    'two\\n'
    """

    def __init__(self, others: TextIO) -> None:
        self.others, self.line = others, ""

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """Takes text, whole lines or not."""
        *passed, self.line = _lines(self.line + text)
        for line in passed:
            self.others.write(line)
        return len(text)


@contextmanager
def one_object() -> Iterator[None]:
    """Inside, what is printed goes to standard error, but for the last line: that is the object."""
    kept = LastLine(sys.stderr)
    try:
        with redirect_stdout(kept):
            yield
    finally:
        sys.stdout.write(kept.line)


def _lines(text: str) -> list[str]:
    """Lines with their ends; at least one."""
    return text.splitlines(keepends=True) or [""]
