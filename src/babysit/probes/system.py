"""The process: how much memory it holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from babysit.device import peak_memory
from babysit.probes.context import ProbeContext
from babysit.record.observation import Observation


def resident_memory() -> int | None:
    """Bytes of main memory this process holds now; None where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def probe(context: ProbeContext) -> Iterator[Observation]:
    """What the process holds, and the most that it, or the accelerator, ever held."""
    held = resident_memory()
    if held is not None:
        yield Observation("resident_memory", float(held), context.step, context.epoch)


def peak(context: ProbeContext) -> Iterator[Observation]:
    """The most memory that training has held so far: the accelerator's where there is one."""
    yield Observation("peak_memory", float(peak_memory()), context.step, context.epoch)
