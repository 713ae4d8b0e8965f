"""Names that no table has, and settings that contradict each other or would be passed over."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from babysit.data.preprocess import PREPROCESSORS
from babysit.errors import Fault
from babysit.initializers import INITIALIZERS
from babysit.losses import LOSSES
from babysit.models import DEFAULT_WIDTH, MODELS, Shape, name_fault
from babysit.optim.optimizers import OPTIMIZERS
from babysit.optim.schedules import SCHEDULES
from babysit.recipe import Recipe
from babysit.show import plural
from babysit.tables import Table
from babysit.training.first_weights import weights_fault


def setting_faults(recipe: Recipe, places: Mapping[str, str]) -> list[Fault]:
    """Every fault of these kinds together.

    Arguments:
        places: setting to the file and line, or the option, that gave it.
    """
    return [*_name_faults(recipe, places), *_combination_faults(recipe, places), *_unused_faults(recipe, places)]


def _name_faults(recipe: Recipe, places: Mapping[str, str]) -> list[Fault]:
    named: list[tuple[str, Table[object], str]] = [
        ("preprocess.kind", PREPROCESSORS, recipe.preprocess.kind),  # type: ignore[list-item]
        ("init.kind", INITIALIZERS, recipe.init.kind or "network"),  # type: ignore[list-item]
        ("loss.kind", LOSSES, recipe.loss.kind),  # type: ignore[list-item]
        ("optim.kind", OPTIMIZERS, recipe.optim.kind),  # type: ignore[list-item]
        ("schedule.kind", SCHEDULES, recipe.schedule.kind),  # type: ignore[list-item]
    ]
    model = name_fault(recipe.model.name, _place("model.name", places))
    found = [table.fault(name, _place(setting, places)) for setting, table, name in named if name not in table]
    return [*([model] if model else []), *found]


USED_BY: tuple[tuple[str, str, tuple[object, ...]], ...] = (
    ("loss.smoothing", "loss.kind", ("softmax",)),
    ("loss.margin", "loss.kind", ("hinge", "squared-hinge")),
    ("loss.gamma", "loss.kind", ("focal",)),
    ("init.scale", "init.kind", tuple(kind for kind in INITIALIZERS if kind != "network")),
    ("init.distribution", "init.kind", ("xavier", "he")),
    ("init.fan", "init.kind", ("he",)),
    ("init.rest", "init.kind", ("whitening",)),
    ("init.fixed", "init.kind", ("whitening",)),
    ("optim.momentum", "optim.kind", tuple(kind for kind in OPTIMIZERS if kind not in ("sgd", "adagrad"))),
    ("optim.beta2", "optim.kind", ("rmsprop", "adam", "adamw", "muon")),
    ("optim.epsilon", "optim.kind", ("adagrad", "rmsprop", "adam", "adamw", "muon")),
    ("train.average_decay", "train.average", ("ema", "lookahead")),
    ("train.average_every", "train.average", ("ema", "lookahead")),
    ("schedule.every", "schedule.kind", ("step",)),
    ("schedule.factor", "schedule.kind", ("step", "exponential")),
    ("schedule.power", "schedule.kind", ("polynomial",)),
    ("schedule.tau", "schedule.kind", ("inverse", "exp")),
    ("schedule.front", "schedule.kind", ("trapezoid",)),
)
"""Settings, and the kinds that use them."""


NEEDING: tuple[tuple[str, str, str], ...] = (
    ("regularize.dropout_at", "regularize.dropout", "no probability"),
    ("regularize.dropout_form", "regularize.dropout", "no probability"),
    ("regularize.l1_form", "regularize.l1", "no l1"),
)
"""Settings, those without which they mean nothing, and how that is said."""


def _unused_faults(recipe: Recipe, places: Mapping[str, str]) -> list[Fault]:
    """Settings that were changed though the chosen kind does not use them."""
    usual, faults = Recipe(), []
    for setting, switch, kinds in USED_BY:
        if recipe.get(setting) != usual.get(setting) and (kind := recipe.get(switch)) not in kinds:
            legal = f"{switch} {', '.join(map(str, kinds))}"
            what = f"{setting} is not used by {kind}" if kind else f"{setting} is given, and {switch} left to the rule"
            faults.append(Fault(what, _place(setting, places), legal))
    for setting, needed, missing in NEEDING:
        if not recipe.get(needed) and recipe.get(setting) != usual.get(setting):
            legal = "regularize.l1 above 0" if needed == "regularize.l1" else needed
            faults.append(Fault(f"{setting} is given and {missing}", _place(setting, places), legal))
    return faults


def _combination_faults(recipe: Recipe, places: Mapping[str, str]) -> list[Fault]:
    faults = []
    train = recipe.train
    lengths = [name for name in ("epochs", "budget", "steps") if getattr(train, name) is not None]
    if len(lengths) > 1:
        where = ", ".join(_place(f"train.{name}", places) for name in lengths)
        faults.append(
            Fault(f"the length is given {len(lengths)} times ({' and '.join(lengths)})", where, "one of them")
        )
    if train.float32_layers and train.precision == "float32":
        place = _place("train.float32_layers", places)
        faults.append(Fault("train.float32_layers is for bfloat16, and the precision is float32", place))
    data = recipe.data
    if data.fold is not None and data.fold > (data.folds or 0):
        legal = f"1 to {data.folds}" if data.folds else "data.folds beside it"
        faults.append(Fault(f"there is no fold {data.fold}", _place("data.fold", places), legal))
    if train.refit:
        why = "with train.refit nothing is held out to choose by, so there is no use for"
        given = [("data.folds", data.folds), ("train.patience", train.patience)]
        given += [("watch.remedy", recipe.watch.remedy != "off")]
        faults += [Fault(f"{why} {name}", _place(name, places), "one of the two") for name, value in given if value]
    if train.corrections and not _are_knots(train.corrections, train.steps):
        faults.append(
            Fault(
                "train.corrections does not fit train.steps",
                _place("train.corrections", places),
                "pairs [step, total], steps rising from 0, the last total equal to train.steps",
            )
        )
    if recipe.model.width is not None and recipe.model.name != "quick":
        place = _place("model.width", places)
        faults.append(Fault(f"model.width is quick's; {recipe.model.name} has widths of its own", place))
    faults += _weights_faults(recipe, places)
    if recipe.train.steps:
        faults += length_faults(recipe, recipe.train.steps, places)
    if recipe.optim.batch_size == 1 and _normalises_batches(recipe.model.name):
        what = f"batch normalisation, which {recipe.model.name} has, cannot work on one image"
        faults.append(Fault(what, _place("optim.batch_size", places), "2 and more, or a network without"))
    return faults


def _weights_faults(recipe: Recipe, places: Mapping[str, str]) -> list[Fault]:
    """What is wrong with first weights from a file, or needs them."""
    model = recipe.model
    if model.weights is None:
        given = [name for name in ("model.weights_hash", "optim.body_rate") if recipe.get(name) is not None]
        return [Fault(f"{name} is given and no weights", _place(name, places), "model.weights") for name in given]
    missing = weights_fault(model.weights, _place("model.weights", places))
    faults = [missing] if missing else []
    if recipe.init.kind not in (None, "network"):
        what = f"model.weights gives the first weights, so init.kind {recipe.init.kind} would be passed over"
        faults.append(Fault(what, _place("init.kind", places), "one of the two"))
    return faults


def length_faults(recipe: Recipe, steps: int, places: Mapping[str, str]) -> list[Fault]:
    """What does not fit a run of so many steps."""
    every = recipe.schedule.every
    if recipe.schedule.kind != "step" or not every or every < steps:
        return []
    what = f"the first fall, after {plural(every, 'step')}, is not within the run's {steps:,}"
    return [Fault(what, _place("schedule.every", places), f"1 to {steps - 1}")]


def _normalises_batches(name: str) -> bool:
    """Whether a network of the table normalises over the batch; of another one its first step tells."""
    if name not in MODELS:
        return False
    architecture = MODELS[name]
    with torch.device("meta"):
        network = architecture(Shape(architecture.size, architecture.classes, DEFAULT_WIDTH))
    return any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in network.modules())


def _are_knots(corrections: tuple[tuple[int, int], ...], steps: int | None) -> bool:
    firsts = [step for step, _ in corrections]
    return firsts[0] == 0 and firsts == sorted(set(firsts)) and corrections[-1][1] == steps


def _place(setting: str, places: Mapping[str, str]) -> str:
    return places.get(setting, setting)
