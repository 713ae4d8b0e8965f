"""Held out: the residual network and modules in Lightning's style, healthy and with a mistake each. Never run while tuning."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from before_networks import Make, Shape


class Block(nn.Module):
    """Two convolutions and a shortcut, after He et al."""

    def __init__(
        self, incoming: int, planes: int, stride: int, *, affine: bool = True, statistics: bool = True
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(incoming, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes, affine=affine, track_running_stats=statistics)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes, affine=affine, track_running_stats=statistics)
        self.shortcut = nn.Sequential()
        if stride != 1 or incoming != planes:
            self.shortcut = nn.Sequential(nn.Conv2d(incoming, planes, 1, stride, bias=False), nn.BatchNorm2d(planes))

    def forward(self, x: Tensor) -> Tensor:
        """The sum, then ReLU."""
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + self.shortcut(x))


class Residual(nn.Module):
    """A small residual network; `fault` a mistake in forward."""

    def __init__(self, shape: Shape, classes: int, fault: str = "") -> None:
        super().__init__()
        self.fault = fault
        self.stem = nn.Sequential(nn.Conv2d(shape[0], 12, 3, 1, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU())
        statistics = fault != "no-statistics"
        first, second = Block(12, 12, 1, statistics=statistics), Block(12, 24, 2, statistics=statistics)
        self.layer1, self.layer2 = (
            (first, second) if fault != "listed" else ([first], [second])  # type: ignore[assignment]
        )
        self.linear = nn.Linear(24, classes + (fault == "head"))
        if fault == "zero-gamma":  # a healthy habit
            nn.init.zeros_(first.bn2.weight)
            nn.init.zeros_(second.bn2.weight)

    def maps(self, x: Tensor) -> Tensor:
        """What the blocks give."""
        x = self.stem(x)
        for layer in (self.layer1, self.layer2):
            for block in layer if isinstance(layer, list) else [layer]:
                x = block(x)
        return x

    def features(self, x: Tensor) -> Tensor:
        """Means over the image."""
        return F.adaptive_avg_pool2d(self.maps(x), 1).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        match self.fault:
            case "detach":
                return self.linear(self.features(x).detach())
            case "batch-softmax":
                return torch.softmax(self.linear(self.features(x)), dim=0)
            case "softmax":
                return torch.softmax(self.linear(self.features(x)), dim=1)
            case "sigmoid":
                return self.linear(self.features(x)).sigmoid()
            case "ignored":
                return self.linear(self.features(torch.ones_like(x)))
            case "centred-by-batch":
                found = self.features(x)
                return self.linear(found - found.mean(dim=0, keepdim=True))
            case "noisy-in-evaluation":
                found = self.features(x)
                return self.linear(found * torch.bernoulli(torch.full_like(found, 0.5)) * 2)
            case "training-only":
                return self.linear(self.features(x if self.training else x * 255))
            case "kept-map":
                return self.linear(self.maps(x).permute(0, 2, 3, 1))
        return self.linear(self.features(x))


class Lit(nn.Module):
    """What people hand to Lightning's Trainer: network, loss and step in one module; `fault` a mistake in it."""

    def __init__(self, shape: Shape, classes: int, fault: str = "") -> None:
        super().__init__()
        self.fault, self.num_classes = fault, classes
        channels, side = shape[0], (shape[1] // 4) * (shape[2] // 4)
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, 12, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.98 if fault == "dropout" else 0.2),
        )
        hidden = nn.BatchNorm1d(32, momentum=0.0) if fault == "still-statistics" else nn.Identity()
        self.head = nn.Sequential(nn.Linear(24 * side, 32), hidden, nn.ReLU(), nn.Linear(32, classes))
        self.criterion = nn.CrossEntropyLoss(reduction="sum" if fault == "sum" else "mean")
        self.automatic_optimization = True
        self._initialise()

    @torch.no_grad()
    def _initialise(self) -> None:
        last = self.head[-1]
        assert isinstance(last, nn.Linear)
        match self.fault:
            case "constant":
                for one in self.parameters():
                    one.fill_(0.02)
            case "sure-head":
                last.weight.normal_(std=4)
            case "dead":
                for layer in self.encoder.modules():
                    if isinstance(layer, nn.Conv2d) and layer.bias is not None:
                        layer.bias.fill_(-9)
            case "frozen":
                self.encoder.requires_grad_(requires_grad=False)
            case "all-frozen":
                self.requires_grad_(requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Scores, or log-probabilities."""
        z = self.encoder(x)
        if self.fault == "no-grad":
            with torch.no_grad():
                z = self.encoder(x)
        if self.fault == "largest-of-batch":
            z = z / z.amax().clamp_min(1e-6)
        scores = self.head(z)
        if self.fault == "shares-and-log":
            return scores.softmax(dim=-1)
        return F.log_softmax(scores, dim=1) if self.fault == "log" else scores

    def loss(self, scores: Tensor, labels: Tensor) -> Tensor:
        """As training_step has it."""
        match self.fault:
            case "minus":
                return -self.criterion(scores, labels)
            case "nll-of-scores":
                return F.nll_loss(scores, labels)
            case "nll-of-shares":
                return F.nll_loss(scores.softmax(1), labels)
            case "log":
                return F.nll_loss(scores, labels)
            case "other-classes-first":
                return self.criterion(scores, self.num_classes - 1 - labels)
            case "outer":
                return -(scores.log_softmax(1)[:, labels]).mean()
            case "detached":
                return self.criterion(scores.detach(), labels)
            case "padding":
                return F.cross_entropy(scores, labels, ignore_index=1)
            case "over-batch":
                return F.nll_loss(F.log_softmax(scores, dim=0), labels)
        return self.criterion(scores, labels)

    def training_step(self, batch: tuple[Tensor, Tensor], _index: int) -> Tensor:
        """Lightning's."""
        x, y = batch
        return self.loss(self(x), y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Lightning's."""
        return torch.optim.Adam(self.parameters(), lr=1e-3)


def _residual(fault: str) -> Make:
    return lambda shape, classes: Residual(shape, classes, fault)


def _lit(fault: str) -> Make:
    return lambda shape, classes: Lit(shape, classes, fault)


RESIDUAL = (
    *("detach", "batch-softmax", "softmax", "sigmoid", "ignored", "centred-by-batch", "noisy-in-evaluation"),
    *("training-only", "kept-map", "head", "no-statistics", "zero-gamma", "listed"),
)
LIT = (
    *("dropout", "still-statistics", "sum", "constant", "sure-head", "dead", "frozen", "all-frozen", "no-grad"),
    *("largest-of-batch", "shares-and-log", "log", "minus", "nll-of-scores", "nll-of-shares", "other-classes-first"),
    *("outer", "detached", "padding", "over-batch"),
)

HELD: dict[str, Callable[[Shape, int], nn.Module]] = {
    "residual": Residual,
    **{f"residual-{fault}": _residual(fault) for fault in RESIDUAL},
    "lightning": Lit,
    **{f"lightning-{fault}": _lit(fault) for fault in LIT},
}
