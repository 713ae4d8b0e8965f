"""The broken programs before training: a healthy one with one choice made wrongly, the rungs that may rightly fail, and names."""

from __future__ import annotations

from before_broken_code import CODE, NETWORK, STUCK, Kinds
from before_programs import REFUSED, Parts, Program

DATA = ("data",)
OTHERS = ("data", "better than chance")

KINDS: Kinds = {
    # initial weights
    "zero": (
        NETWORK,
        ("symmetric-weights", "dead-layer", "vanishing-signal"),
        (
            {"init": "zero"},
            {"init": "hidden-zero", "network": "mlp", "data": "shapes"},
            {"init": "zero", "network": "residual", "data": "shapes"},
            {"init": "zero", "network": "deep", "data": "textures"},
        ),
    ),
    "constant": (
        NETWORK,
        ("symmetric-weights",),
        (
            {"init": "constant:0.01", "network": "mlp"},
            {"init": "constant:0.05", "data": "shapes", "network": "vgg"},
            {"init": "constant:1", "data": "small-digits"},
            {"network": "lightning-constant", "loss": "own"},
        ),
    ),
    "huge": (
        ("network", "initial loss"),
        ("huge-initialisation", "saturated-activations"),
        (
            {"init": "normal:1"},
            {"init": "normal:0.5", "network": "deep", "data": "spots"},
            {"init": "positive", "network": "mlp", "data": "shapes", "inputs": "zero-one"},
            {"init": "normal:1", "network": "lenet", "data": "textures"},
        ),
    ),
    "huge-head": (
        ("network", "initial loss"),
        ("huge-initialisation",),
        (
            {"init": "head:3", "data": "shapes"},
            {"init": "head:5", "network": "vgg-bn"},
            {"init": "head:8", "network": "residual"},
            {"network": "lightning-sure-head", "loss": "own", "data": "shapes"},
        ),
    ),
    "tiny": (
        STUCK,
        ("vanishing-signal", "dead-layer", "inputs-ignored"),
        (
            {"init": "normal:0.0001", "network": "deep"},
            {"init": "normal:0.001", "network": "deep", "data": "shapes", "inputs": "zero-one"},
            {"init": "normal:0.0001", "network": "deep", "data": "textures"},
        ),
    ),
    "saturated": (
        ("network", "initial loss", "data"),
        ("saturated-activations", "huge-initialisation", "inputs-not-normalised"),
        (
            {"init": "normal:2", "network": "mlp-tanh"},
            {"init": "normal:3", "network": "mlp-sigmoid", "data": "shapes"},
            {"inputs": "raw", "network": "mlp-tanh", "data": "small-digits"},
            {"init": "normal:2", "network": "mlp-tanh", "data": "textures"},
        ),
    ),
    "dead": (
        NETWORK,
        ("dead-layer",),
        (
            {"init": "bias:-10"},
            {"init": "bias:-20", "network": "mlp", "data": "shapes"},
            {"network": "lightning-dead", "loss": "own"},
        ),
    ),
    "not-a-number": (
        NETWORK,
        ("scores-not-finite",),
        ({"init": "not-a-number"}, {"init": "not-a-number", "network": "residual"}),
    ),
    # inputs
    "raw": (
        DATA,
        ("inputs-not-normalised",),
        (
            {"inputs": "raw"},
            {"inputs": "raw", "network": "branches", "data": "spots", "loader": "pictures"},
            {"inputs": "raw", "network": "mlp", "data": "cifar"},
            {"inputs": "centred", "network": "vgg", "data": "shapes", "loader": "generator"},
            {"inputs": "imagenet-raw", "data": "shapes", "loader": "pictures"},
            {"inputs": "raw", "data": "textures", "network": "mlp"},
            {"inputs": "centred", "network": "lightning", "loss": "own", "data": "spots"},
        ),
    ),
    "normalised-twice": (
        DATA,
        ("inputs-not-normalised", "inputs-too-small", "normalised-twice"),
        (
            {"inputs": "divided-twice"},
            {"inputs": "imagenet-twice", "data": "shapes", "network": "vgg"},
            {"inputs": "mixed-units", "network": "mlp"},
            {"inputs": "imagenet-twice", "data": "dark"},
            {"inputs": "zero-one", "network": "normalising", "data": "shapes"},
            {"inputs": "divided-three-times", "network": "attention", "data": "digits"},
            {"inputs": "divided-twice", "data": "textures"},
            {"inputs": "imagenet-twice", "network": "lightning", "loss": "own", "data": "cifar"},
        ),
    ),
    "not-finite": (
        DATA,
        ("inputs-not-finite",),
        ({"inputs": "pixel-deviation", "data": "small-digits"}, {"inputs": "logarithm"}),
    ),
    "blank": (
        DATA,
        ("constant-images", "blank-images", "inputs-too-small"),
        (
            {"inputs": "unfilled"},
            {"inputs": "partly-filled", "data": "shapes"},
            {"inputs": "whole-division", "data": "shapes"},
            {"inputs": "partly-filled", "network": "residual"},
            {"inputs": "unfilled", "data": "textures"},
        ),
    ),
    "equal": (
        DATA,
        ("constant-images", "repeated-images"),
        (
            {"inputs": "one-picture", "network": "mlp"},
            {"inputs": "few-pictures", "data": "shapes"},
            {"inputs": "few-pictures", "network": "lightning", "loss": "own"},
        ),
    ),
    "channels-last": (
        ("data", "network"),
        ("channels-last", "wrong-shape"),
        (
            {"inputs": "last-axis"},
            {"inputs": "last-axis", "network": "mlp", "data": "cifar"},
            {"inputs": "last-axis", "network": "residual", "data": "shapes"},
        ),
    ),
    "channels-viewed": (
        OTHERS,
        ("channels-mixed", "channels-last", "labels-unrelated"),
        (
            {"inputs": "viewed", "data": "shapes"},
            {"inputs": "viewed", "data": "cifar"},
            {"inputs": "viewed", "data": "shapes", "network": "residual"},
        ),
    ),
    "wrong-type": (
        ("data", "network"),
        ("wrong-shape", "wrong-type"),
        ({"inputs": "doubles"}, {"inputs": "bytes", "network": "norm-first", "data": "shapes"}),
    ),
    "drowned": (
        OTHERS,
        ("labels-unrelated",),
        ({"inputs": "drowned", "data": "shapes"}, {"inputs": "drowned", "data": "textures"}),
    ),
    # labels and loaders
    "off-by-one": (
        DATA,
        ("labels-out-of-range", "class-missing"),
        (
            {"labels": "from-one"},
            {"labels": "from-minus-one", "data": "shapes", "loader": "generator"},
            {"labels": "from-one", "classes": 11},
            {"labels": "without-the-first", "data": "spots", "network": "mlp"},
            {"labels": "from-one", "network": "lightning", "loss": "own", "data": "shapes"},
            {"labels": "from-one", "data": "textures"},
        ),
    ),
    "floats": ((REFUSED,), (), ({"labels": "floats"}, {"labels": "floats", "network": "lightning", "loss": "own"})),
    "shuffled": (
        OTHERS,
        ("labels-unrelated",),
        (
            {"labels": "shuffled"},
            {"labels": "shuffled", "data": "shapes", "network": "vgg"},
            {"labels": "one-image-off", "data": "small-digits"},
            {"loader": "apart", "network": "mlp"},
            {"loader": "lagging", "data": "spots"},
            {"labels": "shuffled", "network": "residual", "data": "shapes"},
            {"labels": "shuffled", "data": "textures"},
            {"loader": "apart", "network": "lightning", "loss": "own"},
        ),
    ),
    "one-class": (DATA, ("one-class",), ({"labels": "all-zero"}, {"labels": "all-zero", "data": "textures"})),
    "sorted": (
        DATA,
        ("not-shuffled", "one-class"),
        (
            {"loader": "sorted", "data": "shapes"},
            {"loader": "sorted", "network": "mlp", "batch": 16},
            {"loader": "sorted", "network": "residual"},
        ),
    ),
    "in-place": (
        DATA,
        ("inputs-change",),
        (
            {"loader": "in-place", "inputs": "zero-one", "data": "shapes"},
            {"loader": "batch-in-place", "inputs": "zero-one", "network": "vgg"},
            {"loader": "in-place", "inputs": "zero-one", "network": "lightning", "loss": "own"},
        ),
    ),
    "no-batches": (
        (REFUSED,),
        (),
        ({"loader": "nothing"}, {"loader": "unequal", "data": "shapes"}, {"loader": "named", "network": "residual"}),
    ),
    "norm-of-one": (
        NETWORK,
        ("no-step", "batch-norm-of-one"),
        (
            {"network": "mlp-normed", "batch": 1},
            {"network": "vgg-bn", "batch": 1, "data": "shapes"},
            {"network": "residual", "batch": 1},
        ),
    ),
    **CODE,
}


def broken() -> list[Program]:
    """All broken programs."""
    made = []
    for kind, (rungs, faults, choices) in KINDS.items():
        for number, choice in enumerate(choices, 1):
            parts = Parts(**choice)  # type: ignore[arg-type]
            made.append(Program(f"{kind}-{number}", parts, kind, rungs, faults))
    return made
