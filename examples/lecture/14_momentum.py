"""14. SGD against momentum.

Momentum m sums up the gradients of about the last 1/(1 - m) steps: in a direction on which they agree, m = 0.9 goes ten times
as far at the same rate. So it is compared with plain SGD at the same rate, and at ten times the rate.
"""

from __future__ import annotations

import sys

from babysit.figures.charts import Axes, Color, Line
from babysit.figures.panels import charted
from lecture import ALONE, Page, follow, points, run, small_alexnet, smooth


def main(page: Page) -> None:
    """Trains the three from the same weights, on the same batches."""
    rate = page.choose(0.005, 0.01)
    settings = {
        **ALONE,
        "optim.batch_size": page.choose(50, 20),
        "train.epochs": page.choose(5, 10),
    }
    arms: dict[str, tuple[dict[str, object], Color]] = {
        f"SGD, {rate:g}": ({"optim.kind": "sgd", "optim.lr": rate}, "two"),
        f"momentum 0.9, {rate:g}": ({"optim.kind": "momentum", "optim.momentum": 0.9, "optim.lr": rate}, "one"),
        f"SGD, {10 * rate:g}": ({"optim.kind": "sgd", "optim.lr": 10 * rate}, "three"),
    }
    sizes = {"training": page.choose(3000, 300), "validation": 1000}
    traces = {
        name: follow(page, page.session({**settings, **changes}, **sizes, network=small_alexnet), name)
        for name, (changes, _) in arms.items()
    }
    losses = [trace.training[-1].loss for trace in traces.values()]
    for name, trace in traces.items():
        one, other = trace.training[-1], trace.validation[-1]
        page.line(
            name,
            "use SGD + momentum" if "momentum" in name else "",
            f"training loss {one.loss:.3f}, validation accuracy {other.accuracy:.3f}",
        )
    window = page.choose(50, 20)
    page.figure(
        [
            charted(
                f"Training loss, mean of {window} steps",
                [Line(name, *points(smooth(traces[name].losses, window)), color) for name, (_, color) in arms.items()],
                Axes("step", "loss", width=560),
            )
        ]
    )
    plain, momentum, tenfold = losses
    page.claim(momentum < plain, "at the same rate momentum comes lower than plain SGD")
    page.claim(
        abs(momentum - tenfold) < abs(momentum - plain),
        "plain SGD at ten times the rate is much like it: the lead is mostly that of longer steps",
    )


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
