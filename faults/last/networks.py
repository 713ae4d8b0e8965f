"""Networks of the last part, written as in tutorials; none is anywhere else in the corpus. `body` gives features, `last` names the layer of the scores."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fresh.networks import Form
from last.images import images
from outside.blocks import ACTIVATIONS, bn, conv_bn, conv_dw
from outside.networks import Network


class TwoConv(Network):
    """Two convolutions of 3 by 3 with pools, one hidden layer: what every tutorial begins with."""

    last = "fc2"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        layers: list[nn.Module] = [*conv_bn(form, form.channels, w), nn.MaxPool2d(2), *conv_bn(form, w, 2 * w)]
        layers += [one for _ in range(form.depth - 1) for one in conv_bn(form, 2 * w, 2 * w)]
        size = 2 * w * (form.height // 4) * (form.across // 4)
        self.conv = nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten())
        self.fc1, self.relu = nn.Linear(size, 6 * w), self.act()
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.relu(self.fc1(self.conv(x)))


class ThreeConv(Network):
    """Three convolutions, twice as many filters after each pool, a dense layer of scores behind them."""

    last = "fc"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w, incoming = form.wide, form.channels
        layers: list[nn.Module] = []
        for oup in (w, 2 * w, 4 * w):
            for _ in range(form.depth):
                layers += conv_bn(form, incoming, oup)
                incoming = oup
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.features(x)


class FourConv(Network):
    """Four blocks of convolution, batch normalisation, ReLU; two of them pool; means over places."""

    last = "classifier"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        layers = [*conv_bn(form, form.channels, w), *conv_bn(form, w, w), nn.MaxPool2d(2)]
        layers += [*conv_bn(form, w, 2 * w), nn.MaxPool2d(2)]
        layers += [one for _ in range(form.depth) for one in conv_bn(form, 2 * w, 2 * w)]
        self.blocks, self.gap = nn.Sequential(*layers), nn.AdaptiveAvgPool2d(1)
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return torch.flatten(self.gap(self.blocks(x)), 1)


class FiveConv(Network):
    """A convolution of 5 by 5 with a stride, four of 3 by 3, two pools and a hidden layer; no normalisation, He's first weights."""

    last = "out"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        layers = [*conv_bn(form, form.channels, w, 5, 2), *conv_bn(form, w, 2 * w), nn.MaxPool2d(2)]
        layers += [*conv_bn(form, 2 * w, 2 * w), *conv_bn(form, 2 * w, 3 * w)]
        layers += [one for _ in range(form.depth) for one in conv_bn(form, 3 * w, 3 * w)]
        tall, across = (-(-(-(-one // 2) // 2) // 2) for one in (form.height, form.across))
        self.convs = nn.Sequential(*layers, nn.AvgPool2d(2, ceil_mode=True), nn.Flatten())
        self.hidden = nn.Sequential(nn.Linear(3 * w * tall * across, 6 * w), self.act())
        self.finish()
        for layer in (*self.convs, *self.hidden):
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.hidden(self.convs(x))


class LeNetCaffe(Network):
    """LeNet as Caffe has it: filters of 5 by 5 without padding, maxima, one hidden layer."""

    last = "ip2"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        layers = [nn.Conv2d(form.channels, w, 5), bn(form, w), nn.MaxPool2d(2, 2)]
        layers += [nn.Conv2d(w, 2 * w, 5), bn(form, 2 * w), nn.MaxPool2d(2, 2), nn.Flatten()]
        size = 2 * w * (((form.height - 4) // 2 - 4) // 2) * (((form.across - 4) // 2 - 4) // 2)
        for _ in range(form.depth):
            layers += [nn.Linear(size, 10 * w), self.act()]
            size = 10 * w
        self.layers = nn.Sequential(*layers)
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.layers(x)


class LeNetMean(Network):
    """LeNet with ReLU after every layer, means for pools, two hidden layers."""

    last = "fc3"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        layers = [*conv_bn(form, form.channels, w, 5), nn.AvgPool2d(2), *conv_bn(form, w, 2 * w, 5), nn.AvgPool2d(2)]
        layers += [one for _ in range(form.depth - 1) for one in conv_bn(form, 2 * w, 2 * w, 5)]
        size = 2 * w * (form.height // 4) * (form.across // 4)
        layers += [nn.Flatten(), nn.Linear(size, 10 * w), self.act(), nn.Linear(10 * w, 7 * w), self.act()]
        self.layers = nn.Sequential(*layers)
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.layers(x)


class SmallVGG(Network):
    """Two convolutions and a pool, twice or three times over; `hidden` layers before the scores."""

    last = "classifier"

    def __init__(self, form: Form, blocks: int = 2, *, hidden: bool = True) -> None:
        super().__init__(form)
        w, incoming = form.wide, form.channels
        layers: list[nn.Module] = []
        for place in range(blocks):
            for _ in range(1 + form.depth):
                layers += conv_bn(form, incoming, w * 2**place)
                incoming = w * 2**place
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers, nn.Flatten())
        size = incoming * (form.height // 2**blocks) * (form.across // 2**blocks)
        self.dense = nn.Sequential(nn.Linear(size, 8 * w), self.act()) if hidden else nn.Identity()
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.dense(self.features(x))


class Residual(nn.Module):
    """Two convolutions and a way around, which is a 1 by 1 where the size changes."""

    def __init__(self, form: Form, inp: int, oup: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *conv_bn(form, inp, oup, 3, stride), nn.Conv2d(oup, oup, 3, 1, 1, bias=form.norm == "none"), bn(form, oup)
        )
        self.shortcut = nn.Identity()
        if stride != 1 or inp != oup:
            self.shortcut = nn.Sequential(nn.Conv2d(inp, oup, 1, stride, bias=False), bn(form, oup))
        self.act = ACTIVATIONS[form.activation]()

    def forward(self, x: Tensor) -> Tensor:
        """Features."""
        return self.act(self.body(x) + self.shortcut(x))


class ResNetTen(Network):
    """A stem and one residual block at each of three sizes, or more, and means over places."""

    last = "fc"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        layers: list[nn.Module] = [*conv_bn(form, form.channels, w, 3, 2)]
        layers += [Residual(form, w, w, 1) for _ in range(form.depth)]
        self.stages = nn.Sequential(*layers, Residual(form, w, 2 * w, 2), Residual(form, 2 * w, 4 * w, 2))
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.stages(x).mean((2, 3))


class Separable(Network):
    """A stem and depthwise separable convolutions, a pool between them, as in small MobileNets."""

    last = "head"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        layers = [*conv_bn(form, form.channels, w, 3, 2), conv_dw(form, w, 2 * w, 1), nn.MaxPool2d(2)]
        layers += [*(conv_dw(form, 2 * w, 2 * w, 1) for _ in range(form.depth)), conv_dw(form, 2 * w, 4 * w, 1)]
        self.layers = nn.Sequential(*layers)
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return F.adaptive_avg_pool2d(self.layers(x), 1).flatten(1)


class Funnel(Network):
    """A perceptron whose layers narrow by half each time."""

    last = "output"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        incoming, unit = form.channels * form.height * form.across, 16 * form.wide
        layers: list[nn.Module] = [nn.Flatten()]
        for _ in range(2 + form.depth):
            layers += [nn.Linear(incoming, unit), bn(form, unit, flat=True), self.act()]
            incoming, unit = unit, max(unit // 2, 4)
        self.layers = nn.Sequential(*layers)
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.layers(x)


class FineTuned(Network):
    """A small residual network for colour pictures that was trained before, its last layer replaced."""

    last = "fc"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        self.trunk = ResNetTen(replace(form, channels=3, height=28, across=28, wide=8, detached=False, dropout=0.0))
        self.trunk.fc = nn.Identity()  # type: ignore[assignment]
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.trunk(x.expand(-1, 3, -1, -1))


@functools.cache
def trained_trunk() -> dict[str, Tensor]:
    """Weights of a trunk that was trained on fabrics: the same every time, some seconds, once in a process."""
    with torch.random.fork_rng():
        torch.manual_seed(103)
        found = images("fabrics")
        x, y = (torch.from_numpy(found.train).float() - 120) / 60, torch.from_numpy(found.train_labels)
        model = ResNetTen(Form(3, 28, 28, 6, 8, "relu", "batch", 0.1, 0.0, 1, detached=False))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        for _ in range(5):
            for rows in torch.randperm(len(x)).split(40):
                optimizer.zero_grad()
                F.cross_entropy(model(x[rows]), y[rows]).backward()
                optimizer.step()
        model.fc = nn.Identity()  # type: ignore[assignment]
    return {name: one.detach().clone() for name, one in model.state_dict().items()}


NETWORKS: dict[str, tuple[Callable[[Form], Network], str, str]] = {
    "twoconv": (TwoConv, "relu", "none"),
    "threeconv": (ThreeConv, "relu", "none"),
    "fourconv": (FourConv, "relu", "batch"),
    "fiveconv": (FiveConv, "relu", "none"),
    "lenetcaffe": (LeNetCaffe, "relu", "none"),
    "lenetmean": (LeNetMean, "relu", "none"),
    "vggfour": (SmallVGG, "relu", "none"),
    "vggsixbn": (lambda form: SmallVGG(form, 3, hidden=False), "relu", "batch"),
    "resnetten": (ResNetTen, "relu", "batch"),
    "dwnet": (Separable, "relu", "batch"),
    "funnel": (Funnel, "relu", "none"),
    "finetuned": (FineTuned, "relu", "batch"),
}
"""Network -> how it is made, and the activation and the normalisation it has by itself."""


def network(name: str, form: Form) -> Network:
    """A network by its name; empty activation and normalisation are its own."""
    made, activation, norm = NETWORKS[name]
    return made(replace(form, activation=form.activation or activation, norm=form.norm or norm))
