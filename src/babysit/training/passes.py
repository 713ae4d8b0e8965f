"""The forward and the backward pass of a step; on an accelerator, where a step is short, as one launch.

A small network's layers take an accelerator less time than Python takes to ask for them. So what a step asks for is recorded
once for each shape of its batch and asked for at once from then on: the same operations in the same order, so the same bits.
"""

from __future__ import annotations

import torch
from torch import Tensor

from babysit.data.mixing import Batch
from babysit.device import Recording, autocast
from babysit.losses import heads_of, objective
from babysit.models import MODELS
from babysit.probes.when import thinned
from babysit.training.session import Session

SHORT = 0.02
"""Seconds: a step that takes longer keeps an accelerator busy without, and needs its memory for itself."""

AFTER = 5
"""Steps of a shape before it is recorded: a recording takes as long as some of them."""


class Passes:
    """Leaves a batch's gradients in the parameters.

    Arguments:
        session: the training; its network and loss are taken as they are at each call.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        # A network of a user's own may do in Python what a recording would freeze: drop a layer by chance, say. And where
        # no step was measured, the network need not be the recipe's.
        known = session.recipe.model.name in MODELS and session.step_seconds > 0
        self.recordable = session.device.type != "cpu" and known and session.step_seconds < SHORT
        self._seen: dict[tuple[object, ...], int] = {}
        self._replays: dict[tuple[object, ...], Replay] = {}

    def __call__(self, batch: Batch) -> tuple[float, int]:
        """Forward and backward; the data loss before the update, and how many images are right."""
        self.session.model.train()
        if (replay := self._replay(batch)) is None:
            return _plainly(self.session, batch)
        with self.session.clock.section("backward"):
            loss, right = replay(batch).tolist()
        return loss, int(right)

    def _replay(self, batch: Batch) -> Replay | None:
        """The recording for batches of this shape, made when it is time; None where the step goes plainly."""
        meter = self.session.meter
        if not self.recordable or (meter is not None and thinned(meter.step + 1, meter.every)):
            return None  # a close look hooks into the layers
        shape = tuple((one.shape, one.dtype) for one in batch)
        if shape in self._replays:
            return self._replays[shape]
        self._seen[shape] = self._seen.get(shape, 0) + 1
        if self._seen[shape] <= AFTER:
            return None
        try:
            beside = next(iter(self._replays.values()), None)
            self._replays[shape] = Replay(self.session, batch, beside)
        except RuntimeError as error:
            self.recordable = False
            why = str(error).strip().split("\n")[0].rstrip(".")
            note = (
                f"a step could not be recorded ({why}), so the accelerator is asked for one operation after the other: "
                "the results are the same, but small networks train at a half to a third of the speed."
            )
            self.session.notes.setdefault(note, False)
            return None
        return self._replays[shape]


class Replay:
    """The passes of batches of one shape, recorded."""

    def __init__(self, session: Session, batch: Batch, beside: Replay | None) -> None:
        self.batch = Batch(*(one.clone() for one in batch))
        self.recording = Recording(lambda: _recorded(session, self.batch), beside.recording if beside else None)
        trained = [one for one in session.model.parameters() if one.grad is not None]
        self.gradients = [(one, one.grad) for one in trained]

    def __call__(self, batch: Batch) -> Tensor:
        """Loss and number of right answers; the gradients are in the parameters."""
        for mine, given in zip(self.batch, batch, strict=True):
            mine.copy_(given)
        told = self.recording.play()
        for parameter, gradient in self.gradients:
            parameter.grad = gradient
        return told


def forward(session: Session, batch: Batch) -> tuple[Tensor, Tensor]:
    """What is told of a batch, the data loss and the number of right answers, and what the backward pass begins from."""
    with autocast(session.device, session.recipe.train.precision):
        heads = heads_of(session.model(batch.images))
    loss, minimised = objective(session.loss, heads, batch.targets)
    right = (heads[0].detach().argmax(dim=1) == batch.labels).sum()
    return torch.stack((loss.detach().double(), right.double())), minimised


def backward(session: Session, minimised: Tensor) -> None:
    """Leaves the gradients in the parameters, and nothing of those before."""
    session.model.zero_grad(set_to_none=True)
    minimised.backward()


def _plainly(session: Session, batch: Batch) -> tuple[float, int]:
    with session.clock.section("forward"):
        told, minimised = forward(session, batch)
        loss, right = told.tolist()
    with session.clock.section("backward"):
        backward(session, minimised)
    return loss, int(right)


def _recorded(session: Session, batch: Batch) -> Tensor:
    told, minimised = forward(session, batch)
    backward(session, minimised)
    return told
