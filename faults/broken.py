"""The broken trainings: a healthy one with one thing done wrongly, and the causes that are right to name."""

from __future__ import annotations

from dataclasses import replace

from milder import MILDER
from programs import BASES, Program
from recipes import BROKEN, HIGH, LOW, SMALL

Change = dict[str, object]

FAULTS: dict[str, tuple[tuple[str, ...], tuple[tuple[str, Change], ...]]] = {
    "rate-high": (
        HIGH,
        (
            ("digits-lenet", {"rate": 1.0}),
            ("shapes-lenet", {"rate": 0.2}),
            ("cifar-lenet", {"rate": 0.5}),
            ("digits-mlp", {"rate": 1.0}),
            ("shapes-vgg", {"rate": 0.7}),
        ),
    ),
    "rate-huge": (
        HIGH,
        (("digits-mlp", {"optimizer": "sgd", "rate": 1e6}), ("cifar-vgg-bn", {"rate": 30.0, "schedule": "none"})),
    ),
    "rate-low": (
        LOW,
        (
            ("digits-lenet", {"rate": 1e-5}),
            ("shapes-lenet", {"rate": 2e-6}),
            ("cifar-mlp", {"rate": 1e-5}),
            ("shapes-vgg-bn", {"rate": 1e-6}),
        ),
    ),
    "momentum-high": (
        HIGH,
        (("digits-lenet", {"momentum": 0.999, "rate": 0.05}), ("cifar-lenet", {"momentum": 0.998, "rate": 0.03})),
    ),
    "schedule-per-batch": (
        ("schedule-too-fast", *LOW),
        (
            ("digits-lenet", {"schedule": "per-batch"}),
            ("cifar-mlp", {"schedule": "step-per-batch"}),
            ("shapes-vgg", {"schedule": "per-batch"}),
        ),
    ),
    "schedule-never": (
        ("schedule-never-moved", *LOW),
        (("digits-lenet", {"schedule": "never"}), ("shapes-vgg", {"schedule": "never", "epochs": 6})),
    ),
    "init-constant": (
        ("symmetric-initialisation",),
        (
            ("digits-mlp", {"init": "constant:0.01"}),
            ("shapes-lenet", {"init": "constant:0.05"}),
            ("cifar-lenet", {"init": "zero"}),
        ),
    ),
    "init-small": (
        SMALL,
        (
            ("digits-vgg", {"init": "normal:0.001"}),
            ("shapes-vgg", {"init": "normal:0.005"}),
            ("digits-lenet", {"init": "normal:0.0001", "optimizer": "sgd"}),
        ),
    ),
    "init-large": (
        ("initialisation-too-large", "exploding-gradients", "saturated-units"),
        (
            ("digits-lenet", {"init": "normal:1"}),
            ("cifar-lenet", {"init": "normal:0.7"}),
            ("digits-mlp", {"init": "normal:3", "activation": "tanh", "optimizer": "sgd", "rate": 0.01}),
        ),
    ),
    "deep-sigmoid": (
        ("vanishing-gradients", "saturated-units"),
        (
            ("digits-mlp", {"activation": "sigmoid", "depth": 8, "optimizer": "sgd", "rate": 0.1}),
            ("shapes-vgg", {"activation": "sigmoid", "init": "default"}),
            ("cifar-lenet", {"activation": "sigmoid", "optimizer": "sgd", "init": "normal:0.05"}),
        ),
    ),
    "dead": (
        ("dead-units",),
        (
            ("digits-lenet", {"init": "bias:-6"}),
            ("shapes-lenet", {"init": "bias:-8"}),
            ("digits-mlp", {"init": "bias:-8"}),
        ),
    ),
    "saturated": (
        ("saturated-units", "initialisation-too-large", "inputs-not-normalised"),
        (
            ("digits-mlp", {"activation": "tanh", "inputs": "raw", "optimizer": "sgd", "rate": 0.01}),
            ("shapes-lenet", {"activation": "tanh", "init": "normal:2", "optimizer": "sgd", "rate": 0.01}),
        ),
    ),
    "inputs-raw": (
        ("inputs-not-normalised",),
        (
            ("digits-lenet", {"inputs": "raw"}),
            ("cifar-lenet", {"inputs": "raw"}),
            ("shapes-vgg", {"inputs": "mean-only"}),
            ("cifar-mlp", {"inputs": "raw"}),
        ),
    ),
    "inputs-twice": (
        ("normalised-twice",),
        (
            ("digits-lenet", {"inputs": "twice-divided"}),
            ("cifar-mlp", {"inputs": "twice-divided"}),
            ("shapes-vgg", {"inputs": "twice-standard"}),
            ("cifar-lenet", {"inputs": "twice-divided"}),
        ),
    ),
    "valid-inputs": (
        ("parts-differ",),
        (
            ("digits-lenet", {"valid_inputs": "raw"}),
            ("shapes-vgg-bn", {"valid_inputs": "zero-one"}),
            ("cifar-vgg-bn", {"valid_inputs": "raw"}),
            ("shapes-lenet", {"valid_inputs": "swapped", "data": "digits"}),
        ),
    ),
    "valid-labels": (
        ("parts-differ",),
        (("digits-mlp", {"valid_labels": "other-order"}), ("shapes-vgg", {"valid_labels": "other-order"})),
    ),
    "softmax-doubled": (
        ("softmax-doubled",),
        (
            ("digits-lenet", {"fault": "softmax-end", "optimizer": "sgd"}),
            ("cifar-lenet", {"loss": "softmax", "fault": "softmax-end"}),
            ("shapes-vgg", {"fault": "softmax-end"}),
        ),
    ),
    "softmax-missing": (
        ("softmax-missing",),
        (
            ("digits-lenet", {"loss": "raw-nll"}),
            ("cifar-mlp", {"loss": "raw-pick"}),
            ("shapes-vgg-bn", {"loss": "raw-nll"}),
        ),
    ),
    "sign": (
        ("wrong-sign",),
        (
            ("digits-lenet", {"loss": "minus"}),
            ("shapes-lenet", {"loss": "minus-log"}),
            ("cifar-vgg-bn", {"loss": "minus"}),
        ),
    ),
    "sum": (
        ("sum-instead-of-mean",),
        (("digits-lenet", {"loss": "sum"}), ("cifar-lenet", {"loss": "sum"}), ("shapes-vgg", {"loss": "sum"})),
    ),
    "labels-shuffled": (
        ("labels-unrelated",),
        (
            ("digits-lenet", {"labels": "shuffled"}),
            ("shapes-lenet", {"labels": "shuffled"}),
            ("cifar-vgg-bn", {"labels": "shuffled"}),
            ("digits-mlp", {"labels": "shifted"}),
        ),
    ),
    "labels-noisy": (
        ("labels-noisy",),
        (
            ("digits-lenet", {"labels": "noisy:0.5"}),
            ("shapes-vgg-bn", {"labels": "noisy:0.5"}),
            ("digits-mlp", {"labels": "noisy:0.6", "style": "plain"}),
        ),
    ),
    "imbalanced": (
        ("imbalanced", "class-never-predicted"),
        (
            ("digits-lenet", {"labels": "rare:40"}),
            ("shapes-lenet", {"labels": "rare:40"}),
            ("digits-vgg", {"labels": "rare:60"}),
        ),
    ),
    "class-lost": (
        ("class-never-predicted",),
        (("digits-lenet", {"labels": "merged"}), ("shapes-vgg-bn", {"labels": "merged"})),
    ),
    "augmentation": (
        ("augmentation-too-strong", "underfitting"),
        (
            ("digits-lenet", {"augment": "erase"}),
            ("shapes-lenet", {"augment": "noise"}),
            ("digits-vgg", {"augment": "tiles"}),
        ),
    ),
    "not-shuffled": (
        ("not-shuffled",),
        (
            ("digits-lenet", {"shuffle": False}),
            ("shapes-vgg-bn", {"shuffle": False}),
            ("cifar-lenet", {"shuffle": False}),
        ),
    ),
    "statistics": (
        ("normalisation-statistics",),
        (
            ("shapes-vgg-bn", {"norm_momentum": 0.0003}),
            ("cifar-vgg-bn", {"norm_momentum": 0.0003}),
        ),
    ),
    "decay-strong": (
        ("regularisation-too-strong",),
        (
            ("digits-lenet", {"decay": 0.5}),
            ("cifar-lenet", {"decay": 0.3}),
            ("shapes-lenet", {"decay": 0.3}),
            ("digits-mlp", {"optimizer": "sgd", "rate": 0.1, "decay": 0.5}),
        ),
    ),
    "dropout-strong": (
        ("dropout-too-strong", "underfitting"),
        (
            ("digits-lenet", {"dropout": 0.97}),
            ("digits-mlp", {"dropout": 0.95, "depth": 3}),
            ("cifar-lenet", {"dropout": 0.95}),
        ),
    ),
    "few-images": (
        ("overfitting", "regularisation-missing"),
        (
            ("cifar-mlp", {"keep": 200, "epochs": 60, "decay": 0.0}),
            ("cifar-lenet", {"keep": 200, "epochs": 50, "decay": 0.0}),
        ),
    ),
    "too-small": (
        ("underfitting",),
        (
            ("shapes-lenet", {"width": 0.13}),
            ("shapes-vgg", {"network": "linear", "epochs": 12}),
        ),
    ),
    "linear": (("no-nonlinearity", "underfitting"), (("shapes-lenet", {"activation": "none"}),)),
    "never-cleared": (
        ("gradients-not-cleared", *HIGH),
        (
            ("digits-lenet", {"fault": "never-cleared"}),
            ("cifar-lenet", {"fault": "never-cleared"}),
            ("shapes-vgg", {"fault": "never-cleared"}),
        ),
    ),
    "not-held": (
        ("layer-not-trained",),
        (
            ("digits-lenet", {"fault": "other-model"}),
            ("shapes-vgg", {"fault": "last-layer"}),
            ("cifar-lenet", {"fault": "last-layer"}),
        ),
    ),
    "relu-end": (
        ("dead-units", "constant-output", "stuck-at-chance", "class-never-predicted"),
        (
            ("digits-lenet", {"fault": "relu-end", "rate": 0.1}),
            ("shapes-vgg", {"fault": "relu-end"}),
        ),
    ),
    "batch-small": (
        ("too-noisy", *HIGH),
        (
            ("digits-lenet", {"batch": 2, "keep": 800, "epochs": 3, "rate": 0.05}),
            ("shapes-lenet", {"batch": 2, "keep": 800, "epochs": 3, "rate": 0.01}),
        ),
    ),
    "stopped-early": (
        ("stopped-too-early", *LOW),
        (
            ("shapes-vgg", {"epochs": 4, "rate": 0.01}),
            ("digits-vgg", {"epochs": 4, "rate": 0.004}),
        ),
    ),
    "clip-tight": (("updates-too-small", *LOW), (("digits-lenet", {"clip": 1e-3}), ("shapes-vgg", {"clip": 1e-3}))),
    "epsilon-high": (
        ("updates-too-small", *LOW),
        (("digits-mlp", {"epsilon": 10.0}), ("shapes-lenet", {"epsilon": 10.0})),
    ),
    "loss-unsuitable": (
        ("updates-too-small", "softmax-doubled", "vanishing-gradients", *LOW),
        (("digits-lenet", {"loss": "squares-of-shares", "optimizer": "sgd"}),),
    ),
}
"""Kind -> (causes that are right to name, (healthy twin, what is changed in it) ...)."""


def broken() -> list[Program]:
    """All broken programs."""
    made = []
    for kind, (accepted, cells) in FAULTS.items():
        for place, (base, change) in enumerate(cells):
            setup = replace(BASES[base], **change)  # type: ignore[arg-type]
            made.append(Program(f"{kind}-{place + 1}-{base}", kind, accepted, setup, base=base))
        for place, (base, change) in enumerate(MILDER.get(kind, ())):
            setup = replace(BASES[base], **change)  # type: ignore[arg-type]
            made.append(Program(f"{kind}-{len(cells) + place + 1}-{base}", kind, accepted, setup, base=base))
    return [*made, *BROKEN]
