"""What a refitted run knows of itself: whose training it repeats, and what can be said of it without validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from babysit.metrics import wilson_interval

TEMPERATURE = "there are no images to fit a temperature on, so that of the selected network is used, fitted on its validation part"


@dataclass(frozen=True, slots=True)
class Refit:
    """A training repeated on train and validation together.

    `of` the folder of the selected run, whose kept epoch was `epoch` and got `correct` of `count` validation images;
    `images` trained on now, `before` then; `test_images` that are still held out.
    """

    of: str
    epoch: int
    correct: int
    count: int
    images: int
    before: int
    test_images: int

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON values, with the sentence."""
        low, high = wilson_interval(self.correct, self.count)
        return {**asdict(self), "accuracy": self.correct / self.count, "interval": [low, high], "judged": self.judged()}

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> Refit | None:
        """What a run's manifest says of it, None for another run."""
        said = manifest.get("refit")
        return cls(**{name: said[name] for name in cls.__dataclass_fields__}) if isinstance(said, dict) else None

    def judged(self) -> str:
        """How this network can be judged, in two sentences.

        >>> Refit("a", 3, 90, 100, 1000, 900, 0).judged().split(". ")[1]
        'The data have no test part either, so no figure is its own.'
        """
        low, high = wilson_interval(self.correct, self.count)
        stand = (
            f"No validation is left: all {self.images:,} images were trained on, {self.images - self.before:,} more than "
            f"for the selected network, whose {self.correct / self.count:.1%} (95 % interval {low:.1%} to {high:.1%}, "
            f"{self.count:,} validation images) stand for this one, which should be no worse"
        )
        if not self.test_images:
            return f"{stand}. The data have no test part either, so no figure is its own."
        return f"{stand}. Only the {self.test_images:,} test images can measure it: babysit test does that, and counts the look."
