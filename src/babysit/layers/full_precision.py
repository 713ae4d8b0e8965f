"""Convolutions that stay in float32 where the rest of a network computes in bfloat16.

Some processors, with some versions of PyTorch, run grouped or dilated convolutions in bfloat16 several times slower than
in float32 (pytorch issue 183815). A measurement finds them (`training/precision.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from babysit.errors import UserError


class Float32Conv2d(nn.Conv2d):
    """A convolution that computes in float32 under autocast too, and gives autocast's type, as a convolution does.

    >>> layer = nn.Conv2d(4, 4, 3, groups=2)
    >>> keep_in_float32(nn.Sequential(layer), ["0"])
    >>> with torch.autocast("cpu", torch.bfloat16):
    ...     layer(torch.zeros(1, 4, 3, 3)).dtype
    torch.bfloat16
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
        """The sums."""
        kind = input.device.type
        if input.is_meta or not torch.is_autocast_enabled(kind):
            return super().forward(input)
        dtype = torch.get_autocast_dtype(kind)
        with torch.autocast(kind, enabled=False):
            return super().forward(input.float()).to(dtype)


def keep_in_float32(network: nn.Module, names: Iterable[str]) -> None:
    """Makes convolutions of a network stay in float32; weights, names and places of its layers remain.

    Raises:
        UserError: when a name is not that of a convolution.
    """
    convolutions = {one: layer for one, layer in network.named_modules() if type(layer) in (nn.Conv2d, Float32Conv2d)}
    wanted = list(names)
    for name in wanted:
        if name not in convolutions:
            legal = ", ".join(convolutions) or "none"
            raise UserError(f"'{name}' is no convolution of the network", where="train.float32_layers", legal=legal)
    for name in wanted:
        convolutions[name].__class__ = Float32Conv2d  # the same layer in all but this: no copy, no other name
