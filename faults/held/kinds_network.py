"""Kinds of faults in the rate, its schedule, the initial weights and the activations."""

from __future__ import annotations

from held.kind import Kind
from recipes import HIGH, LOW, SMALL

RATES: dict[str, Kind] = {
    "rate-high": Kind(
        HIGH,
        {"times": 300.0},
        {"times": 60.0},
        "residual-textures+ residual-cifar- tuned-textures- vgg-shapes+ lenet-textures- mlp-digits+ plain-shapes-",
    ),
    "momentum-high": Kind(
        HIGH,
        {"momentum": 0.999},
        {"momentum": 0.99, "times": 2.0},
        "residual-textures+ tuned-digits- lenet-textures+ plain-textures-",
    ),
    "rate-low": Kind(
        LOW,
        {"times": 1e-4},
        {"times": 1e-3},
        "residual-digits+ residual-textures- tuned-cifar+ lenet-shapes- mlp-textures+ vgg-textures+",
    ),
    "schedule-per-batch": Kind(
        ("schedule-too-fast", *LOW),
        {"schedule": "per-batch"},
        {"schedule": "ends-early"},
        "residual-textures+ tuned-cifar- vgg-textures- lenet-cifar+ mlp-textures-",
    ),
    "schedule-drop": Kind(
        ("schedule-too-fast", *LOW),
        {"schedule": "milestones-early"},
        {"schedule": "reduced-often"},
        "residual-digits+ plain-textures+ lenet-textures+ tuned-textures-",
    ),
    "schedule-never": Kind(
        ("schedule-never-moved", *LOW),
        {"schedule": "one-cycle-unstepped"},
        {"schedule": "warm-up-unstepped"},
        "residual-cifar+ tuned-digits- lenet-shapes+ plain-textures-",
    ),
    "warm-up-endless": Kind(
        ("schedule-never-moved", "stopped-too-early", *LOW),
        {"schedule": "warm-up-endless"},
        {"schedule": "warm-up-endless", "times": 3.0},
        "residual-textures+ lenet-textures- tuned-cifar+",
    ),
}
"""In the rate and its schedule."""

NETWORKS: dict[str, Kind] = {
    "init-constant": Kind(
        ("symmetric-initialisation",),
        {"init": "constant:0.02"},
        {"init": "constant:0.1"},
        "residual-textures+ lenet-textures- mlp-digits+ plain-shapes-",
    ),
    "init-small": Kind(
        SMALL,
        {"init": "normal:0.0005"},
        {"init": "scaled:0.15"},
        "plain-textures+ plain-shapes- lenet-textures+ mlp-digits-",
    ),
    "init-large": Kind(
        ("initialisation-too-large", "exploding-gradients", "saturated-units"),
        {"init": "normal:1"},
        {"init": "scaled:8"},
        "lenet-shapes+ plain-textures- lenet-textures- mlp-textures+ residual-textures-",
        also={"residual-textures": {"norm": "none"}},
    ),
    "head-large": Kind(
        ("initialisation-too-large", "initial-loss-wrong", "exploding-gradients"),
        {"init": "head:20"},
        {"init": "head:3"},
        "residual-digits+ vgg-textures+ tuned-digits- lenet-cifar+",
    ),
    "activation-sigmoid": Kind(
        ("vanishing-gradients", "saturated-units"),
        {"activation": "sigmoid", "depth": 2},
        {"activation": "sigmoid"},
        "plain-textures+ plain-shapes- lenet-textures- mlp-digits+ residual-textures+",
        also={
            "mlp-digits": {"depth": 8},
            "residual-textures": {"norm": "none"},
            "plain-textures": {"init": "default"},
            "plain-shapes": {"init": "default"},
        },
    ),
    "dead": Kind(
        ("dead-units",),
        {"init": "bias:-10"},
        {"init": "bias:-4"},
        "residual-textures+ lenet-textures+ mlp-digits+ plain-textures- vgg-textures-",
    ),
    "saturated": Kind(
        ("saturated-units", "initialisation-too-large", "inputs-not-normalised"),
        {"activation": "tanh", "init": "scaled:30"},
        {"activation": "tanh", "inputs": "raw"},
        "lenet-textures+ mlp-digits- lenet-cifar- plain-textures+",
        also={"plain-textures": {"init": "normal:2"}},
    ),
    "linear": Kind(
        ("no-nonlinearity", "underfitting"),
        {"activation": "none"},
        {"activation": "none", "width": 12},
        "lenet-textures+ mlp-textures+ plain-shapes- residual-textures+",
        also={"plain-shapes": {"init": "xavier"}},
    ),
    "norm-missing": Kind(
        (*HIGH, *SMALL, "dead-units", "initialisation-too-large"),
        {"norm": "none", "times": 4.0},
        {"norm": "none", "depth": 2},
        "residual-textures+ vgg-textures+ residual-digits- vgg-shapes-",
    ),
}
"""In the initial weights and the activations."""
