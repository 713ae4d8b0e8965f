"""Trainings beside the training: the same loop, and no trace of them afterwards."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from babysit.device import choose_device, same_streams


@contextmanager
def undisturbed() -> Iterator[None]:
    """Afterwards every random stream of the process is as it was."""
    python, numpy = random.getstate(), np.random.get_state()
    with same_streams(choose_device()):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
