"""5. The lecture's five schedules, and a constant rate, on one task.

The same small network, images, order and peak rate; the schedule alone differs. The rate is one that is good at the start
and too high at the end, which is what a schedule is for.
"""

from __future__ import annotations

import sys

from babysit.figures.charts import Axes, Color, Line
from babysit.figures.panels import charted
from babysit.optim.schedules import Moment, rate_factor
from lecture import ALONE, Page, follow, points, run, smooth

ARMS: dict[str, tuple[dict[str, object], str, Color]] = {
    "constant": ({}, "1", "soft"),
    "step": ({}, "x0.1 at each third (the lecture's: every 50,000 batches)", "one"),
    "exponential": ({}, "x0.97 an epoch", "two"),
    "sqrt": ({}, "sqrt(1 - t/T)", "three"),
    "inverse": ({}, "1/(1 + t/tau), tau a fifth of the run", "four"),
    "exp": ({}, "exp(-t/tau), tau a fifth of the run", "five"),
}


def main(page: Page) -> None:
    """Trains once with each."""
    epochs, count = page.choose(6, 5), page.choose(2000, 500)
    settings = {
        **ALONE,
        "model.name": "convnet",
        "optim.kind": "momentum",
        "optim.lr": page.choose(0.03, 0.05),
        "optim.batch_size": 50,
        "train.epochs": epochs,
    }
    traces, rates = {}, {}
    for name, (changes, _, _) in ARMS.items():
        session = page.session({**settings, **changes, "schedule.kind": name}, training=count, validation=1000)
        steps, a_epoch, part = session.plan.total, session.steps_per_epoch, session.recipe.schedule
        moments = [Moment.of(step, steps_per_epoch=a_epoch, total=steps) for step in range(steps)]
        rates[name] = [rate_factor(moment, part) for moment in moments]
        traces[name] = follow(page, session, name)

    for name, (_, formula, _) in ARMS.items():
        last = traces[name].training[-1], traces[name].validation[-1]
        ours = f"last factor {rates[name][-1]:.4f}, training loss {last[0].loss:.3f}, validation accuracy {last[1].accuracy:.3f}"
        page.line(name, formula, ours)
    page.figure(
        [
            charted(
                "The rate, as a share of its peak",
                [Line(name, *points(rates[name]), color) for name, (_, _, color) in ARMS.items()],
                Axes("step", "factor", width=560),
            ),
            charted(
                "Training loss, mean of the last 100 steps",
                [Line(name, *points(smooth(traces[name].losses, 100)), color) for name, (_, _, color) in ARMS.items()],
                Axes("step", "loss", width=560),
            ),
        ]
    )
    final = {name: trace.training[-1].loss for name, trace in traces.items()}
    falling = ("step", "sqrt", "inverse", "exp")
    page.claim(abs(rates["exponential"][-1] - 0.97 ** (epochs - 1)) < 1e-12, "x0.97 falls once an epoch")
    page.claim(rates["step"][0] == 1 and abs(rates["step"][-1] - 0.01) < 1e-12, "two steps of x0.1 make 0.01")
    page.claim(
        abs(rates["inverse"][-1] - 1 / 6) < 0.01 and abs(rates["exp"][-1] - 0.0067) < 0.001,
        "1/(1 + 5) and exp(-5) at the end",
    )
    page.claim(
        min(final[name] for name in falling) < final["constant"],
        "a falling rate ends at a lower loss than the constant one",
    )


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
