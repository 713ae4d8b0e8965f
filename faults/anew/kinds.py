"""Kinds of faults of the part that is anew: the usual ones, each at two strengths, in cells that no other part has.

A row of a table: the kind, the causes that are right to name, strong, mild, cells. Written before any of them was
recorded, by the names of the causes alone, without a look at a rule, at a rule's page or at what was said of a program.
"""

from __future__ import annotations

from apart.kinds_data import MIXED_UP
from apart.kinds_network import LARGE, NEVER, TOO_FAST
from beyond.kinds import DECAY, DIFFER, ENDED, LEARNED, NOISY, RARE, RAW, SLOW, TWICE, UNHELD, Row
from fresh.kinds_data import EMPTY, STRONG
from fresh.kinds_loop import STILL
from held.kinds_data import SQUASHED
from recipes import HIGH, LOW, SMALL

FEW = {"decay": 0.0, "dropout": 0.0, "augment": "none", "batch": 10, "accumulate": 1, "schedule": "none"}
ONE = {"accumulate": 1, "keep": 800}

# fmt: off
RATES: tuple[Row, ...] = (
    ("rate-high", HIGH, {"times": 100.0}, {"times": 30.0}, "cifarnet-framed+ vggsix-charts- googlenet-quartet+ tanhnet-framed-"),
    ("rate-high-adam", HIGH, {"times": 200.0}, {"times": 50.0}, "cifarnet-ten+ elunet-charts- resnet-floors+ gelunet-framed-"),
    ("rate-low", LOW, {"times": 1e-4}, {"times": 3e-3}, "cifarnet-framed+ googlenet-quartet- tanhnet-framed+ student-quartet-"),
    ("rate-low-adam", LOW, {"times": 1e-3}, {"times": 5e-3}, "vggsix-quartet+ student-moods- gelunet-framed+ transfer-kitchen-"),
    ("momentum-high", HIGH, {"momentum": 0.999}, {"momentum": 0.995}, "cifarnet-framed+ vggsix-charts- transfer-quartet+"),
    ("epsilon-low", NOISY, {"epsilon": 0.0, "times": 3.0}, {"epsilon": 1e-20}, "cifarnet-ten+ vggsix-quartet-"),
    ("epsilon-high", SLOW, {"epsilon": 10.0}, {"epsilon": 1.0}, "resnet-floors+ elunet-charts- gelunet-floors-"),
    ("oscillating", NOISY, {"batch": 4, "times": 10.0, "epochs": 3}, {"batch": 4, "times": 5.0, "epochs": 3}, "cifarnet-framed+ vggsix-charts-"),
    ("slow", ("stopped-too-early", *LOW), {"optimizer": "sgd", "rate": 3e-4}, {"optimizer": "sgd", "rate": 2e-3}, "cifarnet-ten+ gelunet-floors- elunet-charts+"),
    ("schedule-per-batch", TOO_FAST, {"schedule": "exponential:0.9", "per": "batch"}, {"schedule": "exponential:0.96", "per": "batch"}, "student-quartet+ cifarnet-ten- vggsix-charts-"),
    ("schedule-drop", TOO_FAST, {"schedule": "step:1:0.1", "per": "epoch"}, {"schedule": "milestones:1:2:3:0.15", "per": "epoch"}, "googlenet-quartet+ elunet-charts- vggsix-quartet+"),
    ("schedule-never", NEVER, {"schedule": "warm-from:0.001:500", "per": "never"}, {"schedule": "onecycle:200", "per": "never"}, "tanhnet-framed+ cifarnet-ten- transfer-quartet+"),
    ("warm-up-endless", (*NEVER, "stopped-too-early"), {"schedule": "warm-from:0.00001:40000", "per": "batch"}, {"schedule": "warm-from:0.001:20000", "per": "batch"}, "vggsix-quartet+ student-quartet- elunet-charts-"),
    ("schedule-rising", HIGH, {"schedule": "exponential:1.05", "per": "batch"}, {"schedule": "exponential:1.03", "per": "batch"}, "cifarnet-framed+ gelunet-framed- resnet-floors-"),
)
"""In the rate and its schedule."""

NETWORKS: tuple[Row, ...] = (
    ("init-constant", ("symmetric-initialisation",), {"init": "constant:0.05"}, {"init": "constant:0.01"}, "cifarnet-framed+ student-moods- tanhnet-framed+ mobilenet-floors-"),
    ("init-zero", ("symmetric-initialisation", *SMALL), {"init": "constant:0"}, {"init": "constant:0.000001"}, "vggsix-quartet+ elunet-charts-"),
    ("init-small", SMALL, {"init": "normal:0.0005"}, {"init": "normal:0.005"}, "vggsix-charts+ cifarnet-ten- elunet-charts+"),
    ("init-large", LARGE, {"init": "normal:1"}, {"init": "times:6"}, "cifarnet-framed+ vggsix-quartet- elunet-charts+"),
    ("init-one-sided", LARGE, {"init": "uniform:0.3"}, {"init": "uniform:0.1"}, "vggsix-charts+ cifarnet-framed-"),
    ("head-large", ("initialisation-too-large", "initial-loss-wrong", "exploding-gradients"), {"init": "fc:30"}, {"init": "fc:8"}, "resnet-floors+ student-quartet- googlenet-moods-"),
    ("vanishing", ("vanishing-gradients", "saturated-units"), {"activation": "sigmoid", "depth": 3, "epochs": 8}, {"activation": "sigmoid", "init": "default"}, "vggsix-quartet+ cifarnet-framed- tanhnet-framed+ vggsix-charts-"),
    ("exploding", ("initialisation-too-large", *HIGH), {"depth": 4, "init": "times:3", "epochs": 6}, {"depth": 3, "init": "times:2.5", "epochs": 7}, "elunet-blood+ vggsix-quartet-"),
    ("relu-dead", ("dead-units",), {"init": "bias:-5"}, {"init": "bias:-2"}, "cifarnet-framed+ vggsix-quartet- cifarnet-ten-"),
    ("relu-dies", ("dead-units", *HIGH), {"times": 50.0}, {"times": 20.0}, "cifarnet-ten+ vggsix-quartet-"),
    ("activation-wrong", ("vanishing-gradients", "saturated-units", "initialisation-too-small", "underfitting"), {"activation": "softmax"}, {"activation": "softmax", "times": 2.0}, "cifarnet-framed+ elunet-charts-"),
    ("linear", ("no-nonlinearity", "underfitting"), {"activation": "none"}, {"activation": "none", "wide": 12}, "tanhnet-blood+ elunet-charts- elunet-blood+"),
    ("saturated", ("saturated-units", "initialisation-too-large"), {"init": "times:30"}, {"init": "times:10"}, "tanhnet-framed+ tanhnet-blood-"),
    ("norm-missing", (*HIGH, *SMALL, "dead-units", "initialisation-too-large"), {"norm": "none", "depth": 2, "times": 4.0, "epochs": 8}, {"norm": "none", "depth": 3, "epochs": 6}, "resnet-ten+ mobilenet-floors- student-quartet-"),
    ("too-deep", SMALL, {"depth": 9, "epochs": 5}, {"depth": 5, "epochs": 5}, "cifarnet-framed+ vggsix-quartet-"),
    ("too-small", ("underfitting",), {"wide": 1}, {"wide": 2}, "cifarnet-ten+ student-quartet- gelunet-floors+ elunet-charts-"),
    ("relu-end", ("dead-units", "constant-output", "stuck-at-chance", "class-never-predicted"), {"fault": "relu-end", "times": 3.0}, {"fault": "relu-end"}, "cifarnet-ten+ vggsix-charts- tanhnet-framed-"),
    ("statistics", ("normalisation-statistics",), {"norm_momentum": 0.0}, {"norm_momentum": 0.001}, "resnet-floors+ student-moods- googlenet-quartet+"),
)
"""In the first weights, activations, size and normalisation."""

INPUTS: tuple[Row, ...] = (
    ("inputs-raw", RAW, {"inputs": "bytes"}, {"inputs": "bytes-centred"}, "cifarnet-framed+ vggsix-quartet- elunet-charts+ cifarnet-ten-"),
    ("inputs-saturating", (*RAW, "saturated-units"), {"inputs": "bytes"}, {"inputs": "bytes-half"}, "tanhnet-framed+ tanhnet-blood-"),
    ("inputs-uncentred", RAW, {"inputs": "offset"}, {"inputs": "offset-some"}, "cifarnet-framed+ elunet-charts- vggsix-quartet+"),
    ("inputs-twice", TWICE, {"inputs": "normalised-again"}, {"inputs": "divided-twice"}, "cifarnet-framed+ vggsix-charts- tanhnet-framed+ elunet-charts-"),
    ("inputs-small", TWICE, {"inputs": "bytes-figures"}, {"inputs": "normalised-by-bytes"}, "vggsix-charts+ tanhnet-blood- cifarnet-ten+"),
    ("inputs-blank", EMPTY, {"inputs": "as-whole-numbers"}, {"inputs": "first"}, "student-moods+ cifarnet-ten- resnet-floors-"),
    ("pixels-no-number", ("not-a-number", "diverging"), {"inputs": "some-no-number:20"}, {"inputs": "some-no-number:400"}, "student-quartet+ cifarnet-framed-"),
    ("valid-inputs", DIFFER, {"valid_inputs": "bytes"}, {"valid_inputs": "zero-one"}, "resnet-floors+ cifarnet-ten- googlenet-moods+ student-quartet-"),
    ("valid-pictures", DIFFER, {"valid_inputs": "negative"}, {"valid_inputs": "upside-down"}, "cifarnet-framed+ vggsix-quartet- resnet-ten+"),
    ("valid-colours", DIFFER, {"valid_inputs": "blue-first"}, {"valid_inputs": "grey"}, "student-moods+ googlenet-quartet- mobilenet-blood+"),
    ("valid-labels", DIFFER, {"valid_labels": "other-order"}, {"valid_labels": "first-two"}, "gelunet-floors+ cifarnet-framed- tanhnet-blood+"),
    ("augmentation-strong", STRONG, {"augment": "noise:5"}, {"augment": "crop:0.05"}, "student-quartet+ resnet-floors- elunet-charts+ cifarnet-ten-"),
    ("augmentation-gone", STRONG, {"augment": "erase:0.85"}, {"augment": "blur:15"}, "student-moods+ cifarnet-framed-"),
    ("augmentation-wrong", MIXED_UP, {"augment": "turn:180"}, {"augment": "vertical"}, "student-moods+ googlenet-moods- cifarnet-framed+"),
    ("not-shuffled", ("not-shuffled",), {"shuffle": False}, {"shuffle": False, "times": 0.3}, "cifarnet-framed+ student-quartet- googlenet-moods+ vggsix-charts-"),
    ("few-images", LEARNED, {**FEW, "keep": 50, "epochs": 40}, {**FEW, "keep": 120, "epochs": 25}, "student-quartet+ cifarnet-ten- vggsix-quartet+ resnet-ten-"),
)
"""In what goes into the network."""

LOSSES: tuple[Row, ...] = (
    ("softmax-doubled", ("softmax-doubled",), {"loss": "softmax-before"}, {"fault": "softmax-end"}, "cifarnet-framed+ vggsix-charts- student-quartet+ tanhnet-framed-"),
    ("softmax-missing", ("softmax-missing",), {"loss": "likelihood-of-scores"}, {"loss": "likelihood-of-scores", "times": 0.1}, "cifarnet-ten+ student-quartet- elunet-charts+"),
    ("softmax-wrong", ("softmax-missing", "softmax-doubled", "initial-loss-wrong"), {"loss": "over-first-axis"}, {"loss": "over-first-axis", "batch": 64}, "googlenet-moods+ elunet-charts- cifarnet-framed+"),
    ("log-missing", ("softmax-missing", "initial-loss-wrong", "vanishing-gradients", *SLOW), {"loss": "likelihood-of-shares"}, {"loss": "likelihood-of-shares", "times": 0.3}, "tanhnet-framed+ cifarnet-framed-"),
    ("scores-squashed", SQUASHED, {"fault": "sigmoid-end"}, {"fault": "tanh-end"}, "cifarnet-framed+ student-quartet- resnet-floors+"),
    ("loss-unsuitable", ("vanishing-gradients", "initial-loss-wrong", "stuck-at-chance", "constant-output", *SLOW), {"loss": "distances-of-shares"}, {"loss": "squares-of-shares"}, "cifarnet-framed+ tanhnet-framed- vggsix-charts-"),
    ("sign", ("wrong-sign",), {"loss": "minus"}, {"loss": "minus-left-out"}, "cifarnet-ten+ student-moods- tanhnet-framed+"),
    ("sign-update", ("wrong-sign",), {"fault": "maximise"}, {"fault": "maximise", "times": 0.3}, "resnet-floors+ vggsix-charts-"),
    ("sum", ("sum-instead-of-mean", *HIGH), {"loss": "sum", "times": 2.0}, {"loss": "sum"}, "cifarnet-framed+ vggsix-charts- tanhnet-framed+"),
    ("smoothed-away", (*DECAY, "underfitting"), {"loss": "smooth-most"}, {"loss": "smooth-much"}, "vggsix-quartet+ student-quartet-"),
    ("labels-shuffled", ("labels-unrelated",), {"labels": "permuted"}, {"labels": "one-off"}, "cifarnet-framed+ resnet-ten- googlenet-moods+ tanhnet-blood-"),
    ("labels-noisy", ("labels-noisy",), {"labels": "at-random:0.6"}, {"labels": "next-class:0.4"}, "student-moods+ vggsix-charts- cifarnet-framed+ gelunet-floors-"),
    ("imbalanced", RARE, {"labels": "one-common:60"}, {"labels": "half-rare:40"}, "cifarnet-framed+ student-moods- elunet-charts+ vggsix-charts-"),
    ("weights-upside-down", RARE, {"labels": "half-rare:8", "balance": "upside-down"}, {"labels": "half-rare:4", "balance": "upside-down"}, "cifarnet-framed+ elunet-charts-"),
    ("class-lost", (*RARE, "parts-differ"), {"labels": "last-missing"}, {"labels": "last-into-first"}, "student-moods+ gelunet-floors- cifarnet-framed-"),
)
"""In the loss, the scores, labels and classes."""

LOOPS: tuple[Row, ...] = (
    ("decay-strong", DECAY, {"decay": 1.0}, {"decay": 0.3}, "cifarnet-framed+ student-quartet- googlenet-quartet+"),
    ("decay-coupled", DECAY, {"decay": 1.0}, {"decay": 0.2}, "cifarnet-ten+ elunet-charts-"),
    ("l1-strong", DECAY, {"l1": 0.03}, {"l1": 0.01}, "vggsix-charts+ cifarnet-ten-"),
    ("dropout-strong", ("dropout-too-strong", "underfitting"), {"dropout": 0.97}, {"dropout": 0.9}, "vggsix-quartet+ tanhnet-framed- student-moods+"),
    ("dropout-in-evaluation", ("dropout-too-strong", "underfitting"), {"fault": "functional-dropout:0.9"}, {"fault": "functional-dropout:0.75"}, "student-moods+ vggsix-charts- cifarnet-framed-"),
    ("evaluation-forgotten", ("dropout-too-strong", "normalisation-statistics", "underfitting"), {"fault": "judged-training", "dropout": 0.8}, {"fault": "judged-training", "dropout": 0.6}, "tanhnet-framed+ vggsix-quartet- student-quartet+"),
    ("evaluation-left-on", ("normalisation-statistics", *HIGH, *SMALL), {"fault": "always-evaluating", "times": 3.0}, {"fault": "left-evaluating"}, "student-moods+ resnet-floors- mobilenet-floors+"),
    ("batch-of-two", ("normalisation-statistics", *NOISY), {"batch": 2, "epochs": 2, "times": 3.0}, {"batch": 2, "epochs": 1}, "student-quartet+ resnet-floors-"),
    ("batch-small", NOISY, {**ONE, "batch": 1, "epochs": 1, "times": 2.0}, {**ONE, "batch": 2, "epochs": 2, "times": 2.0}, "cifarnet-framed+ tanhnet-framed- elunet-blood+"),
    ("batch-large", ENDED, {"batch": 480, "times": 0.5}, {"batch": 320}, "cifarnet-ten+ student-quartet- vggsix-charts+"),
    ("stopped-early", ENDED, {"epochs": 1, "times": 0.5}, {"epochs": 2}, "vggsix-quartet+ elunet-charts- googlenet-moods-"),
    ("never-cleared", ("gradients-not-cleared", *HIGH), {"fault": "never-cleared"}, {"fault": "cleared-each:10"}, "cifarnet-framed+ vggsix-charts- tanhnet-framed+ resnet-ten-"),
    ("order", STILL, {"fault": "cleared-before-step"}, {"fault": "step-before"}, "cifarnet-ten+ student-quartet- tanhnet-framed+ vggsix-charts-"),
    ("step-per-epoch", ("stopped-too-early", *SLOW), {"fault": "step-each-epoch"}, {"fault": "step-each-epoch", "times": 3.0}, "cifarnet-framed+ gelunet-floors-"),
    ("not-held", UNHELD, {"fault": "other-model"}, {"fault": "last-only"}, "student-moods+ cifarnet-framed- mobilenet-floors+ resnet-ten-"),
    ("old-head", UNHELD, {"fault": "old-head", "freeze": True}, {"fault": "old-head"}, "transfer-kitchen+ transfer-quartet-"),
    ("frozen", (*UNHELD, "underfitting"), {"init": "fresh", "freeze": True}, {"freeze": True}, "transfer-quartet+ cifarnet-ten- student-moods-"),
    ("no-grad", UNHELD, {"fault": "no-grad"}, {"fault": "no-grad", "times": 3.0}, "vggsix-charts+ resnet-floors-"),
    ("loss-detached", STILL, {"fault": "number-again"}, {"fault": "number-again", "times": 3.0}, "elunet-charts+ cifarnet-framed-"),
    ("accumulation-sum", ("sum-instead-of-mean", "gradients-not-cleared", *HIGH), {"fault": "undivided", "batch": 4, "accumulate": 25, "times": 3.0, "epochs": 4}, {"fault": "undivided", "batch": 4, "accumulate": 15, "times": 2.0, "epochs": 3}, "elunet-blood+ googlenet-quartet-"),
    ("scale-left", HIGH, {"fault": "scale-left"}, {"fault": "scale-left", "times": 0.005}, "cifarnet-framed+ student-quartet-"),
    ("underflow", ("vanishing-gradients", *SLOW), {"fault": "unscaled-again"}, {"fault": "half-weights", "times": 0.05}, "tanhnet-framed+ cifarnet-framed- googlenet-quartet+"),
    ("clip-tight", SLOW, {"clip": 1e-4}, {"fault": "values-clipped:1e-5"}, "cifarnet-framed+ googlenet-quartet- student-quartet+"),
)
"""In regularisation, length, modes and the loop."""

COSTS: tuple[tuple[Row, str], ...] = (
    (("starving", ("loader-starving",), {"fault": "slow-loader:0.04", "epochs": 3}, {"fault": "slow-loader:0.03", "epochs": 3}, "tanhnet-blood+ gelunet-framed-"), "time"),
    (("hoard", ("memory-growing",), {"fault": "graph-kept", "epochs": 4}, {"fault": "cache:1"}, "cifarnet-framed+ tanhnet-blood-"), "memory"),
)
"""What costs time or memory and no points, with that."""
# fmt: on
