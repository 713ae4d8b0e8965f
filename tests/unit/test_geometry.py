"""The integers of layers, against PyTorch's shapes and counts by enumeration."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from babysit.errors import UserError
from babysit.layers import geometry, legal
from babysit.layers.geometry import ReceptiveField, Volume, Window


def numbers(*, most_padding: int) -> st.SearchStrategy[Window]:
    return st.builds(Window, st.integers(1, 5), st.integers(1, 5), st.integers(0, most_padding), st.integers(1, 3))


@given(numbers(most_padding=3), st.integers(1, 12))
def test_output_size_is_pytorchs(window: Window, size: int) -> None:
    try:
        layer = nn.Conv1d(1, 1, window.kernel, window.stride, window.padding, window.dilation, device="meta")
        expected = layer(torch.empty(1, 1, size, device="meta")).shape[-1]
    except RuntimeError:
        expected = 0
    assert max(geometry.output_size(size, window), 0) == expected
    assert (expected > 0) == (size >= geometry.smallest_size(window))


def test_output_size_with_ceil_mode_is_pytorchs() -> None:
    for size, kernel, stride, dilation in itertools.product(range(1, 10), range(1, 5), range(1, 5), (1, 2)):
        for padding in range(kernel // 2 + 1):
            window = Window(kernel, stride, padding, dilation, ceil_mode=True)
            try:
                pool = nn.MaxPool1d(kernel, stride, padding, dilation, ceil_mode=True)
                expected = pool(torch.zeros(1, 1, size)).shape[-1]
            except RuntimeError:
                expected = 0
            assert max(geometry.output_size(size, window), 0) == expected, (size, window)
            assert (expected > 0) == (size >= geometry.smallest_size(window)), (size, window)


@given(numbers(most_padding=2), st.integers(1, 14))
def test_uncovered_pixels_are_those_without_a_gradient(window: Window, size: int) -> None:
    if geometry.output_size(size, window) < 1:
        assert geometry.uncovered(size, window) == tuple(range(size))
        return
    x = torch.zeros(1, 1, size, requires_grad=True)
    weight = torch.ones(1, 1, window.kernel)
    out = nn.functional.conv1d(x, weight, None, window.stride, window.padding, window.dilation)
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert geometry.uncovered(size, window) == tuple((gradient[0, 0] == 0).nonzero().flatten().tolist())


@given(numbers(most_padding=2), st.integers(1, 40))
def test_nearest_exact_sizes_leave_no_rest(window: Window, size: int) -> None:
    def exact(candidate: int) -> bool:
        free = candidate + 2 * window.padding - window.span
        return candidate >= 1 and free >= 0 and free % window.stride == 0

    if not exact(size):
        below = [one for one in range(size, 0, -1) if exact(one)][:1]
        above = next(one for one in range(size, size + 100) if exact(one))
        assert geometry.nearest_exact(size, window) == (*below, above)
    else:
        assert geometry.nearest_exact(size, window) == (size,)


@given(st.lists(numbers(most_padding=2), min_size=1, max_size=3))
def test_receptive_field_is_what_has_a_gradient(stack: list[Window]) -> None:
    size = 60
    field = ReceptiveField()
    x = torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)
    out = x
    for window in stack:
        if geometry.output_size(out.shape[-1], window) < 1:
            return
        field = field.after(window)
        weight = torch.ones(1, 1, window.kernel, dtype=torch.float64)
        out = nn.functional.conv1d(out, weight, None, window.stride, window.padding, window.dilation)
    for position in {0, out.shape[-1] // 2, out.shape[-1] - 1}:
        (gradient,) = torch.autograd.grad(out[0, 0, position], x, retain_graph=True)
        seen = gradient[0, 0].nonzero().flatten().tolist()
        first = field.start + position * field.step
        if first >= 0 and first + field.size <= size:
            assert (seen[0], seen[-1]) == (first, first + field.size - 1)
        elif seen:
            assert first <= seen[0] and seen[-1] < first + field.size


def test_branches_join_to_the_wider_field() -> None:
    joined = ReceptiveField().after(Window(1)).joined(ReceptiveField().after(Window(5, padding=2)))
    assert joined == ReceptiveField(size=5, step=1, start=-2)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("groups", [1, 2])
def test_parameters_and_multiply_adds_of_a_convolution(groups: int, bias: bool) -> None:
    layer = nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=1, groups=groups, bias=bias)
    made = legal.windows("conv", Volume(4, 9, 8), kernel_size=(3, 2), stride=(2, 1), padding=1)
    facts = geometry.convolution("conv", Volume(4, 9, 8), out_channels=6, windows=made, groups=groups, bias=bias)
    assert facts.parameters == sum(one.numel() for one in layer.parameters())
    assert tuple(layer(torch.zeros(1, 4, 9, 8)).shape[1:]) == (6, facts.output.height, facts.output.width)
    assert facts.multiply_adds == facts.neurons * 4 // groups * 3 * 2


def test_alexnets_conv1_and_the_lectures_example() -> None:
    made = legal.windows("conv1", Volume(3, 227, 227), kernel_size=11, stride=4)
    conv1 = geometry.convolution("conv1", Volume(3, 227, 227), out_channels=96, windows=made)
    assert (conv1.neurons, conv1.parameters, conv1.notes) == (290_400, 34_944, ())
    example = legal.windows("conv", Volume(3, 32, 32), kernel_size=5)
    assert str(geometry.convolution("conv", Volume(3, 32, 32), out_channels=6, windows=example).output) == "6x28x28"


def test_an_inexact_layer_has_a_note() -> None:
    volume = Volume(3, 224, 227)
    made = legal.windows("conv1", volume, kernel_size=11, stride=4)
    (note,) = geometry.convolution("conv1", volume, out_channels=96, windows=made).notes
    assert note == "conv1: the last of 224 input rows is seen by no output; exact with an input height of 223 or 227"


def test_memory_counts_every_output_once_and_its_gradient() -> None:
    one = geometry.full("fc1", Volume(2, 1, 1), out_features=3)
    two = geometry.elementwise("relu1", one.output, kind="relu")
    assert geometry.training_memory([one, two]) == geometry.Memory(4 * 8, 4 * 8, 3 * 4 * 9)
    assert geometry.prediction_memory([one, two]) == geometry.Memory(4 * 6, 0, 4 * 9)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"kernel_size": 9},
            "kernel 9 does not fit an input height of 5. Legal: a kernel of at most 5, or an input height of at least 9",
        ),
        (
            {"kernel_size": 9, "padding": 1},
            "kernel 9 does not fit an input height of 5 with padding 1. Legal: a kernel of at most 7, or an input height of at least 7",
        ),
        ({"kernel_size": 4, "dilation": 2}, "(dilation 2, so over 7)"),
        ({"kernel_size": 3, "stride": 6}, "stride 6 is larger than the whole input height of 5. Legal: stride 1 to 5"),
        ({"kernel_size": 3, "padding": 3}, "padding 3 is too large along the height"),
        ({"kernel_size": 3, "dilation": 0}, "dilation is 0"),
        ({"kernel_size": (3, 3, 3)}, "kernel_size is (3, 3, 3)"),
        ({"kernel_size": "33"}, "kernel_size is '33'"),
    ],
)
def test_an_impossible_layer_names_itself_and_what_would_work(arguments: dict, said: str) -> None:
    with pytest.raises(UserError, match="conv3: ") as error:
        legal.windows("conv3", Volume(3, 5, 50), **arguments)
    assert said in str(error.value)


def test_a_pooling_that_shrinks_to_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="pool5: kernel 3 does not fit an input height of 2"):
        legal.pooling_windows("pool5", Volume(8, 2, 2), kernel_size=3, stride=2)
    rounded_up = legal.pooling_windows("pool5", Volume(8, 2, 2), kernel_size=3, stride=2, ceil_mode=True)
    assert geometry.pooling("pool5", Volume(8, 2, 2), windows=rounded_up).output == Volume(8, 1, 1)


def test_every_fault_is_said_at_once() -> None:
    with pytest.raises(UserError) as error:
        legal.windows("conv1", Volume(3, 5, 5), kernel_size=0, stride=-1, padding=1.5)
    assert len(error.value.faults) == 3
