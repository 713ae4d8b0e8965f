"""Meter: applies the probes around the updates of one training, and keeps out of its way."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from babysit.probes import PROBES
from babysit.probes.context import Moment, Probe, ProbeContext, Slice
from babysit.probes.gradients import surely_finite
from babysit.probes.hooks import Seen, Unshared, finite_checked, untouched, watched
from babysit.probes.network import Network, network_of
from babysit.probes.weights import copies, pushes
from babysit.probes.when import thinned
from babysit.record.log import Kind

OFTEN, RAREST = 20, 10
"""Looks at the layers are so many times rarer than norms of the whole gradient; most steps between two of these."""

DIGITS = 6
"""Significant digits of what is written of layers: with all of them a log of many layers would be twice as long."""

Values = dict[str, float]


@dataclass(frozen=True, slots=True)
class Taken:
    """What was measured around one update: for its `step` row, and for a `layers` row, empty when there is none."""

    step: Values
    layers: Values


@dataclass
class Meter:
    """The probes of one training.

    `arm` before the forward pass of the next update, `gradients` before the update, `updated` after it, then `take`.
    Nothing here raises: what goes wrong is kept in `trouble`, and from then on nothing is measured.

    Arguments:
        model: as it is called; may be wrapped or compiled.
        every: steps between two looks at the layers, at least 1.
        penalty: gives the norm of the regularisation's gradient.
        probes: by default all.
        step: updates made so far.
        direction: whether `images` will be given, so that the parameters before the first update are kept for it.

    `images` of the first update, given by whoever keeps some, by which its direction is seen; none from then on.
    `busy` while it measures: a network that runs meanwhile is run by a probe.
    """

    model: nn.Module
    every: int
    penalty: Callable[[], float] | None = None
    probes: Mapping[str, Probe] = field(default_factory=lambda: dict(PROBES.items()))
    step: int = 0
    direction: bool = False
    trouble: str = ""
    network: Network = field(init=False)
    images: Slice | None = field(default=None, init=False)
    busy: bool = field(default=False, init=False)
    _armed: ExitStack | None = None
    _remembering: RemovableHandle | None = None
    _seen: Seen = field(default_factory=dict)
    _before: dict[str, Tensor] = field(default_factory=dict)
    _pushed: dict[str, Tensor] = field(default_factory=dict)
    _first: tuple[Tensor, ...] = ()
    _taken: dict[Kind, Values] = field(default_factory=dict)
    _inputs: tuple[object, ...] = ()
    _harmed: bool = False

    def __post_init__(self) -> None:
        self.network = network_of(self.model)

    def arm(self) -> None:
        """Gets ready for the next update's forward pass; calling it again changes nothing."""
        self._guarded(self._arm)

    def gradients(self, scale: float | Tensor = 1.0, *, waiting: bool = True, norm: bool = False) -> None:
        """Measures before an update, with the gradients in place.

        Where the layers are looked at rarely, since steps are short, the norm of the gradient is taken at every second
        to tenth step, and at the others only a glance tells whether it is finite.

        Arguments:
            scale: what they are to be divided by, as mixed precision scales them.
            waiting: whether an accelerator may be waited for at such a glance.
            norm: whether the norm is taken now in any case.
        """
        step = self.step + 1
        if (
            norm
            or step % min(RAREST, max(1, self.every // OFTEN)) == 0
            or thinned(step, self.every)
            or (waiting and not self.trouble and not self._harmed and not surely_finite(self.network))
        ):
            self._guarded(lambda: self._gradients(float(scale)))

    def updated(self) -> None:
        """Measures after an update and counts it."""
        self.step += 1
        self._guarded(self._updated)

    def passed(self) -> None:
        """Counts an update that was not looked at."""
        self.step += 1

    def take(self) -> Taken:
        """What was measured since the last time."""
        layers = {name: _short(value) for name, value in self._taken.get("layers", {}).items()}
        taken = Taken(self._taken.get("step", {}), layers)
        self._taken = {}
        return taken

    def look(self, moment: Moment, context: Callable[[], ProbeContext]) -> Values:
        """What the probes of the start or of an epoch measure."""
        found: Values = {}
        self._guarded(lambda: found.update(self._measured(moment, None, context())))
        return found

    def close(self) -> None:
        """Takes every hook away."""
        self._disarm()
        if self._remembering is not None:
            self._remembering.remove()
            self._remembering = None
        self._inputs = ()

    def renew(self) -> bool:
        """Looks for the layers again where parameters have changed; returns whether they have."""
        changed = self.network.changed()
        if changed:
            self.network = network_of(self.model)
        return changed

    def _guarded(self, action: Callable[[], None]) -> None:
        if self.trouble:
            return
        self.busy = True
        try:
            action()
        except Exception as error:  # noqa: BLE001 - measuring must never end somebody's training
            self.trouble = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
            self.close()
        finally:
            self.busy = False

    def _arm(self) -> None:
        if self._armed is not None:
            return
        self._armed = ExitStack()
        if not self.network.hookable:
            return
        if self._remembering is None:  # it stays: to put a hook in place takes as long as a small layer
            self._remembering = self.network.model.register_forward_pre_hook(Unshared(self._remember))
        if thinned(self.step + 1, self.every):
            self._seen = {}
            self._armed.enter_context(watched(self.network, self._seen))

    def _disarm(self) -> None:
        if self._armed is not None:
            self._armed.close()
            self._armed = None

    def _remember(self, model: nn.Module, inputs: tuple[object, ...]) -> None:  # noqa: ARG002 - a hook's signature
        if torch.is_grad_enabled() and not self.busy and not torch.compiler.is_compiling():
            self._inputs = inputs

    def _gradients(self, scale: float) -> None:
        measured = thinned(self.step + 1, self.every)
        context = ProbeContext(self.step + 1, 0, self.network, scale=scale, penalty=self.penalty)
        self._keep("step", self._measured("gradients", "step", context))
        norm = self._taken["step"].get("gradient_norm", 0.0)
        first_harm = not math.isfinite(norm) and not self._harmed
        if first_harm:
            self._harmed = True
            self._keep("layers", self._finite())
        if measured or first_harm:
            self._keep("layers", self._measured("gradients", "layers", context, always=True))
        if measured:
            self._before = copies(self.network)
            if not self.step:
                self._pushed = pushes(self.network)
                kept = self.network.model.parameters() if self.direction else ()
                self._first = tuple(one.detach().clone() for one in kept)

    def _updated(self) -> None:
        self._disarm()
        if thinned(self.step, self.every):
            held = {"before": self._before, "pushed": self._pushed, "first": self._first, "seen": self._seen}
            context = ProbeContext(self.step, 0, self.network, slice=self.images, **held)
            self._keep("layers", self._measured("updated", "layers", context))
        self._before, self._pushed, self._seen, self._first, self.images = {}, {}, {}, (), None

    def _finite(self) -> Values:
        """Which layers give values that are not finite: the batch that harmed the gradient once more, before the update."""
        seen: Seen = {}
        inputs, self._inputs = self._inputs, ()
        if not inputs:
            return {}
        self._disarm()
        with untouched(self.network.model), torch.no_grad(), finite_checked(self.network, seen):
            self.network.model(*inputs)
        shares = {name: float(found["activation_not_finite"]) for name, found in seen.items()}
        return {f"activation_not_finite@{name}": share for name, share in shares.items()}

    def _measured(self, moment: Moment, kind: Kind | None, context: ProbeContext, *, always: bool = False) -> Values:
        return {
            seen.key: seen.value
            for probe in self.probes.values()
            if probe.moment == moment
            and kind in (None, probe.kind)
            and (always or moment in ("start", "epoch") or probe.when(context.step, self.every))
            for seen in probe.measure(context)
        }

    def _keep(self, kind: Kind, values: Values) -> None:
        self._taken.setdefault(kind, {}).update(values)


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else value
