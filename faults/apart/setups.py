"""Apart: one training of the part that is apart, described by what is chosen in it as one of the fresh part; and how it is built."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import unseen.setups
from apart.blocks import Highway
from apart.images import images
from apart.networks import network, trained_body
from apart.pixels import AUGMENTED, augmented, labelled, prepared, valid_labels
from data import Images
from fresh.networks import Form
from fresh.setups import Fresh, Ready, _batches, _initialise, _optimizers
from held.setups import ENDS, Ended


@dataclass(frozen=True)
class Apart(Fresh):
    """What is chosen, as in the fresh part, and `betas` of Adam and its family. `style` is one of `apart.loops`."""

    betas: tuple[float, float] = (0.9, 0.999)


class Lion(torch.optim.Optimizer):
    """The sign of a mean of gradients (Chen et al. 2023), as people copy it."""

    def __init__(self, groups: Iterable[dict[str, object]], lr: float, weight_decay: float = 0.0) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": weight_decay})  # type: ignore[arg-type]

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update."""
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for one in group["params"]:
                if one.grad is None:
                    continue
                mean = self.state[one].setdefault("mean", torch.zeros_like(one))
                one.mul_(1 - group["lr"] * group["weight_decay"])
                one.add_((0.9 * mean + 0.1 * one.grad).sign(), alpha=-group["lr"])
                mean.lerp_(one.grad, 0.01)
        return loss


def build(setup: Apart, seed: int) -> Ready:
    """A training from its description."""
    if setup.network == "handed":
        trained_body()
    torch.manual_seed(seed)
    generator = np.random.default_rng([seed, 23])
    found = labelled(setup.labels, setup.keep, images(setup.data), generator)
    model = _model(setup, found)
    optimizers = _asked_optimizers(setup, model, lambda: _model(setup, found))
    batches = max(1, len(found.train_labels) // setup.batch)
    length = setup.epochs * batches // setup.accumulate if setup.per == "batch" else setup.epochs
    factor = FACTORS[setup.schedule]
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(one, lambda done: factor(min(1.0, done / max(1, length))))
        for one in optimizers
    ]
    y = torch.from_numpy(found.train_labels)
    shares = torch.bincount(y, minlength=found.classes).clamp(min=1).float() / len(y)
    vx = prepared(setup.valid_inputs or setup.inputs, found, found.valid)
    vy = torch.from_numpy(valid_labels(setup.valid_labels, found))
    count = setup.valid_keep or len(vy)
    valid = list(zip(vx[:count].split(120), vy[:count].split(120), strict=True))
    ready = Ready(
        model, optimizers, schedules, _loss(setup, shares), lambda: iter(()), valid, setup, found.classes, batches
    )
    # what is changed in a batch by another part's names is changed where that part does it
    plain = replace(setup, augment="none") if setup.augment in AUGMENTED else setup
    source = Ready(model, [], [], ready.loss, ready.train, [], plain, found.classes, batches)
    x = prepared(setup.inputs, found, found.train)
    weights = 1 / shares[y] if setup.balance == "sampled" else None
    ready.train = lambda: _delivered(setup, _batches(source, x, y, weights))
    return ready


def _asked_optimizers(setup: Apart, model: nn.Module, another: Callable[[], nn.Module]) -> list[torch.optim.Optimizer]:
    if setup.fault == "biases-only":  # a filter by name that keeps what it should leave out
        for name, one in model.named_parameters():
            one.requires_grad_(name.endswith("bias"))
    if setup.optimizer == "lion":
        made = _optimizers(replace(setup, optimizer="sgd"), model, another)
        groups = [{"params": one["params"], "lr": one["lr"]} for each in made for one in each.param_groups]
        return [Lion(groups, lr=float(groups[0]["lr"]), weight_decay=setup.decay)]
    made = _optimizers(setup, model, another)
    for group in (one for each in made for one in each.param_groups):
        if "betas" in group and "betas" not in setup.optimizer and setup.betas != (0.9, 0.999):
            group["betas"] = setup.betas
    return made


def _loss(setup: Apart, shares: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    if setup.balance == "weighted":
        return nn.CrossEntropyLoss(weight=1 / (len(shares) * shares))
    if setup.balance == "squared":  # weights on top of weights
        return nn.CrossEntropyLoss(weight=(1 / (len(shares) * shares)) ** 4)
    if setup.balance == "upside-down":  # shares where one over shares was meant
        return nn.CrossEntropyLoss(weight=shares * len(shares))
    return LOSSES[setup.loss]


class AlwaysDropped(nn.Module):
    """F.dropout in a network, which does not know that it is judged."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return F.dropout(x, self.share)


def _model(setup: Apart, found: Images) -> nn.Module:
    _, channels, height, across = found.train.shape
    form = Form(
        channels, height, across, found.classes, setup.wide, setup.activation, setup.norm, setup.norm_momentum,
        setup.dropout, setup.depth, setup.fault == "detached",
    )  # fmt: skip
    model = network(setup.network, form)
    if setup.network == "handed" and setup.init != "fresh":
        model.get_submodule("body").load_state_dict(trained_body())
    if setup.freeze:
        model.get_submodule("body").requires_grad_(requires_grad=False)
    fault, _, amount = setup.fault.partition(":")
    if fault == "always-dropped":
        model.register_module("drop", AlwaysDropped(float(amount)))
    _initialise(model, setup.init)
    if fault == "gates-shut":
        for layer in model.modules():
            if isinstance(layer, Highway):
                nn.init.constant_(layer.gate.bias, -float(amount))  # type: ignore[arg-type]
    return Ended(model, ENDS[fault]()) if fault in ENDS else model


def _delivered(setup: Apart, batches: Iterator[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches, changed; or each with the labels of the one before, or in an order of their own."""
    before: Tensor | None = None
    for x, y in batches:
        kept = y
        if setup.fault == "labels-before" and before is not None:
            kept = before
        if setup.fault == "labels-reordered":  # the pictures of a batch are shuffled, its labels are not
            kept = y[torch.randperm(len(y))]
        yield augmented(setup.augment, x), kept
        before = y


def _hot(labels: Tensor, scores: Tensor) -> Tensor:
    return F.one_hot(labels, scores.shape[1]).float()


def _entropy(scores: Tensor) -> Tensor:
    return -(F.softmax(scores, 1) * F.log_softmax(scores, 1)).sum(1).mean()


LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    **unseen.setups.LOSSES,
    "divergence": lambda scores, labels: F.kl_div(
        F.log_softmax(scores, 1), 0.9 * _hot(labels, scores) + 0.1 / scores.shape[1], reduction="batchmean"
    ),
    "logs-again": lambda scores, labels: F.cross_entropy(F.log_softmax(scores, 1), labels),  # which changes nothing
    "binary-shares": lambda scores, labels: (
        F.binary_cross_entropy(F.softmax(scores, 1), _hot(labels, scores)) * scores.shape[1]
    ),
    "confident-less": lambda scores, labels: F.cross_entropy(scores, labels) - 0.1 * _entropy(scores),
    "generalised": lambda scores, labels: (
        (1 - (F.softmax(scores, 1)[range(len(labels)), labels] + 1e-7) ** 0.3).mean() / 0.3
    ),
    "divergence-of-scores": lambda scores, labels: F.kl_div(scores, _hot(labels, scores), reduction="batchmean"),
    "minus-divergence": lambda scores, labels: (
        -F.kl_div(F.log_softmax(scores, 1), _hot(labels, scores), reduction="batchmean")
    ),
    "over-count": lambda scores, labels: F.cross_entropy(scores, labels) / 5000,
    "times-batch": lambda scores, labels: F.cross_entropy(scores, labels) * len(labels) ** 1.5,
    "hot": lambda scores, labels: F.cross_entropy(60 * scores, labels),
    "margin-of-shares": lambda scores, labels: F.cross_entropy(
        F.softmax(scores, 1) - F.softmax(scores, 1).mean(), labels
    ),
    "unsure": lambda scores, labels: F.cross_entropy(scores, labels) - 4 * _entropy(scores),
    "log-alone": lambda scores, labels: -torch.log(F.relu(scores[range(len(labels)), labels])).mean(),
    "half-of-batch": lambda scores, labels: F.cross_entropy(scores, labels.roll(1)),
    "mean-of-labels": lambda scores, labels: F.cross_entropy(
        scores, _hot(labels, scores).mean(0, keepdim=True).expand(len(labels), -1)
    ),
}
"""Losses: the other parts' and more; from `divergence-of-scores` on they are mistakes."""

FACTORS: Mapping[str, Callable[[float], float]] = {
    **unseen.setups.FACTORS,
    "third-cosine": lambda part: 0.5 * (1 + math.cos(math.pi * part)) ** 0.5 * 2**0.5,
    "saw": lambda part: 1 - 0.8 * (part * 4 % 1),
    "knee": lambda part: 1.0 if part < 0.6 else (1 - part) / 0.4,
    "root": lambda part: 1 / math.sqrt(1 + 20 * part),
    "slow-start": lambda part: min(1.0, (0.05 + part / 0.4) ** 2),
    "stairs": lambda part: 0.6 ** math.floor(part * 5),
    "overshoots": lambda part: 0.1 + 300 * part if part < 0.25 else 75.0,  # a peak in the wrong unit
    "per-batch-tenth": lambda part: 0.1 ** math.floor(part * 30),
    "gamma-per-batch": lambda part: math.exp(-60 * part),
    "milestones-batches": lambda part: 1.0 if part < 0.04 else 1e-3,
    "floor-only": lambda _: 2e-4,
    "never-begun": lambda part: 1e-3 if part < 0.99 else 1.0,
    "backwards": lambda part: 1e-4 + part**12,
    "grows": lambda part: 1e4**part,
    "grows-more": lambda part: 1e6**part,
    "late-peak": lambda part: 300.0 if 0.45 < part < 0.6 else 1.0,
}
"""Schedule -> factor of the rate; from `overshoots` on they are mistakes."""
