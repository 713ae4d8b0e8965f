"""A locally connected layer: a convolution without weight sharing, for which PyTorch has no operation."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from babysit.errors import UserError
from babysit.layers.differentiable import gradients
from babysit.layers.geometry import LayerFacts, Volume, Windows, locally_connected
from babysit.layers.legal import check_channels, pair, windows

UNFOLDED = 2**30
"""Bytes. An accelerator takes many small steps ten times as long as one large one (docs/log.md), if there is room for it."""


class LocallyConnected2d(nn.Module):
    """A filter and a bias of its own at every output position.

    h[o, y, x] = sum over c, i, j of W[o, y, x, c, i, j] input[c, y s + i - p, x s + j - p] + b[o, y, x]

    Works one row of outputs at a time: the unfolded input, kernel height times kernel width as large as the input, is
    never stored; for a second derivative it is, and on an accelerator up to `UNFOLDED` bytes of it. Forward-mode derivatives and `torch.func` are refused. Under autocast it computes in
    autocast's type, as convolution does. Traced or exported it is what any runtime can do: the unfolded input and one product.

    Arguments:
        in_channels, out_channels: at least 1.
        kernel_size: pixels, at least 1; a number, or two (height, width); likewise the next three.
        input_size: pixels of the input, which decide the number of weights.
        stride: pixels from one position to the next, at least 1.
        padding: zeros around the input, at least 0 and less than the kernel.
        groups: divides both numbers of channels; each group of outputs sees its own group of inputs.
        bias: whether there is a b.

    Parameters:
        weight: groups x height x kernel height x width x kernel width x inputs of a group x outputs of a group, height
            and width those of the output: the order in which the matrix products read them.
        bias: out_channels x height x width.

    Shape:
        (n, in_channels, *input_size) to (n, out_channels, height, width).

    Raises:
        UserError: when the numbers make no layer: all that is wrong, and the nearest numbers that work.

    >>> layer = LocallyConnected2d(3, 10, 3, input_size=32, padding=1)
    >>> layer(torch.zeros(5, 3, 32, 32)).shape, sum(p.numel() for p in layer.parameters())
    (torch.Size([5, 10, 32, 32]), 286720)

    Source: LeCun 1989, "Generalization and network design strategies", section 5; h = sum x W + b is the lecture's.
    """

    filter_axes = (2, 4, 5)
    """The axes of `weight` along which one filter lies: rows, columns, channels."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        input_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_channels(name, in_channels, out_channels=out_channels, groups=groups)
        volume = Volume(in_channels, *pair(input_size, "input_size", name))
        self.windows = windows(name, volume, kernel_size=kernel_size, stride=stride, padding=padding)
        self.facts: LayerFacts = locally_connected(
            name, volume, out_channels=out_channels, windows=self.windows, groups=groups, bias=bias
        )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.input_size = volume.height, volume.width
        output, (high, wide) = self.facts.output, self.windows
        lines = groups, output.height, high.kernel
        columns = output.width, wide.kernel
        self.weight = nn.Parameter(torch.empty(*lines, *columns, in_channels // groups, out_channels // groups))
        self.bias = nn.Parameter(torch.empty(out_channels, output.height, output.width)) if bias else None
        self.reset_parameters()

    @classmethod
    def from_convolution(cls, convolution: nn.Conv2d, *, input_size: int | tuple[int, int]) -> LocallyConnected2d:
        """A tied copy: the convolution's filters at every position, so that it computes the same until it is trained.

        Raises:
            UserError: when the convolution is dilated or pads with anything but the same number of zeros on both sides.

        >>> shared = nn.Conv2d(4, 6, 3, padding=1, groups=2)
        >>> own = LocallyConnected2d.from_convolution(shared, input_size=8)
        >>> x = torch.randn(2, 4, 8, 8)
        >>> torch.allclose(own(x), shared(x), atol=1e-5)
        True
        """
        padding, kernel = convolution.padding, convolution.kernel_size
        if padding == "valid":
            padding = 0
        elif padding == "same" and all(side % 2 for side in kernel):
            padding = tuple(side // 2 for side in kernel)
        if isinstance(padding, str) or convolution.padding_mode != "zeros" or set(convolution.dilation) != {1}:
            seen = f"dilation {convolution.dilation}, padding {convolution.padding!r}, {convolution.padding_mode}"
            legal = "a convolution without dilation, padded with as many zeros on either side"
            raise UserError(
                f"no locally connected layer equals a convolution with {seen}", where=cls.__name__, legal=legal
            )
        made = cls(
            convolution.in_channels,
            convolution.out_channels,
            (kernel[0], kernel[1]),
            input_size=input_size,
            stride=(convolution.stride[0], convolution.stride[1]),
            padding=padding if isinstance(padding, int) else (padding[0], padding[1]),
            groups=convolution.groups,
            bias=convolution.bias is not None,
        ).to(convolution.weight)
        groups, per_group = made.groups, made.out_channels // made.groups
        with torch.no_grad():
            filters = convolution.weight.view(groups, per_group, -1, *kernel).permute(0, 3, 4, 2, 1)
            made.weight.copy_(filters[:, None, :, None].expand_as(made.weight))
            if made.bias is not None and convolution.bias is not None:
                made.bias.copy_(convolution.bias[:, None, None].expand_as(made.bias))
        return made

    def reset_parameters(self) -> None:
        """Uniform within 1 / sqrt(inputs of a filter), as PyTorch's convolution."""
        bound = 1 / math.sqrt(self.weight.shape[2] * self.weight.shape[4] * self.weight.shape[5])
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def filters(self) -> Tensor:
        """The weights as a view: groups x height x width x outputs x channels x kernel height x kernel width."""
        return self.weight.permute(0, 1, 3, 6, 5, 2, 4)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
        """The outputs, in the input's order of memory."""
        if input.ndim != 4 or input.shape[1:] != (self.in_channels, *self.input_size):
            expected = "x".join(map(str, (self.in_channels, *self.input_size)))
            given = "x".join(map(str, input.shape[1:]))
            raise UserError(f"the input is n x {given}", where=type(self).__name__, legal=f"n x {expected}")
        weight, bias = self.weight, self.bias
        if not input.is_meta and torch.is_autocast_enabled(input.device.type):
            dtype = torch.get_autocast_dtype(input.device.type)
            input, weight = input.to(dtype), weight.to(dtype)  # noqa: A001
            bias = None if bias is None else bias.to(dtype)
        if input.dtype != weight.dtype:
            raise UserError(
                f"the input is of {input.dtype}", where=type(self).__name__, legal=f"{weight.dtype}, as its weights"
            )
        if torch.compiler.is_exporting() or torch.jit.is_tracing():  # pyright: ignore[reportPrivateImportUsage]
            return plain_product(input, weight, bias, self.windows)
        if input.device.type != "cpu" and self._unfolded_bytes(input) <= UNFOLDED:
            return plain_product(input, weight, bias, self.windows)
        return LocalProduct.apply(input, weight, bias, self.windows)  # pyright: ignore[reportReturnType]

    def _unfolded_bytes(self, x: Tensor) -> int:
        """What the unfolded input takes: each pixel as often as windows see it."""
        output, (high, wide) = self.facts.output, self.windows
        return len(x) * x.shape[1] * output.height * output.width * high.kernel * wide.kernel * x.element_size()

    def extra_repr(self) -> str:
        """The arguments."""
        high, wide = self.windows
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={(high.kernel, wide.kernel)}, "
            f"input_size={self.input_size}, stride={(high.stride, wide.stride)}, "
            f"padding={(high.padding, wide.padding)}, groups={self.groups}, bias={self.bias is not None}"
        )


def plain_product(x: Tensor, weight: Tensor, bias: Tensor | None, windows: Windows) -> Tensor:
    """The layer's sums by operations that every runtime has; it stores the unfolded input.

    Shape:
        x (n, channels, height, width), weight and bias as `LocallyConnected2d` has them.
    """
    high, wide = windows
    padded = F.pad(x, (wide.padding, wide.padding, high.padding, high.padding))
    seen = (
        padded.unfold(2, high.kernel, high.stride).unfold(3, wide.kernel, wide.stride).unflatten(1, (len(weight), -1))
    )
    sums = torch.einsum("ngchwij,ghiwjco->ngohw", seen, weight).flatten(1, 2)
    return sums if bias is None else sums + bias


class LocalProduct(torch.autograd.Function):
    """For each row of outputs and each row of the filters, one batched matrix product over the positions of the row."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, windows: Windows) -> Tensor:  # noqa: ANN401
        """The sums; keeps x and the weights."""
        ctx.save_for_backward(x, weight)
        ctx.windows = windows
        groups, height, taps, width, *_, outputs = weight.shape
        order = torch.contiguous_format if x.is_contiguous() else torch.channels_last
        out = torch.empty(
            (len(x), groups * outputs, height, width), dtype=x.dtype, device=x.device, memory_format=order
        )
        sums = x.new_empty((width, len(x), outputs))
        for group, (values, results) in enumerate(zip(x.chunk(groups, 1), out.chunk(groups, 1), strict=True)):
            lines = Lines(values, windows)
            for row in range(height):
                lines.move(row)
                sums.zero_() if bias is None else sums.copy_(bias.chunk(groups)[group][:, row].t()[:, None])
                for tap in range(taps):
                    sums.baddbmm_(lines.runs(row, tap), weight[group, row, tap].flatten(1, 2))
                results[:, :, row].copy_(sums.permute(1, 2, 0))
        return out

    @staticmethod
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any,  # noqa: ANN401
        gradient: Tensor,
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        """The gradients that are asked for; where they shall be differentiated again, by PyTorch's own operations."""
        x, weight = ctx.saved_tensors
        for_x, for_weight, for_bias, _ = ctx.needs_input_grad
        if torch.is_grad_enabled():
            by_x, by_weight = gradients(
                lambda x, weight: plain_product(x, weight, None, ctx.windows),
                (x, weight),
                (for_x, for_weight),
                gradient,
            )
            return by_x, by_weight, gradient.sum(0) if for_bias else None, None
        by_x = torch.zeros_like(x) if for_x else None
        by_weight = torch.empty_like(weight) if for_weight else None
        groups, height, taps, width, *_, outputs = weight.shape
        slopes = x.new_empty((width, len(x), outputs))
        for group, (values, slope) in enumerate(zip(x.chunk(groups, 1), gradient.chunk(groups, 1), strict=True)):
            lines = Lines(values, ctx.windows)
            spread = None if by_x is None else Spread(by_x.chunk(groups, 1)[group], ctx.windows)
            for row in range(height):
                lines.move(row)
                slopes.copy_(slope[:, :, row].permute(2, 0, 1))
                for tap in range(taps):
                    if by_weight is not None:
                        torch.bmm(lines.runs(row, tap).mT, slopes, out=by_weight[group, row, tap].flatten(1, 2))
                    if spread is not None:
                        filters = weight[group, row, tap].flatten(1, 2)
                        spread.add(row, tap, torch.bmm(slopes, filters.mT))
                if spread is not None:
                    spread.move(row, last=row == height - 1)
        return by_x, by_weight, gradient.sum(0) if for_bias else None, None


class Lines:
    """The lines of the padded input that a row of outputs sees, in a ring: each is n x columns x channels.

    With channels last a filter's row is one run of memory, and the runs of all positions are a view of the line.
    """

    def __init__(self, x: Tensor, windows: Windows) -> None:
        self.x = x
        self.high, self.wide = windows
        count, channels, _, columns = x.shape
        self.channels = channels
        self.ring = x.new_zeros((self.high.kernel, count, columns + 2 * self.wide.padding, channels))
        self.filled = 0

    def move(self, row: int) -> None:
        """Takes in the lines that an output row sees and the one before it did not."""
        first = row * self.high.stride
        for line in range(max(self.filled, first), first + self.high.kernel):
            place, source = self.ring[line % self.high.kernel], line - self.high.padding
            if 0 <= source < self.x.shape[2]:
                inner = place.narrow(1, self.wide.padding, self.x.shape[3])
                inner.copy_(self.x[:, :, source].permute(0, 2, 1))
            else:
                place.zero_()
        self.filled = first + self.high.kernel

    def runs(self, row: int, tap: int) -> Tensor:
        """What each position's filter row sees: width x n x (columns of the kernel, channels)."""
        line = self.ring[(row * self.high.stride + tap) % self.high.kernel].flatten(1)
        return line.unfold(1, self.wide.kernel * self.channels, self.wide.stride * self.channels).transpose(0, 1)


class Spread:
    """Adds gradients where filters overlap, in a ring of lines as `Lines`, and writes each line that is complete."""

    def __init__(self, by_x: Tensor, windows: Windows) -> None:
        self.by_x = by_x
        self.high, self.wide = windows
        count, channels, _, columns = by_x.shape
        sums = torch.float64 if by_x.dtype == torch.float64 else torch.float32
        shape = (self.high.kernel, count, columns + 2 * self.wide.padding, channels)
        self.ring = by_x.new_zeros(shape, dtype=sums)

    def add(self, row: int, tap: int, runs: Tensor) -> None:
        """Adds the gradients of what a filter row saw: width x n x (columns of the kernel, channels)."""
        line = self.ring[(row * self.high.stride + tap) % self.high.kernel]
        reach = (len(runs) - 1) * self.wide.stride + 1
        for column, values in enumerate(runs.chunk(self.wide.kernel, 2)):
            line[:, column : column + reach : self.wide.stride].add_(values.transpose(0, 1))

    def move(self, row: int, *, last: bool) -> None:
        """Writes the lines that no later output row reaches."""
        first = row * self.high.stride
        done = self.high.kernel if last else min(self.high.stride, self.high.kernel)
        for number in range(first, first + done):
            place, target = self.ring[number % self.high.kernel], number - self.high.padding
            if 0 <= target < self.by_x.shape[2]:
                inner = place.narrow(1, self.wide.padding, self.by_x.shape[3])
                self.by_x[:, :, target].copy_(inner.permute(0, 2, 1))
            place.zero_()
