"""The ladder of checks before training: over a data set and a recipe, or over somebody's own network, loss and loader."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from babysit.api.running import Settings, read_request
from babysit.checks import ladder
from babysit.checks.outcome import Outcome
from babysit.checks.subject import Held, Subject, of_session
from babysit.clock import Clock
from babysit.data.corrections import read_lists
from babysit.errors import UserError
from babysit.losses import Loss
from babysit.recipe import Recipe
from babysit.show import Show, Silent
from babysit.training import prepare

IMAGES = 1000
OWN_IMAGES = 1000


def check_data(
    source: str, *, recipe: str | Path | None = None, settings: Settings = (), show: Show | None = None
) -> list[Outcome]:
    """Climbs the ladder with a data set and a recipe; trains nothing and keeps nothing but the decoded cache.

    Arguments:
        source: as of `train`.

    Raises:
        UserError: when the user must change something before there is anything to check.
    """
    show, clock = show or Silent(), Clock(time.perf_counter())
    asked = read_request(source, recipe, settings).recipe
    lists = read_lists(asked.data.exclude, asked.data.relabel)
    catalog, sized, _ = prepare.look(asked, clock, lists=lists, show=show)
    images = prepare.decode(catalog, sized, lists=lists, clock=clock, show=show)
    session, filled, _ = prepare.start(sized, images, clock)
    session.recipe = filled
    subject = of_session(session, most=IMAGES, deadline=float("inf"), findings=_wrong(images))
    return _told(ladder.climb(subject), show)


def check(
    model: nn.Module,
    loss: Loss,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    classes: int,
    validation: Iterable[tuple[Tensor, Tensor]] = (),
    show: Show | None = None,
) -> list[Outcome]:
    """Climbs the ladder with a network, a loss and a loader of your own. None of them is changed.

    Arguments:
        loss: (scores, labels) -> one number, the mean over the batch.
        batches: what a DataLoader yields: images (n, channels, height, width) and labels (n,); up to 1000 images are read.
        classes: how many.
        validation: batches that are not trained on, for the rung that needs them; by default a quarter of those read.

    Raises:
        UserError: when the batches are none, or no batches of images and labels.
    """
    images = _read(batches)
    kept = _read(validation) if validation else None
    if kept is None:
        quarter = len(images) // 4
        kept = Held(images.images[len(images) - quarter :], images.targets[len(images) - quarter :])
        images = images.first(len(images) - quarter)
    device = next((one.device for one in model.parameters()), torch.device("cpu"))
    parts = [Held(one.images.to(device), one.targets.to(device)) for one in (images, kept)]
    names = tuple(str(number) for number in range(classes))
    subject = Subject(model, loss, parts[0], parts[1], names, Recipe())
    return _told(ladder.climb(subject), show or Silent())


def _wrong(images: prepare.Data) -> tuple[str, ...]:
    found = images.examined.findings if images.examined else ()
    return tuple(one.says for one in found if one.weight == "wrong")


def _told(outcomes: Iterable[Outcome], show: Show) -> list[Outcome]:
    kept = []
    for one in outcomes:
        for line in one.table:
            show.say(f"    {line}")
        show.say(one.text())
        kept.append(one)
    return kept


def _read(batches: Iterable[Sequence[Tensor]]) -> Held:
    """Up to OWN_IMAGES images of a loader.

    Raises:
        UserError: when it yields nothing, or something else.
    """
    images: list[Tensor] = []
    labels: list[Tensor] = []
    hint = "Each batch is (images, labels): a float tensor (n, channels, height, width) and whole numbers (n,)"
    for batch in batches:
        if not (isinstance(batch, (tuple, list)) and len(batch) == 2 and all(isinstance(one, Tensor) for one in batch)):
            raise UserError("a batch is not a pair of tensors", where="batches", hint=hint)
        image, label = batch
        if image.ndim < 2 or label.ndim != 1 or len(image) != len(label):
            raise UserError(
                f"a batch has images of shape {tuple(image.shape)} and labels of shape {tuple(label.shape)}",
                where="batches",
                hint=hint,
            )
        if label.is_floating_point():
            raise UserError(f"the labels are {label.dtype}", where="batches", hint=hint)
        images.append(image.detach())
        labels.append(label.detach().long())
        if sum(map(len, labels)) >= OWN_IMAGES:
            break
    if not sum(map(len, labels)):
        raise UserError("the loader yields no images", where="batches", hint="Is it used up, or its data set empty?")
    return Held(torch.cat(images), torch.cat(labels))
