"""Cells of the part that is beyond: a network, data and a loop, with choices that work. The healthy twins."""

from __future__ import annotations

from beyond.setups import Beyond

CELLS: dict[str, Beyond] = {
    "keras-leaves": Beyond("keras", "leaves", "script", "adam", 2e-3, dropout=0.2, epochs=10),
    "keras-wild": Beyond("keras", "wild", "callbacks", "momentum", 0.02, decay=1e-4, augment="mirror", epochs=9),
    "nine-wild": Beyond(
        "nine", "wild", "meters", "nesterov", 0.05, decay=5e-4, schedule="linear", augment="crop-flip", epochs=7
    ),
    "nine-segments": Beyond("nine", "segments", "functional", "adam", 3e-3, epochs=4),
    "ushaped-dents": Beyond(
        "ushaped", "dents", "callbacks", "adamw", 3e-3, decay=0.01, augment="mirror", batch=20, epochs=10
    ),
    "ushaped-roads": Beyond(
        "ushaped", "roads", "iterations", "momentum", 0.05, decay=1e-4, schedule="warm-cosine", epochs=9
    ),
    "ghost-barcodes": Beyond("ghost", "barcodes", "resizing", "adam", 3e-3, epochs=7),
    "ghost-roads": Beyond("ghost", "roads", "swa", "momentum", 0.05, decay=5e-4, schedule="cosine-floor", epochs=7),
    "separable-painted": Beyond(
        "separable", "painted", "meters", "adamw", 4e-3, decay=0.02, schedule="cosine", epochs=9
    ),
    "separable-leaves": Beyond("separable", "leaves", "resizing", "adam", 5e-3, schedule="cosine", epochs=9),
    "pyramid-dice": Beyond("pyramid", "dice", "functional", "adam", 3e-3, epochs=9),
    "pyramid-chirps": Beyond("pyramid", "chirps", "iterations", "momentum", 0.02, batch=10, accumulate=2, epochs=8),
    "pixels-segments": Beyond("pixels", "segments", "callbacks", "adam", 1e-3, dropout=0.1, epochs=8),
    "pixels-barcodes": Beyond("pixels", "barcodes", "script", "momentum", 0.02, decay=1e-4, epochs=12),
    "rows-chirps": Beyond("rows", "chirps", "script", "adam", 3e-3, clip=1.0, epochs=10),
    "rows-segments": Beyond("rows", "segments", "functional", "rmsprop", 2e-3, epochs=8),
    "shallow-painted": Beyond("shallow", "painted", "sam", "momentum", 0.01, batch=25, epochs=9),
    "shallow-segments": Beyond("shallow", "segments", "callbacks", "sgd", 0.1, batch=25, epochs=10),
    "keras-dice": Beyond("keras", "dice", "sam", "momentum", 0.02, init="he", epochs=8),
    "keras-painted": Beyond("keras", "painted", "iterations", "adam", 2e-3, batch=25, epochs=9),
    "adopted-chirps": Beyond("adopted", "chirps", "meters", "adam", 2e-3, head_times=5.0, batch=25, epochs=5),
    "adopted-dice": Beyond("adopted", "dice", "swa", "momentum", 0.01, batch=20, epochs=9),
}
"""Network and data -> its healthy twin."""
