"""The only file that spells "cuda": device, precision, memory."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

WORTH = 1.15
"""How many times faster bfloat16 must measure before it is taken: less is within the noise of a busy machine."""

THREADS_WORTH = 1.25
"""The same for more than one thread. Threads wait for each other in every layer, so on a machine that becomes busy
many threads on a small network are far slower than one: 20 times, measured (docs/log.md)."""

SHORT = 0.05
"""Seconds: a step that takes one thread less than this stays with one thread and float32, whatever would measure faster."""

REPEATS, SECONDS = 5, 1.0
"""How often each arm of a measurement runs at most, and after how many seconds no further round begins."""

CLEAR = 1.15
"""How far beyond its threshold every one of two rounds must lie for the rest to be spared."""

PROCESSOR = torch.device("cpu")

Step = Callable[[torch.dtype], tuple[float, Tensor]]


@dataclass(frozen=True, slots=True)
class Measured:
    """The arithmetic and the number of threads chosen, why, and the seconds one measured step took with them."""

    precision: str
    threads: int
    reasons: dict[str, str]
    step_seconds: float


def choose_device() -> torch.device:
    """The accelerator when there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def placed(values: Tensor, device: torch.device) -> Tensor:
    """The same values on a device; an accelerator fetches them while the processor goes on."""
    if device.type == "cpu" or values.device.type != "cpu":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Inside, an accelerator adds in the same order every time, so that a training can be repeated to the bit.

    A processor always does, for a given number of threads.
    """
    before = torch.backends.cudnn.deterministic
    torch.backends.cudnn.deterministic = before or device.type != "cpu"
    try:
        yield
    finally:
        torch.backends.cudnn.deterministic = before


@contextmanager
def same_streams(device: torch.device) -> Iterator[None]:
    """Afterwards PyTorch's random streams, the processor's and the device's, are as they were."""
    with torch.random.fork_rng([] if device.type == "cpu" else [device], device_type=device.type):
        yield


def streams(device: torch.device) -> dict[str, Tensor]:
    """Where PyTorch's random streams stand: the processor's as `torch`, that of an accelerator by its type."""
    kept = {"torch": torch.get_rng_state()}
    return kept if device.type == "cpu" else {**kept, device.type: torch.cuda.get_rng_state(device)}


def set_streams(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Puts PyTorch's random streams where they stood; a stream that was not kept, or of another device, is left."""
    torch.set_rng_state(states["torch"])
    if device.type != "cpu" and device.type in states:
        torch.cuda.set_rng_state(states[device.type], device)


def self_test(
    precision: str, threads: int | None, step: Step, *, share: float, device: torch.device = PROCESSOR
) -> Measured:
    """Measures the real network's step, and takes bfloat16 only if right and faster, more threads only if faster.

    Right means: the loss within 3 %, and the gradient's cosine with the float32 gradient at least 0.95.
    The number of threads is left as chosen.

    Arguments:
        precision: "auto", "float32" or "bfloat16".
        threads: None to choose between one and all; of a network that an accelerator computes, one.
        step: runs one forward and backward in a dtype on a copy of the network; gives loss and flat gradient.
        share: the images in that step over the images in a training batch.
        device: where that network is.
    """
    reasons: dict[str, str] = {}
    if device.type != "cpu" and threads is None:
        threads, reasons["train.threads"] = 1, "the network is computed by the accelerator"
    most = threads or torch.get_num_threads()
    if device.type == "cpu" and (threads is None or precision == "auto"):
        torch.set_num_threads(1)
        step(torch.float32)  # warms up
        short_here = SHORT * share
        alone = in_turn({"alone": lambda: step(torch.float32)}, lambda taken: clear(taken["alone"], short_here))[
            "alone"
        ]
        if alone < short_here:
            # Nothing to win, and a choice that does not hang on a measurement is the same at every start.
            short = f"a step takes one thread less than {SHORT:g} s"
            if threads is None:
                threads, reasons["train.threads"] = 1, f"{short}, which is too little to share"
            if precision == "auto":
                precision, reasons["train.precision"] = "float32", f"{short}, which is too short for less to matter"
    if threads is None and most > 1:
        threads, reasons["train.threads"] = _choose_threads(most, step)
    threads = threads or most
    torch.set_num_threads(threads)
    if precision == "auto":
        precision, reasons["train.precision"], seconds = _choose_precision(step)
        return Measured(precision, threads, reasons, seconds)
    step(DTYPES[precision])
    return Measured(precision, threads, reasons, in_turn({precision: lambda: step(DTYPES[precision])})[precision])


def _choose_threads(most: int, step: Step) -> tuple[int, str]:
    """One thread or all, and why."""

    def with_threads(count: int) -> None:
        torch.set_num_threads(count)
        step(torch.float32)

    with_threads(most)
    arms = {str(count): lambda count=count: with_threads(count) for count in (1, most)}
    taken = in_turn(arms, lambda taken: clear(ratios(taken["1"], taken[str(most)]), THREADS_WORTH))
    ratio = taken["1"] / taken[str(most)]
    why = f"the self-test measured {most} threads at {ratio:.2f} times the speed of one"
    return (most if ratio >= THREADS_WORTH else 1), why


def _choose_precision(step: Step) -> tuple[str, str, float]:
    """The arithmetic, why, and the seconds of a step in it."""
    names = ["float32", "bfloat16"]
    results = {name: step(DTYPES[name]) for name in names}  # warms up, too
    arms = {name: lambda name=name: step(DTYPES[name]) for name in names}
    taken = in_turn(arms, lambda taken: clear(ratios(taken["float32"], taken["bfloat16"]), WORTH))
    ratio = taken["float32"] / taken["bfloat16"]
    if not _agree(results["float32"], results["bfloat16"]):
        return "float32", "the self-test found bfloat16 wrong on this machine", taken["float32"]
    if ratio < WORTH:
        return "float32", f"the self-test measured bfloat16 at {ratio:.2f} times its speed", taken["float32"]
    return "bfloat16", f"the self-test measured it right and {ratio:.1f} times as fast", taken["bfloat16"]


def in_turn(
    arms: Mapping[str, Callable[[], object]], decided: Callable[[dict[str, list[float]]], bool] = lambda _: False
) -> dict[str, float]:
    """The median seconds of each arm, run in turn so that a disturbance meets all; bounded in time.

    Arguments:
        decided: asked after each round with the seconds of every arm so far; no further one is made when it says so.
    """
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    begun = time.perf_counter()
    for _ in range(REPEATS):
        for name, arm in arms.items():
            start = time.perf_counter()
            arm()
            seconds[name].append(time.perf_counter() - start)
        if time.perf_counter() - begun > SECONDS or decided(seconds):
            break
    return {name: statistics.median(values) for name, values in seconds.items()}


def clear(values: list[float], threshold: float) -> bool:
    """Whether two measurements or more all lie on the same side of a threshold, and well away from it.

    >>> clear([2.0], 1.15), clear([2.0, 2.2], 1.15), clear([1.2, 1.9], 1.15), clear([0.9, 0.8], 1.15)
    (False, True, False, True)
    """
    return len(values) > 1 and (min(values) > CLEAR * threshold or max(values) < threshold / CLEAR)


def ratios(some: list[float], others: list[float]) -> list[float]:
    """One over the other, round by round."""
    return [one / other for one, other in zip(some, others, strict=True)]


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """So many processor threads for the arithmetic inside; None leaves them as they are."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Recording:
    """What an accelerator is asked for by `run`, recorded once and asked for at once by every `play`.

    The operations are the same, on the same memory: what `run` gave, and all that it left in memory, holds new values after
    each. It may wait for nothing on the accelerator and bring nothing to it.

    Arguments:
        beside: another recording, never played at the same time, whose memory this one may use too.

    Raises:
        RuntimeError: when something in `run` cannot be recorded.
    """

    def __init__(self, run: Callable[[], Tensor], beside: Recording | None = None) -> None:
        self._graph = torch.cuda.CUDAGraph()
        pool = None if beside is None else beside._graph.pool()
        with torch.cuda.graph(self._graph, pool=pool, capture_error_mode="thread_local"):
            self.result = run()

    def play(self) -> Tensor:
        """Asks for all of it; what `run` gave."""
        self._graph.replay()
        return self.result


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context in which forward passes run."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


def peak_memory() -> int:
    """The most memory this process has held so far, in bytes (resident set)."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def free_memory(device: torch.device) -> int:
    """Bytes that could still be taken on a device; on a processor what the system could free besides."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


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
    finite = bool(torch.isfinite(gradient_other).all())
    if not (finite and abs(loss - loss_other) <= 0.03 * max(abs(loss), 0.1)):
        return False
    cosine = torch.nn.functional.cosine_similarity(gradient.double(), gradient_other.double(), dim=0)
    return float(cosine) >= 0.95
