"""Kind: one kind of fault of the held-out part, at two strengths, and where it is put."""

from __future__ import annotations

from dataclasses import dataclass, field

Change = dict[str, object]


@dataclass(frozen=True)
class Kind:
    """A kind of fault at two strengths, and the cells it is put in: `+` strong, `-` mild.

    `accepted` the causes that are right to name; `harm` what it costs when that is not points of accuracy.
    """

    accepted: tuple[str, ...]
    strong: Change
    mild: Change
    cells: str
    harm: str = ""
    also: dict[str, Change] = field(default_factory=dict)
    """What a cell needs besides, so that the fault can live there."""


SGD: Change = {"optimizer": "momentum", "rate": 0.02, "schedule": "none", "clip": 0.0}
