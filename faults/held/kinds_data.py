"""Kinds of faults in what goes into the network, in the loss, the scores and the labels."""

from __future__ import annotations

from held.kind import SGD, Kind
from recipes import HIGH, LOW

SQUASHED = ("saturated-units", "softmax-doubled", "vanishing-gradients", "underfitting")

INPUTS: dict[str, Kind] = {
    "inputs-raw": Kind(
        ("inputs-not-normalised",),
        {"inputs": "raw"},
        {"inputs": "half"},
        "lenet-textures+ plain-shapes- tuned-digits+ mlp-digits- lenet-cifar+ tuned-textures-",
    ),
    "inputs-uncentred": Kind(
        ("inputs-not-normalised",),
        {"inputs": "mean-only"},
        {"inputs": "uncentred"},
        "lenet-shapes+ plain-textures- mlp-textures+ tuned-cifar+",
    ),
    "inputs-twice": Kind(
        ("normalised-twice",),
        {"inputs": "twice-divided"},
        {"inputs": "scaled-then-standard"},
        "lenet-textures+ mlp-digits+ plain-shapes- tuned-cifar+ tuned-textures- residual-digits+",
    ),
    "inputs-thrice": Kind(
        ("normalised-twice",),
        {"inputs": "thrice-divided"},
        {"inputs": "twice-standard"},
        "plain-textures+ lenet-cifar- mlp-textures+",
    ),
    "inputs-blank": Kind(
        ("constant-output", "stuck-at-chance", "inputs-not-normalised", "class-never-predicted", "labels-unrelated"),
        {"inputs": "blank"},
        {"inputs": "blank"},
        "residual-textures+ lenet-shapes- mlp-digits+",
    ),
    "valid-inputs": Kind(
        ("parts-differ",),
        {"valid_inputs": "raw"},
        {"valid_inputs": "zero-one"},
        "residual-textures+ tuned-cifar- lenet-textures- vgg-shapes+ mlp-digits-",
    ),
    "valid-pictures": Kind(
        ("parts-differ",),
        {"valid_inputs": "upside-down"},
        {"valid_inputs": "swapped"},
        "residual-digits+ tuned-cifar- vgg-shapes+ residual-cifar-",
    ),
    "valid-shrunk": Kind(
        ("parts-differ",),
        {"valid_inputs": "shrunk"},
        {"valid_inputs": "per-image"},
        "residual-digits+ vgg-textures+ tuned-textures- lenet-shapes+",
    ),
    "valid-labels": Kind(
        ("parts-differ",),
        {"valid_labels": "reversed"},
        {"valid_labels": "from-one"},
        "residual-textures+ tuned-digits- mlp-textures+ plain-shapes-",
    ),
    "augmentation": Kind(
        ("augmentation-too-strong", "underfitting"),
        {"augment": "strong-noise"},
        {"augment": "erase-most"},
        "residual-textures+ lenet-shapes- tuned-cifar+ residual-digits-",
    ),
    "augmentation-wrong": Kind(
        ("augmentation-too-strong", "underfitting"),
        {"augment": "scatter"},
        {"augment": "scatter-rows"},
        "residual-textures+ lenet-textures- vgg-shapes+ mlp-digits+ tuned-digits-",
    ),
    "not-shuffled": Kind(
        ("not-shuffled",),
        {"shuffle": False},
        {"shuffle": False, "times": 0.3},
        "residual-textures+ tuned-cifar- lenet-textures+ mlp-digits-",
    ),
}
"""In what goes into the network."""

LOSSES: dict[str, Kind] = {
    "softmax-doubled": Kind(
        ("softmax-doubled",),
        {"fault": "softmax-end"},
        {"loss": "doubled"},
        "residual-textures+ tuned-cifar+ lenet-cifar- vgg-shapes- plain-textures+ mlp-textures+",
    ),
    "softmax-missing": Kind(
        ("softmax-missing",),
        {"loss": "raw-nll"},
        {"loss": "raw-hundredth"},
        "residual-textures+ tuned-digits- lenet-shapes+ mlp-digits-",
    ),
    "softmax-wrong": Kind(
        ("softmax-missing", "softmax-doubled", "initial-loss-wrong"),
        {"loss": "over-batch"},
        {"loss": "over-batch", "batch": 8},
        "residual-cifar+ lenet-textures- plain-shapes+",
    ),
    "scores-squashed": Kind(
        SQUASHED,
        {"fault": "sigmoid-end"},
        {"fault": "tanh-end"},
        "residual-textures+ tuned-textures- lenet-textures+ mlp-textures-",
    ),
    "relu-end": Kind(
        ("dead-units", "constant-output", "stuck-at-chance", "class-never-predicted"),
        {"fault": "relu-end", "times": 3.0},
        {"fault": "relu-end"},
        "residual-digits- lenet-textures+ plain-textures+ mlp-digits+",
    ),
    "sign": Kind(
        ("wrong-sign",),
        {"loss": "minus"},
        {"loss": "plus-log", "times": 0.1},
        "residual-textures+ tuned-cifar- lenet-shapes+ mlp-digits-",
    ),
    "sum": Kind(
        ("sum-instead-of-mean",),
        {"loss": "sum", "times": 2.0},
        {"loss": "sum"},
        "residual-textures+ lenet-textures- plain-textures- tuned-digits- mlp-digits+",
    ),
    "accumulation-sum": Kind(
        ("sum-instead-of-mean", "gradients-not-cleared", *HIGH),
        {**SGD, "fault": "accumulation-sum", "batch": 4, "accumulate": 16, "epochs": 4},
        {**SGD, "fault": "accumulation-sum", "batch": 8, "accumulate": 8},
        "lenet-shapes+ plain-shapes+ lenet-shapes-",
    ),
    "loss-unsuitable": Kind(
        ("updates-too-small", "softmax-doubled", "vanishing-gradients", "initial-loss-wrong", "stuck-at-chance", *LOW),
        {"loss": "distance-to-number"},
        {"loss": "squares-of-shares", "optimizer": "sgd"},
        "residual-textures+ lenet-textures- plain-textures- mlp-digits+",
    ),
    "loss-absolute": Kind(
        ("updates-too-small", "vanishing-gradients", "initial-loss-wrong", "stuck-at-chance", "constant-output", *LOW),
        {"loss": "absolute"},
        {"loss": "absolute"},
        "lenet-textures+ residual-cifar-",
    ),
}
"""In the loss and the scores."""

LABELS: dict[str, Kind] = {
    "labels-shuffled": Kind(
        ("labels-unrelated",),
        {"labels": "shuffled"},
        {"labels": "rolled:1"},
        "residual-textures+ tuned-cifar- lenet-shapes+ mlp-digits+ plain-textures-",
    ),
    "labels-noisy": Kind(
        ("labels-noisy",),
        {"labels": "noisy:0.6"},
        {"labels": "neighbour:0.4"},
        "residual-textures+ residual-digits- tuned-digits+ vgg-shapes- lenet-shapes+ mlp-digits-",
    ),
    "imbalanced": Kind(
        ("imbalanced", "class-never-predicted"),
        {"labels": "rare:80"},
        {"labels": "one-large:25", "batch": 16, "epochs": 8},
        "residual-textures+ tuned-digits+ lenet-shapes- mlp-digits+ vgg-shapes-",
    ),
    "class-lost": Kind(
        ("class-never-predicted", "imbalanced"),
        {"labels": "merged:2"},
        {"labels": "dropped:1"},
        "residual-digits+ vgg-textures- lenet-textures+ mlp-digits-",
    ),
}
"""In labels and classes."""
