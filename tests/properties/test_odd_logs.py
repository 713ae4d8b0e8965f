"""Odd logs: whatever stands in a log, the rules say something a person can read, the same each time, or nothing."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from made_logs import KNOWN, made
from sick_logs import SICK

from babysit.diagnosing import RULES, judge
from babysit.diagnosing.remedies import remedy_text
from babysit.recipe import setting_names
from babysit.record.diagnosis import SEVERITIES, Diagnosis
from babysit.record.known import Known
from babysit.record.log import Row, RunLog
from babysit.record.observation import QUANTITIES, parts_of

NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, -1e-30, 1e30, -1e30, 1e308, 5e-324, math.nan, math.inf, -math.inf)
NONSENSE = re.compile(r"(?<![\w-])-?(nan|inf)(?![a-z])")

KNOWN_ODDLY: dict[str, tuple[object, ...]] = {
    "learning_rate": (0.0, 1e-30, 1e30, math.inf),
    "batch_size": (0, 1, 10**9),
    "classes": (0, 1, 2, 10**6),
    "class_names": ((), ("one",), ("a", "a"), ("nan", "b%")),
    "class_counts": ((), (0,), (0, 0, 5), (1, 10**9)),
    "planned_steps": (0, 1, 2, 10**9),
    "steps_per_epoch": (0, 1, 10**9),
    "momentum": (0.0, 1.0, 2.0),
    "optimizer_kind": ("adam", "sgd", "muon", "unheard-of"),
    "loss_kind": ("hinge", "squared-hinge", "unheard-of"),
    "schedule_kind": ("constant", "exp", "unheard-of"),
    "l2": (0.0, 1e30),
    "decay": (0.0, 1e30),
    "dropout": (0.0, 1.0, 5.0),
    "norm_momentum": (0.0, 1.0),
    "evaluating": (0.0, 1.0),
    "uncleared": (0.0, 1.0),
    "training_images": (0, 1, 10**9),
    "validation_images": (0, 1, 10**9),
    "layers": ((),),
    "activations": ((), ("Unheard",)),
    "rate_by_rule": (0.0, 1e-30, 1e30),
    "settings": ({}, {"optim.lr": 0.0, "optim.momentum": 1.0, "augment.rotate": 180.0, "optim.batch_size": 1}),
}
"""What a person's own loop, or a hostile file, can say of the settings."""


class Case:
    """A log and what is known of its settings, which are shown by what was done to them: they are long."""

    def __init__(self, log: RunLog, known: Known) -> None:
        self.log, self.known = log, known

    def __repr__(self) -> str:
        return f"a log of {len(self.log.rows)} rows"


Rows = list[Row]
Change = Callable[[Row, dict[str, float]], dict[str, float]]


def logs() -> Iterator[tuple[RunLog, Known]]:
    """A healthy log, an empty one, and one of each rule's sick logs, to be made odd."""
    yield RunLog(()), Known()
    yield made(), KNOWN
    yield made(steps=30, epochs=2), Known()
    for name in RULES:
        yield SICK[name](1.0)


LOGS = list(logs())
NAMES = sorted({parts_of(key)[0] for log, _ in LOGS for row in log.rows for key in row.values} | set(QUANTITIES))


def changed(rows: Sequence[Row], name: str, change: Change) -> Rows:
    """Rows with the values of one quantity, in all places, changed."""
    found = []
    for row in rows:
        some = {key: value for key, value in row.values.items() if name == "*" or parts_of(key)[0] == name}
        rest = {key: value for key, value in row.values.items() if key not in some}
        found.append(replace(row, values=rest | change(row, some)))
    return found


@st.composite
def odd_rows(draw: st.DrawFn, rows: Rows) -> Rows:
    """Rows of a log after one thing has gone wrong with it."""
    kind = draw(
        st.sampled_from(("value", "value", "values", "drop", "gaps", "scale", "rows", "kind", "order", "epochs"))
    )
    name = draw(st.sampled_from((*NAMES, *NAMES, "*")))
    number = draw(st.sampled_from(NUMBERS))
    count = len(rows)
    some = draw(st.integers(0, max(0, count - 1)))
    note(f"{kind} of {name}: {number} at {some} of {count} rows")
    if kind == "value":
        late = draw(st.booleans())
        places = {id(row) for row in (rows[some:] if late else rows[: some + 1])}
        return changed(rows, name, lambda row, old: dict.fromkeys(old, number) if id(row) in places else old)
    if kind == "values":
        several = draw(st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=5))
        return changed(rows, name, lambda row, old: dict.fromkeys(old, several[row.step % len(several)]))
    if kind == "drop":
        return changed(rows, name, lambda row, old: {})
    if kind == "gaps":
        every = draw(st.integers(2, 9))
        return changed(rows, name, lambda row, old: old if row.step % every else {})
    if kind == "scale":
        factor = draw(st.sampled_from((-1.0, 0.0, 1e-20, 1e20, 1e-3, 1e3)))
        return changed(rows, name, lambda row, old: {key: value * factor for key, value in old.items()})
    if kind == "rows":
        end = draw(st.integers(some, count))
        return rows[some:end]
    if kind == "kind":
        gone = draw(st.sampled_from(("start", "step", "layers", "epoch")))
        return [row for row in rows if row.kind != gone]
    if kind == "order":
        return rows[some:] + rows[:some] if draw(st.booleans()) else rows[::-1]
    epoch = draw(st.sampled_from((0, 3, 10**6)))
    return [replace(row, epoch=epoch if place >= some else row.epoch) for place, row in enumerate(rows)]


@st.composite
def arbitrary_rows(draw: st.DrawFn) -> Rows:
    """Rows that no training has written."""
    rows: Rows = []
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(("start", "step", "step", "layers", "epoch", "correction", "stopped")))
        names = draw(st.lists(st.sampled_from(NAMES), max_size=12))
        places = [draw(st.sampled_from(("", "@conv1", "@last", "@a"))) for _ in names]
        values = {name + place: draw(st.sampled_from(NUMBERS)) for name, place in zip(names, places, strict=True)}
        rows.append(Row(kind, draw(st.integers(0, 400)), draw(st.integers(0, 12)), values))
    return rows


@st.composite
def odd_known(draw: st.DrawFn, known: Known) -> Known:
    """Settings of which some are unknown, or odd."""
    names = draw(st.lists(st.sampled_from([one.name for one in fields(Known)]), max_size=4))
    odd = {name: draw(st.sampled_from((None, *KNOWN_ODDLY.get(name, ())))) for name in names}
    note(f"known: {odd}")
    return replace(known, **odd)


@st.composite
def odd_logs(draw: st.DrawFn) -> Case:
    """A log and what is known of its settings, after up to four things have gone wrong."""
    number = draw(st.integers(0, len(LOGS) - 1))
    note(f"log {number}")
    log, known = LOGS[number]
    rows = list(log.rows)
    if draw(st.integers(0, 3)) == 0:
        rows = draw(arbitrary_rows())
    for _ in range(draw(st.integers(1, 4))):
        rows = draw(odd_rows(rows))
    return Case(RunLog(tuple(rows)), draw(odd_known(known)))


def check_form(one: Diagnosis) -> None:
    """Whether a person can read it, and act upon it."""
    assert one.rule in set(RULES) and one.severity in SEVERITIES
    assert 0 <= one.sure <= 1, one
    assert one.evidence, one
    for text in (one.claim, one.advice, one.code, one.disproof, one.line(), remedy_text(one)):
        assert one.rule == "not-a-number" or not NONSENSE.search(text), text
    assert one.claim.strip() and one.advice.strip() and one.page
    assert all(
        value is None or not isinstance(value, float) or math.isfinite(value) for value in (one.remedy or {}).values()
    )
    assert set(one.remedy or ()) <= set(setting_names())
    one.as_json()


@pytest.mark.parametrize("number", [-1.0, -1e30, 0.0, 1e308, math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("name", ["healthy", "softmax-missing"])
def test_no_quantity_fails_a_rule_whatever_it_is_throughout(name: str, number: float) -> None:
    log, known = (made(), KNOWN) if name == "healthy" else SICK[name](1.0)
    for quantity in sorted({parts_of(key)[0] for row in log.rows for key in row.values}):
        odd = changed(log.rows, quantity, lambda row, old: dict.fromkeys(old, number))
        judge(RunLog(tuple(odd)), known)


@settings(max_examples=200, deadline=None)
@given(odd_logs())
def test_whatever_stands_in_a_log_is_judged_in_words_that_can_be_read(case: Case) -> None:
    log, known = case.log, case.known
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = judge(log, known)
    for one in found:
        check_form(one)
    assert len({(one.rule, one.where) for one in found}) == len(found), "each is said once"
    again = judge(RunLog(log.rows), known)
    assert [repr(one) for one in again] == [repr(one) for one in found]
