"""What an accelerator is given, tried on a processor: the same arithmetic, and streams that come back."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from babysit.data import resident
from babysit.data.augment import Augmentation, Views, cut
from babysit.data.batches import Batches
from babysit.data.statistics import Statistics
from babysit.device import PROCESSOR, placed, repeatable, same_streams, self_test, set_streams, streams
from babysit.optim.optimizers import OPTIMIZERS
from babysit.recipe.schema import OptimPart
from babysit.training.aside import undisturbed


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 20), st.integers(-9, 9))
def test_windows_cut_where_the_canvases_are_are_those_cut_here(seed, size, canvas, reach) -> None:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (7, canvas, canvas, 3), np.uint8)
    rows = generator.integers(0, 7, 5)
    top, left = generator.integers(-abs(reach), abs(reach) + 1, (2, 5))
    views = Views(top, left, generator.random(5) < 0.5)
    there = resident.cut_there(torch.from_numpy(pixels), rows, views, size)
    assert np.array_equal(there.numpy(), cut(pixels, rows, views, size))


@pytest.mark.parametrize("size", [24, 72])
@pytest.mark.parametrize(
    "augmentation",
    [
        Augmentation(crop=3, flip="random"),
        Augmentation(rotate=20.0, resized_crop=0.3),
        Augmentation(crop=2, mixup=0.4, side=16, brightness=0.2),
    ],
)
def test_batches_from_resident_canvases_are_the_same(augmentation, size) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, size + 8, size + 8, 3), np.uint8)
    fitted = Statistics((120.0, 110.0, 100.0), (50.0, 60.0, 70.0))
    here = Batches(
        pixels, np.arange(5, 40), np.arange(40) % 3, size, fitted, torch.float32, PROCESSOR, check=refuse, classes=3
    )
    there = dataclasses.replace(here, resident=torch.from_numpy(pixels))
    here = dataclasses.replace(here, check=None)
    samples = np.array([0, 3, 34, 70, 2])
    one, other = (part.training(samples, augmentation, seed=1, epoch=2) for part in (here, there))
    assert all(torch.equal(mine, yours) for mine, yours in zip(one, other, strict=True))
    there.expect(samples)
    for mine, yours in zip(here.plain(8), there.plain(8), strict=True):
        assert torch.equal(mine[0], yours[0]) and torch.equal(mine[1], yours[1])


def refuse(rows: np.ndarray) -> None:
    raise AssertionError("what is there already is not read again")


class Roomy:
    """A device that is none, with so much memory; what is asked of it is noted."""

    type = "accelerator"


def test_canvases_go_over_where_they_fit_and_are_checked_first(monkeypatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 4, 4, 3), np.uint8)
    checked: list[int] = []
    assert resident.on(PROCESSOR, pixels, checked.extend) is None and not checked
    monkeypatch.setattr(resident, "PIECE", 7 * pixels[0].nbytes)
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda shape, dtype, device: empty(shape, dtype=dtype))
    for free, fits in ((pixels.nbytes * 4, True), (pixels.nbytes * 4 - 4, False)):
        monkeypatch.setattr(resident, "free_memory", lambda device, free=free: free)
        made = resident.on(Roomy(), pixels, checked.extend)  # pyright: ignore[reportArgumentType]
        assert (made is not None) == fits
        if made is not None:
            assert np.array_equal(made.numpy(), pixels) and checked == list(range(50))
    monkeypatch.setattr(resident, "LARGEST", pixels.nbytes - 1)
    monkeypatch.setattr(resident, "free_memory", lambda device: 2**40)
    assert resident.on(Roomy(), pixels, checked.extend) is None  # pyright: ignore[reportArgumentType]


def test_the_order_of_sums_is_asked_for_on_accelerators_alone_and_given_back() -> None:
    flags = torch.backends.cudnn
    assert not flags.deterministic
    with repeatable(Roomy()):  # pyright: ignore[reportArgumentType]
        assert flags.deterministic
        with repeatable(PROCESSOR):
            assert flags.deterministic
    assert not flags.deterministic
    with pytest.raises(KeyError), repeatable(Roomy()):  # pyright: ignore[reportArgumentType]
        raise KeyError
    assert not flags.deterministic


def test_streams_come_back() -> None:
    kept = streams(PROCESSOR)
    assert set(kept) == {"torch"}
    drawn = torch.rand(3)
    with same_streams(PROCESSOR), undisturbed():
        assert torch.rand(5).sum() + random.random() > 0
    set_streams({**kept, "an accelerator's": torch.zeros(1)}, PROCESSOR)
    assert torch.equal(torch.rand(3), drawn)
    assert placed(drawn, PROCESSOR) is drawn


def test_the_accelerators_step_needs_no_choice_of_threads() -> None:
    seen: list[torch.dtype] = []

    def step(dtype: torch.dtype) -> tuple[float, torch.Tensor]:
        seen.append(dtype)
        return 1.0, torch.ones(2)

    before = torch.get_num_threads()
    measured = self_test("auto", None, step, share=1.0, device=Roomy())  # pyright: ignore[reportArgumentType]
    assert measured.threads == 1 and "accelerator" in measured.reasons["train.threads"]
    assert set(seen) == {torch.float32, torch.bfloat16}, "short steps are measured there too"
    torch.set_num_threads(before)


def test_adagrad_is_fused_where_pytorch_has_it_so() -> None:
    for device, fused in (("cpu", True), ("meta", None)):
        parameter = torch.nn.Parameter(torch.ones(2, device=device))
        made = OPTIMIZERS["adagrad"]([{"params": [parameter]}], OptimPart())
        assert made.defaults["fused"] is fused
