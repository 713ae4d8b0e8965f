"""Every name of every table trains digits for two epochs, through the whole command's way.

`make ingredients` trains each name by itself, and says what each reached; otherwise nine runs are made in which every
name is met, one of each table in each.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch

from babysit import api
from babysit.data.preprocess import PREPROCESSORS
from babysit.initializers import INITIALIZERS
from babysit.losses import LOSSES, TAKE_SHARES
from babysit.optim.averaging import AVERAGES
from babysit.optim.optimizers import OPTIMIZERS
from babysit.optim.schedules import SCHEDULES
from babysit.recipe.schema import AugmentPart

Settings = dict[str, object]

TABLES: dict[str, list[str]] = {
    "preprocess.kind": [*PREPROCESSORS],
    "init.kind": [*INITIALIZERS],
    "loss.kind": [*LOSSES],
    "optim.kind": [*OPTIMIZERS],
    "schedule.kind": [*SCHEDULES],
    "train.average": ["none", *AVERAGES],
}

AUGMENTATIONS: list[Settings] = [
    {"augment.crop": 2},
    {"augment.flip": "alternating"},
    {"augment.resized_crop": 0.6, "augment.crop": 0},
    {"augment.rotate": 10.0},
    {"augment.scale": 0.1},
    {"augment.brightness": 0.2, "augment.contrast": 0.2, "augment.saturation": 0.2},
    {"augment.colour": 0.1},
    {"augment.erase": 0.3},
    {"augment.mixup": 0.2},
    {"augment.cutmix": 0.5},
]

REGULARIZERS: list[Settings] = [
    {"regularize.l2": 1e-3, "regularize.biases": True},
    {"regularize.l1": 1e-5},
    {"regularize.l1": 1e-5, "regularize.l1_form": "proximal"},
    {"regularize.elastic_l1": 1e-5, "regularize.elastic_l2": 1e-4},
    {"regularize.decay": 0.01},
    {"regularize.max_norm": 4.0},
    {"regularize.dropout": 0.2},
    {"regularize.dropout": 0.1, "regularize.dropout_at": "conv", "regularize.dropout_form": "paper"},
]

OTHERS: list[Settings] = [
    {"data.sampling": "balanced"},
    {"loss.class_weights": "balanced"},
    {"loss.smoothing": 0.1},
    {"optim.bias_rate": 16.0},
    {"optim.clip": 1.0},
    {"init.kind": "whitening", "init.fixed": True, "init.rest": "identity"},
    {"preprocess.kind": "zca", "preprocess.patch": 4},
    {"schedule.kind": "cosine", "schedule.warmup": 0.2},
]

RUN: Settings = {"train.epochs": 2, "train.precision": "float32", "train.threads": 1, "optim.batch_size": 32}


def test_nothing_that_can_be_asked_is_left_out() -> None:
    switches = {name.removeprefix("augment.") for one in AUGMENTATIONS for name in one}
    assert switches == set(AugmentPart.model_fields)


def trained(settings: Mapping[str, object], place: Path) -> float:
    """The validation accuracy after two epochs."""
    threads = torch.get_num_threads()
    try:
        done = api.train("digits", out=place, settings={**RUN, **settings}, anyway=True)
    finally:
        torch.set_num_threads(threads)
    assert done.epochs == 2 and not done.stopped and math.isfinite(done.validation["loss"])
    assert (place / "report.html").exists()
    return done.validation["accuracy"]


def covering() -> Iterator[Settings]:
    """Runs that meet every name: of each table the next one, beginning again where a table is short."""
    longest = max(map(len, [*TABLES.values(), AUGMENTATIONS, REGULARIZERS]))
    for place in range(longest):
        chosen: Settings = {switch: names[place % len(names)] for switch, names in TABLES.items()}
        chosen |= AUGMENTATIONS[place] | REGULARIZERS[place % len(REGULARIZERS)]
        if any(name in chosen for name in ("augment.mixup", "augment.cutmix")):
            chosen["loss.kind"] = TAKE_SHARES[place % 2]
        yield chosen


def alone() -> Iterator[Settings]:
    """Every name by itself."""
    for switch, names in TABLES.items():
        for name in names:
            yield {switch: name}
    yield from itertools.chain(AUGMENTATIONS, REGULARIZERS, OTHERS)


def words(settings: Settings) -> str:
    return ",".join(f"{name}={value}" for name, value in settings.items())


def test_the_runs_meet_every_name() -> None:
    for switch, names in TABLES.items():
        assert {one[switch] for one in covering()} == set(names)


@pytest.mark.slow
@pytest.mark.parametrize("settings", list(covering()), ids=words)
def test_names_train_together(settings: Settings, tmp_path: Path) -> None:
    accuracy = trained(settings, tmp_path / "run")
    assert accuracy > 0.25, f"chance is 0.10, and this reached {accuracy:.3f}"


@pytest.mark.ingredients
@pytest.mark.parametrize("settings", list(alone()), ids=words)
def test_each_name_trains(settings: Settings, tmp_path: Path) -> None:
    accuracy = trained(settings, tmp_path / "run")
    print(f"\n{words(settings)}: {accuracy:.3f}")
    assert accuracy > 0.4, f"chance is 0.10, and this reached {accuracy:.3f}"
