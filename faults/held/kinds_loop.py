"""Kinds of faults in regularisation, size, length and the loop; and what costs time or memory."""

from __future__ import annotations

from held.kind import SGD, Kind
from recipes import HIGH, LOW

CAPACITY: dict[str, Kind] = {
    "decay-strong": Kind(
        ("regularisation-too-strong",),
        {"decay": 2.0},
        {"decay": 0.2},
        "residual-textures- tuned-digits+ lenet-textures- plain-textures- mlp-digits+",
        also={
            "mlp-digits": {"optimizer": "sgd", "decay": 1.0},
            "tuned-digits": {"optimizer": "sgd", "rate": 0.1, "decay": 1.0},
        },
    ),
    "decay-coupled": Kind(
        ("regularisation-too-strong",),
        {"optimizer": "adam", "rate": 1e-3, "decay": 1.0},
        {"optimizer": "adam", "rate": 1e-3, "decay": 0.2},
        "residual-cifar+ lenet-shapes- mlp-textures+ tuned-cifar-",
    ),
    "dropout-strong": Kind(
        ("dropout-too-strong", "underfitting"),
        {"dropout": 0.98},
        {"dropout": 0.93},
        "residual-textures+ tuned-textures- lenet-textures- mlp-digits+ vgg-shapes+",
    ),
    "few-images": Kind(
        ("overfitting", "regularisation-missing"),
        {"keep": 80, "epochs": 25, "decay": 0.0, "batch": 20, "accumulate": 1},
        {"keep": 200, "epochs": 14, "decay": 0.0, "batch": 20, "accumulate": 1},
        "residual-cifar+ lenet-cifar+ mlp-textures- tuned-cifar- lenet-shapes+",
    ),
    "too-small": Kind(
        ("underfitting",),
        {"width": 1},
        {"width": 1, "epochs": 12},
        "lenet-shapes+ mlp-textures- lenet-textures- plain-shapes+",
    ),
    "stopped-early": Kind(
        ("stopped-too-early", *LOW),
        {"epochs": 1, "times": 0.3},
        {"epochs": 2, "times": 0.2},
        "lenet-textures- vgg-textures- mlp-textures+ tuned-digits-",
    ),
    "batch-small": Kind(
        ("too-noisy", *HIGH),
        {"batch": 1, "accumulate": 1, "keep": 400, "epochs": 2, "times": 2.0},
        {"batch": 2, "accumulate": 1, "keep": 500, "epochs": 3, "times": 2.0},
        "lenet-textures+ plain-textures- mlp-digits+ vgg-shapes-",
    ),
    "statistics": Kind(
        ("normalisation-statistics",),
        {"norm_momentum": 0.0},
        {"norm_momentum": 0.002},
        "residual-textures+ residual-cifar- vgg-textures- vgg-shapes+",
    ),
    "evaluation-mode": Kind(
        ("normalisation-statistics", *HIGH),
        {"fault": "evaluation-mode"},
        {"fault": "evaluation-mode", "times": 0.3},
        "residual-cifar+ vgg-textures-",
    ),
}
"""In regularisation, size and length."""

LOOPS: dict[str, Kind] = {
    "never-cleared": Kind(
        ("gradients-not-cleared", *HIGH),
        {"fault": "never-cleared"},
        {"fault": "never-cleared", "times": 0.3},
        "residual-textures+ tuned-digits- lenet-textures+ plain-shapes- mlp-digits+",
    ),
    "cleared-early": Kind(
        ("updates-too-small", "layer-not-trained", "vanishing-gradients", "stuck-at-chance", *LOW),
        {"fault": "cleared-early"},
        {"fault": "cleared-early"},
        "residual-textures+ vgg-textures+ lenet-textures- mlp-textures+",
    ),
    "step-per-epoch": Kind(
        ("stopped-too-early", "updates-too-small", *LOW),
        {"fault": "step-per-epoch"},
        {"fault": "step-per-epoch", "batch": 100},
        "residual-textures+ lenet-shapes+ mlp-digits-",
    ),
    "not-held": Kind(
        ("layer-not-trained",),
        {"fault": "other-model"},
        {"fault": "head-only"},
        "residual-textures+ residual-digits- lenet-textures- mlp-textures- vgg-shapes+ plain-textures-",
    ),
    "old-head": Kind(
        ("layer-not-trained",),
        {"fault": "old-head", "freeze": "body"},
        {"fault": "old-head"},
        "tuned-textures+ tuned-cifar+ tuned-digits- residual-cifar-",
    ),
    "detached": Kind(
        ("layer-not-trained",),
        {"fault": "detached", "init": "fresh"},
        {"fault": "norms-only", "init": "fresh"},
        "tuned-textures+ tuned-cifar- tuned-digits+",
    ),
    "clip-tight": Kind(
        ("updates-too-small", *LOW),
        {**SGD, "clip": 1e-4},
        {**SGD, "clip": 2e-3},
        "residual-digits+ tuned-digits- lenet-textures+ plain-textures- mlp-digits-",
    ),
    "epsilon-high": Kind(
        ("updates-too-small", *LOW),
        {"epsilon": 100.0},
        {"epsilon": 3.0},
        "residual-cifar+ tuned-cifar- lenet-shapes- mlp-textures+",
    ),
    "epsilon-low": Kind(
        (*HIGH, "too-noisy"), {"epsilon": 1e-30, "times": 3.0}, {"epsilon": 1e-20}, "residual-cifar- lenet-shapes+"
    ),
}
"""In the loop."""

COSTS: dict[str, Kind] = {
    "starving": Kind(
        ("loader-starving",),
        {"fault": "slow-loader:0.06"},
        {"fault": "slow-loader:0.03"},
        "lenet-textures+ mlp-textures- tuned-cifar+",
        harm="time",
    ),
    "hoard": Kind(
        ("memory-growing",), {"fault": "hoard:4"}, {"fault": "hoard:1"}, "lenet-shapes+ mlp-digits-", harm="memory"
    ),
}
"""What costs time or memory and no points."""
