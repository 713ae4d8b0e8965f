"""What images look like in numbers, and whether two parts are alike."""

from __future__ import annotations

import pytest
import torch

from babysit.probes.inputs import flatness, likeness, of_inputs, roughness


def faces(count: int, seed: int) -> torch.Tensor:
    """Images with a bright top and noise."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(count, 3, 12, 12, generator=generator)
    images[:, 0, :6] += 1.5
    return images


def test_a_part_that_is_prepared_alike_is_as_alike_as_it_is_to_itself_and_one_that_is_turned_or_recoloured_is_not() -> (
    None
):
    training, validation = faces(32, 0), faces(200, 1)
    same = likeness(training, validation)
    assert float(same["input_alike"]) == pytest.approx(float(same["input_alike_within"]), abs=0.1)
    for other in (validation.flip(2), validation.flip(1), -validation):
        found = likeness(training, other)
        assert float(found["input_alike"]) < float(found["input_alike_within"]) - 0.3
        assert float(found["input_alike_within"]) == pytest.approx(float(same["input_alike_within"]), abs=1e-9)


def test_nothing_is_said_of_parts_that_cannot_be_compared() -> None:
    assert likeness(None, faces(20, 0)) == {}
    assert likeness(faces(20, 0)[:, :, :6], faces(40, 1)) == {}, "of another size"
    assert likeness(faces(20, 0), faces(10, 1)) == {}, "too few"
    assert float(likeness(torch.zeros(20, 1, 4, 4), torch.zeros(40, 1, 4, 4))["input_alike"]) == 0, "nothing varies"


def test_what_is_erased_is_flat_and_noise_is_rough() -> None:
    images = faces(20, 0)
    erased = images.clone()
    erased[:, :, :, 6:] = 0.0
    assert float(flatness(images)) < 0.01 and float(flatness(erased)) == pytest.approx(5 / 11, abs=0.01)
    noise, rough = torch.randn(64, 1, 16, 16, generator=torch.Generator().manual_seed(0)), roughness(images)
    assert rough is not None and float(roughness(noise) or 0.0) == pytest.approx(1.0, abs=0.05)
    assert "input_roughness" not in of_inputs(torch.ones(4, 1, 8, 8)) and "input_roughness" not in of_inputs(
        noise[0, 0]
    )
