"""Logs made by hand: a healthy training with every quantity that the rules look at, and what can be changed in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from babysit.record.known import Known, Layer
from babysit.record.log import Kind, Row, RunLog

CLASSES = 10
LEVEL = math.log(CLASSES)
Value = float | Callable[[float], float]
Changes = Mapping[str, Value | None]

LAYERS = ("conv1", "conv2", "conv3", "full", "last")
KNOWN = Known(
    learning_rate=0.1,
    batch_size=50,
    classes=CLASSES,
    class_names=tuple("abcdefghij"),
    class_counts=(100,) * CLASSES,
    planned_steps=300,
    schedule_kind="cosine",
    optimizer_kind="momentum",
    loss_kind="softmax",
    l2=5e-4,
    decay=0.0,
    l1=0.0,
    dropout=0.0,
    augmented=True,
    normalised=True,
    activations=("ReLU",),
    training_images=1000,
    validation_images=500,
    settings={},
    layers=tuple(Layer(name, "Conv2d" if name.startswith("conv") else "Linear") for name in LAYERS),
)


def healthy_values() -> dict[str, dict[str, Value]]:
    """By kind of row: name to number, or to a function of the share of the training that has passed."""
    layers: dict[str, Value] = {}
    for depth, name in enumerate(LAYERS):
        layers |= {
            f"weight_norm@{name}": 5.0,
            f"weight_gradient_norm@{name}": 0.5,
            f"update_ratio@{name}": lambda t: 3e-3 * (1 - 0.9 * t),
            f"unit_likeness@{name}": 0.15,
            f"activation_deviation@{name}": 1.0 - 0.1 * depth,
            f"activation_mean@{name}": 0.3,
            f"dead_share@{name}": 0.1,
            f"saturated_share@{name}": 0.05,
        }
    shares: dict[str, Value] = {f"predicted_share@{name}": 0.1 for name in "abcdefghij"}
    shares |= {f"recall@{name}": lambda t: 1 - 0.85 * math.exp(-3 * t) for name in "abcdefghij"}
    return {
        "start": {
            **{"initial_loss": 2.35, "score_mean": 0.0, "score_deviation": 0.3, "scores_sum_to_one": 0.0},
            **{"scores_log_sum_to_one": 0.0, "input_mean": 0.0, "input_deviation": 1.0, "input_least": -2.0},
            **{"input_most": 2.2, "label_least": 0.0, "label_most": 9.0, "classes_seen": 10.0},
        },
        "step": {
            "loss": lambda t: 2.2 * math.exp(-4 * t) + 0.1,
            "accuracy": lambda t: 1 - 0.88 * math.exp(-4 * t),
            "learning_rate": lambda t: 0.05 * (1 + math.cos(math.pi * t)) + 1e-3,
            "gradient_norm": lambda t: 1.5 - t,
            "penalty_gradient_norm": 0.02,
            "step_seconds": 0.03,
            "wait_seconds": 0.002,
        },
        "layers": layers,
        "epoch": {
            **{
                "train_loss": lambda t: 2.2 * math.exp(-4 * t) + 0.15,
                "train_accuracy": lambda t: 1 - 0.9 * math.exp(-4 * t),
            },
            **{
                "validation_loss": lambda t: 2.2 * math.exp(-3.5 * t) + 0.2,
                "validation_accuracy": lambda t: 0.95 - 0.85 * math.exp(-5 * t),
            },
            **{
                "slice_loss": lambda t: 2.2 * math.exp(-4 * t) + 0.12,
                "slice_accuracy": lambda t: 0.97 - 0.87 * math.exp(-5 * t),
            },
            **{
                "slice_train_mode_loss": lambda t: 2.2 * math.exp(-4 * t) + 0.12,
                "slice_train_mode_accuracy": lambda t: 0.97 - 0.87 * math.exp(-5 * t),
            },
            **{
                "augmented_accuracy": lambda t: 0.92 - 0.83 * math.exp(-5 * t),
                "gradient_noise": 200.0,
                "hard_share": lambda t: 0.3 * math.exp(-5 * t),
            },
            **{
                "loss_p50": lambda t: 2.0 * math.exp(-5 * t),
                "loss_p95": lambda t: 2.6 - 1.2 * t,
                "label_run_likeness": 0.0,
            },
            **{"filter_roughness": 0.6, "noisy_filters": 0.3, "resident_memory": 5e8, "calibration_error": 0.05},
            **shares,
        },
    }


def made(changes: Mapping[str, Changes] = {}, *, steps: int = 300, epochs: int = 10, noise: float = 0.04) -> RunLog:
    """A log of the healthy values with some changed (None: not measured); `noise` relative, from a fixed seed."""
    values = healthy_values()
    for kind, some in changes.items():
        for name, value in some.items():
            if value is None:
                values[kind].pop(name, None)
            else:
                values[kind][name] = value
    generator = np.random.default_rng(3)
    rows = [_row("start", 0, 0, values["start"], 0.0, None)]
    length = max(1, steps // epochs)
    for step in range(1, steps + 1):
        epoch, share = (step - 1) // length, step / max(steps, 1)
        rows.append(_row("step", step, epoch, values["step"], share, generator if noise else None, noise))
        if step == 1 or step % 10 == 0:
            rows.append(_row("layers", step, epoch, values["layers"], share, None))
        if step % length == 0:
            rows.append(_row("epoch", step, epoch, values["epoch"], share, None))
    return RunLog(tuple(rows))


def _row(kind: Kind, step: int, epoch: int, values: Changes, share: float, generator, noise: float = 0.0) -> Row:
    found = {}
    for name, value in values.items():
        number = value(share) if callable(value) else value
        assert number is not None
        wobble = (
            1 + noise * generator.standard_normal()
            if generator is not None and name in ("loss", "gradient_norm")
            else 1.0
        )
        found[name] = float(number * wobble)
    return Row(kind, step, epoch, found)


def everywhere(quantity: str, value: Value | None) -> dict[str, Value | None]:
    """The same in every layer."""
    return {f"{quantity}@{name}": value for name in LAYERS}


STUCK: dict[str, Changes] = {
    "step": {"loss": LEVEL, "accuracy": 0.1},
    "epoch": {
        **{"train_loss": LEVEL, "train_accuracy": 0.1, "validation_loss": LEVEL, "validation_accuracy": 0.1},
        **{
            "slice_loss": LEVEL,
            "slice_accuracy": 0.1,
            "slice_train_mode_loss": LEVEL,
            "slice_train_mode_accuracy": 0.1,
        },
        **{"augmented_accuracy": 0.1, "hard_share": 0.5, "loss_p50": LEVEL, "loss_p95": LEVEL},
    },
}


def with_stuck(more: Mapping[str, Changes] = {}) -> RunLog:
    """A training that learned nothing, and what else is to be seen of it."""
    return made(
        {kind: {**STUCK.get(kind, {}), **more.get(kind, {})} for kind in ("start", "step", "layers", "epoch")},
        noise=0.004,
    )


def between(low: float, high: float, strength: float) -> float:
    """From low at strength 0 to high at strength 1, in equal ratios."""
    return low * (high / low) ** strength
