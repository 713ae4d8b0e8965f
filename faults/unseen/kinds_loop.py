"""Kinds of faults in regularisation, size, length and the loop, in the unseen part's cells; and what costs time or memory."""

from __future__ import annotations

from fresh.kinds_loop import FEW, STILL
from held.kind import Kind
from recipes import HIGH, LOW, SMALL

DECAYED = ("regularisation-too-strong", "updates-too-small", "constant-output", "vanishing-gradients")

CAPACITY: dict[str, Kind] = {
    "decay-strong": Kind(("regularisation-too-strong",), {"decay": 1.0}, {"decay": 0.2}, "strided-strokes+"),
    "decay-coupled": Kind(
        ("regularisation-too-strong",),
        {"optimizer": "adam", "decay": 1.0},
        {"optimizer": "adam", "decay": 0.2},
        "smooth-clouds+ mixer-tinted-",
    ),
    "decay-by-hand": Kind(
        ("regularisation-too-strong",), {"fault": "shrunk:0.3"}, {"fault": "shrunk:0.05"}, "maxout-strokes+"
    ),
    "l1-strong": Kind(("regularisation-too-strong",), {"l1": 0.03}, {"l1": 0.01}, "fire-flags+"),
    "dropout-strong": Kind(
        ("dropout-too-strong", "underfitting"), {"dropout": 0.98}, {"dropout": 0.95}, "tower-outdoors+ mixer-tinted-"
    ),
    "few-images": Kind(
        ("overfitting", "regularisation-missing"),
        {**FEW, "keep": 60, "epochs": 25},
        {**FEW, "keep": 100, "epochs": 40},
        "tower-stars+ maxout-strokes+",
    ),
    "too-small": Kind(("underfitting",), {"wide": 1}, {"wide": 2}, "dilated-blocks+ maxout-strokes+"),
    "stopped-early": Kind(
        ("stopped-too-early", *LOW), {"epochs": 1, "times": 0.3}, {"epochs": 2}, "mixer-tinted+ fire-flags-"
    ),
    "batch-small": Kind(
        ("too-noisy", *HIGH),
        {"batch": 1, "accumulate": 1, "keep": 400, "epochs": 2, "times": 3.0},
        {"batch": 2, "accumulate": 1, "keep": 500, "epochs": 3, "times": 3.0},
        "dilated-strokes+",
    ),
    "batch-large": Kind(
        ("stopped-too-early", *LOW),
        {"batch": 400, "times": 0.3},
        {"batch": 240, "times": 0.5},
        "mixer-tinted+",
    ),
    "statistics": Kind(
        ("normalisation-statistics",),
        {"norm_momentum": 0.0},
        {"norm_momentum": 0.0005},
        "squeeze-flags+",
    ),
    "evaluation-mode": Kind(
        ("normalisation-statistics", *HIGH, *SMALL),
        {"fault": "left-evaluating", "times": 3.0},
        {"fault": "always-evaluating", "times": 5.0},
        "tower-stars+ shuffle-waves-",
    ),
    "judged-in-training": Kind(
        ("dropout-too-strong", "normalisation-statistics", "parts-differ", "underfitting"),
        {"fault": "judged-training", "dropout": 0.8},
        {"fault": "judged-training", "dropout": 0.7},
        "mixer-tinted+ tower-stars-",
    ),
}
"""In regularisation, size, length and modes."""

LOOPS: dict[str, Kind] = {
    "never-cleared": Kind(
        ("gradients-not-cleared", *HIGH),
        {"fault": "never-cleared"},
        {"fault": "never-cleared", "times": 0.5},
        "dilated-strokes+ fire-flags+",
    ),
    "cleared-early": Kind(STILL, {"fault": "cleared-early"}, {"fault": "cleared-early"}, "squeeze-outdoors+"),
    "step-per-epoch": Kind(
        ("stopped-too-early", "updates-too-small", *LOW),
        {"fault": "step-per-epoch"},
        {"fault": "step-per-epoch", "times": 2.0},
        "maxout-strokes+ smooth-clouds+",
    ),
    "not-held": Kind(("layer-not-trained",), {"fault": "other-model"}, {"fault": "head-only"}, "dilated-blocks-"),
    "old-head": Kind(
        ("layer-not-trained",), {"fault": "old-head", "freeze": True}, {"fault": "old-head"}, "borrowed-faces+"
    ),
    "detached": Kind(
        ("layer-not-trained",), {"fault": "detached"}, {"fault": "detached", "times": 3.0}, "tower-stars+ mixer-tinted-"
    ),
    "frozen-untrained": Kind(
        ("layer-not-trained", "underfitting"),
        {"init": "fresh", "freeze": True},
        {"freeze": True},
        "borrowed-faces+ fire-flags-",
    ),
    "loss-rebuilt": Kind(STILL, {"fault": "loss-rebuilt"}, {"fault": "loss-rebuilt"}, "strided-strokes+"),
    "accumulation-sum": Kind(
        ("sum-instead-of-mean", "gradients-not-cleared", *HIGH),
        {"fault": "sum-accumulated", "batch": 3, "accumulate": 40, "times": 3.0, "epochs": 2},
        {"fault": "sum-accumulated", "batch": 3, "accumulate": 30, "times": 3.0, "epochs": 2},
        "gated-stars+",
    ),
    "scale-kept": Kind(
        (*HIGH, "sum-instead-of-mean"),
        {"fault": "scale-kept:65536"},
        {"fault": "scale-kept:256"},
        "squeeze-flags+ strided-strokes-",
    ),
    "clip-tight": Kind(("updates-too-small", *LOW), {"clip": 1e-4}, {"clip": 2e-3}, "strided-strokes+"),
    "weights-clamped": Kind(DECAYED, {"fault": "clamped:0.003"}, {"fault": "clamped:0.01"}, "dilated-blocks+"),
    "gradient-noise": Kind(
        ("too-noisy", *HIGH), {"fault": "gradient-noise:30"}, {"fault": "gradient-noise:15"}, "mixer-tinted+"
    ),
}
"""In the loop."""

COSTS: dict[str, Kind] = {
    "starving": Kind(
        ("loader-starving",),
        {"fault": "slow-loader:0.03", "epochs": 3},
        {"fault": "slow-loader:0.02"},
        "maxout-strokes+",
        harm="time",
    ),
    "hoard": Kind(
        ("memory-growing",), {"fault": "hoard:1"}, {"fault": "hoard:0.7"}, "maxout-quadrants+", harm="memory"
    ),
}
"""What costs time or memory and no points."""
