"""The healthy trainings, spread wide: good and mediocre choices that work, and what looks odd and is not wrong."""

from __future__ import annotations

from dataclasses import replace

from milder import MORE
from programs import BASES, Program
from recipes import HEALTHY

VARIED: tuple[tuple[str, str, dict[str, object]], ...] = (
    # optimisers, at rates that a person would take, some of them mediocre
    *(
        (f"optimizer-{kind}-{base}", base, {"optimizer": kind, "rate": rate, "decay": decay})
        for kind, rate, decay, base in (
            ("sgd", 0.1, 5e-4, "digits-lenet"),
            ("sgd", 0.05, 0.0, "digits-mlp"),
            ("nesterov", 0.02, 5e-4, "digits-lenet"),
            ("adam", 1e-3, 0.0, "digits-lenet"),
            ("adam", 5e-4, 0.0, "digits-mlp"),
            ("adamw", 2e-3, 0.05, "digits-lenet"),
            ("rmsprop", 1e-3, 0.0, "digits-lenet"),
            ("adagrad", 0.02, 0.0, "digits-lenet"),
            ("sgd", 0.1, 5e-4, "shapes-vgg-bn"),
            ("adam", 1e-3, 0.0, "shapes-vgg"),
            ("adamw", 3e-3, 0.01, "shapes-lenet"),
            ("rmsprop", 1e-3, 0.0, "shapes-lenet"),
            ("nesterov", 0.02, 5e-4, "shapes-lenet"),
            ("adagrad", 0.02, 0.0, "shapes-vgg-bn"),
            ("adam", 1e-3, 0.0, "cifar-lenet"),
            ("adamw", 1e-3, 0.05, "cifar-vgg-bn"),
            ("momentum", 0.005, 5e-4, "cifar-mlp"),
            ("adam", 3e-4, 1e-4, "cifar-mlp"),
        )
    ),
    # schedules
    *(
        (f"schedule-{kind}-{base}", base, {"schedule": kind, **more})
        for kind, base, more in (
            ("cosine", "digits-lenet", {}),
            ("one-cycle", "digits-lenet", {"rate": 0.05}),
            ("step", "digits-mlp", {}),
            ("exponential", "digits-lenet", {}),
            ("warmup", "digits-lenet", {}),
            ("sqrt", "digits-vgg", {}),
            ("warmup", "shapes-vgg", {}),
            ("step", "shapes-lenet", {}),
            ("one-cycle", "shapes-vgg-bn", {"rate": 0.1}),
            ("exponential", "cifar-lenet", {}),
            ("cosine", "cifar-mlp", {}),
            ("warmup", "cifar-vgg-bn", {}),
        )
    ),
    # losses that are right, in other forms
    ("loss-smooth-digits", "digits-lenet", {"loss": "smooth"}),
    ("loss-smooth-shapes", "shapes-vgg-bn", {"loss": "smooth"}),
    ("loss-log-softmax-digits", "digits-mlp", {"loss": "log-softmax"}),
    ("loss-hinge-digits", "digits-lenet", {"loss": "hinge", "rate": 0.005}),
    ("loss-hinge-shapes", "shapes-lenet", {"loss": "hinge"}),
    ("loss-squares-digits", "digits-mlp", {"loss": "squares"}),
    # activations, depth, width
    ("tanh-digits", "digits-lenet", {"activation": "tanh"}),
    ("tanh-shapes", "shapes-lenet", {"activation": "tanh"}),
    ("leaky-shapes", "shapes-vgg", {"activation": "leaky"}),
    ("sigmoid-digits", "digits-mlp", {"activation": "sigmoid"}),
    ("deep-digits", "digits-mlp", {"depth": 4}),
    ("wide-digits", "digits-mlp", {"width": 6.0}),
    ("narrow-digits", "digits-lenet", {"width": 0.5}),
    ("linear-digits", "digits-mlp", {"network": "linear", "rate": 5e-3}),
    ("functional-digits", "digits-lenet", {"network": "functional"}),
    ("functional-shapes", "shapes-lenet", {"network": "functional"}),
    ("functional-trainer", "digits-lenet", {"network": "functional", "style": "trainer"}),
    # initialisation that is not the default and works
    ("init-he-digits", "digits-lenet", {"init": "he"}),
    ("init-xavier-tanh", "digits-mlp", {"init": "xavier", "activation": "tanh"}),
    ("init-orthogonal", "shapes-vgg", {"init": "orthogonal"}),
    ("init-gauss-mlp", "digits-mlp", {"init": "normal:0.01"}),
    ("init-gauss-lenet", "digits-lenet", {"init": "normal:0.05"}),
    # long plateaus
    ("plateau-digits-vgg", "digits-vgg", {"init": "default", "rate": 0.03, "epochs": 12}),
    ("plateau-shapes-vgg", "shapes-vgg", {"init": "default", "rate": 0.03, "epochs": 14}),
    ("plateau-digits-lenet", "digits-lenet", {"init": "normal:0.02", "rate": 0.02, "epochs": 12}),
    # slow but sure
    ("slow-digits", "digits-lenet", {"rate": 0.003, "epochs": 12}),
    ("slow-mlp", "digits-mlp", {"rate": 2e-4, "epochs": 12}),
    ("slow-shapes", "shapes-lenet", {"rate": 4e-4, "epochs": 14}),
    # fast and noisy, but sure
    ("fast-digits", "digits-lenet", {"rate": 0.08}),
    ("fast-mlp", "digits-mlp", {"rate": 0.01}),
    ("fast-shapes-bn", "shapes-vgg-bn", {"rate": 0.2, "epochs": 7}),
    # dropout and augmentation
    ("dropout-digits", "digits-lenet", {"dropout": 0.5}),
    ("dropout-mlp", "digits-mlp", {"dropout": 0.5, "width": 3.0}),
    ("dropout-shapes", "shapes-lenet", {"dropout": 0.4}),
    ("dropout-cifar", "cifar-lenet", {"dropout": 0.3}),
    ("shift-digits", "digits-lenet", {"augment": "shift"}),
    ("shift-shapes", "shapes-vgg-bn", {"augment": "shift-flip"}),
    ("strong-digits", "digits-lenet", {"augment": "strong", "epochs": 10}),
    ("strong-shapes", "shapes-lenet", {"augment": "strong"}),
    ("strong-cifar", "cifar-vgg-bn", {"augment": "strong"}),
    # inputs that are not standardised and fine
    ("zero-one-digits", "digits-lenet", {"inputs": "zero-one"}),
    ("zero-one-shapes", "shapes-lenet", {"inputs": "zero-one"}),
    ("minus-one-cifar", "cifar-lenet", {"inputs": "minus-one"}),
    ("raw-shapes-bn", "shapes-vgg-bn", {"inputs": "raw"}),
    ("zero-one-mlp", "digits-mlp", {"inputs": "zero-one"}),
    # few images, much noise that does no harm, imbalance that does none
    ("few-digits", "digits-lenet", {"keep": 300, "epochs": 25}),
    ("few-mlp", "digits-mlp", {"keep": 200, "epochs": 25}),
    ("few-shapes", "shapes-vgg-bn", {"keep": 500, "epochs": 12}),
    ("noise-digits", "digits-lenet", {"labels": "noisy:0.05"}),
    ("noise-shapes", "shapes-vgg-bn", {"labels": "noisy:0.05"}),
    ("rare-digits", "digits-lenet", {"labels": "rare:3"}),
    ("rare-shapes", "shapes-vgg-bn", {"labels": "rare:3"}),
    # batches
    ("batch-10", "digits-lenet", {"batch": 10, "rate": 0.005, "epochs": 4}),
    ("batch-200", "digits-lenet", {"batch": 200, "rate": 0.1, "epochs": 20}),
    ("batch-16-shapes", "shapes-lenet", {"batch": 16, "rate": 1e-3, "epochs": 5}),
    # clipping that is usual, no decay, strong but fitting decay
    ("clip-digits", "digits-lenet", {"clip": 1.0}),
    ("clip-shapes", "shapes-vgg", {"clip": 1.0}),
    ("decay-zero", "digits-lenet", {"decay": 0.0}),
    ("decay-strong", "digits-lenet", {"decay": 0.01}),
    ("trainer-digits", "digits-lenet", {"style": "trainer"}),
    ("trainer-bn", "shapes-vgg-bn", {"style": "trainer"}),
    ("functions-digits", "digits-lenet", {"style": "functions"}),
)


def healthy() -> list[Program]:
    """All healthy programs."""
    made = [Program(f"base-{name}", setup=setup) for name, setup in BASES.items()]
    made += [
        Program(f"fine-{name}", setup=replace(BASES[base], **change), base=base)
        for name, base, change in (*VARIED, *MORE)
    ]  # type: ignore[arg-type]
    return [*made, *(Program(f"fine-{name}", recipe=recipe) for name, recipe in HEALTHY)]
