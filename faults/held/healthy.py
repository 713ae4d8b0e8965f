"""Healthy trainings of the held-out part, spread wide: good and mediocre choices that work, and what looks odd and is not wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from held.cells import CELLS
from programs import Program

Change = dict[str, object]

OPTIMIZERS: tuple[tuple[str, str, float, float], ...] = (
    ("residual-textures", "sgd", 0.1, 5e-4),
    ("residual-textures", "nesterov", 0.1, 5e-4),
    ("residual-textures", "adam", 2e-3, 0.0),
    ("residual-textures", "adamw", 1e-3, 0.05),
    ("residual-textures", "rmsprop", 1e-3, 0.0),
    ("residual-digits", "nadam", 2e-3, 0.0),
    ("residual-digits", "momentum", 0.05, 1e-3),
    ("residual-digits", "sgd", 0.3, 0.0),
    ("residual-cifar", "radam", 5e-3, 0.0),
    ("residual-cifar", "adamw", 3e-3, 0.1),
    ("residual-cifar", "momentum", 0.1, 1e-3),
    ("residual-cifar", "adamax", 5e-3, 0.0),
    ("tuned-textures", "momentum", 0.01, 1e-4),
    ("tuned-textures", "adamw", 2e-3, 0.01),
    ("tuned-cifar", "adam", 5e-4, 0.0),
    ("tuned-cifar", "sgd", 0.05, 0.0),
    ("tuned-digits", "adam", 1e-3, 0.0),
    ("tuned-digits", "rmsprop", 5e-4, 0.0),
    ("vgg-textures", "adam", 1e-3, 0.0),
    ("vgg-textures", "nesterov", 0.02, 5e-4),
    ("vgg-shapes", "momentum", 0.05, 5e-4),
    ("vgg-shapes", "adagrad", 0.02, 0.0),
    ("vgg-shapes", "amsgrad", 2e-3, 0.0),
    ("plain-shapes", "momentum", 0.01, 5e-4),
    ("plain-textures", "adam", 1e-3, 0.0),
    ("lenet-textures", "adam", 2e-3, 0.0),
    ("lenet-textures", "adadelta", 1.0, 0.0),
    ("lenet-cifar", "momentum", 0.01, 1e-3),
    ("lenet-cifar", "amsgrad", 1e-3, 0.0),
    ("lenet-shapes", "nadam", 2e-3, 0.0),
    ("lenet-shapes", "momentum", 0.02, 5e-4),
    ("mlp-digits", "adam", 2e-3, 0.0),
    ("mlp-digits", "sgd", 0.1, 0.0),
    ("mlp-digits", "adagrad", 0.03, 0.0),
    ("mlp-textures", "momentum", 0.01, 1e-4),
    ("mlp-textures", "adamax", 3e-3, 0.0),
)
"""Cell, optimiser, rate, decay: rates that a person would take, some of them mediocre."""

SCHEDULES = (
    "residual-textures cosine, residual-textures one-cycle, residual-textures warm-up, residual-textures two-steps, residual-digits exponential, "
    "residual-digits sqrt, residual-cifar cosine, residual-cifar restarts, residual-cifar flat-cosine, tuned-textures warm-up, tuned-textures none, "
    "tuned-cifar triangles, tuned-cifar cosine, tuned-digits two-steps, tuned-digits one-cycle, vgg-textures cosine, vgg-textures linear, "
    "vgg-shapes one-cycle, vgg-shapes exponential, plain-shapes warm-up, plain-textures cosine, lenet-textures restarts, lenet-textures step, "
    "lenet-cifar linear, lenet-cifar one-cycle, lenet-shapes none, lenet-shapes triangles, mlp-textures cosine, mlp-digits step, mlp-digits warm-up"
)
"""Cell and schedule."""

VARIED: tuple[tuple[str, str, Change], ...] = (
    # losses that are right, in other forms
    ("smooth", "residual-textures", {"loss": "smooth"}),
    ("smooth", "tuned-cifar", {"loss": "smooth"}),
    ("log-softmax", "residual-digits", {"loss": "log-softmax"}),
    ("log-softmax", "lenet-textures", {"loss": "log-softmax"}),
    ("focal", "residual-cifar", {"loss": "focal"}),
    ("focal", "lenet-shapes", {"loss": "focal"}),
    ("binary", "vgg-shapes", {"loss": "binary"}),
    ("binary", "residual-textures", {"loss": "binary", "times": 3.0}),
    ("hinge", "lenet-textures", {"loss": "hinge", "times": 0.3}),
    ("hinge", "mlp-digits", {"loss": "hinge", "times": 0.3}),
    # activations, normalisation, depth, width
    ("gelu", "residual-textures", {"activation": "gelu"}),
    ("silu", "vgg-textures", {"activation": "silu"}),
    ("elu", "plain-shapes", {"activation": "elu"}),
    ("leaky", "residual-cifar", {"activation": "leaky"}),
    ("tanh", "lenet-textures", {"activation": "tanh", "init": "xavier"}),
    ("tanh", "mlp-digits", {"activation": "tanh"}),
    ("tanh", "residual-digits", {"activation": "tanh"}),
    ("sigmoid", "mlp-digits", {"activation": "sigmoid", "times": 5.0}),
    ("silu", "lenet-shapes", {"activation": "silu"}),
    ("elu", "mlp-textures", {"activation": "elu"}),
    ("group", "residual-textures", {"norm": "group"}),
    ("group", "vgg-shapes", {"norm": "group"}),
    ("group", "residual-cifar", {"norm": "group"}),
    ("no-norm", "residual-textures", {"norm": "none", "times": 0.2, "epochs": 5}),
    ("no-norm", "residual-digits", {"norm": "none", "times": 0.3}),
    ("deep", "residual-textures", {"depth": 2, "epochs": 3}),
    ("deep", "vgg-shapes", {"depth": 2}),
    ("deep", "mlp-digits", {"depth": 4}),
    ("wide", "residual-digits", {"width": 12, "epochs": 2}),
    ("wide", "mlp-textures", {"width": 30}),
    ("wide", "lenet-cifar", {"width": 16}),
    ("narrow", "residual-textures", {"width": 4, "epochs": 6}),
    ("narrow", "lenet-textures", {"width": 4, "epochs": 12}),
    ("narrow", "vgg-textures", {"width": 4}),
    # initial weights that are not the default and work
    ("he", "residual-textures", {"init": "he"}),
    ("he", "lenet-shapes", {"init": "he"}),
    ("xavier", "vgg-shapes", {"init": "xavier"}),
    ("xavier", "mlp-digits", {"init": "xavier"}),
    ("gauss", "residual-cifar", {"init": "normal:0.05"}),
    ("gauss", "lenet-textures", {"init": "normal:0.05"}),
    ("head-zero", "residual-textures", {"init": "head:0.0001"}),
    ("head-zero", "tuned-textures", {"init": "head:0.0001"}),
    # long plateaus, slow but sure, fast and noisy but sure
    ("plateau", "plain-textures", {"init": "default", "rate": 0.03, "epochs": 14}),
    (
        "plateau",
        "plain-shapes",
        {"init": "xavier", "optimizer": "momentum", "rate": 0.006, "schedule": "none", "epochs": 12},
    ),
    ("plateau", "lenet-textures", {"times": 0.3, "epochs": 16}),
    ("slow", "residual-textures", {"times": 0.05, "epochs": 6}),
    ("slow", "residual-cifar", {"times": 0.1, "epochs": 7}),
    ("slow", "tuned-cifar", {"times": 0.3}),
    ("slow", "tuned-digits", {"times": 0.3, "epochs": 9}),
    ("slow", "mlp-textures", {"times": 0.3, "epochs": 30}),
    ("slow", "mlp-digits", {"times": 0.1, "epochs": 20}),
    ("slow", "lenet-shapes", {"times": 0.3, "epochs": 12}),
    ("slow", "vgg-shapes", {"times": 0.1, "epochs": 6}),
    ("fast", "residual-textures", {"times": 6.0, "epochs": 6}),
    ("fast", "residual-digits", {"times": 3.0}),
    ("fast", "tuned-digits", {"times": 8.0}),
    ("fast", "lenet-textures", {"times": 2.5}),
    ("fast", "mlp-digits", {"times": 5.0}),
    ("fast", "vgg-textures", {"times": 5.0}),
    # dropout and augmentation
    ("dropout", "residual-textures", {"dropout": 0.3}),
    ("dropout", "tuned-cifar", {"dropout": 0.5}),
    ("dropout", "lenet-textures", {"dropout": 0.5, "epochs": 10}),
    ("dropout", "mlp-digits", {"dropout": 0.5, "width": 20}),
    ("dropout", "vgg-shapes", {"dropout": 0.6}),
    ("dropout", "lenet-cifar", {"dropout": 0.5}),
    ("crop", "residual-textures", {"augment": "crop"}),
    ("crop-flip", "residual-cifar", {"augment": "crop-flip", "epochs": 6}),
    ("crop-flip", "tuned-cifar", {"augment": "crop-flip"}),
    ("crop-flip", "vgg-shapes", {"augment": "crop-flip"}),
    ("cutout", "residual-textures", {"augment": "cutout"}),
    ("cutout", "residual-cifar", {"augment": "cutout", "epochs": 6}),
    ("cutout", "lenet-shapes", {"augment": "cutout", "epochs": 10}),
    ("bright", "residual-digits", {"augment": "bright"}),
    ("bright", "lenet-cifar", {"augment": "bright", "epochs": 10}),
    ("turn", "vgg-shapes", {"augment": "turn", "epochs": 6}),
    # inputs that are not standardised and fine
    ("imagenet", "residual-cifar", {"inputs": "imagenet"}),
    ("imagenet", "tuned-cifar", {"inputs": "imagenet"}),
    ("imagenet", "lenet-textures", {"inputs": "imagenet", "epochs": 10}),
    ("per-image", "residual-textures", {"inputs": "per-image"}),
    ("per-image", "lenet-cifar", {"inputs": "per-image"}),
    ("minus-one", "vgg-textures", {"inputs": "minus-one"}),
    ("minus-one", "lenet-shapes", {"inputs": "minus-one"}),
    ("zero-one", "residual-digits", {"inputs": "zero-one"}),
    ("zero-one", "mlp-digits", {"inputs": "zero-one"}),
    ("zero-one", "vgg-shapes", {"inputs": "zero-one"}),
    ("raw-under-norm", "residual-digits", {"inputs": "raw"}),
    ("raw-under-norm", "vgg-shapes", {"inputs": "raw"}),
    # few images, noise that does no harm, classes that are unequal and handled well
    ("few", "residual-digits", {"keep": 300, "epochs": 8}),
    ("few", "tuned-textures", {"keep": 320, "epochs": 10}),
    ("few", "mlp-digits", {"keep": 250, "epochs": 25}),
    ("few", "residual-textures", {"keep": 320, "epochs": 9}),
    ("few-regular", "lenet-shapes", {"keep": 400, "dropout": 0.3, "augment": "crop-flip", "epochs": 16}),
    ("noise", "residual-textures", {"labels": "noisy:0.05"}),
    ("noise", "tuned-digits", {"labels": "noisy:0.08"}),
    ("noise", "lenet-shapes", {"labels": "neighbour:0.05"}),
    ("noise", "mlp-digits", {"labels": "noisy:0.1", "epochs": 7}),
    ("rare", "residual-textures", {"labels": "rare:3"}),
    ("rare", "vgg-shapes", {"labels": "rare:3"}),
    ("rare", "tuned-digits", {"labels": "rare:3"}),
    ("rare-weighted", "residual-textures", {"labels": "rare:6", "balance": "weighted", "epochs": 7}),
    ("rare-weighted", "mlp-digits", {"labels": "rare:6", "balance": "weighted", "epochs": 14}),
    ("rare-sampled", "residual-digits", {"labels": "rare:6", "balance": "sampled", "epochs": 5}),
    ("rare-sampled", "lenet-shapes", {"labels": "rare:5", "balance": "sampled", "epochs": 10}),
    ("one-large-sampled", "vgg-shapes", {"labels": "one-large:3", "balance": "sampled", "epochs": 10}),
    # tiny validation parts, two classes
    ("tiny-valid", "residual-textures", {"valid_keep": 24}),
    ("tiny-valid", "residual-cifar", {"valid_keep": 40}),
    ("tiny-valid", "tuned-digits", {"valid_keep": 20}),
    ("tiny-valid", "lenet-shapes", {"valid_keep": 30}),
    ("tiny-valid", "mlp-digits", {"valid_keep": 20}),
    ("two-classes", "residual-textures", {"data": "two-textures", "epochs": 3}),
    ("two-classes", "lenet-textures", {"data": "two-textures", "epochs": 5}),
    # batches and accumulation
    ("batch-8", "residual-digits", {"batch": 8, "accumulate": 4, "epochs": 2}),
    ("batch-8", "lenet-textures", {"batch": 8, "times": 0.2, "epochs": 5}),
    ("batch-4", "mlp-digits", {"batch": 4, "times": 0.1, "epochs": 4}),
    ("batch-16", "vgg-shapes", {"batch": 16, "times": 0.5, "epochs": 3}),
    ("batch-200", "residual-textures", {"batch": 200, "times": 3.0, "epochs": 6}),
    ("batch-200", "mlp-digits", {"batch": 200, "times": 3.0, "epochs": 25}),
    ("batch-160", "lenet-cifar", {"batch": 160, "times": 3.0, "epochs": 14}),
    ("accumulate-8", "lenet-shapes", {"batch": 8, "accumulate": 8, "times": 2.0, "epochs": 7}),
    ("accumulate-4", "tuned-cifar", {"batch": 8, "accumulate": 4, "epochs": 5}),
    # clipping and decay that are usual
    ("clip", "residual-textures", {"clip": 1.0}),
    ("clip", "lenet-textures", {"clip": 1.0}),
    ("clip", "plain-textures", {"clip": 0.5}),
    ("decay-none", "residual-textures", {"decay": 0.0}),
    ("decay-some", "vgg-textures", {"decay": 5e-3}),
    ("decay-some", "mlp-digits", {"decay": 1e-2}),
    ("decay-some", "residual-digits", {"decay": 0.3}),
    # parts that are frozen on purpose
    ("frozen-body", "tuned-textures", {"freeze": "body", "times": 3.0, "epochs": 8}),
    ("frozen-body", "tuned-digits", {"freeze": "body", "times": 5.0, "epochs": 8}),
    ("frozen-body", "tuned-cifar", {"freeze": "body", "times": 5.0}),
    ("frozen-first", "tuned-textures", {"freeze": "first", "epochs": 6}),
    ("frozen-first", "tuned-cifar", {"freeze": "first"}),
    ("frozen-statistics", "tuned-digits", {"freeze": "statistics"}),
    ("frozen-statistics", "tuned-textures", {"freeze": "statistics"}),
    ("fresh", "tuned-textures", {"init": "fresh", "times": 3.0}),
    ("fresh", "tuned-digits", {"init": "fresh", "times": 3.0}),
    ("one-rate", "tuned-textures", {"head_times": 1.0, "times": 3.0}),
    ("small-body-rate", "tuned-cifar", {"times": 0.1, "head_times": 50.0}),
)
"""Name, cell, what is chosen otherwise."""

MIXED: tuple[tuple[str, str, Change], ...] = (
    (
        "modern",
        "residual-cifar",
        {"optimizer": "adamw", "decay": 0.05, "loss": "smooth", "augment": "cutout", "activation": "gelu"},
    ),
    (
        "modern",
        "vgg-shapes",
        {"optimizer": "adamw", "decay": 0.05, "schedule": "cosine", "loss": "smooth", "activation": "silu"},
    ),
    (
        "classic",
        "residual-digits",
        {"optimizer": "momentum", "rate": 0.05, "schedule": "two-steps", "init": "he", "decay": 1e-4},
    ),
    (
        "classic",
        "lenet-cifar",
        {"optimizer": "momentum", "rate": 0.01, "schedule": "two-steps", "activation": "tanh", "init": "xavier"},
    ),
    ("student", "mlp-textures", {"optimizer": "sgd", "rate": 0.05, "inputs": "zero-one", "epochs": 20}),
    (
        "student",
        "lenet-textures",
        {"optimizer": "adam", "rate": 1e-3, "schedule": "none", "inputs": "zero-one", "batch": 64, "epochs": 10},
    ),
    ("student", "residual-textures", {"optimizer": "adam", "rate": 1e-3, "inputs": "zero-one", "decay": 0.0}),
    ("careful", "tuned-digits", {"dropout": 0.3, "augment": "crop", "schedule": "one-cycle", "clip": 1.0, "epochs": 7}),
    ("careful", "lenet-shapes", {"dropout": 0.2, "loss": "smooth", "schedule": "linear", "clip": 1.0}),
    ("noisy-regular", "residual-textures", {"labels": "noisy:0.1", "loss": "smooth", "augment": "crop"}),
    ("focal-rare", "residual-textures", {"labels": "rare:5", "loss": "focal", "epochs": 6}),
    ("heavy", "vgg-textures", {"dropout": 0.5, "augment": "cutout", "decay": 2e-3, "epochs": 8}),
    ("heavy", "residual-cifar", {"dropout": 0.4, "augment": "crop-flip", "loss": "smooth", "decay": 1e-3, "epochs": 6}),
)
"""Several choices at once."""

OTHER_LOOPS = (
    "residual-textures face, residual-textures learner, residual-digits lightning, residual-cifar lightning, tuned-textures face, "
    "tuned-cifar lightning, vgg-shapes lightning, lenet-textures face, lenet-textures lightning, lenet-cifar learner, mlp-digits lightning, mlp-digits face"
)
"""Cell and the style it is written in instead."""


def _all() -> Iterator[tuple[str, str, Change]]:
    for cell, optimizer, rate, decay in OPTIMIZERS:
        yield f"optimizer-{optimizer}", cell, {"optimizer": optimizer, "rate": rate, "decay": decay, "head_times": 1.0}
    for pair in SCHEDULES.split(", "):
        cell, schedule = pair.split()
        yield f"schedule-{schedule}", cell, {"schedule": schedule}
    yield from VARIED
    yield from MIXED
    for pair in OTHER_LOOPS.split(", "):
        cell, style = pair.split()
        yield f"style-{style}", cell, {"style": style, "accumulate": 1, "batch": 32}


def healthy() -> list[Program]:
    """All healthy programs of the held-out part, the twins first."""
    made = [Program(f"base-held-{name}", setup=setup, held=True) for name, setup in CELLS.items()]
    for name, cell, change in _all():
        setup = replace(CELLS[cell], **change)  # type: ignore[arg-type]
        made.append(Program(f"fine-held-{name}-{cell}", setup=setup, base=f"held-{cell}", held=True))
    return made
