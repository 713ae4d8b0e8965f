"""How the fully connected heads of the published networks meet other image sizes.

One rule for all of them. A last map larger than the published one is averaged down to it; a smaller one feeds a
smaller first full layer. At the published size the network is the published one to the last parameter.
"""

from __future__ import annotations

from torch import nn


def halved(size: int, times: int) -> int:
    """The side of a map after 2x2 pooling with stride 2, `times` times.

    >>> halved(224, 5)
    7
    """
    return size >> times


def fitted_pool(side: int, published: int) -> tuple[nn.Module, int]:
    """The averaging in front of a full layer, and the side of the map behind it.

    Arguments:
        side: of the last map, at least 1.
        published: the side that the full layer was published for.

    >>> fitted_pool(7, 7), fitted_pool(2, 7)
    ((Identity(), 7), (Identity(), 2))
    """
    if side <= published:
        return nn.Identity(), side
    return nn.AdaptiveAvgPool2d(published), published
