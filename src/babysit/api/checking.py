"""The ladder of checks before training: over a data set and a recipe, or over somebody's own network, loss and loader."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from babysit.api.running import Settings, read_request
from babysit.checks import ladder
from babysit.checks.outcome import Outcome
from babysit.checks.reading import read
from babysit.checks.subject import Held, Subject, of_session
from babysit.clock import Clock
from babysit.data.corrections import read_lists
from babysit.errors import UserError
from babysit.losses import Loss
from babysit.recipe import Recipe
from babysit.show import Show, Silent
from babysit.training import prepare
from babysit.training.aside import undisturbed

IMAGES = 1000


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
    if classes < 2:
        raise UserError(f"classes is {classes}", where="classes", legal="a whole number of at least 2")
    with undisturbed():
        images, loading = read(batches)
        kept = read(validation)[0] if validation else None
    if kept is None:  # every fourth, so that labels in order are in both
        places = torch.arange(len(images))
        kept, images = images.chosen(places % 4 == 3), images.chosen(places % 4 != 3)
    model = _with_sizes(model, images.first(2).images)
    device = next((one.device for one in model.parameters()), torch.device("cpu"))
    parts = [Held(one.images.to(device), one.targets.to(device)) for one in (images, kept)]
    names = tuple(str(number) for number in range(classes))
    subject = Subject(model, loss, parts[0], parts[1], names, Recipe(), loading=loading)
    return _told(ladder.climb(subject), show or Silent())


def _with_sizes(model: nn.Module, images: Tensor) -> nn.Module:
    """A copy whose lazy layers (nn.LazyLinear) have met images, so that they have weights; any other network as it is."""
    if not any(isinstance(one, UninitializedParameter) for one in model.parameters()):
        return model
    met = copy.deepcopy(model)
    with undisturbed(), torch.no_grad(), suppress(Exception):  # the network rung says what fails
        met.eval()(images)
    return met


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
