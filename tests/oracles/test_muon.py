"""Muon against the polar factor of a singular value decomposition in float64."""

from __future__ import annotations

import pytest
import torch

from babysit.optim.muon import orthogonalized


@pytest.mark.parametrize("shape", [(3, 16, 27), (2, 40, 10), (2, 12, 12), (1, 8, 9), (1, 1, 5)])
def test_the_direction_is_the_polar_factor_s(shape: tuple[int, int, int]) -> None:
    """Jordan's coefficients keep the singular vectors and bring the values into 0.5 to 1.3."""
    matrices = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    turned = orthogonalized(matrices)
    for matrix, seen in zip(matrices, turned, strict=True):
        u, _, vt = torch.linalg.svd(matrix, full_matrices=False)
        inner = u.T @ seen @ vt.T
        values = inner.diagonal()
        assert torch.allclose(inner, torch.diag(values), atol=1e-10)
        assert float(values.min()) > 0.5 and float(values.max()) < 1.3


def by_hand(matrix: torch.Tensor) -> torch.Tensor:
    """Jordan's iteration as he writes it, a matrix at a time."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix / (matrix.norm() + 1e-7)
    if tall := x.shape[0] > x.shape[1]:
        x = x.T
    for _ in range(5):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


@pytest.mark.parametrize("shape", [(2, 16, 144), (2, 16, 24), (2, 16, 23), (2, 30, 10), (1, 1, 1)])
def test_both_ways_are_the_iteration_by_hand(shape: tuple[int, int, int]) -> None:
    matrices = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = torch.stack([by_hand(matrix) for matrix in matrices])
    assert torch.allclose(orthogonalized(matrices), expected, atol=1e-12)


def test_float32_suffices_when_singular_values_are_far_apart() -> None:
    """From 1 to 1e-6: working on X X^T squares the distance, and still the direction is right to 1e-3."""
    generator = torch.Generator().manual_seed(2)
    u, _, vt = torch.linalg.svd(torch.randn(48, 400, dtype=torch.float64, generator=generator), full_matrices=False)
    matrix = (u * torch.logspace(0, -6, 48, dtype=torch.float64)) @ vt
    expected = by_hand(matrix)
    seen = orthogonalized(matrix.float()[None])[0].double()
    assert float((seen - expected).norm() / expected.norm()) < 1e-3


def test_a_gradient_of_zeros_moves_nothing() -> None:
    assert not orthogonalized(torch.zeros(1, 4, 20)).any()
