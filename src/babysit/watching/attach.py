"""`babysit.watch`: the watcher attached to anybody's loop. It reads, writes a run directory, and changes nothing."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import cast

import torch
from torch import nn
from torch.optim import Optimizer

from babysit.errors import UserError
from babysit.names import lines_for_terminal
from babysit.record.diagnosis import Diagnosis, Judge
from babysit.watching.given import Once
from babysit.watching.loop import FINISHED, Loop


@dataclass(frozen=True, slots=True)
class Asked:
    """What `babysit.watch` was given."""

    model: nn.Module
    optimizers: tuple[Optimizer, ...]
    classes: int | None
    names: Sequence[str] | None
    run: str | Path | None


class Watch:
    """A loop being watched. Nothing in it raises, and nothing in it changes the training.

    Arguments:
        judge: the rules.
        say: where sentences for a person go.
    """

    def __init__(self, asked: Asked, judge: Judge, say: Callable[[str], None]) -> None:
        self._asked, self._judge = asked, judge

        def sentence(text: str) -> None:
            with contextlib.suppress(Exception):  # nobody listens any more: a closed pipe, a terminal of few letters
                say(lines_for_terminal(f"babysit: {text}"))

        self._say = Once(sentence)
        self._loop: Loop | None = None
        self._off = False
        self._guarded(None)

    @property
    def stop(self) -> bool:
        """Whether a diagnosis says that going on is useless; the loop may ask.

        Always false where several processes train together, since one of them must not end alone.
        """
        alone = self._loop is not None and not self._loop.shared
        return alone and any(one.severity == "stop" for one in self.diagnoses)

    @property
    def diagnoses(self) -> tuple[Diagnosis, ...]:
        """What the rules say so far, worst first."""
        return self._loop.diagnoses if self._loop else ()

    @property
    def run(self) -> Path | None:
        """The run directory, None in processes that do not write."""
        return self._loop.diary.run.path if self._loop else None

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close("finished" if kind is None else f"ended by {kind.__name__}")

    def step(
        self, *, loss: object = None, outputs: object = None, targets: object = None, inputs: object = None
    ) -> None:
        """Tells of one batch: once for each, anywhere after its loss.

        Arguments:
            loss: the batch's loss.
            outputs: the network's scores, shape (n, classes).
            targets: class numbers, shape (n,).
            inputs: what the network was given.
        """
        self._guarded(Loop.step, loss, outputs, targets, inputs)

    def validation(
        self,
        *,
        loss: object = None,
        accuracy: object = None,
        inputs: object = None,
        outputs: object = None,
        targets: object = None,
    ) -> None:
        """Tells of a validation, which ends an epoch.

        Arguments:
            loss: mean over the validation images.
            accuracy: 0 to 1.
            inputs: some of its images; those that the network was run on without gradients where they are not given.
            outputs: the scores of all of its images, shape (n, classes).
            targets: their class numbers, shape (n,).
        """
        self._guarded(Loop.validation, loss, accuracy, inputs, outputs, targets)

    def close(self, status: str = FINISHED) -> None:
        """Ends the watching: all is written and judged, every hook taken away. `with` does this."""
        if self._loop is not None:
            self._guarded(lambda loop: loop.end(status))
            self._loop.detach()
        self._off = True

    def _guarded(self, action: Callable[..., None] | None, *given: object) -> None:
        """Does something with the loop, or begins; whatever goes wrong is said once, and then nothing more is done."""
        if self._off:
            return
        try:
            if action is None:
                self._begin()
            elif self._loop is not None:
                action(self._loop, *given)
                if self._loop.trouble:
                    self._switch_off(self._loop.trouble)
        except UserError as error:
            self._switch_off(str(error))
        except Exception as error:  # noqa: BLE001 - whatever is wrong here, the training goes on
            self._switch_off(f"{type(error).__name__}: {error}\n{traceback.format_exc()}")

    def _begin(self) -> None:
        distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
        if distributed and torch.distributed.get_rank() > 0:
            return  # one process writes, the others only train
        asked = _checked(self._asked, self._say)
        shared = distributed and torch.distributed.get_world_size() > 1
        self._loop = Loop(
            asked.model,
            asked.optimizers,
            classes=asked.classes,
            names=tuple(asked.names) if asked.names else None,
            run=asked.run,
            judge=self._judge,
            say=self._say,
            shared=shared,
        )
        self._loop.attach(self._guarded)

    def _switch_off(self, trouble: str) -> None:
        self._off = True
        where = ""
        if self._loop is not None:
            path = self._loop.diary.run.path / "trouble.txt"
            try:
                self._loop.detach()
                self._loop.diary.close()
                path.write_text(trouble, encoding="utf-8")
                where = f" (all of it in {path})"
            except Exception:  # noqa: BLE001 - it is off already
                where = ""
        first = trouble.split("\n", 1)[0]
        self._say("off", f"the watcher has switched itself off, your training goes on: {first}{where}")


def asked_of(
    model: nn.Module,
    optimizer: Optimizer | Iterable[Optimizer],
    *,
    classes: int | None = None,
    names: Sequence[str] | None = None,
    run: str | Path | None = None,
) -> Asked:
    """What `babysit.watch` was given, in one form."""
    if isinstance(optimizer, Iterable) and not isinstance(optimizer, (str, Optimizer)):
        return Asked(model, tuple(optimizer), classes, names, run)
    return Asked(model, (cast("Optimizer", optimizer),), classes, names, run)  # whatever it is: looked at later


def _checked(asked: Asked, say: Once) -> Asked:
    """The same; what can be done without is said and left out.

    Raises:
        UserError: when there is no network or no optimiser.
    """
    usage = "with babysit.watch(model, optimizer) as w"
    if not isinstance(asked.model, nn.Module):
        raise UserError(f"what is to be watched is a {type(asked.model).__name__}, not a torch.nn.Module", hint=usage)
    wrong = [type(one).__name__ for one in asked.optimizers if not isinstance(one, Optimizer)]
    if wrong or not asked.optimizers:
        what = f"the optimiser is a {wrong[0]}" if wrong else "there is no optimiser"
        raise UserError(f"{what}; a torch.optim.Optimizer is needed, or several", hint=usage)
    classes, names = asked.classes, asked.names
    if classes is not None and (not isinstance(classes, int) or isinstance(classes, bool) or classes < 1):
        say("number of classes", f"classes={classes!r} is not a number of classes; it is left out")
        classes = None
    if names is not None and (isinstance(names, str) or not all(isinstance(one, str) for one in names)):
        say("names", "names= is not a list of the classes' names; it is left out")
        names = None
    if names and classes and len(names) != classes:
        say("names", f"names= has {len(names)} names, and classes={classes} was given; the names are left out")
        names = None
    return replace(asked, classes=classes, names=tuple(names) if names else None)
