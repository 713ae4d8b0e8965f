"""Kinds of faults in pixels, labels, the loss and the scores, in the unseen part's cells."""

from __future__ import annotations

from fresh.kinds_data import EMPTY, STRONG
from held.kind import Kind
from held.kinds_data import SQUASHED
from recipes import HIGH, LOW

INPUTS: dict[str, Kind] = {
    "inputs-raw": Kind(
        ("inputs-not-normalised",), {"inputs": "sixteen-bits"}, {"inputs": "raw"}, "fire-flags+ maxout-strokes-"
    ),
    "inputs-uncentred": Kind(
        ("inputs-not-normalised",), {"inputs": "pedestal"}, {"inputs": "large-offset"}, "dilated-blocks+"
    ),
    "inputs-twice": Kind(
        ("normalised-twice", "inputs-not-normalised"),
        {"inputs": "thousand-less"},
        {"inputs": "twice-divided"},
        "dilated-strokes+ maxout-strokes+",
    ),
    "inputs-small": Kind(
        ("normalised-twice", "inputs-not-normalised"),
        {"inputs": "thrice-divided"},
        {"inputs": "thousandth"},
        "strided-clouds+",
    ),
    "inputs-blank": Kind(EMPTY, {"inputs": "threshold"}, {"inputs": "one-for-all"}, "shuffle-waves+ mixer-tinted-"),
    "inputs-destroyed": Kind(
        (*EMPTY, "underfitting", "labels-noisy"),
        {"inputs": "one-colour"},
        {"inputs": "one-colour"},
        "tower-stars+",
    ),
    "pixels-no-number": Kind(
        ("not-a-number", "diverging"),
        {"inputs": "hole"},
        {"inputs": "divided-by-nought"},
        "gated-stars+",
    ),
    "valid-inputs": Kind(
        ("parts-differ",), {"valid_inputs": "raw"}, {"valid_inputs": "thousandth"}, "dilated-blocks+ squeeze-flags-"
    ),
    "valid-pictures": Kind(
        ("parts-differ",), {"valid_inputs": "scrambled"}, {"valid_inputs": "faint"}, "tower-stars+ mixer-tinted-"
    ),
    "valid-labels": Kind(
        ("parts-differ",),
        {"valid_labels": "pairs-exchanged"},
        {"valid_labels": "from-one"},
        "maxout-strokes+",
    ),
    "augmentation": Kind(STRONG, {"augment": "under-noise"}, {"augment": "strong-noise"}, "fire-flags-"),
    "augmentation-gone": Kind(
        STRONG, {"augment": "thrown-out"}, {"augment": "scatter"}, "mixer-tinted+ strided-strokes-"
    ),
    "augmentation-blended": Kind(
        (*STRONG, "labels-noisy"),
        {"augment": "blended-wholly"},
        {"augment": "blended"},
        "maxout-strokes+",
    ),
    "not-shuffled": Kind(
        ("not-shuffled",), {"shuffle": False}, {"shuffle": False, "times": 0.3}, "tower-stars+ maxout-strokes+"
    ),
    "same-batches": Kind(
        ("overfitting", "not-shuffled", "regularisation-missing"),
        {"fault": "same-batches:1"},
        {"fault": "same-batches:2"},
        "shuffle-waves+ mixer-quadrants-",
    ),
}
"""In what goes into the network."""

LOSSES: dict[str, Kind] = {
    "softmax-doubled": Kind(
        ("softmax-doubled",), {"loss": "twice-softmax"}, {"fault": "softmax-end"}, "strided-strokes+ dilated-blocks-"
    ),
    "softmax-missing": Kind(
        ("softmax-missing",), {"loss": "raw-nll"}, {"loss": "raw-hundredth"}, "smooth-clouds+ fire-waves-"
    ),
    "softmax-wrong": Kind(
        ("softmax-missing", "softmax-doubled", "initial-loss-wrong"),
        {"loss": "over-batch", "batch": 12},
        {"loss": "over-batch"},
        "dilated-strokes+",
    ),
    "log-missing": Kind(
        ("softmax-missing", "initial-loss-wrong", "updates-too-small", "vanishing-gradients", *LOW),
        {"loss": "shares-raw"},
        {"loss": "share-as-log"},
        "strided-strokes+",
    ),
    "scores-squashed": Kind(SQUASHED, {"loss": "clamped"}, {"loss": "sigmoid-softmax"}, "fire-flags+ strided-strokes-"),
    "relu-end": Kind(
        ("dead-units", "constant-output", "stuck-at-chance", "class-never-predicted"),
        {"fault": "relu-end", "times": 5.0},
        {"fault": "relu-end", "times": 2.0},
        "dilated-blocks+ fire-flags+",
    ),
    "sign": Kind(("wrong-sign",), {"loss": "minus"}, {"fault": "sign-flipped"}, "attend-clouds+ maxout-strokes-"),
    "sign-hinge": Kind(("wrong-sign",), {"loss": "minus-hinge"}, {"loss": "minus-likelihood"}, "squeeze-flags+"),
    "sum": Kind(
        ("sum-instead-of-mean", *HIGH),
        {"loss": "sum", "times": 2.0},
        {"loss": "sum"},
        "strided-strokes+ dilated-strokes+",
    ),
    "loss-unsuitable": Kind(
        ("updates-too-small", "softmax-doubled", "vanishing-gradients", "initial-loss-wrong", "stuck-at-chance", *LOW),
        {"loss": "number-squared"},
        {"loss": "distance-to-number"},
        "smooth-clouds+",
    ),
    "loss-of-one-label": Kind(
        ("labels-unrelated", "labels-noisy", "too-noisy", "stuck-at-chance", *HIGH),
        {"loss": "one-target"},
        {"loss": "one-target", "times": 0.3},
        "mixer-quadrants+",
    ),
    "loss-product": Kind(
        ("not-a-number", *HIGH),
        {"loss": "own-product", "batch": 64},
        {"loss": "own-product", "batch": 80},
        "shuffle-waves+ dilated-blocks-",
    ),
    "smoothed-away": Kind(
        ("regularisation-too-strong", "underfitting", "labels-noisy"),
        {"loss": "smooth-wholly"},
        {"loss": "smooth-wholly", "times": 0.5},
        "dilated-strokes+",
    ),
}
"""In the loss and the scores."""

LABELS: dict[str, Kind] = {
    "labels-shuffled": Kind(
        ("labels-unrelated",), {"labels": "sorted-apart"}, {"labels": "rolled:5"}, "mixer-quadrants+"
    ),
    "labels-before": Kind(
        ("labels-unrelated",),
        {"fault": "labels-before"},
        {"fault": "labels-before", "times": 0.3},
        "squeeze-flags+ maxout-strokes-",
    ),
    "labels-noisy": Kind(
        ("labels-noisy",), {"labels": "noisy:0.75"}, {"labels": "noisy:0.5"}, "smooth-clouds+ mixer-tinted-"
    ),
    "labels-one-swallows": Kind(
        ("labels-noisy", "imbalanced", "class-never-predicted"),
        {"labels": "one-swallows:0.7"},
        {"labels": "one-swallows:0.55"},
        "squeeze-flags+ maxout-strokes-",
    ),
    "imbalanced": Kind(
        ("imbalanced", "class-never-predicted"),
        {"labels": "first-only:40"},
        {"labels": "rare:50"},
        "tower-stars+ squeeze-flags-",
    ),
    "weights-upside-down": Kind(
        ("imbalanced", "class-never-predicted"),
        {"labels": "first-only:6", "balance": "upside-down"},
        {"labels": "rare:8", "balance": "upside-down"},
        "mixer-tinted+ strided-clouds-",
    ),
    "class-lost": Kind(
        ("class-never-predicted", "imbalanced"),
        {"labels": "merged:2"},
        {"labels": "dropped:2"},
        "fire-flags+ attend-clouds-",
    ),
}
"""In labels and classes."""
