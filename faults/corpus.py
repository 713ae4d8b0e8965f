"""The whole corpus: the tuning part, the held-out one, and what of that was looked at since."""

from __future__ import annotations

import functools
from pathlib import Path

import held.broken
import held.healthy
from broken import broken
from healthy import healthy
from programs import Program

SCORED = tuple(Path(__file__).resolve().parent / "held" / name for name in ("first.txt", "second.txt"))
"""What was said of each held-out program when it was first scored; rules were mended with an eye on it since."""

PARTS = ("tuning", "looked at", "held-out")


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
def looked_at() -> frozenset[str]:
    """The programs that were held out and scored: rules were mended with an eye on them since, so they are held out no more."""
    lines = [line for path in SCORED for line in path.read_text(encoding="utf-8").splitlines()]
    return frozenset(line.split()[2] for line in lines)


def part_of(program: Program) -> str:
    """Which of the three parts a program belongs to."""
    if not program.held:
        return "tuning"
    return "looked at" if program.name in looked_at() else "held-out"


@functools.cache
def _names() -> frozenset[str]:
    return frozenset(one.name for one in whole())
