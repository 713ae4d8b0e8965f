"""Healthy trainings of the fresh part, spread wide: good and mediocre choices that work, and what looks odd and is not wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fresh.cells import CELLS
from held.kind import Change
from programs import Program

OPTIMIZERS: tuple[tuple[str, str, float, float], ...] = (
    ("mobile-gratings", "adam", 3e-3, 0.0),
    ("mobile-gratings", "sgd", 0.2, 1e-4),
    ("mobile-animals", "momentum", 0.05, 5e-4),
    ("mobile-animals", "radam", 8e-3, 0.0),
    ("next-scenes", "adam", 2e-3, 0.0),
    ("next-scenes", "nadam", 2e-3, 0.0),
    ("next-gratings", "adamax", 0.01, 0.0),
    ("plain-blobs", "adam", 3e-3, 0.0),
    ("plain-blobs", "nesterov", 0.03, 1e-4),
    ("plain-canvas", "adamw", 5e-3, 0.05),
    ("plain-canvas", "rmsprop", 1.5e-3, 0.0),
    ("dense-glyphs", "momentum", 0.1, 1e-4),
    ("dense-glyphs", "adagrad", 0.03, 0.0),
    ("dense-lesions", "momentum", 0.03, 0.0),
    ("inception-animals", "momentum", 0.03, 5e-4),
    ("inception-animals", "amsgrad", 4e-3, 0.0),
    ("inception-many", "nesterov", 0.15, 0.0),
    ("group-polylines", "momentum", 0.03, 0.0),
    ("group-polylines", "sgd", 0.1, 0.0),
    ("group-scenes", "adam", 1e-3, 0.0),
    ("bottleneck-blobs", "adamw", 4e-3, 0.01),
    ("bottleneck-blobs", "adadelta", 1.0, 0.0),
    ("bottleneck-pairs", "adam", 3e-3, 0.0),
    ("old-canvas", "adam", 2e-3, 0.0),
    ("old-glyphs", "asgd", 0.1, 0.0),
    ("old-glyphs", "adagrad", 0.02, 0.0),
    ("probe-polylines", "momentum", 0.1, 0.0),
    ("probe-canvas", "adam", 0.02, 0.0),
    ("perceptron-pairs", "adam", 2e-3, 0.0),
    ("perceptron-many", "momentum", 0.03, 1e-3),
    ("alex-animals", "nesterov", 0.01, 5e-4),
    ("alex-gratings", "adam", 1e-3, 0.0),
)
"""Cell, optimiser, rate, decay: rates that a person would take, some of them mediocre."""

SCHEDULES: tuple[tuple[str, str, str], ...] = (
    ("mobile-gratings", "one-cycle", "batch"),
    ("mobile-gratings", "halves", "epoch"),
    ("mobile-animals", "polynomial", "batch"),
    ("next-scenes", "none", "batch"),
    ("plain-blobs", "warm-up", "batch"),
    ("plain-blobs", "cosine", "epoch"),
    ("plain-canvas", "triangles", "batch"),
    ("dense-glyphs", "flat-cosine", "batch"),
    ("dense-lesions", "restarts", "batch"),
    ("inception-animals", "late-drop", "batch"),
    ("inception-many", "one-cycle", "batch"),
    ("group-polylines", "exponential", "epoch"),
    ("group-scenes", "warm-cosine", "batch"),
    ("bottleneck-blobs", "sqrt", "batch"),
    ("bottleneck-pairs", "two-steps", "batch"),
    ("old-canvas", "cosine-floor", "epoch"),
    ("perceptron-pairs", "restarts", "batch"),
    ("alex-animals", "one-cycle", "batch"),
    ("alex-gratings", "polynomial", "epoch"),
)
"""Cell, schedule, after what it is stepped."""

VARIED: tuple[tuple[str, str, Change], ...] = (
    # very short ones, 15 to 40 updates, and longer ones
    ("short", "mobile-gratings", {"epochs": 1, "batch": 24, "schedule": "none"}),
    ("short", "next-scenes", {"epochs": 1, "batch": 20, "accumulate": 1, "schedule": "linear"}),
    ("short", "bottleneck-blobs", {"epochs": 1, "batch": 25}),
    ("short", "perceptron-pairs", {"epochs": 1, "batch": 30}),
    ("short", "probe-polylines", {"epochs": 3, "batch": 10, "accumulate": 1}),
    ("short", "group-polylines", {"epochs": 4, "times": 2.0}),
    ("short", "dense-lesions", {"epochs": 1, "batch": 25}),
    ("short", "alex-gratings", {"epochs": 2, "batch": 40, "times": 1.5}),
    ("long", "perceptron-pairs", {"epochs": 30}),
    ("long", "old-glyphs", {"epochs": 15}),
    ("long", "group-polylines", {"epochs": 45, "times": 0.5}),
    ("long", "alex-animals", {"epochs": 20, "dropout": 0.5}),
    # losses that are right, in other forms
    ("poly", "mobile-animals", {"loss": "poly"}),
    ("some-smooth", "bottleneck-blobs", {"loss": "some-smooth"}),
    ("some-smooth", "next-gratings", {"loss": "some-smooth"}),
    ("smooth", "dense-glyphs", {"loss": "smooth"}),
    ("log-softmax", "inception-animals", {"loss": "log-softmax"}),
    ("focal", "plain-blobs", {"loss": "focal"}),
    ("focal", "mobile-gratings", {"loss": "focal"}),
    ("binary", "alex-animals", {"loss": "binary"}),
    ("hinge", "perceptron-pairs", {"loss": "hinge", "times": 0.3}),
    ("squares", "bottleneck-pairs", {"loss": "squares-of-scores"}),
    ("squares", "mobile-gratings", {"loss": "squares-of-scores"}),
    # activations, normalisation, depth, width
    ("silu", "mobile-gratings", {"activation": "silu"}),
    ("gelu", "bottleneck-blobs", {"activation": "gelu"}),
    ("elu", "alex-gratings", {"activation": "elu"}),
    ("tanh", "inception-animals", {"activation": "tanh"}),
    ("tanh", "plain-blobs", {"activation": "tanh", "init": "glorot"}),
    ("relu", "plain-blobs", {"activation": "relu"}),
    ("relu", "old-canvas", {"activation": "relu"}),
    ("sigmoid", "perceptron-many", {"activation": "sigmoid", "times": 2.0}),
    ("group-norm", "mobile-animals", {"norm": "group"}),
    ("group-norm", "bottleneck-pairs", {"norm": "group"}),
    ("layer-norm", "group-scenes", {"norm": "layer"}),
    ("batch-norm", "plain-canvas", {"norm": "batch"}),
    ("batch-norm", "group-polylines", {"norm": "batch"}),
    ("no-norm", "inception-animals", {"norm": "none", "times": 0.5}),
    ("no-norm", "perceptron-many", {"norm": "none", "times": 0.5}),
    ("quick-statistics", "dense-glyphs", {"norm_momentum": 0.3}),
    ("slow-statistics", "mobile-gratings", {"norm_momentum": 0.03}),
    ("deep", "mobile-gratings", {"depth": 3}),
    ("deep", "next-scenes", {"depth": 2, "epochs": 4}),
    ("deep", "perceptron-pairs", {"depth": 5}),
    ("wide", "old-glyphs", {"wide": 16}),
    ("wide", "perceptron-many", {"wide": 40}),
    ("narrow", "dense-glyphs", {"wide": 8, "epochs": 10}),
    ("narrow", "bottleneck-blobs", {"wide": 4, "epochs": 5}),
    # initial weights that are not the default and work
    ("orthogonal", "old-canvas", {"init": "orthogonal"}),
    ("orthogonal", "alex-animals", {"init": "orthogonal"}),
    ("truncated", "next-gratings", {"init": "truncated", "times": 1.5, "epochs": 6}),
    ("glorot", "dense-glyphs", {"init": "glorot"}),
    ("he", "bottleneck-blobs", {"init": "he"}),
    ("uniform", "inception-animals", {"init": "uniform:0.1"}),
    ("head-zero", "mobile-gratings", {"init": "head:1e-5"}),
    ("head-zero", "plain-canvas", {"init": "head:1e-5", "epochs": 8}),
    # long plateaus, slow but sure, fast and unsteady but sure
    ("plateau", "plain-blobs", {"init": "glorot", "times": 0.5, "epochs": 9}),
    ("plateau", "alex-gratings", {"init": "default", "epochs": 14}),
    ("plateau", "group-scenes", {"times": 0.3, "epochs": 7}),
    ("slow", "dense-glyphs", {"times": 0.4, "epochs": 11}),
    ("slow", "mobile-animals", {"times": 0.15}),
    ("slow", "old-canvas", {"times": 0.3, "epochs": 18}),
    ("slow", "perceptron-many", {"times": 0.15, "epochs": 18}),
    ("slow", "probe-canvas", {"times": 0.2, "epochs": 9}),
    ("slow", "bottleneck-pairs", {"times": 0.15, "epochs": 6}),
    ("fast", "mobile-gratings", {"times": 5.0}),
    ("fast", "bottleneck-blobs", {"times": 4.0, "epochs": 5}),
    ("fast", "perceptron-pairs", {"times": 6.0}),
    ("fast", "inception-animals", {"times": 5.0}),
    ("fast", "old-glyphs", {"times": 3.0}),
    # dropout and augmentation
    ("dropout", "plain-blobs", {"dropout": 0.2, "epochs": 7}),
    ("dropout", "alex-gratings", {"dropout": 0.5, "epochs": 10}),
    ("dropout", "inception-many", {"dropout": 0.3}),
    ("dropout", "perceptron-pairs", {"dropout": 0.6, "wide": 20}),
    ("moved", "dense-glyphs", {"augment": "moved", "epochs": 9}),
    ("moved", "bottleneck-pairs", {"augment": "crop", "epochs": 5}),
    ("moved-far", "group-polylines", {"augment": "moved-far", "epochs": 30}),
    ("moved-mirror", "mobile-animals", {"augment": "moved-mirror", "epochs": 7}),
    ("colours", "next-scenes", {"augment": "colours"}),
    ("colours", "mobile-gratings", {"augment": "colours"}),
    ("cutout", "alex-animals", {"augment": "cutout", "epochs": 14}),
    ("some-noise", "plain-blobs", {"augment": "some-noise", "epochs": 8}),
    ("turn", "plain-blobs", {"augment": "turn"}),
    ("mirror", "group-scenes", {"augment": "mirror"}),
    # inputs that are not standardised and fine
    ("imagenet", "mobile-animals", {"inputs": "imagenet"}),
    ("zero-one", "mobile-gratings", {"inputs": "zero-one"}),
    ("zero-one", "bottleneck-pairs", {"inputs": "zero-one"}),
    ("minus-one", "dense-glyphs", {"inputs": "minus-one"}),
    ("minus-one", "alex-animals", {"inputs": "minus-one"}),
    ("centred", "perceptron-many", {"inputs": "centred"}),
    ("per-image", "next-scenes", {"inputs": "per-image"}),
    ("negative", "old-canvas", {"inputs": "negative"}),
    ("raw-under-norm", "mobile-gratings", {"inputs": "raw"}),
    # few images, noise that does no harm, classes that are unequal and handled well
    ("few", "next-scenes", {"keep": 200, "epochs": 9}),
    ("few", "bottleneck-pairs", {"keep": 300, "epochs": 10}),
    ("few", "perceptron-pairs", {"keep": 200, "epochs": 25, "dropout": 0.4}),
    ("noise", "mobile-gratings", {"labels": "noisy:0.06"}),
    ("noise", "dense-glyphs", {"labels": "noisy:0.08"}),
    ("noise", "perceptron-pairs", {"labels": "neighbour:0.05"}),
    ("rare", "bottleneck-blobs", {"labels": "rare:3", "epochs": 5}),
    ("rare", "next-scenes", {"labels": "steps:0.7", "epochs": 7}),
    ("rare-weighted", "mobile-gratings", {"labels": "rare:5", "balance": "weighted", "epochs": 8}),
    ("rare-sampled", "perceptron-pairs", {"labels": "rare:6", "balance": "sampled", "epochs": 18}),
    ("natural-sampled", "dense-lesions", {"balance": "sampled"}),
    ("natural-focal", "dense-lesions", {"balance": "none", "loss": "focal", "epochs": 8}),
    # tiny validation parts
    ("tiny-valid", "mobile-animals", {"valid_keep": 20}),
    ("tiny-valid", "bottleneck-blobs", {"valid_keep": 25}),
    ("tiny-valid", "old-canvas", {"valid_keep": 30}),
    ("tiny-valid", "probe-polylines", {"valid_keep": 16}),
    # batches and accumulation
    ("batch-4", "old-canvas", {"batch": 4, "times": 0.15, "epochs": 3}),
    ("batch-8", "mobile-gratings", {"batch": 8, "times": 0.4, "epochs": 3}),
    ("batch-128", "perceptron-pairs", {"batch": 125, "times": 2.0, "epochs": 25}),
    ("batch-128", "alex-animals", {"batch": 128, "times": 2.0, "epochs": 16}),
    ("accumulate-6", "next-scenes", {"batch": 5, "accumulate": 6, "epochs": 6}),
    # clipping, decay and penalties that are usual
    ("clip", "bottleneck-pairs", {"clip": 1.0}),
    ("clip", "alex-gratings", {"clip": 2.0}),
    ("l1", "perceptron-many", {"l1": 2e-5}),
    ("decay-some", "plain-blobs", {"decay": 3e-3}),
    ("decay-some", "next-gratings", {"decay": 0.3}),
    # a body that is trained on, one that is frozen and small, one that was never trained and is now
    ("thawed", "probe-canvas", {"freeze": False, "times": 0.3, "epochs": 5}),
    ("thawed", "probe-polylines", {"freeze": False, "times": 0.1, "epochs": 12}),
    ("fresh", "probe-canvas", {"freeze": False, "init": "fresh", "epochs": 6}),
    # what is not told to the watcher
    ("told-loss", "mobile-gratings", {"told": "l"}),
    ("told-loss", "old-glyphs", {"told": "l"}),
    ("told-scores", "dense-glyphs", {"told": "lot"}),
    ("told-scores", "plain-blobs", {"told": "ot"}),
    ("told-inputs", "alex-animals", {"told": "li"}),
    ("told-little", "bottleneck-blobs", {"told": "lo"}),
)
"""Name, cell, what is chosen otherwise."""

OTHER_LOOPS = (
    "mobile-gratings bare, mobile-animals amp, next-scenes ignite, plain-blobs keras, dense-glyphs stepwise, inception-animals notebook, "
    "group-polylines closure, bottleneck-blobs messy, old-glyphs bare, perceptron-pairs keras, alex-animals accelerate, alex-gratings amp"
)
"""Cell and the style it is written in instead."""


def _all() -> Iterator[tuple[str, str, Change]]:
    for cell, optimizer, rate, decay in OPTIMIZERS:
        yield f"optimizer-{optimizer}", cell, {"optimizer": optimizer, "rate": rate, "decay": decay}
    for cell, schedule, per in SCHEDULES:
        yield f"schedule-{schedule}", cell, {"schedule": schedule, "per": per}
    yield from VARIED
    for pair in OTHER_LOOPS.split(", "):
        cell, style = pair.split()
        yield f"style-{style}", cell, {"style": style, "accumulate": 1, "batch": 20}


def healthy() -> list[Program]:
    """All healthy programs of the fresh part, the twins first."""
    made = [Program(f"base-fresh-{name}", setup=setup, held=True) for name, setup in CELLS.items()]
    for name, cell, change in _all():
        setup = replace(CELLS[cell], **change)  # type: ignore[arg-type]
        made.append(Program(f"fine-fresh-{name}-{cell}", setup=setup, base=f"fresh-{cell}", held=True))
    return made
