"""One suite per table, run over every entry: adding an entry is adding a line to its table."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from babysit.data.preprocess import PREPROCESSORS
from babysit.data.sources import SOURCES
from babysit.data.statistics import TrainingImages
from babysit.diagnosing import RULES
from babysit.initializers import INITIALIZERS
from babysit.losses import LOSSES
from babysit.models import MODELS
from babysit.optim.averaging import AVERAGES
from babysit.optim.optimizers import OPTIMIZERS
from babysit.optim.schedules import SCHEDULES, Moment, rate_factor
from babysit.recipe.schema import LossPart, OptimPart, PreprocessPart, SchedulePart


@pytest.mark.parametrize("name", SCHEDULES)
@given(progress=st.floats(0, 1), warmup=st.floats(0, 0.9))
def test_a_schedule_is_a_factor_between_zero_and_one(name: str, progress: float, warmup: float) -> None:
    moment = Moment(int(1000 * progress), 10 * progress, progress)
    assert 0 <= rate_factor(moment, SchedulePart(kind=name, warmup=warmup)) <= 1 + 1e-9


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_a_mean_with_a_true_gradient(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(6, 4, generator=generator, dtype=torch.float64).requires_grad_()
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    loss_of = LOSSES[name](LossPart(), None)
    loss = loss_of(scores, labels)
    each = torch.stack([loss_of(scores[i : i + 1], labels[i : i + 1]) for i in range(6)])
    assert torch.allclose(loss, each.mean())
    loss.backward()
    assert scores.grad is not None
    step = 1e-2
    for place in ((0, 0), (3, 2)):
        moved = scores.detach().clone()
        moved[place] += step
        back = scores.detach().clone()
        back[place] -= step
        slope = (loss_of(moved, labels) - loss_of(back, labels)) / (2 * step)
        assert abs(float(slope - scores.grad[place])) < 1e-4


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimiser_goes_down_a_bowl(name: str) -> None:
    weight = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    optimizer = OPTIMIZERS[name]([{"params": [weight], "weight_decay": 0.0}], OptimPart())
    for group in optimizer.param_groups:
        group["lr"] = 0.5 if name == "adagrad" else 0.02
    for _ in range(400):
        optimizer.zero_grad()
        (weight * torch.tensor([1.0, 4.0]) * weight).sum().backward()
        optimizer.step()
    assert float(weight.detach().abs().max()) < 1e-2


@pytest.mark.parametrize("name", PREPROCESSORS)
def test_a_preprocessing_looks_at_its_rows_alone(name: str) -> None:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (10, 4, 4, 3), dtype=np.uint8)
    images = TrainingImages(pixels, np.arange(6), 4)
    fitted = PREPROCESSORS[name](images, PreprocessPart(kind=name))
    pixels[6:] = 0
    assert PREPROCESSORS[name](images, PreprocessPart(kind=name)) == fitted, "other rows must not matter"
    assert all(scale > 0 for scale in fitted.scale)


def test_every_table_entry_explains_itself() -> None:
    for table in (MODELS, LOSSES, INITIALIZERS, AVERAGES, OPTIMIZERS, SCHEDULES, PREPROCESSORS, SOURCES, RULES):
        for name, entry in table.items():
            assert inspect.getdoc(entry), f"{table.kind} {name} has no docstring"
