"""The first layer's filters: smooth, or still noise."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from babysit.probes.context import ProbeContext, observed
from babysit.probes.network import Network
from babysit.record.observation import Observation

DRAWS, LOW = 2000, 0.05
"""Random filters drawn to learn how rough noise is, and the share of them that may be taken for something smooth."""


def first_filters(network: Network, image: tuple[int, ...] | None = None) -> Tensor | None:
    """The first layer's weights as filters, None when they are no pictures.

    A full layer's weights are filters as large as the image, when its shape is known.

    Arguments:
        image: (channels, height, width) of the network's input.

    Shape:
        (filters, channels, height, width), at least 2x2.
    """
    for one in network.weighted:
        weight = one.weight.detach()
        if isinstance(one.layer, nn.Conv2d) and min(weight.shape[2:]) >= 2:
            return weight.float()
        if isinstance(one.layer, nn.Linear) and image and len(image) == 3 and weight.shape[1] == int(np.prod(image)):
            return weight.float().unflatten(1, image)
        if isinstance(one.layer, (nn.Conv2d, nn.Linear)):
            return None
    return None


def roughness(filters: Tensor) -> Tensor:
    """How rough each filter is: about 1 for independent noise, near 0 for a smooth one, up to 2 for a chessboard.

    mean of (w - its neighbour's)² over neighbours in a row or column / (2 mean of w²); NaN for a filter of zeros

    Shape:
        (filters, channels, height, width) to (filters,).

    >>> chess = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])[None, None]
    >>> roughness(torch.cat([chess, torch.ones(1, 1, 2, 2)])).tolist()
    [2.0, 0.0]
    """
    wide = filters.double()
    down = (wide[:, :, 1:] - wide[:, :, :-1]).square().flatten(1)
    along = (wide[:, :, :, 1:] - wide[:, :, :, :-1]).square().flatten(1)
    differences = torch.cat([down, along], dim=1).mean(dim=1)
    return differences / (2 * wide.square().flatten(1).mean(dim=1))


@lru_cache(maxsize=16)
def noise_bound(shape: tuple[int, ...]) -> float:
    """The roughness below which only 5 % of independent normal filters of a shape lie.

    >>> 0.5 < noise_bound((3, 3, 3)) < noise_bound((3, 7, 7)) < 1
    True
    """
    generator = np.random.Generator(np.random.PCG64(0))
    count = max(100, min(DRAWS, 4_000_000 // int(np.prod(shape))))
    drawn: NDArray[np.float64] = generator.standard_normal((count, *shape))
    return float(torch.quantile(roughness(torch.from_numpy(drawn)), LOW))


def probe(context: ProbeContext) -> Iterator[Observation]:
    """The median roughness of the first layer's filters, and the share of them that cannot be told from noise.

    Nothing of filters that are kept as they are: they say nothing of the training.
    """
    inputs = context.batch.inputs if context.batch else None
    filters = first_filters(context.network, None if inputs is None else tuple(inputs.shape[1:]))
    trained = context.network.weighted and context.network.weighted[0].weight.requires_grad
    if filters is None or not trained or not bool(torch.isfinite(filters).all()):
        return
    found = roughness(filters.cpu())
    found = found[~torch.isnan(found)]
    if len(found):
        noisy = (found > noise_bound(tuple(filters.shape[1:]))).double().mean()
        yield from observed(context, {"filter_roughness": found.median(), "noisy_filters": noisy})
