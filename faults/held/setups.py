"""Held: one training of the held-out part, described by what is chosen in it; and how it is built."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from held.images import images
from held.networks import NETWORKS, Shape, Tuned, trained_body
from held.pixels import augmented, labelled, prepared, valid_labels


@dataclass(frozen=True)
class Held:
    """What is chosen.

    `style` lightning, face or learner; `times` of the rate, `head_times` of the head's; `accumulate` batches of an
    update; `freeze` none, body, first (the body for the first third of the epochs) or statistics; `balance` what is done about
    unequal classes; `fault` what is done wrongly in the loop or the network itself. The others as in the tuning part.
    """

    network: str = "residual"
    data: str = "textures"
    style: str = "lightning"
    optimizer: str = "momentum"
    rate: float = 0.05
    times: float = 1.0
    head_times: float = 1.0
    momentum: float = 0.9
    decay: float = 5e-4
    epsilon: float = 1e-8
    batch: int = 32
    accumulate: int = 1
    epochs: int = 6
    schedule: str = "none"
    loss: str = "softmax"
    init: str = "default"
    activation: str = "relu"
    norm: str = "batch"
    norm_momentum: float = 0.1
    width: int = 8
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
    freeze: str = "none"
    fault: str = ""


@dataclass
class Ready:
    """A training that is ready to run; `factor` of the rate at a step out of all."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: Callable[[Tensor, Tensor], Tensor]
    train: Callable[[], Iterator[tuple[Tensor, Tensor]]]
    valid: list[tuple[Tensor, Tensor]]
    factor: Callable[[float], float]
    setup: Held
    classes: int
    steps: int


def build(setup: Held, seed: int) -> Ready:
    """A training from its description."""
    if setup.network == "tuned":
        trained_body()
    torch.manual_seed(seed)
    generator = np.random.default_rng([seed, 13])
    found = labelled(setup.labels, setup.keep, images(setup.data), generator)
    _, channels, size, _ = found.train.shape
    model = _model(setup, channels, size, found.classes)
    optimizer = _optimizer(setup, model, lambda: _model(setup, channels, size, found.classes))
    x, y = prepared(setup.inputs, found, found.train), torch.from_numpy(found.train_labels)
    vx = prepared(setup.valid_inputs or setup.inputs, found, found.valid)
    vy = torch.from_numpy(valid_labels(setup.valid_labels, found))
    if setup.valid_keep:
        vx, vy = vx[: setup.valid_keep], vy[: setup.valid_keep]
    weights = _weights(setup.balance, y, found.classes)
    batches = max(1, len(y) // setup.batch)
    hoard: list[object] = []

    def train() -> Iterator[tuple[Tensor, Tensor]]:
        if setup.balance == "sampled":
            order = torch.multinomial(weights[y], len(y), replacement=True)
        else:
            order = torch.randperm(len(x)) if setup.shuffle else torch.argsort(y, stable=True)
        for start in range(0, batches * setup.batch, setup.batch):
            rows = order[start : start + setup.batch]
            if setup.fault.startswith("slow-loader"):
                time.sleep(float(setup.fault.partition(":")[2]))
            if setup.fault.startswith("hoard"):  # something of every batch is kept for ever
                hoard.append(np.ones(int(float(setup.fault.partition(":")[2]) * 2**20), np.uint8))
            yield augmented(setup.augment, x[rows]), y[rows]

    valid = [(vx[start : start + 100], vy[start : start + 100]) for start in range(0, len(vx), 100)]
    loss = LOSSES[setup.loss]
    if setup.balance == "weighted":
        loss = nn.CrossEntropyLoss(weight=weights)
    total = setup.epochs * batches // setup.accumulate
    return Ready(model, optimizer, loss, train, valid, FACTORS[setup.schedule], setup, found.classes, total)


def _weights(balance: str, labels: Tensor, classes: int) -> Tensor:
    counts = torch.bincount(labels, minlength=classes).clamp(min=1).float()
    return counts.sum() / (classes * counts) if balance != "none" else torch.ones(classes)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "softmax": F.cross_entropy,
    "smooth": lambda scores, labels: F.cross_entropy(scores, labels, label_smoothing=0.1),
    "log-softmax": lambda scores, labels: F.nll_loss(F.log_softmax(scores, dim=1), labels),
    "focal": lambda scores, labels: _focal(scores, labels),
    "hinge": lambda scores, labels: F.multi_margin_loss(scores, labels) * scores.shape[1],
    "binary": lambda scores, labels: F.binary_cross_entropy_with_logits(
        scores, F.one_hot(labels, scores.shape[1]).float()
    ),
    "minus": lambda scores, labels: -F.cross_entropy(scores, labels),
    "plus-log": lambda scores, labels: F.log_softmax(scores, dim=1)[torch.arange(len(labels)), labels].mean(),
    "raw-nll": F.nll_loss,
    "raw-hundredth": lambda scores, labels: F.nll_loss(scores / 100, labels),
    "over-batch": lambda scores, labels: F.nll_loss(F.log_softmax(scores, dim=0), labels),
    "doubled": lambda scores, labels: F.cross_entropy(F.softmax(scores, dim=1), labels),
    "doubled-nll": lambda scores, labels: F.nll_loss(F.log_softmax(F.softmax(scores, dim=1), dim=1), labels),
    "sum": lambda scores, labels: F.cross_entropy(scores, labels, reduction="sum"),
    "sum-squares": lambda scores, labels: F.mse_loss(
        scores, F.one_hot(labels, scores.shape[1]).float(), reduction="sum"
    ),
    "squares-of-shares": lambda scores, labels: F.mse_loss(
        F.softmax(scores, dim=1), F.one_hot(labels, scores.shape[1]).float()
    ),
    "distance-to-number": lambda scores, labels: F.mse_loss(scores.mean(dim=1), labels.float()),
    "absolute": lambda scores, labels: F.l1_loss(scores, F.one_hot(labels, scores.shape[1]).float()),
}


def _focal(scores: Tensor, labels: Tensor) -> Tensor:
    each = F.cross_entropy(scores, labels, reduction="none")
    return ((1 - torch.exp(-each)) ** 2 * each).mean()


class Ended(nn.Module):
    """A network with something after its scores, or before."""

    def __init__(self, inner: nn.Module, end: nn.Module) -> None:
        super().__init__()
        self.inner, self.end = inner, end

    def forward(self, x: Tensor) -> Tensor:
        """Scores, changed."""
        return self.end(self.inner(x))


ENDS: dict[str, Callable[[], nn.Module]] = {
    "softmax-end": lambda: nn.Softmax(dim=1),
    "relu-end": nn.ReLU,
    "sigmoid-end": nn.Sigmoid,
    "tanh-end": nn.Tanh,
}


def _model(setup: Held, channels: int, size: int, classes: int) -> nn.Module:
    shape = Shape(
        3 if setup.network == "tuned" else channels,
        size,
        classes,
        setup.width,
        setup.activation,
        setup.norm,
        setup.norm_momentum,
        setup.dropout,
        setup.depth,
    )
    if setup.network == "tuned":
        model: nn.Module = Tuned(shape, detached=setup.fault == "detached")
        if setup.init != "fresh":
            model.body.load_state_dict(trained_body())  # type: ignore[union-attr]
        if setup.freeze in ("body", "first"):
            model.body.requires_grad_(requires_grad=False)  # type: ignore[union-attr]
    else:
        model = NETWORKS[setup.network](shape)
    _initialise(model, setup.init)
    return Ended(model, ENDS[setup.fault]()) if setup.fault in ENDS else model


def _initialise(model: nn.Module, how: str) -> None:
    kind, _, amount = how.partition(":")
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    for layer in layers:
        if kind == "constant":
            nn.init.constant_(layer.weight, float(amount))
        elif kind == "normal":
            nn.init.normal_(layer.weight, std=float(amount))
        elif kind == "scaled":  # of what it was
            layer.weight.data.mul_(float(amount))
        elif kind == "he":
            nn.init.kaiming_normal_(layer.weight, mode="fan_out")
        elif kind == "xavier":
            nn.init.xavier_normal_(layer.weight)
        elif kind == "head" and layer is layers[-1]:  # the head alone
            nn.init.normal_(layer.weight, std=float(amount))
        elif kind == "bias" and layer is not layers[-1] and layer.bias is not None:
            nn.init.constant_(layer.bias, float(amount))
        if kind in ("constant", "normal", "he", "xavier") and layer.bias is not None:
            nn.init.zeros_(layer.bias)
    if kind == "bias":  # what a normalisation adds is a bias too
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d):
                nn.init.constant_(layer.bias, float(amount))


def _optimizer(setup: Held, model: nn.Module, another: Callable[[], nn.Module]) -> torch.optim.Optimizer:
    source = another() if setup.fault == "other-model" else model
    named = list(source.named_parameters())
    head = [one for name, one in named if "head" in name]
    body = [one for name, one in named if "head" not in name]
    if setup.fault == "old-head":  # the head was replaced after the optimiser was made
        head = [nn.Parameter(one.detach().clone()) for one in head]
    if setup.fault == "head-only":
        body = []
    if setup.fault == "body-only":
        head = []
    if setup.fault == "norms-only":
        norms = [one for layer in model.modules() if isinstance(layer, nn.BatchNorm2d) for one in layer.parameters()]
        body, head = norms, []
    rate = setup.rate * setup.times
    groups: list[dict[str, object]] = [{"params": body, "lr": rate}, {"params": head, "lr": rate * setup.head_times}]
    return _kind(setup, [one for one in groups if one["params"]], rate)


def _kind(setup: Held, groups: list[dict[str, object]], rate: float) -> torch.optim.Optimizer:
    decay, epsilon, momentum = setup.decay, setup.epsilon, setup.momentum
    make: dict[str, Callable[[], torch.optim.Optimizer]] = {
        "sgd": lambda: torch.optim.SGD(groups, lr=rate, weight_decay=decay),
        "momentum": lambda: torch.optim.SGD(groups, lr=rate, momentum=momentum, weight_decay=decay),
        "nesterov": lambda: torch.optim.SGD(groups, lr=rate, momentum=momentum, nesterov=True, weight_decay=decay),
        "adam": lambda: torch.optim.Adam(groups, lr=rate, eps=epsilon, weight_decay=decay),
        "adamw": lambda: torch.optim.AdamW(groups, lr=rate, eps=epsilon, weight_decay=decay),
        "amsgrad": lambda: torch.optim.Adam(groups, lr=rate, amsgrad=True),
        "nadam": lambda: torch.optim.NAdam(groups, lr=rate),
        "radam": lambda: torch.optim.RAdam(groups, lr=rate),
        "adamax": lambda: torch.optim.Adamax(groups, lr=rate),
        "rmsprop": lambda: torch.optim.RMSprop(groups, lr=rate, eps=epsilon, weight_decay=decay),
        "adagrad": lambda: torch.optim.Adagrad(groups, lr=rate),
        "adadelta": lambda: torch.optim.Adadelta(groups, lr=rate),
    }
    return make[setup.optimizer]()


FACTORS: dict[str, Callable[[float], float]] = {
    "none": lambda _: 1.0,
    "cosine": lambda part: 0.5 * (1 + math.cos(math.pi * part)),
    "linear": lambda part: min(part / 0.1, (1 - part) / 0.9),
    "one-cycle": lambda part: (
        max(0.02, part / 0.3) if part < 0.3 else 0.5 * (1 + math.cos(math.pi * (part - 0.3) / 0.7))
    ),
    "warm-up": lambda part: min(1.0, 0.01 + part / 0.25),
    "flat-cosine": lambda part: 1.0 if part < 0.7 else 0.5 * (1 + math.cos(math.pi * (part - 0.7) / 0.3)),
    "step": lambda part: 0.1 if part >= 0.66 else 1.0,
    "two-steps": lambda part: 1.0 if part < 0.5 else (0.2 if part < 0.8 else 0.04),
    "exponential": lambda part: 0.05**part,
    "sqrt": lambda part: math.sqrt(max(0.0, 1 - part)),
    "restarts": lambda part: 0.5 * (1 + math.cos(math.pi * (part * 3 % 1.0))),
    "triangles": lambda part: 0.1 + 0.9 * abs(1 - part * 4 % 2),
    "warm-up-unstepped": lambda _: 0.002,  # a warm-up that is made and never stepped
    "warm-up-endless": lambda part: 0.0005 + part / 200,  # its length counted in the wrong unit
    "one-cycle-unstepped": lambda _: 0.0005,
    "per-batch": lambda part: 0.5 ** (part * 200),  # meant after an epoch, done after every batch
    "milestones-early": lambda part: 1.0 if part < 0.03 else 1e-4,  # counted in updates instead of epochs
    "reduced-often": lambda part: (
        0.1 ** math.floor(part * 6)
    ),  # on a plateau that is none: it waits for the loss to rise
    "ends-early": lambda part: max(0.0, 1 - part / 0.06),
}
"""Schedule -> factor of the rate, by the part of the training that is over."""
