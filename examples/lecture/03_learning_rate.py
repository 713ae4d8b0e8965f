"""3. A rate of 1e-6: the loss barely moves and yet accuracy climbs; and what a rate of 1e6 does to one weight.

Ten epochs at rate 1e-6 and strength 1e-6. Accuracy asks only which score is the largest, and all ten are nearly equal: the
first gradients put them into a useful order long before their differences matter to the loss.
"""

from __future__ import annotations

import math
import sys

from babysit.checks.subject import scores_of
from babysit.figures.charts import Axes, Line
from babysit.figures.panels import charted
from babysit.training.loop import train
from babysit.training.session import Session
from lecture import LECTURE, Page, follow, measured, points, run

RATE, STRENGTH, EXPLOSIVE = 1e-6, 1e-6, 1e6
COSTS = (2.302576, 2.302582, 2.302558, 2.302519, 2.302517, 2.302518, 2.302466, 2.302452, 2.302459, 2.302420)
ACCURACIES = (0.103, 0.124, 0.138, 0.151, 0.171, 0.172, 0.176, 0.185, 0.192, 0.192)
"""The lecture's log: the cost of the last batch of each epoch, and the validation accuracy."""


def causes(session: Session, rate: float) -> tuple[float, float, float]:
    """How far apart an image's scores are; an update over the weights; the gradient of L2 over that of the data."""
    images, labels = next(session.training.plain(1000))
    scores = scores_of(session.model, images)
    session.model.zero_grad()
    session.loss(scores, labels).backward()
    weights = [one for one in session.model.parameters() if one.ndim > 1]
    gradient = math.sqrt(sum(float(one.grad.square().sum()) for one in weights if one.grad is not None))
    size = math.sqrt(sum(float(one.detach().square().sum()) for one in weights))
    spread = float((scores.max(dim=1).values - scores.min(dim=1).values).mean().detach())
    return spread, rate * gradient / size, STRENGTH * size / gradient


def explosion(page: Page) -> list[float]:
    """One weight's value after each update at a rate of 1e6."""
    session = page.session({**LECTURE, "optim.lr": EXPLOSIVE, "train.steps": 12}, training=1000)
    weight = next(session.model.parameters())
    place = int(weight.detach().abs().argmax())
    trace = [float(weight.detach().flatten()[place])]
    trace.extend(float(weight.detach().flatten()[place]) for _ in train(session))
    return trace


def main(page: Page) -> None:
    """Trains at both rates."""
    rate = page.choose(RATE, 2e-5)
    settings = {**LECTURE, "optim.lr": rate, "regularize.l2": STRENGTH, "train.epochs": 10}
    session = page.session(settings)
    before = measured(session, session.validation)
    trace = follow(page, session, "rate 1e-6")
    costs, accuracies = ([getattr(one, name) for one in trace.validation] for name in ("loss", "accuracy"))
    spread, update, pull = causes(session, rate)
    weight = explosion(page)

    page.line("loss at the start", "2.302576 (epoch 1)", f"{before.loss:.6f}")
    for epoch in (1, 5, 10):
        page.line(f"validation loss, epoch {epoch}", f"{COSTS[epoch - 1]:.6f} (a batch's)", f"{costs[epoch - 1]:.6f}")
        page.line(f"validation accuracy, epoch {epoch}", f"{ACCURACIES[epoch - 1]:.3f}", f"{accuracies[epoch - 1]:.3f}")
    page.line("largest minus smallest score of an image", "", f"{spread:.5f}")
    page.line("one update over the weights (healthy: about 1e-3)", "", f"{update:.1e}")
    page.line("gradient of regularisation over that of the data", "", f"{pull:.1e}")
    page.line("one weight at rate 1e6: updates until it is no number", "explodes", f"{_finite(weight)}")
    logs = [math.log10(abs(value)) if value and math.isfinite(value) else math.nan for value in weight]
    page.figure(
        [
            charted(
                "The loss barely changes",
                [
                    Line("ours, validation", *points(1e6 * (cost - math.log(10)) for cost in costs), "one"),
                    Line("the lecture's", *points(1e6 * (cost - math.log(10)) for cost in COSTS), "two", "dashed"),
                ],
                Axes("epoch", "(loss - ln 10) x 1,000,000", width=480),
            ),
            charted(
                "The accuracy climbs all the same",
                [
                    Line("ours, validation", *points(accuracies), "one"),
                    Line("the lecture's", *points(ACCURACIES), "two", "dashed"),
                ],
                Axes("epoch", "accuracy", width=480),
            ),
            charted(
                "Rate 1e6: a weight somewhere in the network",
                [Line("log10 of its size", list(range(len(logs))), logs, "one")],
                Axes("updates", "log10 of the weight's size", width=480),
            ),
        ]
    )
    page.claim(0 < before.loss - costs[-1] < 5e-4, "the loss falls by less than 0.0005")
    page.claim(
        0.15 <= accuracies[-1] <= page.choose(0.25, 0.6), f"accuracy climbs to about 0.19 (it is {accuracies[-1]:.3f})"
    )
    page.claim(accuracies[-1] > before.accuracy + 0.03, "it climbs from where it began")
    page.claim(
        pull < 0.1, "the rate is too low and not the strength too high: regularisation's gradient is the smaller by far"
    )
    page.claim(_finite(weight) <= 10, "at 1e6 the weight is no number within ten updates")


def _finite(weight: list[float]) -> int:
    return next((step for step, value in enumerate(weight) if not math.isfinite(value)), len(weight))


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
