"""What can be observed, and in which unit."""

from __future__ import annotations

from dataclasses import dataclass

QUANTITIES: dict[str, str] = {
    # every step; batches where an update has more than one; the last one every few steps
    "loss": "nat",
    "penalty": "nat",
    "accuracy": "share",
    "learning_rate": "1",
    "step_seconds": "s",
    "wait_seconds": "s",
    "batches": "batch",
    "gradient_norm": "1",
    "penalty_gradient_norm": "1",
    # once, before the first update
    "initial_loss": "nat",
    "score_mean": "1",
    "score_deviation": "1",
    "scores_sum_to_one": "share",
    "scores_log_sum_to_one": "share",
    "input_mean": "1",
    "input_deviation": "1",
    "input_least": "1",
    "input_most": "1",
    "input_roughness": "1",
    "input_flatness": "share",
    "input_spread": "1",
    "input_alike": "1",
    "input_alike_within": "1",
    "score_least": "1",
    "score_most": "1",
    "units": "unit",
    "label_least": "1",
    "label_most": "1",
    "classes_seen": "1",
    # every few steps, of each layer that has weights
    "weight_norm": "1",
    "weight_gradient_norm": "1",
    "update_ratio": "1",
    "descent": "1",
    "softmax_descent": "1",
    "weight_deviation": "1",
    "unit_likeness": "1",
    "gradient_not_finite": "share",
    # every few steps, of each activation or layer output
    "activation_mean": "1",
    "activation_deviation": "1",
    "activation_not_finite": "share",
    "dead_share": "share",
    "saturated_share": "share",
    "channel_likeness": "1",
    # every epoch
    "train_loss": "nat",
    "train_accuracy": "share",
    "validation_loss": "nat",
    "validation_accuracy": "share",
    "validation_macro_f1": "share",
    "recall": "share",
    "predicted_share": "share",
    "confused": "share",
    "calibration_error": "share",
    "confidence_p50": "share",
    "confidence_p95": "share",
    "slice_loss": "nat",
    "slice_accuracy": "share",
    "slice_wavering": "1",
    "slice_train_mode_loss": "nat",
    "slice_train_mode_accuracy": "share",
    "augmented_accuracy": "share",
    "bending": "1",
    "gradient_noise": "image",
    "hard_share": "share",
    "loss_p50": "nat",
    "loss_p95": "nat",
    "label_run_likeness": "1",
    "label_period": "image",
    "filter_roughness": "1",
    "noisy_filters": "share",
    "loss_of_batch": "nat",
    "loss_by_form": "nat",
    "images_per_second": "image/s",
    "peak_memory": "byte",
    "resident_memory": "byte",
    # a budget's correction
    "total_steps": "step",
    "elapsed": "s",
    # an end before the plan's
    "best_step": "step",
    "epochs_without_better": "epoch",
    # a remedy and what became of it
    "remedy": "1",
    "diagnosed_step": "step",
    "only_before": "image",
    "only_after": "image",
    "chance_of_that": "share",
    "remedy_kept": "1",
    # before training
    "expected_loss": "nat",
    "relative_difference": "1",
    "parameters": "1",
    "label": "1",
    "memory": "byte",
    "drop_probability": "share",
    "batch_images": "image",
    "channels": "1",
    "relative_roughness": "1",
    "repeated_share": "share",
    "other_loss": "nat",
    "loss_alone": "nat",
    "evaluation_accuracy": "share",
    "classes_in_batch": "1",
}
"""Quantity -> unit. Loss is in nats: natural logarithms; `loss` is its data part, `penalty` its regularisation part.
The hinge losses have no unit of their own and are written under the same names. A share runs from 0 to 1.
A quantity that was not measured is absent from the log, never 0."""

VOLATILE_UNITS = frozenset({"s", "byte", "image/s"})
"""Units that differ between two runs which are otherwise identical."""


def key_of(quantity: str, where: str = "") -> str:
    """The name of a value in a row of the log.

    Arguments:
        where: a layer's dotted name, a class, or TRUE>PREDICTED; empty for the whole network.

    >>> key_of("update_ratio", "stem.conv"), key_of("loss")
    ('update_ratio@stem.conv', 'loss')
    """
    return f"{quantity}@{where}" if where else quantity


def parts_of(key: str) -> tuple[str, str]:
    """The quantity and the place of a value in a row of the log.

    >>> parts_of("recall@me@home"), parts_of("loss")
    (('recall', 'me@home'), ('loss', ''))
    """
    quantity, _, where = key.partition("@")
    return quantity, where


@dataclass(frozen=True, slots=True)
class Observation:
    """One fact: which quantity, its value in the unit of QUANTITIES, when it was seen, and where in network or data.

    >>> Observation("dead_share", 0.5, 100, 1, "features.1").key
    'dead_share@features.1'
    """

    quantity: str
    value: float
    step: int
    epoch: int
    where: str = ""

    @property
    def unit(self) -> str:
        """The quantity's unit."""
        return QUANTITIES[self.quantity]

    @property
    def key(self) -> str:
        """Its name in a row of the log."""
        return key_of(self.quantity, self.where)
