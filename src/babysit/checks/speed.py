"""The last rung: how fast, how long, how much memory."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from babysit.checks.outcome import Found, Outcome, failed
from babysit.checks.subject import Held, Subject
from babysit.clock import Clock
from babysit.device import free_memory, peak_memory
from babysit.losses import heads_of, objective
from babysit.training.loop import StepDone, train
from babysit.training.plan import Plan
from babysit.training.session import assemble

RUNG = "speed"
STEPS, SECONDS = 6, 10.0
WAITING = 0.5
SAMPLE = 8
COPIES = 4
"""Weights, gradients and an optimiser's two moments."""

SHARE = 0.8
"""The part of the free memory that a batch may take."""


def speed(subject: Subject) -> Outcome:
    """A few real steps, timed, and the memory one image takes."""
    expected = "a batch that fits the memory, and a network that does not wait for images"
    session = subject.session
    try:
        each = memory_of_image(subject)
    except Exception as error:
        if session is not None:
            raise
        said = f"Batches of {SAMPLE} images cannot be taken: {str(error).splitlines()[0]}."
        return Outcome(RUNG, expected, said, "not decided")
    weights = sum(one.numel() * one.element_size() for one in subject.model.parameters())
    room = free_memory(subject.training.device)
    fits = int(max(0.0, SHARE * room - COPIES * weights) / max(each, 1))
    memory = f"an image takes {each / 1e6:.2f} MB on the way back, so that {fits:,} fit into the free {room / 1e9:.1f} GB; {peak_memory() / 1e9:.2f} GB were held at most so far."
    if session is None:
        return Outcome(
            RUNG, expected, memory.capitalize(), "not decided", "Your own loop tells how long its loader takes"
        )
    rate, waiting = _timed(subject)
    seconds = session.plan.total * session.batch_size / rate
    plan = session.recipe.train.budget or seconds
    seen = f"{rate:,.0f} images/s, {waiting:.0%} of the time waiting for images; {session.plan.total:,} steps take about {plan:,.0f} s and evaluation besides; {memory}"
    if fits < session.batch_size:
        advice = f"Set optim.batch_size={max(2, fits)} or less, or take smaller images with data.size"
        return failed(
            RUNG, expected, [Found("batch-too-large", seen, advice, {"memory": each * session.batch_size})], final=False
        )
    if waiting > WAITING:
        return Outcome(
            RUNG, expected, seen, "not decided", "The processor prepares images more slowly than the network takes them"
        )
    return Outcome(RUNG, expected, seen, "passed")


def _timed(subject: Subject) -> tuple[float, float]:
    """Images a second and the share of the time in which the network waits; the first step is not counted."""
    before = subject.session
    assert before is not None
    clock = Clock(time.perf_counter())
    session = assemble(
        before.recipe,
        subject.fresh(),
        before.loss,
        before.training,
        before.validation,
        classes=before.classes,
        plan=Plan(((0, STEPS),)),
        clock=clock,
    )
    end, start, waited, images = time.perf_counter() + SECONDS, 0.0, 0.0, 0
    first = 0
    for event in train(session):
        if not isinstance(event, StepDone):
            continue
        if event.step == 1:
            start, waited = time.perf_counter(), clock.totals().get("batch", 0.0)
            first = event.images
            continue
        images += event.images
        if time.perf_counter() > end:
            break
    if not images:  # one step was all the time there was
        total = clock.totals()
        return first / clock.this_session(), total.get("batch", 0.0) / clock.this_session()
    seconds = time.perf_counter() - start
    return images / seconds, (clock.totals()["batch"] - waited) / seconds


def memory_of_image(subject: Subject) -> float:
    """Bytes that one more image in a batch keeps until the backward pass, counted by what autograd saves."""
    one, two = (_saved(subject, subject.training.first(count)) for count in (SAMPLE // 2, SAMPLE))
    return max(0.0, (two - one) / (SAMPLE - SAMPLE // 2))


def _saved(subject: Subject, part: Held) -> int:
    seen: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    model = subject.fresh().train()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        _, minimised = objective(subject.loss, heads_of(model(part.images)), part.targets)
    total = sum(seen.values())
    del minimised
    return total
