"""Messages a user can read, and tables that explain what they lack."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from babysit.errors import BrokenCheckpointError, Fault, UserError, writing
from babysit.tables import Table, nearest


def test_all_faults_are_said_a_line_each() -> None:
    error = UserError.of([Fault("a is 1", "x:3", "2 and more", "Try 2"), Fault("b is missing")])
    assert str(error) == "x:3: a is 1. Legal: 2 and more. Try 2.\nb is missing."
    assert [fault.what for fault in error.faults] == ["a is 1", "b is missing"]
    assert isinstance(error, ValueError) and issubclass(BrokenCheckpointError, UserError)


def test_a_hint_that_is_a_question_gets_no_full_stop() -> None:
    assert str(UserError("no", hint="Did you mean 'yes'?")) == "no. Did you mean 'yes'?"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_said_with_its_place(number: int) -> None:
    with (
        pytest.raises(UserError, match="/place: the disk is full: the log could not be written"),
        writing(Path("/place"), "the log"),
    ):
        raise OSError(number, "no space")


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_place_that_is_not_ours_is_said(number: int) -> None:
    with pytest.raises(UserError, match="/place: the log could not be written"), writing(Path("/place"), "the log"):
        raise OSError(number, "not allowed")


def test_another_error_is_not_hidden() -> None:
    with pytest.raises(OSError, match="broken") as caught, writing(Path("/place"), "the log"):
        raise OSError(errno.EIO, "broken")
    assert not isinstance(caught.value, UserError)


def test_a_table_is_a_mapping_that_names_the_nearest() -> None:
    table = Table("fruit", {"apple": 1, "pear": 2})
    assert list(table) == ["apple", "pear"] and len(table) == 2 and table["pear"] == 2
    assert "apple" in table and "plum" not in table
    with pytest.raises(UserError, match=r"unknown fruit 'aple'. Legal: apple, pear. Did you mean 'apple'"):
        table["aple"]
    assert table.fault("xyz", "f:1").text() == "f:1: unknown fruit 'xyz'. Legal: apple, pear."


def test_a_table_does_not_follow_the_mapping_it_was_made_of() -> None:
    entries = {"a": 1}
    table = Table("thing", entries)
    entries["b"] = 2
    assert list(table) == ["a"]


def test_nearest_gives_nothing_rather_than_nonsense() -> None:
    assert nearest("lr", ["optim.lr"]) == "" and nearest("optim.rl", ["optim.lr", "seed"]) == "optim.lr"
