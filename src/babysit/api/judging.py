"""Judging runs: the counted look at the test part, labels that are probably wrong."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from babysit.api.reports import report
from babysit.clock import Clock
from babysit.errors import UserError
from babysit.evaluating import held_out, label_errors
from babysit.inference.views import View
from babysit.show import Show, Silent


def test(
    run: str | Path, *, again: bool = False, view: View = "plain", data: str | None = None, show: Show | None = None
) -> held_out.Tested:
    """Evaluates the best network on the test part; each look is counted, a second one needs `again`.

    Arguments:
        view: the windows of each image whose scores are averaged.
        data: where the images are now, when they have moved.

    Raises:
        UserError: no run, no test part, no finished epoch, changed images, or a second look that was not asked for.
    """
    clock = Clock(time.perf_counter())
    done = held_out.look(Path(run), again=again, view=view, data=data, show=show or Silent(), clock=clock)
    try:
        report(run)
    except UserError as error:  # the look is taken and counted; its figures must not be lost
        return replace(done, notes=(*done.notes, f"the report could not be written again: {error}"))
    return done


def suspects(run: str | Path, *, out: str | Path | None = None) -> label_errors.Suspects:
    """Images whose label is probably wrong, by a run's validation predictions or those of all its folds.

    Arguments:
        out: also write them there as CSV: path, label (the suggested one), was, confidence.

    Raises:
        UserError: when there is no run, or it has not finished an epoch.
    """
    found = label_errors.find_suspects(Path(run))
    if out is not None:
        label_errors.write_list(found, Path(out))
    return found
