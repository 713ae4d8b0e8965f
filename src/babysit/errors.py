"""One family of errors a user can read: what is wrong, where, what would be legal, what to do next.

A `UserError` is printed as one message without a traceback and ends the command with exit status 1.
Mistakes of our own are `assert`s and do show a traceback.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing the user must change.

    Arguments:
        what: the sentence that says what is wrong, with the value seen.
        where: file and line, option, or path; empty when the sentence already says it.
        legal: the legal values or range; empty when there is nothing to choose from.
        hint: the next thing to try.

    >>> print(Fault("epochs is -1", where="recipe.toml:3", legal="a whole number of at least 1").text())
    recipe.toml:3: epochs is -1. Legal: a whole number of at least 1.
    """

    what: str
    where: str = ""
    legal: str = ""
    hint: str = ""

    def text(self) -> str:
        """The fault as one line for a person."""
        parts = [f"{self.where}: " if self.where else "", self.what.rstrip(".") + "."]
        if self.legal:
            parts.append(f" Legal: {self.legal.rstrip('.')}.")
        if self.hint:
            parts.append(f" {self.hint}" + ("" if self.hint.endswith((".", "?", "!")) else "."))
        return "".join(parts)


class UserError(ValueError):
    """The user must change something; carries every fault found, so that all are said at once.

    >>> raise UserError("no images in photos/", hint="Give a folder with one folder of images per class")
    Traceback (most recent call last):
    babysit.errors.UserError: no images in photos/. Give a folder with one folder of images per class.
    """

    def __init__(self, what: str = "", *, where: str = "", legal: str = "", hint: str = "") -> None:
        self.faults: tuple[Fault, ...] = (Fault(what, where, legal, hint),) if what else ()
        super().__init__(self.text())

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> UserError:
        """An error that carries several faults."""
        assert faults, "an error needs at least one fault"
        error = cls()
        error.faults = tuple(faults)
        error.args = (error.text(),)
        return error

    def text(self) -> str:
        """Every fault, a line each."""
        return "\n".join(fault.text() for fault in self.faults)


class BrokenCheckpointError(UserError):
    """A checkpoint's bytes are not the ones that were written, or it is not a checkpoint of ours."""


class ChecksFailed(Exception):  # noqa: N818 - the program works; what it looked at does not
    """A check before training says stop. `checks` are the outcomes as plain JSON values."""

    def __init__(self, text: str, checks: list[dict[str, object]]) -> None:
        self.checks = checks
        super().__init__(text)


class InterruptedTraining(Exception):  # noqa: N818 - an interruption is not an error
    """Training was asked to stop (Ctrl-C, SIGTERM) and has saved its state; the message says how to go on."""


FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

NO_PLACE = frozenset(
    {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG}
)
"""Read-only, not ours, a file where a folder should be or a folder where a file should, a name too long."""


@contextmanager
def writing(path: Path, what: str) -> Iterator[None]:
    """Turns a disk that is full, read-only or not ours into a message that names the path.

    Arguments:
        path: the place written to.
        what: what was being written, for the message: "the decoded cache".

    Raises:
        UserError: when the disk is full or the place cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL_DISK:
            raise UserError(
                f"the disk is full: {what} could not be written",
                where=str(path),
                hint="Free some space (or point BABYSIT_CACHE or -o elsewhere) and run the command again; "
                "what was saved before is intact",
            ) from error
        if error.errno in NO_PLACE:
            raise UserError(
                f"{what} could not be written ({error.strerror})",
                where=str(path),
                hint="Choose a place you may write to: -o for the run, BABYSIT_CACHE for the decoded cache, BABYSIT_STATE "
                "for the ledger of looks at test images",
            ) from error
        raise
