"""What a training in its middle is worth, so that trials can be ranked by how they would end.

Three things hide it from an ordinary evaluation, and all of them pass before the end. Where images grow, the training still
sees smaller ones than those it ends with. The running statistics of batch normalisation lag behind the weights, the
more the larger the rate is: after an epoch a network can score 50 % with its batches' own statistics and 30 % with the
running ones. And a large rate keeps the loss up until it falls, though it ends best. So a copy of the training is cooled
down in a few steps and seen as it sees its images.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.modules.batchnorm import _BatchNorm

from babysit.checkpoint import Checkpoint
from babysit.clock import Clock
from babysit.data.batches import Batches
from babysit.device import autocast
from babysit.searching.rate import set_rate
from babysit.training.aside import undisturbed
from babysit.training.evaluate import probabilities
from babysit.training.loop import StepDone, train
from babysit.training.session import Session, build

STATISTICS_BATCHES = 8
"""Batches over which a network's statistics are taken anew."""


COOLING = 0.2
"""The steps in which a copy's rate falls to nothing, over those trained so far."""


def cooled(session: Session, kept: Checkpoint) -> NDArray[np.float32]:
    """The validation images' probabilities after a copy of a training was cooled down: its rate falls linearly to nothing.

    Nothing of the session is changed, no random stream either.

    Arguments:
        kept: the session's state of now.

    Shape:
        (images, classes), float32.
    """
    with undisturbed():
        plan, clock = session.plan, Clock(time.perf_counter())
        recipe = session.recipe.replace({"schedule": {"kind": "constant", "warmup": 0.0}, "train.stop_after": None})
        aside = build(recipe, session.training, session.validation, session.classes, plan=plan, clock=clock)
        aside.restore(kept)
        rate, steps = session.learning_rate(), max(1, round(COOLING * session.position.step))
        done = 0
        set_rate(aside, rate)
        for event in train(aside):
            if not isinstance(event, StepDone):
                continue
            done += 1
            if done == steps:
                break
            set_rate(aside, rate * (1 - done / steps))
        return as_it_sees(aside)


def as_it_sees(session: Session) -> NDArray[np.float32]:
    """Softmax of the network's scores for the validation images, at the side of now and with statistics of now.

    Shape:
        (images, classes), float32.
    """
    assert isinstance(session.validation, Batches)
    seen = replace(session.validation, side=session.augmentation.side)
    with session.averaged(), statistics_of_now(session):
        return probabilities(session.model, seen, session.recipe.train.precision)


@contextmanager
def statistics_of_now(session: Session) -> Iterator[None]:
    """Inside, batch normalisation has the mean statistics of some training batches; afterwards those it had, to the bit."""
    layers = [one for one in session.model.modules() if isinstance(one, _BatchNorm) and one.track_running_stats]
    kept = [(one, one.momentum, {name: value.clone() for name, value in one.named_buffers()}) for one in layers]
    try:
        if layers:
            _take_statistics(session, layers)
        yield
    finally:
        for layer, momentum, buffers in kept:
            layer.momentum = momentum
            for name, value in layer.named_buffers():
                value.copy_(buffers[name])


def _take_statistics(session: Session, layers: Sequence[_BatchNorm]) -> None:
    """Only the normalising layers are in training mode: dropout draws nothing, and what is kept is an equal mean."""
    session.model.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
        layer.train()
    order, epoch = session.order(), session.position.epoch
    with torch.inference_mode(), autocast(session.device, session.recipe.train.precision):
        for start in range(0, STATISTICS_BATCHES * session.batch_size, session.batch_size):
            samples = order[start : start + session.batch_size]
            if len(samples) > 1:
                session.model(
                    session.training.training(
                        samples, session.augmentation, seed=session.recipe.seed, epoch=epoch
                    ).images
                )
