"""Healthy trainings of the unseen part, spread wide: good and mediocre choices that work, and what looks odd and is not wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from held.kind import Change
from programs import Program
from unseen.cells import CELLS

OPTIMIZERS: tuple[tuple[str, str, float, float], ...] = (
    ("squeeze-flags", "adam", 5e-3, 0.0),
    ("squeeze-outdoors", "momentum", 0.05, 5e-4),
    ("shuffle-waves", "momentum", 0.05, 1e-4),
    ("shuffle-waves", "adadelta", 1.0, 0.0),
    ("shuffle-stars", "adamw", 5e-3, 0.02),
    ("mixer-quadrants", "nadam", 2e-3, 0.0),
    ("mixer-quadrants", "momentum", 0.05, 0.0),
    ("strided-strokes", "adam", 3e-3, 0.0),
    ("strided-clouds", "rmsprop", 1e-3, 0.0),
    ("maxout-strokes", "adam", 1e-3, 0.0),
    ("maxout-strokes", "adagrad", 0.02, 0.0),
    ("maxout-strokes", "nesterov", 0.01, 1e-4),
    ("maxout-quadrants", "asgd", 0.05, 0.0),
    ("smooth-clouds", "sgd", 0.2, 0.0),
    ("smooth-clouds", "momentum", 0.03, 0.0),
    ("tower-stars", "amsgrad", 3e-3, 0.0),
    ("dilated-strokes", "amsgrad", 3e-3, 0.0),
    ("dilated-blocks", "nadam", 3e-3, 0.0),
    ("gated-clouds", "momentum", 0.05, 0.0),
    ("attend-clouds", "adam", 2e-3, 0.0),
    ("borrowed-faces", "momentum", 0.05, 0.0),
)
"""Cell, optimiser, rate, decay: rates that a person would take, some of them mediocre."""

SCHEDULES: tuple[tuple[str, str, str], ...] = (
    ("squeeze-flags", "one-cycle", "batch"),
    ("squeeze-outdoors", "flat-cosine", "batch"),
    ("shuffle-waves", "halves", "epoch"),
    ("mixer-quadrants", "none", "batch"),
    ("strided-strokes", "trapezium", "batch"),
    ("maxout-strokes", "cosine", "epoch"),
    ("maxout-strokes", "warm-up", "batch"),
    ("maxout-quadrants", "restarts", "batch"),
    ("smooth-clouds", "inverse", "batch"),
    ("tower-stars", "linear", "batch"),
    ("gated-clouds", "exponential", "epoch"),
    ("attend-clouds", "linear", "batch"),
    ("borrowed-faces", "one-cycle", "batch"),
)
"""Cell, schedule, after what it is stepped."""

VARIED: tuple[tuple[str, str, Change], ...] = (
    # very short ones and longer ones
    ("short", "shuffle-waves", {"epochs": 2, "batch": 24}),
    ("short", "maxout-quadrants", {"epochs": 1, "batch": 40}),
    ("short", "maxout-strokes", {"epochs": 2, "batch": 25}),
    ("short", "mixer-quadrants", {"epochs": 3, "batch": 20}),
    ("long", "maxout-strokes", {"epochs": 40}),
    ("long", "maxout-quadrants", {"epochs": 25, "dropout": 0.4}),
    # losses that are right, in other forms
    ("own", "maxout-strokes", {"loss": "own"}),
    ("squared-hinge", "maxout-strokes", {"loss": "squared-hinge", "times": 0.5}),
    ("binary", "maxout-quadrants", {"loss": "binary"}),
    ("some-smooth", "tower-stars", {"loss": "some-smooth"}),
    ("smooth", "attend-clouds", {"loss": "smooth"}),
    ("log-softmax", "strided-strokes", {"loss": "log-softmax"}),
    ("squares", "shuffle-waves", {"loss": "squares-of-scores"}),
    # activations, normalisation, depth, width
    ("gelu", "squeeze-flags", {"activation": "gelu"}),
    ("silu", "shuffle-waves", {"activation": "silu"}),
    ("leaky", "strided-clouds", {"activation": "leaky"}),
    ("tanh", "strided-strokes", {"activation": "tanh", "init": "glorot"}),
    ("relu", "dilated-blocks", {"activation": "relu"}),
    ("group-norm", "tower-outdoors", {"norm": "group"}),
    ("batch-norm", "smooth-clouds", {"norm": "batch"}),
    ("no-norm", "smooth-clouds", {"norm": "none", "times": 0.5}),
    ("quick-statistics", "shuffle-waves", {"norm_momentum": 0.4}),
    ("deep", "maxout-strokes", {"depth": 3}),
    ("wide", "maxout-strokes", {"wide": 24}),
    ("narrow", "shuffle-waves", {"wide": 4, "epochs": 9}),
    ("narrow", "maxout-quadrants", {"wide": 2}),
    # initial weights that are not the default and work
    ("orthogonal", "strided-strokes", {"init": "orthogonal"}),
    ("orthogonal", "maxout-strokes", {"init": "orthogonal"}),
    ("glorot", "mixer-quadrants", {"init": "glorot"}),
    ("truncated", "attend-clouds", {"init": "truncated"}),
    ("head-zero", "shuffle-waves", {"init": "head:1e-5"}),
    ("head-zero", "maxout-quadrants", {"init": "head:1e-5"}),
    # slow but sure, fast and unsteady but sure
    ("slow", "maxout-strokes", {"times": 0.1, "epochs": 20}),
    ("slow", "mixer-quadrants", {"times": 0.2}),
    ("slow", "smooth-clouds", {"times": 0.2}),
    ("slow", "squeeze-outdoors", {"times": 0.15}),
    ("slow", "borrowed-faces", {"times": 0.15, "epochs": 20}),
    ("fast", "maxout-strokes", {"times": 4.0}),
    ("fast", "squeeze-flags", {"times": 4.0}),
    ("fast", "maxout-quadrants", {"times": 5.0}),
    # dropout and augmentation
    ("dropout", "maxout-strokes", {"dropout": 0.5}),
    ("dropout", "shuffle-waves", {"dropout": 0.3}),
    ("moved", "squeeze-flags", {"augment": "moved"}),
    ("moved-far", "smooth-clouds", {"augment": "moved-far"}),
    ("colours", "tower-stars", {"augment": "colours"}),
    ("cutout", "tower-outdoors", {"augment": "cutout"}),
    ("some-noise", "maxout-strokes", {"augment": "some-noise"}),
    ("turn", "shuffle-waves", {"augment": "turn"}),
    # inputs that are not standardised and fine
    ("zero-one", "shuffle-waves", {"inputs": "zero-one"}),
    ("zero-one", "maxout-quadrants", {"inputs": "zero-one"}),
    ("quarter", "squeeze-flags", {"inputs": "quarter"}),
    ("ranked", "shuffle-stars", {"inputs": "ranked"}),
    ("ranked", "maxout-strokes", {"inputs": "ranked"}),
    ("minus-one", "strided-strokes", {"inputs": "minus-one"}),
    ("per-image", "smooth-clouds", {"inputs": "per-image"}),
    ("negative", "maxout-strokes", {"inputs": "negative"}),
    ("whole", "tower-stars", {"inputs": "whole"}),
    # few images, noise that does no harm, classes that are unequal and handled well
    ("few", "maxout-strokes", {"keep": 200, "epochs": 25}),
    ("few", "shuffle-waves", {"keep": 250, "epochs": 14, "schedule": "cosine"}),
    ("few", "mixer-quadrants", {"keep": 300, "epochs": 14}),
    ("noise", "maxout-strokes", {"labels": "noisy:0.06"}),
    ("noise", "squeeze-flags", {"labels": "noisy:0.08"}),
    ("noise", "smooth-clouds", {"labels": "neighbour:0.06"}),
    ("rare", "maxout-strokes", {"labels": "rare:3"}),
    ("rare", "shuffle-waves", {"labels": "steps:0.8", "epochs": 9}),
    ("rare-weighted", "maxout-strokes", {"labels": "rare:5", "balance": "weighted", "epochs": 14}),
    ("rare-sampled", "squeeze-flags", {"labels": "rare:4", "balance": "sampled", "epochs": 14}),
    ("first-weighted", "maxout-quadrants", {"labels": "first-only:3", "balance": "weighted"}),
    # tiny validation parts
    ("tiny-valid", "maxout-strokes", {"valid_keep": 20}),
    ("tiny-valid", "squeeze-outdoors", {"valid_keep": 25}),
    ("tiny-valid", "shuffle-waves", {"valid_keep": 30}),
    ("tiny-valid", "borrowed-faces", {"valid_keep": 16}),
    # batches, clipping, decay and penalties that are usual
    ("batch-4", "maxout-strokes", {"batch": 4, "times": 0.2, "epochs": 2}),
    ("batch-8", "shuffle-waves", {"batch": 8, "times": 0.3, "epochs": 4}),
    ("batch-100", "maxout-quadrants", {"batch": 100, "times": 2.0}),
    ("clip", "mixer-quadrants", {"clip": 1.0}),
    ("l1", "maxout-strokes", {"l1": 2e-5}),
    ("decay-some", "mixer-quadrants", {"decay": 0.3}),
    # a body that is changed slowly, and one that was never trained and is now
    ("body-slower", "borrowed-tinted", {"times": 0.5, "head_times": 6.0}),
    ("fresh", "borrowed-faces", {"init": "fresh", "epochs": 20}),
    # what is not told to the watcher
    ("told-loss", "maxout-strokes", {"told": "l"}),
    ("told-scores", "shuffle-waves", {"told": "lot"}),
    ("told-scores", "maxout-quadrants", {"told": "ot"}),
    ("told-inputs", "smooth-clouds", {"told": "li"}),
)
"""Name, cell, what is chosen otherwise."""

OTHER_LOOPS = (
    "squeeze-flags gradients, shuffle-waves micro, maxout-strokes halves, maxout-quadrants tidy, smooth-clouds patience, "
    "mixer-quadrants loader, borrowed-faces trainer"
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
        yield f"style-{style}", cell, {"style": style}


def healthy() -> list[Program]:
    """All healthy programs of the unseen part, the twins first."""
    made = [Program(f"base-unseen-{name}", setup=setup, held=True) for name, setup in CELLS.items()]
    for name, cell, change in _all():
        setup = replace(CELLS[cell], **change)  # type: ignore[arg-type]
        made.append(Program(f"fine-unseen-{name}-{cell}", setup=setup, base=f"unseen-{cell}", held=True))
    return made
