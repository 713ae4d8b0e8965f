"""Cells of the fresh part: a network, data and a loop, with choices that work. The healthy twins."""

from __future__ import annotations

from fresh.setups import Fresh

CELLS: dict[str, Fresh] = {
    "mobile-gratings": Fresh(
        "mobile", "gratings", "keras", "nesterov", 0.05, decay=1e-4, schedule="cosine", per="epoch", epochs=5
    ),
    "mobile-animals": Fresh(
        "mobile", "animals", "stepwise", "adamw", 5e-3, decay=0.02, schedule="one-cycle", augment="mirror", epochs=6
    ),
    "next-scenes": Fresh(
        "next",
        "scenes",
        "accelerate",
        "adamw",
        4e-3,
        decay=0.05,
        schedule="warm-cosine",
        batch=10,
        accumulate=2,
        wide=12,
        epochs=5,
    ),
    "next-gratings": Fresh("next", "gratings", "amp", "adamw", 6e-3, decay=0.05, schedule="linear", wide=12, epochs=5),
    "plain-blobs": Fresh(
        "plain", "blobs", "ignite", "momentum", 0.05, decay=5e-4, init="he", schedule="step", wide=10, epochs=6
    ),
    "plain-canvas": Fresh("plain", "canvas", "bare", "adam", 5e-3, init="he", wide=10, epochs=7),
    "dense-lesions": Fresh(
        "dense", "lesions", "closure", "adam", 4e-3, schedule="linear", balance="weighted", wide=12, epochs=6
    ),
    "dense-glyphs": Fresh("dense", "glyphs", "keras", "adam", 8e-3, wide=12, epochs=7),
    "inception-many": Fresh(
        "inception", "many", "ignite", "adam", 8e-3, schedule="cosine-floor", per="epoch", epochs=7
    ),
    "inception-animals": Fresh("inception", "animals", "messy", "adam", 3e-3, batch=25, epochs=5),
    "group-polylines": Fresh("group", "polylines", "notebook", "adam", 2e-3, batch=20, wide=12, epochs=20),
    "group-scenes": Fresh("group", "scenes", "bare", "momentum", 0.03, schedule="cosine", batch=20, wide=12, epochs=5),
    "bottleneck-blobs": Fresh("bottleneck", "blobs", "notebook", "momentum", 0.05, decay=5e-4, epochs=3),
    "bottleneck-pairs": Fresh("bottleneck", "pairs", "amp", "nesterov", 0.05, decay=1e-4, schedule="linear", epochs=4),
    "old-canvas": Fresh(
        "old", "canvas", "closure", "momentum", 0.02, decay=1e-4, inputs="whole", schedule="late-drop", epochs=8
    ),
    "old-glyphs": Fresh("old", "glyphs", "notebook", "sgd", 0.1, schedule="polynomial", batch=16, epochs=10),
    "probe-polylines": Fresh(
        "probe", "polylines", "accelerate", "adam", 0.02, freeze=True, batch=10, accumulate=2, wide=10, epochs=25
    ),
    "probe-canvas": Fresh(
        "probe", "canvas", "keras", "momentum", 0.1, freeze=True, inputs="whole", schedule="step", wide=10, epochs=6
    ),
    "perceptron-pairs": Fresh(
        "perceptron", "pairs", "messy", "momentum", 0.02, decay=1e-3, dropout=0.2, wide=12, epochs=12
    ),
    "perceptron-many": Fresh("perceptron", "many", "stepwise", "rmsprop", 1e-3, schedule="halves", wide=16, epochs=10),
    "alex-animals": Fresh(
        "alex", "animals", "stepwise", "adam", 1e-3, dropout=0.3, augment="mirror", wide=12, epochs=12
    ),
    "alex-gratings": Fresh(
        "alex", "gratings", "ignite", "momentum", 0.02, decay=5e-4, dropout=0.2, init="he", wide=12, epochs=8
    ),
}
"""Network and data -> its healthy twin. `plain` is CONV-CONV-POOL without normalisation, `old` the one of 1989."""
