"""Losses and initial weights of the corpus before training, rightly and wrongly written."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Loss = Callable[[Tensor, Tensor], Tensor]


def one_hot(labels: Tensor, scores: Tensor) -> Tensor:
    """Labels as rows of noughts and a one."""
    return F.one_hot(labels, scores.shape[1]).to(scores.dtype)


class ByHand(nn.Module):
    """Cross-entropy written out, with the maximum taken off first."""

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        """The mean over the batch."""
        scores = scores - scores.max(dim=1, keepdim=True).values
        right = scores[torch.arange(len(labels)), labels]
        return (scores.exp().sum(dim=1).log() - right).mean()


def lecture_hinge(scores: Tensor, labels: Tensor) -> Tensor:
    """The lecture's hinge, written with a mask."""
    margins = (scores - scores.gather(1, labels.view(-1, 1)) + 1).clamp(min=0)
    return (margins.sum(1) - 1).mean()


def focal(scores: Tensor, labels: Tensor) -> Tensor:
    """Focal loss from cross-entropies."""
    each = F.cross_entropy(scores, labels, reduction="none")
    return ((1 - torch.exp(-each)) ** 2 * each).mean()


class Weighted(nn.Module):
    """Class weights that differ by a factor of five."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.loss = nn.CrossEntropyLoss(weight=torch.linspace(1, 5, classes))

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        """The weighted mean."""
        return self.loss(scores, labels)


def confident(scores: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy less a tenth of the entropy: a confidence penalty."""
    logs = F.log_softmax(scores, 1)
    return F.nll_loss(logs, labels) + 0.1 * (logs.exp() * logs).sum(1).mean()


HEALTHY: dict[str, Callable[[int], Loss]] = {
    "cross-entropy": lambda _: F.cross_entropy,
    "module": lambda _: nn.CrossEntropyLoss(),
    "by-hand": lambda _: ByHand(),
    "log-then-nll": lambda _: lambda s, y: F.nll_loss(F.log_softmax(s, dim=1), y),
    "nll": lambda _: nn.NLLLoss(),  # the network ends in log-softmax
    "log-of-shares": lambda _: lambda p, y: -torch.log(p[torch.arange(len(y)), y] + 1e-8).mean(),  # it ends in softmax
    "smooth": lambda _: nn.CrossEntropyLoss(label_smoothing=0.1),
    "weighted": Weighted,
    "hinge": lambda _: lecture_hinge,
    "multi-margin": lambda _: nn.MultiMarginLoss(),
    "squared-margin": lambda _: nn.MultiMarginLoss(p=2),
    "focal": lambda _: focal,
    "binary": lambda _: lambda s, y: F.binary_cross_entropy_with_logits(s, one_hot(y, s)),
    "squares": lambda _: lambda s, y: F.mse_loss(s, one_hot(y, s)),
    "squares-of-shares": lambda _: lambda s, y: F.mse_loss(s.softmax(1), one_hot(y, s)),
    "divergence": lambda _: lambda s, y: F.kl_div(F.log_softmax(s, 1), one_hot(y, s), reduction="batchmean"),
    "confident": lambda _: confident,
    "half": lambda _: lambda s, y: 0.5 * F.cross_entropy(s, y),
}

BROKEN: dict[str, Callable[[int], Loss]] = {
    "minus": lambda _: lambda s, y: -F.cross_entropy(s, y),
    "sign-forgotten": lambda _: lambda s, y: F.log_softmax(s, 1)[range(len(y)), y].mean(),
    "minus-hinge": lambda _: lambda s, y: -F.multi_margin_loss(s, y),
    "hinge-turned": lambda _: lambda s, y: (s.gather(1, y[:, None]) - s + 1).clamp(min=0).sum(1).sub(1).mean(),
    "sum": lambda _: nn.CrossEntropyLoss(reduction="sum"),
    "sum-by-hand": lambda _: lambda s, y: (s.logsumexp(1) - s.gather(1, y[:, None])[:, 0]).sum(),
    "hinge-sum": lambda _: lambda s, y: (s - s.gather(1, y[:, None]) + 1).clamp(min=0).sum() - len(y),
    "none": lambda _: nn.CrossEntropyLoss(reduction="none"),
    "number": lambda _: lambda s, y: F.cross_entropy(s, y).item(),  # type: ignore[return-value]
    "detached": lambda _: lambda s, y: F.cross_entropy(s.detach(), y),
    "remade": lambda _: lambda s, y: torch.tensor(float(F.cross_entropy(s, y)), requires_grad=True),
    "raw-nll": lambda _: F.nll_loss,
    "nll-of-shares": lambda _: lambda s, y: F.nll_loss(F.softmax(s, dim=1), y),
    "over-batch": lambda _: lambda s, y: F.nll_loss(F.log_softmax(s, dim=0), y),
    "shares-over-batch": lambda _: lambda s, y: -torch.log(F.softmax(s, 0).gather(1, y[:, None]) + 1e-9).mean(),
    "softmax-first": lambda _: lambda s, y: F.cross_entropy(F.softmax(s, dim=1), y),
    "sigmoid-first": lambda _: lambda s, y: F.cross_entropy(torch.sigmoid(s), y),
    "all-pairs": lambda _: lambda s, y: -F.log_softmax(s, 1)[:, y].mean(),
    "first-column": lambda _: lambda s, y: F.mse_loss(s[:, 0], y.float()),
    "rows-for-labels": lambda _: lambda s, y: -F.log_softmax(s, 1)[y, torch.arange(len(y)) % s.shape[1]].mean(),
    "next-label": lambda _: lambda s, y: F.cross_entropy(s, (y + 1) % s.shape[1]),
    "padding-class": lambda _: nn.CrossEntropyLoss(ignore_index=0),
    "error-rate": lambda _: lambda s, y: (s.argmax(1) != y).float().mean(),
    "unlabelled": lambda _: lambda s, y: -(F.softmax(s, 1) * F.log_softmax(s, 1)).sum(1).mean() + 0 * y.sum(),
    "turned-divergence": lambda _: lambda s, y: F.kl_div(one_hot(y, s), F.log_softmax(s, 1), reduction="batchmean"),
    "constant-weight-zero": lambda classes: nn.CrossEntropyLoss(weight=torch.zeros(classes)),
    "smoothed-away": lambda _: nn.CrossEntropyLoss(label_smoothing=1.0),
    "log-of-scores": lambda _: lambda s, y: -torch.log(s[torch.arange(len(y)), y]).mean(),
}

LOSSES = {**HEALTHY, **BROKEN}


def weights_of(model: nn.Module) -> list[nn.Conv2d | nn.Linear]:
    """Layers with weights, in order."""
    return [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]


@torch.no_grad()
def initialise(model: nn.Module, kind: str) -> None:
    """Initial weights, rightly or wrongly; `normal:0.01` of that deviation with biases at zero."""
    kind, _, amount = kind.partition(":")
    layers = weights_of(model)
    if kind == "pretrained-like":  # sure of itself, as after a training on other images
        layers[-1].weight.mul_(3)
    elif kind == "head-zero":
        layers[-1].weight.zero_()
        _bias(layers[-1], 0.0)
    elif kind == "head":
        nn.init.normal_(layers[-1].weight, std=float(amount))
    elif kind == "prior":
        assert layers[-1].bias is not None
        layers[-1].bias.copy_(torch.linspace(-1, 1, len(layers[-1].bias)))
    elif kind == "not-a-number":
        layers[0].weight[0].fill_(float("nan"))
    elif kind == "hidden-zero":
        layers[-2].weight.zero_()
        _bias(layers[-2], 0.0)
    elif kind == "bias":
        for layer in layers[:-1]:
            _bias(layer, float(amount))
    elif kind != "default":
        for layer in layers:
            _drawn(layer, kind, float(amount or 0))
            _bias(layer, float(amount) if kind == "constant" else 0.0)


def _drawn(layer: nn.Conv2d | nn.Linear, kind: str, amount: float) -> None:
    match kind:
        case "he":
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        case "xavier":
            nn.init.xavier_uniform_(layer.weight)
        case "orthogonal":
            nn.init.orthogonal_(layer.weight)
        case "truncated":
            nn.init.trunc_normal_(layer.weight, std=0.05)
        case "normal":
            nn.init.normal_(layer.weight, std=amount)
        case "constant" | "zero":
            nn.init.constant_(layer.weight, amount)
        case "positive":
            nn.init.uniform_(layer.weight, 0, 1)
        case _:
            raise AssertionError(kind)


def _bias(layer: nn.Conv2d | nn.Linear, value: float) -> None:
    if layer.bias is not None:
        layer.bias.fill_(value)
