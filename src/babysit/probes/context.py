"""What a probe is given, and what a probe is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from babysit.probes.network import Network
from babysit.probes.when import When
from babysit.record.log import Kind
from babysit.record.observation import Observation, parts_of

Moment = Literal["start", "gradients", "updated", "epoch"]
"""`start` before the first update; `gradients` before an update, with the data's gradients in place; `updated` after it;
`epoch` after a validation."""

OFTEN_UNDEFINED = frozenset({"channel_likeness", "descent", "softmax_descent", "unit_likeness", "update_ratio"})
"""Quantities that some layers do not have; one of those that comes to NaN was not measured."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as the network and its loss met it.

    Shape:
        `outputs` (n, classes); `targets` (n,) class indices.
    """

    loss: Tensor | None = None
    inputs: Tensor | None = None
    outputs: Tensor | None = None
    targets: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Validated:
    """What a validation found: probabilities (images, classes), labels (images,), and the classes' names."""

    probabilities: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """A fixed part of the training images, as pieces of (images, labels).

    `augmented` the same images as training sees them; `scores` gives the network's scores in the arithmetic of the
    training; `loss` its loss; `classes` how many.
    """

    plain: tuple[tuple[Tensor, Tensor], ...]
    augmented: tuple[tuple[Tensor, Tensor], ...]
    scores: Callable[[Tensor], Tensor]
    loss: Callable[[Tensor, Tensor], Tensor]
    classes: int


@dataclass(frozen=True)
class ProbeContext:
    """What a probe may look at. Nothing of it may be changed. What is not there is not measured.

    `before` the weights by layer before the update (a part of them where they are many), `pushed` at the first update the
    gradients of the same weights, and `first` all parameters as they were before it; `seen` figures of activations
    by layer, taken while the network ran; `scale` what the gradients are to be divided by; `penalty` gives the norm of
    the regularisation's gradient; `order` the labels in the order in which training met them in this epoch.
    """

    step: int
    epoch: int
    network: Network
    before: Mapping[str, Tensor] = field(default_factory=dict)
    pushed: Mapping[str, Tensor] = field(default_factory=dict)
    first: Sequence[Tensor] = ()
    seen: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)
    scale: float = 1.0
    penalty: Callable[[], float] | None = None
    batch: Batch | None = None
    validated: Validated | None = None
    slice: Slice | None = None
    order: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """One way of measuring.

    `kind` of the log's rows its values go to; `moment` at which it measures; `when` at which steps.
    """

    kind: Kind
    moment: Moment
    when: When
    measure: Callable[[ProbeContext], Iterable[Observation]]


def observed(context: ProbeContext, values: Mapping[str, Tensor | float]) -> Iterator[Observation]:
    """Values by key as observations of now; all tensors come from the device in one transfer."""
    tensors = [value for value in values.values() if isinstance(value, Tensor)]
    numbers = iter(torch.stack([one.detach().double() for one in tensors]).tolist() if tensors else [])
    for key, value in values.items():
        number = next(numbers) if isinstance(value, Tensor) else float(value)
        quantity, where = parts_of(key)
        if number == number or quantity not in OFTEN_UNDEFINED:
            yield Observation(quantity, number, context.step, context.epoch, where)
