"""Programs that are runs of babysit's own, by their recipe; and groups of causes that are right to name."""

from __future__ import annotations

from programs import Program

HIGH = ("learning-rate-too-high", "diverging", "not-a-number", "updates-too-large", "exploding-gradients")
LOW = ("learning-rate-too-low", "updates-too-small")
SMALL = ("initialisation-too-small", "vanishing-gradients")

BROKEN: tuple[Program, ...] = tuple(
    Program(name, kind=kind, accepted=accepted, recipe=recipe, base="recipe-" + str(recipe["data"]))
    for name, kind, accepted, recipe in (
        (
            "recipe-rate-high",
            "rate-high",
            HIGH,
            {"data": "digits", "optim.lr": 1000.0, "optim.kind": "sgd", "train.epochs": 5},
        ),
        (
            "recipe-rate-high-plain",
            "rate-high",
            HIGH,
            {
                "data": "shapes",
                "model.name": "convnet",
                "optim.lr": 2.0,
                "train.epochs": 6,
                "schedule.kind": "constant",
            },
        ),
        ("recipe-rate-low", "rate-low", LOW, {"data": "digits", "optim.lr": 1e-6, "train.epochs": 5}),
        (
            "recipe-rate-low-plain",
            "rate-low",
            LOW,
            {"data": "cifar", "model.name": "two-layer", "optim.kind": "sgd", "optim.lr": 1e-6, "train.epochs": 5},
        ),
        (
            "recipe-decay",
            "decay-strong",
            ("regularisation-too-strong",),
            {"data": "digits", "model.name": "convnet", "regularize.l2": 0.5, "train.epochs": 8},
        ),
        (
            "recipe-l1",
            "decay-strong",
            ("regularisation-too-strong",),
            {"data": "shapes", "model.name": "convnet", "regularize.l1": 0.05, "train.epochs": 6},
        ),
        (
            "recipe-init-small",
            "init-small",
            SMALL,
            {
                "data": "shapes",
                "model.name": "convnet",
                "init.kind": "gaussian",
                "init.scale": 0.001,
                "train.epochs": 6,
            },
        ),
        (
            "recipe-init-large",
            "init-large",
            ("initialisation-too-large", "exploding-gradients"),
            {"data": "digits", "model.name": "convnet", "init.kind": "gaussian", "init.scale": 1.0, "train.epochs": 6},
        ),
        (
            "recipe-rotate",
            "augmentation",
            ("augmentation-too-strong", "underfitting"),
            {
                "data": "digits",
                "model.name": "convnet",
                "augment.crop": 8,
                "augment.rotate": 180,
                "augment.erase": 1.0,
                "augment.scale": 1.0,
                "train.epochs": 8,
            },
        ),
        (
            "recipe-schedule",
            "schedule-fast",
            ("schedule-too-fast", *LOW),
            {"data": "digits", "model.name": "convnet", "schedule.kind": "exp", "schedule.tau": 0.1, "train.epochs": 8},
        ),
        (
            "recipe-inputs",
            "inputs-raw",
            ("inputs-not-normalised", *HIGH),
            {
                "data": "cifar",
                "model.name": "convnet",
                "preprocess.kind": "channel-mean",
                "preprocess.divisor": 1.0,
                "train.epochs": 5,
            },
        ),
        (
            "recipe-epsilon",
            "epsilon-high",
            ("updates-too-small", *LOW),
            {"data": "digits", "model.name": "convnet", "optim.kind": "adam", "optim.epsilon": 10.0, "train.epochs": 8},
        ),
        (
            "recipe-clip",
            "clip-tight",
            ("updates-too-small", *LOW),
            {"data": "digits", "model.name": "convnet", "optim.clip": 1e-4, "train.epochs": 8},
        ),
        (
            "recipe-dropout",
            "dropout-strong",
            ("dropout-too-strong", "underfitting"),
            {"data": "digits", "regularize.dropout": 0.97, "train.epochs": 5},
        ),
    )
)

HEALTHY: tuple[tuple[str, dict[str, object]], ...] = (
    ("recipe-digits", {"data": "digits", "train.epochs": 5}),
    ("recipe-digits-convnet", {"data": "digits", "model.name": "convnet", "train.epochs": 10}),
    ("recipe-shapes", {"data": "shapes", "train.epochs": 4}),
    ("recipe-cifar", {"data": "cifar", "train.epochs": 4, "model.width": 16}),
    ("recipe-adamw", {"data": "digits", "optim.kind": "adamw", "train.epochs": 5}),
    ("recipe-sgd", {"data": "digits", "optim.kind": "sgd", "train.epochs": 6}),
    ("recipe-muon", {"data": "digits", "optim.kind": "muon", "train.epochs": 5}),
    ("recipe-hinge", {"data": "digits", "loss.kind": "hinge", "train.epochs": 6}),
    ("recipe-focal", {"data": "digits", "loss.kind": "focal", "train.epochs": 6}),
    ("recipe-mixup", {"data": "digits", "augment.mixup": 0.2, "train.epochs": 6}),
    ("recipe-two-layer", {"data": "digits", "model.name": "two-layer", "train.epochs": 8}),
    ("recipe-linear", {"data": "digits", "model.name": "linear", "train.epochs": 8}),
    ("recipe-exponential", {"data": "digits", "schedule.kind": "exponential", "train.epochs": 6}),
    ("recipe-dropout", {"data": "digits", "regularize.dropout": 0.5, "train.epochs": 6}),
    ("recipe-ema", {"data": "digits", "train.average": "ema", "train.average_decay": 0.98, "train.epochs": 6}),
    ("recipe-zca", {"data": "digits", "preprocess.kind": "zca", "train.epochs": 6}),
)
