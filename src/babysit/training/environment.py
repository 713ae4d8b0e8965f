"""Where a training ran: versions, machine, and one entry per session, in the run's `environment.json`."""

from __future__ import annotations

import json
import platform

import torch

from babysit.device import describe
from babysit.errors import writing
from babysit.record import atomic
from babysit.record.run import Run
from babysit.training.session import Session
from babysit.version import VERSION


def note_session(run: Run, session: Session) -> None:
    """Adds this start or resume to `environment.json`."""
    entry = {
        "step": session.position.step,
        "babysit": VERSION,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        **describe(session.device),
    }
    before = json.loads(run.environment.read_text(encoding="utf-8"))["sessions"] if run.environment.exists() else []
    with writing(run.path, "the run"):
        atomic.write_json(run.environment, {"sessions": [*before, entry]})
