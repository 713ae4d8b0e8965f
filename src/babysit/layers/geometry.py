"""The integers of a layer: sizes, what it covers, receptive field, neurons, parameters, multiply-adds, memory.

Nothing here imports torch, and nothing here checks: `legal` does, when a layer is built. Sizes are pixels; a volume is channels x height x width, as in the lecture, for one image.
Multiply-adds are those of the sums h = sum x W + b of convolution, locally connected and full layers, for one image; a
bias is no multiplication, and normalisation, pooling and activation functions count as none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Volume:
    """Activations of one image.

    >>> Volume(96, 55, 55).neurons, str(Volume(3, 32, 32))
    (290400, '3x32x32')
    """

    channels: int
    height: int
    width: int

    @property
    def neurons(self) -> int:
        """Values in it."""
        return self.channels * self.height * self.width

    def __str__(self) -> str:
        return f"{self.channels}x{self.height}x{self.width}"


@dataclass(frozen=True, slots=True)
class Window:
    """One axis of a filter.

    Arguments:
        kernel: taps, at least 1.
        stride: pixels from one position to the next, at least 1.
        padding: pixels added on either side, at least 0.
        dilation: pixels from one tap to the next, at least 1.
        ceil_mode: a last window that begins in the image and leaves it counts too (poolings of GoogLeNet).
    """

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    ceil_mode: bool = False

    @property
    def span(self) -> int:
        """Pixels from the first tap to the last, both counted: d(k - 1) + 1.

        >>> Window(3, dilation=2).span
        5
        """
        return self.dilation * (self.kernel - 1) + 1


Windows = tuple[Window, Window]
"""The windows along height and along width."""


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """What integers say of one layer.

    Arguments:
        windows: along height and width; None for a layer that has no filter.
        multiply_adds: for one image.
        notes: what is legal but may not be meant, a sentence each.
    """

    name: str
    kind: str
    input: Volume
    output: Volume
    parameters: int = 0
    multiply_adds: int = 0
    windows: Windows | None = None
    notes: tuple[str, ...] = ()

    @property
    def neurons(self) -> int:
        """Values in the output."""
        return self.output.neurons


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """Which input pixels one value can see, along one axis.

    Arguments:
        size: pixels from the first seen to the last; it may exceed the image.
        step: input pixels between neighbouring values.
        start: the first pixel the first value sees; negative in the padding.

    Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning".
    """

    size: int = 1
    step: int = 1
    start: int = 0

    def after(self, window: Window) -> ReceptiveField:
        """The field one layer further.

        size' = size + (span - 1) step;  step' = step stride;  start' = start - padding step

        >>> ReceptiveField().after(Window(3, padding=1)).after(Window(3, padding=1)).after(Window(2, stride=2))
        ReceptiveField(size=6, step=2, start=-2)
        """
        return ReceptiveField(
            self.size + (window.span - 1) * self.step,
            self.step * window.stride,
            self.start - window.padding * self.step,
        )

    def joined(self, other: ReceptiveField) -> ReceptiveField:
        """The field of a value that sees both branches' first values: from the earlier start to the later end."""
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return ReceptiveField(end - start, max(self.step, other.step), start)


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes for one image (activations, gradients) and for the whole network (parameters)."""

    activations: int
    gradients: int
    parameters: int


def output_size(size: int, window: Window) -> int:
    """Positions a window takes along one axis; 0 or less when it does not fit.

    floor((w + 2p - d(k - 1) - 1) / s) + 1

    With `ceil_mode` the division is rounded up, and a last window that would begin in the padding on the right is left out.

    >>> output_size(227, Window(11, stride=4)), output_size(32, Window(5)), output_size(4, Window(7))
    (55, 28, -2)
    """
    free = size + 2 * window.padding - window.span
    if not window.ceil_mode:
        return free // window.stride + 1
    count = -(-free // window.stride) + 1
    return count - 1 if (count - 1) * window.stride >= size + window.padding else count


def uncovered(size: int, window: Window) -> tuple[int, ...]:
    """The input rows (or columns) that no output sees, counted from 0: at the end, or between strides or taps.

    >>> uncovered(32, Window(5, stride=2)), uncovered(7, Window(1, stride=3)), uncovered(8, Window(2, stride=2))
    ((31,), (1, 2, 4, 5), ())
    """
    seen: set[int] = set()
    for position in range(max(output_size(size, window), 0)):
        first = position * window.stride - window.padding
        seen.update(range(first, first + window.span, window.dilation))
    return tuple(pixel for pixel in range(size) if pixel not in seen)


def nearest_exact(size: int, window: Window) -> tuple[int, ...]:
    """The size itself when the windows end with the padded input, else the nearest smaller and larger that do.

    >>> nearest_exact(224, Window(11, stride=4)), nearest_exact(227, Window(11, stride=4))
    ((223, 227), (227,))
    """
    fitting = window.span - 2 * window.padding
    least = fitting if fitting >= 1 else fitting + -((fitting - 1) // window.stride) * window.stride
    if size < least:
        return (least,)
    below = size - (size - least) % window.stride
    return (size,) if below == size else (below, below + window.stride)


def smallest_size(window: Window) -> int:
    """The smallest input that gives an output.

    >>> smallest_size(Window(11, stride=4, padding=2)), smallest_size(Window(3, padding=1))
    (7, 1)
    """
    beyond = window.stride - 1 if window.ceil_mode else 0
    return max(1, window.span - 2 * window.padding - beyond)


def convolution(
    name: str, volume: Volume, *, out_channels: int, windows: Windows, groups: int = 1, bias: bool = True
) -> LayerFacts:
    """A convolution: one filter per output channel, shared by all positions.

    Arguments:
        windows: from `legal.windows`, so that they fit; `groups` likewise checked by `legal.check_channels`.

    >>> side = Window(11, stride=4)
    >>> conv1 = convolution("conv1", Volume(3, 227, 227), out_channels=96, windows=(side, side))
    >>> str(conv1.output), conv1.neurons, conv1.parameters, conv1.multiply_adds
    ('96x55x55', 290400, 34944, 105415200)
    """
    output = _output(volume, windows, out_channels)
    weights = out_channels * _fan_in(volume, windows, groups)
    parameters = weights + (out_channels if bias else 0)
    positions = output.height * output.width
    notes = _notes(name, volume, windows)
    return LayerFacts(name, "convolution", volume, output, parameters, weights * positions, windows, notes)


def locally_connected(
    name: str, volume: Volume, *, out_channels: int, windows: Windows, groups: int = 1, bias: bool = True
) -> LayerFacts:
    """A locally connected layer: as a convolution, with weights and biases of its own at every position.

    >>> side = Window(3, padding=1)
    >>> locally_connected("local1", Volume(3, 32, 32), out_channels=10, windows=(side, side)).parameters
    286720
    """
    output = _output(volume, windows, out_channels)
    weights = output.neurons * _fan_in(volume, windows, groups)
    parameters = weights + (output.neurons if bias else 0)
    return LayerFacts(
        name, "locally connected", volume, output, parameters, weights, windows, _notes(name, volume, windows)
    )


def pooling(name: str, volume: Volume, *, windows: Windows, kind: str = "max pooling") -> LayerFacts:
    """A pooling layer: over each activation map by itself."""
    output = _output(volume, windows, volume.channels)
    return LayerFacts(name, kind, volume, output, windows=windows, notes=_notes(name, volume, windows))


def full(name: str, volume: Volume, *, out_features: int, bias: bool = True) -> LayerFacts:
    """A full (linear) layer: every output sees every value.

    >>> full("fc6", Volume(256, 6, 6), out_features=4096).parameters
    37752832
    """
    weights = volume.neurons * out_features
    parameters = weights + (out_features if bias else 0)
    return LayerFacts(name, "full", volume, Volume(out_features, 1, 1), parameters, weights)


def elementwise(name: str, volume: Volume, *, kind: str, parameters: int = 0) -> LayerFacts:
    """A layer that keeps the shape: an activation function, normalisation, dropout."""
    return LayerFacts(name, kind, volume, volume, parameters)


def training_memory(layers: Iterable[LayerFacts], *, number_bytes: int = 4) -> Memory:
    """Every layer's output is kept for the backward pass, and each has a gradient; so has the network's input.

    Parameters count three times: value, gradient and the momentum of the update. What a layer keeps besides (indices of
    maxima, masks, statistics) and what is computed in place is left out.
    """
    rows = list(layers)
    held = (rows[0].input.neurons if rows else 0) + sum(row.neurons for row in rows)
    parameters = sum(row.parameters for row in rows)
    return Memory(held * number_bytes, held * number_bytes, 3 * parameters * number_bytes)


def prediction_memory(layers: Iterable[LayerFacts], *, number_bytes: int = 4) -> Memory:
    """The most that must be there at once: one layer's input and output, for a network that is one chain."""
    rows = list(layers)
    held = max((row.input.neurons + row.neurons for row in rows), default=0)
    return Memory(held * number_bytes, 0, sum(row.parameters for row in rows) * number_bytes)


def _output(volume: Volume, windows: Windows, channels: int) -> Volume:
    return Volume(channels, output_size(volume.height, windows[0]), output_size(volume.width, windows[1]))


def _fan_in(volume: Volume, windows: Windows, groups: int) -> int:
    return volume.channels // groups * windows[0].kernel * windows[1].kernel


def _notes(name: str, volume: Volume, windows: Windows) -> tuple[str, ...]:
    """The inexact: input that no output covers."""
    notes = []
    for axis, window, size in zip(("height", "width"), windows, (volume.height, volume.width), strict=True):
        if left := uncovered(size, window):
            lines = "row" if axis == "height" else "column"
            better = " or ".join(str(one) for one in nearest_exact(size, window))
            number = "" if len(left) == 1 else f" {len(left)}"
            where = f"the last{number}" if left == tuple(range(size - len(left), size)) else f"{len(left)}"
            exact = "" if (size,) == nearest_exact(size, window) else f"; exact with an input {axis} of {better}"
            notes.append(
                f"{name}: {where} of {size} input {lines}s {'is' if len(left) == 1 else 'are'} seen by no output{exact}"
            )
    return tuple(notes)
