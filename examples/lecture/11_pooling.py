"""11. Max against average pooling.

Why average might be the poorer choice: after a ReLU a map is mostly zeros with a few strong answers, "here is an edge". The
maximum hands the answer on; the average divides it by the window's silent neighbours, a factor of up to four each time.
"""

from __future__ import annotations

import itertools
import sys

import torch
from torch import nn

from babysit.figures.charts import Axes, Color, Line, Style
from babysit.figures.panels import charted
from babysit.layers.pooling import AvgPool2d, MaxPool2d
from babysit.models.convnet import convnet
from babysit.training.session import Session
from lecture import ALONE, Page, Trace, accuracies, follow, run, small_alexnet

SEEDS = (0, 1)
STYLES: tuple[Style, Style] = ("line", "dashed")
KINDS: dict[str, tuple[type[nn.Module], Color]] = {"max": (MaxPool2d, "one"), "average": (AvgPool2d, "two")}


def averaging(network: nn.Module) -> nn.Module:
    """A network with average pooling in place of max pooling."""
    for name, layer in list(network.named_children()):
        if isinstance(layer, nn.MaxPool2d):
            setattr(network, name, AvgPool2d(2))
    return network


def dot(kind: str) -> float:
    """What is left of a single bright point of 1 after three poolings."""
    flowing = torch.zeros(1, 1, 8, 8)
    flowing[0, 0, 3, 3] = 1.0
    for _ in range(3):
        flowing = KINDS[kind][0](2)(flowing)
    return float(flowing.max())


def kept(session: Session) -> float:
    """How much of a window's largest value its average is, over the first pooling's windows in which something is on."""
    images, _ = next(session.validation.plain(200))
    with torch.no_grad():
        before = images
        for layer in itertools.takewhile(lambda layer: not isinstance(layer, nn.MaxPool2d), session.model.children()):
            before = layer(before)
    largest, mean = MaxPool2d(2)(before), AvgPool2d(2)(before)
    return float((mean[largest > 0] / largest[largest > 0]).mean())


def main(page: Page) -> None:
    """Trains both with two seeds, paired."""
    settings = {
        **ALONE,
        "optim.kind": "momentum",
        "optim.lr": 0.02,
        "optim.batch_size": page.choose(50, 20),
        "schedule.kind": "one-cycle",
        "train.epochs": page.choose(5, 12),
    }
    traces: dict[str, list[Trace]] = {kind: [] for kind in KINDS}
    share = 0.0
    for seed in SEEDS:
        for kind in KINDS:
            plain = page.choose(convnet, small_alexnet)
            network = plain if kind == "max" else lambda shape, plain=plain: averaging(plain(shape))
            session = page.session(
                {**settings, "seed": seed}, training=page.choose(4000, 300), validation=2000, network=network
            )
            traces[kind].append(follow(page, session, f"{kind} pooling, seed {seed}"))
            share = kept(session) if kind == "max" else share

    accuracy = {kind: [trace.validation[-1].accuracy for trace in traces[kind]] for kind in KINDS}
    mean = {kind: sum(values) / len(values) for kind, values in accuracy.items()}
    for kind in KINDS:
        seen = ", ".join(f"{value:.3f}" for value in accuracy[kind])
        page.line(
            f"{kind} pooling: validation accuracy, seeds {SEEDS[0]} and {SEEDS[1]}",
            {"max": "the most common", "average": "a poor choice?"}[kind],
            seen,
        )
    page.line("difference of the means", "", f"{mean['max'] - mean['average']:+.3f}")
    page.line("a single point of 1 after three poolings: max, average", "", f"{dot('max'):.4f}, {dot('average'):.4f}")
    page.line("trained network: a window's average over its maximum", "", f"{share:.2f}")
    page.figure(
        [
            charted(
                "Validation accuracy, two seeds each",
                [
                    accuracies(name, trace.validation, color, style)
                    for kind, (_, color) in KINDS.items()
                    for trace, name, style in zip(traces[kind], (kind, ""), STYLES, strict=True)
                ],
                Axes("epoch", "accuracy", width=480),
            ),
            charted(
                "A single bright point",
                [
                    Line(kind, [0, 1, 2, 3], [factor**time for time in range(4)], color)
                    for (kind, (_, color)), factor in zip(KINDS.items(), (1.0, 0.25), strict=True)
                ],
                Axes("poolings", "what is left of it", width=480),
            ),
        ]
    )
    page.claim(
        dot("max") == 1.0 and dot("average") == 1 / 64,
        "a single strong answer passes max pooling whole, and three averages leave 1/64 of it",
    )
    page.claim(share < 0.8, "in a trained network an average throws away much of the strongest answer")
    page.claim(mean["max"] > mean["average"] - 0.01, "max pooling is no worse than average pooling")


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
