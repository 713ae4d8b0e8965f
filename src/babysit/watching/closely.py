"""A few training images of the loop kept aside to be looked at apart, and what can be known of its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.optim import Optimizer

from babysit.probes.context import Slice
from babysit.probes.hooks import untouched
from babysit.probes.network import Network, scores_in
from babysit.probes.slices import PIECES
from babysit.record.known import Known, Layer
from babysit.watching.given import Given, Once
from babysit.watching.in_lists import listed_layers
from babysit.watching.updates import settings_of

MOST_IMAGES, MOST_NUMBERS = 256, 8_000_000
"""Images kept, and numbers in them."""

SHARE = 0.02
"""Of the time, that looking at the kept images may take."""

CLOSE = 1e-3


@dataclass
class Kept:
    """The first images of the loop with their labels, its kind of loss, and what looking at them has cost."""

    network: Network
    shared: bool
    images: Tensor | None = None
    labels: Tensor | None = None
    loss_kind: str | None = None
    classes: int = 0
    validation_images: int | None = None
    _spent: float = 0.0
    _last: float = 0.0
    _asked: bool = False
    _alone: bool | None = None

    def first(self, given: Given, once: Once) -> Slice | None:
        """Learns from the first batch: keeps some of it, and finds out whether the loss is the softmax loss.

        Returns:
            What was kept, with the softmax loss, whatever the loop's own is.
        """
        if given.outputs is None or given.targets is None:
            return None
        columns = given.outputs.shape[1]
        labels = given.targets.long()
        if int(labels.min()) < 0 or int(labels.max()) >= columns:
            once(
                "range",
                f"targets run from {int(labels.min())} to {int(labels.max())}, and there are {columns} outputs, counted from 0",
            )
            return None
        if given.loss is not None:
            mean = F.cross_entropy(given.outputs.double(), labels)
            if abs(float(mean - given.loss.double())) < CLOSE * max(1.0, float(mean)):
                self.loss_kind = "softmax"
        if given.inputs is not None and given.inputs.is_floating_point() and not self.shared:
            count = min(len(labels), MOST_IMAGES, max(1, MOST_NUMBERS // max(1, given.inputs[0].numel())))
            self.images, self.labels, self.classes = given.inputs[:count].clone(), labels[:count].clone(), columns
            return Slice(((self.images, self.labels),), (), self._scores, F.cross_entropy, columns)
        return None

    def slice(self, *, now: float) -> Slice | None:
        """The kept images for the probes, when there is time for them.

        Arguments:
            now: seconds since the beginning.
        """
        self._asked = False
        if self.images is None or self.labels is None or self.loss_kind is None:
            return None
        if self._spent + self._last > SHARE * now + 0.2:
            return None
        if self._alone is None:
            self._alone = self._runs(self.images)
        if not self._alone:
            return None
        self._asked = True
        pieces = min(PIECES, len(self.labels))
        plain = tuple(zip(self.images.tensor_split(pieces), self.labels.tensor_split(pieces), strict=True))
        return Slice(plain, (), self._scores, F.cross_entropy, self.classes)

    def _runs(self, images: Tensor) -> bool:
        """Whether the network can be run on images alone; it may be called in another way."""
        with untouched(self.network.model), torch.no_grad():
            self.network.model.eval()
            try:
                scores = scores_in(self.network.model(images[:1]))
            except Exception:  # noqa: BLE001 - it may say anything to what it is not made for
                return False
        return scores is not None and scores.shape == (1, self.classes)

    def took(self, seconds: float) -> None:
        """Counts what looking at them cost."""
        if self._asked:
            self._spent, self._last = self._spent + seconds, seconds

    def _scores(self, images: Tensor) -> Tensor:
        scores = scores_in(self.network.model(images))
        assert scores is not None
        return scores.float()


def known_of(
    network: Network, optimizers: Sequence[Optimizer], kept: Kept, *, classes: int | None, names: tuple[str, ...] | None
) -> Known:
    """What a network and its optimisers say of themselves."""
    kinds = [
        (name or type(one).__name__, one) for name, one in network.model.named_modules() if not list(one.children())
    ]
    norms = [one for _, one in kinds if isinstance(one, _BatchNorm) and one.track_running_stats]
    names = names or (tuple(str(place) for place in range(classes)) if classes else None)
    return Known(
        **settings_of(optimizers),
        classes=classes,
        class_names=names,
        loss_kind=kept.loss_kind,
        dropout=max((one.p for _, one in kinds if isinstance(one, _DropoutNd)), default=0.0),
        normalised=bool(norms),
        norm_momentum=min((one.momentum for one in norms if one.momentum is not None), default=None),
        activations=tuple(dict.fromkeys(type(one).__name__ for _, one in network.activations)) or None,
        validation_images=kept.validation_images,
        layers=tuple(Layer(name, type(one).__name__) for name, one in kinds),
        listed=listed_layers(network.model, optimizers) or None,
    )
