"""Kinds of faults in regularisation, size, length and the loop, in cells of the part that is apart; and what costs time or memory."""

from __future__ import annotations

from fresh.kinds_loop import FEW, STILL
from held.kind import Kind
from recipes import HIGH, LOW, SMALL
from unseen.kinds_loop import DECAYED

CAPACITY: dict[str, Kind] = {
    "decay-strong": Kind(
        ("regularisation-too-strong",), {"decay": 1.0}, {"decay": 0.2}, "voting-trio+ lenet-5-remainders-"
    ),
    "decay-coupled": Kind(
        ("regularisation-too-strong",),
        {"optimizer": "adam", "decay": 1.0},
        {"optimizer": "adam", "decay": 0.2},
        "highway-parity+ compact-beads-",
    ),
    "decay-decoupled": Kind(
        ("regularisation-too-strong",), {"decay": 200.0}, {"decay": 50.0}, "highway-beads+ sloped-cluttered-"
    ),
    "decay-by-hand": Kind(
        ("regularisation-too-strong",),
        {"fault": "shrunk:0.2"},
        {"fault": "shrunk:0.05"},
        "voting-trio+ lenet-5-parity-",
    ),
    "l1-strong": Kind(("regularisation-too-strong",), {"l1": 0.03}, {"l1": 0.008}, "steady-cluttered+ voting-arrows-"),
    "dropout-strong": Kind(
        ("dropout-too-strong", "underfitting"),
        {"dropout": 0.98},
        {"dropout": 0.93},
        "sloped-cluttered+ response-remainders-",
    ),
    "dropout-always": Kind(
        ("dropout-too-strong", "parts-differ", "underfitting"),
        {"fault": "always-dropped:0.95"},
        {"fault": "always-dropped:0.85"},
        "steady-clocks+ sloped-cluttered-",
    ),
    "few-images": Kind(
        ("overfitting", "regularisation-missing"),
        {**FEW, "keep": 60, "epochs": 40},
        {**FEW, "keep": 120, "epochs": 30},
        "voting-trio+ sloped-cluttered-",
    ),
    "few-distinct": Kind(
        ("overfitting", "regularisation-missing"),
        {**FEW, "labels": "copies:40"},
        {**FEW, "labels": "copies:90"},
        "steady-clocks+ branched-kingdoms-",
    ),
    "too-small": Kind(("underfitting",), {"wide": 1}, {"wide": 2}, "steady-clocks+ sloped-mazes-"),
    "stopped-early": Kind(
        ("stopped-too-early", *LOW), {"epochs": 1, "times": 0.5}, {"epochs": 2}, "steady-cluttered+ voting-arrows-"
    ),
    "impatient": Kind(
        ("stopped-too-early", *LOW),
        {"fault": "impatient", "times": 0.3},
        {"fault": "impatient"},
        "sloped-cluttered+ response-remainders-",
    ),
    "batch-small": Kind(
        ("too-noisy", *HIGH),
        {"batch": 1, "accumulate": 1, "keep": 450, "epochs": 2, "times": 3.0},
        {"batch": 2, "accumulate": 1, "keep": 500, "epochs": 3, "times": 3.0},
        "steady-clocks+ voting-trio-",
    ),
    "batch-large": Kind(
        ("stopped-too-early", *LOW),
        {"batch": 420, "times": 0.3},
        {"batch": 260, "times": 0.5},
        "sloped-cluttered+ steady-cluttered-",
    ),
    "norm-tiny-batch": Kind(
        ("normalisation-statistics", "too-noisy", *HIGH),
        {"batch": 2, "keep": 500, "epochs": 3},
        {"batch": 3, "keep": 600, "epochs": 3, "times": 2.0},
        "broad-beads+ branched-kingdoms-",
    ),
    "statistics": Kind(
        ("normalisation-statistics",),
        {"norm_momentum": 0.0},
        {"norm_momentum": 0.0005},
        "branched-weaves+ broad-beads-",
    ),
    "evaluation-mode": Kind(
        ("normalisation-statistics", *HIGH, *SMALL),
        {"fault": "left-evaluating", "times": 3.0},
        {"fault": "always-evaluating", "times": 5.0},
        "branched-weaves+ patches-moons-",
    ),
    "judged-in-training": Kind(
        ("dropout-too-strong", "normalisation-statistics", "parts-differ", "underfitting"),
        {"fault": "judged-training", "dropout": 0.8},
        {"fault": "judged-training", "dropout": 0.7},
        "compact-beads+ response-clocks-",
    ),
}
"""In regularisation, size, length and modes."""

LOOPS: dict[str, Kind] = {
    "never-cleared": Kind(
        ("gradients-not-cleared", *HIGH),
        {"fault": "never-cleared"},
        {"fault": "never-cleared", "times": 0.3},
        "voting-trio+ steady-clocks- lenet-5-remainders+",
    ),
    "cleared-per-epoch": Kind(
        ("gradients-not-cleared", *HIGH),
        {"fault": "cleared-per-epoch", "times": 2.0},
        {"fault": "cleared-per-epoch"},
        "lenet-5-parity+ voting-trio-",
    ),
    "cleared-early": Kind(
        STILL, {"fault": "cleared-early"}, {"fault": "cleared-early"}, "efficient-trio+ highway-parity-"
    ),
    "step-per-epoch": Kind(
        ("stopped-too-early", "updates-too-small", *LOW),
        {"fault": "step-per-epoch"},
        {"fault": "step-per-epoch", "times": 3.0},
        "patches-moons+ highway-beads-",
    ),
    "steps-rarely": Kind(
        ("stopped-too-early", "updates-too-small", *LOW),
        {"fault": "steps-rarely:40"},
        {"fault": "steps-rarely:20"},
        "compact-beads+ sloped-cluttered-",
    ),
    "not-held": Kind(
        ("layer-not-trained",), {"fault": "other-model"}, {"fault": "head-only"}, "broad-kingdoms+ steady-clocks-"
    ),
    "half-held": Kind(
        ("layer-not-trained",),
        {"fault": "half-held"},
        {"fault": "half-held", "times": 2.0},
        "sloped-mazes+ voting-arrows-",
    ),
    "biases-only": Kind(
        ("layer-not-trained",),
        {"fault": "biases-only"},
        {"fault": "biases-only", "times": 3.0},
        "steady-cluttered+ voting-trio-",
    ),
    "old-head": Kind(
        ("layer-not-trained",), {"fault": "old-head"}, {"fault": "old-head"}, "handed-stamps+ steady-cluttered-"
    ),
    "detached": Kind(
        ("layer-not-trained",),
        {"fault": "detached"},
        {"fault": "detached", "times": 3.0},
        "steady-clocks+ voting-arrows-",
    ),
    "frozen-untrained": Kind(
        ("layer-not-trained", "underfitting"),
        {"init": "fresh"},
        {"freeze": True},
        "handed-stamps+ voting-arrows-",
    ),
    "loss-rebuilt": Kind(STILL, {"fault": "loss-rebuilt"}, {"fault": "loss-rebuilt"}, "patches-weaves+ sloped-mazes-"),
    "accumulation-sum": Kind(
        ("sum-instead-of-mean", "gradients-not-cleared", *HIGH),
        {"fault": "sum-accumulated", "batch": 4, "accumulate": 40, "times": 4.0},
        {"fault": "sum-accumulated", "batch": 4, "accumulate": 25, "times": 4.0},
        "weighed-rings+ sloped-mazes-",
    ),
    "scale-kept": Kind(
        (*HIGH, "sum-instead-of-mean"),
        {"fault": "scale-kept:65536"},
        {"fault": "scale-kept:256"},
        "broad-beads+ steady-clocks-",
    ),
    "clipped-scaled": Kind(
        ("updates-too-small", *LOW),
        {"fault": "clipped-scaled:65536"},
        {"fault": "clipped-scaled:2048"},
        "broad-beads+ weighed-rings-",
        also={"weighed-rings": {"style": "scaled", "batch": 20, "accumulate": 1}},
    ),
    "clip-tight": Kind(("updates-too-small", *LOW), {"clip": 1e-4}, {"clip": 2e-3}, "broad-kingdoms+ lenet-5-parity-"),
    "clip-value-tight": Kind(
        ("updates-too-small", *LOW),
        {"fault": "value-clipped:1e-6"},
        {"fault": "value-clipped:2e-5"},
        "voting-trio+ steady-clocks-",
    ),
    "weights-clamped": Kind(
        DECAYED, {"fault": "clamped:0.003"}, {"fault": "clamped:0.01"}, "sloped-cluttered+ voting-arrows-"
    ),
    "weights-rounded": Kind(
        ("updates-too-small", "layer-not-trained", *LOW),
        {"fault": "rounded:0.1"},
        {"fault": "rounded:0.03"},
        "lenet-5-parity+ highway-parity-",
    ),
    "copied-back": Kind(
        ("updates-too-small", *LOW),
        {"fault": "copied-back:0.9995"},
        {"fault": "copied-back:0.995"},
        "branched-kingdoms+ sloped-cluttered-",
    ),
    "average-slow": Kind(
        ("parts-differ", "normalisation-statistics", "stopped-too-early"),
        {"fault": "average-slow:0.9999"},
        {"fault": "average-slow:0.998"},
        "efficient-arrows+ weighed-mazes-",
    ),
    "gradient-noise": Kind(
        ("too-noisy", *HIGH),
        {"fault": "gradient-noise:30"},
        {"fault": "gradient-noise:15"},
        "branched-weaves+ compact-weaves-",
    ),
}
"""In the loop."""

COSTS: dict[str, Kind] = {
    "starving": Kind(
        ("loader-starving",),
        {"fault": "slow-loader:0.04", "epochs": 4},
        {"fault": "slow-loader:0.03", "epochs": 4},
        "lenet-5-remainders+ steady-clocks-",
        harm="time",
    ),
    "hoard": Kind(
        ("memory-growing",),
        {"fault": "hoard:2"},
        {"fault": "hoard:1"},
        "lenet-5-remainders+ lenet-5-parity-",
        harm="memory",
    ),
}
"""What costs time or memory and no points."""
