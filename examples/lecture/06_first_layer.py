"""6. First-layer weights, noisy and clean.

The same network of 50 hidden units, twice: without regularisation and with much of it. What the data do not decide keeps the noise it
began with; L2 lets it decay, and what is left are the patterns that the data ask for.
"""

from __future__ import annotations

import sys

import numpy as np

from babysit.figures.charts import Axes, Color
from babysit.figures.panels import charted, pictured
from babysit.figures.sheets import sheet
from lecture import ALONE, Page, accuracies, follow, hidden_weights, run, stretched

SHOWN = 20
ARMS: dict[str, Color] = {"none": "two", "strong": "one"}


def roughness(weights: np.ndarray) -> float:
    """The squared difference of neighbours over twice the variance: 1 for noise, near 0 for what is smooth; the median unit's."""
    mean = weights.mean(axis=(2, 3), keepdims=True)
    variance = ((weights - mean) ** 2).mean(axis=(1, 2, 3))
    across = (np.diff(weights, axis=3) ** 2).mean(axis=(1, 2, 3))
    down = (np.diff(weights, axis=2) ** 2).mean(axis=(1, 2, 3))
    return float(np.median((across + down) / 2 / (2 * variance)))


def main(page: Page) -> None:
    """Trains both."""
    settings = {
        **ALONE,
        "model.name": "two-layer",
        "optim.kind": "momentum",
        "optim.lr": page.choose(0.002, 0.05),
        "optim.batch_size": 50,
        "train.epochs": page.choose(20, 20),
    }
    count = page.choose(4000, 150)
    strengths = {"none": 0.0, "strong": page.choose(0.1, 0.1)}
    rough, traces, sheets, start = {}, {}, {}, 1.0
    for name in ARMS:
        session = page.session({**settings, "regularize.l2": strengths[name]}, training=count, validation=1000)
        start = roughness(hidden_weights(session))
        traces[name] = follow(page, session, f"strength {strengths[name]:g}")
        rough[name], sheets[name] = (
            roughness(hidden_weights(session)),
            sheet(stretched(hidden_weights(session)[:SHOWN]), 10),
        )

    page.line("roughness before training (noise: 1)", "", f"{start:.2f}")
    for name, seen in (("none", "noisy"), ("strong", "nice and clean")):
        page.line(f"strength {strengths[name]:g}: roughness", seen, f"{rough[name]:.2f}")
        one, other = traces[name].training[-1], traces[name].validation[-1]
        page.line(
            f"strength {strengths[name]:g}: accuracy on training, validation",
            "",
            f"{one.accuracy:.3f}, {other.accuracy:.3f}",
        )
        page.line(
            f"strength {strengths[name]:g}: loss on training, validation", "", f"{one.loss:.3f}, {other.loss:.3f}"
        )
    scale = page.choose(1.25, 4)
    page.figure(
        [
            *(
                pictured(
                    f"Strength {strengths[name]:g}: roughness {rough[name]:.2f}",
                    sheets[name],
                    scale=scale,
                    side=page.choose(33, 8),
                )
                for name in ARMS
            ),
            charted(
                "Validation accuracy",
                [
                    accuracies(
                        f"strength {strengths[name]:g}",
                        traces[name].validation,
                        color,
                    )
                    for name, color in ARMS.items()
                ],
                Axes("epoch", "accuracy", width=420),
            ),
        ]
    )
    page.claim(
        rough["strong"] < 0.75 * rough["none"], "with regularisation the weights are smoother, by a quarter at least"
    )
    page.claim(
        traces["strong"].loss_gap < traces["none"].loss_gap,
        "and the losses on training and validation images are closer",
    )


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
