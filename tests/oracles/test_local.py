"""Second author of the locally connected layer: h = sum x W + b, in plain loops and float64."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from babysit.errors import UserError
from babysit.layers.local import LocallyConnected2d


def slow_local(x: np.ndarray, layer: LocallyConnected2d) -> np.ndarray:
    """h[o] = sum over i, j, k of x[i, j, k] W[o, i, j, k] + b[o], at every position with its own W and b."""
    weight = layer.weight.detach().double().numpy()
    groups, height, taps, width, columns, inputs, outputs = weight.shape
    high, wide = layer.windows
    h = np.zeros((len(x), groups * outputs, height, width))
    for n, group, o, y, z in itertools.product(*map(range, (len(x), groups, outputs, height, width))):
        total = 0.0
        for i, j, k in itertools.product(range(inputs), range(taps), range(columns)):
            row, column = y * high.stride + j - high.padding, z * wide.stride + k - wide.padding
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                total += x[n, group * inputs + i, row, column] * weight[group, y, j, z, k, i, o]
        bias = 0.0 if layer.bias is None else float(layer.bias.detach()[group * outputs + o, y, z])
        h[n, group * outputs + o, y, z] = total + bias
    return h


@st.composite
def layers(draw: st.DrawFn) -> LocallyConnected2d:
    groups = draw(st.integers(1, 3))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = tuple(draw(st.integers(0, side - 1)) for side in kernel)
    size = tuple(draw(st.integers(side, 5)) for side in kernel)
    stride = tuple(draw(st.integers(1, min(4, side))) for side in size)
    return LocallyConnected2d(
        groups * draw(st.integers(1, 2)),
        groups * draw(st.integers(1, 2)),
        kernel,
        input_size=size,
        stride=stride,
        padding=padding,
        groups=groups,
        bias=draw(st.booleans()),
    ).double()


@given(layers(), st.integers(1, 3), st.booleans())
@settings(max_examples=40, deadline=None)
def test_equals_the_plain_loops(layer: LocallyConnected2d, count: int, channels_last: bool) -> None:
    order = torch.channels_last if channels_last else torch.contiguous_format
    x = torch.randn(count, layer.in_channels, *layer.input_size).double().contiguous(memory_format=order)
    seen = layer(x)
    assert seen.is_contiguous(memory_format=order)
    np.testing.assert_allclose(seen.detach().numpy(), slow_local(x.numpy(), layer), atol=1e-12)


@given(layers(), st.booleans())
@settings(max_examples=6, deadline=None)
def test_gradient_is_that_of_finite_differences(layer: LocallyConnected2d, channels_last: bool) -> None:
    order = torch.channels_last if channels_last else torch.contiguous_format
    x = torch.randn(2, layer.in_channels, *layer.input_size).double().contiguous(memory_format=order).requires_grad_()

    def function(x: torch.Tensor, *_parameters: torch.Tensor) -> torch.Tensor:
        return layer(x)

    assert torch.autograd.gradcheck(function, (x, *layer.parameters()))


@pytest.mark.parametrize("asked", ["x", "weight", "bias"])
def test_only_the_gradient_that_is_asked_for(asked: str) -> None:
    layer = LocallyConnected2d(2, 3, 3, input_size=5, stride=2, padding=1)
    x = torch.randn(2, 2, 5, 5)
    tensors = {"x": x, **dict(layer.named_parameters())}
    for tensor in tensors.values():
        tensor.requires_grad_()
    everything = torch.autograd.grad(layer(x).square().sum(), list(tensors.values()))
    for name, tensor in tensors.items():
        tensor.requires_grad_(name == asked)
    (alone,) = torch.autograd.grad(layer(x).square().sum(), [tensors[asked]])
    assert torch.equal(alone, everything[list(tensors).index(asked)])


@given(
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.integers(1, 3),
    st.integers(1, 2),
    st.booleans(),
    st.sampled_from([torch.float32, torch.bfloat16]),
)
@settings(max_examples=20, deadline=None)
def test_a_tied_copy_equals_its_convolution(
    kernel: tuple[int, int], stride: int, groups: int, bias: bool, dtype: torch.dtype
) -> None:
    shared = nn.Conv2d(4, 6, kernel, stride=stride, padding=tuple(k // 2 for k in kernel), groups=groups, bias=bias).to(
        dtype
    )
    own = LocallyConnected2d.from_convolution(shared, input_size=(7, 6))
    x = torch.randn(3, 4, 7, 6, dtype=dtype)
    tolerance = 1e-5 if dtype == torch.float32 else 3e-2
    assert own(x).dtype == dtype
    torch.testing.assert_close(own(x), shared(x), atol=tolerance, rtol=tolerance)
    summed = torch.autograd.grad(own(x).square().sum(), own.weight)[0].float().sum((1, 3))
    together = torch.autograd.grad(shared(x).square().sum(), shared.weight)[0].float()
    filters = together.view(groups, 6 // groups, -1, *kernel).permute(0, 3, 4, 2, 1)
    torch.testing.assert_close(summed, filters, atol=40 * tolerance, rtol=20 * tolerance)


def test_a_same_padded_convolution_has_a_tied_copy_and_a_dilated_or_reflecting_one_has_none() -> None:
    shared = nn.Conv2d(1, 2, 3, padding="same")
    x = torch.randn(1, 1, 6, 6)
    own = LocallyConnected2d.from_convolution(shared, input_size=6)
    torch.testing.assert_close(own(x), shared(x), atol=1e-5, rtol=1e-5)
    for wrong in (
        nn.Conv2d(1, 2, 3, dilation=2),
        nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(1, 2, 2, padding="same"),
    ):
        with pytest.raises(UserError, match="no locally connected layer equals"):
            LocallyConnected2d.from_convolution(wrong, input_size=6)


def test_bfloat16_is_within_its_rounding_of_float64() -> None:
    torch.manual_seed(0)
    layer = LocallyConnected2d(16, 8, 3, input_size=6, padding=1).bfloat16()
    x = torch.randn(4, 16, 6, 6, dtype=torch.bfloat16)
    expected = slow_local(x.double().numpy(), layer)
    assert np.abs(layer(x).detach().double().numpy() - expected).max() < 4 * 2**-8 * np.abs(expected).max()


def test_autocast_computes_in_bfloat16_and_gives_the_parameters_their_own_type() -> None:
    layer = LocallyConnected2d(2, 2, 3, input_size=4)
    with torch.autocast("cpu", torch.bfloat16):
        out = layer(torch.randn(1, 2, 4, 4))
    assert out.dtype == torch.bfloat16
    out.float().sum().backward()
    assert layer.weight.grad.dtype == layer.bias.grad.dtype == torch.float32


@given(layers())
@settings(max_examples=10, deadline=None)
def test_the_second_derivatives_are_those_of_finite_differences(layer: LocallyConnected2d) -> None:
    x = torch.randn(2, layer.in_channels, *layer.input_size).double().requires_grad_()
    given = [x, *layer.parameters()]
    assert torch.autograd.gradgradcheck(lambda x, *_: layer(x), given)
    plain = torch.autograd.grad(layer(x).square().sum(), given)
    again = torch.autograd.grad(layer(x).square().sum(), given, create_graph=True)
    assert all(torch.allclose(one, two) for one, two in zip(plain, again, strict=True))


def test_a_value_that_is_not_a_number_reaches_the_outputs_that_see_it_and_no_other() -> None:
    layer = LocallyConnected2d(1, 1, 3, input_size=6, padding=1)
    x = torch.zeros(2, 1, 6, 6)
    x[1, 0, 0, 0] = torch.nan
    wrong = layer(x).isnan()
    expected = torch.zeros(2, 1, 6, 6, dtype=torch.bool)
    expected[1, 0, :2, :2] = True
    assert torch.equal(wrong, expected)


def test_no_images_give_no_outputs() -> None:
    layer = LocallyConnected2d(2, 3, 3, input_size=5)
    out = layer(torch.zeros(0, 2, 5, 5))
    out.sum().backward()
    assert out.shape == (0, 3, 3, 3) and not layer.weight.grad.any()


def test_another_input_is_refused_with_both_shapes() -> None:
    layer = LocallyConnected2d(2, 3, 3, input_size=(5, 4))
    for shape in ((1, 2, 5, 5), (1, 3, 5, 4), (2, 5, 4)):
        with pytest.raises(UserError, match="n x 2x5x4"):
            layer(torch.zeros(shape))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kernel_size": 0}, "kernel_size is 0"),
        ({"kernel_size": -3}, "kernel_size is -3"),
        ({"kernel_size": 2.5}, "kernel_size is 2.5"),
        ({"kernel_size": 9}, "an input height of at least 9"),
        ({"kernel_size": (3, 9)}, "an input width of at least 9"),
        ({"stride": 0}, "stride is 0"),
        ({"stride": True}, "stride is True"),
        ({"stride": 9}, "stride 1 to 8"),
        ({"padding": -1}, "padding is -1"),
        ({"padding": 3}, "padding 0 to 2"),
        ({"groups": 2}, "groups 1, 3"),
        ({"groups": 0}, "groups is 0"),
        ({"in_channels": 0}, "in_channels is 0"),
        ({"out_channels": 1.0}, "out_channels is 1.0"),
        ({"input_size": 0}, "the input's height is 0"),
        ({"input_size": "8"}, "input_size is '8'"),
    ],
)
def test_an_impossible_layer_is_refused_when_built(change: dict[str, object], said: str) -> None:
    arguments = {"in_channels": 3, "out_channels": 6, "kernel_size": 3, "input_size": 8} | change
    with pytest.raises(UserError, match="LocallyConnected2d: ") as error:
        LocallyConnected2d(
            arguments.pop("in_channels"), arguments.pop("out_channels"), arguments.pop("kernel_size"), **arguments
        )
    assert said in str(error.value)


def test_an_input_of_another_type_is_a_sentence() -> None:
    with pytest.raises(UserError, match=r"the input is of torch.float64. Legal: torch.float32"):
        LocallyConnected2d(2, 2, 3, input_size=4)(torch.zeros(1, 2, 4, 4, dtype=torch.float64))


@pytest.mark.parametrize("way", ["trace", "export"])
@pytest.mark.parametrize(("groups", "stride", "padding", "bias"), [(1, 1, 1, True), (2, (2, 1), (0, 2), False)])
def test_traced_and_exported_it_is_the_same(way: str, groups: int, stride, padding, bias: bool) -> None:
    torch.manual_seed(0)
    layer = LocallyConnected2d(
        4, 6, 3, input_size=(7, 6), stride=stride, padding=padding, groups=groups, bias=bias
    ).eval()
    images, others = torch.randn(2, 4, 7, 6), torch.randn(2, 4, 7, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's own, of its deprecation
        followed = torch.jit.trace(layer, images) if way == "trace" else torch.export.export(layer, (images,)).module()
    with torch.no_grad():
        assert torch.allclose(followed(others), layer(others), atol=1e-6)
