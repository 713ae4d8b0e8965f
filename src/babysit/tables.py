"""Table: name -> entry, with near-miss suggestions. The only registry there is.

A table is written out where it stands, so that a reader can read it; nothing registers itself.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from babysit.errors import Fault, UserError

Entry = TypeVar("Entry")


def nearest(name: str, names: Iterable[str]) -> str:
    """The name most like `name`, or an empty string when none is near.

    >>> nearest("epoch", ["epochs", "seed"])
    'epochs'
    >>> nearest("xyzzy", ["epochs", "seed"])
    ''
    """
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return found[0] if found else ""


class Table(Mapping[str, Entry], Generic[Entry]):
    """A read-only mapping whose missing keys explain themselves.

    Arguments:
        kind: what the entries are, in the singular, for messages: "model".
        entries: the names and what they stand for.

    >>> Table("schedule", {"constant": 1, "one-cycle": 2})["one-cylce"]
    Traceback (most recent call last):
    babysit.errors.UserError: unknown schedule 'one-cylce'. Legal: constant, one-cycle. Did you mean 'one-cycle'?
    """

    def __init__(self, kind: str, entries: Mapping[str, Entry]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> Entry:
        if name not in self._entries:
            raise UserError.of([self.fault(name)])
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def fault(self, name: str, where: str = "") -> Fault:
        """What to say of a name that is not in the table."""
        near = nearest(name, self._entries)
        hint = f"Did you mean '{near}'?" if near else ""
        return Fault(f"unknown {self.kind} '{name}'", where=where, legal=", ".join(self._entries), hint=hint)
