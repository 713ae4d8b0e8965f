"""Setup: one training of the corpus, described by what is chosen in it, rightly or wrongly; and how it is built.

A broken program is a healthy one with one choice made wrongly, as a person makes it in a loop of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from data import Images, images


@dataclass(frozen=True)
class Setup:
    """What is chosen.

    `network` mlp, lenet, vgg or vgg-bn; `data` digits, cifar or shapes; `rate` peak; `schedule` none, cosine, step,
    warmup, or a faulty one; `loss`, `init`, `inputs`, `labels`, `augment` names looked up below; `valid_inputs` those of
    validation where they differ; `keep` training images that are kept; `fault` what is done wrongly in the loop itself;
    `style` how the loop is written.
    """

    network: str = "lenet"
    data: str = "digits"
    optimizer: str = "momentum"
    rate: float = 0.02
    momentum: float = 0.9
    decay: float = 5e-4
    epsilon: float = 1e-8
    batch: int = 40
    epochs: int = 8
    schedule: str = "none"
    loss: str = "softmax"
    init: str = "default"
    activation: str = "relu"
    width: float = 1.0
    depth: int = 1
    dropout: float = 0.0
    inputs: str = "standard"
    valid_inputs: str = ""
    labels: str = "right"
    valid_labels: str = ""
    augment: str = "none"
    shuffle: bool = True
    keep: int = 0
    clip: float = 0.0
    norm_momentum: float = 0.1
    fault: str = ""
    style: str = "plain"


@dataclass
class Parts:
    """A training that is ready to run."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: Callable[[Tensor, Tensor], Tensor]
    train: Callable[[], Iterator[tuple[Tensor, Tensor]]]
    valid: list[tuple[Tensor, Tensor]]
    schedule: torch.optim.lr_scheduler.LRScheduler | None
    every_step: bool
    setup: Setup
    classes: int


def build(setup: Setup, seed: int) -> Parts:
    """A training from its description."""
    torch.manual_seed(seed)
    generator = np.random.default_rng([seed, 7])
    found = _labelled(setup, images(setup.data), generator)
    model = _network(setup, found)
    _initialise(model, setup)
    optimizer = _optimizer(setup, model, found)
    steps = max(1, len(found.train_labels) // setup.batch)
    schedule, every_step = _schedule(setup, optimizer, steps)
    x, y = _inputs(setup.inputs, found, found.train), torch.from_numpy(found.train_labels)
    vx = _inputs(setup.valid_inputs or setup.inputs, found, found.valid)
    vy = torch.from_numpy(_valid_labels(setup, found))

    def train() -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(x)) if setup.shuffle else torch.argsort(y, stable=True)
        for start in range(0, steps * setup.batch, setup.batch):
            rows = order[start : start + setup.batch]
            yield _augmented(setup.augment, x[rows]), y[rows]

    valid = [(vx[start : start + 100], vy[start : start + 100]) for start in range(0, len(vx), 100)]
    loss = LOSSES[setup.loss]
    return Parts(model, optimizer, loss, train, valid, schedule, every_step, setup, found.classes)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "softmax": F.cross_entropy,
    "smooth": lambda scores, labels: F.cross_entropy(scores, labels, label_smoothing=0.1),
    "log-softmax": lambda scores, labels: F.nll_loss(torch.log_softmax(scores, dim=1), labels),
    "hinge": lambda scores, labels: scores.shape[1] * F.multi_margin_loss(scores, labels),
    "minus": lambda scores, labels: -F.cross_entropy(scores, labels),
    "minus-log": lambda scores, labels: torch.log_softmax(scores, 1).gather(1, labels[:, None]).mean(),
    "raw-nll": F.nll_loss,
    "raw-pick": lambda scores, labels: -scores[torch.arange(len(labels)), labels].mean(),
    "doubled": lambda scores, labels: F.cross_entropy(torch.softmax(scores, dim=1), labels),
    "sum": lambda scores, labels: F.cross_entropy(scores, labels, reduction="sum"),
    "squares": lambda scores, labels: F.mse_loss(scores, F.one_hot(labels, scores.shape[1]).float()),
    "squares-of-shares": lambda scores, labels: F.mse_loss(
        torch.softmax(scores, 1), F.one_hot(labels, scores.shape[1]).float()
    ),
}


def _labelled(setup: Setup, found: Images, generator: np.random.Generator) -> Images:
    """The images that are kept, with their labels as the setup has them."""
    train, labels = found.train, found.train_labels.copy()
    if setup.keep:
        train, labels = train[: setup.keep], labels[: setup.keep]
    kind, _, amount = setup.labels.partition(":")
    if kind == "shuffled":
        generator.shuffle(labels)
    elif kind == "noisy":
        wrong = generator.random(len(labels)) < float(amount)
        labels[wrong] = generator.integers(0, found.classes, int(wrong.sum()))
    elif kind == "merged":  # a class under another's name
        labels[labels == 1] = 2
    elif kind == "shifted":  # the list of labels one image off
        labels = np.roll(labels, 1)
    elif kind == "rare":
        share = 1 / float(amount)
        kept = (labels < (found.classes + 1) // 2) | (generator.random(len(labels)) < share)
        train, labels = train[kept], labels[kept]
    else:
        assert kind == "right", kind
    return replace(found, train=train, train_labels=labels)


def _valid_labels(setup: Setup, found: Images) -> NDArray[np.int64]:
    if setup.valid_labels == "other-order":  # the classes numbered in another order than in training
        return (
            (found.valid_labels * 3 + 1) % found.classes
            if found.classes % 3
            else (found.valid_labels + 1) % found.classes
        )
    return found.valid_labels


def _inputs(kind: str, found: Images, pixels: NDArray[np.uint8]) -> Tensor:
    mean = found.train.mean(axis=(0, 2, 3), keepdims=True)
    deviation = found.train.std(axis=(0, 2, 3), keepdims=True)
    standard = ((pixels - mean) / deviation).astype(np.float32)
    plain = pixels.astype(np.float32)
    chosen = {
        "standard": standard,
        "zero-one": plain / 255,
        "minus-one": plain / 127.5 - 1,
        "raw": plain,
        "mean-only": (plain - mean.astype(np.float32)),
        "twice-divided": plain / 255 / 255,
        "wrong-mean": plain / 255 - mean.astype(np.float32),
        "twice-standard": ((standard - mean) / deviation).astype(np.float32),
        "swapped": standard.transpose(0, 1, 3, 2)[:, ::-1].copy(),
    }
    return torch.from_numpy(np.ascontiguousarray(chosen[kind]))


def _augmented(kind: str, x: Tensor) -> Tensor:
    if kind == "none":
        return x
    if kind == "shift":
        down, right = (int(one) for one in torch.randint(-2, 3, (2,)))
        return torch.roll(x, (down, right), (2, 3))
    if kind == "shift-flip":
        shifted = _augmented("shift", x)
        return torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, shifted.flip(3), shifted)
    if kind == "strong":
        noisy = _augmented("shift", x) + 0.3 * torch.randn_like(x)
        return noisy * (torch.rand(len(x), 1, *x.shape[2:]) > 0.1)
    if kind == "erase":  # nine tenths of the pixels
        return x * (torch.rand(len(x), 1, *x.shape[2:]) > 0.9)
    if kind == "noise":
        return x + 4 * torch.randn_like(x)
    if kind == "tiles":  # the quarters in another order
        height, width = x.shape[2] // 4, x.shape[3] // 4
        tiles = [
            x[:, :, r * height : (r + 1) * height, c * width : (c + 1) * width] for r in range(4) for c in range(4)
        ]
        order = torch.randperm(16).tolist()
        rows = [torch.cat([tiles[order[4 * r + c]] for c in range(4)], dim=3) for r in range(4)]
        return torch.cat(rows, dim=2)
    raise AssertionError(kind)


class Functional(nn.Module):
    """A LeNet whose activations are function calls in forward, as many people write it."""

    def __init__(self, channels: int, size: int, classes: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.fc1 = nn.Linear(2 * width * (size // 4) ** 2, 64)
        self.fc2 = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def _network(setup: Setup, found: Images) -> nn.Module:
    _, channels, size, _ = found.train.shape
    width = max(1, round(8 * setup.width))
    act = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "leaky": nn.LeakyReLU, "none": nn.Identity}[
        setup.activation
    ]
    drop = [nn.Dropout(setup.dropout)] if setup.dropout else []
    if setup.network == "functional":
        return Functional(channels, size, found.classes, width)
    if setup.network == "linear":
        layers = [nn.Flatten(), nn.Linear(channels * size**2, found.classes)]
    elif setup.network == "mlp":
        hidden = 8 * width
        layers = [nn.Flatten(), nn.Linear(channels * size**2, hidden), act(), *drop]
        for _ in range(setup.depth - 1):
            layers += [nn.Linear(hidden, hidden), act(), *drop]
        layers += [nn.Linear(hidden, found.classes)]
    elif setup.network == "lenet":
        pool = nn.AvgPool2d if setup.activation == "none" else nn.MaxPool2d
        layers = [nn.Conv2d(channels, width, 3, padding=1), act(), pool(2)]
        layers += [nn.Conv2d(width, 2 * width, 3, padding=1), act(), pool(2), nn.Flatten()]
        layers += [
            nn.Linear(2 * width * (size // 4) ** 2, 8 * width),
            act(),
            *drop,
            nn.Linear(8 * width, found.classes),
        ]
    else:
        layers, incoming = [], channels
        for place, factor in enumerate((1, 1, 2, 2, 4)[: 5 if size >= 16 else 3]):
            layers.append(nn.Conv2d(incoming, factor * width, 3, padding=1))
            if setup.network == "vgg-bn":
                layers.append(nn.BatchNorm2d(factor * width, momentum=setup.norm_momentum))
            layers.append(act())
            for _ in range(setup.depth - 1):
                layers += [nn.Conv2d(factor * width, factor * width, 3, padding=1), act()]
            if place in (1, 3):
                layers.append(nn.MaxPool2d(2))
            incoming = factor * width
        layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten(), *drop, nn.Linear(4 * incoming, found.classes)]
    if setup.fault == "softmax-end":
        layers.append(nn.Softmax(dim=1))
    if setup.fault == "relu-end":
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def _initialise(model: nn.Module, setup: Setup) -> None:
    kind, _, amount = setup.init.partition(":")
    weights = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    for layer in weights:
        if kind == "zero":
            nn.init.zeros_(layer.weight)
        elif kind == "constant":
            nn.init.constant_(layer.weight, float(amount))
        elif kind == "normal":
            nn.init.normal_(layer.weight, std=float(amount))
        elif kind == "he":
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        elif kind == "xavier":
            nn.init.xavier_uniform_(layer.weight)
        elif kind == "orthogonal":
            nn.init.orthogonal_(layer.weight)
        if kind not in ("default", "bias") and layer.bias is not None:
            nn.init.zeros_(layer.bias)
        if kind == "bias" and layer is not weights[-1] and layer.bias is not None:
            nn.init.constant_(layer.bias, float(amount))


def _optimizer(setup: Setup, model: nn.Module, found: Images) -> torch.optim.Optimizer:
    parameters = list(model.parameters())
    if setup.fault == "other-model":  # the optimiser was made before the network that is trained
        parameters = list(_network(setup, found).parameters())
    if setup.fault == "last-layer":
        parameters = list(list(model.modules())[-1].parameters())
    if setup.fault == "first-forgotten":
        parameters = parameters[2:]
    rate, decay = setup.rate, setup.decay
    make: dict[str, Callable[[], torch.optim.Optimizer]] = {
        "sgd": lambda: torch.optim.SGD(parameters, lr=rate, weight_decay=decay),
        "momentum": lambda: torch.optim.SGD(parameters, lr=rate, momentum=setup.momentum, weight_decay=decay),
        "nesterov": lambda: torch.optim.SGD(parameters, lr=rate, momentum=0.9, nesterov=True, weight_decay=decay),
        "adam": lambda: torch.optim.Adam(parameters, lr=rate, eps=setup.epsilon, weight_decay=decay),
        "adamw": lambda: torch.optim.AdamW(parameters, lr=rate, eps=setup.epsilon, weight_decay=decay),
        "rmsprop": lambda: torch.optim.RMSprop(parameters, lr=rate, eps=setup.epsilon, weight_decay=decay),
        "adagrad": lambda: torch.optim.Adagrad(parameters, lr=rate, weight_decay=decay),
    }
    return make[setup.optimizer]()


Schedule = torch.optim.lr_scheduler.LRScheduler


def _schedule(setup: Setup, optimizer: torch.optim.Optimizer, steps: int) -> tuple[Schedule | None, bool]:
    """The schedule, and whether it is stepped after every update."""
    total = steps * setup.epochs
    lambdas = torch.optim.lr_scheduler.LambdaLR
    match setup.schedule:
        case "none":
            return None, False
        case "cosine":
            return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total), True
        case "one-cycle":
            return torch.optim.lr_scheduler.OneCycleLR(optimizer, setup.rate, total_steps=total + 1), True
        case "step":
            return torch.optim.lr_scheduler.StepLR(optimizer, max(1, setup.epochs // 2), 0.1), False
        case "exponential":
            return torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.85), False
        case "warmup":
            return lambdas(optimizer, lambda step: min(1.0, (step + 1) / (0.3 * total))), True
        case "sqrt":
            return lambdas(optimizer, lambda step: math.sqrt(max(0.0, 1 - step / total))), True
        case "per-batch":  # meant per epoch, stepped after every batch
            return torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.85), True
        case "step-per-batch":
            return torch.optim.lr_scheduler.StepLR(optimizer, 3, 0.3), True
        case "never":  # a warm-up that is never stepped
            return lambdas(optimizer, lambda step: min(1.0, (step + 1) / (0.3 * total))), False
    raise AssertionError(setup.schedule)
