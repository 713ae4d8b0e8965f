"""Cells of the part that is anew: a network, data and a loop, with choices that work. The healthy twins."""

from __future__ import annotations

from anew.setups import Anew

CELLS: dict[str, Anew] = {
    "cifarnet-framed": Anew("cifarnet", "framed", "walkthrough", "momentum", 0.01, batch=16, epochs=8),
    "cifarnet-ten": Anew("cifarnet", "ten", "history", "adam", 1e-3, wide=10, augment="flip", epochs=11),
    "vggsix-quartet": Anew("vggsix", "quartet", "runner", "adam", 1e-3, dropout=0.3, augment="flip", epochs=14),
    "vggsix-charts": Anew("vggsix", "charts", "engine", "momentum", 0.01, init="he", decay=1e-4, epochs=9),
    "resnet-ten": Anew(
        "resnet",
        "ten",
        "engine",
        "nesterov",
        0.05,
        decay=5e-4,
        schedule="cosine",
        per="epoch",
        augment="flip-shift:3",
        epochs=12,
    ),
    "resnet-floors": Anew("resnet", "floors", "runner", "adam", 1e-3, epochs=8),
    "mobilenet-floors": Anew(
        "mobilenet", "floors", "history", "adamw", 3e-3, decay=0.01, schedule="onecycle", epochs=9
    ),
    "mobilenet-blood": Anew("mobilenet", "blood", "progress", "rmsprop", 1e-3, balance="weighted", epochs=9),
    "googlenet-moods": Anew("googlenet", "moods", "history", "adam", 2e-3, wide=6, augment="flip", epochs=6),
    "googlenet-quartet": Anew(
        "googlenet",
        "quartet",
        "microbatch",
        "momentum",
        0.03,
        wide=6,
        batch=16,
        accumulate=2,
        decay=5e-4,
        augment="flip",
        epochs=10,
    ),
    "tanhnet-framed": Anew("tanhnet", "framed", "walkthrough", "sgd", 0.1, epochs=16),
    "tanhnet-blood": Anew("tanhnet", "blood", "runner", "adam", 1e-3, epochs=12),
    "gelunet-floors": Anew(
        "gelunet", "floors", "engine", "adamw", 3e-3, decay=0.05, depth=2, schedule="warm-cosine", epochs=10
    ),
    "gelunet-framed": Anew("gelunet", "framed", "autocast", "adam", 3e-3, batch=40, epochs=12),
    "elunet-charts": Anew("elunet", "charts", "progress", "adam", 1e-3, epochs=9),
    "elunet-blood": Anew(
        "elunet", "blood", "microbatch", "momentum", 0.02, init="he", batch=8, accumulate=4, epochs=12
    ),
    "student-quartet": Anew(
        "student", "quartet", "walkthrough", "momentum", 0.01, dropout=0.3, decay=5e-4, augment="flip", epochs=12
    ),
    "student-moods": Anew("student", "moods", "progress", "adam", 1e-3, epochs=6),
    "transfer-kitchen": Anew("transfer", "kitchen", "runner", "adam", 1e-3, batch=16, augment="shift:3", epochs=25),
    "transfer-quartet": Anew(
        "transfer",
        "quartet",
        "history",
        "momentum",
        0.01,
        decay=1e-4,
        schedule="plateau",
        per="epoch",
        augment="flip",
        epochs=12,
    ),
}
"""Network and data -> its healthy twin."""
