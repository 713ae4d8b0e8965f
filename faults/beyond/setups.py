"""Beyond: one training of the part that is beyond, described by what is chosen in it as one of the part that is apart; and how it is built."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import apart.pixels
import apart.setups
from apart.setups import AlwaysDropped, Apart, _hot
from beyond import pixels
from beyond.images import images
from beyond.networks import network, trained_body
from beyond.pixels import augmented, labelled, prepared, valid_labels
from data import Images
from fresh.networks import Form
from fresh.setups import Ready, _batches, _initialise
from held.setups import ENDS, Ended


@dataclass(frozen=True)
class Beyond(Apart):
    """What is chosen, as in the part that is apart. `style` is one of `beyond.loops`."""


def build(setup: Beyond, seed: int) -> Ready:
    """A training from its description."""
    if setup.network == "adopted":
        trained_body()
    torch.manual_seed(seed)
    generator = np.random.default_rng([seed, 29])
    found = labelled(setup.labels, setup.keep, images(setup.data), generator)
    model = _model(setup, found)
    optimizers = apart.setups._asked_optimizers(setup, model, lambda: _model(setup, found))
    for group in (one for each in optimizers for one in each.param_groups):
        if setup.fault == "maximised":
            group["maximize"] = True
        if setup.fault == "rateless-body" and len(group["params"]) > 2:
            group["lr"] = 0.0
    fault, _, amount = setup.fault.partition(":")
    batches = max(1, len(found.train_labels) // setup.batch)
    if fault == "break-left":  # in the loop, from a look at its first batches
        batches = min(batches, int(amount))
    length = setup.epochs * batches // setup.accumulate if setup.per == "batch" else setup.epochs
    schedules = [torch.optim.lr_scheduler.LambdaLR(one, _factor(setup, length)) for one in optimizers]
    y = torch.from_numpy(found.train_labels)
    counts = torch.bincount(y, minlength=found.classes).clamp(min=1).float()
    ready = Ready(
        model, optimizers, schedules, _loss(setup, counts), lambda: iter(()), _validation(setup, found), setup,
        found.classes, batches,
    )  # fmt: skip
    # what is changed in a batch by another part's names is changed where that part does it
    source = replace(ready, setup=replace(setup, augment="none") if _own(setup.augment) else setup)
    x = prepared(setup.inputs, found, found.train)
    ready.train = lambda: _delivered(setup, _drawn(source, x, y, counts))
    return ready


def _own(augment: str) -> bool:
    return augment.partition(":")[0] in pixels.AUGMENTED or augment in apart.pixels.AUGMENTED


def _factor(setup: Beyond, length: int) -> Callable[[int], float]:
    """Of the rate, by the number of times that the schedule was stepped."""
    name, _, amount = setup.schedule.partition(":")
    if name in COUNTED:
        return lambda done: COUNTED[name](done, float(amount))
    return lambda done: FACTORS[name](min(1.0, done / max(1, length)))


def _validation(setup: Beyond, found: Images) -> list[tuple[Tensor, Tensor]]:
    x = prepared(setup.valid_inputs or setup.inputs, found, found.valid)
    y = torch.from_numpy(valid_labels(setup.valid_labels, found))
    if setup.augment == "over-batch":
        x = augmented("over-batch", x)
    if setup.fault == "standardised-alone":  # each picture is a batch of its own there
        x = torch.zeros_like(x)
    if setup.fault == "standardised-by-class":  # the list is sorted, and a batch has one class
        for label in range(found.classes):
            x[y == label] = augmented("over-batch", x[y == label])
    count = setup.valid_keep or len(y)
    return list(zip(x[:count].split(110), y[:count].split(110), strict=True))


def _loss(setup: Beyond, counts: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    if setup.balance == "integers":  # `//` where `/` was meant
        return nn.CrossEntropyLoss(weight=counts.min() // counts)
    if setup.balance == "rounded":
        return nn.CrossEntropyLoss(weight=counts.median() // counts)
    if setup.loss in LOSSES and setup.balance in ("none", "sampled"):
        return LOSSES[setup.loss]
    return apart.setups._loss(setup, counts / counts.sum())


class Rounded(nn.Module):
    """Whole numbers, whose slope is nought."""

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return (4 * x).round() / 4


class Reversed(nn.Module):
    """Nothing on the way there, the other sign on the way back: left from training two parts against each other."""

    def forward(self, x: Tensor) -> Tensor:
        """The same."""
        return 2 * x.detach() - x


class Mixed(nn.Module):
    """Features brought into a shape by the wrong axis: those of one picture lie in the rows of others."""

    def __init__(self, *, rolled: bool) -> None:
        super().__init__()
        self.rolled = rolled

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x.roll(1, 0) if self.rolled else x.t().reshape(x.shape)


class Ungraded(nn.Module):
    """A body that is run as it is when it is only judged."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return self.inner(x)


def _model(setup: Beyond, found: Images) -> nn.Module:
    _, channels, height, across = found.train.shape
    form = Form(
        channels, height, across, found.classes, setup.wide, setup.activation, setup.norm, setup.norm_momentum,
        setup.dropout, setup.depth, detached=False,
    )  # fmt: skip
    model = network(setup.network, form)
    if setup.network == "adopted" and setup.init != "fresh":
        model.get_submodule("body").load_state_dict(trained_body())
    if setup.freeze:
        model.get_submodule("body").requires_grad_(requires_grad=False)
    fault, _, amount = setup.fault.partition(":")
    head = model.get_submodule("head")
    assert isinstance(head, nn.Linear)
    if fault == "narrow-waist":
        width = int(amount)
        waist = nn.Sequential(nn.Linear(head.in_features, width), nn.ReLU(), nn.Linear(width, found.classes))
        model.register_module("head", waist)
    placed: dict[str, Callable[[], nn.Module]] = {
        "always-dropped": lambda: AlwaysDropped(float(amount)),
        "rounded-features": Rounded,
        "reversed": Reversed,
        "mixed-rows": lambda: Mixed(rolled=False),
        "rolled-rows": lambda: Mixed(rolled=True),
    }
    if fault in placed:
        model.register_module("drop", placed[fault]())
    if fault == "ungraded":
        model.register_module("body", Ungraded(model.get_submodule("body")))
    _begin(model, setup.init)
    if fault == "scores-dropped":
        return Ended(model, nn.Dropout(float(amount)))
    return Ended(model, ENDS[fault]()) if fault in ENDS else model


@torch.no_grad()
def _begin(model: nn.Module, how: str) -> None:
    """The first weights."""
    kind, _, amount = how.partition(":")
    layers = [one for one in model.modules() if isinstance(one, nn.Conv2d | nn.Linear)]
    if kind == "same-rows":  # one filter, copied into all places
        for layer in layers:
            layer.weight.copy_(layer.weight[:1].expand_as(layer.weight) * float(amount or 1))
    elif kind == "gain":  # a loop over all layers that means the linear ones
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d | nn.LayerNorm):
                nn.init.constant_(layer.weight, float(amount))
    elif kind == "head-bias":
        layers[-1].bias[0] = float(amount)  # type: ignore[index]
    else:
        _initialise(model, how)


def _drawn(source: Ready, x: Tensor, y: Tensor, counts: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches in their order: at random, from a sorted list through a small buffer, or by a sampler that has its weights wrong."""
    fault, _, amount = source.setup.fault.partition(":")
    if fault == "sampler-of-classes":  # so many weights as there are classes, where one for each picture was meant
        rows = torch.randint(0, int(amount), (source.batches * source.setup.batch,))
    elif fault == "sorted-buffer":
        rows = _through_buffer(torch.argsort(y, stable=True), int(amount))
    else:
        weights = (1 / counts)[y] if source.setup.balance == "sampled" else None
        yield from _batches(source, x, y, weights)
        return
    for each in rows[: source.batches * source.setup.batch].split(source.setup.batch):
        yield x[each], y[each]


def _through_buffer(order: Tensor, size: int) -> Tensor:
    """A list that passes through a buffer, from which one is taken at random and replaced by the next."""
    buffer, taken = order[:size].tolist(), []
    for one in order[size:].tolist():
        place = int(torch.randint(len(buffer), ()))
        taken.append(buffer[place])
        buffer[place] = one
    return torch.tensor(taken + buffer)


def _delivered(setup: Beyond, batches: Iterator[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches, changed; or with labels that are of others."""
    before: Tensor | None = None
    for x, y in batches:
        kept = y
        if setup.fault == "halves-exchanged":  # two workers, whose pictures came in another order than their labels
            kept = torch.cat([y[len(y) // 2 :], y[: len(y) // 2]])
        elif (
            setup.fault == "labels-kept" and before is not None and len(before) == len(y)
        ):  # a tensor that is used again
            kept = before
        yield augmented(setup.augment, x), kept
        before = y if before is None or setup.fault != "labels-kept" else before


def _soft(scores: Tensor, labels: Tensor, share: float) -> Tensor:
    """Cross-entropy with targets of which that share is spread over all classes."""
    targets = (1 - share) * _hot(labels, scores) + share / scores.shape[1]
    return -(targets * F.log_softmax(scores, 1)).sum(1).mean()


def _easiest(scores: Tensor, labels: Tensor, share: float) -> Tensor:
    each = F.cross_entropy(scores, labels, reduction="none")
    return each.topk(max(1, int(share * len(each))), largest=False).values.mean()


def _expected(scores: Tensor) -> Tensor:
    return (F.softmax(scores, 1) * torch.arange(scores.shape[1])).sum(1)


LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    **apart.setups.LOSSES,
    "by-hand": lambda scores, labels: (
        torch.logsumexp(scores, 1) - scores.gather(1, labels[:, None]).squeeze(1)
    ).mean(),
    "soft": lambda scores, labels: _soft(scores, labels, 0.05),
    "margin": lambda scores, labels: F.cross_entropy(scores - 0.5 * _hot(labels, scores), labels),
    "symmetric": lambda scores, labels: (
        F.cross_entropy(scores, labels) + 0.3 * (1 - F.softmax(scores, 1)[range(len(labels)), labels]).mean()
    ),
    "hard-ones": lambda scores, labels: (
        F.cross_entropy(scores, labels, reduction="none").topk(max(1, 2 * len(labels) // 3)).values.mean()
    ),
    "soft-doubled": lambda scores, labels: _soft(F.softmax(scores, 1), labels, 0.0),
    "soft-raw": lambda scores, labels: -(_hot(labels, scores) * scores).sum(1).mean(),
    "soft-raw-tenth": lambda scores, labels: -(_hot(labels, scores) * scores / 10).sum(1).mean(),
    "over-all": lambda scores, labels: F.nll_loss(F.log_softmax(scores.flatten(), 0).view_as(scores), labels),
    "share-over-batch": lambda scores, labels: F.nll_loss(F.softmax(scores, 1), labels) / len(labels),
    "squashed-tenth": lambda scores, labels: F.cross_entropy(0.1 * torch.tanh(scores), labels),
    "squashed": lambda scores, labels: F.cross_entropy(0.4 * torch.tanh(scores), labels),
    "temperature": lambda scores, labels: F.cross_entropy(scores / 1000, labels),
    "one-less": lambda scores, labels: 1 - F.cross_entropy(scores, labels),
    "minus-soft": lambda scores, labels: -_soft(scores, labels, 0.1),
    "added": lambda scores, labels: torch.stack(
        [F.cross_entropy(one, label) for one, label in zip(scores, labels, strict=True)]
    ).sum(),
    "expected-number": lambda scores, labels: F.smooth_l1_loss(_expected(scores), labels.float()),
    "hundredth-squares": lambda scores, labels: F.mse_loss(F.softmax(scores, 1), _hot(labels, scores)) / 100,
    "log-of-nought": lambda scores, labels: (
        -(_hot(labels, scores) * torch.log(F.softmax(60 * scores, 1))).sum(1).mean()
    ),
    "log-of-little": lambda scores, labels: (
        -(_hot(labels, scores) * torch.log(F.softmax(20 * scores, 1))).sum(1).mean()
    ),
    "spread": lambda scores, labels: _soft(scores, labels, 0.99),
    "spread-less": lambda scores, labels: _soft(scores, labels, 0.93),
    "broadcast": lambda scores, labels: F.binary_cross_entropy_with_logits(
        scores[:, None].expand(-1, len(labels), -1), _hot(labels, scores)[None].expand(len(labels), -1, -1)
    ),
    "easiest-tenth": lambda scores, labels: _easiest(scores, labels, 0.1),
    "easiest-third": lambda scores, labels: _easiest(scores, labels, 0.3),
    "first-ignored": lambda scores, labels: F.cross_entropy(scores, labels, ignore_index=0),
    "last-ignored": lambda scores, labels: F.cross_entropy(scores, labels, ignore_index=scores.shape[1] - 1),
}
"""Losses: the other parts' and more; from `soft-doubled` on they are mistakes."""

FACTORS: Mapping[str, Callable[[float], float]] = {
    **apart.setups.FACTORS,
    "two-cosines": lambda part: 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * (part * 2 % 1))),
    "hold-tenth": lambda part: min(1.0, 0.1 + 9 * part, 1.05 - max(0.0, part - 0.5) * 2),
    "four-steps": lambda part: 0.5 ** math.floor(part * 4),
    "gentle": lambda part: 0.2**part,
}
"""Schedule -> factor of the rate, by the part of the training that is over."""

COUNTED: Mapping[str, Callable[[int, float], float]] = {
    "gamma": lambda done, gamma: gamma**done,  # meant for epochs, stepped after batches
    "gamma-each-ten": lambda done, gamma: gamma ** (done // 10),
    "milestones": lambda done, gamma: gamma ** ((done >= 4) + (done >= 8)),  # epochs' numbers, counted in batches
    "first-factor": lambda _done, factor: factor,  # made, and never stepped
    "warm-up": lambda done, length: min(1.0, (done + 1) / length),
}
"""Mistaken schedules, by the number of steps they have made."""
