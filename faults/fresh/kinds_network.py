"""Kinds of faults in the rate, its schedule, the initial weights and the activations, in the fresh part's cells."""

from __future__ import annotations

from held.kind import Kind
from recipes import HIGH, LOW, SMALL

RATES: dict[str, Kind] = {
    "rate-high": Kind(
        HIGH,
        {"times": 300.0},
        {"times": 40.0},
        "mobile-gratings+ next-gratings- plain-blobs- old-glyphs+ bottleneck-pairs- alex-animals+ group-scenes+ dense-glyphs-",
    ),
    "momentum-high": Kind(
        HIGH,
        {"momentum": 0.999},
        {"momentum": 0.99, "times": 2.0},
        "mobile-gratings+ plain-blobs- bottleneck-pairs+ old-canvas-",
    ),
    "rate-low": Kind(
        LOW,
        {"times": 1e-4},
        {"times": 3e-3},
        "dense-glyphs+ inception-animals- next-scenes+ alex-gratings- old-canvas+ perceptron-many-",
    ),
    "schedule-per-batch": Kind(
        ("schedule-too-fast", *LOW),
        {"schedule": "per-batch", "per": "batch"},
        {"schedule": "tenth-each-time", "per": "batch"},
        "mobile-animals+ inception-many- plain-blobs+ bottleneck-blobs-",
    ),
    "schedule-drop": Kind(
        ("schedule-too-fast", *LOW),
        {"schedule": "gone-at-once"},
        {"schedule": "cosine-in-epochs"},
        "next-gratings+ alex-animals- group-scenes+ perceptron-pairs-",
    ),
    "schedule-never": Kind(
        ("schedule-never-moved", *LOW),
        {"schedule": "begins-at-floor"},
        {"schedule": "warm-up-unstepped"},
        "mobile-gratings+ next-scenes- old-glyphs+",
    ),
    "warm-up-endless": Kind(
        ("schedule-never-moved", "stopped-too-early", *LOW),
        {"schedule": "warm-up-by-samples"},
        {"schedule": "warm-up-by-samples", "times": 2.0},
        "bottleneck-pairs+ alex-gratings- plain-canvas+",
    ),
    "schedule-rising": Kind(
        HIGH,
        {"schedule": "rising", "per": "batch"},
        {"schedule": "rising-slowly", "per": "batch"},
        "mobile-gratings+ plain-blobs- old-canvas+ inception-animals-",
    ),
    "epsilon-high": Kind(
        ("updates-too-small", *LOW),
        {"epsilon": 100.0},
        {"epsilon": 1.0},
        "dense-glyphs+ inception-animals- plain-canvas+",
    ),
    "epsilon-low": Kind(
        (*HIGH, "too-noisy"), {"epsilon": 1e-30, "times": 4.0}, {"epsilon": 1e-20}, "inception-many+ alex-animals-"
    ),
}
"""In the rate and its schedule."""

NETWORKS: dict[str, Kind] = {
    "init-constant": Kind(
        ("symmetric-initialisation",),
        {"init": "constant:0.03"},
        {"init": "constant:0.2"},
        "plain-canvas+ old-glyphs- alex-animals+ inception-many- next-gratings+",
    ),
    "init-one-sided": Kind(
        ("initialisation-too-large", "exploding-gradients", "saturated-units"),
        {"init": "one-sided:1"},
        {"init": "one-sided:0.4"},
        "alex-gratings+ old-canvas- plain-blobs+",
    ),
    "init-small": Kind(
        SMALL, {"init": "normal:0.001"}, {"init": "scaled:0.1"}, "plain-blobs+ alex-animals- old-canvas+ alex-gratings-"
    ),
    "init-large": Kind(
        ("initialisation-too-large", "exploding-gradients", "saturated-units"),
        {"init": "normal:1"},
        {"init": "scaled:6"},
        "alex-gratings+ old-glyphs- plain-canvas+ alex-animals-",
    ),
    "head-large": Kind(
        ("initialisation-too-large", "initial-loss-wrong", "exploding-gradients"),
        {"init": "head:30"},
        {"init": "head:4"},
        "mobile-gratings+ dense-glyphs- next-scenes+ inception-many- perceptron-pairs+",
    ),
    "activation-sigmoid": Kind(
        ("vanishing-gradients", "saturated-units"),
        {"activation": "sigmoid", "norm": "none", "init": "default", "depth": 2},
        {"activation": "hard-sigmoid", "norm": "none", "init": "default"},
        "plain-blobs+ alex-gratings- bottleneck-blobs+ plain-canvas- perceptron-many+",
        also={"perceptron-many": {"depth": 7}},
    ),
    "activation-softmax": Kind(
        ("vanishing-gradients", "saturated-units", "initialisation-too-small", "underfitting"),
        {"activation": "softmax"},
        {"activation": "softmax", "times": 2.0},
        "plain-canvas+ old-glyphs+ alex-animals-",
    ),
    "dead": Kind(
        ("dead-units",),
        {"init": "bias:-8"},
        {"init": "bias:-3"},
        "alex-animals+ dense-glyphs+ bottleneck-pairs- mobile-animals+ plain-blobs+",
        also={"plain-blobs": {"activation": "relu"}},
    ),
    "saturated": Kind(
        ("saturated-units", "initialisation-too-large"),
        {"init": "scaled:40"},
        {"init": "scaled:12"},
        "old-canvas+ old-glyphs- alex-gratings+",
        also={"alex-gratings": {"activation": "tanh"}},
    ),
    "linear": Kind(
        ("no-nonlinearity", "underfitting"),
        {"activation": "none"},
        {"activation": "none", "wide": 16},
        "alex-gratings+ plain-blobs- inception-animals+ dense-glyphs+ perceptron-many-",
    ),
    "norm-missing": Kind(
        (*HIGH, *SMALL, "dead-units", "initialisation-too-large"),
        {"norm": "none", "times": 5.0, "depth": 3},
        {"norm": "none", "depth": 2},
        "mobile-gratings+ bottleneck-pairs- dense-glyphs+ inception-many-",
    ),
    "too-deep": Kind(
        SMALL,
        {"depth": 9, "init": "default"},
        {"depth": 5, "init": "default"},
        "plain-canvas- alex-gratings+ alex-animals-",
    ),
}
"""In the initial weights and the activations."""
