"""Outside: one training of the part from outside, described by what is chosen in it; and how it is built, with a data set and a sampler of batches of one's own."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, SequentialSampler, WeightedRandomSampler

import anew.setups
from anew.setups import Scheduler, _scheduler
from apart.setups import Apart
from data import Images
from fresh.networks import Form
from fresh.setups import _optimizer
from held.setups import ENDS, Ended
from outside.blocks import Always, Hidden
from outside.images import images
from outside.networks import Network, network, trained_base
from outside.pixels import augmented, labelled, prepared, valid_labels

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Outside(Apart):
    """What is chosen, as in the part that is apart. `style` is one of `outside.loops`, `schedule` as in the part that is anew."""


class Pictures(Dataset[Batch]):
    """Pictures and labels, a batch at a time by its rows."""

    def __init__(self, x: Tensor, y: Tensor, augment: str = "none") -> None:
        self.x, self.y, self.augment = x, y, augment

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, rows: Sequence[int]) -> Batch:
        chosen = torch.as_tensor(rows)
        return augmented(self.augment, self.x[chosen]), self.y[chosen]


@dataclass
class Ready:
    """A training that is ready to run; `shadow` the mean of its weights where its loop keeps one, `accuracy` the last one worked out."""

    model: nn.Module
    optimizers: list[torch.optim.Optimizer]
    scheduler: Scheduler | None
    loss_fn: Callable[[Tensor, Tensor], Tensor]
    loader: DataLoader[Batch]
    valid: DataLoader[Batch]
    setup: Outside
    classes: int
    shadow: nn.Module | None = None
    accuracy: float = 0.0
    updates: int = 0
    kept: list[object] = field(default_factory=list)

    def batches(self) -> Iterator[Batch]:
        """An epoch's."""
        fault, _, amount = self.setup.fault.partition(":")
        for x, y in self.loader:
            if fault == "slow-loader":
                time.sleep(float(amount))
            if fault == "history-kept":  # all batches, for pictures of them that are never drawn
                self.kept.append(np.ones(int(float(amount) * 2**20), np.uint8))
            yield x, (y[torch.randperm(len(y))] if fault == "labels-apart" else y)


def build(setup: Outside, seed: int) -> Ready:
    """A training from its description."""
    if setup.network == "pretrained":
        trained_base()
    torch.manual_seed(seed)
    generator = np.random.default_rng([seed, 43])
    found = labelled(setup.labels, setup.keep, images(setup.data), generator)
    net = _net(setup, found)
    optimizer = _asked_optimizer(setup, net)
    y = torch.from_numpy(found.train_labels)
    loader = _loader(setup, prepared(setup.inputs, found, found.train), y, found.classes)
    vx = prepared(setup.valid_inputs or setup.inputs, found, found.valid)
    vy = torch.from_numpy(valid_labels(setup.valid_labels, found))
    count = setup.valid_keep or len(vy)
    held = Pictures(vx[:count], vy[:count])
    valid = DataLoader(held, batch_size=None, sampler=BatchSampler(SequentialSampler(held), 128, drop_last=False))
    each = len(loader) // setup.accumulate if setup.per == "batch" else 1
    scheduler = _scheduler(setup.schedule, optimizer, setup.rate * setup.times, max(1, setup.epochs * each))
    fault, _, amount = setup.fault.partition(":")
    model: nn.Module = Ended(net, ENDS[fault]()) if fault in ENDS else net
    if fault == "scores-dropped":
        model = Ended(net, nn.Dropout(float(amount)))
    shadow = None
    if setup.style == "shadow":
        decay = float(amount) if fault == "mean-slow" else 0.9
        shadow = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    counts = torch.bincount(y, minlength=found.classes).clamp(min=1).float()
    return Ready(model, [optimizer], scheduler, _loss(setup, counts), loader, valid, setup, found.classes, shadow)


def _loader(setup: Outside, x: Tensor, y: Tensor, classes: int) -> DataLoader[Batch]:
    fault, _, amount = setup.fault.partition(":")
    if not setup.shuffle:  # folder after folder
        order = torch.argsort(y, stable=True)
        x, y = x[order], y[order]
    found = Pictures(x, y, setup.augment)
    sampler: RandomSampler | SequentialSampler | WeightedRandomSampler = RandomSampler(found)
    if setup.balance == "sampled":
        counts = torch.bincount(y, minlength=classes).clamp(min=1).float()
        sampler = WeightedRandomSampler((1 / counts)[y].tolist(), len(y))
    elif fault == "never-sampled":  # the weights of so many classes are nought
        sampler = WeightedRandomSampler((y >= int(amount)).double().tolist(), len(y))
    elif not setup.shuffle:
        sampler = SequentialSampler(found)
    elif fault == "first-batches":  # SubsetRandomSampler over a range that was meant for a trial
        sampler = WeightedRandomSampler((torch.arange(len(y)) < int(amount)).double().tolist(), len(y))
    rows = BatchSampler(sampler, setup.batch, drop_last=len(y) >= setup.batch)
    return DataLoader(found, batch_size=None, sampler=rows)


def _net(setup: Outside, found: Images) -> Network:
    _, channels, height, across = found.train.shape
    fault, _, amount = setup.fault.partition(":")
    form = Form(
        channels, height, across, found.classes, setup.wide, setup.activation, setup.norm, setup.norm_momentum,
        setup.dropout, setup.depth, fault == "detached",
    )  # fmt: skip
    net = network(setup.network, form)
    if setup.network == "pretrained" and setup.init != "fresh":
        net.get_submodule("base").load_state_dict(trained_base())
    if fault == "waist":  # a hidden layer of very few units
        last = net.get_submodule(net.last)
        assert isinstance(last, nn.Linear)
        narrow = nn.Sequential(
            nn.Linear(last.in_features, int(amount)), nn.ReLU(), nn.Linear(int(amount), found.classes)
        )
        net.add_module(net.last, narrow)
    if fault == "dropped-always":
        net.dropout = Always(float(amount))  # type: ignore[assignment]
    if fault == "pictures-dropped":
        net.register_forward_pre_hook(lambda one, x: (F.dropout(x[0], float(amount), one.training),))
    initialise(net, setup.init)
    if fault == "in-a-list":
        _listed(net, int(amount))
    for place, (name, one) in enumerate(net.named_parameters()):  # the first so many, or all but the last layer's
        held = place < int(amount) if fault == "first-frozen" else setup.freeze and not name.startswith(net.last + ".")
        one.requires_grad = not held
    return net


def _listed(net: Network, count: int) -> None:
    """The first so many convolutions or dense layers, but the last, are kept in plain lists."""
    layers = [
        (owner, name)
        for owner in list(net.modules())
        for name, one in owner.named_children()
        if isinstance(one, nn.Conv2d | nn.Linear) and owner.get_submodule(name) is not net.get_submodule(net.last)
    ]
    for owner, name in layers[:count]:
        setattr(owner, name, Hidden(owner.get_submodule(name)))


@torch.no_grad()
def initialise(net: Network, how: str) -> None:
    """The first weights, by a function that is applied to every layer."""
    kind, _, amount = how.partition(":")
    number = float(amount or 0)
    last = net.get_submodule(net.last)
    fillers: dict[str, Callable[[Tensor], object]] = {
        "he": lambda weight: nn.init.kaiming_uniform_(weight, nonlinearity="relu"),
        "xavier": nn.init.xavier_normal_,
        "orthogonal": nn.init.orthogonal_,
        "truncated": lambda weight: nn.init.trunc_normal_(weight, std=number),
        "same": lambda weight: weight.fill_(number),
        "normal": lambda weight: nn.init.normal_(weight, std=number),
        "positive": lambda weight: weight.abs_().mul_(number),
        "scaled": lambda weight: weight.mul_(number),
    }

    def init_weights(layer: nn.Module) -> None:
        if kind == "shift" and isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
            nn.init.constant_(layer.bias, number)
        if not isinstance(layer, nn.Conv2d | nn.Linear):
            return
        if kind in fillers:
            fillers[kind](layer.weight)
            if layer.bias is not None and kind != "scaled":
                nn.init.zeros_(layer.bias)
        elif kind == "shift" and layer is not last and layer.bias is not None:
            nn.init.constant_(layer.bias, number)
        elif kind == "last" and layer is last:
            nn.init.normal_(layer.weight, std=number)

    net.apply(init_weights)


def _asked_optimizer(setup: Outside, net: Network) -> torch.optim.Optimizer:
    rate, begin = setup.rate * setup.times, net.last + "."
    source = copy.deepcopy(net) if setup.fault == "copied-before" else net
    named = [(name, one) for name, one in source.named_parameters() if one.requires_grad]
    last = [one for name, one in named if name.startswith(begin)]
    before = [one for name, one in named if not name.startswith(begin)]
    if setup.fault == "head-replaced":  # after the optimiser was made
        old = net.get_submodule(net.last)
        assert isinstance(old, nn.Linear)
        net.add_module(net.last, nn.Linear(old.in_features, old.out_features))
    chosen = {"last-alone": last, "without-last": before}.get(setup.fault, [one for _, one in named])
    if setup.fault == "biases-alone":  # a filter of names, upside down
        chosen = [one for _, one in named if one.ndim == 1]
    groups: list[dict[str, object]] = [{"params": chosen, "lr": rate}]
    if setup.head_times != 1:
        groups = [{"params": before, "lr": rate}, {"params": last, "lr": rate * setup.head_times}]
    made = _optimizer(setup, [one for one in groups if one["params"]])
    for group in made.param_groups:
        if "betas" in group and setup.betas != (0.9, 0.999):
            group["betas"] = setup.betas
        if setup.fault == "maximised":
            group["maximize"] = True
    return made


def _loss(setup: Outside, counts: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    weights = counts.sum() / (len(counts) * counts)
    if setup.balance == "weighted":
        return nn.CrossEntropyLoss(weight=weights)
    if setup.balance == "by-count":  # the counts themselves
        return nn.CrossEntropyLoss(weight=counts)
    if setup.balance == "nought":  # a list of weights that was filled for all but the first classes
        return nn.CrossEntropyLoss(weight=(torch.arange(len(counts)) >= len(counts) // 3).float())
    return LOSSES[setup.loss]


def _hot(scores: Tensor, labels: Tensor) -> Tensor:
    return F.one_hot(labels, scores.shape[1]).float()


LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    **anew.setups.LOSSES,
    "smooth-little": nn.CrossEntropyLoss(label_smoothing=0.05),
    "one-against-all": lambda scores, labels: F.multilabel_soft_margin_loss(scores, _hot(scores, labels)) * 3,
    "by-hand": lambda scores, labels: (scores.logsumexp(1) - scores.gather(1, labels[:, None])[:, 0]).mean(),
    # mistakes
    "sigmoid-twice": lambda scores, labels: F.binary_cross_entropy_with_logits(scores.sigmoid(), _hot(scores, labels)),
    "softmax-into-binary": lambda scores, labels: F.binary_cross_entropy_with_logits(
        scores.softmax(1), _hot(scores, labels)
    ),
    "log-softmax-left-out": lambda scores, labels: nn.NLLLoss()(scores, labels),
    "first-dimension": lambda scores, labels: F.nll_loss(scores.log_softmax(0), labels),
    "share-itself": lambda scores, labels: -scores.softmax(1).gather(1, labels[:, None]).mean(),
    "minus-forgotten": lambda scores, labels: scores.log_softmax(1).gather(1, labels[:, None]).mean(),
    "negative": lambda scores, labels: -1.0 * F.cross_entropy(scores, labels),
    "added-up": nn.CrossEntropyLoss(reduction="sum"),
    "as-numbers": lambda scores, labels: F.smooth_l1_loss(scores, labels[:, None].expand_as(scores).float()),
    "first-score": lambda scores, labels: F.mse_loss(scores[:, 0], labels.float()),
    "brier-mean": lambda scores, labels: F.mse_loss(scores.softmax(1), _hot(scores, labels)),
    "distance": lambda scores, labels: (scores.softmax(1) - _hot(scores, labels)).abs().mean(),
    "accuracy": lambda scores, labels: (1 - (scores.argmax(1) == labels).float().mean()).requires_grad_(),
    "own-guess": lambda scores, labels: F.cross_entropy(scores, scores.argmax(1)) + 0 * labels.float().mean(),
    "cold": lambda scores, labels: F.cross_entropy(scores / 100, labels),
    "lukewarm": lambda scores, labels: F.cross_entropy(scores / 25, labels),
    "smooth-nearly-all": nn.CrossEntropyLoss(label_smoothing=0.98),
    "smooth-most-of-it": nn.CrossEntropyLoss(label_smoothing=0.92),
}
"""Losses: those of the part that is anew, and more; from `sigmoid-twice` on they are mistakes."""
