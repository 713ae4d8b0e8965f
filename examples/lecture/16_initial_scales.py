"""16. Initial weights of 1e-4, 1e-2, Xavier and He, seen through depth.

Ten full layers with ReLU. Each layer multiplies the size of what passes by about its weights' deviation times sqrt(inputs / 2): too
small, and neither activations nor gradients arrive anywhere; only He's 2 / inputs keeps them through any depth.
"""

from __future__ import annotations

import sys
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

from babysit.figures.charts import Axes, Color, Line
from babysit.figures.panels import charted
from babysit.models import Shape
from babysit.training.session import Session
from lecture import ALONE, Page, follow, points, run

DEPTH, UNITS = 10, 100
ARMS: dict[str, tuple[dict[str, object], Color]] = {
    "1e-4": ({"init.kind": "gaussian", "init.scale": 1e-4}, "two"),
    "1e-2": ({"init.kind": "gaussian", "init.scale": 1e-2}, "four"),
    "Xavier": ({"init.kind": "xavier"}, "three"),
    "He": ({"init.kind": "he"}, "one"),
}


def deep(shape: Shape) -> nn.Module:
    """Ten full layers of 100 units, and a classifier."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    incoming = shape.channels * shape.size**2
    for place in range(1, DEPTH + 1):
        layers[f"full{place}"], layers[f"relu{place}"] = nn.Linear(incoming, UNITS), nn.ReLU()
        incoming = UNITS
    return nn.Sequential(layers | {"classifier": nn.Linear(incoming, shape.classes)})


def through(session: Session) -> tuple[list[float], list[float]]:
    """The deviation of each layer's activations, and the size of each layer's gradient, for some training images."""
    images, labels = next(session.training.plain(500))
    flowing, activations = images, []
    for name, layer in session.model.named_children():
        flowing = layer(flowing)
        if name.startswith("relu"):
            activations.append(float(flowing.detach().std()))
    session.loss(flowing, labels).backward()
    layers = [session.model.get_submodule(f"full{place}") for place in range(1, DEPTH + 1)]
    gradients = [float(layer.weight.grad.norm()) for layer in layers]  # type: ignore[union-attr]
    session.model.zero_grad(set_to_none=True)
    return activations, gradients


def main(page: Page) -> None:
    """Looks through each, then trains each."""
    settings = {
        **ALONE,
        "optim.kind": "momentum",
        "optim.lr": page.choose(0.002, 0.02),
        "optim.batch_size": 50,
        "train.epochs": page.choose(5, 10),
    }
    sizes, seen, traces = {"training": page.choose(5000, 600), "validation": 1000}, {}, {}
    for name, (changes, _) in ARMS.items():
        torch.manual_seed(0)
        session = page.session({**settings, **changes}, **sizes, network=deep)
        seen[name] = through(session)
        traces[name] = follow(page, session, f"initial weights {name}")

    for name, trace in traces.items():
        activations, gradients = seen[name]
        page.line(
            f"{name}: activations' deviation, layers 1 and {DEPTH}",
            {"1e-4": "not optimal"}.get(name, ""),
            f"{activations[0]:.2g}, {activations[-1]:.2g}",
        )
        page.line(f"{name}: norm of layer 1's gradient", "", f"{gradients[0]:.2g}")
        page.line(f"{name}: training loss after {len(trace.training)} epochs", "", f"{trace.training[-1].loss:.3f}")
    panels = [
        charted(
            heading,
            [
                Line(name, *points(np.log10(np.maximum(seen[name][place], 1e-45))), color)
                for name, (_, color) in ARMS.items()
            ],
            Axes("layer", axis, width=420, limits=(0, DEPTH, *limits)),
        )
        for place, (heading, axis, limits) in enumerate(
            (
                ("Activations before training", "log10 of their deviation", (-25, 2)),
                ("Gradients before training", "log10 of their norm", (-25, 2)),
            )
        )
    ]
    curves = [
        Line(name, *points([one.loss for one in traces[name].training]), color) for name, (_, color) in ARMS.items()
    ]
    page.figure([*panels, charted("Training", curves, Axes("epoch", "training loss", width=420))])
    last = {name: activations[-1] / activations[0] for name, (activations, _) in seen.items()}
    loss = {name: trace.training[-1].loss for name, trace in traces.items()}
    page.claim(last["1e-4"] < 1e-12, "1e-4: nothing arrives at the tenth layer")
    page.claim(last["1e-2"] < 1e-5, "1e-2: next to nothing")
    page.claim(
        last["1e-2"] < last["Xavier"] < 0.3 < last["He"] < 3,
        "Xavier loses a factor of about sqrt(2) a layer under ReLU, He keeps the size",
    )
    page.claim(min(loss["1e-4"], loss["1e-2"]) > 2.28, "networks whose gradients vanish do not learn")
    page.claim(min(loss["Xavier"], loss["He"]) < page.choose(2.0, 1.0), "Xavier's and He's do")


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
