"""A session put back from its checkpoint goes on bit by bit as the one that was never interrupted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from babysit.clock import Clock
from babysit.data.batches import Batches
from babysit.data.statistics import Statistics
from babysit.recipe import Recipe
from babysit.training.loop import train
from babysit.training.plan import Plan
from babysit.training.session import Session, build

BASE: dict[str, object] = {"data.size": 8, "optim.batch_size": 16, "optim.lr": 0.05, "augment.crop": 1}
BASE |= {"augment.flip": "none", "train.precision": "float32", "model.width": 16}

INGREDIENTS: dict[str, dict[str, object]] = {
    "dropout": {"regularize.dropout": 0.4, "regularize.dropout_at": "all"},
    "paper-dropout": {"regularize.dropout": 0.4, "regularize.dropout_form": "paper", "regularize.max_norm": 1.0},
    "ema": {"train.average": "ema", "train.average_decay": 0.9},
    "lookahead": {"train.average": "lookahead"},
    "muon": {"optim.kind": "muon", "optim.lr": 0.002},
    "lsuv": {"init.kind": "lsuv"},
    "progressive": {"train.progressive": 0.5},
    "whitening": {"init.kind": "whitening", "init.fixed": True, "init.rest": "identity"},
}


def session(changes: dict[str, object]) -> Session:
    generator = np.random.default_rng(0)
    labels = np.arange(64) % 3
    pixels = generator.integers(0, 100, (64, 12, 12, 3), np.uint8) + (40 * labels)[:, None, None, None].astype(np.uint8)
    rows, statistics = np.arange(64), Statistics((90.0,) * 3, (50.0,) * 3)
    part = Batches(pixels, rows, labels, 8, statistics, torch.float32, torch.device("cpu"))
    recipe = Recipe().replace({**BASE, **changes})
    return build(recipe, part, part, ("a", "b", "c"), plan=Plan(((0, 14),)), clock=Clock(0.0))


@pytest.mark.parametrize("name", INGREDIENTS)
def test_it_goes_on_exactly(name: str) -> None:
    straight = session(INGREDIENTS[name])
    list(train(straight))
    first = session(INGREDIENTS[name])
    list(itertools.islice(train(first), 8))
    kept = first.checkpoint(0)
    weights = {key: value.clone() for key, value in kept.weights.items()}
    kept = type(kept)(weights, {key: value.clone() for key, value in kept.optimizer.items()}, kept.state)
    torch.manual_seed(99)
    second = session(INGREDIENTS[name])
    second.restore(kept)
    list(train(second))
    ends = [one.checkpoint(0) for one in (straight, second)]
    for part in ("weights", "optimizer"):
        before, after = (getattr(end, part) for end in ends)
        assert before.keys() == after.keys()
        assert all(torch.equal(before[key], after[key]) for key in before), part
    with straight.averaged():
        assert all(torch.equal(value, ends[0].weights[key]) for key, value in straight.model.state_dict().items())


def test_the_max_norm_holds_after_every_update() -> None:
    made = session({"regularize.max_norm": 0.5})
    for _ in train(made):
        assert float(made.model.get_submodule("conv2").weight.detach().square().sum((1, 2, 3)).max()) <= 0.5 + 1e-5
