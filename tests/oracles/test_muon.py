"""Muon against the polar factor of a singular value decomposition in float64."""

from __future__ import annotations

import pytest
import torch

from babysit.optim.muon import orthogonalized


@pytest.mark.parametrize("shape", [(3, 16, 27), (2, 40, 10)])
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
