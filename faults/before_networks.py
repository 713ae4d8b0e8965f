"""Healthy networks of the corpus before training, each in another way of writing them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Shape = tuple[int, int, int]
Make = Callable[[Shape, int], nn.Module]


def flat(shape: Shape) -> int:
    """Numbers in an image."""
    return shape[0] * shape[1] * shape[2]


def mlp(shape: Shape, classes: int) -> nn.Module:
    """Two layers."""
    return nn.Sequential(nn.Flatten(), nn.Linear(flat(shape), 64), nn.ReLU(), nn.Linear(64, classes))


def deep(shape: Shape, classes: int, activation: type[nn.Module] = nn.ReLU, depth: int = 5) -> nn.Module:
    """A loop that appends layers."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = flat(shape)
    for _ in range(depth):
        layers += [nn.Linear(width, 48), activation()]
        width = 48
    return nn.Sequential(*layers, nn.Linear(width, classes))


class LeNet(nn.Module):
    """Functions in forward, as the tutorial of PyTorch has it."""

    def __init__(self, shape: Shape, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(shape[0], 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 16, 3, padding=1)
        self.fc1 = nn.Linear(16 * (shape[1] // 4) * (shape[2] // 4), 60)
        self.fc2 = nn.Linear(60, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        return self.fc2(F.relu(self.fc1(x)))


class Vgg(nn.Module):
    """Features and a classifier, the weights drawn in the constructor."""

    def __init__(self, shape: Shape, classes: int, *, norm: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = shape[0]
        for width in (8, 8, "M", 16, 16, "M"):
            if width == "M":
                layers.append(nn.MaxPool2d(2, 2))
                continue
            assert isinstance(width, int)
            layers.append(nn.Conv2d(channels, width, kernel_size=3, padding=1))
            layers += [nn.BatchNorm2d(width)] if norm else []
            layers.append(nn.ReLU(inplace=True))
            channels = width
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(nn.Linear(64, 64), nn.ReLU(True), nn.Dropout(), nn.Linear(64, classes))
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
                assert m.bias is not None
                nn.init.constant_(m.bias, 0)
            elif isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, 0, 0.05)
                nn.init.constant_(m.bias, 0)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = self.avgpool(self.features(x))
        return self.classifier(x.view(x.size(0), -1))


def all_convolutional(shape: Shape, classes: int) -> nn.Module:
    """Network in network: the last convolution, its ReLU too, then the mean over the image."""
    return nn.Sequential(
        nn.Conv2d(shape[0], 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 24, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(24, 24, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(24, classes, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


class Rows(nn.Module):
    """An LSTM over the rows of the image."""

    def __init__(self, shape: Shape, classes: int, *, batch_first: bool = True) -> None:
        super().__init__()
        self.rnn = nn.LSTM(shape[0] * shape[2], 48, batch_first=batch_first)
        self.out = nn.Linear(48, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores from the last row."""
        sequence = x.permute(0, 2, 1, 3).flatten(2)
        hidden, _ = self.rnn(sequence)
        return self.out(hidden[:, -1])


class Attention(nn.Module):
    """A small vision transformer with a class token."""

    def __init__(self, shape: Shape, classes: int, *, batch_first: bool = True, patch: int = 4) -> None:
        super().__init__()
        self.patches = nn.Conv2d(shape[0], 32, patch, patch)
        tokens = (shape[1] // patch) * (shape[2] // patch)
        self.token = nn.Parameter(torch.zeros(1, 1, 32))
        self.position = nn.Parameter(0.02 * torch.randn(1, tokens + 1, 32))
        self.block = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=batch_first, norm_first=True)
        self.norm = nn.LayerNorm(32)
        self.head = nn.Linear(32, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores from the class token."""
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(x), -1, -1), tokens], 1) + self.position
        return self.head(self.norm(self.block(tokens)[:, 0]))


def separable(shape: Shape, classes: int) -> nn.Module:
    """MobileNet's blocks."""

    def block(inp: int, oup: int, stride: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(inp, inp, 3, stride, 1, groups=inp, bias=False),
            nn.BatchNorm2d(inp),
            nn.ReLU6(inplace=True),
            nn.Conv2d(inp, oup, 1, bias=False),
            nn.BatchNorm2d(oup),
            nn.ReLU6(inplace=True),
        )

    stem = nn.Sequential(nn.Conv2d(shape[0], 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(inplace=True))
    return nn.Sequential(
        stem, block(8, 16, 2), block(16, 32, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, classes)
    )


class GroupNormed(nn.Module):
    """Group normalisation, GELU, a ModuleList and a shortcut over one convolution."""

    def __init__(self, shape: Shape, classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(shape[0], 16, 3, padding=1, stride=2)
        self.blocks = nn.ModuleList(nn.Conv2d(16, 16, 3, padding=1) for _ in range(3))
        self.norms = nn.ModuleList(nn.GroupNorm(4, 16) for _ in range(3))
        self.head = nn.Linear(16, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = self.stem(x)
        for conv, norm in zip(self.blocks, self.norms, strict=True):
            x = x + conv(F.gelu(norm(x)))
        return self.head(x.mean(dim=(2, 3)))


class ByHand(nn.Module):
    """Weights as parameters and matrix products, without any layer."""

    def __init__(self, shape: Shape, classes: int) -> None:
        super().__init__()
        self.w1 = nn.Parameter(torch.randn(flat(shape), 40) * (2.0 / flat(shape)) ** 0.5)
        self.b1 = nn.Parameter(torch.zeros(40))
        self.w2 = nn.Parameter(torch.randn(40, classes) * (1.0 / 40) ** 0.5)
        self.b2 = nn.Parameter(torch.zeros(classes))

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        hidden = (x.reshape(x.shape[0], -1) @ self.w1 + self.b1).clamp(min=0)
        return hidden @ self.w2 + self.b2


class Branches(nn.Module):
    """Inception's branches side by side, and an auxiliary head in training."""

    def __init__(self, shape: Shape, classes: int) -> None:
        super().__init__()
        self.branches = nn.ModuleDict(
            {
                "one": nn.Conv2d(shape[0], 8, 1),
                "three": nn.Conv2d(shape[0], 8, 3, padding=1),
                "five": nn.Conv2d(shape[0], 8, 5, padding=2),
            }
        )
        self.mix = nn.Conv2d(24, 24, 3, stride=2, padding=1)
        self.aux, self.head = nn.Linear(24, classes), nn.Linear(24, classes)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Scores; in training those of the auxiliary head too."""
        x = torch.cat([F.relu(one(x)) for one in self.branches.values()], dim=1)
        early = x.amax(dim=(2, 3))
        scores = self.head(F.relu(self.mix(x)).amax(dim=(2, 3)))
        return (scores, self.aux(early)) if self.training else scores


class Normalising(nn.Module):
    """Takes raw pixels and normalises them itself."""

    def __init__(self, shape: Shape, classes: int) -> None:
        super().__init__()
        self.mean = nn.Buffer(torch.full((shape[0], 1, 1), 100.0))
        self.deviation = nn.Buffer(torch.full((shape[0], 1, 1), 70.0))
        self.body = LeNet(shape, classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Scores."""
        return self.body((pixels.float() - self.mean) / self.deviation)


class Named(nn.Module):
    """Layers by name, weight normalisation, leaky ReLU, average pooling."""

    def __init__(self, shape: Shape, classes: int) -> None:
        super().__init__()
        weight_norm = nn.utils.parametrizations.weight_norm
        self.net = nn.Sequential(
            OrderedDict(
                conv=weight_norm(nn.Conv2d(shape[0], 12, 5, padding=2)),
                act=nn.LeakyReLU(0.1),
                pool=nn.AvgPool2d(2),
                flatten=nn.Flatten(),
                fc=weight_norm(nn.Linear(12 * (shape[1] // 2) * (shape[2] // 2), classes)),
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        return self.net(x)


class Zeroed(nn.Module):
    """Blocks that begin as the identity (their last convolution at zero) and a head at zero, as many recipes have it."""

    def __init__(self, shape: Shape, classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(shape[0], 16, 3, padding=1, stride=2)
        self.first = nn.ModuleList(nn.Conv2d(16, 16, 3, padding=1) for _ in range(2))
        self.second = nn.ModuleList(nn.Conv2d(16, 16, 3, padding=1) for _ in range(2))
        self.head = nn.Linear(16, classes)
        for layer in (*self.second, self.head):
            assert isinstance(layer, nn.Conv2d | nn.Linear)
            assert layer.bias is not None
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = F.relu(self.stem(x))
        for first, second in zip(self.first, self.second, strict=True):
            x = x + second(F.relu(first(x)))
        return self.head(x.mean((2, 3)))


NETWORKS: dict[str, Make] = {
    "linear": lambda shape, classes: nn.Sequential(nn.Flatten(), nn.Linear(flat(shape), classes)),
    "mlp": mlp,
    "mlp-tanh": lambda shape, classes: deep(shape, classes, nn.Tanh, 2),
    "mlp-sigmoid": lambda shape, classes: deep(shape, classes, nn.Sigmoid, 1),
    "mlp-dropout": lambda shape, classes: nn.Sequential(
        nn.Flatten(), nn.Linear(flat(shape), 80), nn.ReLU(), nn.Dropout(0.5), nn.Linear(80, classes)
    ),
    "mlp-normed": lambda shape, classes: nn.Sequential(
        nn.Flatten(), nn.Linear(flat(shape), 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, classes)
    ),
    "deep": deep,
    "deep-selu": lambda shape, classes: deep(shape, classes, nn.SELU, 6),
    "lenet": LeNet,
    "vgg": Vgg,
    "vgg-bn": lambda shape, classes: Vgg(shape, classes, norm=True),
    "all-convolutional": all_convolutional,
    "rows": Rows,
    "attention": Attention,
    "separable": separable,
    "group-norm": GroupNormed,
    "by-hand": ByHand,
    "branches": Branches,
    "normalising": Normalising,
    "norm-first": lambda shape, classes: nn.Sequential(nn.BatchNorm2d(shape[0]), LeNet(shape, classes)),
    "named": Named,
    "zeroed": Zeroed,
    "log-softmax": lambda shape, classes: nn.Sequential(LeNet(shape, classes), nn.LogSoftmax(dim=1)),
    "softmax": lambda shape, classes: nn.Sequential(mlp(shape, classes), nn.Softmax(dim=-1)),
}
