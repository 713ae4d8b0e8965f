"""What the watcher costs: all probes on against all off.

step: one training step of `quick` on random images, with a bare step (`off`), a step with the watcher at which the layers
are not looked at (`light`) and one at which they are (`look`), in turn in one process; and one look at the slice. What that
comes to on average is their sum at the spacing that the rule chooses for 45,000 images.
run: `train digits` whole, watched and not (`watch.probes`): milliseconds a step of everything between the first and the last
update (batch, forward, backward, update, record, watch, judge, evaluate); steps of it take less than 10 ms.
loop: plain loops over random images with and without `babysit.watch`, in blocks of ten steps in turn, by this thread's
processor time: `late` what a step costs after the first 200, all of which are looked at, `early` before that.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

import babysit
import harness
from babysit.models.quick import quick
from babysit.models.shape import Shape
from babysit.probes.cadence import Cadence, cadence, work_of
from babysit.probes.context import ProbeContext, Slice
from babysit.probes.meter import Meter
from babysit.probes.network import network_of
from babysit.watching.attach import Watch
from babysit.watching.thinning import EARLY
from harness import Arm, Figures

TRAINING = {32: 45_000, 8: 1_078}
ROUNDS, BLOCK = 12, 10
INSIDE = ("batch", "forward", "backward", "update", "record", "watch", "judge", "evaluate")


def material(size: int, batch: int, seed: int) -> tuple[nn.Module, torch.optim.Optimizer, torch.Tensor, torch.Tensor]:
    """`quick`, its optimiser, and a batch of random images."""
    torch.manual_seed(seed)
    model = quick(Shape(size=size, classes=10, width=32))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, nesterov=True, weight_decay=5e-4)
    images = torch.randn(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    return model, optimizer, images, torch.randint(0, 10, (batch,))


def steps(size: int, batch: int) -> Arm:
    """Bare, light and close steps in turn."""

    def arm(seed: int) -> Figures:
        model, optimizer, images, labels = material(size, batch, seed)
        model.train()
        network = network_of(model)
        rule = cadence(work_of(network, images[:2]), batch=batch, images=TRAINING[size])
        meter = Meter(model, 10**6, lambda: 0.0)
        seconds: dict[str, list[float]] = {"off": [], "light": [], "look": [], "slice": []}
        for turn in range(ROUNDS + 2):
            for name in ("off", "light", "look"):
                meter.step = {"off": 2, "light": 2, "look": 0}[name]
                spent = _step(model, optimizer, images, labels, meter if name != "off" else None)
                seconds[name] += [spent] if turn >= 2 else []
            seconds["slice"] += [_slice(meter, model, images, labels, rule)] if turn in (3, 6, 9) else []
        assert not meter.trouble, meter.trouble
        off, light, look, close = (statistics.median(seconds[name]) for name in seconds)
        an_epoch = rule.slice_every * (TRAINING[size] // batch)
        added = (light - off) + (look - light) / rule.every + close / an_epoch
        return {
            "step_ms": 1e3 * off,
            "light_ms": 1e3 * (light - off),
            "look_ms": 1e3 * (look - light),
            "slice_ms": 1e3 * close,
            "every": rule.every,
            "slice_every": rule.slice_every,
            "added_ms": 1e3 * added,
            "added_share": added / off,
        }

    return arm


def _step(
    model: nn.Module, optimizer: torch.optim.Optimizer, images: torch.Tensor, labels: torch.Tensor, meter: Meter | None
) -> float:
    begun = time.perf_counter()
    if meter:
        meter.arm()
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    if meter:
        meter.gradients()
    optimizer.step()
    if meter:
        meter.updated()
        meter.take()
    return time.perf_counter() - begun


def _slice(meter: Meter, model: nn.Module, images: torch.Tensor, labels: torch.Tensor, rule: Cadence) -> float:
    """A look at as many images as the slice has."""
    rows = torch.arange(rule.slice) % len(images)
    pieces = tuple((images[part], labels[part]) for part in rows.tensor_split(8))
    part = Slice(pieces, pieces, model, F.cross_entropy, 10)
    begun = time.perf_counter()
    meter.look("epoch", lambda: ProbeContext(1, 0, meter.network, slice=part))
    return time.perf_counter() - begun


def whole_run(probes: bool) -> Arm:
    """`train digits` in this process."""

    def arm(seed: int) -> Figures:
        settings: dict[str, object] = {"watch.probes": probes, "seed": seed, "train.precision": "float32"}
        with tempfile.TemporaryDirectory() as folder:
            done = babysit.train("digits", out=Path(folder) / "run", settings={**settings, "train.epochs": 12})
        inside = sum(done.times.get(name, 0.0) for name in INSIDE)
        return {"ms_a_step": 1e3 * inside / done.steps, "accuracy": done.validation["accuracy"]}

    return arm


def networks() -> dict[str, tuple[nn.Module, int, int, int]]:
    """Networks with steps of about 1, 4, 9 and 40 ms: each with its images' size, how many of them, and how many steps."""
    linear = nn.Sequential(
        nn.Flatten(), nn.Linear(768, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)
    )
    convolutions = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip
    return {
        "three linear layers": (linear, 16, 64, 6000),
        "two convolutions, batch 32": (convolutions, 16, 32, 3000),
        "quick, 8 pixels, batch 32": (quick(Shape(size=8, classes=10, width=32)), 8, 32, 2000),
        "quick, 16 pixels, batch 128": (quick(Shape(size=16, classes=10, width=32)), 16, 128, 700),
    }


def loop(name: str) -> Arm:
    """A plain loop, in blocks with and without the watcher; the same number of steps of each."""

    def arm(seed: int) -> Figures:
        seconds: dict[str, list[float]] = {"off": [], "on": []}
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            both, steps = {}, 0
            for side in seconds:
                torch.manual_seed(seed)
                model, size, batch, steps = networks()[name]
                optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, weight_decay=5e-4)
                images, labels = torch.randn(batch, 3, size, size), torch.randint(0, 10, (batch,))
                watcher = None
                if side == "on":
                    watcher = babysit.watch(model, optimizer, run=Path(folder) / "run", say=lambda _: None)
                    stack.enter_context(watcher)
                both[side] = (model, optimizer, images, labels, watcher)
            for turn in range(steps // BLOCK):
                for side in sorted(seconds, reverse=bool(turn % 2)):
                    begun = time.thread_time()
                    _some_steps(*both[side])
                    seconds[side].append((time.thread_time() - begun) / BLOCK)
        first = EARLY // BLOCK
        off = statistics.median(seconds["off"])
        added = [on - without for on, without in zip(seconds["on"], seconds["off"], strict=True)]
        late = statistics.mean(added[first:])
        return {
            "off_ms": 1e3 * off,
            "early_ms": 1e3 * statistics.mean(added[:first]),
            "late_ms": 1e3 * late,
            "late_median_ms": 1e3 * statistics.median(added[first:]),
            "late_share": late / off,
        }

    return arm


def _some_steps(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: torch.Tensor,
    labels: torch.Tensor,
    watcher: Watch | None,
) -> None:
    for _ in range(BLOCK):
        outputs = model(images)
        loss = F.cross_entropy(outputs, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if watcher:
            watcher.step(loss=loss, outputs=outputs, targets=labels, inputs=images)


PARTS: dict[str, Callable[[], dict[str, Arm]]] = {
    "step": lambda: {"quick, 32 pixels, batch 256": steps(32, 256), "quick, 8 pixels, batch 32": steps(8, 32)},
    "run": lambda: {"off": whole_run(False), "on": whole_run(True)},
    "loop": lambda: {name: loop(name) for name in networks()},
}


def main() -> None:
    """Measures the parts asked for."""
    parser = harness.parser(__doc__ or "", repeats=3)
    parser.add_argument("--only", nargs="+", choices=tuple(PARTS), default=tuple(PARTS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    for part in options.only:
        settings: Figures = {"part": part, "threads": 1}
        records = harness.measure(
            "probes", PARTS[part](), range(options.repeats), settings=settings, again=options.again
        )
        print("\n" + part + "\n" + harness.summary(records, ratio="ms_a_step" if part == "run" else "") + "\n")


if __name__ == "__main__":
    main()
