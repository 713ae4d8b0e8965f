"""Ctrl-C and SIGTERM, which ask a training to stop and save."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from babysit.training.fit import Stop


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Ctrl-C and SIGTERM ask for a stop; a second one ends the process at once."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    names = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}

    def ask(number: int, frame: object) -> None:  # noqa: ARG001 - the signature signals have
        if stop.asked:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.asked = names[signal.Signals(number)]
        print("\nFinishing this step and saving...", file=sys.stderr)  # noqa: T201 - a person waits for an answer

    before = {number: signal.signal(number, ask) for number in names}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
