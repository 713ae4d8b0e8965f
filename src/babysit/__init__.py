"""babysit trains convolutional image classifiers and watches them as they train.

The public face is lazy: importing `babysit` imports no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysit.version import VERSION as __version__

if TYPE_CHECKING:
    from babysit.api import (
        check,
        check_data,
        compare,
        cross_validate,
        diagnose,
        find_rate,
        list_runs,
        load,
        look,
        predict,
        refit,
        report,
        search,
        summarize,
        suspects,
        test,
        train,
        watch,
    )

__all__ = [
    "__version__",
    "check",
    "check_data",
    "compare",
    "cross_validate",
    "diagnose",
    "find_rate",
    "list_runs",
    "load",
    "look",
    "predict",
    "refit",
    "report",
    "search",
    "summarize",
    "suspects",
    "test",
    "train",
    "watch",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name in __all__:
        from babysit import api

        return getattr(api, name)
    raise AttributeError(f"module 'babysit' has no attribute '{name}'")
