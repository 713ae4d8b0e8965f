"""Clearing: whether a loop clears its gradients between two updates."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.utils.hooks import RemovableHandle

from babysit.record.known import CLEARED


class Clearing:
    """Looks, when the first backward pass after an update reaches a parameter, at what its `grad` still holds, to which it adds.

    At that moment a cleared one is None or zero, however and whenever the loop cleared it. One parameter, the last, is
    enough: its gradient comes first. What `torch.autograd.grad` gives is added to nothing, and not counted.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self._parameter = parameters[-1] if parameters else None
        self._updated = self._kept = False
        self._looks = self._uncleared = 0

    @property
    def uncleared(self) -> float | None:
        """The share of the updates that began with the gradient of the one before; None before there were any."""
        return self._uncleared / self._looks if self._looks else None

    def updated(self) -> None:
        """The optimisers step."""
        self._updated = True

    def hooks(self) -> list[RemovableHandle]:
        """The hooks, put in place as long as they are needed."""
        if self._parameter is None or self._looks >= CLEARED:
            return []
        added = self._parameter.register_post_accumulate_grad_hook(self._added)
        return [self._parameter.register_hook(self._reached), added]

    def _reached(self, _gradient: Tensor) -> None:
        if self._updated and self._parameter is not None and self._looks < CLEARED:
            kept = self._parameter.grad
            self._kept = kept is not None and bool(kept.any())

    def _added(self, _parameter: Tensor) -> None:
        if self._updated and self._looks < CLEARED:
            self._looks, self._uncleared = self._looks + 1, self._uncleared + int(self._kept)
        self._updated = False
