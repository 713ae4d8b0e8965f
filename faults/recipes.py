"""Programs that are runs of babysit's own, by their recipe; and groups of causes that are right to name."""

from __future__ import annotations

from collections.abc import Mapping

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

Recipe = Mapping[str, object]

CONVNET: Recipe = {"data": "digits", "model.name": "convnet", "train.epochs": 8}
QUICK: Recipe = {"data": "digits", "train.epochs": 6}
CIFAR: Recipe = {"data": "cifar", "model.width": 16, "train.epochs": 6}
ADAM: Recipe = {"data": "digits", "optim.kind": "adam", "train.epochs": 6}
MUON: Recipe = {"data": "digits", "optim.kind": "muon", "train.epochs": 5}
ADAGRAD: Recipe = {"data": "digits", "optim.kind": "adagrad", "train.epochs": 8}

ODD: tuple[tuple[str, Recipe, Recipe], ...] = (
    ("divisor-large", CONVNET, {"preprocess.kind": "mean-image", "preprocess.divisor": 1e5}),
    ("zca-epsilon", CONVNET, {"preprocess.kind": "zca", "preprocess.epsilon": 1e9}),
    ("crop", QUICK, {"augment.crop": 64}),
    ("rotate", CONVNET, {"augment.rotate": 180.0}),
    ("resized", QUICK, {"augment.resized_crop": 0.001, "augment.rotate": 180.0}),
    ("zoomed", CONVNET, {"augment.scale": 1.0, "augment.rotate": 180.0}),
    ("recoloured", CIFAR, {"augment.brightness": 1.0, "augment.contrast": 1.0, "augment.saturation": 1.0}),
    ("erase", CONVNET, {"augment.erase": 1.0}),
    ("mixup", CONVNET, {"augment.mixup": 10.0}),
    ("mixed", CIFAR, {"augment.mixup": 10.0, "augment.cutmix": 10.0}),
    ("cutmix", CONVNET, {"augment.cutmix": 10.0}),
    ("init-gaussian", QUICK, {"init.kind": "gaussian", "init.scale": 3.0}),
    ("init-he-small", CONVNET, {"init.kind": "he", "init.scale": 0.01}),
    ("init-he-large", CONVNET, {"init.kind": "he", "init.scale": 30.0}),
    ("init-xavier", {"data": "shapes", "train.epochs": 5}, {"init.kind": "xavier", "init.scale": 50.0}),
    ("init-orthogonal", CONVNET, {"init.kind": "orthogonal", "init.scale": 0.01}),
    ("bias-high", CONVNET, {"init.kind": "he", "init.bias": 20.0}),
    ("bias-low", CONVNET, {"init.bias": -5.0}),
    ("smoothing", QUICK, {"loss.smoothing": 0.99}),
    ("smoothing-convnet", CONVNET, {"loss.smoothing": 0.95}),
    ("margin", {**CONVNET, "loss.kind": "squared-hinge"}, {"loss.margin": 1e4}),
    ("elastic-l2", CONVNET, {"regularize.elastic_l2": 1.0}),
    ("decay", CONVNET, {"regularize.decay": 5.0}),
    ("decay-muon", MUON, {"regularize.decay": 50.0}),
    ("biases", CONVNET, {"regularize.l2": 0.2, "regularize.biases": True}),
    ("l2-milder", CONVNET, {"regularize.l2": 0.1}),
    ("max-norm", CONVNET, {"regularize.max_norm": 1e-4}),
    ("max-norm-quick", QUICK, {"regularize.max_norm": 1e-6}),
    ("dropout-all", CONVNET, {"regularize.dropout": 0.8, "regularize.dropout_at": "all"}),
    ("dropout-paper", CONVNET, {"regularize.dropout": 0.95, "regularize.dropout_form": "paper"}),
    ("dropout-conv", QUICK, {"regularize.dropout": 0.9, "regularize.dropout_at": "conv"}),
    ("beta2", ADAM, {"optim.beta2": 0.0}),
    ("momentum-adam", ADAM, {"optim.momentum": 0.999}),
    ("momentum-muon", MUON, {"optim.momentum": 0.9995}),
    ("momentum-high", CONVNET, {"optim.momentum": 0.999}),
    ("momentum-none", CONVNET, {"optim.momentum": 0.0}),
    ("momentum-rate", CONVNET, {"optim.momentum": 0.99, "optim.lr": 1.0}),
    ("rate-adagrad", ADAGRAD, {"optim.lr": 1e-5}),
    ("epsilon-adagrad", ADAGRAD, {"optim.epsilon": 100.0}),
    ("rate-muon-low", MUON, {"optim.lr": 1e-7}),
    ("bias-rate", QUICK, {"optim.bias_rate": 1000.0}),
    ("batch-all", QUICK, {"optim.batch_size": 5000}),
    ("batch-all-convnet", CONVNET, {"optim.batch_size": 5000}),
    ("batch-two", CONVNET, {"optim.batch_size": 2, "optim.lr": 0.3}),
    ("exponential", CONVNET, {"schedule.kind": "exponential", "schedule.factor": 0.001}),
    ("polynomial", CONVNET, {"schedule.kind": "polynomial", "schedule.power": 10.0}),
    ("inverse", CONVNET, {"schedule.kind": "inverse", "schedule.tau": 0.001}),
    ("warmup", CIFAR, {"schedule.warmup": 0.98}),
    ("exp", QUICK, {"schedule.kind": "exp", "schedule.tau": 0.02}),
    (
        "step",
        {"data": "shapes", "train.epochs": 5},
        {"schedule.kind": "step", "schedule.every": 2, "schedule.factor": 1e-4},
    ),
    ("lookahead", CONVNET, {"train.average": "lookahead", "train.average_every": 100_000}),
    ("rate-none", CONVNET, {"optim.lr": 0.0}),
    ("rate-thirty", CONVNET, {"optim.lr": 1.0}),
    ("rate-thirtieth", CONVNET, {"optim.lr": 0.001}),
    ("rate-quick", QUICK, {"optim.lr": 1e-4}),
    ("clip-milder", CONVNET, {"optim.clip": 0.01}),
    ("clip-quick", CIFAR, {"optim.clip": 1e-5}),
    ("two-faults", CONVNET, {"optim.clip": 1e-4, "augment.rotate": 180.0}),
    ("three-faults", QUICK, {"optim.lr": 1e-5, "loss.smoothing": 0.9, "regularize.dropout": 0.9}),
)
"""Settings that are absurd, one or a few at a time: a name, a healthy recipe, and what is wrong. Looked at while remedies were made."""

BOLD: tuple[tuple[str, Recipe], ...] = (
    ("rotate", {**QUICK, "augment.rotate": 40.0, "augment.scale": 0.3}),
    ("erase", {**CIFAR, "augment.erase": 0.5, "augment.resized_crop": 0.3}),
    ("mixup", {**QUICK, "augment.mixup": 1.0}),
    ("recoloured", {**CIFAR, "augment.brightness": 0.4, "augment.contrast": 0.4, "augment.colour": 0.1}),
    ("smoothing", {**CIFAR, "loss.smoothing": 0.3}),
    ("momentum", {**QUICK, "optim.momentum": 0.97, "optim.lr": 0.01}),
    ("dropout", {**QUICK, "regularize.dropout": 0.6}),
    ("l2", {**QUICK, "regularize.l2": 0.02}),
    ("max-norm", {**CONVNET, "regularize.max_norm": 2.0}),
    ("warmup", {**QUICK, "schedule.warmup": 0.7}),
    ("polynomial", {**QUICK, "schedule.kind": "polynomial", "schedule.power": 3.0}),
    ("bias-rate", {**QUICK, "optim.bias_rate": 64.0}),
    ("lookahead", {**QUICK, "train.average": "lookahead"}),
    ("clip", {**CIFAR, "optim.clip": 0.5}),
    ("epsilon", {**ADAM, "optim.epsilon": 1e-3}),
    ("rate", {**CONVNET, "optim.lr": 0.01}),
)
"""Recipes of bold settings that work all the same."""
