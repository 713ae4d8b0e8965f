"""For each rule a sick log, made by hand; and healthy ones.

A sick log takes a strength: 1 is clear, less is nearer to the threshold, so that a test can weaken the evidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from made_logs import KNOWN, LAYERS, LEVEL, Changes, between, everywhere, healthy_values, made, with_stuck

from babysit.record.known import Known
from babysit.record.log import RunLog

Sick = Callable[[float], tuple[RunLog, Known]]


def _rate_high(s: float) -> tuple[RunLog, Known]:
    jump = 1 + 3 * s
    loss = lambda t: LEVEL * (jump if t < 0.1 else 1.0)  # noqa: E731
    return with_stuck({"step": {"loss": loss}, "layers": everywhere("update_ratio", 0.01)}), KNOWN


def _rate_low(s: float) -> tuple[RunLog, Known]:
    falling = {
        "step": {"loss": lambda t: LEVEL - 0.01 * t},
        "layers": everywhere("update_ratio", between(4e-4, 1e-7, s)),
    }
    return with_stuck(falling), KNOWN


def _noisy_labels(s: float) -> tuple[RunLog, Known]:
    learned = {
        "hard_share": 0.15 + 0.25 * s,
        "loss_p50": 0.2,
        "loss_p95": 3.6,
        "validation_accuracy": 0.7,
        "slice_accuracy": 0.66,
    }
    return made({"epoch": learned, "step": {"loss": lambda t: 1.1 + 0.9 * math.exp(-5 * t), "accuracy": 0.6}}), KNOWN


def _overfit(s: float) -> dict[str, Changes]:
    return {
        "epoch": {
            "slice_accuracy": 1.0,
            "validation_accuracy": 0.75 - 0.25 * s,
            "validation_loss": lambda t: 1.2 - t if t < 0.3 else 0.5 + (1 + 2 * s) * t,
        }
    }


SICK: dict[str, Sick] = {
    "not-a-number": lambda s: (
        made({"step": {"loss": lambda t: 2.3 + 50 * t if t < 0.2 or (s < 1 and t > 0.7) else math.nan}}),
        KNOWN,
    ),
    "diverging": lambda s: (made({"step": {"loss": lambda t: 2.3 + 30 * s * min(1.0, 4 * t)}}), KNOWN),
    "wrong-sign": lambda s: (
        made(
            {
                "start": {"initial_loss": -LEVEL * s},
                "step": {"loss": lambda t: -2.3 * s - 90 * t, "accuracy": 0.1 - 0.08 * s},
            }
        ),
        KNOWN,
    ),
    "softmax-missing": lambda s: (
        made(
            {
                "start": {"initial_loss": 0.05, "scores_log_sum_to_one": 0.45 * (1 - s)},
                "step": {"loss": lambda t: -80 * t},
            }
        ),
        KNOWN,
    ),
    "softmax-doubled": lambda s: (
        made(
            {
                "start": {"scores_sum_to_one": 0.9 + 0.1 * s, "initial_loss": 2.302},
                "step": {"loss": lambda t: 1.5 + 0.8 * math.exp(-4 * t)},
            }
        ),
        KNOWN,
    ),
    "sum-instead-of-mean": lambda s: (made({"start": {"initial_loss": 50 * LEVEL * (0.77 + 0.23 * s)}}), KNOWN),
    "inputs-not-normalised": lambda s: (
        with_stuck(
            {
                "start": {
                    "input_mean": 12 * (10**s),
                    "input_deviation": 6 * (10**s),
                    "input_least": 0.0,
                    "input_most": 255.0,
                }
            }
        ),
        KNOWN,
    ),
    "normalised-twice": lambda s: (
        with_stuck(
            {
                "start": {
                    "input_mean": 0.002,
                    "input_deviation": between(0.05, 0.001, s),
                    "input_least": 0.0,
                    "input_most": 0.004,
                }
            }
        ),
        KNOWN,
    ),
    "parts-differ": lambda s: (
        made({"epoch": {"validation_accuracy": 0.38 - 0.28 * s, "validation_loss": 6.0}}),
        KNOWN,
    ),
    "normalisation-statistics": lambda s: (
        made(
            {
                "epoch": {
                    "slice_train_mode_accuracy": 0.9,
                    "slice_accuracy": 0.7 - 0.6 * s,
                    "validation_accuracy": 0.7 - 0.6 * s,
                }
            }
        ),
        KNOWN,
    ),
    "augmentation-too-strong": lambda s: (
        made({"epoch": {"slice_accuracy": 0.8, "augmented_accuracy": 0.45 - 0.35 * s}}),
        KNOWN,
    ),
    "not-shuffled": lambda s: (made({"epoch": {"label_run_likeness": 0.32 + 0.65 * s}}), KNOWN),
    "symmetric-initialisation": lambda s: (
        with_stuck({"layers": everywhere("unit_likeness", 1 - 0.009 * (1 - s))}),
        KNOWN,
    ),
    "initialisation-too-small": lambda s: (
        with_stuck(
            {
                "layers": {
                    f"activation_deviation@{name}": (0.25 - 0.2 * s) ** (depth + 1) for depth, name in enumerate(LAYERS)
                },
                "step": {"loss": LEVEL},
            }
        ),
        KNOWN,
    ),
    "initialisation-too-large": lambda s: (
        made({"start": {"initial_loss": 6 + 40 * s, "score_deviation": 5 + 40 * s}}),
        KNOWN,
    ),
    "initial-loss-wrong": lambda s: (made({"start": {"initial_loss": 3.9 + 4 * s, "score_deviation": 0.3}}), KNOWN),
    "learning-rate-too-high": _rate_high,
    "learning-rate-too-low": _rate_low,
    "updates-too-large": lambda s: (with_stuck({"layers": everywhere("update_ratio", between(0.04, 1.0, s))}), KNOWN),
    "updates-too-small": lambda s: (with_stuck({"layers": everywhere("update_ratio", between(6e-5, 1e-8, s))}), KNOWN),
    "schedule-never-moved": lambda s: (
        made({"step": {"learning_rate": lambda t: 0.1 * (1 + 9e-4 * (1 - s) * t)}}),
        KNOWN,
    ),
    "schedule-too-fast": lambda s: (
        with_stuck({"step": {"learning_rate": lambda t: 0.1 if t < 0.6 - 0.5 * s else 1e-6, "loss": 2.0}}),
        KNOWN,
    ),
    "plateau": lambda s: (
        made(
            {"step": {"loss": lambda t: 1.0 + 1.3 * math.exp(-12 * t) - 0.08 * (1 - s) * t, "learning_rate": 0.1}},
            noise=0.12,
        ),
        KNOWN,
    ),
    "too-noisy": lambda s: (
        made({"step": {"loss": 1.9}}, noise=0.4),
        replace(KNOWN, batch_size=round(between(8, 2, s))),
    ),
    "layer-not-trained": lambda s: (
        made({"layers": {"update_ratio@conv1": 0.0, "update_ratio@conv2": 0.0}}, steps=round(40 + 260 * s), epochs=2),
        KNOWN,
    ),
    "gradients-not-cleared": lambda s: (
        with_stuck({"step": {"gradient_norm": lambda t: 0.5 * (300 * t) ** (0.7 + 0.3 * s), "loss": LEVEL}}),
        KNOWN,
    ),
    "vanishing-gradients": lambda s: (
        with_stuck(
            {
                "layers": {
                    f"weight_gradient_norm@{name}": between(0.2, 0.01, s) ** (4 - depth)
                    for depth, name in enumerate(LAYERS)
                }
            }
        ),
        KNOWN,
    ),
    "exploding-gradients": lambda s: (with_stuck({"step": {"gradient_norm": 60 + 4000 * s}}), KNOWN),
    "dead-units": lambda s: (with_stuck({"layers": {"dead_share@conv2": 0.65 + 0.35 * s}}), KNOWN),
    "saturated-units": lambda s: (with_stuck({"layers": {"saturated_share@conv2": 0.55 + 0.45 * s}}), KNOWN),
    "constant-output": lambda s: (
        with_stuck(
            {"epoch": {f"predicted_share@{name}": (0.96 + 0.04 * s if name == "c" else 0.0) for name in "abcdefghij"}}
        ),
        KNOWN,
    ),
    "no-nonlinearity": lambda s: (
        made(
            {
                "step": {"accuracy": 0.87 - 0.5 * s},
                "layers": {**everywhere("dead_share", None), **everywhere("saturated_share", None)},
            }
        ),
        replace(KNOWN, activations=()),
    ),
    "noisy-filters": lambda s: (made({"epoch": {"noisy_filters": 0.6 + 0.4 * s, "validation_accuracy": 0.7}}), KNOWN),
    "clean-filters": lambda s: (made({"epoch": {"noisy_filters": 0.08 * (1 - s)}}), KNOWN),
    "regularisation-too-strong": lambda s: (
        with_stuck(
            {
                "step": {"penalty_gradient_norm": 1 + 20 * s},
                "layers": everywhere("weight_norm", lambda t: 5 * 10 ** (-(0.2 + s) * t)),
            }
        ),
        replace(KNOWN, l2=0.5),
    ),
    "dropout-too-strong": lambda s: (
        with_stuck({"epoch": {"validation_accuracy": 0.25}}),
        replace(KNOWN, dropout=0.7 + 0.28 * s),
    ),
    "regularisation-missing": lambda s: (made(_overfit(s)), replace(KNOWN, l2=0.0, augmented=False)),
    "overfitting": lambda s: (made(_overfit(s)), KNOWN),
    "underfitting": lambda s: (
        made(
            {
                "step": {"loss": 1.5, "accuracy": 0.4},
                "epoch": {"slice_accuracy": 0.7 - 0.3 * s, "validation_accuracy": 0.7 - 0.3 * s},
            }
        ),
        KNOWN,
    ),
    "stopped-too-early": lambda s: (
        made(
            {
                "step": {"loss": lambda t: 2.2 - 1.2 * t},
                "epoch": {
                    "validation_loss": lambda t: 2.2 - t,
                    "validation_accuracy": lambda t: 0.1 + (0.35 + 0.2 * s) * t,
                },
            },
            noise=0.02,
        ),
        KNOWN,
    ),
    "validation-better": lambda s: (
        made({"epoch": {"validation_accuracy": 0.95, "slice_accuracy": 0.86 - 0.2 * s}}),
        KNOWN,
    ),
    "labels-unrelated": lambda s: (
        with_stuck(
            {
                "step": {"accuracy": 0.2},  # a part is learned by heart
                "layers": everywhere("update_ratio", between(6e-4, 5e-3, s)),
                "epoch": {"validation_accuracy": 0.13 - 0.04 * s, "validation_loss": LEVEL * 1.03},
            }
        ),
        KNOWN,
    ),
    "labels-noisy": _noisy_labels,
    "imbalanced": lambda s: (
        made({"epoch": {f"recall@{name}": (0.6 - 0.5 * s if name in "hij" else 0.95) for name in "abcdefghij"}}),
        replace(KNOWN, class_counts=(200,) * 7 + (10,) * 3),
    ),
    "class-never-predicted": lambda s: (
        made({"epoch": {"predicted_share@d": 0.0, "recall@d": 0.0}}),
        replace(KNOWN, validation_images=round(100 + 400 * s)),
    ),
    "pair-confused": lambda s: (made({"epoch": {"confused@a>b": 0.45 + 0.5 * s}}), KNOWN),
    "loader-starving": lambda s: (made({"step": {"wait_seconds": 0.017 + 0.012 * s}}), KNOWN),
    "memory-growing": lambda s: (made({"epoch": {"resident_memory": lambda t: 5e8 + (6e7 + 5e8 * s) * t}}), KNOWN),
    "stuck-at-chance": lambda s: (with_stuck({"step": {"accuracy": 0.14 - 0.04 * s}}), KNOWN),
}
"""Rule -> a sick log of a strength."""


def healthy_logs() -> dict[str, RunLog]:
    """Trainings with which nothing is wrong, of many shapes, and logs too short to say anything of."""
    slow: Changes = {
        "loss": lambda t: 2.31 if t < 0.4 else 2.31 - 2.0 * (t - 0.4) / 0.6,
        "accuracy": lambda t: 0.1 if t < 0.4 else 0.1 + 1.4 * (t - 0.4),
    }
    spiky: Changes = {"loss": lambda t: 4.0 if t < 0.02 else 2.2 * math.exp(-4 * t) + 0.1}
    few = {kind: dict.fromkeys(values) for kind, values in healthy_values().items()}
    alone = {**few, "step": {name: None for name in few["step"] if name not in ("loss", "learning_rate")}}
    return {
        "plain": made(),
        "without noise": made(noise=0.0),
        "noisy": made(noise=0.25),
        "long plateau": made({"step": slow}),
        "a spike at first": made({"step": spiky}),
        "constant rate": made({"step": {"learning_rate": 0.01}}),
        "warm-up": made({"step": {"learning_rate": lambda t: 0.1 * min(1.0, 3 * t)}}),
        "loss alone": made(alone),
        "long": made(steps=3000, epochs=20),
        "empty": RunLog(),
        "one step": made(steps=1, epochs=1),
        "ten steps": made(steps=10, epochs=1),
        **{
            f"sick, but short: {name}": RunLog(sick(1.0)[0].rows[:12])
            for name, sick in SICK.items()
            if name != "not-a-number"
        },
    }
