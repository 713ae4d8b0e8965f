"""Networks of the unseen part: none of them is anywhere else in the corpus. Their form, units and head are the fresh part's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fresh.networks import ACTIVATIONS, Form, Headed, normal, unit
from held.pixels import prepared
from unseen.images import images


class Excite(nn.Module):
    """Channels weighed by what is seen as a whole (Hu et al. 2018)."""

    def __init__(self, form: Form, channels: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(channels, channels // 2), nn.Linear(channels // 2, channels)
        self.act = ACTIVATIONS[form.activation]()

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x * torch.sigmoid(self.up(self.act(self.down(x.mean(dim=(2, 3))))))[:, :, None, None]


def squeeze_body(form: Form) -> nn.Sequential:
    """Two stages of units, each weighed by squeeze and excitation."""
    layers: list[nn.Module] = []
    incoming = form.channels
    for outgoing in (form.wide, 2 * form.wide):
        for place in range(1 + form.depth):
            layers.append(unit(form, incoming, outgoing, stride=1 if place else 2))
            incoming = outgoing
        layers.append(Excite(form, outgoing))
    return nn.Sequential(*layers)


class Shuffle(nn.Module):
    """Half of the channels through a depthwise convolution between two of 1 by 1, then all shuffled (Ma et al. 2018)."""

    def __init__(self, form: Form, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.branch = nn.Sequential(
            unit(form, half, half, 1),
            nn.Conv2d(half, half, 3, padding=1, groups=half, bias=form.norm == "none"),
            normal(form, half),
            unit(form, half, half, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        left, right = x.chunk(2, dim=1)
        return torch.stack([left, self.branch(right)], dim=2).flatten(1, 2)


def shuffle_body(form: Form) -> nn.Sequential:
    """A stem and two stages, each smaller by a convolution with a stride."""
    wide = form.wide
    layers: list[nn.Module] = [unit(form, form.channels, wide)]
    for incoming, outgoing in ((wide, 2 * wide), (2 * wide, 4 * wide)):
        layers.append(unit(form, incoming, outgoing, stride=2))
        layers += [Shuffle(form, outgoing) for _ in range(form.depth)]
    return nn.Sequential(*layers)


class Mixing(nn.Module):
    """Layer normalisation and a perceptron over the last dimension, added."""

    def __init__(self, form: Form, over: int, normed: int, *, across: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(normed) if form.norm == "layer" else nn.Identity()
        self.layers = nn.Sequential(
            nn.Linear(over, 2 * over), ACTIVATIONS[form.activation](), nn.Linear(2 * over, over)
        )
        self.across = across

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        inner = self.norm(x)
        return x + (self.layers(inner.transpose(1, 2)).transpose(1, 2) if self.across else self.layers(inner))


class Tokens(nn.Module):
    """A picture cut into patches of `patch`, blocks over them, a normalisation; the patches stay apart as places."""

    def __init__(self, form: Form, patch: int, channels: int, block: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.cut = nn.Conv2d(form.channels, channels, patch, patch)
        count = (form.height // patch) * (form.across // patch)
        self.places = nn.Parameter(0.02 * torch.randn(count, channels))
        self.blocks = nn.Sequential(*(block(count) for _ in range(form.depth)))
        self.norm = nn.LayerNorm(channels) if form.norm == "layer" else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Features of every patch, shape (n, channels, patches, 1)."""
        x = self.cut(x).flatten(2).transpose(1, 2) + self.places
        return self.norm(self.blocks(x)).transpose(1, 2)[..., None]


def mixer_body(form: Form) -> nn.Module:
    """Perceptrons over places and over channels by turns (Tolstikhin et al. 2021)."""
    channels = 4 * form.wide

    def block(count: int) -> nn.Module:
        return nn.Sequential(Mixing(form, count, channels, across=True), Mixing(form, channels, channels, across=False))

    return Tokens(form, 4, channels, block)


class Attention(nn.Module):
    """Places looked up by one another, two heads, added (Vaswani et al. 2017)."""

    def __init__(self, form: Form, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels) if form.norm == "layer" else nn.Identity()
        self.asked, self.given = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        query, key, value = (one.unflatten(2, (2, -1)).transpose(1, 2) for one in self.asked(self.norm(x)).chunk(3, 2))
        seen = F.scaled_dot_product_attention(query, key, value)
        return x + self.given(seen.transpose(1, 2).flatten(2))


def attend_body(form: Form) -> nn.Module:
    """A convolution, then blocks of attention and perceptrons over what it gives (Dosovitskiy et al. 2021, small)."""
    wide = form.wide
    stem = unit(form, form.channels, wide)
    inner = replace(form, channels=wide)

    def block(_count: int) -> nn.Module:
        return nn.Sequential(Attention(form, 3 * wide), Mixing(form, 3 * wide, 3 * wide, across=False))

    return nn.Sequential(stem, Tokens(inner, 4, 3 * wide, block))


def strided_body(form: Form) -> nn.Sequential:
    """Convolutions alone: every second one has a stride where others pool, and the last is of 1 by 1."""
    layers: list[nn.Module] = []
    incoming = form.channels
    for outgoing in (form.wide, 2 * form.wide):
        for _ in range(form.depth):
            layers.append(unit(form, incoming, outgoing))
            incoming = outgoing
        layers.append(unit(form, incoming, outgoing, stride=2))
    return nn.Sequential(*layers, unit(form, incoming, 3 * form.wide, 1))


class Most(nn.Module):
    """The largest of three linear units (Goodfellow et al. 2013)."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        super().__init__()
        self.linear = nn.Linear(incoming, 3 * outgoing)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (n, outgoing)."""
        return self.linear(x).unflatten(1, (-1, 3)).amax(dim=2)


def maxout_body(form: Form) -> nn.Sequential:
    """`depth` hidden layers of maxout units."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = form.channels * form.height * form.across
    for _ in range(form.depth):
        layers.append(Most(width, 6 * form.wide))
        width = 6 * form.wide
    return nn.Sequential(*layers)


def smooth_body(form: Form) -> nn.Sequential:
    """Three units with a stride of two, `depth` more between them."""
    layers: list[nn.Module] = []
    incoming = form.channels
    for outgoing in (form.wide, 2 * form.wide, 3 * form.wide):
        layers.append(unit(form, incoming, outgoing, stride=2))
        layers += [unit(form, outgoing, outgoing) for _ in range(form.depth)]
        incoming = outgoing
    return nn.Sequential(*layers)


def tower_body(form: Form) -> nn.Sequential:
    """Two units and a pool, twice, then a hidden layer; all of them normalised (Simonyan and Zisserman 2015, Ioffe and Szegedy 2015)."""
    layers: list[nn.Module] = []
    incoming = form.channels
    for outgoing in (form.wide, 2 * form.wide):
        for _ in range(1 + form.depth):
            layers.append(unit(form, incoming, outgoing))
            incoming = outgoing
        layers.append(nn.MaxPool2d(2))
    hidden = 6 * form.wide
    layers += [nn.Flatten(), nn.Linear(incoming * (form.height // 4) * (form.across // 4), hidden)]
    if form.norm == "batch":
        layers.append(nn.BatchNorm1d(hidden, momentum=form.norm_momentum))
    return nn.Sequential(*layers, ACTIVATIONS[form.activation]())


def dilated_body(form: Form) -> nn.Sequential:
    """A pool, and convolutions that look further and further (Yu and Koltun 2016)."""
    layers: list[nn.Module] = [unit(form, form.channels, form.wide), nn.MaxPool2d(2)]
    incoming = form.wide
    for reach in (1, 2, 3)[: 1 + form.depth] if form.depth < 3 else (1, 2, 3, *(1,) * form.depth):
        layers += [
            nn.Conv2d(incoming, 2 * form.wide, 3, padding=reach, dilation=reach, bias=form.norm == "none"),
            normal(form, 2 * form.wide),
            ACTIVATIONS[form.activation](),
        ]
        incoming = 2 * form.wide
    return nn.Sequential(*layers)


class Gate(nn.Module):
    """One half of the channels, each times how far the other half opens it (Dauphin et al. 2017)."""

    def __init__(self, form: Form, incoming: int, outgoing: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(incoming, 2 * outgoing, 3, padding=1, bias=form.norm == "none")
        self.norm = normal(form, 2 * outgoing)

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return F.glu(self.norm(self.convolution(x)), dim=1)


def gated_body(form: Form) -> nn.Sequential:
    """Gated convolutions, a pool after each but the last."""
    layers: list[nn.Module] = []
    incoming = form.channels
    for outgoing in (form.wide, *(2 * form.wide,) * form.depth):
        layers += [Gate(form, incoming, outgoing), nn.MaxPool2d(2)]
        incoming = outgoing
    return nn.Sequential(*layers[:-1])


class Fire(nn.Module):
    """1 by 1 down, then 1 by 1 and 3 by 3 beside each other (Iandola et al. 2016)."""

    def __init__(self, form: Form, incoming: int, outgoing: int) -> None:
        super().__init__()
        self.down = unit(form, incoming, outgoing // 2, 1)
        self.one = unit(form, outgoing // 2, outgoing // 2, 1)
        self.three = unit(form, outgoing // 2, outgoing // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        x = self.down(x)
        return torch.cat([self.one(x), self.three(x)], dim=1)


def fire_body(form: Form) -> nn.Sequential:
    """A stem, a pool, `1 + depth` fire modules with a pool after the first."""
    wide = form.wide
    layers: list[nn.Module] = [unit(form, form.channels, wide), nn.MaxPool2d(2), Fire(form, wide, 2 * wide)]
    layers.append(nn.MaxPool2d(2))
    layers += [Fire(form, 2 * wide, 2 * wide) for _ in range(form.depth)]
    return nn.Sequential(*layers)


class Borrowed(nn.Module):
    """A body for pictures in colour, which are made of grey ones by repeating them."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.layers = shuffle_body(replace(form, channels=3))

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return self.layers(x.expand(-1, 3, -1, -1))


@functools.cache
def trained_body() -> dict[str, Tensor]:
    """Weights of a borrowed body that was trained on written strokes: the same every time, some seconds, once in a process."""
    with torch.random.fork_rng():
        torch.manual_seed(78)
        found = images("strokes")
        x, y = prepared("standard", found, found.train), torch.from_numpy(found.train_labels)
        form = Form(1, 20, 20, found.classes, 10, "relu", "batch", 0.1, 0.0, 1, detached=False)
        model = Headed(form, Borrowed(form))
        optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
        for _ in range(4):
            for rows in torch.randperm(len(x)).split(40):
                light = x[rows] * torch.where(torch.rand(len(rows), 1, 1, 1) < 0.5, 1.0, -1.0)
                F.cross_entropy(model(light), y[rows]).backward()
                optimizer.step()
                optimizer.zero_grad()
    return {name: one.detach().clone() for name, one in model.body.state_dict().items()}


BODIES: dict[str, tuple[Callable[[Form], nn.Module], str, str]] = {
    "squeeze": (squeeze_body, "relu", "batch"),
    "shuffle": (shuffle_body, "relu", "batch"),
    "mixer": (mixer_body, "gelu", "layer"),
    "attend": (attend_body, "gelu", "layer"),
    "strided": (strided_body, "relu", "none"),
    "maxout": (maxout_body, "none", "none"),
    "smooth": (smooth_body, "silu", "layer"),
    "tower": (tower_body, "relu", "batch"),
    "dilated": (dilated_body, "elu", "none"),
    "gated": (gated_body, "none", "group"),
    "fire": (fire_body, "relu", "none"),
    "borrowed": (Borrowed, "relu", "batch"),
}
"""Network -> its body, and the activation and the normalisation it has by itself."""


def network(name: str, form: Form) -> Headed:
    """A network by its name; empty activation and normalisation are its own."""
    body, activation, norm = BODIES[name]
    form = replace(form, activation=form.activation or activation, norm=form.norm or norm)
    return Headed(form, body(form), pooled=name not in ("maxout", "tower"))
