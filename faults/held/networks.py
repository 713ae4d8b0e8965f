"""Networks of the held-out part, written as classes: residual, two-layer, LeNet-like, VGG-like, and one that was trained before."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from held.images import images


@dataclass(frozen=True)
class Shape:
    """What a network is built for and how."""

    channels: int
    size: int
    classes: int
    width: int
    activation: str
    norm: str
    norm_momentum: float
    dropout: float
    depth: int


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky": lambda: nn.LeakyReLU(0.1),
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "none": nn.Identity,
}


def norm(shape: Shape, channels: int) -> nn.Module:
    """A normalisation layer of the asked kind."""
    if shape.norm == "batch":
        return nn.BatchNorm2d(channels, momentum=shape.norm_momentum)
    if shape.norm == "group":
        return nn.GroupNorm(2, channels)
    assert shape.norm == "none", shape.norm
    return nn.Identity()


class Block(nn.Module):
    """Two convolutions and a way around them (He et al. 2016)."""

    def __init__(self, shape: Shape, incoming: int, outgoing: int, stride: int) -> None:
        super().__init__()
        bias = shape.norm == "none"
        self.conv1 = nn.Conv2d(incoming, outgoing, 3, stride, padding=1, bias=bias)
        self.norm1 = norm(shape, outgoing)
        self.conv2 = nn.Conv2d(outgoing, outgoing, 3, padding=1, bias=bias)
        self.norm2 = norm(shape, outgoing)
        self.act = ACTIVATIONS[shape.activation]()
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or incoming != outgoing:
            self.shortcut = nn.Sequential(nn.Conv2d(incoming, outgoing, 1, stride, bias=bias), norm(shape, outgoing))

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        inner = self.norm2(self.conv2(self.act(self.norm1(self.conv1(x)))))
        return self.act(inner + self.shortcut(x))


class Residual(nn.Module):
    """A stem, three stages of `depth` blocks, a mean over places, a linear head."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = 12 * shape.width // 8
        width += width % 2
        self.stem = nn.Conv2d(shape.channels, width, 3, padding=1, bias=shape.norm == "none")
        self.norm = norm(shape, width)
        self.act = ACTIVATIONS[shape.activation]()
        blocks, incoming = [], width
        for stage in range(3):
            for place in range(shape.depth):
                outgoing = width * 2**stage
                blocks.append(Block(shape, incoming, outgoing, 2 if stage and not place else 1))
                incoming = outgoing
        self.blocks = nn.Sequential(*blocks)
        self.drop = nn.Dropout(shape.dropout) if shape.dropout else nn.Identity()
        self.head = nn.Linear(incoming, shape.classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = self.blocks(self.act(self.norm(self.stem(x))))
        return self.head(self.drop(x.mean(dim=(2, 3))))


class TwoLayer(nn.Module):
    """`depth` hidden layers."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        hidden, incoming = 10 * shape.width, shape.channels * shape.size**2
        self.hidden = nn.ModuleList()
        for _ in range(shape.depth):
            self.hidden.append(nn.Linear(incoming, hidden))
            incoming = hidden
        self.act = ACTIVATIONS[shape.activation]()
        self.drop = nn.Dropout(shape.dropout)
        self.head = nn.Linear(incoming, shape.classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = x.flatten(1)
        for layer in self.hidden:
            x = self.drop(self.act(layer(x)))
        return self.head(x)


class LeNet(nn.Module):
    """Two convolutions of 5 by 5 and two linear layers; activations are called as functions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(shape.channels, shape.width, 5, padding=2)
        self.conv2 = nn.Conv2d(shape.width, 2 * shape.width, 5, padding=2)
        self.fc1 = nn.Linear(2 * shape.width * (shape.size // 4) ** 2, 10 * shape.width)
        self.head = nn.Linear(10 * shape.width, shape.classes)
        self.dropout, self.act = shape.dropout, FUNCTIONS[shape.activation]
        self.pool = F.avg_pool2d if shape.activation == "none" else F.max_pool2d

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = self.pool(self.act(self.conv1(x)), 2)
        x = self.pool(self.act(self.conv2(x)), 2)
        x = F.dropout(self.act(self.fc1(x.flatten(1))), self.dropout, self.training)
        return self.head(x)


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "leaky": F.leaky_relu,
    "gelu": F.gelu,
    "silu": F.silu,
    "elu": F.elu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "none": lambda x: x,
}


class Vgg(nn.Module):
    """Three stages of `1 + depth` convolutions, a pooling after each, one hidden layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        incoming = shape.channels
        for stage in range(3):
            outgoing = shape.width * 2**stage
            for _ in range(1 + shape.depth):
                layers += [nn.Conv2d(incoming, outgoing, 3, padding=1), norm(shape, outgoing)]
                layers.append(ACTIVATIONS[shape.activation]())
                incoming = outgoing
            layers.append(nn.MaxPool2d(2) if shape.activation != "none" else nn.AvgPool2d(2))
        self.features = nn.Sequential(*layers)
        self.hidden = nn.Linear(incoming * (shape.size // 8) ** 2, 8 * shape.width)
        self.act = ACTIVATIONS[shape.activation]()
        self.drop = nn.Dropout(shape.dropout)
        self.head = nn.Linear(8 * shape.width, shape.classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        return self.head(self.drop(self.act(self.hidden(self.features(x).flatten(1)))))


class Tuned(nn.Module):
    """A body that may have been trained before, and a head; `detached` cuts the gradient between them."""

    def __init__(self, shape: Shape, *, detached: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        incoming = 3
        for outgoing, stride in ((12, 1), (24, 2), (24, 1), (48, 2)):
            layers += [nn.Conv2d(incoming, outgoing, 3, stride, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(outgoing, momentum=shape.norm_momentum), ACTIVATIONS[shape.activation]()]
            incoming = outgoing
        self.body = nn.Sequential(*layers)
        self.detached = detached
        self.drop = nn.Dropout(shape.dropout)
        self.head = nn.Linear(2 * incoming, shape.classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = self.body(x.expand(-1, 3, -1, -1))
        if self.detached:
            x = x.detach()
        return self.head(self.drop(torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)))


@functools.cache
def trained_body() -> dict[str, Tensor]:
    """Weights of a body that was trained on generated shapes: the same every time, a few seconds, once in a process."""
    with torch.random.fork_rng():
        torch.manual_seed(99)
        found = images("shapes")
        pixels = found.train.astype(np.float32)
        mean, deviation = pixels.mean(axis=(0, 2, 3), keepdims=True), pixels.std(axis=(0, 2, 3), keepdims=True)
        x, y = torch.from_numpy((pixels - mean) / deviation), torch.from_numpy(found.train_labels)
        model = Tuned(Shape(3, 20, found.classes, 8, "relu", "batch", 0.1, 0.0, 1))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
        for _ in range(8):
            for rows in torch.randperm(len(x)).split(40):
                loss = F.cross_entropy(model(x[rows]), y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return {name: one.detach().clone() for name, one in model.body.state_dict().items()}


NETWORKS: dict[str, Callable[[Shape], nn.Module]] = {
    "residual": Residual,
    "mlp": TwoLayer,
    "lenet": LeNet,
    "vgg": Vgg,
    "tuned": Tuned,
}
