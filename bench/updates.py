"""What updates cost beside a step of `quick` at batch 256: Muon, and averages of the weights.

One process; each turn takes a step of every arm, so that a busy moment meets all; processor time. `share` is the update's part of the
arm's own step; `extra` what it takes beyond plain Nesterov momentum, over that one's step.
"""

from __future__ import annotations

import time

import torch

import harness
from babysit.clock import Clock
from babysit.device import autocast
from babysit.losses import objective, softmax_loss
from babysit.models import Shape, build_model
from babysit.recipe import Recipe
from babysit.training.plan import Plan
from babysit.training.session import Session, assemble
from harness import Arm, Figures

SIZE, CLASSES, WIDTH, BATCH = 32, 10, 32, 256
WARM, TURNS = 2, 15
"""Turns that are not counted, and those that are: a multiple of lookahead's five steps."""

ARMS: dict[str, dict[str, object]] = {
    "nesterov": {},
    "muon": {"optim.kind": "muon", "regularize.l2": 0.0, "regularize.decay": 0.05},
    "ema": {"train.average": "ema"},
    "lookahead": {"train.average": "lookahead"},
}


def session_of(arm: str, seed: int) -> Session:
    """A session without data: only its network and its updates are used."""
    recipe = Recipe().replace({"optim.lr": 0.01, "regularize.l2": 5e-4, **ARMS[arm]})
    network = build_model("quick", Shape(SIZE, CLASSES, WIDTH), seed=seed)
    network = network.to(memory_format=torch.channels_last).train()  # pyright: ignore[reportCallIssue]
    return assemble(
        recipe,
        network,
        softmax_loss,
        None,  # pyright: ignore[reportArgumentType]
        None,  # pyright: ignore[reportArgumentType]
        classes=tuple(map(str, range(CLASSES))),
        plan=Plan(((0, 10**6),)),
        clock=Clock(time.perf_counter()),
    )


def measured(seed: int, precision: str) -> dict[str, Figures]:
    """Mean processor seconds of each arm's steps and of the updates in them."""
    torch.manual_seed(seed)
    images = torch.randn(BATCH, 3, SIZE, SIZE).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, CLASSES, (BATCH,))
    sessions = {arm: session_of(arm, seed) for arm in ARMS}
    steps, updates = dict.fromkeys(ARMS, 0.0), dict.fromkeys(ARMS, 0.0)
    for turn in range(WARM + TURNS):
        for arm, session in sessions.items():
            begun = time.process_time()
            with autocast(torch.device("cpu"), precision):
                scores = session.model(images)
            session.model.zero_grad(set_to_none=True)
            objective(session.loss, (scores,), labels)[1].backward()
            middle = time.process_time()
            session.update(0.01)
            ended = time.process_time()
            if turn >= WARM:
                steps[arm] += (ended - begun) / TURNS
                updates[arm] += (ended - middle) / TURNS
    plain_step, plain_update = steps["nesterov"], updates["nesterov"]
    return {
        arm: {
            "step_seconds": steps[arm],
            "update_seconds": updates[arm],
            "share": updates[arm] / steps[arm],
            "extra": (updates[arm] - plain_update) / plain_step,
        }
        for arm in ARMS
    }


def main() -> None:
    """Measures both precisions."""
    parser = harness.parser(__doc__ or "", repeats=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for precision in ("float32", "bfloat16"):
        found: dict[int, dict[str, Figures]] = {}

        def arm_of(name: str, precision: str = precision, found: dict[int, dict[str, Figures]] = found) -> Arm:
            def arm(seed: int) -> Figures:
                if seed not in found:
                    found[seed] = measured(seed, precision)
                return found[seed][name]

            return arm

        settings: Figures = {"precision": precision, "threads": options.threads}
        arms = {name: arm_of(name) for name in ARMS}
        records = harness.measure("updates", arms, range(options.repeats), settings=settings, again=options.again)
        print(f"\n{precision}\n{harness.summary(records)}\n")


if __name__ == "__main__":
    main()
