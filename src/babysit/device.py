"""The only file that spells "cuda": device, precision, memory."""

from __future__ import annotations

import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

WORTH = 1.15
"""How many times faster bfloat16 must measure before it is taken: less is within the noise of a busy machine."""

TIMED = 5


@dataclass(frozen=True, slots=True)
class Precision:
    """The arithmetic chosen, why in one sentence, and the seconds one measured step took in it."""

    name: str
    why: str
    step_seconds: float


def choose_device() -> torch.device:
    """The accelerator when there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def choose_precision(asked: str, step: Callable[[torch.dtype], tuple[float, Tensor]]) -> Precision:
    """Measures the real network's step in float32 and bfloat16, and takes bfloat16 only if right and faster.

    Right means: the loss within 3 %, and the gradient's cosine with the float32 gradient at least 0.95.

    Arguments:
        asked: "auto", "float32" or "bfloat16".
        step: runs one forward and backward in a dtype on a copy of the network; gives loss and flat gradient.
    """
    names = ["float32", "bfloat16"] if asked == "auto" else [asked]
    results = {name: step(DTYPES[name]) for name in names}  # warms up, too
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(TIMED):
        for name in names:  # in turn, so that a disturbance meets both
            begun = time.perf_counter()
            step(DTYPES[name])
            seconds[name].append(time.perf_counter() - begun)
    taken = {name: statistics.median(values) for name, values in seconds.items()}
    if asked != "auto":
        return Precision(asked, "as asked", taken[asked])
    ratio = taken["float32"] / taken["bfloat16"]
    if not _agree(results["float32"], results["bfloat16"]):
        return Precision("float32", "the self-test found bfloat16 wrong on this machine", taken["float32"])
    if ratio < WORTH:
        return Precision("float32", f"the self-test measured bfloat16 at {ratio:.2f} times its speed", taken["float32"])
    return Precision("bfloat16", f"the self-test measured it right and {ratio:.1f} times as fast", taken["bfloat16"])


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context in which forward passes run."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


def peak_memory() -> int:
    """The most memory this process has held so far, in bytes (resident set)."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def describe(device: torch.device) -> dict[str, object]:
    """The machine, for `environment.json`."""
    return {
        "device": device.type,
        "name": torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
    }


def _agree(one: tuple[float, Tensor], other: tuple[float, Tensor]) -> bool:
    loss, gradient = one
    loss_other, gradient_other = other
    if not bool(torch.isfinite(gradient_other).all()) or abs(loss - loss_other) > 0.03 * max(abs(loss), 0.1):
        return False
    cosine = torch.nn.functional.cosine_similarity(gradient.double(), gradient_other.double(), dim=0)
    return float(cosine) >= 0.95
