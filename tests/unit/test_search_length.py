"""What a trial is worth in its middle, and how long a full length is."""

from __future__ import annotations

import copy
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from made_sessions import decoded, started
from torch import nn

from babysit.searching import early, length
from babysit.searching.driver import proposed
from babysit.searching.early import cooled, statistics_of_now
from babysit.searching.space import parse_over
from babysit.searching.stages import Effort, Job, Result, Scene, Trial
from babysit.searching.trial import Ground
from babysit.training.loop import StepDone, train
from babysit.training.session import Session

QUICK = {"model.name": "quick", "model.width": 16, "train.precision": "float32", "train.threads": 1, "train.epochs": 6}


@pytest.fixture
def middle() -> Session:
    """A training on digits after a few steps, with normalising layers and growing images."""
    session, _ = started({**QUICK, "train.progressive": 0.5, "data.size": 16})
    for event in train(session):
        if isinstance(event, StepDone) and event.step == 12:
            break
    return session


def streams() -> tuple[object, object, bytes]:
    return random.getstate(), str(np.random.get_state()), torch.get_rng_state().numpy().tobytes()


def test_a_cooled_copy_leaves_no_trace_and_is_nearer_to_the_end(middle) -> None:
    kept, before = copy.deepcopy(middle.checkpoint(0)), streams()
    first = cooled(middle, kept)
    assert streams() == before
    now = middle.checkpoint(0)
    assert {name: value.cpu().numpy().tobytes() for name, value in now.weights.items()} == {
        name: value.cpu().numpy().tobytes() for name, value in kept.weights.items()
    }
    assert now.state["position"] == kept.state["position"]
    np.testing.assert_array_equal(first, cooled(middle, kept))
    labels = middle.validation.labels[middle.validation.rows]
    assert first.shape == (len(labels), 10) and np.allclose(first.sum(axis=1), 1, atol=1e-5)
    plain = early.probabilities(middle.model, middle.validation, "float32")
    right = [float((one.argmax(axis=1) == labels).mean()) for one in (first, plain)]
    assert right[0] > right[1], "statistics that lag and images of another side hide what was learned"


def test_the_statistics_are_the_mean_of_the_batches_and_those_before_come_back(middle) -> None:
    layer = next(one for one in middle.model.modules() if isinstance(one, nn.BatchNorm2d))
    before = {name: value.clone() for name, value in layer.named_buffers()}
    seen: list[torch.Tensor] = []
    handle = layer.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].double()))
    with statistics_of_now(middle):
        mean, variance, momentum = layer.running_mean.clone(), layer.running_var.clone(), layer.momentum
    handle.remove()
    assert len(seen) == early.STATISTICS_BATCHES and momentum is None
    torch.testing.assert_close(
        mean.double(), torch.stack([one.mean((0, 2, 3)) for one in seen]).mean(0), rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(
        variance.double(), torch.stack([one.var((0, 2, 3)) for one in seen]).mean(0), rtol=1e-4, atol=1e-5
    )
    assert layer.momentum == 0.1
    assert all(torch.equal(value, before[name]) for name, value in layer.named_buffers())


def test_a_full_length_costs_what_the_trials_that_went_furthest_say() -> None:
    def trial(number: int, stage: int, seconds: float) -> Trial:
        step = (100, 300, 900)[stage]
        names = ("coarse", "finer", "last")
        results = {names[stage]: Result(step, 0.5, 1.0, 0.5)}
        return Trial(number, {}, "coarse", 0, 900, stage=stage, results=results, seconds=seconds)

    short = [trial(0, 0, 9.0), trial(1, 0, 9.0)]
    assert length.whole_seconds(short, float, 50.0) == pytest.approx(length.AROUND * 50), "a beginning is no ninth"
    assert length.whole_seconds(short, float, 100.0) == pytest.approx(81.0)
    assert length.whole_seconds([*short, trial(2, 1, 20.0)], float, 50.0) == pytest.approx(60.0)
    assert length.whole_seconds([*short, trial(2, 1, 20.0), trial(3, 2, 55.0)], float, 50.0) == pytest.approx(55.0)


def test_the_first_trial_has_the_values_that_a_training_would_take() -> None:
    sized, images = decoded(QUICK)
    ground = Ground(sized, images, split=Path())
    space = parse_over("optim.lr=1e-5..10,regularize.l2=1e-9..1e-8", sized)
    usual = ground.usual(space)
    by_rule = ground.prepared({})[0].recipe.optim.lr
    assert usual == {"optim.lr": by_rule}, "a strength that the range leaves out is not tried"
    scene = Scene(space, Effort(9), [])
    _, first = proposed(Job("fresh"), scene, usual)
    _, second = proposed(Job("fresh", index=1), scene, usual)
    assert first["optim.lr"] == by_rule != second["optim.lr"] and 1e-9 <= float(first["regularize.l2"]) <= 1e-8
