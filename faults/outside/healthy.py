"""Healthy trainings of the part from outside, spread wide: what people do and is not wrong, from good choices to mediocre ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from held.kind import Change
from outside.cells import CELLS
from programs import Program

OPTIMIZERS = (
    "mobilenetv1-fields momentum 0.05 0.0001, mobilenetv1-fields radam 4e-3 0, mobilenetv1-weather adam 8e-3 0, "
    "vgg11-street adam 1e-3 0, vgg11-tissue sgd 0.1 0, vgg11-tissue adamw 1e-3 0.05, "
    "resnet20-traffic adam 3e-3 0, squeezenext-weather momentum 0.1 0.0001, squeezenext-tissue adam 2e-3 0, "
    "lenetbn-runes adam 1e-3 0, lenetbn-runes adagrad 0.02 0, lenetbn-wafers sgd 0.05 0, lenetbn-wafers adamax 2e-3 0, "
    "convnet-runes nadam 1e-3 0, convnet-runes momentum 0.03 0, convnet-runes adamax 3e-3 0, convnet-plankton adam 1e-3 0, convnet-plankton adamw 2e-3 0.01, "
    "efficientv2-traffic rmsprop 2e-3 0, efficientv2-spots adam 3e-3 0, mlpdrop-runes sgd 0.1 0, mlpdrop-runes rmsprop 5e-4 0, "
    "mlpdrop-runes adadelta 1.0 0, mlpdrop-wafers adam 1e-3 0, bigfilters-plankton adam 1e-3 0, "
    "bigfilters-wafers momentum 0.01 0, bigfilters-wafers amsgrad 1e-3 0, coordnet-spots nadam 2e-3 0, coordnet-spots momentum 0.03 0, coordnet-traffic adam 3e-3 0, "
    "maxnet-weather adam 1e-3 0, maxnet-weather adamw 2e-3 0.01, maxnet-spots momentum 0.01 0, maxnet-spots radam 4e-3 0, pretrained-mushrooms momentum 0.02 0.0001, pretrained-street adam 1e-3 0"
)
"""Cell, optimiser, rate, decay: rates that a person would take."""

SCHEDULES = (
    "mobilenetv1-fields cosine batch, mobilenetv1-weather linear batch, vgg11-street onecycle batch, "
    "vgg11-tissue warm:40 batch, resnet20-traffic onecycle batch, squeezenext-weather cosine batch, squeezenext-tissue polynomial batch, "
    "lenetbn-runes cosine epoch, lenetbn-wafers plateau epoch, convnet-runes onecycle batch, convnet-runes linear epoch, "
    "convnet-plankton cosine batch, convnet-plankton milestones:5:8:0.3 epoch, efficientv2-spots cosine batch, mlpdrop-runes restarts batch, "
    "mlpdrop-runes step:5:0.3 epoch, mlpdrop-wafers cosine epoch, bigfilters-plankton warm-cosine batch, bigfilters-plankton plateau epoch, "
    "bigfilters-wafers warm-from:0.1:80 batch, coordnet-spots polynomial epoch, coordnet-traffic cosine batch, coordnet-traffic none epoch, "
    "maxnet-weather warm:50 batch, pretrained-mushrooms onecycle batch, pretrained-street cosine epoch"
)
"""Cell, schedule and its figures, after what it is stepped."""

# fmt: off
VARIED: tuple[tuple[str, str, Change], ...] = (
    # short, long
    ("linear", "maxnet-weather", {"schedule": "linear", "epochs": 13}), ("cosine", "maxnet-spots", {"schedule": "cosine", "epochs": 12}),
    ("short", "vgg11-tissue", {"epochs": 3}), ("short", "lenetbn-wafers", {"epochs": 3}), ("short", "bigfilters-wafers", {"epochs": 4}),
    ("long", "mlpdrop-runes", {"epochs": 40}), ("long", "lenetbn-runes", {"epochs": 16}), ("long", "convnet-runes", {"epochs": 20}),
    # losses that are right, in other forms
    ("likelihood", "convnet-plankton", {"loss": "likelihood"}), ("by-hand", "lenetbn-runes", {"loss": "by-hand"}),
    ("one-hot", "mobilenetv1-fields", {"loss": "one-hot"}), ("binary", "convnet-runes", {"loss": "binary"}),
    ("one-against-all", "lenetbn-wafers", {"loss": "one-against-all"}),
    ("focal", "mobilenetv1-fields", {"loss": "focal"}), ("smooth", "vgg11-street", {"loss": "smooth"}), ("smooth-little", "convnet-runes", {"loss": "smooth-little"}),
    ("squares", "mlpdrop-runes", {"loss": "squares"}), ("hinge", "convnet-runes", {"loss": "hinge"}),
    # activations, normalisation, depth, width
    ("gelu", "convnet-runes", {"activation": "gelu"}), ("silu", "mobilenetv1-fields", {"activation": "silu"}), ("relu", "efficientv2-traffic", {"activation": "relu"}),
    ("leaky", "maxnet-weather", {"activation": "leaky"}), ("elu", "bigfilters-plankton", {"activation": "elu"}),
    ("tanh", "mlpdrop-runes", {"activation": "tanh"}), ("tanh", "convnet-plankton", {"activation": "tanh", "epochs": 12}), ("sigmoid", "lenetbn-runes", {"activation": "sigmoid"}),
    ("sigmoid", "mlpdrop-runes", {"activation": "sigmoid", "epochs": 25}), ("relu6", "mobilenetv1-weather", {"activation": "relu6"}),
    ("batch-norm", "convnet-plankton", {"norm": "batch"}), ("batch-norm", "maxnet-weather", {"norm": "batch", "epochs": 6}), ("batch-norm", "mlpdrop-runes", {"norm": "batch"}),
    ("group-norm", "lenetbn-wafers", {"norm": "group"}), ("layer-norm", "lenetbn-runes", {"norm": "layer"}),
    ("layer-norm", "mlpdrop-wafers", {"norm": "layer"}), ("instance-norm", "convnet-runes", {"norm": "instance"}), ("no-norm", "lenetbn-runes", {"norm": "none", "epochs": 14}),
    ("quick-statistics", "mobilenetv1-fields", {"norm_momentum": 0.3}), ("slow-statistics", "lenetbn-runes", {"norm_momentum": 0.05}),
    ("deep", "mlpdrop-runes", {"depth": 2}), ("deep", "convnet-runes", {"depth": 2}), ("deep", "lenetbn-wafers", {"depth": 2}),
    ("wide", "convnet-runes", {"wide": 16}), ("wide", "coordnet-spots", {"wide": 16}), ("narrow", "vgg11-tissue", {"wide": 5}),
    ("narrow", "lenetbn-runes", {"wide": 4}), ("narrow", "convnet-runes", {"wide": 6}),
    # first weights that are not the default and work
    ("he", "coordnet-spots", {"init": "he"}), ("he", "bigfilters-plankton", {"init": "he"}), ("xavier", "bigfilters-plankton", {"init": "xavier"}),
    ("orthogonal", "convnet-runes", {"init": "orthogonal"}), ("truncated", "efficientv2-traffic", {"init": "truncated:0.05"}), ("truncated", "lenetbn-runes", {"init": "truncated:0.02"}),
    ("normal", "mlpdrop-wafers", {"init": "normal:0.05"}), ("head-zero", "lenetbn-wafers", {"init": "last:0.000001"}), ("head-zero", "mobilenetv1-fields", {"init": "last:0.001"}),
    # beginnings near chance, slow but sure, fast and unsteady but sure
    ("plateau", "maxnet-weather", {"times": 0.6, "epochs": 16}), ("plateau", "bigfilters-plankton", {"times": 0.5, "epochs": 16}), ("plateau", "coordnet-traffic", {"times": 0.5, "epochs": 16}),
    ("slow", "lenetbn-runes", {"times": 0.2}), ("slow", "convnet-runes", {"times": 0.4}), ("slow", "vgg11-tissue", {"times": 0.2}),
    ("slow", "pretrained-street", {"times": 0.5}), ("slow", "lenetbn-wafers", {"times": 0.2}), ("fast", "lenetbn-runes", {"times": 5.0}),
    ("fast", "mobilenetv1-fields", {"times": 3.0}), ("fast", "convnet-runes", {"times": 4.0}), ("fast", "mlpdrop-runes", {"times": 3.0}), ("fast", "bigfilters-plankton", {"times": 1.5}), ("fast", "coordnet-traffic", {"times": 2.0}),
    ("fast", "lenetbn-wafers", {"times": 5.0}),
    # dropout, augmentation that helps or does little harm
    ("dropout", "lenetbn-runes", {"dropout": 0.4}), ("dropout", "vgg11-street", {"dropout": 0.3}), ("dropout", "mlpdrop-runes", {"dropout": 0.5}), ("dropout", "bigfilters-plankton", {"dropout": 0.4}),
    ("dropout", "maxnet-weather", {"dropout": 0.3}), ("no-dropout", "convnet-runes", {"dropout": 0.0}),
    ("plain", "pretrained-mushrooms", {"augment": "none"}), ("shift", "convnet-runes", {"augment": "shift:2"}), ("shift", "lenetbn-runes", {"augment": "shift:3"}),
    ("turn", "convnet-runes", {"augment": "turn:10"}), ("turn", "lenetbn-wafers", {"augment": "turn:180"}),
    ("quarter-turns", "vgg11-tissue", {"augment": "quarter-turns"}), ("quarter-turns", "bigfilters-wafers", {"augment": "quarter-turns"}),
    ("mirror", "coordnet-traffic", {"augment": "mirror:0.5"}), ("erase", "mobilenetv1-fields", {"augment": "erase:0.15"}), ("erase", "lenetbn-runes", {"augment": "erase:0.05"}),
    ("salt", "mlpdrop-runes", {"augment": "salt:0.2"}), ("salt", "maxnet-spots", {"augment": "salt:0.1"}), ("noise", "mlpdrop-runes", {"augment": "noise:0.4"}),
    ("jitter", "coordnet-traffic", {"augment": "jitter:0.3"}), ("dimmed", "convnet-plankton", {"augment": "dimmed:0.5"}),
    ("crop", "vgg11-tissue", {"augment": "crop:0.6"}), ("vertical", "vgg11-tissue", {"augment": "vertical"}), ("blended-little", "lenetbn-runes", {"augment": "blended:0.3"}),
    # inputs that are prepared otherwise, and fine
    ("zero-one", "convnet-runes", {"inputs": "zero-one"}), ("zero-one", "lenetbn-runes", {"inputs": "zero-one"}),
    ("minus-one-to-one", "convnet-plankton", {"inputs": "minus-one-to-one"}), ("minus-one-to-one", "mlpdrop-wafers", {"inputs": "minus-one-to-one"}),
    ("half", "vgg11-street", {"inputs": "half"}), ("imagenet", "pretrained-street", {"inputs": "imagenet"}),
    ("min-max", "lenetbn-wafers", {"inputs": "min-max"}), ("two-deviations", "coordnet-spots", {"inputs": "two-deviations"}), ("contrast", "mlpdrop-runes", {"inputs": "contrast"}), ("per-image", "lenetbn-runes", {"inputs": "per-image"}),
    ("centred", "lenetbn-wafers", {"inputs": "centred"}),
    # few images, some noise, classes that are unequal and handled or bearable
    ("few", "lenetbn-runes", {"keep": 500, "epochs": 14}), ("few", "mlpdrop-runes", {"keep": 500, "epochs": 30}), ("few", "lenetbn-wafers", {"keep": 500, "epochs": 8}),
    ("noise", "lenetbn-runes", {"labels": "annotator:0.08"}), ("noise", "vgg11-tissue", {"labels": "annotator:0.06"}),
    ("unequal", "lenetbn-runes", {"labels": "geometric:4"}), ("unequal", "mlpdrop-runes", {"labels": "half-rare:3"}),
    ("unequal-sampled", "lenetbn-runes", {"labels": "geometric:8", "balance": "sampled", "epochs": 12}), ("unequal-sampled", "vgg11-tissue", {"labels": "geometric:6", "balance": "sampled", "epochs": 8}),
    ("unequal-weighted", "mlpdrop-runes", {"labels": "geometric:6", "balance": "weighted", "epochs": 20}), ("weighted", "lenetbn-wafers", {"balance": "weighted"}),
    ("sampled", "mlpdrop-wafers", {"balance": "sampled"}),
    # tiny validation parts
    ("tiny-valid", "convnet-runes", {"valid_keep": 24}), ("tiny-valid", "mobilenetv1-fields", {"valid_keep": 20}), ("tiny-valid", "lenetbn-wafers", {"valid_keep": 30}),
    ("tiny-valid", "maxnet-weather", {"valid_keep": 25}), ("tiny-valid", "pretrained-mushrooms", {"valid_keep": 20}),
    # batches, accumulation, clipping, decay and penalties that are usual
    ("batch-4", "mlpdrop-runes", {"batch": 4, "times": 0.3, "epochs": 4}), ("batch-8", "lenetbn-runes", {"batch": 8, "times": 0.5, "epochs": 4}), ("batch-16", "coordnet-spots", {"batch": 16, "times": 0.5, "epochs": 7}),
    ("batch-64", "convnet-runes", {"batch": 64, "times": 2.0}), ("batch-128", "mlpdrop-runes", {"batch": 128, "times": 2.0, "epochs": 25}),
    ("accumulate-8", "coordnet-traffic", {"batch": 4, "accumulate": 8}), ("accumulate-1", "squeezenext-tissue", {"batch": 32, "accumulate": 1, "epochs": 7}), ("clip", "bigfilters-plankton", {"clip": 1.0}),
    ("clip", "convnet-runes", {"clip": 0.5}), ("l1", "lenetbn-runes", {"l1": 1e-5}), ("l2-by-hand", "convnet-runes", {"fault": "squares:0.0001"}),
    ("decay-some", "vgg11-street", {"decay": 5e-3}), ("decay-some", "efficientv2-traffic", {"decay": 0.2}), ("betas", "convnet-runes", {"betas": (0.5, 0.999)}),
    ("epsilon", "mlpdrop-runes", {"epsilon": 1e-4}), ("momentum-some", "bigfilters-plankton", {"momentum": 0.95, "times": 0.5}),
    # a body that is held, one that was never trained and is now, a head that is quicker
    ("partly-held", "pretrained-mushrooms", {"fault": "first-frozen:9"}), ("fresh", "pretrained-street", {"init": "fresh", "times": 3.0}), ("head-quicker", "pretrained-mushrooms", {"times": 0.5, "head_times": 10.0}), ("head-quicker", "pretrained-street", {"times": 0.3, "head_times": 10.0}),
    # what is not told to the watcher
    ("told-loss", "convnet-runes", {"told": "l"}), ("told-scores", "vgg11-tissue", {"told": "lot"}), ("told-scores", "lenetbn-wafers", {"told": "ot"}), ("told-inputs", "mlpdrop-runes", {"told": "li"}),
)
"""Name, cell, what is chosen otherwise."""
# fmt: on

OTHER_LOOPS = (
    "mobilenetv1-weather compiled, vgg11-street records, vgg11-tissue everyk, squeezenext-weather fabric, squeezenext-tissue experiment, "
    "lenetbn-runes counters, lenetbn-wafers shadow, convnet-runes bfloat, convnet-plankton everyk, efficientv2-traffic records, mlpdrop-runes experiment, mlpdrop-wafers fabric, bigfilters-plankton compiled, "
    "bigfilters-wafers gathered, coordnet-spots bfloat, coordnet-traffic counters, maxnet-weather records, maxnet-spots shadow, pretrained-street shadow"
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
    """All healthy programs of the part from outside, the twins first."""
    made = [Program(f"base-outside-{name}", setup=setup, held=True) for name, setup in CELLS.items()]
    for name, cell, change in _all():
        setup = replace(CELLS[cell], **change)  # type: ignore[arg-type]
        made.append(Program(f"fine-outside-{name}-{cell}", setup=setup, base=f"outside-{cell}", held=True))
    return made
