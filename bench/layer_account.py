"""`quick` in bfloat16: a whole step beside this machine's matrix product, and where the rest goes, layer by layer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from babysit.layers.geometry import Volume
from babysit.losses import softmax_loss
from babysit.models import Shape, build_model
from babysit.models.summary import summarize
from harness import Arm, Figures

SIZE, CLASSES, IMAGES, WIDTH = 32, 10, 256, 32
SIDES = (1024, 2048)
"""Of the matrices whose product is the peak; the faster of the two counts."""

RUNS = 5


def quick_arms() -> dict[str, Arm]:
    """The step, forward, loss, backward and update of 256 images of 32 pixels; the product; the account."""
    return {"step": _step, "matrix product": _peak, "account": _account}


def seconds_of(work: Callable[[], object], runs: int = RUNS) -> float:
    """The median of some runs, after one that warms up."""
    work()
    taken = []
    for _ in range(runs):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def _peak(seed: int) -> Figures:
    """The fastest bfloat16 matrix product, 2 n^3 operations for n x n."""
    torch.manual_seed(seed)
    rates = []
    for side in SIDES:
        one, two = (torch.randn(side, side).bfloat16() for _ in range(2))
        rates.append(2 * side**3 / seconds_of(lambda one=one, two=two: one @ two) / 1e9)
    return {"gflops": max(rates)}


def _network(seed: int) -> nn.Sequential:
    network = build_model("quick", Shape(SIZE, CLASSES, WIDTH), seed=seed).train()
    assert isinstance(network, nn.Sequential)
    return network


def _images(seed: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(seed)
    images = torch.randn(IMAGES, 3, SIZE, SIZE).bfloat16().contiguous(memory_format=torch.channels_last)
    return images, torch.randint(0, CLASSES, (IMAGES,))


def _work() -> dict[str, int]:
    """Operations of each layer's forward pass for the batch."""
    with torch.device("meta"):
        network = build_model("quick", Shape(SIZE, CLASSES, WIDTH), seed=0)
    rows = summarize(network, "quick", Volume(3, SIZE, SIZE)).rows
    return {row.facts.name: 2 * IMAGES * row.facts.multiply_adds for row in rows}


def _step(seed: int) -> Figures:
    """A training step as `train` makes it. The first layer's gradient by the image is not computed, nor counted."""
    network, (images, labels) = _network(seed), _images(seed)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, nesterov=True, fused=True)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            loss = softmax_loss(network(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    seconds, work = seconds_of(step), _work()
    peak = _peak(seed)["gflops"]
    rate = (3 * sum(work.values()) - work["conv1"]) / seconds / 1e9
    return {"seconds": seconds, "gflops": rate, "share_of_peak": rate / float(peak)}


def _account(seed: int) -> Figures:
    """Milliseconds forward and backward of each layer on its own, and the rates of those that multiply."""
    values, labels = _images(seed)
    work, figures = _work(), Figures()
    for place, (name, layer) in enumerate(_network(seed).named_children()):
        given = values.detach().requires_grad_(place > 0)

        def forward(layer: nn.Module = layer, given: Tensor = given) -> Tensor:
            with torch.autocast("cpu", torch.bfloat16):
                return layer(given)

        gave = forward()
        wanted = [one for one in (given, *layer.parameters()) if one.requires_grad]
        slope = torch.randn_like(gave)
        ahead = seconds_of(lambda forward=forward: forward())
        back = 0.0
        if wanted:
            back = seconds_of(
                lambda gave=gave, wanted=wanted, slope=slope: torch.autograd.grad(
                    gave, wanted, slope, retain_graph=True
                )
            )
        figures |= {f"{name} forward ms": 1000 * ahead, f"{name} backward ms": 1000 * back}
        if work.get(name):
            figures[f"{name} forward gflops"] = work[name] / ahead / 1e9
            figures[f"{name} backward gflops"] = (1 + (place > 0)) * work[name] / back / 1e9
        values = gave.detach()
    scores = values.requires_grad_()
    figures["loss ms"] = 1000 * seconds_of(lambda: softmax_loss(scores, labels).backward())
    return figures
