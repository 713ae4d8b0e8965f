"""The whole corpus: the tuning part, what was held out and looked at since, what is apart, beyond, anew, from outside, and last; the last three nobody has looked at."""

from __future__ import annotations

import functools

import anew.broken
import anew.healthy
import apart.broken
import apart.healthy
import beyond.broken
import beyond.healthy
import fresh.broken
import fresh.healthy
import held.broken
import held.healthy
import last.broken
import last.healthy
import outside.broken
import outside.healthy
import unseen.broken
import unseen.healthy
from anew.setups import Anew
from apart.setups import Apart
from beyond.setups import Beyond
from broken import broken
from healthy import healthy
from last.setups import Last
from outside.setups import Outside
from programs import Program

PARTS = ("tuning", "looked at", "apart", "beyond", "anew", "outside", "last")

HELD_OUT = ("last",)
"""Parts whose misses nobody has looked at: they are scored when asked for, and nothing is learned from them."""

LOOKED_AT = tuple(name for name in PARTS if name not in HELD_OUT)


@functools.cache
def whole() -> tuple[Program, ...]:
    """All programs; the tuning part first, broken before healthy."""
    first = (*broken(), *healthy(), *held.broken.broken(), *held.healthy.healthy())
    second = (*fresh.broken.broken(), *fresh.healthy.healthy())
    third = (*unseen.broken.broken(), *unseen.healthy.healthy())
    fourth = (*apart.broken.broken(), *apart.healthy.healthy())
    fifth = (*beyond.broken.broken(), *beyond.healthy.healthy())
    sixth = (*anew.broken.broken(), *anew.healthy.healthy())
    seventh = (*outside.broken.broken(), *outside.healthy.healthy())
    eighth = (*last.broken.broken(), *last.healthy.healthy())
    return (*first, *second, *third, *fourth, *fifth, *sixth, *seventh, *eighth)


def twin_of(program: Program) -> str:
    """The name of the healthy twin, empty where there is none."""
    for begin in ("base-", "fine-"):
        if program.base and begin + program.base in _names():
            return begin + program.base
    return ""


def twins() -> frozenset[str]:
    """The names of all healthy twins of broken programs."""
    return frozenset(twin_of(one) for one in whole() if not one.healthy) - {""}


def part_of(program: Program) -> str:
    """Which of the parts a program belongs to."""
    if not program.held:
        return "tuning"
    if isinstance(program.setup, Last):
        return "last"
    if isinstance(program.setup, Outside):
        return "outside"
    if isinstance(program.setup, Anew):
        return "anew"
    if isinstance(program.setup, Beyond):
        return "beyond"
    return "apart" if isinstance(program.setup, Apart) else "looked at"


@functools.cache
def _names() -> frozenset[str]:
    return frozenset(one.name for one in whole())
