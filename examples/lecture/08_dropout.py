"""8. Dropout in the full layers, in the convolutional ones, and nowhere; and what it approximates.

Why not in convolutional layers: they hold few of the parameters, so there is little to overfit with; and neighbours in a map
say nearly the same, so a dropped one is hardly missed while the noise it leaves is real. Scaling at prediction stands for the
geometric mean of the networks that the masks make: it is compared with both means of 100 of them.
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor

from babysit.checks.subject import scores_of
from babysit.figures.charts import Axes, Color
from babysit.figures.panels import charted
from babysit.training.session import Session
from lecture import ALONE, Page, accuracies, follow, run, small_alexnet

MASKS = 100
ARMS: dict[str, tuple[dict[str, object], Color]] = {
    "none": ({}, "soft"),
    "full": ({"regularize.dropout": 0.5, "regularize.dropout_at": "full"}, "one"),
    "conv": ({"regularize.dropout": 0.5, "regularize.dropout_at": "conv"}, "two"),
}


def ensembles(session: Session) -> dict[str, Tensor]:
    """Probabilities of some validation images: scaled, and both means over the masks."""
    images, _ = next(session.validation.plain(500))
    with torch.no_grad():
        scaled = scores_of(session.model.eval(), images).softmax(dim=1)
        session.model.train()
        logs = torch.stack([scores_of(session.model, images).log_softmax(dim=1) for _ in range(MASKS)])
    return {"scaled": scaled, "geometric": logs.mean(dim=0).softmax(dim=1), "arithmetic": logs.exp().mean(dim=0)}


def distance(one: Tensor, other: Tensor) -> float:
    """Half the sum of absolute differences of two distributions, its mean over the images."""
    return float((one - other).abs().sum(dim=1).mean() / 2)


def main(page: Page) -> None:
    """Trains the three, and asks the second for its ensemble."""
    settings = {
        **ALONE,
        "optim.kind": "momentum",
        "optim.lr": page.choose(0.01, 0.02),
        "optim.batch_size": 50,
        "train.epochs": page.choose(20, 50),
    }
    sizes = {"training": page.choose(1500, 300), "validation": 1000}
    sessions = {
        name: page.session({**settings, **changes}, **sizes, network=small_alexnet)
        for name, (changes, _) in ARMS.items()
    }
    traces = {name: follow(page, session, f"dropout {name}") for name, session in sessions.items()}
    means = ensembles(sessions["full"])
    geometric, arithmetic = (distance(means["scaled"], means[name]) for name in ("geometric", "arithmetic"))
    counts = {
        name: sum(one.numel() for one in layer.parameters()) for name, layer in sessions["none"].model.named_children()
    }
    full, conv, none = traces["full"], traces["conv"], traces["none"]

    page.line("no dropout: accuracy on training, validation", "substantial overfitting", none.ends)
    page.line("0.5 in the full layers", "dropout here", full.ends)
    page.line("0.5 in the convolution", "but not here - why?", conv.ends)
    page.line(
        "share of the parameters in full layers",
        "",
        f"{1 - (counts['conv1'] + counts['conv2']) / sum(counts.values()):.1%}",
    )
    page.line(f"scaled prediction to the geometric mean of {MASKS} masks", "approximates it", f"{geometric:.4f}")
    page.line(f"scaled prediction to the arithmetic mean of {MASKS} masks", "", f"{arithmetic:.4f}")
    panels = [
        charted(
            heading,
            [accuracies(f"dropout {name}", getattr(traces[name], part), color) for name, (_, color) in ARMS.items()],
            Axes("epoch", "accuracy", width=480, limits=(0, len(none.training), 0, 1.02)),
        )
        for heading, part in (("On training images", "training"), ("On validation images", "validation"))
    ]
    page.figure(panels)
    page.claim(
        full.loss_gap < none.loss_gap, "dropout in the full layers narrows the gap between training and validation loss"
    )
    page.claim(full.validation[-1].accuracy > none.validation[-1].accuracy - 0.005, "and costs no validation accuracy")
    page.claim(full.validation[-1].accuracy > conv.validation[-1].accuracy, "in the convolution it is worth less")
    page.claim(
        geometric < arithmetic, "the scaled prediction is nearer to the geometric mean than to the arithmetic one"
    )


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
