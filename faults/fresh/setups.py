"""Fresh: one training of the fresh part, described by what is chosen in it; and how it is built."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import held.setups
from data import Images
from fresh.images import images
from fresh.networks import Form, network, trained_body
from fresh.pixels import augmented, labelled, prepared, valid_labels
from held.setups import ENDS, Ended


@dataclass(frozen=True)
class Fresh:
    """What is chosen.

    `style` a loop of `fresh.loops`; `times` of the rate; `head_times` of the head's, which `messy` gives an optimiser of
    its own; empty `activation` and `norm` are the network's own; `per` batch or epoch, after which the schedule is
    stepped; `l1` the weight of a penalty added to the loss; `told` what the watcher is told of a batch, letters of
    loss, outputs, targets, inputs; `fault` what is done wrongly in the loop or the network. The rest as elsewhere.
    """

    network: str
    data: str
    style: str
    optimizer: str = "adam"
    rate: float = 2e-3
    times: float = 1.0
    head_times: float = 1.0
    momentum: float = 0.9
    decay: float = 0.0
    epsilon: float = 1e-8
    batch: int = 32
    accumulate: int = 1
    epochs: int = 5
    schedule: str = "none"
    per: str = "batch"
    loss: str = "softmax"
    init: str = "default"
    activation: str = ""
    norm: str = ""
    norm_momentum: float = 0.1
    wide: int = 8
    depth: int = 1
    dropout: float = 0.0
    inputs: str = "standard"
    valid_inputs: str = ""
    labels: str = "right"
    valid_labels: str = ""
    augment: str = "none"
    balance: str = "none"
    shuffle: bool = True
    keep: int = 0
    valid_keep: int = 0
    clip: float = 0.0
    freeze: bool = False
    l1: float = 0.0
    told: str = "loti"
    fault: str = ""


@dataclass
class Ready:
    """A training that is ready to run; `accuracy` is the last one its loop worked out."""

    model: nn.Module
    optimizers: list[torch.optim.Optimizer]
    schedules: list[torch.optim.lr_scheduler.LambdaLR]
    loss: Callable[[Tensor, Tensor], Tensor]
    train: Callable[[], Iterator[tuple[Tensor, Tensor]]]
    valid: list[tuple[Tensor, Tensor]]
    setup: Fresh
    classes: int
    batches: int
    accuracy: float = 0.0
    updates: int = 0
    kept: list[object] = field(default_factory=list)


def build(setup: Fresh, seed: int) -> Ready:
    """A training from its description."""
    if setup.network == "probe":
        trained_body()
    torch.manual_seed(seed)
    generator = np.random.default_rng([seed, 17])
    found = labelled(setup.labels, setup.keep, images(setup.data), generator)
    model = _model(setup, found)
    optimizers = _optimizers(setup, model, lambda: _model(setup, found))
    batches = max(1, len(found.train_labels) // setup.batch)
    total = setup.epochs * batches // setup.accumulate if setup.per == "batch" else setup.epochs
    factor = FACTORS[setup.schedule]
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(one, lambda count: factor(min(1.0, count / max(1, total))))
        for one in optimizers
    ]
    y = torch.from_numpy(found.train_labels)
    vx = prepared(setup.valid_inputs or setup.inputs, found, found.valid)
    vy = torch.from_numpy(valid_labels(setup.valid_labels, found))
    if setup.valid_keep:
        vx, vy = vx[: setup.valid_keep], vy[: setup.valid_keep]
    weights = len(y) / (found.classes * torch.bincount(y, minlength=found.classes).clamp(min=1).float())
    loss = nn.CrossEntropyLoss(weight=weights) if setup.balance == "weighted" else LOSSES[setup.loss]
    valid = list(zip(vx.split(100), vy.split(100), strict=True))
    ready = Ready(model, optimizers, schedules, loss, lambda: iter(()), valid, setup, found.classes, batches)
    x = prepared(setup.inputs, found, found.train)
    ready.train = lambda: _batches(ready, x, y, weights[y] if setup.balance == "sampled" else None)
    return ready


def _batches(ready: Ready, x: Tensor, y: Tensor, weights: Tensor | None) -> Iterator[tuple[Tensor, Tensor]]:
    """An epoch's."""
    setup = ready.setup
    fault, _, amount = setup.fault.partition(":")
    if weights is not None:
        order = torch.multinomial(weights, len(y), replacement=True)
    else:
        order = torch.randperm(len(x)) if setup.shuffle else torch.argsort(y, stable=True)
    if fault == "same-batches":  # a new iterator is made for every step, and only its first batches are ever taken
        order = torch.arange(len(x))[: int(amount) * setup.batch].repeat(len(x))
    for start in range(0, ready.batches * setup.batch, setup.batch):
        rows = order[start : start + setup.batch]
        if fault == "slow-loader":
            time.sleep(float(amount))
        if fault == "hoard":
            ready.kept.append(np.ones(int(float(amount) * 2**20), np.uint8))
        yield augmented(setup.augment, x[rows]), y[rows]


def _one_of_all(scores: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(scores, labels, reduction="none")[0]


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    **held.setups.LOSSES,
    "poly": lambda scores, labels: (
        F.cross_entropy(scores, labels) + (1 - F.softmax(scores, 1)[range(len(labels)), labels]).mean()
    ),
    "some-smooth": lambda scores, labels: F.cross_entropy(scores, labels, label_smoothing=0.2),
    "squares-of-scores": lambda scores, labels: F.mse_loss(5 * scores, 5 * F.one_hot(labels, scores.shape[1]).float()),
    "smooth-wholly": lambda scores, labels: F.cross_entropy(scores, labels, label_smoothing=0.98),
    "minus-likelihood": lambda scores, labels: F.softmax(scores, 1)[range(len(labels)), labels].mean(),
    "first-alone": _one_of_all,
    "log-of-softmax-twice": lambda scores, labels: F.nll_loss(
        F.log_softmax(F.softmax(F.softmax(scores, 1), 1), 1), labels
    ),
    "share-as-log": lambda scores, labels: F.nll_loss(F.softmax(scores, dim=1), labels),
    "cooled": lambda scores, labels: F.cross_entropy(scores / 200, labels),
    "unit-length": lambda scores, labels: F.cross_entropy(F.normalize(scores, dim=1), labels),
    "sum-and-classes": lambda scores, labels: F.binary_cross_entropy_with_logits(
        scores, F.one_hot(labels, scores.shape[1]).float(), reduction="sum"
    ),
    "number-squared": lambda scores, labels: F.mse_loss(scores[:, 0], labels.float()),
    "only-if-right": lambda scores, labels: F.cross_entropy(scores, scores.argmax(1)) + 0 * labels.sum(),
}
"""Losses: those of the other held-out part, and more; from `smooth-wholly` on they are mistakes."""

FACTORS: dict[str, Callable[[float], float]] = {
    **held.setups.FACTORS,
    "polynomial": lambda part: (1 - part) ** 2,
    "cosine-floor": lambda part: 0.1 + 0.45 * (1 + math.cos(math.pi * part)),
    "warm-cosine": lambda part: min(1.0, 0.05 + part / 0.15) * 0.5 * (1 + math.cos(math.pi * part)),
    "halves": lambda part: 0.5 ** math.floor(part * 4),
    "late-drop": lambda part: 1.0 if part < 0.8 else 0.1,
    "rising": lambda part: 3000.0**part,  # 1.02 a step where 0.98 was meant
    "rising-slowly": lambda part: 200.0**part,
    "tenth-each-time": lambda part: 0.1 ** math.floor(part * 25),
    "gone-at-once": lambda part: 0.0 if part > 0.02 else 1.0,
    "cosine-in-epochs": lambda part: (
        0.5 * (1 + math.cos(math.pi * min(1.0, part * 20)))
    ),  # its length in epochs, stepped per batch
    "warm-up-by-samples": lambda part: 0.001 + part / 100,
    "begins-at-floor": lambda _: 0.001,
}
"""Schedule -> factor of the rate; from `rising` on they are mistakes."""


def _model(setup: Fresh, found: Images) -> nn.Module:
    _, channels, height, across = found.train.shape
    detached = setup.fault in ("detached", "numpy-between")
    form = Form(
        channels, height, across, found.classes, setup.wide, setup.activation, setup.norm, setup.norm_momentum,
        setup.dropout, setup.depth, detached,
    )  # fmt: skip
    model = network(setup.network, form)
    if setup.network == "probe" and setup.init != "fresh":
        model.get_submodule("body").load_state_dict(trained_body())
    if setup.freeze:
        model.get_submodule("body").requires_grad_(requires_grad=False)
    _initialise(model, setup.init)
    return Ended(model, ENDS[setup.fault]()) if setup.fault in ENDS else model


def _initialise(model: nn.Module, how: str) -> None:
    kind, _, amount = how.partition(":")
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    number = float(amount or 0)
    fillers: dict[str, Callable[[Tensor], object]] = {
        "constant": lambda weight: nn.init.constant_(weight, number),
        "uniform": lambda weight: nn.init.uniform_(weight, -number, number),
        "one-sided": lambda weight: nn.init.uniform_(weight, 0, number),
        "normal": lambda weight: nn.init.normal_(weight, std=number),
        "scaled": lambda weight: weight.data.mul_(number),
        "he": nn.init.kaiming_uniform_,
        "glorot": nn.init.xavier_uniform_,
        "orthogonal": nn.init.orthogonal_,
        "truncated": lambda weight: nn.init.trunc_normal_(weight, std=0.02),
    }
    for layer in layers:
        if kind in fillers:
            fillers[kind](layer.weight)
            if layer.bias is not None and kind != "scaled":
                nn.init.zeros_(layer.bias)
        elif kind == "head" and layer is layers[-1]:
            nn.init.normal_(layer.weight, std=number)
        elif kind == "bias" and layer is not layers[-1] and layer.bias is not None:
            nn.init.constant_(layer.bias, number)
    if kind == "bias":
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d | nn.GroupNorm | nn.LayerNorm):
                nn.init.constant_(layer.bias, number)


def _optimizers(setup: Fresh, model: nn.Module, another: Callable[[], nn.Module]) -> list[torch.optim.Optimizer]:
    """One, or one each for body and head in the messy loop."""
    source = another() if setup.fault == "other-model" else model
    named = [(name, one) for name, one in source.named_parameters() if one.requires_grad]
    head = [one for name, one in named if "head" in name]
    body = [one for name, one in named if "head" not in name]
    if setup.fault == "old-head":  # replaced after the optimiser was made
        head = [nn.Parameter(one.detach().clone()) for one in head]
    if setup.fault == "head-only":
        body = []
    if setup.fault == "half-held":  # a list of layers was meant, and every second one is in it
        body = body[: len(body) // 2]
    rate = setup.rate * setup.times
    groups: list[dict[str, object]] = [{"params": body, "lr": rate}, {"params": head, "lr": rate * setup.head_times}]
    groups = [one for one in groups if one["params"]]
    return [_optimizer(setup, [one]) for one in groups] if setup.style == "messy" else [_optimizer(setup, groups)]


def _optimizer(setup: Fresh, groups: list[dict[str, object]]) -> torch.optim.Optimizer:
    adaptive = {"eps": setup.epsilon, "weight_decay": setup.decay}
    swinging = {"momentum": setup.momentum, "weight_decay": setup.decay}
    kind, more = {
        "sgd": (torch.optim.SGD, {"weight_decay": setup.decay}),
        "momentum": (torch.optim.SGD, swinging),
        "nesterov": (torch.optim.SGD, {**swinging, "nesterov": True}),
        "adam": (torch.optim.Adam, adaptive),
        "adamw": (torch.optim.AdamW, adaptive),
        "amsgrad": (torch.optim.Adam, {**adaptive, "amsgrad": True}),
        "nadam": (torch.optim.NAdam, adaptive),
        "radam": (torch.optim.RAdam, adaptive),
        "adamax": (torch.optim.Adamax, adaptive),
        "rmsprop": (torch.optim.RMSprop, adaptive),
        "adagrad": (torch.optim.Adagrad, {"weight_decay": setup.decay}),
        "adadelta": (torch.optim.Adadelta, {"weight_decay": setup.decay}),
        "rprop": (torch.optim.Rprop, {}),
        "asgd": (torch.optim.ASGD, {"weight_decay": setup.decay}),
    }[setup.optimizer]
    return kind(groups, lr=groups[0]["lr"], **more)
