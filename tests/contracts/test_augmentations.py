"""Every augmentation: a function of (seed, epoch, sample); off, it leaves every bit; evaluation never sees it."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch

from babysit.data.augment import Augmentation
from babysit.data.batches import Batches
from babysit.data.statistics import Statistics
from babysit.recipe import Recipe
from babysit.recipe.schema import AugmentPart

ON = {
    "crop": 2,
    "flip": "random",
    "resized_crop": 0.4,
    "rotate": 15.0,
    "scale": 0.2,
    "brightness": 0.3,
    "contrast": 0.3,
    "saturation": 0.3,
    "colour": 0.1,
    "erase": 0.6,
    "mixup": 0.4,
    "cutmix": 1.0,
}
CASES = [{name: value} for name, value in ON.items()] + [{"flip": "alternating"}, {**ON, "crop": 0}]


def part_of(size: int, canvas: int, dtype: torch.dtype = torch.float32) -> Batches:
    generator = np.random.default_rng(size)
    pixels = generator.integers(0, 256, (60, canvas, canvas, 3), np.uint8)
    colours = generator.normal(size=(3, 3)) * [40.0, 5.0, 1.0]
    statistics = Statistics((127.0, 120.0, 110.0), (64.0, 60.0, 66.0), colours=colours)
    labels = generator.integers(0, 4, 60)
    return Batches(pixels, np.arange(5, 50), labels, size, statistics, dtype, torch.device("cpu"), classes=4)


def test_every_setting_is_here_and_is_off_unless_asked_for() -> None:
    names = {field.name for field in fields(Augmentation)} - {"side"}  # which progressive resizing decides
    assert names == ON.keys() == AugmentPart.model_fields.keys()
    assert Augmentation.of(Recipe().augment) == Augmentation()
    assert Augmentation.of(AugmentPart.model_validate(ON)) == Augmentation(**ON)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "all" if len(case) > 2 else str(case))
@pytest.mark.parametrize(("size", "canvas", "dtype"), [(12, 12, torch.float32), (72, 80, torch.bfloat16)])
def test_a_function_of_seed_epoch_and_sample(case: dict[str, object], size: int, canvas: int, dtype) -> None:
    part, asked = part_of(size, canvas, dtype), Augmentation(**case)
    order = np.random.default_rng(0).permutation(45)
    whole = part.training(order, asked, seed=1, epoch=3)
    assert whole.images.shape == (45, 3, size, size) and whole.images.dtype == dtype
    assert whole.images.is_contiguous(memory_format=torch.channels_last) and bool(whole.images.isfinite().all())
    pieces = [part.training(order[place], asked, seed=1, epoch=3) for place in (slice(0, 7), slice(7, 8), slice(8, 45))]
    for name in ("images", "labels", "targets"):
        assert torch.equal(getattr(whole, name), torch.cat([getattr(piece, name) for piece in pieces])), name
    assert whole.labels.tolist() == part.labels[part.rows[order]].tolist(), "labels are the images' own"
    changed = [part.training(order, asked, seed=seed, epoch=epoch).images for seed, epoch in ((2, 3), (1, 4))]
    off = part.training(order, Augmentation(), seed=1, epoch=3).images
    assert all(not torch.equal(whole.images, other) for other in [*changed, off])
    if whole.targets.ndim == 2:
        assert torch.allclose(whole.targets.sum(dim=1), torch.ones(45))
        assert (whole.targets.gather(1, whole.labels[:, None]) >= 0.5).all()


@pytest.mark.parametrize("size", [12, 72])
def test_off_is_the_plain_image_bit_for_bit(size: int) -> None:
    part = part_of(size, size + 8)
    batch = part.training(np.arange(45), Augmentation(), seed=9, epoch=9)
    plain = torch.cat([images for images, _ in part.plain(20)])
    assert torch.equal(batch.images, plain) and torch.equal(batch.targets, batch.labels)
