"""The broken programs before training whose fault is in the loss or in the network's own text; as `before_broken`."""

from __future__ import annotations

Kinds = dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[dict[str, object], ...]]]

NETWORK, LOSS = ("network",), ("initial loss",)
LEARNING = ("inputs matter", "overfit a little")
STUCK = ("network", *LEARNING)
ENDING = ("network", "initial loss", "overfit a little")
MEANING = ("initial loss", "overfit a little")

CODE: Kinds = {
    # the loss
    "sign": (
        LOSS,
        ("wrong-sign", "labels-unrewarded"),
        (
            {"loss": "minus"},
            {"loss": "sign-forgotten", "data": "shapes", "network": "vgg"},
            {"loss": "minus-hinge", "network": "mlp"},
            {"loss": "hinge-turned", "data": "shapes"},
            {"network": "lightning-minus", "loss": "own"},
            {"loss": "sign-forgotten", "network": "residual", "data": "spots"},
        ),
    ),
    "sum": (
        LOSS,
        ("sum-instead-of-mean",),
        (
            {"loss": "sum"},
            {"loss": "sum-by-hand", "data": "shapes", "network": "group-norm"},
            {"loss": "hinge-sum", "network": "mlp"},
            {"network": "lightning-sum", "loss": "own"},
            {"loss": "sum", "data": "textures"},
        ),
    ),
    "missing-softmax": (
        LOSS,
        ("missing-softmax", "wrong-sign", "loss-not-finite"),
        (
            {"loss": "raw-nll"},
            {"loss": "nll-of-shares", "data": "shapes"},
            {"loss": "log-of-scores", "network": "mlp"},
            {"network": "lightning-nll-of-scores", "loss": "own"},
            {"network": "lightning-nll-of-shares", "loss": "own", "data": "shapes"},
        ),
    ),
    "doubled-softmax": (
        MEANING,
        ("doubled-softmax",),
        (
            {"network": "lenet-then-softmax"},
            {"network": "vgg-then-softmax", "data": "shapes"},
            {"loss": "softmax-first", "network": "mlp"},
            {"network": "residual-softmax"},
            {"network": "lightning-shares-and-log", "loss": "own", "data": "shapes"},
        ),
    ),
    "softmax-axis": (
        ("network", "initial loss"),
        ("batch-dependent", "loss-mixes-images"),
        (
            {"network": "lenet-softmax-over-batch"},
            {"network": "lenet-softmax-default-axis", "loss": "nll", "data": "shapes"},
            {"loss": "over-batch"},
            {"loss": "shares-over-batch", "network": "mlp", "data": "shapes"},
            {"network": "residual-batch-softmax"},
            {"network": "lightning-over-batch", "loss": "own"},
        ),
    ),
    "labels-unused": (
        MEANING,
        ("labels-unrewarded", "cannot-overfit", "loss-not-finite"),
        (
            {"loss": "all-pairs"},
            {"loss": "first-column", "network": "mlp"},
            {"loss": "rows-for-labels", "data": "shapes"},
            {"loss": "next-label"},
            {"loss": "unlabelled", "data": "shapes"},
            {"loss": "smoothed-away", "network": "mlp"},
            {"loss": "padding-class"},
            {"loss": "turned-divergence", "data": "shapes"},
            {"network": "lightning-outer", "loss": "own"},
            {"network": "lightning-other-classes-first", "loss": "own", "data": "shapes"},
            {"network": "lightning-padding", "loss": "own"},
            {"loss": "all-pairs", "network": "residual"},
        ),
    ),
    "no-number": (
        ("network", "initial loss"),
        ("loss-not-scalar", "no-step", "no-gradient", "loss-not-finite"),
        (
            {"loss": "none"},
            {"loss": "number", "network": "mlp"},
            {"loss": "detached", "data": "shapes"},
            {"loss": "remade"},
            {"loss": "error-rate", "network": "mlp"},
            {"loss": "constant-weight-zero", "data": "shapes"},
            {"network": "lightning-detached", "loss": "own"},
            {"loss": "none", "network": "residual"},
        ),
    ),
    # the network
    "no-gradient": (
        NETWORK,
        ("no-gradient", "dead-layer"),
        (
            {"network": "lenet-detach"},
            {"network": "lenet-numpy", "data": "shapes"},
            {"network": "lenet-no-grad", "data": "cifar"},
            {"network": "lenet-data"},
            {"network": "lenet-unused", "data": "shapes"},
            {"network": "lenet-argmax"},
            {"network": "lenet-then-rounded", "data": "shapes"},
            {"network": "residual-detach"},
            {"network": "lightning-no-grad", "loss": "own"},
        ),
    ),
    "frozen": (
        NETWORK,
        ("no-gradient", "frozen-at-random"),
        (
            {"network": "frozen"},
            {"network": "frozen-features", "data": "shapes"},
            {"network": "frozen-head"},
            {"network": "lightning-frozen", "loss": "own", "data": "shapes"},
            {"network": "lightning-all-frozen", "loss": "own"},
        ),
    ),
    "unregistered": (
        NETWORK,
        ("unregistered-weights", "random-in-evaluation"),
        (
            {"network": "listed-layers"},
            {"network": "plain-tensor", "data": "shapes"},
            {"network": "lenet-made-in-forward"},
            {"network": "residual-listed"},
        ),
    ),
    "influence": (
        NETWORK,
        ("batch-dependent",),
        (
            {"network": "lenet-batch-mean"},
            {"network": "lenet-batch-maximum", "data": "shapes"},
            {"network": "lenet-merged-images"},
            {"network": "rows-batch-second"},
            {"network": "attention-batch-second", "data": "shapes"},
            {"network": "norm-without-statistics"},
            {"network": "residual-centred-by-batch"},
            {"network": "residual-no-statistics", "data": "shapes"},
            {"network": "lightning-largest-of-batch", "loss": "own"},
        ),
    ),
    "random": (
        ("network", "overfit a little"),
        ("random-in-evaluation", "dropout-too-strong"),
        (
            {"network": "lenet-dropout-always"},
            {"network": "dropout-nearly-all"},
            {"network": "dropout-all", "data": "shapes"},
            {"network": "residual-noisy-in-evaluation"},
            {"network": "lightning-dropout", "loss": "own"},
        ),
    ),
    "evaluation": (
        ("network", "overfit a little"),
        ("evaluation-differs",),
        (
            {"network": "lenet-scaled-in-training"},
            {"network": "norm-that-never-learns", "data": "shapes"},
            {"network": "residual-training-only"},
            {"network": "lightning-still-statistics", "loss": "own"},
        ),
    ),
    "input-lost": (
        ("network", "inputs matter"),
        ("inputs-ignored", "dead-layer", "batch-dependent", "vanishing-signal"),
        (
            {"network": "lenet-overwritten"},
            {"network": "lenet-turned-twice", "data": "shapes"},
            {"network": "lenet-blurred-away"},
            {"network": "residual-ignored"},
        ),
    ),
    "shape": (
        NETWORK,
        ("wrong-shape",),
        (
            {"network": "one-too-many"},
            {"network": "imagenet-head", "data": "shapes"},
            {"network": "one-output", "data": "spots"},
            {"network": "not-flat"},
            {"network": "wrong-width", "data": "shapes"},
            {"network": "mlp-then-turned"},
            {"network": "lenet-then-mean", "data": "shapes"},
            {"network": "mlp-then-extra-axis"},
            {"network": "vgg-then-maximum"},
            {"network": "residual-head"},
            {"network": "residual-kept-map", "data": "shapes"},
        ),
    ),
    "ending": (
        ENDING,
        ("cannot-overfit", "bounded-scores", "clipped-scores", "doubled-softmax"),
        (
            {"network": "mlp-then-sigmoid"},
            {"network": "lenet-then-sigmoid", "data": "shapes"},
            {"network": "lenet-then-tanh"},
            {"network": "mlp-then-relu", "data": "shapes"},
            {"network": "lenet-then-clamp"},
            {"loss": "sigmoid-first", "network": "mlp"},
            {"network": "residual-sigmoid", "data": "shapes"},
        ),
    ),
    "scale": (
        ("network", "initial loss", *LEARNING),
        ("huge-initialisation", "cannot-overfit", "inputs-ignored", "vanishing-signal"),
        ({"network": "lenet-weak-scores"}, {"network": "lenet-loud-scores", "data": "shapes"}),
    ),
    "deep-sigmoid": (
        STUCK,
        ("vanishing-signal", "cannot-overfit", "inputs-ignored", "dead-layer"),
        ({"network": "sigmoid-deep"}, {"network": "sigmoid-deep", "data": "textures"}),
    ),
    "own-gradient": (
        ("gradients", "overfit a little"),
        ("wrong-gradient",),
        (
            {"network": "gradient-turned"},
            {"network": "gradient-large", "data": "shapes"},
            {"network": "gradient-turned", "data": "textures"},
        ),
    ),
}
