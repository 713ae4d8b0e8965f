"""Networks of the part that is anew, written as people write theirs; none is anywhere else in the corpus. Each has `features` and a last layer `fc`."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anew.blocks import ACTIVATIONS, FUNCTIONS, BasicBlock, Inception, InvertedResidual, conv, normal
from anew.images import images
from fresh.networks import Form


class Net(nn.Module):
    """Features and a last layer; `detached` is what is wrong where it is true: the features are computed under no_grad."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form, self.detached = form, form.detached

    def finish(self) -> None:
        """Adds the last layer, of the width that the features have."""
        form = self.form
        self.eval()
        with torch.no_grad():
            width = self.features(torch.zeros(1, form.channels, form.height, form.across)).shape[1]
        self.train()
        self.fc = nn.Linear(width, form.classes)

    def features(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        if self.detached:
            with torch.no_grad():
                x = self.features(x)
        else:
            x = self.features(x)
        return self.fc(x)


class CifarNet(Net):
    """Two convolutions with pools and dense layers, activations as functions: the one of PyTorch's tutorial."""

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        wide = form.wide
        self.act = FUNCTIONS[form.activation]
        self.conv1 = nn.Conv2d(form.channels, wide, 5)
        self.norm1 = normal(form, wide)
        self.pool = nn.MaxPool2d(2, 2)
        self.more = nn.ModuleList(nn.Conv2d(wide, wide, 3, padding=1) for _ in range(form.depth - 1))
        self.conv2 = nn.Conv2d(wide, 2 * wide + 4, 5)
        self.norm2 = normal(form, 2 * wide + 4)
        side, across = (((one - 4) // 2 - 4) // 2 for one in (form.height, form.across))
        self.fc1 = nn.Linear((2 * wide + 4) * side * across, 12 * wide)
        self.fc2 = nn.Linear(12 * wide, 8 * wide)
        self.drop = nn.Dropout(form.dropout)
        self.finish()

    def features(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        x = self.pool(self.act(self.norm1(self.conv1(x))))
        for layer in self.more:
            x = self.act(layer(x))
        x = self.pool(self.act(self.norm2(self.conv2(x))))
        x = torch.flatten(x, 1)
        x = self.act(self.fc1(x))
        return self.act(self.fc2(self.drop(x)))


class VggSix(Net):
    """Three times two convolutions and a pool, one dense layer; no normalisation."""

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        layers: list[nn.Module] = []
        incoming = form.channels
        for outgoing in (form.wide, 2 * form.wide, 4 * form.wide):
            for _ in range(1 + form.depth):
                layers += [conv(form, incoming, outgoing), normal(form, outgoing), ACTIVATIONS[form.activation]()]
                incoming = outgoing
            layers.append(nn.MaxPool2d(2))
        self.convs = nn.Sequential(*layers)
        size = incoming * (form.height // 8) * (form.across // 8)
        self.dense = nn.Sequential(
            nn.Flatten(),
            nn.Linear(size, 8 * form.wide),
            ACTIVATIONS[form.activation](),
            nn.Dropout(form.dropout),
        )
        self.finish()

    def features(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.dense(self.convs(x))


class ResNet(Net):
    """ResNet-18's plan, narrow: a stem with a stride, four stages of blocks."""

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        wide = form.wide
        self.stem = nn.Sequential(
            conv(form, form.channels, wide, 5, 2), normal(form, wide), ACTIVATIONS[form.activation]()
        )
        blocks: list[nn.Module] = []
        incoming = wide
        for stage in range(4):
            outgoing = wide * 2 ** min(stage, 3)
            blocks.append(BasicBlock(form, incoming, outgoing, 1 if stage == 0 else 2))
            blocks += [BasicBlock(form, outgoing, outgoing, 1) for _ in range(form.depth - 1)]
            incoming = outgoing
        self.layers = nn.Sequential(*blocks)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.drop = nn.Dropout(form.dropout)
        self.finish()

    def features(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.drop(torch.flatten(self.avgpool(self.layers(self.stem(x))), 1))


class MobileNet(Net):
    """A stem, inverted residuals with ReLU6, a wide last convolution."""

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        wide, act = form.wide, ACTIVATIONS[form.activation]
        layers: list[nn.Module] = [conv(form, form.channels, wide, 3, 2), normal(form, wide), act()]
        incoming = wide
        for outgoing, stride in ((wide, 1), (2 * wide, 2), (3 * wide, 2)):
            layers.append(InvertedResidual(form, incoming, outgoing, stride))
            layers += [InvertedResidual(form, outgoing, outgoing, 1) for _ in range(form.depth)]
            incoming = outgoing
        layers += [conv(form, incoming, 8 * wide, 1), normal(form, 8 * wide), act()]
        self.body = nn.Sequential(*layers)
        self.drop = nn.Dropout(form.dropout)
        self.finish()

    def features(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.drop(self.body(x).mean([2, 3]))


class GoogLeNet(Net):
    """A stem and inceptions with a pool between."""

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        wide = form.wide
        layers: list[nn.Module] = [
            *(conv(form, form.channels, 2 * wide, 5, 2), normal(form, 2 * wide), ACTIVATIONS[form.activation]()),
            *(nn.MaxPool2d(3, 2, 1), Inception(form, 2 * wide, wide)),
        ]
        layers += [Inception(form, 5 * wide, wide) for _ in range(form.depth)]
        layers += [nn.MaxPool2d(3, 2, 1), Inception(form, 5 * wide, 2 * wide)]
        self.body = nn.Sequential(*layers)
        self.drop = nn.Dropout(form.dropout)
        self.finish()

    def features(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.drop(F.adaptive_avg_pool2d(self.body(x), 1).flatten(1))


class TanhNet(Net):
    """Pixels, hidden layers under tanh, scores."""

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        self.act, self.drop = FUNCTIONS[form.activation], nn.Dropout(form.dropout)
        sizes = [form.channels * form.height * form.across, 16 * form.wide, *([8 * form.wide] * form.depth)]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.finish()

    def features(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        x = x.view(x.size(0), -1)
        for layer in self.hidden:
            x = self.drop(self.act(layer(x)))
        return x


class GeluNet(Net):
    """Convolutions with strides, each under layer normalisation and GELU."""

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        layers: list[nn.Module] = []
        incoming = form.channels
        for outgoing in (form.wide, 2 * form.wide, 4 * form.wide):
            for place in range(form.depth):
                stride = 2 if place == 0 else 1
                layers += [
                    conv(form, incoming, outgoing, 3, stride), normal(form, outgoing), ACTIVATIONS[form.activation](),
                ]  # fmt: skip
                incoming = outgoing
        self.blocks = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(form.dropout))
        self.finish()

    def features(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.blocks(x)


class EluNet(Net):
    """Convolutions under ELU with average pools, one dense layer."""

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        act = ACTIVATIONS[form.activation]
        layers: list[nn.Module] = []
        incoming, side, across = form.channels, form.height, form.across
        for outgoing in (form.wide, 2 * form.wide, 3 * form.wide):
            layers += [conv(form, incoming, outgoing, 3), normal(form, outgoing), act()]
            for _ in range(form.depth - 1):
                layers += [conv(form, outgoing, outgoing, 3), normal(form, outgoing), act()]
            layers.append(nn.AvgPool2d(2))
            incoming, side, across = outgoing, side // 2, across // 2
        self.body = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(incoming * side * across, 6 * form.wide), act(), nn.Dropout(form.dropout)
        )
        self.finish()

    def features(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.body(x)


class Student(Net):
    """Convolution, batch normalisation, ReLU and a pool, three times: what is written in every first course."""

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        incoming = form.channels
        for stage, outgoing in enumerate((form.wide, 2 * form.wide, 3 * form.wide), 1):
            layers: list[nn.Module] = []
            for _ in range(form.depth):
                layers += [conv(form, incoming, outgoing), normal(form, outgoing), ACTIVATIONS[form.activation]()]
                incoming = outgoing
            self.add_module(f"block{stage}", nn.Sequential(*layers, nn.MaxPool2d(2)))
        self.drop = nn.Dropout(form.dropout)
        self.finish()

    def features(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        for stage in (1, 2, 3):
            x = self.get_submodule(f"block{stage}")(x)
        return self.drop(x.flatten(1))


class Transfer(Net):
    """A residual body for colour pictures of 32 by 32 that was trained before; grey ones get three equal channels."""

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        self.backbone = ResNet(replace(form, channels=3, height=32, across=32, wide=8, detached=False))
        self.backbone.fc = nn.Identity()  # type: ignore[assignment]
        self.finish()

    def features(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        x = x.expand(-1, 3, -1, -1)
        return self.backbone(x if x.shape[-1] == 32 else F.interpolate(x, size=(32, 32), mode="bilinear"))


@functools.cache
def trained_body() -> dict[str, Tensor]:
    """Weights of a backbone that was trained on floors: the same every time, some seconds, once in a process."""
    with torch.random.fork_rng():
        torch.manual_seed(97)
        found = images("floors")
        x = (torch.from_numpy(found.train).float() - 110) / 60
        y = torch.from_numpy(found.train_labels)
        model = ResNet(Form(3, 32, 32, found.classes, 8, "relu", "batch", 0.1, 0.0, 1, detached=False))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        for _ in range(5):
            for rows in torch.randperm(len(x)).split(40):
                optimizer.zero_grad()
                F.cross_entropy(model(x[rows].flip(3)), y[rows]).backward()
                optimizer.step()
        model.fc = nn.Identity()  # type: ignore[assignment]
    return {name: one.detach().clone() for name, one in model.state_dict().items()}


NETWORKS: dict[str, tuple[Callable[[Form], Net], str, str]] = {
    "cifarnet": (CifarNet, "relu", "none"),
    "vggsix": (VggSix, "relu", "none"),
    "resnet": (ResNet, "relu", "batch"),
    "mobilenet": (MobileNet, "relu6", "batch"),
    "googlenet": (GoogLeNet, "relu", "batch"),
    "tanhnet": (TanhNet, "tanh", "none"),
    "gelunet": (GeluNet, "gelu", "layer"),
    "elunet": (EluNet, "elu", "none"),
    "student": (Student, "relu", "batch"),
    "transfer": (Transfer, "relu", "batch"),
}
"""Network -> how it is made, and the activation and the normalisation it has by itself."""


def network(name: str, form: Form) -> Net:
    """A network by its name; empty activation and normalisation are its own."""
    made, activation, norm = NETWORKS[name]
    return made(replace(form, activation=form.activation or activation, norm=form.norm or norm))
