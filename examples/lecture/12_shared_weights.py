"""12. Shared against unshared weights.

The small ConvNet, and the same network with filters of its own at every position. Sharing is what makes a convolution of a
locally connected layer: fewer parameters to learn from as many images, and what was learned in one place is known in all.
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
import time
from statistics import fmean

import numpy as np

from babysit.data.batches import Batches
from babysit.figures.charts import Axes, Color
from babysit.figures.panels import charted
from babysit.training.session import Session
from lecture import ALONE, Page, accuracies, follow, measured, run

ARMS: dict[str, tuple[str, Color]] = {"convnet": ("shared", "one"), "local": ("unshared", "two")}


def shifted(session: Session, down: int, right: int) -> Batches:
    """The validation images, moved; what leaves comes back at the other side."""
    part = session.validation
    assert isinstance(part, Batches)
    moved = np.roll(part.pixels[part.rows], (down, right), axis=(1, 2))
    return dataclasses.replace(part, pixels=moved, rows=np.arange(len(part)), labels=part.labels[part.rows], check=None)


def moved_accuracy(session: Session, pixels: int) -> float:
    """The mean over the four diagonal directions: one of them alone is within its own noise."""
    places = itertools.product((-pixels, pixels), repeat=2)
    return fmean(measured(session, shifted(session, *place)).accuracy for place in places)


def main(page: Page) -> None:
    """Trains both on the same images."""
    settings = {
        **ALONE,
        "optim.kind": "adam",
        "optim.lr": 0.003,
        "optim.batch_size": page.choose(50, 20),
        "schedule.kind": "one-cycle",
        "train.epochs": page.choose(6, 12),
    }
    moved_by = page.choose(4, 1)
    traces, moved, weights, seconds = {}, {}, {}, {}
    for name, (kind, _) in ARMS.items():
        begun = time.perf_counter()
        session = page.session(
            {**settings, "model.name": name}, training=page.choose(2000, 300), validation=page.choose(4000, 1000)
        )
        traces[name] = follow(page, session, f"{kind} weights")
        moved[name] = moved_accuracy(session, moved_by)
        weights[name] = sum(one.numel() for one in session.model.parameters())
        seconds[name] = time.perf_counter() - begun

    for name, (kind, _) in ARMS.items():
        page.line(f"{kind}: parameters", "", f"{weights[name]:,}")
        page.line(f"{kind}: accuracy on training, validation", "", traces[name].ends)
        page.line(f"{kind}: validation images moved by {moved_by} pixels", "", f"{moved[name]:.3f}")
        page.line(f"{kind}: seconds", "", f"{seconds[name]:.0f}")
    page.figure(
        [
            charted(
                f"Accuracy on {where} images",
                [
                    accuracies(f"{kind} weights", getattr(traces[name], part), color)
                    for name, (kind, color) in ARMS.items()
                ],
                Axes(
                    "epoch", "accuracy", width=480, limits=(0, len(traces["local"].training), 0, page.choose(0.8, 1.02))
                ),
            )
            for where, part in (("training", "training"), ("validation", "validation"))
        ]
    )
    shared, unshared = traces["convnet"], traces["local"]
    kept = {name: moved[name] / traces[name].validation[-1].accuracy for name in ARMS}
    page.claim(weights["convnet"] * 10 < weights["local"], "sharing needs less than a tenth of the parameters")
    page.claim(kept["convnet"] > kept["local"], "and keeps more of its accuracy when the images are moved")
    if page.whole:  # every digit sits in the same place, where filters of its own are no drawback
        close = 2 * (0.25 / 4000) ** 0.5  # two standard errors of a share of the images
        behind = unshared.validation[-1].accuracy - shared.validation[-1].accuracy
        page.claim(behind < close, "it is no worse on validation images")
        page.claim(shared.gap < unshared.gap, "with the smaller gap to training images")


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
