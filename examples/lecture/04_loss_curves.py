"""4. Loss curves of four rates: a line, bent lines, an explosion.

Plain gradient descent on all images at once, so that nothing but the rate shapes the curve. Why a very small rate gives
a line: one step changes the loss by -rate x |gradient|^2 to first order, and while the weights have hardly moved the gradient
is the one of the start, so that each step takes off the same amount.
"""

from __future__ import annotations

import sys

from babysit.checks.subject import scores_of
from babysit.figures.charts import Axes, Line
from babysit.figures.panels import charted
from lecture import ALONE, Page, follow, points, run

NAMES = ("very low", "low", "good", "too high")


def slope(page: Page, settings: dict[str, object], count: int) -> float:
    """The loss's first change a step by the formula, -rate x |gradient|^2."""
    session = page.session(settings, training=count)
    images, labels = next(session.training.plain(count))
    session.loss(scores_of(session.model, images), labels).backward()
    return -session.learning_rate() * sum(
        float(one.grad.square().sum()) for one in session.model.parameters() if one.grad is not None
    )


def main(page: Page) -> None:
    """Trains at four rates."""
    count, steps = page.choose(1000, 500), page.choose(150, 150)
    rates = page.choose((3e-4, 1e-2, 0.1, 1.0), (1e-3, 0.02, 0.2, 30.0))
    settings = {
        **ALONE,
        "model.name": "two-layer",
        "optim.kind": "sgd",
        "optim.batch_size": count,
        "train.steps": steps,
    }
    losses = {
        name: follow(
            page, page.session({**settings, "optim.lr": rate}, training=count), f"rate {rate:g}", seen=0
        ).losses
        for name, rate in zip(NAMES, rates, strict=True)
    }
    predicted = slope(page, {**settings, "optim.lr": rates[0]}, count)
    low, _, good, wild = (losses[name] for name in NAMES)
    line = [low[0] + predicted * step for step in range(steps)]
    miss = max(abs(seen - drawn) for seen, drawn in zip(low, line, strict=True)) / (low[0] - low[-1])
    early = [(seen[0] - seen[steps // 5]) / (seen[0] - seen[-1]) for seen in list(losses.values())[:3]]

    for name, rate in zip(NAMES, rates, strict=True):
        seen = losses[name]
        page.line(f"{name} rate, {rate:g}: loss from, to", "", f"{seen[0]:.4f}, {seen[-1]:.4f} after {len(seen)} steps")
    page.line(
        "very low: change a step", f"linear: {predicted:.2e} by the formula", f"{(low[-1] - low[0]) / (steps - 1):.2e}"
    )
    page.line("very low: farthest from that line, share of the fall", "linear", f"{miss:.1%}")
    for name, share in zip(NAMES, early, strict=False):
        looks = "linear" if name == "very low" else "the larger, the more exponential"
        page.line(f"{name}: share of the fall in the first fifth of the steps", looks, f"{share:.0%}")
    colors = ("one", "three", "four", "two")
    page.figure(
        [
            charted(
                "Four rates",
                [
                    Line(f"{rate:g}", *points(losses[name]), color)
                    for name, rate, color in zip(NAMES, rates, colors, strict=True)
                ],
                Axes("step", "loss", width=500, limits=(0, steps, 0, 2.2 * low[0])),
            ),
            charted(
                f"The line of {rates[0]:g}, seen closely",
                [
                    Line("measured", *points(low), "one"),
                    Line("start - rate x |gradient|^2 x steps", *points(line), "soft", "dashed"),
                ],
                Axes("step", "loss", width=500),
            ),
        ]
    )
    page.claim(miss < 0.15, "at a very low rate the loss falls in a line, with the slope -rate x |gradient|^2")
    page.claim(abs(early[0] - 0.2) < 0.05, "so a fifth of the steps makes a fifth of the fall")
    page.claim(
        early[0] < early[1] < early[2],
        "the larger the rate, the more of the fall comes early, as an exponential's does",
    )
    page.claim(good[-1] < low[-1], "the good rate comes lower than the very low one")
    page.claim(
        any(not loss <= 3 * wild[0] for loss in wild),
        "the rate that is too high passes 3 times the first loss, where the lecture quits",
    )


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
