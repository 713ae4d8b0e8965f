"""Healthy trainings of the part that is apart, spread wide: good and mediocre choices that work, and what looks odd and is not wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from apart.cells import CELLS
from held.kind import Change
from programs import Program

OPTIMIZERS: tuple[tuple[str, str, float, float], ...] = (
    ("efficient-trio", "momentum", 0.05, 5e-4),
    ("efficient-trio", "lion", 5e-4, 0.1),
    ("efficient-arrows", "adam", 4e-3, 0.0),
    ("branched-weaves", "adam", 3e-3, 0.0),
    ("branched-weaves", "sgd", 0.2, 0.0),
    ("branched-weaves", "adadelta", 1.0, 0.0),
    ("branched-weaves", "lion", 5e-4, 0.0),
    ("branched-kingdoms", "adamw", 3e-3, 0.05),
    ("branched-kingdoms", "rmsprop", 1e-3, 0.0),
    ("highway-parity", "momentum", 0.05, 0.0),
    ("highway-parity", "adamax", 4e-3, 0.0),
    ("highway-beads", "amsgrad", 3e-3, 0.0),
    ("broad-beads", "adam", 3e-3, 0.0),
    ("broad-kingdoms", "adamw", 2e-3, 0.02),
    ("broad-kingdoms", "sgd", 0.2, 1e-4),
    ("voting-arrows", "adamw", 3e-3, 0.01),
    ("voting-arrows", "rmsprop", 1e-3, 0.0),
    ("voting-trio", "adam", 2e-3, 0.0),
    ("voting-trio", "nesterov", 0.01, 5e-4),
    ("response-remainders", "adam", 1e-3, 0.0),
    ("response-clocks", "rmsprop", 1e-3, 0.0),
    ("weighed-rings", "adam", 2e-3, 0.0),
    ("weighed-mazes", "adamw", 3e-3, 0.02),
    ("weighed-mazes", "nesterov", 0.05, 1e-4),
    ("compact-weaves", "adam", 2e-3, 0.0),
    ("compact-weaves", "nadam", 1e-3, 0.0),
    ("compact-beads", "lion", 3e-4, 0.05),
    ("patches-moons", "momentum", 0.05, 0.0),
    ("patches-weaves", "nadam", 3e-3, 0.0),
    ("patches-weaves", "momentum", 0.1, 1e-4),
    ("handed-stamps", "adam", 3e-3, 0.0),
    ("handed-rings", "momentum", 0.01, 0.0),
    ("lenet-5-parity", "momentum", 0.02, 0.0),
    ("lenet-5-parity", "adagrad", 0.02, 0.0),
    ("lenet-5-parity", "radam", 3e-3, 0.0),
    ("lenet-5-remainders", "adam", 1e-3, 0.0),
    ("lenet-5-remainders", "lion", 2e-4, 0.0),
    ("steady-cluttered", "momentum", 0.02, 1e-4),
    ("steady-clocks", "adamw", 2e-3, 0.01),
    ("sloped-cluttered", "nesterov", 0.01, 1e-4),
    ("sloped-cluttered", "rmsprop", 5e-4, 0.0),
    ("sloped-mazes", "adam", 2e-3, 0.0),
    ("critic-moons", "rmsprop", 3e-3, 0.0),
)
"""Cell, optimiser, rate, decay: rates that a person would take, some of them mediocre."""

SCHEDULES: tuple[tuple[str, str, str], ...] = (
    ("efficient-arrows", "none", "batch"),
    ("efficient-arrows", "third-cosine", "batch"),
    ("branched-weaves", "saw", "batch"),
    ("branched-weaves", "root", "batch"),
    ("branched-weaves", "stairs", "epoch"),
    ("branched-kingdoms", "knee", "batch"),
    ("highway-parity", "slow-start", "batch"),
    ("highway-parity", "cosine", "epoch"),
    ("highway-beads", "none", "batch"),
    ("highway-beads", "polynomial", "batch"),
    ("broad-beads", "linear", "batch"),
    ("broad-beads", "step", "epoch"),
    ("voting-trio", "warm-cosine", "batch"),
    ("voting-trio", "two-steps", "epoch"),
    ("voting-trio", "cycles", "batch"),
    ("response-remainders", "cosine", "batch"),
    ("response-clocks", "knee", "batch"),
    ("weighed-rings", "third-cosine", "batch"),
    ("weighed-mazes", "trapezium", "batch"),
    ("compact-weaves", "slow-start", "batch"),
    ("compact-weaves", "cosine-floor", "batch"),
    ("patches-moons", "stairs", "epoch"),
    ("handed-stamps", "exponential", "epoch"),
    ("handed-rings", "cosine", "epoch"),
    ("lenet-5-parity", "inverse", "batch"),
    ("lenet-5-parity", "restarts", "batch"),
    ("lenet-5-parity", "late-drop", "epoch"),
    ("steady-cluttered", "none", "batch"),
    ("steady-cluttered", "sqrt", "batch"),
    ("sloped-cluttered", "knee", "batch"),
    ("critic-arrows", "third-cosine", "batch"),
)
"""Cell, schedule, after what it is stepped."""

VARIED: tuple[tuple[str, str, Change], ...] = (
    # very short ones and longer ones
    ("short", "branched-weaves", {"epochs": 2}),
    ("short", "patches-weaves", {"epochs": 3}),
    ("short", "handed-stamps", {"epochs": 6, "times": 1.5}),
    ("short", "compact-weaves", {"epochs": 3}),
    ("long", "lenet-5-parity", {"epochs": 40}),
    ("long", "patches-weaves", {"epochs": 16}),
    ("long", "patches-moons", {"epochs": 18}),
    ("long", "sloped-cluttered", {"epochs": 14}),
    # losses that are right, in other forms
    ("divergence", "branched-weaves", {"loss": "divergence"}),
    ("logs-again", "voting-trio", {"loss": "logs-again"}),
    ("logs-again", "sloped-cluttered", {"loss": "logs-again"}),
    ("binary-shares", "steady-clocks", {"loss": "binary-shares"}),
    ("confident-less", "compact-beads", {"loss": "confident-less"}),
    ("generalised", "branched-kingdoms", {"loss": "generalised"}),
    ("smooth", "efficient-trio", {"loss": "smooth"}),
    ("some-smooth", "patches-weaves", {"loss": "some-smooth"}),
    ("focal", "weighed-rings", {"loss": "focal"}),
    ("binary", "highway-parity", {"loss": "binary"}),
    ("squared-hinge", "lenet-5-remainders", {"loss": "squared-hinge", "times": 0.5}),
    ("poly", "broad-beads", {"loss": "poly"}),
    ("own", "steady-cluttered", {"loss": "own"}),
    # activations, normalisation, depth, width
    ("mish", "branched-weaves", {"activation": "mish"}),
    ("hard-swish", "efficient-trio", {"activation": "hard-swish"}),
    ("sloped", "voting-trio", {"activation": "sloped"}),
    ("elu", "response-remainders", {"activation": "elu", "init": "default"}),
    ("selu", "lenet-5-remainders", {"activation": "selu", "times": 0.5}),
    ("relu", "lenet-5-parity", {"activation": "relu"}),
    ("tanh", "steady-clocks", {"activation": "tanh"}),
    ("leaky", "highway-parity", {"activation": "leaky"}),
    ("gelu", "broad-kingdoms", {"activation": "gelu"}),
    ("group-norm", "branched-kingdoms", {"norm": "group"}),
    ("batch-norm", "voting-arrows", {"norm": "batch"}),
    ("batch-norm", "steady-clocks", {"norm": "batch", "activation": "relu"}),
    ("instance-norm", "branched-weaves", {"norm": "instance"}),
    ("layer-norm", "patches-weaves", {"norm": "layer"}),
    ("quick-statistics", "broad-beads", {"norm_momentum": 0.5}),
    ("slow-statistics", "branched-weaves", {"norm_momentum": 0.03}),
    ("deep", "branched-weaves", {"depth": 3}),
    ("deep", "patches-moons", {"depth": 4}),
    ("deep", "compact-weaves", {"depth": 3}),
    ("deep", "highway-parity", {"depth": 3}),
    ("wide", "lenet-5-parity", {"wide": 14}),
    ("wide", "patches-weaves", {"wide": 16}),
    ("narrow", "branched-weaves", {"wide": 4, "epochs": 8}),
    ("narrow", "compact-weaves", {"wide": 4, "epochs": 10}),
    ("narrow", "lenet-5-remainders", {"wide": 3, "epochs": 18}),
    # initial weights that are not the default and work
    ("orthogonal", "voting-trio", {"init": "orthogonal"}),
    ("orthogonal", "sloped-cluttered", {"init": "orthogonal"}),
    ("glorot", "lenet-5-parity", {"init": "glorot"}),
    ("truncated", "compact-weaves", {"init": "truncated"}),
    ("he", "branched-weaves", {"init": "he"}),
    ("he", "sloped-cluttered", {"init": "he"}),
    ("head-zero", "branched-kingdoms", {"init": "head:1e-5"}),
    ("head-zero", "steady-clocks", {"init": "head:1e-5"}),
    ("head-zero", "handed-rings", {"init": "head:1e-4"}),
    # long plateaus, slow but sure, fast and unsteady but sure
    ("plateau", "sloped-mazes", {"times": 0.7, "epochs": 12}),
    ("plateau", "lenet-5-parity", {"times": 0.3, "epochs": 24}),
    ("plateau", "response-remainders", {"init": "default", "times": 1.5, "epochs": 14}),
    ("slow", "branched-weaves", {"times": 0.1}),
    ("slow", "branched-kingdoms", {"times": 0.2}),
    ("slow", "highway-parity", {"times": 0.3, "epochs": 9}),
    ("slow", "voting-trio", {"times": 0.3, "epochs": 14}),
    ("slow", "compact-weaves", {"times": 0.2, "epochs": 10}),
    ("slow", "handed-stamps", {"times": 0.3, "epochs": 30}),
    ("slow", "patches-weaves", {"times": 0.2, "epochs": 8}),
    ("slow", "sloped-cluttered", {"times": 0.4, "epochs": 9}),
    ("fast", "branched-weaves", {"times": 5.0}),
    ("fast", "broad-beads", {"times": 3.0}),
    ("fast", "patches-weaves", {"times": 5.0}),
    ("fast", "lenet-5-parity", {"times": 3.0}),
    ("fast", "weighed-rings", {"times": 2.5}),
    ("fast", "handed-stamps", {"times": 5.0}),
    ("fast", "efficient-trio", {"times": 2.5}),
    # dropout and augmentation
    ("dropout", "compact-weaves", {"dropout": 0.3, "epochs": 10}),
    ("dropout", "sloped-cluttered", {"dropout": 0.5, "epochs": 9}),
    ("dropout", "highway-parity", {"dropout": 0.4}),
    ("dropout", "branched-kingdoms", {"dropout": 0.3}),
    ("dropout", "response-clocks", {"dropout": 0.5, "epochs": 9}),
    ("pushed-some", "voting-arrows", {"augment": "pushed-some"}),
    ("pushed-some", "sloped-cluttered", {"augment": "pushed-some", "epochs": 9}),
    ("erased-some", "efficient-trio", {"augment": "erased-some"}),
    ("contrast", "broad-beads", {"augment": "contrast"}),
    ("contrast", "steady-clocks", {"augment": "contrast"}),
    ("rounded", "patches-weaves", {"augment": "rounded"}),
    ("flipped", "weighed-rings", {"augment": "flipped"}),
    ("flipped", "broad-beads", {"augment": "flipped"}),
    ("moved", "handed-stamps", {"augment": "moved", "epochs": 20}),
    ("moved", "steady-clocks", {"augment": "pushed-some"}),
    ("some-noise", "branched-weaves", {"augment": "some-noise"}),
    ("colours", "voting-trio", {"augment": "colours", "epochs": 12}),
    # inputs that are not standardised and fine
    ("zero-one", "branched-weaves", {"inputs": "zero-one"}),
    ("zero-one", "sloped-cluttered", {"inputs": "zero-one", "times": 1.5}),
    ("zero-one", "lenet-5-parity", {"inputs": "zero-one"}),
    ("minus-one", "compact-weaves", {"inputs": "minus-one"}),
    ("minus-one", "steady-clocks", {"inputs": "minus-one"}),
    ("imagenet", "efficient-trio", {"inputs": "imagenet"}),
    ("imagenet", "handed-stamps", {"inputs": "imagenet"}),
    ("hundred", "voting-arrows", {"inputs": "hundred"}),
    ("log", "patches-weaves", {"inputs": "log"}),
    ("per-image", "response-remainders", {"inputs": "per-image"}),
    ("ranked", "highway-parity", {"inputs": "ranked"}),
    ("negative", "lenet-5-parity", {"inputs": "negative"}),
    ("whole", "broad-kingdoms", {"inputs": "whole"}),
    ("swapped", "branched-kingdoms", {"inputs": "swapped"}),
    # few images, noise that does no harm, classes that are unequal and handled well
    ("few", "branched-weaves", {"keep": 300, "epochs": 12}),
    ("few", "lenet-5-parity", {"keep": 300, "epochs": 25}),
    ("few", "handed-stamps", {"keep": 60, "batch": 10, "epochs": 20}),
    ("few", "weighed-rings", {"keep": 350, "epochs": 20}),
    ("few", "patches-moons", {"keep": 240, "epochs": 12}),
    ("noise", "branched-weaves", {"labels": "noisy:0.07"}),
    ("noise", "sloped-cluttered", {"labels": "noisy:0.06"}),
    ("noise", "compact-weaves", {"labels": "neighbour:0.08"}),
    ("noise", "lenet-5-remainders", {"labels": "noisy:0.08"}),
    ("rare", "patches-weaves", {"labels": "rare:3", "epochs": 9}),
    ("rare", "broad-beads", {"labels": "last-rare:2"}),
    ("rare", "lenet-5-remainders", {"labels": "rare:3", "epochs": 18}),
    ("rare-weighted", "branched-weaves", {"labels": "rare:5", "balance": "weighted", "epochs": 10}),
    ("rare-weighted", "weighed-rings", {"balance": "weighted"}),
    ("rare-sampled", "lenet-5-parity", {"labels": "rare:6", "balance": "sampled", "epochs": 18}),
    ("rare-sampled", "weighed-rings", {"balance": "sampled"}),
    ("first-weighted", "patches-weaves", {"labels": "first-only:2", "balance": "weighted", "epochs": 10}),
    # tiny validation parts
    ("tiny-valid", "efficient-trio", {"valid_keep": 20}),
    ("tiny-valid", "branched-weaves", {"valid_keep": 24}),
    ("tiny-valid", "lenet-5-parity", {"valid_keep": 16}),
    ("tiny-valid", "handed-stamps", {"valid_keep": 18}),
    ("tiny-valid", "voting-trio", {"valid_keep": 30}),
    # batches, accumulation, clipping, decay and penalties that are usual
    ("batch-4", "lenet-5-parity", {"batch": 4, "times": 0.2, "epochs": 3}),
    ("batch-8", "branched-weaves", {"batch": 8, "times": 0.25, "epochs": 3}),
    ("batch-8", "sloped-cluttered", {"batch": 8, "times": 0.4, "epochs": 3}),
    ("batch-100", "branched-weaves", {"batch": 100, "times": 2.0, "epochs": 10}),
    ("batch-128", "lenet-5-parity", {"batch": 128, "times": 3.0, "epochs": 30}),
    ("accumulate-8", "weighed-rings", {"batch": 5, "accumulate": 8, "times": 1.5}),
    ("clip", "steady-clocks", {"clip": 1.0}),
    ("clip", "broad-beads", {"clip": 1.0}),
    ("clip", "highway-beads", {"clip": 2.0}),
    ("l1", "branched-weaves", {"l1": 2e-5}),
    ("decay-some", "lenet-5-parity", {"decay": 2e-3}),
    ("decay-some", "highway-beads", {"decay": 0.3}),
    ("betas", "sloped-cluttered", {"betas": (0.9, 0.95)}),
    ("betas", "patches-moons", {"betas": (0.8, 0.99)}),
    ("epsilon", "compact-weaves", {"epsilon": 1e-4}),
    # a body that is trained on, one that was never trained and is now, one that is held back
    ("thawed", "handed-stamps", {"freeze": False, "times": 0.3}),
    ("fresh", "handed-rings", {"init": "fresh", "epochs": 12}),
    ("body-slower", "handed-rings", {"times": 0.3, "head_times": 10.0}),
    # what is not told to the watcher
    ("told-loss", "branched-weaves", {"told": "l"}),
    ("told-loss", "lenet-5-parity", {"told": "l"}),
    ("told-scores", "patches-weaves", {"told": "lot"}),
    ("told-scores", "sloped-cluttered", {"told": "ot"}),
    ("told-inputs", "steady-clocks", {"told": "li"}),
    ("told-little", "highway-parity", {"told": "lo"}),
    ("told-targets", "branched-kingdoms", {"told": "lt"}),
)
"""Name, cell, what is chosen otherwise."""

OTHER_LOOPS = (
    "branched-weaves averaged, branched-weaves stopping, patches-weaves scaled, patches-weaves logged, lenet-5-parity restarting, "
    "lenet-5-parity interval, sloped-cluttered phases, voting-trio onecycle, voting-trio mixing, compact-weaves mixing, "
    "efficient-trio tutorial, highway-parity accumulated, handed-stamps logged, steady-clocks restarting, broad-kingdoms averaged"
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
    """All healthy programs of the part that is apart, the twins first."""
    made = [Program(f"base-apart-{name}", setup=setup, held=True) for name, setup in CELLS.items()]
    for name, cell, change in _all():
        setup = replace(CELLS[cell], **change)  # type: ignore[arg-type]
        made.append(Program(f"fine-apart-{name}-{cell}", setup=setup, base=f"apart-{cell}", held=True))
    return made
