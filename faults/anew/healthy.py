"""Healthy trainings of the part that is anew, spread wide: what people do and is not wrong, from good choices to mediocre ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from anew.cells import CELLS
from held.kind import Change
from programs import Program

OPTIMIZERS = (
    "cifarnet-framed sgd 0.05 0, cifarnet-framed adam 1e-3 0, cifarnet-framed adagrad 0.01 0, cifarnet-ten momentum 0.01 0.0005, cifarnet-ten nadam 1e-3 0, "
    "cifarnet-ten rmsprop 5e-4 0, vggsix-quartet adamw 1e-3 0.01, vggsix-quartet radam 1e-3 0, vggsix-charts adam 1e-3 0, vggsix-charts nesterov 0.01 0, "
    "resnet-ten adamw 2e-3 0.05, resnet-ten adam 1e-3 0, resnet-floors momentum 0.05 0.0001, resnet-floors sgd 0.1 0, resnet-floors rmsprop 1e-3 0, "
    "mobilenet-floors nesterov 0.05 0.0001, mobilenet-floors adam 3e-3 0, mobilenet-blood adam 2e-3 0, mobilenet-blood nadam 1e-3 0, googlenet-moods momentum 0.05 0.0005, "
    "googlenet-moods adamw 2e-3 0.01, googlenet-quartet adam 1e-3 0, googlenet-quartet nesterov 0.02 0.0005, tanhnet-framed adam 1e-3 0, tanhnet-framed momentum 0.02 0, "
    "tanhnet-framed adagrad 0.02 0, tanhnet-blood momentum 0.01 0, tanhnet-blood nadam 5e-4 0, gelunet-floors momentum 0.05 0.0001, gelunet-floors adagrad 0.02 0, "
    "gelunet-framed adamw 3e-3 0.01, gelunet-framed rmsprop 2e-3 0, elunet-charts momentum 0.02 0, elunet-charts adamw 1e-3 0.05, elunet-charts sgd 0.1 0, "
    "elunet-blood adam 1e-3 0, elunet-blood rmsprop 1e-3 0, student-quartet adam 1e-3 0.0001, student-quartet sgd 0.05 0.0005, student-quartet nesterov 0.01 0.001, "
    "student-moods momentum 0.01 0, student-moods adagrad 0.01 0, transfer-kitchen momentum 0.01 0.0001, transfer-quartet adam 1e-3 0"
)
"""Cell, optimiser, rate, decay: rates that a person would take."""

SCHEDULES = (
    "cifarnet-framed cosine batch, cifarnet-framed step:3:0.5 epoch, cifarnet-ten step:4:0.3 epoch, cifarnet-ten onecycle batch, vggsix-quartet cosine epoch, "
    "vggsix-quartet plateau epoch, vggsix-charts warm:60 batch, vggsix-charts milestones:6:8:0.1 epoch, resnet-ten onecycle batch, resnet-ten milestones:7:10:0.1 epoch, "
    "resnet-ten none epoch, resnet-floors exponential:0.8 epoch, resnet-floors linear batch, mobilenet-floors warm-cosine batch, mobilenet-blood cosine batch, "
    "googlenet-moods restarts batch, googlenet-quartet linear epoch, googlenet-quartet polynomial batch, tanhnet-framed exponential:0.85 epoch, tanhnet-framed warm-from:0.1:100 batch, "
    "tanhnet-blood step:6:0.1 epoch, gelunet-floors cosine batch, gelunet-floors exponential:0.99 batch, gelunet-framed onecycle batch, elunet-charts warm:80 batch, elunet-charts plateau epoch, "
    "elunet-blood cosine batch, student-quartet onecycle batch, student-quartet restarts epoch, student-moods warm:50 batch, transfer-kitchen cosine epoch, transfer-quartet cosine batch"
)
"""Cell, schedule and its figures, after what it is stepped."""

# fmt: off
VARIED: tuple[tuple[str, str, Change], ...] = (
    # short, long
    ("short", "student-moods", {"epochs": 3}), ("short", "gelunet-floors", {"epochs": 3}), ("short", "resnet-floors", {"epochs": 4}), ("short", "mobilenet-blood", {"epochs": 3}),
    ("long", "tanhnet-framed", {"epochs": 24}), ("long", "gelunet-framed", {"epochs": 24}), ("long", "elunet-charts", {"epochs": 16}), ("long", "cifarnet-framed", {"epochs": 11}),
    # losses that are right, in other forms
    ("likelihood", "cifarnet-framed", {"loss": "likelihood"}), ("one-hot", "student-quartet", {"loss": "one-hot"}), ("binary", "gelunet-floors", {"loss": "binary"}),
    ("binary", "student-moods", {"loss": "binary", "times": 2.0}), ("focal", "mobilenet-blood", {"loss": "focal", "balance": "none"}), ("focal", "resnet-floors", {"loss": "focal"}),
    ("smooth", "resnet-ten", {"loss": "smooth"}), ("smooth", "vggsix-quartet", {"loss": "smooth"}), ("smooth", "mobilenet-floors", {"loss": "smooth"}),
    ("squares", "tanhnet-framed", {"loss": "squares", "times": 0.3}), ("squares", "elunet-charts", {"loss": "squares"}), ("hinge", "student-moods", {"loss": "hinge"}),
    # activations, normalisation, depth, width
    ("leaky", "cifarnet-ten", {"activation": "leaky"}), ("gelu", "vggsix-quartet", {"activation": "gelu"}), ("silu", "resnet-floors", {"activation": "silu"}),
    ("tanh", "cifarnet-framed", {"activation": "tanh"}), ("relu", "tanhnet-framed", {"activation": "relu"}), ("relu", "elunet-charts", {"activation": "relu"}),
    ("relu", "mobilenet-floors", {"activation": "relu"}), ("elu", "student-moods", {"activation": "elu"}), ("sigmoid", "tanhnet-framed", {"activation": "sigmoid", "times": 3.0, "epochs": 20}),
    ("batch-norm", "vggsix-quartet", {"norm": "batch"}), ("batch-norm", "cifarnet-framed", {"norm": "batch"}), ("batch-norm", "elunet-charts", {"norm": "batch"}),
    ("group-norm", "resnet-floors", {"norm": "group"}), ("layer-norm", "student-quartet", {"norm": "layer"}), ("no-norm", "student-moods", {"norm": "none"}),
    ("no-norm", "gelunet-framed", {"norm": "none"}), ("quick-statistics", "student-quartet", {"norm_momentum": 0.3}), ("slow-statistics", "student-moods", {"norm_momentum": 0.05}),
    ("deep", "student-moods", {"depth": 2}), ("deep", "gelunet-framed", {"depth": 3}), ("deep", "tanhnet-framed", {"depth": 3}), ("deep", "resnet-floors", {"depth": 2, "epochs": 6}),
    ("wide", "tanhnet-framed", {"wide": 20}), ("wide", "cifarnet-framed", {"wide": 14}), ("wide", "gelunet-floors", {"wide": 12}), ("narrow", "cifarnet-framed", {"wide": 5}),
    ("narrow", "student-quartet", {"wide": 5}), ("narrow", "resnet-floors", {"wide": 4, "epochs": 12}), ("narrow", "tanhnet-blood", {"wide": 3}),
    # first weights that are not the default and work
    ("he", "cifarnet-framed", {"init": "he"}), ("he", "resnet-ten", {"init": "he"}), ("xavier", "tanhnet-framed", {"init": "xavier"}), ("xavier", "vggsix-quartet", {"init": "xavier"}),
    ("orthogonal", "elunet-charts", {"init": "orthogonal"}), ("orthogonal", "cifarnet-ten", {"init": "orthogonal"}), ("normal", "student-moods", {"init": "normal:0.02"}),
    ("normal", "mobilenet-floors", {"init": "normal:0.05"}), ("head-zero", "resnet-floors", {"init": "fc:0.000001"}), ("head-zero", "student-quartet", {"init": "fc:0.001"}),
    # beginnings near chance, slow but sure, fast and unsteady but sure
    ("plateau", "vggsix-charts", {"init": "default", "optimizer": "adam", "rate": 5e-4, "epochs": 14}), ("plateau", "cifarnet-framed", {"times": 0.5, "epochs": 12}), ("plateau", "elunet-charts", {"times": 0.5, "epochs": 14}),
    ("plateau", "gelunet-framed", {"times": 0.3, "epochs": 20}), ("slow", "resnet-floors", {"times": 0.2, "epochs": 10}), ("slow", "tanhnet-framed", {"times": 0.3, "epochs": 22}),
    ("slow", "student-quartet", {"times": 0.2}), ("slow", "tanhnet-blood", {"times": 0.2}), ("slow", "cifarnet-ten", {"times": 0.4}), ("slow", "gelunet-floors", {"times": 0.15}),
    ("slow", "mobilenet-floors", {"times": 0.3}), ("fast", "resnet-floors", {"times": 5.0}), ("fast", "student-quartet", {"times": 4.0}), ("fast", "tanhnet-framed", {"times": 3.0}),
    ("fast", "cifarnet-framed", {"times": 1.5}), ("fast", "gelunet-floors", {"times": 2.0}), ("fast", "student-moods", {"times": 5.0}), ("fast", "cifarnet-ten", {"times": 2.5}),
    ("fast", "mobilenet-blood", {"times": 3.0}),
    # dropout, augmentation that helps or does little harm
    ("dropout", "cifarnet-framed", {"dropout": 0.3}), ("dropout", "student-moods", {"dropout": 0.5, "epochs": 8}), ("dropout", "tanhnet-framed", {"dropout": 0.3}),
    ("dropout", "resnet-ten", {"dropout": 0.2}), ("dropout", "elunet-charts", {"dropout": 0.5}), ("dropout", "vggsix-quartet", {"dropout": 0.5}),
    ("plain", "vggsix-quartet", {"augment": "none"}), ("plain", "cifarnet-ten", {"augment": "none", "epochs": 7}), ("plain", "googlenet-quartet", {"augment": "none"}),
    ("shift", "cifarnet-framed", {"augment": "shift:2", "epochs": 10}), ("shift", "student-moods", {"augment": "shift:4"}), ("turn", "cifarnet-framed", {"augment": "turn:15"}),
    ("turn", "elunet-charts", {"augment": "turn:10"}), ("turn", "resnet-floors", {"augment": "turn:20"}), ("turn", "mobilenet-blood", {"augment": "turn:180"}), ("erase", "student-quartet", {"augment": "erase:0.1"}),
    ("erase", "gelunet-floors", {"augment": "erase:0.2"}), ("noise", "gelunet-framed", {"augment": "noise:0.3"}), ("noise", "tanhnet-framed", {"augment": "noise:0.4"}),
    ("jitter", "resnet-floors", {"augment": "jitter:0.3"}), ("jitter", "student-moods", {"augment": "jitter:0.4"}), ("crop", "resnet-floors", {"augment": "crop:0.6"}),
    ("crop", "student-quartet", {"augment": "crop:0.7"}), ("vertical", "elunet-blood", {"augment": "vertical"}), ("vertical", "resnet-floors", {"augment": "vertical"}),
    # inputs that are prepared otherwise, and fine
    ("half", "cifarnet-framed", {"inputs": "half"}), ("half", "student-quartet", {"inputs": "half"}), ("half", "elunet-charts", {"inputs": "half"}), ("zero-one", "cifarnet-framed", {"inputs": "zero-one"}),
    ("zero-one", "resnet-floors", {"inputs": "zero-one"}), ("zero-one", "tanhnet-framed", {"inputs": "zero-one"}), ("imagenet", "vggsix-quartet", {"inputs": "imagenet"}),
    ("imagenet", "transfer-quartet", {"inputs": "imagenet"}), ("per-image", "gelunet-floors", {"inputs": "per-image"}), ("one-mean", "cifarnet-ten", {"inputs": "one-mean"}),
    ("centred", "student-moods", {"inputs": "centred"}),
    # few images, some noise, classes that are unequal and handled or bearable
    ("few", "tanhnet-framed", {"keep": 500, "epochs": 24}), ("few", "cifarnet-framed", {"keep": 600, "epochs": 14}), ("few", "resnet-floors", {"keep": 600, "epochs": 14}),
    ("few", "student-moods", {"keep": 300, "epochs": 14}), ("noise", "cifarnet-framed", {"labels": "at-random:0.08"}), ("noise", "student-moods", {"labels": "at-random:0.06"}),
    ("noise", "gelunet-floors", {"labels": "next-class:0.05"}), ("noise", "resnet-floors", {"labels": "at-random:0.1"}), ("unequal", "tanhnet-framed", {"labels": "half-rare:3"}),
    ("unequal", "gelunet-floors", {"labels": "one-common:3"}), ("unequal-weighted", "cifarnet-framed", {"labels": "half-rare:5", "balance": "weighted", "epochs": 12}),
    ("unequal-sampled", "student-moods", {"labels": "half-rare:5", "balance": "sampled", "epochs": 9}), ("unequal-sampled", "elunet-charts", {"labels": "half-rare:4", "balance": "sampled", "epochs": 14}),
    ("unweighted", "mobilenet-blood", {"balance": "none"}), ("sampled", "mobilenet-blood", {"balance": "sampled"}), ("weighted", "tanhnet-blood", {"balance": "weighted"}),
    ("sampled", "elunet-blood", {"balance": "sampled"}),
    # tiny validation parts
    ("tiny-valid", "cifarnet-framed", {"valid_keep": 24}), ("tiny-valid", "student-quartet", {"valid_keep": 20}), ("tiny-valid", "resnet-floors", {"valid_keep": 16}),
    ("tiny-valid", "transfer-kitchen", {"valid_keep": 20}), ("tiny-valid", "tanhnet-blood", {"valid_keep": 30}), ("tiny-valid", "elunet-charts", {"valid_keep": 25}),
    # batches, accumulation, clipping, decay and penalties that are usual
    ("batch-4", "cifarnet-framed", {"batch": 4, "times": 0.5, "epochs": 3}), ("batch-8", "elunet-charts", {"batch": 8, "times": 0.5, "epochs": 6}),
    ("batch-8", "tanhnet-framed", {"batch": 8, "times": 0.5, "epochs": 6}), ("batch-64", "student-quartet", {"batch": 64, "times": 2.0}), ("batch-100", "gelunet-framed", {"batch": 100, "epochs": 20}),
    ("batch-128", "tanhnet-framed", {"batch": 128, "times": 2.0, "epochs": 30}), ("batch-128", "resnet-floors", {"batch": 128, "times": 2.0, "epochs": 14}),
    ("accumulate-8", "elunet-blood", {"batch": 4, "accumulate": 8}), ("clip", "cifarnet-framed", {"clip": 1.0}), ("clip", "gelunet-floors", {"clip": 1.0}), ("clip", "resnet-ten", {"clip": 5.0}),
    ("clip", "tanhnet-framed", {"clip": 0.5}), ("l1", "cifarnet-framed", {"l1": 1e-5}), ("decay-some", "student-quartet", {"decay": 5e-3}), ("decay-some", "resnet-floors", {"decay": 1e-4}),
    ("decay-some", "gelunet-floors", {"decay": 0.3}), ("betas", "vggsix-quartet", {"betas": (0.5, 0.999)}), ("betas", "elunet-charts", {"betas": (0.9, 0.98)}),
    ("epsilon", "cifarnet-ten", {"epsilon": 1e-5}), ("momentum-some", "vggsix-charts", {"momentum": 0.95, "times": 0.5}), ("momentum-little", "cifarnet-framed", {"momentum": 0.5, "times": 3.0}),
    # a body that is held, one that was never trained and is now, a head that is quicker
    ("held", "transfer-kitchen", {"freeze": True, "times": 5.0}), ("fresh", "transfer-quartet", {"init": "fresh", "times": 2.0}), ("head-quicker", "transfer-kitchen", {"times": 0.3, "head_times": 10.0}),
    ("head-quicker", "transfer-quartet", {"times": 0.3, "head_times": 10.0}),
    # what is not told to the watcher
    ("told-loss", "cifarnet-framed", {"told": "l"}), ("told-loss", "resnet-floors", {"told": "l"}), ("told-scores", "student-quartet", {"told": "lot"}), ("told-scores", "elunet-charts", {"told": "ot"}),
    ("told-inputs", "tanhnet-framed", {"told": "li"}),
)
"""Name, cell, what is chosen otherwise."""
# fmt: on

OTHER_LOOPS = (
    "cifarnet-framed runner, cifarnet-ten engine, vggsix-charts history, resnet-floors walkthrough, googlenet-moods progress, tanhnet-framed history, tanhnet-blood walkthrough, "
    "gelunet-floors runner, gelunet-framed engine, elunet-charts walkthrough, elunet-blood runner, student-moods engine, student-quartet history, transfer-kitchen walkthrough"
)
"""Cell and the style it is written in instead."""


def _all() -> Iterator[tuple[str, str, Change]]:
    for each in OPTIMIZERS.split(", "):
        cell, optimizer, rate, decay = each.split()
        yield f"optimizer-{optimizer}", cell, {"optimizer": optimizer, "rate": float(rate), "decay": float(decay)}
    for each in SCHEDULES.split(", "):
        cell, schedule, per = each.split()
        yield f"schedule-{schedule.replace(':', '-')}", cell, {"schedule": schedule, "per": per}
    yield from VARIED
    for each in OTHER_LOOPS.split(", "):
        cell, style = each.split()
        change: Change = {"style": style}
        if CELLS[cell].accumulate > 1:
            change |= {"accumulate": 1, "batch": CELLS[cell].batch * CELLS[cell].accumulate}
        yield f"style-{style}", cell, change


def healthy() -> list[Program]:
    """All healthy programs of the part that is anew, the twins first."""
    made = [Program(f"base-anew-{name}", setup=setup, held=True) for name, setup in CELLS.items()]
    for name, cell, change in _all():
        setup = replace(CELLS[cell], **change)  # type: ignore[arg-type]
        made.append(Program(f"fine-anew-{name}-{cell}", setup=setup, base=f"anew-{cell}", held=True))
    return made
