"""Networks of the fresh part: none of them is anywhere else in the corpus."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fresh.images import images
from held.networks import ACTIVATIONS as OTHERS


@dataclass(frozen=True)
class Form:
    """What a network is built for and how; `detached` cuts the gradient before the last part of it."""

    channels: int
    height: int
    across: int
    classes: int
    wide: int
    activation: str
    norm: str
    norm_momentum: float
    dropout: float
    depth: int
    detached: bool


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    **OTHERS,
    "relu6": nn.ReLU6,
    "hard-sigmoid": nn.Hardsigmoid,
    "softmax": lambda: nn.Softmax(dim=1),
}


class OverChannels(nn.Module):
    """Layer normalisation over the channels of every place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def normal(form: Form, channels: int) -> nn.Module:
    """A normalisation layer of the asked kind."""
    if form.norm == "batch":
        return nn.BatchNorm2d(channels, momentum=form.norm_momentum)
    if form.norm == "group":
        return nn.GroupNorm(4, channels)
    if form.norm == "layer":
        return OverChannels(channels)
    assert form.norm == "none", form.norm
    return nn.Identity()


def unit(form: Form, incoming: int, outgoing: int, size: int = 3, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution, normalisation, activation."""
    padding, bias = size // 2, form.norm == "none"
    layer = nn.Conv2d(incoming, outgoing, size, stride, padding=padding, groups=groups, bias=bias)
    return nn.Sequential(layer, normal(form, outgoing), ACTIVATIONS[form.activation]())


class Headed(nn.Module):
    """A body, dropout and a linear head on what the body gives; `pooled` means over places come before it."""

    def __init__(self, form: Form, body: nn.Module, *, pooled: bool = True) -> None:
        super().__init__()
        self.body, self.pooled, self.detached = body, pooled, form.detached
        self.drop = nn.Dropout(form.dropout)
        body.eval()  # a look at its size that leaves its statistics as they are
        with torch.no_grad():
            width = self._features(torch.zeros(1, form.channels, form.height, form.across)).shape[1]
        body.train()
        self.head = nn.Linear(width, form.classes)

    def _features(self, x: Tensor) -> Tensor:
        x = self.body(x)
        return x.mean(dim=(2, 3)) if self.pooled else x.flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = self._features(x)
        return self.head(self.drop(x.detach() if self.detached else x))


class Inverted(nn.Module):
    """Expansion, a depthwise convolution, projection, and a way around (Sandler et al. 2018)."""

    def __init__(self, form: Form, incoming: int, outgoing: int, stride: int) -> None:
        super().__init__()
        inner = 3 * incoming
        self.around = stride == 1 and incoming == outgoing
        self.layers = nn.Sequential(
            unit(form, incoming, inner, 1),
            unit(form, inner, inner, stride=stride, groups=inner),
            nn.Conv2d(inner, outgoing, 1, bias=form.norm == "none"),
            normal(form, outgoing),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return x + self.layers(x) if self.around else self.layers(x)


def mobile_body(form: Form) -> nn.Sequential:
    """A stem and stages of inverted blocks."""
    wide = form.wide
    layers: list[nn.Module] = [unit(form, form.channels, wide, stride=2 if form.height >= 24 else 1)]
    for incoming, outgoing in ((wide, 2 * wide), (2 * wide, 3 * wide)):
        layers.append(Inverted(form, incoming, outgoing, 2))
        layers += [Inverted(form, outgoing, outgoing, 1) for _ in range(form.depth)]
    return nn.Sequential(*layers, unit(form, 3 * wide, 6 * wide, 1))


class Wider(nn.Module):
    """A large depthwise convolution, normalisation, two linear layers over channels, scaled and added (Liu et al. 2022)."""

    def __init__(self, form: Form, channels: int) -> None:
        super().__init__()
        self.spread = nn.Conv2d(channels, channels, 5, padding=2, groups=channels)
        self.norm = normal(form, channels)
        self.up, self.down = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(3 * channels, channels, 1)
        self.act = ACTIVATIONS[form.activation]()
        self.scale = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return x + self.scale * self.down(self.act(self.up(self.norm(self.spread(x)))))


def next_body(form: Form) -> nn.Sequential:
    """Patches, two stages of `depth` blocks, a normalisation last."""
    patch, wide = (4 if form.height >= 32 else 2), 2 * form.wide
    layers: list[nn.Module] = [nn.Conv2d(form.channels, wide, patch, patch), normal(form, wide)]
    layers += [Wider(form, wide) for _ in range(form.depth)]
    layers += [normal(form, wide), nn.Conv2d(wide, 2 * wide, 2, 2)]
    layers += [Wider(form, 2 * wide) for _ in range(form.depth)]
    return nn.Sequential(*layers, normal(form, 2 * wide))


class AllConvolutional(nn.Module):
    """CONV-CONV-POOL three times over, pools are means, and a 1 by 1 convolution for scores (Springenberg et al. 2015)."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        incoming, self.detached = form.channels, form.detached
        for stage in range(3):
            outgoing = form.wide * 2 ** min(stage, 1)
            for _ in range(1 + form.depth):
                layers.append(unit(form, incoming, outgoing))
                incoming = outgoing
            layers += [nn.AvgPool2d(2), nn.Dropout2d(form.dropout)]
        self.features = nn.Sequential(*layers)
        self.head = nn.Conv2d(incoming, form.classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = self.features(x)
        return self.head(x.detach() if self.detached else x).mean(dim=(2, 3))


class Dense(nn.Module):
    """Every layer sees what all before it gave (Huang et al. 2017)."""

    def __init__(self, form: Form, incoming: int, growth: int, count: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for place in range(count):
            now = incoming + place * growth
            convolution = nn.Conv2d(now, growth, 3, padding=1, bias=form.norm == "none")
            self.layers.append(nn.Sequential(normal(form, now), ACTIVATIONS[form.activation](), convolution))

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        for layer in self.layers:
            x = torch.cat([x, layer(x)], dim=1)
        return x


def dense_body(form: Form) -> nn.Sequential:
    """A stem, two dense blocks, a transition between them."""
    wide, count = form.wide, 2 + form.depth
    inner = wide + count * wide // 2
    half = 4 * (inner // 8)
    return nn.Sequential(
        nn.Conv2d(form.channels, wide, 3, 2, padding=1),
        Dense(form, wide, wide // 2, count),
        nn.Conv2d(inner, half, 1),
        nn.AvgPool2d(2),
        Dense(form, half, wide // 2, count),
        normal(form, half + count * wide // 2),
        ACTIVATIONS[form.activation](),
    )


class Branches(nn.Module):
    """1 by 1, 3 by 3, 5 by 5 and a pool beside one another (Szegedy et al. 2015)."""

    def __init__(self, form: Form, incoming: int, each: int) -> None:
        super().__init__()
        self.one = unit(form, incoming, each, 1)
        self.three = nn.Sequential(unit(form, incoming, each // 2, 1), unit(form, each // 2, each))
        self.five = nn.Sequential(unit(form, incoming, each // 2, 1), unit(form, each // 2, each, 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, padding=1), unit(form, incoming, each, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], dim=1)


def inception_body(form: Form) -> nn.Sequential:
    """A stem and `1 + depth` modules of branches, a pool between two."""
    each = form.wide
    layers: list[nn.Module] = [unit(form, form.channels, each, stride=2)]
    incoming = each
    for _ in range(1 + form.depth):
        layers += [Branches(form, incoming, each), nn.MaxPool2d(2)]
        incoming = 4 * each
    return nn.Sequential(*layers)


class Before(nn.Module):
    """Normalisation and activation before the convolutions, and a way around (He et al. 2016b)."""

    def __init__(self, form: Form, incoming: int, outgoing: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(normal(form, incoming), ACTIVATIONS[form.activation]())
        self.inner = nn.Sequential(
            unit(form, incoming, outgoing, stride=stride), nn.Conv2d(outgoing, outgoing, 3, padding=1)
        )
        self.way = nn.Conv2d(incoming, outgoing, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        x = self.first(x)
        return self.way(x) + self.inner(x)


def group_body(form: Form) -> nn.Sequential:
    """A stem and three pre-activated blocks."""
    wide = form.wide
    layers: list[nn.Module] = [nn.Conv2d(form.channels, wide, 3, 2 if form.height >= 24 else 1, padding=1)]
    for incoming, outgoing in ((wide, wide), (wide, 2 * wide), (2 * wide, 3 * wide)):
        layers.append(Before(form, incoming, outgoing, 1 if incoming == outgoing else 2))
    return nn.Sequential(*layers, normal(form, 3 * wide), ACTIVATIONS[form.activation]())


class Bottleneck(nn.Module):
    """1 by 1 down, 3 by 3, 1 by 1 up, and a way around."""

    def __init__(self, form: Form, incoming: int, outgoing: int, stride: int) -> None:
        super().__init__()
        inner, bias = outgoing // 4, form.norm == "none"
        self.inner = nn.Sequential(unit(form, incoming, inner, 1), unit(form, inner, inner, stride=stride))
        self.up = nn.Sequential(nn.Conv2d(inner, outgoing, 1, bias=bias), normal(form, outgoing))
        self.way = nn.Sequential(nn.Conv2d(incoming, outgoing, 1, stride, bias=bias), normal(form, outgoing))
        self.act = ACTIVATIONS[form.activation]()

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return self.act(self.up(self.inner(x)) + self.way(x))


def bottleneck_body(form: Form) -> nn.Sequential:
    """A stem and stages of bottlenecks."""
    wide = 2 * form.wide
    layers: list[nn.Module] = [unit(form, form.channels, wide)]
    for incoming, outgoing in ((wide, 2 * wide), (2 * wide, 4 * wide)):
        layers.append(Bottleneck(form, incoming, outgoing, 2))
        layers += [Bottleneck(form, outgoing, outgoing, 1) for _ in range(form.depth)]
    return nn.Sequential(*layers)


def old_body(form: Form) -> nn.Sequential:
    """Two convolutions with a stride and a hidden layer, as in 1989 (LeCun et al.)."""
    wide, act = form.wide, ACTIVATIONS[form.activation]
    layers: list[nn.Module] = [nn.Conv2d(form.channels, wide, 5, 2, padding=2), act()]
    layers += [nn.Conv2d(wide, 2 * wide, 5, 2, padding=2), act(), nn.Flatten()]
    width = 2 * wide * -(-form.height // 4) * -(-form.across // 4)
    for _ in range(form.depth):
        layers += [nn.Linear(width, 6 * wide), act()]
        width = 6 * wide
    return nn.Sequential(*layers)


def perceptron_body(form: Form) -> nn.Sequential:
    """`1 + depth` hidden layers with batch normalisation."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = form.channels * form.height * form.across
    for _ in range(1 + form.depth):
        layers.append(nn.Linear(width, 8 * form.wide))
        if form.norm == "batch":
            layers.append(nn.BatchNorm1d(8 * form.wide, momentum=form.norm_momentum))
        layers.append(ACTIVATIONS[form.activation]())
        width = 8 * form.wide
    return nn.Sequential(*layers)


def alex_body(form: Form) -> nn.Sequential:
    """Large filters first, overlapping pools, a wide hidden layer (Krizhevsky et al. 2012)."""
    wide, act = form.wide, ACTIVATIONS[form.activation]
    layers: list[nn.Module] = [nn.Conv2d(form.channels, wide, 5, 2, padding=2), act(), nn.MaxPool2d(3, 2, padding=1)]
    layers += [nn.Conv2d(wide, 2 * wide, 3, padding=1), act()]
    for _ in range(form.depth):
        layers += [nn.Conv2d(2 * wide, 2 * wide, 3, padding=1), act()]
    layers += [nn.MaxPool2d(3, 2, padding=1), nn.Flatten()]
    with torch.no_grad():
        width = nn.Sequential(*layers)(torch.zeros(1, form.channels, form.height, form.across)).shape[1]
    return nn.Sequential(*layers, nn.Dropout(form.dropout), nn.Linear(width, 10 * wide), act())


class Coloured(nn.Module):
    """A mobile body for pictures in colour, which are made of grey ones by repeating them."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.layers = mobile_body(replace(form, channels=3, height=16))

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return self.layers(x.expand(-1, 3, -1, -1))


@functools.cache
def trained_body() -> dict[str, Tensor]:
    """Weights of a coloured body that was trained on forty signs: the same every time, a few seconds, once in a process."""
    with torch.random.fork_rng():
        torch.manual_seed(77)
        found = images("many")
        pixels = found.train.astype(np.float32)
        x, y = torch.from_numpy((pixels - pixels.mean()) / pixels.std()), torch.from_numpy(found.train_labels)
        form = Form(1, 16, 16, found.classes, 10, "relu6", "batch", 0.1, 0.0, 1, detached=False)
        model = Headed(form, Coloured(form))
        optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
        for _ in range(5):
            for rows in torch.randperm(len(x)).split(50):
                signs = torch.where(torch.rand(len(rows), 1, 1, 1) < 0.5, x[rows], -x[rows])  # dark on light too
                F.cross_entropy(model(signs), y[rows]).backward()
                optimizer.step()
                optimizer.zero_grad()
    return {name: one.detach().clone() for name, one in model.body.state_dict().items()}


BODIES: dict[str, tuple[Callable[[Form], nn.Module], str, str]] = {
    "mobile": (mobile_body, "relu6", "batch"),
    "next": (next_body, "gelu", "layer"),
    "dense": (dense_body, "relu", "batch"),
    "inception": (inception_body, "relu", "batch"),
    "group": (group_body, "silu", "group"),
    "bottleneck": (bottleneck_body, "relu", "batch"),
    "probe": (Coloured, "relu6", "batch"),
    "old": (old_body, "tanh", "none"),
    "perceptron": (perceptron_body, "relu", "batch"),
    "alex": (alex_body, "relu", "none"),
    "plain": (AllConvolutional, "leaky", "none"),
}
"""Network -> its body, and the activation and the normalisation it has by itself. `plain` is whole."""


def network(name: str, form: Form) -> nn.Module:
    """A network by its name; empty activation and normalisation are its own."""
    body, activation, norm = BODIES[name]
    form = replace(form, activation=form.activation or activation, norm=form.norm or norm)
    if name == "plain":
        return body(form)
    return Headed(form, body(form), pooled=name not in ("old", "perceptron", "alex"))
