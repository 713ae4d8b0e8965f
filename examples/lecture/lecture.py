"""What the lecture's experiments share: options, images, a training followed, and a page of table, figure and claims."""

from __future__ import annotations

import argparse
import dataclasses
import math
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from babysit.api.running import read_request
from babysit.checks.subject import Held
from babysit.clock import Clock
from babysit.data.batches import Batches, Part
from babysit.data.corrections import read_lists
from babysit.errors import UserError
from babysit.figures.charts import Color, Line, Style, thinned
from babysit.figures.panels import Panel, figure
from babysit.initializers import initialize
from babysit.losses import softmax_loss
from babysit.metrics import Scores, score
from babysit.models import Shape
from babysit.models.initial import he
from babysit.models.surgery import with_dropout
from babysit.recipe import Recipe
from babysit.seeds import permutation
from babysit.show import Silent
from babysit.training import prepare
from babysit.training.evaluate import probabilities
from babysit.training.loop import StepDone, train
from babysit.training.plan import Plan
from babysit.training.session import Session, assemble

Choice = TypeVar("Choice")
Settings = Mapping[str, object]

ALONE: Settings = {
    "augment.crop": 0,
    "augment.flip": "none",
    "regularize.l2": 0.0,
    "schedule.kind": "constant",
    "train.progressive": 1.0,
    "train.average": "none",
    "train.precision": "float32",
    "train.threads": 1,
}
"""Nothing beside what an experiment is about, and the same bits every time."""

LECTURE: Settings = {
    **ALONE,
    "preprocess.kind": "mean-image",
    "preprocess.divisor": 1.0,
    "model.name": "two-layer",
    "init.kind": "gaussian",
    "init.scale": 1e-4,
    "optim.kind": "sgd",
    "optim.batch_size": 100,
}
"""The lecture's own: pixels 0 to 255 minus the mean image, 50 hidden units, weights 0.0001 * randn, vanilla SGD."""


def small_alexnet(shape: Shape) -> nn.Module:
    """A ConvNet with full layers, small enough to wait for: two convolutions with pooling, a full layer, a classifier."""
    classifier = nn.Linear(128, shape.classes)
    layers = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, 16, 3, padding=1),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(16, 32, 3, padding=1),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            full=nn.Linear(32 * (shape.size // 4) ** 2, 128),
            relu3=nn.ReLU(),
            classifier=classifier,
        )
    )
    return he(layers, classifier)


@dataclass
class Page:
    """One experiment being written down: what was asked for, and what it came to."""

    name: str
    title: str
    source: str
    folder: Path
    lines: list[tuple[str, str, str]] = field(default_factory=list)
    claims: list[tuple[bool, str]] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether this is the experiment itself and not its reduced form."""
        return self.source != "digits"

    def choose(self, whole: Choice, reduced: Choice) -> Choice:
        """A constant for CIFAR-10, or the one for the small `digits`."""
        return whole if self.whole else reduced

    def line(self, what: str, lecture: str, ours: str) -> None:
        """A line of the table; `lecture` is empty where it gives no number."""
        self.lines.append((what, lecture or "-", ours))

    def claim(self, held: bool | np.bool_, sentence: str) -> None:
        """What the experiment shows; the command fails, and says the sentence, where it does not hold."""
        self.claims.append((bool(held), sentence))

    def figure(self, panels: Sequence[Panel], *, columns: int = 2) -> None:
        """Saves the figure."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{self.name}.svg").write_text(figure(self.title, panels, columns=columns), encoding="utf-8")

    def say(self, text: str) -> None:
        """Progress, for a person who waits."""
        print(f"  {text}", file=sys.stderr, flush=True)

    @cached_property
    def _decoded(self) -> tuple[prepare.Data, int]:
        lists = read_lists(None, None)
        clock = Clock(time.perf_counter())
        catalog, recipe, _ = prepare.look(read_request(self.source).recipe, clock, lists=lists, show=Silent())
        assert recipe.data.size is not None
        return prepare.decode(catalog, recipe, lists=lists, clock=clock, show=Silent()), recipe.data.size

    def session(
        self,
        settings: Settings,
        *,
        training: int | None = None,
        validation: int | None = None,
        network: Callable[[Shape], nn.Module] | None = None,
    ) -> Session:
        """A training at its first step.

        Arguments:
            settings: as in a recipe.
            training, validation: how many images of each part, drawn once and for all; None for all.
            network: makes a network that has no name; else `model.name` is taken.
        """
        data, size = self._decoded
        rows = {"train": _some(data.split.train, training), "val": _some(data.split.validation, validation)}
        cut = dataclasses.replace(data, split=dataclasses.replace(data.split, rows={**data.split.rows, **rows}))
        own: Settings = (
            {"init.kind": "network"} if network else {}
        )  # what the rule chooses is for the network of a name
        recipe = read_request(self.source, settings={**own, **settings, "data.size": size}).recipe
        session, filled, _ = prepare.start(recipe, cut, Clock(time.perf_counter()))
        session.recipe = filled
        return session if network is None else self._with(session, network)

    def _with(self, session: Session, network: Callable[[Shape], nn.Module]) -> Session:
        recipe, classes, (_, size) = session.recipe, session.classes, self._decoded
        torch.manual_seed(recipe.seed)
        model = with_dropout(network(Shape(size, len(classes), 0)), recipe.regularize).to(session.device)
        initialize(model, recipe.init, seed=recipe.seed)
        parts = session.training, session.validation
        return assemble(recipe, model, session.loss, *parts, classes=classes, plan=session.plan, clock=session.clock)


def _some(rows: np.ndarray, count: int | None) -> np.ndarray:
    return rows if count is None else np.sort(rows[permutation(0, 0, len(rows))[:count]])


@dataclass
class Trace:
    """What a training showed: of every step, and after every epoch."""

    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    training: list[Scores] = field(default_factory=list)
    validation: list[Scores] = field(default_factory=list)

    @property
    def ends(self) -> str:
        """Accuracy on training and validation images at the end, in words."""
        return f"{self.training[-1].accuracy:.3f}, {self.validation[-1].accuracy:.3f}"

    @property
    def gap(self) -> float:
        """How much better the network is on its training images at the end, as a difference of shares."""
        return self.training[-1].accuracy - self.validation[-1].accuracy

    @property
    def loss_gap(self) -> float:
        """The same as a difference of losses."""
        return self.validation[-1].loss - self.training[-1].loss


def measured(session: Session, part: Part) -> Scores:
    """Loss and accuracy on a part, in evaluation mode."""
    predicted = probabilities(session.model, part, session.recipe.train.precision)
    return score(predicted, part.labels[part.rows], session.classes)


def held_session(settings: Settings, model: nn.Module, training: Held, validation: Held, *, classes: int) -> Session:
    """A training on points or activations that are held in memory.

    Arguments:
        settings: with `train.steps`.
    """
    recipe = Recipe().replace({**ALONE, "regularize.decay": 0.0, **settings})
    names, plan = tuple(map(str, range(classes))), Plan(((0, recipe.train.steps or 0),))
    clock, model = Clock(time.perf_counter()), model.to(training.device)
    return assemble(recipe, model, softmax_loss, training, validation, classes=names, plan=plan, clock=clock)


def some_of(part: Part, count: int) -> Part:
    """Some images of a part, the same at every call."""
    if isinstance(part, Held):
        return part.first(count)
    assert isinstance(part, Batches)
    return dataclasses.replace(part, rows=_some(part.rows, count))


def follow(page: Page, session: Session, name: str, *, seen: int = 1000) -> Trace:
    """Trains to the end, or until the loss is no number.

    Arguments:
        name: of this training, for a person who waits.
        seen: training images on which is measured after each epoch; 0 measures nothing.
    """
    trace = Trace()
    for event in train(session):
        if isinstance(event, StepDone):
            trace.losses.append(event.loss)
            trace.accuracies.append(event.accuracy)
            if not math.isfinite(event.loss):
                break
        elif seen:
            trace.training.append(measured(session, some_of(session.training, seen)))
            trace.validation.append(measured(session, session.validation))
    last = f", validation accuracy {trace.validation[-1].accuracy:.3f}" if trace.validation else ""
    page.say(f"{name}: loss {trace.losses[0]:.4f} to {trace.losses[-1]:.4f}{last}")
    return trace


def points(values: Iterable[float], most: int = 200) -> tuple[list[float], list[float]]:
    """Values against 1, 2, 3, ..., for a curve; thinned so that a figure stays small."""
    kept = list(values)
    return thinned(list(range(1, len(kept) + 1)), kept, most)


def accuracies(name: str, scores: Sequence[Scores], color: Color, style: Style = "line") -> Line:
    """A curve of the accuracy after each epoch."""
    return Line(name, *points(one.accuracy for one in scores), color, style)


def smooth(values: Sequence[float], width: int) -> list[float]:
    """The mean of each value and those before it, `width` at most."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - width)
    return ((sums[ends] - sums[starts]) / (ends - starts)).tolist()


def hidden_weights(session: Session) -> np.ndarray:
    """What each hidden unit of `two-layer` multiplies the image by, as images: (units, 3, side, side)."""
    weights = session.model.get_submodule("hidden").weight
    side = session.recipe.data.size
    assert isinstance(weights, torch.Tensor)
    assert side is not None
    return weights.detach().reshape(-1, 3, side, side).cpu().numpy()


def stretched(images: np.ndarray) -> np.ndarray:
    """Each of some images stretched to its own range, a constant one grey, as pixels; (n, 1 or 3, height, width) to (n, height, width, 3)."""
    low, high = (take(images, axis=(1, 2, 3), keepdims=True) for take in (np.min, np.max))
    shown = np.where(high > low, np.rint(255 * (images - low) / np.maximum(high - low, 1e-12)), 128).astype(np.uint8)
    return np.broadcast_to(shown, (len(images), 3, *images.shape[2:])).transpose(0, 2, 3, 1)


def run(experiment: Callable[[Page], None], file: str, text: str | None, arguments: Sequence[str] | None = None) -> int:
    """The command of an experiment: runs it, prints its table, and says which claims did not hold.

    Returns:
        The exit status: 0 when all held, 1 when one did not or the user must change something.
    """
    title = (text or "").splitlines()[0].rstrip(".")
    parser = argparse.ArgumentParser(prog=Path(file).name, description=text)
    parser.add_argument(
        "--data", default="cifar10.zip", help="cifar10.zip or a folder of it, or digits (default: %(default)s)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/lecture"),
        help="folder of the figure and the table (default: %(default)s)",
    )
    asked = parser.parse_args(arguments)
    page, begun = Page(Path(file).stem, title, asked.data, asked.out), time.perf_counter()
    try:
        experiment(page)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    table = _table([("", "the lecture", "ours"), *page.lines])
    (page.folder / f"{page.name}.md").write_text(f"{table}\n", encoding="utf-8")
    print(
        f"{title}\n\n{table}\n\n{page.folder / page.name}.svg, from {page.source} in {time.perf_counter() - begun:.0f} s"
    )
    broken = [sentence for held, sentence in page.claims if not held]
    for sentence in broken:
        print(f"{page.name}: does not hold: {sentence}", file=sys.stderr)
    if not broken:
        print(f"Holds: {'; '.join(sentence for _, sentence in page.claims)}.")
    return 1 if broken else 0


def _table(rows: Sequence[tuple[str, str, str]]) -> str:
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in wide) + "|", *lines[1:]])
