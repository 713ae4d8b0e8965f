"""Our layers against PyTorch's ways, forward and backward, in one process: seconds, and the memory they need besides.

Each arm runs a few times and gives its median; the arms take turns, so ratios are of neighbours in time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

import harness
from babysit.layers.local import LocallyConnected2d
from babysit.layers.pooling import MaxPool2d
from babysit.layers.response_norm import LocalResponseNorm
from babysit.models import Shape, build_model
from harness import Arm, Figures
from layer_account import quick_arms

Step = Callable[[], int]

RUNS = 5


def step(function: Callable[[Tensor], Tensor], x: Tensor, parameters: tuple[Tensor, ...] = ()) -> Step:
    """Forward and backward; gives the bytes of what it must make: the output, the gradients of x and of the parameters."""
    slope = torch.randn_like(function(x)).detach()

    def run() -> int:
        values = x.detach().requires_grad_()
        out = function(values)
        kept = torch.autograd.grad(out, (values, *parameters), slope)
        return sum(one.nbytes for one in (out, *kept))

    return run


def arm(made: Callable[[], Step]) -> Arm:
    """Figures of a step: the median of some runs, after one that warms up."""

    def figures(seed: int) -> Figures:
        torch.manual_seed(seed)
        run = made()
        run()
        seconds = []
        for _ in range(RUNS):
            begun = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - begun)
        return {"seconds": statistics.median(seconds), "extra_bytes": extra_memory(run)}

    return figures


def extra_memory(run: Step) -> int:
    """The most bytes PyTorch held at once during a step, less those there before and those it must make."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        made = run()
    assert seen.profiler is not None and seen.profiler.kineto_results is not None
    # Allocations are positive, releases negative; torch's stub does not know nbytes.
    events: list[Any] = [one for one in seen.profiler.kineto_results.events() if one.name() == "[memory]"]
    held = most = 0
    for event in sorted(events, key=lambda one: one.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most - made


def response_norm_arms() -> dict[str, Arm]:
    """Local response normalisation of AlexNet's first layer, 32x96x55x55."""

    def of(made: Callable[[], Callable[[Tensor], Tensor]], dtype: torch.dtype, order: torch.memory_format) -> Arm:
        return arm(lambda: step(made(), torch.randn(32, 96, 55, 55).to(dtype).contiguous(memory_format=order)))

    usual, last, full = torch.contiguous_format, torch.channels_last, torch.float32
    return {
        "ours": of(LocalResponseNorm.from_paper, full, usual),
        "pytorch": of(lambda: nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0), full, usual),
        "relu": of(nn.ReLU, full, usual),
        "ours, bfloat16": of(LocalResponseNorm.from_paper, torch.bfloat16, usual),
        "ours, channels last": of(LocalResponseNorm.from_paper, full, last),
        "relu, channels last": of(nn.ReLU, full, last),
        "ours, channels last, bfloat16": of(LocalResponseNorm.from_paper, torch.bfloat16, last),
        "ours, beta 0.7": of(lambda: LocalResponseNorm.from_paper(beta=0.7), full, usual),
    }


def unfold_einsum(x: Tensor, weight: Tensor) -> Tensor:
    """A locally connected layer the common way; weight is outputs x inputs x 9 x positions."""
    patches = F.unfold(x, 3, padding=1).view(len(x), x.shape[1], 9, -1)
    return torch.einsum("nitp,oitp->nop", patches, weight).view(len(x), -1, *x.shape[2:])


def local_arms() -> dict[str, Arm]:
    """Locally connected, 32 to 32 channels, 3x3, padding 1, 16x16, batch 64, without bias."""

    def own(dtype: torch.dtype, order: torch.memory_format) -> Step:
        layer = LocallyConnected2d(32, 32, 3, input_size=16, padding=1, bias=False).to(dtype)
        return step(layer, images(dtype, order), (layer.weight,))

    def shared(dtype: torch.dtype, order: torch.memory_format) -> Step:
        layer = nn.Conv2d(32, 32, 3, padding=1, bias=False).to(dtype)
        layer = layer.to(memory_format=order)  # pyright: ignore[reportCallIssue]
        return step(layer, images(dtype, order), (layer.weight,))

    def unfolded(dtype: torch.dtype, order: torch.memory_format) -> Step:
        weight = torch.randn(32, 32, 9, 256).div(17).to(dtype).requires_grad_()
        return step(lambda x: unfold_einsum(x, weight), images(dtype, order), (weight,))

    def images(dtype: torch.dtype, order: torch.memory_format) -> Tensor:
        return torch.randn(64, 32, 16, 16).to(dtype).contiguous(memory_format=order)

    usual, last, full, half = torch.contiguous_format, torch.channels_last, torch.float32, torch.bfloat16
    return {
        "ours": arm(lambda: own(full, usual)),
        "unfold and einsum": arm(lambda: unfolded(full, usual)),
        "convolution": arm(lambda: shared(full, usual)),
        "ours, channels last": arm(lambda: own(full, last)),
        "convolution, channels last": arm(lambda: shared(full, last)),
        "ours, bfloat16": arm(lambda: own(half, usual)),
        "unfold and einsum, bfloat16": arm(lambda: unfolded(half, usual)),
    }


def pooling_arms() -> dict[str, Arm]:
    """Halving of quick's first maps, 256x32x32x32 in bfloat16, channels last: the memory is the indices' and the zeros'."""

    def of(layer: nn.Module) -> Arm:
        given = torch.randn(256, 32, 32, 32).bfloat16().contiguous(memory_format=torch.channels_last)
        return arm(lambda: step(layer, given))

    return {"ours": of(MaxPool2d(2)), "pytorch": of(nn.MaxPool2d(2))}


def alexnet_arms() -> dict[str, Arm]:
    """AlexNet's whole step but for the update, 32 images of 224 pixels; plain PyTorch has its own normalisation.

    Ours is what `train` takes where bfloat16 is right and faster; PyTorch's normalisation has no bfloat16 on processors.
    """

    def own(normalisation: Callable[[], nn.Module], dtype: torch.dtype, order: torch.memory_format) -> Step:
        network = build_model("alexnet", Shape(224, 1000, 0), seed=0).train().to(memory_format=order)  # pyright: ignore[reportCallIssue]
        for name in ("norm1", "norm2"):
            setattr(network, name, normalisation())
        images = torch.randn(32, 3, 224, 224).to(dtype).contiguous(memory_format=order)

        def forward(x: Tensor) -> Tensor:
            with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
                return network(x)

        return step(forward, images, tuple(network.parameters()))

    usual, last, full = torch.contiguous_format, torch.channels_last, torch.float32
    paper = LocalResponseNorm.from_paper
    return {
        "ours": arm(lambda: own(paper, torch.bfloat16, last)),
        "pytorch": arm(lambda: own(lambda: nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0), full, usual)),
        "pytorch, channels last": arm(lambda: own(lambda: nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0), full, last)),
        "ours, float32": arm(lambda: own(paper, full, last)),
    }


ARMS = {
    "response_norm": response_norm_arms,
    "local": local_arms,
    "pooling": pooling_arms,
    "alexnet": alexnet_arms,
    "quick": quick_arms,
}


def main() -> None:
    """Measures both layers, each beside what it is compared with."""
    made = harness.parser(__doc__ or "", repeats=5)
    made.add_argument("--only", choices=tuple(ARMS), help="one layer or network")
    made.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of the processor")
    options = made.parse_args()
    torch.set_num_threads(options.threads)
    for layer in [options.only] if options.only else ARMS:
        settings: Figures = {"layer": layer, "threads": options.threads}
        records = harness.measure(
            "layers", ARMS[layer](), range(options.repeats), settings=settings, again=options.again
        )
        # The ratios are of the first arm over the others: below 1, ours is faster.
        print("\n" + harness.summary(records, ratio="seconds") + "\n")


if __name__ == "__main__":
    main()
