"""The watcher's part in a training with a recipe: what is measured when, and what the rules may know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from babysit.data.augment import Augmentation
from babysit.data.sampling import epoch_order
from babysit.device import autocast
from babysit.errors import writing
from babysit.layers.dropout import PaperDropout
from babysit.losses import heads_of
from babysit.probes.arrays import arrays, kept_epoch
from babysit.probes.cadence import cadence, work_of
from babysit.probes.context import Batch, ProbeContext, Slice, Validated
from babysit.probes.hooks import training_mode_without_dropout, untouched
from babysit.probes.meter import Meter, Values
from babysit.probes.network import network_of
from babysit.probes.slices import PIECES
from babysit.probes.when import measured_epoch
from babysit.recipe import Recipe
from babysit.record import atomic
from babysit.record.known import Known, Layer, known_by_recipe
from babysit.record.log import Row
from babysit.record.run import Run
from babysit.training.session import Session

START_IMAGES = 256


def decide_watch(recipe: Recipe, session: Session) -> tuple[Recipe, dict[str, str]]:
    """How often to measure, from the size of the network and of the data; nothing is decided without probes."""
    watch = recipe.watch
    if not watch.probes or None not in (watch.every, watch.slice, watch.slice_every):
        return recipe, {}
    images, _ = next(iter(session.training.plain(2)))
    with autocast(session.device, recipe.train.precision):
        work = work_of(network_of(session.model), images)
    accelerator = session.device.type != "cpu"
    found = cadence(work, batch=session.batch_size, images=len(session.training), accelerator=accelerator)
    values = {"every": found.every, "slice": found.slice, "slice_every": found.slice_every}
    why = {
        "every": f"by rule: a look at {work.layers} layers stays below 1 % of {found.every} steps",
        "slice": "by rule: 2 % of the training images, 64 to 512",
        "slice_every": "by rule: epochs between two looks at the slice, which stay below 1 % of their time",
    }
    missing = [name for name in values if getattr(watch, name) is None]
    return recipe.replace({f"watch.{name}": values[name] for name in missing}), {
        f"watch.{name}": why[name] for name in missing
    }


def known_of(session: Session) -> Known:
    """What the rules may know of a training with a recipe."""
    recipe, model, training = session.recipe, session.model, session.training
    counts = np.bincount(training.labels[training.rows], minlength=len(session.classes)).tolist()
    kinds = [
        (name or type(layer).__name__, layer) for name, layer in model.named_modules() if not list(layer.children())
    ]
    dropping = [layer.p for _, layer in kinds if isinstance(layer, _DropoutNd)]
    dropping += [layer.drop_probability for _, layer in kinds if isinstance(layer, PaperDropout)]
    functions = dict.fromkeys(type(layer).__name__ for _, layer in network_of(model).activations)
    said = known_by_recipe(recipe, session.classes, counts=counts, validation_images=len(session.validation))
    return replace(
        said,
        planned_steps=session.plan.total,
        steps_per_epoch=session.steps_per_epoch,
        dropout=max(dropping, default=0.0),
        augmented=session.augmentation != Augmentation(),
        normalised=any(isinstance(layer, _BatchNorm) for _, layer in kinds),
        activations=tuple(functions) or (None if len(network_of(model).weighted) > 1 else ()),
        layers=tuple(Layer(name, type(layer).__name__) for name, layer in kinds),
        rate_by_rule=session.rate_by_rule,
    )


class Watched:
    """Measures one training with a recipe; every method gives nothing where probes are off.

    Arguments:
        session: gets the meter.
        run: where arrays are kept.
    """

    def __init__(self, session: Session, run: Run) -> None:
        self.session, self.run = session, run
        watch = session.recipe.watch
        self._slice, self._slice_every = watch.slice or 0, watch.slice_every or 1
        self._waited = session.clock.totals().get("batch", 0.0)
        self._told = False
        if watch.probes and watch.every:
            session.meter = Meter(session.model, watch.every, session.regularizer.gradient_norm)
            session.meter.step = session.position.step
            session.meter.arm()

    def start(self) -> Row | None:
        """The row of the start, in a training that has made no step yet."""
        session, meter = self.session, self.session.meter
        if meter is None or session.position.step:
            return None
        with session.clock.section("watch"):
            values = meter.look("start", lambda: ProbeContext(0, 0, meter.network, batch=self._first_batch()))
        return Row("start", 0, 0, values)

    def after_step(self, step: int, epoch: int) -> tuple[Values, Row | None]:
        """What was measured around an update: more values of its row, and a row of the layers if there is one."""
        meter, waited = self.session.meter, self.session.clock.totals().get("batch", 0.0)
        values = {"wait_seconds": waited - self._waited}
        self._waited = waited
        if meter is None:
            return values, None
        taken = meter.take()
        meter.arm()
        return values | taken.step, Row("layers", step, epoch, taken.layers) if taken.layers else None

    def after_epoch(self, epoch: int, probabilities: NDArray[np.float32] | None, *, last: bool) -> Values:
        """More values of an epoch's row, with the weights as they are evaluated; writes the arrays.

        Arguments:
            probabilities: of the validation images, None without any.
        """
        session, meter = self.session, self.session.meter
        if meter is None:
            return {}
        with session.clock.section("watch"):
            close = bool(self._slice) and measured_epoch(epoch, self._slice_every, last=last)
            values = meter.look("epoch", lambda: self._ended(meter, epoch, probabilities, close=close))
            if kept_epoch(epoch, last=last):
                self._keep_arrays(meter)
            meter.arm()
        return values

    def _ended(
        self, meter: Meter, epoch: int, probabilities: NDArray[np.float32] | None, *, close: bool
    ) -> ProbeContext:
        session = self.session
        training, validation = session.training, session.validation
        found = (
            None
            if probabilities is None
            else Validated(probabilities, validation.labels[validation.rows], session.classes)
        )
        labels, recipe = training.labels[training.rows], session.recipe
        order = epoch_order(recipe.data.sampling, labels, seed=recipe.seed, epoch=epoch) % max(1, len(labels))
        return ProbeContext(
            session.position.step,
            epoch,
            meter.network,
            batch=Batch(inputs=next(iter(training.plain(1)))[0]),
            validated=found,
            slice=self._part() if close else None,
            order=labels[order],
        )

    def trouble(self) -> str:
        """Why measuring ended, said once; empty while all is well."""
        meter = self.session.meter
        if meter is None or not meter.trouble or self._told:
            return ""
        self._told = True
        return meter.trouble.split("\n")[0]

    def close(self) -> None:
        """Takes every hook away from the network."""
        if self.session.meter is not None:
            self.session.meter.close()

    def _keep_arrays(self, meter: Meter) -> None:
        folder = self.run.path / "arrays"
        image = tuple(next(iter(self.session.training.plain(1)))[0].shape[1:])
        with writing(folder, "the arrays"):
            folder.mkdir(exist_ok=True)
            name = f"step-{self.session.position.step:06d}.safetensors"
            atomic.write_bytes(folder / name, arrays(meter.network, image))

    def _places(self) -> NDArray[np.int64]:
        """Evenly over the training part, so that every class that has many is there."""
        count = len(self.session.training)
        return np.unique(np.linspace(0, count - 1, min(self._slice or START_IMAGES, count)).astype(np.int64))

    def _views(self, places: NDArray[np.int64], augmentation: Augmentation) -> Iterator[tuple[Tensor, Tensor]]:
        session = self.session
        for some in np.array_split(places, min(PIECES, len(places))):
            batch = session.training.training(some, augmentation, seed=session.recipe.seed, epoch=0)
            yield batch.images, batch.labels

    def _part(self) -> Slice:
        session, places = self.session, self._places()
        plain, asked = Augmentation(), replace(session.augmentation, mixup=0.0, cutmix=0.0)
        views = tuple(self._views(places, asked)) if asked != plain else ()
        return Slice(tuple(self._views(places, plain)), views, self._scores, session.loss, len(session.classes))

    def _scores(self, images: Tensor) -> Tensor:
        with autocast(self.session.device, self.session.recipe.train.precision):
            return heads_of(self.session.model(images))[0].float()

    def _first_batch(self) -> Batch:
        """Unaugmented training images through the untrained network, as training normalises them, nothing dropped."""
        session = self.session
        pieces = list(self._views(self._places()[:START_IMAGES], Augmentation()))
        images, labels = torch.cat([one for one, _ in pieces]), torch.cat([one for _, one in pieces])
        with untouched(session.model), torch.no_grad():
            training_mode_without_dropout(session.model)
            scores = self._scores(images)
            return Batch(session.loss(scores, labels), images, scores, labels)
