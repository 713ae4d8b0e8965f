"""Networks of the part that is apart: none of them is anywhere else in the corpus. Their form and head are the fresh part's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from apart.blocks import ACTIVATIONS, Around, Branched, Broad, Highway, Residue, Scaled, Weighed, normal, unit
from apart.images import images
from fresh.networks import Form, Headed
from held.pixels import prepared


def efficient_body(form: Form) -> nn.Sequential:
    """A stem and two stages of scaled blocks."""
    wide = form.wide
    layers: list[nn.Module] = [unit(form, form.channels, wide, stride=2 if form.height >= 28 else 1)]
    for incoming, outgoing in ((wide, 2 * wide), (2 * wide, 3 * wide)):
        layers.append(Scaled(form, incoming, outgoing, 2))
        layers += [Scaled(form, outgoing, outgoing, 1) for _ in range(form.depth)]
    return nn.Sequential(*layers, unit(form, 3 * wide, 6 * wide, 1))


def branched_body(form: Form) -> nn.Sequential:
    """A stem and two stages."""
    wide = form.wide
    layers: list[nn.Module] = [Branched(form, form.channels, wide, 2 if form.height >= 28 else 1)]
    for incoming, outgoing in ((wide, 2 * wide), (2 * wide, 3 * wide)):
        layers.append(Branched(form, incoming, outgoing, 2))
        layers += [Branched(form, outgoing, outgoing, 1) for _ in range(form.depth)]
    return nn.Sequential(*layers)


def highway_body(form: Form) -> nn.Sequential:
    """Convolutions with gates, a pool after every second."""
    layers: list[nn.Module] = [unit(form, form.channels, 2 * form.wide)]
    for _ in range(2):
        layers += [Highway(form, 2 * form.wide) for _ in range(1 + form.depth)]
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def broad_body(form: Form) -> nn.Sequential:
    """Two stages of few wide blocks."""
    wide = 2 * form.wide
    layers: list[nn.Module] = [nn.Conv2d(form.channels, form.wide, 3, 2 if form.height >= 28 else 1, padding=1)]
    for incoming, outgoing, stride in ((form.wide, wide, 1), (wide, 2 * wide, 2)):
        layers.append(Broad(form, incoming, outgoing, stride))
        layers += [Broad(form, outgoing, outgoing, 1) for _ in range(form.depth - 1)]
    return nn.Sequential(*layers, normal(form, 2 * wide), ACTIVATIONS[form.activation]())


class Voting(nn.Module):
    """Small perceptrons over every place, the last of which votes for classes; the mean of all places decides (Lin et al. 2014)."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        wide, self.detached = form.wide, form.detached
        self.body = nn.Sequential(
            unit(form, form.channels, 2 * wide, 5),
            *(unit(form, 2 * wide, 2 * wide, 1) for _ in range(form.depth)),
            nn.MaxPool2d(3, 2, padding=1),
            unit(form, 2 * wide, 3 * wide, 3),
            *(unit(form, 3 * wide, 3 * wide, 1) for _ in range(form.depth)),
            nn.AvgPool2d(3, 2, padding=1),
            unit(form, 3 * wide, 3 * wide, 3),
        )
        self.drop = nn.Dropout(form.dropout)
        self.head = nn.Conv2d(3 * wide, form.classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = self.body(x)
        return self.head(self.drop(x.detach() if self.detached else x)).mean(dim=(2, 3))


def response_body(form: Form) -> nn.Sequential:
    """Convolutions with local response normalisation, pools, a hidden layer (Krizhevsky et al. 2012, in Simonyan's depth)."""
    layers: list[nn.Module] = []
    incoming = form.channels
    for outgoing in (form.wide, 2 * form.wide):
        layers += [unit(form, incoming, outgoing), unit(form, outgoing, outgoing), nn.MaxPool2d(2)]
        incoming = outgoing
    layers += [unit(form, incoming, incoming) for _ in range(form.depth)]
    hidden = 8 * form.wide
    size = incoming * (form.height // 4) * (form.across // 4)
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Dropout(form.dropout), nn.Linear(size, hidden), ACTIVATIONS[form.activation]()
    )


def weighed_body(form: Form) -> nn.Sequential:
    """A stem and two stages."""
    wide = form.wide
    stride = 2 if form.height >= 28 else 1
    layers: list[nn.Module] = [Weighed(form.channels, wide, 3, stride, padding=1), normal(form, wide), nn.ReLU()]
    for incoming, outgoing in ((wide, 2 * wide), (2 * wide, 4 * wide)):
        layers.append(Residue(form, incoming, outgoing, 2))
        layers += [Residue(form, outgoing, outgoing, 1) for _ in range(form.depth - 1)]
    return nn.Sequential(*layers)


class Compact(nn.Module):
    """Convolutions make tokens, a small transformer looks at them, and they are weighed into one (Hassani et al. 2021)."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        width = 4 * form.wide
        self.tokens = nn.Sequential(
            nn.Conv2d(form.channels, 2 * form.wide, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1),
            nn.Conv2d(2 * form.wide, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1),
        )  # fmt: skip
        count = -(-form.height // 4) * -(-form.across // 4)
        self.places = nn.Parameter(0.1 * torch.randn(1, count, width))
        self.encoder = nn.Sequential(
            *(
                nn.TransformerEncoderLayer(width, 2, 2 * width, form.dropout, "gelu", batch_first=True, norm_first=True)
                for _ in range(form.depth)
            )
        )
        self.norm, self.weigh = nn.LayerNorm(width), nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Features, shape (n, channels, 1, 1)."""
        x = self.tokens(x).flatten(2).transpose(1, 2) + self.places
        x = self.norm(self.encoder(x))
        return (F.softmax(self.weigh(x), dim=1) * x).sum(1)[:, :, None, None]


def patches_body(form: Form) -> nn.Sequential:
    """Patches, then large depthwise convolutions with a way around and convolutions of 1 by 1 by turns (Trockman and Kolter 2022)."""
    width, patch = 4 * form.wide, max(2, form.height // 10)
    act = ACTIVATIONS[form.activation]
    layers: list[nn.Module] = [nn.Conv2d(form.channels, width, patch, patch), act(), normal(form, width)]
    for _ in range(form.depth):
        layers += [
            Around(nn.Sequential(nn.Conv2d(width, width, 5, padding=2, groups=width), act(), normal(form, width))),
            nn.Conv2d(width, width, 1), act(), normal(form, width),
        ]  # fmt: skip
    return nn.Sequential(*layers)


def tanh_body(form: Form) -> nn.Sequential:
    """Two convolutions of 5 by 5 with means between them, two hidden layers (LeCun et al. 1998)."""
    wide, act = form.wide, ACTIVATIONS[form.activation]
    layers: list[nn.Module] = [
        unit(form, form.channels, wide, 5), nn.AvgPool2d(2), unit(form, wide, 2 * wide, 5), nn.AvgPool2d(2),
        nn.Flatten(),
    ]  # fmt: skip
    size = 2 * wide * (form.height // 4) * (form.across // 4)
    for width in (12 * wide, *(8 * wide,) * form.depth):
        layers += [nn.Linear(size, width), act()]
        size = width
    return nn.Sequential(*layers)


def steady_body(form: Form) -> nn.Sequential:
    """Plain convolutions under an activation that keeps mean and deviation (Klambauer et al. 2017)."""
    layers: list[nn.Module] = []
    incoming = form.channels
    for outgoing in (form.wide, 2 * form.wide, 3 * form.wide):
        layers.append(unit(form, incoming, outgoing, stride=2))
        layers += [unit(form, outgoing, outgoing) for _ in range(form.depth)]
        incoming = outgoing
    for layer in (one for part in layers for one in part.modules() if isinstance(one, nn.Conv2d)):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
    return nn.Sequential(*layers)


def sloped_body(form: Form) -> nn.Sequential:
    """Convolutions whose activations learn their slope (He et al. 2015), pools, and all places kept for the head."""
    layers: list[nn.Module] = []
    incoming = form.channels
    for outgoing in (form.wide, 2 * form.wide):
        layers.append(unit(form, incoming, outgoing, 5))
        layers += [unit(form, outgoing, outgoing) for _ in range(form.depth - 1)]
        layers.append(nn.MaxPool2d(2))
        incoming = outgoing
    layers += [unit(form, incoming, 2 * form.wide), nn.MaxPool2d(2)]
    return nn.Sequential(*layers)


def critic_body(form: Form) -> nn.Sequential:
    """What tells real pictures from made ones: 4 by 4 with a stride, no normalisation in the first (Radford et al. 2016)."""
    layers: list[nn.Module] = [nn.Conv2d(form.channels, form.wide, 4, 2, 1), ACTIVATIONS[form.activation]()]
    incoming = form.wide
    for outgoing in (2 * form.wide, 4 * form.wide, *(4 * form.wide,) * (form.depth - 1)):
        layers += [
            nn.Conv2d(incoming, outgoing, 4, 2, 1, bias=form.norm == "none"),
            normal(form, outgoing),
            ACTIVATIONS[form.activation](),
        ]
        incoming = outgoing
    return nn.Sequential(*layers)


class Handed(nn.Module):
    """A body for pictures in colour that was trained before, with a hidden layer between it and the head."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.layers = branched_body(replace(form, channels=3, height=20, across=20))

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return self.layers(x.expand(-1, 3, -1, -1))


@functools.cache
def trained_body() -> dict[str, Tensor]:
    """Weights of a handed body that was trained on arrows: the same every time, some seconds, once in a process."""
    with torch.random.fork_rng():
        torch.manual_seed(79)
        found = images("arrows")
        x, y = prepared("standard", found, found.train), torch.from_numpy(found.train_labels)
        form = Form(3, 20, 20, found.classes, 8, "relu", "batch", 0.1, 0.0, 1, detached=False)
        model = Headed(form, Handed(form))
        optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
        for _ in range(6):
            for rows in torch.randperm(len(x)).split(40):
                F.cross_entropy(model(x[rows]), y[rows]).backward()
                optimizer.step()
                optimizer.zero_grad()
    return {name: one.detach().clone() for name, one in model.body.state_dict().items()}


BODIES: dict[str, tuple[Callable[[Form], nn.Module], str, str]] = {
    "efficient": (efficient_body, "silu", "batch"),
    "branched": (branched_body, "relu", "batch"),
    "highway": (highway_body, "relu", "none"),
    "broad": (broad_body, "relu", "batch"),
    "response": (response_body, "relu", "response"),
    "weighed": (weighed_body, "relu", "group"),
    "compact": (Compact, "gelu", "layer"),
    "patches": (patches_body, "gelu", "batch"),
    "lenet-5": (tanh_body, "tanh", "none"),
    "steady": (steady_body, "selu", "none"),
    "sloped": (sloped_body, "sloped", "none"),
    "critic": (critic_body, "leaky", "instance"),
    "handed": (Handed, "relu", "batch"),
}
"""Network -> its body, and the activation and the normalisation it has by itself; `voting` is whole."""

FLAT = ("response", "lenet-5", "sloped")


def network(name: str, form: Form) -> nn.Module:
    """A network by its name; empty activation and normalisation are its own."""
    if name == "voting":
        return Voting(replace(form, activation=form.activation or "relu", norm=form.norm or "none"))
    body, activation, norm = BODIES[name]
    form = replace(form, activation=form.activation or activation, norm=form.norm or norm)
    return Headed(form, body(form), pooled=name not in FLAT)
