"""Recipes of the part that is beyond: runs of babysit's own on its data, healthy but for the settings that are the fault; and healthy ones."""

from __future__ import annotations

Recipe = dict[str, object]

PLAIN: Recipe = {"model.name": "convnet", "train.epochs": 8}
SEGMENTS: Recipe = {"data": "segments", "augment.flip": "none", "train.epochs": 5}
ROADS: Recipe = {"data": "roads", "train.epochs": 6}
DICE: Recipe = {"data": "dice", "train.epochs": 6}
CHIRPS: Recipe = {"data": "chirps", "augment.flip": "none", "train.epochs": 5}
CODES: Recipe = {"data": "barcodes", "augment.flip": "none", "train.epochs": 6}
LEAVES: Recipe = {"data": "leaves", "train.epochs": 7}

MENDED: tuple[tuple[str, Recipe, Recipe], ...] = (
    ("rate-high", {**CHIRPS, **PLAIN}, {"optim.lr": 3.0}),
    ("rate-adam-high", {**SEGMENTS, "optim.kind": "adam"}, {"optim.lr": 0.5}),
    ("rate-adamw-high", {**ROADS, "optim.kind": "adamw"}, {"optim.lr": 1.0}),
    ("rate-sgd-low", {**CODES, "optim.kind": "sgd"}, {"optim.lr": 1e-5}),
    ("rate-adam-low", {**DICE, "optim.kind": "adam"}, {"optim.lr": 1e-6}),
    ("rate-rmsprop-low", {**CHIRPS, "optim.kind": "rmsprop"}, {"optim.lr": 1e-7}),
    ("momentum", {**SEGMENTS, **PLAIN}, {"optim.momentum": 0.999}),
    ("decay-adamw", {**DICE, "optim.kind": "adamw"}, {"regularize.decay": 100.0}),
    ("l2", {**CHIRPS, **PLAIN}, {"regularize.l2": 0.3}),
    ("dropout", dict(ROADS), {"regularize.dropout": 0.95}),
    ("init-small", {**SEGMENTS, **PLAIN}, {"init.kind": "gaussian", "init.scale": 1e-4}),
    ("init-large", {**CHIRPS, **PLAIN}, {"init.kind": "gaussian", "init.scale": 1.0}),
    ("inputs", {**SEGMENTS, **PLAIN}, {"preprocess.kind": "channel-mean", "preprocess.divisor": 1.0}),
    ("smoothing", {**CODES, **PLAIN}, {"loss.smoothing": 0.97}),
    ("schedule-step", {**SEGMENTS, **PLAIN}, {"schedule.kind": "step", "schedule.every": 5, "schedule.factor": 0.01}),
    ("schedule-exponential", dict(CHIRPS), {"schedule.kind": "exponential", "schedule.factor": 0.001}),
    ("clip", {**CODES, **PLAIN}, {"optim.clip": 1e-4}),
    ("epsilon", {**CHIRPS, "optim.kind": "adam"}, {"optim.epsilon": 50.0}),
    ("batch-large", dict(LEAVES), {"optim.batch_size": 800}),
    ("flip", dict(CHIRPS), {"augment.flip": "random"}),
    ("rotate", dict(SEGMENTS), {"augment.rotate": 180.0}),
    ("erase", dict(LEAVES), {"augment.erase": 1.0, "augment.resized_crop": 0.05}),
)
"""Name, a healthy recipe, and what is wrong with the broken one."""

FINE: tuple[tuple[str, Recipe], ...] = (
    ("adamw", {**CHIRPS, "optim.kind": "adamw"}),
    ("momentum", {**LEAVES, "optim.kind": "momentum"}),
    ("cosine", {**DICE, "schedule.kind": "cosine"}),
    ("dropout", {**ROADS, "regularize.dropout": 0.4}),
    ("small-batch", {**CODES, "optim.batch_size": 10, "train.epochs": 4}),
    ("unequal", {"data": "dents", "train.epochs": 8}),
    ("smoothing", {**SEGMENTS, "loss.smoothing": 0.15}),
    ("photographs", {"data": "wild", "train.epochs": 8}),
)
"""Healthy ones."""
