"""Pooling: PyTorch's operations, which are right and fast, with the arguments checked and the rules written down."""

from __future__ import annotations

from torch import nn

from babysit.layers.legal import pooling_numbers

Side = int | tuple[int, int]


class MaxPool2d(nn.MaxPool2d):
    """The largest value under each window, of each activation map by itself.

    The forward pass keeps the index of the value taken; the backward pass sends the output's gradient there, and where
    windows overlap and take the same value their gradients add. Of equal values the first is taken, row by row. Padding
    is never taken: it counts as minus infinity. A value that is not a number is taken before any other.

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
