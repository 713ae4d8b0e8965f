"""Session: everything one training holds in memory, and its way to and from a checkpoint."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from babysit.checkpoint import Checkpoint, flatten_optimizer, restore_optimizer
from babysit.clock import Clock
from babysit.data.augment import Augmentation
from babysit.data.batches import Batches, Part
from babysit.data.sampling import epoch_order
from babysit.data.statistics import Statistics
from babysit.device import set_streams, streams
from babysit.errors import UserError
from babysit.initializers import NEED_IMAGES, initialize
from babysit.losses import Loss, make_loss
from babysit.models import model_of
from babysit.models.surgery import fix_body, heads_in
from babysit.optim.averaging import PREFIX, Average, make_average
from babysit.optim.optimizers import OPTIMIZERS
from babysit.optim.schedules import Moment, rate_factor
from babysit.probes.meter import Meter
from babysit.recipe import Recipe
from babysit.regularizers import RATE_FACTOR, Regularizer, clip_gradients, met, parameter_groups
from babysit.seeds import permutation, stream_key
from babysit.training.first_weights import load_first_weights
from babysit.training.growth import Growth, check_takes
from babysit.training.plan import Plan

STREAM = "rng."
"""What the names of the random streams in a checkpoint begin with."""

INIT_IMAGES = 256
"""Training images that an initialisation may look at."""


@dataclass(slots=True)
class Position:
    """Where a training stands: `step` updates done, of which `batch` in this epoch; sums over this epoch so far."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    images: int = 0


@dataclass
class Session:
    """A training in memory. Built from a recipe and data alone; a checkpoint moves it elsewhere in time.

    `best` is what the kept network is worth on validation (see `evaluate.worth`), `best_step` when it was seen, -1 before
    the first evaluation; `step_seconds` is the self-test's guess of one step, for planning a time budget; `rate_by_rule`
    what `optim.lr` would be if nobody had given it; `meter` measures around the updates and changes nothing;
    `first_weights` says what a file gave, empty without one; `notes` what a person should know of the steps, and
    whether each was told.
    """

    recipe: Recipe
    model: nn.Module
    loss: Loss
    optimizer: torch.optim.Optimizer
    regularizer: Regularizer
    training: Part
    validation: Part
    classes: tuple[str, ...]
    plan: Plan
    clock: Clock
    position: Position = field(default_factory=Position)
    best: tuple[float, float] = (0.0, 0.0)
    best_step: int = -1
    step_seconds: float = 0.0
    rate_by_rule: float | None = None
    average: Average | None = None
    meter: Meter | None = None
    first_weights: str = ""
    notes: dict[str, bool] = field(default_factory=dict)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.training.device

    @property
    def batch_size(self) -> int:
        """Images a step."""
        assert self.recipe.optim.batch_size is not None
        return self.recipe.optim.batch_size

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in the training part; what is over is left to another epoch's order."""
        return max(1, len(self.training) // self.batch_size)

    @property
    def end(self) -> int:
        """The step after which the training ends: the plan's last, or that of `train.stop_after` epochs."""
        epochs = self.recipe.train.stop_after
        return min(self.plan.total, epochs * self.steps_per_epoch) if epochs else self.plan.total

    @property
    def augmentation(self) -> Augmentation:
        """What is done to training images, at the side that they have grown to by now."""
        progress = self.plan.progress(self.position.step)
        return replace(Augmentation.of(self.recipe.augment), side=self.growth.side(progress))

    @property
    def growth(self) -> Growth:
        """The sides of the images over the training."""
        return growth_of(self.recipe)

    def order(self) -> NDArray[np.int64]:
        """The samples of this epoch, one after the other: a function of (seed, epoch) and the training labels."""
        labels, recipe = self.training.labels[self.training.rows], self.recipe
        return epoch_order(recipe.data.sampling, labels, seed=recipe.seed, epoch=self.position.epoch)

    def learning_rate(self) -> float:
        """The rate of the next step: the peak times the schedule's factor in the middle of that step."""
        step = self.position.step
        moment = Moment(step, step / self.steps_per_epoch, self.plan.progress(step))
        assert self.recipe.optim.lr is not None
        return self.recipe.optim.lr * rate_factor(moment, self.recipe.schedule)

    def update(self, rate: float) -> float:
        """Makes one update from the gradients that are there; returns the regularisation penalty before it."""
        penalty = self.regularizer.penalty()
        if self.meter:
            self.meter.gradients()
        if self.recipe.optim.clip:
            clip_gradients(self.model.parameters(), self.recipe.optim.clip)
        self.regularizer.before_update(rate)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group.get(RATE_FACTOR, 1.0)
        self.optimizer.step()
        self.regularizer.after_update(rate)
        if self.average:
            self.average.update()
        if self.meter:
            self.meter.updated()
        return penalty

    def averaged(self) -> AbstractContextManager[None]:
        """Inside, the network has the weights with which it is evaluated, kept and predicts."""
        return self.average.applied() if self.average else nullcontext()

    def checkpoint(self, log_offset: int) -> Checkpoint:
        """Everything needed to go on exactly from here."""
        assert isinstance(self.training, Batches), "only a training on a data set is kept"
        statistics = self.training.statistics
        position = self.position
        state: dict[str, Any] = {
            "position": {name: getattr(position, name) for name in Position.__slots__},
            "plan": [list(knot) for knot in self.plan.knots],
            "best": list(self.best),
            "best_step": self.best_step,
            "running_seconds": self.clock.running(),
            "log_offset": log_offset,
            "classes": list(self.classes),
            "size": self.training.size,
            "statistics": statistics.as_json(),
        }
        random = {STREAM + name: state for name, state in streams(self.device).items()}
        tensors = {**flatten_optimizer(self.optimizer), **random}
        if self.average is None:
            return Checkpoint(self.model.state_dict(), tensors, state, statistics.arrays())
        averaged = {**tensors, **self.average.state()}
        return Checkpoint(dict(self.average.values), averaged, state, statistics.arrays())

    def restore(self, checkpoint: Checkpoint) -> int:
        """Goes to where a checkpoint was made; returns the log's offset then.

        Raises:
            UserError: when the checkpoint is of other classes or of another network.
        """
        state = checkpoint.state
        check_classes(state, self.classes)
        try:
            self.model.load_state_dict(dict(checkpoint.weights))
        except RuntimeError as error:
            raise UserError(
                "the checkpoint is of another network than the recipe's", hint="Resume with the run's own recipe"
            ) from error
        assert isinstance(self.training, Batches) and isinstance(self.validation, Batches)
        statistics = Statistics.read(state["statistics"], checkpoint.statistics)
        self.training = replace(self.training, statistics=statistics)
        self.validation = replace(self.validation, statistics=statistics)
        tensors = dict(checkpoint.optimizer)
        kept = [name for name in tensors if name.startswith(STREAM)]
        set_streams({name.removeprefix(STREAM): tensors.pop(name) for name in kept}, self.device)
        beside = {name: tensors.pop(name) for name in list(tensors) if name.startswith(PREFIX)}
        if self.average:
            self.average.restore(checkpoint.weights, beside)
        restore_optimizer(self.optimizer, tensors)
        self.position = Position(**state["position"])
        self.plan = Plan(tuple((int(step), int(total)) for step, total in state["plan"]))
        accuracy, minus_loss = state["best"]
        self.best, self.best_step = (accuracy, minus_loss), state["best_step"]
        self.clock.before = state["running_seconds"]
        return int(state["log_offset"])


def check_classes(state: Any, classes: tuple[str, ...]) -> None:  # noqa: ANN401 - JSON
    """Refuses a checkpoint of other classes.

    Raises:
        UserError: naming what differs.
    """
    kept = tuple(state["classes"])
    if kept != classes:
        more, less = sorted(set(classes) - set(kept)), sorted(set(kept) - set(classes))
        raise UserError(
            f"the checkpoint is of other classes: the data have {len(classes)}, the checkpoint {len(kept)}"
            + (f"; only in the data: {', '.join(more[:5])}" if more else "")
            + (f"; only in the checkpoint: {', '.join(less[:5])}" if less else ""),
            hint="Give the data the run was trained on, or start a new run with another -o",
        )


def growth_of(recipe: Recipe) -> Growth:
    """The sides of the images over a training; whole ones throughout where nothing is said."""
    return Growth(recipe.data.size or 0, recipe.train.progressive or 1.0)


def _images_for(recipe: Recipe, training: Part) -> Tensor | None:
    """Training images of all classes, as they are, for an initialisation that looks at some."""
    if recipe.init.kind not in NEED_IMAGES:
        return None
    some = permutation(recipe.seed, 0, len(training))[:INIT_IMAGES]
    return training.training(some, Augmentation(), seed=recipe.seed, epoch=0).images.float()


def build(
    recipe: Recipe,
    training: Part,
    validation: Part,
    classes: tuple[str, ...],
    *,
    plan: Plan,
    clock: Clock,
    resumed: bool = False,
) -> Session:
    """A session at step 0.

    Arguments:
        resumed: a checkpoint will be restored, so that a file of first weights is not needed.
    """
    model = model_of(recipe, len(classes)).to(training.device)
    check_takes(model, growth_of(recipe), training.device)
    initialize(model, recipe.init, seed=recipe.seed, images=_images_for(recipe, training))
    said = load_first_weights(model, recipe.model) if recipe.model.weights and not resumed else ""
    if recipe.optim.body_rate == 0:
        fix_body(model)
    counts = np.bincount(training.labels[training.rows], minlength=len(classes)).tolist()
    loss = make_loss(recipe.loss, counts)
    session = assemble(recipe, model, loss, training, validation, classes=classes, plan=plan, clock=clock)
    session.first_weights = said
    return session


def assemble(
    recipe: Recipe,
    model: nn.Module,
    loss: Loss,
    training: Part,
    validation: Part,
    *,
    classes: tuple[str, ...],
    plan: Plan,
    clock: Clock,
) -> Session:
    """A session at step 0 of a network and a loss that are there already."""
    biases = recipe.regularize.biases
    groups = parameter_groups(
        model,
        recipe.regularize.l2 or 0.0,
        biases=biases,
        bias_rate=recipe.optim.bias_rate or 1.0,
        body_rate=recipe.optim.body_rate or 1.0,  # with 0 nothing of the body is trained
        heads=heads_in(model) if recipe.optim.body_rate else (),
    )
    regularizer = Regularizer(list(met(model, biases=biases)), recipe.regularize, model)
    assert recipe.optim.lr is not None
    optimizer = OPTIMIZERS[recipe.optim.kind](groups, recipe.optim)
    torch.manual_seed(stream_key(recipe.seed, "noise") % 2**63)
    session = Session(recipe, model, loss, optimizer, regularizer, training, validation, classes, plan, clock)
    length = recipe.train
    session.average = make_average(model, length.average, decay=length.average_decay, every=length.average_every)
    return session
