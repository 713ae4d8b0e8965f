"""What can be observed, and in which unit."""

from __future__ import annotations

from dataclasses import dataclass

QUANTITIES: dict[str, str] = {
    # every step
    "loss": "nat",
    "penalty": "nat",
    "accuracy": "share",
    "learning_rate": "1",
    "step_seconds": "s",
    # every epoch
    "train_loss": "nat",
    "train_accuracy": "share",
    "validation_loss": "nat",
    "validation_accuracy": "share",
    "validation_macro_f1": "share",
    "images_per_second": "image/s",
    "peak_memory": "byte",
    # a budget's correction
    "total_steps": "step",
    "elapsed": "s",
    # an end before the plan's
    "best_step": "step",
    "epochs_without_better": "epoch",
    # before training
    "expected_loss": "nat",
    "input_deviation": "1",
    "activation_deviation": "1",
    "score_deviation": "1",
    "relative_difference": "1",
    "parameters": "1",
    "label": "1",
    "memory": "byte",
}
"""Quantity -> unit. Loss is in nats: natural logarithms; `loss` is its data part, `penalty` its regularisation part.
The hinge losses have no unit of their own and are written under the same names. A share runs from 0 to 1."""

VOLATILE_UNITS = frozenset({"s", "byte", "image/s"})
"""Units that differ between two runs which are otherwise identical."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One fact: which quantity, its value in the unit of QUANTITIES, and when it was seen."""

    quantity: str
    value: float
    step: int
    epoch: int

    @property
    def unit(self) -> str:
        """The quantity's unit."""
        return QUANTITIES[self.quantity]
