"""Kinds of faults in pixels, labels, the loss and the scores, in the fresh part's cells."""

from __future__ import annotations

from held.kind import Kind
from held.kinds_data import SQUASHED
from recipes import HIGH, LOW

EMPTY = ("constant-output", "stuck-at-chance", "inputs-not-normalised", "class-never-predicted", "labels-unrelated")
STRONG = ("augmentation-too-strong", "underfitting")

INPUTS: dict[str, Kind] = {
    "inputs-raw": Kind(
        ("inputs-not-normalised",),
        {"inputs": "raw"},
        {"inputs": "half"},
        "alex-animals+ plain-blobs- plain-canvas+ probe-canvas+ alex-gratings-",
    ),
    "inputs-saturating": Kind(
        ("inputs-not-normalised", "saturated-units"),
        {"inputs": "raw"},
        {"inputs": "large-offset"},
        "old-canvas+ old-glyphs-",
    ),
    "inputs-uncentred": Kind(
        ("inputs-not-normalised",),
        {"inputs": "large-offset"},
        {"inputs": "uncentred"},
        "alex-animals+ plain-canvas- alex-gratings+",
    ),
    "inputs-uneven": Kind(
        ("inputs-not-normalised", "saturated-units"),
        {"inputs": "uneven"},
        {"inputs": "uneven", "times": 0.5},
        "alex-animals+ plain-blobs+ old-glyphs-",
    ),
    "inputs-twice": Kind(
        ("normalised-twice",),
        {"inputs": "twice-divided"},
        {"inputs": "tiny"},
        "alex-gratings+ plain-blobs- old-canvas+ probe-polylines- perceptron-many+",
    ),
    "inputs-small": Kind(
        ("normalised-twice", "inputs-not-normalised"),
        {"inputs": "thousandth"},
        {"inputs": "thousandth", "times": 2.0},
        "plain-canvas+ alex-animals- alex-gratings+",
    ),
    "inputs-blank": Kind(
        EMPTY, {"inputs": "one-for-all"}, {"inputs": "blank"}, "mobile-gratings+ plain-blobs- inception-many+"
    ),
    "valid-inputs": Kind(
        ("parts-differ",),
        {"valid_inputs": "raw"},
        {"valid_inputs": "zero-one"},
        "mobile-animals+ next-gratings- old-glyphs- inception-many+",
    ),
    "valid-pictures": Kind(
        ("parts-differ",),
        {"valid_inputs": "negative"},
        {"valid_inputs": "turned"},
        "dense-glyphs+ mobile-gratings- inception-animals+ perceptron-many-",
    ),
    "valid-labels": Kind(
        ("parts-differ",),
        {"valid_labels": "by-name"},
        {"valid_labels": "from-one"},
        "dense-glyphs+ inception-many+ bottleneck-pairs- alex-animals-",
    ),
    "augmentation": Kind(
        STRONG,
        {"augment": "under-noise"},
        {"augment": "small-piece"},
        "mobile-animals+ plain-blobs- next-scenes+ inception-many-",
    ),
    "augmentation-gone": Kind(
        STRONG,
        {"augment": "thrown-out"},
        {"augment": "smeared"},
        "group-scenes+ perceptron-many- plain-canvas+ alex-gratings-",
    ),
    "augmentation-turning": Kind(
        (*STRONG, "labels-noisy"),
        {"augment": "whirled"},
        {"augment": "turn"},
        "mobile-gratings+ next-gratings- alex-gratings+",
    ),
    "augmentation-blended": Kind(
        (*STRONG, "labels-noisy"),
        {"augment": "blended-wholly"},
        {"augment": "blended"},
        "dense-glyphs+ bottleneck-pairs- inception-animals+",
    ),
    "not-shuffled": Kind(
        ("not-shuffled",),
        {"shuffle": False},
        {"shuffle": False, "times": 0.3},
        "mobile-gratings+ next-scenes- perceptron-many+ alex-animals- inception-animals+",
    ),
    "same-batches": Kind(
        ("overfitting", "not-shuffled", "regularisation-missing"),
        {"fault": "same-batches:1"},
        {"fault": "same-batches:3"},
        "mobile-animals+ perceptron-pairs- alex-gratings+",
    ),
}
"""In what goes into the network."""

LOSSES: dict[str, Kind] = {
    "softmax-doubled": Kind(
        ("softmax-doubled",),
        {"fault": "softmax-end"},
        {"loss": "log-of-softmax-twice"},
        "mobile-gratings+ dense-glyphs- plain-canvas+ next-scenes- alex-animals+",
    ),
    "softmax-missing": Kind(
        ("softmax-missing",),
        {"loss": "raw-nll"},
        {"loss": "raw-hundredth"},
        "inception-animals+ bottleneck-blobs- old-glyphs+",
    ),
    "log-missing": Kind(
        ("softmax-missing", "initial-loss-wrong", "updates-too-small", "vanishing-gradients"),
        {"loss": "share-as-log"},
        {"loss": "share-as-log", "times": 0.3},
        "alex-gratings+ dense-glyphs- old-glyphs+",
    ),
    "softmax-wrong": Kind(
        ("softmax-missing", "softmax-doubled", "initial-loss-wrong"),
        {"loss": "over-batch"},
        {"loss": "over-batch", "batch": 10},
        "mobile-animals+ plain-blobs- perceptron-many+",
    ),
    "scores-squashed": Kind(
        SQUASHED,
        {"fault": "sigmoid-end"},
        {"loss": "unit-length"},
        "next-gratings+ inception-many- old-canvas+ bottleneck-blobs-",
    ),
    "scores-cooled": Kind(
        ("updates-too-small", "vanishing-gradients", "softmax-doubled", "underfitting", *LOW),
        {"loss": "cooled"},
        {"loss": "cooled", "times": 3.0},
        "dense-glyphs- plain-blobs+ mobile-gratings+",
    ),
    "relu-end": Kind(
        ("dead-units", "constant-output", "stuck-at-chance", "class-never-predicted"),
        {"fault": "relu-end", "times": 4.0},
        {"fault": "relu-end"},
        "alex-animals+ old-glyphs- inception-many-",
    ),
    "sign": Kind(
        ("wrong-sign",),
        {"loss": "minus"},
        {"loss": "minus-likelihood"},
        "mobile-gratings+ inception-animals- old-canvas+ alex-gratings-",
    ),
    "sum": Kind(
        ("sum-instead-of-mean",),
        {"loss": "sum-and-classes"},
        {"loss": "sum"},
        "plain-blobs- bottleneck-pairs+ alex-gratings- old-glyphs+ mobile-gratings-",
    ),
    "scale-kept": Kind(
        (*HIGH, "sum-instead-of-mean"),
        {"fault": "scale-kept:4096", "optimizer": "momentum", "rate": 0.03},
        {"fault": "scale-kept:64", "optimizer": "momentum", "rate": 0.03},
        "bottleneck-pairs+ next-gratings- alex-gratings+",
    ),
    "loss-unsuitable": Kind(
        ("updates-too-small", "softmax-doubled", "vanishing-gradients", "initial-loss-wrong", "stuck-at-chance", *LOW),
        {"loss": "number-squared"},
        {"loss": "squares-of-shares", "optimizer": "sgd"},
        "inception-animals+ old-glyphs- bottleneck-blobs-",
    ),
    "loss-of-own-guess": Kind(
        ("labels-unrelated", "constant-output", "class-never-predicted", "stuck-at-chance"),
        {"loss": "only-if-right"},
        {"loss": "only-if-right", "times": 0.3},
        "mobile-animals+ plain-canvas+ perceptron-pairs-",
    ),
    "loss-of-one": Kind(
        ("too-noisy", *HIGH),
        {"loss": "first-alone", "times": 2.0},
        {"loss": "first-alone"},
        "alex-animals+ inception-many- old-glyphs+",
    ),
    "smoothed-away": Kind(
        ("regularisation-too-strong", "underfitting", "labels-noisy"),
        {"loss": "smooth-wholly"},
        {"loss": "smooth-wholly", "times": 2.0},
        "dense-glyphs+ plain-blobs-",
    ),
}
"""In the loss and the scores."""

LABELS: dict[str, Kind] = {
    "labels-shuffled": Kind(
        ("labels-unrelated",),
        {"labels": "of-another"},
        {"labels": "rolled:3"},
        "mobile-gratings+ plain-canvas- perceptron-pairs+ alex-animals- inception-many+",
    ),
    "labels-noisy": Kind(
        ("labels-noisy",),
        {"labels": "half-shuffled"},
        {"labels": "noisy:0.4"},
        "dense-glyphs+ bottleneck-blobs- perceptron-many+ next-gratings- group-polylines+",
    ),
    "labels-paired": Kind(
        ("labels-noisy", "class-never-predicted", "imbalanced"),
        {"labels": "group:0.9"},
        {"labels": "group:0.5"},
        "dense-glyphs+ alex-gratings- mobile-gratings+",
    ),
    "imbalanced": Kind(
        ("imbalanced", "class-never-predicted"),
        {"labels": "rare:60"},
        {"labels": "steps:0.4", "batch": 16, "epochs": 8},
        "bottleneck-blobs+ mobile-gratings- plain-canvas+ perceptron-pairs- dense-lesions+",
        also={"dense-lesions": {"balance": "none", "labels": "rare:6"}},
    ),
    "class-lost": Kind(
        ("class-never-predicted", "imbalanced"),
        {"labels": "merged:2"},
        {"labels": "dropped:1"},
        "mobile-animals+ bottleneck-pairs- dense-glyphs+ alex-gratings-",
    ),
}
"""In labels and classes."""
