"""A curve in a terminal: columns of blocks, an eighth of a line the smallest difference."""

from __future__ import annotations

from collections.abc import Sequence

EIGHTHS = " ▁▂▃▄▅▆▇█"
PLAIN = "    ----#"
"""The same for a terminal that has no blocks: half a line is the smallest difference."""


def blocks(values: Sequence[float], *, height: int, marks: str = EIGHTHS) -> list[str]:
    """Numbers from 0 to 1 as lines of text, the topmost first; a value above 0 always shows.

    Arguments:
        values: one a column.
        height: lines.
        marks: nine signs from nothing to a whole block.

    >>> blocks([0.0, 0.25, 0.5, 1.0], height=2)
    ['   █', ' ▄██']
    """
    eighths = [max(round(8 * height * value), 1 if value > 0 else 0) for value in values]
    return [
        "".join(marks[min(8, max(0, one - 8 * line))] for one in eighths).rstrip() for line in reversed(range(height))
    ]
