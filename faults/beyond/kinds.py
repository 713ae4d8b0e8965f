"""Kinds of faults in cells of the part that is beyond: those that other parts have too, and those that none has.

A row of a table: the kind, the causes that are right to name, strong, mild, cells. Written before any of them was
recorded, by the names of the causes alone, without a look at a rule, at a rule's page or at a score.
"""

from __future__ import annotations

from apart.kinds_data import MIXED_UP
from apart.kinds_network import LARGE, NEVER, TOO_FAST
from fresh.kinds_data import EMPTY, STRONG
from fresh.kinds_loop import FEW, STILL
from held.kind import Change
from held.kinds_data import SQUASHED
from recipes import HIGH, LOW, SMALL
from unseen.kinds_loop import DECAYED

Row = tuple[str, tuple[str, ...], Change, Change, str]

SLOW = ("updates-too-small", *LOW)
RAW = ("inputs-not-normalised",)
TWICE = ("normalised-twice", "inputs-not-normalised")
DECAY = ("regularisation-too-strong",)
DIFFER = ("parts-differ",)
UNHELD = ("layer-not-trained",)
RARE = ("imbalanced", "class-never-predicted")
NOISY = ("too-noisy", *HIGH)
ENDED = ("stopped-too-early", *LOW)
LEARNED = ("overfitting", "regularisation-missing")
FLAT = ("labels-unrelated", "stuck-at-chance", "constant-output", "class-never-predicted")
SUMMED = {"fault": "sum-accumulated", "times": 3.0}
LONG, SOME = {"labels": "long-tail:15"}, {"labels": "long-tail:4"}
ONE = {"accumulate": 1, "epochs": 2}

# fmt: off
LISTED: tuple[Row, ...] = (
    # the rate and its schedule
    ("rate-high", HIGH, {"times": 100.0}, {"times": 30.0}, "keras-wild+ keras-dice- nine-wild+"),
    ("rate-high-adam", HIGH, {"times": 200.0}, {"times": 60.0}, "pyramid-dice+ keras-leaves- rows-chirps+"),
    ("rate-low", LOW, {"times": 1e-4}, {"times": 3e-3}, "ushaped-roads+ pyramid-chirps-"),
    ("rate-low-adam", LOW, {"times": 1e-3}, {"times": 5e-3}, "rows-segments+ keras-painted-"),
    ("rate-head-high", HIGH, {"head_times": 1000.0}, {"head_times": 300.0}, "keras-wild+ pyramid-dice-"),
    ("rate-body-low", (*UNHELD, *LOW), {"times": 1e-5, "head_times": 1e5}, {"times": 1e-3, "head_times": 1e3}, "keras-leaves+ keras-painted-"),
    ("momentum-high", HIGH, {"momentum": 0.999}, {"momentum": 0.996}, "keras-wild+ nine-wild-"),
    ("schedule-per-batch", TOO_FAST, {"schedule": "gamma:0.8"}, {"schedule": "gamma:0.93"}, "pixels-barcodes+ keras-painted-"),
    ("schedule-drop", TOO_FAST, {"schedule": "milestones:0.1"}, {"schedule": "gamma-each-ten:0.3"}, "keras-wild+ rows-chirps-"),
    ("schedule-never", NEVER, {"schedule": "first-factor:0.001"}, {"schedule": "first-factor:0.005"}, "pyramid-dice+ keras-leaves-"),
    ("warm-up-endless", (*NEVER, "stopped-too-early"), {"schedule": "warm-up:40000"}, {"schedule": "warm-up:12000"}, "keras-leaves+ nine-wild-"),
    ("schedule-rising", HIGH, {"schedule": "gamma:1.06"}, {"schedule": "gamma:1.03"}, "rows-chirps+ keras-dice-"),
    ("epsilon-high", SLOW, {"epsilon": 10.0}, {"epsilon": 1.0}, "keras-painted+ pixels-segments-"),
    ("epsilon-low", NOISY, {"epsilon": 0.0, "times": 3.0}, {"epsilon": 0.0}, "keras-leaves+ rows-segments-"),
    # the first weights, activations, size
    ("init-constant", ("symmetric-initialisation",), {"init": "same-rows"}, {"init": "constant:0.03"}, "keras-wild+ ushaped-roads- shallow-segments+"),
    ("init-small", SMALL, {"init": "uniform:0.0003"}, {"init": "normal:0.004"}, "keras-wild+ pyramid-chirps-"),
    ("init-large", LARGE, {"init": "normal:1"}, {"init": "scaled:6"}, "keras-painted+ keras-dice-"),
    ("init-one-sided", LARGE, {"init": "one-sided:1"}, {"init": "one-sided:0.2"}, "keras-leaves+ pyramid-dice-"),
    ("head-large", ("initialisation-too-large", "initial-loss-wrong", "exploding-gradients"), {"init": "head:50"}, {"init": "head:12"}, "ghost-barcodes+ keras-wild-"),
    ("activation-sigmoid", ("vanishing-gradients", "saturated-units"), {"activation": "sigmoid", "depth": 3}, {"activation": "sigmoid", "depth": 2}, "keras-wild+ pyramid-chirps-"),
    ("dead", ("dead-units",), {"init": "bias:-8"}, {"init": "bias:-3"}, "keras-painted+ keras-dice-"),
    ("saturated", ("saturated-units", "initialisation-too-large"), {"init": "scaled:40"}, {"init": "scaled:12"}, "shallow-segments+ shallow-painted-"),
    ("linear", ("no-nonlinearity", "underfitting"), {"activation": "none"}, {"activation": "none", "wide": 12}, "shallow-painted+ keras-leaves-"),
    ("norm-missing", (*HIGH, *SMALL, "dead-units", "initialisation-too-large"), {"norm": "none", "times": 4.0, "depth": 3}, {"norm": "none", "depth": 3}, "nine-wild+ ghost-roads-"),
    ("too-deep", SMALL, {"depth": 9}, {"depth": 6}, "keras-leaves+ keras-wild-"),
    ("too-small", ("underfitting",), {"wide": 1}, {"wide": 2}, "pyramid-dice+ keras-painted-"),
    # what goes into the network
    ("inputs-raw", RAW, {"inputs": "fixed-point"}, {"inputs": "hundred-less"}, "keras-wild+ keras-painted- rows-chirps+"),
    ("inputs-uncentred", RAW, {"inputs": "raised:200"}, {"inputs": "raised:40"}, "pyramid-dice+ keras-leaves-"),
    ("inputs-saturating", (*RAW, "saturated-units"), {"inputs": "fixed-point"}, {"inputs": "hundred-less"}, "shallow-segments+ shallow-painted-"),
    ("inputs-twice", TWICE, {"inputs": "totensor-again"}, {"inputs": "by-variance"}, "keras-wild+ shallow-painted-"),
    ("inputs-small", TWICE, {"inputs": "shrunk:1e-5"}, {"inputs": "shrunk:0.002"}, "pyramid-chirps+ keras-dice-"),
    ("inputs-blank", EMPTY, {"inputs": "integer-divided"}, {"inputs": "clipped-to-one"}, "ghost-roads+ pyramid-dice-"),
    ("inputs-destroyed", (*EMPTY, "underfitting", "labels-noisy"), {"inputs": "averaged"}, {"inputs": "shuffled-within"}, "ushaped-roads+ keras-leaves-"),
    ("pixels-no-number", ("not-a-number", "diverging"), {"inputs": "blank-some"}, {"inputs": "overflowed"}, "pixels-segments+ keras-wild-"),
    ("valid-inputs", DIFFER, {"valid_inputs": "raised:3"}, {"valid_inputs": "zero-one"}, "keras-painted+ nine-segments-"),
    ("valid-pictures", DIFFER, {"valid_inputs": "upside-down-too"}, {"valid_inputs": "blurred"}, "shallow-segments+ keras-leaves-"),
    ("valid-labels", DIFFER, {"valid_labels": "shuffled-alone"}, {"valid_labels": "two-exchanged"}, "ghost-barcodes+ rows-chirps-"),
    ("augmentation", STRONG, {"augment": "static:0.93"}, {"augment": "static:0.8"}, "ushaped-roads+ keras-painted-"),
    ("augmentation-gone", STRONG, {"augment": "crumb:2"}, {"augment": "crumb:5"}, "pyramid-dice+ ghost-barcodes-"),
    ("augmentation-flips", (*MIXED_UP, "parts-differ"), {"augment": "either"}, {"augment": "mirror"}, "pyramid-chirps+ shallow-segments-"),
    ("augmentation-blended", MIXED_UP, {"augment": "pasted:0.9"}, {"augment": "pasted:0.6"}, "keras-dice+ keras-painted-"),
    ("not-shuffled", ("not-shuffled",), {"fault": "sorted-buffer:4"}, {"fault": "sorted-buffer:40"}, "ghost-roads+ pixels-segments- keras-wild+"),
    # the loss and the scores
    ("softmax-doubled", ("softmax-doubled",), {"loss": "soft-doubled"}, {"fault": "softmax-end"}, "keras-wild+ ghost-barcodes- rows-segments+"),
    ("softmax-missing", ("softmax-missing",), {"loss": "soft-raw"}, {"loss": "soft-raw-tenth"}, "ushaped-roads+ rows-chirps-"),
    ("softmax-wrong", ("softmax-missing", "softmax-doubled", "initial-loss-wrong"), {"loss": "over-batch", "batch": 10}, {"loss": "over-all"}, "keras-leaves+ pyramid-dice-"),
    ("log-missing", ("softmax-missing", "initial-loss-wrong", "vanishing-gradients", *SLOW), {"loss": "share-over-batch"}, {"loss": "share-as-log"}, "pixels-barcodes+ keras-wild-"),
    ("scores-squashed", SQUASHED, {"loss": "squashed-tenth"}, {"fault": "sigmoid-end"}, "keras-wild+ ghost-roads-"),
    ("scores-cooled", ("vanishing-gradients", "softmax-doubled", "underfitting", *SLOW), {"loss": "temperature"}, {"loss": "cooled"}, "shallow-painted+ keras-wild-"),
    ("relu-end", ("dead-units", "constant-output", "stuck-at-chance", "class-never-predicted"), {"fault": "relu-end", "times": 3.0}, {"fault": "relu-end"}, "keras-painted+ keras-wild-"),
    ("sign", ("wrong-sign",), {"loss": "one-less"}, {"loss": "minus-soft"}, "keras-wild+ rows-segments-"),
    ("sign-update", ("wrong-sign",), {"fault": "maximised"}, {"fault": "maximised", "times": 0.3}, "shallow-segments+ pyramid-dice-"),
    ("sum", ("sum-instead-of-mean", *HIGH), {"loss": "added", "times": 2.0}, {"loss": "added"}, "keras-wild+ shallow-painted-"),
    ("loss-unsuitable", ("softmax-doubled", "vanishing-gradients", "initial-loss-wrong", "stuck-at-chance", *SLOW), {"loss": "expected-number"}, {"loss": "hundredth-squares"}, "keras-leaves+ shallow-segments-"),
    ("loss-of-labels", (*FLAT, "labels-noisy"), {"loss": "broadcast"}, {"loss": "broadcast", "times": 0.3}, "ghost-barcodes+ pyramid-dice-"),
    ("loss-no-number", ("not-a-number", "diverging"), {"loss": "log-of-nought"}, {"loss": "log-of-little"}, "keras-painted+ pyramid-dice-"),
    ("smoothed-away", (*DECAY, "underfitting", "labels-noisy"), {"loss": "spread"}, {"loss": "spread-less"}, "keras-dice+ rows-segments-"),
    # labels and classes
    ("labels-shuffled", ("labels-unrelated",), {"labels": "backwards"}, {"labels": "separately"}, "nine-segments+ pyramid-dice- keras-wild+"),
    ("labels-before", ("labels-unrelated",), {"fault": "labels-kept"}, {"fault": "halves-exchanged"}, "shallow-segments+ pixels-barcodes-"),
    ("labels-noisy", ("labels-noisy",), {"labels": "crowd:0.65"}, {"labels": "crowd:0.45"}, "ghost-roads+ keras-painted- pixels-segments+"),
    ("labels-one-swallows", ("labels-noisy", *RARE), {"labels": "filled:0.75"}, {"labels": "filled:0.55"}, "pyramid-dice+ ushaped-roads-"),
    ("imbalanced", RARE, {"labels": "long-tail:200"}, {"labels": "long-tail:60"}, "keras-painted+ keras-leaves- shallow-segments+"),
    ("weights-upside-down", RARE, {**LONG, "balance": "upside-down"}, {**SOME, "balance": "upside-down"}, "keras-leaves+ keras-painted-"),
    ("class-lost", RARE, {"labels": "pairs-merged"}, {"labels": "first-dropped"}, "ushaped-roads+ pixels-barcodes-"),
    # regularisation, length, modes
    ("decay-strong", DECAY, {"decay": 1.0}, {"decay": 0.3}, "keras-wild+ shallow-segments-"),
    ("decay-coupled", DECAY, {"optimizer": "adam", "decay": 1.0}, {"optimizer": "adam", "decay": 0.3}, "pyramid-dice+ keras-leaves-"),
    ("decay-by-hand", DECAY, {"fault": "shrunk:0.2"}, {"fault": "shrunk:0.06"}, "keras-dice+ rows-chirps-"),
    ("l1-strong", DECAY, {"l1": 0.03}, {"l1": 0.01}, "keras-painted+ pyramid-chirps-"),
    ("dropout-strong", ("dropout-too-strong", "underfitting"), {"dropout": 0.97}, {"dropout": 0.9}, "keras-leaves+ keras-painted-"),
    ("dropout-always", ("dropout-too-strong", "parts-differ", "underfitting"), {"fault": "always-dropped:0.95"}, {"fault": "always-dropped:0.85"}, "keras-painted+ nine-segments-"),
    ("few-images", LEARNED, {**FEW, "keep": 50, "epochs": 30}, {**FEW, "keep": 150, "epochs": 20}, "keras-wild+ keras-leaves-"),
    ("stopped-early", ENDED, {"epochs": 1, "times": 0.5}, {"epochs": 2}, "ushaped-roads+ keras-leaves-"),
    ("batch-small", NOISY, {**ONE, "batch": 1, "keep": 500, "times": 3.0}, {**ONE, "batch": 2, "keep": 600, "times": 2.0}, "keras-wild+ shallow-painted-"),
    ("batch-large", ENDED, {"batch": 400, "times": 0.5}, {"batch": 250}, "keras-leaves+ keras-wild-"),
    ("statistics", ("normalisation-statistics",), {"norm_momentum": 0.0}, {"norm_momentum": 0.001}, "ghost-barcodes+ nine-segments-"),
    ("evaluation-mode", ("normalisation-statistics", *HIGH, *SMALL), {"fault": "left-evaluating", "times": 3.0}, {"fault": "always-evaluating", "times": 5.0}, "ushaped-roads+ ghost-roads-"),
    ("judged-in-training", ("dropout-too-strong", "normalisation-statistics", "parts-differ", "underfitting"), {"fault": "judged-training", "dropout": 0.8}, {"fault": "judged-training", "dropout": 0.6}, "keras-painted+ keras-leaves-"),
    # the loop
    ("never-cleared", ("gradients-not-cleared", *HIGH), {"fault": "never-cleared"}, {"fault": "cleared-each:12"}, "keras-wild+ shallow-segments- pyramid-chirps+"),
    ("cleared-early", STILL, {"fault": "cleared-early"}, {"fault": "guarded:0.7"}, "rows-segments+ keras-leaves-"),
    ("step-per-epoch", ("stopped-too-early", *SLOW), {"fault": "step-per-epoch"}, {"fault": "step-per-epoch", "times": 3.0}, "keras-wild+ pixels-segments-"),
    ("not-held", UNHELD, {"fault": "other-model"}, {"fault": "rateless-body"}, "pyramid-dice+ keras-painted-"),
    ("old-head", UNHELD, {"fault": "old-head", "freeze": True}, {"fault": "old-head", "times": 0.3}, "adopted-chirps+ adopted-dice-"),
    ("detached", UNHELD, {"fault": "ungraded"}, {"fault": "ungraded", "times": 3.0}, "keras-leaves+ keras-wild-"),
    ("frozen-untrained", (*UNHELD, "underfitting"), {"init": "fresh", "freeze": True}, {"freeze": True}, "adopted-dice+ keras-painted-"),
    ("loss-rebuilt", STILL, {"fault": "loss-rebuilt"}, {"fault": "loss-rebuilt"}, "ghost-roads+ pixels-barcodes-"),
    ("accumulation-sum", ("sum-instead-of-mean", "gradients-not-cleared", *HIGH), {**SUMMED, "batch": 3, "accumulate": 30}, {**SUMMED, "batch": 5, "accumulate": 12}, "pyramid-chirps+ ushaped-roads-"),
    ("scale-kept", (*HIGH, "sum-instead-of-mean"), {"fault": "scale-kept:65536"}, {"fault": "scale-kept:128"}, "keras-wild+ shallow-segments-"),
    ("clip-tight", SLOW, {"clip": 1e-4}, {"fault": "value-clipped:1e-5"}, "keras-wild+ pyramid-chirps-"),
    ("weights-clamped", DECAYED, {"fault": "row-norm:0.02"}, {"fault": "row-norm:0.1"}, "keras-leaves+ pyramid-dice-"),
    ("gradient-noise", NOISY, {"fault": "private:1"}, {"fault": "private:0.3"}, "keras-wild+ pixels-barcodes-"),
    ("average-slow", ("parts-differ", "normalisation-statistics", "stopped-too-early"), {"fault": "averaged-from-start", "times": 0.3}, {"fault": "averaged-from-start"}, "ghost-roads+ adopted-dice-"),
)
"""Kinds that other parts have too, most of them made in another way."""

UNLISTED: tuple[Row, ...] = (
    ("batch-mixed", FLAT, {"fault": "mixed-rows"}, {"fault": "rolled-rows"}, "keras-leaves+ pyramid-dice-"),
    ("optimiser-rebuilt", NOISY, {"fault": "rebuilt", "times": 10.0}, {"fault": "rebuilt", "times": 3.0}, "keras-leaves+ keras-painted-"),
    ("scores-dropped", ("dropout-too-strong", "underfitting"), {"fault": "scores-dropped:0.95"}, {"fault": "scores-dropped:0.8"}, "keras-wild+ pixels-segments-"),
    ("sampler-of-classes", (*LEARNED, "not-shuffled"), {"fault": "sampler-of-classes:5"}, {"fault": "sampler-of-classes:25"}, "keras-leaves+ pixels-segments-"),
    ("norm-gain", ("dead-units", "symmetric-initialisation", "constant-output", *SMALL), {"init": "gain:0"}, {"init": "gain:0.001"}, "ghost-roads+ nine-segments-"),
    ("head-bias", ("initial-loss-wrong", "initialisation-too-large", "class-never-predicted", "constant-output"), {"init": "head-bias:100"}, {"init": "head-bias:30"}, "pyramid-dice+ keras-wild-"),
    ("narrow-waist", ("underfitting", "dead-units", "class-never-predicted"), {"fault": "narrow-waist:1"}, {"fault": "narrow-waist:2"}, "keras-painted+ nine-segments-"),
    ("features-rounded", (*UNHELD, "vanishing-gradients"), {"fault": "rounded-features"}, {"fault": "rounded-features", "times": 3.0}, "keras-leaves+ pyramid-dice-"),
    ("standardised-over-batch", ("parts-differ", "normalisation-statistics"), {"augment": "over-batch", "fault": "standardised-alone"}, {"augment": "over-batch", "fault": "standardised-by-class"}, "keras-painted+ shallow-segments-"),
    ("weights-grow", HIGH, {"fault": "grown:0.05"}, {"fault": "grown:0.02"}, "keras-wild+ rows-chirps-"),
    ("easiest-only", (*FLAT, "imbalanced"), {"loss": "easiest-tenth"}, {"loss": "easiest-third"}, "keras-wild+ pyramid-dice-"),
    ("gradient-reversed", ("wrong-sign",), {"fault": "reversed"}, {"fault": "reversed", "times": 0.3}, "pyramid-dice+ keras-wild-"),
    ("break-left", ENDED, {"fault": "break-left:1"}, {"fault": "break-left:4"}, "keras-leaves+ rows-segments-"),
    ("weights-nought", RARE, {**SOME, "balance": "integers"}, {**SOME, "balance": "rounded"}, "keras-painted+ shallow-segments-"),
    ("class-ignored", RARE, {"loss": "first-ignored"}, {"loss": "last-ignored"}, "ushaped-roads+ rows-chirps-"),
    ("metric-wrong", DIFFER, {"fault": "metric-axis"}, {"fault": "metric-count"}, "pixels-barcodes+ adopted-chirps-"),
    ("average-unready", ("normalisation-statistics", "parts-differ"), {"fault": "average-unready"}, {"fault": "average-unready", "times": 0.3}, "ghost-roads+ adopted-dice-"),
)
"""Kinds that no other part has."""

COSTS: tuple[tuple[Row, str], ...] = (
    (("starving", ("loader-starving",), {"fault": "slow-loader:0.04", "epochs": 3}, {"fault": "slow-loader:0.03", "epochs": 3}, "pixels-barcodes+ shallow-segments-"), "time"),
    (("hoard", ("memory-growing",), {"fault": "hoard:2"}, {"fault": "hoard:1"}, "rows-segments+ pixels-segments-"), "memory"),
)
"""What costs time or memory and no points, with that."""
# fmt: on
