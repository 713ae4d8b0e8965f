"""Kinds of faults of the last part: the standard ones alone, each at two strengths, in cells that no other part has.

A row of a table: the kind, strong, mild, cells; the causes that are right to name are those that `anew/` has for the
kind. Written before any of them was recorded, by the names of the causes alone, without a look at a rule, at a rule's
page or at what was said of a program.
"""

from __future__ import annotations

import anew.kinds
from beyond.kinds import Row
from held.kind import Change

FEW = {"decay": 0.0, "dropout": 0.0, "augment": "none", "batch": 10, "accumulate": 1, "schedule": "none"}
ONE = {"accumulate": 1, "keep": 800, "schedule": "none"}

ACCEPTED = {
    row[0]: row[1]
    for table in (anew.kinds.RATES, anew.kinds.NETWORKS, anew.kinds.INPUTS, anew.kinds.LOSSES, anew.kinds.LOOPS)
    for row in table
} | {row[0]: row[1] for row, _ in anew.kinds.COSTS}
"""Kind -> the causes that are right to name, as in the part that is anew."""


def _rows(*rows: tuple[str, Change, Change, str]) -> tuple[Row, ...]:
    return tuple((kind, ACCEPTED[kind], strong, mild, cells) for kind, strong, mild, cells in rows)


# fmt: off
RATES = _rows(
    ("rate-high", {"times": 100.0}, {"times": 30.0}, "twoconv-numerals+ fiveconv-scanned- lenetmean-clothes+ lenetcaffe-scanned-"),
    ("rate-high-adam", {"times": 200.0}, {"times": 50.0}, "twoconv-clothes+ vggfour-figures- threeconv-figures+ funnel-scanned-"),
    ("rate-low", {"times": 1e-4}, {"times": 3e-3}, "lenetcaffe-scanned+ resnetten-fivesome- fourconv-fabrics+ twoconv-numerals-"),
    ("rate-low-adam", {"times": 1e-3}, {"times": 5e-3}, "twoconv-clothes+ dwnet-figures- fiveconv-views+ lenetmean-numerals-"),
    ("momentum-high", {"momentum": 0.999}, {"momentum": 0.995}, "fiveconv-scanned+ twoconv-numerals- finetuned-foursome+"),
    ("epsilon-low", {"epsilon": 0.0, "times": 3.0}, {"epsilon": 1e-30, "times": 2.5}, "vggfour-figures+ fiveconv-views- lenetmean-numerals+"),
    ("oscillating", {"batch": 4, "times": 10.0, "epochs": 3}, {"batch": 4, "times": 5.0, "epochs": 3}, "threeconv-foursome+ twoconv-numerals- fiveconv-scanned-"),
    ("slow", {"optimizer": "sgd", "rate": 3e-4}, {"optimizer": "sgd", "rate": 2e-3}, "dwnet-figures+ lenetmean-numerals- resnetten-clothes+"),
    ("schedule-per-batch", {"schedule": "exponential:0.9", "per": "batch"}, {"schedule": "exponential:0.95", "per": "batch"}, "lenetcaffe-scanned+ threeconv-figures- lenetmean-clothes-"),
    ("schedule-drop", {"schedule": "step:1:0.1", "per": "epoch"}, {"schedule": "step:1:0.2", "per": "epoch"}, "threeconv-figures+ lenetmean-numerals- twoconv-numerals+"),
    ("schedule-never", {"schedule": "warm-from:0.001:500", "per": "never"}, {"schedule": "warm-from:0.004:500", "per": "never"}, "twoconv-clothes+ lenetcaffe-scanned- resnetten-fivesome-"),
)
"""In the rate and its schedule."""

NETWORKS = _rows(
    ("init-constant", {"init": "same:0.05"}, {"init": "same:0.01"}, "twoconv-clothes+ threeconv-figures- funnel-scanned+ lenetcaffe-scanned-"),
    ("init-zero", {"init": "same:0"}, {"init": "same:0.000001"}, "lenetmean-numerals+ fiveconv-views- funnel-clothes+"),
    ("init-small", {"init": "normal:0.0005"}, {"init": "normal:0.003"}, "fiveconv-scanned+ lenetmean-clothes- twoconv-numerals+"),
    ("init-large", {"init": "normal:1"}, {"init": "scaled:6"}, "twoconv-clothes+ fiveconv-scanned- threeconv-foursome+"),
    ("vanishing", {"activation": "sigmoid", "depth": 4, "epochs": 6}, {"activation": "sigmoid", "depth": 2, "epochs": 6}, "lenetmean-clothes+ vggfour-figures- fiveconv-scanned+ threeconv-foursome-"),
    ("exploding", {"depth": 4, "init": "scaled:3", "epochs": 5}, {"depth": 3, "init": "scaled:2.5", "epochs": 6}, "fiveconv-scanned+ fiveconv-views- threeconv-foursome+"),
    ("relu-dead", {"init": "shift:-5"}, {"init": "shift:-2"}, "twoconv-clothes+ lenetmean-numerals- fiveconv-views+"),
    ("relu-dies", {"times": 50.0}, {"times": 20.0}, "fiveconv-views+ twoconv-numerals- vggfour-figures-"),
    ("activation-wrong", {"activation": "softmax"}, {"activation": "softmax", "times": 2.0}, "lenetmean-numerals+ vggfour-figures- threeconv-foursome+"),
    ("linear", {"activation": "none"}, {"activation": "none", "wide": 12}, "twoconv-numerals+ fiveconv-scanned- lenetmean-numerals+"),
    ("saturated", {"activation": "tanh", "init": "scaled:30"}, {"activation": "tanh", "init": "scaled:10"}, "twoconv-numerals+ lenetmean-numerals- funnel-scanned+"),
    ("norm-missing", {"norm": "none", "depth": 2, "times": 4.0}, {"norm": "none", "depth": 2}, "vggsixbn-numerals+ dwnet-fabrics- resnetten-fivesome+"),
    ("too-deep", {"depth": 7, "epochs": 4}, {"depth": 6, "epochs": 5}, "threeconv-figures+ lenetmean-numerals- lenetmean-clothes+"),
    ("too-small", {"wide": 1}, {"wide": 2}, "twoconv-clothes+ threeconv-figures- fourconv-fabrics+ dwnet-figures-"),
    ("relu-end", {"fault": "relu-end", "times": 3.0}, {"fault": "relu-end", "times": 2.0}, "lenetcaffe-scanned+ lenetmean-clothes- twoconv-numerals-"),
    ("statistics", {"norm_momentum": 0.0}, {"norm_momentum": 0.001}, "fourconv-views+ resnetten-clothes- vggsixbn-numerals+"),
)
"""In the first weights, activations, size and normalisation."""

INPUTS = _rows(
    ("inputs-raw", {"inputs": "bytes"}, {"inputs": "minus-127"}, "twoconv-numerals+ lenetmean-clothes- fiveconv-scanned+ threeconv-foursome-"),
    ("inputs-uncentred", {"inputs": "raised:60"}, {"inputs": "raised:20"}, "threeconv-figures+ lenetmean-clothes- vggfour-figures+"),
    ("inputs-twice", {"inputs": "normalised-again"}, {"inputs": "scaled-then-normalised"}, "twoconv-numerals+ threeconv-figures- lenetcaffe-scanned+ fiveconv-scanned-"),
    ("inputs-small", {"inputs": "shrunk:0.0005"}, {"inputs": "shrunk:0.005"}, "lenetmean-numerals+ threeconv-foursome- twoconv-clothes+"),
    ("inputs-blank", {"inputs": "cast"}, {"inputs": "buffer"}, "fourconv-fabrics+ twoconv-clothes- lenetcaffe-scanned+"),
    ("pixels-no-number", {"inputs": "some-no-number:20"}, {"inputs": "some-no-number:400"}, "resnetten-clothes+ fiveconv-views-"),
    ("valid-inputs", {"valid_inputs": "unscaled"}, {"valid_inputs": "zero-one"}, "fourconv-views+ lenetmean-numerals- vggsixbn-foursome+ threeconv-figures-"),
    ("valid-pictures", {"valid_inputs": "negative"}, {"valid_inputs": "upside-down"}, "twoconv-clothes+ resnetten-clothes- lenetcaffe-scanned+"),
    ("valid-labels", {"valid_labels": "by-folder"}, {"valid_labels": "last-two"}, "fourconv-fabrics+ fiveconv-views- vggsixbn-numerals+"),
    ("augmentation-strong", {"augment": "noise:5"}, {"augment": "crop:0.08"}, "vggsixbn-foursome+ twoconv-clothes- fiveconv-views+"),
    ("augmentation-gone", {"augment": "erase:0.9"}, {"augment": "erase:0.75"}, "fourconv-views+ lenetcaffe-scanned- resnetten-clothes+"),
    ("augmentation-wrong", {"augment": "turn:180"}, {"augment": "quarter-turns"}, "twoconv-numerals+ fourconv-fabrics- lenetmean-numerals-"),
    ("not-shuffled", {"shuffle": False}, {"shuffle": False, "times": 0.3}, "twoconv-clothes+ fourconv-fabrics- lenetcaffe-scanned+ resnetten-clothes-"),
    ("few-images", {**FEW, "keep": 50, "epochs": 40}, {**FEW, "keep": 120, "epochs": 25}, "vggsixbn-foursome+ twoconv-numerals- threeconv-figures+ fiveconv-scanned-"),
)
"""In what goes into the network."""

LOSSES = _rows(
    ("softmax-doubled", {"fault": "softmax-end"}, {"loss": "softmax-before"}, "twoconv-numerals+ fiveconv-scanned- lenetcaffe-scanned+ lenetmean-clothes-"),
    ("softmax-missing", {"loss": "log-softmax-left-out"}, {"loss": "log-softmax-left-out", "times": 0.1}, "twoconv-clothes+ resnetten-clothes- lenetcaffe-scanned+"),
    ("softmax-wrong", {"loss": "first-dimension"}, {"loss": "first-dimension", "batch": 64}, "fourconv-fabrics+ twoconv-numerals- threeconv-foursome+"),
    ("log-missing", {"loss": "share-itself"}, {"loss": "share-itself", "times": 0.3}, "lenetcaffe-scanned+ lenetmean-clothes- twoconv-numerals-"),
    ("scores-squashed", {"fault": "sigmoid-end"}, {"fault": "tanh-end"}, "twoconv-numerals+ lenetmean-clothes- fiveconv-scanned+"),
    ("loss-unsuitable", {"loss": "distance"}, {"loss": "brier-mean"}, "lenetcaffe-scanned+ twoconv-numerals- lenetmean-clothes+"),
    ("sign", {"loss": "negative"}, {"loss": "minus-forgotten"}, "twoconv-clothes+ vggsixbn-numerals- funnel-scanned+"),
    ("sign-update", {"fault": "maximised"}, {"fault": "maximised", "times": 0.3}, "fourconv-views+ lenetcaffe-scanned- dwnet-figures+"),
    ("sum", {"loss": "added-up", "times": 2.0}, {"loss": "added-up"}, "twoconv-numerals+ threeconv-foursome- fiveconv-scanned+"),
    ("labels-shuffled", {"labels": "sorted"}, {"labels": "one-off"}, "threeconv-figures+ fourconv-views- lenetcaffe-scanned+ resnetten-clothes-"),
    ("labels-noisy", {"labels": "annotator:0.65"}, {"labels": "annotator:0.5"}, "fourconv-fabrics+ twoconv-clothes- vggsixbn-numerals+ lenetmean-numerals-"),
    ("imbalanced", {"labels": "geometric:100"}, {"labels": "rare:40"}, "twoconv-clothes+ threeconv-foursome- fourconv-views+ funnel-scanned-"),
    ("weights-upside-down", {"labels": "geometric:16", "balance": "by-count"}, {"labels": "geometric:8", "balance": "by-count"}, "twoconv-clothes+ threeconv-figures- vggsixbn-foursome+"),
    ("class-lost", {"labels": "first-dropped"}, {"labels": "clamped:1"}, "resnetten-clothes+ twoconv-numerals- fourconv-views+"),
)
"""In the loss, the scores, labels and classes."""

LOOPS = _rows(
    ("decay-strong", {"decay": 1.0}, {"decay": 0.3}, "twoconv-numerals+ fiveconv-scanned- resnetten-fivesome+"),
    ("decay-coupled", {"decay": 1.0}, {"decay": 0.2}, "twoconv-clothes+ lenetmean-numerals-"),
    ("l1-strong", {"l1": 0.03}, {"l1": 0.01}, "lenetcaffe-scanned+ twoconv-numerals-"),
    ("dropout-strong", {"dropout": 0.97}, {"dropout": 0.92}, "twoconv-numerals+ vggfour-figures- vggsixbn-foursome+"),
    ("dropout-in-evaluation", {"fault": "dropped-always:0.95"}, {"fault": "dropped-always:0.85"}, "twoconv-clothes+ lenetcaffe-scanned- fourconv-views+"),
    ("evaluation-forgotten", {"fault": "eval-forgotten", "dropout": 0.85}, {"fault": "eval-forgotten", "dropout": 0.75}, "vggfour-figures+ twoconv-numerals- fiveconv-views+"),
    ("evaluation-left-on", {"fault": "never-train", "times": 3.0}, {"fault": "train-once"}, "fourconv-fabrics+ fourconv-views- vggsixbn-numerals+"),
    ("batch-of-two", {"batch": 2, "epochs": 2, "times": 3.0}, {"batch": 2, "epochs": 1}, "fourconv-views+ vggsixbn-numerals-"),
    ("batch-small", {**ONE, "batch": 1, "epochs": 1, "times": 2.0}, {**ONE, "batch": 2, "epochs": 2, "times": 2.0}, "fiveconv-scanned+ threeconv-foursome- lenetcaffe-scanned+"),
    ("batch-large", {"batch": 480, "times": 0.5}, {"batch": 320}, "twoconv-clothes+ lenetmean-numerals- dwnet-figures+"),
    ("stopped-early", {"epochs": 1, "times": 0.5}, {"epochs": 2}, "threeconv-figures+ twoconv-numerals- lenetmean-clothes+"),
    ("never-cleared", {"fault": "clear-forgotten"}, {"fault": "cleared-per-epoch"}, "twoconv-numerals+ fiveconv-scanned- lenetmean-clothes+ threeconv-foursome-"),
    ("order", {"fault": "cleared-too-late"}, {"fault": "step-too-early"}, "twoconv-clothes+ resnetten-fivesome- lenetcaffe-scanned+ fourconv-views-"),
    ("step-per-epoch", {"fault": "step-per-epoch"}, {"fault": "step-per-epoch", "times": 3.0}, "threeconv-figures+ lenetcaffe-scanned-"),
    ("not-held", {"fault": "copied-before"}, {"fault": "last-alone"}, "fourconv-views+ dwnet-figures- twoconv-numerals+ resnetten-fivesome-"),
    ("old-head", {"fault": "head-replaced", "freeze": True}, {"fault": "head-replaced"}, "finetuned-foursome+ finetuned-fruits-"),
    ("frozen", {"init": "fresh", "freeze": True}, {"freeze": True}, "finetuned-foursome+ dwnet-fabrics- threeconv-figures-"),
    ("no-grad", {"fault": "detached"}, {"fault": "detached", "times": 3.0}, "threeconv-figures+ fourconv-fabrics-"),
    ("loss-detached", {"fault": "through-numpy"}, {"fault": "through-numpy", "times": 3.0}, "fourconv-views+ twoconv-numerals-"),
    ("clip-tight", {"clip": 1e-4}, {"fault": "clipped-by-value:1e-5"}, "lenetcaffe-scanned+ twoconv-numerals- fourconv-fabrics+"),
)
"""In regularisation, length, modes and the loop."""

COSTS: tuple[tuple[Row, str], ...] = tuple(zip(_rows(
    ("starving", {"fault": "slow-loader:0.04", "epochs": 3}, {"fault": "slow-loader:0.03", "epochs": 3}, "funnel-scanned+ lenetcaffe-scanned-"),
    ("hoard", {"fault": "losses-kept", "epochs": 4}, {"fault": "history-kept:1"}, "twoconv-clothes+ funnel-scanned-"),
), ("time", "memory"), strict=True))
"""What costs time or memory and no points, with that."""
# fmt: on
