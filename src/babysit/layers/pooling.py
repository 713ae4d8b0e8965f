"""Pooling: PyTorch's operations with the arguments checked and the rules written down; halving maps has a way of its own.

PyTorch's maximum pooling writes an index of eight bytes for each output and fills a gradient with zeros before it puts
values in. Where maps are halved both can be left out: see `Halving`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from babysit.layers.differentiable import gradients
from babysit.layers.legal import pair, pooling_numbers

Side = int | tuple[int, int]

CHUNK = 2**21
"""Input values worked on at a time: few enough for what is between input and output to stay in a cache (docs/log.md)."""


class MaxPool2d(nn.MaxPool2d):
    """The largest value under each window, of each activation map by itself.

    The forward pass keeps the index of the value taken; the backward pass sends the output's gradient there, and where
    windows overlap and take the same value their gradients add. Of equal values the first is taken, row by row. Padding
    is never taken: it counts as minus infinity. A value that is not a number is taken before any other. (Where maps are
    halved in bfloat16 on a processor, see `Halving`, the gradient of a window with such a value, or with infinities alone, may go to
    another of its values.)

    Arguments:
        kernel_size: pixels, at least 1; a number, or two (height, width); likewise stride and padding.
        stride: at least 1; the kernel's size when None. Smaller than the kernel, windows overlap (AlexNet: 3 and 2).
        padding: 0 to half the kernel.
        ceil_mode: a last window that leaves the image counts too.

    Raises:
        UserError: when an argument is out of its range.

    >>> import torch
    >>> x = torch.zeros(1, 1, 2, 2, requires_grad=True)
    >>> MaxPool2d(2)(x).sum().backward()
    >>> x.grad
    tensor([[[[1., 0.],
              [0., 0.]]]])

    Source: Krizhevsky, Sutskever and Hinton 2012, section 3.4, for the overlapping form.
    """

    def __init__(
        self, kernel_size: Side, stride: Side | None = None, padding: Side = 0, *, ceil_mode: bool = False
    ) -> None:
        pooling_numbers(type(self).__name__, kernel_size=kernel_size, stride=stride, padding=padding)
        super().__init__(kernel_size, stride, padding, ceil_mode=ceil_mode)
        sides = (pair(side, "side", type(self).__name__) for side in (self.kernel_size, self.stride, self.padding))
        self.halves = tuple(sides) == ((2, 2), (2, 2), (0, 0))

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
        """The maxima."""
        if self.halves and Halving.takes(input):
            return Halving.apply(input)  # pyright: ignore[reportReturnType]
        return super().forward(input)  # pyright: ignore[reportReturnType] - no indices are asked for


class Halving(torch.autograd.Function):
    """The largest of each 2x2 pixels in bfloat16, for maps with an even number of rows and columns, channels last.

    With pixels a b above c d: the larger of a and b, the larger of c and d, the larger of these two. On the way back the
    gradient goes down and to the right only where the value there is strictly larger, so the first of equal values,
    row by row, has it. In float32 PyTorch's way is as fast: twice the bytes go through memory, and ours goes more often.
    """

    @staticmethod
    def takes(x: Tensor) -> bool:
        """Whether this is the way for a batch of images; what follows a network to export it sees PyTorch's."""
        followed = torch.compiler.is_compiling() or torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]
        return (
            x.device.type == "cpu"
            and x.dtype == torch.bfloat16
            and x.ndim == 4
            and x.numel() > 0
            and x.shape[2] % 2 == x.shape[3] % 2 == 0
            and x.is_contiguous(memory_format=torch.channels_last)
            and not followed
        )

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ANN401 - PyTorch's context
        """The maxima; keeps x alone."""
        ctx.save_for_backward(x)
        count, channels, height, width = x.shape
        out = x.new_empty((count, height // 2, width // 2, channels))
        larger = x.new_empty((_images(x), height, width // 2, channels))
        for values, result in _chunks(x, out):
            across = larger[: len(values)]
            torch.maximum(*_beside(values), out=across)
            torch.maximum(*_above(across), out=result)
        return out.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ANN401  # pyright: ignore[reportIncompatibleMethodOverride]
        """Each gradient at the value that was taken, zero elsewhere."""
        (x,) = ctx.saved_tensors
        if torch.is_grad_enabled():  # it shall be differentiated again
            (again,) = gradients(lambda x: F.max_pool2d(x, 2), (x,), (True,), gradient)
            assert again is not None
            return again
        slope = gradient.contiguous(memory_format=torch.channels_last).permute(0, 2, 3, 1)
        count, channels, height, width = x.shape
        by_x = x.new_empty((count, height, width, channels))
        room = x.new_empty((2, _images(x), height, width // 2, channels))
        for values, given, result in _chunks(x, slope, by_x):
            across, halfway = room[0, : len(values)], room[1, : len(values)]
            left, right = _beside(values)
            torch.maximum(left, right, out=across)
            above, below = _above(across)
            _share(given, below - above, *_above(halfway))
            torch.sub(right, left, out=across)
            _share(halfway, across, *_beside(result))
        return by_x.permute(0, 3, 1, 2)


def _images(x: Tensor) -> int:
    """How many images are worked on at a time."""
    return min(len(x), max(1, CHUNK // x[0].numel()))


def _chunks(x: Tensor, *others: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """x and others that are n x rows x columns x channels already, some images at a time."""
    return zip(*(one.split(_images(x)) for one in (x.permute(0, 2, 3, 1), *others)), strict=True)


def _beside(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The left and the right pixels of each two, as views."""
    pairs = maps.unflatten(2, (-1, 2))
    return pairs[:, :, :, 0], pairs[:, :, :, 1]


def _above(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The upper and the lower pixels of each two, as views."""
    pairs = maps.unflatten(1, (-1, 2))
    return pairs[:, :, 0], pairs[:, :, 1]


def _share(gradient: Tensor, difference: Tensor, first: Tensor, second: Tensor) -> None:
    """The gradient to the second where the difference is above zero, else to the first."""
    # A ReLU's backward pass is the one choice by sign that PyTorch has vectorised for bfloat16: `where` takes 15 times as long.
    torch.ops.aten.threshold_backward.grad_input(gradient, difference, 0, grad_input=second)
    torch.sub(gradient, second, out=first)


class AvgPool2d(nn.AvgPool2d):
    """The mean under each window, of each activation map by itself; padding counts as zeros, in the count too.

    The arguments are those of `MaxPool2d`.

    Raises:
        UserError: when an argument is out of its range.
    """

    def __init__(
        self, kernel_size: Side, stride: Side | None = None, padding: Side = 0, *, ceil_mode: bool = False
    ) -> None:
        pooling_numbers(type(self).__name__, kernel_size=kernel_size, stride=stride, padding=padding)
        super().__init__(kernel_size, stride, padding, ceil_mode=ceil_mode)
