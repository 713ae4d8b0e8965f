"""15. Softmax against SVM.

Two losses for the same scores: the softmax is never content, the hinge is as soon as the right score leads by the margin. Their
gradients differ in size, the hinge's being summed over the wrong classes, so the rates differ as well.
"""

from __future__ import annotations

import math
import sys

import numpy as np
import torch

from babysit.checks.subject import scores_of
from babysit.figures.charts import Axes, Color, Line
from babysit.figures.panels import charted
from babysit.training.session import Session
from lecture import ALONE, Page, accuracies, follow, run, small_alexnet

ARMS: dict[str, Color] = {"softmax": "one", "hinge": "two"}


def leads(session: Session) -> np.ndarray:
    """By how much the right score leads the best wrong one, over some training images, sorted."""
    images, labels = next(session.training.plain(1000))
    with torch.no_grad():
        scores = scores_of(session.model.eval(), images)
    right = scores.gather(1, labels[:, None])[:, 0]
    wrong = scores.scatter(1, labels[:, None], -math.inf).max(dim=1).values
    return np.sort((right - wrong).cpu().numpy())


def main(page: Page) -> None:
    """Trains the same network under both."""
    count, epochs = page.choose(5000, 300), page.choose(6, 12)
    settings = {
        **ALONE,
        "optim.kind": "momentum",
        "optim.batch_size": page.choose(50, 20),
        "schedule.kind": "one-cycle",
        "train.epochs": epochs,
    }
    rates = {"softmax": page.choose(0.02, 0.02), "hinge": page.choose(0.004, 0.004)}
    traces, margins = {}, {}
    for kind in ARMS:
        session = page.session(
            {**settings, "loss.kind": kind, "optim.lr": rates[kind]},
            training=count,
            validation=1500,
            network=small_alexnet,
        )
        traces[kind] = follow(page, session, kind)
        margins[kind] = leads(session)
    accuracy = {kind: trace.validation[-1].accuracy for kind, trace in traces.items()}
    content = {kind: float((values >= 1).mean()) for kind, values in margins.items()}

    for kind, start in (("softmax", "ln 10 = 2.3026"), ("hinge", "9 (computed)")):
        page.line(f"{kind}: first loss", start, f"{traces[kind].losses[0]:.4f}")
        page.line(f"{kind}: accuracy on training, validation", "", traces[kind].ends)
        page.line(f"{kind}: training images whose right score leads by 1", "", f"{content[kind]:.3f}")
    share = (np.arange(len(margins["hinge"])) + 1) / len(margins["hinge"])
    page.figure(
        [
            charted(
                "Validation accuracy",
                [accuracies(kind, traces[kind].validation, color) for kind, color in ARMS.items()],
                Axes("epoch", "accuracy", width=480),
            ),
            charted(
                "How far the right score leads",
                [Line(kind, margins[kind][::10].tolist(), share[::10].tolist(), color) for kind, color in ARMS.items()],
                Axes("right score minus best wrong one", "share of training images below", width=480),
            ),
        ]
    )
    page.claim(abs(traces["softmax"].losses[0] - math.log(10)) < 0.1, "the softmax loss begins near ln 10")
    page.claim(abs(traces["hinge"].losses[0] - 9) < 1, "the hinge loss begins near 9")
    page.claim(abs(accuracy["softmax"] - accuracy["hinge"]) < 0.05, "both come to about the same accuracy")


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
