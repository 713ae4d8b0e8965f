"""How large images are, from a sample of their headers, and the training size that follows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from babysit.data.catalog import Catalog
from babysit.data.decode import UnreadableImage, dimensions, quiet_decoding

SIZES = (8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Training sizes the rule chooses from; 128 is where a step on a small machine still takes well under a second."""

SMALLEST = 4
SAMPLED = 256


def sampled_sides(catalog: Catalog) -> list[int]:
    """The shorter sides, in pixels, of up to SAMPLED images spread over the catalog; unreadable ones are passed over."""
    sample = np.unique(np.linspace(0, len(catalog) - 1, min(SAMPLED, len(catalog))).astype(int))
    sides = []
    with quiet_decoding():
        for index in sample.tolist():
            try:
                sides.append(min(dimensions(catalog.read(index))))
            except (UnreadableImage, OSError):
                continue
    return sides


def training_size(shorter_sides: Sequence[int]) -> tuple[int, int]:
    """The largest of SIZES that half of the images reach with their shorter side, and the median shorter side.

    >>> training_size([30, 40, 50])
    (32, 40)
    """
    middle = sorted(shorter_sides)[len(shorter_sides) // 2]
    return max([size for size in SIZES if size <= middle], default=max(SMALLEST, middle)), middle
