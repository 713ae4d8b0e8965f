"""Anew: one training of the part that is anew, described by what is chosen in it; and how it is built, with PyTorch's own loaders and schedules."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from anew.images import images
from anew.networks import Net, network, trained_body
from anew.pixels import augmented, labelled, prepared, valid_labels
from apart.setups import AlwaysDropped, Apart
from data import Images
from fresh.networks import Form
from fresh.setups import _optimizer
from held.setups import ENDS, Ended

Scheduler = lr_scheduler.LRScheduler | lr_scheduler.ReduceLROnPlateau


@dataclass(frozen=True)
class Anew(Apart):
    """What is chosen, as in the part that is apart. `style` is one of `anew.loops`, `schedule` a name and its figures, `a:b:c`."""


@dataclass
class Ready:
    """A training that is ready to run; `accuracy` is the last one its loop worked out."""

    model: nn.Module
    optimizers: list[torch.optim.Optimizer]
    scheduler: Scheduler | None
    criterion: Callable[[Tensor, Tensor], Tensor]
    loader: DataLoader[tuple[Tensor, ...]]
    valid: DataLoader[tuple[Tensor, ...]]
    setup: Anew
    classes: int
    accuracy: float = 0.0
    updates: int = 0
    kept: list[object] = field(default_factory=list)

    def train(self) -> Iterator[tuple[Tensor, Tensor]]:
        """An epoch's batches."""
        fault, _, amount = self.setup.fault.partition(":")
        for x, y in self.loader:
            if fault == "slow-loader":
                time.sleep(float(amount))
            if fault == "cache":  # every batch is kept, as in a cache that is never emptied
                self.kept.append(np.ones(int(float(amount) * 2**20), np.uint8))
            yield augmented(self.setup.augment, x), y


def build(setup: Anew, seed: int) -> Ready:
    """A training from its description."""
    if setup.network == "transfer":
        trained_body()
    torch.manual_seed(seed)
    generator = np.random.default_rng([seed, 31])
    found = labelled(setup.labels, setup.keep, images(setup.data), generator)
    net = _net(setup, found)
    optimizer = _optimizer_of(setup, net)
    x, y = prepared(setup.inputs, found, found.train), torch.from_numpy(found.train_labels)
    counts = torch.bincount(y, minlength=found.classes).clamp(min=1).float()
    loader = _loader(setup, x, y, counts)
    vx = prepared(setup.valid_inputs or setup.inputs, found, found.valid)
    vy = torch.from_numpy(valid_labels(setup.valid_labels, found))
    count = setup.valid_keep or len(vy)
    valid = DataLoader(TensorDataset(vx[:count], vy[:count]), batch_size=100)
    each = len(loader) // setup.accumulate if setup.per == "batch" else 1
    scheduler = _scheduler(setup.schedule, optimizer, setup.rate * setup.times, max(1, setup.epochs * each))
    model = Ended(net, ENDS[setup.fault]()) if setup.fault in ENDS else net
    criterion = _criterion(setup, counts)
    return Ready(model, [optimizer], scheduler, criterion, loader, valid, setup, found.classes)


def _loader(setup: Anew, x: Tensor, y: Tensor, counts: Tensor) -> DataLoader[tuple[Tensor, ...]]:
    if not setup.shuffle:  # as an image folder gives them: one class after the other
        order = torch.argsort(y, stable=True)
        x, y = x[order], y[order]
    dataset, last = TensorDataset(x, y), len(x) >= setup.batch
    if setup.balance == "sampled":
        sampler = WeightedRandomSampler((1 / counts)[y].tolist(), len(y))
        return DataLoader(dataset, batch_size=setup.batch, sampler=sampler, drop_last=last)
    return DataLoader(dataset, batch_size=setup.batch, shuffle=setup.shuffle, drop_last=last)


def _criterion(setup: Anew, counts: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    weights = counts.sum() / (len(counts) * counts)
    if setup.balance == "weighted":
        return nn.CrossEntropyLoss(weight=weights)
    if setup.balance == "upside-down":  # shares where one over shares was meant
        return nn.CrossEntropyLoss(weight=1 / weights)
    return LOSSES[setup.loss]


def _net(setup: Anew, found: Images) -> Net:
    _, channels, height, across = found.train.shape
    form = Form(
        channels, height, across, found.classes, setup.wide, setup.activation, setup.norm, setup.norm_momentum,
        setup.dropout, setup.depth, setup.fault == "no-grad",
    )  # fmt: skip
    net = network(setup.network, form)
    if setup.network == "transfer" and setup.init != "fresh":
        net.get_submodule("backbone").load_state_dict(trained_body())
    fault, _, amount = setup.fault.partition(":")
    if fault == "functional-dropout":  # F.dropout, which is not told whether it trains
        for module in list(net.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.Dropout):
                    setattr(module, name, AlwaysDropped(float(amount)))
    if setup.freeze:
        for name, one in net.named_parameters():
            one.requires_grad = name.startswith("fc.")
    initialise(net, setup.init)
    return net


@torch.no_grad()
def initialise(net: Net, how: str) -> None:
    """The first weights, by a loop over layers as people write it."""
    kind, _, amount = how.partition(":")
    number = float(amount or 0)
    for layer in net.modules():
        if not isinstance(layer, nn.Conv2d | nn.Linear):
            continue
        if kind == "he":
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        elif kind == "xavier":
            nn.init.xavier_uniform_(layer.weight)
        elif kind == "orthogonal":
            nn.init.orthogonal_(layer.weight)
        elif kind == "constant":
            nn.init.constant_(layer.weight, number)
        elif kind == "normal":
            nn.init.normal_(layer.weight, 0, number)
        elif kind == "uniform":  # from nought to so much
            nn.init.uniform_(layer.weight, 0, number)
        elif kind == "times":
            layer.weight.mul_(number)
        if layer.bias is not None:
            if kind in ("he", "xavier", "orthogonal", "constant", "normal", "uniform"):
                nn.init.zeros_(layer.bias)
            elif kind == "bias" and layer is not net.fc:
                nn.init.constant_(layer.bias, number)
    if kind == "fc":
        nn.init.normal_(net.fc.weight, 0, number)


def _optimizer_of(setup: Anew, net: Net) -> torch.optim.Optimizer:
    rate = setup.rate * setup.times
    source = copy.deepcopy(net) if setup.fault == "other-model" else net
    named = [(name, one) for name, one in source.named_parameters() if one.requires_grad]
    last = [one for name, one in named if name.startswith("fc.")]
    before = [one for name, one in named if not name.startswith("fc.")]
    if setup.fault == "old-head":  # the optimiser was made, and then the last layer replaced
        net.fc = nn.Linear(net.fc.in_features, net.fc.out_features)
    if setup.fault == "last-only":
        return _optimizer(setup, [{"params": last, "lr": rate}])
    if setup.fault == "last-left-out":
        return _optimizer(setup, [{"params": before, "lr": rate}])
    if setup.head_times != 1:
        groups: list[dict[str, object]] = [{"params": last, "lr": rate * setup.head_times}]
        return _optimizer(setup, [{"params": before, "lr": rate}, *groups] if before else groups)
    made = _optimizer(setup, [{"params": [one for _, one in named], "lr": rate}])
    for group in made.param_groups:
        if "betas" in group and setup.betas != (0.9, 0.999):
            group["betas"] = setup.betas
        if setup.fault == "maximise":
            group["maximize"] = True
    return made


def _scheduler(text: str, optimizer: torch.optim.Optimizer, rate: float, total: int) -> Scheduler | None:
    """PyTorch's own, by name and figures; `total` is the number of times that it is stepped in the training."""
    name, *figures = text.split(":")
    numbers = [float(one) for one in figures]
    made: Mapping[str, Callable[[], Scheduler]] = {
        "step": lambda: lr_scheduler.StepLR(optimizer, int(numbers[0]), numbers[1]),
        "milestones": lambda: lr_scheduler.MultiStepLR(optimizer, [int(one) for one in numbers[:-1]], numbers[-1]),
        "exponential": lambda: lr_scheduler.ExponentialLR(optimizer, numbers[0]),
        "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, total),
        "restarts": lambda: lr_scheduler.CosineAnnealingWarmRestarts(optimizer, max(1, total // 3)),
        "onecycle": lambda: lr_scheduler.OneCycleLR(
            optimizer, max_lr=rate, total_steps=total + 1, div_factor=numbers[0] if numbers else 25
        ),
        "linear": lambda: lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total),
        "polynomial": lambda: lr_scheduler.PolynomialLR(optimizer, total, power=2),
        "warm": lambda: lr_scheduler.LinearLR(optimizer, 0.01, 1.0, int(numbers[0])),
        "warm-cosine": lambda: lr_scheduler.SequentialLR(
            optimizer,
            [
                lr_scheduler.LinearLR(optimizer, 0.05, 1.0, max(1, total // 10)),
                lr_scheduler.CosineAnnealingLR(optimizer, max(1, total - total // 10)),
            ],
            [max(1, total // 10)],
        ),
        "warm-from": lambda: lr_scheduler.LinearLR(optimizer, numbers[0], 1.0, int(numbers[1])),
        "plateau": lambda: lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", factor=0.3, patience=1),
    }
    return made[name]() if name in made else None


def _hot(scores: Tensor, labels: Tensor) -> Tensor:
    return F.one_hot(labels, scores.shape[1]).float()


def _focal(scores: Tensor, labels: Tensor) -> Tensor:
    each = F.cross_entropy(scores, labels, reduction="none")
    return ((1 - torch.exp(-each)) ** 2 * each).mean()


LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "softmax": nn.CrossEntropyLoss(),
    "smooth": nn.CrossEntropyLoss(label_smoothing=0.1),
    "likelihood": lambda scores, labels: F.nll_loss(F.log_softmax(scores, dim=1), labels),
    "one-hot": lambda scores, labels: F.cross_entropy(scores, _hot(scores, labels)),
    "binary": lambda scores, labels: F.binary_cross_entropy_with_logits(scores, _hot(scores, labels)),
    "focal": _focal,
    "squares": lambda scores, labels: F.mse_loss(scores, _hot(scores, labels)) * scores.shape[1],
    "hinge": lambda scores, labels: F.multi_margin_loss(scores, labels) * 3,
    # mistakes
    "softmax-before": lambda scores, labels: F.cross_entropy(F.softmax(scores, dim=1), labels),
    "likelihood-of-scores": lambda scores, labels: F.nll_loss(scores, labels),
    "likelihood-of-shares": lambda scores, labels: F.nll_loss(F.softmax(scores, dim=1), labels),
    "over-first-axis": lambda scores, labels: F.nll_loss(F.log_softmax(scores, dim=0), labels),
    "squares-of-shares": lambda scores, labels: F.mse_loss(F.softmax(scores, dim=1), _hot(scores, labels)),
    "distances-of-shares": lambda scores, labels: F.l1_loss(F.softmax(scores, dim=1), _hot(scores, labels)),
    "minus": lambda scores, labels: -F.cross_entropy(scores, labels),
    "minus-left-out": lambda scores, labels: (_hot(scores, labels) * F.log_softmax(scores, dim=1)).sum(1).mean(),
    "sum": nn.CrossEntropyLoss(reduction="sum"),
    "smooth-most": nn.CrossEntropyLoss(label_smoothing=0.97),
    "smooth-much": nn.CrossEntropyLoss(label_smoothing=0.9),
}
"""Losses; from `softmax-before` on they are mistakes."""
