"""One function per verb: the only place where data, training, rules, report and page are put together.

A verb's module is imported when the verb is first asked for, so that verbs which need no torch do not load it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from babysit.api.checking import check, check_data
    from babysit.api.folds import CrossValidated, cross_validate
    from babysit.api.judging import suspects, test
    from babysit.api.keeping import decoded_images
    from babysit.api.looking import Looked, look
    from babysit.api.refitting import Refitted, refit
    from babysit.api.rejudging import Rejudged, diagnose, diagnosis_lines
    from babysit.api.reports import compare, report
    from babysit.api.run_folders import find_run, list_runs, remove_run
    from babysit.api.running import Trained, dry_run, train
    from babysit.api.scheduling import schedules
    from babysit.api.searching import Searched, find_rate, join, search
    from babysit.api.showing import summarize
    from babysit.api.using import load, predict
    from babysit.api.watching_loops import watch

__all__ = [
    "CrossValidated",
    "Looked",
    "Refitted",
    "Rejudged",
    "Searched",
    "Trained",
    "check",
    "check_data",
    "compare",
    "cross_validate",
    "decoded_images",
    "diagnose",
    "diagnosis_lines",
    "dry_run",
    "find_rate",
    "find_run",
    "join",
    "list_runs",
    "load",
    "look",
    "predict",
    "refit",
    "remove_run",
    "report",
    "schedules",
    "search",
    "summarize",
    "suspects",
    "test",
    "train",
    "watch",
]

HOMES = {
    "check": "checking",
    "check_data": "checking",
    "CrossValidated": "folds",
    "cross_validate": "folds",
    "suspects": "judging",
    "test": "judging",
    "decoded_images": "keeping",
    "Looked": "looking",
    "look": "looking",
    "Refitted": "refitting",
    "refit": "refitting",
    "Rejudged": "rejudging",
    "diagnose": "rejudging",
    "diagnosis_lines": "rejudging",
    "compare": "reports",
    "report": "reports",
    "find_run": "run_folders",
    "list_runs": "run_folders",
    "remove_run": "run_folders",
    "Trained": "running",
    "dry_run": "running",
    "train": "running",
    "schedules": "scheduling",
    "Searched": "searching",
    "find_rate": "searching",
    "join": "searching",
    "search": "searching",
    "summarize": "showing",
    "load": "using",
    "predict": "using",
    "watch": "watching_loops",
}
"""Public name -> the module of this folder that holds it."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name in HOMES:
        return getattr(importlib.import_module(f"{__name__}.{HOMES[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
