"""Networks of the part from outside, written as people write theirs; none is anywhere else in the corpus. `body` gives features, `last` names the layer of the scores."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fresh.networks import Form
from outside.blocks import ACTIVATIONS, FusedMBConv, MBConv, NextBlock, PaddedBlock, bn, conv_bn, conv_dw
from outside.images import images


class Network(nn.Module):
    """A body and a last layer; `detached` is what is wrong where it is true: the features are cut from what made them."""

    last = "classifier"

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form, self.detached = form, form.detached
        self.act = ACTIVATIONS[form.activation]

    def finish(self) -> None:
        """Adds the last layer, of the width that the features have, behind dropout."""
        form = self.form
        self.eval()
        with torch.no_grad():
            width = self.body(torch.zeros(2, form.channels, form.height, form.across)).shape[1]
        self.train()
        self.dropout = nn.Dropout(form.dropout)
        self.add_module(self.last, nn.Linear(width, form.classes))

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        x = self.body(x)
        if self.detached:
            x = x.detach()
        return self.get_submodule(self.last)(self.dropout(x))


class MobileNetV1(Network):
    """`conv_bn`, then `conv_dw` after `conv_dw`, and a mean over places."""

    last = "fc"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        layers = [nn.Sequential(*conv_bn(form, form.channels, w, 3, 2)), conv_dw(form, w, 2 * w, 1)]
        layers += [conv_dw(form, 2 * w, 4 * w, 2), *(conv_dw(form, 4 * w, 4 * w, 1) for _ in range(form.depth))]
        layers += [conv_dw(form, 4 * w, 8 * w, 2)]
        self.model = nn.Sequential(*layers)
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.model(x).mean(3).mean(2)


class VGG11(Network):
    """Configuration A with batch normalisation, narrow; as many of its five pools as the picture has places for."""

    last = "classifier"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        layers: list[nn.Module] = []
        incoming, side = form.channels, min(form.height, form.across)
        for times, count in ((1, 1), (2, 1), (4, 2), (4, 2), (4, 2)):
            for _ in range(count + form.depth - 1):
                layers += conv_bn(form, incoming, times * form.wide)
                incoming = times * form.wide
            if side >= 4:
                layers.append(nn.MaxPool2d(2, 2))
                side //= 2
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return torch.flatten(self.avgpool(self.features(x)), 1)


class ResNet20(Network):
    """ResNet-v1 of 20 layers as for CIFAR, narrow; a stride in the stem where pictures are large."""

    last = "linear"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        self.conv1 = nn.Sequential(*conv_bn(form, form.channels, w, 3, 2 if form.height >= 20 else 1))
        blocks: list[nn.Module] = []
        planes = w
        for times, stride in ((1, 1), (2, 2), (4, 2)):
            for place in range(2 + form.depth):
                blocks.append(PaddedBlock(form, planes, times * w, stride if place == 0 else 1))
                planes = times * w
        self.layers = nn.Sequential(*blocks)
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return F.adaptive_avg_pool2d(self.layers(self.conv1(x)), 1).view(x.size(0), -1)


class ConvNet(Network):
    """Convolution, pool, convolution, pool, dropout, dense: Keras's first example, with Keras's first weights."""

    last = "dense"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        layers: list[nn.Module] = [nn.Conv2d(form.channels, w, 3), bn(form, w), self.act(), nn.MaxPool2d(2)]
        for place in range(form.depth):
            layers += [nn.Conv2d(w if place == 0 else 2 * w, 2 * w, 3, padding=1), bn(form, 2 * w), self.act()]
        self.layers = nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten())
        self.finish()
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.layers(x)


class SqueezeNext(Network):
    """A stem and three stages of its blocks, under ELU."""

    last = "output"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        layers: list[nn.Module] = [*conv_bn(form, form.channels, 2 * w, 5, 2)]
        incoming = 2 * w
        for oup, stride in ((2 * w, 1), (4 * w, 2), (6 * w, 2)):
            layers += [NextBlock(form, incoming, oup, stride)]
            layers += [NextBlock(form, oup, oup, 1) for _ in range(form.depth - 1)]
            incoming = oup
        self.stages = nn.Sequential(*layers)
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.stages(x).mean((2, 3))


class LeNetBN(Network):
    """LeNet with ReLU, maxima, and batch normalisation before every activation, the dense ones too."""

    last = "fc3"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        self.conv1, self.bn1 = nn.Conv2d(form.channels, w, 5, padding=2), bn(form, w)
        self.conv2, self.bn2 = nn.Conv2d(w, 2 * w, 5), bn(form, 2 * w)
        self.more = nn.Sequential(*(one for _ in range(form.depth - 1) for one in conv_bn(form, 2 * w, 2 * w)))
        size = 2 * w * ((form.height // 2 - 4) // 2) * ((form.across // 2 - 4) // 2)
        self.fc1, self.bn3 = nn.Linear(size, 12 * w), bn(form, 12 * w, flat=True)
        self.fc2, self.bn4 = nn.Linear(12 * w, 8 * w), bn(form, 8 * w, flat=True)
        self.relus = nn.ModuleList(self.act() for _ in range(4))
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        x = F.max_pool2d(self.relus[0](self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(self.more(self.relus[1](self.bn2(self.conv2(x)))), 2)
        x = self.relus[2](self.bn3(self.fc1(torch.flatten(x, 1))))
        return self.relus[3](self.bn4(self.fc2(x)))


class EfficientNetV2(Network):
    """Fused blocks first, then blocks with squeeze and excitation, and a wide 1 by 1 at the end."""

    last = "classifier"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        layers: list[nn.Module] = [*conv_bn(form, form.channels, w, 3, 2), FusedMBConv(form, w, w, 1)]
        layers += [FusedMBConv(form, w, 2 * w, 2), *(MBConv(form, 2 * w, 2 * w, 1) for _ in range(form.depth))]
        layers += [MBConv(form, 2 * w, 3 * w, 2), *conv_bn(form, 3 * w, 10 * w, 1)]
        self.features = nn.Sequential(*layers)
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.features(x).mean([2, 3])


class MLP(Network):
    """Two wide hidden layers, each followed by dropout: the perceptron of the first tutorials."""

    last = "fc_out"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        layers: list[nn.Module] = [nn.Flatten()]
        incoming, unit = form.channels * form.height * form.across, 16 * form.wide
        for _ in range(1 + form.depth):
            layers += [nn.Linear(incoming, unit), bn(form, unit, flat=True), self.act(), nn.Dropout(form.dropout)]
            incoming = unit
        self.layers = nn.Sequential(*layers[:-1])
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.layers(x)


class BigFilters(Network):
    """The picture made grey; filters of 9, 7 and 5 with strides, a hidden layer; no normalisation."""

    last = "scores"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        layers = [nn.Conv2d(1, w, 9, 2, 4), bn(form, w), self.act()]
        layers += [nn.Conv2d(w, 2 * w, 7, 2, 3), bn(form, 2 * w), self.act()]
        for _ in range(form.depth):
            layers += [nn.Conv2d(2 * w, 2 * w, 5, 1, 2), bn(form, 2 * w), self.act()]
        size = 2 * w * -(-form.height // 4) * -(-form.across // 4)
        self.convs = nn.Sequential(*layers, nn.Flatten(), nn.Linear(size, 6 * w), self.act())
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.convs(x.mean(1, keepdim=True))


class CoordNet(Network):
    """Every convolution sees where it is, by two more channels (Liu et al. 2018); leaky, with strides."""

    last = "head"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w = form.wide
        self.convs, self.norms, self.acts = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        incoming, self.strides = form.channels, []
        for place, oup in enumerate((w, 2 * w, 3 * w, *([3 * w] * (form.depth - 1)))):
            self.strides.append(2 if place < 3 else 1)
            self.convs.append(nn.Conv2d(incoming + 2, oup, 3, self.strides[-1], 1))
            self.norms.append(bn(form, oup))
            self.acts.append(self.act())
            incoming = oup
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        for conv, norm, act in zip(self.convs, self.norms, self.acts, strict=True):
            n, _, height, across = x.shape
            rows = torch.linspace(-1, 1, height).view(1, 1, -1, 1).expand(n, 1, height, across)
            columns = torch.linspace(-1, 1, across).view(1, 1, 1, -1).expand(n, 1, height, across)
            x = act(norm(conv(torch.cat([x, rows, columns], 1))))
        return torch.flatten(x, 1)


class MaxNet(Network):
    """Convolutions and one maximum over all places; no normalisation, the first weights He's."""

    last = "fc"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        w, layers, incoming = form.wide, [], form.channels
        for oup in (w, 2 * w, 4 * w):
            for _ in range(form.depth):
                layers += [nn.Conv2d(incoming, oup, 3, 1, 1), bn(form, oup), self.act()]
                incoming = oup
            layers.append(nn.MaxPool2d(2))
        self.convs = nn.Sequential(*layers[:-1])
        self.finish()
        for layer in self.convs:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        return self.convs(x).amax((2, 3))


class Pretrained(Network):
    """A MobileNetV1 for colour pictures of 24 by 24 that was trained before, its last layer replaced."""

    last = "classifier"

    def __init__(self, form: Form) -> None:
        super().__init__(form)
        self.base = MobileNetV1(replace(form, channels=3, height=24, across=24, wide=8, detached=False, dropout=0.0))
        self.base.fc = nn.Identity()  # type: ignore[assignment]
        self.finish()

    def body(self, x: Tensor) -> Tensor:
        """Shape (n, width)."""
        x = x.expand(-1, 3, -1, -1)
        return self.base(x if x.shape[-1] == 24 else F.interpolate(x, size=(24, 24), mode="bilinear"))


@functools.cache
def trained_base() -> dict[str, Tensor]:
    """Weights of a base that was trained on weather and traffic together: the same every time, some seconds, once in a process."""
    with torch.random.fork_rng():
        torch.manual_seed(101)
        parts = [images("weather"), images("traffic")]
        x = (torch.cat([torch.from_numpy(one.train).float() for one in parts]) - 110) / 60
        y = torch.cat([torch.from_numpy(one.train_labels) + 5 * place for place, one in enumerate(parts)])
        model = MobileNetV1(Form(3, 24, 24, 11, 8, "relu", "batch", 0.1, 0.0, 1, detached=False))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        for _ in range(5):
            for rows in torch.randperm(len(x)).split(40):
                optimizer.zero_grad()
                F.cross_entropy(model(x[rows]), y[rows]).backward()
                optimizer.step()
        model.fc = nn.Identity()  # type: ignore[assignment]
    return {name: one.detach().clone() for name, one in model.state_dict().items()}


NETWORKS: dict[str, tuple[Callable[[Form], Network], str, str]] = {
    "mobilenetv1": (MobileNetV1, "relu", "batch"),
    "vgg11": (VGG11, "relu", "batch"),
    "resnet20": (ResNet20, "relu", "batch"),
    "convnet": (ConvNet, "relu", "none"),
    "squeezenext": (SqueezeNext, "elu", "batch"),
    "lenetbn": (LeNetBN, "relu", "batch"),
    "efficientv2": (EfficientNetV2, "silu", "batch"),
    "mlpdrop": (MLP, "relu", "none"),
    "bigfilters": (BigFilters, "relu", "none"),
    "coordnet": (CoordNet, "leaky", "none"),
    "maxnet": (MaxNet, "relu", "none"),
    "pretrained": (Pretrained, "relu", "batch"),
}
"""Network -> how it is made, and the activation and the normalisation it has by itself."""


def network(name: str, form: Form) -> Network:
    """A network by its name; empty activation and normalisation are its own."""
    made, activation, norm = NETWORKS[name]
    return made(replace(form, activation=form.activation or activation, norm=form.norm or norm))
