"""Recipes of the unseen part: runs of babysit's own on its data, healthy but for the settings that are the fault; and healthy ones."""

from __future__ import annotations

Recipe = dict[str, object]

CONVNET: Recipe = {"model.name": "convnet", "train.epochs": 10}

MENDED: tuple[tuple[str, Recipe, Recipe], ...] = (
    ("rate-high", {"data": "flags", **CONVNET}, {"optim.lr": 20.0}),
    ("rate-adamw-high", {"data": "clouds", "optim.kind": "adamw", "train.epochs": 5}, {"optim.lr": 2.0}),
    ("rate-low", {"data": "strokes", "train.epochs": 5}, {"optim.lr": 1e-6}),
    ("rate-rmsprop-low", {"data": "waves", "optim.kind": "rmsprop", "train.epochs": 6}, {"optim.lr": 1e-8}),
    ("l2", {"data": "strokes", **CONVNET}, {"regularize.l2": 1.0}),
    ("decay-adamw", {"data": "stars", "optim.kind": "adamw", "train.epochs": 5}, {"regularize.decay": 300.0}),
    ("dropout", {"data": "flags", "train.epochs": 6}, {"regularize.dropout": 0.95}),
    (
        "nothing-varied",
        {"data": "faces", "train.epochs": 20},
        {"augment.crop": 0, "augment.flip": "none", "regularize.l2": 0.0},
    ),
    ("init-small", {"data": "strokes", **CONVNET}, {"init.kind": "gaussian", "init.scale": 1e-4}),
    ("init-large", {"data": "clouds", **CONVNET}, {"init.kind": "gaussian", "init.scale": 2.0}),
    ("clip", {"data": "strokes", **CONVNET}, {"optim.clip": 1e-5}),
    ("schedule", {"data": "clouds", **CONVNET}, {"schedule.kind": "exp", "schedule.tau": 0.05}),
    ("momentum", {"data": "stars", "train.epochs": 5}, {"optim.momentum": 0.9995}),
    ("inputs", {"data": "strokes", **CONVNET}, {"preprocess.kind": "channel-mean", "preprocess.divisor": 0.2}),
    ("epsilon", {"data": "flags", "optim.kind": "adam", "train.epochs": 6}, {"optim.epsilon": 100.0}),
    ("crops", {"data": "stars", "train.epochs": 6}, {"augment.resized_crop": 0.01, "augment.erase": 1.0}),
)
"""Name, a healthy recipe, and what is wrong with the broken one."""

FINE: tuple[tuple[str, Recipe], ...] = (
    ("adam", {"data": "waves", "optim.kind": "adam", "train.epochs": 5}),
    ("cosine", {"data": "flags", "schedule.kind": "cosine", "train.epochs": 6}),
    ("small-batch", {"data": "strokes", "optim.batch_size": 8, "train.epochs": 4}),
    ("slow-rate", {"data": "clouds", "optim.lr": 0.005, "train.epochs": 6}),
    ("smoothing", {"data": "stars", "loss.smoothing": 0.2, "train.epochs": 5}),
    ("few", {"data": "faces", "train.epochs": 25}),
    ("two-layer", {"data": "quadrants", "model.name": "two-layer", "augment.flip": "none", "train.epochs": 8}),
    ("muon", {"data": "tinted", "optim.kind": "muon", "train.epochs": 6}),
)
"""Healthy ones."""
