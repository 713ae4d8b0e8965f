"""Loop: what happens between two updates of somebody's training, in whatever order the loop has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from babysit.probes.context import Batch, ProbeContext
from babysit.probes.hooks import Unshared
from babysit.probes.inputs import likeness, of_inputs
from babysit.probes.meter import Meter, Values
from babysit.probes.when import thinned
from babysit.record.diagnosis import Diagnosis, Judge
from babysit.record.known import Known
from babysit.record.log import Kind
from babysit.show import plural
from babysit.watching.clearing import Clearing
from babysit.watching.closely import Kept, known_of
from babysit.watching.diary import open_diary
from babysit.watching.epochs import Epoch, validated
from babysit.watching.given import Given, Once, glanced, mean_of, read
from babysit.watching.modes import Modes
from babysit.watching.resting import Rest
from babysit.watching.telling import Telling
from babysit.watching.thinning import Thinning
from babysit.watching.updates import Updates, penalty_norm, rate_of

UNSEEN = 100
"""Calls of `step` without any update of the optimisers after which that is said."""

FINISHED = "finished"
"""The status of a training that came to its own end."""

NEAR = 4
"""Updates to the next one that is looked at up to which the hooks stay."""

Guard = Callable[[Callable[["Loop"], None]], None]


class Loop:
    """One training under watch.

    An update is over when its row can be written: with the next call of `step` when the loop tells of a batch after
    updating, with the next forward pass when it tells before. Batches without an update between them were accumulated.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizers: Sequence[Optimizer],
        *,
        classes: int | None,
        names: tuple[str, ...] | None,
        run: str | Path | None,
        judge: Judge,
        say: Once,
        shared: bool,
    ) -> None:
        self.optimizers, self.classes, self.names = optimizers, classes, names
        self.judge, self.say, self.shared = judge, say, shared
        self.meter = Meter(model, 10, lambda: penalty_norm(optimizers), direction=not shared)
        self.thinning = Thinning(self.meter)
        network = self.meter.network
        if not network.hookable:
            say("hooks", f"the layers' outputs are not looked at, since {network.why_not}; all else is")
        self.lazy = network.device.type != "cpu"
        self.diary = open_diary(run, network.device, say)
        self.kept, self.epoch, self.clearing = Kept(network, shared), Epoch(), Clearing(network.trained)
        self.modes = Modes()
        self.diagnoses: tuple[Diagnosis, ...] = ()
        self.began = self._row_began = self._idle = time.perf_counter()
        self._waited = self._judging = 0.0
        self._guarded: Guard = lambda action: action(self)
        self._updates = Updates(self.optimizers, self._before, self._computed)
        self._handles: list[RemovableHandle] = []
        self._parts: list[Given] = []
        self._rows: list[tuple[int, dict[str, float | Tensor]]] = []
        self._last = Given()
        self._resting: Rest | None = None
        self._tells_first = self._pending = self._ran = self._ever_ran = self._harmed = self._finished = False
        self._calls = self._batches = self._judged = self._wakes = 0
        self._rate, self._seeing = 0.0, True
        self._telling = Telling(say)

    @property
    def trouble(self) -> str:
        """Why measuring ended, empty while all is well."""
        return self.meter.trouble

    def attach(self, guarded: Guard) -> None:
        """Puts the hooks in place.

        Arguments:
            guarded: does something with the loop and survives it.
        """
        self._guarded = guarded
        self._updates.open()
        self._hook()
        self.meter.arm()

    def detach(self) -> None:
        """Takes every hook away."""
        self._unhook()
        self._updates.close()

    def _hook(self) -> None:
        """The hooks of the network, and of its first parameter's gradient; those of the optimisers stay in place."""
        network = self.meter.network
        self._handles.append(network.outer.register_forward_pre_hook(Unshared(self._forward)))
        if network.trained:  # its gradient comes last, so a backward pass ends about there
            self._handles.append(network.trained[0].register_post_accumulate_grad_hook(lambda _: self._computed()))
        self._handles += self.clearing.hooks()

    def _unhook(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self.meter.close()

    def _before(self, scale: float | Tensor) -> None:
        if not self._pending:
            self._guarded(lambda loop: loop.before_update(scale))

    def _forward(self, model: nn.Module, inputs: object) -> None:
        if self.meter.busy or torch.compiler.is_compiling():
            return
        if torch.is_grad_enabled():
            self.modes.in_evaluation = not model.training
            if not self._updates.again:
                self._guarded(Loop.forward)
        elif not self._updates.inside:
            self._guarded(lambda loop: loop.modes.evaluated(inputs, training=model.training))

    def before_update(self, scale: float | Tensor) -> None:
        """Before the first of the optimisers steps."""
        self._pending, self._rate = True, rate_of(self.optimizers)
        if self._seeing:
            with self.thinning.measuring():
                self.modes.updated()
                self.meter.gradients(scale, waiting=not self.lazy, norm=self.thinning.gap > 1)

    def forward(self) -> None:
        """Before the network runs in training."""
        if self._pending:
            self._tells_first = True
            self._finish_update()
        if self._idle:
            self._waited += time.perf_counter() - self._idle
            self._idle = 0.0
        self._ran = self._ever_ran = True
        self.modes.forget()
        if self._seeing:
            self.meter.arm()

    def step(self, loss: object, outputs: object, targets: object, inputs: object) -> None:
        """One batch."""
        if (rest := self._resting) is not None:
            if rest.goes_on(loss, targets):
                return
            self._wake(rest)
            if not rest.alarmed:
                return
        self._calls += 1
        if self._ever_ran and not self._ran and not self._pending:
            self.say(
                "twice", "step() was called again without the network having run in between; such a call is left out"
            )
        else:
            with self.thinning.measuring():
                self._batches += 1
                if self._seeing or self._passes(loss, targets):
                    self._batch(read(loss, outputs, targets, inputs, classes=self.classes, once=self.say))
        if self._pending:
            self._tells_first = False
            self._finish_update()
        self._unseen()
        self._ran = False
        self._computed()
        if not self._seeing:
            self._rest()

    def _batch(self, given: Given) -> None:
        """One batch of an update that is looked at."""
        if self._calls == 1:
            self._start(given)
        self._parts.append(given)
        self._last = replace(given, inputs=None)
        self.epoch.add(given, order=not self.lazy or thinned(self.meter.step + 1, self.meter.every))

    def _unseen(self, most: int = UNSEEN) -> None:
        if self._batches >= most:
            calls = plural(self._batches, "call")
            self.say("unseen", f"no update was seen in {calls} of step(): is this the optimiser that steps?")
            self._parts, self._batches = self._parts[-1:], 1

    def _passes(self, loss: object, targets: object) -> bool:
        """One batch of an update that is passed over; whether its loss, all that is looked at, ends the passing."""
        value = glanced(loss)
        self._seeing = self.thinning.alarmed(value)
        if not self._seeing:
            count = len(targets) if isinstance(targets, Tensor) and targets.ndim else self.epoch.largest or 1
            self._parts.append(Given(numbers={} if value is None else {"loss": value}, images=count))
            self.epoch.passed(value, count)
        return self._seeing

    def _passed(self) -> None:
        """An update that was passed over is over: its row waits for the next one that was not."""
        self.meter.passed()
        self._rows.append((self.meter.step, {**mean_of(self._parts), "learning_rate": self._rate}))
        self._parts, self._batches = [], 0

    def _rest(self) -> None:
        """Takes the network's hooks away until shortly before the next update that is looked at, when that is far enough."""
        begun, step = time.perf_counter(), self.meter.step
        upcoming = self.thinning.next_after(step)
        if upcoming - step > NEAR and self._ever_ran and not self.say.told("twice"):  # a second call is not seen then
            self._wakes = upcoming - 2  # where the loop tells of a batch before updating, it is one update behind
            self._unhook()
            self._updates.resting, self._updates.stepped = True, False
            self._resting = self._noting()
            self.thinning.moved(time.perf_counter() - begun)

    def _noting(self) -> Rest:
        ends = self._wakes - self.meter.step
        return Rest(self._updates, self.thinning, ends, self._tells_first, not self.lazy, self._parts)

    def _noted(self) -> None:
        """Counts what came in a rest so far."""
        if self._resting is not None:
            found, self._parts = self._resting.counted(self.epoch)
            for values in found:
                self.meter.passed()
                self._rows.append((self.meter.step, values))
            self._batches = len(self._parts)
            self._unseen()

    def _wake(self, rest: Rest) -> None:
        """Ends a rest: the hooks are put in place again."""
        updates, pending = self._updates, self._updates.stepped
        updates.stepped = False
        self._noted()
        self._resting, self._seeing = None, rest.alarmed
        self._hook()
        if rest.alarmed:
            self.thinning.beware()
        self._pending, self._ran, updates.resting = pending, rest.alarmed, False
        self._rate = updates.rate
        self._row_began = self._idle = time.perf_counter()

    def validation(self, loss: object, accuracy: object, inputs: object, outputs: object, targets: object) -> None:
        """The end of an epoch."""
        begun = time.perf_counter()
        self._catch_up()
        if not self.meter.step:
            self.say("no step", "validation() came before any update; it is recorded as it is")
        seen = validated(loss, accuracy, outputs, targets, names=self.names, once=self.say)
        images = self.modes.validated(inputs)
        last = self._last
        context = ProbeContext(
            self.meter.step,
            self.epoch.number,
            self.meter.network,
            batch=Batch(last.loss, self.kept.images if images is None else images, last.outputs, last.targets),
            validated=seen.validated,
            order=self.epoch.order(),
        )
        looked = time.perf_counter()
        found = self.meter.look("epoch", lambda: replace(context, slice=self.kept.slice(now=looked - self.began)))
        self.kept.took(time.perf_counter() - looked)
        values: dict[str, float | Tensor] = {**self.epoch.means(), **seen.values, **found}
        if images is not None:
            values |= of_inputs(images) | likeness(self.kept.images, images)
        self._write("epoch", self.meter.step, values)
        self.diary.keep_predictions(seen.validated, float(self.diary.rows[-1].values.get("validation_accuracy", -1.0)))
        self.kept.validation_images = seen.count or self.kept.validation_images
        self.diary.note(self._known(), "training", seconds=time.perf_counter() - self.began)
        if self._judging < 0.02 * (time.perf_counter() - self.began) + 0.2:
            self._look()
        self.epoch = self.epoch.next(self.meter.step)
        self.modes.looked()
        self._row_began += time.perf_counter() - begun
        self._ran = False
        self._computed()

    def end(self, status: str) -> None:
        """Writes and judges the rest; of a training that came to its own end it is known now how long it was meant to be."""
        self._catch_up()
        self._finished = status == FINISHED
        self._unseen(UNSEEN if self.meter.step else 1)
        self._look()
        self.diary.note(self._known(), status, seconds=time.perf_counter() - self.began)
        self.diary.close()
        count, run = self.meter.step, self.diary.run.path
        found = f"{len(self.diagnoses)} diagnos{'i' if len(self.diagnoses) == 1 else 'e'}s"
        self.say("end", f"{count:,} updates watched, {found}. The report: babysit report {run}")

    def _catch_up(self) -> None:
        """Counts an update that is over and not counted yet."""
        if self._pending:
            self._finish_update()
        if self._resting is not None:
            self._noted()
            self._resting = self._noting()
        self._write_passed()

    def _write_passed(self) -> None:
        rows, self._rows = self._rows, []
        for step, values in rows:
            self._write("step", step, values)

    def _computed(self) -> None:
        """Something of the training has just ended; until the next forward pass its loop does something else."""
        self._idle = time.perf_counter()

    def _start(self, given: Given) -> None:
        if self.classes is None and given.outputs is not None:
            self.classes = given.outputs.shape[1]
        if self.names and self.classes and len(self.names) != self.classes:
            self.say("names", f"names= has {len(self.names)} names for {self.classes} classes; the names are left out")
            self.names = None
        self.meter.images = self.kept.first(given, self.say)
        if not any(one.state for one in self.optimizers) or self._pending:
            network = self.meter.network
            batch = Batch(given.loss, given.inputs, given.outputs, given.targets)
            self._write("start", 0, self.meter.look("start", lambda: ProbeContext(0, 0, network, batch=batch)))

    def _finish_update(self) -> None:
        """One update is over."""
        now = time.perf_counter()
        seconds, self._pending = now - self._row_began, False
        self.clearing.updated()
        if self._seeing:
            with self.thinning.measuring():
                loss = self._row(seconds)
            self.thinning.seen(seconds, loss)
            self._uncalled()
            if self.meter.step - self._judged >= 20 * self.meter.every or self._first_harm(loss):
                self._look()
        else:
            self._passed()
        self._parts, self._batches, self._waited, self._row_began = [], 0, 0.0, now
        self._seeing = self.thinning.sees(self.meter.step + 1)
        if self._seeing:
            self.meter.arm()

    def _uncalled(self) -> None:
        """A hook that never ran is part of what a compiler made of the network, which it would make anew for every change of
        them: they stay as they are."""
        network = self.meter.network
        if network.hookable and (self._updates.many or not self._ever_ran):
            self.meter.close()
            self.meter.network = replace(network, hookable=False, why_not=self._updates.why_unseen)
            self.say("hooks", f"the layers' outputs are not looked at, since {self.meter.network.why_not}; all else is")

    def _row(self, seconds: float) -> float | Tensor | None:
        """Writes the row of an update, and the layers' row if they were looked at; returns its loss."""
        self._write_passed()
        self.meter.updated()
        taken = self.meter.take()
        step = self.meter.step
        values: dict[str, float | Tensor] = {**mean_of(self._parts), "learning_rate": self._rate, **taken.step}
        self._write("step", step, values | {"step_seconds": seconds, "wait_seconds": self._waited})
        if taken.layers:
            self._write("layers", step, taken.layers)
            if self.meter.renew():
                self.say(
                    "changed", f"the network's parameters are others since step {step}; it is watched as it is now"
                )
        return values.get("loss")

    def _first_harm(self, loss: float | Tensor | None) -> bool:
        """Whether a loss that is not finite is seen for the first time."""
        before, self._harmed = self._harmed, self._harmed or self.diary.harmed(loss)
        return self._harmed and not before

    def _write(self, kind: Kind, step: int, values: Values | dict[str, float | Tensor]) -> None:
        self.diary.add(kind, step, self.epoch.number, values)

    def _known(self) -> Known:
        facts = known_of(self.meter.network, self.optimizers, self.kept, classes=self.classes, names=self.names)
        facts = self.modes.into(self.epoch.into(facts))
        planned = self.meter.step if self._finished else None
        return replace(facts, planned_steps=planned, uncleared=self.clearing.uncleared)

    def _look(self) -> None:
        """Judges what has been seen, and tells what is new."""
        begun, self._judged = time.perf_counter(), self.meter.step
        self.diary.flush()
        self.diagnoses = tuple(self.judge(self.diary.log, self._known()))
        self.diary.keep(self.diagnoses)
        self._telling.tell(self.diagnoses)
        self._judging += time.perf_counter() - begun
