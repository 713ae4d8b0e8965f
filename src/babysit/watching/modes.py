"""In which mode a loop runs its network, and on what without gradients: the images it is validated on, though it does not say so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from babysit.record.known import Known

MOST_PIECES, PIECE, MOST_NUMBERS = 8, 32, 8_000_000
"""Parts of batches that are kept until the validation is told of, images in each, and numbers in all of them."""


@dataclass
class Modes:
    """Counts updates in evaluation mode, and validations in training mode; keeps some images of the latest passes without gradients.

    `in_evaluation` whether the latest training pass was in evaluation mode.
    """

    in_evaluation: bool = False
    _updates: int = 0
    _evaluating: int = 0
    _validations: int = 0
    _wrong: float = 0.0
    _passes: int = 0
    _training: int = 0
    _stride: int = 1
    _pieces: list[Tensor] = field(default_factory=list)

    def updated(self) -> None:
        """Counts an update."""
        self._updates, self._evaluating = self._updates + 1, self._evaluating + self.in_evaluation

    def evaluated(self, given: object, *, training: bool) -> None:
        """Takes in a pass without gradients; of many it keeps pieces that lie evenly among them."""
        self._passes, self._training = self._passes + 1, self._training + training
        images = given[0] if isinstance(given, tuple) and given else None
        if self._passes % self._stride or not isinstance(images, Tensor) or not images.is_floating_point():
            return
        if images.ndim < 2 or not images.numel():
            return
        most = max(1, MOST_NUMBERS // MOST_PIECES // images[0].numel())
        self._pieces.append(images[: min(PIECE, most)].detach().clone())
        if len(self._pieces) > MOST_PIECES:
            self._pieces, self._stride = self._pieces[1::2], 2 * self._stride

    def validated(self, inputs: object) -> Tensor | None:
        """The images of a validation that is told of now, as given or as seen; None where they are neither, or of several shapes."""
        if self._passes:
            self._validations, self._wrong = self._validations + 1, self._wrong + self._training / self._passes
        pieces = self._pieces
        self.forget()
        if isinstance(inputs, Tensor) and inputs.numel():
            return inputs.detach()
        return torch.cat(pieces) if pieces and len({one.shape[1:] for one in pieces}) == 1 else None

    def forget(self) -> None:
        """What was run without gradients so far was no validation, or has been told of."""
        self._passes, self._training, self._stride, self._pieces = 0, 0, 1, []

    def looked(self) -> None:
        """After the probes have run the network themselves, in evaluation mode: that says nothing of the loop."""
        self.in_evaluation = False
        self.forget()

    def into(self, known: Known) -> Known:
        """The shares, as far as anything was seen."""
        return replace(
            known,
            evaluating=self._evaluating / self._updates if self._updates else None,
            validated_training=self._wrong / self._validations if self._validations else None,
        )
