"""Kinds of faults of the part from outside, each at two strengths, in cells that no other part has.

A row of a table: the kind, the causes that are right to name, strong, mild, cells. Written before any of them was
recorded, by the names of the causes alone, without a look at a rule, at a rule's page or at what was said of a program.
"""

from __future__ import annotations

from apart.kinds_data import MIXED_UP
from apart.kinds_network import LARGE, NEVER, TOO_FAST
from beyond.kinds import DECAY, DIFFER, ENDED, FLAT, LEARNED, NOISY, RARE, RAW, SLOW, TWICE, UNHELD, Row
from fresh.kinds_data import EMPTY, STRONG
from fresh.kinds_loop import STILL
from held.kinds_data import SQUASHED
from recipes import HIGH, LOW, SMALL

FEW = {"decay": 0.0, "dropout": 0.0, "augment": "none", "batch": 8, "accumulate": 1, "schedule": "none"}
ONE = {"accumulate": 1, "keep": 600, "schedule": "none"}

# fmt: off
RATES: tuple[Row, ...] = (
    ("rate-high", HIGH, {"times": 100.0}, {"times": 30.0}, "bigfilters-plankton+ maxnet-weather- coordnet-traffic+"),
    ("rate-high-adam", HIGH, {"times": 200.0}, {"times": 50.0}, "convnet-runes+ coordnet-spots- mlpdrop-runes+ vgg11-tissue-"),
    ("rate-low", LOW, {"times": 1e-4}, {"times": 3e-3}, "squeezenext-tissue+ lenetbn-runes- pretrained-street+"),
    ("rate-low-adam", LOW, {"times": 1e-3}, {"times": 5e-3}, "mobilenetv1-fields+ convnet-runes- efficientv2-traffic+ lenetbn-wafers-"),
    ("momentum-high", HIGH, {"momentum": 0.999}, {"momentum": 0.995}, "vgg11-street+ bigfilters-plankton-"),
    ("epsilon-low", NOISY, {"epsilon": 0.0, "times": 3.0}, {"epsilon": 1e-30}, "mlpdrop-runes+ bigfilters-wafers-"),
    ("epsilon-high", SLOW, {"epsilon": 10.0}, {"epsilon": 1.0}, "efficientv2-spots+ bigfilters-wafers- mlpdrop-runes+"),
    ("betas-exchanged", NOISY, {"betas": (0.999, 0.9)}, {"betas": (0.995, 0.6)}, "convnet-runes+ maxnet-spots-"),
    ("oscillating", NOISY, {"batch": 4, "times": 10.0, "epochs": 2}, {"batch": 4, "times": 5.0, "epochs": 2}, "bigfilters-plankton+ maxnet-weather-"),
    ("slow", ("stopped-too-early", *LOW), {"optimizer": "sgd", "rate": 3e-4}, {"optimizer": "sgd", "rate": 2e-3}, "mobilenetv1-fields+ maxnet-spots-"),
    ("schedule-per-batch", TOO_FAST, {"schedule": "exponential:0.9", "per": "batch"}, {"schedule": "exponential:0.95", "per": "batch"}, "coordnet-traffic+ convnet-plankton- maxnet-spots+"),
    ("schedule-drop", TOO_FAST, {"schedule": "milestones:5:10:0.1", "per": "batch"}, {"schedule": "step:1:0.2", "per": "epoch"}, "vgg11-street+ maxnet-weather-"),
    ("schedule-never", NEVER, {"schedule": "onecycle:300", "per": "never"}, {"schedule": "warm-from:0.003:400", "per": "never"}, "bigfilters-plankton+ convnet-runes- mobilenetv1-weather+"),
    ("warm-up-endless", (*NEVER, "stopped-too-early"), {"schedule": "warm-from:0.00001:60000", "per": "batch"}, {"schedule": "warm-from:0.001:20000", "per": "batch"}, "coordnet-spots+ vgg11-street-"),
    ("schedule-rising", HIGH, {"schedule": "exponential:1.05", "per": "batch"}, {"schedule": "exponential:1.03", "per": "batch"}, "bigfilters-wafers+ maxnet-spots-"),
)
"""In the rate and its schedule."""

NETWORKS: tuple[Row, ...] = (
    ("init-constant", ("symmetric-initialisation",), {"init": "same:0.05"}, {"init": "same:0.01"}, "bigfilters-plankton+ convnet-plankton- mlpdrop-runes+ lenetbn-runes-"),
    ("init-zero", ("symmetric-initialisation", *SMALL), {"init": "same:0"}, {"init": "same:0.000001"}, "coordnet-spots+ convnet-runes-"),
    ("init-small", SMALL, {"init": "normal:0.0005"}, {"init": "normal:0.005"}, "bigfilters-wafers+ maxnet-weather- coordnet-spots+"),
    ("init-large", LARGE, {"init": "normal:1"}, {"init": "scaled:6"}, "convnet-runes+ bigfilters-plankton- mlpdrop-wafers+"),
    ("init-one-sided", LARGE, {"init": "positive:10"}, {"init": "positive:3"}, "maxnet-spots+ convnet-plankton-"),
    ("head-large", ("initialisation-too-large", "initial-loss-wrong", "exploding-gradients"), {"init": "last:30"}, {"init": "last:8"}, "lenetbn-runes+ mobilenetv1-fields-"),
    ("vanishing", ("vanishing-gradients", "saturated-units"), {"activation": "sigmoid", "depth": 4, "epochs": 7}, {"activation": "sigmoid", "depth": 2}, "bigfilters-plankton+ maxnet-weather- coordnet-spots+"),
    ("exploding", ("initialisation-too-large", *HIGH), {"depth": 4, "init": "scaled:3", "epochs": 5}, {"depth": 3, "init": "scaled:2.5", "epochs": 7}, "maxnet-spots+ coordnet-spots-"),
    ("relu-dead", ("dead-units",), {"init": "shift:-5"}, {"init": "shift:-2"}, "maxnet-weather+ bigfilters-plankton-"),
    ("relu-dies", ("dead-units", *HIGH), {"times": 50.0}, {"times": 20.0}, "bigfilters-wafers+ maxnet-spots-"),
    ("activation-wrong", ("vanishing-gradients", "saturated-units", "initialisation-too-small", "underfitting"), {"activation": "softmax"}, {"activation": "softmax", "times": 2.0}, "convnet-plankton+ bigfilters-plankton-"),
    ("linear", ("no-nonlinearity", "underfitting"), {"activation": "none"}, {"activation": "none", "wide": 12}, "coordnet-spots+ mlpdrop-wafers- bigfilters-plankton+"),
    ("saturated", ("saturated-units", "initialisation-too-large"), {"activation": "tanh", "init": "scaled:30"}, {"activation": "tanh", "init": "scaled:10"}, "mlpdrop-runes+ convnet-runes-"),
    ("norm-missing", (*HIGH, *SMALL, "dead-units", "initialisation-too-large"), {"norm": "none", "depth": 2, "times": 4.0}, {"norm": "none", "depth": 2}, "vgg11-street+ resnet20-traffic- squeezenext-weather+"),
    ("too-deep", SMALL, {"depth": 10, "epochs": 6}, {"depth": 6, "epochs": 6}, "coordnet-spots+ bigfilters-plankton-"),
    ("too-small", ("underfitting",), {"wide": 1}, {"wide": 2}, "convnet-runes+ vgg11-street- mobilenetv1-fields+"),
    ("waist", ("underfitting", "dead-units", "class-never-predicted"), {"fault": "waist:1"}, {"fault": "waist:2"}, "mobilenetv1-fields+ lenetbn-runes-"),
    ("relu-end", ("dead-units", "constant-output", "stuck-at-chance", "class-never-predicted"), {"fault": "relu-end", "times": 3.0}, {"fault": "relu-end"}, "bigfilters-plankton+ convnet-runes-"),
    ("statistics", ("normalisation-statistics",), {"norm_momentum": 0.0}, {"norm_momentum": 0.001}, "efficientv2-traffic+ squeezenext-weather- vgg11-tissue+"),
    ("in-a-list", (*UNHELD, "underfitting"), {"fault": "in-a-list:99"}, {"fault": "in-a-list:2"}, "convnet-plankton+ coordnet-spots-"),
)
"""In the first weights, activations, size, layers and normalisation."""

INPUTS: tuple[Row, ...] = (
    ("inputs-raw", RAW, {"inputs": "bytes"}, {"inputs": "minus-127"}, "bigfilters-plankton+ convnet-runes- maxnet-weather+ mlpdrop-wafers-"),
    ("inputs-saturating", (*RAW, "saturated-units"), {"inputs": "bytes", "activation": "tanh"}, {"inputs": "unscaled", "activation": "tanh"}, "mlpdrop-runes+ convnet-plankton-"),
    ("inputs-uncentred", RAW, {"inputs": "raised:60"}, {"inputs": "raised:20"}, "convnet-plankton+ coordnet-spots-"),
    ("inputs-twice", TWICE, {"inputs": "scaled-then-normalised"}, {"inputs": "normalised-again"}, "bigfilters-plankton+ convnet-plankton- maxnet-weather+"),
    ("inputs-small", TWICE, {"inputs": "shrunk:0.0005"}, {"inputs": "shrunk:0.005"}, "coordnet-spots+ mlpdrop-runes- maxnet-spots+"),
    ("inputs-blank", EMPTY, {"inputs": "cast"}, {"inputs": "buffer"}, "mobilenetv1-fields+ convnet-plankton- coordnet-traffic+"),
    ("inputs-viewed", (*EMPTY, "underfitting", "labels-noisy"), {"inputs": "viewed"}, {"inputs": "viewed", "times": 0.5}, "maxnet-weather+ vgg11-street-"),
    ("pixels-no-number", ("not-a-number", "diverging"), {"inputs": "dead-channel"}, {"inputs": "overflowed:300"}, "vgg11-tissue+ bigfilters-plankton-"),
    ("valid-inputs", DIFFER, {"valid_inputs": "unscaled"}, {"valid_inputs": "zero-one"}, "mobilenetv1-fields+ lenetbn-runes- coordnet-spots+ squeezenext-tissue-"),
    ("valid-pictures", DIFFER, {"valid_inputs": "rotated"}, {"valid_inputs": "nearest:3"}, "convnet-runes+ vgg11-street- maxnet-weather+"),
    ("valid-viewed", DIFFER, {"valid_inputs": "viewed"}, {"valid_inputs": "corner:0.6"}, "vgg11-tissue+ mobilenetv1-weather-"),
    ("valid-colours", DIFFER, {"valid_inputs": "bgr"}, {"valid_inputs": "grey"}, "coordnet-spots+ efficientv2-traffic- squeezenext-tissue+"),
    ("valid-labels", DIFFER, {"valid_labels": "by-folder"}, {"valid_labels": "last-two"}, "convnet-plankton+ resnet20-traffic- bigfilters-wafers+"),
    ("augmentation-strong", STRONG, {"augment": "noise:5"}, {"augment": "salt:0.92"}, "vgg11-street+ mobilenetv1-fields- coordnet-spots+"),
    ("augmentation-gone", STRONG, {"augment": "erase:0.9"}, {"augment": "pixels:12"}, "maxnet-weather+ efficientv2-traffic-"),
    ("augmentation-mirrored", (*MIXED_UP, "pair-confused"), {"augment": "mirror:0.5"}, {"augment": "mirror:0.35"}, "convnet-runes+ lenetbn-runes- mlpdrop-runes+"),
    ("augmentation-blended", MIXED_UP, {"augment": "blended:1.0"}, {"augment": "blended:0.8"}, "mobilenetv1-fields+ mlpdrop-wafers-"),
    ("not-shuffled", ("not-shuffled",), {"shuffle": False}, {"shuffle": False, "times": 0.3}, "bigfilters-plankton+ mobilenetv1-fields- lenetbn-runes+"),
    ("few-images", LEARNED, {**FEW, "keep": 40, "epochs": 40}, {**FEW, "keep": 120, "epochs": 25}, "vgg11-street+ convnet-plankton- coordnet-spots+ lenetbn-runes-"),
    ("subset-left", LEARNED, {"fault": "first-batches:48"}, {"fault": "first-batches:120"}, "mobilenetv1-fields+ convnet-plankton-"),
    ("never-sampled", (*RARE, "parts-differ"), {"fault": "never-sampled:2"}, {"fault": "never-sampled:1"}, "lenetbn-wafers+ mobilenetv1-weather- convnet-runes+"),
)
"""In what goes into the network."""

LOSSES: tuple[Row, ...] = (
    ("softmax-doubled", ("softmax-doubled",), {"fault": "softmax-end"}, {"loss": "softmax-before"}, "bigfilters-plankton+ convnet-runes- vgg11-street+ maxnet-weather-"),
    ("softmax-missing", ("softmax-missing",), {"loss": "log-softmax-left-out"}, {"loss": "log-softmax-left-out", "times": 0.1}, "convnet-plankton+ lenetbn-runes- coordnet-spots+"),
    ("softmax-wrong", ("softmax-missing", "softmax-doubled", "initial-loss-wrong"), {"loss": "first-dimension"}, {"loss": "first-dimension", "batch": 64}, "maxnet-weather+ bigfilters-wafers-"),
    ("log-missing", ("softmax-missing", "initial-loss-wrong", "vanishing-gradients", *SLOW), {"loss": "share-itself"}, {"loss": "share-itself", "times": 0.3}, "bigfilters-plankton+ maxnet-weather-"),
    ("sigmoid-twice", (*SQUASHED, "initial-loss-wrong"), {"loss": "sigmoid-twice"}, {"loss": "softmax-into-binary"}, "coordnet-traffic+ maxnet-weather-"),
    ("scores-squashed", SQUASHED, {"fault": "sigmoid-end"}, {"fault": "tanh-end"}, "convnet-runes+ bigfilters-plankton- vgg11-tissue+"),
    ("scores-cooled", ("vanishing-gradients", "softmax-doubled", "underfitting", *SLOW), {"loss": "cold"}, {"loss": "lukewarm"}, "bigfilters-plankton+ lenetbn-runes-"),
    ("loss-unsuitable", ("vanishing-gradients", "initial-loss-wrong", "stuck-at-chance", "constant-output", *SLOW), {"loss": "distance"}, {"loss": "brier-mean"}, "bigfilters-plankton+ maxnet-weather- coordnet-traffic+"),
    ("loss-of-numbers", (*FLAT, "labels-noisy", "initial-loss-wrong"), {"loss": "as-numbers"}, {"loss": "first-score"}, "mobilenetv1-fields+ convnet-runes-"),
    ("loss-without-gradient", STILL, {"loss": "accuracy"}, {"loss": "accuracy", "times": 3.0}, "mobilenetv1-fields+ mlpdrop-wafers-"),
    ("own-guess", FLAT, {"loss": "own-guess"}, {"loss": "own-guess", "times": 0.3}, "vgg11-street+ bigfilters-plankton-"),
    ("sign", ("wrong-sign",), {"loss": "minus-forgotten"}, {"loss": "negative"}, "convnet-runes+ vgg11-street- efficientv2-spots+"),
    ("sign-update", ("wrong-sign",), {"fault": "maximised"}, {"fault": "maximised", "times": 0.3}, "mobilenetv1-fields+ bigfilters-plankton-"),
    ("sum", ("sum-instead-of-mean", *HIGH), {"loss": "added-up", "times": 2.0}, {"loss": "added-up"}, "bigfilters-plankton+ maxnet-weather- pretrained-street+"),
    ("smoothed-away", (*DECAY, "underfitting"), {"loss": "smooth-nearly-all"}, {"loss": "smooth-most-of-it"}, "vgg11-street+ convnet-plankton-"),
    ("labels-shuffled", ("labels-unrelated",), {"labels": "sorted"}, {"labels": "by-name"}, "vgg11-street+ mobilenetv1-fields- maxnet-spots+"),
    ("labels-apart", ("labels-unrelated",), {"fault": "labels-apart"}, {"fault": "labels-apart", "times": 0.3}, "maxnet-weather+ lenetbn-wafers-"),
    ("labels-noisy", ("labels-noisy",), {"labels": "annotator:0.65"}, {"labels": "annotator:0.5"}, "mobilenetv1-fields+ convnet-plankton- maxnet-weather+ mlpdrop-runes-"),
    ("labels-exchanged", ("labels-noisy", "pair-confused"), {"labels": "pairwise:0.5"}, {"labels": "pairwise:0.42"}, "coordnet-traffic+ convnet-runes-"),
    ("imbalanced", RARE, {"labels": "geometric:100"}, {"labels": "rare:40"}, "mobilenetv1-fields+ convnet-runes- vgg11-street+ coordnet-spots-"),
    ("weights-upside-down", RARE, {"labels": "geometric:12", "balance": "upside-down"}, {"labels": "geometric:6", "balance": "by-count"}, "bigfilters-plankton+ coordnet-spots-"),
    ("weights-of-some", RARE, {"balance": "nought"}, {"balance": "nought", "times": 0.3}, "convnet-runes+ maxnet-spots-"),
    ("class-lost", (*RARE, "parts-differ"), {"labels": "first-dropped"}, {"labels": "clamped:1"}, "mobilenetv1-weather+ bigfilters-wafers- coordnet-traffic+"),
)
"""In the loss, the scores, labels and classes."""

LOOPS: tuple[Row, ...] = (
    ("decay-strong", DECAY, {"decay": 1.0}, {"decay": 0.3}, "bigfilters-plankton+ vgg11-street-"),
    ("decay-coupled", DECAY, {"decay": 1.0}, {"decay": 0.2}, "mobilenetv1-fields+ coordnet-spots-"),
    ("l1-strong", DECAY, {"l1": 0.03}, {"l1": 0.01}, "convnet-runes+ maxnet-weather-"),
    ("l2-strong", DECAY, {"fault": "squares:0.3"}, {"fault": "squares:0.05"}, "bigfilters-plankton+ lenetbn-runes-"),
    ("dropout-strong", ("dropout-too-strong", "underfitting"), {"dropout": 0.97}, {"dropout": 0.9}, "convnet-runes+ mlpdrop-wafers- vgg11-tissue+"),
    ("dropout-in-evaluation", ("dropout-too-strong", "underfitting"), {"fault": "dropped-always:0.95"}, {"fault": "dropped-always:0.8"}, "convnet-plankton+ lenetbn-runes-"),
    ("pictures-dropped", ("dropout-too-strong", "augmentation-too-strong", "underfitting"), {"fault": "pictures-dropped:0.97"}, {"fault": "pictures-dropped:0.9"}, "coordnet-spots+ vgg11-street-"),
    ("scores-under-dropout", ("dropout-too-strong", "underfitting"), {"fault": "scores-dropped:0.95"}, {"fault": "scores-dropped:0.8"}, "bigfilters-plankton+ mobilenetv1-fields-"),
    ("evaluation-forgotten", ("dropout-too-strong", "normalisation-statistics", "parts-differ", "underfitting"), {"fault": "eval-forgotten", "dropout": 0.85}, {"fault": "eval-forgotten", "dropout": 0.7}, "convnet-runes+ mlpdrop-runes-"),
    ("evaluation-left-on", ("normalisation-statistics", *HIGH, *SMALL), {"fault": "never-train", "times": 3.0}, {"fault": "train-once"}, "vgg11-tissue+ mobilenetv1-fields- resnet20-traffic+"),
    ("batch-of-two", ("normalisation-statistics", *NOISY), {"batch": 2, "epochs": 1, "times": 3.0}, {"batch": 2, "epochs": 1}, "lenetbn-runes+ vgg11-tissue-"),
    ("batch-small", NOISY, {**ONE, "batch": 1, "epochs": 1, "times": 2.0}, {**ONE, "batch": 2, "epochs": 2, "times": 2.0}, "bigfilters-plankton+ maxnet-weather-"),
    ("batch-large", ENDED, {"batch": 480, "times": 0.5}, {"batch": 320}, "mobilenetv1-fields+ convnet-runes-"),
    ("stopped-early", ENDED, {"epochs": 1, "times": 0.5}, {"epochs": 2}, "maxnet-weather+ convnet-plankton-"),
    ("never-cleared", ("gradients-not-cleared", *HIGH), {"fault": "clear-forgotten"}, {"fault": "cleared-per-epoch"}, "bigfilters-plankton+ maxnet-weather- vgg11-street+ coordnet-spots-"),
    ("order", STILL, {"fault": "cleared-too-late"}, {"fault": "step-too-early"}, "convnet-runes+ mobilenetv1-fields- mlpdrop-wafers+"),
    ("step-forgotten", STILL, {"fault": "step-forgotten"}, {"fault": "step-forgotten", "times": 3.0}, "vgg11-tissue+ coordnet-spots-"),
    ("step-per-epoch", ("stopped-too-early", *SLOW), {"fault": "step-per-epoch"}, {"fault": "step-per-epoch", "times": 3.0}, "convnet-runes+ maxnet-spots-"),
    ("not-held", UNHELD, {"fault": "copied-before"}, {"fault": "last-alone"}, "mobilenetv1-weather+ convnet-plankton- vgg11-street+"),
    ("biases-alone", (*UNHELD, "underfitting"), {"fault": "biases-alone"}, {"fault": "biases-alone", "times": 3.0}, "convnet-runes+ maxnet-spots-"),
    ("old-head", UNHELD, {"fault": "head-replaced", "freeze": True}, {"fault": "head-replaced"}, "pretrained-mushrooms+ pretrained-street-"),
    ("frozen", (*UNHELD, "underfitting"), {"init": "fresh", "freeze": True}, {"freeze": True}, "pretrained-mushrooms+ convnet-plankton- coordnet-spots-"),
    ("first-frozen", (*UNHELD, "underfitting"), {"fault": "first-frozen:6"}, {"fault": "first-frozen:4"}, "maxnet-spots+ coordnet-traffic-"),
    ("detached", UNHELD, {"fault": "detached"}, {"fault": "detached", "times": 3.0}, "maxnet-weather+ squeezenext-weather-"),
    ("loss-detached", STILL, {"fault": "through-numpy"}, {"fault": "through-numpy", "times": 3.0}, "mobilenetv1-fields+ convnet-plankton-"),
    ("accumulation-sum", ("sum-instead-of-mean", "gradients-not-cleared", *HIGH), {"fault": "not-divided", "batch": 4, "accumulate": 25, "times": 4.0, "epochs": 4}, {"fault": "not-divided", "batch": 4, "accumulate": 15, "times": 3.0, "epochs": 3}, "coordnet-traffic+ squeezenext-tissue-"),
    ("scale-left", HIGH, {"fault": "scale-forgotten"}, {"fault": "scale-forgotten:128"}, "bigfilters-plankton+ maxnet-weather-"),
    ("underflow", ("vanishing-gradients", *SLOW), {"fault": "unscaled-twice"}, {"fault": "unscaled-twice:1024"}, "vgg11-street+ bigfilters-plankton-"),
    ("clip-tight", SLOW, {"clip": 1e-4}, {"fault": "clipped-by-value:1e-5"}, "coordnet-traffic+ vgg11-street- bigfilters-plankton+"),
    ("mean-slow", ("parts-differ", "normalisation-statistics", "stopped-too-early"), {"fault": "mean-slow:0.9999"}, {"fault": "mean-slow:0.995"}, "resnet20-tenfold+ efficientv2-spots-"),
)
"""In regularisation, length, modes and the loop."""

COSTS: tuple[tuple[Row, str], ...] = (
    (("starving", ("loader-starving",), {"fault": "slow-loader:0.04", "epochs": 3}, {"fault": "slow-loader:0.03", "epochs": 3}, "mlpdrop-wafers+ bigfilters-wafers-"), "time"),
    (("hoard", ("memory-growing",), {"fault": "losses-kept", "epochs": 4}, {"fault": "history-kept:1"}, "convnet-plankton+ mlpdrop-runes-"), "memory"),
)
"""What costs time or memory and no points, with that."""
