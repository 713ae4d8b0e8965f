"""13. Augmentation against none.

Random crops with jittered offsets and random reflections, done live, make a new image of each one in every epoch. Without
them the network learns its images by heart: "typical ConvNets overfit the data".
"""

from __future__ import annotations

import sys

from babysit.figures.charts import Axes, Color
from babysit.figures.panels import charted
from lecture import ALONE, Page, accuracies, follow, run, small_alexnet

COLORS: dict[str, Color] = {"without": "two", "with": "one"}


def main(page: Page) -> None:
    """Trains on the same images, with and without."""
    settings = {
        **ALONE,
        "optim.kind": "momentum",
        "optim.lr": page.choose(0.01, 0.02),
        "optim.batch_size": page.choose(50, 25),
        "schedule.kind": "cosine",
        "train.epochs": page.choose(25, 30),
    }
    arms = {"without": {}, "with": {"augment.crop": page.choose(4, 1), "augment.flip": page.choose("random", "none")}}
    sizes = {"training": page.choose(1500, 100), "validation": 1000}
    traces = {
        name: follow(
            page, page.session({**settings, **changes}, **sizes, network=small_alexnet), f"{name} augmentation"
        )
        for name, changes in arms.items()
    }
    for name, trace in traces.items():
        one, other = trace.training[-1], trace.validation[-1]
        lectures = {"without": "overfits", "with": ""}[name]
        page.line(f"{name} augmentation: accuracy on training, validation", lectures, trace.ends)
        page.line(f"{name} augmentation: loss on training, validation", "", f"{one.loss:.3f}, {other.loss:.3f}")
        best = min(range(len(trace.validation)), key=lambda epoch: trace.validation[epoch].loss)
        page.line(f"{name} augmentation: lowest validation loss", "", f"epoch {best + 1} of {len(trace.validation)}")
    without, augmented = traces["without"], traces["with"]
    page.figure(
        [
            charted(
                f"{heading} augmentation",
                [
                    accuracies(
                        "training images",
                        traces[name].training,
                        COLORS[name],
                        "dashed",
                    ),
                    accuracies("validation images", traces[name].validation, COLORS[name]),
                ],
                Axes("epoch", "accuracy", width=480, limits=(0, len(without.training), 0, 1.02)),
            )
            for heading, name in (("Without", "without"), ("With", "with"))
        ]
    )
    page.claim(
        without.training[-1].accuracy > page.choose(0.95, 0.95),
        "without augmentation the training images are learnt by heart",
    )
    page.claim(
        augmented.loss_gap < without.loss_gap, "augmentation narrows the gap between training and validation loss"
    )
    page.claim(augmented.validation[-1].loss < without.validation[-1].loss, "and the validation loss is lower")
    if page.whole:  # on the easy digits both classify about as well
        better = augmented.validation[-1].accuracy - without.validation[-1].accuracy
        page.claim(better > 0.02, "and the network is better on images it has not seen")


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
