"""Unseen: one training of the unseen part, described by what is chosen in it as one of the fresh part; and how it is built."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import fresh.setups
from data import Images
from fresh.networks import Form
from fresh.setups import Fresh, Ready, _batches, _initialise, _optimizers
from held.setups import ENDS, Ended
from unseen.images import images
from unseen.networks import network, trained_body
from unseen.pixels import labelled, prepared, valid_labels


@dataclass(frozen=True)
class Unseen(Fresh):
    """What is chosen: as in the fresh part, whose optimisers, batches and first weights it has. `style` is one of `unseen.loops`."""


def build(setup: Unseen, seed: int) -> Ready:
    """A training from its description."""
    if setup.network == "borrowed":
        trained_body()
    torch.manual_seed(seed)
    generator = np.random.default_rng([seed, 19])
    found = labelled(setup.labels, setup.keep, images(setup.data), generator)
    model = _model(setup, found)
    optimizers = _optimizers(setup, model, lambda: _model(setup, found))
    batches = max(1, len(found.train_labels) // setup.batch)
    length = setup.epochs * batches // setup.accumulate if setup.per == "batch" else setup.epochs
    factor = FACTORS[setup.schedule]
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(one, lambda done: factor(min(1.0, done / max(1, length))))
        for one in optimizers
    ]
    y = torch.from_numpy(found.train_labels)
    shares = torch.bincount(y, minlength=found.classes).clamp(min=1).float() / len(y)
    valid = _validation(setup, found)
    ready = Ready(
        model, optimizers, schedules, _loss(setup, shares), lambda: iter(()), valid, setup, found.classes, batches
    )
    x = prepared(setup.inputs, found, found.train)
    ready.train = lambda: _delivered(
        ready, _batches(ready, x, y, 1 / shares[y] if setup.balance == "sampled" else None)
    )
    return ready


def _validation(setup: Unseen, found: Images) -> list[tuple[Tensor, Tensor]]:
    x = prepared(setup.valid_inputs or setup.inputs, found, found.valid)
    y = torch.from_numpy(valid_labels(setup.valid_labels, found))
    count = setup.valid_keep or len(y)
    return list(zip(x[:count].split(150), y[:count].split(150), strict=True))


def _loss(setup: Unseen, shares: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    if setup.balance == "weighted":
        return nn.CrossEntropyLoss(weight=1 / (len(shares) * shares))
    if setup.balance == "upside-down":  # shares where one over shares was meant
        return nn.CrossEntropyLoss(weight=shares * len(shares))
    return LOSSES[setup.loss]


def _model(setup: Unseen, found: Images) -> nn.Module:
    _, channels, height, across = found.train.shape
    form = Form(
        channels, height, across, found.classes, setup.wide, setup.activation, setup.norm, setup.norm_momentum,
        setup.dropout, setup.depth, setup.fault == "detached",
    )  # fmt: skip
    model = network(setup.network, form)
    if setup.network == "borrowed" and setup.init != "fresh":
        model.body.load_state_dict(trained_body())
    if setup.freeze:
        model.body.requires_grad_(requires_grad=False)
    _initialise(model, setup.init)
    return Ended(model, ENDS[setup.fault]()) if setup.fault in ENDS else model


def _delivered(ready: Ready, batches: Iterator[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches as they come; or each with the labels of the one before."""
    if ready.setup.fault != "labels-before":
        yield from batches
        return
    before: Tensor | None = None
    for x, y in batches:
        yield x, y if before is None else before
        before = y


LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    **fresh.setups.LOSSES,
    "squared-hinge": lambda scores, labels: F.multi_margin_loss(scores, labels, p=2) * scores.shape[1] / 2,
    "own": lambda scores, labels: -torch.log(F.softmax(scores, 1)[range(len(labels)), labels] + 1e-7).mean(),
    "own-product": lambda scores, labels: (
        -torch.log(F.softmax(scores, 1)[range(len(labels)), labels].prod()) / len(labels)
    ),  # of many small numbers is nought
    "minus-hinge": lambda scores, labels: -F.multi_margin_loss(scores, labels),
    "twice-softmax": lambda scores, labels: F.cross_entropy(F.softmax(F.softmax(scores, 1), 1), labels),
    "shares-raw": lambda scores, labels: -F.softmax(scores, 1)[range(len(labels)), labels].mean() / 100,
    "sum-of-squares": lambda scores, labels: F.mse_loss(
        scores, F.one_hot(labels, scores.shape[1]).float(), reduction="sum"
    ),
    "one-target": lambda scores, labels: F.cross_entropy(scores, labels[:1].expand(len(labels))),
    "sigmoid-softmax": lambda scores, labels: F.cross_entropy(torch.sigmoid(scores), labels),
    "clamped": lambda scores, labels: F.cross_entropy(scores.clamp(-0.05, 0.05), labels),
}
"""Losses: the fresh part's and more; from `own-product` on they are mistakes."""

FACTORS: Mapping[str, Callable[[float], float]] = {
    **fresh.setups.FACTORS,
    "trapezium": lambda part: min(1.0, 0.02 + part / 0.1, 0.02 + (1 - part) / 0.3),
    "thirds": lambda part: 3.0 ** -math.floor(part * 3),
    "inverse": lambda part: 1 / (1 + 5 * part),
    "cycles": lambda part: 0.15 + 0.85 * (1 - abs(2 * (part * 2 % 1) - 1)),
    "wild": lambda part: 400.0 if 0.3 < part % 0.5 < 0.4 else 1.0,  # a cycle's upper end has two noughts too many
    "hundredth-each-time": lambda part: 0.01 ** math.floor(part * 20),
    "over-by-tenth": lambda part: max(0.0, 1 - part / 0.03),
    "still-warming": lambda part: 0.0002 + part / 2000,
    "twice-each-time": lambda part: 2.0 ** math.floor(part * 16),
}
"""Schedule -> factor of the rate; from `wild` on they are mistakes."""
