"""What images look like, in a few numbers, so that those of one part can be compared with those of another."""

from __future__ import annotations

import torch
from torch import Tensor


def of_inputs(images: Tensor) -> dict[str, Tensor]:
    """What images look like: mean and deviation, how rough and how flat they are, how far they are from the first (RMS).

    Shape:
        (n, channels, height, width), or any that begins with n: then without roughness and flatness.
    """
    shown = images.double()
    values = {"input_mean": shown.mean(), "input_deviation": shown.std(correction=0)}
    if shown.ndim > 1:
        values["input_spread"] = (shown - shown[:1]).square().mean().sqrt()
    if (rough := roughness(shown)) is not None:
        values |= {"input_roughness": rough, "input_flatness": flatness(shown)}
    return values


def flatness(images: Tensor) -> Tensor:
    """Share of neighbouring pixels, along rows, that are the same to a thousandth of the deviation: plain grounds, what was erased.

    Shape:
        (n, channels, height, width), where something varies.
    """
    return (images.diff(dim=3).abs() < 1e-3 * images.std(correction=0)).double().mean()


def roughness(images: Tensor) -> Tensor | None:
    """How little neighbouring pixels know of each other: near 0 for smooth images, 1 where they are independent.

    mean of (x - next x)² over rows and columns, over twice the variance within an image's channel; None where there are no
    neighbours or nothing varies

    Shape:
        (n, channels, height, width).
    """
    if images.ndim != 4 or min(images.shape[2:]) < 2:
        return None
    spread = images.flatten(2).var(dim=2).mean()
    if not float(spread) > 0:
        return None
    down, right = images.diff(dim=2).square().mean(), images.diff(dim=3).square().mean()
    return (down + right) / (4 * spread)


def likeness(training: Tensor | None, validation: Tensor) -> dict[str, Tensor]:
    """How alike the mean images of two parts are, and those of as many of the second part and the rest of it.

    r = correlation over channels and pixels: `input_alike` of the two parts, `input_alike_within` the same number between
    images that surely are prepared alike, below which it means something.

    Shape:
        (n, channels, height, width), both; none where there are too few of one shape.
    """
    if training is None or training.ndim != 4 or training.shape[1:] != validation.shape[1:]:
        return {}
    count = min(len(training), len(validation) // 2)
    if count < FEW:
        return {}
    mean = training[:count].double().mean(dim=0).to(validation.device)
    one, other = (part.double().mean(dim=0) for part in (validation[:count], validation[count:]))
    return {"input_alike": _correlation(mean, other), "input_alike_within": _correlation(one, other)}


FEW = 8
"""Images below which a mean image is nothing but noise."""


def _correlation(one: Tensor, other: Tensor) -> Tensor:
    return torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1].nan_to_num(0.0)
