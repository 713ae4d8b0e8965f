"""The whole corpus: the tuning part and the held-out one."""

from __future__ import annotations

import functools

import held.broken
import held.healthy
from broken import broken
from healthy import healthy
from programs import Program


@functools.cache
def whole() -> tuple[Program, ...]:
    """All programs; the tuning part first, broken before healthy."""
    return (*broken(), *healthy(), *held.broken.broken(), *held.healthy.healthy())


def twin_of(program: Program) -> str:
    """The name of the healthy twin, empty where there is none."""
    for begin in ("base-", "fine-"):
        if program.base and begin + program.base in _names():
            return begin + program.base
    return ""


def twins() -> frozenset[str]:
    """The names of all healthy twins of broken programs."""
    return frozenset(twin_of(one) for one in whole() if not one.healthy) - {""}


@functools.cache
def _names() -> frozenset[str]:
    return frozenset(one.name for one in whole())
