"""Kinds of faults in pixels, labels, the loss and the scores, in cells of the part that is apart."""

from __future__ import annotations

from fresh.kinds_data import EMPTY, STRONG
from held.kind import Kind
from held.kinds_data import SQUASHED
from recipes import HIGH, LOW

MIXED_UP = (*STRONG, "labels-noisy")

INPUTS: dict[str, Kind] = {
    "inputs-raw": Kind(
        ("inputs-not-normalised",),
        {"inputs": "squared"},
        {"inputs": "raw"},
        "voting-trio+ sloped-cluttered- compact-beads- response-remainders+",
    ),
    "inputs-imagenet": Kind(
        ("inputs-not-normalised",),
        {"inputs": "imagenet-of-bytes"},
        {"inputs": "centred-bytes"},
        "voting-arrows+ steady-clocks-",
    ),
    "inputs-saturating": Kind(
        ("inputs-not-normalised", "saturated-units"),
        {"inputs": "imagenet-of-bytes"},
        {"inputs": "raw"},
        "lenet-5-remainders+ lenet-5-parity-",
    ),
    "inputs-uncentred": Kind(
        ("inputs-not-normalised",), {"inputs": "pedestal"}, {"inputs": "large-offset"}, "steady-cluttered+ voting-trio-"
    ),
    "inputs-twice": Kind(
        ("normalised-twice", "inputs-not-normalised"),
        {"inputs": "twice-divided"},
        {"inputs": "standard-divided"},
        "voting-trio+ steady-clocks- lenet-5-parity+",
    ),
    "inputs-small": Kind(
        ("normalised-twice", "inputs-not-normalised"),
        {"inputs": "millionth"},
        {"inputs": "thousandth"},
        "sloped-mazes+ lenet-5-remainders-",
    ),
    "inputs-blank": Kind(EMPTY, {"inputs": "blank"}, {"inputs": "one-for-all"}, "efficient-arrows+ critic-moons-"),
    "inputs-destroyed": Kind(
        (*EMPTY, "underfitting", "labels-noisy"),
        {"inputs": "one-colour"},
        {"inputs": "row-alone"},
        "broad-beads+ voting-arrows-",
    ),
    "pixels-no-number": Kind(
        ("not-a-number", "diverging"), {"inputs": "hole"}, {"inputs": "infinite"}, "steady-cluttered+ sloped-mazes-"
    ),
    "valid-inputs": Kind(
        ("parts-differ",), {"valid_inputs": "raw"}, {"valid_inputs": "dark"}, "efficient-trio+ sloped-cluttered-"
    ),
    "valid-pictures": Kind(
        ("parts-differ",), {"valid_inputs": "upside-down"}, {"valid_inputs": "inner"}, "response-clocks+ weighed-rings-"
    ),
    "valid-labels": Kind(
        ("parts-differ",),
        {"valid_labels": "one-on"},
        {"valid_labels": "pairs-exchanged"},
        "compact-weaves+ handed-rings-",
    ),
    "augmentation": Kind(
        STRONG, {"augment": "under-noise"}, {"augment": "colours-wild"}, "patches-moons+ broad-beads-"
    ),
    "augmentation-gone": Kind(
        STRONG, {"augment": "erased-all"}, {"augment": "pushed-out"}, "sloped-cluttered+ steady-clocks-"
    ),
    "augmentation-blank": Kind(
        (*STRONG, "labels-noisy", "dropout-too-strong"),
        {"augment": "mostly-blank"},
        {"augment": "jigsaw"},
        "voting-trio+ steady-clocks-",
    ),
    "augmentation-flips": Kind(
        (*MIXED_UP, "parts-differ"),
        {"augment": "any-way"},
        {"augment": "flipped"},
        "voting-arrows+ response-clocks-",
    ),
    "augmentation-blended": Kind(
        MIXED_UP, {"augment": "blended-wholly"}, {"augment": "blended"}, "weighed-mazes+ steady-clocks-"
    ),
    "mix-swapped": Kind(
        (*MIXED_UP, "labels-unrelated"),
        {"fault": "mix-swapped"},
        {"fault": "mix-forgotten"},
        "critic-arrows+ branched-kingdoms-",
    ),
    "not-shuffled": Kind(
        ("not-shuffled",),
        {"shuffle": False},
        {"shuffle": False, "times": 0.3},
        "branched-weaves+ steady-clocks- lenet-5-remainders+ efficient-trio-",
    ),
    "same-batches": Kind(
        ("overfitting", "not-shuffled", "regularisation-missing"),
        {"fault": "same-batches:1"},
        {"fault": "same-batches:2"},
        "sloped-cluttered+ branched-kingdoms-",
        also={"branched-kingdoms": {"style": "tutorial", "augment": "none"}},
    ),
}
"""In what goes into the network."""

LOSSES: dict[str, Kind] = {
    "softmax-doubled": Kind(
        ("softmax-doubled",),
        {"fault": "softmax-end"},
        {"loss": "margin-of-shares"},
        "patches-weaves+ sloped-cluttered- lenet-5-remainders+",
    ),
    "softmax-missing": Kind(
        ("softmax-missing",),
        {"loss": "divergence-of-scores"},
        {"loss": "raw-hundredth"},
        "compact-beads+ highway-beads-",
    ),
    "softmax-wrong": Kind(
        ("softmax-missing", "softmax-doubled", "initial-loss-wrong"),
        {"loss": "over-batch", "batch": 12},
        {"loss": "over-batch"},
        "steady-cluttered+ response-clocks-",
    ),
    "log-missing": Kind(
        ("softmax-missing", "initial-loss-wrong", "updates-too-small", "vanishing-gradients", *LOW),
        {"loss": "share-as-log"},
        {"loss": "shares-raw"},
        "steady-clocks+ branched-weaves-",
    ),
    "log-of-scores": Kind(
        ("not-a-number", "softmax-missing", "initial-loss-wrong", "diverging"),
        {"loss": "log-alone"},
        {"loss": "log-alone", "times": 0.3},
        "voting-trio+ highway-parity-",
    ),
    "scores-squashed": Kind(
        SQUASHED, {"fault": "sigmoid-end"}, {"loss": "unit-length"}, "steady-cluttered+ sloped-cluttered-"
    ),
    "scores-hot": Kind(
        ("initial-loss-wrong", "initialisation-too-large", "exploding-gradients", *HIGH),
        {"loss": "hot", "times": 2.0},
        {"loss": "hot"},
        "lenet-5-remainders+ voting-trio-",
    ),
    "scores-cooled": Kind(
        ("updates-too-small", "vanishing-gradients", "softmax-doubled", "underfitting", *LOW),
        {"loss": "cooled"},
        {"loss": "cooled", "times": 2.0},
        "lenet-5-parity+ branched-weaves-",
    ),
    "relu-end": Kind(
        ("dead-units", "constant-output", "stuck-at-chance", "class-never-predicted"),
        {"fault": "relu-end", "times": 4.0},
        {"fault": "relu-end", "times": 2.0},
        "steady-cluttered+ voting-trio-",
    ),
    "sign": Kind(("wrong-sign",), {"loss": "minus"}, {"loss": "minus-divergence"}, "weighed-rings+ highway-beads-"),
    "sign-update": Kind(
        ("wrong-sign",),
        {"fault": "sign-flipped"},
        {"fault": "sign-flipped", "times": 0.3},
        "lenet-5-parity+ patches-moons-",
    ),
    "sum": Kind(
        ("sum-instead-of-mean", *HIGH),
        {"loss": "sum", "times": 2.0},
        {"loss": "sum"},
        "voting-trio+ sloped-mazes-",
    ),
    "times-batch": Kind(
        ("sum-instead-of-mean", "initial-loss-wrong", *HIGH),
        {"loss": "times-batch"},
        {"loss": "times-batch", "times": 0.5},
        "steady-clocks+ lenet-5-remainders-",
    ),
    "over-count": Kind(
        ("updates-too-small", "vanishing-gradients", "initial-loss-wrong", *LOW),
        {"loss": "over-count"},
        {"loss": "over-count", "times": 4.0},
        "broad-kingdoms+ lenet-5-parity-",
    ),
    "loss-unsuitable": Kind(
        ("updates-too-small", "softmax-doubled", "vanishing-gradients", "initial-loss-wrong", "stuck-at-chance", *LOW),
        {"loss": "number-squared"},
        {"loss": "distance-to-number"},
        "efficient-trio+ steady-cluttered-",
    ),
    "loss-of-labels": Kind(
        ("labels-unrelated", "stuck-at-chance", "constant-output", "class-never-predicted", "labels-noisy"),
        {"loss": "mean-of-labels"},
        {"loss": "half-of-batch"},
        "highway-beads+ weighed-mazes-",
    ),
    "loss-no-number": Kind(
        ("not-a-number", "diverging"),
        {"fault": "root-penalty:0.001"},
        {"loss": "own-product", "batch": 60},
        "broad-kingdoms+ compact-weaves-",
    ),
    "smoothed-away": Kind(
        ("regularisation-too-strong", "underfitting", "labels-noisy"),
        {"loss": "smooth-wholly"},
        {"loss": "unsure"},
        "patches-weaves+ sloped-cluttered-",
    ),
}
"""In the loss and the scores."""

LABELS: dict[str, Kind] = {
    "labels-shuffled": Kind(
        ("labels-unrelated",),
        {"labels": "of-another"},
        {"labels": "rolled:2"},
        "critic-arrows+ branched-weaves- efficient-trio+ lenet-5-parity-",
    ),
    "labels-before": Kind(
        ("labels-unrelated",),
        {"fault": "labels-before"},
        {"fault": "labels-reordered"},
        "highway-beads+ steady-cluttered-",
    ),
    "labels-noisy": Kind(
        ("labels-noisy",),
        {"labels": "noisy:0.7"},
        {"labels": "noisy:0.45"},
        "patches-weaves+ sloped-cluttered- lenet-5-remainders+",
    ),
    "labels-two-ways": Kind(
        ("labels-noisy",), {"labels": "sides:0.5"}, {"labels": "sides:0.4"}, "compact-beads+ highway-parity-"
    ),
    "labels-one-swallows": Kind(
        ("labels-noisy", "imbalanced", "class-never-predicted"),
        {"labels": "one-swallows:0.75"},
        {"labels": "one-swallows:0.55"},
        "compact-weaves+ broad-beads-",
    ),
    "labels-all-same": Kind(
        ("imbalanced", "class-never-predicted", "constant-output", "parts-differ"),
        {"labels": "all-first"},
        {"labels": "all-first", "times": 0.2},
        "handed-rings+ voting-trio-",
    ),
    "labels-halved": Kind(
        ("class-never-predicted", "parts-differ", "labels-noisy", "imbalanced"),
        {"labels": "halved"},
        {"labels": "halved"},
        "steady-clocks+ highway-beads-",
    ),
    "imbalanced": Kind(
        ("imbalanced", "class-never-predicted"),
        {"labels": "first-only:50", "epochs": 16},
        {"labels": "rare:60"},
        "broad-beads+ efficient-arrows- lenet-5-remainders+",
    ),
    "weights-upside-down": Kind(
        ("imbalanced", "class-never-predicted"),
        {"labels": "first-only:5", "balance": "upside-down"},
        {"labels": "rare:6", "balance": "upside-down"},
        "lenet-5-remainders+ voting-arrows-",
    ),
    "weights-squared": Kind(
        ("imbalanced", "class-never-predicted", "labels-noisy"),
        {"labels": "last-rare:12", "balance": "squared"},
        {"labels": "last-rare:8", "balance": "squared"},
        "sloped-mazes+ highway-beads-",
    ),
    "class-lost": Kind(
        ("class-never-predicted", "imbalanced"),
        {"labels": "merged:3"},
        {"labels": "dropped:1"},
        "branched-weaves+ compact-beads-",
    ),
}
"""In labels and classes."""
