"""Kinds of faults in regularisation, size, length and the loop, in the fresh part's cells; and what costs time or memory."""

from __future__ import annotations

from held.kind import Change, Kind
from recipes import HIGH, LOW, SMALL

FEW: Change = {"decay": 0.0, "dropout": 0.0, "augment": "none", "batch": 20, "schedule": "none"}
STILL = ("updates-too-small", "layer-not-trained", "vanishing-gradients", "stuck-at-chance", *LOW)

CAPACITY: dict[str, Kind] = {
    "decay-strong": Kind(
        ("regularisation-too-strong",),
        {"decay": 1.0},
        {"decay": 0.15},
        "mobile-gratings+ plain-blobs- bottleneck-pairs- old-canvas+",
    ),
    "decay-coupled": Kind(
        ("regularisation-too-strong",),
        {"optimizer": "adam", "decay": 1.0},
        {"optimizer": "adam", "decay": 0.1},
        "plain-canvas+ inception-animals- dense-glyphs+ alex-animals-",
    ),
    "l1-strong": Kind(
        ("regularisation-too-strong",),
        {"l1": 0.02},
        {"l1": 0.003},
        "alex-gratings+ perceptron-many- next-gratings- old-glyphs+",
    ),
    "dropout-strong": Kind(
        ("dropout-too-strong", "underfitting"),
        {"dropout": 0.97},
        {"dropout": 0.9},
        "alex-animals+ inception-many- perceptron-pairs+ plain-blobs-",
    ),
    "few-images": Kind(
        ("overfitting", "regularisation-missing"),
        {**FEW, "keep": 60, "epochs": 40},
        {**FEW, "keep": 150, "epochs": 25},
        "mobile-animals+ alex-animals- inception-animals+ perceptron-many+",
    ),
    "too-small": Kind(
        ("underfitting",), {"wide": 1}, {"wide": 2}, "mobile-gratings- old-glyphs+ alex-gratings- perceptron-many+"
    ),
    "stopped-early": Kind(
        ("stopped-too-early", *LOW),
        {"epochs": 1, "times": 0.3},
        {"epochs": 1},
        "alex-animals+ dense-glyphs- inception-many- old-canvas+",
    ),
    "batch-small": Kind(
        ("too-noisy", *HIGH),
        {"batch": 1, "keep": 400, "epochs": 2, "times": 2.0},
        {"batch": 2, "keep": 500, "epochs": 3, "times": 2.0},
        "plain-blobs+ alex-animals- old-glyphs+",
    ),
    "statistics": Kind(
        ("normalisation-statistics",),
        {"norm_momentum": 0.0},
        {"norm_momentum": 0.001},
        "mobile-gratings+ dense-glyphs- bottleneck-blobs+ perceptron-pairs-",
    ),
    "always-evaluating": Kind(
        ("normalisation-statistics", *HIGH, *SMALL),
        {"fault": "always-evaluating", "times": 3.0},
        {"fault": "always-evaluating"},
        "inception-animals- mobile-gratings+",
    ),
    "evaluation-mode": Kind(
        ("normalisation-statistics", *HIGH),
        {"fault": "left-evaluating"},
        {"fault": "left-evaluating", "times": 0.3},
        "dense-glyphs+ bottleneck-pairs-",
    ),
    "judged-in-training": Kind(
        ("dropout-too-strong", "normalisation-statistics", "parts-differ", "underfitting"),
        {"fault": "judged-training", "dropout": 0.7},
        {"fault": "judged-training", "dropout": 0.5},
        "alex-animals+ perceptron-pairs- inception-many+",
    ),
}
"""In regularisation, size, length and modes."""

LOOPS: dict[str, Kind] = {
    "never-cleared": Kind(
        ("gradients-not-cleared", *HIGH),
        {"fault": "never-cleared"},
        {"fault": "never-cleared", "times": 0.3},
        "mobile-animals+ next-gratings- plain-blobs+ old-glyphs- inception-animals+",
    ),
    "cleared-early": Kind(
        STILL, {"fault": "cleared-early"}, {"fault": "cleared-early"}, "dense-glyphs+ alex-animals+ plain-canvas-"
    ),
    "step-per-epoch": Kind(
        ("stopped-too-early", "updates-too-small", *LOW),
        {"fault": "step-per-epoch"},
        {"fault": "step-per-epoch", "batch": 90},
        "inception-animals+ alex-gratings- bottleneck-blobs+",
    ),
    "not-held": Kind(
        ("layer-not-trained",),
        {"fault": "other-model"},
        {"fault": "head-only"},
        "mobile-gratings+ old-glyphs- plain-blobs- group-polylines+ dense-glyphs-",
    ),
    "half-held": Kind(
        ("layer-not-trained",),
        {"fault": "half-held"},
        {"fault": "half-held", "times": 2.0},
        "alex-animals+ plain-canvas+ alex-gratings-",
    ),
    "old-head": Kind(
        ("layer-not-trained",),
        {"fault": "old-head"},
        {"fault": "old-head", "times": 0.3},
        "next-scenes+ dense-glyphs- probe-canvas+",
        also={"probe-canvas": {"freeze": False}},
    ),
    "detached": Kind(
        ("layer-not-trained",),
        {"fault": "detached"},
        {"fault": "numpy-between", "times": 2.0},
        "inception-many+ bottleneck-blobs- old-canvas+",
    ),
    "body-never-stepped": Kind(
        ("layer-not-trained",),
        {"fault": "body-never-stepped"},
        {"fault": "body-never-stepped", "head_times": 5.0},
        "inception-animals+ perceptron-pairs-",
    ),
    "frozen-untrained": Kind(
        ("layer-not-trained", "underfitting"),
        {"init": "fresh"},
        {"init": "fresh"},
        "probe-canvas+ probe-polylines+",
    ),
    "loss-rebuilt": Kind(
        STILL,
        {"fault": "loss-rebuilt"},
        {"fault": "loss-rebuilt"},
        "alex-gratings+ inception-animals+ old-glyphs-",
    ),
    "accumulation-sum": Kind(
        ("sum-instead-of-mean", "gradients-not-cleared", *HIGH),
        {"fault": "sum-accumulated", "optimizer": "momentum", "rate": 0.05, "batch": 3, "accumulate": 24, "epochs": 9},
        {"fault": "sum-accumulated", "optimizer": "momentum", "rate": 0.05, "batch": 5, "accumulate": 10},
        "next-scenes+ probe-polylines-",
    ),
    "clip-tight": Kind(
        ("updates-too-small", *LOW),
        {"clip": 1e-4},
        {"clip": 5e-3},
        "mobile-gratings+ bottleneck-pairs- plain-blobs+ old-glyphs- old-canvas+",
    ),
}
"""In the loop."""

COSTS: dict[str, Kind] = {
    "starving": Kind(
        ("loader-starving",),
        {"fault": "slow-loader:0.05"},
        {"fault": "slow-loader:0.02"},
        "alex-gratings+ perceptron-many-",
        harm="time",
    ),
    "hoard": Kind(
        ("memory-growing",),
        {"fault": "hoard:3"},
        {"fault": "hoard:0.7"},
        "alex-gratings+ perceptron-pairs-",
        harm="memory",
    ),
}
"""What costs time or memory and no points."""
