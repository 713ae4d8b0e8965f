"""Watching somebody's own loop."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from torch import nn
from torch.optim import Optimizer

from babysit.diagnosing import judge
from babysit.watching.attach import Watch, asked_of


def watch(
    model: nn.Module,
    optimizer: Optimizer | Iterable[Optimizer],
    *,
    classes: int | None = None,
    names: Sequence[str] | None = None,
    run: str | Path | None = None,
    say: Callable[[str], None] | None = None,
) -> Watch:
    """Attaches the watcher to a training loop of your own: `with babysit.watch(model, optimizer) as w:`.

    Call `w.step(loss=, outputs=, targets=, inputs=)` once for each batch, anywhere after its loss, and
    `w.validation(loss=, accuracy=)` once for each epoch; all of them may be left out, and what is not given is not
    judged. Gradients and updates are read when the optimiser steps. Nothing in it raises or changes the training: with
    and without it the weights have the same bits. `docs/watch.md` has examples.

    Arguments:
        model: the network as your loop calls it.
        optimizer: the one that steps, or several.
        classes: how many; by default as many as the outputs have columns.
        names: of the classes.
        run: the run directory; by default `runs/watched`, with a number when that exists.
        say: takes each sentence for a person; by default they go to standard error.
    """
    return Watch(asked_of(model, optimizer, classes=classes, names=names, run=run), judge, say or _to_standard_error)


def _to_standard_error(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a person is to read it
