"""Second authors of pooling, dropout and the max norm, in plain loops and float64."""

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
from babysit.layers import pooling
from babysit.layers.dropout import InvertedDropout, PaperDropout
from babysit.layers.local import LocallyConnected2d
from babysit.layers.pooling import AvgPool2d, Halving, MaxPool2d
from babysit.regularizers import parameter_groups, project_max_norm


def slow_max_pool(x: np.ndarray, kernel: int, stride: int, padding: int) -> tuple[np.ndarray, np.ndarray]:
    """The maxima, and the gradient of their sum: 1 to the first pixel, row by row, that took each."""
    rows = (x.shape[0] + 2 * padding - kernel) // stride + 1
    columns = (x.shape[1] + 2 * padding - kernel) // stride + 1
    y, gradient = np.zeros((rows, columns)), np.zeros(x.shape)
    for row, column in itertools.product(range(rows), range(columns)):
        best, where = -math.inf, (-1, -1)
        for i, j in itertools.product(range(kernel), range(kernel)):
            r, c = row * stride + i - padding, column * stride + j - padding
            if 0 <= r < x.shape[0] and 0 <= c < x.shape[1] and x[r, c] > best:
                best, where = x[r, c], (r, c)
        y[row, column] = best
        gradient[where] += 1
    return y, gradient


def slow_average_pool(x: np.ndarray, kernel: int, stride: int, padding: int) -> np.ndarray:
    padded = np.zeros((x.shape[0] + 2 * padding, x.shape[1] + 2 * padding))
    padded[padding : padding + x.shape[0], padding : padding + x.shape[1]] = x
    rows, columns = (padded.shape[0] - kernel) // stride + 1, (padded.shape[1] - kernel) // stride + 1
    y = np.zeros((rows, columns))
    for row, column in itertools.product(range(rows), range(columns)):
        for i, j in itertools.product(range(kernel), range(kernel)):
            y[row, column] += padded[row * stride + i, column * stride + j] / kernel**2
    return y


POOLINGS = st.integers(1, 4).flatmap(
    lambda kernel: st.tuples(st.just(kernel), st.integers(1, 4), st.integers(0, kernel // 2))
)


@given(POOLINGS, st.integers(4, 7), st.integers(4, 7), st.booleans(), st.sampled_from([torch.float32, torch.bfloat16]))
@settings(max_examples=60, deadline=None)
def test_pooling(
    numbers: tuple[int, int, int], height: int, width: int, channels_last: bool, dtype: torch.dtype
) -> None:
    kernel, stride, padding = numbers
    order = torch.channels_last if channels_last else torch.contiguous_format
    # Small whole numbers: many ties, negative ones too, so that padding would show.
    x = torch.randint(-4, 0, (2, 3, height, width)).to(dtype).contiguous(memory_format=order).requires_grad_()
    out = MaxPool2d(kernel, stride, padding)(x)
    out.sum().backward()
    mean = AvgPool2d(kernel, stride, padding)(x.detach().double())
    for n, c in itertools.product(range(2), range(3)):
        values = x.detach()[n, c].double().numpy()
        y, gradient = slow_max_pool(values, kernel, stride, padding)
        np.testing.assert_array_equal(out[n, c].detach().double().numpy(), y)
        assert x.grad is not None
        np.testing.assert_array_equal(x.grad[n, c].double().numpy(), gradient)
        np.testing.assert_allclose(mean[n, c].numpy(), slow_average_pool(values, kernel, stride, padding), atol=1e-12)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_halving_equals_pytorchs_pooling_to_the_bit(half: int, wide: int, channels: int) -> None:
    """Whole numbers with many ties, in several chunks with a rest, and gradients that are not whole."""
    torch.manual_seed(half + 10 * wide + 100 * channels)
    x = torch.randint(-2, 2, (7, channels, 2 * half, 2 * wide)).bfloat16().contiguous(memory_format=torch.channels_last)
    one, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    assert Halving.takes(one)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pooling, "CHUNK", 3 * x[0].numel())
        ours, theirs = MaxPool2d(2)(one), nn.MaxPool2d(2)(other)
        slope = torch.randn(ours.shape).bfloat16()  # not channels last, as a layer behind may give it
        ours.backward(slope)
        theirs.backward(slope)
    assert one.grad is not None and other.grad is not None
    assert torch.equal(ours, theirs) and torch.equal(one.grad, other.grad)
    assert one.grad.is_contiguous(memory_format=torch.channels_last)


def test_halving_leaves_to_pytorch_what_it_cannot_do() -> None:
    last = torch.zeros(2, 3, 4, 6, dtype=torch.bfloat16).contiguous(memory_format=torch.channels_last)
    assert Halving.takes(last)
    others = (last.contiguous(), last.float(), last[:, :, :3], last[..., :5], last[:0], last[0], last.to("meta"))
    assert not any(Halving.takes(one) for one in others)
    for one in (*others[:4], others[6]):
        assert MaxPool2d(2)(one).shape == nn.MaxPool2d(2)(one).shape
    for odd in (MaxPool2d(2, 1), MaxPool2d(3, 2), MaxPool2d(2, padding=1), MaxPool2d((2, 1))):
        assert not odd.halves
    assert MaxPool2d((2, 2), (2, 2)).halves and MaxPool2d(2, ceil_mode=True).halves


def test_halving_gives_the_same_gradient_where_it_shall_be_differentiated_again() -> None:
    x = torch.randint(-2, 2, (2, 3, 4, 6)).bfloat16().contiguous(memory_format=torch.channels_last).requires_grad_()
    assert Halving.takes(x)
    (plain,) = torch.autograd.grad(MaxPool2d(2)(x).square().sum(), x)
    (again,) = torch.autograd.grad(MaxPool2d(2)(x).square().sum(), x, create_graph=True)
    assert torch.equal(plain, again)
    (second,) = torch.autograd.grad(again.sum(), x)
    taken = torch.autograd.grad(MaxPool2d(2)(x).sum(), x)[0]
    assert torch.equal(second, 2 * taken)


def test_a_network_followed_for_export_has_pytorchs_pooling() -> None:
    network = nn.Sequential(MaxPool2d(2)).eval()
    picture = torch.zeros(1, 3, 4, 4, dtype=torch.bfloat16).contiguous(memory_format=torch.channels_last)
    exported = torch.export.export(network, (picture,))
    assert any("max_pool2d" in str(node.target) for node in exported.graph.nodes)


def test_pooling_gradients_are_those_of_finite_differences() -> None:
    x = torch.randperm(2 * 2 * 25).double().view(2, 2, 5, 5).requires_grad_()
    assert torch.autograd.gradcheck(MaxPool2d(3, 2, 1), (x,))
    assert torch.autograd.gradcheck(AvgPool2d(3, 2, 1), (x,))


def test_the_largest_is_not_a_number_where_one_is_not() -> None:
    x = torch.zeros(1, 1, 4, 4)
    x[0, 0, 3, 0] = torch.nan
    assert MaxPool2d(2)(x).isnan().flatten().tolist() == [False, False, True, False]


@pytest.mark.parametrize("pool", [MaxPool2d, AvgPool2d])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0,), "kernel_size is 0"),
        ((2.5,), "kernel_size is 2.5"),
        ((3, 0), "stride is 0"),
        ((3, -1), "stride is -1"),
        ((3, 2, 2), "padding 2 is too large for the kernel 3"),
        ((3, 2, -1), "padding is -1"),
    ],
)
def test_impossible_poolings_are_refused_when_built(pool: type, arguments: tuple, said: str) -> None:
    with pytest.raises(UserError, match=f"{pool.__name__}: {said}"):
        pool(*arguments)


@pytest.mark.parametrize("drop_probability", [0.2, 0.8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_both_forms_of_dropout_keep_their_expectation(drop_probability: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    x = torch.full((200_000,), 2.0, dtype=dtype)
    keep = 1 - drop_probability
    for layer, expected in ((InvertedDropout(drop_probability), 2.0), (PaperDropout(drop_probability), 2.0 * keep)):
        trained = layer(x).double()
        values = trained.unique().tolist()
        assert len(values) == 2 and values[0] == 0
        assert values[1] == pytest.approx(expected / keep, rel=1e-2)
        # Six deviations of the mean of so many draws.
        deviation = expected / keep * math.sqrt(keep * drop_probability / len(x))
        assert float(trained.mean()) == pytest.approx(expected, abs=6 * deviation + 5e-3 * expected)
        assert float(layer.eval()(x).double().mean()) == pytest.approx(expected, rel=5e-3)


def test_dropouts_gradient_meets_the_mask_of_the_forward_pass() -> None:
    x = torch.ones(1000, requires_grad=True)
    for layer in (InvertedDropout(0.3), PaperDropout(0.3)):
        out = layer(x)
        (gradient,) = torch.autograd.grad(out.sum(), x)
        assert torch.equal(gradient, out)  # x is 1
    y = torch.ones(5, requires_grad=True)
    assert torch.autograd.grad(PaperDropout(0.3).eval()(y).sum(), y)[0].tolist() == pytest.approx([0.7] * 5)


def test_dropout_does_not_hide_what_is_not_a_number() -> None:
    x = torch.full((100,), torch.nan)
    assert all(layer(x).isnan().any() for layer in (InvertedDropout(0.5), PaperDropout(0.5)))


@pytest.mark.parametrize("layer", [InvertedDropout, PaperDropout])
@pytest.mark.parametrize("value", [-0.1, 1.0, 1.5, math.nan, "0.5", True, None])
def test_wrong_probabilities_are_refused(layer: type, value: object) -> None:
    with pytest.raises(UserError, match=f"{layer.__name__}: drop_probability is"):
        layer(value)


def slow_max_norm(filters: list[list[float]], c: float) -> list[list[float]]:
    """W sqrt(c) / norm where norm squared > c."""
    done = []
    for one in filters:
        squared = math.fsum(w * w for w in one)
        done.append([w * math.sqrt(c) / math.sqrt(squared) for w in one] if squared > c else one)
    return done


@pytest.mark.parametrize("c", [0.05, 1.0, 100.0])
def test_max_norm_bounds_the_squared_norm_of_each_filter(c: float) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(4, 6, 3, groups=2),
        LocallyConnected2d(6, 4, 2, input_size=3, groups=2),
        nn.Flatten(),
        nn.Linear(16, 5),
    ).double()
    for parameter in model.parameters():
        parameter.data.mul_(2)
    biases = [module.bias.detach().clone() for module in model if hasattr(module, "bias")]

    def filters() -> list[list[float]]:
        shared, own, full = model[0].weight, model[1].weight, model[3].weight
        each = own.permute(0, 1, 3, 6, 2, 4, 5).flatten(4).flatten(0, 3)
        return [row for rows in (shared.flatten(1), each, full) for row in rows.tolist()]

    expected = slow_max_norm(filters(), c)
    project_max_norm(model, c)
    for seen, wanted in zip(filters(), expected, strict=True):
        assert seen == pytest.approx(wanted, rel=1e-12)
    assert all(
        torch.equal(module.bias, bias) for module, bias in zip((model[0], model[1], model[3]), biases, strict=True)
    )


def test_max_norm_keeps_what_is_not_a_number_and_refuses_what_is_no_bound() -> None:
    layer = nn.Linear(2, 2)
    layer.weight.data = torch.tensor([[torch.nan, 1.0], [3.0, 4.0]])
    project_max_norm(layer, 1.0)
    assert layer.weight[0].isnan().tolist() == [True, False]
    assert layer.weight[1].tolist() == pytest.approx([0.6, 0.8])
    for wrong in (0.0, -1.0, math.nan, math.inf, True, "3"):
        with pytest.raises(UserError, match="the max norm is"):
            project_max_norm(layer, wrong)


def test_a_locally_connected_bias_does_not_decay() -> None:
    layer = LocallyConnected2d(1, 2, 2, input_size=4)
    decaying, others = parameter_groups(layer, 0.1, biases=False)
    assert decaying["params"] == [layer.weight] and others["params"] == [layer.bias]
