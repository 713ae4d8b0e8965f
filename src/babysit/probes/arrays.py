"""What is too much for a line of the log: the first layer's filters, and how weights are distributed; bounded files."""

from __future__ import annotations

import torch
from safetensors.torch import save
from torch import Tensor

from babysit.probes.filters import first_filters
from babysit.probes.network import Network
from babysit.probes.weights import some_of

BINS, MOST_LAYERS, MOST_VALUES = 64, 64, 2**17


def kept_epoch(epoch: int, *, last: bool) -> bool:
    """Whether arrays are written after an epoch: the first, the second, the fourth, the eighth, ..., and the last.

    >>> [epoch for epoch in range(20) if kept_epoch(epoch, last=epoch == 19)]
    [0, 1, 3, 7, 15, 19]
    """
    return last or (epoch + 1) & epoch == 0


@torch.no_grad()
def arrays(network: Network, image: tuple[int, ...] | None = None) -> bytes:
    """A safetensors file of `filters` (half precision) and, by layer, `edges.NAME` (2,) and `counts.NAME` (64,).

    `counts` is the histogram of the layer's weights between its least and most, the `edges`. Of very many filters the
    first ones are there.

    Arguments:
        image: (channels, height, width) of the network's input.
    """
    found: dict[str, Tensor] = {}
    filters = first_filters(network, image)
    if filters is not None:
        most = max(1, MOST_VALUES // filters[0].numel())
        found["filters"] = filters[:most].half().cpu().contiguous()
    for one in network.weighted[:MOST_LAYERS]:
        values = some_of(one.weight).float().cpu()
        if bool(torch.isfinite(values).all()):
            least, most_value = values.aminmax()
            found[f"edges.{one.name}"] = torch.stack([least, most_value])
            found[f"counts.{one.name}"] = torch.histc(values, BINS).int()
    return save(found, {"what": "filters of the first layer, and histograms of the weights"})
