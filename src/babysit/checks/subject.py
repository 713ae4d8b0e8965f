"""Subject: what is examined. A network with its initial weights, its loss, and images held as the network sees them."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from babysit.clock import Clock
from babysit.data.augment import Augmentation
from babysit.data.batches import Batches
from babysit.data.mixing import Batch
from babysit.layers.dropout import PaperDropout
from babysit.losses import Loss, heads_of
from babysit.models.own import is_own
from babysit.recipe import Recipe
from babysit.training.plan import Plan
from babysit.training.session import Session, assemble


@dataclass(frozen=True)
class Held:
    """Images in memory, already preprocessed; to the training loop the same as `Batches`, without augmentation.

    Shape:
        `images` (n, channels, height, width); `targets` (n,).
    """

    images: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def device(self) -> torch.device:
        """Where the images are."""
        return self.images.device

    @property
    def rows(self) -> NDArray[np.int64]:
        """Which labels belong to this part: all."""
        return np.arange(len(self))

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class of each image."""
        return self.targets.cpu().numpy()

    def training(
        self,
        samples: NDArray[np.int64],
        augmentation: Augmentation,  # noqa: ARG002 - as `Batches`
        *,
        seed: int,  # noqa: ARG002
        epoch: int,  # noqa: ARG002
    ) -> Batch:
        """The images at the given places and their labels."""
        index = torch.from_numpy(samples % len(self)).to(self.device)
        return Batch(self.images[index], self.targets[index], self.targets[index])

    def expect(self, samples: NDArray[np.int64]) -> None:
        """Nothing: they are here."""

    def plain(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images in order, in batches."""
        for start in range(0, len(self), batch_size):
            yield self.images[start : start + batch_size], self.targets[start : start + batch_size]

    def first(self, count: int) -> Held:
        """The first so many."""
        return Held(self.images[:count], self.targets[:count])

    def chosen(self, places: Tensor) -> Held:
        """Those at the places, or where a mask says so."""
        return Held(self.images[places], self.targets[places])


@dataclass(frozen=True)
class Loading:
    """How a loader of somebody's own hands its images out; of ours nothing is known, and nothing asked.

    `sizes` images in each batch; `kinds` different labels in each; `first` its first images, and `again` as many of a
    second pass, none when it can be read but once.
    """

    sizes: tuple[int, ...] = ()
    kinds: tuple[int, ...] = ()
    first: Tensor = field(default_factory=lambda: torch.zeros(0))
    again: Tensor = field(default_factory=lambda: torch.zeros(0))


@dataclass(frozen=True)
class Subject:
    """What the ladder examines. Nothing in it is changed: rungs work on copies.

    `validation` images that are not trained on, perhaps none; `uniform` the loss of a network that knows nothing, None
    for somebody's own loss; `augmented` some of the training images as training would see them; `findings` of the audit
    that are wrong; `loading` how somebody's own loader hands images out; `deadline` on `time.perf_counter`'s scale: no rung begins after it; `session` the training that is
    to follow, if there is one.
    """

    model: nn.Module
    loss: Loss
    training: Held
    validation: Held
    classes: tuple[str, ...]
    recipe: Recipe
    uniform: float | None = None
    augmented: Tensor | None = None
    findings: tuple[str, ...] = ()
    loading: Loading = field(default_factory=Loading)
    deadline: float = float("inf")
    session: Session | None = None
    clock: Clock = field(default_factory=lambda: Clock(time.perf_counter()))

    def fresh(self) -> nn.Module:
        """A copy of the network in which dropout drops nothing."""
        model = copy.deepcopy(self.model)
        for layer in model.modules():
            if isinstance(layer, _DropoutNd):
                layer.p = 0.0
            elif isinstance(layer, PaperDropout):
                layer.drop_probability = 0.0
        return model

    @property
    def foreign(self) -> bool:
        """Whether the network is somebody's own; what a test of ours holds for our architectures need not be asked again."""
        return self.session is None or is_own(self.recipe.model.name)

    def late(self) -> bool:
        """Whether the time for the checks is over."""
        return time.perf_counter() > self.deadline

    def practice(self, part: Held, steps: int, *, rate: float, model: nn.Module | None = None) -> Session:
        """A session of the real loop on a few images: full batch, no regularisation, no augmentation, Adam.

        Arguments:
            rate: the constant learning rate.
            model: trained in place; by default a fresh copy.
        """
        recipe = self.recipe.replace(
            {
                "optim": {"kind": "adam", "lr": rate, "batch_size": len(part)},
                "schedule": {"kind": "constant"},
                "regularize": {"l2": 0.0, "decay": 0.0},
                "train": {"steps": steps, "precision": "float32"},
                "augment": {"crop": 0, "flip": "none"},
                "data.sampling": "plain",
            }
        )
        return assemble(
            recipe,
            model or self.fresh(),
            self.loss,
            part,
            self.validation,
            classes=self.classes,
            plan=Plan(((0, steps),)),
            clock=self.clock,
        )


def scores_of(model: nn.Module, images: Tensor) -> Tensor:
    """The network's own scores, without those of auxiliary heads."""
    return heads_of(model(images))[0]


def uniform_loss(recipe: Recipe, classes: int) -> float:
    """The data loss of scores that are all equal: ln C for softmax, (C - 1) margin^power for the hinges.

    >>> round(uniform_loss(Recipe(), 10), 6)
    2.302585
    """
    part, entropy = recipe.loss, float(np.log(classes))
    return {
        "softmax": entropy,
        "hinge": (classes - 1) * part.margin,
        "squared-hinge": (classes - 1) * part.margin**2,
        "focal": (1 - 1 / classes) ** part.gamma * entropy,
    }[part.kind]


def held(part: Batches, most: int) -> Held:
    """Up to `most` images of a part, evenly over it, so that every class that has many is there."""
    count = len(part)
    places = np.unique(np.linspace(0, count - 1, min(most, count)).astype(np.int64)) if count else np.zeros(0, np.int64)
    rows = part.rows[places]
    chosen = Batches(
        part.pixels, rows, part.labels, part.size, part.statistics, torch.float32, part.device, check=part.check
    )
    pieces = list(chosen.plain(250))
    if not pieces:
        return Held(torch.zeros(0, 3, part.size, part.size), torch.zeros(0, dtype=torch.int64))
    return Held(torch.cat([images for images, _ in pieces]), torch.cat([labels for _, labels in pieces]))


def of_session(session: Session, *, most: int, deadline: float, findings: tuple[str, ...] = ()) -> Subject:
    """The subject of a training that is about to begin.

    Arguments:
        most: training images that are held, and as many of validation.
    """
    whole, validation = session.training, session.validation
    assert isinstance(whole, Batches)
    assert isinstance(validation, Batches)
    training = held(whole, most)
    places = np.unique(np.linspace(0, len(whole) - 1, len(training)).astype(np.int64))
    views = partial(whole.training, seed=session.recipe.seed, epoch=0)
    augmented = views(places, Augmentation.of(session.recipe.augment))[0].float() if most > FEW else None
    return Subject(
        model=session.model,
        loss=session.loss,
        training=training,
        validation=held(validation, most if most > FEW else 0),
        classes=session.classes,
        recipe=session.recipe,
        uniform=uniform_loss(session.recipe, len(session.classes)),
        augmented=augmented,
        findings=findings,
        deadline=deadline,
        session=session,
    )


FEW = 64
"""Images held when only the fast rungs are climbed."""
