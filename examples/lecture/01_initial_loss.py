"""1. The loss before the first update, and what regularisation adds to it.

A network whose scores are nearly equal gives every class nearly a tenth: the softmax loss is ln 10. Cranking the strength
of L2 up must make the loss go up, by strength / 2 times the sum of the squared weights.
"""

from __future__ import annotations

import math
import sys

from babysit.figures.charts import Axes, Line
from babysit.figures.panels import charted
from babysit.training.loop import StepDone, train
from lecture import LECTURE, Page, run

STRENGTHS = (0.0, 250.0, 500.0, 750.0, 1000.0)


def first_step(page: Page, changes: dict[str, object]) -> StepDone:
    """The first event of a training: the loss and the penalty before its update."""
    event = next(iter(train(page.session({**LECTURE, "optim.lr": 1e-6, "optim.batch_size": 1000, **changes}))))
    assert isinstance(event, StepDone)
    return event


def main(page: Page) -> None:
    """Measures both, and the hinge's."""
    session = page.session({**LECTURE, "optim.lr": 1e-6})
    weights = sum(one.numel() for one in session.regularizer.weights)
    events = [first_step(page, {"regularize.l2": strength}) for strength in STRENGTHS]
    totals = [event.loss + event.penalty for event in events]
    hinge = first_step(page, {"loss.kind": "hinge"}).loss
    expected = [math.log(10) + 0.5 * strength * weights * 1e-8 for strength in STRENGTHS]

    page.line("loss, regularisation off", "2.302585 (ln 10)", f"{totals[0]:.6f}")
    page.line("regularised weights", "154,100 (computed)", f"{weights:,}")
    page.line("loss, strength 1e3", page.choose("about 3.07 (computed)", "-"), f"{totals[-1]:.4f}")
    page.line("what strength 1e3 adds", f"{expected[-1] - expected[0]:.4f} (computed)", f"{events[-1].penalty:.4f}")
    page.line("hinge loss, margin 1", "9 (computed)", f"{hinge:.4f}")
    page.figure(
        [
            charted(
                "A line, as the formula says",
                [
                    Line("measured", STRENGTHS, totals, "one", "points"),
                    Line("ln 10 + strength / 2 x weights x 0.0001 squared", STRENGTHS, expected, "two"),
                ],
                Axes(
                    "strength of L2", "loss before the first update", 600, limits=(-30, 1040, 2.28, totals[-1] + 0.02)
                ),
            )
        ]
    )
    page.claim(abs(totals[0] - math.log(10)) < 1e-3, "without regularisation the loss is ln 10 within 0.001")
    page.claim(
        abs(events[-1].penalty / (expected[-1] - expected[0]) - 1) < 0.05,
        "strength 1e3 adds what the formula says, within 5 %",
    )
    page.claim(totals == sorted(totals), "the loss rises with the strength")
    page.claim(abs(hinge - 9) < 0.01, "the hinge loss begins at classes - 1")


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
