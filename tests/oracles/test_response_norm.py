"""Second author of local response normalisation: the formula, in plain loops and float64."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from babysit.errors import UserError
from babysit.layers.response_norm import LocalResponseNorm


def slow_norm(x: np.ndarray, size: int, alpha: float, beta: float, k: float) -> np.ndarray:
    """y = x / (k + alpha / size * sum of squares) ** beta; x is n x channels x positions."""
    y = np.zeros(x.shape)
    for n, c, p in itertools.product(*map(range, x.shape)):
        total = 0.0
        for other in range(c - size // 2, c + (size - 1) // 2 + 1):
            if 0 <= other < x.shape[1]:
                total += float(x[n, other, p]) ** 2
        y[n, c, p] = float(x[n, c, p]) / (k + alpha / size * total) ** beta
    return y


NUMBERS = {
    "size": st.integers(1, 9),
    "alpha": st.sampled_from([0.0, 1e-4, 0.5, 3.0]),
    "beta": st.sampled_from([0.75, 0.75, 0.5, 1.0, 0.6, 0.0, -0.5]),
    "k": st.sampled_from([1.0, 2.0, 0.3]),
}


@given(
    st.fixed_dictionaries(NUMBERS),
    st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(1, 4), st.integers(1, 3)),
    st.booleans(),
    st.integers(1, 60),
)
@settings(max_examples=60, deadline=None)
def test_equals_the_plain_loops_and_pytorch(numbers: dict, shape: tuple, channels_last: bool, chunk: int) -> None:
    order = torch.channels_last if channels_last else torch.contiguous_format
    x = (3 * torch.randn(shape)).double().contiguous(memory_format=order).requires_grad_()
    theirs = nn.LocalResponseNorm(**numbers)(x)
    gradient = torch.randn(shape).double()
    (expected,) = torch.autograd.grad(theirs, x, gradient)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("babysit.layers.response_norm.CHUNK", chunk)
        ours = LocalResponseNorm(**numbers)(x)
        (seen,) = torch.autograd.grad(ours, x, gradient)
    slow = slow_norm(x.detach().numpy().reshape(*shape[:2], -1), **numbers).reshape(shape)
    np.testing.assert_allclose(ours.detach().numpy(), slow, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(seen, expected, rtol=1e-9, atol=1e-10)
    assert ours.is_contiguous(memory_format=order)


@pytest.mark.parametrize("beta", [0.75, 0.6])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("shape", [(2, 6, 3), (2, 4, 2, 2), (1, 3, 2, 1, 2)])
def test_gradient_is_that_of_finite_differences(beta: float, size: int, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(LocalResponseNorm(size, 0.7, beta, 1.3), (x,))


def test_an_input_that_lies_otherwise_in_memory() -> None:
    x = torch.randn(4, 3, 5, 6).transpose(0, 1).requires_grad_()
    theirs, ours = nn.LocalResponseNorm(3, 0.5)(x), LocalResponseNorm(3, 0.5)(x)
    torch.testing.assert_close(ours, theirs)
    gradient = torch.randn(4, 3, 5, 6).transpose(0, 1)
    expected, seen = torch.autograd.grad(theirs, x, gradient), torch.autograd.grad(ours, x, gradient)
    torch.testing.assert_close(seen, expected)


def test_float32_of_alexnets_first_layer_equals_float64() -> None:
    torch.manual_seed(0)
    x = 20 * torch.randn(2, 96, 13, 13)
    seen = LocalResponseNorm.from_paper()(x).double().numpy().reshape(2, 96, -1)
    expected = slow_norm(x.double().numpy().reshape(2, 96, -1), 5, 5e-4, 0.75, 2.0)
    assert np.abs(seen - expected).max() < 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_half_precision_is_the_float32_result_rounded_once(dtype: torch.dtype, order: torch.memory_format) -> None:
    torch.manual_seed(0)
    norm = LocalResponseNorm.from_paper(alpha=0.1)
    x = torch.randn(3, 7, 4, 5).to(dtype).contiguous(memory_format=order).requires_grad_()
    wide = x.detach().float().requires_grad_()
    gradient = torch.randn(3, 7, 4, 5).to(dtype)
    out, expected = norm(x), norm(wide)
    assert out.dtype == dtype and torch.equal(out, expected.to(dtype))
    out.backward(gradient)
    expected.backward(gradient.float())
    assert torch.equal(x.grad, wide.grad.to(dtype))


def test_the_paper_does_not_divide_alpha() -> None:
    x = torch.full((1, 5, 1, 1), 10.0)
    y = LocalResponseNorm.from_paper(n=5, alpha=0.01)(x)
    assert float(y[0, 2]) == pytest.approx(10 / (2 + 0.01 * 500) ** 0.75)
    assert LocalResponseNorm(5).k == 1.0 and LocalResponseNorm.from_paper().k == 2.0


def test_pytorchs_signature_and_defaults() -> None:
    ours, theirs = LocalResponseNorm(5), nn.LocalResponseNorm(5)
    assert (ours.size, ours.alpha, ours.beta, ours.k) == (theirs.size, theirs.alpha, theirs.beta, theirs.k)
    assert isinstance(ours, nn.LocalResponseNorm)


@pytest.mark.parametrize("beta", [0.75, 0.6])
def test_what_is_not_a_number_is_not_hidden_and_stays_within_its_window(beta: float) -> None:
    x = torch.ones(1, 9, 2, 1)
    x[0, 4, 0] = torch.nan
    x[0, 0, 1] = torch.inf
    theirs, ours = nn.LocalResponseNorm(3, beta=beta)(x), LocalResponseNorm(3, beta=beta)(x)
    assert torch.equal(ours.isnan(), theirs.isnan())
    assert ours[0, :, 0, 0].isnan().nonzero().flatten().tolist() == [3, 4, 5]


def test_no_image_gives_none() -> None:
    x = torch.zeros(0, 3, 2, 2, requires_grad=True)
    LocalResponseNorm(3)(x).sum().backward()
    assert x.grad.shape == x.shape


@pytest.mark.parametrize(("size", "beta"), [(1, 0.75), (4, 0.75), (5, 0.75), (5, 0.4)])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last, None])
def test_the_second_derivatives_are_those_of_finite_differences(
    size: int, beta: float, order: torch.memory_format | None
) -> None:
    x = torch.randn(2, 6, 2, 3).double()
    x = x.mT if order is None else x.contiguous(memory_format=order)
    x.requires_grad_()
    norm = LocalResponseNorm(size, alpha=0.5, beta=beta)
    assert torch.autograd.gradgradcheck(norm, x)
    plain = torch.autograd.grad(norm(x).square().sum(), x)
    again = torch.autograd.grad(norm(x).square().sum(), x, create_graph=True)
    assert torch.allclose(*plain, *again)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"size": 0}, "size is 0"),
        ({"size": 2.5}, "size is 2.5"),
        ({"size": 5, "alpha": -1.0}, "alpha is -1.0"),
        ({"size": 5, "alpha": math.nan}, "alpha is nan"),
        ({"size": 5, "beta": math.inf}, "beta is inf"),
        ({"size": 5, "k": -2.0}, "k is -2.0"),
        ({"size": 5, "k": "2"}, "k is '2'"),
    ],
)
def test_wrong_numbers_are_refused_when_built(arguments: dict, said: str) -> None:
    with pytest.raises(UserError, match=f"LocalResponseNorm: {said}"):
        LocalResponseNorm(**arguments)


def test_an_input_without_positions_is_refused() -> None:
    with pytest.raises(UserError, match="the input is 3x4"):
        LocalResponseNorm(3)(torch.zeros(3, 4))
