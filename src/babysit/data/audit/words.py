"""A finding about data: what an audit says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Weight = Literal["wrong", "doubtful", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about the data: a name, how heavy it is, how many images, what is so, and what to do."""

    name: str
    weight: Weight
    count: int
    says: str
    advice: str

    def text(self) -> str:
        """The finding as one line."""
        return f"{self.says}. {self.advice}."

    def as_json(self) -> dict[str, object]:
        """The finding as plain values."""
        return {"name": self.name, "weight": self.weight, "count": self.count, "says": self.says, "advice": self.advice}
