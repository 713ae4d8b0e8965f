"""17. Capacity against overfitting.

One hidden layer of 1 to 256 units on a few images. Bigger models fit their training images better, and what they gain there beyond
what they gain on validation images is overfitting.
"""

from __future__ import annotations

import math
import sys

from torch import nn

from babysit.figures.charts import Axes, Color, Line
from babysit.figures.panels import charted
from babysit.models import Shape
from babysit.models.initial import he
from lecture import ALONE, Page, Trace, follow, run

UNITS = (1, 2, 4, 16, 64, 256)
PARTS: dict[str, Color] = {"training": "two", "validation": "one"}
CURVES: dict[int, Color] = {1: "soft", 4: "one", 64: "three", 256: "two"}


def main(page: Page) -> None:
    """Trains each size to the end."""
    settings = {
        **ALONE,
        "optim.kind": "momentum",
        "optim.lr": page.choose(0.002, 0.02),
        "optim.batch_size": 50,
        "schedule.kind": "cosine",
        "train.epochs": page.choose(30, 30),
    }
    traces: dict[int, Trace] = {}
    for units in UNITS:

        def network(shape: Shape, units: int = units) -> nn.Module:
            last = nn.Linear(units, shape.classes)
            return he(nn.Sequential(nn.Flatten(), nn.Linear(3 * shape.size**2, units), nn.ReLU(), last), last)

        session = page.session(settings, training=page.choose(1000, 100), validation=1000, network=network)
        traces[units] = follow(page, session, f"{units} hidden units")
    for units, trace in traces.items():
        one, other = trace.training[-1], trace.validation[-1]
        page.line(
            f"{units} hidden units: accuracy on training, validation",
            "",
            f"{one.accuracy:.3f}, {other.accuracy:.3f} (gap {trace.gap:.3f})",
        )
    across = [math.log2(units) for units in UNITS]
    page.figure(
        [
            charted(
                "The gap opens as the model grows",
                [
                    Line(
                        f"{part} images",
                        across,
                        [getattr(trace, part)[-1].accuracy for trace in traces.values()],
                        color,
                    )
                    for part, color in PARTS.items()
                ],
                Axes(
                    "log2 of the hidden units",
                    "accuracy after the last epoch",
                    width=480,
                    limits=(0, across[-1], 0, 1.02),
                ),
            ),
            charted(
                "Validation loss along the training",
                [
                    Line(
                        f"{units} units",
                        list(range(1, len(traces[units].validation) + 1)),
                        [one.loss for one in traces[units].validation],
                        color,
                    )
                    for units, color in CURVES.items()
                ],
                Axes("epoch", "validation loss", width=480),
            ),
        ]
    )
    fits, gaps = [traces[units].training[-1].accuracy for units in UNITS], [traces[units].gap for units in UNITS]
    page.claim(
        fits[0] < fits[2] < fits[-1] and fits[-1] > fits[0] + 0.5,
        "more units fit the training images better, by more than half of them",
    )
    page.claim(gaps[-1] > gaps[0] + 0.02, "and the gap to validation images grows with them")
    page.claim(
        gaps[0] < 0.1
        and traces[1].validation[-1].accuracy < max(trace.validation[-1].accuracy for trace in traces.values()) - 0.05,
        "the smallest one underfits: no gap, and a low level",
    )


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
