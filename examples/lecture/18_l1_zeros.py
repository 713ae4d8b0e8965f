"""18. L1's exact zeros.

L1 pulls every weight towards zero by the same amount, so that small ones should arrive. As a part of the gradient it steps over
zero and back, and none is exactly zero; as a proximal step it stops there. L2's pull fades with the weight, and none arrives.
"""

from __future__ import annotations

import sys

import numpy as np

from babysit.figures.charts import Axes, Color, Line
from babysit.figures.panels import charted, pictured
from babysit.figures.sheets import sheet
from babysit.training.session import Session
from lecture import ALONE, Page, follow, hidden_weights, run, stretched


def sizes_of(session: Session) -> np.ndarray:
    """log10 of the regularised weights' sizes, sorted; exact zeros as -12."""
    sizes = np.concatenate([one.detach().abs().flatten().cpu().numpy() for one in session.regularizer.weights])
    return np.sort(np.log10(np.maximum(sizes, 1e-12)))


def main(page: Page) -> None:
    """Trains with none, L2, L1 in the gradient, and L1 in the proximal form."""
    l1, l2 = page.choose(0.004, 0.01), 0.02
    arms: dict[str, tuple[dict[str, object], Color]] = {
        "none": ({}, "soft"),
        "L2": ({"regularize.l2": l2}, "three"),
        "L1 in the gradient": ({"regularize.l1": l1}, "two"),
        "L1 proximal": ({"regularize.l1": l1, "regularize.l1_form": "proximal"}, "one"),
    }
    settings = {
        **ALONE,
        "model.name": "two-layer",
        "optim.kind": "sgd",
        "optim.lr": page.choose(0.01, 0.05),
        "optim.batch_size": 50,
        "train.epochs": page.choose(12, 20),
    }
    zeros, sizes, accuracy, filters = {}, {}, {}, {}
    for name, (changes, _) in arms.items():
        session = page.session({**settings, **changes}, training=page.choose(5000, 300), validation=1000)
        trace = follow(page, session, name)
        zeros[name], sizes[name], accuracy[name] = (
            session.regularizer.zero_share(),
            sizes_of(session),
            trace.validation[-1].accuracy,
        )
        filters[name] = stretched(hidden_weights(session)[:8])

    for name in arms:
        page.line(
            f"{name}: share of weights exactly zero",
            {"L1 proximal": "reduced to exactly zero"}.get(name, ""),
            f"{zeros[name]:.3f}",
        )
        page.line(f"{name}: validation accuracy", "", f"{accuracy[name]:.3f}")
    share = (np.arange(len(sizes["none"])) + 1) / len(sizes["none"])
    step = max(1, len(share) // 200)
    page.figure(
        [
            charted(
                "How small the weights are",
                [
                    Line(name, sizes[name][::step].tolist(), share[::step].tolist(), color)
                    for name, (_, color) in arms.items()
                ],
                Axes("log10 of the weight's size", "share of weights below", width=620, limits=(-8, 0.2, 0, 1)),
            ),
            *(
                pictured(f"{name}: eight hidden units", sheet(filters[name], 8), scale=page.choose(1.5, 4), side=33)
                for name in ("none", "L1 proximal")
            ),
        ],
        columns=1,
    )
    page.claim(zeros["L1 proximal"] > 0.2, "with the proximal step many weights are exactly zero")
    page.claim(max(zeros[name] for name in ("none", "L2")) < 1e-3, "L2 makes none exactly zero")
    page.claim(zeros["L1 in the gradient"] < 0.01, "nor does L1 in the gradient, which steps over zero and back")
    page.claim(accuracy["L1 proximal"] > accuracy["none"] - 0.1, "and the sparse network keeps most of its accuracy")


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
