"""The training loop: a generator of events.

It yields what happened. Recording, evaluating, saving, judging, drawing and stopping are consumers of it; `break` is
how they stop it. Between two events a consumer may change `session.plan`; nothing else flows back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from babysit.data.mixing import Batch
from babysit.device import repeatable
from babysit.training.passes import Passes
from babysit.training.session import Position, Session


@dataclass(frozen=True, slots=True)
class StepDone:
    """After an update: its batch's data loss, penalty and accuracy (of mixed images: own class) before it; its rate."""

    step: int
    epoch: int
    loss: float
    penalty: float
    accuracy: float
    learning_rate: float
    images: int


@dataclass(frozen=True, slots=True)
class EpochDone:
    """After the last update of an epoch (or of the run): means over the images seen in it."""

    step: int
    epoch: int
    train_loss: float
    train_accuracy: float
    images: int
    last: bool


Event = StepDone | EpochDone


def train(session: Session) -> Iterator[Event]:
    """Trains from wherever the session stands to its end.

    Every update is: order, batch, forward, backward, rate, update. The order of an epoch is a function of
    (seed, epoch), so a session restored in the middle of one goes on exactly.
    """
    passes = Passes(session)
    while (position := session.position).step < session.end or position.batch > 0:
        with session.clock.section("batch"):
            order = session.order()
        while position.batch < session.steps_per_epoch and position.step < session.end:
            start = position.batch * session.batch_size
            samples = order[start : start + session.batch_size]
            with session.clock.section("batch"):
                batch = session.training.training(
                    samples, session.augmentation, seed=session.recipe.seed, epoch=position.epoch
                )
                session.training.expect(order[start + session.batch_size : start + 2 * session.batch_size])
            with repeatable(session.device):
                done = _step(session, passes, batch)
            yield done
        yield _end_of_epoch(session)


def _step(session: Session, passes: Passes, batch: Batch) -> StepDone:
    position, rate = session.position, session.learning_rate()
    value, correct = passes(batch)
    with session.clock.section("update"):
        penalty = session.update(rate)
    count = len(batch.labels)
    position.step += 1
    position.batch += 1
    position.images += count
    position.correct += correct
    position.loss_sum += value * count
    return StepDone(position.step, position.epoch, value, penalty, correct / count, rate, count)


def _end_of_epoch(session: Session) -> EpochDone:
    """Sums up the epoch and moves on first, so that a checkpoint made at the event begins with the next epoch."""
    position, last = session.position, session.position.step >= session.end
    seen = max(1, position.images)
    done = EpochDone(
        position.step, position.epoch, position.loss_sum / seen, position.correct / seen, position.images, last
    )
    session.position = Position(position.step, position.epoch + 1)
    return done
