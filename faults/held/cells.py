"""Cells of the held-out part: a network, data and a loop, with choices that work. The healthy twins."""

from __future__ import annotations

from held.setups import Held

CELLS: dict[str, Held] = {
    "residual-textures": Held(epochs=4),
    "residual-digits": Held(
        data="digits",
        style="face",
        optimizer="adamw",
        rate=3e-3,
        decay=0.01,
        schedule="linear",
        batch=20,
        accumulate=2,
        clip=1.0,
        epochs=3,
    ),
    "residual-cifar": Held(
        data="cifar", style="learner", optimizer="adam", rate=5e-3, decay=0.0, schedule="one-cycle", epochs=5
    ),
    "tuned-textures": Held(
        network="tuned",
        style="learner",
        optimizer="adam",
        rate=1e-3,
        head_times=5,
        decay=0.0,
        schedule="one-cycle",
        epochs=5,
    ),
    "tuned-cifar": Held(
        network="tuned",
        data="cifar",
        style="face",
        optimizer="adamw",
        rate=1e-3,
        head_times=3,
        decay=0.01,
        schedule="linear",
        batch=16,
        accumulate=2,
        clip=1.0,
    ),
    "tuned-digits": Held(network="tuned", data="digits", rate=0.01, schedule="cosine"),
    "vgg-textures": Held(network="vgg", style="face", rate=0.03, schedule="step"),
    "vgg-shapes": Held(network="vgg", data="shapes", style="learner", optimizer="adam", rate=3e-3, decay=0.0, epochs=5),
    "plain-textures": Held(network="vgg", norm="none", init="he", rate=6e-3, epochs=8),
    "plain-shapes": Held(
        network="vgg", norm="none", data="shapes", style="face", init="he", rate=0.01, schedule="linear", epochs=9
    ),
    "lenet-textures": Held(network="lenet", style="learner", rate=0.02, schedule="flat-cosine", epochs=8),
    "lenet-cifar": Held(network="lenet", data="cifar", optimizer="adam", rate=1e-3, decay=0.0, epochs=8),
    "lenet-shapes": Held(
        network="lenet",
        data="shapes",
        style="face",
        optimizer="adamw",
        rate=2e-3,
        decay=0.01,
        batch=16,
        accumulate=2,
        schedule="cosine",
        epochs=8,
    ),
    "mlp-textures": Held(network="mlp", optimizer="adam", rate=1e-3, decay=0.0, epochs=15),
    "mlp-digits": Held(network="mlp", data="digits", style="learner", rate=0.02, epochs=10),
}
"""Network and data -> its healthy twin. `plain` is the VGG-like one without normalisation."""
