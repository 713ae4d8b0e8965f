"""Local response normalisation with its own forward and backward: PyTorch's goes through a padded 3-D average pool."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from babysit.errors import Fault, UserError
from babysit.layers.differentiable import gradients
from babysit.layers.legal import require_whole

CHUNK = 2**17
"""Values a processor works on at a time, or one image: what the steps share stays in its cache (docs/log.md)."""

THREE_QUARTERS = 0.75


class LocalResponseNorm(nn.LocalResponseNorm):
    """Divides each value by a power of the sum of squares over neighbouring channels at the same position.

    y[c] = x[c] / (k + alpha / size * sum of x[j]² for j from c - size // 2 to c + (size - 1) // 2) ** beta

    PyTorch's layer in arguments, defaults and values. The backward pass keeps nothing but x. At beta 0.75 the power is
    made of square roots, which is several times faster; a second derivative goes PyTorch's way. Forward-mode
    derivatives and `torch.func` are refused.

    Arguments:
        size: channels in the sum, at least 1.
        alpha: at least 0; divided by size. The paper's is not: see `from_paper`.
        beta: any finite number.
        k: at least 0.

    Shape:
        (n, channels, ...) to the same; float32, float64, bfloat16, float16. Sums are at least float32.

    Raises:
        UserError: when an argument is out of its range.

    >>> norm = LocalResponseNorm.from_paper()
    >>> norm(torch.full((1, 3, 1, 1), 100.0)).flatten()
    tensor([29.9070, 29.9070, 29.9070])

    Source: Krizhevsky, Sutskever and Hinton 2012, "ImageNet classification with deep convolutional neural networks",
    section 3.3.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        require_whole(type(self).__name__, {"size": size}, least=1)
        check_numbers(type(self).__name__, {"alpha": alpha, "beta": beta, "k": k})
        super().__init__(size, alpha, beta, k)

    @classmethod
    def from_paper(cls, n: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> LocalResponseNorm:
        """The paper's formula, which does not divide alpha by the number of channels, with the paper's numbers.

        y[c] = x[c] / (k + alpha * sum of x[j]² for j within n / 2 of c) ** beta
        """
        require_whole(cls.__name__, {"n": n}, least=1)
        check_numbers(cls.__name__, {"alpha": alpha, "beta": beta, "k": k})
        return cls(n, alpha * n, beta, k)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
        """The normalised activations."""
        if input.ndim < 3 or not input.is_floating_point():
            shape = "x".join(map(str, input.shape))
            raise UserError(
                f"the input is {shape} of {input.dtype}",
                where=type(self).__name__,
                legal="(n, channels, and one more axis at least), floating",
            )
        power = Power(self.size, self.alpha / self.size, self.beta, float(self.k))
        return ResponseNorm.apply(input, power)


def check_numbers(layer: str, given: dict[str, float]) -> None:
    """Refuses numbers that are not finite, and those but `beta` that are negative."""
    faults = []
    for name, value in given.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not number or (value < 0 and name != "beta"):
            legal = "a finite number" + ("" if name == "beta" else " of at least 0")
            faults.append(Fault(f"{name} is {value!r}", layer, legal))
    if faults:
        raise UserError.of(faults)


@dataclass(frozen=True, slots=True)
class Power:
    """d = k + scale * (sum of squares over `size` channels), to the power -beta."""

    size: int
    scale: float
    beta: float
    k: float


class ResponseNorm(torch.autograd.Function):
    """Forward and backward, chunk by chunk; see `LocalResponseNorm`.

    With p = d^-beta the gradient is  g p - 2 beta scale x sum of (g p x / d)  over the channels whose d holds x.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, power: Power) -> Tensor:  # noqa: ANN401 - PyTorch's context
        """Normalises; keeps x alone."""
        ctx.save_for_backward(x)
        ctx.power = power
        x = _in_order(x)
        out = torch.empty_like(x)
        if x.numel():
            room = Room(x, power)
            for values, result in zip(*map(room.chunks, (x, out)), strict=True):
                room.normalise(values, result)
        return out

    @staticmethod
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any,  # noqa: ANN401
        gradient: Tensor,
    ) -> tuple[Tensor, None]:
        """The gradient by x; d is computed again, which costs less than keeping it."""
        (x,) = ctx.saved_tensors
        if torch.is_grad_enabled():  # it shall be differentiated again
            (by_x,) = gradients(lambda x: plain_norm(x, ctx.power), (x,), (True,), gradient)
            assert by_x is not None
            return by_x, None
        x = _in_order(x)
        order = torch.contiguous_format if x.is_contiguous() else torch.channels_last
        gradient = gradient.contiguous(memory_format=order)
        out = torch.empty_like(x)
        if x.numel():
            room = Room(x, ctx.power)
            for values, slope, result in zip(*map(room.chunks, (x, gradient, out)), strict=True):
                room.differentiate(values, slope, result)
        return out, None


def plain_norm(x: Tensor, power: Power) -> Tensor:
    """The normalised activations by operations that PyTorch differentiates, in the type of the sums.

    >>> x = torch.randn(2, 6, 3, 3)
    >>> bool(torch.isclose(plain_norm(x, Power(5, 1.0, 0.7, 2.0)), LocalResponseNorm(5, 5.0, 0.7, 2.0)(x)).all())
    True
    """
    values = x.flatten(2).to(torch.float64 if x.dtype == torch.float64 else torch.float32)
    padded = F.pad(values.square(), (0, 0, power.size // 2, (power.size - 1) // 2))
    sums = padded.unfold(1, power.size, 1).sum(-1)
    return (values * (power.k + power.scale * sums) ** -power.beta).view(x.shape).to(x.dtype)


class Room:
    """The room one chunk needs, used again for the next.

    Data are seen as rows x channels x inner: in PyTorch's usual order an image a row, its positions inner; with channels
    last a pixel a row, inner 1. A buffer is flat and has size - 1 channels more in each row, so that shifting it by whole channels never mixes
    two rows: sums over channels are sums of shifted arrays, in either order of memory.
    """

    def __init__(self, x: Tensor, power: Power) -> None:
        self.power = power
        self.channels = x.shape[1]
        self.inner = x[0, 0].numel() if x.is_contiguous() else 1
        row = self.channels * self.inner
        # An accelerator wants few large steps, a processor steps that stay in the caches of its cores.
        most = CHUNK if x.device.type == "cpu" else x.numel()
        self.rows = min(x.numel() // row, max(1, most // row))
        self.padded = self.channels + power.size - 1
        sums = torch.float64 if x.dtype == torch.float64 else torch.float32
        self.buffers = x.new_zeros((5, self.rows * self.padded * self.inner), dtype=sums)
        # k is spread over the terms of the sum, the added channels included: no pass of its own to add it.
        self.share = self.buffers.new_tensor(power.k / power.size)
        self.buffers[0].fill_(self.share)
        self.wide = x.new_empty((2, self.rows, self.channels, self.inner), dtype=sums) if x.dtype != sums else None

    def chunks(self, tensor: Tensor) -> tuple[Tensor, ...]:
        """A tensor laid out like x as views of rows x channels x inner."""
        rows = tensor if tensor.is_contiguous() else tensor.permute(0, 2, 3, 1)
        return rows.view(-1, self.channels, self.inner).split(self.rows)

    def normalise(self, x: Tensor, out: Tensor) -> None:
        """out = x p"""
        x = self._widened(0, x)
        _, power = self._denominator(x)
        result = out if self.wide is None else x
        torch.mul(x, self._inside(power), out=result)
        if result is not out:
            out.copy_(result)

    def differentiate(self, x: Tensor, gradient: Tensor, out: Tensor) -> None:
        """out = g p - 2 beta scale x sum of (g p x / d)"""
        x, gradient = self._widened(0, x), self._widened(1, gradient)
        per_d, power = self._denominator(x)
        slope = self._inside(power).mul_(gradient)
        products, total, spare = (self.buffers[row][: len(power)] for row in (1, 2, 4))
        # The mirrored window: zeros before and after, the other way round when size is even.
        terms = self._inside(products, (self.power.size - 1) // 2)
        torch.mul(slope, self._inside(per_d), out=terms)
        if self.power.beta == THREE_QUARTERS:
            terms.mul_(self._inside(per_d))
        terms.mul_(x)
        window_sum(products, self.power.size, self.inner, out=total, spare=spare)
        result = out if self.wide is None else x
        torch.addcmul(slope, self._inside(total), x, value=-2 * self.power.beta * self.power.scale, out=result)
        if result is not out:
            out.copy_(result)

    def _denominator(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """1 / d, and d^-beta; at beta 3/4 the first is 1 / sqrt(d), so that both need no division and no logarithm."""
        squares, d, power = (self.buffers[row][: len(x) * self.padded * self.inner] for row in (0, 2, 3))
        values = self._inside(squares, self.power.size // 2)
        torch.addcmul(self.share, x, x, value=self.power.scale, out=values)
        window_sum(squares, self.power.size, self.inner, out=d, spare=power)
        if self.power.beta == THREE_QUARTERS:
            torch.sqrt(d.rsqrt_(), out=power)
            power.mul_(d)
        else:
            torch.pow(d, -self.power.beta, out=power)
            d.reciprocal_()
        return d, power

    def _inside(self, buffer: Tensor, first: int = 0) -> Tensor:
        """The channels of the data in a buffer's rows."""
        return buffer.view(-1, self.padded, self.inner)[:, first : first + self.channels]

    def _widened(self, number: int, data: Tensor) -> Tensor:
        """The data in the type of the sums."""
        return data if self.wide is None else self.wide[number][: len(data)].copy_(data)


def window_sum(values: Tensor, size: int, step: int, *, out: Tensor, spare: Tensor) -> None:
    """out[i] = values[i] + values[i + step] + ... , `size` terms, for every i that has them all; by twos and fours.

    >>> out = torch.zeros(7)
    >>> window_sum(torch.arange(7.0), 5, 1, out=out, spare=torch.zeros(7))
    >>> out[:3]
    tensor([10., 15., 20.])
    """
    count = len(values) - (size - 1) * step
    if size == 1:
        out.copy_(values)
        return
    if size < 4:
        torch.add(values[:count], values[step : count + step], out=out[:count])
        done = 2
    else:
        twos = spare[: count + 2 * step]
        torch.add(values[: len(twos)], values[step : len(twos) + step], out=twos)
        torch.add(twos[:count], twos[2 * step :], out=out[:count])
        done = 4
    for term in range(done, size):
        out[:count].add_(values[term * step : term * step + count])


def _in_order(x: Tensor) -> Tensor:
    """The same values in one of the two orders that the steps know."""
    return x if x.is_contiguous() or _is_channels_last(x) else x.contiguous()


def _is_channels_last(x: Tensor) -> bool:
    return x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last)
