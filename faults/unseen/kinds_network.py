"""Kinds of faults in the rate, its schedule, the initial weights and the activations, in the unseen part's cells."""

from __future__ import annotations

from held.kind import Kind
from recipes import HIGH, LOW, SMALL

LARGE = ("initialisation-too-large", "exploding-gradients", "saturated-units")

RATES: dict[str, Kind] = {
    "rate-high": Kind(HIGH, {"times": 500.0}, {"times": 60.0}, "squeeze-outdoors+ strided-strokes-"),
    "rate-high-adam": Kind(HIGH, {"times": 300.0}, {"times": 40.0}, "dilated-blocks+ mixer-tinted-"),
    "rate-head-high": Kind(HIGH, {"head_times": 3000.0}, {"head_times": 300.0}, "gated-stars+"),
    "momentum-high": Kind(HIGH, {"momentum": 0.9995}, {"momentum": 0.995}, "shuffle-stars+ strided-strokes-"),
    "rate-low": Kind(LOW, {"times": 1e-4}, {"times": 2e-3}, "attend-clouds+ tower-stars-"),
    "rate-body-low": Kind(
        ("layer-not-trained", *LOW),
        {"times": 1e-5, "head_times": 1e5},
        {"times": 1e-4, "head_times": 1e4},
        "dilated-blocks+",
    ),
    "schedule-per-batch": Kind(
        ("schedule-too-fast", *LOW),
        {"schedule": "hundredth-each-time", "per": "batch"},
        {"schedule": "per-batch", "per": "batch"},
        "mixer-quadrants+ fire-waves-",
    ),
    "schedule-drop": Kind(
        ("schedule-too-fast", *LOW),
        {"schedule": "over-by-tenth", "per": "batch"},
        {"schedule": "milestones-early", "per": "batch"},
        "shuffle-waves+",
    ),
    "schedule-never": Kind(
        ("schedule-never-moved", *LOW),
        {"schedule": "begins-at-floor"},
        {"schedule": "one-cycle-unstepped"},
        "tower-outdoors+ attend-clouds+",
    ),
    "warm-up-endless": Kind(
        ("schedule-never-moved", "stopped-too-early", *LOW),
        {"schedule": "still-warming", "per": "batch"},
        {"schedule": "warm-up-endless", "per": "batch"},
        "squeeze-flags+",
    ),
    "schedule-rising": Kind(
        HIGH,
        {"schedule": "twice-each-time", "per": "batch"},
        {"schedule": "rising", "per": "batch"},
        "dilated-strokes+ shuffle-stars+",
    ),
    "schedule-wild": Kind(
        HIGH,
        {"schedule": "wild", "per": "batch"},
        {"schedule": "wild", "per": "batch", "times": 0.5},
        "fire-waves+",
    ),
    "epsilon-high": Kind(
        ("updates-too-small", *LOW), {"epsilon": 300.0}, {"epsilon": 3.0}, "smooth-clouds+ fire-flags-"
    ),
}
"""In the rate and its schedule."""

NETWORKS: dict[str, Kind] = {
    "init-constant": Kind(
        ("symmetric-initialisation",),
        {"init": "constant:0.05"},
        {"init": "constant:0.01"},
        "strided-strokes+ tower-stars+",
    ),
    "init-small": Kind(SMALL, {"init": "normal:0.0005"}, {"init": "scaled:0.05"}, "strided-clouds+ dilated-blocks-"),
    "init-large": Kind(LARGE, {"init": "normal:1.5"}, {"init": "scaled:8"}, "dilated-strokes+ fire-flags-"),
    "init-one-sided": Kind(
        ("initialisation-too-large", "exploding-gradients"),
        {"init": "one-sided:0.6"},
        {"init": "one-sided:0.2"},
        "fire-waves+",
    ),
    "head-large": Kind(
        ("initialisation-too-large", "initial-loss-wrong", "exploding-gradients"),
        {"init": "head:60"},
        {"init": "head:10"},
        "shuffle-waves+",
    ),
    "activation-sigmoid": Kind(
        ("vanishing-gradients", "saturated-units"),
        {"activation": "sigmoid", "norm": "none", "init": "default", "depth": 3},
        {"activation": "hard-sigmoid", "norm": "none", "init": "default", "depth": 2},
        "strided-strokes+ smooth-clouds+",
    ),
    "activation-softmax": Kind(
        ("vanishing-gradients", "saturated-units", "initialisation-too-small", "underfitting"),
        {"activation": "softmax"},
        {"activation": "softmax", "times": 2.0},
        "dilated-blocks+ fire-flags+",
    ),
    "dead": Kind(("dead-units",), {"init": "bias:-10"}, {"init": "bias:-4"}, "fire-waves+ squeeze-flags+"),
    "saturated": Kind(
        ("saturated-units", "initialisation-too-large"),
        {"activation": "tanh", "init": "scaled:60"},
        {"activation": "tanh", "init": "scaled:15"},
        "strided-strokes+",
    ),
    "linear": Kind(
        ("no-nonlinearity", "underfitting"),
        {"activation": "none"},
        {"activation": "none", "wide": 16},
        "strided-strokes+ shuffle-waves+",
    ),
    "norm-missing": Kind(
        (*HIGH, *SMALL, "dead-units", "initialisation-too-large"),
        {"norm": "none", "times": 8.0, "depth": 3},
        {"norm": "none", "depth": 4},
        "tower-stars+",
    ),
    "too-deep": Kind(SMALL, {"depth": 9, "init": "default"}, {"depth": 6, "init": "default"}, "strided-clouds+"),
}
"""In the initial weights and the activations."""
