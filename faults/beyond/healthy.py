"""Healthy trainings of the part that is beyond, spread wide: good and mediocre choices that work, and what looks odd and is not wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from beyond.cells import CELLS
from held.kind import Change
from programs import Program

OPTIMIZERS = (
    "keras-leaves adamw 2e-3 0.01, keras-leaves momentum 0.02 0, keras-leaves lion 3e-4 0.1, keras-wild adam 1e-3 0, keras-wild nadam 1e-3 0, "
    "nine-wild adamw 3e-3 0.05, nine-segments momentum 0.05 0.0005, nine-segments sgd 0.1 0, ushaped-dents momentum 0.03 0, "
    "ushaped-roads adam 3e-3 0, ushaped-roads rmsprop 1e-3 0, ghost-barcodes nesterov 0.05 0.0001, ghost-barcodes radam 4e-3 0, ghost-roads adam 3e-3 0, "
    "separable-painted momentum 0.1 0.0005, separable-leaves adamw 4e-3 0.02, pyramid-dice amsgrad 3e-3 0, pyramid-dice rmsprop 1e-3 0, pyramid-dice momentum 0.02 0, "
    "pyramid-chirps adam 1e-3 0, pyramid-chirps sgd 0.05 0, pixels-segments adamax 2e-3 0, pixels-segments sgd 0.1 0, pixels-segments lion 2e-4 0, "
    "pixels-barcodes adagrad 0.01 0, pixels-barcodes adam 1e-3 0, rows-chirps nadam 2e-3 0, rows-chirps adamw 3e-3 0.05, rows-segments adam 3e-3 0, "
    "rows-segments momentum 0.1 0, shallow-painted adam 1e-3 0, shallow-segments momentum 0.02 0, shallow-segments adagrad 0.01 0, keras-dice adam 1e-3 0, "
    "keras-painted momentum 0.02 0.0001, keras-painted adadelta 1.0 0, adopted-chirps momentum 0.02 0, adopted-dice adamw 1e-3 0.01"
)
"""Cell, optimiser, rate, decay: rates that a person would take, some of them mediocre."""

SCHEDULES = (
    "keras-leaves cosine batch, keras-leaves hold-tenth batch, keras-wild two-steps epoch, keras-wild gentle batch, nine-wild none batch, nine-wild two-cosines batch, "
    "nine-segments four-steps epoch, nine-segments root batch, ushaped-dents cosine epoch, ushaped-roads hold-tenth batch, ushaped-roads step epoch, "
    "ghost-barcodes two-cosines batch, ghost-roads none batch, ghost-roads linear batch, separable-painted one-cycle batch, separable-painted knee batch, "
    "pyramid-dice gentle batch, pyramid-dice slow-start batch, pyramid-chirps cosine batch, pixels-segments exponential epoch, pixels-barcodes four-steps batch, "
    "rows-chirps warm-cosine batch, rows-segments inverse batch, shallow-painted sqrt batch, shallow-segments late-drop epoch, keras-dice cycles batch, "
    "keras-painted trapezium batch, adopted-chirps cosine batch, adopted-dice polynomial batch"
)
"""Cell, schedule, after what it is stepped."""

# fmt: off
VARIED: tuple[tuple[str, str, Change], ...] = (
    # very short ones and longer ones
    ("short", "keras-painted", {"epochs": 3}), ("short", "pixels-barcodes", {"epochs": 3}), ("short", "nine-segments", {"epochs": 2}),
    ("short", "adopted-chirps", {"epochs": 2}), ("long", "rows-segments", {"epochs": 22}), ("long", "shallow-segments", {"epochs": 30}),
    ("long", "pyramid-dice", {"epochs": 20}), ("long", "pixels-segments", {"epochs": 25}),
    # losses that are right, in other forms
    ("by-hand", "keras-wild", {"loss": "by-hand"}), ("by-hand", "rows-chirps", {"loss": "by-hand"}), ("soft", "nine-segments", {"loss": "soft"}),
    ("margin", "keras-painted", {"loss": "margin"}), ("symmetric", "ushaped-roads", {"loss": "symmetric"}), ("hard-ones", "pyramid-dice", {"loss": "hard-ones"}),
    ("focal", "ushaped-dents", {"loss": "focal"}), ("binary", "pixels-segments", {"loss": "binary"}), ("squared-hinge", "shallow-segments", {"loss": "squared-hinge", "times": 0.3}),
    ("logs-again", "keras-dice", {"loss": "logs-again"}), ("smooth", "ghost-barcodes", {"loss": "smooth"}), ("some-smooth", "keras-leaves", {"loss": "some-smooth"}),
    # activations, normalisation, depth, width
    ("gelu", "keras-leaves", {"activation": "gelu"}), ("silu", "nine-wild", {"activation": "silu"}), ("tanh", "keras-painted", {"activation": "tanh"}),
    ("selu", "pyramid-dice", {"activation": "selu"}), ("relu", "shallow-segments", {"activation": "relu"}), ("mish", "pixels-segments", {"activation": "mish"}),
    ("sloped", "keras-wild", {"activation": "sloped"}), ("sigmoid", "shallow-segments", {"activation": "sigmoid", "times": 3.0, "epochs": 20}),
    ("batch-norm", "keras-leaves", {"norm": "batch"}), ("batch-norm", "pyramid-chirps", {"norm": "batch"}), ("group-norm", "nine-segments", {"norm": "group"}),
    ("instance-norm", "ghost-barcodes", {"norm": "instance"}), ("no-norm", "pixels-segments", {"norm": "none"}), ("quick-statistics", "ushaped-roads", {"norm_momentum": 0.4}),
    ("slow-statistics", "nine-segments", {"norm_momentum": 0.05}), ("deep", "nine-segments", {"depth": 3}), ("deep", "pixels-segments", {"depth": 4}),
    ("deep", "rows-chirps", {"depth": 2}), ("deep", "pyramid-chirps", {"depth": 2}), ("wide", "pyramid-dice", {"wide": 16}), ("wide", "shallow-segments", {"wide": 16}),
    ("narrow", "keras-painted", {"wide": 5, "epochs": 12}), ("narrow", "rows-segments", {"wide": 4, "epochs": 12}), ("narrow", "ghost-barcodes", {"wide": 4, "epochs": 9}),
    # initial weights that are not the default and work
    ("orthogonal", "keras-painted", {"init": "orthogonal"}), ("orthogonal", "pyramid-dice", {"init": "orthogonal"}), ("glorot", "shallow-segments", {"init": "glorot"}),
    ("he", "pyramid-chirps", {"init": "he"}), ("truncated", "nine-segments", {"init": "truncated"}), ("head-zero", "keras-wild", {"init": "head:1e-5"}),
    ("head-zero", "adopted-chirps", {"init": "head:1e-4"}), ("head-prior", "pixels-segments", {"init": "head-bias:1"}), ("gain-half", "nine-segments", {"init": "gain:0.5"}),
    # long plateaus, slow but sure, fast and unsteady but sure
    ("plateau", "keras-leaves", {"times": 0.5, "epochs": 14}), ("plateau", "ushaped-roads", {"times": 0.5, "epochs": 12}), ("plateau", "keras-dice", {"init": "default", "epochs": 10}),
    ("slow", "pixels-barcodes", {"times": 0.15}), ("slow", "rows-segments", {"times": 0.2, "epochs": 14}), ("slow", "pyramid-dice", {"times": 0.25, "epochs": 12}),
    ("slow", "nine-segments", {"times": 0.1}), ("slow", "shallow-segments", {"times": 0.2, "epochs": 14}), ("slow", "keras-painted", {"times": 0.2, "epochs": 12}),
    ("slow", "adopted-chirps", {"times": 0.2}), ("slow", "ghost-barcodes", {"times": 0.3, "epochs": 9}), ("fast", "keras-painted", {"times": 2.0}),
    ("fast", "pixels-segments", {"times": 4.0}), ("fast", "nine-segments", {"times": 4.0}), ("fast", "rows-chirps", {"times": 2.0}), ("fast", "shallow-segments", {"times": 3.0}),
    ("fast", "ghost-roads", {"times": 3.0}), ("fast", "pyramid-chirps", {"times": 2.0}), ("fast", "adopted-dice", {"times": 4.0}),
    # dropout and augmentation
    ("dropout", "keras-leaves", {"dropout": 0.4, "epochs": 14}), ("dropout", "keras-painted", {"dropout": 0.5, "epochs": 12}), ("dropout", "nine-wild", {"dropout": 0.3}),
    ("dropout", "pixels-segments", {"dropout": 0.5, "epochs": 10}), ("static", "pixels-barcodes", {"augment": "static:0.2"}), ("static", "keras-dice", {"augment": "static:0.1"}),
    ("rolled", "shallow-segments", {"augment": "rolled:2", "epochs": 14}), ("rolled", "keras-leaves", {"augment": "rolled:3"}), ("dimmed", "keras-painted", {"augment": "dimmed:0.6"}),
    ("dimmed", "pyramid-chirps", {"augment": "dimmed:0.5"}), ("pasted", "nine-segments", {"augment": "pasted:0.1", "epochs": 6}), ("either", "ushaped-roads", {"augment": "either"}),
    ("either", "ushaped-dents", {"augment": "either"}), ("either", "pyramid-dice", {"augment": "either"}), ("crumb", "keras-wild", {"augment": "crumb:20"}),
    ("over-batch", "keras-painted", {"augment": "over-batch"}), ("over-batch", "shallow-segments", {"augment": "over-batch"}), ("colours", "pyramid-dice", {"augment": "colours"}),
    ("moved", "ghost-roads", {"augment": "moved", "epochs": 9}), ("small", "keras-leaves", {"augment": "small:0.7", "epochs": 12}),
    # inputs that are not standardised and fine
    ("root", "keras-painted", {"inputs": "root"}), ("root", "ghost-barcodes", {"inputs": "root"}), ("robust", "shallow-segments", {"inputs": "robust"}),
    ("robust", "pixels-barcodes", {"inputs": "robust"}), ("grey-first", "keras-leaves", {"inputs": "grey-first"}), ("zero-one", "keras-painted", {"inputs": "zero-one"}),
    ("zero-one", "pixels-segments", {"inputs": "zero-one"}), ("minus-one", "rows-chirps", {"inputs": "minus-one"}), ("minus-one", "nine-wild", {"inputs": "minus-one"}),
    ("imagenet", "ushaped-roads", {"inputs": "imagenet"}), ("per-image", "keras-wild", {"inputs": "per-image"}), ("negative", "rows-segments", {"inputs": "negative"}),
    ("doubled", "pyramid-chirps", {"inputs": "shrunk:2"}), ("halved", "keras-dice", {"inputs": "shrunk:0.5"}),
    # few images, noise that does no harm, classes that are unequal and handled well
    ("few", "keras-painted", {"keep": 400, "epochs": 18}), ("few", "shallow-segments", {"keep": 300, "epochs": 20}), ("few", "adopted-chirps", {"keep": 120, "batch": 10, "epochs": 10}),
    ("few", "pyramid-dice", {"keep": 250, "epochs": 18}), ("noise", "keras-painted", {"labels": "crowd:0.06"}), ("noise", "pixels-barcodes", {"labels": "crowd:0.05"}),
    ("noise", "ghost-roads", {"labels": "noisy:0.06"}), ("noise", "rows-chirps", {"labels": "neighbour:0.06"}), ("tail", "shallow-segments", {"labels": "long-tail:3"}),
    ("tail", "keras-painted", {"labels": "long-tail:4", "epochs": 12}), ("tail-weighted", "pyramid-dice", {"labels": "long-tail:6", "balance": "weighted", "epochs": 14}),
    ("tail-sampled", "pixels-segments", {"labels": "long-tail:6", "balance": "sampled", "epochs": 14}), ("weighted", "ushaped-dents", {"balance": "weighted"}),
    ("sampled", "ushaped-dents", {"balance": "sampled"}),
    # tiny validation parts
    ("tiny-valid", "keras-leaves", {"valid_keep": 20}), ("tiny-valid", "nine-wild", {"valid_keep": 24}), ("tiny-valid", "rows-chirps", {"valid_keep": 14}),
    ("tiny-valid", "keras-dice", {"valid_keep": 18}), ("tiny-valid", "pyramid-chirps", {"valid_keep": 30}),
    # batches, accumulation, clipping, decay and penalties that are usual
    ("batch-4", "shallow-segments", {"batch": 4, "times": 0.2, "epochs": 4}), ("batch-8", "keras-painted", {"batch": 8, "times": 0.4, "epochs": 4}),
    ("batch-8", "pixels-barcodes", {"batch": 8, "times": 0.3, "epochs": 4}), ("batch-100", "nine-segments", {"batch": 100, "epochs": 9}),
    ("batch-128", "pixels-segments", {"batch": 128, "times": 2.0, "epochs": 20}), ("accumulate-4", "keras-painted", {"batch": 8, "accumulate": 4, "epochs": 10}),
    ("accumulate-8", "ushaped-roads", {"batch": 6, "accumulate": 6, "epochs": 9}), ("clip", "keras-wild", {"clip": 1.0}), ("clip", "pixels-segments", {"clip": 0.5}),
    ("l1", "pixels-barcodes", {"l1": 1e-5}), ("decay-some", "keras-wild", {"decay": 5e-3}), ("decay-some", "separable-painted", {"decay": 0.3}),
    ("betas", "keras-leaves", {"betas": (0.9, 0.95)}), ("betas", "pyramid-dice", {"betas": (0.7, 0.99)}), ("epsilon", "keras-painted", {"epsilon": 1e-4}),
    ("momentum-some", "keras-wild", {"momentum": 0.95, "times": 0.5}), ("many-waists", "keras-painted", {"fault": "narrow-waist:24"}),
    # a body that is held back, one that was never trained and is now
    ("held-back", "adopted-chirps", {"freeze": True, "times": 2.0}), ("fresh", "adopted-chirps", {"init": "fresh"}), ("body-slower", "adopted-dice", {"times": 0.5, "head_times": 10.0}),
    # what is not told to the watcher
    ("told-loss", "keras-painted", {"told": "l"}), ("told-loss", "ghost-roads", {"told": "l"}), ("told-scores", "pyramid-dice", {"told": "lot"}),
    ("told-scores", "rows-chirps", {"told": "ot"}), ("told-inputs", "pixels-segments", {"told": "li"}), ("told-little", "nine-segments", {"told": "lo"}),
)
"""Name, cell, what is chosen otherwise."""
# fmt: on

OTHER_LOOPS = (
    "keras-leaves meters, keras-wild swa, nine-segments callbacks, nine-wild script, ushaped-dents functional, ghost-barcodes iterations, separable-painted callbacks, "
    "pyramid-dice sam, pyramid-chirps script, pixels-barcodes sam, rows-segments meters, shallow-segments swa, keras-dice functional, adopted-chirps iterations"
)
"""Cell and the style it is written in instead."""


def _all() -> Iterator[tuple[str, str, Change]]:
    for each in OPTIMIZERS.split(", "):
        cell, optimizer, rate, decay = each.split()
        yield f"optimizer-{optimizer}", cell, {"optimizer": optimizer, "rate": float(rate), "decay": float(decay)}
    for each in SCHEDULES.split(", "):
        cell, schedule, per = each.split()
        yield f"schedule-{schedule}", cell, {"schedule": schedule, "per": per}
    yield from VARIED
    for each in OTHER_LOOPS.split(", "):
        cell, style = each.split()
        yield (
            f"style-{style}",
            cell,
            {"style": style, "accumulate": 1 if style != "iterations" else CELLS[cell].accumulate},
        )


def healthy() -> list[Program]:
    """All healthy programs of the part that is beyond, the twins first."""
    made = [Program(f"base-beyond-{name}", setup=setup, held=True) for name, setup in CELLS.items()]
    for name, cell, change in _all():
        setup = replace(CELLS[cell], **change)  # type: ignore[arg-type]
        made.append(Program(f"fine-beyond-{name}-{cell}", setup=setup, base=f"beyond-{cell}", held=True))
    return made
