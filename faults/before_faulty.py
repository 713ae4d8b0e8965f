"""Networks of the corpus before training that are wrong in their own text: one mistake each, as people make them."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from before_networks import Attention, LeNet, Make, Rows, Shape, Vgg, deep, flat, mlp


class FaultyLeNet(LeNet):
    """A LeNet with a mistake in forward."""

    def __init__(self, shape: Shape, classes: int, fault: str) -> None:
        super().__init__(shape, classes)
        self.fault, self.classes = fault, classes

    def features(self, x: Tensor) -> Tensor:
        """What the full layers get."""
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        return torch.flatten(F.max_pool2d(F.relu(self.conv2(x)), 2), 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scores, wrongly."""
        match self.fault:
            case "detach":
                return self.fc2(F.relu(self.fc1(self.features(x).detach())))
            case "numpy":
                kept = torch.from_numpy(self.features(x).detach().cpu().numpy())
                return self.fc2(F.relu(self.fc1(kept)))
            case "no-grad":
                with torch.no_grad():
                    x = self.features(x)
                return self.fc2(F.relu(self.fc1(x)))
            case "data":
                return self.fc2(F.relu(self.fc1(self.features(x))).data)
            case "unused":
                return self.fc2(F.relu(self.features(x) @ torch.ones(self.fc1.in_features, 60) / 60))
            case "dropout-always":
                return self.fc2(F.dropout(F.relu(self.fc1(self.features(x))), 0.5))
            case "batch-mean":
                x = self.features(x)
                return self.fc2(F.relu(self.fc1(x - x.mean(0))))
            case "batch-maximum":
                return self.fc2(F.relu(self.fc1(self.features(x / x.abs().max()))))
            case "merged-images":
                x = self.features(x).reshape(2, -1, self.fc1.in_features).transpose(0, 1)
                return self.fc2(F.relu(self.fc1(x.reshape(-1, self.fc1.in_features))))
            case "softmax-over-batch":
                return F.softmax(self.fc2(F.relu(self.fc1(self.features(x)))), dim=0)
            case "softmax-default-axis":
                return torch.log_softmax(self.fc2(F.relu(self.fc1(self.features(x)))), 0)
            case "argmax":
                scores = self.fc2(F.relu(self.fc1(self.features(x))))
                return F.one_hot(scores.argmax(1), self.classes).float()
            case "scaled-in-training":
                x = x / 20 if self.training else x
                return self.fc2(F.relu(self.fc1(self.features(x))))
            case "overwritten":
                x = torch.zeros_like(x)
                return self.fc2(F.relu(self.fc1(self.features(x))))
            case "turned-twice":
                return self.fc2(F.relu(-F.relu(self.fc1(self.features(x)))))
            case "blurred-away":
                x = self.features(x)
                return self.fc2(F.relu(self.fc1(x.mean().expand_as(x))))
            case "weak-scores":
                return self.fc2(F.relu(self.fc1(self.features(x)))) / 1e5
            case "loud-scores":
                return self.fc2(F.relu(self.fc1(self.features(x)))) * 200
            case "made-in-forward":
                head = nn.Linear(self.fc1.in_features, self.classes)
                return head(self.features(x))
        raise AssertionError(self.fault)


class Ended(nn.Module):
    """A network with one thing too many, too few or wrong behind it."""

    def __init__(self, inner: nn.Module, fault: str) -> None:
        super().__init__()
        self.inner, self.fault = inner, fault

    def forward(self, x: Tensor) -> Tensor:
        """Scores, wrongly."""
        scores = self.inner(x)
        return {
            "softmax": lambda: F.softmax(scores, dim=1),
            "sigmoid": lambda: torch.sigmoid(scores),
            "tanh": lambda: torch.tanh(scores),
            "relu": lambda: F.relu(scores - 0.5),
            "clamp": lambda: scores.clamp(0, 1),
            "turned": lambda: scores.t(),
            "mean": lambda: scores.mean(dim=1),
            "extra-axis": lambda: scores[:, None],
            "rounded": lambda: scores.round(),
            "maximum": lambda: scores.max(dim=1, keepdim=True).values,
        }[self.fault]()


class ListedLayers(nn.Module):
    """The hidden layers in a plain list, where PyTorch does not find them."""

    def __init__(self, shape: Shape, classes: int) -> None:
        super().__init__()
        self.layers = [nn.Linear(flat(shape), 48), nn.Linear(48, 48)]
        self.head = nn.Linear(48, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = x.flatten(1)
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.head(x)


class PlainTensor(nn.Module):
    """A weight that is a tensor and no parameter."""

    def __init__(self, shape: Shape, classes: int) -> None:
        super().__init__()
        self.weight = torch.randn(flat(shape), 48, requires_grad=True)
        self.head = nn.Linear(48, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        return self.head(F.relu(x.flatten(1) @ self.weight / 10))


class TurnedBack(torch.autograd.Function):
    """A clipping of one's own, whose way back has the wrong sign."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ANN401
        """x, not below 0."""
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:  # noqa: ANN401
        """Wrong."""
        return -grads[0] * (ctx.saved_tensors[0] > 0)


class ForgottenMask(TurnedBack):
    """The same, whose way back forgets the mask and is far too large."""

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:  # noqa: ANN401, ARG004
        """Wrong."""
        return 3 * grads[0]


class OwnFunction(nn.Module):
    """A network with an activation of one's own."""

    def __init__(self, shape: Shape, classes: int, function: type[torch.autograd.Function]) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(flat(shape), 48), nn.Linear(48, classes)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        return self.two(self.function.apply(self.one(x.flatten(1))))  # type: ignore[arg-type]


def batch_norm(shape: Shape, classes: int, **settings: Any) -> nn.Module:  # noqa: ANN401
    """A network whose batch normalisation has wrong settings."""
    return nn.Sequential(
        nn.Conv2d(shape[0], 12, 3, 2, 1),
        nn.BatchNorm2d(12, **settings),
        nn.ReLU(),
        nn.Conv2d(12, 24, 3, 2, 1),
        nn.BatchNorm2d(24, **settings),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(24, classes),
    )


def frozen(model: nn.Module, parts: str) -> nn.Module:
    """Parameters whose names begin so are not trained, at their random start."""
    for name, one in model.named_parameters():
        one.requires_grad_(not name.startswith(parts))
    return model


def _lenet(fault: str) -> Make:
    return lambda shape, classes: FaultyLeNet(shape, classes, fault)


def _ended(make: Make, fault: str) -> Make:
    return lambda shape, classes: Ended(make(shape, classes), fault)


FORWARDS = (
    *("detach", "numpy", "no-grad", "data", "unused", "dropout-always", "batch-mean", "batch-maximum"),
    *("merged-images", "softmax-over-batch", "softmax-default-axis", "argmax", "scaled-in-training", "overwritten"),
    *("turned-twice", "blurred-away", "weak-scores", "loud-scores", "made-in-forward"),
)

FAULTY: dict[str, Make] = {
    **{f"lenet-{fault}": _lenet(fault) for fault in FORWARDS},
    **{
        f"{name}-then-{fault}": _ended(make, fault)
        for name, make, fault in (
            ("lenet", LeNet, "softmax"),
            ("vgg", Vgg, "softmax"),
            ("mlp", mlp, "sigmoid"),
            ("lenet", LeNet, "sigmoid"),
            ("lenet", LeNet, "tanh"),
            ("mlp", mlp, "relu"),
            ("lenet", LeNet, "clamp"),
            ("mlp", mlp, "turned"),
            ("lenet", LeNet, "mean"),
            ("mlp", mlp, "extra-axis"),
            ("lenet", LeNet, "rounded"),
            ("vgg", Vgg, "maximum"),
        )
    },
    "one-too-many": lambda shape, classes: LeNet(shape, classes + 1),
    "imagenet-head": lambda shape, classes: mlp(shape, 1000),  # noqa: ARG005
    "one-output": lambda shape, classes: mlp(shape, 1),  # noqa: ARG005
    "not-flat": lambda shape, classes: nn.Sequential(nn.Conv2d(shape[0], 8, 3), nn.ReLU(), nn.Conv2d(8, classes, 3)),
    "wrong-width": lambda shape, classes: nn.Sequential(
        nn.Conv2d(shape[0], 8, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * shape[1] * shape[2], classes),  # as if padded
    ),
    "listed-layers": ListedLayers,
    "plain-tensor": PlainTensor,
    "rows-batch-second": lambda shape, classes: Rows(shape, classes, batch_first=False),
    "attention-batch-second": lambda shape, classes: Attention(shape, classes, batch_first=False),
    "sigmoid-deep": lambda shape, classes: deep(shape, classes, nn.Sigmoid, 12),
    "gradient-turned": lambda shape, classes: OwnFunction(shape, classes, TurnedBack),
    "gradient-large": lambda shape, classes: OwnFunction(shape, classes, ForgottenMask),
    "norm-without-statistics": lambda shape, classes: batch_norm(shape, classes, track_running_stats=False),
    "norm-that-never-learns": lambda shape, classes: batch_norm(shape, classes, momentum=0.0),
    "dropout-nearly-all": lambda shape, classes: nn.Sequential(
        nn.Flatten(), nn.Linear(flat(shape), 64), nn.ReLU(), nn.Dropout(0.99), nn.Linear(64, classes)
    ),
    "dropout-all": lambda shape, classes: nn.Sequential(nn.Dropout2d(1.0), LeNet(shape, classes)),
    "frozen": lambda shape, classes: LeNet(shape, classes).requires_grad_(requires_grad=False),
    "frozen-features": lambda shape, classes: frozen(LeNet(shape, classes), "conv"),
    "frozen-head": lambda shape, classes: frozen(LeNet(shape, classes), "fc"),
}
