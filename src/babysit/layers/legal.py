"""Refuses an impossible layer when it is built: its name, the numbers, and the nearest that work. No torch here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeGuard

from babysit.errors import Fault, UserError
from babysit.layers.geometry import Volume, Window, Windows, output_size, smallest_size

ONE_OR_MORE = "whole numbers of at least 1"
ZERO_OR_MORE = "whole numbers of at least 0"


def pair(value: object, what: str, layer: str) -> tuple[int, int]:
    """One whole number for both axes, or two.

    Raises:
        UserError: when it is neither.

    >>> pair(3, "kernel_size", "conv1"), pair((3, 5), "kernel_size", "conv1")
    ((3, 3), (3, 5))
    """
    values = (value, value) if is_whole(value) else value
    if isinstance(values, Sequence) and len(values) == 2 and is_whole(values[0]) and is_whole(values[1]):
        return values[0], values[1]
    raise UserError(f"{what} is {value!r}", where=layer, legal="a whole number, or two (height, width)")


def windows(
    layer: str,
    volume: Volume,
    *,
    kernel_size: object,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
) -> Windows:
    """The windows of a convolution or locally connected layer, checked against its input.

    Arguments:
        layer: its name, for messages.
        volume: its input.
        kernel_size, stride, dilation: at least 1; a number, or two (height, width).
        padding: at least 0 and less than the filter's span, so that every output sees at least one pixel.

    Raises:
        UserError: every fault of the layer at once, with the nearest numbers that work.
    """
    made = _windows(layer, kernel_size, stride, padding, dilation, ceil_mode=False)
    faults = [
        *_volume_faults(layer, volume),
        *(fault for axis, window, size in _axes(made, volume) for fault in _fit_faults(layer, axis, window, size)),
    ]
    if faults:
        raise UserError.of(faults)
    return made


def pooling_numbers(
    layer: str,
    *,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    dilation: object = 1,
    ceil_mode: bool = False,
) -> Windows:
    """The windows of a pooling layer whose input is not known yet.

    Arguments:
        stride: as for PyTorch, the kernel's size when None.
        padding: at most half the kernel, PyTorch's rule.
        ceil_mode: see `Window`.

    Raises:
        UserError: every fault of the layer at once.
    """
    if stride is None:
        _windows(layer, kernel_size, 1, padding, dilation, ceil_mode)  # so that a fault of the kernel is said once
    made = _windows(layer, kernel_size, kernel_size if stride is None else stride, padding, dilation, ceil_mode)
    faults = [
        Fault(
            f"padding {window.padding} is too large for the kernel {window.kernel} along the {axis}",
            layer,
            f"0 to {window.kernel // 2}, half the kernel",
        )
        for axis, window in zip(("height", "width"), made, strict=True)
        if window.padding > window.kernel // 2
    ]
    if faults:
        raise UserError.of(faults)
    return made


def pooling_windows(
    layer: str,
    volume: Volume,
    *,
    kernel_size: object,
    stride: object = None,
    padding: object = 0,
    dilation: object = 1,
    ceil_mode: bool = False,
) -> Windows:
    """`pooling_numbers`, checked against its input too.

    Raises:
        UserError: every fault of the layer at once, with the nearest numbers that work.
    """
    made = pooling_numbers(
        layer, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )
    faults = _volume_faults(layer, volume)
    for axis, window, size in _axes(made, volume):
        faults += _fit_faults(layer, axis, window, size)
    if faults:
        raise UserError.of(faults)
    return made


def check_channels(layer: str, in_channels: object, *, out_channels: object, groups: object = 1) -> None:
    """Refuses numbers of channels and groups that do not go together.

    Raises:
        UserError: with every fault, and the numbers of groups that would divide both.
    """
    given = {"in_channels": in_channels, "out_channels": out_channels, "groups": groups}
    require_whole(layer, given, least=1)
    assert is_whole(in_channels) and is_whole(out_channels) and is_whole(groups)
    channels = {"in_channels": in_channels, "out_channels": out_channels}
    wrong = [f"{name} {count}" for name, count in channels.items() if count % groups]
    if wrong:
        common = math.gcd(in_channels, out_channels)
        both = [str(count) for count in range(1, common + 1) if common % count == 0]
        raise UserError(
            f"groups {groups} does not divide {' and '.join(wrong)}", where=layer, legal=f"groups {', '.join(both)}"
        )


def require_whole(layer: str, given: dict[str, object], *, least: int) -> None:
    """Refuses what is not a whole number of at least `least`.

    Raises:
        UserError: naming every one of them.

    >>> require_whole("norm1", {"size": 2.5}, least=1)
    Traceback (most recent call last):
    babysit.errors.UserError: norm1: size is 2.5. Legal: whole numbers of at least 1.
    """
    faults = [
        Fault(f"{name} is {value!r}", layer, legal=f"whole numbers of at least {least}")
        for name, value in given.items()
        if not (is_whole(value) and value >= least)
    ]
    if faults:
        raise UserError.of(faults)


def is_whole(value: object) -> TypeGuard[int]:
    """An `int` that is no `bool`."""
    return isinstance(value, int) and not isinstance(value, bool)


def _windows(
    layer: str, kernel_size: object, stride: object, padding: object, dilation: object, ceil_mode: bool
) -> Windows:
    given = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
    least = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
    faults: list[Fault] = []
    pairs: dict[str, tuple[int, int]] = {}
    for what, value in given.items():
        legal = ONE_OR_MORE if least[what] else ZERO_OR_MORE
        try:
            pairs[what] = pair(value, what, layer)
        except UserError as error:
            faults += error.faults
            continue
        if min(pairs[what]) < least[what]:
            faults.append(Fault(f"{what} is {value!r}", layer, legal=legal))
    if faults:
        raise UserError.of(faults)
    high, wide = (
        Window(pairs["kernel_size"][i], pairs["stride"][i], pairs["padding"][i], pairs["dilation"][i], ceil_mode)
        for i in range(2)
    )
    return high, wide


def _axes(windows: Windows, volume: Volume) -> tuple[tuple[str, Window, int], ...]:
    return ("height", windows[0], volume.height), ("width", windows[1], volume.width)


def _volume_faults(layer: str, volume: Volume) -> list[Fault]:
    sizes = {"channels": volume.channels, "height": volume.height, "width": volume.width}
    return [
        Fault(f"the input's {name} is {value!r}", layer, legal=ONE_OR_MORE)
        for name, value in sizes.items()
        if not (is_whole(value) and value >= 1)
    ]


def _fit_faults(layer: str, axis: str, window: Window, size: int) -> list[Fault]:
    """Why a window cannot stand on an axis of that size, with the nearest numbers that work."""
    if not (is_whole(size) and size >= 1):
        return []
    padded = size + 2 * window.padding
    padding = f" and padding {window.padding}" if window.padding else ""
    if window.padding >= window.span:
        what = f"padding {window.padding} is too large along the {axis}: a filter over {window.span} would see nothing but padding"
        return [Fault(what, layer, f"padding 0 to {window.span - 1}")]
    if output_size(size, window) < 1:
        dilated = f" (dilation {window.dilation}, so over {window.span})" if window.dilation > 1 else ""
        what = f"kernel {window.kernel}{dilated} does not fit an input {axis} of {size}{' with' + padding[4:] if padding else ''}"
        most = (padded - 1) // window.dilation + 1
        return [
            Fault(what, layer, f"a kernel of at most {most}, or an input {axis} of at least {smallest_size(window)}")
        ]
    if window.stride > padded > 1:
        what = f"stride {window.stride} is larger than the whole input {axis} of {size}{padding}"
        size_works = window.stride - 2 * window.padding
        return [Fault(what, layer, f"stride 1 to {padded}, or an input {axis} of at least {size_works}")]
    return []
