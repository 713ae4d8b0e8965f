"""Healthy trainings of the last part, spread wide: what people do and is not wrong, from good choices to mediocre ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from held.kind import Change
from last.cells import CELLS
from programs import Program

OPTIMIZERS = (
    "twoconv-clothes momentum 0.02 0, twoconv-clothes adamw 2e-3 0.01, twoconv-clothes rmsprop 1e-3 0, twoconv-clothes sgd 0.1 0, twoconv-numerals adam 1e-3 0, twoconv-numerals nadam 1e-3 0, "
    "twoconv-numerals adagrad 0.02 0, threeconv-figures momentum 0.03 0, threeconv-figures radam 3e-3 0, threeconv-foursome adam 1e-3 0, threeconv-foursome adamw 1e-3 0.05, "
    "fourconv-fabrics adam 5e-3 0, fourconv-fabrics sgd 0.2 0, fourconv-views nesterov 0.05 0.0001, fourconv-views rmsprop 2e-3 0, fiveconv-views momentum 0.01 0, fiveconv-views amsgrad 1e-3 0, "
    "fiveconv-scanned adam 1e-3 0, lenetcaffe-scanned adam 1e-3 0, lenetcaffe-scanned adamax 2e-3 0, lenetcaffe-tiles momentum 0.01 0.0005, lenetmean-clothes adam 2e-3 0, lenetmean-clothes momentum 0.03 0, "
    "lenetmean-numerals rmsprop 1e-3 0, vggfour-figures adamw 1e-3 0.01, vggfour-tiles adam 5e-4 0, vggsixbn-foursome momentum 0.1 0.0005, vggsixbn-numerals adam 2e-3 0, "
    "resnetten-fivesome adam 3e-3 0, resnetten-clothes sgd 0.1 0, resnetten-clothes momentum 0.05 0.0001, dwnet-fabrics momentum 0.1 0.0001, dwnet-figures nadam 5e-3 0, "
    "funnel-scanned momentum 0.05 0, funnel-scanned sgd 0.2 0, funnel-scanned adadelta 1.0 0, funnel-clothes adam 1e-3 0, finetuned-fruits momentum 0.02 0.0001, finetuned-foursome adam 1e-3 0"
)
"""Cell, optimiser, rate, decay: rates that a person would take."""

SCHEDULES = (
    "twoconv-clothes cosine batch, twoconv-clothes exponential:0.9 epoch, twoconv-numerals onecycle batch, twoconv-numerals step:4:0.3 epoch, threeconv-figures warm-cosine batch, threeconv-figures plateau epoch, "
    "threeconv-foursome cosine epoch, threeconv-foursome milestones:5:7:0.2 epoch, fourconv-fabrics onecycle batch, fourconv-fabrics step:2:0.3 epoch, fourconv-views linear batch, fourconv-views warm:30 batch, "
    "fiveconv-views polynomial batch, fiveconv-scanned cosine batch, fiveconv-scanned warm:60 batch, lenetcaffe-scanned none epoch, lenetcaffe-tiles plateau epoch, lenetmean-clothes warm-from:0.1:60 batch, "
    "lenetmean-numerals cosine batch, vggfour-figures onecycle batch, vggfour-tiles exponential:0.85 epoch, vggsixbn-foursome cosine batch, vggsixbn-numerals step:2:0.3 epoch, "
    "resnetten-fivesome onecycle batch, resnetten-clothes cosine batch, dwnet-fabrics onecycle batch, dwnet-figures none batch, funnel-scanned restarts batch, funnel-clothes linear epoch, finetuned-fruits cosine batch"
)
"""Cell, schedule and its figures, after what it is stepped."""

# fmt: off
VARIED: tuple[tuple[str, str, Change], ...] = (
    # short, long
    ("short", "twoconv-clothes", {"epochs": 4}), ("short", "resnetten-clothes", {"epochs": 2}), ("short", "lenetcaffe-tiles", {"epochs": 5}), ("short", "vggfour-tiles", {"epochs": 4}),
    ("long", "funnel-scanned", {"epochs": 35}), ("long", "twoconv-clothes", {"epochs": 16}), ("long", "lenetcaffe-scanned", {"epochs": 18}), ("long", "lenetmean-clothes", {"epochs": 16}), ("long", "threeconv-figures", {"epochs": 16}),
    # losses that are right, in other forms
    ("likelihood", "twoconv-numerals", {"loss": "likelihood"}), ("by-hand", "lenetcaffe-scanned", {"loss": "by-hand"}), ("one-hot", "fourconv-views", {"loss": "one-hot"}),
    ("smooth", "vggsixbn-numerals", {"loss": "smooth"}), ("smooth", "resnetten-fivesome", {"loss": "smooth"}), ("smooth-little", "twoconv-clothes", {"loss": "smooth-little"}),
    ("focal", "twoconv-clothes", {"loss": "focal"}), ("binary", "lenetmean-clothes", {"loss": "binary", "times": 2.0}), ("squares", "funnel-clothes", {"loss": "squares"}), ("hinge", "lenetcaffe-tiles", {"loss": "hinge"}),
    # activations, normalisation, depth, width
    ("gelu", "twoconv-clothes", {"activation": "gelu"}), ("leaky", "fiveconv-views", {"activation": "leaky"}), ("elu", "threeconv-foursome", {"activation": "elu"}), ("silu", "resnetten-clothes", {"activation": "silu"}),
    ("tanh", "lenetcaffe-scanned", {"activation": "tanh"}), ("tanh", "lenetmean-numerals", {"activation": "tanh"}), ("tanh", "twoconv-clothes", {"activation": "tanh"}), ("sigmoid", "funnel-scanned", {"activation": "sigmoid", "times": 3.0, "epochs": 30}),
    ("relu6", "dwnet-fabrics", {"activation": "relu6"}), ("batch-norm", "twoconv-numerals", {"norm": "batch"}), ("batch-norm", "threeconv-foursome", {"norm": "batch", "epochs": 6}), ("batch-norm", "fiveconv-scanned", {"norm": "batch", "epochs": 6}),
    ("batch-norm", "funnel-scanned", {"norm": "batch"}), ("group-norm", "fourconv-views", {"norm": "group"}), ("layer-norm", "funnel-clothes", {"norm": "layer"}), ("instance-norm", "vggsixbn-numerals", {"norm": "instance"}),
    ("quick-statistics", "resnetten-clothes", {"norm_momentum": 0.3}), ("slow-statistics", "fourconv-fabrics", {"norm_momentum": 0.05}), ("deep", "funnel-clothes", {"depth": 2}), ("deep", "twoconv-numerals", {"depth": 2}),
    ("deep", "resnetten-clothes", {"depth": 2}), ("wide", "twoconv-clothes", {"wide": 16}), ("wide", "lenetcaffe-scanned", {"wide": 16}), ("wide", "funnel-scanned", {"wide": 16}), ("narrow", "lenetmean-clothes", {"wide": 4}), ("narrow", "resnetten-clothes", {"wide": 4}),
    # first weights that are not the default and work
    ("he", "twoconv-numerals", {"init": "he"}), ("he", "vggfour-figures", {"init": "he"}), ("xavier", "lenetmean-numerals", {"init": "xavier"}), ("xavier", "funnel-scanned", {"init": "xavier"}), ("orthogonal", "threeconv-foursome", {"init": "orthogonal"}),
    ("truncated", "twoconv-clothes", {"init": "truncated:0.05"}), ("normal", "lenetcaffe-scanned", {"init": "normal:0.05"}), ("head-zero", "fourconv-views", {"init": "last:0.001", "epochs": 6}), ("head-zero", "twoconv-clothes", {"init": "last:0.001"}),
    # slow but sure, fast and unsteady but sure
    ("slow", "twoconv-clothes", {"times": 0.4}), ("slow", "resnetten-clothes", {"times": 0.3}), ("slow", "fourconv-fabrics", {"times": 0.4}), ("slow", "finetuned-fruits", {"times": 0.4}), ("slow", "funnel-clothes", {"times": 0.3}),
    ("fast", "twoconv-clothes", {"times": 4.0}), ("fast", "fourconv-views", {"times": 4.0}), ("fast", "resnetten-clothes", {"times": 4.0}), ("fast", "funnel-scanned", {"times": 3.0}), ("fast", "lenetmean-clothes", {"times": 2.0}), ("fast", "twoconv-numerals", {"times": 1.5}),
    ("fast", "dwnet-fabrics", {"times": 2.0}),
    # dropout, augmentation that helps or does little harm
    ("dropout", "twoconv-clothes", {"dropout": 0.5}), ("dropout", "twoconv-numerals", {"dropout": 0.3}), ("dropout", "fiveconv-views", {"dropout": 0.5}), ("dropout", "lenetcaffe-scanned", {"dropout": 0.4}), ("dropout", "funnel-clothes", {"dropout": 0.3}),
    ("dropout", "resnetten-fivesome", {"dropout": 0.2}), ("no-dropout", "vggfour-figures", {"dropout": 0.0}), ("plain", "finetuned-fruits", {"augment": "none"}), ("plain", "threeconv-foursome", {"augment": "none", "epochs": 6}),
    ("shift", "lenetcaffe-scanned", {"augment": "shift:1"}), ("shift", "twoconv-clothes", {"augment": "shift:2"}), ("turn", "twoconv-clothes", {"augment": "turn:10"}), ("turn", "fiveconv-scanned", {"augment": "turn:8"}), ("turn", "vggfour-tiles", {"augment": "quarter-turns"}),
    ("mirror", "fourconv-views", {"augment": "mirror:0.5"}), ("mirror", "fiveconv-views", {"augment": "mirror:0.5"}), ("mirror", "fourconv-fabrics", {"augment": "mirror:0.5"}), ("erase", "twoconv-clothes", {"augment": "erase:0.1"}), ("erase", "fourconv-views", {"augment": "erase:0.2"}),
    ("noise", "funnel-clothes", {"augment": "noise:0.4"}), ("noise", "lenetcaffe-tiles", {"augment": "noise:0.2"}), ("jitter", "fiveconv-views", {"augment": "jitter:0.2"}), ("dimmed", "twoconv-clothes", {"augment": "dimmed:0.4"}), ("crop", "fourconv-views", {"augment": "crop:0.6"}),
    # inputs that are prepared otherwise, and fine
    ("zero-one", "twoconv-clothes", {"inputs": "zero-one"}), ("zero-one", "resnetten-clothes", {"inputs": "zero-one"}), ("zero-one", "funnel-clothes", {"inputs": "zero-one"}), ("half", "twoconv-numerals", {"inputs": "half", "epochs": 14}), ("half", "fourconv-views", {"inputs": "half"}),
    ("half", "lenetcaffe-tiles", {"inputs": "half"}), ("imagenet", "finetuned-foursome", {"inputs": "imagenet"}), ("imagenet", "threeconv-foursome", {"inputs": "imagenet"}), ("min-max", "fiveconv-views", {"inputs": "min-max"}), ("per-image", "twoconv-numerals", {"inputs": "per-image"}),
    ("centred", "lenetmean-clothes", {"inputs": "centred", "times": 2.0}), ("one-mean", "fourconv-fabrics", {"inputs": "one-mean"}),
    # few images handled well, some noise, classes that are unequal and handled or bearable
    ("few", "twoconv-clothes", {"keep": 400, "epochs": 14}), ("few", "fourconv-views", {"keep": 300, "epochs": 10, "augment": "mirror:0.5"}), ("few", "funnel-scanned", {"keep": 500, "epochs": 25}), ("few", "lenetcaffe-scanned", {"keep": 500, "epochs": 14}),
    ("few", "finetuned-fruits", {"keep": 120, "epochs": 18}), ("noise", "twoconv-clothes", {"labels": "annotator:0.08"}), ("noise", "fourconv-fabrics", {"labels": "annotator:0.06"}), ("noise", "lenetcaffe-scanned", {"labels": "annotator:0.06"}), ("noise", "vggsixbn-numerals", {"labels": "annotator:0.08"}),
    ("unequal", "twoconv-clothes", {"labels": "geometric:4"}), ("unequal", "fourconv-views", {"labels": "geometric:5"}), ("unequal", "lenetcaffe-scanned", {"labels": "half-rare:3"}), ("unequal-weighted", "twoconv-clothes", {"labels": "geometric:8", "balance": "weighted", "epochs": 9}),
    ("unequal-sampled", "lenetcaffe-scanned", {"labels": "geometric:6", "balance": "sampled", "epochs": 12}), ("unequal-sampled", "fourconv-views", {"labels": "geometric:6", "balance": "sampled", "epochs": 6}), ("weighted", "lenetcaffe-tiles", {"balance": "weighted"}), ("sampled", "vggfour-tiles", {"balance": "sampled"}),
    # tiny validation parts
    ("tiny-valid", "twoconv-clothes", {"valid_keep": 24}), ("tiny-valid", "fourconv-views", {"valid_keep": 20}), ("tiny-valid", "lenetcaffe-scanned", {"valid_keep": 30}), ("tiny-valid", "finetuned-fruits", {"valid_keep": 20}), ("tiny-valid", "funnel-clothes", {"valid_keep": 25}),
    # batches, accumulation, clipping, decay and penalties that are usual
    ("batch-8", "twoconv-clothes", {"batch": 8, "times": 0.5, "epochs": 3}), ("batch-8", "lenetcaffe-scanned", {"batch": 8, "times": 0.3, "epochs": 4}), ("batch-16", "resnetten-clothes", {"batch": 16, "times": 0.5, "epochs": 3}), ("batch-16", "twoconv-numerals", {"batch": 16, "times": 0.5, "epochs": 6}),
    ("batch-64", "twoconv-clothes", {"batch": 64, "times": 2.0, "epochs": 8}), ("batch-64", "fourconv-views", {"batch": 64, "times": 1.5, "epochs": 6}), ("batch-128", "funnel-scanned", {"batch": 128, "times": 2.0, "epochs": 25}),
    ("accumulate-4", "dwnet-fabrics", {"batch": 8, "accumulate": 4}), ("accumulate-1", "funnel-clothes", {"batch": 32, "accumulate": 1}), ("accumulate-8", "funnel-clothes", {"batch": 4, "accumulate": 8, "epochs": 6}),
    ("clip", "twoconv-numerals", {"clip": 1.0}), ("clip", "threeconv-foursome", {"clip": 1.0}), ("clip", "lenetcaffe-tiles", {"clip": 0.5}), ("l1", "twoconv-clothes", {"l1": 1e-5}), ("l2-by-hand", "lenetcaffe-scanned", {"fault": "squares:0.0001"}),
    ("decay-some", "threeconv-foursome", {"decay": 5e-3}), ("decay-some", "resnetten-clothes", {"decay": 0.1}), ("decay-some", "twoconv-numerals", {"decay": 1e-3}), ("betas", "twoconv-clothes", {"betas": (0.8, 0.99)}), ("epsilon", "fiveconv-views", {"epsilon": 1e-5}),
    ("momentum-some", "twoconv-numerals", {"momentum": 0.95, "times": 0.5}), ("momentum-little", "fiveconv-scanned", {"momentum": 0.8}),
    # a body that is held in part, one that was never trained and is now, a head that is quicker
    ("partly-held", "finetuned-fruits", {"fault": "first-frozen:6"}), ("fresh", "finetuned-fruits", {"init": "fresh"}), ("head-quicker", "finetuned-fruits", {"times": 0.3, "head_times": 10.0}), ("head-quicker", "finetuned-foursome", {"times": 0.5, "head_times": 5.0}),
    # what is not told to the watcher
    ("loss-alone", "twoconv-clothes", {"told": "l"}), ("no-inputs", "fourconv-fabrics", {"told": "lot"}), ("no-scores", "lenetcaffe-scanned", {"told": "l"}),
)
"""Name, cell, what is chosen otherwise."""
# fmt: on

OTHER_LOOPS = (
    "twoconv-clothes perepoch, twoconv-clothes brainfloat, twoconv-numerals withlogging, threeconv-figures keepbest, fourconv-fabrics simple, fourconv-views everyfew, fiveconv-views functionalstep, fiveconv-scanned trainerclass, "
    "lenetcaffe-scanned simple, lenetcaffe-tiles everyfew, lenetmean-clothes trainerclass, vggfour-figures perepoch, vggsixbn-numerals keepbest, resnetten-clothes withlogging, dwnet-fabrics simple, funnel-scanned functionalstep, "
    "funnel-clothes keepbest, finetuned-fruits trainerclass"
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
    """All healthy programs of the last part, the twins first."""
    made = [Program(f"base-last-{name}", setup=setup, held=True) for name, setup in CELLS.items()]
    for name, cell, change in _all():
        setup = replace(CELLS[cell], **change)  # type: ignore[arg-type]
        made.append(Program(f"fine-last-{name}-{cell}", setup=setup, base=f"last-{cell}", held=True))
    return made
