"""2. Twenty images to 100 %: vanilla gradient descent on all of them at once, 200 epochs at 1e-3.

A network that cannot learn twenty images by heart has a fault, and no search for settings will mend it. No
regularisation, no momentum, no decay of the rate and no batches, as in the lecture.
"""

from __future__ import annotations

import dataclasses
import sys

from babysit.data.batches import Batches
from babysit.figures.charts import Axes, Line
from babysit.figures.panels import charted
from babysit.seeds import permutation
from lecture import LECTURE, Page, follow, points, run

EXAMPLES, EPOCHS = 20, 200
SHOWN = (1, 2, 3, 4, 5, 10, 15, 20, 195, 200)
LECTURES = (2.302603, 2.302258, 2.301849, 2.301196, 2.300044, 2.234787, 1.820876, 1.305760, 0.002694, 0.002597)
"""The lecture's costs at those epochs; the 20th is half covered there."""


def main(page: Page) -> None:
    """Trains on twenty images of a random order."""
    rate = page.choose(1e-3, 2e-3)
    session = page.session({**LECTURE, "optim.lr": rate, "optim.batch_size": EXAMPLES, "train.steps": EPOCHS})
    assert isinstance(session.training, Batches)
    twenty = session.training.rows[permutation(0, 0, len(session.training))[:EXAMPLES]]
    session.training = dataclasses.replace(session.training, rows=twenty)
    trace = follow(page, session, "twenty images", seen=0)
    last = trace.losses[-1]

    for epoch, lectures in zip(SHOWN, LECTURES, strict=True):
        page.line(f"cost, epoch {epoch} / {EPOCHS}", f"{lectures:.6f}", f"{trace.losses[epoch - 1]:.6f}")
    page.line("training accuracy at the end", "1.000000", f"{trace.accuracies[-1]:.6f}")
    curve, lectures = points(trace.losses), (list(SHOWN), list(LECTURES))
    page.figure(
        [
            charted(
                "The cost: a plateau, a cliff, a long tail",
                [Line("ours", *curve, "one"), Line("the lecture's log", *lectures, "two", "points")],
                Axes("epoch", "cost", width=480),
            ),
            charted(
                "Training accuracy",
                [Line("accuracy", *points(trace.accuracies), "one")],
                Axes("epoch", "share of the twenty images", width=480),
            ),
        ]
    )
    page.claim(abs(trace.losses[0] - 2.302585) < 1e-3, "the cost begins at ln 10")
    page.claim(0.001 <= last <= 0.005, f"the cost comes to between 0.001 and 0.005 (it is {last:.6f})")
    page.claim(trace.accuracies[-1] == 1.0, "all twenty are right in the end")


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
