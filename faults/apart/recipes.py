"""Recipes of the part that is apart: runs of babysit's own on its data, healthy but for the settings that are the fault; and healthy ones."""

from __future__ import annotations

Recipe = dict[str, object]

PLAIN: Recipe = {"model.name": "convnet", "train.epochs": 10}
ARROWS: Recipe = {"data": "arrows", "augment.flip": "none", "train.epochs": 6}
LETTERS: Recipe = {"data": "cluttered", "augment.flip": "none", "train.epochs": 5}
CLOCKS: Recipe = {"data": "clocks", "augment.flip": "none", "train.epochs": 6}
WEAVES: Recipe = {"data": "weaves", "augment.flip": "none", "train.epochs": 5}
BEADS: Recipe = {"data": "beads", "train.epochs": 6}

MENDED: tuple[tuple[str, Recipe, Recipe], ...] = (
    ("rate-sgd-high", {**WEAVES, "optim.kind": "sgd"}, {"optim.lr": 60.0}),
    ("rate-momentum-high", {**BEADS, "optim.kind": "momentum"}, {"optim.lr": 40.0}),
    ("rate-high", {**ARROWS, **PLAIN}, {"optim.lr": 6.0}),
    ("rate-adagrad-high", {**WEAVES, "optim.kind": "adagrad"}, {"optim.lr": 5.0}),
    ("rate-rmsprop-high", {**ARROWS, "optim.kind": "rmsprop"}, {"optim.lr": 1.0}),
    ("rate-adam-high", {**LETTERS, "optim.kind": "adam"}, {"optim.lr": 0.7}),
    ("rate-adamw-low", {**CLOCKS, "optim.kind": "adamw"}, {"optim.lr": 1e-7}),
    ("rate-muon-low", {**WEAVES, "optim.kind": "muon"}, {"optim.lr": 1e-7}),
    ("rate-sgd-low", {**LETTERS, "optim.kind": "sgd"}, {"optim.lr": 1e-5}),
    ("momentum", dict(ARROWS), {"optim.momentum": 0.9998}),
    ("clip", {**ARROWS, **PLAIN}, {"optim.clip": 1e-5}),
    ("epsilon", {**WEAVES, "optim.kind": "adam"}, {"optim.epsilon": 500.0}),
    ("schedule-exponential", dict(BEADS), {"schedule.kind": "exponential", "schedule.factor": 0.01}),
    ("schedule-step", {**CLOCKS, **PLAIN}, {"schedule.kind": "step", "schedule.every": 8, "schedule.factor": 0.001}),
    (
        "warm-up",
        dict(CLOCKS),
        {"schedule.kind": "polynomial", "schedule.power": 10.0, "schedule.warmup": 0.9, "optim.lr": 0.01},
    ),
    ("decay-adamw", {**ARROWS, "optim.kind": "adamw"}, {"regularize.decay": 400.0}),
    ("l2", {**LETTERS, **PLAIN}, {"regularize.l2": 0.5}),
    ("l1", {**CLOCKS, **PLAIN}, {"regularize.l1": 0.05}),
    ("elastic", {**ARROWS, **PLAIN}, {"regularize.elastic_l1": 0.02, "regularize.elastic_l2": 0.5}),
    ("dropout", dict(LETTERS), {"regularize.dropout": 0.97}),
    ("rotate", dict(ARROWS), {"augment.rotate": 180.0}),
    ("flip", dict(ARROWS), {"augment.flip": "random"}),
    ("shift", dict(CLOCKS), {"augment.crop": 26}),
    ("crops", dict(LETTERS), {"augment.resized_crop": 0.02, "augment.scale": 0.9}),
    (
        "erase",
        dict(BEADS),
        {"augment.erase": 1.0, "augment.colour": 1.0, "augment.brightness": 1.0, "augment.contrast": 1.0},
    ),
    ("init-small", {**ARROWS, **PLAIN}, {"init.kind": "gaussian", "init.scale": 1e-5}),
    ("init-large", {**CLOCKS, **PLAIN}, {"init.kind": "he", "init.scale": 40.0}),
    ("init-bias", {**LETTERS, **PLAIN}, {"init.kind": "he", "init.bias": -30.0}),
    ("inputs", {**LETTERS, **PLAIN}, {"preprocess.kind": "mean-image", "preprocess.divisor": 0.1}),
    ("batch-large", dict(BEADS), {"optim.batch_size": 800, "optim.lr": 0.05}),
    (
        "batch-tiny",
        {**ARROWS, **PLAIN, "train.epochs": 6},
        {"optim.batch_size": 2, "optim.lr": 0.1},
    ),
    ("smoothing", {**ARROWS, **PLAIN}, {"loss.smoothing": 0.99}),
    ("margin", {**WEAVES, "loss.kind": "squared-hinge"}, {"loss.margin": 2000.0}),
    ("model", dict(WEAVES), {"model.name": "two-layer"}),
    ("average", dict(LETTERS), {"train.average": "ema", "train.average_decay": 0.99999}),
    ("max-norm", {**CLOCKS, **PLAIN}, {"regularize.max_norm": 1e-6}),
)
"""Name, a healthy recipe, and what is wrong with the broken one."""

FINE: tuple[tuple[str, Recipe], ...] = (
    ("adam", {"data": "parity", "augment.flip": "none", "optim.kind": "adam", "train.epochs": 6}),
    ("rmsprop", {"data": "trio", "optim.kind": "rmsprop", "train.epochs": 6}),
    ("cosine", {**CLOCKS, "schedule.kind": "cosine"}),
    ("small-batch", {**LETTERS, "optim.batch_size": 8, "train.epochs": 3}),
    ("large-batch", {**WEAVES, "optim.batch_size": 168, "train.epochs": 10}),
    ("slow-rate", {**BEADS, "optim.lr": 0.005}),
    ("fast-rate", {**WEAVES, "optim.lr": 0.5}),
    ("smoothing", {**ARROWS, "loss.smoothing": 0.2}),
    ("few", {"data": "stamps", "train.epochs": 20}),
    ("two-layer", {"data": "parity", "model.name": "two-layer", "augment.flip": "none", "train.epochs": 10}),
    ("unequal", {"data": "rings", "train.epochs": 8}),
    ("mixup", {"data": "kingdoms", "augment.mixup": 0.4, "train.epochs": 8}),
    ("plain-sgd", {**LETTERS, **PLAIN, "optim.kind": "sgd"}),
    ("l2-some", {"data": "remainders", **PLAIN, "augment.flip": "none", "regularize.l2": 0.003}),
)
"""Healthy ones."""
