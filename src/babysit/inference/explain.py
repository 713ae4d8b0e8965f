"""Explain: where a network looked, as a warm veil over the picture (Grad-CAM)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from babysit.data.augment import cut, plain_views
from babysit.data.batches import normalise
from babysit.errors import UserError, writing
from babysit.figures.pictures import png, veiled
from babysit.inference.predictor import Predictor
from babysit.losses import heads_of
from babysit.record import atomic

SHOWN = 256
"""Side of a written picture, at least, in pixels: what is smaller is enlarged by a whole factor."""


def grad_cam(model: nn.Module, images: Tensor) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Where the last convolution speaks for the class that is named.

    M = max(0, sum_k a_k A_k), with a_k = mean over places of d score_c / d A_k; stretched so that its largest value is 1

    Arguments:
        model: in evaluation mode, with at least one convolution.
        images: normalised, shape (n, 3, size, size).

    Returns:
        Maps of shape (n, size, size), 0 to 1 (all 0 where nothing speaks for the class), and the classes named, (n,).

    Raises:
        UserError: when the network has no convolution.

    Source: Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization"
    (ICCV 2017).
    """
    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    if not convolutions:
        raise UserError("the network has no convolution, so there is no map of where it looked")
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        kept[:] = [output]  # the last one that is used; an auxiliary head's is listed but not used
        # A copy goes on, since a layer that follows may write in place over what is kept here.
        return output.clone()

    handles = [one.register_forward_hook(keep) for one in convolutions]
    try:
        with torch.enable_grad():
            scores = heads_of(model(images.requires_grad_()))[0]
            named = scores.argmax(dim=1)
            (gradient,) = torch.autograd.grad(scores.gather(1, named[:, None]).sum(), kept)
    finally:
        for handle in handles:
            handle.remove()
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    maps = F.relu((weights * kept[0]).sum(dim=1, keepdim=True)).detach()
    maps = F.interpolate(maps, size=images.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    largest = maps.amax(dim=(1, 2), keepdim=True)
    return (maps / largest.clamp_min(1e-12)).cpu().numpy(), named.cpu().numpy()


def write_explanations(network: Predictor, paths: Sequence[Path], folder: Path) -> Iterator[tuple[Path, Path]]:
    """Writes a picture for each image that can be read: as the network saw it, and beside it where it looked.

    Arguments:
        folder: made when it is not there; files are numbered in the order of `paths`.

    Yields:
        (image, picture written).

    Raises:
        UserError: when the network has no convolution, or the folder cannot be written.
    """
    with writing(folder, "the explanations"):
        folder.mkdir(parents=True, exist_ok=True)
    wide = len(str(len(paths)))
    for number, path in enumerate(paths, start=1):
        canvas, reason = network.decoded(path)
        if reason:
            continue
        window = cut(canvas[None], np.arange(1), plain_views(1, (len(canvas) - network.size) // 2), network.size)
        device = next(network.model.parameters()).device
        images = normalise(torch.from_numpy(window).to(device), network.statistics, torch.float32)
        maps, _ = grad_cam(network.model, images)
        target = folder / f"{number:0{wide}d}-{path.stem}.png"
        with writing(folder, "the explanations"):
            atomic.write_bytes(target, png(beside(window[0], maps[0])))
        yield path, target


def beside(pixels: NDArray[np.uint8], where: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture, and the same under a veil that is densest where the map is 1.

    Arguments:
        pixels: (size, size, 3).
        where: (size, size), 0 to 1.

    Shape:
        (side, 2 · side, 3), with side a multiple of size.
    """
    factor = max(1, -(-SHOWN // len(pixels)))
    return np.concatenate([pixels, veiled(pixels, where)], axis=1).repeat(factor, axis=0).repeat(factor, axis=1)
