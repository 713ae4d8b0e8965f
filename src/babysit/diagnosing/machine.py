"""Rules about the machine: a loader that starves the device, memory that grows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, noise_of, slope, spread_of, sure_of
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog

WAITING = 0.5
"""Share of a step spent waiting for its batch from which on the loader is the slower side."""

MEGABYTE = 2.0**20


def loader_starving(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Most of the time goes into waiting for batches."""
    waits, seconds = log.series("wait_seconds", kind="step"), log.series("step_seconds", kind="step")
    count = min(len(waits), len(seconds))
    if count < 24:
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = waits.values[-count:] / seconds.values[-count:]
    shares = shares[np.isfinite(shares)]
    if not len(shares):
        return
    share, wait = float(np.median(shares)), float(np.median(waits.values))
    sure = sure_of(share - WAITING, 0.02 + spread_of(shares) / 3)
    if sure <= 0.6:
        return
    long = wait > 0.05 and share > 0.7
    words = Words(
        f"The loader starves the network: {share:.0%} of a step ({1000 * wait:.0f} of {1000 * float(np.median(seconds.values)):.0f} ms) is waiting for its batch.",
        "Augment less, or take smaller images: --set data.size=32"
        if known.augmented
        else "Take smaller images: --set data.size=32",
        "DataLoader(..., num_workers=4, persistent_workers=True), and decode and resize once, beforehand",
        "With one batch used again and again a step takes as long.",
    )
    weight = Weight(sure, int(waits.steps[0]), lasts(waits, seconds))
    yield diagnosis("loader-starving", "warn" if long else "note", words=words, weight=weight)


def memory_growing(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The process's memory grows by about as much every epoch: something keeps what it should let go."""
    memory = log.series("resident_memory", kind="epoch")
    if len(memory) < 5:
        return
    values = memory.values[1:] / MEGABYTE  # the first epoch fills caches
    each, error = slope(values)
    total = float(values[-1] - values[0])
    steady = sure_of(float(np.mean(np.diff(values) > 0.3 * each)) - 0.7, 0.02)
    grows = sure_of(each / max(error, 0.05 + noise_of(values) / len(values)) - 4, 2.0)
    much = sure_of(total - max(30.0, 0.05 * float(values[0])), 5.0)
    sure = all_of(grows, much, steady)
    if sure <= 0.6:
        return
    words = Words(
        f"Memory grows by {each:.3g} MB an epoch: {values[0]:.0f} MB after the second, {values[-1]:.0f} MB now.",
        "In a recipe this cannot be: report it" if known.has_recipe else "Keep numbers, not tensors",
        "total_loss += loss.item(), not += loss: a loss that is kept keeps its whole graph",
        "It stops growing in the epochs to come.",
    )
    weight = Weight(sure, int(memory.steps[1]), (memory.observation(1), *lasts(memory)))
    yield diagnosis("memory-growing", "warn", words=words, weight=weight)
