"""Networks of the part that is beyond: none of them is anywhere else in the corpus. Their form and head are the fresh part's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from apart.blocks import ACTIVATIONS, normal, unit
from beyond.images import images
from fresh.networks import Form, Headed
from held.pixels import prepared


def keras_body(form: Form) -> nn.Sequential:
    """Conv, conv, pool, dropout, twice; then a dense layer: the example that everybody begins with."""
    layers: list[nn.Module] = []
    incoming = form.channels
    for outgoing in (form.wide, 2 * form.wide):
        layers.append(unit(form, incoming, outgoing))
        layers += [unit(form, outgoing, outgoing) for _ in range(form.depth)]
        layers += [nn.MaxPool2d(2), nn.Dropout(form.dropout / 2)]
        incoming = outgoing
    size = incoming * (form.height // 4) * (form.across // 4)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(size, 8 * form.wide), ACTIVATIONS[form.activation]())


class Added(nn.Module):
    """What comes in, and what layers make of it, added."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x + self.layers(x)


def nine_body(form: Form) -> nn.Sequential:
    """Few wide layers, pools, two ways around: made to be quick on CIFAR-10 (Page 2018)."""
    wide = form.wide
    layers: list[nn.Module] = [unit(form, form.channels, wide), unit(form, wide, 2 * wide), nn.MaxPool2d(2)]
    layers += [Added(unit(form, 2 * wide, 2 * wide), unit(form, 2 * wide, 2 * wide)) for _ in range(form.depth)]
    layers += [unit(form, 2 * wide, 4 * wide), nn.MaxPool2d(2)]
    layers.append(Added(unit(form, 4 * wide, 4 * wide), unit(form, 4 * wide, 4 * wide)))
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(2))


class Ushaped(nn.Module):
    """Down, further down, and up again beside what was there (Ronneberger et al. 2015); what it draws is averaged for a class."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        wide = form.wide
        self.down = nn.Sequential(unit(form, form.channels, wide), unit(form, wide, wide, stride=2))
        self.deep = nn.Sequential(
            nn.MaxPool2d(2), unit(form, wide, 2 * wide), *(unit(form, 2 * wide, 2 * wide) for _ in range(form.depth))
        )
        self.up = nn.Upsample(scale_factor=2)
        self.last = nn.Sequential(unit(form, 3 * wide, 3 * wide, stride=2), unit(form, 3 * wide, 4 * wide))

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        kept = self.down(x)
        risen = self.up(self.deep(kept))
        kept = kept[:, :, : risen.shape[2], : risen.shape[3]]
        return self.last(torch.cat([kept, risen], dim=1))


class Ghost(nn.Module):
    """Half of the features are made by a convolution, the other half of these, each by a cheap one (Han et al. 2020)."""

    def __init__(self, form: Form, incoming: int, outgoing: int, stride: int = 1) -> None:
        super().__init__()
        half = outgoing // 2
        self.first = unit(form, incoming, half, stride=stride)
        self.cheap = unit(form, half, half, groups=half)

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        x = self.first(x)
        return torch.cat([x, self.cheap(x)], dim=1)


def ghost_body(form: Form) -> nn.Sequential:
    """A stem and two stages."""
    wide = 2 * form.wide
    layers: list[nn.Module] = [unit(form, form.channels, wide)]
    for incoming, outgoing in ((wide, 2 * wide), (2 * wide, 3 * wide)):
        layers.append(Ghost(form, incoming, outgoing, 2))
        layers += [Ghost(form, outgoing, outgoing) for _ in range(form.depth)]
    return nn.Sequential(*layers)


class Separable(nn.Module):
    """Depthwise and then pointwise, twice, a pool; and a way around (Chollet 2017)."""

    def __init__(self, form: Form, incoming: int, outgoing: int) -> None:
        super().__init__()

        def pair(begin: int) -> list[nn.Module]:
            return [
                ACTIVATIONS[form.activation](),
                nn.Conv2d(begin, begin, 3, padding=1, groups=begin, bias=False),
                nn.Conv2d(begin, outgoing, 1, bias=form.norm == "none"),
                normal(form, outgoing),
            ]

        self.layers = nn.Sequential(*pair(incoming), *pair(outgoing), nn.MaxPool2d(3, 2, padding=1))
        self.around = nn.Conv2d(incoming, outgoing, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return self.layers(x) + self.around(x)


def separable_body(form: Form) -> nn.Sequential:
    """A stem and two or more blocks."""
    wide = form.wide
    layers: list[nn.Module] = [unit(form, form.channels, wide), Separable(form, wide, 2 * wide)]
    layers += [Separable(form, 2 * wide if place == 0 else 4 * wide, 4 * wide) for place in range(form.depth)]
    return nn.Sequential(*layers, ACTIVATIONS[form.activation]())


class Pyramid(nn.Module):
    """Three scales, each seen by the head: means of all of them beside one another."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        wide = form.wide
        self.stages = nn.ModuleList()
        incoming = form.channels
        for outgoing in (wide, 2 * wide, 3 * wide):
            inner = [unit(form, outgoing, outgoing) for _ in range(form.depth)]
            self.stages.append(nn.Sequential(unit(form, incoming, outgoing, stride=2), *inner))
            incoming = outgoing

    def forward(self, x: Tensor) -> Tensor:
        """Features, shape (n, channels, 1, 1)."""
        seen = []
        for stage in self.stages:
            x = stage(x)
            seen.append(x.amax(dim=(2, 3), keepdim=True))
        return torch.cat(seen, dim=1)


def pixels_body(form: Form) -> nn.Sequential:
    """A perceptron with ways around, each after a normalisation."""
    width = 8 * form.wide
    layers: list[nn.Module] = [nn.Flatten(), nn.Linear(form.channels * form.height * form.across, width)]
    for _ in range(1 + form.depth):
        norm = [nn.LayerNorm(width)] if form.norm == "layer" else []
        layers.append(Added(*norm, nn.Linear(width, width), ACTIVATIONS[form.activation](), nn.Linear(width, width)))
    return nn.Sequential(*layers, ACTIVATIONS[form.activation]())


class Rows(nn.Module):
    """The picture read from left to right, a column at a time, by gated units; what is remembered last goes on (Cho et al. 2014)."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.read = nn.GRU(form.channels * form.height, 6 * form.wide, form.depth, batch_first=True)
        self.then = nn.Sequential(nn.Linear(6 * form.wide, 6 * form.wide), ACTIVATIONS[form.activation]())

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        _, last = self.read(x.flatten(1, 2).transpose(1, 2))
        return self.then(last[-1])


def shallow_body(form: Form) -> nn.Sequential:
    """One convolution of large filters with a stride, one hidden layer, and saturating activations."""
    act = ACTIVATIONS[form.activation]
    layers: list[nn.Module] = [nn.Conv2d(form.channels, 2 * form.wide, 7, 2, padding=3), act(), nn.Flatten()]
    size = 2 * form.wide * -(-form.height // 2) * -(-form.across // 2)
    for _ in range(form.depth):
        layers += [nn.Linear(size, 6 * form.wide), act()]
        size = 6 * form.wide
    return nn.Sequential(*layers)


class Adopted(nn.Module):
    """A body for grey pictures of one size that was trained before: others are made grey and of that size."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.layers = ghost_body(replace(form, channels=1, height=20, across=20, wide=8))

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return self.layers(F.interpolate(x.mean(dim=1, keepdim=True), size=(20, 20), mode="bilinear"))


@functools.cache
def trained_body() -> dict[str, Tensor]:
    """Weights of an adopted body that was trained on segments and their negatives: the same every time, some seconds, once in a process."""
    with torch.random.fork_rng():
        torch.manual_seed(83)
        found = images("segments")
        x, y = prepared("standard", found, found.train), torch.from_numpy(found.train_labels)
        form = Form(1, 20, 14, found.classes, 8, "relu", "batch", 0.1, 0.0, 1, detached=False)
        model = Headed(form, Adopted(form))
        optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
        for _ in range(5):
            for rows in torch.randperm(len(x)).split(45):
                signs = torch.where(torch.rand(len(rows), 1, 1, 1) < 0.5, x[rows], -x[rows])
                F.cross_entropy(model(signs), y[rows]).backward()
                optimizer.step()
                optimizer.zero_grad()
    return {name: one.detach().clone() for name, one in model.body.state_dict().items()}


BODIES: dict[str, tuple[Callable[[Form], nn.Module], str, str]] = {
    "keras": (keras_body, "relu", "none"),
    "nine": (nine_body, "relu", "batch"),
    "ushaped": (Ushaped, "leaky", "batch"),
    "ghost": (ghost_body, "relu", "batch"),
    "separable": (separable_body, "relu", "batch"),
    "pyramid": (Pyramid, "elu", "none"),
    "pixels": (pixels_body, "relu", "layer"),
    "rows": (Rows, "relu", "none"),
    "shallow": (shallow_body, "tanh", "none"),
    "adopted": (Adopted, "relu", "batch"),
}
"""Network -> its body, and the activation and the normalisation it has by itself."""

FLAT = ("keras", "nine", "pixels", "rows", "shallow")


def network(name: str, form: Form) -> nn.Module:
    """A network by its name; empty activation and normalisation are its own."""
    body, activation, norm = BODIES[name]
    form = replace(form, activation=form.activation or activation, norm=form.norm or norm)
    return Headed(form, body(form), pooled=name not in FLAT)
