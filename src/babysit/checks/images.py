"""What can be wrong with images between the file and the network: their values, their axes, images that are blank or repeated."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from babysit.checks.outcome import Found
from babysit.checks.subject import Subject

LEAST_DEVIATION, MOST_DEVIATION, MOST_MEAN = 0.01, 3.2, 5.0
"""Standardised pixels have 1, pixels from 0 to 1 about 0.25, two-valued images with ImageNet's numbers 2.3; their means
are within 2.2 of 0."""

BLANK = 1e-4
"""An image whose deviation is below this share of all images' is blank."""

SOME, HALF = 0.1, 0.5
"""The share of images that may be blank, or be another's twin with another label; of blank ones of one class."""

SMOOTHER = 0.7
"""How much smoother images of which the channels were read in the wrong order become when they are read the other way."""

CHANGED = 0.2
LOOKED_AT = 64
CHANNELS = 4
"""The largest last axis that is taken for channels."""

WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def image_faults(subject: Subject) -> tuple[list[Found], list[Found]]:
    """Faults that make the next rungs meaningless, and those that do not."""
    images = subject.training.images
    grave = _first(
        lambda: _not_finite(images), lambda: _alike(images), lambda: _blank(subject), lambda: _scale(subject, images)
    )
    if grave or subject.session is not None:
        return grave, []
    if found := _channels_last(subject, images):
        return [found], []
    return [], [one for one in (_changing(subject), _repeated(subject), _mixed(images)) if one]


def _first(*looks) -> list[Found]:  # noqa: ANN002
    for look in looks:
        if found := look():
            return [found]
    return []


def _not_finite(images: Tensor) -> Found | None:
    if bool(torch.isfinite(images).all()):
        return None
    share = float((~torch.isfinite(images)).float().mean())
    claim = f"{share:.2%} of the input values are not finite numbers."
    advice = "Look for a division by a deviation of 0, or the logarithm of 0"
    return Found("inputs-not-finite", claim, advice, {"input_deviation": share})


def _alike(images: Tensor) -> Found | None:
    each = images.flatten(1).float()
    if float((each - each[:1]).abs().max()) > BLANK * max(float(each.abs().max()), 1e-30):
        return None
    claim = f"All {len(each)} images are the same."
    return Found("constant-images", claim, "Look at what is between the files and the network", {"input_deviation": 0})


def _blank(subject: Subject) -> Found | None:
    each = subject.training.images.flatten(1).float()
    blank = each.std(dim=1) < BLANK * float(each.std())
    share, kinds = float(blank.float().mean()), len(subject.training.targets[blank].unique())
    # Blank images that are a class of their own (background) are another matter.
    if share <= (SOME if kinds > 1 else HALF):
        return None
    claim = f"{share:.0%} of the images have one value throughout."
    advice = "Look at the files with babysit look; in a loader of your own, for an array that is not filled to its end, or // in place of /"
    return Found("blank-images", claim, advice, {"input_deviation": 0})


def _scale(subject: Subject, images: Tensor) -> Found | None:
    met = met_by_weights(subject.fresh(), images)
    if met is None or met.deviation == 0:  # a network that loses its images is another rung's matter
        met = Met(float(images.float().mean()), float(images.float().std()), tuple(images.shape))
    mean, deviation = met.mean, met.deviation
    evidence = {"input_deviation": deviation}
    if deviation > MOST_DEVIATION:
        claim = f"The first layer with weights meets inputs of deviation {deviation:.3g}, which were not normalised, or twice."
        advice = "Subtract the mean and divide by the deviation, once: preprocess.kind=standardize, or x = (x - mean) / deviation of the values as they come then"
        return Found("inputs-not-normalised", claim, advice, evidence)
    if deviation < LEAST_DEVIATION:
        claim = f"The first layer with weights meets inputs of deviation {deviation:.2g}: they were divided twice."
        return Found("inputs-too-small", claim, "Divide once: by 255 or by the deviation, not by both", evidence)
    if abs(mean) > MOST_MEAN:
        claim = f"The first layer with weights meets inputs of mean {mean:.3g} and deviation {deviation:.2g}: a mean was subtracted twice, or of other units."
        advice = "Subtract the mean of the values as they come then, once"
        return Found("normalised-twice", claim, advice, {"input_mean": mean})
    return None


@dataclass(frozen=True, slots=True)
class Met:
    """What the first layer with weights is given."""

    mean: float
    deviation: float
    shape: tuple[int, ...]


def met_by_weights(model: nn.Module, images: Tensor) -> Met | None:
    """What the first convolution or full layer is given; None when the network has none or fails before it.

    A network that normalises its inputs itself is so judged by what it makes of them.
    """
    seen: list[Met] = []

    def look(module: nn.Module, inputs: tuple[object, ...]) -> None:  # noqa: ARG001 - PyTorch's signature
        if not seen and inputs and isinstance(inputs[0], Tensor):
            wide = inputs[0].float()
            seen.append(Met(float(wide.mean()), float(wide.std()), tuple(wide.shape)))

    hooks = [layer.register_forward_pre_hook(look) for layer in model.modules() if isinstance(layer, WEIGHTED)]
    try:
        with torch.no_grad():
            model.train()(images)
    except Exception:  # noqa: BLE001 - the next rung says what is wrong with the network
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return seen[0] if seen else None


def _channels_last(subject: Subject, images: Tensor) -> Found | None:
    if images.ndim != 4 or not images.shape[-1] <= CHANNELS < min(images.shape[1:3]):
        return None
    met = met_by_weights(subject.fresh(), images[:2])
    if met and len(met.shape) == 4 and met.shape[1] == images.shape[-1]:  # the network turns them itself
        return None
    claim = f"The images have the shape {tuple(images.shape[1:])}: their channels come last."
    advice = "PyTorch's layers want (n, channels, height, width): images.permute(0, 3, 1, 2)"
    return Found("channels-last", claim, advice, {"channels": float(images.shape[-1])})


def _mixed(images: Tensor) -> Found | None:
    """Images whose numbers make smoother ones when they are read with the channels last."""
    if images.ndim != 4 or images.shape[1] < 2 or min(images.shape[2:]) < 8:
        return None
    some = images[:LOOKED_AT].float()
    count, channels, height, width = some.shape
    other = some.reshape(count, height, width, channels).permute(0, 3, 1, 2)
    ratio = roughness(other) / max(roughness(some), 1e-30)
    if ratio > SMOOTHER:
        return None
    claim = f"Read with the channels last, the same numbers give images of {ratio:.0%} of the roughness: channels and places are mixed."
    advice = "Turn the axes, x.permute(0, 3, 1, 2) or np.transpose, in place of reshape or view"
    return Found("channels-mixed", claim, advice, {"relative_roughness": ratio})


def roughness(images: Tensor) -> float:
    """The mean difference of neighbours across and down.

    >>> roughness(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]]))
    1.0
    """
    across = (images[..., 1:] - images[..., :-1]).abs().mean()
    down = (images[..., 1:, :] - images[..., :-1, :]).abs().mean()
    return float(across + down)


def _changing(subject: Subject) -> Found | None:
    """A second pass over the loader, whose values are others."""
    first, again = subject.loading.first.float(), subject.loading.again.float()
    if not len(again) or len(again) != len(first):
        return None
    scale = max(float(first.std()), 1e-30)
    each = [one.flatten(1).mean(dim=1).double() for one in (first, again)]
    spread = max(float(one.std()) if len(one) > 1 else 0.0 for one in each) / len(first) ** 0.5
    moved = abs(float(each[1].mean() - each[0].mean()))
    widened = float(again.std()) / scale
    if moved <= CHANGED * scale + 6 * spread and 1 / (1 + 3 * CHANGED) < widened < 1 + 3 * CHANGED:
        return None
    claim = (
        f"The first {len(first)} images of a second pass have mean {float(again.mean()):.3g} and deviation {float(again.std()):.3g}"
        f", where those of the first had {float(first.mean()):.3g} and {float(first.std()):.3g}."
    )
    advice = "Something normalises the stored images where they stand, anew at every pass: x = (x - mean) / deviation in place of x.sub_(), x -= or x /= on a view"
    return Found("inputs-change", claim, advice, {"input_mean": float(again.mean())})


def _repeated(subject: Subject) -> Found | None:
    """Images that come again with another label."""
    images = torch.cat([subject.training.images, subject.validation.images]).cpu()
    labels = torch.cat([subject.training.targets, subject.validation.targets]).tolist()
    kinds: dict[bytes, set[int]] = {}
    keys = [one.numpy().tobytes() for one in images.contiguous()]
    for key, label in zip(keys, labels, strict=True):
        kinds.setdefault(key, set()).add(label)
    torn = sum(len(kinds[key]) > 1 for key in keys) / len(keys)
    if torn <= SOME:
        return None
    claim = (
        f"{torn:.0%} of the images come again, exactly, with another label: {len(kinds)} of {len(keys)} are different."
    )
    advice = "Look at the index that chooses the image, and for an array that is filled again while it is still read"
    return Found("repeated-images", claim, advice, {"repeated_share": torn})
